//! The last word on sessions that went quiet: what their hour came to.
//!
//! A login is told at once, so its alert cannot know how many requests follow. Once the hour is over, the sum is told
//! under the same id, as OCSF updates a finding, unless a message has told all of it already.

use crate::alert::{Activity, Alert};
use crate::detection::{Delta, Finding, Hit};
use crate::detections;
use crate::memory::{Login, Memory, SessionMark};

/// Closes every session, where no more events are to come: at the end of a file, not of a delivery.
#[must_use]
pub fn close_all(memory: &mut Memory) -> Vec<Alert> {
    memory.close_all_sessions().into_iter().filter_map(closing).collect()
}

/// Closes the sessions of a cluster whose hour is over.
pub(super) fn close(memory: &mut Memory, cluster: &str, latest: jiff::Timestamp) -> Vec<Alert> {
    memory.close_sessions(cluster, latest).into_iter().filter_map(closing).collect()
}

fn closing(mark: SessionMark) -> Option<Alert> {
    let SessionMark { events, deeds, login, .. } = mark;
    let Login { id, severity, what, detection, evidence, source } = *login?;
    let detection = detections::ALL.iter().find(|known| known.id == detection)?;
    let why = format!(
        "This session was told when it began. Its hour is over, and these are all of its {events} requests that had \
         something to tell."
    );
    let mut hit = Hit::new(severity, what, why);
    hit.changes = deeds.lines(DEEDS_TOLD).into_iter().map(Delta::Note).collect();
    Some(Alert {
        id,
        severity,
        summary: format!("{} {}: {events} requests in that hour", evidence.actor.display, hit.what),
        findings: vec![Finding { detection, hit }],
        evidence: vec![evidence],
        events,
        activity: Activity::Update,
        source,
    })
}

/// Kinds of request that the last word names: they fit the screen with the rest of the message.
const DEEDS_TOLD: usize = 8;
