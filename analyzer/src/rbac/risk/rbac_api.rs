//! Roles and bindings.

use super::{Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Rbac:
    "rbac-escalate" ["rbac.authorization.k8s.io"] / ["clusterroles", "roles"] / ["escalate"] Critical / High Same
        "grant itself any right",
        ": write rules into a role that go beyond its own rights, once it may also write roles";
    "rbac-bind" ["rbac.authorization.k8s.io"] / ["clusterroles", "roles"] / ["bind"] Critical / High Role
        "bind any role to anyone", ", cluster-admin included, once it may also write bindings";
    "rbac-crb-write" ["rbac.authorization.k8s.io"] / ["clusterrolebindings"] /
        ["create", "update", "patch"] High / - Same
        "hand its own rights to others in the whole cluster", ", and with the verb bind any right";
    "rbac-rb-write" ["rbac.authorization.k8s.io"] / ["rolebindings"] /
        ["create", "update", "patch"] Medium / Medium Lower
        "hand its own rights to others", ", and with the verb bind any right";
    "rbac-role-write" ["rbac.authorization.k8s.io"] / ["clusterroles", "roles"] /
        ["create", "update", "patch"] Medium / Low Lower
        "rewrite roles up to its own rights", ", and label ClusterRoles so that they flow into admin, edit and view";
    "rbac-delete" ["rbac.authorization.k8s.io"] / ["clusterroles", "roles", "clusterrolebindings", "rolebindings"] /
        ["delete", "deletecollection"] Medium / Medium Lower
        "delete roles or bindings", ": lock people out, or make room to bind the same name to another role";
    "rbac-read" ["rbac.authorization.k8s.io"] / ["clusterroles", "roles", "clusterrolebindings", "rolebindings"] /
        ["get", "list", "watch"] Low / Low Lower
        "read who can do what", ": a map for finding the next account to take";
};
