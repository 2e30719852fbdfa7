//! `rolewatch replay`: recorded logs in, alerts out.

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::severity::Severity;
use terminal_size::terminal_size_of;

use crate::cli::{Format, ReplayArgs};
use crate::config::Choices;
use crate::error::Error;
use crate::input::{self, Ahead, Input};
use crate::intake::{Found, Intake, Wanted};
use crate::live;
use crate::memory;
use crate::output::{Output, columns};
use crate::page::Page;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::summary;
use crate::tally::Tally;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Done,
    /// What was asked to be told by the exit status came true: an alert reached `--fail-on`.
    Reached,
    /// Before its end, by Ctrl-C.
    Stopped,
}

/// Reads everything that `options` names, writes alerts to `out` and the summary to `err`.
pub(crate) fn run(options: &ReplayArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    if options.explain && options.format != Format::Text {
        return Err(Error::ExplainFormat);
    }
    let inputs = if options.live.log_group.is_some() { Vec::new() } else { inputs(&options.paths)? };
    let choices = Choices::read(&options.reviewed, &options.about)?;
    let min = options.min_severity.or(choices.min_severity).unwrap_or(MIN_SEVERITY);
    let mut output = Output::new(out, options.format, min)
        .explaining(options.explain)
        .going_on(options.live.state.is_none() && others_wait(options));
    let cluster = choices.settings.source.cluster.as_deref().unwrap_or_default();
    let memory = options.memory.as_deref().map(|path| memory::load(path, cluster, err)).transpose()?;
    if let Some(path) = &options.save_memory {
        memory::probe(path)?;
    }
    let mut page = options.report.as_deref().map(|path| Page::create(path, min)).transpose()?;
    let progress = progress(&inputs, !options.quiet).stopping(Stop::listen());

    let mut deliver = |found: Found| {
        if let Some(page) = &mut page {
            page.add(&found.alerts);
        }
        Ok(progress.aside(|| output.write(&found))?)
    };
    let wanted = if options.explain { Wanted::Interest } else { Wanted::Nothing };
    let intake = Intake::new(&choices.settings, &mut deliver)
        .excepting(&choices.exceptions)
        .explaining(wanted)
        .strict(options.strict.then_some(STRICT_PLACES))
        .remembering(memory.unwrap_or_default());
    let read = match &options.live.log_group {
        // A state that is behind what was told repeats it; one that is ahead would leave it out.
        Some(group) => live::read(group, options, intake, &progress).map_err(|error| match error {
            Error::ReaderGone if others_wait(options) => Error::Untold,
            error => error,
        })?,
        None => read(&inputs, options.threads.unwrap_or_else(cores), intake, &progress)?,
    };
    if read.is_nothing() {
        // What an earlier run wrote is better than a page or a memory of nothing.
        all_readable(read.unreadable, err)?;
        return Ok(Outcome::Done);
    }
    let Read { tally, memory, unreadable } = read;
    if let Some(path) = &options.save_memory {
        memory::save(path, &memory)?;
    }
    let counts = output.counts();
    if let Some(page) = page {
        page.write(&tally, &counts)?;
    }
    // Ctrl-C is how following ends.
    let stopped = progress.is_stopped() && !options.live.follow;
    if !options.quiet {
        summarise(&output, &tally, min, stopped, err)?;
    }
    if options.strict {
        summary::write_places(err, &tally)?;
    }
    all_readable(unreadable, err)?;
    if options.strict && tally.skipped_total() > 0 {
        return Err(Error::Strict { count: tally.skipped_total(), first: tally.first_skip().map(str::to_owned) });
    }
    let reached = options.fail_on.is_some_and(|severity| counts.reaching(severity) > 0);
    Ok(match (stopped, reached) {
        (true, _) => Outcome::Stopped,
        (_, true) => Outcome::Reached,
        _ => Outcome::Done,
    })
}

