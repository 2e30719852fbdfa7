//! What it is worth to be somebody: the strongest that built-in and remembered bindings give.

use std::collections::HashMap;

use crate::case::Case;
use crate::kube::ObjectKind;
use crate::memory::State;
use crate::rbac::subject::{account_strength, group_strength, user_strength};
use crate::rbac::{Scope, Subject, assess};
use crate::severity::Severity;

/// What each of these subjects holds by itself; those of whom nothing risky is known are left out.
///
/// One pass over what is remembered, however many subjects there are: a client may name any number of groups.
#[must_use]
pub fn of_each<'s>(case: &Case<'_>, subjects: impl IntoIterator<Item = &'s Subject>) -> HashMap<&'s Subject, Severity> {
    let mut worst: HashMap<&Subject, Option<Severity>> =
        subjects.into_iter().map(|subject| (subject, built_in(subject))).collect();
    for kind in [ObjectKind::ClusterRoleBinding, ObjectKind::RoleBinding] {
        for (key, state) in case.memory.objects(case.cluster(), kind) {
            let State::Binding { role_ref: Some(role), subjects } = state else {
                continue;
            };
            if !subjects.iter().any(|subject| worst.contains_key(subject)) {
                continue;
            }
            let Some(rules) = case.rules_of(role, &key.namespace) else {
                continue;
            };
            let scope = match kind {
                ObjectKind::RoleBinding => Scope::Namespace(key.namespace.clone()),
                _ => Scope::Cluster,
            };
            let severity = assess(&rules, &scope).severity;
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
