//! Opening JSON documents: what AWS services, the AWS CLI and Kubernetes put around log lines.
//!
//! A document is walked, never built: audit events inside it reach the analyzer as the bytes they were.

use std::borrow::Cow;

use rolewatch_analyzer::envelope::{self, Delivery, EnvelopeError, LogLine};
use rolewatch_analyzer::json::{JsonError, Kind, Reader};
use rolewatch_analyzer::stream::Source;

use super::content;
use super::prefix::Prefix;
use crate::intake::Intake;
use crate::tally::{Ordinary, Reason};

type Walk = Result<(), JsonError>;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An event of audit.k8s.io.
    AuditEvent,
    /// What a subscription filter delivers, decoded: `logEvents`.
    Subscription,
    /// What Lambda receives from a subscription filter: `awslogs.data`.
    LogsEvent,
    /// What Lambda receives from Kinesis, S3, SQS or SNS; a log file of CloudTrail.
    Records,
    /// One record of Kinesis or of S3 in such an event.
    Record,
    /// What Firehose asks a Lambda function to transform.
    FirehoseRecords,
    /// What Lambda tells a destination when a function failed.
    OnFailure,
    /// An `EventList`, or another list of Kubernetes objects.
    Items,
    /// What `aws logs filter-log-events` and `get-log-events` print: `events`.
    LogEvents,
    /// One of these.
    LogEvent,
    /// What `aws logs get-query-results` prints: `results`.
    QueryResults,
    /// A row of a query result as an object, as the console saves it.
    QueryRow,
    /// What `aws sqs receive-message` prints.
    Messages,
    /// An `EventBridge` event.
    EventBridge,
    /// A record of CloudTrail by itself.
    CloudTrail,
    /// A named case of a detection's tests, in the form of `samples/detections`: made up, so not told as if it had happened.
    TestCase,
    /// An array of any of these.
    Array,
    /// A string that holds text.
    Text,
    /// Something else.
    Other,
}

impl Shape {
    /// What `text`, a whole value, is: told by the first member that only one shape has.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut reader = Reader::new(text);
        match reader.peek() {
            Ok(Kind::Object) => {}
            Ok(Kind::Array) => return Self::Array,
            Ok(Kind::String) => return Self::Text,
            _ => return Self::Other,
        }
        let (mut shape, mut maybe) = (None, Self::Other);
        // An early end is reported as a fault, which is no fault here.
        let _ = reader.object(|key, reader| {
            let kind = reader.peek()?;
            shape = Self::of_member(&key, kind);
            if shape.is_some() {
                return Err(reader.unexpected());
            }
            match key.as_ref() {
                "stage" | "verb" | "requestURI" | "objectRef" | "user" | "level" => maybe = Self::AuditEvent,
                "kind" if kind == Kind::String && reader.clone().string()? == "Event" => maybe = Self::AuditEvent,
                _ => {}
            }
            reader.skip()
        });
        shape.unwrap_or(maybe)
    }

    fn of_member(key: &str, kind: Kind) -> Option<Self> {
        Some(match (key, kind) {
            ("auditID" | "stageTimestamp" | "requestReceivedTimestamp", _) => Self::AuditEvent,
            ("logEvents" | "messageType", _) => Self::Subscription,
            ("awslogs", _) => Self::LogsEvent,
            ("Records", Kind::Array) => Self::Records,
            ("records", Kind::Array) => Self::FirehoseRecords,
            ("requestPayload" | "requestContext", _) => Self::OnFailure,
            ("items", Kind::Array) => Self::Items,
            ("events", Kind::Array) => Self::LogEvents,
            ("message", _) => Self::LogEvent,
            ("results", Kind::Array) => Self::QueryResults,
            ("@message", _) => Self::QueryRow,
            ("Messages", Kind::Array) => Self::Messages,
            ("lines", Kind::Array) => Self::TestCase,
            ("detail-type", _) => Self::EventBridge,
            ("userIdentity", _) => Self::CloudTrail,
            ("kinesis" | "s3" | "Sns", Kind::Object) | ("body" | "Body" | "Data", Kind::String) => Self::Record,
            _ => return None,
        })
    }
}

