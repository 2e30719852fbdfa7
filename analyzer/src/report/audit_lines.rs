//! Judging the audit events of one batch, one after the other.

use std::collections::{HashMap, HashSet};

use super::explain::Explained;
use super::{Quiet, Report, placed, repeats, text_lines};
use crate::alert::{Activity, Alert, AlertId, EVIDENCE_MAX, Evidence};
use crate::audit::outcome::Outcome;
use crate::audit::principal::Identity;
use crate::audit::{AuditEvent, Cut, Stage};
use crate::case::Case;
use crate::change::{Action, Change, Content, Effect, Ordinary};
use crate::detection::{Check, Delta, Finding};
use crate::detections;
use crate::envelope::LogLine;
use crate::kube::patch::Touches;
use crate::lesson::{self, Lessons};
use crate::memory::{Granted, Login, Memory, Remembered, SessionKey, SessionMark, TopicKey};
use crate::session;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::stream::Source;

/// What one batch needs while one of its lines is judged.
pub(super) struct Batch<'a> {
    pub(super) source: &'a Source,
    pub(super) settings: &'a Settings,
    pub(super) memory: &'a mut Memory,
    pub(super) state: &'a mut State,
}

/// What is kept from one line of a batch to the next.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Ids of the alerts so far, so that an event delivered twice is told once.
    ids: HashSet<AlertId>,
    /// The alert that each session has in this batch.
    sessions: HashMap<SessionKey, usize>,
    /// The alert that each thing that is done again and again has in this batch.
    repeated: HashMap<TopicKey, usize>,
    /// Time of the latest event.
    pub(super) latest: Option<jiff::Timestamp>,
    /// Whether to keep what was looked at, and what that was for the last event.
    pub(super) explains: bool,
    pub(super) explained: Option<Explained>,
}

/// What was decided about one event, free of the event itself.
struct Verdict {
    findings: Vec<Finding>,
    /// Session and its findings, for remembering what was told.
    session: Option<(SessionKey, Vec<(&'static str, Severity)>)>,
    /// What is found, if it is of the kind that is told once in an hour.
    topic: Option<TopicKey>,
    /// The worst that was found of the event itself, if anything but its session was found.
    of_event: Option<Severity>,
    quiet: Quiet,
    /// The change that was stored, or may have been, to be remembered.
    stored: Option<Change>,
    evidence: Option<Evidence>,
}

impl Batch<'_> {
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
        self.state.latest = self.state.latest.max(event.time());
        let log_stream = line.log_stream.as_deref().or(self.source.log_stream.as_deref());
        if event.stage == Stage::RequestReceived {
            if self.state.explains {
                self.state.explained = Some(Explained::unjudged(&event, self.source.account.as_deref(), log_stream));
            }
            return report.quiet(Quiet::OtherStage, 1);
        }
        let mut verdict = self.decide(&event, log_stream);
        let stored = verdict.stored.take();
        lesson::remember_refused(&event, self.source, self.memory);
        let granted = stored.as_ref().and_then(|change| self.granted(&verdict.findings, change, &event));
        let lessons = Lessons::of(&event, &verdict.findings, self.source);
        // Only what is told needs an id; most lines are not.
        let id = (!verdict.findings.is_empty()).then(|| event_id(&event, self.source, &line.message));
        self.file(verdict, id, log_stream, report);
        lessons.teach(self.memory);
        if let Some(change) = stored {
            self.learn(&change, &event, granted);
        }
    }

    fn decide(&mut self, event: &AuditEvent<'_>, log_stream: Option<&str>) -> Verdict {
        let mut case = Case::new(event, self.source, self.settings, self.memory);
        if event.stage == Stage::ResponseStarted {
            // A long-running request has begun. Writes are judged when they are done.
            case.written = None;
        }
        let Looked { findings, told, of_event } = look(&case);
        let quiet = quiet(&case);
        let evidence = (!findings.is_empty()).then(|| Evidence::of_event(event, case.identity(), log_stream));
        let topic = repeats::topic(&case, &findings);
        let session = (!told.is_empty()).then(|| (session::key(event, case.cluster()), told));
        if self.state.explains {
            let mut explained = Explained::judged(&case, &findings, log_stream);
            if explained.change.as_ref().is_some_and(|change| change.ordinary.is_some()) {
                explained.held_back = self.held_back(event, &findings);
            }
            self.state.explained = Some(explained);
        }
        let stored = case.written.take().filter(may_be_stored);
        Verdict { findings, session, topic, of_event, quiet, stored, evidence }
    }

    /// What would have been found besides, had the change not been ordinary.
    fn held_back(&self, event: &AuditEvent<'_>, found: &[Finding]) -> Vec<Finding> {
        let mut case = Case::new(event, self.source, self.settings, self.memory);
        if let Some(change) = &mut case.written {
            change.ordinary = None;
        }
        if let Some(request) = &mut case.token_request {
            request.ordinary = None;
        }
        if let Some(request) = &mut case.signing_request {
            request.ordinary = None;
        }
        let mut findings = look(&case).findings;
        findings.retain(|finding| found.iter().all(|known| known.detection.id != finding.detection.id));
        findings
    }

