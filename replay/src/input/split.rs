//! Cutting a log of any form into its records, with memory for one record at a time.
//!
//! A record is a line of text or a JSON value. A value may stand on a line of its own, be laid out over many lines,
//! or follow the one before without any line break. Long lists (`[..]`, `{"items":[..]}`, `{"events":[..]}`,
//! `{"results":[..]}`) are cut into their elements, so that a list of any length passes.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::prefix::{PREFIX_BYTES_MAX, Prefix};
use super::value::{Scanned, ValueScan};
use super::window::Window;

/// One record of a log.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The line it begins in, from 1.
    pub(super) line: u64,
    /// What stood before the text on its line.
    pub(super) prefix: Option<Prefix>,
    /// The text itself.
    pub(super) body: Body<'a>,
}

/// The text of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// Begins as JSON and is a whole value, or the beginning of one that was cut.
    Json(&'a [u8]),
    /// One line of other text, without its end.
    Text(&'a [u8]),
    /// A line longer than [`TEXT_BYTES_MAX`]; it was passed over.
    LongLine,
    /// A value longer than [`VALUE_BYTES_MAX`]; it was passed over.
    LongValue,
    /// A list ended without its closing bracket, or holds what no list can hold.
    BrokenList,
}

/// A log being cut into records.
pub(super) struct Records<R> {
    window: Window<R>,
    place: Place,
    /// Bytes of the record handed out last.
    taken: usize,
    /// Bytes from here on in which every line stands for itself, since they were tried as a value before.
    single: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    /// Inside a list; the list is a member of an object.
    List {
        member: bool,
    },
    /// Behind a list, inside the object that it is a member of.
    Rest,
}

/// What to hand out, as offsets from the start of the window.
struct Cut {
    prefix: Option<Prefix>,
    body: Range<usize>,
    kind: CutKind,
}

enum CutKind {
    Json,
    Text,
    LongLine,
    LongValue,
    BrokenList,
}

impl Cut {
    fn json(body: Range<usize>) -> Self {
        Self { prefix: None, body, kind: CutKind::Json }
    }

    fn nothing(kind: CutKind) -> Self {
        Self { prefix: None, body: 0..0, kind }
    }
}

impl<R: Read> Records<R> {
    /// The records of `reader`.
    pub(super) fn new(reader: R) -> Self {
        Self { window: Window::new(reader), place: Place::Top, taken: 0, single: 0 }
    }

    /// The first bytes, to see what this is at all.
    pub(super) fn head(&mut self) -> io::Result<&[u8]> {
        self.window.want(HEAD_BYTES)?;
        let bytes = self.window.bytes();
        Ok(bytes.get(..HEAD_BYTES).unwrap_or(bytes))
    }

    /// How many bytes were read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.window.bytes_read()
    }

    /// The number of the line that comes next, where that begins as an audit event does; what follows is likely of its
    /// kind.
    pub(super) fn audit_lines(&mut self) -> io::Result<Option<u64>> {
        self.pass(self.taken);
        self.taken = 0;
        self.pass_blank()?;
        let begins = self.place == Place::Top && self.single == 0 && self.bytes().starts_with(AUDIT_LINE);
        Ok(begins.then(|| self.window.line()))
    }

    /// What was read and not yet handed out.
    pub(super) fn bytes(&self) -> &[u8] {
        self.window.bytes()
    }

    /// Steps over whole lines at the beginning of [`Records::bytes`].
    pub(super) fn pass_lines(&mut self, bytes: usize, lines: usize) {
        self.window.consume_lines(bytes, lines);
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        let (line, cut) = loop {
            self.pass(self.taken);
            self.taken = 0;
            self.pass_blank()?;
            let line = self.window.line();
            let cut = match self.place {
                Place::Top => self.at_top()?,
                Place::List { member } => self.in_list(member)?,
                Place::Rest => self.behind_list()?,
            };
            match cut {
                Step::Cut(cut) => break (line, cut),
                Step::Again => {}
                Step::End => return Ok(None),
            }
        };
        let bytes = self.window.bytes().get(cut.body).unwrap_or_default();
        let body = match cut.kind {
            CutKind::Json => Body::Json(bytes),
            CutKind::Text => Body::Text(bytes),
            CutKind::LongLine => Body::LongLine,
            CutKind::LongValue => Body::LongValue,
            CutKind::BrokenList => Body::BrokenList,
        };
        Ok(Some(Record { line, prefix: cut.prefix, body }))
    }

    fn at_top(&mut self) -> io::Result<Step> {
        self.window.want(PREFIX_BYTES_MAX)?;
        let bytes = self.window.bytes();
        if bytes.is_empty() {
            return Ok(Step::End);
        }
        if bytes.starts_with(AUDIT_LINE) {
            return self.audit_line();
        }
        if self.single == 0
            && let Some(open) = list_start(bytes)
        {
            self.place = Place::List { member: bytes.starts_with(b"{") };
            self.taken = open;
            return Ok(Step::Again);
        }
        if bytes.starts_with(b"{") {
            return self.value_at(0, None);
        }
        match Prefix::of(bytes) {
            Some((prefix, length)) if bytes.get(length) == Some(&b'{') => self.value_at(length, Some(prefix)),
            Some((prefix, length)) => self.text(length, Some(prefix)),
            None => self.text(0, None),
        }
    }

    /// The usual record of an audit log: a whole line. That a value ends at the line's end is sure without looking
    /// inside, unless another one begins in the same line.
    fn audit_line(&mut self) -> io::Result<Step> {
        let LineEnd::At(end) = self.line_end(VALUE_BYTES_MAX)? else { return self.value_at(0, None) };
        let line = self.window.bytes().get(..end).unwrap_or_default().trim_ascii_end();
        if line.ends_with(b"}") && memchr::memmem::find(line, b"}{").is_none() {
            self.taken = end;
            return Ok(Step::Cut(Cut::json(0..line.len())));
        }
        self.value_at(0, None)
    }

    /// A value that begins at `start`, behind a prefix or not.
    fn value_at(&mut self, start: usize, prefix: Option<Prefix>) -> io::Result<Step> {
        let mut scan = ValueScan::of_lines();
        let end = if self.single > 0 { Found::Not(0) } else { self.scan(&mut scan, start)? };
        match end {
            Found::End(end) => {
                let mut cut = Cut { prefix, ..Cut::json(start..end) };
                self.taken = end;
                if let Some(prefix) = &mut cut.prefix {
                    let LineEnd::At(line) = self.line_end_after(end, VALUE_BYTES_MAX)? else {
                        return Ok(Step::Cut(cut));
                    };
                    prefix.trailer(self.window.bytes().get(end..line).unwrap_or_default());
                    self.taken = line;
                }
                Ok(Step::Cut(cut))
            }
            Found::TooLong => Ok(Step::Cut(Cut { prefix, ..Cut::nothing(CutKind::LongValue) })),
            Found::Not(read) => {
                // No value: what was tried as one is cut into lines, each of which is tried no more.
                self.single = self.single.max(read);
                let LineEnd::At(end) = self.line_end(VALUE_BYTES_MAX)? else { return self.long_line(prefix) };
                self.taken = end;
                self.single = self.single.max(end);
                Ok(Step::Cut(Cut { prefix, ..Cut::json(start..end) }))
            }
            Found::CutOff(end) => {
                let text = self.window.bytes().get(start..end).unwrap_or_default();
                if memchr::memmem::find(text, b"\n{").is_some() {
                    self.single = end;
                    return Ok(Step::Again);
                }
                self.taken = end;
                Ok(Step::Cut(Cut { prefix, ..Cut::json(start..end) }))
            }
        }
    }

    fn in_list(&mut self, member: bool) -> io::Result<Step> {
        match self.window.bytes().first() {
            None => {
                self.place = Place::Top;
                Ok(Step::Cut(Cut::nothing(CutKind::BrokenList)))
            }
            Some(b']') => {
                self.taken = 1;
                self.place = if member { Place::Rest } else { Place::Top };
                Ok(Step::Again)
            }
            Some(_) => match self.scan(&mut ValueScan::of_element(), 0)? {
                Found::End(end) | Found::CutOff(end) => {
                    self.taken = end;
                    Ok(Step::Cut(Cut::json(0..end)))
                }
                Found::TooLong => Ok(Step::Cut(Cut::nothing(CutKind::LongValue))),
                Found::Not(_) => {
                    // Outside again, from the next line on: other records may follow.
                    self.place = Place::Top;
                    self.pass_line()?;
                    Ok(Step::Cut(Cut::nothing(CutKind::BrokenList)))
                }
            },
        }
    }

    /// Steps over what an object holds behind its list, keeping nothing.
    fn behind_list(&mut self) -> io::Result<Step> {
        let mut scan = ValueScan::of_open_object();
        self.place = Place::Top;
        loop {
            match scan.advance(self.window.bytes()) {
                Scanned::Complete(end) => {
                    self.taken = end;
                    return Ok(Step::Again);
                }
                Scanned::Broken(at) => {
                    self.pass(at);
                    self.pass_line()?;
                    return Ok(Step::Cut(Cut::nothing(CutKind::BrokenList)));
                }
                Scanned::Partial => {
                    let passed = scan.rebase();
                    self.pass(passed);
                    if !self.window.fill()? {
                        return Ok(Step::Cut(Cut::nothing(CutKind::BrokenList)));
                    }
                }
            }
        }
    }

    /// Looks for the end of the value at `start`, reading as much as it takes. A value beyond the limit is passed over.
    fn scan(&mut self, scan: &mut ValueScan, start: usize) -> io::Result<Found> {
        loop {
            let text = self.window.bytes().get(start..).unwrap_or_default();
            match scan.advance(text) {
                // How much was read at once must not decide what is too long.
                Scanned::Complete(end) if end > VALUE_BYTES_MAX => {
                    self.pass(start + end);
                    return Ok(Found::TooLong);
                }
                Scanned::Complete(end) => return Ok(Found::End(start + end)),
                Scanned::Broken(at) => return Ok(Found::Not(start + at)),
                Scanned::Partial if text.len() > VALUE_BYTES_MAX => break,
                Scanned::Partial => {
                    if !self.window.fill()? {
                        return Ok(Found::CutOff(self.window.bytes().len()));
                    }
                }
            }
        }
        self.pass(start);
        loop {
            let passed = scan.rebase();
            self.pass(passed);
            if !self.window.fill()? {
                self.pass(self.window.bytes().len());
                return Ok(Found::TooLong);
            }
            match scan.advance(self.window.bytes()) {
                Scanned::Complete(end) | Scanned::Broken(end) => {
                    self.pass(end);
                    return Ok(Found::TooLong);
                }
                Scanned::Partial => {}
            }
        }
    }

    fn text(&mut self, start: usize, prefix: Option<Prefix>) -> io::Result<Step> {
        match self.line_end(TEXT_BYTES_MAX)? {
            LineEnd::At(end) => {
                self.taken = end;
                Ok(Step::Cut(Cut { prefix, body: start..end, kind: CutKind::Text }))
            }
            LineEnd::Beyond => self.long_line(prefix),
        }
    }

    fn long_line(&mut self, prefix: Option<Prefix>) -> io::Result<Step> {
        self.pass_line()?;
        Ok(Step::Cut(Cut { prefix, ..Cut::nothing(CutKind::LongLine) }))
    }

    /// Where the line ends that the window begins in: before its line feed, or at the end of the input.
    fn line_end(&mut self, max: usize) -> io::Result<LineEnd> {
        self.line_end_after(0, max)
    }

    /// Where the line ends that the byte at `from` stands in.
    fn line_end_after(&mut self, mut from: usize, max: usize) -> io::Result<LineEnd> {
        loop {
            let bytes = self.window.bytes();
            if let Some(found) = memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default()) {
                return Ok(if from + found > max { LineEnd::Beyond } else { LineEnd::At(from + found) });
            }
            from = bytes.len();
            if from > max {
                return Ok(LineEnd::Beyond);
            }
            if !self.window.fill()? {
                return Ok(LineEnd::At(from));
            }
        }
    }

    /// Steps over the rest of the line, however long.
    fn pass_line(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.window.bytes();
            if let Some(found) = memchr::memchr(b'\n', bytes) {
                self.pass(found);
                return Ok(());
            }
            self.pass(bytes.len());
            if !self.window.fill()? {
                return Ok(());
            }
        }
    }

    /// Steps over what may stand between records: white space, byte order marks, the separators of RFC 7464, and the
    /// commas of a list.
    fn pass_blank(&mut self) -> io::Result<()> {
        loop {
            let list = matches!(self.place, Place::List { .. });
            let bytes = self.window.bytes();
            let blank = bytes
                .iter()
                .position(|&byte| !(matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e) || (list && byte == b',')))
                .unwrap_or(bytes.len());
            let rest = bytes.get(blank..).unwrap_or_default();
            let mark = if rest.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let ended = !rest.is_empty() && mark == 0 && rest.len() >= BYTE_ORDER_MARK.len();
            self.pass(blank + mark);
            if ended || (mark == 0 && !self.window.fill()?) {
                return Ok(());
            }
        }
    }

    fn pass(&mut self, count: usize) {
        self.window.consume(count);
        self.single = self.single.saturating_sub(count);
    }
}

