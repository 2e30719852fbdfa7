//! `rolewatch exceptions check`: what each exception silences, and which should go.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::exceptions::{Exception, Exceptions};
use rolewatch_analyzer::text::{name, wrap};

use crate::cli::{CheckArgs, Reviewed};
use crate::config::{Choices, read_exceptions};
use crate::error::Error;
use crate::input;
use crate::intake::{Found, Intake};
use crate::output::{style, width};
use crate::replay::{self, Outcome};
use crate::stop::Stop;
use crate::summary::{counted, grouped};
use crate::tally::Tally;

/// Checks the exceptions that `options` name, and holds them against logs.
pub(crate) fn check(options: &CheckArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    let exceptions = read_exceptions(&options.file)?;
    let mut silenced = Silenced::default();
    let mut tally = Tally::default();
    let mut unreadable = Vec::new();
    let mut stopped = false;
    if !options.paths.is_empty() {
        let inputs = input::find(&options.paths)?;
        // Those of the file that is checked count over those of the settings.
        let reviewed = Reviewed { config: options.config.clone(), exceptions: Some(options.file.clone()) };
        let choices = Choices::read(&reviewed, &options.about)?;
        let progress = replay::progress(&inputs, true).stopping(Stop::listen());
        let mut deliver = |found: Found| {
            silenced.add(found.silenced);
            Ok(())
        };
        let intake = Intake::new(&choices.settings, &mut deliver).excepting(&exceptions);
        let read = replay::read(&inputs, replay::cores(), intake, &progress)?;
        (tally, unreadable, stopped) = (read.tally, read.unreadable, progress.is_stopped());
    }
    let with_logs = !options.paths.is_empty();
    let now = Timestamp::now();
    let mut wanting = false;
    for (at, exception) in exceptions.all().iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        wanting |= describe(out, exception, now, with_logs.then_some(&silenced), &tally)?;
    }
    conclude(out, &exceptions, now, with_logs.then_some(&tally))?;
    out.flush()?;
    // One bad file does not cost the answer.
    replay::all_readable(unreadable, err)?;
    Ok(match (stopped, options.strict && wanting) {
        (true, _) => Outcome::Stopped,
        (_, true) => Outcome::Reached,
        _ => Outcome::Done,
    })
}

/// The alerts that each exception helped to silence: how many, and the first of them.
#[derive(Debug, Default)]
struct Silenced(BTreeMap<String, (u64, Vec<Alert>)>);

impl Silenced {
    fn add(&mut self, silenced: Vec<(Alert, Vec<String>)>) {
        for (alert, ids) in silenced {
            for id in ids {
                let (count, alerts) = self.0.entry(id).or_default();
                *count += 1;
                if alerts.len() < ALERTS_SHOWN {
                    alerts.push(alert.clone());
                }
            }
        }
    }
}

/// Writes one exception; `true` when it has expired or silences nothing.
fn describe(
    out: &mut dyn Write,
    exception: &Exception,
    now: Timestamp,
    silenced: Option<&Silenced>,
    tally: &Tally,
) -> Result<bool, Error> {
    let columns = width();
    let has_expired = exception.expires <= now;
    let mut wanting = has_expired;
    writeln!(out, "{BOLD}{}{BOLD:#}", exception.id)?;
    let row = |out: &mut dyn Write, label: &str, words: &str, style: Style| -> std::io::Result<()> {
        for (at, line) in wrap(words, columns.saturating_sub(INDENT)).into_iter().enumerate() {
            writeln!(out, "  {:<10}{style}{line}{style:#}", if at == 0 { label } else { "" })?;
        }
        Ok(())
    };
    row(out, "reason", &name(&exception.reason), Style::new())?;
    row(out, "owner", &name(&exception.owner), Style::new())?;
    let end = exception.expires.strftime("%Y-%m-%d %H:%M UTC");
    let told = tally.expired.get(&exception.id);
    match (has_expired, told) {
        // Something still comes that it was written for.
        (true, Some(count)) => {
            let alerts = counted(*count, "alert is", "alerts are");
            let told = format!("{alerts} told because it has expired; renew it after a review");
            row(out, "expired", &format!("{end}; {told}"), WARN)?;
        }
        (true, None) => row(out, "expired", &format!("{end}; renew it after a review, or remove it"), WARN)?,
        (false, _) => row(out, "until", &end.to_string(), Style::new())?,
    }
    row(out, "up to", exception.max_severity.as_str(), Style::new())?;
    let Some(silenced) = silenced else { return Ok(wanting) };
    if let Some((count, alerts)) = silenced.0.get(&exception.id) {
        row(out, "silences", &counted(*count, "alert", "alerts"), Style::new())?;
        for alert in alerts {
            let style = style(alert.severity);
            let when = alert.first().and_then(|first| first.time);
            let when = when.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC  ").to_string()).unwrap_or_default();
            let mut label = alert.severity.as_str();
            for line in wrap(&format!("{when}{}", alert.summary), columns.saturating_sub(INDENT + LABEL)) {
                writeln!(out, "  {:<10}{style}{label:<LABEL$}{style:#}{line}", "")?;
                label = "";
            }
        }
        let more = count.saturating_sub(u64::try_from(alerts.len()).unwrap_or(u64::MAX));
        if more > 0 {
            row(out, "", &format!("and {} more", grouped(more)), Style::new())?;
        }
    } else if told.is_none() {
        wanting = true;
        row(out, "silences", "nothing in these logs; remove it if they are of a usual week", WARN)?;
    }
    Ok(wanting)
}

/// The last line: how many there are, and what they came to.
fn conclude(out: &mut dyn Write, exceptions: &Exceptions, now: Timestamp, tally: Option<&Tally>) -> Result<(), Error> {
    let all = exceptions.all().len();
    let mut words = format!("{all} {}", if all == 1 { "exception" } else { "exceptions" });
    // Writing to a String cannot fail.
    let _ = write!(words, ", {} expired", exceptions.expired_at(now).count());
    if let Some(tally) = tally {
        let unused = exceptions.all().iter().filter(|one| !tally.excepted.contains_key(&one.id)).count();
        let _ = write!(words, ", {unused} silencing nothing in {} lines", grouped(tally.lines));
        if tally.skipped_total() > 0 {
            let _ = write!(words, "; {} could not be read, see `rolewatch replay`", grouped(tally.skipped_total()));
        }
    }
    let space = if all > 0 { "\n" } else { "" };
    Ok(writeln!(out, "{space}{words}")?)
}

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();
/// Alerts shown of one exception.
const ALERTS_SHOWN: usize = 5;
const INDENT: usize = 12;
/// Room for a severity.
const LABEL: usize = 14;
