//! Why a request was allowed: `authorization.k8s.io/reason`, taken apart.

use crate::klog::unquote;

/// The binding that allowed a request, as RBAC and EKS's access policies write it:
/// `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "u"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Who decided.
    pub authorizer: Authorizer,
    /// `ClusterRoleBinding` or `RoleBinding`.
    pub binding_kind: String,
    /// Name of the binding; of a RoleBinding with `/<namespace>` behind it.
    pub binding: String,
    /// Name of the role.
    pub role: String,
}

/// The two authorizers that give a binding as their reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorizer {
    /// Kubernetes RBAC.
    Rbac,
    /// EKS access policies.
    AccessPolicy,
}

impl Reason {
    /// Reads a reason; `None` when it names no binding.
    #[must_use]
    pub fn read(reason: &str) -> Option<Self> {
        let (authorizer, rest) = if let Some(rest) = reason.strip_prefix("RBAC: allowed by ") {
            (Authorizer::Rbac, rest)
        } else {
            (Authorizer::AccessPolicy, reason.strip_prefix(ACCESS_POLICY)?.trim_start().strip_prefix("allowed by ")?)
        };
        let (binding_kind, rest) = rest.split_once(" \"")?;
        let (binding, rest) = unquote(rest)?;
        let (_, rest) = rest.strip_prefix(" of ")?.split_once(" \"")?;
        let (role, _) = unquote(rest)?;
        Some(Self { authorizer, binding_kind: binding_kind.to_owned(), binding, role })
    }
}

/// How the reason of an access policy begins.
pub const ACCESS_POLICY: &str = "EKS Access Policy:";

#[cfg(test)]
mod tests {
    use super::{Authorizer, Reason};

    #[test]
    fn a_reason_names_binding_and_role() {
        for (text, expected) in [
            (
                r#"RBAC: allowed by ClusterRoleBinding "open" of ClusterRole "view" to User "system:anonymous""#,
                Some((Authorizer::Rbac, "ClusterRoleBinding", "open", "view")),
            ),
            (
                r#"RBAC: allowed by RoleBinding "a\"b/ns" of Role "r" to ServiceAccount "x/ns""#,
                Some((Authorizer::Rbac, "RoleBinding", "a\"b/ns", "r")),
            ),
            (
                r#"EKS Access Policy: allowed by ClusterRoleBinding "p+a" of ClusterRole "a" to User "AROA""#,
                Some((Authorizer::AccessPolicy, "ClusterRoleBinding", "p+a", "a")),
            ),
            ("EKS Access Policy: something new", None),
            (r#"RBAC: allowed by ClusterRoleBinding "open"#, None),
            ("RBAC: clusterrole.rbac.authorization.k8s.io \"x\" not found", None),
            ("", None),
        ] {
            let reason = Reason::read(text);
            let read = reason.as_ref().map(|reason| {
                (reason.authorizer, reason.binding_kind.as_str(), reason.binding.as_str(), reason.role.as_str())
            });
            assert_eq!(read, expected, "{text}");
        }
    }
}
