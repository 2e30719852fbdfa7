//! `rolewatch cost`: what Rolewatch would cost on a log that is at hand, in each filter mode.

mod estimate;

use std::io::{self, Write};

use anstyle::Style;
use jiff::Timestamp;
use memchr::memmem;
use rolewatch_analyzer::envelope::LogLine;
use rolewatch_analyzer::filter_pattern::Mode;
use rolewatch_analyzer::text;

use self::estimate::{ASSUMPTIONS, Assumed, Assumption, GB, KB, Load, MB, MONTH_SECONDS, bill, taken_in};
use crate::cli::CostArgs;
use crate::config::Choices;
use crate::error::Error;
use crate::intake::{Found, Intake};
use crate::output::width;
use crate::replay::{self, Outcome};
use crate::stop::Stop;
use crate::summary::grouped;

/// An assumption as it is given: `lambda-request=0.22`.
pub(crate) fn assumption(text: &str) -> Result<(&'static str, f64), String> {
    let names = || ASSUMPTIONS.iter().map(|known| known.name).collect::<Vec<_>>().join(", ");
    let (name, number) =
        text.split_once('=').ok_or_else(|| format!("write it like NAME=NUMBER; the names are {}", names()))?;
    let known = ASSUMPTIONS.iter().find(|known| known.name == name);
    let known = known.ok_or_else(|| format!("no assumption is called so; the names are {}", names()))?;
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok((known.name, number)),
        _ => Err("not a number from 0 up; write it like 0.25".to_owned()),
    }
}

/// Measures the log that `options` name and writes what it would cost.
pub(crate) fn run(options: &CostArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    if options.assumptions {
        return Ok(list(out).map(|()| Outcome::Done)?);
    }
    let inputs = replay::inputs(&options.paths)?;
    let choices = Choices::read(&options.reviewed, &options.about)?;
    let progress = replay::progress(&inputs, true).stopping(Stop::listen());
    // What is less urgent, or covered by an exception, is not sent.
    let min = choices.min_severity.unwrap_or(replay::MIN_SEVERITY);
    let mut alerts = 0_u64;
    let mut measured = Measured::default();
    let mut deliver = |found: Found| {
        let sent = found.alerts.iter().filter(|alert| alert.severity >= min).count();
        alerts += u64::try_from(sent).unwrap_or(u64::MAX);
        Ok(())
    };
    let mut measure = |line: &LogLine<'_>| measured.add(line);
    let intake = Intake::new(&choices.settings, &mut deliver).excepting(&choices.exceptions).measuring(&mut measure);
    let read = replay::read(&inputs, replay::cores(), intake, &progress)?;
    let skipped = read.tally.skipped_total();
    if measured.lines == 0 {
        replay::all_readable(read.unreadable, err)?;
        return Err(Error::NothingToMeasure { skipped });
    }
    // One bad file does not cost the answer.
    write(out, &Sums { measured, alerts, skipped }, &Assumed::replacing(&options.set))?;
    replay::all_readable(read.unreadable, err)?;
    Ok(if progress.is_stopped() { Outcome::Stopped } else { Outcome::Done })
}

/// What is known of the log.
#[derive(Debug)]
struct Sums {
    measured: Measured,
    /// Those that would be sent.
    alerts: u64,
    /// What could not be read.
    skipped: u64,
}

/// What was read.
#[derive(Debug, Default)]
struct Measured {
    lines: u64,
    bytes: u64,
    /// Lines and bytes that each mode hands on, in the order of [`Mode::ALL`].
    kept: [(u64, u64); Mode::ALL.len()],
    span: Option<(Timestamp, Timestamp)>,
}

