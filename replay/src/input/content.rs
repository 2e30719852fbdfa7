//! From the bytes of a file to the lines that the analyzer judges.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::atomic::Ordering;

use rolewatch_analyzer::envelope::{BadEntry, Delivery, LINE_BYTES_MAX, LogLine};
use rolewatch_analyzer::json::Reader;
use rolewatch_analyzer::stream::has_klog_header;

use super::document;
use super::prefix::{Form, Prefix, is_bookkeeping, last_column};
use super::split::{Body, Records, VALUE_BYTES_MAX};
use super::unpack::{Unpacked, unpack};
use crate::error::Error;
use crate::intake::Intake;
use crate::progress::Progress;
use crate::tally::{Ordinary, Reason};

/// Reads a text to its end. Only failures of the disk, the pipe or the output are errors.
pub(super) fn read(unpacked: Unpacked<'_>, intake: &mut Intake<'_>, progress: &Progress) -> Result<(), ReadError> {
    if unpacked.nested {
        intake.skip(Reason::Nested);
        return Ok(());
    }
    let mut records = Records::new(unpacked.reader);
    if is_binary(records.head()?) {
        intake.skip(Reason::Binary);
        return Ok(());
    }
    let mut open = Open::Strange(Vec::new());
    loop {
        if let Some(line) = records.audit_lines()? {
            open.close(intake, 0);
            open = Open::Nothing;
            intake.at(line);
            let (bytes, lines) = intake.run(records.bytes());
            records.pass_lines(bytes, lines);
            // What is said of the file from here on is said of the last line that was read.
            intake.at(line + u64::try_from(lines).unwrap_or_default().saturating_sub(1));
            intake.settle()?;
            progress.lines(intake.lines());
            if bytes > 0 {
                continue;
            }
        }
        let Some(record) = records.next()? else { break };
        intake.at(record.line);
        open = take(record.body, record.prefix, open, intake, 0);
        intake.settle()?;
        progress.lines(intake.lines());
    }
    match open {
        Open::Strange(lines) if !lines.is_empty() => {
            intake.at(0);
            intake.skip(Reason::NoLog);
        }
        open => open.close(intake, 0),
    }
    if unpacked.damage.load(Ordering::Relaxed) {
        intake.skip(Reason::GzipDamaged);
    }
    Ok(())
}

/// What stopped the reading of one file.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The file could not be read.
    Input(io::Error),
    /// Something else, which stops the whole run.
    Run(Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}

/// Reads a log that lies inside another document, whole and in memory.
pub(super) fn read_nested(bytes: &[u8], intake: &mut Intake<'_>, depth: usize) {
    if depth > DEPTH_MAX {
        intake.skip(Reason::Nested);
        return;
    }
    // Reading memory cannot fail; if it did, the rest would be missing and has to be counted.
    if read_records(bytes, intake, depth).is_err() {
        intake.skip(Reason::Cut);
    }
}

