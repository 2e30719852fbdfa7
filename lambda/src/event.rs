//! What invoked the function, told from its shape; nothing is decoded here.

use std::borrow::Cow;

use rolewatch_analyzer::json::{JsonError, Kind, Reader};

/// An invocation's event.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A CloudWatch Logs subscription: the text of `awslogs.data` (CloudWatch Logs user guide, "Real-time processing
    /// of log data with subscriptions").
    Logs(Cow<'a, str>),
    /// Records of a Kinesis stream that a subscription writes to (Lambda developer guide, "Using Lambda to process
    /// records from Amazon Kinesis Data Streams").
    Kinesis(Vec<KinesisRecord<'a>>),
    /// An EventBridge event, as a whole: a call of the AWS API that CloudTrail recorded (EventBridge user guide, "AWS
    /// service events delivered via CloudTrail").
    EventBridge(&'a str),
}

/// One record of a Kinesis stream.
#[derive(Debug, PartialEq, Eq)]
pub struct KinesisRecord<'a> {
    /// The shard that it came from, where the event tells; whoever reads the record again needs it.
    pub shard: String,
    /// Names the record in the answer: `batchItemFailures[].itemIdentifier`.
    pub sequence_number: Cow<'a, str>,
    /// The record, as base64; empty when it is missing.
    pub data: Cow<'a, str>,
}

/// Why an event cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// None of the shapes known.
    #[error(
        "the event has no shape that is known; send a CloudWatch Logs subscription, a Kinesis stream of one, or CloudTrail's calls by EventBridge"
    )]
    UnknownShape,
    /// A shape that is known, without the part that matters.
    #[error("the event has no data; send it as the AWS service wrote it")]
    NoData,
    /// An EventBridge event of another kind.
    #[error("the EventBridge event is no call of the AWS API; send only `AWS API Call via CloudTrail`")]
    Unsupported,
}

impl EventError {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownShape => "event-unknown-shape",
            Self::NoData => "event-no-data",
            Self::Unsupported => "event-unsupported",
        }
    }
}

impl<'a> Event<'a> {
    /// Recognises the event from its JSON text.
    pub fn recognise(text: &'a str) -> Result<Self, EventError> {
        Members::read(text).map_err(|_: JsonError| EventError::UnknownShape)?.event(text)
    }
}

/// The members that tell the shapes apart.
#[derive(Default)]
struct Members<'a> {
    awslogs: bool,
    awslogs_data: Option<Cow<'a, str>>,
    records: Option<Vec<Record<'a>>>,
    detail: bool,
    detail_type: Option<Cow<'a, str>>,
}

#[derive(Default)]
struct Record<'a> {
    is_kinesis: bool,
    event_id: Option<Cow<'a, str>>,
    sequence_number: Option<Cow<'a, str>>,
    data: Option<Cow<'a, str>>,
}