impl Measured {
    fn add(&mut self, line: &LogLine<'_>) {
        let bytes = u64::try_from(line.message.len()).unwrap_or(u64::MAX);
        self.lines += 1;
        self.bytes += bytes;
        for (mode, (lines, kept)) in Mode::ALL.into_iter().zip(&mut self.kept) {
            if mode.passes(&line.message) {
                *lines += 1;
                *kept += bytes;
            }
        }
        if let Some(time) = time(line) {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
    }

    /// How long the log is, if that can be told and is enough to go by.
    fn seconds(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let seconds = last.duration_since(first).as_secs_f64();
        (seconds >= SECONDS_MIN).then_some(seconds)
    }
}

/// When a line was written: what CloudWatch says, or the audit event itself.
fn time(line: &LogLine<'_>) -> Option<Timestamp> {
    if let Some(ms) = line.timestamp_ms {
        return Timestamp::from_millisecond(ms).ok();
    }
    let at = memmem::rfind(line.message.as_bytes(), STAGE_TIME.as_bytes())?;
    let (text, _) = line.message.get(at + STAGE_TIME.len()..)?.split_once('"')?;
    text.parse().ok()
}

fn write(out: &mut dyn Write, sums: &Sums, assumed: &Assumed) -> Result<(), Error> {
    let Sums { measured, alerts, skipped } = sums;
    let alerts = *alerts;
    let seconds = measured.seconds();
    let a_day = |count: u64| seconds.map(|seconds| number(count) / seconds * 86_400.0);
    heading(out, "Measured")?;
    let span = match (measured.span, seconds) {
        (Some((first, last)), Some(_)) => format!("from {} to {}", minute(first), minute(last)),
        (Some(_), None) => "less than ten minutes: too short to tell what a month is".to_owned(),
        (None, _) => "the log does not say when it was written".to_owned(),
    };
    row(out, "time", &span)?;
    let daily = |words: Option<String>| words.map(|words| format!(", {words} a day")).unwrap_or_default();
    let lines_daily = a_day(measured.lines).map(rounded);
    row(out, "lines", &format!("{}{}", grouped(measured.lines), daily(lines_daily)))?;
    row(out, "bytes", &format!("{}{}", size(number(measured.bytes)), daily(a_day(measured.bytes).map(size))))?;
    row(out, "alerts", &format!("{}{}", grouped(alerts), daily(a_day(alerts).map(rounded))))?;
    if *skipped > 0 {
        row(out, "skipped", &format!("{} could not be read, see `rolewatch replay`", grouped(*skipped)))?;
    }

    heading(out, "\nHanded on by each filter mode")?;
    writeln!(out, "  {:<22}{:>12}{:>12}", "", "of lines", "of bytes")?;
    for (mode, (lines, bytes)) in Mode::ALL.into_iter().zip(measured.kept) {
        let share = |part: u64, whole: u64| format!("{:.1} %", 100.0 * number(part) / number(whole).max(1.0));
        let (of_lines, of_bytes) = (share(lines, measured.lines), share(bytes, measured.bytes));
        writeln!(out, "  {:<22}{of_lines:>12}{of_bytes:>12}", mode.as_str())?;
    }

    let scale = seconds.map_or(1e6 / number(measured.lines), |seconds| MONTH_SECONDS / seconds);
    let period = if seconds.is_some() { "month of 30 days" } else { "million lines of the log" };
    heading(out, &format!("\nEstimated for a {period}, in dollars"))?;
    let bills = measured.kept.map(|(lines, bytes)| {
        let load = Load {
            lines: number(lines) * scale,
            bytes: number(bytes) * scale,
            // A narrower mode has fewer; which of them is not asked here.
            alerts: number(alerts) * scale,
            seconds: seconds.map(|_| MONTH_SECONDS),
        };
        bill(&load, assumed)
    });
    dollars(out, "", &Mode::ALL.map(|mode| mode.as_str().to_owned()))?;
    let [first, ..] = &bills;
    for (at, item) in first.iter().enumerate() {
        let cells = bills.each_ref().map(|bill| bill.get(at).map_or(0.0, |item| item.dollars));
        dollars(out, item.label, &cells.map(|cell| format!("{cell:.2}")))?;
    }
    let totals = bills.each_ref().map(|bill| bill.iter().map(|item| item.dollars).sum::<f64>());
    dollars(out, "together", &totals.map(|total| format!("{total:.2}")))?;

    writeln!(out)?;
    let log = taken_in(number(measured.bytes) * scale, assumed);
    let words = format!(
        "For comparison: CloudWatch Logs takes {log:.2} for the log itself, whether Rolewatch reads it or not. All of this is \
         an estimate from assumptions of November 2026, prices of us-east-1 among them; `--assumptions` lists them, and `--set \
         NAME=NUMBER` replaces one."
    );
    for line in text::wrap(&words, width()) {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    let width = |of: fn(&Assumption) -> usize| ASSUMPTIONS.iter().map(of).max().unwrap_or_default();
    let (names, units) = (width(|it| it.name.len()), width(|it| it.unit.len()));
    for Assumption { name, value, unit, source } in ASSUMPTIONS {
        writeln!(out, "{BOLD}{name:<names$}{BOLD:#}  {value:>12}  {unit:<units$}  {source}")?;
    }
    out.flush()
}

fn heading(out: &mut dyn Write, words: &str) -> io::Result<()> {
    let (gap, words) = words.strip_prefix('\n').map_or(("", words), |words| ("\n", words));
    writeln!(out, "{gap}{BOLD}{words}{BOLD:#}")
}

fn row(out: &mut dyn Write, label: &str, words: &str) -> io::Result<()> {
    writeln!(out, "  {label:<9}{words}")
}

fn dollars(out: &mut dyn Write, label: &str, cells: &[String]) -> io::Result<()> {
    write!(out, "  {label:<22}")?;
    cells.iter().try_for_each(|cell| write!(out, "{cell:>12}"))?;
    writeln!(out)
}

/// `2026-11-23 06:56 UTC`
fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `1.3 GB`
fn size(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= GB => format!("{:.1} GB", bytes / GB),
        bytes if bytes >= MB => format!("{:.1} MB", bytes / MB),
        bytes => format!("{:.1} KB", bytes / KB),
    }
}

/// A count that was scaled, without the digits that are not known.
fn rounded(count: f64) -> String {
    match count {
        count if count >= 1e6 => format!("{:.1} million", count / 1e6),
        count if count >= 1e3 => format!("{:.1} thousand", count / 1e3),
        count => format!("{count:.1}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate needs no more than 15 digits")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Before the time in an audit event, as the API server writes it.
const STAGE_TIME: &str = "\"stageTimestamp\":\"";
const BOLD: Style = Style::new().bold();
/// Of less log than ten minutes, no month can be told.
const SECONDS_MIN: f64 = 600.0;
