use super::masters_used::foreign_account;
use crate::audit::annotation::Decision;
use crate::audit::principal::Identity;
use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::reason::{ACCESS_POLICY, Authorizer, Reason};
use crate::severity::Severity;
use crate::text;

detection! {
    /// Somebody used an EKS access policy
    ///
    /// ## Why it matters
    ///
    /// Access policies are granted by an AWS API and leave no object in the cluster, so no list of bindings shows who
    /// holds them. The reason of an allowed request does: it names the policy and the principal it is associated with.
    ///
    /// ## What it misses
    ///
    /// A principal whose request RBAC allows first: the policy behind it is not asked. Policies that are never used.
    ///
    /// ## Known benign causes
    ///
    /// People and pipelines at work. Told once per session and hour, at a severity below the usual threshold, unless the
    /// principal is of another AWS account. Nodes that use the policy made for nodes are left out.
    ///
    /// ## What to do
    ///
    /// Nothing, if this principal is meant to hold the policy. Else take it away with `aws eks
    /// disassociate-access-policy`, and look in CloudTrail for who associated it.
    "access-policy-used", [CLOUD_ACCOUNTS], since "0.1.0", Session check where &[Facts::ACCESS_POLICY]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let annotations = &case.event.annotations;
    // The reason is about whoever is acted as; what that lends is told by `identity-impersonated`.
    if annotations.decision() != Some(Decision::Allow) || case.event.caller.acting_as.is_some() {
        return None;
    }
    let reason = annotations.reason().filter(|reason| reason.starts_with(ACCESS_POLICY))?;
    let policy = Policy::of(reason);
    let of_node = policy.as_ref().is_some_and(|policy| OF_NODES.contains(&policy.name.as_str()));
    if of_node && case.identity() == Identity::Node {
        return None;
    }
    let name = policy.as_ref().map_or("of an unknown name", |policy| policy.name.as_str());
    let place = match policy.as_ref().and_then(|policy| policy.namespace.as_deref()) {
        Some(namespace) => format!(" in namespace {}", text::name(namespace)),
        None => String::new(),
    };
    let (severity, why) = match foreign_account(case) {
        Some(account) => (
            if is_admin(name) { Severity::Medium } else { Severity::Low },
            format!(
                "The policy is associated with a principal of another AWS account, {}; no object in the cluster says so.",
                text::name(account)
            ),
        ),
        None => (
            Severity::Informational,
            "The right comes from an EKS access policy, which leaves no object in the cluster.".to_owned(),
        ),
    };
    let mut hit = Hit::new(severity, format!("used access policy {}{place}", text::name(name)), why);
    if let Some(principal) = policy.and_then(|policy| policy.principal) {
        hit.changes.push(Delta::Note(format!("associated with {}", text::name(&principal))));
        hit.subjects.push(text::name(&principal));
    }
    Some(hit)
}

/// The access policy that a reason names.
pub(super) struct Policy {
    /// `AmazonEKSClusterAdminPolicy`
    pub(super) name: String,
    /// ARN of the IAM principal it is associated with.
    principal: Option<String>,
    /// The namespace it is limited to.
    namespace: Option<String>,
}

impl Policy {
    /// Reads the reason `EKS Access Policy: allowed by ClusterRoleBinding "<principal>+<policy>" of ...`.
    pub(super) fn of(reason: &str) -> Option<Self> {
        let reason = Reason::read(reason).filter(|reason| reason.authorizer == Authorizer::AccessPolicy)?;
        let (_, name) = reason.role.rsplit_once('/')?;
        let principal = reason.binding.split_once('+').map(|(principal, _)| principal.to_owned());
        // How EKS writes a namespace is not documented; RBAC puts it behind the binding's name.
        let namespace = match reason.binding_kind.as_str() {
            "RoleBinding" => reason.binding.rsplit_once('/').map(|(_, last)| last.to_owned()).filter(|last| last != name),
            _ => None,
        };
        Some(Self { name: name.to_owned(), principal, namespace })
    }
}

/// The policies that EKS associates with nodes, of Auto Mode and hybrid (EKS user guide, "Review access policy
/// permissions").
const OF_NODES: &[&str] = &["AmazonEKSAutoNodePolicy", "AmazonEKSHybridPolicy"];

/// The policies that give what cluster-admin or admin give (EKS user guide, "Review access policy permissions").
pub(super) fn is_admin(policy: &str) -> bool {
    matches!(policy, "AmazonEKSClusterAdminPolicy" | "AmazonEKSAdminPolicy")
}
