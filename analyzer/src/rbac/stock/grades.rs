//! How grave it is to bind a built-in role.

use super::{Grade, grade_rows};

/// Grades by name; a role that is not here is graded by its rules.
pub(super) static GRADES: &[Grade] = grade_rows! {
    ClusterRole "cluster-admin" Critical / Critical "every verb on every resource";
    ClusterRole "admin" Critical / High "all of edit, and roles and bindings up to its own rights";
    ClusterRole "edit" Critical / High "reads Secrets, runs pods and commands in them, mints tokens, impersonates service accounts";
    ClusterRole "view" Medium / Low "reads configuration, pods and logs, no Secrets";
    ClusterRole "system:aggregate-to-admin" Critical / High "the part of admin beyond edit";
    ClusterRole "system:aggregate-to-edit" Critical / High "the part of edit beyond view";
    ClusterRole "system:aggregate-to-view" Medium / Low "what view is made of";
    ClusterRole "system:kube-controller-manager" Critical / High "reads everything, writes Secrets, mints tokens";
    ClusterRole "system:controller:clusterrole-aggregation-controller" Critical / - "rewrites ClusterRoles beyond its own rights";
    ClusterRole "system:controller:generic-garbage-collector" Critical / Critical "reads, patches and deletes everything";
    ClusterRole "system:controller:namespace-controller" Critical / High "reads and deletes everything";
    ClusterRole "system:controller:resourcequota-controller" Critical / High "lists everything, every Secret included";
    ClusterRole "system:controller:storage-version-migrator-controller" Critical / Critical "lists, creates and patches everything";
    ClusterRole "system:controller:cronjob-controller" Critical / High "creates jobs under any service account";
    ClusterRole "system:controller:daemon-set-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:deployment-controller" Critical / High "creates workloads under any service account";
    ClusterRole "system:controller:job-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:replicaset-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:replication-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:statefulset-controller" Critical / High "creates pods under any service account";
    ClusterRole "system:controller:root-ca-cert-publisher" Critical / Medium "writes ConfigMaps, on EKS aws-auth among them";
    ClusterRole "system:controller:service-ca-cert-publisher" Critical / Medium "writes ConfigMaps, on EKS aws-auth among them";
    ClusterRole "system:controller:persistent-volume-binder" Critical / - "creates volumes, by which node files can be mounted";
    ClusterRole "system:persistent-volume-provisioner" Critical / - "creates volumes, by which node files can be mounted";
    ClusterRole "system:volume-scheduler" Critical / - "changes volumes and whose claim they belong to";
    ClusterRole "system:controller:certificate-controller" High / - "approves and signs certificates";
    ClusterRole "system:certificates.k8s.io:kube-apiserver-client-approver" High / - "approves client certificates of any name";
    ClusterRole "system:certificates.k8s.io:legacy-unknown-approver" High / - "approves certificates of any use";
    ClusterRole "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver" High / - "approves client certificates of nodes";
    ClusterRole "system:certificates.k8s.io:kubelet-serving-approver" High / - "approves serving certificates of nodes";
    ClusterRole "system:certificates.k8s.io:certificatesigningrequests:nodeclient" High / - "obtains client certificates of nodes";
    ClusterRole "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient" High / - "renews the client certificate of a node";
    ClusterRole "system:controller:legacy-service-account-token-cleaner" Critical / High "patches and deletes Secrets, and a patch returns the content";
    ClusterRole "system:controller:node-controller" High / Medium "writes nodes, deletes pods";
    ClusterRole "system:controller:ttl-controller" High / Medium "writes nodes";
    ClusterRole "system:controller:horizontal-pod-autoscaler" Medium / Low "scales everything that scales";
    ClusterRole "system:kubelet-api-admin" Critical / - "the whole kubelet API: commands in every pod of every node";
    ClusterRole "system:node" Critical / High "reads Secrets, mints tokens, creates pods, without the limits that hold for real nodes";
    ClusterRole "system:kube-scheduler" High / Medium "places and deletes pods";
    ClusterRole "system:auth-delegator" Low / - "tests tokens and asks what others may do";
    ClusterRole "system:node-bootstrapper" Low / - "asks for certificates";
    ClusterRole "system:node-proxier" Informational / Informational "reads services, endpoints and nodes";
    ClusterRole "system:kube-dns" Informational / Informational "reads services and endpoints";
    ClusterRole "system:heapster" Informational / Informational "reads pods, nodes, events, namespaces";
    ClusterRole "system:discovery" Informational / Informational "reads which APIs there are";
    ClusterRole "system:basic-user" Informational / Informational "asks what it may do itself";
    ClusterRole "system:public-info-viewer" Informational / Informational "reads health and version";
    ClusterRole "system:service-account-issuer-discovery" Informational / Informational "reads the keys tokens are checked with";
    Role "system:controller:bootstrap-signer" Critical / - "reads the Secrets of kube-system";
    Role "system:controller:token-cleaner" Critical / - "reads and deletes the Secrets of kube-system";
    Role "extension-apiserver-authentication-reader" Low / - "reads public certificates";
};
