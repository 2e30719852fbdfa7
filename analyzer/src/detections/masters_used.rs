use crate::audit::principal::Identity;
use crate::aws_auth::Mapping;
use crate::case::Case;
use crate::detection::{Hit, detection};
use crate::interest::Facts;
use crate::kube::ObjectKind;
use crate::memory::{ObjectKey, State};
use crate::severity::Severity;
use crate::text;

detection! {
    /// Somebody used system:masters
    ///
    /// ## Why it matters
    ///
    /// The API server lets members of `system:masters` do everything before RBAC or any access policy is asked (the
    /// reason in the log is empty), escalation prevention included. No binding can take that away, and an access review
    /// does not list it.
    ///
    /// ## What it misses
    ///
    /// Members who act as somebody else: `identity-impersonated` tells of them. The control plane's own members, proven,
    /// are left out.
    ///
    /// ## Known benign causes
    ///
    /// The cluster's creator (`kubernetes-admin`) at work, break-glass roles. Told once per session and hour, at a
    /// severity below the usual threshold, unless the principal is of another AWS account, did not come through IAM, or was not
    /// mapped to the group before `aws-auth` was changed in a way that the log does not show.
    ///
    /// ## What to do
    ///
    /// Nothing, if this person is meant to have everything. Else map the principal to a group of its own with a role that
    /// fits, or to an access policy.
    "masters-used", [CLOUD_ACCOUNTS], since "0.1.0", Session check where &[Facts::MASTERS.and(Facts::SOMEBODY).and(Facts::OBJECT)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let event = case.event;
    event.object.as_ref().filter(|_| event.caller.acting_as.is_none())?;
    let principal = &event.caller.authenticated;
    if !principal.in_group("system:masters") {
        return None;
    }
    let everything = "The caller is a member of system:masters, whom neither RBAC nor access policies limit";
    let (severity, why) = match case.identity() {
        // Told by their own detections, or the control plane at work.
        Identity::Forged | Identity::ControlPlane | Identity::Eks | Identity::Nobody | Identity::Anonymous => {
            return None;
        }
        Identity::Iam => match foreign_account(case) {
            Some(account) => (
                Severity::Medium,
                format!("{everything}, and belongs to another AWS account, {}.", text::name(account)),
            ),
            None => match since_unseen(case) {
                Some((severity, why)) => (severity, format!("{everything}. {why}")),
                None => (Severity::Informational, format!("{everything}.")),
            },
        },
        // The API server's own host, where only AWS can log in.
        Identity::Other if event.origin.is_loopback() => (Severity::Informational, format!("{everything}.")),
        Identity::Node => (Severity::High, format!("{everything}, and whoever takes this node is a member too.")),
        Identity::Other | Identity::ServiceAccount(_) => (
            Severity::High,
            format!(
                "{everything}, and did not come through IAM: EKS signs no certificates for customers, and \
                 no token carries this group."
            ),
        ),
    };
    Some(Hit::new(severity, "used system:masters", why))
}

/// Access entries cannot give this group, so an IAM principal has it by `aws-auth`, or made the cluster (EKS user guide, "Grant IAM
/// users access to Kubernetes with EKS access entries"). While nobody has seen what `aws-auth` says since it was changed, whoever was
/// not mapped to the group before is news.
fn since_unseen(case: &Case<'_>) -> Option<(Severity, String)> {
    let key = ObjectKey {
        cluster: case.cluster().to_owned(),
        kind: ObjectKind::AwsAuth,
        namespace: "kube-system".to_owned(),
        name: "aws-auth".to_owned(),
    };
    let last = case.memory.last(&key).filter(|last| last.unseen && !last.deleted)?;
    let State::AwsAuth(before) = &last.state else {
        return None;
    };
    let since = last.time.filter(|time| case.event.time().is_some_and(|now| now >= *time))?;
    let principal = &case.event.caller.authenticated;
    let is_theirs = |mapping: &&Mapping| principal.extra("canonicalArn").is_some_and(|arn| mapping.is_of(arn));
    let had_it = before.mappings.iter().filter(is_theirs).any(|it| it.groups.iter().any(|group| group == "system:masters"));
    if before.mappings.is_empty() || had_it {
        return None;
    }
    // The maker of the cluster has this name, and so may anybody whom the unseen mapping gives it.
    let severity = if principal.username == "kubernetes-admin" { Severity::Medium } else { Severity::Critical };
    Some((
        severity,
        format!(
            "What aws-auth says was changed at {} and is not in the log; before that, it did not map the caller to this group.",
            since.strftime("%Y-%m-%d %H:%M:%S UTC")
        ),
    ))
}

/// The account of an IAM principal that is not the cluster's own.
pub(super) fn foreign_account<'c>(case: &'c Case<'_>) -> Option<&'c str> {
    let own = case.source.account.as_deref()?;
    case.event.caller.authenticated.iam_account().filter(|account| *account != own)
}
