//! What was read and what became of it, as a person would paste it into a ticket.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::text::wrap;

use crate::tally::{PLACES_MAX, Quieted, Skipped, Tally};

/// Alerts of a run by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AlertCounts {
    counts: [u64; Severity::ALL.len()],
}

impl AlertCounts {
    /// Counts one alert.
    pub(crate) fn add(&mut self, severity: Severity) {
        if let Some(count) = self.counts.get_mut(usize::from(severity.id()) - 1) {
            *count += 1;
        }
    }

    /// How many alerts are exactly this urgent.
    pub(crate) fn of(&self, severity: Severity) -> u64 {
        self.counts.get(usize::from(severity.id()) - 1).copied().unwrap_or_default()
    }

    /// How many alerts are at least this urgent.
    pub(crate) fn reaching(&self, severity: Severity) -> u64 {
        self.counts.iter().skip(usize::from(severity.id()) - 1).sum()
    }

    /// How many alerts there are.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// `1 critical, 2 low`, of those that `keep` holds; the most urgent first.
    pub(crate) fn words(&self, keep: impl Fn(Severity) -> bool) -> String {
        let words: Vec<String> = Severity::ALL
            .into_iter()
            .zip(self.counts)
            .rev()
            .filter(|(severity, count)| *count > 0 && keep(*severity))
            .map(|(severity, count)| format!("{} {severity}", grouped(count)))
            .collect();
        words.join(", ")
    }
}

