//! `rolewatch man`: the manual pages, made from the command line itself.

use std::io::Write;

use clap::{Command, CommandFactory as _};
use rolewatch_analyzer::text;

use crate::cli::Cli;
use crate::error::Error;
use crate::replay::Outcome;

/// Writes the page of the command, or of its subcommand that `names` lead to.
pub(crate) fn run(names: &[String], out: &mut dyn Write) -> Result<Outcome, Error> {
    let mut command = Cli::command();
    command.build();
    let page = if names.is_empty() {
        clap_mangen::Man::new(command)
    } else {
        // `rolewatch-exceptions-check`, as pages refer to each other, and as `man git-log` has it.
        let title = format!("{}-{}", command.get_name(), names.join("-"));
        let found = find(&command, &title).ok_or_else(|| Error::NoCommand { name: text::name(&names.join(" ")) })?;
        clap_mangen::Man::new(found.clone()).title(title)
    };
    let mut roff = Vec::new();
    page.source(concat!("rolewatch ", env!("CARGO_PKG_VERSION"))).render(&mut roff)?;
    out.write_all(&roff)?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// The subcommand, however deep, whose page has this title.
fn find<'a>(command: &'a Command, title: &str) -> Option<&'a Command> {
    let is_it = |one: &Command| one.get_display_name() == Some(title);
    command.get_subcommands().find_map(|one| if is_it(one) { Some(one) } else { find(one, title) })
}
