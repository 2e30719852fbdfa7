//! `rolewatch replay`: recorded logs in, alerts out.

use std::io::{self, IsTerminal as _, Write};

use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Source;

use crate::cli::ReplayArgs;
use crate::error::Error;
use crate::input::{self, Input};
use crate::intake::Intake;
use crate::output::Output;
use crate::progress::Progress;
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
    let inputs = inputs(options)?;
    let settings = settings(options);
    let mut output = Output::new(out, options.format, options.min_severity);
    let total = inputs.iter().map(Input::bytes).sum::<Option<u64>>();
    let progress = Progress::new(total, !options.quiet && io::stderr().is_terminal());

    let mut unreadable = Vec::new();
    let mut deliver = |alerts: Vec<_>| Ok(progress.aside(|| output.write(&alerts))?);
    let mut intake = Intake::new(&settings, &mut deliver);
    for input in &inputs {
        match input.read(&mut intake, &progress) {
            Ok(()) => {}
            // One bad file does not cost the others.
            Err(error @ (Error::Open { .. } | Error::Read { .. })) => unreadable.push(error),
            Err(error) => return Err(error),
        }
    }
    let tally = intake.finish()?;
    progress.finish();

    let counts = output.counts();
    if !options.quiet {
        if output.written() > 0 && io::stdout().is_terminal() {
            writeln!(err)?;
        }
        summary::write(err, &tally, &counts, options.min_severity)?;
    }
    verdict(options, &tally, unreadable, |severity| counts.reaching(severity) > 0, err)
}

fn inputs(options: &ReplayArgs) -> Result<Vec<Input>, Error> {
    if !options.paths.is_empty() {
        return input::find(&options.paths);
    }
    if io::stdin().is_terminal() { Err(Error::NoInput) } else { Ok(vec![Input::Stdin]) }
}

fn settings(options: &ReplayArgs) -> Settings {
    Settings {
        source: Source {
            cluster: options.cluster.clone(),
            account: options.account.clone(),
            region: options.region.clone(),
            ..Source::default()
        },
        trusted_networks: options.trusted_network.clone(),
    }
}

fn verdict(
    options: &ReplayArgs,
    tally: &Tally,
    mut unreadable: Vec<Error>,
    reached: impl Fn(Severity) -> bool,
    err: &mut dyn Write,
) -> Result<Outcome, Error> {
    if let Some(last) = unreadable.pop() {
        for error in unreadable {
            writeln!(err, "error: {error}")?;
        }
        return Err(last);
    }
    if options.strict && tally.skipped_total() > 0 {
        return Err(Error::Strict { count: tally.skipped_total(), first: tally.first_skip().map(str::to_owned) });
    }
    Ok(match options.fail_on {
        Some(severity) if reached(severity) => Outcome::AlertReached,
        _ => Outcome::Done,
    })
}
