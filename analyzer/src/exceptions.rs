//! What the operator has reviewed and does not want to be told: text in, a value out, alerts through it.

mod file;
mod matcher;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::alert::{Activity, Alert};
use crate::detection::Delta;
use crate::report::{Quiet, Report};
use crate::severity::Severity;

pub use self::file::ExceptionsError;
use self::matcher::Matcher;

/// The exceptions of one file, checked. The default holds none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions {
    all: Vec<Exception>,
}

/// One reviewed exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Its name, unique in the file.
    pub id: String,
    /// Why it is right.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The first moment at which it no longer holds.
    pub expires: Timestamp,
    /// Alerts more urgent than this are told nevertheless.
    pub max_severity: Severity,
    matcher: Matcher,
}

/// What became of the alerts of one batch.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The alerts that are told.
    pub alerts: Vec<Alert>,
    /// The alerts that are not, each with the ids of the exceptions that cover it.
    pub silenced: Vec<(Alert, Vec<String>)>,
    /// How many alerts each exception helped to silence, by its id.
    pub used: BTreeMap<String, u64>,
    /// How many alerts each expired exception would have silenced, by its id.
    pub expired: BTreeMap<String, u64>,
}

impl Exceptions {
    /// Reads a file of exceptions: YAML, or JSON, which is YAML too.
    pub fn read(text: &str) -> Result<Self, ExceptionsError> {
        file::read(text).map(|all| Self { all })
    }

    /// Every exception, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Exception] {
        &self.all
    }

    /// The ids of those that no longer hold at this time.
    pub fn expired_at(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        self.all.iter().filter(move |it| it.expires <= now).map(|it| it.id.as_str())
    }

    /// Sorts alerts into those that are told and those that are not.
    ///
    /// An alert is silenced only when each of its findings is covered, so what else an event did is never hidden with
    /// it. Whether an exception holds is judged by the time of the alert's events: a delivery that is judged again
    /// gives the same alerts. An alert that only an expired exception would have silenced says so.
    #[must_use]
    pub fn apply(&self, alerts: Vec<Alert>) -> Applied {
        if self.all.is_empty() {
            return Applied { alerts, ..Applied::default() };
        }
        let mut applied = Applied::default();
        for mut alert in alerts {
            if let Some(covering) = self.covering(&alert, |it, time| time < it.expires) {
                for id in &covering {
                    *applied.used.entry(id.clone()).or_default() += 1;
                }
                applied.silenced.push((alert, covering));
                continue;
            }
            for id in self.covering(&alert, |_, _| true).into_iter().flatten() {
                let lapsed =
                    self.all.iter().any(|it| it.id == id && time(&alert).is_some_and(|time| time >= it.expires));
                if lapsed {
                    if let Some(worst) = alert.findings.first_mut() {
                        worst.hit.changes.insert(0, Delta::Note(format!("the exception `{id}` has expired")));
                    }
                    *applied.expired.entry(id).or_default() += 1;
                }
            }
            applied.alerts.push(alert);
        }
        applied
    }

    /// Applies the exceptions to the alerts of a report and moves the lines of silenced alerts to the quiet ones.
    pub fn apply_to(&self, report: &mut Report) -> Applied {
        let mut applied = self.apply(std::mem::take(&mut report.alerts));
        for (alert, _) in &applied.silenced {
            // Every event of an alert was one line at least, so the sum stays that of the lines.
            let lines = match alert.activity {
                Activity::Create => alert.events.min(report.alerted),
                // Its lines were counted when they came.
                Activity::Update => 0,
            };
            report.alerted -= lines;
            *report.quiet.entry(Quiet::Exception).or_default() += lines;
        }
        report.alerts = std::mem::take(&mut applied.alerts);
        applied
    }

    /// The exceptions that together cover every finding of an alert; none unless they do.
    fn covering(&self, alert: &Alert, holds: impl Fn(&Exception, Timestamp) -> bool) -> Option<Vec<String>> {
        let time = time(alert)?;
        let mut ids: Vec<String> = Vec::new();
        for finding in &alert.findings {
            let covers = |it: &&Exception| {
                holds(it, time) && alert.severity <= it.max_severity && it.matcher.covers(alert, finding)
            };
            let id = &self.all.iter().find(covers)?.id;
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        Some(ids).filter(|ids| !ids.is_empty())
    }
}

/// The time of the latest event: an exception must hold for all of them. None when an event has no time, because then
/// nobody can tell.
fn time(alert: &Alert) -> Option<Timestamp> {
    alert.evidence.iter().map(|evidence| evidence.time).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Detections that no exception hides: each means that the log itself cannot be believed.
pub const NEVER_HIDDEN: &[&str] = &["identity-forged", "audit-event-lost", "audit-line-truncated"];

#[cfg(test)]
mod tests;