enum Step {
    Cut(Cut),
    Again,
    End,
}

enum LineEnd {
    At(usize),
    Beyond,
}

enum Found {
    End(usize),
    /// The input ends inside the value.
    CutOff(usize),
    /// Not a value, as far as to this offset.
    Not(usize),
    TooLong,
}

/// How many bytes open a list here, if one begins.
fn list_start(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..PREFIX_BYTES_MAX).unwrap_or(bytes);
    match head.first()? {
        // The api stream prints lines like `[-]etcd failed`, which are no lists.
        b'[' => matches!(head.get(1..)?.trim_ascii_start().first(), Some(b'{' | b'[' | b'"' | b']')).then_some(1),
        b'{' => LIST.find(head).map(|open| open.end()),
        _ => None,
    }
}

/// The beginning of an object whose list comes after a few short members: what `aws logs`, `kubectl`
/// and an audit webhook write.
static LIST: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant expression, compiled by every test")]
    Regex::new(concat!(
        r#"^\{\s*(?:"[A-Za-z]+"\s*:\s*(?:"[^"\\]*"|\{[^{}]*\}|\[\s*\])\s*,\s*){0,8}"#,
        r#""(?:items|events|results)"\s*:\s*\["#,
    ))
    .expect("the expression is constant")
});