fn summarise(output: &Output<'_>, tally: &Tally, min: Severity, stopped: bool, err: &mut dyn Write) -> io::Result<()> {
    if output.written() > 0 && io::stdout().is_terminal() {
        writeln!(err)?;
    }
    if stopped {
        writeln!(err, "Stopped by Ctrl-C; this is what was read until then.")?;
    }
    let columns = columns(terminal_size_of(io::stderr()));
    summary::write(err, tally, &output.counts(), min, columns)?;
    output.people().write(err, columns)
}

/// What a run has read.
#[derive(Debug)]
pub(crate) struct Read {
    /// What became of it.
    pub(crate) tally: Tally,
    /// What is known now.
    pub(crate) memory: Memory,
    /// What could not be read to its end.
    pub(crate) unreadable: Vec<Error>,
}

impl Read {
    /// Whether nothing came of it but errors.
    pub(crate) fn is_nothing(&self) -> bool {
        is_nothing(self.tally.lines + self.tally.skipped_total(), &self.unreadable)
    }
}

fn is_nothing(read: u64, unreadable: &[Error]) -> bool {
    read == 0 && !unreadable.is_empty()
}

/// Whether anything but standard output is to hold what was found.
fn others_wait(options: &ReplayArgs) -> bool {
    options.report.is_some() || options.save_memory.is_some() || options.fail_on.is_some()
}

/// Reads every input to its end, in so many threads. One bad file does not cost the others.
pub(crate) fn read(inputs: &[Input], threads: usize, intake: Intake<'_>, progress: &Progress) -> Result<Read, Error> {
    // One of the threads judges.
    match threads.saturating_sub(1) {
        0 => read_in_order(inputs, None, intake, progress),
        readers => Ahead::run(inputs, readers, progress, |ahead| read_in_order(inputs, Some(ahead), intake, progress)),
    }
}

fn read_in_order(
    inputs: &[Input],
    mut ahead: Option<&mut Ahead<'_>>,
    mut intake: Intake<'_>,
    progress: &Progress,
) -> Result<Read, Error> {
    let mut unreadable = Vec::new();
    for input in inputs {
        match input.read(ahead.as_deref_mut(), &mut intake, progress) {
            // The error that ended the reading is the wish to end it.
            Ok(()) | Err(Error::Open { .. } | Error::Read { .. }) if progress.is_stopped() => break,
            Ok(()) => {}
            Err(error @ (Error::Open { .. } | Error::Read { .. })) => unreadable.push(error),
            Err(error) => return Err(error),
        }
    }
    // The last word on a session is not for a run that could not read on.
    let (tally, memory) = if is_nothing(intake.lines(), &unreadable) { intake.leave()? } else { intake.finish()? };
    progress.finish();
    Ok(Read { tally, memory, unreadable })
}

/// How many threads can work at the same time here.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Progress over `inputs`, in a terminal, if it is wanted at all.
pub(crate) fn progress(inputs: &[Input], wanted: bool) -> Progress {
    // What is fetched has no known length.
    let total = if inputs.is_empty() { None } else { inputs.iter().map(Input::bytes).sum::<Option<u64>>() };
    Progress::new(total, wanted && io::stderr().is_terminal())
}

/// What `paths` name; standard input where they name nothing.
pub(crate) fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Error> {
    if !paths.is_empty() {
        return input::find(paths);
    }
    if io::stdin().is_terminal() { Err(Error::NoInput) } else { Ok(vec![Input::Stdin]) }
}

/// Tells which inputs could not be read, the last one as the error to end with.
pub(crate) fn all_readable(mut unreadable: Vec<Error>, err: &mut dyn Write) -> Result<(), Error> {
    let Some(last) = unreadable.pop() else {
        return Ok(());
    };
    for error in unreadable {
        writeln!(err, "error: {error}")?;
    }
    Err(last)
}

/// The least urgent severity that is shown where nothing is said, here as in the function.
pub(crate) const MIN_SEVERITY: Severity = Severity::Low;
/// Places of each reason that `--strict` tells: a screen or two.
const STRICT_PLACES: usize = 50;
