//! Lines in; alerts, quiet lines and skips out, every line counted once.

mod audit_lines;
mod calls;
mod closings;
mod explain;
mod lessons;
mod reasons;
mod text_lines;

use std::collections::BTreeMap;

use crate::alert::Alert;
use crate::envelope::{BadEntry, Envelope, LogLine};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stream::{Source, Stream};

use self::explain::Before;

pub use self::calls::analyze_cloudtrail;
pub use self::closings::close_all;
pub use self::explain::{Changed, Decision, Explained, Explanation};
pub use self::reasons::{Quiet, Skip};

/// Who is told why each line alerted or stayed quiet.
pub type Explain<'e> = dyn FnMut(Explanation) + 'e;

/// What became of the lines of one batch. Every line delivered ends as evidence of an alert, as quiet, or as skipped.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Alerts in the order of their first event, not yet gathered into digests.
    pub alerts: Vec<Alert>,
    /// Lines read, whatever became of them.
    pub lines: u64,
    /// Lines that are evidence of an alert.
    pub alerted: u64,
    /// Lines judged and found ordinary, by reason.
    pub quiet: BTreeMap<Quiet, u64>,
    /// Lines that could not be read, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// When the first line that has a time was written, in milliseconds since 1970.
    pub first_ms: Option<i64>,
}

impl Report {
    /// Adds what another report counted, and its alerts, after this one's.
    pub fn absorb(&mut self, other: Self) {
        self.alerts.extend(other.alerts);
        self.lines += other.lines;
        self.alerted += other.alerted;
        self.first_ms = self.first_ms.or(other.first_ms);
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
    judge(source, lines, settings, memory, None)
}

/// Judges as [`analyze`] does, and tells of each line of the audit stream, and of each that cannot be read, why.
pub fn explain<'l>(
    source: &Source,
    lines: impl IntoIterator<Item = Result<LogLine<'l>, BadEntry>>,
    settings: &Settings,
    memory: &mut Memory,
    tell: &mut Explain<'_>,
) -> Report {
    judge(source, lines, settings, memory, Some(tell))
}

fn judge<'l>(
    source: &Source,
    lines: impl IntoIterator<Item = Result<LogLine<'l>, BadEntry>>,
    settings: &Settings,
    memory: &mut Memory,
    mut tell: Option<&mut Explain<'_>>,
) -> Report {
    let source = source.clone().or(&settings.source);
    let mut report = Report::default();
    let mut batch = audit_lines::Batch::new(&source, settings, memory).explaining(tell.is_some());
    let mut waiting = Waiting::default();
    for (number, line) in lines.into_iter().enumerate() {
        let before = tell.is_some().then(|| Before::of(&report));
        take(line, &source, &mut batch, &mut waiting, &mut report);
        if let (Some(tell), Some(before)) = (&mut tell, before)
            && let Some(decision) = before.decision(&report)
        {
            tell(Explanation { line: Some(number), decision, event: batch.explained() });
        }
    }
    let (told, latest) = (report.alerts.len(), batch.latest());
    let mut lines = text_lines::Batch::new(&source, memory);
    lines.judge_api(&waiting.text, &mut report);
    lines.judge_logins(&waiting.logins, &mut report);
    if let Some(tell) = &mut tell {
        report.alerts.iter().skip(told).map(Explanation::of_alert).for_each(tell);
    }
    if let Some(latest) = latest {
        report.alerts.extend(closings::close(memory, source.cluster.as_deref().unwrap_or_default(), latest));
    }
    report
}

/// Lines that are judged when the whole batch is there.
#[derive(Default)]
struct Waiting<'l> {
    /// Of the api stream.
    text: Vec<LogLine<'l>>,
    /// Of the authenticator stream.
    logins: Vec<LogLine<'l>>,
}

/// Judges a line that stands alone, and keeps one that may go on.
fn take<'l>(
    line: Result<LogLine<'l>, BadEntry>,
    source: &Source,
    batch: &mut audit_lines::Batch<'_>,
    waiting: &mut Waiting<'l>,
    report: &mut Report,
) {
    report.lines += 1;
    let line = match line {
        Ok(line) => line,
        Err(bad) => {
            return report.skip(bad.into());
        }
    };
    report.first_ms = report.first_ms.or(line.timestamp_ms);
    match stream(&line, source) {
        Some(Stream::Audit) => batch.judge(&line, report),
        // Entries of the api stream may go on over several lines, so they wait until they are whole.
        Some(Stream::Api) => waiting.text.push(line),
        // A reload of aws-auth is told by what the audit stream said before it.
        Some(Stream::Authenticator) => waiting.logins.push(line),
        Some(_) => report.quiet(Quiet::OtherStream, 1),
        // A line that looks like nothing, right after klog text, continues it.
        None if !waiting.text.is_empty() && line.log_stream.is_none() && source.log_stream.is_none() => {
            waiting.text.push(line);
        }
        None if line.message.trim().is_empty() => report.skip(Skip::Empty),
        None => report.skip(Skip::UnknownText),
    }
}

/// Judges one opened delivery. Damage to the delivery is counted as a skip.
pub fn analyze_envelope(envelope: &Envelope, settings: &Settings, memory: &mut Memory) -> Report {
    judge_envelope(envelope, settings, memory, None)
}

/// Judges as [`analyze_envelope`] does, and tells why as [`explain`] does.
pub fn explain_envelope(
    envelope: &Envelope,
    settings: &Settings,
    memory: &mut Memory,
    tell: &mut Explain<'_>,
) -> Report {
    judge_envelope(envelope, settings, memory, Some(tell))
}

fn judge_envelope(
    envelope: &Envelope,
    settings: &Settings,
    memory: &mut Memory,
    tell: Option<&mut Explain<'_>>,
) -> Report {
    let mut report = judge(envelope.source(), envelope.lines(), settings, memory, tell);
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

/// The source, with the log stream of the line itself.
fn placed(source: &Source, log_stream: Option<&str>) -> Source {
    Source { log_stream: log_stream.map(ToOwned::to_owned).or_else(|| source.log_stream.clone()), ..source.clone() }
}
