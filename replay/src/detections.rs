//! `rolewatch detections`: what is detected, as a table, page by page, and for programs.

use std::io::Write;

use anstyle::Style;
use rolewatch_analyzer::detection::Detection;
use rolewatch_analyzer::detections::ALL;
use rolewatch_analyzer::text;
use serde_json::{Value, json};

use crate::cli::ListFormat;
use crate::error::Error;
use crate::output::width;

/// Writes the table, or the page of the detection called `id`.
pub(crate) fn run(id: Option<&str>, format: ListFormat, out: &mut dyn Write) -> Result<(), Error> {
    let one = match id {
        None => None,
        Some(id) => match ALL.iter().find(|detection| detection.id == id) {
            Some(detection) => Some(detection),
            None => return Err(Error::NoDetection { id: text::name(id), near: nearest(id) }),
        },
    };
    match (format, one) {
        (ListFormat::Text, None) => table(out)?,
        (ListFormat::Text, Some(detection)) => page(detection, out)?,
        (ListFormat::Json, one) => {
            let value = one.map_or_else(|| ALL.iter().copied().map(object).collect(), |one| object(one));
            serde_json::to_writer_pretty(&mut *out, &value).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}

/// A detection for programs. Names are only ever added.
fn object(detection: &Detection) -> Value {
    let attack: Vec<Value> = detection
        .attack
        .iter()
        .map(|technique| {
            let (tactic, tactic_name) = technique.tactic;
            json!({
                "technique": technique.id,
                "name": technique.name,
                "tactic": tactic,
                "tactic_name": tactic_name,
            })
        })
        .collect();
    json!({
        "id": detection.id,
        "title": detection.title(),
        "category": detection.category(),
        "since": detection.since,
        "attack": attack,
        "docs": lines(detection).collect::<Vec<_>>().join("\n"),
    })
}

/// The prose, line by line, as Markdown.
fn lines(detection: &Detection) -> impl Iterator<Item = &'static str> {
    // Doc comments begin with one space.
    detection.docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
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
    let mut paragraph = String::new();
    for line in lines(detection).chain([""]) {
        let heading = line.strip_prefix("## ");
        if heading.is_none() && !line.is_empty() {
            paragraph.push_str(line);
            paragraph.push(' ');
            continue;
        }
        if !paragraph.is_empty() {
            for line in text::wrap(&std::mem::take(&mut paragraph), width()) {
                writeln!(out, "{line}")?;
            }
        }
        match heading {
            Some(heading) => writeln!(out, "{BOLD}{heading}{BOLD:#}")?,
            None => writeln!(out)?,
        }
    }
    writeln!(out, "{BOLD}ATT&CK{BOLD:#}")?;
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
