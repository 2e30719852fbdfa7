//! Opening one delivery of CloudWatch Logs: base64, gzip, and the document around the log lines.
//!
//! The format is that of a subscription filter (Amazon CloudWatch Logs user guide, "Real-time processing of log data
//! with subscriptions"): `base64(gzip({messageType, owner, logGroup, logStream, subscriptionFilters, logEvents}))`.
//! A delivery that is damaged half-way still gives up the lines before the damage, and says so.

mod base64_pieces;
pub(crate) mod delivery;
mod gunzip;
mod way;
mod window;

use std::borrow::Cow;
use std::io::Read as _;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::json::{Fault, Kind, Reader};
use crate::stream::Source;

pub use self::delivery::Delivery;
pub(crate) use self::delivery::{Buffers, Opened, Stop};
pub use self::gunzip::Gunzip;
pub(crate) use self::window::Window;

/// One delivery, opened.
#[derive(Debug)]
pub struct Envelope {
    text: Vec<u8>,
    events: Range<usize>,
    source: Source,
    kind: EnvelopeKind,
    damage: Option<EnvelopeError>,
}

/// What CloudWatch Logs sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// `DATA_MESSAGE`: log lines. Also any message type not known today, since losing lines is worse.
    Data,
    /// `CONTROL_MESSAGE`: a probe whether the destination can be reached. It holds no log lines.
    Control,
}

/// One log line with its stream and time: what CloudWatch Logs calls a log event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// When the line was written, in milliseconds since 1970, as CloudWatch says.
    pub timestamp_ms: Option<i64>,
    /// The log stream, where each line carries its own.
    pub log_stream: Option<Cow<'a, str>>,
    /// The text, without a line end.
    pub message: Cow<'a, str>,
}

impl LogLine<'_> {
    /// The same line, on its own.
    #[must_use]
    pub fn into_owned(self) -> LogLine<'static> {
        LogLine {
            timestamp_ms: self.timestamp_ms,
            log_stream: self.log_stream.map(|name| Cow::Owned(name.into_owned())),
            message: Cow::Owned(self.message.into_owned()),
        }
    }
}

/// An entry of `logEvents` that holds no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BadEntry {
    /// `message` is missing, null or not a string, or the entry is not an object.
    NoMessage,
    /// The message is longer than [`LINE_BYTES_MAX`].
    TooLong,
    /// The rest of the document cannot be read.
    Unreadable,
}

/// Why a delivery could not be opened, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The data is not base64.
    #[error("the delivery is not base64")]
    Base64,
    /// What was encoded is not gzip.
    #[error("the delivery is not gzip")]
    NotGzip,
    /// The gzip stream breaks off, fails its checksum or is followed by something else.
    #[error("the gzip stream of the delivery is damaged")]
    GzipDamaged,
    /// More than [`INFLATED_BYTES_MAX`] come out.
    #[error("the delivery inflates to more than {} MiB", INFLATED_BYTES_MAX >> 20)]
    TooLarge,
    /// It holds more than [`LINES_MAX`] lines in one document, or more than [`DOCUMENTS_MAX`] documents. The first of them
    /// are read.
    #[error("the delivery holds more than {LINES_MAX} lines or {DOCUMENTS_MAX} documents")]
    TooMany,
    /// The inflated text is not a JSON object.
    #[error("the delivery does not hold a JSON document")]
    NotJson,
    /// The document is not one of CloudWatch Logs: it has no `logEvents`.
    #[error("the delivery is not a CloudWatch Logs document; it has no `logEvents`")]
    NoLogEvents,
}

impl EnvelopeError {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Base64 => "delivery-not-base64",
            Self::NotGzip => "delivery-not-gzip",
            Self::GzipDamaged => "delivery-gzip-damaged",
            Self::TooLarge => "delivery-too-large",
            Self::TooMany => "delivery-too-many",
            Self::NotJson => "delivery-not-json",
            Self::NoLogEvents => "delivery-no-log-events",
        }
    }
}

impl Envelope {
    /// Opens the `awslogs.data` string of a subscription event.
    pub fn open(data: &str) -> Result<Self, EnvelopeError> {
        Self::open_gzip(&decode_base64(data)?)
    }

