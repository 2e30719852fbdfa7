//! One alert per event, one digest per burst: a sync of sixty objects is one message.

use jiff::Timestamp;

use crate::alert::{Activity, Alert, AlertId, EVIDENCE_MAX};
use crate::detection::{Check, Delta, Finding, Hit};
use crate::severity::Severity;
use crate::stream::{Source, Stream};
use crate::text;

/// Joins bursts into digests and holds the number of alerts to [`ALERTS_MAX`]. See [`gather_at_most`].
#[must_use]
pub fn gather(alerts: Vec<Alert>) -> Vec<Alert> {
    gather_at_most(alerts, ALERTS_MAX)
}

/// Joins bursts into digests; what is more than `cap` goes into one last digest. No alert is dropped.
///
/// A burst is [`BURST_MIN`] or more alerts below `high`, of one actor with one client in one cluster, each at most
/// [`BURST_GAP_SECONDS`] after the one before. High and critical alerts always stand alone, unless the cap is reached;
/// then the gravest are kept. The last words on sessions are no news: [`BURST_MIN`] of one cluster are one digest,
/// however grave their alerts were.
#[must_use]
pub fn gather_at_most(alerts: Vec<Alert>, cap: usize) -> Vec<Alert> {
    let mut bursts: Vec<Burst> = Vec::new();
    for alert in alerts {
        let key = key(&alert);
        let open = bursts.iter_mut().rev().find(|burst| burst.key.is_some() && burst.key == key && burst.takes(&alert));
        match open {
            Some(burst) => burst.push(alert),
            None => bursts.push(Burst::new(key, alert)),
        }
    }
    let mut out = Vec::with_capacity(bursts.len());
    for burst in bursts {
        if burst.alerts.len() < BURST_MIN {
            out.extend(burst.alerts);
        } else {
            out.extend(digest(burst.alerts, false));
        }
    }
    out.sort_by_key(|alert| alert.first().and_then(|first| first.time));
    capped(out, cap.max(1))
}

fn capped(mut alerts: Vec<Alert>, cap: usize) -> Vec<Alert> {
    if alerts.len() <= cap {
        return alerts;
    }
    // The sort is stable: of equal weight, the earlier alerts are kept.
    alerts.sort_by_key(weight);
    let rest = alerts.split_off(cap - 1);
    alerts.sort_by_key(|alert| alert.first().and_then(|first| first.time));
    alerts.extend(digest(rest, true));
    alerts
}

/// What the alerts of a burst have in common.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Deeds(Doer),
    /// Last words on sessions of one cluster in one account.
    Closings(Option<String>, Option<String>),
}

#[derive(Debug, PartialEq, Eq)]
struct Doer {
    cluster: Option<String>,
    account: Option<String>,
    actor: String,
    acting_as: Option<String>,
    client: String,
}

/// `None` for alerts that stand alone.
fn key(alert: &Alert) -> Option<Key> {
    if alert.activity == Activity::Update {
        return Some(Key::Closings(alert.source.cluster.clone(), alert.source.account.clone()));
    }
    let first = alert.first().filter(|_| alert.severity < Severity::High)?;
    Some(Key::Deeds(Doer {
        cluster: alert.source.cluster.clone(),
        account: alert.source.account.clone(),
        actor: format!("{} {}", first.actor.username, first.actor.display),
        acting_as: first.actor.acting_as.as_ref().map(|(name, _)| name.clone()),
        client: client(&first.user_agent).to_owned(),
    }))
}

/// The first word of a user agent: the product, without its version.
fn client(user_agent: &str) -> &str {
    user_agent.split(['/', ' ']).next().unwrap_or_default()
}

struct Burst {
    key: Option<Key>,
    last: Option<Timestamp>,
    alerts: Vec<Alert>,
}

impl Burst {
    fn new(key: Option<Key>, alert: Alert) -> Self {
        Self { key, last: time(&alert), alerts: vec![alert] }
    }

    fn takes(&self, alert: &Alert) -> bool {
        match (self.last, time(alert)) {
            // Their times are those of the logins.
            _ if alert.activity == Activity::Update => true,
            (Some(last), Some(time)) => time.as_second().abs_diff(last.as_second()) <= BURST_GAP_SECONDS,
            (None, None) => true,
            _ => false,
        }
    }

    fn push(&mut self, alert: Alert) {
        self.last = self.last.max(time(&alert));
        self.alerts.push(alert);
    }
}

/// The gravest first, and of these what took effect: whoever has no rights can be refused as often as they like, and must not
/// crowd out what others did.
fn weight(alert: &Alert) -> (std::cmp::Reverse<Severity>, bool) {
    (std::cmp::Reverse(alert.severity), is_refused(alert))
}

fn is_refused(alert: &Alert) -> bool {
    alert.first().is_some_and(|first| matches!(first.code, 401 | 403))
}

fn time(alert: &Alert) -> Option<Timestamp> {
    alert.first().and_then(|first| first.time)
}

