//! Collecting lines into batches and having them judged.

use std::borrow::Cow;
use std::ops::Range;

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::envelope::{BadEntry, Envelope, LogLine};
use rolewatch_analyzer::exceptions::{Applied, Exceptions};
use rolewatch_analyzer::gather::gather_at_most;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{
    Explanation, Report, analyze, analyze_cloudtrail, analyze_envelope, close_all, explain, explain_envelope,
};
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::stream::{Source, Stream};

use crate::error::Error;
use crate::tally::{Reason, Tally};

/// What is found, as it is handed on from time to time.
#[derive(Debug)]
pub(crate) struct Found {
    /// Gathered alerts.
    pub(crate) alerts: Vec<Alert>,
    /// Alerts that need not be told, each with the ids of the exceptions that cover it.
    pub(crate) silenced: Vec<(Alert, Vec<String>)>,
    /// Why lines alerted or stayed quiet, each with its place, `file:line`.
    pub(crate) explained: Vec<(String, Explanation)>,
}

/// Who is shown every line as it comes.
pub(crate) type Measure<'a> = dyn FnMut(&LogLine<'_>) + 'a;

/// Where it goes.
pub(crate) type Deliver<'a> = dyn FnMut(Found) -> Result<(), Error> + 'a;

/// Which lines are to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// None.
    Nothing,
    /// Those of interest.
    Interest,
    /// Those of the event with this audit ID.
    Event(String),
}

impl Wanted {
    fn wants(&self, explanation: &Explanation) -> bool {
        match self {
            Self::Nothing => false,
            Self::Interest => explanation.is_of_interest(),
            Self::Event(id) => explanation.event.as_ref().is_some_and(|event| event.evidence.audit_id == *id),
        }
    }
}

/// One run over any number of files: one memory, one count.
pub(crate) struct Intake<'a> {
    settings: &'a Settings,
    deliver: &'a mut Deliver<'a>,
    measure: Option<&'a mut Measure<'a>>,
    memory: Memory,
    batch: Batch,
    /// Alerts not yet gathered, and how many lines they come from.
    alerts: Vec<Alert>,
    alerts_lines: u64,
    exceptions: Option<&'a Exceptions>,
    silenced: Vec<(Alert, Vec<String>)>,
    tally: Tally,
    file: String,
    line: u64,
    wanted: Wanted,
    explained: Vec<(String, Explanation)>,
}

/// Lines waiting to be judged, in one piece of memory.
#[derive(Default)]
struct Batch {
    source: Source,
    text: String,
    lines: Vec<Waiting>,
    /// Names of log streams; few, and most lines share one.
    streams: Vec<String>,
}

struct Waiting {
    /// Line of the file.
    at: u64,
    timestamp_ms: Option<i64>,
    /// Index into [`Batch::streams`].
    stream: Option<usize>,
    message: Result<Range<usize>, BadEntry>,
}

impl Batch {
    fn line(&self, waiting: &Waiting) -> Result<LogLine<'_>, BadEntry> {
        let message = waiting.message.clone()?;
        let stream = waiting.stream.and_then(|stream| self.streams.get(stream));
        Ok(LogLine {
            timestamp_ms: waiting.timestamp_ms,
            log_stream: stream.map(|name| Cow::Borrowed(name.as_str())),
            message: Cow::Borrowed(self.text.get(message).unwrap_or_default()),
        })
    }

    /// Whether this is a good place to end: not inside what the API server printed in several lines.
    fn may_end(&self) -> bool {
        let last = self.lines.last().and_then(|waiting| self.line(waiting).ok());
        last.is_none_or(|line| Stream::of_content(&line.message) != Some(Stream::Api))
    }
}

impl<'a> Intake<'a> {
    /// A run that judges by `settings` and hands its alerts to `deliver`.
    pub(crate) fn new(settings: &'a Settings, deliver: &'a mut Deliver<'a>) -> Self {
        Self {
            settings,
            deliver,
            measure: None,
            memory: Memory::default(),
            batch: Batch::default(),
            alerts: Vec::new(),
            alerts_lines: 0,
            exceptions: None,
            silenced: Vec::new(),
            tally: Tally::default(),
            file: String::new(),
            line: 0,
            wanted: Wanted::Nothing,
            explained: Vec::new(),
        }
    }

