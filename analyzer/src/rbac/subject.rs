//! Who receives a right, and what that changes.

use std::collections::BTreeSet;

use super::diff::gained;
use super::stock::{self, StockSubject, strength};
use super::{KUBE_SYSTEM, PolicyRule, RoleKind, Scope, Subject};
use crate::severity::Severity;

/// What is known about a grant beyond its rules.
#[derive(Debug, Clone, Copy)]
pub struct GrantContext<'a> {
    /// Where the right holds; the namespace of a `RoleBinding` is here.
    pub scope: &'a Scope,
    /// Whether the rules give no more than discovery and health: see [`is_discovery_only`].
    pub discovery_only: bool,
    /// The name of whoever made the grant.
    pub actor_username: &'a str,
    /// The groups of whoever made the grant.
    pub actor_groups: &'a [String],
    /// The namespaces known to exist; none when that is not known.
    pub known_namespaces: Option<&'a BTreeSet<String>>,
    /// The service accounts known to exist, by namespace and name; none when that is not known.
    pub known_accounts: Option<&'a BTreeSet<(String, String)>>,
}

/// A grade after the subject was looked at, with the reasons for the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The adjusted grade.
    pub severity: Severity,
    /// Why it differs, or what else to say about the subject; whole phrases.
    pub reasons: Vec<String>,
}

/// The grade of giving a right of grade `base` (none: nothing risky, which counts as low) to `subject`.
///
/// Steps add up, at most to critical. A right to discovery and health alone given to everybody is informational: the
/// built-in `system:discovery` and `system:public-info-viewer` do just that.
#[must_use]
pub fn adjust(base: Option<Severity>, subject: &Subject, context: &GrantContext<'_>) -> Adjustment {
    let everybody = is_anonymous(subject) || is_group(subject, AUTHENTICATED) || is_group(subject, ACCOUNTS);
    if context.discovery_only && everybody {
        return Adjustment { severity: Severity::Informational, reasons: Vec::new() };
    }
    let steps: Vec<(u8, &str)> = kind_of_subject(subject)
        .into_iter()
        .chain(kind_of_account(subject, context))
        .chain(self_grant(subject, context))
        .collect();
    let raise = steps.iter().fold(0_u8, |sum, (steps, _)| sum.saturating_add(*steps));
    Adjustment {
        severity: base.unwrap_or(Severity::Low).raised(raise),
        reasons: steps.into_iter().map(|(_, reason)| reason.to_owned()).collect(),
    }
}

/// Whether rules give no more than the built-in roles for everybody: discovery, health, version, token keys, and the
/// questions about oneself.
#[must_use]
pub fn is_discovery_only(rules: &[PolicyRule]) -> bool {
    let open = ["system:discovery", "system:public-info-viewer", "system:basic-user", ISSUER_DISCOVERY];
    let open = open.iter().filter_map(|name| stock::role(RoleKind::ClusterRole, None, name));
    let open: Vec<PolicyRule> = open.flat_map(|role| role.rules).collect();
    gained(&open, rules).is_empty()
}

/// What it is worth to be in `group`: the worst the built-in bindings give it, and what the API server gives some
/// groups without a binding. None for groups that nothing built-in names.
#[must_use]
pub fn group_strength(group: &str) -> Option<Severity> {
    match group {
        "system:masters" => Some(Severity::Critical),
        // The Node authorizer gives nodes the Secrets and tokens of their own pods.
        "system:nodes" => Some(Severity::High),
        _ => strength(|subject| matches!(subject, StockSubject::Group(name) if name == group)),
    }
}

/// What it is worth to be `user`, as far as the name tells: the worst the built-in bindings give it. None for users
/// that nothing built-in names.
#[must_use]
pub fn user_strength(user: &str) -> Option<Severity> {
    if let Some((namespace, name)) = account_of(user) {
        return if namespace == KUBE_SYSTEM { account_strength(name) } else { None };
    }
    match user {
        // The creator of an EKS cluster, and the API server itself: both in system:masters.
        "kubernetes-admin" | "system:apiserver" => Some(Severity::Critical),
        _ if user.starts_with("system:node:") => Some(Severity::High),
        _ => strength(|subject| matches!(subject, StockSubject::User(name) if name == user)),
    }
}

