//! What a workload does again and again: a controller that asks for the same token every minute, or whose write is refused at
//! each attempt, is one alert in an hour, not sixty.
//!
//! Only what is alike word for word counts, done by the same proven service account or node, with the same credential, from the
//! same address, with the same kind of client, acting as the same. What people do is told each time.

use crate::audit::principal::Identity;
use crate::case::Case;
use crate::detection::{Check, Finding};
use crate::evidence::AlertId;
use crate::memory::TopicKey;
use crate::session;

/// The topic that an event's findings make up, if they may all repeat.
pub(super) fn topic(case: &Case<'_>, findings: &[Finding]) -> Option<TopicKey> {
    let first = findings.first()?;
    let may_repeat = |finding: &Finding| matches!(finding.detection.check, Check::Repeating(..));
    let is_workload = matches!(case.identity(), Identity::ServiceAccount(_) | Identity::Node);
    if !is_workload || !findings.iter().all(may_repeat) {
        return None;
    }
    let session = session::key(case.event, case.cluster());
    // Whatever an exception can ask for is among them, or one that covers an event would silence the next.
    let object = case.event.object.as_ref();
    let mut words = vec![
        case.event.verb.as_str().to_owned(),
        object.map(|object| object.resource.to_string()).unwrap_or_default(),
        object.map(|object| object.namespace.to_string()).unwrap_or_default(),
        object.map(|object| object.name.to_string()).unwrap_or_default(),
        session.account.0.clone(),
        session.account.1.clone(),
        session.credential.clone(),
        session.peer.clone(),
        session.family.to_owned(),
        session.acting_as.clone(),
    ];
    for Finding { detection, hit } in findings {
        words.extend([detection.id.to_owned(), hit.severity.as_str().to_owned(), hit.what.clone(), hit.why.clone()]);
        words.extend(hit.changes.iter().map(|change| format!("{}{}", change.sign(), change.text())));
        words.extend(hit.objects.iter().map(ToString::to_string));
    }
    Some(TopicKey {
        cluster: case.cluster().to_owned(),
        detection: first.detection.id,
        topic: AlertId::of(words.iter().map(String::as_str)).as_str().to_owned(),
        severity: first.hit.severity,
        hour: session.hour.to_string(),
    })
}
