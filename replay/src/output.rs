//! Writing alerts: text for people, OCSF for machines.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::severity::Severity;

use crate::cli::Format;
use crate::explain;
use crate::intake::Found;
use crate::summary::AlertCounts;

/// Where alerts are written, and what was written so far.
pub(crate) struct Output<'o> {
    out: &'o mut dyn Write,
    format: Format,
    min: Severity,
    /// Every alert, those below the minimum included.
    counts: AlertCounts,
    written: u64,
    /// Whether explanations take the place of alerts.
    explains: bool,
}

impl<'o> Output<'o> {
    /// Writes alerts that are at least `min` to `out`.
    pub(crate) fn new(out: &'o mut dyn Write, format: Format, min: Severity) -> Self {
        Self { out, format, min, counts: AlertCounts::default(), written: 0, explains: false }
    }

    /// The same, with explanations in place of alerts.
    pub(crate) fn explaining(self, explains: bool) -> Self {
        Self { explains, ..self }
    }

    /// Writes what was found, and lets it be seen at once.
    pub(crate) fn write(&mut self, found: &Found) -> io::Result<()> {
        for (place, explanation) in &found.explained {
            if self.written > 0 {
                writeln!(self.out)?;
            }
            explain::write(self.out, place, explanation)?;
            self.written += 1;
        }
        for alert in &found.alerts {
            self.counts.add(alert.severity);
            if alert.severity >= self.min && !self.explains {
                match self.format {
                    Format::Text => self.text(alert)?,
                    Format::Ocsf => self.ocsf(alert)?,
                }
                self.written += 1;
            }
        }
        self.out.flush()
    }

    /// Every alert by severity.
    pub(crate) fn counts(&self) -> AlertCounts {
        self.counts
    }

    /// How many alerts were written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    fn text(&mut self, alert: &Alert) -> io::Result<()> {
        let text = alert.text();
        // The headline goes to the first empty line: it may be wrapped.
        let (headline, rest) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        if self.written > 0 {
            writeln!(self.out, "\n{RULE_STYLE}{RULE}{RULE_STYLE:#}\n")?;
        }
        let style = style(alert.severity);
        for line in headline.lines() {
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        if !rest.is_empty() {
            writeln!(self.out, "\n{}", rest.trim_end())?;
        }
        Ok(())
    }

    fn ocsf(&mut self, alert: &Alert) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, &alert.ocsf())?;
        self.out.write_all(b"\n")
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

const RULE: &str = "------------------------------------------------------------------------------";
const RULE_STYLE: Style = Style::new().dimmed();
