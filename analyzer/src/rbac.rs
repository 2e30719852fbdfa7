//! Kubernetes RBAC: rules, what they permit, what that is worth to an attacker.

pub mod assess;
mod cells;
pub mod combination;
pub mod diff;
mod grade;
pub mod headline;
pub mod permit;
mod rights;
pub mod risk;
pub mod stock;
pub mod subject;
pub mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use assess::{Assessment, FoundCombination, FoundRisk, assess, assess_many};
pub use diff::{covers, gained, lost, normal_form};
pub use headline::headline;
pub use permit::{Request, permits, permits_in};
pub use stock::{StockBinding, StockRole, StockSubject, is_stock_name, role as stock_role};
pub use subject::{Adjustment, GrantContext, adjust, group_strength, is_discovery_only};
pub use words::{describe, describe_all};

/// One rule of a Role or `ClusterRole` (`rbac.authorization.k8s.io/v1`).
///
/// Nothing is checked: a rule may hold what the API server would refuse, such as resources next to URLs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyRule {
    /// API groups, `""` for the core group, `*` for all.
    pub api_groups: Vec<String>,
    /// Resources: `pods`, `pods/exec`, `*/scale` or `*`, which includes every subresource.
    pub resources: Vec<String>,
    /// Verbs, `*` for all, the special ones (`escalate`, `bind`, `impersonate`) included.
    pub verbs: Vec<String>,
    /// Names the rule is limited to; empty for all.
    pub resource_names: Vec<String>,
    /// URL paths outside the resource API, a trailing `*` for a prefix.
    #[serde(rename = "nonResourceURLs")]
    pub non_resource_urls: Vec<String>,
}

/// The two kinds of role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RoleKind {
    /// A role of one namespace.
    Role,
    /// A role of the cluster; a `RoleBinding` may still limit it to one namespace.
    ClusterRole,
}

impl fmt::Display for RoleKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
        })
    }
}

/// The role a binding refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleRef {
    /// Role or `ClusterRole`.
    pub kind: RoleKind,
    /// Its name.
    pub name: String,
}

impl fmt::Display for RoleRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}

/// Who a binding grants to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A user, by the name the authenticator gives.
    User(String),
    /// A group, by the name the authenticator gives.
    Group(String),
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A kind the API server does not know; it grants to nobody.
    Other {
        /// The kind as written.
        kind: String,
        /// The name as written.
        name: String,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(formatter, "User {name}"),
            Self::Group(name) => write!(formatter, "Group {name}"),
            Self::ServiceAccount { namespace, name } => write!(formatter, "ServiceAccount {namespace}/{name}"),
            Self::Other { kind, name } => write!(formatter, "{kind} {name}"),
        }
    }
}

/// Where a right holds: everywhere (`ClusterRoleBinding`) or in one namespace (`RoleBinding`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole cluster, cluster-scoped resources and URLs included.
    Cluster,
    /// One namespace.
    Namespace(String),
}

impl Scope {
    /// Whether a right of this scope counts for `request`.
    ///
    /// A `RoleBinding` never counts for a URL or for a request outside its namespace, so cluster-scoped resources are
    /// out of its reach. The check of `bind` is made in the namespace of the new binding, whatever the kind of role.
    #[must_use]
    pub fn reaches(&self, request: &Request<'_>) -> bool {
        match (self, request) {
            (Self::Cluster, _) => true,
            (Self::Namespace(own), Request::Resource { namespace, .. }) => *namespace == Some(own.as_str()),
            (Self::Namespace(_), Request::Url { .. }) => false,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => formatter.write_str("in every namespace"),
            Self::Namespace(namespace) => write!(formatter, "in namespace {namespace}"),
        }
    }
}

/// The namespace whose accounts and `ConfigMaps` decide over the cluster, so that power there is power everywhere.
pub const KUBE_SYSTEM: &str = "kube-system";

#[cfg(test)]
mod tests;
