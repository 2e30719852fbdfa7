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
    if let Some(token) = name.strip_prefix("system:bootstrap:") {
        return is_bootstrap_token(principal, token).then_some(Identity::Other);
    }
    match name {
        // The loopback client of the API server itself; its token is made anew at each start and never leaves the process
        // (Kubernetes source, `pkg/server/config_selfclient.go`).
        "system:apiserver" => (principal.in_group("system:masters") && peer.is_some_and(|peer| peer.is_loopback()))
            .then_some(Identity::ControlPlane),
        _ if !shows_certificate(principal, peer) => None,
        _ if CERTIFICATE_NAMES.contains(&name) => Some(Identity::ControlPlane),
        _ if name.starts_with("eks:") => Some(Identity::Eks),
        _ => None,
    }
}

/// Who showed no credential gets this name and this group, and nothing else (Kubernetes source,
/// `pkg/authentication/request/anonymous`). A mapping may give the name to somebody, but not that group alone.
pub(super) fn is_anonymous(principal: &Principal<'_>) -> bool {
    principal.username == "system:anonymous"
        && principal.groups.iter().all(|group| group == "system:unauthenticated")
        && !principal.groups.is_empty()
        && !principal.is_iam()
}

/// A node has the group `system:nodes`. Through IAM there is more to see: EKS maps instances by
/// `system:node:{{EC2PrivateDNSName}}`, which the authenticator looks up by the session name, an instance id
/// (`aws-iam-authenticator`, `pkg/server`, `renderTemplates`); Fargate and hybrid nodes by
/// `system:node:{{SessionName}}`. So a person who was mapped to a node's name shows by the session.
pub(super) fn is_node(principal: &Principal<'_>) -> bool {
    let Some(node) = principal.username.strip_prefix("system:node:") else {
        return false;
    };
    if !principal.in_group("system:nodes") || is_token(principal) {
        return false;
    }
    let is_user = principal.extra("arn").is_some_and(|arn| arn.contains(":user/") || arn.ends_with(":root"));
    let named_by_ec2 = node.starts_with("ip-") || node.starts_with("i-");
    let of_session = match principal.extra("sessionName") {
        Some(session) if named_by_ec2 => is_instance_id(session) || session == node,
        // Other kinds of node (Fargate, hybrid, HyperPod) are named after their session, some with a prefix.
        Some(session) => node.ends_with(session),
        None => true,
    };
    !principal.is_iam() || (!is_user && of_session)
}

/// `i-` and 8 or 17 hex digits.
fn is_instance_id(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A bootstrap token: an id of six characters and the group that its authenticator adds (Kubernetes source,
/// `plugin/pkg/auth/authenticator/token/bootstrap`).
fn is_bootstrap_token(principal: &Principal<'_>, id: &str) -> bool {
    id.len() == 6
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && principal.in_group("system:bootstrappers")
}

/// The credential was a token, not a certificate: since Kubernetes 1.32 both leave their id (`JTI=`, `X509SHA256=`).
/// The control plane's own names come by certificate; by token they can only be an identity provider's.
fn is_token(principal: &Principal<'_>) -> bool {
    principal.credential_id().is_some_and(|id| id.starts_with("JTI="))
}

/// Since Kubernetes 1.32 a client certificate leaves its id. Where there is none, an older server may have left it out, or
/// an identity provider may have given the name: then only a caller from inside, in no group that a provider adds, passes.
fn shows_certificate(principal: &Principal<'_>, peer: Option<IpAddr>) -> bool {
    if let Some(id) = principal.credential_id() {
        return id.starts_with("X509SHA256=");
    }
    peer.is_some_and(|peer| !super::origin::is_public(peer))
        && principal.groups.iter().all(|group| ["system:authenticated", "system:masters"].contains(&group.as_ref()))
}

/// EKS's add-on and node managers come through IAM, from the role `AWSWesleyClusterManagerLambda...` of an account of
/// AWS (the authenticator's log shows them, with no groups). A role of that name in the customer's own account is a
/// forgery, and so is one that was given `system:masters`.
fn is_aws_helper(principal: &Principal<'_>, account: Option<&str>) -> bool {
    let of_aws = principal.iam_account().is_some_and(|owner| account.is_none_or(|account| account != owner));
    let role = principal.extra("arn").and_then(|arn| arn.split_once(":assumed-role/")).map(|(_, role)| role);
    AWS_HELPERS.contains(&principal.username.as_ref())
        && of_aws
        && !principal.in_group("system:masters")
        && role.is_some_and(|role| role.starts_with("AWSWesleyClusterManagerLambda"))
}

const AWS_HELPERS: &[&str] = &["eks:addon-manager", "eks:node-manager"];

/// Control-plane components that authenticate with client certificates (Kubernetes documentation, "PKI certificates
/// and requirements" and "Configure the aggregation layer"). EKS's own components beside them are named `eks:...`
/// (EKS user guide, "Default Amazon EKS created RBAC roles and users"); that list grows, so they are known by prefix.
const CERTIFICATE_NAMES: &[&str] = &[
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:cloud-controller-manager",
    "system:kube-proxy",
    "system:aggregator",
];

/// Service accounts that the controllers of EKS's cloud controller manager use, all in kube-system: it, too, requests unbound
/// tokens for them (cloud-provider-aws, `--use-service-account-credentials`).
pub const CLOUD_CONTROLLER_ACCOUNTS: &[&str] = &[
    "cloud-node-lifecycle-controller",
    "node-controller",
    "route-controller",
    "service-controller",
    "tagging-controller",
];

/// Service accounts that kube-controller-manager's own controllers use, all in kube-system. It requests unbound tokens
/// for them (Kubernetes source, `cmd/kube-controller-manager/names`, and the `system:controller:*` bindings). Those of the
/// cloud controller manager are among them.
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
    "tagging-controller",
    "token-cleaner",
    "tokens-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "vac-protection-controller",
    "volumeattributesclass-protection-controller",
];
