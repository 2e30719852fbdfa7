//! The roles and bindings that every API server creates by itself.
//!
//! Recorded from Kubernetes 1.36. Older versions give some roles more (Secrets for the volume controllers); the grades,
//! which are ours, hold for these too.

mod bound;
mod controllers;
mod general;
mod grades;
mod more_controllers;
mod namespaced;

use super::{KUBE_SYSTEM, PolicyRule, RoleKind, RoleRef, Subject};
use crate::severity::Severity;

/// A built-in role with its grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRole {
    /// Its rules, those of the roles it aggregates included.
    pub rules: Vec<PolicyRule>,
    /// How grave it is to bind it in the whole cluster or in `kube-system`; none when it gives nothing risky.
    pub severity_cluster: Option<Severity>,
    /// How grave it is to bind it in an ordinary namespace; none when that has no effect or gives nothing risky.
    pub severity_namespace: Option<Severity>,
    /// What it gives, in a few words; continues "a role that".
    pub why: &'static str,
}

/// A built-in binding.
#[derive(Debug, PartialEq, Eq)]
pub struct StockBinding {
    /// Its name.
    pub name: &'static str,
    /// The namespace of a `RoleBinding`, none for a `ClusterRoleBinding`.
    pub namespace: Option<&'static str>,
    /// The kind of role it refers to.
    pub role_kind: RoleKind,
    /// The name of that role.
    pub role_name: &'static str,
    /// Whom it grants to.
    pub subjects: &'static [StockSubject],
}

/// Whom a built-in binding grants to. Its service accounts are all in `kube-system`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockSubject {
    /// A user.
    User(&'static str),
    /// A group.
    Group(&'static str),
    /// A service account of `kube-system`.
    Account(&'static str),
}

impl StockSubject {
    /// Whether this is `subject`.
    #[must_use]
    pub fn is(self, subject: &Subject) -> bool {
        match (self, subject) {
            (Self::User(own), Subject::User(name)) | (Self::Group(own), Subject::Group(name)) => own == name,
            (Self::Account(own), Subject::ServiceAccount { namespace, name }) => {
                namespace == KUBE_SYSTEM && own == name
            }
            _ => false,
        }
    }
}

impl StockBinding {
    /// The role it refers to.
    #[must_use]
    pub fn role_ref(&self) -> RoleRef {
        RoleRef { kind: self.role_kind, name: self.role_name.to_owned() }
    }

    /// Whether a binding of this role to these subjects is the built-in one, nobody added and nobody missing.
    #[must_use]
    pub fn is_unchanged(&self, role_ref: &RoleRef, subjects: &[Subject]) -> bool {
        let known = |subject: &Subject| self.subjects.iter().any(|own| own.is(subject));
        role_ref.kind == self.role_kind
            && role_ref.name == self.role_name
            && subjects.iter().all(known)
            && self.subjects.iter().all(|own| subjects.iter().any(|subject| own.is(subject)))
    }
}

/// The built-in role of this kind and name: for a Role that of `namespace`, which a `ClusterRole` does not have.
#[must_use]
pub fn role(kind: RoleKind, namespace: Option<&str>, name: &str) -> Option<StockRole> {
    let rules: Vec<PolicyRule> = parts(kind, namespace, name)?.flatten().map(StockRule::to_rule).collect();
    let grade = find_grade(kind, namespace, name)?;
    Some(StockRole { rules, severity_cluster: grade.cluster, severity_namespace: grade.namespace, why: grade.why })
}

fn find_grade(kind: RoleKind, namespace: Option<&str>, name: &str) -> Option<&'static Grade> {
    match (kind, namespace) {
        (RoleKind::ClusterRole, None) | (RoleKind::Role, Some(KUBE_SYSTEM)) => {
            grades::GRADES.iter().find(|grade| grade.kind == kind && grade.name == name)
        }
        (RoleKind::Role, Some("kube-public")) => Some(&grades::PUBLIC).filter(|grade| grade.name == name),
        _ => None,
    }
}

/// How grave it is to bind a built-in role, by a `ClusterRoleBinding` or in a namespace; informational where that gives
/// nothing, none for roles that are not built in.
pub(super) fn bound_severity(kind: RoleKind, name: &str, binding_namespace: Option<&str>) -> Option<Severity> {
    let grade = find_grade(kind, binding_namespace.filter(|_| kind == RoleKind::Role), name)?;
    let in_cluster = binding_namespace.is_none_or(|namespace| namespace == KUBE_SYSTEM);
    Some(if in_cluster { grade.cluster } else { grade.namespace }.unwrap_or(Severity::Informational))
}

/// Whether the API server creates a role of this kind and name, in whatever namespace.
#[must_use]
pub fn is_stock_name(kind: RoleKind, name: &str) -> bool {
    match kind {
        RoleKind::ClusterRole => parts(kind, None, name).is_some(),
        RoleKind::Role => NAMESPACED.iter().any(|(namespace, _)| parts(kind, Some(namespace), name).is_some()),
    }
}

/// The built-in bindings.
#[must_use]
pub fn bindings() -> &'static [StockBinding] {
    bound::BINDINGS
}

/// The built-in binding of this name: in `namespace` for a `RoleBinding`, none for a `ClusterRoleBinding`.
#[must_use]
pub fn binding(namespace: Option<&str>, name: &str) -> Option<&'static StockBinding> {
    bindings().iter().find(|binding| binding.namespace == namespace && binding.name == name)
}

