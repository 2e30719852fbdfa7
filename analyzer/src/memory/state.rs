//! What an object says, and what of it another does not say.

use std::collections::HashSet;

use super::bounded::Weight;
use crate::aws_auth::AwsAuth;
use crate::kube::{Expression, ObjectKind, Selector};
use crate::rbac::{self, PolicyRule, RoleRef, Subject};

/// What an object says, as far as rights go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A Role or ClusterRole.
    Role {
        /// Its rules.
        rules: Vec<PolicyRule>,
        /// The labels its rules are collected by, when it is an aggregated role.
        aggregation: Option<Vec<Selector>>,
        /// Its labels: they decide which aggregated roles take its rules over.
        labels: Vec<(String, String)>,
    },
    /// A RoleBinding or ClusterRoleBinding.
    Binding {
        /// The role it grants.
        role_ref: Option<RoleRef>,
        /// To whom.
        subjects: Vec<Subject>,
    },
    /// The `aws-auth` ConfigMap.
    AwsAuth(AwsAuth),
    /// A ServiceAccount: the annotations that bind it to IAM (`eks.amazonaws.com/...`), sorted.
    ServiceAccount(Vec<(String, String)>),
}

impl State {
    /// What an object says of which nothing was ever seen.
    pub(super) fn nothing(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Role | ObjectKind::ClusterRole => Self::of_rules(Vec::new()),
            ObjectKind::RoleBinding | ObjectKind::ClusterRoleBinding => {
                Self::Binding { role_ref: None, subjects: Vec::new() }
            }
            ObjectKind::AwsAuth => Self::AwsAuth(AwsAuth::default()),
            ObjectKind::ServiceAccount => Self::ServiceAccount(Vec::new()),
        }
    }

    /// The part of this that gives rights which `other` does not give: rules, subjects, mappings, annotations. None where
    /// there is no such part. All of a binding to another role.
    #[must_use]
    pub fn without(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Role { rules, .. }, Self::Role { rules: theirs, .. }) => {
                let more = rbac::gained(theirs, rules);
                (!more.is_empty()).then(|| Self::of_rules(more))
            }
            (Self::Binding { role_ref, subjects }, Self::Binding { role_ref: their_role, subjects: theirs }) => {
                let theirs: HashSet<&Subject> = theirs.iter().filter(|_| role_ref == their_role).collect();
                let subjects: Vec<Subject> =
                    subjects.iter().filter(|subject| !theirs.contains(subject)).cloned().collect();
                (!subjects.is_empty()).then(|| Self::Binding { role_ref: role_ref.clone(), subjects })
            }
            (Self::AwsAuth(ours), Self::AwsAuth(theirs)) => {
                let mappings: Vec<_> = ours.without(theirs).into_iter().cloned().collect();
                (!mappings.is_empty()).then(|| Self::AwsAuth(AwsAuth { mappings, pitfalls: Vec::new() }))
            }
            (Self::ServiceAccount(ours), Self::ServiceAccount(theirs)) => {
                let theirs: HashSet<&(String, String)> = theirs.iter().collect();
                let more: Vec<_> = ours.iter().filter(|pair| !theirs.contains(pair)).cloned().collect();
                (!more.is_empty()).then_some(Self::ServiceAccount(more))
            }
            _ => Some(self.clone()),
        }
    }

    /// The part of this that gives rights which `other` gives as well.
    #[must_use]
    pub fn within(&self, other: &Self) -> Option<Self> {
        match self.without(other) {
            Some(rest) => self.without(&rest),
            None => Some(self.clone()),
        }
    }

    /// Whether one gives what the other does not, or collects what the other does not.
    #[must_use]
    pub fn differs_in_rights(&self, other: &Self) -> bool {
        let collects = |state: &Self| match state {
            Self::Role { aggregation, .. } => aggregation.clone(),
            _ => None,
        };
        self != other
            && (collects(self) != collects(other) || self.without(other).is_some() || other.without(self).is_some())
    }

    fn of_rules(rules: Vec<PolicyRule>) -> Self {
        Self::Role { rules, aggregation: None, labels: Vec::new() }
    }
}

