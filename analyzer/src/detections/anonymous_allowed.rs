use crate::audit::annotation::Decision;
use crate::audit::object::{ObjectRef, Verb};
use crate::audit::open_path::{is_open, path};
use crate::audit::outcome::Outcome;
use crate::audit::principal::Identity;
use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::reason::Reason;
use crate::severity::Severity;
use crate::text;

detection! {
    /// Somebody without credentials was let in
    ///
    /// ## Why it matters
    ///
    /// A request without credentials is that of everybody who can reach the API server, with a public endpoint the whole
    /// internet. By default it gets health and version, nothing else. If it got more, a binding gives rights to
    /// `system:anonymous` or `system:unauthenticated`.
    ///
    /// ## What it misses
    ///
    /// Health, version, discovery and the keys of the token issuer are left out by their path, whoever asks. Requests that
    /// were refused are counted, not told: scanners send them all day.
    ///
    /// ## Known benign causes
    ///
    /// A status page or dashboard that was meant to be public. It should have a service account of its own.
    ///
    /// ## What to do
    ///
    /// Find the binding that the log names, take the anonymous subjects out of it, and look at what was read or changed
    /// from which address since it was made.
    "anonymous-allowed", [DEFAULT_ACCOUNTS, EXPLOIT_PUBLIC_FACING], since "0.1.0", Session check where &[Facts::ANONYMOUS.and(Facts::OBJECT), Facts::ANONYMOUS.and(Facts::CLOSED_PATH)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let event = case.event;
    let let_in =
        event.annotations.decision() == Some(Decision::Allow) || matches!(event.outcome(), Outcome::Allowed);
    if case.identity() != Identity::Anonymous || !let_in {
        return None;
    }
    let (severity, what, why) = match &event.object {
        Some(object) => of_object(&event.verb, object),
        None if is_open(&event.verb, &event.request_uri) => return None,
        None => (
            Severity::Medium,
            format!("was let in to {} without credentials", text::printable(path(&event.request_uri), PATH_CHARS_MAX)),
            "Everybody who reaches the API server can get this.",
        ),
    };
    let mut hit = Hit::new(severity, what, why);
    if let Some(reason) = event.annotations.reason().and_then(Reason::read) {
        let binding = format!("{} {}", text::name(&reason.binding_kind), text::name(&reason.binding));
        hit.changes.push(Delta::Note(format!("allowed by {binding}, role {}", text::name(&reason.role))));
        hit.next = Some(format!(
            "Take system:anonymous and system:unauthenticated out of {binding}, then look at what was read or changed \
             without credentials since it was made."
        ));
    }
    Some(hit)
}

fn of_object(verb: &Verb<'_>, object: &ObjectRef<'_>) -> (Severity, String, &'static str) {
    let slash = if object.subresource.is_empty() { "" } else { "/" };
    let resource = text::name(&format!("{}{slash}{}", object.resource, object.subresource));
    let place = match object.namespace.as_ref() {
        "" => String::new(),
        namespace => format!(" in {}", text::name(namespace)),
    };
    let what = format!("was let in to {} {resource}{place} without credentials", text::name(verb.as_str()));
    let (severity, why) = if !verb.reads() {
        (Severity::Critical, "Everybody who reaches the API server can change this.")
    } else if object.resource == "secrets" || INTO_PODS.contains(&object.subresource.as_ref()) {
        (Severity::Critical, "Everybody who reaches the API server can read Secrets or get into workloads.")
    } else {
        (Severity::High, "Everybody who reaches the API server can read this.")
    };
    (severity, what, why)
}

/// Subresources that lead into a workload, whatever the verb.
const INTO_PODS: &[&str] = &["exec", "attach", "portforward", "proxy"];

/// Longest path shown, in characters.
const PATH_CHARS_MAX: usize = 60;
