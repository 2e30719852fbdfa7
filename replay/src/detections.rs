//! `rolewatch detections`: what is detected, as a table and page by page.

use std::io::Write;

use anstyle::Style;
use rolewatch_analyzer::detection::Detection;
use rolewatch_analyzer::detections::ALL;
use rolewatch_analyzer::text;

use crate::error::Error;

/// Writes the table, or the page of the detection called `id`.
pub(crate) fn run(id: Option<&str>, out: &mut dyn Write) -> Result<(), Error> {
    match id {
        None => table(out)?,
        Some(id) => match ALL.iter().find(|detection| detection.id == id) {
            Some(detection) => page(detection, out)?,
            None => return Err(Error::NoDetection { id: text::name(id), near: nearest(id) }),
        },
    }
    Ok(out.flush()?)
}

fn table(out: &mut dyn Write) -> std::io::Result<()> {
    let width = ALL.iter().map(|detection| detection.id.len()).max().unwrap_or_default();
    for detection in ALL {
        writeln!(out, "{BOLD}{:<width$}{BOLD:#}  {}", detection.id, detection.title())?;
    }
    Ok(())
}

fn page(detection: &Detection, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", detection.id)?;
    for line in detection.docs.lines() {
        // Doc comments begin with one space.
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        match line.strip_prefix("## ") {
            Some(heading) => writeln!(out, "{BOLD}{heading}{BOLD:#}")?,
            None => writeln!(out, "{line}")?,
        }
    }
    writeln!(out, "\n{BOLD}ATT&CK{BOLD:#}")?;
    for technique in detection.attack {
        writeln!(out, "{}  {} ({})", technique.id, technique.name, technique.tactic.1)?;
    }
    writeln!(out, "\n{BOLD}Since{BOLD:#}\n{}", detection.since)
}

/// The detection whose id has most words in common with `id`.
fn nearest(id: &str) -> Option<&'static str> {
    let wanted: Vec<&str> = id.split(['-', '_', ' ']).filter(|word| !word.is_empty()).collect();
    ALL.iter()
        .map(|detection| (detection.id.split('-').filter(|word| wanted.contains(word)).count(), detection.id))
        .filter(|(common, _)| *common > 0)
        .max_by_key(|(common, id)| (*common, std::cmp::Reverse(*id)))
        .map(|(_, id)| id)
}

const BOLD: Style = Style::new().bold();
