//! The shortest honest phrase for what rules give.

use super::assess::{Assessment, EVERYTHING, FoundRisk};
use super::words::{clip, describe_all};
use super::{PolicyRule, Scope};

/// What somebody with these rules can do, in a few words: `can read every Secret in every namespace`.
///
/// `assessment` is the one of `rules` at `scope`; without any risk in it the rules themselves are put into words.
#[must_use]
pub fn headline(assessment: &Assessment, rules: &[PolicyRule], scope: &Scope) -> String {
    let worst_risk = assessment.risks.first();
    if let Some(found) = assessment.combinations.first()
        && worst_risk.is_none_or(|risk| risk.severity < found.severity)
    {
        let place = match &found.scope {
            Scope::Cluster => String::new(),
            Scope::Namespace(namespace) => format!(" (namespace {})", clip(namespace)),
        };
        return format!("can {}{place}", found.combination.gives);
    }
    match worst_risk {
        Some(found) => risk_headline(found),
        None => harmless(rules, scope),
    }
}

fn harmless(rules: &[PolicyRule], scope: &Scope) -> String {
    let words = describe_all(rules, scope, RULES_MAX);
    if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
}

fn risk_headline(found: &FoundRisk) -> String {
    if found.risk.id == EVERYTHING {
        return match &found.scope {
            Scope::Cluster => "cluster-admin by another name: every verb on every resource".to_owned(),
            Scope::Namespace(_) => format!("every verb on every resource{}", place(&found.scope)),
        };
    }
    if found.named {
        return format!("can {}", found.permission);
    }
    // What lets its holder rewrite RBAC is named by its verb, which is what a reader knows it by.
    if matches!(found.risk.verbs, ["escalate" | "bind"]) {
        return format!("can {} ({})", found.brief(), clip(&found.permission));
    }
    let about_namespaces = found.risk.resources.iter().all(|resource| resource.starts_with("namespaces"));
    let place = match &found.scope {
        Scope::Cluster if about_namespaces || found.risk.namespace.is_none() => String::new(),
        Scope::Namespace(namespace) if about_namespaces => format!(" ({} only)", clip(namespace)),
        scope => place(scope),
    };
    format!("can {}{place}", found.brief())
}

fn place(scope: &Scope) -> String {
    match scope {
        Scope::Cluster => " in every namespace".to_owned(),
        Scope::Namespace(namespace) => format!(" in namespace {}", clip(namespace)),
    }
}

/// Rules in the headline of a change that gives nothing risky.
const RULES_MAX: usize = 3;
