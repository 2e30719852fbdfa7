//! What tools write before a log line: times, stream names, columns.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::bytes::{Captures, Regex};

/// What stood before the text of a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The time of the line in milliseconds since 1970.
    pub(super) timestamp_ms: Option<i64>,
    /// The log stream.
    pub(super) log_stream: Option<String>,
    /// Which tool writes lines like this.
    pub(super) form: Form,
}

/// Which tool writes lines like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An export task of CloudWatch Logs: `<RFC 3339 in UTC> <message>`.
    Export,
    /// `aws logs tail`: `<RFC 3339 with offset> <stream> <message>`, or `--format short`: `<time> <message>`.
    Tail,
    /// `aws logs filter-log-events --output text` and `get-log-events --output text`: columns between tabs, the time
    /// last.
    Columns,
}

impl Prefix {
    /// The prefix that `bytes` begin with and its length.
    pub(super) fn of(bytes: &[u8]) -> Option<(Self, usize)> {
        let head = bytes.get(..PREFIX_BYTES_MAX).unwrap_or(bytes);
        match head.first()? {
            b'0'..=b'9' => timed(head),
            b'E' => columns(head),
            _ => None,
        }
    }

    /// Reads what stands behind the text on its line.
    pub(super) fn trailer(&mut self, rest: &[u8]) {
        if self.form == Form::Columns
            && let Some((_, time)) = last_column(rest)
        {
            self.timestamp_ms = Some(time);
        }
    }
}

fn timed(head: &[u8]) -> Option<(Prefix, usize)> {
    let found = TIMED.captures(head)?;
    let length = found.get(0)?.end();
    // An entry of the api stream can be a line that begins with a time of its own.
    if head.get(length..).is_some_and(|rest| rest.starts_with(b"AUDIT: ")) {
        return None;
    }
    let text = |name| group(&found, name);
    // Without a zone it is the zone of whoever ran the command, which is not known: no time beats a wrong one.
    let zone = text("zone").or(text("offset"));
    let timestamp_ms = zone
        .and_then(|zone| format!("{}{zone}", text("time")?).parse::<Timestamp>().ok())
        .map(Timestamp::as_millisecond);
    let form = if text("zone") == Some("Z") { Form::Export } else { Form::Tail };
    Some((Prefix { timestamp_ms, log_stream: text("stream").map(str::to_owned), form }, length))
}

fn columns(head: &[u8]) -> Option<(Prefix, usize)> {
    let found = COLUMNS.captures(head)?;
    let log_stream = group(&found, "stream").map(str::to_owned);
    Some((Prefix { timestamp_ms: None, log_stream, form: Form::Columns }, found.get(0)?.end()))
}

fn group<'h>(found: &Captures<'h>, name: &str) -> Option<&'h str> {
    found.name(name).and_then(|found| std::str::from_utf8(found.as_bytes()).ok())
}

/// The last column of a line and the text before it: its time in milliseconds.
pub(super) fn last_column(line: &[u8]) -> Option<(&[u8], i64)> {
    let tab = memchr::memrchr(b'\t', line)?;
    let (text, column) = line.split_at_checked(tab)?;
    let digits = std::str::from_utf8(column.trim_ascii()).ok().filter(|digits| digits.len() >= 10)?;
    Some((text, digits.parse().ok()?))
}

/// Whether a line only helps the tool that wrote it: column headings and paging marks of `--output text`.
pub(super) fn is_bookkeeping(line: &[u8]) -> bool {
    BOOKKEEPING.is_match(line)
}

fn expression(text: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "a constant expression, compiled by every test")]
    Regex::new(text).expect("the expression is constant")
}

static TIMED: LazyLock<Regex> = LazyLock::new(|| {
    expression(concat!(
        r"^(?-u)(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)",
        r"(?:(?P<zone>Z)|(?P<offset>[+-]\d\d:\d\d) (?P<stream>\S{1,512}))? ",
    ))
});
static COLUMNS: LazyLock<Regex> =
    LazyLock::new(|| expression(r"^(?-u)EVENTS\t(?:\d{40,64}\t)?\d{10,16}\t(?:(?P<stream>[^\s{:*]{1,512})\t)?"));
