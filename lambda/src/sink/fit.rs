//! Cutting an alert until it fits into one message: evidence first, and saying so.

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::detection::Delta;

/// The alert as `write` puts it, with as much evidence as `fits`; none when not even its first event and one line of each
/// list do.
pub(super) fn fit<M>(alert: &Alert, write: impl Fn(&Alert) -> M, fits: impl Fn(&M) -> bool) -> Option<M> {
    let whole = write(alert);
    if fits(&whole) {
        return Some(whole);
    }
    let (mut events, mut lines) = (alert.evidence.len(), longest_list(alert));
    loop {
        // The events are in the log and the message says how to find them; the changes are what it is about.
        if events > 1 {
            events /= 2;
        } else if lines > 1 {
            lines /= 2;
        } else {
            return None;
        }
        let message = write(&cut(alert, events, lines));
        if fits(&message) {
            return Some(message);
        }
    }
}

/// The alert with at most so many events, and so many lines in each list of a finding; the first change says so.
fn cut(alert: &Alert, events: usize, lines: usize) -> Alert {
    let mut cut = alert.clone();
    cut.evidence.truncate(events);
    for finding in &mut cut.findings {
        finding.hit.changes.truncate(lines);
        finding.hit.objects.truncate(lines);
        finding.hit.subjects.truncate(lines);
    }
    if let Some(worst) = cut.findings.first_mut() {
        let note = if lines < longest_list(alert) {
            format!("cut to fit one message: {events} event and at most {lines} lines of each list are shown")
        } else {
            format!("cut to fit one message: evidence of {events} of {} events is shown", alert.events)
        };
        worst.hit.changes.insert(0, Delta::Note(note));
    }
    cut
}

fn longest_list(alert: &Alert) -> usize {
    let hits = alert.findings.iter().map(|finding| &finding.hit);
    hits.map(|hit| hit.changes.len().max(hit.objects.len()).max(hit.subjects.len())).max().unwrap_or_default()
}
