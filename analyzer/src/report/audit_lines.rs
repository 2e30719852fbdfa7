//! Judging the audit events of one batch, one after the other.

use std::collections::{HashMap, HashSet};

use super::lessons::Lessons;
use super::{Quiet, Report, placed, text_lines};
use crate::alert::{Alert, AlertId, EVIDENCE_MAX, Evidence};
use crate::audit::outcome::Outcome;
use crate::audit::principal::Identity;
use crate::audit::{AuditEvent, Stage};
use crate::case::Case;
use crate::change::{Action, Change, Content, Ordinary};
use crate::detection::{Check, Delta, Finding};
use crate::detections;
use crate::envelope::LogLine;
use crate::memory::{Granted, Memory, Remembered, SessionKey, SessionMark};
use crate::session;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::stream::Source;

/// What one batch needs while it is judged.
pub(super) struct Batch<'a> {
    source: &'a Source,
    settings: &'a Settings,
    memory: &'a mut Memory,
    /// Ids of the alerts so far, so that an event delivered twice is told once.
    ids: HashSet<AlertId>,
    /// The alert that each session has in this batch.
    sessions: HashMap<SessionKey, usize>,
}

/// What was decided about one event, free of the event itself.
pub(super) struct Verdict {
    pub(super) findings: Vec<Finding>,
    /// Session and its findings, for remembering what was told.
    session: Option<(SessionKey, Vec<(&'static str, Severity)>)>,
    /// The worst that was found of the event itself, if anything but its session was found.
    of_event: Option<Severity>,
    quiet: Quiet,
    /// The change that was stored, to be remembered.
    stored: Option<Change>,
    evidence: Option<Evidence>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(source: &'a Source, settings: &'a Settings, memory: &'a mut Memory) -> Self {
        Self { source, settings, memory, ids: HashSet::new(), sessions: HashMap::new() }
    }

    /// Reads and judges one line of the audit stream.
    pub(super) fn judge(&mut self, line: &LogLine<'_>, report: &mut Report) {
        let mut event = match AuditEvent::read(&line.message) {
            Ok(event) => event,
            Err(unreadable) => return report.skip(unreadable.into()),
        };
        if event.time().is_none() {
            // A cut line has lost its own times.
            event.stage_time = line.timestamp_ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        }
        if event.stage == Stage::RequestReceived {
            return report.quiet(Quiet::OtherStage, 1);
        }
        let log_stream = line.log_stream.as_deref().or(self.source.log_stream.as_deref());
        let mut verdict = self.decide(&event, log_stream);
        let stored = verdict.stored.take();
        text_lines::remember_refused(&event, self.source, self.memory);
        let granted = granted(&verdict.findings, &event);
        let lessons = Lessons::of(&event, &verdict, self.source);
        // Only what is told needs an id; most lines are not.
        let id = if verdict.findings.is_empty() { None } else { Some(event_id(&event, self.source)) };
        self.file(verdict, id, log_stream, report);
        lessons.teach(self.memory);
        if let Some(change) = stored {
            self.learn(&change, &event, granted);
        }
    }

    fn decide(&self, event: &AuditEvent<'_>, log_stream: Option<&str>) -> Verdict {
        let mut case = Case::new(event, self.source, self.settings, self.memory);
        if event.stage == Stage::ResponseStarted {
            // A long-running request has begun. Writes are judged when they are done.
            case.written = None;
        }
        let mut findings = Vec::new();
        let mut told = Vec::new();
        let mut of_event = None;
        for detection in detections::ALL {
            let (hit, of_session) = match detection.check {
                Check::Audit(check) => (check(&case), false),
                Check::Session(check) => (check(&case), true),
                Check::Klog(_) | Check::KlogTopic(_) | Check::Login(_) | Check::Call(_) => (None, false),
            };
            let Some(hit) = hit else {
                continue;
            };
            if of_session {
                told.push((detection.id, hit.severity));
            } else {
                of_event = of_event.max(Some(hit.severity));
            }
            findings.push(Finding { detection, hit });
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.hit.severity));
        let quiet = quiet(&case);
        let evidence = (!findings.is_empty()).then(|| Evidence::of_event(event, case.identity(), log_stream));
        let session = (!told.is_empty()).then(|| (session::key(event, case.cluster()), told));
        let stored = case.written.take().filter(|change| was_stored(event, change));
        Verdict { findings, session, of_event, quiet, stored, evidence }
    }

    /// Turns a verdict into an alert, into one more event of an alert, or into a quiet line.
    fn file(&mut self, mut verdict: Verdict, id: Option<AlertId>, log_stream: Option<&str>, report: &mut Report) {
        let (Some(evidence), Some(mut id)) = (verdict.evidence, id) else {
            return report.quiet(verdict.quiet, 1);
        };
        let mut of_session = None;
        if let Some((key, told)) = verdict.session {
            let mut mark = self.memory.session(&key).cloned().unwrap_or_default();
            mark.events += 1;
            let is_told = |detection: &str, severity: Severity| {
                mark.told.iter().any(|(known, before)| *known == detection && *before >= severity)
            };
            let fresh = told.iter().any(|(detection, severity)| !is_told(detection, *severity));
            if !fresh && verdict.of_event.is_none() {
                self.memory.mark_session(key.clone(), mark);
                return match self.sessions.get(&key).and_then(|index| report.alerts.get_mut(*index)) {
                    Some(alert) => {
                        add_event(alert, evidence);
                        report.alerted += 1;
                    }
                    None => report.quiet(verdict.quiet.or_told(), 1),
                };
            }
            if verdict.of_event.is_none() {
                id = session_id(&key, &told);
                of_session = Some(key.clone());
                if let Some(before) = self.events_in_the_hour_before(&key)
                    && let Some(worst) = verdict.findings.first_mut()
                {
                    let note = format!("the same session had {before} such events in the hour before");
                    worst.hit.changes.push(Delta::Note(note));
                }
            }
            if let Some(worst) = verdict.of_event {
                // What was told of the session stays away, unless it makes this more urgent.
                verdict.findings.retain(|Finding { detection, hit }| {
                    let of_event = !told.iter().any(|(known, _)| *known == detection.id);
                    of_event || hit.severity > worst || !is_told(detection.id, hit.severity)
                });
            }
            self.memory.mark_session(key, merged(mark, told));
        }
        let Some(worst) = verdict.findings.first() else {
            return report.quiet(verdict.quiet, 1);
        };
        if !self.ids.insert(id.clone()) {
            return report.quiet(Quiet::Repeated, 1);
        }
        if let Some(key) = of_session {
            self.sessions.insert(key, report.alerts.len());
        }
        report.alerted += 1;
        report.alerts.push(Alert {
            id,
            severity: worst.hit.severity,
            summary: format!("{} {}", evidence.actor.display, worst.hit.what),
            findings: verdict.findings,
            evidence: vec![evidence],
            events: 1,
            source: placed(self.source, log_stream),
        });
    }

    /// What the count of a session came to in the hour before, so that a session told at its first event is told whole.
    fn events_in_the_hour_before(&self, key: &SessionKey) -> Option<u64> {
        let before = SessionKey { hour: key.hour - 1, ..key.clone() };
        self.memory.session(&before).map(|mark| mark.events)
    }

    fn learn(&mut self, change: &Change, event: &AuditEvent<'_>, granted: Option<Granted>) {
        let cluster = self.source.cluster.as_deref().unwrap_or_default();
        let time = event.time();
        match (change.action, change.after.clone()) {
            (Action::Created | Action::Changed, Content::Known(state)) => {
                let key = change.key(cluster);
                let granted = granted.or_else(|| self.memory.object(&key).and_then(|known| known.granted));
                let remembered = Remembered { state, version: change.version(), time, deleted: false, granted };
                self.memory.keep(key, remembered);
            }
            (Action::Created, Content::NotRecorded) => text_lines::remember_unseen(change, event, cluster, self.memory),
            (Action::Deleted, _) => self.memory.forget(&change.key(cluster), time),
            (Action::DeletedMany, _) => {
                for gone in &change.deleted {
                    let mut key = change.key(cluster);
                    key.namespace.clone_from(&gone.namespace);
                    key.name.clone_from(&gone.name);
                    self.memory.forget(&key, time);
                }
            }
            _ => {}
        }
    }
}

/// Whether the API server stored the change, beyond doubt.
fn was_stored(event: &AuditEvent<'_>, change: &Change) -> bool {
    event.outcome() == Outcome::Allowed && !matches!(change.ordinary, Some(Ordinary::DryRun | Ordinary::Failed))
}

/// What the event gave somebody, if that is worth remembering for when it is taken away again.
fn granted(findings: &[Finding], event: &AuditEvent<'_>) -> Option<Granted> {
    let severity = findings
        .iter()
        .filter(|finding| finding.detection.category() == "rbac" || finding.detection.category() == "aws-auth")
        .filter(|finding| finding.hit.changes.iter().any(|delta| matches!(delta, Delta::Gained(_) | Delta::Now(_))))
        .map(|finding| finding.hit.severity)
        .max()
        .filter(|severity| *severity >= Severity::Medium)?;
    Some(Granted { time: event.time()?, severity })
}

/// Why an event without a finding is quiet.
fn quiet(case: &Case<'_>) -> Quiet {
    if case.event.outcome() == Outcome::Unauthenticated {
        return Quiet::Unauthenticated;
    }
    if case.event.stage == Stage::ResponseStarted {
        return Quiet::OtherStage;
    }
    let of_change = case.written.as_ref().map(|change| change.ordinary);
    let of_token = case.token_request.as_ref().map(|request| request.ordinary);
    let of_certificate = case.signing_request.as_ref().map(|request| request.ordinary);
    match (of_change.or(of_token).or(of_certificate), &case.session) {
        (Some(ordinary), _) => ordinary.map_or(Quiet::NotOfInterest, Quiet::from),
        (None, Some(_)) => Quiet::OrdinaryPodTraffic,
        (None, None) if case.identity() != Identity::Anonymous => Quiet::NotOfInterest,
        (None, None) if case.event.outcome() == Outcome::Denied => Quiet::AnonymousRefused,
        (None, None) => Quiet::AnonymousOpen,
    }
}

/// The same for the same event, whenever it is read. The audit ID alone would not do: a client may choose it.
fn event_id(event: &AuditEvent<'_>, source: &Source) -> AlertId {
    AlertId::of([
        source.cluster.as_deref().unwrap_or_default(),
        &event.audit_id,
        event.stage.as_str(),
        &event.stage_time.map(|time| time.to_string()).unwrap_or_default(),
        event.verb.as_str(),
        &event.request_uri,
        &event.caller.authenticated.username,
        event.object.as_ref().map_or("", |object| &object.name),
    ])
}

/// The same for the same session, hour, detections and severities, however its events are split into batches.
fn session_id(key: &SessionKey, told: &[(&'static str, Severity)]) -> AlertId {
    let hour = key.hour.to_string();
    let (namespace, name) = &key.account;
    let parts =
        ["session", &key.cluster, namespace, name, &key.credential, &key.peer, key.family, &key.acting_as, &hour];
    AlertId::of(parts.into_iter().chain(told.iter().flat_map(|(detection, severity)| [*detection, severity.as_str()])))
}

fn add_event(alert: &mut Alert, evidence: Evidence) {
    alert.events += 1;
    if alert.evidence.len() < EVIDENCE_MAX {
        alert.evidence.push(evidence);
    }
}

fn merged(mut mark: SessionMark, told: Vec<(&'static str, Severity)>) -> SessionMark {
    for (detection, severity) in told {
        match mark.told.iter_mut().find(|(known, _)| *known == detection) {
            Some((_, before)) => *before = severity.max(*before),
            None => mark.told.push((detection, severity)),
        }
    }
    mark
}
