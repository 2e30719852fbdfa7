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

#[cfg(test)]
mod tests {
    use super::{account, counts_as, grants, mapped_to};
    use crate::memory::Memory;
    use crate::rbac::{Request, Scope, Subject};
    use crate::snapshot::{Loaded, SnapshotError, load};

    fn cluster() -> (Memory, Loaded) {
        let list = serde_json::json!({ "kind": "List", "apiVersion": "v1", "items": [
            { "kind": "ClusterRole", "metadata": { "name": "reader", "resourceVersion": "7" },
              "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }] },
            { "kind": "ClusterRoleBinding", "metadata": { "name": "all" },
              "roleRef": { "kind": "ClusterRole", "name": "reader" },
              "subjects": [{ "kind": "Group", "name": "ops" }] },
            { "kind": "RoleBinding", "metadata": { "name": "some", "namespace": "dev" },
              "roleRef": { "kind": "ClusterRole", "name": "reader" },
              "subjects": [{ "kind": "ServiceAccount", "name": "build" }, { "kind": "User", "name": "nina" }] },
            { "kind": "RoleBinding", "metadata": { "name": "empty", "namespace": "dev" },
              "roleRef": { "kind": "Role", "name": "not-there" }, "subjects": [{ "kind": "User", "name": "nina" }] },
            { "kind": "ConfigMap", "metadata": { "name": "aws-auth", "namespace": "kube-system" },
              "data": { "mapRoles": "- rolearn: arn:aws:iam::111122223333:role/a\n  username: nina\n  groups: [ops]\n" } },
            { "kind": "ConfigMap", "metadata": { "name": "aws-auth", "namespace": "dev" }, "data": {} },
            { "kind": "Pod", "metadata": { "name": "p" } },
            7,
        ]});
        let mut memory = Memory::default();
        let loaded = load(list.to_string().as_bytes(), "prod", &mut memory).unwrap();
        (memory, loaded)
    }

    #[test]
    fn a_snapshot_says_what_it_held_and_what_it_could_not_use() {
        assert_eq!(cluster().1, Loaded { kept: 5, other: 2, unreadable: 1, dropped: 0 });
        let mut memory = Memory::default();
        let roles = br#"{"kind":"RoleList","items":[{"metadata":{"name":"r","namespace":"dev"},"rules":[]}]}"#;
        assert_eq!(load(roles, "prod", &mut memory).unwrap().kept, 1, "items of a list of one kind do not say theirs");
        assert_eq!(load(b"{\"kind\":\"Role\"}", "prod", &mut memory), Err(SnapshotError::NotAList));
        assert_eq!(load(b"{", "prod", &mut memory), Err(SnapshotError::NotJson));
    }

    #[test]
    fn who_can_is_told_by_bindings_with_rules_where_they_reach() {
        let (memory, _) = cluster();
        let can = |cluster: &str, namespace: Option<&'static str>| -> Vec<String> {
            let (verb, group, resource, subresource, name) = ("get", "", "secrets", "", "");
            let request = Request::Resource { verb, group, resource, subresource, name, namespace };
            let found = grants(&memory, cluster).into_iter().filter(|grant| grant.permits(&request));
            found.map(|grant| format!("{} by {}", grant.subject, grant.binding)).collect()
        };
        assert_eq!(
            can("prod", Some("dev")),
            ["User nina by some", "Group ops by all", "ServiceAccount dev/build by some"]
        );
        assert_eq!(can("prod", Some("ci")), ["Group ops by all"], "a RoleBinding reaches its namespace");
        assert_eq!(can("prod", None), ["Group ops by all"]);
        assert!(can("other", Some("dev")).is_empty());
        let unknown = grants(&memory, "prod").into_iter().find(|grant| grant.binding == "empty").unwrap();
        assert_eq!((unknown.rules, unknown.scope), (None, Scope::Namespace("dev".to_owned())));
    }

    #[test]
    fn subjects_count_as_the_groups_that_every_authenticator_gives_them() {
        let words = |subject: &Subject| counts_as(subject).iter().map(ToString::to_string).collect::<Vec<_>>();
        let user = |name: &str| Subject::User(name.to_owned());
        assert_eq!(words(&user("nina")), ["User nina", "Group system:authenticated"]);
        let anonymous = ["User system:anonymous", "Group system:unauthenticated"];
        assert_eq!(words(&user("system:anonymous")), anonymous);
        let build = account("system:serviceaccount:dev:build").unwrap();
        let groups = ["Group system:serviceaccounts:dev", "Group system:serviceaccounts", "Group system:authenticated"];
        let expected = [&["ServiceAccount dev/build", "User system:serviceaccount:dev:build"], &groups[..]].concat();
        assert_eq!(words(&build), expected);
        assert!(words(&user("system:serviceaccount:dev:build")).contains(&"ServiceAccount dev/build".to_owned()));
        assert_eq!(account("nina"), None);
        assert_eq!(words(&Subject::Group("ops".to_owned())), ["Group ops"]);
    }

    #[test]
    fn principals_are_told_by_user_and_by_group() {
        let (memory, _) = cluster();
        let arn = "arn:aws:iam::111122223333:role/a";
        for (subject, expected) in [
            (Subject::User("nina".to_owned()), vec![arn]),
            (Subject::Group("ops".to_owned()), vec![arn]),
            (Subject::User("ops".to_owned()), vec![]),
            (account("system:serviceaccount:dev:build").unwrap(), vec![]),
        ] {
            assert_eq!(mapped_to(&memory, "prod", &subject), expected, "{subject}");
        }
    }
}
