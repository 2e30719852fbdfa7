//! Judging the lines of the text streams: each on its own, or those of one topic and hour together.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Quiet, Report, placed};
use crate::alert::{Activity, Alert, AlertId, EVIDENCE_MAX, Evidence};
use crate::audit::AuditEvent;
use crate::authenticator::{AuthenticatorLine, LoginEvent};
use crate::case::Login;
use crate::change::Change;
use crate::detection::{Check, Detection, Finding, Topic};
use crate::detections;
use crate::envelope::LogLine;
use crate::klog::{self, KlogEntry};
use crate::kube::ObjectKind;
use crate::memory::{LetIn, Memory, TopicKey, Unseen};
use crate::stream::Source;
use crate::text;

/// What one batch needs while its text lines are judged.
pub(super) struct Batch<'a> {
    source: &'a Source,
    memory: &'a mut Memory,
    /// The alert that each topic has in this batch.
    open: HashMap<TopicKey, usize>,
}

/// A topic that a line is about, with what the line adds to it.
struct Sighting<'d> {
    detection: &'d &'static Detection,
    topic: Topic,
    hour: String,
    evidence: Evidence,
}

impl<'a> Batch<'a> {
    pub(super) fn new(source: &'a Source, memory: &'a mut Memory) -> Self {
        Self { source, memory, open: HashMap::new() }
    }

    fn cluster(&self) -> &'a str {
        self.source.cluster.as_deref().unwrap_or_default()
    }

    /// Judges lines of the api stream.
    pub(super) fn judge_api(&mut self, lines: &[LogLine<'_>], report: &mut Report) {
        for run in lines.chunk_by(|one, other| one.log_stream == other.log_stream) {
            let log_stream = run.first().and_then(|line| line.log_stream.as_deref()).map(ToOwned::to_owned);
            let log_stream = log_stream.or_else(|| self.source.log_stream.clone());
            for entry in klog::entries(run.iter().map(|line| (line.timestamp_ms, line.message.as_ref()))) {
                self.judge_entry(&entry, log_stream.as_deref(), report);
            }
        }
    }

    fn judge_entry(&mut self, entry: &KlogEntry<'_>, log_stream: Option<&str>, report: &mut Report) {
        if let Some(alert) = klog_alert(entry, self.source, log_stream) {
            report.alerted += entry.lines;
            report.alerts.push(alert);
            return;
        }
        let seen = detections::ALL.iter().find_map(|detection| match detection.check {
            Check::KlogTopic(check) => check(entry).map(|topic| (detection, topic)),
            _ => None,
        });
        let Some((detection, topic)) = seen else {
            return report.quiet(Quiet::OrdinaryText, entry.lines);
        };
        let evidence = self.evidence(entry, log_stream);
        let hour = entry.hour().to_owned();
        self.file(Sighting { detection, topic, hour, evidence }, entry.lines, log_stream, report);
    }

    /// The line, or the audit event of the same refusal where one was seen within a second: that one tells from where.
    fn evidence(&mut self, entry: &KlogEntry<'_>, log_stream: Option<&str>) -> Evidence {
        let time = entry.time(self.memory.last_refused());
        let joined =
            time.filter(|_| entry.refusal().is_some()).and_then(|time| self.memory.take_refused(self.cluster(), time));
        if let Some(refused) = joined {
            return Evidence::of_refused(refused);
        }
        let evidence = Evidence::of_entry(Some(entry), log_stream);
        Evidence { time: entry.time(None).or(evidence.time), ..evidence }
    }

    /// Judges lines of the authenticator stream.
    pub(super) fn judge_logins(&mut self, lines: &[LogLine<'_>], report: &mut Report) {
        for line in lines {
            let Some(read) = AuthenticatorLine::read(&line.message) else {
                report.quiet(Quiet::OrdinaryText, 1);
                continue;
            };
            let log_stream = line.log_stream.as_deref().or(self.source.log_stream.as_deref());
            self.judge_login(&read, line.timestamp_ms, log_stream, report);
        }
    }

    fn judge_login(
        &mut self,
        line: &AuthenticatorLine,
        timestamp_ms: Option<i64>,
        log_stream: Option<&str>,
        report: &mut Report,
    ) {
        let cluster = self.cluster();
        let seen = {
            let login = Login { line, cluster, memory: self.memory };
            detections::ALL.iter().find_map(|detection| match detection.check {
                Check::Login(check) => check(&login).map(|topic| (detection, topic)),
                _ => None,
            })
        };
        match seen {
            Some((detection, topic)) => {
                let time = line.time.or_else(|| timestamp_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()));
                let hour = time.map(|time| time.strftime("%m%d %H").to_string()).unwrap_or_default();
                let evidence = Evidence::of_login(line, time, log_stream);
                self.file(Sighting { detection, topic, hour, evidence }, 1, log_stream, report);
            }
            None => report.quiet(quiet(line.event()), 1),
        }
        match line.event() {
            LoginEvent::Granted { arn, groups } => {
                let groups = text::printable(groups, GROUPS_CHARS_MAX);
                self.memory.note_login(cluster, arn, Some(LetIn { time: line.time, groups }));
            }
            // Told once: from here on it is known that the principal is refused.
            LoginEvent::Denied { arn, error: NOT_MAPPED } => self.memory.note_login(cluster, arn, None),
            _ => {}
        }
    }

    /// Adds a line to the alert of its topic, or begins one.
    fn file(&mut self, seen: Sighting<'_>, lines: u64, log_stream: Option<&str>, report: &mut Report) {
        let Sighting { detection, topic: Topic { name, hit }, hour, evidence } = seen;
        let key = TopicKey {
            cluster: self.cluster().to_owned(),
            detection: detection.id,
            topic: name,
            severity: hit.severity,
            hour,
        };
        if let Some(alert) = self.open.get(&key).and_then(|index| report.alerts.get_mut(*index)) {
            report.alerted += lines;
            add(alert, evidence, Finding { detection, hit });
            return;
        }
        if self.memory.topic_told(&key) {
            return report.quiet(Quiet::TopicTold, lines);
        }
        report.alerted += lines;
        self.open.insert(key.clone(), report.alerts.len());
        report.alerts.push(Alert {
            id: topic_id(&key),
            severity: hit.severity,
            summary: hit.what.clone(),
            findings: vec![Finding { detection, hit }],
            evidence: vec![evidence],
            events: 1,
            activity: Activity::Create,
            source: placed(self.source, log_stream),
        });
        self.memory.mark_topic(key);
    }
}

