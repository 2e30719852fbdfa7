//! `rolewatch man`: the manual pages, made from the command line itself.

use std::io::Write;

use clap::CommandFactory as _;
use rolewatch_analyzer::text;

use crate::cli::Cli;
use crate::error::Error;
use crate::replay::Outcome;

/// Writes the page of the command, or of its subcommand called `name`.
pub(crate) fn run(name: Option<&str>, out: &mut dyn Write) -> Result<Outcome, Error> {
    let mut command = Cli::command();
    command.build();
    let page = match name {
        None => clap_mangen::Man::new(command),
        Some(name) => {
            let found = command.get_subcommands().find(|one| one.get_name() == name).cloned();
            let found = found.ok_or_else(|| Error::NoCommand { name: text::name(name) })?;
            // `rolewatch-replay`, as `man git-log` has it.
            clap_mangen::Man::new(found).title(format!("rolewatch-{name}"))
        }
    };
    let mut roff = Vec::new();
    page.source(concat!("rolewatch ", env!("CARGO_PKG_VERSION"))).render(&mut roff)?;
    out.write_all(&roff)?;
    out.flush()?;
    Ok(Outcome::Done)
}