impl<'a> Members<'a> {
    fn read(text: &'a str) -> Result<Self, JsonError> {
        let mut members = Self::default();
        Reader::new(text.as_bytes()).object(|key, reader| {
            match (key.as_ref(), reader.peek()?) {
                ("awslogs", Kind::Object) => {
                    members.awslogs = true;
                    members.awslogs_data = string_member(reader, "data")?;
                }
                ("Records", Kind::Array) => {
                    let mut records = Vec::new();
                    reader.array(|reader| {
                        records.push(Record::read(reader)?);
                        Ok(())
                    })?;
                    members.records = Some(records);
                }
                ("detail", Kind::Object) => {
                    members.detail = true;
                    reader.skip()?;
                }
                ("detail-type", Kind::String) => {
                    members.detail_type = Some(reader.string()?);
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(members)
    }

    fn event(self, text: &'a str) -> Result<Event<'a>, EventError> {
        if self.awslogs {
            return self.awslogs_data.map(Event::Logs).ok_or(EventError::NoData);
        }
        if let Some(records) = self.records {
            if records.is_empty() || !records.iter().all(|record| record.is_kinesis) {
                return Err(EventError::UnknownShape);
            }
            // Without its sequence number a failed record could not be named in the answer.
            let records = records.into_iter().map(|record| {
                let sequence_number = record.sequence_number.filter(|number| !number.is_empty())?;
                let shard = record.event_id.as_deref().map(shard_of).unwrap_or_default();
                Some(KinesisRecord { shard, sequence_number, data: record.data.unwrap_or_default() })
            });
            return records.collect::<Option<_>>().map(Event::Kinesis).ok_or(EventError::NoData);
        }
        match self.detail_type {
            Some(kind) if self.detail && is_call(&kind) => Ok(Event::EventBridge(text)),
            Some(_) if self.detail => Err(EventError::Unsupported),
            _ => Err(EventError::UnknownShape),
        }
    }
}

impl<'a> Record<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        let mut record = Self::default();
        if reader.peek()? != Kind::Object {
            return reader.skip().map(|()| record);
        }
        reader.object(|key, reader| match (key.as_ref(), reader.peek()?) {
            ("kinesis", Kind::Object) => {
                record.is_kinesis = true;
                reader.object(|key, reader| match (key.as_ref(), reader.peek()?) {
                    ("sequenceNumber", Kind::String) => reader.string().map(|text| record.sequence_number = Some(text)),
                    ("data", Kind::String) => reader.string().map(|text| record.data = Some(text)),
                    _ => reader.skip(),
                })
            }
            ("eventID", Kind::String) => reader.string().map(|text| record.event_id = Some(text)),
            _ => reader.skip(),
        })?;
        Ok(record)
    }
}

/// The shard in an event's id, `shardId-000000000006:4959...`; empty for anything else (Lambda developer guide, "Using
/// Lambda to process records from Amazon Kinesis Data Streams").
fn shard_of(event_id: &str) -> String {
    let shard = event_id.split_once(':').map_or("", |(shard, _)| shard);
    let is_shard = shard.len() <= SHARD_BYTES_MAX
        && shard.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if is_shard { shard.to_owned() } else { String::new() }
}

/// The detail types under which CloudTrail's records come (EventBridge user guide, "AWS service events delivered via
/// CloudTrail").
fn is_call(detail_type: &str) -> bool {
    detail_type.ends_with(" via CloudTrail")
}

fn string_member<'a>(reader: &mut Reader<'a>, name: &str) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut found = None;
    reader.object(|key, reader| {
        if key == name && reader.peek()? == Kind::String {
            found = Some(reader.string()?);
            return Ok(());
        }
        reader.skip()
    })?;
    Ok(found)
}

/// The account that an EventBridge event is about, as AWS wrote it.
#[must_use]
pub fn account_of(event: &str) -> Option<Cow<'_, str>> {
    string_member(&mut Reader::new(event.as_bytes()), "account").ok().flatten()
}

/// Kinesis API reference, `Record`: at most 128 characters.
const SHARD_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::{Event, EventError, KinesisRecord, SHARD_BYTES_MAX, shard_of};

    const CALL: &str = r#"{"source":"aws.eks","detail-type":"AWS API Call via CloudTrail","detail":{}}"#;

    #[test]
    fn the_account_of_a_call_is_the_one_of_its_event() {
        let call = r#"{"detail":{"account":"444455556666"},"account":"111122223333"}"#;
        assert_eq!(super::account_of(call).as_deref(), Some("111122223333"));
        assert_eq!(super::account_of(CALL), None);
    }

    #[test]
    fn events_are_told_by_their_shape() {
        let record = KinesisRecord { shard: "shardId-6".to_owned(), sequence_number: "49".into(), data: "QQ==".into() };
        let rows = [
            (r#"{"awslogs":{"data":"H4s="}}"#, Ok(Event::Logs("H4s=".into()))),
            (r#"{"more":[{}],"awslogs":{"more":1,"data":"H4s="}}"#, Ok(Event::Logs("H4s=".into()))),
            (
                r#"{"Records":[{"eventID":"shardId-6:49","kinesis":{"sequenceNumber":"49","data":"QQ=="}}]}"#,
                Ok(Event::Kinesis(vec![record])),
            ),
            (CALL, Ok(Event::EventBridge(CALL))),
            (r#"{"detail-type":"EC2 Instance State-change Notification","detail":{}}"#, Err(EventError::Unsupported)),
            (r#"{"awslogs":{}}"#, Err(EventError::NoData)),
            (r#"{"awslogs":{"data":7}}"#, Err(EventError::NoData)),
            (r#"{"Records":[{"kinesis":{"data":"QQ=="}}]}"#, Err(EventError::NoData)),
            (r#"{"Records":[{"Sns":{}}]}"#, Err(EventError::UnknownShape)),
            (r#"{"Records":[]}"#, Err(EventError::UnknownShape)),
            (r#"{"awslogs":"H4s="}"#, Err(EventError::UnknownShape)),
            ("{}", Err(EventError::UnknownShape)),
            ("null", Err(EventError::UnknownShape)),
            (r#""awslogs""#, Err(EventError::UnknownShape)),
        ];
        for (text, expected) in rows {
            assert_eq!(Event::recognise(text), expected, "{text}");
        }
    }

    #[test]
    fn a_shard_at_its_limit_is_named_and_one_past_it_is_not() {
        let shard = |length: usize| "s".repeat(length);
        assert_eq!(shard_of(&format!("{}:1", shard(SHARD_BYTES_MAX))), shard(SHARD_BYTES_MAX));
        assert_eq!(shard_of(&format!("{}:1", shard(SHARD_BYTES_MAX + 1))), "");
    }
}
