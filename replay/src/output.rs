//! Writing alerts: text for people, JSON for machines.

use std::collections::HashMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::severity::Severity;
use terminal_size::{Height, Width, terminal_size_of};

use crate::cli::Format;
use crate::explain;
use crate::intake::Found;
use crate::people::{ActorKey, People, actor, shown};
use crate::summary::AlertCounts;

/// Where alerts are written, and what was written so far.
pub(crate) struct Output<'o> {
    out: &'o mut dyn Write,
    format: Format,
    min: Severity,
    /// Every alert, those below the minimum included.
    counts: AlertCounts,
    people: People,
    written: u64,
    /// The actor whose heading was written last.
    under: Option<ActorKey>,
    /// Nothing stands above the next alert, or its actor does.
    fresh: bool,
    /// Whether explanations take the place of alerts.
    explains: bool,
    columns: usize,
    reader: Reader,
}

/// Who reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Somebody for whom all of this is done.
    Sole,
    /// Somebody, and others wait for what is counted.
    OneOfMany,
    /// Nobody any more; the others still wait.
    Gone,
}

impl<'o> Output<'o> {
    /// Writes alerts that are at least `min` to `out`.
    pub(crate) fn new(out: &'o mut dyn Write, format: Format, min: Severity) -> Self {
        Self {
            out,
            format,
            min,
            counts: AlertCounts::default(),
            people: People::default(),
            written: 0,
            under: None,
            fresh: true,
            explains: false,
            columns: width(),
            reader: Reader::Sole,
        }
    }

    /// The same, which is no failure any more when its reader has seen enough: others wait for what is counted.
    pub(crate) fn going_on(self, goes_on: bool) -> Self {
        Self { reader: if goes_on { Reader::OneOfMany } else { Reader::Sole }, ..self }
    }

    /// The same, with explanations in place of alerts.
    pub(crate) fn explaining(self, explains: bool) -> Self {
        Self { explains, ..self }
    }

    /// Writes what was found, and lets it be seen at once.
    pub(crate) fn write(&mut self, found: &Found) -> io::Result<()> {
        let mut alerts = Vec::new();
        for alert in &found.alerts {
            self.counts.add(alert.severity);
            if alert.severity >= self.min {
                self.people.add(alert);
                alerts.push(alert);
            }
        }
        if self.reader == Reader::Gone {
            return Ok(());
        }
        match self.print(found, alerts) {
            Err(error) if self.reader == Reader::OneOfMany && error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader = Reader::Gone;
                Ok(())
            }
            printed => printed,
        }
    }

    fn print(&mut self, found: &Found, alerts: Vec<&Alert>) -> io::Result<()> {
        for (place, explanation) in &found.explained {
            if self.written > 0 {
                writeln!(self.out)?;
            }
            explain::write(self.out, place, explanation, &found.silenced)?;
            self.written += 1;
        }
        if !self.explains {
            match self.format {
                Format::Text => self.texts(alerts)?,
                Format::Ocsf => alerts.into_iter().try_for_each(|alert| self.json(&alert.ocsf()))?,
                Format::Chat => alerts.into_iter().try_for_each(|alert| self.json(&alert.chat()))?,
            }
        }
        self.out.flush()
    }

    /// Every alert by severity.
    pub(crate) fn counts(&self) -> AlertCounts {
        self.counts
    }

    /// Who the alerts that are shown are about.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// How many alerts were written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Writes alerts, those of one actor together: the actors in the order in which they come up.
    fn texts(&mut self, mut alerts: Vec<&Alert>) -> io::Result<()> {
        let mut order: HashMap<ActorKey, usize> = HashMap::new();
        for alert in &alerts {
            let next = order.len();
            order.entry(actor(alert)).or_insert(next);
        }
        // The sort is stable: the alerts of an actor stay in order.
        alerts.sort_by_key(|alert| order.get(&actor(alert)).copied());
        let headed = self.under.is_some() || alerts.len() > 1;
        let mut alerts = alerts.as_slice();
        while let Some(first) = alerts.first() {
            let key = actor(first);
            let count = alerts.iter().take_while(|alert| actor(alert) == key).count();
            let (group, rest) = alerts.split_at(count);
            if headed && self.under.as_ref() != Some(&key) {
                self.heading(&key, group)?;
            }
            for alert in group {
                self.text(alert)?;
            }
            alerts = rest;
        }
        Ok(())
    }

    /// The line above the alerts of one actor.
    fn heading(&mut self, key: &ActorKey, group: &[&Alert]) -> io::Result<()> {
        let mut counts = AlertCounts::default();
        for alert in group {
            counts.add(alert.severity);
        }
        let words = format!("{}: {}", shown(key), counts.words(|_| true));
        let rule = "=".repeat(self.columns.saturating_sub(words.chars().count() + 4));
        let space = if self.written > 0 { "\n" } else { "" };
        writeln!(self.out, "{space}{BOLD}== {words} {rule}{BOLD:#}\n")?;
        self.under = Some(key.clone());
        // The heading parts this alert from the one before.
        self.fresh = true;
        Ok(())
    }

    fn text(&mut self, alert: &Alert) -> io::Result<()> {
        let text = alert.text_within(self.columns);
        // The headline goes to the first empty line: it may be wrapped.
        let (headline, rest) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        if !std::mem::take(&mut self.fresh) {
            writeln!(self.out, "\n{DIM}{}{DIM:#}\n", "-".repeat(self.columns))?;
        }
        let style = style(alert.severity);
        for line in headline.lines() {
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        if !rest.is_empty() {
            writeln!(self.out)?;
        }
        let mut chapter = "";
        for line in rest.trim_end().lines() {
            if CHAPTERS.contains(&line) {
                chapter = line;
            }
            let style = line_style(line, chapter);
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        self.written += 1;
        Ok(())
    }

    fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, value)?;
        self.out.write_all(b"\n")?;
        self.written += 1;
        Ok(())
    }
}

/// Columns of standard output.
pub(crate) fn width() -> usize {
    columns(terminal_size_of(io::stdout()))
}

/// Columns of a terminal, as far as people like to read; those of an e-mail where there is none.
pub(crate) fn columns(terminal: Option<(Width, Height)>) -> usize {
    terminal.map(|(width, _)| usize::from(width.0)).map_or(COLUMNS, |width| width.clamp(COLUMNS_MIN, COLUMNS_MAX))
}

/// The colour of a line of an alert: the names of its chapters, and what was gained and lost.
fn line_style(line: &str, chapter: &str) -> Style {
    match line.get(..4) {
        _ if line == chapter => BOLD,
        Some("  + ") if chapter == CHANGES => AnsiColor::Red.on_default(),
        Some("  - ") if chapter == CHANGES => AnsiColor::Green.on_default(),
        _ => Style::new(),
    }
}

/// The colour of a severity.
pub(crate) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::BrightWhite.on(AnsiColor::Red).bold(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Cyan.on_default().bold(),
        Severity::Informational => Style::new().bold(),
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// What alerts are divided into. Only these begin a line without a blank: everything of the log is indented.
const CHAPTERS: &[&str] = &["Why it matters", CHANGES, "What was done", "What to do", "Evidence"];
const CHANGES: &str = "What changed";
/// Where there is no terminal: what a mail client shows unbroken.
const COLUMNS: usize = 78;
/// Narrower, and a word to a line is all that is left.
const COLUMNS_MIN: usize = 40;
/// Wider, and the eye loses the line.
const COLUMNS_MAX: usize = 120;