/// Hands the lines of `text`, a whole value, to `intake`.
pub(super) fn open(text: &[u8], prefix: Option<&Prefix>, intake: &mut Intake<'_>, depth: usize) {
    if depth > DEPTH_MAX {
        intake.skip(Reason::Nested);
        return;
    }
    let shape = Shape::of(text);
    let mut reader = Reader::new(text);
    let walked = match shape {
        Shape::AuditEvent => {
            content::line(text, prefix, intake);
            Ok(())
        }
        Shape::Subscription => {
            delivery(Delivery::document(text), intake);
            Ok(())
        }
        Shape::LogsEvent => logs_event(&mut reader, intake),
        Shape::Records | Shape::FirehoseRecords | Shape::Messages | Shape::Items => {
            each(
                &mut reader,
                &["Records", "records", "Messages", "items"],
                |element, intake| {
                    match (shape, Shape::of(element)) {
                        // A record of Firehose has `data` like many other things, so it is told by where it stands.
                        (Shape::FirehoseRecords, _) => drop(record(&mut Reader::new(element), intake, depth)),
                        _ => open(element, None, intake, depth + 1),
                    }
                },
                intake,
            )
        }
        Shape::Record => record(&mut reader, intake, depth),
        Shape::OnFailure => on_failure(&mut reader, intake, depth),
        Shape::TestCase => {
            intake.quiet(Ordinary::TestCase);
            Ok(())
        }
        Shape::LogEvents | Shape::QueryResults => {
            each(&mut reader, &["events", "results"], |element, intake| open(element, None, intake, depth + 1), intake)
        }
        Shape::LogEvent => log_event(&mut reader, intake),
        Shape::QueryRow => query_row(&mut reader, intake),
        Shape::EventBridge => event_bridge(&mut reader, intake),
        Shape::CloudTrail => {
            intake.call(text);
            Ok(())
        }
        Shape::Array if is_query_row(text) => query_row(&mut reader, intake),
        Shape::Array => reader.array(|reader| {
            open(reader.raw()?, None, intake, depth + 1);
            Ok(())
        }),
        Shape::Text => reader.string().map(|inner| content::read_nested(inner.as_bytes(), intake, depth + 1)),
        Shape::Other => {
            intake.skip(Reason::Unknown);
            Ok(())
        }
    };
    if walked.is_err() {
        intake.skip(Reason::Cut);
    }
}

/// Opens what stands in base64: gzip of a subscription document, or of anything else, or no gzip at all.
pub(super) fn open_base64(data: &str, intake: &mut Intake<'_>, depth: usize) {
    match envelope::decode_base64(data) {
        Ok(bytes) if !bytes.is_empty() => open_bytes(&bytes, intake, depth),
        _ => intake.skip(Reason::Delivery(EnvelopeError::Base64)),
    }
}

fn open_bytes(bytes: &[u8], intake: &mut Intake<'_>, depth: usize) {
    if envelope::is_gzip(bytes) {
        match intake.delivery(Delivery::gzip(bytes)) {
            Ok(()) => return,
            // Gzip, but of something else: a log as it is, or another layer.
            Err(EnvelopeError::NoLogEvents | EnvelopeError::NotJson) => {}
            Err(error) => return intake.skip(Reason::Delivery(error)),
        }
    }
    content::read_nested(bytes, intake, depth + 1);
}

fn delivery(delivery: Delivery<'_>, intake: &mut Intake<'_>) {
    if let Err(error) = intake.delivery(delivery) {
        intake.skip(Reason::Delivery(error));
    }
}

fn logs_event(reader: &mut Reader<'_>, intake: &mut Intake<'_>) -> Walk {
    let mut data = None;
    members(reader, |key, reader| {
        if key != "awslogs" || reader.peek()? != Kind::Object {
            return reader.skip();
        }
        members(reader, |key, reader| {
            if key == "data" && reader.peek()? == Kind::String {
                data = Some(reader.string()?);
                return Ok(());
            }
            reader.skip()
        })
    })?;
    match data {
        Some(data) => delivery(Delivery::base64(&data), intake),
        None => intake.skip(Reason::NoData),
    }
    Ok(())
}