    /// Opens the gzip bytes inside such a string, or of a Kinesis record.
    pub fn open_gzip(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let Inflated { text, damage } = inflate(bytes)?;
        Self::open_document(text, damage)
    }

    /// Opens every document of a string of base64 over gzip: a record of a Kinesis stream may hold several, one after
    /// the other. What cannot be opened costs the ones after it and none before.
    pub fn open_all(data: &str) -> Result<Vec<Self>, EnvelopeError> {
        Self::open_all_gzip(&decode_base64(data)?)
    }

    fn open_all_gzip(bytes: &[u8]) -> Result<Vec<Self>, EnvelopeError> {
        let Inflated { text, damage } = inflate(bytes)?;
        Self::open_documents(&text, damage)
    }

    fn open_documents(text: &[u8], damage: Option<EnvelopeError>) -> Result<Vec<Self>, EnvelopeError> {
        let (mut envelopes, mut start) = (Vec::new(), 0);
        loop {
            let rest = text.get(start..).unwrap_or_default();
            let end = first_document(rest);
            let document = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_vec();
            match (Self::open_document(document, damage.filter(|_| end.is_none())), end) {
                (Ok(mut envelope), Some(_)) if envelopes.len() + 1 == DOCUMENTS_MAX => {
                    envelope.damage = Some(EnvelopeError::TooMany);
                    envelopes.push(envelope);
                    return Ok(envelopes);
                }
                (Ok(envelope), Some(end)) => {
                    envelopes.push(envelope);
                    start += end;
                }
                (Ok(envelope), None) => {
                    envelopes.push(envelope);
                    return Ok(envelopes);
                }
                (Err(error), _) => {
                    envelopes.last_mut().ok_or(error)?.damage = Some(error);
                    return Ok(envelopes);
                }
            }
        }
    }

    /// Opens the inflated document. `damage` is what is already known to be wrong with it.
    pub fn open_document(text: Vec<u8>, damage: Option<EnvelopeError>) -> Result<Self, EnvelopeError> {
        let head = Head::read(&text);
        match (head.events, head.kind) {
            (Some(events), kind) => {
                let too_many = has_more_than(LINES_MAX, text.get(events.clone()).unwrap_or_default());
                let damage = too_many.then_some(EnvelopeError::TooMany).or(damage);
                let damage = damage.or(head.broken.then_some(EnvelopeError::NotJson));
                Ok(Self { text, events, source: head.source, kind, damage })
            }
            (None, EnvelopeKind::Control) => {
                Ok(Self { text, events: 0..0, source: head.source, kind: EnvelopeKind::Control, damage })
            }
            (None, EnvelopeKind::Data) => {
                Err(damage.unwrap_or(if head.broken { EnvelopeError::NotJson } else { EnvelopeError::NoLogEvents }))
            }
        }
    }

    /// Where the lines were read.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Log lines, or only a probe.
    #[must_use]
    pub fn kind(&self) -> EnvelopeKind {
        self.kind
    }

    /// What is wrong with a delivery that could be opened in part.
    #[must_use]
    pub fn damage(&self) -> Option<EnvelopeError> {
        self.damage
    }

    /// The lines in the order they were written. A bad entry never costs its neighbours.
    #[must_use]
    pub fn lines(&self) -> Vec<Result<LogLine<'_>, BadEntry>> {
        let mut lines = Vec::new();
        if self.kind == EnvelopeKind::Control {
            return lines;
        }
        let mut reader = Reader::new(self.text.get(self.events.clone()).unwrap_or_default());
        let read = reader.array(|reader| {
            if lines.len() == LINES_MAX {
                return Err(reader.unexpected());
            }
            lines.push(read_line(reader)?);
            Ok(())
        });
        if read.is_err() && self.damage.is_none() {
            lines.push(Err(BadEntry::Unreadable));
        }
        lines
    }
}

/// Whether an array has more elements than that, as far as it can be read.
fn has_more_than(most: usize, array: &[u8]) -> bool {
    let mut elements = 0;
    let read = Reader::new(array).array(|reader| {
        elements += 1;
        if elements > most { Err(reader.unexpected()) } else { reader.skip() }
    });
    read.is_err() && elements > most
}

