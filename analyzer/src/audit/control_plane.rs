//! The genuine identities of the control plane, each with its proof.
//!
//! Kubernetes' and EKS's own components show client certificates (no IAM uid, no IAM extra) or, for two of EKS's
//! helpers, IAM roles of an AWS-owned account. EKS signs no client certificates for customers (it does not serve the
//! signer `kubernetes.io/kube-apiserver-client`), so a certificate under such a name cannot be had by asking.

use std::net::IpAddr;

use super::principal::{Identity, Principal};

/// The proof of a name that begins with `system:` or `eks:`, or `None` when it does not hold.
///
/// `account` is the AWS account of the cluster: an AWS helper never belongs to it.
pub(super) fn prove<'p>(
    principal: &'p Principal<'_>,
    peer: Option<IpAddr>,
    account: Option<&str>,
) -> Option<Identity<'p>> {
    let name = principal.username.as_ref();
    if principal.is_iam() {
        return is_aws_helper(principal, account).then_some(Identity::Eks);
    }
    match name {
        // The loopback client of the API server itself.
        "system:apiserver" => (principal.in_group("system:masters") && peer.is_some_and(|peer| peer.is_loopback()))
            .then_some(Identity::ControlPlane),
        _ if CERTIFICATE_NAMES.contains(&name) => Some(Identity::ControlPlane),
        _ if name.starts_with("eks:") => Some(Identity::Eks),
        _ => None,
    }
}

/// EKS's add-on and node managers come through IAM, from the role `AWSWesleyClusterManagerLambda...` of an account of
/// AWS. A role of that name in the customer's own account is a forgery.
fn is_aws_helper(principal: &Principal<'_>, account: Option<&str>) -> bool {
    let of_aws = principal.iam_account().is_some_and(|owner| account.is_none_or(|account| account != owner));
    let role = principal.extra("arn").and_then(|arn| arn.split_once(":assumed-role/")).map(|(_, role)| role);
    AWS_HELPERS.contains(&principal.username.as_ref())
        && of_aws
        && role.is_some_and(|role| role.starts_with("AWSWesleyClusterManagerLambda"))
}

const AWS_HELPERS: &[&str] = &["eks:addon-manager", "eks:node-manager"];

/// Control-plane components that authenticate with client certificates (Kubernetes documentation, "PKI certificates
/// and requirements").
const CERTIFICATE_NAMES: &[&str] = &[
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:cloud-controller-manager",
    "system:kube-proxy",
    "system:aggregator",
    "system:volume-scheduler",
];

/// Service accounts that kube-controller-manager's own controllers use, all in kube-system. It requests unbound tokens
/// for them (Kubernetes source, `cmd/kube-controller-manager/names`, and the `system:controller:*` bindings).
pub const CONTROLLER_ACCOUNTS: &[&str] = &[
    "attachdetach-controller",
    "bootstrap-signer",
    "certificate-controller",
    "cloud-node-lifecycle-controller",
    "cloud-provider",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "node-ipam-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "podcertificaterequestcleaner",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-ca-cert-publisher",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-garbage-collector",
    "storage-version-migrator-controller",
    "storageversionmigrator-controller",
    "token-cleaner",
    "tokens-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "vac-protection-controller",
    "volumeattributesclass-protection-controller",
];
