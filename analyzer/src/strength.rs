//! What it is worth to be somebody: the strongest that built-in and remembered bindings give.

use std::collections::HashMap;

use crate::case::rules_of;
use crate::kube::ObjectKind;
use crate::memory::{Memory, State};
use crate::rbac::subject::{account_strength, group_strength, user_strength};
use crate::rbac::{Scope, Subject, assess};
use crate::severity::Severity;

/// What each of these subjects holds by itself; those of whom nothing risky is known are left out. A role whose rules nobody has
/// seen counts as a strong one: to change it unseen must not make its holders look harmless.
///
/// One pass over what is remembered, however many subjects there are: a client may name any number of groups.
#[must_use]
pub fn of_each<'s>(
    memory: &Memory,
    cluster: &str,
    subjects: impl IntoIterator<Item = &'s Subject>,
) -> HashMap<&'s Subject, Severity> {
    bound(memory, cluster, subjects.into_iter().map(|subject| (subject, built_in(subject))).collect())
}

/// The same for names that a login takes on: the creator of a cluster is strong by its group, and whoever has its name alone is not.
#[must_use]
pub fn of_login<'s>(memory: &Memory, cluster: &str, subjects: &'s [Subject]) -> HashMap<&'s Subject, Severity> {
    let by_name = |subject: &Subject| match subject {
        Subject::User(name) if name == "kubernetes-admin" => None,
        other => built_in(other),
    };
    bound(memory, cluster, subjects.iter().map(|subject| (subject, by_name(subject))).collect())
}

fn bound<'s>(
    memory: &Memory,
    cluster: &str,
    mut worst: HashMap<&'s Subject, Option<Severity>>,
) -> HashMap<&'s Subject, Severity> {
    if worst.is_empty() {
        return HashMap::new();
    }
    for kind in [ObjectKind::ClusterRoleBinding, ObjectKind::RoleBinding] {
        for (key, state) in memory.objects(cluster, kind) {
            let State::Binding { role_ref: Some(role), subjects } = state else {
                continue;
            };
            if !subjects.iter().any(|subject| worst.contains_key(subject)) {
                continue;
            }
            let scope = match kind {
                ObjectKind::RoleBinding => Scope::Namespace(key.namespace.clone()),
                _ => Scope::Cluster,
            };
            let rights = rules_of(memory, cluster, role, &key.namespace).map(|rules| assess(&rules, &scope).severity);
            let unseen = if scope == Scope::Cluster { Severity::High } else { Severity::Medium };
            let severity = rights.unwrap_or(Some(unseen));
            for subject in subjects {
                if let Some(known) = worst.get_mut(subject) {
                    *known = severity.max(*known);
                }
            }
        }
    }
    worst.into_iter().filter_map(|(subject, severity)| Some((subject, severity?))).collect()
}

fn built_in(subject: &Subject) -> Option<Severity> {
    match subject {
        Subject::User(name) => user_strength(name),
        Subject::Group(name) => group_strength(name),
        Subject::ServiceAccount { namespace, name } if namespace == "kube-system" => account_strength(name),
        Subject::ServiceAccount { .. } | Subject::Other { .. } => None,
    }
}
