//! Which rows of the risk table a set of rights meets, and how gravely.

use std::cmp::Reverse;

use super::assess::{EVERYTHING, FoundRisk};
use super::diff::normal_form;
use super::permit::url_matches;
use super::rights::{Found, Rights, Verbs};
use super::risk::{ANY_AWS_SERVICE, ANY_UPBOUND_SERVICE, Named, Risk, Section, Special, is_cluster_scoped, risks};
use super::words::describe;
use super::{KUBE_SYSTEM, PolicyRule, RoleKind, Scope, stock, subject};
use crate::severity::Severity;

/// The rows that `rights` meet at `scope`, without those that another one says better.
pub(super) fn find_risks(rights: &Rights<'_>, scope: &Scope) -> Vec<FoundRisk> {
    let hits: Vec<Hit<'_, '_>> = risks().filter_map(|risk| find_resources(risk, rights, scope)).collect();
    let kept = hits.iter().enumerate().filter(|(index, hit)| !is_said_better(hit, *index, &hits));
    let mut found: Vec<FoundRisk> = kept.map(|(_, hit)| hit.found(scope)).collect();
    if !found.iter().any(|one| one.risk.id == EVERYTHING) {
        found.extend(risks().filter_map(|risk| find_urls(risk, rights, scope)));
        found.extend(risks().filter_map(|risk| find_impersonate_on(risk, rights, scope)));
    }
    let mut seen: Vec<(&str, String)> = Vec::new();
    found.retain(|one| {
        let said = (one.gives(), one.permission.clone());
        let new = !seen.contains(&said);
        seen.push(said);
        new
    });
    found.sort_by_key(|one| Reverse(one.severity));
    found
}

/// A row met, with all rights that meet it.
struct Hit<'r, 'a> {
    risk: &'static Risk,
    severity: Severity,
    rights: Vec<(Found<'r, 'a>, Severity)>,
}

impl Hit<'_, '_> {
    fn found(&self, scope: &Scope) -> FoundRisk {
        let worst = || self.rights.iter().filter(|(_, severity)| *severity == self.severity).map(|(found, _)| found);
        let named = worst().all(|found| found.names.is_some());
        let rules: Vec<PolicyRule> =
            worst().filter(|found| named || found.names.is_none()).take(RULES_WORDED_MAX).map(Found::as_rule).collect();
        let words: Vec<String> = normal_form(&rules).iter().map(|rule| describe(rule, scope)).collect();
        FoundRisk {
            risk: self.risk,
            severity: self.severity,
            scope: scope.clone(),
            permission: words.join("; "),
            named,
        }
    }
}

fn find_resources<'r, 'a>(risk: &'static Risk, rights: &'r Rights<'a>, scope: &Scope) -> Option<Hit<'r, 'a>> {
    if risk.section == Section::Urls || risk.id == IMPERSONATE_ON {
        return None;
    }
    let base = risk.severity(scope)?;
    let verbs = Verbs::asked(risk.verbs);
    let mut met = Vec::new();
    for group in risk.groups {
        for resource in risk.resources {
            let found = rights.find(group, resource, verbs).into_iter();
            met.extend(found.filter_map(|one| Some((one, grade(risk, base, (group, resource), &one, scope)?))));
        }
    }
    met.sort_by_key(|(_, severity)| Reverse(*severity));
    met.truncate(RIGHTS_MAX);
    let severity = met.first()?.1;
    Some(Hit { risk, severity, rights: met })
}

/// The grade of one right that meets a row, none when it has no effect.
fn grade(
    risk: &Risk,
    base: Severity,
    (group, resource): (&str, &str),
    found: &Found<'_, '_>,
    scope: &Scope,
) -> Option<Severity> {
    let has = |verb| found.verbs.overlaps(Verbs::of(verb));
    let out_of_reach = *scope != Scope::Cluster && is_cluster_scoped(group, resource);
    if out_of_reach && !has("bind") && !(risk.special == Special::Use && has("use")) {
        return None;
    }
    let writes = has("create") || has("update") || has("patch");
    let base = match risk.special {
        Special::AwsAuth if !writes => base.min(Severity::High),
        Special::Job if resource == "jobs" && !has("create") => Severity::Low,
        Special::GroupAlone if found.names.is_none() => Severity::High,
        Special::Node if has("impersonate:arbitrary-node") && resource == "nodes" => Severity::Critical,
        Special::OtherService if [ANY_AWS_SERVICE, ANY_UPBOUND_SERVICE].contains(&group) => base.min(Severity::High),
        Special::Console if !resource.contains('/') && !writes => return None,
        Special::CertManager if (resource == "signers") != has("approve") => return None,
        _ => base,
    };
    match found.names {
        None => Some(base),
        Some(names) => grade_named(risk.named, base, resource, names, scope),
    }
}

