//! The built-in `ClusterRoleBinding`s and `RoleBinding`s.
//!
//! Data: recorded from a Kubernetes 1.36 API server as it creates them.

use super::{StockBinding, binding_rows};

pub(super) static BINDINGS: &[StockBinding] = binding_rows! {
    "cluster-admin" => ClusterRole "cluster-admin": group "system:masters";
    "system:monitoring" => ClusterRole "system:monitoring": group "system:monitoring";
    "system:discovery" => ClusterRole "system:discovery": group "system:authenticated";
    "system:basic-user" => ClusterRole "system:basic-user": group "system:authenticated";
    "system:public-info-viewer" => ClusterRole "system:public-info-viewer": group "system:authenticated", group
        "system:unauthenticated";
    "system:node-proxier" => ClusterRole "system:node-proxier": user "system:kube-proxy";
    "system:kube-controller-manager" => ClusterRole "system:kube-controller-manager": user
        "system:kube-controller-manager";
    "system:kube-dns" => ClusterRole "system:kube-dns": account "kube-dns";
    "system:kube-scheduler" => ClusterRole "system:kube-scheduler": user "system:kube-scheduler";
    "system:volume-scheduler" => ClusterRole "system:volume-scheduler": user "system:kube-scheduler";
    "system:node" => ClusterRole "system:node":;
    "system:service-account-issuer-discovery" => ClusterRole "system:service-account-issuer-discovery": group
        "system:serviceaccounts";
    "system:controller:attachdetach-controller" => ClusterRole "system:controller:attachdetach-controller":
        account "attachdetach-controller";
    "system:controller:clusterrole-aggregation-controller" => ClusterRole
        "system:controller:clusterrole-aggregation-controller": account "clusterrole-aggregation-controller";
    "system:controller:cronjob-controller" => ClusterRole "system:controller:cronjob-controller": account
        "cronjob-controller";
    "system:controller:daemon-set-controller" => ClusterRole "system:controller:daemon-set-controller": account
        "daemon-set-controller";
    "system:controller:deployment-controller" => ClusterRole "system:controller:deployment-controller": account
        "deployment-controller";
    "system:controller:disruption-controller" => ClusterRole "system:controller:disruption-controller": account
        "disruption-controller";
    "system:controller:endpoint-controller" => ClusterRole "system:controller:endpoint-controller": account
        "endpoint-controller";
    "system:controller:endpointslice-controller" => ClusterRole "system:controller:endpointslice-controller":
        account "endpointslice-controller";
    "system:controller:endpointslicemirroring-controller" => ClusterRole
        "system:controller:endpointslicemirroring-controller": account "endpointslicemirroring-controller";
    "system:controller:expand-controller" => ClusterRole "system:controller:expand-controller": account
        "expand-controller";
    "system:controller:ephemeral-volume-controller" => ClusterRole
        "system:controller:ephemeral-volume-controller": account "ephemeral-volume-controller";
    "system:controller:resource-claim-controller" => ClusterRole "system:controller:resource-claim-controller":
        account "resource-claim-controller";
    "system:controller:device-taint-eviction-controller" => ClusterRole
        "system:controller:device-taint-eviction-controller": account "device-taint-eviction-controller";
    "system:controller:generic-garbage-collector" => ClusterRole "system:controller:generic-garbage-collector":
        account "generic-garbage-collector";
    "system:controller:horizontal-pod-autoscaler" => ClusterRole "system:controller:horizontal-pod-autoscaler":
        account "horizontal-pod-autoscaler";
    "system:controller:job-controller" => ClusterRole "system:controller:job-controller": account
        "job-controller";
    "system:controller:namespace-controller" => ClusterRole "system:controller:namespace-controller": account
        "namespace-controller";
    "system:controller:node-controller" => ClusterRole "system:controller:node-controller": account
        "node-controller";
    "system:controller:persistent-volume-binder" => ClusterRole "system:controller:persistent-volume-binder":
        account "persistent-volume-binder";
    "system:controller:pod-garbage-collector" => ClusterRole "system:controller:pod-garbage-collector": account
        "pod-garbage-collector";
    "system:controller:replicaset-controller" => ClusterRole "system:controller:replicaset-controller": account
        "replicaset-controller";
    "system:controller:replication-controller" => ClusterRole "system:controller:replication-controller":
        account "replication-controller";
    "system:controller:resourcequota-controller" => ClusterRole "system:controller:resourcequota-controller":
        account "resourcequota-controller";
    "system:controller:route-controller" => ClusterRole "system:controller:route-controller": account
        "route-controller";
    "system:controller:service-account-controller" => ClusterRole
        "system:controller:service-account-controller": account "service-account-controller";
    "system:controller:service-controller" => ClusterRole "system:controller:service-controller": account
        "service-controller";
    "system:controller:service-cidrs-controller" => ClusterRole "system:controller:service-cidrs-controller":
        account "service-cidrs-controller";
    "system:controller:statefulset-controller" => ClusterRole "system:controller:statefulset-controller":
        account "statefulset-controller";
    "system:controller:ttl-controller" => ClusterRole "system:controller:ttl-controller": account
        "ttl-controller";
    "system:controller:certificate-controller" => ClusterRole "system:controller:certificate-controller":
        account "certificate-controller";
    "system:controller:pvc-protection-controller" => ClusterRole "system:controller:pvc-protection-controller":
        account "pvc-protection-controller";
    "system:controller:pv-protection-controller" => ClusterRole "system:controller:pv-protection-controller":
        account "pv-protection-controller";
    "system:controller:volumeattributesclass-protection-controller" => ClusterRole
        "system:controller:volumeattributesclass-protection-controller": account
        "volumeattributesclass-protection-controller";
    "system:controller:ttl-after-finished-controller" => ClusterRole
        "system:controller:ttl-after-finished-controller": account "ttl-after-finished-controller";
    "system:controller:root-ca-cert-publisher" => ClusterRole "system:controller:root-ca-cert-publisher":
        account "root-ca-cert-publisher";
    "system:controller:service-ca-cert-publisher" => ClusterRole "system:controller:service-ca-cert-publisher":
        account "service-ca-cert-publisher";
    "system:controller:validatingadmissionpolicy-status-controller" => ClusterRole
        "system:controller:validatingadmissionpolicy-status-controller": account
        "validatingadmissionpolicy-status-controller";
    "system:controller:legacy-service-account-token-cleaner" => ClusterRole
        "system:controller:legacy-service-account-token-cleaner": account
        "legacy-service-account-token-cleaner";
    "system:controller:selinux-warning-controller" => ClusterRole
        "system:controller:selinux-warning-controller": account "selinux-warning-controller";
    in "kube-system" "system::extension-apiserver-authentication-reader" => Role
        "extension-apiserver-authentication-reader": user "system:kube-controller-manager", user
        "system:kube-scheduler";
    in "kube-system" "system::leader-locking-kube-controller-manager" => Role
        "system::leader-locking-kube-controller-manager": user "system:kube-controller-manager", account
        "kube-controller-manager", account "leader-election-controller";
    in "kube-system" "system::leader-locking-kube-scheduler" => Role "system::leader-locking-kube-scheduler":
        user "system:kube-scheduler", account "kube-scheduler";
    in "kube-system" "system:controller:bootstrap-signer" => Role "system:controller:bootstrap-signer": account
        "bootstrap-signer";
    in "kube-system" "system:controller:cloud-provider" => Role "system:controller:cloud-provider": account
        "cloud-provider";
    in "kube-system" "system:controller:token-cleaner" => Role "system:controller:token-cleaner": account
        "token-cleaner";
    in "kube-public" "system:controller:bootstrap-signer" => Role "system:controller:bootstrap-signer": account
        "bootstrap-signer";
};