    /// The same run, which already knows something.
    pub(crate) fn remembering(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// The same run, which names so many places of each reason why something could not be read.
    pub(crate) fn locating(mut self, places: Option<usize>) -> Self {
        self.tally.places_max = places;
        self
    }

    /// The same run, in which some alerts need not be told.
    pub(crate) fn excepting(self, exceptions: &'a Exceptions) -> Self {
        Self { exceptions: Some(exceptions), ..self }
    }

    /// The same run, which also explains lines.
    pub(crate) fn explaining(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// The same run, which also shows every line to `measure`.
    pub(crate) fn measuring(self, measure: &'a mut Measure<'a>) -> Self {
        Self { measure: Some(measure), ..self }
    }

    /// What follows comes from this file.
    pub(crate) fn open_file(&mut self, name: &str) {
        self.tally.files += 1;
        name.clone_into(&mut self.file);
        self.line = 0;
        self.source(&Source::default());
    }

    /// The file ends here.
    pub(crate) fn close_file(&mut self) -> Result<(), Error> {
        self.judge();
        self.settle()
    }

    /// Judges and hands on everything that waits; more may follow.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.judge();
        self.hand_on()
    }

    /// What follows comes from this line of the file.
    pub(crate) fn at(&mut self, line: u64) {
        self.line = line;
    }

    /// The line of the file that is being read.
    pub(crate) fn line_number(&self) -> u64 {
        self.line
    }

    /// The lines that follow come from `source`.
    pub(crate) fn source(&mut self, source: &Source) {
        if self.batch.source != *source {
            self.judge();
            source.clone_into(&mut self.batch.source);
        }
    }

    /// Takes one log line.
    pub(crate) fn line(&mut self, line: &LogLine<'_>) {
        if let Some(measure) = &mut self.measure {
            measure(line);
        }
        if self.batch.text.len() + line.message.len() > BATCH_BYTES && self.batch.may_end()
            || self.batch.text.len() > 2 * BATCH_BYTES
            || self.batch.streams.len() > BATCH_STREAMS
        {
            self.judge();
        }
        let start = self.batch.text.len();
        self.batch.text.push_str(&line.message);
        let stream = line.log_stream.as_deref().map(|name| self.stream(name));
        self.batch.lines.push(Waiting {
            at: self.line,
            timestamp_ms: line.timestamp_ms,
            stream,
            message: Ok(start..self.batch.text.len()),
        });
    }

    fn stream(&mut self, name: &str) -> usize {
        let streams = &mut self.batch.streams;
        streams.iter().rposition(|known| known == name).unwrap_or_else(|| {
            streams.push(name.to_owned());
            streams.len() - 1
        })
    }

    /// Takes an entry that holds no line.
    pub(crate) fn bad(&mut self, entry: BadEntry) {
        self.batch.lines.push(Waiting { at: self.line, timestamp_ms: None, stream: None, message: Err(entry) });
    }

    /// Takes one delivery of CloudWatch Logs.
    pub(crate) fn delivery(&mut self, envelope: &Envelope) {
        self.judge();
        if let Some(measure) = &mut self.measure {
            envelope.lines().into_iter().flatten().for_each(|line| measure(&line));
        }
        let report = if self.wanted == Wanted::Nothing {
            analyze_envelope(envelope, self.settings, &mut self.memory)
        } else {
            let place = place(&self.file, self.line);
            let (wanted, explained) = (&self.wanted, &mut self.explained);
            explain_envelope(envelope, self.settings, &mut self.memory, &mut |explanation| {
                if wanted.wants(&explanation) {
                    explained.push((place.clone(), explanation));
                }
            })
        };
        for (reason, count) in &report.skipped {
            self.tally.skip(reason.as_str(), reason.meaning(), *count);
            self.tally.locate(reason.as_str(), &self.file, self.line);
        }
        self.absorb(report);
    }

    /// Takes one call of the AWS API, as CloudTrail recorded it.
    pub(crate) fn call(&mut self, record: &[u8]) {
        self.judge();
        let report = analyze_cloudtrail(&String::from_utf8_lossy(record), self.settings, &mut self.memory);
        let told = report.alerts.iter().map(Explanation::of_alert).filter(|explanation| self.wanted.wants(explanation));
        self.explained.extend(told.map(|explanation| (place(&self.file, self.line), explanation)));
        for (reason, count) in &report.skipped {
            self.tally.skip(reason.as_str(), reason.meaning(), *count);
            self.tally.locate(reason.as_str(), &self.file, self.line);
        }
        self.absorb(report);
    }

    /// Counts something that carries no line and is as it should be.
    pub(crate) fn quiet(&mut self, reason: &'static str, meaning: &'static str) {
        self.tally.lines += 1;
        self.tally.quiet(reason, meaning, 1);
    }

    /// Counts something that could not be read.
    pub(crate) fn skip(&mut self, reason: Reason) {
        self.tally.skip(reason.as_str(), reason.hint(), 1);
        self.tally.locate(reason.as_str(), &self.file, self.line);
    }

    /// Judges and hands on what has become too much to hold.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        if self.batch.lines.len() >= BATCH_LINES && self.batch.may_end() || self.batch.lines.len() >= 2 * BATCH_LINES {
            self.judge();
        }
        let waiting = [self.alerts.len(), self.silenced.len(), self.explained.len()];
        if self.alerts_lines >= GATHER_LINES || waiting.into_iter().any(|count| count >= GATHER_ALERTS) {
            self.hand_on()?;
        }
        Ok(())
    }

    /// Judges and hands on everything, the last words on sessions included, and tells what was counted and what is
    /// known now.
    pub(crate) fn finish(mut self) -> Result<(Tally, Memory), Error> {
        self.judge();
        let alerts = close_all(&mut self.memory);
        self.absorb(Report { alerts, ..Report::default() });
        self.leave()
    }

    /// The same without the last words: the sessions go on with what is known now.
    pub(crate) fn leave(mut self) -> Result<(Tally, Memory), Error> {
        self.flush()?;
        self.tally.memory_dropped = self.memory.dropped();
        Ok((self.tally, self.memory))
    }

    /// What is known from what was judged.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Goes on with what another run knew.
    pub(crate) fn remember(&mut self, memory: Memory) {
        self.memory = memory;
    }

    /// Lines counted so far, those that still wait included.
    pub(crate) fn lines(&self) -> u64 {
        self.tally.lines + u64::try_from(self.batch.lines.len()).unwrap_or(u64::MAX)
    }

    fn judge(&mut self) {
        if self.batch.lines.is_empty() {
            return;
        }
        let batch = &self.batch;
        let lines = batch.lines.iter().map(|waiting| batch.line(waiting));
        let report = if self.wanted == Wanted::Nothing {
            analyze(&batch.source, lines, self.settings, &mut self.memory)
        } else {
            let (wanted, explained, file) = (&self.wanted, &mut self.explained, &self.file);
            explain(&batch.source, lines, self.settings, &mut self.memory, &mut |explanation| {
                if wanted.wants(&explanation) {
                    let line = explanation.line.and_then(|line| batch.lines.get(line)).map_or(0, |line| line.at);
                    explained.push((place(file, line), explanation));
                }
            })
        };
        if report.skipped_total() > 0 {
            self.locate(&report);
        }
        self.batch.lines.clear();
        self.batch.text.clear();
        self.batch.streams.clear();
        self.absorb(report);
    }

    /// Counts the skips of the batch, and finds the first lines they come from. A line can or cannot be read whatever
    /// stands around it, so it is asked for each line alone.
    fn locate(&mut self, report: &Report) {
        for (reason, count) in &report.skipped {
            self.tally.skip(reason.as_str(), reason.meaning(), *count);
        }
        let wanted: Vec<&str> = report.skipped.keys().map(|reason| reason.as_str()).collect();
        for waiting in &self.batch.lines {
            if wanted.iter().all(|reason| self.tally.is_located(reason)) {
                break;
            }
            let line = self.batch.line(waiting);
            let alone = analyze(&self.batch.source, [line], self.settings, &mut Memory::default());
            for reason in alone.skipped.keys().filter(|reason| wanted.contains(&reason.as_str())) {
                self.tally.locate(reason.as_str(), &self.file, waiting.at);
            }
        }
    }

    fn absorb(&mut self, mut report: Report) {
        if let Some(exceptions) = self.exceptions {
            let Applied { silenced, used, expired, .. } = exceptions.apply_to(&mut report);
            self.silenced.extend(silenced);
            self.tally.excepted(used, expired);
        }
        self.tally.lines += report.lines;
        self.tally.alerted += report.alerted;
        for (reason, count) in &report.quiet {
            self.tally.quiet(reason.as_str(), reason.meaning(), *count);
        }
        self.alerts_lines += report.lines;
        self.alerts.extend(report.alerts);
    }

    fn hand_on(&mut self) -> Result<(), Error> {
        self.alerts_lines = 0;
        // No cap: whoever reads a file wants to see every alert.
        let alerts = gather_at_most(std::mem::take(&mut self.alerts), usize::MAX);
        let (silenced, explained) = (std::mem::take(&mut self.silenced), std::mem::take(&mut self.explained));
        (self.deliver)(Found { alerts, silenced, explained })
    }
}

fn place(file: &str, line: u64) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}:{line}") }
}

/// Text judged at once: 4 MiB, which keeps the whole command under 16 MiB on logs of any length.
const BATCH_BYTES: usize = 4 << 20;
/// Lines judged at once, for logs of very short lines.
const BATCH_LINES: usize = 20_000;
/// Names of streams in one batch. A control plane has about ten; each is looked up by going through them all.
const BATCH_STREAMS: usize = 256;
/// Lines after which alerts are gathered and handed on: a burst of one actor rarely spans more, and nobody should
/// have to wait for the end of a long log to see the first alert.
const GATHER_LINES: u64 = 20_000;
/// Alerts after which they are gathered and handed on, however few lines that were.
const GATHER_ALERTS: usize = 1_000;
