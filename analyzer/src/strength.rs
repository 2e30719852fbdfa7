//! What it is worth to be somebody: the strongest that built-in and remembered bindings give.

use crate::case::Case;
use crate::kube::ObjectKind;
use crate::memory::State;
use crate::rbac::subject::{account_strength, group_strength, user_strength};
use crate::rbac::{Scope, Subject, assess};
use crate::severity::Severity;

/// What a subject of this name holds by itself; `None` when that is nothing risky that is known.
#[must_use]
pub fn of_subject(case: &Case<'_>, subject: &Subject) -> Option<Severity> {
    let mut worst = match subject {
        Subject::User(name) => user_strength(name),
        Subject::Group(name) => group_strength(name),
        Subject::ServiceAccount { namespace, name } if namespace == "kube-system" => account_strength(name),
        Subject::ServiceAccount { .. } | Subject::Other { .. } => None,
    };
    for kind in [ObjectKind::ClusterRoleBinding, ObjectKind::RoleBinding] {
        for (key, state) in case.memory.objects(case.cluster(), kind) {
            if let State::Binding { role_ref: Some(role), subjects } = state
                && subjects.contains(subject)
                && let Some(rules) = case.rules_of(role, &key.namespace)
            {
                let scope = match kind {
                    ObjectKind::RoleBinding => Scope::Namespace(key.namespace.clone()),
                    _ => Scope::Cluster,
                };
                worst = worst.max(assess(&rules, &scope).severity);
            }
        }
    }
    worst
}
