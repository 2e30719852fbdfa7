use crate::audit::object::Verb;
use crate::case::Case;
use crate::detection::{Hit, detection};
use crate::interest::Facts;
use crate::severity::Severity;

detection! {
    /// A service account asked what it is or what it may do
    ///
    /// ## Why it matters
    ///
    /// Workloads know what they may do. Whoever has just got hold of a token does not, and asks: `kubectl auth can-i --list`
    /// and `kubectl auth whoami` are the first commands of an intruder in a pod.
    ///
    /// ## What it misses
    ///
    /// Trying things out instead of asking. Single access reviews by a program are left alone, because controllers make them.
    ///
    /// ## Known benign causes
    ///
    /// Somebody debugging in a pod; operators that list their own rights when they start.
    ///
    /// ## What to do
    ///
    /// Ask the workload's owner. If nobody meant it, look at how somebody got into the pod.
    "sa-self-review", [CLOUD_GROUPS_DISCOVERY], since "0.1.0", Session check where &[Facts::SERVICE_ACCOUNT.and(Facts::CREATES).and(Facts::SELF_REVIEW)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let object = case.event.object.as_ref().filter(|_| case.event.verb == Verb::Create)?;
    let asked = if object.is("authorization.k8s.io", "selfsubjectrulesreviews") {
        "for the list of everything it may do"
    } else if object.is("authentication.k8s.io", "selfsubjectreviews") {
        "who it is"
    } else if object.is("authorization.k8s.io", "selfsubjectaccessreviews") && session.human_client.is_some() {
        "what it may do"
    } else {
        return None;
    };
    Some(Hit::new(
        Severity::Medium,
        format!("asked {asked}"),
        "A workload knows what it may do; whoever holds a strange token asks first.",
    ))
}