/// One record of Kinesis, Firehose, S3, SQS or SNS.
fn record(reader: &mut Reader<'_>, intake: &mut Intake<'_>, depth: usize) -> Walk {
    let (mut data, mut body, mut object) = (None, None, false);
    members(reader, |key, reader| match (key, reader.peek()?) {
        ("data" | "Data", Kind::String) => reader.string().map(|text| data = Some(text)),
        ("body" | "Body", Kind::String) => reader.string().map(|text| body = Some(text)),
        ("kinesis" | "Sns", Kind::Object) => members(reader, |key, reader| match (key, reader.peek()?) {
            ("data", Kind::String) => reader.string().map(|text| data = Some(text)),
            ("Message", Kind::String) => reader.string().map(|text| body = Some(text)),
            _ => reader.skip(),
        }),
        ("s3", _) => {
            object = true;
            reader.skip()
        }
        _ => reader.skip(),
    })?;
    match (data, body) {
        (Some(data), _) => open_base64(&data, intake, depth),
        (None, Some(body)) => content::read_nested(body.as_bytes(), intake, depth + 1),
        (None, None) if object => intake.skip(Reason::S3Notification),
        (None, None) => intake.skip(Reason::NoData),
    }
    Ok(())
}

fn on_failure(reader: &mut Reader<'_>, intake: &mut Intake<'_>, depth: usize) -> Walk {
    let mut payload = None;
    members(reader, |key, reader| {
        if key == "requestPayload" {
            payload = Some(reader.raw()?);
            return Ok(());
        }
        reader.skip()
    })?;
    match payload {
        Some(payload) => open(payload, None, intake, depth + 1),
        None => intake.skip(Reason::NoData),
    }
    Ok(())
}