/// One more line of a topic: counted, and what it says anew is added.
fn add(alert: &mut Alert, evidence: Evidence, finding: Finding) {
    alert.events += 1;
    if alert.evidence.len() < EVIDENCE_MAX {
        alert.evidence.push(evidence);
    }
    let events = alert.events;
    let Some(first) = alert.findings.first_mut() else {
        return;
    };
    alert.summary = if finding.hit.what == first.hit.what {
        format!("{} ({events} times)", first.hit.what)
    } else {
        format!("{} and {} more", first.hit.what, events - 1)
    };
    for change in finding.hit.changes {
        if first.hit.changes.len() < ADDED_MAX && !first.hit.changes.contains(&change) {
            first.hit.changes.push(change);
        }
    }
    for object in finding.hit.objects {
        if first.hit.objects.len() < ADDED_MAX && !first.hit.objects.contains(&object) {
            first.hit.objects.push(object);
        }
    }
}

/// The same for the same topic and hour, however its lines are split into batches, and whichever API server wrote them.
pub(super) fn topic_id(key: &TopicKey) -> AlertId {
    AlertId::of(["topic", &key.cluster, key.detection, &key.topic, key.severity.as_str(), &key.hour])
}

/// An entry that is an alert of its own.
fn klog_alert(entry: &KlogEntry<'_>, source: &Source, log_stream: Option<&str>) -> Option<Alert> {
    let mut findings: Vec<Finding> = detections::ALL
        .iter()
        .filter_map(|detection| match detection.check {
            Check::Klog(check) => check(entry).map(|hit| Finding { detection, hit }),
            _ => None,
        })
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.hit.severity));
    let worst = findings.first()?;
    let (severity, summary) = (worst.hit.severity, worst.hit.what.clone());
    let mut evidence: Vec<Evidence> = entry
        .lost_events()
        .map(|lost| lost.summaries.iter().map(|event| Evidence::of_lost(event, log_stream)).collect())
        .unwrap_or_default();
    if evidence.is_empty() {
        evidence.push(Evidence::of_entry(Some(entry), log_stream));
    }
    let time = entry.timestamp_ms.map(|time| time.to_string()).unwrap_or_default();
    let id = AlertId::of([log_stream.unwrap_or_default(), &time, &entry.message]);
    let events = u64::try_from(evidence.len()).unwrap_or(u64::MAX);
    Some(Alert {
        id,
        severity,
        summary,
        findings,
        evidence,
        events,
        activity: Activity::Create,
        source: placed(source, log_stream),
    })
}

/// Why a line of the authenticator stream without a finding is quiet.
const fn quiet(event: LoginEvent<'_>) -> Quiet {
    match event {
        LoginEvent::Granted { .. } | LoginEvent::Identified => Quiet::OrdinaryLogin,
        LoginEvent::Denied { .. } => Quiet::RefusedLogin,
        _ => Quiet::OrdinaryText,
    }
}

/// Keeps a creation of `aws-auth` whose content nobody saw, for the reload that follows.
pub(super) fn remember_unseen(change: &Change, event: &AuditEvent<'_>, cluster: &str, memory: &mut Memory) {
    let Some(time) = event.time().filter(|_| change.kind == ObjectKind::AwsAuth) else {
        return;
    };
    let actor = text::name(event.caller.authenticated.display());
    memory.note_unseen(cluster, Unseen { time, audit_id: text::name(&event.audit_id), actor });
}

/// What the authenticator answers to a principal that nothing maps.
pub(super) const NOT_MAPPED: &str = "identity is not mapped";
/// Longest list of groups remembered of a login, in characters.
const GROUPS_CHARS_MAX: usize = 512;
/// Most changes and objects in one alert about a topic; the lines beyond are counted.
const ADDED_MAX: usize = 50;
