//! Entries of the api stream: what kube-apiserver prints, in the text format of klog.
//!
//! An entry begins with `Lmmdd hh:mm:ss.uuuuuu threadid file:line] ` and may go on for several lines, which CloudWatch
//! delivers together or one by one; both are put together here. File names are stable over releases, line numbers
//! are not.

mod refusal;
mod structured;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::stream::has_klog_header;

pub use self::refusal::{Refusal, TokenRefusal};
pub use self::structured::Structured;

/// One entry, its continuation lines included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KlogEntry<'a> {
    /// The source file that printed it; empty for continuation lines whose beginning came in an earlier delivery.
    pub file: &'a str,
    /// `mmdd hh:mm:ss.uuuuuu` as the API server wrote it, in UTC and without a year; empty for continuation lines.
    pub clock: &'a str,
    /// The text after the header, lines joined by line breaks.
    pub message: Cow<'a, str>,
    /// The lines that make it up, counted.
    pub lines: u64,
    /// When CloudWatch says the first line was written, in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
}

/// Puts the lines of one stream together into entries.
///
/// Lines without a header belong to the entry before them. At most [`ENTRY_LINES_MAX`] lines make one entry; more
/// begin another, so that nothing is lost.
pub fn entries<'a>(lines: impl IntoIterator<Item = (Option<i64>, &'a str)>) -> Vec<KlogEntry<'a>> {
    let mut entries: Vec<KlogEntry<'a>> = Vec::new();
    for (timestamp_ms, line) in lines {
        if !has_klog_header(line)
            && let Some(last) = entries.last_mut()
            && last.lines < ENTRY_LINES_MAX
        {
            let message = last.message.to_mut();
            message.push('\n');
            message.push_str(line);
            last.lines += 1;
            continue;
        }
        let (clock, file, message) = split_header(line).unwrap_or(("", "", line));
        entries.push(KlogEntry { file, clock, message: Cow::Borrowed(message), lines: 1, timestamp_ms });
    }
    entries
}

/// Clock, file and message of a line that begins an entry.
fn split_header(line: &str) -> Option<(&str, &str, &str)> {
    if !has_klog_header(line) {
        return None;
    }
    let (header, message) = line.split_once("] ").or_else(|| line.split_once(']'))?;
    let (place, _) = header.rsplit_once(' ').and_then(|(_, place)| place.split_once(':'))?;
    Some((line.get(CLOCK)?, place, message))
}

impl KlogEntry<'_> {
    /// When the entry was written. The line has no year: of the years around `near` the one that comes closest to it is
    /// taken, so that New Year's Eve read on New Year's Day stays in the old year. `near` stands in where CloudWatch
    /// gives no timestamp; without either there is no time.
    #[must_use]
    pub fn time(&self, near: Option<Timestamp>) -> Option<Timestamp> {
        let near = self.timestamp_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).or(near)?;
        let year = near.to_zoned(jiff::tz::TimeZone::UTC).year();
        [year, year.saturating_sub(1), year.saturating_add(1)]
            .into_iter()
            .filter_map(|year| self.in_year(year))
            .min_by_key(|time| time.as_second().abs_diff(near.as_second()))
    }

    fn in_year(&self, year: i16) -> Option<Timestamp> {
        let number = |range: std::ops::Range<usize>| self.clock.get(range).and_then(|digits| digits.parse().ok());
        let micros: i32 = self.clock.get(14..20).and_then(|digits| digits.parse().ok())?;
        let date = jiff::civil::Date::new(year, number(0..2)?, number(2..4)?).ok()?;
        let time = jiff::civil::Time::new(number(5..7)?, number(8..10)?, number(11..13)?, micros * 1_000).ok()?;
        date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    }

    /// The hour in which it was written, `mmdd hh`: the same whether or not CloudWatch's timestamp is there.
    #[must_use]
    pub fn hour(&self) -> &str {
        self.clock.get(..7).unwrap_or_default()
    }
}

/// Where the clock stands in a header, after the letter for its severity.
const CLOCK: std::ops::Range<usize> = 1..21;