impl Weight for State {
    fn weight(&self) -> usize {
        let text = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
        let pairs =
            |pairs: &[(String, String)]| pairs.iter().map(|(key, value)| key.len() + value.len() + 48).sum::<usize>();
        match self {
            Self::Role { rules, aggregation, labels } => {
                let expression = |it: &Expression| 120 + it.key.len() + it.operator.len() + text(&it.values);
                let selected = aggregation
                    .iter()
                    .flatten()
                    .map(|it: &Selector| 48 + pairs(&it.labels) + it.expressions.iter().map(expression).sum::<usize>())
                    .sum::<usize>();
                rules
                    .iter()
                    .map(|rule| {
                        120 + text(&rule.api_groups)
                            + text(&rule.resources)
                            + text(&rule.verbs)
                            + text(&rule.resource_names)
                            + text(&rule.non_resource_urls)
                    })
                    .sum::<usize>()
                    + selected
                    + pairs(labels)
            }
            Self::Binding { role_ref, subjects } => {
                role_ref.as_ref().map_or(0, |role| role.name.len())
                    + subjects.iter().map(|subject| subject.to_string().len() + 60).sum::<usize>()
            }
            Self::AwsAuth(map) => {
                let mappings = map.mappings.iter().map(|mapping| {
                    120 + mapping.principal.to_string().len() + mapping.username.len() + text(&mapping.groups)
                });
                // Their words are ours, and short; what they name is the writer's.
                let pitfalls = map.pitfalls.iter().map(|pitfall| 32 + pitfall.to_string().len());
                mappings.chain(pitfalls).sum::<usize>()
            }
            Self::ServiceAccount(annotations) => pairs(annotations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::State;
    use crate::kube::Selector;
    use crate::rbac::{PolicyRule, RoleKind, RoleRef, Subject};

    fn binding(role: &str, users: &[&str]) -> State {
        State::Binding {
            role_ref: Some(RoleRef { kind: RoleKind::ClusterRole, name: role.to_owned() }),
            subjects: users.iter().map(|user| Subject::User((*user).to_owned())).collect(),
        }
    }

    fn role(verbs: &[&str]) -> State {
        State::of_rules(vec![PolicyRule {
            api_groups: vec![String::new()],
            resources: vec!["secrets".to_owned()],
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            ..PolicyRule::default()
        }])
    }

    #[test]
    fn what_one_says_and_another_does_not_or_does() {
        let rows = [
            (
                binding("edit", &["a", "b"]),
                binding("edit", &["b"]),
                Some(binding("edit", &["a"])),
                Some(binding("edit", &["b"])),
            ),
            (binding("edit", &["a"]), binding("edit", &["a", "b"]), None, Some(binding("edit", &["a"]))),
            (binding("edit", &["a"]), binding("view", &["a"]), Some(binding("edit", &["a"])), None),
            (role(&["get", "list"]), role(&["get"]), Some(role(&["list"])), Some(role(&["get"]))),
            (role(&["get"]), role(&["*"]), None, Some(role(&["get"]))),
            (binding("edit", &["a"]), role(&["get"]), Some(binding("edit", &["a"])), None),
        ];
        for (one, other, without, within) in rows {
            assert_eq!((one.without(&other), one.within(&other)), (without, within), "{one:?} and {other:?}");
        }
        let collecting = |label: &str| State::Role {
            rules: Vec::new(),
            aggregation: Some(vec![Selector {
                labels: vec![(label.to_owned(), String::new())],
                expressions: Vec::new(),
            }]),
            labels: Vec::new(),
        };
        let labelled = |label: &str| State::Role {
            rules: Vec::new(),
            aggregation: None,
            labels: vec![(label.to_owned(), String::new())],
        };
        for (one, other, differ) in [
            (role(&["get"]), role(&["get"]), false),
            (role(&["get"]), role(&["get", "get"]), false),
            (role(&["get"]), role(&["get", "list"]), true),
            (role(&["get", "list"]), role(&["get"]), true),
            (collecting("a"), collecting("b"), true),
            (labelled("a"), labelled("b"), false),
            (binding("edit", &["a", "b"]), binding("edit", &["b", "a"]), false),
        ] {
            assert_eq!(one.differs_in_rights(&other), differ, "{one:?} and {other:?}");
        }
        let annotations = |value: &str| State::ServiceAccount(vec![("k".to_owned(), value.to_owned())]);
        assert_eq!(annotations("a").without(&annotations("b")), Some(annotations("a")));
        assert_eq!(annotations("a").without(&annotations("a")), None);
    }
}