    /// Turns a verdict into an alert, into one more event of an alert, or into a quiet line.
    fn file(&mut self, mut verdict: Verdict, id: Option<AlertId>, log_stream: Option<&str>, report: &mut Report) {
        let (Some(evidence), Some(mut id)) = (verdict.evidence, id) else {
            return report.quiet(verdict.quiet, 1);
        };
        if let Some(key) = &verdict.topic {
            let is_new = self.state.ids.insert(std::mem::replace(&mut id, text_lines::topic_id(key)));
            let alert = self.state.repeated.get(key).and_then(|index| report.alerts.get_mut(*index));
            match alert {
                Some(_) if !is_new => return report.quiet(Quiet::Repeated, 1),
                Some(alert) => {
                    report.alerted += 1;
                    return add_event(alert, evidence);
                }
                None if self.memory.topic_told(key) => return report.quiet(Quiet::TopicTold, 1),
                None => self.memory.mark_topic(key.clone()),
            }
        }
        let mut of_session = None;
        if let Some((key, told)) = verdict.session {
            let mut mark = self.memory.session(&key).cloned().unwrap_or_default();
            let repeated = !mark.seen.add(&id);
            if !repeated {
                mark.events += 1;
                mark.deeds.add(&evidence);
            }
            let is_told = |detection: &str, severity: Severity| {
                mark.told.iter().any(|(known, before)| *known == detection && *before >= severity)
            };
            let fresh = told.iter().any(|(detection, severity)| !is_told(detection, *severity));
            if !fresh && verdict.of_event.is_none() {
                if repeated {
                    return report.quiet(Quiet::Repeated, 1);
                }
                match self.state.sessions.get(&key).and_then(|index| report.alerts.get_mut(*index)) {
                    Some(alert) => {
                        add_event(alert, evidence);
                        mark.counted += 1;
                        report.alerted += 1;
                    }
                    None => report.quiet(verdict.quiet.or_told(), 1),
                }
                return self.memory.mark_session(key, mark);
            }
            if verdict.of_event.is_none() {
                id = session_id(&key, &told);
                of_session = Some(key.clone());
                if let Some(before) = self.memory.take_hour_before(&key)
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
            // Where a session has several alerts, how its events fall to them depends on the split into batches. The last
            // word, under the gravest id, then tells them all, and so none of the alerts may count as having told everything.
            mark.counted = if mark.login.is_none() {
                mark.events.min(mark.counted + 1)
            } else {
                mark.counted.min(mark.events.saturating_sub(1))
            };
            let source = placed(self.source, log_stream);
            mark.login = gravest(mark.login, &verdict.findings, &told, |severity, finding| Login {
                id: id.clone(),
                severity,
                what: finding.hit.what.clone(),
                detection: finding.detection.id,
                evidence: evidence.clone(),
                source,
            });
            self.memory.mark_session(key, merged(mark, told));
        }
        let Some(worst) = verdict.findings.first() else {
            return report.quiet(verdict.quiet, 1);
        };
        if !self.state.ids.insert(id.clone()) {
            return report.quiet(Quiet::Repeated, 1);
        }
        if let Some(key) = verdict.topic {
            self.state.repeated.insert(key, report.alerts.len());
        }
        if let Some(key) = of_session {
            self.state.sessions.insert(key, report.alerts.len());
        }
        report.alerted += 1;
        report.alerts.push(Alert {
            id,
            severity: worst.hit.severity,
            summary: format!("{} {}", evidence.actor.display, worst.hit.what),
            findings: verdict.findings,
            evidence: vec![evidence],
            events: 1,
            activity: Activity::Create,
            source: placed(self.source, log_stream),
        });
    }

    /// What a change gave somebody, if that is worth remembering for when it is taken away again.
    fn granted(&self, findings: &[Finding], change: &Change, event: &AuditEvent<'_>) -> Option<Granted> {
        let gives = |finding: &&Finding| {
            matches!(finding.detection.category(), "rbac" | "aws-auth")
                && finding.hit.changes.iter().any(|delta| matches!(delta, Delta::Gained(_) | Delta::Now(_)))
        };
        let worst = findings.iter().filter(gives).map(|finding| finding.hit.severity).max();
        let severity = worst.filter(|worst| *worst >= Severity::Medium)?;
        let now = change.after.known()?;
        let part = change.before.as_ref().map_or_else(|| Some(now.clone()), |before| now.without(before))?;
        if change.drifted {
            // It was given by another request, at another time.
            return None;
        }
        let certain = change.brings_what_is_new();
        let cluster = self.source.cluster.as_deref().unwrap_or_default();
        let is_known = |known: &Remembered| known.version.is_some() && known.version == change.version();
        if !certain && self.memory.object(&change.key(cluster)).is_some_and(is_known) {
            // Whatever gave it was another event that was answered with this version.
            return None;
        }
        Some(Granted { time: event.time()?, severity, certain, part })
    }

    fn learn(&mut self, change: &Change, event: &AuditEvent<'_>, granted: Option<Granted>) {
        let cluster = self.source.cluster.as_deref().unwrap_or_default();
        let time = event.time();
        let version = change.version();
        let stored = change.effect == Effect::Took;
        match (change.action, change.after.clone()) {
            (Action::Created | Action::Changed, Content::Known(state)) if stored => {
                let granted = granted.into_iter().collect();
                let remembered = Remembered { state, version, time, deleted: false, unseen: false, granted };
                self.memory.keep(change.key(cluster), remembered);
            }
            (Action::Created | Action::Changed, after) => {
                if stored && change.action == Action::Created && after == Content::NotRecorded {
                    text_lines::remember_unseen(change, event, cluster, self.memory);
                }
                let as_before = matches!(change.ordinary, Some(Ordinary::NoOp | Ordinary::MetadataOnly))
                    || change.touches == Touches::Ownership;
                if !as_before && !change.name.is_empty() {
                    self.memory.lose_sight(change.key(cluster), version, time, change.action == Action::Created);
                }
            }
            // Who may have deleted something may as well not have.
            (Action::Deleted | Action::DeletedMany, _) if !stored => {}
            (Action::Deleted, _) if change.pending => {}
            (Action::Deleted, _) => self.memory.forget(&change.key(cluster), time),
            (Action::DeletedMany, _) => {
                for gone in change.deleted.iter().filter(|gone| !gone.pending) {
                    let mut key = change.key(cluster);
                    key.namespace.clone_from(&gone.namespace);
                    key.name.clone_from(&gone.name);
                    self.memory.forget(&key, time);
                }
            }
        }
    }
}

/// What the detections make of one event.
struct Looked {
    /// Worst first.
    findings: Vec<Finding>,
    /// What is about the session rather than the event.
    told: Vec<(&'static str, Severity)>,
    /// The worst that was found of the event itself.
    of_event: Option<Severity>,
}

fn look(case: &Case<'_>) -> Looked {
    let mut looked = Looked { findings: Vec::new(), told: Vec::new(), of_event: None };
    for detection in detections::ALL {
        let (hit, of_session) = match detection.check {
            Check::Audit(check, _) | Check::Repeating(check, _) => (check(case), false),
            Check::Session(check, _) => (check(case), true),
            Check::Klog(_) | Check::KlogTopic(_) | Check::Login(_) | Check::Call(_) => (None, false),
        };
        let Some(hit) = hit else {
            continue;
        };
        if of_session {
            looked.told.push((detection.id, hit.severity));
        } else {
            looked.of_event = looked.of_event.max(Some(hit.severity));
        }
        looked.findings.push(Finding { detection, hit });
    }
    looked.findings.sort_by_key(|finding| std::cmp::Reverse(finding.hit.severity));
    looked
}

/// Whether the API server stored the change, or may have.
fn may_be_stored(change: &Change) -> bool {
    change.took_effect() && !matches!(change.ordinary, Some(Ordinary::DryRun | Ordinary::Failed))
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
fn event_id(event: &AuditEvent<'_>, source: &Source, line: &str) -> AlertId {
    let cluster = source.cluster.as_deref().unwrap_or_default();
    // No two sessions have one id, or the last word on one would take the place of the other's.
    let session = session::key(event, cluster);
    AlertId::of([
        cluster,
        &event.audit_id,
        event.stage.as_str(),
        &event.stage_time.map(|time| time.to_string()).unwrap_or_default(),
        event.verb.as_str(),
        &event.request_uri,
        &event.caller.authenticated.username,
        event.object.as_ref().map_or("", |object| &object.name),
        &session.credential,
        &session.peer,
        session.family,
        &session.acting_as,
        // A line that was cut has lost its times, so its text has to tell it from others.
        if event.cut == Some(Cut::Shipper) { line } else { "" },
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

/// What a later word on the session refers to: the gravest of what was told of it, the first of equals.
fn gravest(
    before: Option<Box<Login>>,
    findings: &[Finding],
    told: &[(&'static str, Severity)],
    login: impl FnOnce(Severity, &Finding) -> Login,
) -> Option<Box<Login>> {
    let of_session = findings.iter().find(|finding| told.iter().any(|(id, _)| *id == finding.detection.id));
    match of_session {
        Some(finding) if before.as_ref().is_none_or(|before| before.severity < finding.hit.severity) => {
            Some(Box::new(login(finding.hit.severity, finding)))
        }
        _ => before,
    }
}

fn merged(mut mark: SessionMark, told: Vec<(&'static str, Severity)>) -> SessionMark {
    for (detection, severity) in told {
        mark.tell(detection, severity);
    }
    mark
}