/// An event of `EventBridge`. Of those, only the ones that carry a record of CloudTrail have to do with EKS.
fn event_bridge(reader: &mut Reader<'_>, intake: &mut Intake<'_>) -> Walk {
    let (mut recorded, mut detail) = (false, None);
    members(reader, |key, reader| {
        match key {
            "detail-type" if reader.peek()? == Kind::String => recorded = reader.string()?.ends_with("via CloudTrail"),
            "detail" => detail = Some(reader.raw()?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    match detail.filter(|_| recorded) {
        Some(record) => intake.call(record),
        None => intake.skip(Reason::Unknown),
    }
    Ok(())
}

fn log_event(reader: &mut Reader<'_>, intake: &mut Intake<'_>) -> Walk {
    match envelope::read_line(reader)? {
        Ok(line) => intake.line(&line),
        Err(bad) => intake.bad(bad),
    }
    Ok(())
}

/// Whether an array is a row of a query result: `[{"field":..,"value":..},..]`.
fn is_query_row(text: &[u8]) -> bool {
    let mut row = false;
    let _ = Reader::new(text).array(|reader| {
        reader.object(|key, reader| {
            row |= matches!(key.as_ref(), "field" | "value");
            reader.skip()
        })?;
        Err(reader.unexpected())
    });
    row
}

/// The columns of one row of a query result that say something about a log line.
#[derive(Default)]
struct Row<'a> {
    time: Option<Cow<'a, str>>,
    stream: Option<Cow<'a, str>>,
    /// `<account>:<log group>`
    log: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
}

impl<'a> Row<'a> {
    fn set(&mut self, field: &str, reader: &mut Reader<'a>) -> Walk {
        let slot = match field {
            "@timestamp" => &mut self.time,
            "@logStream" => &mut self.stream,
            "@log" => &mut self.log,
            "@message" => &mut self.message,
            _ => return reader.skip(),
        };
        *slot = Some(match reader.peek()? {
            Kind::String => reader.string()?,
            // The console saves a message that is JSON as JSON.
            _ => String::from_utf8_lossy(reader.raw()?),
        });
        Ok(())
    }
}

fn query_row(reader: &mut Reader<'_>, intake: &mut Intake<'_>) -> Walk {
    let mut row = Row::default();
    match reader.peek()? {
        Kind::Array => reader.array(|reader| {
            let mut field = Cow::Borrowed("");
            reader.object(|key, reader| match key.as_ref() {
                "field" => reader.string().map(|name| field = name),
                "value" => row.set(&field, reader),
                _ => reader.skip(),
            })
        })?,
        _ => members(reader, |key, reader| row.set(key, reader))?,
    }
    let Some(message) = row.message else {
        intake.skip(Reason::NoMessage);
        return Ok(());
    };
    if let Some((account, group)) = row.log.as_deref().and_then(|log| log.split_once(':')) {
        intake.source(&Source {
            account: Some(account.to_owned()),
            cluster: Source::cluster_of(group).map(str::to_owned),
            log_group: Some(group.to_owned()),
            ..Source::default()
        });
    }
    let timestamp_ms = row.time.as_deref().and_then(query_time);
    intake.line(&LogLine { timestamp_ms, log_stream: row.stream, message });
    Ok(())
}

/// `2026-11-23 06:49:21.478`, which is UTC; or RFC 3339.
fn query_time(text: &str) -> Option<i64> {
    let rfc3339 = text.replacen(' ', "T", 1);
    let zoned = if rfc3339.ends_with('Z') { rfc3339 } else { format!("{rfc3339}Z") };
    zoned.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// Calls `handle` with each element of the list that stands under one of `names`.
fn each(
    reader: &mut Reader<'_>,
    names: &[&str],
    mut handle: impl FnMut(&[u8], &mut Intake<'_>),
    intake: &mut Intake<'_>,
) -> Walk {
    members(reader, |key, reader| {
        if !names.contains(&key) || reader.peek()? != Kind::Array {
            return reader.skip();
        }
        reader.array(|reader| {
            handle(reader.raw()?, intake);
            Ok(())
        })
    })
}

fn members<'a>(reader: &mut Reader<'a>, mut member: impl FnMut(&str, &mut Reader<'a>) -> Walk) -> Walk {
    reader.object(|key, reader| member(&key, reader))
}

/// How deep documents may lie inside documents. The deepest that AWS makes is three: a message of SQS that holds an
/// on-failure record that holds a Kinesis event that holds gzip.
pub(super) const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn documents_are_known_by_what_they_hold() {
        for (text, shape) in [
            (r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata"}"#, Shape::AuditEvent),
            (r#"{"verb":"get","user":{}}"#, Shape::AuditEvent),
            (r#"{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[]}"#, Shape::Subscription),
            (r#"{"awslogs":{"data":""}}"#, Shape::LogsEvent),
            (r#"{"awslogs":{}}"#, Shape::LogsEvent),
            (r#"{"Records":[{"kinesis":{"data":""}}]}"#, Shape::Records),
            (r#"{"kinesis":{"data":""},"eventSource":"aws:kinesis"}"#, Shape::Record),
            (r#"{"eventVersion":"2.1","eventSource":"aws:s3","s3":{}}"#, Shape::Record),
            (r#"{"invocationId":"x","deliveryStreamArn":"arn","records":[]}"#, Shape::FirehoseRecords),
            (r#"{"version":"1.0","requestContext":{},"requestPayload":{"awslogs":{}}}"#, Shape::OnFailure),
            (r#"{"kind":"EventList","items":[]}"#, Shape::Items),
            (r#"{"events":[],"searchedLogStreams":[]}"#, Shape::LogEvents),
            (r#"{"timestamp":1,"message":"x"}"#, Shape::LogEvent),
            (r#"{"queryLanguage":"CWLI","results":[]}"#, Shape::QueryResults),
            (r#"{"@timestamp":"x","@message":{"auditID":"a"}}"#, Shape::QueryRow),
            (r#"{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{}}"#, Shape::EventBridge),
            (r#"{"eventVersion":"1.1","userIdentity":{},"eventSource":"eks.amazonaws.com"}"#, Shape::CloudTrail),
            (r#"{"Messages":[{"Body":"{}"}]}"#, Shape::Messages),
            (r#"{"hello":"world"}"#, Shape::Other),
            (r#"{"name":"x","lines":[],"expect":{}}"#, Shape::TestCase),
            ("[]", Shape::Array),
            (r#""x""#, Shape::Text),
            ("17", Shape::Other),
        ] {
            assert_eq!(Shape::of(text.as_bytes()), shape, "{text}");
        }
    }
}
