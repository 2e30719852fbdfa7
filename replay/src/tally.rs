//! What became of everything that was read, by count and by place.

use std::collections::BTreeMap;

use rolewatch_analyzer::envelope::EnvelopeError;

/// What became of everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Files, standard input included.
    pub(crate) files: u64,
    /// Log lines.
    pub(crate) lines: u64,
    /// Lines that are evidence of an alert.
    pub(crate) alerted: u64,
    /// Lines judged and found ordinary, by reason.
    pub(crate) quiet: BTreeMap<&'static str, Quieted>,
    /// What could not be read, by reason.
    pub(crate) skipped: BTreeMap<&'static str, Skipped>,
    /// How many alerts each exception helped to silence, by its id.
    pub(crate) excepted: BTreeMap<String, u64>,
    /// How many alerts each expired exception would have silenced, by its id.
    pub(crate) expired: BTreeMap<String, u64>,
    /// Entries that the memory of earlier events dropped because it was full.
    pub(crate) memory_dropped: u64,
    /// How many places to name for each reason, where it is not [`PLACES_MAX`].
    pub(crate) places_max: Option<usize>,
    first_skip: Option<FirstSkip>,
}

/// The first place where something could not be read. Lines are judged in batches, so it is not met first.
#[derive(Debug)]
struct FirstSkip {
    /// How many files were opened, and the line of the last one.
    at: (u64, u64),
    place: String,
}

/// Lines that are ordinary, for one reason.
#[derive(Debug, Default)]
pub(crate) struct Quieted {
    /// How many.
    pub(crate) count: u64,
    /// The reason in words.
    pub(crate) meaning: &'static str,
}

/// What could not be read, for one reason.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// How often.
    pub(crate) count: u64,
    /// What that means and what to do.
    pub(crate) hint: &'static str,
    /// The first places, `file:line`.
    pub(crate) places: Vec<String>,
}

/// Why a piece of the input is no log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// JSON, but nothing that holds log lines.
    Unknown,
    /// No text.
    Binary,
    /// Text, but not one line of a control-plane log.
    NoLog,
    /// A gzip layer breaks off or fails its checksum.
    GzipDamaged,
    /// More layers than anyone makes.
    Nested,
    /// A document breaks off.
    Cut,
    /// A document beyond the limit.
    TooLarge,
    /// An event or record without the data that it should carry.
    NoData,
    /// A query result without `@message`.
    NoMessage,
    /// A notification about an object.
    S3Notification,
    /// A delivery that could not be opened.
    Delivery(EnvelopeError),
}

impl Reason {
    /// Every reason that has no code of its own; deliveries have theirs.
    #[cfg(test)]
    const ALL: [Self; 10] = [
        Self::Unknown,
        Self::Binary,
        Self::NoLog,
        Self::GzipDamaged,
        Self::Nested,
        Self::Cut,
        Self::TooLarge,
        Self::NoData,
        Self::NoMessage,
        Self::S3Notification,
    ];

    /// A stable word, in kebab case.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown-content",
            Self::Binary => "not-text",
            Self::NoLog => "not-a-log",
            Self::GzipDamaged => "gzip-damaged",
            Self::Nested => "nested-too-deep",
            Self::Cut => "document-cut",
            Self::TooLarge => "document-too-large",
            Self::NoData => "no-data",
            Self::NoMessage => "no-message-column",
            Self::S3Notification => "s3-notification",
            Self::Delivery(error) => error.code(),
        }
    }

    /// What it means and what to do.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::Unknown => "JSON that holds no log lines",
            Self::Binary => "no text and no gzip",
            Self::NoLog => "text without a line of a control-plane log",
            Self::GzipDamaged => "the lines before the damage were read; fetch the file again",
            Self::Nested => "gzip or documents inside each other, more layers than any tool makes",
            Self::Cut => "the document ends early; fetch it again",
            Self::TooLarge => "one JSON document of more than 32 MiB; give its lines one by one",
            Self::NoData => "the event names no data",
            Self::NoMessage => "the query has no `@message`; add it to `fields`",
            Self::S3Notification => "it names an object and holds no log; replay the object",
            Self::Delivery(_) => "the subscription delivery cannot be opened; fetch it again",
        }
    }
}

