//! Judging one batch, line by line: what is kept from one line to the next is a value.

use std::sync::Arc;

use super::explain::Before;
use super::{Explain, Explanation, Quiet, Report, Skip, audit_lines, closings, text_lines};
use crate::envelope::{BadEntry, LogLine, read_line};
use crate::json::Reader;
use crate::lesson::Visit;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::sift::{Everyday, Sifted, What};
use crate::stream::{Source, Stream};

/// One batch while it is judged: lines from one source, in order.
#[derive(Debug)]
pub struct Judge {
    source: Source,
    report: Report,
    audit: audit_lines::State,
    waiting: Waiting,
    /// The callers of the blocks, each with how much the memory had been taught when it was last asked.
    asked: Vec<Option<(Arc<Visit>, u64)>>,
}

/// How the lines of a sifted block stand in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Entries of a delivery's document.
    Entries,
    /// One audit event per line.
    Lines,
}

/// Lines that are judged when the whole batch is there.
#[derive(Debug, Default)]
struct Waiting {
    /// Of the api stream.
    text: Vec<LogLine<'static>>,
    /// Of the authenticator stream.
    logins: Vec<LogLine<'static>>,
}

impl Judge {
    /// A batch of lines from `source`; what that does not say, the settings say.
    #[must_use]
    pub fn new(source: &Source, settings: &Settings) -> Self {
        let source = source.clone().or(&settings.source);
        let (audit, waiting) = (audit_lines::State::default(), Waiting::default());
        Self { source, report: Report::default(), audit, waiting, asked: Vec::new() }
    }

    /// Where the lines come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What became of the lines so far. Text lines wait for the end of the batch.
    #[must_use]
    pub fn so_far(&self) -> &Report {
        &self.report
    }

    /// Judges a line that stands alone, and keeps one that may go on. A line's own log stream, if it has one, counts over
    /// that of the batch. A bad entry is counted as skipped.
    pub fn line(&mut self, line: Result<LogLine<'_>, BadEntry>, settings: &Settings, memory: &mut Memory) {
        let Self { source, report, audit, waiting, .. } = self;
        report.lines += 1;
        let line = match line {
            Ok(line) => line,
            Err(bad) => return report.skip(bad.into()),
        };
        report.first_ms = report.first_ms.or(line.timestamp_ms);
        match stream(&line, source) {
            Some(Stream::Audit) => {
                audit_lines::Batch { source, settings, memory, state: audit }.judge(&line, report);
            }
            // Entries of the api stream may go on over several lines, so they wait until they are whole.
            Some(Stream::Api) => waiting.text.push(line.into_owned()),
            // A reload of aws-auth is told by what the audit stream said before it.
            Some(Stream::Authenticator) => waiting.logins.push(line.into_owned()),
            Some(_) => report.quiet(Quiet::OtherStream, 1),
            // A line that looks like nothing, right after klog text, continues it.
            None if !waiting.text.is_empty() && line.log_stream.is_none() && source.log_stream.is_none() => {
                waiting.text.push(line.into_owned());
            }
            None if line.message.trim().is_empty() => report.skip(Skip::Empty),
            None => report.skip(Skip::UnknownText),
        }
    }

    /// Judges a block of lines of which most are known to be quiet. `text` is what was sifted. The memory has to be the one
    /// that judged the blocks before.
    pub fn block(&mut self, sifted: &Sifted, text: &[u8], form: Form, settings: &Settings, memory: &mut Memory) {
        self.asked.resize(sifted.visits.len(), None);
        let mut quiet = sifted.quiet;
        let first = sifted.first.unwrap_or((usize::MAX, 0));
        for (number, step) in sifted.steps.iter().enumerate() {
            if number == first.0 {
                self.report.first_ms.get_or_insert(first.1);
            }
            match step.what {
                What::Visit(caller, why) if self.is_nothing_new(caller, sifted, memory) => {
                    Everyday::count(&mut quiet, why);
                }
                What::Read | What::Visit(..) => {
                    let (start, end) = (step.at.0 as usize, step.at.1 as usize);
                    let text = text.get(start..end).unwrap_or_default();
                    self.line(read(text, form), settings, memory);
                }
            }
        }
        if let Some((_, first_ms)) = sifted.first {
            self.report.first_ms.get_or_insert(first_ms);
        }
        for (why, lines) in Everyday::ALL.into_iter().zip(quiet).filter(|(_, lines)| *lines > 0) {
            self.report.lines += lines;
            self.report.quiet(why.into(), lines);
        }
        self.audit.latest = self.audit.latest.max(sifted.latest);
    }

    /// Counts a line that is longer than any line may be.
    pub(super) fn too_long(&mut self, settings: &Settings, memory: &mut Memory) {
        self.line(Err(BadEntry::TooLong), settings, memory);
    }

    /// Whether a request of a caller teaches at most who came from where, and teaches it. While nothing else is learnt, one
    /// answer holds for all requests of the caller.
    fn is_nothing_new(&mut self, caller: u32, sifted: &Sifted, memory: &mut Memory) -> bool {
        let index = caller as usize;
        let (Some(visit), Some(asked)) = (sifted.visits.get(index), self.asked.get_mut(index)) else {
            return false;
        };
        if asked.as_ref().is_some_and(|(known, taught)| Arc::ptr_eq(known, visit) && *taught == memory.taught()) {
            return true;
        }
        if visit.is_remembered(memory) {
            return false;
        }
        visit.teach(memory);
        *asked = Some((Arc::clone(visit), memory.taught()));
        true
    }

    /// Judges as [`Judge::line`] does, and says why; `None` while the line waits for the lines after it.
    pub fn explain(
        &mut self,
        line: Result<LogLine<'_>, BadEntry>,
        settings: &Settings,
        memory: &mut Memory,
    ) -> Option<Explanation> {
        let before = Before::of(&self.report);
        self.audit.explains = true;
        self.line(line, settings, memory);
        let event = self.audit.explained.take();
        before.decision(&self.report).map(|decision| Explanation { line: None, decision, event })
    }

    /// Judges what waits, and closes the sessions whose hour is over.
    pub fn finish(self, memory: &mut Memory) -> Report {
        self.finish_explaining(memory, &mut |_| {})
    }

    /// The same, telling why text lines are an alert.
    pub fn finish_explaining(self, memory: &mut Memory, tell: &mut Explain<'_>) -> Report {
        let Self { source, mut report, audit, waiting, .. } = self;
        let told = report.alerts.len();
        let mut lines = text_lines::Batch::new(&source, memory);
        lines.judge_api(&waiting.text, &mut report);
        lines.judge_logins(&waiting.logins, &mut report);
        report.alerts.iter().skip(told).map(Explanation::of_alert).for_each(tell);
        if let Some(latest) = audit.latest {
            report.alerts.extend(closings::close(memory, source.cluster.as_deref().unwrap_or_default(), latest));
        }
        report
    }
}

fn stream(line: &LogLine<'_>, source: &Source) -> Option<Stream> {
    line.log_stream
        .as_deref()
        .and_then(Stream::of_name)
        .or_else(|| source.stream())
        .or_else(|| Stream::of_content(&line.message))
}

/// The line that a step of a block is about.
fn read(text: &[u8], form: Form) -> Result<LogLine<'_>, BadEntry> {
    match form {
        Form::Entries => read_line(&mut Reader::new(text)).unwrap_or(Err(BadEntry::Unreadable)),
        Form::Lines => Ok(LogLine { timestamp_ms: None, log_stream: None, message: String::from_utf8_lossy(text) }),
    }
}