/// What the API server said about audit events that it could not write.
///
/// Text of `k8s.io/apiserver/pkg/audit/metrics.go` and `format.go`, unchanged from Kubernetes 1.27 to 1.36.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEvents {
    /// How many events, where the first line of the entry was seen.
    pub affected: Option<u64>,
    /// The summaries that followed, one per event.
    pub summaries: Vec<LostEvent>,
}

/// The one-line summary of a lost audit event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LostEvent {
    /// When the request was received.
    pub time: Option<Timestamp>,
    /// `auditID`
    pub id: String,
    /// The first of the source addresses: the client may have chosen it.
    pub ip: String,
    /// Request verb.
    pub method: String,
    /// Username of who asked.
    pub user: String,
    /// Groups of who asked.
    pub groups: Vec<String>,
    /// Username acted as; empty without impersonation.
    pub acting_as: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// Path and query.
    pub uri: String,
    /// HTTP status; 0 when unknown.
    pub response: u16,
}

impl KlogEntry<'_> {
    /// The lost audit events that this entry tells of.
    #[must_use]
    pub fn lost_events(&self) -> Option<LostEvents> {
        let begins = self.message.starts_with("Error in audit plugin ");
        let summaries: Vec<LostEvent> = self.message.lines().filter_map(summary).take(SUMMARIES_MAX).collect();
        if !begins && summaries.is_empty() {
            return None;
        }
        let affected = self
            .message
            .split_once(" affecting ")
            .and_then(|(_, rest)| rest.split_once(" audit events"))
            .and_then(|(count, _)| count.parse().ok())
            .filter(|_| begins);
        Some(LostEvents { affected, summaries })
    }
}

/// Reads `<time> AUDIT: id="..." stage="..." ip="..." ...`. A line that only contains such a text is none.
fn summary(line: &str) -> Option<LostEvent> {
    let (time, rest) = line.split_once(" AUDIT: ")?;
    let mut event = LostEvent { time: Some(time.parse().ok()?), ..LostEvent::default() };
    for (key, value) in fields(rest) {
        match key {
            "id" => event.id = value,
            "ip" => event.ip = value,
            "method" => event.method = value,
            "user" => event.user = value,
            "groups" => event.groups = groups(&value),
            "as" if value != "<self>" => event.acting_as = value,
            "user-agent" => event.user_agent = value,
            "uri" => event.uri = value,
            "response" => event.response = value.parse().unwrap_or_default(),
            _ => {}
        }
    }
    Some(event)
}

/// `"a","b"`, quoted once more by the field around it.
fn groups(text: &str) -> Vec<String> {
    let mut groups = Vec::new();
    let mut rest = text;
    while let Some((group, after)) = rest.strip_prefix('"').and_then(unquote) {
        groups.push(group);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    groups
}

/// The `key="value"` pairs of a line, values quoted as Go quotes strings. Stops at the first thing of another form.
pub fn fields(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (key, after) = rest.trim_start().split_once("=\"")?;
        let (value, after) = unquote(after)?;
        rest = after;
        Some((key, value))
    })
}

/// Reads the rest of a Go-quoted string (`strconv.Quote`), its opening quote gone; hands out what follows it.
#[must_use]
pub fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => match characters.next()? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'x' => value.push(code_point(&mut characters, 2)?),
                'u' => value.push(code_point(&mut characters, 4)?),
                'U' => value.push(code_point(&mut characters, 8)?),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}