/// Where the first document of a text ends, when another one follows it.
fn first_document(text: &[u8]) -> Option<usize> {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let end = start + Reader::new(text.get(start..)?).raw().ok()?.len();
    text.get(end..)?.iter().any(|byte| !byte.is_ascii_whitespace()).then_some(end)
}

/// Reads one entry of a `logEvents` or `events` array, as CloudWatch Logs writes them in deliveries and in answers
/// to `FilterLogEvents` and `GetLogEvents`.
pub fn read_line<'a>(reader: &mut Reader<'a>) -> Result<Result<LogLine<'a>, BadEntry>, crate::json::JsonError> {
    if reader.peek()? != Kind::Object {
        reader.skip()?;
        return Ok(Err(BadEntry::NoMessage));
    }
    let (mut message, mut timestamp_ms, mut log_stream) = (Err(BadEntry::NoMessage), None, None);
    reader.object(|key, reader| match (key.as_ref(), reader.peek()?) {
        ("message", Kind::String) => {
            let text = reader.string()?;
            message = if text.len() > LINE_BYTES_MAX { Err(BadEntry::TooLong) } else { Ok(text) };
            Ok(())
        }
        ("timestamp", Kind::Number) => {
            // A time that is no whole number is no time; the line is still a line.
            timestamp_ms = std::str::from_utf8(reader.raw()?).ok().and_then(|text| text.parse().ok());
            Ok(())
        }
        ("logStreamName", Kind::String) => {
            log_stream = Some(reader.string()?);
            Ok(())
        }
        _ => reader.skip(),
    })?;
    Ok(message.map(|message| LogLine { timestamp_ms, log_stream, message }))
}

/// The members of the document that stand around the lines.
struct Head {
    source: Source,
    kind: EnvelopeKind,
    events: Option<Range<usize>>,
    broken: bool,
}

impl Head {
    fn read(text: &[u8]) -> Self {
        let mut head = Self { source: Source::default(), kind: EnvelopeKind::Data, events: None, broken: false };
        let mut reader = Reader::new(text);
        let mut twice = false;
        let read = reader.object(|key, reader| {
            let kind = reader.peek()?;
            match (key.as_ref(), kind) {
                // Nobody writes that. The lines that come first are read, and those that are not are told of.
                ("logEvents", Kind::Array) if head.events.is_some() => {
                    twice = true;
                    reader.skip()
                }
                ("messageType", Kind::String) => {
                    if reader.string()? == "CONTROL_MESSAGE" {
                        head.kind = EnvelopeKind::Control;
                    }
                    Ok(())
                }
                ("owner", Kind::String) => filled(reader, &mut head.source.account),
                ("logGroup", Kind::String) => filled(reader, &mut head.source.log_group),
                ("logStream", Kind::String) => filled(reader, &mut head.source.log_stream),
                ("logEvents", Kind::Array) => {
                    let start = reader.offset();
                    let skipped = reader.skip();
                    head.events = Some(start..if skipped.is_ok() { reader.offset() } else { text.len() });
                    skipped
                }
                _ => reader.skip(),
            }
        });
        head.broken = match read {
            Err(error) => error.fault == Fault::End || head.events.is_none() || error.fault == Fault::Unexpected,
            Ok(()) => twice || reader.finish().is_err(),
        };
        head.source.cluster = head.source.log_group.as_deref().and_then(Source::cluster_of).map(ToOwned::to_owned);
        head
    }
}

fn filled(reader: &mut Reader<'_>, slot: &mut Option<String>) -> Result<(), crate::json::JsonError> {
    let text = reader.string()?;
    if !text.is_empty() {
        *slot = Some(text.into_owned());
    }
    Ok(())
}

/// Decodes standard base64, padded or not; white space between, as MIME writes it, is left out.
pub fn decode_base64(data: &str) -> Result<Vec<u8>, EnvelopeError> {
    LENIENT.decode(without_blanks(data).as_bytes()).map_err(|_| EnvelopeError::Base64)
}

fn without_blanks(data: &str) -> Cow<'_, str> {
    // All of it, without a way out in the middle: that is done many bytes at a time.
    if data.bytes().fold(0, |found, byte| found | u8::from(byte <= b' ')) > 0 {
        Cow::Owned(data.split_ascii_whitespace().collect())
    } else {
        Cow::Borrowed(data)
    }
}

