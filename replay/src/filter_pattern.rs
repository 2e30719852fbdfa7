//! `rolewatch filter-pattern`: what a subscription of CloudWatch Logs may hand on, and what each choice does not see.

use std::io::{self, Write};

use anstyle::Style;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use rolewatch_analyzer::filter_pattern::Mode;
use rolewatch_analyzer::text;

use crate::error::Error;
use crate::output::width;

/// Which pattern to print.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print the pattern of this mode alone, for a script
    #[arg(long, value_name = "MODE", value_parser = mode())]
    mode: Option<Mode>,
}

fn mode() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::as_str)).map(|word| Mode::parse(&word).unwrap_or(Mode::Everything))
}

/// Writes the pattern of one mode, or all of them with what they do not see.
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    match options.mode {
        Some(mode) => writeln!(out, "{}", mode.pattern())?,
        None => {
            for (at, mode) in Mode::ALL.into_iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                describe(mode, out)?;
            }
        }
    }
    Ok(out.flush()?)
}

fn describe(mode: Mode, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", mode.as_str())?;
    paragraph(out, &format!("Hands on {}.", mode.meaning()))?;
    let misses = mode.misses();
    if misses.is_empty() {
        paragraph(out, "Misses nothing: the pattern is empty.")
    } else {
        paragraph(out, &format!("Sees nothing of these, or only a part: {}.", misses.join(", ")))?;
        // In one piece, to be copied.
        writeln!(out, "\n{}", mode.pattern())
    }
}

fn paragraph(out: &mut dyn Write, words: &str) -> io::Result<()> {
    for line in text::wrap(words, width().saturating_sub(INDENT.len())) {
        writeln!(out, "{INDENT}{line}")?;
    }
    Ok(())
}

pub(crate) const ABOUT: &str = "\
Print the filter patterns that a subscription of CloudWatch Logs may have, and what each hands on and does not see.

Every pattern is one of text, at most 1,024 characters long, in step with the detections of this release. Print one with \
`--mode` and give it to `aws logs put-subscription-filter --filter-pattern`; the SAM template has them as its parameter \
`FilterMode`. `rolewatch cost` measures on your own log how much each hands on.";

const BOLD: Style = Style::new().bold();
const INDENT: &str = "  ";
