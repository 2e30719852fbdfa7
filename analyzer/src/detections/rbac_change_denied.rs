use crate::audit::principal::Identity;
use crate::case::Case;
use crate::change::{self, Action, Effect};
use crate::detection::{Hit, detection};
use crate::grant;
use crate::severity::Severity;

detection! {
    /// A write on roles or bindings was refused by authorization
    ///
    /// ## Why it matters
    ///
    /// Somebody without the right tried to change who can do what. From a person it is often a mistake; from a workload
    /// or from nobody at all it is a probe.
    ///
    /// ## What it misses
    ///
    /// A refused request is never read, so its body, and for creates even the object's name, is not in the log.
    ///
    /// ## Known benign causes
    ///
    /// Engineers trying a command in the wrong cluster; a deploy pipeline that lost a right.
    /// A workload that is refused the same again and again is told once in an hour.
    ///
    /// ## What to do
    ///
    /// Ask the named person. From a service account, treat the workload as compromised until its owner explains it.
    "rbac-change-denied", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Repeating check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change =
        case.change().filter(|change| change.kind.is_rbac() && change.effect == Effect::Denied)?;
    let object = grant::object(change);
    let severity = match (case.identity(), change.action) {
        // A pod has no business here; one step below what success would have been.
        (Identity::ServiceAccount(_) | Identity::Anonymous | Identity::Forged, _) => Severity::High,
        (_, Action::Deleted | Action::DeletedMany) => Severity::Low,
        _ => Severity::Medium,
    };
    let target = match (change.action, object.name.as_str()) {
        (Action::DeletedMany, _) => format!("delete {}s by collection", change.kind.as_str()),
        (_, "") => format!("{} a {object}", case.event.verb.as_str()),
        _ => format!("{} {object}", case.event.verb.as_str()),
    };
    let mut hit = Hit::new(
        severity,
        format!("tried to {target} and was refused"),
        "The caller has no right to change roles or bindings there; what it wanted to write is not in the log.",
    );
    hit.objects.push(object);
    Some(hit)
}
