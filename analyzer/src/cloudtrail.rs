//! Calls of the AWS API as CloudTrail records them, as far as they decide who can get into a cluster.
//!
//! Access entries, logging and the endpoint of a cluster never show in the control-plane logs. CloudTrail has them, and
//! EventBridge delivers its records within minutes (`detail-type` "AWS API Call via CloudTrail").

mod parameters;

use jiff::Timestamp;

use crate::json::{JsonError, Kind, Reader};

pub use self::parameters::{LogTypes, Parameters};

/// One record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudTrailEvent<'a> {
    /// `eventID`, made by AWS and unique.
    pub event_id: String,
    /// `CreateAccessEntry`
    pub event_name: String,
    /// `eks.amazonaws.com`
    pub event_source: String,
    /// When the call was made.
    pub time: Option<Timestamp>,
    /// AWS Region of the call.
    pub region: String,
    /// The account whose resources it is about.
    pub account: String,
    /// Who called.
    pub actor: CloudActor,
    /// Where from; the name of an AWS service when a service called.
    pub source_ip: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// Why the call failed; empty when it did not.
    pub error_code: String,
    /// `requestParameters`, unparsed; `None` where CloudTrail recorded none.
    pub request_parameters: Option<&'a [u8]>,
}

/// `userIdentity`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudActor {
    /// `AssumedRole`, `IAMUser`, `Root`, `AWSService`, ...
    pub kind: String,
    /// ARN of the user or of the role's session.
    pub arn: String,
    /// IAM unique id, with the session name for roles.
    pub principal_id: String,
    /// Account of the caller.
    pub account: String,
    /// Access key id.
    pub access_key_id: String,
    /// ARN of the role behind the session.
    pub issuer_arn: String,
    /// The AWS service that called on somebody's behalf.
    pub invoked_by: String,
}

impl CloudActor {
    /// The session name: for a role assumed by a person, mostly the person.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        let (_, role_and_session) = self.arn.split_once(":assumed-role/")?;
        role_and_session.split_once('/').map(|(_, session)| session)
    }

    /// The human first: a session name that is an e-mail address, else role and session or user, else the service.
    #[must_use]
    pub fn display(&self) -> &str {
        if let Some(session) = self.session().filter(|session| session.contains('@')) {
            return session;
        }
        if self.kind == "Root" {
            return "the account's root user";
        }
        let short = crate::text::short(&self.arn);
        [short, &self.invoked_by, &self.principal_id, &self.kind]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or("somebody")
    }

    /// Whether AWS itself called: a service, or a service-linked role, which IAM lets nobody else assume. Its path
    /// `aws-service-role/` is reserved (IAM user guide, service-linked roles).
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.kind == "AWSService" || self.issuer_arn.contains(":role/aws-service-role/")
    }
}

impl<'a> CloudTrailEvent<'a> {
    /// Reads one record; `None` for JSON that is none.
    #[must_use]
    pub fn read(record: &'a [u8]) -> Option<Self> {
        let mut event = Self::default();
        let mut reader = Reader::new(record);
        reader
            .object(|key, reader| {
                match key.as_ref() {
                    "eventID" => event.event_id = text(reader)?,
                    "eventName" => event.event_name = text(reader)?,
                    "eventSource" => event.event_source = text(reader)?,
                    "eventTime" => event.time = text(reader)?.parse().ok(),
                    "awsRegion" => event.region = text(reader)?,
                    "recipientAccountId" => event.account = text(reader)?,
                    "sourceIPAddress" => event.source_ip = text(reader)?,
                    "userAgent" => event.user_agent = text(reader)?,
                    "errorCode" => event.error_code = text(reader)?,
                    "userIdentity" => event.actor = actor(reader)?,
                    "requestParameters" => event.request_parameters = parameters_of(reader)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })
            .ok()?;
        if event.account.is_empty() {
            event.account.clone_from(&event.actor.account);
        }
        (!event.event_name.is_empty() && !event.event_source.is_empty()).then_some(event)
    }

    /// Whether the call failed: nothing changed.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.error_code.is_empty()
    }

    /// The parameters that decide who gets in; `None` where they were not recorded or cannot be read.
    #[must_use]
    pub fn parameters(&self) -> Option<Parameters> {
        Parameters::read(self.request_parameters?).ok()
    }
}

