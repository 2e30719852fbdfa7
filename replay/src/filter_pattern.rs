//! `rolewatch filter-pattern`: what a subscription of CloudWatch Logs may hand on, and what each choice does not see.

use std::io::{self, Write};

use anstyle::Style;
use rolewatch_analyzer::filter_pattern::Mode;
use rolewatch_analyzer::text;

use crate::cli::FilterPatternArgs;
use crate::error::Error;
use crate::output::width;

/// Writes the pattern of one mode, or all of them with what they do not see.
pub(crate) fn run(options: &FilterPatternArgs, out: &mut dyn Write) -> Result<(), Error> {
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

const BOLD: Style = Style::new().bold();
const INDENT: &str = "  ";