/// Why a piece of the input that is no log line is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ordinary {
    /// What CloudWatch Logs sends to see whether a destination takes deliveries.
    ControlMessage,
    /// What an export task writes to see whether it may.
    ExportWriteTest,
    /// A case of `samples/detections`, made up, so not told as if it had happened.
    TestCase,
}

impl Ordinary {
    /// All of them.
    #[cfg(test)]
    const ALL: [Self; 3] = [Self::ControlMessage, Self::ExportWriteTest, Self::TestCase];

    /// A stable word, in kebab case.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ControlMessage => "control-message",
            Self::ExportWriteTest => "export-write-test",
            Self::TestCase => "test-case",
        }
    }

    /// What it means.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::ControlMessage => "CloudWatch Logs probing a destination",
            Self::ExportWriteTest => "an export task probing its bucket",
            Self::TestCase => "a named case of a detection's tests, not a log",
        }
    }
}

impl Tally {
    /// The first place where something could not be read, `file:line`.
    pub(crate) fn first_skip(&self) -> Option<&str> {
        self.first_skip.as_ref().map(|first| first.place.as_str())
    }

    /// How much could not be read that is counted as a line, too.
    pub(crate) fn skipped_lines(&self) -> u64 {
        let quiet: u64 = self.quiet.values().map(|quiet| quiet.count).sum();
        self.lines.saturating_sub(self.alerted + quiet)
    }

    /// Everything that could not be read.
    pub(crate) fn skipped_total(&self) -> u64 {
        self.skipped.values().map(|skipped| skipped.count).sum()
    }

    /// Counts lines that are ordinary.
    pub(crate) fn quiet(&mut self, reason: &'static str, meaning: &'static str, count: u64) {
        let quiet = self.quiet.entry(reason).or_default();
        quiet.count += count;
        quiet.meaning = meaning;
    }

    /// Counts what could not be read.
    pub(crate) fn skip(&mut self, reason: &'static str, hint: &'static str, count: u64) {
        let skipped = self.skipped.entry(reason).or_default();
        skipped.count += count;
        skipped.hint = hint;
    }

    /// Counts what exceptions did.
    pub(crate) fn excepted(&mut self, used: BTreeMap<String, u64>, expired: BTreeMap<String, u64>) {
        for (id, count) in used {
            *self.excepted.entry(id).or_default() += count;
        }
        for (id, count) in expired {
            *self.expired.entry(id).or_default() += count;
        }
    }

    /// Remembers where something was skipped that is counted already.
    pub(crate) fn locate(&mut self, reason: &'static str, place: String, line: u64) {
        let at = (self.files, line);
        if self.first_skip.as_ref().is_none_or(|first| at < first.at) {
            self.first_skip = Some(FirstSkip { at, place: place.clone() });
        }
        let max = self.places_max.unwrap_or(PLACES_MAX);
        let places = &mut self.skipped.entry(reason).or_default().places;
        if places.len() < max && !places.contains(&place) {
            places.push(place);
        }
    }
}

/// Places named for each reason.
pub(crate) const PLACES_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;
    use std::path::Path;

    use expect_test::expect_file;

    use super::{Ordinary, Reason};

    #[test]
    fn the_operators_page_has_every_reason_of_a_file() {
        let mut table = String::from("| Reason | Counted as | What it means |\n|---|---|---|\n");
        let skipped = Reason::ALL.map(|reason| (reason.as_str(), "skipped", reason.hint()));
        let quiet = Ordinary::ALL.map(|reason| (reason.as_str(), "quiet", reason.meaning()));
        for (reason, counted, meaning) in skipped.into_iter().chain(quiet) {
            writeln!(table, "| `{reason}` | {counted} | {meaning} |").unwrap();
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operate.md");
        let page = fs::read_to_string(&path).unwrap();
        let (front, rest) = page.split_once("<!-- written by a test: files -->\n").unwrap();
        let (_, back) = rest.split_once("<!-- end -->\n").unwrap();
        let page = format!("{front}<!-- written by a test: files -->\n{table}<!-- end -->\n{back}");
        expect_file![path].assert_eq(&page);
    }
}