fn read_records(bytes: &[u8], intake: &mut Intake<'_>, depth: usize) -> io::Result<()> {
    let unpacked = unpack(bytes)?;
    let limit = u64::try_from(VALUE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut records = Records::new(unpacked.reader.take(limit + 1));
    let head = records.head()?;
    if unpacked.nested || head.is_empty() || is_binary(head) {
        intake.skip(if unpacked.nested { Reason::Nested } else { Reason::Binary });
        return Ok(());
    }
    let mut open = Open::Nothing;
    while let Some(record) = records.next()? {
        open = take(record.body, record.prefix, open, intake, depth);
    }
    open.close(intake, depth);
    if records.bytes_read() > limit {
        intake.skip(Reason::TooLarge);
    }
    if unpacked.damage.load(Ordering::Relaxed) {
        intake.skip(Reason::GzipDamaged);
    }
    Ok(())
}

/// A record that may go on with the next line.
enum Open {
    Nothing,
    /// An entry of a text log. Values of klog and messages of any stream may hold line breaks, and what comes after
    /// one has no prefix of its own.
    Entry {
        line: u64,
        prefix: Option<Prefix>,
        text: Vec<u8>,
        lines: usize,
    },
    /// Lines of text, each with its number, at the start of a file and before anything that is known to be a log. If
    /// nothing else comes it is another kind of file, which is to be said once and not for each line.
    Strange(Vec<(u64, Vec<u8>)>),
    /// Base64, which may be broken into lines as MIME does.
    Base64 {
        line: u64,
        text: String,
    },
}

impl Open {
    fn close(self, intake: &mut Intake<'_>, depth: usize) {
        match self {
            Self::Nothing => {}
            Self::Entry { line: at, mut prefix, text, .. } => {
                intake.at(at);
                let mut text = text.as_slice();
                if let Some(Prefix { form: Form::Columns, timestamp_ms, .. }) = &mut prefix
                    && let Some((message, time)) = last_column(text)
                {
                    text = message;
                    *timestamp_ms = Some(time);
                }
                line(text, prefix.as_ref(), intake);
            }
            Self::Strange(lines) => {
                for (at, text) in lines {
                    intake.at(at);
                    line(&text, None, intake);
                }
            }
            Self::Base64 { line, text } => {
                intake.at(line);
                document::open_base64(&text, intake, depth);
            }
        }
    }
}

/// Hands one record on, or keeps it open; closes what it does not continue.
fn take(body: Body<'_>, prefix: Option<Prefix>, open: Open, intake: &mut Intake<'_>, depth: usize) -> Open {
    let text = match body {
        Body::Text(text) => return text_line(text.trim_ascii_end(), prefix, open, intake, depth),
        other => {
            let at = intake.line_number();
            open.close(intake, depth);
            intake.at(at);
            other
        }
    };
    match text {
        Body::Json(text) => json(text.trim_ascii_end(), prefix.as_ref(), intake, depth),
        Body::LongLine | Body::Text(_) => intake.bad(BadEntry::TooLong),
        Body::LongValue => intake.skip(Reason::TooLarge),
        Body::BrokenList => intake.skip(Reason::Cut),
    }
    Open::Nothing
}

/// What one line of text is, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Begins an entry that may go on with the next line.
    Entry,
    /// A line of a control-plane log that stands for itself.
    Known,
    /// The beginning of gzip in base64.
    Base64,
    /// A log line or base64 in quotes, as `jq` prints it without `-r`.
    Quoted,
    /// Written by an export task to see whether it may.
    WriteTest,
    /// Only helps the tool that wrote it.
    Bookkeeping,
    /// Nothing known. It may continue what came before.
    Strange,
}

impl Line {
    fn of(text: &[u8], prefix: Option<&Prefix>) -> Self {
        let start = utf8(text.get(..LINE_START_BYTES).unwrap_or(text));
        if prefix.is_some() || has_klog_header(&start) {
            Self::Entry
        } else if start.starts_with("time=\"") {
            Self::Known
        } else if text.starts_with(BASE64_OF_GZIP) && is_base64(text) {
            Self::Base64
        } else if is_quoted_log(text) {
            Self::Quoted
        } else if text == WRITE_TEST {
            Self::WriteTest
        } else if is_bookkeeping(text) {
            Self::Bookkeeping
        } else {
            Self::Strange
        }
    }
}

fn text_line(text: &[u8], prefix: Option<Prefix>, open: Open, intake: &mut Intake<'_>, depth: usize) -> Open {
    let at = intake.line_number();
    let kind = Line::of(text, prefix.as_ref());
    match open {
        Open::Base64 { line, text: mut all }
            if kind == Line::Strange && is_base64(text) && all.len() < VALUE_BYTES_MAX =>
        {
            all.push_str(&utf8(text));
            return Open::Base64 { line, text: all };
        }
        Open::Entry { line, prefix, text: mut all, lines }
            if kind == Line::Strange && lines < ENTRY_LINES_MAX && all.len() + text.len() < LINE_BYTES_MAX =>
        {
            all.push(b'\n');
            all.extend_from_slice(text);
            return Open::Entry { line, prefix, text: all, lines: lines + 1 };
        }
        Open::Strange(mut lines)
            if kind == Line::Strange && lines.len() < STRANGE_LINES_MAX && text.len() <= STRANGE_LINE_BYTES_MAX =>
        {
            lines.push((at, text.to_vec()));
            return Open::Strange(lines);
        }
        open => open.close(intake, depth),
    }
    intake.at(at);
    match kind {
        Line::Entry => return Open::Entry { line: at, prefix, text: text.to_vec(), lines: 1 },
        Line::Base64 => return Open::Base64 { line: at, text: utf8(text).into_owned() },
        Line::Quoted => document::open(text, None, intake, depth),
        Line::WriteTest => intake.quiet(Ordinary::ExportWriteTest),
        Line::Bookkeeping => {}
        Line::Known | Line::Strange => line(text, None, intake),
    }
    Open::Nothing
}