/// What it is worth to be this service account of `kube-system`: the worst the built-in bindings give it.
#[must_use]
pub fn account_strength(name: &str) -> Option<Severity> {
    strength(|subject| matches!(subject, StockSubject::Account(own) if own == name))
}

type Step = (u8, &'static str);

/// What follows from who the subject is, wherever it is.
fn kind_of_subject(subject: &Subject) -> Option<Step> {
    if is_anonymous(subject) {
        return Some((TO_CRITICAL, "everyone who reaches the API server has it, without logging in"));
    }
    match subject {
        Subject::Group(name) => match name.as_str() {
            AUTHENTICATED => Some((2, "every mapped IAM principal and every service account has it")),
            ACCOUNTS => Some((2, "every service account has it")),
            "system:nodes" => Some((1, "whoever takes one node has it")),
            "system:masters" => Some((0, "system:masters may do everything already: a mistake or a decoy")),
            _ if name.starts_with("system:serviceaccounts:") => {
                Some((1, "every service account of a namespace has it"))
            }
            _ => None,
        },
        Subject::User(name) if name.starts_with("system:node:") => Some((1, "whoever takes the node has it")),
        Subject::User(name) if account_of(name).is_some() => {
            Some((0, "written as a User, it means a service account: a form that hides from reviews"))
        }
        Subject::Other { .. } => Some((0, "the API server does not know this kind of subject: nobody has it")),
        Subject::User(_) | Subject::ServiceAccount { .. } => None,
    }
}

/// What follows from which service account it is.
fn kind_of_account(subject: &Subject, context: &GrantContext<'_>) -> Vec<Step> {
    let (namespace, name) = match subject {
        Subject::ServiceAccount { namespace, name } => (namespace.as_str(), name.as_str()),
        Subject::User(user) => match account_of(user) {
            Some(account) => account,
            None => return Vec::new(),
        },
        Subject::Group(_) | Subject::Other { .. } => return Vec::new(),
    };
    let mut steps = Vec::new();
    if name == "default" {
        steps.push((1, "every pod of the namespace without an account of its own has it"));
    }
    if matches!(context.scope, Scope::Namespace(own) if own != namespace) {
        steps.push((1, "the service account is of another namespace"));
    }
    let unknown_namespace = context.known_namespaces.is_some_and(|known| !known.contains(namespace));
    let unknown_account =
        context.known_accounts.is_some_and(|known| !known.contains(&(namespace.to_owned(), name.to_owned())));
    if unknown_namespace || unknown_account {
        steps.push((1, "dangling: whoever creates the service account gets it"));
    }
    steps
}

/// Groups that hold everybody are left out: giving to all is worse, and said already.
fn self_grant(subject: &Subject, context: &GrantContext<'_>) -> Option<Step> {
    let own = match subject {
        Subject::User(name) => name == context.actor_username,
        Subject::Group(name) => name != AUTHENTICATED && name != ACCOUNTS && context.actor_groups.contains(name),
        Subject::ServiceAccount { namespace, name } => {
            account_of(context.actor_username) == Some((namespace.as_str(), name.as_str()))
        }
        Subject::Other { .. } => false,
    };
    own.then_some((1, "self-grant: the actor gains it"))
}

fn is_anonymous(subject: &Subject) -> bool {
    is_group(subject, "system:unauthenticated") || matches!(subject, Subject::User(name) if name == "system:anonymous")
}

fn is_group(subject: &Subject, group: &str) -> bool {
    matches!(subject, Subject::Group(name) if name == group)
}

/// Namespace and name of the service account that a user name stands for.
fn account_of(user: &str) -> Option<(&str, &str)> {
    user.strip_prefix("system:serviceaccount:")?.split_once(':')
}

const AUTHENTICATED: &str = "system:authenticated";
const ACCOUNTS: &str = "system:serviceaccounts";
const ISSUER_DISCOVERY: &str = "system:service-account-issuer-discovery";

/// Steps from the least severity to the worst.
const TO_CRITICAL: u8 = 4;