/// How grave it is to bind the named role, as far as its name tells: from the table for built-in roles, high for a role
/// of EKS given to anybody but EKS, none for a role of unknown rules.
///
/// `namespace` is the one of the `RoleBinding`, none for a `ClusterRoleBinding`.
#[must_use]
pub fn grade(role_ref: &RoleRef, namespace: Option<&str>, subject: &Subject) -> Option<Severity> {
    if role_ref.name.starts_with("eks:") {
        let own = matches!(subject, Subject::User(name) if name.starts_with("eks:"));
        return Some(if own { Severity::Informational } else { Severity::High });
    }
    bound_severity(role_ref.kind, &role_ref.name, namespace)
}

/// The grade of what the built-in bindings give somebody; none for whom they do not name.
pub(super) fn strength(is_named: impl Fn(StockSubject) -> bool) -> Option<Severity> {
    let bound = bindings().iter().filter(|binding| binding.subjects.iter().any(|subject| is_named(*subject)));
    bound.filter_map(|binding| bound_severity(binding.role_kind, binding.role_name, binding.namespace)).max()
}

/// The rules of a role, by the roles it is made of.
fn parts(kind: RoleKind, namespace: Option<&str>, name: &str) -> Option<impl Iterator<Item = &'static [StockRule]>> {
    let tables: &[&[NamedRules]] = match (kind, namespace) {
        (RoleKind::ClusterRole, None) => &CLUSTER,
        (RoleKind::ClusterRole, Some(_)) => return None,
        (RoleKind::Role, _) => NAMESPACED.iter().find(|(own, _)| Some(*own) == namespace)?.1,
    };
    let names = match (kind, AGGREGATED.iter().find(|(aggregated, _)| *aggregated == name)) {
        (RoleKind::ClusterRole, Some((_, parts))) => parts.to_vec(),
        _ => vec![name],
    };
    let found: Option<Vec<&'static [StockRule]>> = names
        .into_iter()
        .map(|name| tables.iter().flat_map(|table| table.iter()).find(|(own, _)| *own == name).map(|(_, rules)| *rules))
        .collect();
    found.map(Vec::into_iter)
}

/// A role's name with its rules.
type NamedRules = (&'static str, &'static [StockRule]);

static CLUSTER: [&[NamedRules]; 3] = [general::RULES, controllers::RULES, more_controllers::RULES];

static NAMESPACED: [(&str, &[&[NamedRules]]); 2] =
    [(KUBE_SYSTEM, &[namespaced::KUBE_SYSTEM]), ("kube-public", &[namespaced::KUBE_PUBLIC])];

/// Roles without rules of their own: the aggregation controller fills them from those labelled for it.
static AGGREGATED: [(&str, &[&str]); 3] = [
    ("admin", &["system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view"]),
    ("edit", &["system:aggregate-to-edit", "system:aggregate-to-view"]),
    ("view", &["system:aggregate-to-view"]),
];

/// A rule as data.
#[derive(Debug)]
struct StockRule {
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    names: &'static [&'static str],
    urls: &'static [&'static str],
}

impl StockRule {
    fn to_rule(&self) -> PolicyRule {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        PolicyRule {
            api_groups: owned(self.groups),
            resources: owned(self.resources),
            verbs: owned(self.verbs),
            resource_names: owned(self.names),
            non_resource_urls: owned(self.urls),
        }
    }
}

/// The grade of a built-in role.
struct Grade {
    kind: RoleKind,
    name: &'static str,
    cluster: Option<Severity>,
    namespace: Option<Severity>,
    why: &'static str,
}

/// Roles with their rules: groups / resources / verbs, then names or URLs.
macro_rules! rule_rows {
    ($($name:literal => {$(
        $groups:tt / $resources:tt / $verbs:tt $(named $names:tt)? $(urls $urls:tt)?;
    )*})*) => {
        &[$(($name, &[$(StockRule {
            groups: &$groups,
            resources: &$resources,
            verbs: &$verbs,
            names: rule_rows!(@list $($names)?),
            urls: rule_rows!(@list $($urls)?),
        }),*])),*]
    };
    (@list) => {
        &[]
    };
    (@list $list:tt) => {
        &$list
    };
}

macro_rules! binding_rows {
    ($($(in $namespace:literal)? $name:literal => $kind:ident $role:literal: $($subject:ident $who:literal),*;)*) => {
        &[$(StockBinding {
            name: $name,
            namespace: binding_rows!(@namespace $($namespace)?),
            role_kind: $crate::rbac::RoleKind::$kind,
            role_name: $role,
            subjects: &[$(binding_rows!(@$subject $who)),*],
        }),*]
    };
    (@namespace) => {
        None
    };
    (@namespace $namespace:literal) => {
        Some($namespace)
    };
    (@user $name:literal) => {
        $crate::rbac::stock::StockSubject::User($name)
    };
    (@group $name:literal) => {
        $crate::rbac::stock::StockSubject::Group($name)
    };
    (@account $name:literal) => {
        $crate::rbac::stock::StockSubject::Account($name)
    };
}

macro_rules! grade_rows {
    ($($kind:ident $name:literal $cluster:tt / $namespace:tt $why:literal;)*) => {
        &[$(Grade {
            kind: $crate::rbac::RoleKind::$kind,
            name: $name,
            cluster: grade_rows!(@ $cluster),
            namespace: grade_rows!(@ $namespace),
            why: $why,
        }),*]
    };
    (@ -) => {
        None
    };
    (@ $severity:ident) => {
        Some($crate::severity::Severity::$severity)
    };
}

use {binding_rows, grade_rows, rule_rows};