/// How an audit event begins on a line of its own, as the API server writes it.
const AUDIT_LINE: &[u8] = br#"{"kind":"Event","#;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// Enough to tell text from what is none.
const HEAD_BYTES: usize = 1024;
/// Longest line of text: a little more than the longest log line, for what stands around it.
const TEXT_BYTES_MAX: usize = rolewatch_analyzer::envelope::LINE_BYTES_MAX + (4 << 10);
/// Longest value that is read whole, 32 MiB: a subscription document inflates to about 10 MiB, a Lambda event has at
/// most 6 MB. Lists are not read whole.
pub(super) const VALUE_BYTES_MAX: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use super::{Body, Records, TEXT_BYTES_MAX, VALUE_BYTES_MAX};

    /// Every record as a word: `j` JSON, `t` text, and what went wrong.
    fn records(text: &[u8]) -> Vec<String> {
        let mut records = Records::new(text);
        let mut found = Vec::new();
        while let Some(record) = records.next().unwrap() {
            let line = record.line;
            found.push(match record.body {
                Body::Json(text) => format!("{line} j {}", String::from_utf8_lossy(text).trim_end()),
                Body::Text(text) => format!("{line} t {}", String::from_utf8_lossy(text).trim_end()),
                Body::LongLine => format!("{line} long line"),
                Body::LongValue => format!("{line} long value"),
                Body::BrokenList => format!("{line} broken list"),
            });
        }
        found
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(records(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn lines_and_values_are_cut_apart() {
        check("", &[]);
        check("\n \r\n", &[]);
        check("one\r\ntwo", &["1 t one", "2 t two"]);
        check("\u{feff}{\"a\":1}\n\n{\"b\":2}", &["1 j {\"a\":1}", "3 j {\"b\":2}"]);
        check("{\"a\":1}{\"b\":2} {\"c\":3}", &["1 j {\"a\":1}", "1 j {\"b\":2}", "1 j {\"c\":3}"]);
        check("{\n \"a\": {\n }\n}\nE1123", &["1 j {\n \"a\": {\n }\n}", "5 t E1123"]);
        let event = r#"{"kind":"Event","a":"}{"}"#;
        check(
            &format!("{event}{event}\n{event}"),
            &[&format!("1 j {event}"), &format!("1 j {event}"), &format!("2 j {event}")],
        );
    }

    #[test]
    fn lists_are_cut_into_their_elements() {
        check("[{\"a\":1},\n{\"b\":2}]\n", &["1 j {\"a\":1}", "2 j {\"b\":2}"]);
        check("[\"x\", [1]]", &["1 j \"x\"", "1 j [1]"]);
        check(
            "{\"kind\":\"EventList\",\"metadata\":{},\"items\":[{\"a\":1}],\"x\":{\"y\":\"]}\"}}\n{\"b\":2}",
            &["1 j {\"a\":1}", "2 j {\"b\":2}"],
        );
        check("{\"events\": [], \"nextToken\": \"x\"}{\"b\":2}", &["1 j {\"b\":2}"]);
        check("[{\"a\":1},{\"b\":", &["1 j {\"a\":1}", "1 j {\"b\":", "1 broken list"]);
        check("[{\"a\":1} oops\n{\"b\":2}", &["1 j {\"a\":1}", "1 j oops", "2 j {\"b\":2}", "2 broken list"]);
        check("[{\"a\":1} Oops\n{\"b\":2}", &["1 j {\"a\":1}", "1 broken list", "2 j {\"b\":2}"]);
        check("[-]etcd failed: reason", &["1 t [-]etcd failed: reason"]);
    }

    #[test]
    fn a_cut_line_does_not_cost_its_neighbours() {
        let good = r#"{"kind":"Event","b":2}"#;
        for cut in [
            r#"{"kind":"Event","a":"in a string"#,
            r#"{"kind":"Event","a":1,"#,
            r#"{"kind":"Event","a":"#,
            r#"{"kind":"Event","a":["b","#,
            r#"{"kind":"Event","a":"\"#,
            "{",
        ] {
            check(
                &format!("{good}\n{cut}\n{good}\n{good}\n"),
                &[&format!("1 j {good}"), &format!("2 j {cut}"), &format!("3 j {good}"), &format!("4 j {good}")],
            );
            check(&format!("{good}\n{cut}"), &[&format!("1 j {good}"), &format!("2 j {cut}")]);
        }
    }

    #[test]
    fn what_stands_before_and_behind_a_value_is_not_part_of_it() {
        let stream = "kube-apiserver-audit-1";
        for line in [
            "2026-11-23T06:49:21.478Z {\"a\":1}".to_owned(),
            format!("2026-11-23T06:49:21.478000+00:00 {stream} {{\"a\":1}}"),
            format!(
                "EVENTS\t31795416561478911238730627840854845340916533673702520007\t1795416563351\t{stream}\t{{\"a\":1}}\t1795416561478"
            ),
        ] {
            let text = format!("{line}\n{line}");
            let mut records = Records::new(text.as_bytes());
            for _ in 0..2 {
                let record = records.next().unwrap().unwrap();
                assert_eq!(record.body, Body::Json(b"{\"a\":1}"), "{line}");
                assert_eq!(record.prefix.unwrap().timestamp_ms, Some(1_795_416_561_478), "{line}");
            }
            assert!(records.next().unwrap().is_none());
        }
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_named() {
        let blank = " ".repeat(VALUE_BYTES_MAX + 1);
        let long = "x".repeat(TEXT_BYTES_MAX + 600_000);
        check(&format!("{{\"a\":{blank}1}}\n{{\"b\":2}}"), &["1 long value", "2 j {\"b\":2}"]);
        check(&format!("{long}\nshort"), &["1 long line", "2 t short"]);
        check(&format!("[{{\"a\":{blank}1}},{{\"b\":2}}]"), &["1 long value", "1 j {\"b\":2}"]);
    }
}