static BOOKKEEPING: LazyLock<Regex> =
    LazyLock::new(|| expression(r"^(?-u)(?:SEARCHEDLOGSTREAMS\t|[bf]/\d{20,}(?:/s)?(?:\t[bf]/\d{20,}(?:/s)?)?\s*$)"));

/// Longest prefix that is looked for: `EVENTS`, an id of 64 digits, a time of 16, and a stream name of 512 characters, each with
/// the tab behind it.
pub(super) const PREFIX_BYTES_MAX: usize = 7 + 65 + 17 + 513;

#[cfg(test)]
mod tests {
    use super::{Form, PREFIX_BYTES_MAX, Prefix, is_bookkeeping, last_column};

    const STREAM: &str = "kube-apiserver-audit-5c2f0e9a1b7d4386a0e4d9173bc8f652";

    fn check(line: &str, expected: Option<(Form, Option<i64>, Option<&str>, &str)>) {
        let found = Prefix::of(line.as_bytes());
        let found = found.as_ref().map(|(prefix, length)| {
            let (_, rest) = line.split_at(*length);
            (prefix.form, prefix.timestamp_ms, prefix.log_stream.as_deref(), rest)
        });
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn prefixes_are_known_by_their_form() {
        check("2026-11-23T06:49:21.478Z {\"a\":1}", Some((Form::Export, Some(1_795_416_561_478), None, "{\"a\":1}")));
        check("2026-11-23T06:49:21Z E1123 x", Some((Form::Export, Some(1_795_416_561_000), None, "E1123 x")));
        check(
            &format!("2026-11-23T06:49:21.478000+00:00 {STREAM} {{}}"),
            Some((Form::Tail, Some(1_795_416_561_478), Some(STREAM), "{}")),
        );
        check("2026-11-23T08:49:21 {}", Some((Form::Tail, None, None, "{}")));
        check(
            &format!("EVENTS\t31795416561478911238730627840854845340916533673702520007\t1795416563351\t{STREAM}\t{{}}"),
            Some((Form::Columns, None, Some(STREAM), "{}")),
        );
        check("EVENTS\t1795416563351\t{\"a\":\"b\tc\"}", Some((Form::Columns, None, None, "{\"a\":\"b\tc\"}")));
        for line in [
            "E1123 06:52:33.507897   30538 webhook.go:154] x",
            "2026-11-23T06:51:05.853328439Z AUDIT: id=\"x\"",
            "2026/11/23 06:53:46 httputil: x",
            "{\"a\":1}",
            "",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn the_longest_prefix_is_within_the_limit_and_a_stream_name_past_its_own_is_none() {
        let columns = format!("EVENTS\t{}\t{}\t", "3".repeat(64), "1".repeat(16));
        for (start, end) in [("2026-11-23T06:49:21.478123456+00:00 ", " "), (columns.as_str(), "\t")] {
            let prefix = |chars| format!("{start}{}{end}", "s".repeat(chars));
            let stream = |chars| {
                let line = prefix(chars) + "{}";
                let (prefix, length) = Prefix::of(line.as_bytes())?;
                prefix.log_stream.map(|stream| (stream.len(), length))
            };
            assert!(prefix(STREAM_CHARS_MAX).len() <= PREFIX_BYTES_MAX);
            assert_eq!(stream(STREAM_CHARS_MAX), Some((STREAM_CHARS_MAX, prefix(STREAM_CHARS_MAX).len())));
            assert_eq!(stream(STREAM_CHARS_MAX + 1), None);
        }
    }

    /// Of the name of a log stream, as CloudWatch Logs has it.
    const STREAM_CHARS_MAX: usize = 512;

    #[test]
    fn the_last_column_is_a_time_or_it_is_text() {
        assert_eq!(last_column(b"}\t1795416561478\r"), Some((&b"}"[..], 1_795_416_561_478)));
        assert_eq!(last_column(b"a\tb"), None);
        assert_eq!(last_column(b"a\t12"), None);
    }

    #[test]
    fn bookkeeping_lines_are_no_log_lines() {
        assert!(is_bookkeeping(b"SEARCHEDLOGSTREAMS\tTrue\tx"));
        assert!(is_bookkeeping(b"b/39347213846721300000000000000000000000000000000000000000/s\tf/39347213846721300000000000000000000000000000000000000000/s"));
        assert!(!is_bookkeeping(b"E1123 x"));
    }
}
