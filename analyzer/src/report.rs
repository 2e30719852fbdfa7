//! Lines in; alerts, quiet lines and skips out, every line counted once.

mod audit_lines;
mod calls;
mod closings;
mod delivered;
mod explain;
mod judge;
mod reasons;
mod repeats;
mod text_lines;

use std::collections::BTreeMap;

use crate::alert::Alert;
use crate::envelope::{BadEntry, Envelope, LogLine};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stream::Source;

pub use self::calls::analyze_cloudtrail;
pub use self::closings::close_all;
pub use self::delivered::{Delivered, analyze_delivery};
pub use self::explain::{Changed, Decision, Explained, Explanation};
pub use self::judge::{Form, Judge};
pub use self::reasons::{Quiet, Skip};

/// Who is told why each line alerted or stayed quiet.
pub type Explain<'e> = dyn FnMut(Explanation) + 'e;

/// What became of the lines of one batch. Every line delivered ends as evidence of an alert, as quiet, or as skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    let mut judge = Judge::new(source, settings);
    for line in lines {
        judge.line(line, settings, memory);
    }
    judge.finish(memory)
}

/// Judges as [`analyze`] does, and tells of each line of the audit stream, and of each that cannot be read, why.
pub fn explain<'l>(
    source: &Source,
    lines: impl IntoIterator<Item = Result<LogLine<'l>, BadEntry>>,
    settings: &Settings,
    memory: &mut Memory,
    tell: &mut Explain<'_>,
) -> Report {
    let mut judge = Judge::new(source, settings);
    for (number, line) in lines.into_iter().enumerate() {
        if let Some(explanation) = judge.explain(line, settings, memory) {
            tell(Explanation { line: Some(number), ..explanation });
        }
    }
    judge.finish_explaining(memory, tell)
}

/// Judges one opened delivery. Damage to the delivery is counted as a skip.
pub fn analyze_envelope(envelope: &Envelope, settings: &Settings, memory: &mut Memory) -> Report {
    let report = analyze(envelope.source(), envelope.lines(), settings, memory);
    damaged(report, envelope.damage().is_some())
}

/// Judges as [`analyze_envelope`] does, and tells why as [`explain`] does.
pub fn explain_envelope(
    envelope: &Envelope,
    settings: &Settings,
    memory: &mut Memory,
    tell: &mut Explain<'_>,
) -> Report {
    let report = explain(envelope.source(), envelope.lines(), settings, memory, tell);
    damaged(report, envelope.damage().is_some())
}

fn damaged(mut report: Report, damaged: bool) -> Report {
    if damaged {
        report.skip(Skip::DamagedDelivery);
    }
    report
}

/// The source, with the log stream of the line itself.
fn placed(source: &Source, log_stream: Option<&str>) -> Source {
    Source { log_stream: log_stream.map(ToOwned::to_owned).or_else(|| source.log_stream.clone()), ..source.clone() }
}
