//! From the bytes of a file to the lines that the analyzer judges.

use std::borrow::Cow;
use std::io::{self, Read};

use rolewatch_analyzer::envelope::{BadEntry, Envelope, LINE_BYTES_MAX, LogLine};
use rolewatch_analyzer::json::Reader;
use rolewatch_analyzer::stream::has_klog_header;

use super::document;
use super::prefix::{Form, Prefix, is_bookkeeping, last_column};
use super::split::{Body, Records, VALUE_BYTES_MAX};
use super::unpack::unpack;
use crate::error::Error;
use crate::intake::{Intake, Reason};

/// Reads `raw` to its end. Only failures of the disk, the pipe or the output are errors.
pub(super) fn read<'r>(raw: impl Read + 'r, intake: &mut Intake<'_>) -> Result<(), ReadError> {
    let unpacked = unpack(raw)?;
    if unpacked.nested {
        intake.skip(Reason::Nested);
        return Ok(());
    }
    let mut records = Records::new(unpacked.reader);
    if is_binary(records.head()?) {
        intake.skip(Reason::Binary);
        return Ok(());
    }
    let mut open = Open::Nothing;
    while let Some(record) = records.next()? {
        intake.at(record.line);
        open = take(record.body, record.prefix, open, intake, 0);
        intake.settle()?;
    }
    open.close(intake, 0);
    if unpacked.damage.get() {
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
    if unpacked.damage.get() {
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

fn text_line(text: &[u8], prefix: Option<Prefix>, open: Open, intake: &mut Intake<'_>, depth: usize) -> Open {
    let at = intake.line_number();
    let start = String::from_utf8_lossy(text.get(..64).unwrap_or(text));
    let klog = has_klog_header(&start);
    let base64 = prefix.is_none() && !klog && is_base64(text);
    match open {
        Open::Base64 { line, text: mut all }
            if base64 && !text.starts_with(BASE64_OF_GZIP) && all.len() < VALUE_BYTES_MAX =>
        {
            all.push_str(&String::from_utf8_lossy(text));
            return Open::Base64 { line, text: all };
        }
        Open::Entry { line, prefix: first, text: mut all, lines }
            if prefix.is_none()
                && !klog
                && !start.starts_with("time=\"")
                && !is_bookkeeping(text)
                && lines < ENTRY_LINES_MAX
                && all.len() + text.len() < LINE_BYTES_MAX =>
        {
            all.push(b'\n');
            all.extend_from_slice(text);
            return Open::Entry { line, prefix: first, text: all, lines: lines + 1 };
        }
        open => open.close(intake, depth),
    }
    intake.at(at);
    if base64 && text.starts_with(BASE64_OF_GZIP) {
        return Open::Base64 { line: at, text: String::from_utf8_lossy(text).into_owned() };
    }
    if klog || prefix.is_some() {
        return Open::Entry { line: at, prefix, text: text.to_vec(), lines: 1 };
    }
    if text == WRITE_TEST {
        intake.quiet("export-write-test");
    } else if let Some(inner) = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""))
        && inner.starts_with(BASE64_OF_GZIP)
    {
        document::open_base64(&String::from_utf8_lossy(inner), intake, depth);
    } else if !is_bookkeeping(text) {
        line(text, None, intake);
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
        match Envelope::open_document(broken.to_vec(), None) {
            Ok(envelope) => intake.delivery(&envelope),
            Err(error) => intake.skip(Reason::Delivery(error)),
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
        message: String::from_utf8_lossy(text),
    });
}

/// Whether the first bytes of a file are no text: text holds no NUL, and a damaged line of JSON is still JSON.
fn is_binary(head: &[u8]) -> bool {
    !matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) && head.contains(&0)
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
const ENTRY_LINES_MAX: usize = 1000;
/// How deep logs may lie inside documents inside logs.
const DEPTH_MAX: usize = 8;
