//! Collecting lines into batches and having them judged.

mod batch;
mod place;

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::envelope::{BadEntry, Delivery, EnvelopeError, EnvelopeKind, LogLine};
use rolewatch_analyzer::exceptions::{Applied, Exceptions};
use rolewatch_analyzer::gather::gather_at_most;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{
    Explanation, Form, Report, analyze_cloudtrail, analyze_delivery, close_all, explain_envelope,
};
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::sift::{Lines, Sifted, Sifter};
use rolewatch_analyzer::stream::Source;

use self::batch::Batch;
use self::place::Place;
use crate::error::Error;
use crate::tally::{Ordinary, Reason, Tally};

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
    sifter: Sifter,
    sifted: Sifted,
    /// Alerts not yet gathered, and how many lines they come from.
    alerts: Vec<Alert>,
    alerts_lines: u64,
    exceptions: Option<&'a Exceptions>,
    silenced: Vec<(Alert, Vec<String>)>,
    tally: Tally,
    place: Place,
    wanted: Wanted,
    explained: Vec<(String, Explanation)>,
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
            sifter: Sifter::new(),
            sifted: Sifted::default(),
            alerts: Vec::new(),
            alerts_lines: 0,
            exceptions: None,
            silenced: Vec::new(),
            tally: Tally::default(),
            place: Place::default(),
            wanted: Wanted::Nothing,
            explained: Vec::new(),
        }
    }

    /// The same run, which already knows something.
    pub(crate) fn remembering(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// The same run, which looks at every byte of every line, and names so many places of each reason why something could
    /// not be read.
    pub(crate) fn strict(mut self, places: Option<usize>) -> Self {
        self.tally.places_max = places;
        if places.is_some() {
            self.sifter = self.sifter.strict();
        }
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
        self.place.open(name);
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
        self.place.at(line);
    }

    /// What follows is an event of this stream and time.
    pub(crate) fn at_event(&mut self, stream: &str, time_ms: i64) {
        self.place.at_event(stream, time_ms);
    }

    /// The line of the file that is being read.
    pub(crate) fn line_number(&self) -> u64 {
        self.place.line()
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
        if self.batch.is_full_for(line.message.len()) {
            self.judge();
        }
        self.batch.note(&line.message);
        self.take(Ok(line.clone()));
    }

    /// Takes an entry that holds no line.
    pub(crate) fn bad(&mut self, entry: BadEntry) {
        self.batch.note_bad();
        self.take(Err(entry));
    }

    fn take(&mut self, line: Result<LogLine<'_>, BadEntry>) {
        let judge = self.batch.judge(self.settings);
        if self.wanted == Wanted::Nothing {
            judge.line(line, self.settings, &mut self.memory);
        } else if let Some(explanation) = judge.explain(line, self.settings, &mut self.memory)
            && self.wanted.wants(&explanation)
        {
            self.explained.push((self.place.to_string(), explanation));
        }
        if let Some(reason) = self.batch.skipped() {
            self.tally.locate(reason.as_str(), self.place.to_string(), self.place.line());
        }
    }

    /// Takes the audit events at the beginning of `text`, one per line, up to the first that has to be looked at more
    /// closely, and tells how many bytes and lines that were.
    pub(crate) fn run(&mut self, text: &[u8]) -> (usize, usize) {
        // Whoever wants to know why, or how much, has every line read.
        if self.wanted != Wanted::Nothing || self.measure.is_some() {
            return (0, 0);
        }
        let (lines_max, bytes_max) = self.batch.room();
        let judge = self.batch.judge(self.settings);
        let lines = Lines { source: judge.source(), settings: self.settings, lines_max, bytes_max };
        let (bytes, lines) = lines.sift(text, &mut self.sifter, &mut self.sifted);
        let text = text.get(..bytes).unwrap_or_default();
        judge.block(&self.sifted, text, Form::Lines, self.settings, &mut self.memory);
        if lines > 0 {
            self.batch.note_run(lines, bytes - lines);
            self.place.advance(u64::try_from(lines - 1).unwrap_or_default());
        }
        (bytes, lines)
    }

    /// Takes one delivery of CloudWatch Logs; an error says that it is none that can be opened.
    pub(crate) fn delivery(&mut self, delivery: Delivery<'_>) -> Result<(), EnvelopeError> {
        self.judge();
        if let Some(measure) = &mut self.measure {
            for envelope in delivery.envelopes()? {
                envelope.lines().into_iter().flatten().for_each(|line| measure(&line));
            }
        }
        if self.wanted == Wanted::Nothing {
            for document in analyze_delivery(delivery, self.settings, &mut self.memory, &mut self.sifter)? {
                self.document(document.kind, document.report);
            }
            return Ok(());
        }
        for envelope in delivery.envelopes()? {
            let place = self.place.to_string();
            let (wanted, explained) = (&self.wanted, &mut self.explained);
            let report = explain_envelope(&envelope, self.settings, &mut self.memory, &mut |explanation| {
                if wanted.wants(&explanation) {
                    explained.push((place.clone(), explanation));
                }
            });
            self.document(envelope.kind(), report);
        }
        Ok(())
    }

    fn document(&mut self, kind: EnvelopeKind, report: Report) {
        if kind == EnvelopeKind::Control {
            return self.quiet(Ordinary::ControlMessage);
        }
        for (reason, count) in &report.skipped {
            self.tally.skip(reason.as_str(), reason.meaning(), *count);
            self.tally.locate(reason.as_str(), self.place.to_string(), self.place.line());
        }
        self.absorb(report);
    }

    /// Takes one call of the AWS API, as CloudTrail recorded it.
    pub(crate) fn call(&mut self, record: &[u8]) {
        self.judge();
        let report = analyze_cloudtrail(&String::from_utf8_lossy(record), self.settings, &mut self.memory);
        let place = self.place.to_string();
        let told = report.alerts.iter().map(Explanation::of_alert).filter(|explanation| self.wanted.wants(explanation));
        self.explained.extend(told.map(|explanation| (place.clone(), explanation)));
        for (reason, count) in &report.skipped {
            self.tally.skip(reason.as_str(), reason.meaning(), *count);
            self.tally.locate(reason.as_str(), self.place.to_string(), self.place.line());
        }
        self.absorb(report);
    }

    /// Counts something that carries no line and is as it should be.
    pub(crate) fn quiet(&mut self, reason: Ordinary) {
        self.tally.lines += 1;
        self.tally.quiet(reason.as_str(), reason.meaning(), 1);
    }

    /// Counts something that could not be read.
    pub(crate) fn skip(&mut self, reason: Reason) {
        self.tally.skip(reason.as_str(), reason.hint(), 1);
        self.tally.locate(reason.as_str(), self.place.to_string(), self.place.line());
    }

    /// Judges and hands on what has become too much to hold.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        if self.batch.is_full() {
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
        self.tally.lines + self.batch.lines()
    }

    fn judge(&mut self) {
        let Some(judge) = self.batch.end() else { return };
        let (wanted, explained) = (&self.wanted, &mut self.explained);
        let report = judge.finish_explaining(&mut self.memory, &mut |explanation| {
            if wanted.wants(&explanation) {
                explained.push((self.place.file().to_owned(), explanation));
            }
        });
        for (reason, count) in &report.skipped {
            self.tally.skip(reason.as_str(), reason.meaning(), *count);
        }
        self.absorb(report);
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

/// Lines after which alerts are gathered and handed on: a burst of one actor rarely spans more, and nobody should
/// have to wait for the end of a long log to see the first alert.
const GATHER_LINES: u64 = 20_000;
/// Alerts after which they are gathered and handed on, however few lines that were.
const GATHER_ALERTS: usize = 1_000;
