//! Who can do what, from memory: every binding with the role it refers to and its subjects.

use crate::case::rules_of;
use crate::kube::ObjectKind;
use crate::memory::{Memory, State};
use crate::rbac::{PolicyRule, Request, RoleRef, Scope, Subject, permits};

/// One subject of one binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who holds it.
    pub subject: Subject,
    /// Where it holds.
    pub scope: Scope,
    /// Kind of the binding.
    pub kind: ObjectKind,
    /// Name of the binding.
    pub binding: String,
    /// The role it refers to.
    pub role: RoleRef,
    /// The rules of that role; `None` where nobody knows them, and then the binding gives nothing until it is made.
    pub rules: Option<Vec<PolicyRule>>,
}

impl Grant {
    /// Whether it permits `request`.
    #[must_use]
    pub fn permits(&self, request: &Request<'_>) -> bool {
        self.scope.reaches(request) && self.rules.as_ref().is_some_and(|rules| permits(rules, request))
    }
}

/// Everything that the remembered bindings of a cluster give, sorted by subject.
#[must_use]
pub fn grants(memory: &Memory, cluster: &str) -> Vec<Grant> {
    let mut out = Vec::new();
    for kind in [ObjectKind::ClusterRoleBinding, ObjectKind::RoleBinding] {
        for (key, state) in memory.objects(cluster, kind) {
            let State::Binding { role_ref: Some(role), subjects } = state else {
                continue;
            };
            let scope = match kind {
                ObjectKind::ClusterRoleBinding => Scope::Cluster,
                _ => Scope::Namespace(key.namespace.clone()),
            };
            let rules = rules_of(memory, cluster, role, &key.namespace);
            out.extend(subjects.iter().map(|subject| Grant {
                subject: subject.clone(),
                scope: scope.clone(),
                kind,
                binding: key.name.clone(),
                role: role.clone(),
                rules: rules.clone(),
            }));
        }
    }
    out.sort_by(|one, other| {
        (&one.subject, &one.scope, &one.binding).cmp(&(&other.subject, &other.scope, &other.binding))
    });
    out
}

/// The subjects that a subject counts as: itself, and the groups that every authenticator gives it.
#[must_use]
pub fn counts_as(subject: &Subject) -> Vec<Subject> {
    let group = |name: &str| Subject::Group(name.to_owned());
    let mut out = vec![subject.clone()];
    match subject {
        Subject::User(name) if name == "system:anonymous" => out.push(group("system:unauthenticated")),
        Subject::User(name) => {
            // Rules may name a service account by its username.
            out.extend(account(name));
            out.push(group("system:authenticated"));
        }
        Subject::ServiceAccount { namespace, name } => {
            out.push(Subject::User(format!("system:serviceaccount:{namespace}:{name}")));
            out.push(group(&format!("system:serviceaccounts:{namespace}")));
            out.extend([group("system:serviceaccounts"), group("system:authenticated")]);
        }
        Subject::Group(_) | Subject::Other { .. } => {}
    }
    out
}

/// The service account of this username.
#[must_use]
pub fn account(username: &str) -> Option<Subject> {
    let (namespace, name) = username.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
}

/// The IAM principals that `aws-auth` makes this user or a member of this group, in words.
#[must_use]
pub fn mapped_to(memory: &Memory, cluster: &str, subject: &Subject) -> Vec<String> {
    let maps = memory.objects(cluster, ObjectKind::AwsAuth).filter_map(|(_, state)| match state {
        State::AwsAuth(map) => Some(map),
        State::Role { .. } | State::Binding { .. } | State::ServiceAccount(_) => None,
    });
    let mut out: Vec<String> = maps
        .flat_map(|map| &map.mappings)
        .filter(|mapping| match subject {
            Subject::User(name) => mapping.username == *name,
            Subject::Group(name) => mapping.groups.contains(name),
            Subject::ServiceAccount { .. } | Subject::Other { .. } => false,
        })
        .map(|mapping| mapping.principal.to_string())
        .collect();
    out.sort();
    out.dedup();
    out
}