fn code_point(characters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut value = 0_u32;
    for _ in 0..digits {
        value = value.checked_mul(16)?.checked_add(characters.next()?.to_digit(16)?)?;
    }
    Some(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Most lines put together into one entry: a lost batch lists one line per event.
pub const ENTRY_LINES_MAX: u64 = 1_000;

/// Most summaries read from one entry; the count in its first line still stands.
pub const SUMMARIES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::{ENTRY_LINES_MAX, SUMMARIES_MAX, entries, fields, unquote};

    const HEADER: &str =
        "E1123 06:51:05.989157   30538 metrics.go:110] Error in audit plugin 'log' affecting 2 audit events: json: bad";
    const SUMMARY: &str = r#"2026-11-23T06:51:05.853328439Z AUDIT: id="6e16758b" stage="ResponseComplete" ip="203.0.113.24" method="patch" user="maria" groups="\"a\",\"b c\"" as="<self>" asgroups="<lookup>" user-agent="curl \"x\"" namespace="<none>" uri="/apis/rbac?x=y" response="201""#;

    #[test]
    fn an_entry_of_several_lines_reads_the_same_whole_or_split() {
        let whole = format!("{HEADER}\nImpacted events:\n{SUMMARY}");
        let split = [(None, HEADER), (None, "Impacted events:"), (None, SUMMARY)];
        for entry in [&entries([(None, whole.as_str())])[0], &entries(split)[0]] {
            assert_eq!(entry.file, "metrics.go");
            let lost = entry.lost_events().unwrap();
            assert_eq!(lost.affected, Some(2));
            let event = &lost.summaries[0];
            assert_eq!(event.id, "6e16758b");
            assert_eq!(event.groups, ["a", "b c"]);
            assert_eq!((event.method.as_str(), event.response), ("patch", 201));
            assert_eq!((event.user_agent.as_str(), event.acting_as.as_str()), ("curl \"x\"", ""));
            assert!(event.time.is_some());
        }
    }

    #[test]
    fn a_summary_alone_still_counts_and_a_mention_does_not() {
        assert_eq!(entries([(None, SUMMARY)])[0].lost_events().unwrap().affected, None);
        let mention = r#"I1123 06:51:05.989157 1 trace.go:236] agent "2026 AUDIT: id=\"x\"""#;
        assert_eq!(entries([(None, mention)])[0].lost_events(), None);
    }

    #[test]
    fn entries_are_bounded_and_no_line_is_lost() {
        for (count, expected) in
            [(ENTRY_LINES_MAX, vec![ENTRY_LINES_MAX]), (ENTRY_LINES_MAX + 1, vec![ENTRY_LINES_MAX, 1])]
        {
            let lines = std::iter::repeat_n((None, "x"), usize::try_from(count).unwrap());
            assert_eq!(entries(lines).iter().map(|entry| entry.lines).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn summaries_at_their_limit_are_read_and_one_past_it_is_counted_alone() {
        for count in [SUMMARIES_MAX, SUMMARIES_MAX + 1] {
            let header = HEADER.replace("affecting 2", &format!("affecting {count}"));
            let entry = format!("{header}\nImpacted events:{}", format!("\n{SUMMARY}").repeat(count));
            let lost = entries([(None, entry.as_str())])[0].lost_events().unwrap();
            assert_eq!(lost.summaries.len(), SUMMARIES_MAX);
            assert_eq!(lost.affected, Some(u64::try_from(count).unwrap()));
        }
    }

    #[test]
    fn the_year_comes_from_cloudwatch_and_new_year_is_minded() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
        let rows = [
            ("1123 06:52:33.508056", "2026-11-23T06:54:00Z", Some("2026-11-23T06:52:33.508056Z")),
            ("1231 23:59:59.999999", "2027-01-01T00:03:00Z", Some("2026-12-31T23:59:59.999999Z")),
            ("0101 00:00:01.000000", "2026-12-31T23:59:58Z", Some("2027-01-01T00:00:01Z")),
            ("0229 12:00:00.000000", "2028-02-29T12:00:00Z", Some("2028-02-29T12:00:00Z")),
            ("1323 06:52:33.508056", "2026-11-23T06:54:00Z", None),
        ];
        for (clock, near, time) in rows {
            let line = format!("E{clock}   30538 authentication.go:75] x");
            let with_stamp = &entries([(Some(at(near).as_millisecond()), line.as_str())])[0];
            let without = &entries([(None, line.as_str())])[0];
            assert_eq!(with_stamp.time(None), time.map(at), "{clock}");
            assert_eq!(without.time(Some(at(near))), time.map(at), "{clock}");
            assert_eq!((without.time(None), without.hour()), (None, clock.get(..7).unwrap()));
        }
    }

    #[test]
    fn go_quoting_is_undone() {
        assert_eq!(unquote(r#"a\"b\\\n\x41\u00e9" rest"#), Some(("a\"b\\\nA\u{e9}".to_owned(), " rest")));
        assert_eq!(unquote("open"), None);
        assert_eq!(fields(r#"a="1" b="2" c=3"#).collect::<Vec<_>>().len(), 2);
    }
}