/// Hands out each record of what AWS delivers: an `EventBridge` event, a log file `{"Records":[...]}`, or a bare record.
pub fn records<'a>(json: &'a str, mut each: impl FnMut(&'a [u8])) -> Result<(), JsonError> {
    let mut reader = Reader::new(json.as_bytes());
    let mut wrapped = false;
    reader.object(|key, reader| {
        match (key.as_ref(), reader.peek()?) {
            ("detail", Kind::Object) => {
                wrapped = true;
                each(reader.raw()?);
            }
            ("Records", Kind::Array) => {
                wrapped = true;
                reader.array(|reader| {
                    each(reader.raw()?);
                    Ok(())
                })?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.finish()?;
    if !wrapped {
        each(json.as_bytes());
    }
    Ok(())
}

fn parameters_of<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, JsonError> {
    let is_object = reader.peek()? == Kind::Object;
    Ok(Some(reader.raw()?).filter(|_| is_object))
}

fn actor(reader: &mut Reader<'_>) -> Result<CloudActor, JsonError> {
    let mut actor = CloudActor::default();
    object(reader, |key, reader| {
        match key {
            "type" => actor.kind = text(reader)?,
            "arn" => actor.arn = text(reader)?,
            "principalId" => actor.principal_id = text(reader)?,
            "accountId" => actor.account = text(reader)?,
            "accessKeyId" => actor.access_key_id = text(reader)?,
            "invokedBy" => actor.invoked_by = text(reader)?,
            "sessionContext" => object(reader, |key, reader| {
                if key != "sessionIssuer" {
                    return reader.skip();
                }
                object(reader, |key, reader| {
                    if key == "arn" {
                        actor.issuer_arn = text(reader)?;
                        return Ok(());
                    }
                    reader.skip()
                })
            })?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(actor)
}

/// An object's members; any other value is stepped over.
fn object<'a>(
    reader: &mut Reader<'a>,
    mut member: impl FnMut(&str, &mut Reader<'a>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    if reader.peek()? != Kind::Object {
        return reader.skip();
    }
    reader.object(|key, reader| member(&key, reader))
}

/// A string; any other value is stepped over and empty.
fn text(reader: &mut Reader<'_>) -> Result<String, JsonError> {
    if reader.peek()? == Kind::String {
        return reader.string().map(std::borrow::Cow::into_owned);
    }
    reader.skip()?;
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::{CloudTrailEvent, records};

    const RECORD: &str = r#"{"eventVersion":"1.10","userIdentity":{"type":"AssumedRole","principalId":"AROA:jo@example.com","arn":"arn:aws:sts::111122223333:assumed-role/admin/jo@example.com","accountId":"111122223333","accessKeyId":"ASIA","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/admin"}}},"eventTime":"2026-11-23T06:51:18Z","eventSource":"eks.amazonaws.com","eventName":"CreateAccessEntry","awsRegion":"eu-central-1","sourceIPAddress":"203.0.113.7","userAgent":"aws-cli/2","requestParameters":{"name":"prod","principalArn":"arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx"},"eventID":"e1","recipientAccountId":"111122223333"}"#;

    fn read_all(json: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        records(json, |record| names.extend(CloudTrailEvent::read(record).map(|event| event.event_name))).ok()?;
        Some(names)
    }

    #[test]
    fn a_record_reads_the_same_in_every_wrapping() {
        let event = format!(r#"{{"source":"aws.eks","detail-type":"AWS API Call via CloudTrail","detail":{RECORD}}}"#);
        assert_eq!(read_all(RECORD).unwrap(), ["CreateAccessEntry"]);
        assert_eq!(read_all(&event).unwrap(), ["CreateAccessEntry"]);
        let file = format!(r#"{{"Records":[{RECORD},{{"x":1}},{RECORD}]}}"#);
        assert_eq!(read_all(&file).unwrap(), ["CreateAccessEntry", "CreateAccessEntry"]);
        for broken in ["", "{", "[]", "{\"detail\":{", "{} {}", "\"x\""] {
            assert!(read_all(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn a_record_tells_who_and_what() {
        let event = CloudTrailEvent::read(RECORD.as_bytes()).unwrap();
        assert_eq!((event.actor.display(), event.actor.session()), ("jo@example.com", Some("jo@example.com")));
        assert!(!event.failed() && !event.actor.is_service());
        let parameters = event.parameters().unwrap();
        assert_eq!(parameters.principal_arn, "arn:aws:iam::111122223333:role/x");
        assert_eq!(parameters.cluster, "prod");
    }
}
