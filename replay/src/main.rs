//! The command: `rolewatch`.

mod cli;
mod config;
mod cost;
mod detections;
mod error;
mod exceptions;
mod explain;
mod files;
mod filter_pattern;
mod input;
mod intake;
mod live;
mod man;
mod memory;
mod output;
mod page;
mod people;
mod progress;
mod replay;
mod snapshot;
mod stop;
mod summary;
mod tally;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{CommandFactory as _, Parser as _};

use self::cli::{Cli, Color, Command, ExceptionsCommand};
use self::error::Error;
use self::replay::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let color = match cli.color {
        Color::Auto => None,
        Color::Always => Some(ColorChoice::Always),
        Color::Never => Some(ColorChoice::Never),
    };
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let mut out = BufWriter::new(AutoStream::new(stdout.lock(), color.unwrap_or_else(|| AutoStream::choice(&stdout))));
    // Not locked: the line of progress is drawn by a thread of its own.
    let choice = color.unwrap_or_else(|| AutoStream::choice(&stderr));
    let mut err = Heedless(AutoStream::new(stderr, choice));
    match run(cli.command, &mut out, &mut err) {
        // `rolewatch replay logs | head` is no failure.
        Ok(Outcome::Done) | Err(Error::ReaderGone) => ExitCode::SUCCESS,
        Ok(Outcome::Reached) => ExitCode::from(1),
        Ok(Outcome::Stopped) => ExitCode::from(stop::STATUS),
        Err(error) => {
            let _ = writeln!(err, "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Standard error. Nowhere is left to say that writing to it failed, and what the run is for goes elsewhere.
struct Heedless<W>(W);

impl<W: Write> Write for Heedless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

fn run(command: Command, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    match command {
        Command::Replay(options) => replay::run(&options, out, err),
        Command::Explain(options) => explain::run(&options, out, err),
        Command::WhoCan(options) => snapshot::who_can(&options, out, err),
        Command::Rights(options) => snapshot::rights(&options, out, err),
        Command::Detections { id, format } => detections::run(id.as_deref(), format, out).map(|()| Outcome::Done),
        Command::Cost(options) => cost::run(&options, out, err),
        Command::FilterPattern(options) => filter_pattern::run(&options, out).map(|()| Outcome::Done),
        Command::Exceptions(ExceptionsCommand::Check(options)) => exceptions::check(&options, out, err),
        Command::Man { name } => man::run(&name, out),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "rolewatch", &mut script);
            out.write_all(&script)?;
            out.flush()?;
            Ok(Outcome::Done)
        }
    }
}