/// One alert for several: every event is evidence, every detection speaks once.
fn digest(mut alerts: Vec<Alert>, overflow: bool) -> Option<Alert> {
    let worst = alerts.iter().map(|alert| alert.severity).max()?;
    let count = alerts.len();
    let ids: Vec<String> = alerts.iter().map(Alert::message_id).collect();
    let id = AlertId::of(std::iter::once("digest").chain(ids.iter().map(String::as_str)));
    let closes = alerts.iter().all(|alert| alert.activity == Activity::Update);
    let activity = if closes { Activity::Update } else { Activity::Create };
    let events: u64 = alerts.iter().map(|alert| alert.events).sum();
    // What is worst must not fall behind a limit. The sort is stable: of equal weight, the earlier come first.
    alerts.sort_by_key(weight);
    let first = alerts.first()?.first()?.clone();
    let summary = if overflow {
        format!("{count} more alerts in one message, because there were too many; worst: {worst}")
    } else if closes {
        format!("{count} sessions went quiet after {events} requests in their hours; worst: {worst}")
    } else if let Some((what, log)) = text_stream(&alerts, worst) {
        format!("{what}, and {} more from the {log} log; worst: {worst}", count - 1)
    } else {
        let client = client(&first.user_agent);
        let with = if client.is_empty() { String::new() } else { format!(" with {client}") };
        format!("{} {}{with}; worst: {worst}", first.actor.display, deeds(&alerts))
    };
    let source = common_source(&alerts);
    let findings = findings(&alerts);
    let evidence = alerts.into_iter().flat_map(|alert| alert.evidence).take(EVIDENCE_MAX).collect();
    Some(Alert {
        id,
        severity: worst,
        summary: text::printable(&summary, 400),
        findings,
        evidence,
        events,
        activity,
        source,
    })
}

/// Text lines have no actor who makes changes: their digest says the gravest of them.
fn text_stream(alerts: &[Alert], worst: Severity) -> Option<(&str, &'static str)> {
    let finding = alerts.iter().find(|alert| alert.severity == worst)?.worst()?;
    let log = match finding.detection.check {
        Check::Klog(_) | Check::KlogTopic(_) => Stream::Api,
        Check::Login(_) => Stream::Authenticator,
        Check::Audit(..) | Check::Repeating(..) | Check::Session(..) | Check::Call(_) => return None,
    };
    Some((&finding.hit.what, log.as_str()))
}

/// What the alerts of a burst were: changes, refused attempts, or some of each.
fn deeds(alerts: &[Alert]) -> String {
    let count = alerts.len();
    let refused = alerts.iter().filter(|alert| is_refused(alert)).count();
    let session = alerts.iter().any(|alert| alert.detection_ids().iter().any(|id| id.ends_with("-login")));
    match (refused, session) {
        (0, false) => format!("made {count} changes"),
        (refused, _) if refused == count => format!("was refused {count} times"),
        _ => format!("did {count} things worth knowing, {refused} of them refused"),
    }
}

/// One finding per detection, worst first, that lists what each alert saw.
fn findings(alerts: &[Alert]) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for finding in alerts.iter().flat_map(|alert| &alert.findings) {
        let line = Delta::Note(format!("{}: {}", finding.hit.severity, finding.hit.what));
        let same = out.iter_mut().find(|other| other.detection.id == finding.detection.id);
        if let Some(other) = same {
            if finding.hit.severity > other.hit.severity {
                other.hit.severity = finding.hit.severity;
                other.hit.why.clone_from(&finding.hit.why);
            }
            other.hit.changes.push(line);
            other.hit.objects.extend(finding.hit.objects.iter().cloned());
            other.hit.subjects.extend(finding.hit.subjects.iter().cloned());
        } else {
            let hit = Hit { changes: vec![line], ..finding.hit.clone() };
            out.push(Finding { detection: finding.detection, hit });
        }
    }
    out.sort_by_key(|finding| std::cmp::Reverse(finding.hit.severity));
    out
}

/// Where all of them were read, as far as that is the same.
fn common_source(alerts: &[Alert]) -> Source {
    let mut sources = alerts.iter().map(|alert| alert.source.clone());
    let mut common = sources.next().unwrap_or_default();
    for source in sources {
        for (mine, theirs) in [
            (&mut common.account, source.account),
            (&mut common.region, source.region),
            (&mut common.cluster, source.cluster),
            (&mut common.log_group, source.log_group),
            (&mut common.log_stream, source.log_stream),
        ] {
            if *mine != theirs {
                *mine = None;
            }
        }
    }
    common
}

/// Alerts from which on a burst becomes a digest: two still read well on their own.
pub const BURST_MIN: usize = 3;
/// Longest pause inside a burst, in seconds: GitOps tools and Helm write several objects a second.
pub const BURST_GAP_SECONDS: u64 = 60;
/// Most alerts that come out of one batch: more in one go is a flood that nobody reads.
pub const ALERTS_MAX: usize = 50;