/// Writes what was counted in a run, in lines of at most `columns` where words allow it.
pub(crate) fn write(
    out: &mut dyn Write,
    tally: &Tally,
    alerts: &AlertCounts,
    min: Severity,
    columns: usize,
) -> io::Result<()> {
    let rows = rows(tally, alerts, min);
    let width = rows.iter().map(|(_, number, _)| grouped(*number).len()).max().unwrap_or_default();
    let mut text = String::from("Summary\n");
    for (label, number, words) in rows {
        let start = format!("  {label:<9}{:>width$}", grouped(number));
        let indent = start.len() + 2;
        // Writing to a String cannot fail.
        for (at, line) in wrap(&words, columns.saturating_sub(indent)).into_iter().enumerate() {
            let line = if at == 0 { format!("{start}  {line}") } else { format!("{:indent$}{line}", "") };
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Label, number and words of each line.
fn rows(tally: &Tally, alerts: &AlertCounts, min: Severity) -> Vec<(&'static str, u64, String)> {
    let mut rows: Vec<(&str, u64, String)> = vec![
        ("files", tally.files, String::new()),
        ("lines", tally.lines, String::new()),
        ("alerts", alerts.total(), alert_words(tally, alerts, min)),
    ];
    if !tally.excepted.is_empty() {
        rows.push(("excepted", tally.excepted.values().sum(), ids(&tally.excepted)));
    }
    if !tally.expired.is_empty() {
        let words = format!("{}; told because the exception has expired", ids(&tally.expired));
        rows.push(("expired", tally.expired.values().sum(), words));
    }
    rows.push(("quiet", tally.quiet.values().map(|quiet| quiet.count).sum(), String::new()));
    let mut quiet: Vec<(&str, &Quieted)> = tally.quiet.iter().map(|(reason, quiet)| (*reason, quiet)).collect();
    quiet.sort_by_key(|(reason, quiet)| (std::cmp::Reverse(quiet.count), *reason));
    rows.extend(quiet.into_iter().map(|(reason, quiet)| ("", quiet.count, explained(reason, quiet.meaning))));
    let (skipped, lines) = (tally.skipped_total(), tally.skipped_lines());
    let others = skipped.saturating_sub(lines);
    let words = if others > 0 && lines > 0 {
        format!(
            "{} of the lines, {} that {} none",
            grouped(lines),
            grouped(others),
            if others == 1 { "is" } else { "are" }
        )
    } else if others > 0 {
        "none of them a line".to_owned()
    } else {
        String::new()
    };
    rows.push(("skipped", skipped, words));
    let mut skipped: Vec<(&str, &Skipped)> = tally.skipped.iter().map(|(reason, skipped)| (*reason, skipped)).collect();
    skipped.sort_by_key(|(reason, skipped)| (std::cmp::Reverse(skipped.count), *reason));
    rows.extend(skipped.into_iter().map(|(reason, skipped)| ("", skipped.count, skip_words(reason, skipped))));
    if tally.memory_dropped > 0 {
        let words = "entries of memory dropped to make room; what came later may be told with less to say, or twice";
        rows.push(("memory", tally.memory_dropped, words.to_owned()));
    }
    rows
}

/// `argocd, gitops (2)`: ids with how often, where that is more than once.
fn ids(counts: &BTreeMap<String, u64>) -> String {
    let one =
        |(id, count): (&String, &u64)| if *count == 1 { id.clone() } else { format!("{id} ({})", grouped(*count)) };
    counts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Writes every place that is known where something could not be read, one in a line, as compilers do.
pub(crate) fn write_places(out: &mut dyn Write, tally: &Tally) -> io::Result<()> {
    for (reason, skipped) in &tally.skipped {
        for place in &skipped.places {
            writeln!(out, "{place}: {}", explained(reason, skipped.hint))?;
        }
        let left = usize::try_from(skipped.count).unwrap_or(usize::MAX).saturating_sub(skipped.places.len());
        if left > 0 && !skipped.places.is_empty() {
            writeln!(out, "and {left} more: {reason}")?;
        }
    }
    Ok(())
}

fn alert_words(tally: &Tally, alerts: &AlertCounts, min: Severity) -> String {
    let mut parts = Vec::new();
    let shown = alerts.words(|severity| severity >= min);
    if !shown.is_empty() {
        parts.push(shown);
    }
    let hidden = alerts.words(|severity| severity < min);
    if !hidden.is_empty() {
        parts.push(format!("not shown: {hidden}"));
    }
    if tally.alerted > 0 {
        parts.push(format!("from {} {}", grouped(tally.alerted), if tally.alerted == 1 { "line" } else { "lines" }));
    }
    parts.join("; ")
}

fn skip_words(reason: &str, skipped: &Skipped) -> String {
    let mut words = explained(reason, skipped.hint);
    if !skipped.places.is_empty() {
        let shown = skipped.places.get(..PLACES_MAX).unwrap_or(&skipped.places);
        let more = usize::try_from(skipped.count).is_ok_and(|count| count > shown.len());
        let _ = write!(words, " ({}{})", shown.join(", "), if more { ", ..." } else { "" });
    }
    words
}

/// A reason and what it means, which is a sentence where it is defined.
pub(crate) fn explained(reason: &str, meaning: &str) -> String {
    let meaning = meaning.trim_end_matches('.');
    let mut letters = meaning.chars();
    match (letters.next(), letters.as_str()) {
        (None, _) => reason.to_owned(),
        // Not JSON, CloudWatch and the like.
        (Some(first), rest) if !rest.split(' ').next().unwrap_or_default().contains(char::is_uppercase) => {
            format!("{reason}: {}{rest}", first.to_lowercase())
        }
        _ => format!("{reason}: {meaning}"),
    }
}

/// `1 entry`, `2 entries`
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
#[expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
mod tests {
    use expect_test::expect;
    use rolewatch_analyzer::severity::Severity;

    use super::{AlertCounts, grouped, write};
    use crate::tally::{Quieted, Skipped, Tally};

    #[test]
    fn the_summary_is_aligned_and_says_everything_that_was_counted() {
        let mut alerts = AlertCounts::default();
        for severity in [Severity::Low, Severity::Critical, Severity::High, Severity::Informational] {
            alerts.add(severity);
        }
        let mut tally = Tally::default();
        (tally.files, tally.lines, tally.alerted, tally.memory_dropped) = (2, 12_345, 14, 7);
        let one = |id: &str, count| std::collections::BTreeMap::from([(id.to_owned(), count)]);
        tally.excepted(one("argocd", 3), one("old", 1));
        let meaning = "Nothing that any detection looks at.";
        tally.quiet.insert("not-of-interest", Quieted { count: 12_000, meaning });
        tally.quiet.insert("other-stage", Quieted { count: 329, meaning: "" });
        let places = vec!["a.ndjson:7".to_owned()];
        tally.skipped.insert("not-json", Skipped { count: 2, hint: "JSON that is not an event.", places });
        let hint = "the lines before the damage were read";
        tally.skipped.insert("gzip-damaged", Skipped { count: 1, hint, places: vec!["b.gz:9".to_owned()] });
        let mut text = Vec::new();
        write(&mut text, &tally, &alerts, Severity::Medium, 78).unwrap();
        expect![[r#"
            Summary
              files         2
              lines    12,345
              alerts        4  1 critical, 1 high; not shown: 1 low, 1 informational; from
                               14 lines
              excepted      3  argocd (3)
              expired       1  old; told because the exception has expired
              quiet    12,329
                       12,000  not-of-interest: nothing that any detection looks at
                          329  other-stage
              skipped       3  2 of the lines, 1 that is none
                            2  not-json: JSON that is not an event (a.ndjson:7, ...)
                            1  gzip-damaged: the lines before the damage were read
                               (b.gz:9)
              memory        7  entries of memory dropped to make room; what came later may
                               be told with less to say, or twice
        "#]]
        .assert_eq(&String::from_utf8(text).unwrap());
        assert_eq!(alerts.reaching(Severity::High), 2);
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
