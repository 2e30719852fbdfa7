use crate::audit::principal::Identity;
use crate::case::Case;
use crate::change::{self, Action, Effect};
use crate::detection::{Hit, detection};
use crate::grant;
use crate::kube::ObjectKind;
use crate::severity::Severity;

detection! {
    /// A write on aws-auth was refused
    ///
    /// ## Why it matters
    ///
    /// Whoever can write `aws-auth` owns the cluster, so an attempt is worth knowing. From a workload it means that the
    /// workload is compromised or badly wrong.
    ///
    /// ## What it misses
    ///
    /// What was to be written: a refused request is never read. A refused create names no object, so an attempt to
    /// create `aws-auth` looks like any refused ConfigMap.
    ///
    /// ## Known benign causes
    ///
    /// An engineer following an old guide; a pipeline that lost a right.
    /// A workload that is refused the same again and again is told once in an hour.
    ///
    /// ## What to do
    ///
    /// Ask the named person. From a service account, look at the workload and revoke its token by deleting the pod.
    "aws-auth-change-denied", [ADDITIONAL_CLOUD_ROLES], since "0.1.0", Repeating check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind == ObjectKind::AwsAuth && change.effect == Effect::Denied && change.action != Action::DeletedMany
    })?;
    let severity = match case.identity() {
        Identity::ServiceAccount(_) | Identity::Anonymous | Identity::Forged | Identity::Nobody => Severity::High,
        _ => Severity::Medium,
    };
    let mut hit = Hit::new(
        severity,
        format!("tried to {} aws-auth and was refused", case.event.verb.as_str()),
        "Writing aws-auth decides who may log in; the caller has no right to.",
    );
    hit.objects.push(grant::object(change));
    Some(hit)
}
