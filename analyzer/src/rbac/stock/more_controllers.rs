//! The built-in `ClusterRole`s of controllers, `system:controller:*`, second half.
//!
//! Data: recorded from a Kubernetes 1.36 API server as it creates them.

use super::{StockRule, rule_rows};

pub(super) static RULES: &[(&str, &[StockRule])] = rule_rows! {
    "system:controller:pod-garbage-collector" => {
        [""] / ["pods"] / ["delete", "list", "watch"];
        [""] / ["nodes"] / ["get", "list", "watch"];
        [""] / ["pods/status"] / ["patch"];
    }
    "system:controller:replicaset-controller" => {
        ["apps", "extensions"] / ["replicasets"] / ["get", "list", "update", "watch"];
        ["apps", "extensions"] / ["replicasets/status"] / ["update"];
        ["apps", "extensions"] / ["replicasets/finalizers"] / ["update"];
        [""] / ["pods"] / ["create", "delete", "list", "patch", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:replication-controller" => {
        [""] / ["replicationcontrollers"] / ["get", "list", "update", "watch"];
        [""] / ["replicationcontrollers/status"] / ["update"];
        [""] / ["replicationcontrollers/finalizers"] / ["update"];
        [""] / ["pods"] / ["create", "delete", "list", "patch", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:resourcequota-controller" => {
        ["*"] / ["*"] / ["list", "watch"];
        [""] / ["resourcequotas/status"] / ["update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:route-controller" => {
        [""] / ["nodes"] / ["list", "watch"];
        [""] / ["nodes/status"] / ["patch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:service-account-controller" => {
        [""] / ["serviceaccounts"] / ["create"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:service-controller" => {
        [""] / ["services"] / ["get", "list", "watch"];
        [""] / ["services/status"] / ["patch", "update"];
        [""] / ["nodes"] / ["list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:service-cidrs-controller" => {
        ["networking.k8s.io"] / ["servicecidrs"] / ["get", "list", "patch", "update", "watch"];
        ["networking.k8s.io"] / ["servicecidrs/finalizers"] / ["patch", "update"];
        ["networking.k8s.io"] / ["servicecidrs/status"] / ["patch", "update"];
        ["networking.k8s.io"] / ["ipaddresses"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:statefulset-controller" => {
        [""] / ["pods"] / ["list", "watch"];
        ["apps"] / ["statefulsets"] / ["get", "list", "watch"];
        ["apps"] / ["statefulsets/status"] / ["update"];
        ["apps"] / ["statefulsets/finalizers"] / ["update"];
        [""] / ["pods"] / ["create", "delete", "get", "patch", "update"];
        ["apps"] / ["controllerrevisions"] / ["create", "delete", "get", "list", "patch", "update", "watch"];
        [""] / ["persistentvolumeclaims"] / ["create", "get", "list", "watch"];
        [""] / ["persistentvolumeclaims"] / ["delete", "update"];
        [""] / ["pods/finalizers"] / ["update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:ttl-controller" => {
        [""] / ["nodes"] / ["list", "patch", "update", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:certificate-controller" => {
        ["certificates.k8s.io"] / ["certificatesigningrequests"] / ["delete", "get", "list", "watch"];
        ["certificates.k8s.io"] / ["certificatesigningrequests/approval", "certificatesigningrequests/status"] /
            ["update"];
        ["certificates.k8s.io"] / ["signers"] / ["approve"] named
            ["kubernetes.io/kube-apiserver-client-kubelet"];
        ["certificates.k8s.io"] / ["signers"] / ["sign"] named ["kubernetes.io/kube-apiserver-client",
            "kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving",
            "kubernetes.io/legacy-unknown"];
        ["authorization.k8s.io"] / ["subjectaccessreviews"] / ["create"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:pvc-protection-controller" => {
        [""] / ["persistentvolumeclaims"] / ["get", "list", "update", "watch"];
        [""] / ["persistentvolumeclaims/status"] / ["update"];
        [""] / ["pods"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:pv-protection-controller" => {
        [""] / ["persistentvolumes"] / ["get", "list", "update", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:volumeattributesclass-protection-controller" => {
        [""] / ["persistentvolumeclaims"] / ["get", "list", "watch"];
        [""] / ["persistentvolumes"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["volumeattributesclasses"] / ["get", "list", "update", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:ttl-after-finished-controller" => {
        ["batch"] / ["jobs"] / ["delete", "get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:root-ca-cert-publisher" => {
        [""] / ["configmaps"] / ["create", "update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:service-ca-cert-publisher" => {
        [""] / ["configmaps"] / ["create", "update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:validatingadmissionpolicy-status-controller" => {
        ["admissionregistration.k8s.io"] / ["validatingadmissionpolicies"] / ["get", "list", "watch"];
        ["admissionregistration.k8s.io"] / ["validatingadmissionpolicies/status"] / ["get", "patch", "update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:legacy-service-account-token-cleaner" => {
        [""] / ["configmaps"] / ["get"] named ["kube-apiserver-legacy-service-account-token-tracking"];
        [""] / ["secrets"] / ["delete", "patch"];
    }
    "system:controller:selinux-warning-controller" => {
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        [""] / ["persistentvolumes"] / ["get", "list", "watch"];
        [""] / ["persistentvolumeclaims"] / ["get", "list", "watch"];
        [""] / ["pods"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["csidrivers"] / ["get", "list", "watch"];
    }
};