/// With or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What came out of a gzip stream, and whether it ended as it should.
#[derive(Debug)]
pub struct Inflated {
    /// The text, as far as it could be had.
    pub text: Vec<u8>,
    /// Set when the stream broke off or its checksum was wrong.
    pub damage: Option<EnvelopeError>,
}

/// Inflates gzip of one or several members, to at most [`INFLATED_BYTES_MAX`].
pub fn inflate(bytes: &[u8]) -> Result<Inflated, EnvelopeError> {
    if !is_gzip(bytes) {
        return Err(EnvelopeError::NotGzip);
    }
    let limit = u64::try_from(INFLATED_BYTES_MAX).unwrap_or(u64::MAX);
    let (mut text, mut gunzip) = (Vec::new(), Gunzip::new(bytes));
    let read = gunzip.by_ref().take(limit + 1).read_to_end(&mut text);
    if text.len() > INFLATED_BYTES_MAX {
        return Err(EnvelopeError::TooLarge);
    }
    let damaged = read.is_err() || gunzip.is_damaged();
    Ok(Inflated { text, damage: damaged.then_some(EnvelopeError::GzipDamaged) })
}

/// Whether the bytes begin as gzip does (RFC 1952 section 2.3.1).
#[must_use]
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Largest inflated delivery: 64 MiB. A Lambda event has at most 6 MB, base64 leaves 4.5 MB of gzip, and control-plane
/// logs shrink about ten times: ten times that again is no log.
pub const INFLATED_BYTES_MAX: usize = 64 << 20;

/// Most lines of one document: 100,000. CloudWatch Logs takes in at most 10,000 at a time and passes them on as they came.
pub const LINES_MAX: usize = 100_000;

/// Most documents of one record: 1,000. CloudWatch Logs writes one into each; whoever puts records together has room for
/// a thousand of the smallest.
pub const DOCUMENTS_MAX: usize = 1_000;

