//! `rolewatch replay`: recorded logs in, alerts out.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Source;

use crate::cli::{About, Format, ReplayArgs};
use crate::error::Error;
use crate::input::{self, Input};
use crate::intake::{Found, Intake, Wanted};
use crate::live;
use crate::output::Output;
use crate::page::Page;
use crate::progress::Progress;
use crate::snapshot;
use crate::summary;
use crate::tally::Tally;

/// How a run ended that was not stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Done,
    /// An alert reached `--fail-on`.
    AlertReached,
}

/// Reads everything that `options` names, writes alerts to `out` and the summary to `err`.
pub(crate) fn run(options: &ReplayArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    if options.explain && options.format != Format::Text {
        return Err(Error::ExplainFormat);
    }
    let inputs = if options.live.log_group.is_some() { Vec::new() } else { inputs(&options.paths)? };
    let settings = settings(&options.about);
    let mut output = Output::new(out, options.format, options.min_severity).explaining(options.explain);
    let cluster = options.about.cluster.as_deref().unwrap_or_default();
    let memory = options.memory.as_deref().map(|path| snapshot::load(path, cluster, err)).transpose()?;
    let page = options.report.as_deref().map(|path| Page::create(path, options.min_severity));
    let mut page = page.transpose()?;
    let progress = progress(&inputs, !options.quiet);

    let mut deliver = |found: Found| {
        if let Some(page) = &mut page {
            page.add(&found.alerts);
        }
        Ok(progress.aside(|| output.write(&found))?)
    };
    let wanted = if options.explain { Wanted::Interest } else { Wanted::Nothing };
    let intake = Intake::new(&settings, &mut deliver).explaining(wanted).remembering(memory.unwrap_or_default());
    let (tally, unreadable) = match &options.live.log_group {
        Some(group) => live::read(group, options, intake, &progress)?,
        None => read(&inputs, intake, &progress)?,
    };

    let counts = output.counts();
    if let Some(page) = page {
        page.write(&tally, &counts)?;
    }
    if !options.quiet {
        if output.written() > 0 && io::stdout().is_terminal() {
            writeln!(err)?;
        }
        summary::write(err, &tally, &counts, options.min_severity)?;
    }
    verdict(options, &tally, unreadable, |severity| counts.reaching(severity) > 0, err)
}

/// Reads every input to its end. One bad file does not cost the others.
pub(crate) fn read(
    inputs: &[Input],
    mut intake: Intake<'_>,
    progress: &Progress,
) -> Result<(Tally, Vec<Error>), Error> {
    let mut unreadable = Vec::new();
    for input in inputs {
        match input.read(&mut intake, progress) {
            Ok(()) => {}
            Err(error @ (Error::Open { .. } | Error::Read { .. })) => unreadable.push(error),
            Err(error) => return Err(error),
        }
    }
    let tally = intake.finish()?;
    progress.finish();
    Ok((tally, unreadable))
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

/// What the analysis has to know besides the input.
pub(crate) fn settings(about: &About) -> Settings {
    Settings {
        source: Source {
            cluster: about.cluster.clone(),
            account: about.account.clone(),
            region: about.region.clone(),
            ..Source::default()
        },
        trusted_networks: about.trusted_network.clone(),
    }
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

fn verdict(
    options: &ReplayArgs,
    tally: &Tally,
    unreadable: Vec<Error>,
    reached: impl Fn(Severity) -> bool,
    err: &mut dyn Write,
) -> Result<Outcome, Error> {
    all_readable(unreadable, err)?;
    if options.strict && tally.skipped_total() > 0 {
        return Err(Error::Strict { count: tally.skipped_total(), first: tally.first_skip().map(str::to_owned) });
    }
    Ok(match options.fail_on {
        Some(severity) if reached(severity) => Outcome::AlertReached,
        _ => Outcome::Done,
    })
}
