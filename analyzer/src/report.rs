//! Lines in; alerts, quiet lines and skips out, every line counted once.

mod audit_lines;
mod lessons;
mod reasons;

use std::collections::BTreeMap;

use crate::alert::{Alert, AlertId, Evidence};
use crate::detection::{Check, Finding};
use crate::detections;
use crate::envelope::{BadEntry, Envelope, LogLine};
use crate::klog;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stream::{Source, Stream};

pub use self::reasons::{Quiet, Skip};

/// What became of the lines of one batch. Every line delivered ends as evidence of an alert, as quiet, or as skipped.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Alerts in the order of their first event, not yet gathered into digests.
    pub alerts: Vec<Alert>,
    /// Lines read, whatever became of them.
    pub lines: u64,
    /// When the first line that has a time was written, in milliseconds since 1970.
    pub first_ms: Option<i64>,
    /// Lines that are evidence of an alert.
    pub alerted: u64,
    /// Lines judged and found ordinary, by reason.
    pub quiet: BTreeMap<Quiet, u64>,
    /// Lines that could not be read, by reason.
    pub skipped: BTreeMap<Skip, u64>,
}

impl Report {
    /// Adds what another report counted, and its alerts, after this one's.
    pub fn absorb(&mut self, other: Self) {
        self.alerts.extend(other.alerts);
        self.first_ms = self.first_ms.or(other.first_ms);
        self.lines += other.lines;
        self.alerted += other.alerted;
        for (reason, count) in other.quiet {
            *self.quiet.entry(reason).or_default() += count;
        }
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Lines judged and found ordinary.
    #[must_use]
    pub fn quiet_total(&self) -> u64 {
        self.quiet.values().sum()
    }

    fn quiet(&mut self, reason: Quiet, lines: u64) {
        *self.quiet.entry(reason).or_default() += lines;
    }

    /// Counts lines, or a whole delivery, that could not be read.
    pub fn skip(&mut self, reason: Skip) {
        *self.skipped.entry(reason).or_default() += 1;
    }
}

/// Judges the lines of one batch, all from one source, in order. A line's own log stream, if it has one, counts over
/// that of `source`. A bad entry is counted as skipped.
pub fn analyze<'l>(
    source: &Source,
    lines: impl IntoIterator<Item = Result<LogLine<'l>, BadEntry>>,
    settings: &Settings,
    memory: &mut Memory,
) -> Report {
    let source = source.clone().or(&settings.source);
    let mut report = Report::default();
    let mut batch = audit_lines::Batch::new(&source, settings, memory);
    let mut text: Vec<LogLine<'l>> = Vec::new();
    for line in lines {
        report.lines += 1;
        let line = match line {
            Ok(line) => line,
            Err(bad) => {
                report.skip(bad.into());
                continue;
            }
        };
        report.first_ms = report.first_ms.or(line.timestamp_ms);
        match stream(&line, &source) {
            Some(Stream::Audit) => batch.judge(&line, &mut report),
            // Entries of the api stream may go on over several lines, so they wait until they are whole.
            Some(Stream::Api) => text.push(line),
            Some(_) => report.quiet(Quiet::OtherStream, 1),
            // A line that looks like nothing, right after klog text, continues it.
            None if !text.is_empty() && line.log_stream.is_none() && source.log_stream.is_none() => text.push(line),
            None if line.message.trim().is_empty() => report.skip(Skip::Empty),
            None => report.skip(Skip::UnknownText),
        }
    }
    api_lines(&source, &text, &mut report);
    report
}

/// Judges one opened delivery. Damage to the delivery is counted as a skip.
pub fn analyze_envelope(envelope: &Envelope, settings: &Settings, memory: &mut Memory) -> Report {
    let mut report = analyze(envelope.source(), envelope.lines(), settings, memory);
    if envelope.damage().is_some() {
        report.skip(Skip::DamagedDelivery);
    }
    report
}

fn stream(line: &LogLine<'_>, source: &Source) -> Option<Stream> {
    line.log_stream
        .as_deref()
        .and_then(Stream::of_name)
        .or_else(|| source.stream())
        .or_else(|| Stream::of_content(&line.message))
}

fn api_lines(source: &Source, lines: &[LogLine<'_>], report: &mut Report) {
    let log_stream = |line: &LogLine<'_>| line.log_stream.as_deref().map(ToOwned::to_owned);
    for run in lines.chunk_by(|one, other| one.log_stream == other.log_stream) {
        let stream = run.first().and_then(log_stream).or_else(|| source.log_stream.clone());
        let entries = klog::entries(run.iter().map(|line| (line.timestamp_ms, line.message.as_ref())));
        for entry in entries {
            match klog_alert(&entry, source, stream.as_deref()) {
                Some(alert) => {
                    report.alerted += entry.lines;
                    report.alerts.push(alert);
                }
                None => report.quiet(Quiet::OrdinaryText, entry.lines),
            }
        }
    }
}

fn klog_alert(entry: &klog::KlogEntry<'_>, source: &Source, log_stream: Option<&str>) -> Option<Alert> {
    let mut findings: Vec<Finding> = detections::ALL
        .iter()
        .filter_map(|detection| match detection.check {
            Check::Klog(check) => check(entry).map(|hit| Finding { detection, hit }),
            Check::Audit(_) | Check::Session(_) => None,
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
    Some(Alert { id, severity, summary, findings, evidence, events, source: placed(source, log_stream) })
}

/// The source, with the log stream of the line itself.
fn placed(source: &Source, log_stream: Option<&str>) -> Source {
    Source { log_stream: log_stream.map(ToOwned::to_owned).or_else(|| source.log_stream.clone()), ..source.clone() }
}