/// Longest log line: 4 MiB. CloudWatch Logs keeps 1 MiB; an exported line from elsewhere may hold a 1.5 MiB request and
/// its response.
pub const LINE_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;

    use super::{BadEntry, Envelope, EnvelopeError, EnvelopeKind, INFLATED_BYTES_MAX, LINE_BYTES_MAX, decode_base64};

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn messages(envelope: &Envelope) -> Vec<Result<String, BadEntry>> {
        envelope.lines().into_iter().map(|line| line.map(|line| line.message.into_owned())).collect()
    }

    const DOCUMENT: &str = r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/aws/eks/prod/cluster",
        "logStream":"kube-apiserver-audit-1","subscriptionFilters":["f"],"policyLevel":"ACCOUNT",
        "logEvents":[{"id":"1","timestamp":17,"message":"one"},{"id":2,"timestamp":-1.5,"message":"t\"wo"}]}"#;

    #[test]
    fn a_delivery_opens_to_its_lines_and_source() {
        let envelope = Envelope::open_gzip(&gzip(DOCUMENT.as_bytes())).unwrap();
        assert_eq!(envelope.kind(), EnvelopeKind::Data);
        assert_eq!(envelope.source().cluster.as_deref(), Some("prod"));
        assert_eq!(envelope.source().account.as_deref(), Some("111122223333"));
        let lines = envelope.lines();
        assert_eq!(lines[0].as_ref().unwrap().timestamp_ms, Some(17));
        assert_eq!(lines[1].as_ref().unwrap().timestamp_ms, None);
        assert_eq!(messages(&envelope), [Ok("one".to_owned()), Ok("t\"wo".to_owned())]);
        assert_eq!(envelope.damage(), None);
    }

    #[test]
    fn several_gzip_members_are_one_document() {
        let (front, back) = DOCUMENT.as_bytes().split_at(100);
        let joined = [gzip(front), gzip(back)].concat();
        assert_eq!(messages(&Envelope::open_gzip(&joined).unwrap()).len(), 2);
    }

    #[test]
    fn bad_entries_do_not_cost_their_neighbours() {
        let document = r#"{"logEvents":[{"message":null},{"id":"x"},7,{"message":{"a":[1]}},{"message":"kept"}]}"#;
        let envelope = Envelope::open_gzip(&gzip(document.as_bytes())).unwrap();
        let bad = Err(BadEntry::NoMessage);
        assert_eq!(messages(&envelope), [bad.clone(), bad.clone(), bad.clone(), bad, Ok("kept".to_owned())]);
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_one_past_it_is_not() {
        for (length, expected) in [(LINE_BYTES_MAX, None), (LINE_BYTES_MAX + 1, Some(BadEntry::TooLong))] {
            let document = format!(r#"{{"logEvents":[{{"message":"{}"}}]}}"#, "x".repeat(length));
            let envelope = Envelope::open_document(document.into_bytes(), None).unwrap();
            assert_eq!(messages(&envelope)[0].as_ref().err().copied(), expected);
        }
    }

    #[test]
    fn a_damaged_stream_gives_up_the_lines_before_the_damage() {
        let whole = gzip(DOCUMENT.as_bytes());
        let without_trailer = &whole[..whole.len() - 8];
        let mut wrong_crc = whole.clone();
        let at = wrong_crc.len() - 6;
        wrong_crc[at] ^= 1;
        let padded = [whole.as_slice(), &[0; 7]].concat();
        assert_eq!(Envelope::open_gzip(&padded).unwrap().damage(), None);
        let with_garbage = [whole.as_slice(), b"garbage"].concat();
        for bytes in [without_trailer, &wrong_crc, &with_garbage] {
            let envelope = Envelope::open_gzip(bytes).unwrap();
            assert_eq!(envelope.damage(), Some(EnvelopeError::GzipDamaged));
            assert_eq!(messages(&envelope).len(), 2);
        }
        let cut = Envelope::open_document(DOCUMENT.as_bytes()[..DOCUMENT.len() - 20].to_vec(), None).unwrap();
        assert_eq!(messages(&cut), [Ok("one".to_owned())]);
        assert_eq!(cut.damage(), Some(EnvelopeError::NotJson));
    }

    #[test]
    fn lines_that_stand_in_a_second_list_are_damage() {
        let document = r#"{"logEvents":[{"message":"one"}],"logEvents":[{"message":"two"}]}"#;
        let envelope = Envelope::open_gzip(&gzip(document.as_bytes())).unwrap();
        assert_eq!(messages(&envelope), [Ok("one".to_owned())]);
        assert_eq!(envelope.damage(), Some(EnvelopeError::NotJson));
    }

    #[test]
    fn what_is_no_delivery_is_refused_by_code() {
        let bomb = gzip(&vec![b' '; INFLATED_BYTES_MAX + 1]);
        let rows: &[(&[u8], &str)] = &[
            (b"plain", "delivery-not-gzip"),
            (b"", "delivery-not-gzip"),
            (&gzip(b""), "delivery-not-json"),
            (&gzip(b"text"), "delivery-not-json"),
            (&gzip(b"[]"), "delivery-not-json"),
            (&gzip(b"{}"), "delivery-no-log-events"),
            (&gzip(br#"{"logEvents":null}"#), "delivery-no-log-events"),
            (&gzip(b"{}")[..5], "delivery-gzip-damaged"),
            (&bomb, "delivery-too-large"),
        ];
        for (bytes, code) in rows {
            assert_eq!(Envelope::open_gzip(bytes).unwrap_err().code(), *code);
        }
        assert_eq!(Envelope::open("%%%").unwrap_err().code(), "delivery-not-base64");
    }

    #[test]
    fn a_control_message_holds_no_lines() {
        let document = br#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE"}]}"#;
        let envelope = Envelope::open_gzip(&gzip(document)).unwrap();
        assert_eq!(envelope.kind(), EnvelopeKind::Control);
        assert!(envelope.lines().is_empty());
    }

    #[test]
    fn base64_is_read_with_and_without_padding_and_line_breaks() {
        let standard = base64::engine::general_purpose::STANDARD;
        for text in ["a", "ab", "abc", "abcd"] {
            let encoded = standard.encode(text);
            assert_eq!(decode_base64(&encoded).unwrap(), text.as_bytes());
            assert_eq!(decode_base64(encoded.trim_end_matches('=')).unwrap(), text.as_bytes());
            let (front, back) = encoded.split_at(2);
            assert_eq!(decode_base64(&format!("{front}\r\n{back}\n")).unwrap(), text.as_bytes());
        }
    }
}
