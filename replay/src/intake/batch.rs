//! Lines that are judged together: as many as are worth it, and none of an entry that goes on.

use std::collections::BTreeMap;

use rolewatch_analyzer::report::{Judge, Skip};
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::stream::{Source, Stream};

/// Lines that are judged together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) source: Source,
    judge: Option<Judge>,
    lines: usize,
    bytes: usize,
    /// The last line is of the api stream, and what the API server prints may be several lines long.
    in_entry: bool,
    /// What could not be read so far.
    skipped: BTreeMap<Skip, u64>,
}

impl Batch {
    /// Who judges it.
    pub(super) fn judge(&mut self, settings: &Settings) -> &mut Judge {
        self.judge.get_or_insert_with(|| Judge::new(&self.source, settings))
    }

    /// Whether a line of so many bytes is one too many.
    pub(super) fn is_full_for(&self, bytes: usize) -> bool {
        self.bytes + bytes > BYTES && !self.in_entry || self.bytes > 2 * BYTES
    }

    /// Whether it holds as many lines as are judged at once.
    pub(super) fn is_full(&self) -> bool {
        self.lines >= LINES && !self.in_entry || self.lines >= 2 * LINES
    }

    /// How many more lines and bytes it takes, so that it ends where it would end if each line came by itself.
    pub(super) fn room(&self) -> (usize, usize) {
        (LINES.saturating_sub(self.lines), BYTES.saturating_sub(self.bytes))
    }

    /// Notes a line.
    pub(super) fn note(&mut self, message: &str) {
        self.lines += 1;
        self.bytes += message.len();
        self.in_entry = Stream::of_content(message) == Some(Stream::Api);
    }

    /// Notes an entry that holds no line.
    pub(super) fn note_bad(&mut self) {
        self.lines += 1;
        self.in_entry = false;
    }

    /// Notes lines of audit events, and how many bytes they have.
    pub(super) fn note_run(&mut self, lines: usize, bytes: usize) {
        self.lines += lines;
        self.bytes += bytes;
        self.in_entry = false;
    }

    /// Lines that wait.
    pub(super) fn lines(&self) -> u64 {
        u64::try_from(self.lines).unwrap_or(u64::MAX)
    }

    /// The reason for which a line was skipped since this was asked last.
    pub(super) fn skipped(&mut self) -> Option<Skip> {
        let skipped = &self.judge.as_ref()?.so_far().skipped;
        let grown = skipped.iter().find(|(reason, count)| self.skipped.get(reason) != Some(count));
        let (reason, count) = grown.map(|(reason, count)| (*reason, *count))?;
        self.skipped.insert(reason, count);
        Some(reason)
    }

    /// Ends it: the next line begins another of the same source. Nothing when nobody has judged anything yet.
    pub(super) fn end(&mut self) -> Option<Judge> {
        let source = std::mem::take(&mut self.source);
        std::mem::replace(self, Self { source, ..Self::default() }).judge
    }
}

/// Text judged at once: 4 MiB, which keeps the whole command under 16 MiB on logs of any length.
const BYTES: usize = 4 << 20;
/// Lines judged at once, for logs of very short lines.
const LINES: usize = 20_000;