fn grade_named(limit: Named, base: Severity, resource: &str, names: &[String], scope: &Scope) -> Option<Severity> {
    let real = || names.iter().map(String::as_str).filter(|name| !name.is_empty());
    real().next()?;
    let lower = base.lowered(1).max(Severity::Low);
    let in_system = matches!(scope, Scope::Cluster) || *scope == Scope::Namespace(KUBE_SYSTEM.to_owned());
    match limit {
        Named::Same => Some(base),
        Named::Medium => Some(base.min(Severity::Medium)),
        Named::Only(targets) => real().any(|name| targets.contains(&name)).then_some(base),
        Named::Role => {
            let kind = if resource == "roles" { RoleKind::Role } else { RoleKind::ClusterRole };
            real().map(|name| role_grade(kind, name, scope).map_or(lower, |severity| severity.min(base))).max()
        }
        Named::User => real().map(user_grade).max(),
        Named::Group => real().map(group_grade).max(),
        Named::Account if in_system => {
            real().map(|name| subject::account_strength(name).map_or(lower, |own| own.max(lower).min(base))).max()
        }
        Named::Lower | Named::Account => Some(lower),
        Named::Signer => real().map(|name| signer_grade(name).min(base)).max(),
    }
}

/// What it is worth to bind a stock role; none for roles of unknown rules.
fn role_grade(kind: RoleKind, name: &str, scope: &Scope) -> Option<Severity> {
    let namespace = match scope {
        Scope::Cluster => None,
        Scope::Namespace(namespace) => Some(namespace.as_str()),
    };
    stock::bound_severity(kind, name, namespace)
}

/// What it is worth to be this user.
fn user_grade(name: &str) -> Severity {
    let known = subject::user_strength(name);
    known.unwrap_or(if name.starts_with("system:") || name.starts_with("eks:") {
        Severity::High
    } else {
        Severity::Medium
    })
}

/// What it is worth to be in this group.
fn group_grade(name: &str) -> Severity {
    subject::group_strength(name).unwrap_or(Severity::Medium)
}

/// What certificates of this signer are worth on EKS, where `kubernetes.io/kube-apiserver-client` is not served.
fn signer_grade(name: &str) -> Severity {
    match name {
        "kubernetes.io/*"
        | "kubernetes.io/kube-apiserver-client"
        | "kubernetes.io/kube-apiserver-client-kubelet"
        | "kubernetes.io/legacy-unknown" => Severity::High,
        _ => Severity::Medium,
    }
}

/// Whether other rows say all that this one says: the same objects and verbs, more gravely.
///
/// What is held by a wildcard over everything is graded as that and not by its single parts: `delete` on everything
/// also deletes what some operator acts on, but that is not what one has to know about it.
fn is_said_better(hit: &Hit<'_, '_>, index: usize, hits: &[Hit<'_, '_>]) -> bool {
    let others = || hits.iter().enumerate().filter(|(other_index, _)| *other_index != index);
    hit.rights.iter().all(|(right, severity)| {
        let mut left = right.verbs;
        // Once nothing is left, nobody else needs to be asked: wildcards come first, and often say it all.
        others().any(|(other_index, other)| {
            let wildcard = other.risk.section == Section::Everything;
            let rivals = wildcard && hit.risk.section == Section::Everything;
            // A row over everything is said better by an earlier one of its kind only.
            if hit.risk.section == Section::Everything && (!wildcard || index < other_index) {
                return false;
            }
            for (wider, other_severity) in &other.rights {
                let better = severity < other_severity || (wildcard && (!rivals || severity == other_severity));
                let all = wider.every_verb && (right.every_verb || wildcard);
                if better && (all || left.overlaps(wider.verbs)) && right.is_within(wider) {
                    left = if all { Verbs::NONE } else { left - wider.verbs };
                }
            }
            left == Verbs::NONE
        })
    })
}

fn find_urls(risk: &'static Risk, rights: &Rights<'_>, scope: &Scope) -> Option<FoundRisk> {
    let severity = risk.severity(scope).filter(|_| risk.section == Section::Urls)?;
    let everything = |url: &str| url.ends_with('*') && matches!(url.trim_end_matches('*'), "" | "/");
    let asks_everything = risk.resources.contains(&"*");
    let meets = |url: &str| {
        everything(url) == asks_everything
            && risk.resources.iter().any(|row| {
                let (row_prefix, prefix) = (row.trim_end_matches('*'), url.trim_end_matches('*'));
                url_matches(row, prefix) || url_matches(url, row_prefix)
            })
    };
    let urls: Vec<String> =
        rights.urls.iter().filter(|url| meets(url)).take(RULES_WORDED_MAX).map(|url| (*url).to_owned()).collect();
    if urls.is_empty() {
        return None;
    }
    let rule = PolicyRule { verbs: vec!["get".to_owned()], non_resource_urls: urls, ..PolicyRule::default() };
    let permission = describe(&rule, scope);
    Some(FoundRisk { risk, severity, scope: scope.clone(), permission, named: false })
}

fn find_impersonate_on(risk: &'static Risk, rights: &Rights<'_>, scope: &Scope) -> Option<FoundRisk> {
    let severity = risk.severity(scope).filter(|_| risk.id == IMPERSONATE_ON)?;
    let rule = rights.impersonate_on?;
    Some(FoundRisk {
        risk,
        severity,
        scope: scope.clone(),
        permission: describe(rule, scope),
        named: !rule.resource_names.is_empty(),
    })
}

const IMPERSONATE_ON: &str = "imp-on";

/// Rights kept for one row, the worst first: who has more has them by as many rules about single names, and rows are
/// compared right by right.
pub(super) const RIGHTS_MAX: usize = 64;

/// Rules put into words for one row; the rest is cut.
const RULES_WORDED_MAX: usize = 64;
