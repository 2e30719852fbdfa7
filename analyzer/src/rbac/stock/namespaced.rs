//! The built-in Roles.
//!
//! Data: recorded from a Kubernetes 1.36 API server as it creates them.

use super::{StockRule, rule_rows};

pub(super) static KUBE_SYSTEM: &[(&str, &[StockRule])] = rule_rows! {
    "extension-apiserver-authentication-reader" => {
        [""] / ["configmaps"] / ["get", "list", "watch"] named ["extension-apiserver-authentication"];
    }
    "system:controller:bootstrap-signer" => {
        [""] / ["secrets"] / ["get", "list", "watch"];
    }
    "system:controller:cloud-provider" => {
        [""] / ["configmaps"] / ["create", "get", "list", "watch"];
    }
    "system:controller:token-cleaner" => {
        [""] / ["secrets"] / ["delete", "get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system::leader-locking-kube-controller-manager" => {
        ["coordination.k8s.io"] / ["leases"] / ["create", "get", "list", "update", "watch"];
        ["coordination.k8s.io"] / ["leasecandidates"] / ["create", "get", "list", "update", "watch"];
    }
    "system::leader-locking-kube-scheduler" => {
        ["coordination.k8s.io"] / ["leases"] / ["create", "get", "list", "update", "watch"];
        ["coordination.k8s.io"] / ["leasecandidates"] / ["create", "get", "list", "update", "watch"];
    }
};

pub(super) static KUBE_PUBLIC: &[(&str, &[StockRule])] = rule_rows! {
    "system:controller:bootstrap-signer" => {
        [""] / ["configmaps"] / ["get", "list", "watch"];
        [""] / ["configmaps"] / ["update"] named ["cluster-info"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
};