/// JSON: one value, several on one line, or the beginning of one that was cut.
fn json(text: &[u8], prefix: Option<&Prefix>, intake: &mut Intake<'_>, depth: usize) {
    let mut reader = Reader::new(text);
    let mut done = 0;
    while let Ok(value) = reader.raw() {
        document::open(value, prefix, intake, depth);
        done = reader.offset();
        if reader.finish().is_ok() {
            return;
        }
    }
    cut(text.get(done..).unwrap_or_default().trim_ascii(), prefix, intake, depth);
}

/// A value that does not end. Deliveries behind it in the same line are still whole.
fn cut(text: &[u8], prefix: Option<&Prefix>, intake: &mut Intake<'_>, depth: usize) {
    let next = memchr::memmem::find(text.get(1..).unwrap_or_default(), DELIVERY_START).map(|found| found + 1);
    let (broken, rest) = text.split_at_checked(next.unwrap_or(text.len())).unwrap_or((text, b""));
    let has = |word: &[u8]| memchr::memmem::find(broken, word).is_some();
    if has(br#""logEvents""#) && !has(br#""auditID""#) {
        // The lines before the cut can still be had. An audit event quotes its members plainly, a delivery escapes
        // those of the events it carries.
        if let Err(error) = intake.delivery(Delivery::document(broken)) {
            intake.skip(Reason::Delivery(error));
        }
    } else if has(b"\n") && !has(br#""auditID""#) {
        intake.skip(Reason::Cut);
    } else {
        line(broken, prefix, intake);
    }
    if !rest.is_empty() {
        json(rest, prefix, intake, depth);
    }
}

/// One log line as it is.
pub(super) fn line(text: &[u8], prefix: Option<&Prefix>, intake: &mut Intake<'_>) {
    if text.len() > LINE_BYTES_MAX {
        return intake.bad(BadEntry::TooLong);
    }
    intake.line(&LogLine {
        timestamp_ms: prefix.and_then(|prefix| prefix.timestamp_ms),
        log_stream: prefix.and_then(|prefix| prefix.log_stream.as_deref()).map(Cow::Borrowed),
        message: utf8(text),
    });
}

/// `text` with what is no UTF-8 replaced. Nearly all of it is UTF-8, which the strict check finds five times faster.
fn utf8(text: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(text).map_or_else(|_| String::from_utf8_lossy(text), Cow::Borrowed)
}

/// Whether the first bytes of a file are no text: text holds no NUL, and a damaged line of JSON is still JSON.
fn is_binary(head: &[u8]) -> bool {
    !matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) && head.contains(&0)
}

/// Whether a line is a JSON string that holds something known. Other lines in quotes may continue an entry.
fn is_quoted_log(text: &[u8]) -> bool {
    let Some(inner) = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) else { return false };
    let start = utf8(inner.get(..LINE_START_BYTES).unwrap_or(inner));
    let known = inner.starts_with(br#"{\""#) || inner.starts_with(BASE64_OF_GZIP) || has_klog_header(&start);
    let mut reader = Reader::new(text);
    known && reader.string().is_ok() && reader.finish().is_ok()
}

fn is_base64(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// How gzip begins in base64.
const BASE64_OF_GZIP: &[u8] = b"H4sI";
/// How CloudWatch Logs begins a delivery.
const DELIVERY_START: &[u8] = br#"{"messageType":"#;
/// What an export task writes into the bucket to see whether it may, as `aws-logs-write-test`.
const WRITE_TEST: &[u8] = b"Permission Check Successful";
/// Lines of one entry of a text log; what comes after is a line of its own. The API server prints up to 400 audit
/// events at once when it lost them.
pub(super) const ENTRY_LINES_MAX: usize = 1000;
/// Enough of a line to see the header of klog, which has 22 bytes.
const LINE_START_BYTES: usize = 64;
/// Lines at the start of a file that are held back until something is known: the longest preamble that is expected.
pub(super) const STRANGE_LINES_MAX: usize = 1000;
/// Longest of those lines; what is longer was not written for people to read.
pub(super) const STRANGE_LINE_BYTES_MAX: usize = 4 << 10;
/// How deep logs may lie inside documents inside logs.
pub(super) const DEPTH_MAX: usize = 8;
