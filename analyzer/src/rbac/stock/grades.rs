//! How grave it is to bind a built-in role.

use super::{Grade, grade_rows};
use crate::rbac::RoleKind;
use crate::severity::Severity;

/// Grades by name, those of Roles for `kube-system`.
pub(super) static GRADES: &[Grade] = grade_rows! {
    ClusterRole "cluster-admin" Critical / Critical "every verb on every resource";
    ClusterRole "admin" Critical / High "all of edit, and roles and bindings up to its own rights";
    ClusterRole "edit" Critical / High
        "reads Secrets, runs pods and commands in them, mints tokens, impersonates service accounts";
    ClusterRole "view" Medium / Low "reads configuration, pods and logs, no Secrets";
    ClusterRole "system:aggregate-to-admin" Critical / High "the part of admin beyond edit";
    ClusterRole "system:aggregate-to-edit" Critical / High "the part of edit beyond view";
    ClusterRole "system:aggregate-to-view" Medium / Low "what view is made of";
    ClusterRole "system:kube-controller-manager" Critical / High "reads everything, writes Secrets, mints tokens";
    ClusterRole "system:controller:clusterrole-aggregation-controller" Critical / -
        "rewrites ClusterRoles beyond its own rights";
    ClusterRole "system:controller:generic-garbage-collector" Critical / Critical
        "reads, patches and deletes everything";
    ClusterRole "system:controller:namespace-controller" Critical / High "reads and deletes everything";
    ClusterRole "system:controller:resourcequota-controller" Critical / High "lists everything, every Secret included";
    ClusterRole "system:controller:storage-version-migrator-controller" Critical / Critical
        "lists, creates and patches everything";
    ClusterRole "system:controller:cronjob-controller" Critical / High "creates jobs under any service account";
    ClusterRole "system:controller:daemon-set-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:deployment-controller" Critical / High "creates workloads under any service account";
    ClusterRole "system:controller:job-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:replicaset-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:replication-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:statefulset-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:root-ca-cert-publisher" Critical / Medium
        "writes ConfigMaps, on EKS aws-auth among them";
    ClusterRole "system:controller:service-ca-cert-publisher" Critical / Medium
        "writes ConfigMaps, on EKS aws-auth among them";
    ClusterRole "system:controller:persistent-volume-binder" Critical / High
        "creates pods, and volumes by which node files can be mounted";
    ClusterRole "system:persistent-volume-provisioner" Critical / -
        "creates volumes, by which node files can be mounted";
    ClusterRole "system:volume-scheduler" Critical / - "changes volumes and whose claim they belong to";
    ClusterRole "system:controller:certificate-controller" High / - "approves and signs certificates";
    ClusterRole "system:certificates.k8s.io:kube-apiserver-client-approver" High / -
        "approves client certificates of any name";
    ClusterRole "system:certificates.k8s.io:legacy-unknown-approver" High / - "approves certificates of any use";
    ClusterRole "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver" High / -
        "approves client certificates of nodes";
    ClusterRole "system:certificates.k8s.io:kubelet-serving-approver" High / - "approves serving certificates of nodes";
    ClusterRole "system:certificates.k8s.io:certificatesigningrequests:nodeclient" High / -
        "obtains client certificates of nodes";
    ClusterRole "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient" High / -
        "renews the client certificate of a node";
    ClusterRole "system:controller:legacy-service-account-token-cleaner" Critical / High
        "patches and deletes Secrets, and a patch returns the content";
    ClusterRole "system:controller:node-controller" High / Medium "writes nodes, deletes pods";
    ClusterRole "system:controller:ttl-controller" High / Medium "writes nodes";
    ClusterRole "system:controller:horizontal-pod-autoscaler" Medium / Low "scales everything that scales";
    ClusterRole "system:kubelet-api-admin" Critical / - "the whole kubelet API: commands in every pod of every node";
    ClusterRole "system:node" Critical / High
        "reads Secrets, mints tokens, creates pods, without the limits that hold for real nodes";
    ClusterRole "system:kube-scheduler" High / Medium "places and deletes pods";
    ClusterRole "system:auth-delegator" Low / - "tests tokens and asks what others may do";
    ClusterRole "system:node-bootstrapper" Low / - "asks for certificates";
    ClusterRole "system:node-proxier" Informational / Informational "reads services, endpoints and nodes";
    ClusterRole "system:kube-dns" Informational / Informational "reads services and endpoints";
    ClusterRole "system:heapster" Informational / Informational "reads pods, nodes, events, namespaces";
    ClusterRole "system:discovery" Informational / Informational "reads which APIs there are";
    ClusterRole "system:basic-user" Informational / Informational "asks what it may do itself";
    ClusterRole "system:public-info-viewer" Informational / Informational "reads health and version";
    ClusterRole "system:service-account-issuer-discovery" Informational / Informational
        "reads the keys tokens are checked with";
    ClusterRole "system:monitoring" Low / - "reads metrics and health";
    ClusterRole "system:node-problem-detector" Medium / Low "changes the state of nodes";
    ClusterRole "system:kube-aggregator" Informational / Informational "reads services and endpoints";
    ClusterRole "system:controller:attachdetach-controller" Medium / Low "attaches volumes, changes the state of nodes";
    ClusterRole "system:controller:disruption-controller" Low / Low "changes the state of pods and disruption budgets";
    ClusterRole "system:controller:endpoint-controller" Medium / Medium "redirects the traffic of services";
    ClusterRole "system:controller:endpointslice-controller" Medium / Medium "redirects the traffic of services";
    ClusterRole "system:controller:endpointslicemirroring-controller" Medium / Medium
        "redirects the traffic of services";
    ClusterRole "system:controller:expand-controller" Medium / Low "changes volumes";
    ClusterRole "system:controller:ephemeral-volume-controller" Low / Low "claims volumes";
    ClusterRole "system:controller:resource-claim-controller" Medium / Medium "claims devices";
    ClusterRole "system:controller:device-taint-eviction-controller" Medium / Medium "deletes pods";
    ClusterRole "system:controller:pod-garbage-collector" Medium / Medium "deletes pods";
    ClusterRole "system:controller:route-controller" Medium / Low "changes the state of nodes";
    ClusterRole "system:controller:service-account-controller" High / Medium "creates and changes service accounts";
    ClusterRole "system:controller:service-controller" Medium / Medium
        "changes the load balancer addresses of services";
    ClusterRole "system:controller:service-cidrs-controller" Low / Low "changes the addressing of services";
    ClusterRole "system:controller:pvc-protection-controller" Low / Low "changes claims on volumes";
    ClusterRole "system:controller:pv-protection-controller" Medium / Low "changes volumes";
    ClusterRole "system:controller:volumeattributesclass-protection-controller" Low / Low "changes classes of volumes";
    ClusterRole "system:controller:ttl-after-finished-controller" Low / Low "deletes finished jobs";
    ClusterRole "system:controller:validatingadmissionpolicy-status-controller" Low / Low
        "changes the state of admission policies";
    ClusterRole "system:controller:selinux-warning-controller" Low / Low "reads pods and volumes";
    Role "system:controller:cloud-provider" Critical / -
        "creates ConfigMaps in kube-system, aws-auth where it is missing";
    Role "system::leader-locking-kube-controller-manager" Medium / - "takes over leader election in kube-system";
    Role "system::leader-locking-kube-scheduler" Medium / - "takes over leader election in kube-system";
    Role "system:controller:bootstrap-signer" Critical / - "reads the Secrets of kube-system";
    Role "system:controller:token-cleaner" Critical / - "reads and deletes the Secrets of kube-system";
    Role "extension-apiserver-authentication-reader" Low / - "reads public certificates";
};

/// The one Role outside `kube-system`, in `kube-public`; it has a namesake there.
pub(super) static PUBLIC: Grade = Grade {
    kind: RoleKind::Role,
    name: "system:controller:bootstrap-signer",
    cluster: None,
    namespace: Some(Severity::Low),
    why: "changes cluster-info, which tells new nodes where the cluster is",
};
