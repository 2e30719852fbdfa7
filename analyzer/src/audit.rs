//! One audit.k8s.io/v1 event, read once into types.
//!
//! Every field of the [Event reference](https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/) is read;
//! unknown fields are stepped over; bodies stay bytes until somebody asks. A line that was cut by the log shipper
//! still gives up everything before the cut: the API server writes user, addresses, verb, object and status before
//! the bulky bodies.

pub mod annotation;
pub mod body;
pub mod caller;
pub mod control_plane;
pub mod object;
pub(crate) mod open_path;
pub mod origin;
pub mod outcome;
pub mod principal;
pub(crate) mod query;
pub(crate) mod tail;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::json::{Fault, JsonError, Kind, Reader};

use self::annotation::Annotations;
use self::body::Body;
use self::caller::Caller;
use self::object::{ObjectRef, Verb};
use self::origin::{Addresses, Origin, is_public};
use self::outcome::{Outcome, Status};
use self::principal::{Identity, Principal};

/// What the API server recorded of one request at one stage.
#[derive(Debug, Clone)]
pub struct AuditEvent<'a> {
    /// How much was recorded.
    pub level: Level,
    /// Chosen by the client if it likes (`Audit-ID` header): neither unique nor trustworthy.
    pub audit_id: Cow<'a, str>,
    /// When in the request's life the event was written.
    pub stage: Stage,
    /// Path and query as sent.
    pub request_uri: Cow<'a, str>,
    /// The action.
    pub verb: Verb<'a>,
    /// Who asked, and as whom.
    pub caller: Caller<'a>,
    /// Where the request came from.
    pub origin: Origin<'a>,
    /// What the client calls itself. It may raise suspicion, never lower it.
    pub user_agent: Cow<'a, str>,
    /// The object; `None` for requests that are not about one.
    pub object: Option<ObjectRef<'a>>,
    /// The answer; `None` before there was one, or when it was cut off.
    pub status: Option<Status<'a>>,
    /// What the client sent.
    pub request: Body<'a>,
    /// What the API server answered.
    pub response: Body<'a>,
    /// When the request arrived.
    pub received: Option<Timestamp>,
    /// When this stage was reached.
    pub stage_time: Option<Timestamp>,
    /// What the server noted: authorization, tokens, truncation.
    pub annotations: Annotations<'a>,
    /// The verb that allowed a constrained impersonation (KEP-5284, Kubernetes 1.35 and later).
    pub impersonation_constraint: Option<Cow<'a, str>>,
    /// Set when part of the event is missing.
    pub cut: Option<Cut>,
}

/// `level`: how much the audit policy let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No bodies. Also where the level is missing or unknown: a body that may not have been recorded is not absent.
    Metadata,
    /// The request body.
    Request,
    /// Both bodies.
    RequestResponse,
}

/// `stage`: when the event was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before anything was done.
    RequestReceived,
    /// Headers sent: long-running requests, and requests that failed authentication (their only stage).
    ResponseStarted,
    /// Done.
    ResponseComplete,
    /// The handler panicked.
    Panic,
}

impl Stage {
    /// The name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestReceived => "RequestReceived",
            Self::ResponseStarted => "ResponseStarted",
            Self::ResponseComplete => "ResponseComplete",
            Self::Panic => "Panic",
        }
    }
}

/// Who cut the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The log shipper: the line ends in the middle, most often with `[Truncated...]`.
    Shipper,
    /// The API server (`--audit-log-truncate-enabled`): both bodies were dropped.
    Server,
}

/// Why a line is not an event that can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreadable {
    /// The line is not JSON.
    NotJson,
    /// It is JSON, but not an audit event.
    NotAnEvent,
    /// A field of an audit event is there twice. The API server does not write that; which one to believe is a guess.
    RepeatedField,
    /// A field has another type than audit.k8s.io gives it.
    WrongType,
    /// The line was cut before it said who did what.
    CutTooEarly,
}

impl<'a> AuditEvent<'a> {
    /// Reads one line of the audit stream.
    pub fn read(line: &'a str) -> Result<Self, Unreadable> {
        let mut draft = Draft::default();
        let mut reader = Reader::new(line.as_bytes());
        if reader.peek().map_err(|_| Unreadable::NotJson)? != Kind::Object {
            return Err(Unreadable::NotAnEvent);
        }
        let read = reader.object(|key, reader| draft.member(&key, reader)).and_then(|()| reader.finish());
        if read.is_err()
            && let Some(around) = draft.bodies.and_then(|bodies| Draft::around(line, bodies))
        {
            return around.finish();
        }
        if let Some(reason) = draft.refused {
            return Err(reason);
        }
        match read {
            Ok(()) => {}
            // The shipper's marker is text after the cut, so a cut line is either unfinished or oddly finished.
            Err(error) if error.fault == Fault::End || line.trim_end().ends_with(SHIPPER_MARKER) => {
                draft.cut = true;
            }
            Err(_) if draft.is_event() => return Err(Unreadable::WrongType),
            Err(_) => return Err(Unreadable::NotJson),
        }
        draft.finish()
    }

    /// Whether the request was allowed, denied, or failed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.status.as_ref(), &self.annotations, || self.mentions("includeObject"))
    }

    /// The controller of kube-controller-manager that made the request, by the name of its account in `kube-system`.
    ///
    /// Their tokens are asked for by name. Whoever may make pods or Secrets there can have the account too, so one that
    /// belongs to a pod, lies in a Secret or comes over the internet is no proof.
    #[must_use]
    pub fn controller(&self) -> Option<&str> {
        let principal = &self.caller.authenticated;
        let lent = principal.pod().is_some() || self.annotations.legacy_token().is_some();
        match principal.identity(self.origin.peer, None) {
            Identity::ServiceAccount(account)
                if account.namespace == "kube-system" && !lent && !self.origin.peer.is_some_and(is_public) =>
            {
                Some(account.name)
            }
            _ => None,
        }
    }

    /// When it happened: the best of the recorded times.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.stage_time.or(self.received)
    }

    /// Whether the query may say something of a parameter.
    #[must_use]
    pub fn mentions(&self, parameter: &str) -> bool {
        query::mentions(&self.request_uri, parameter)
    }

    /// The values of a query parameter of the request, decoded: those that the server believes.
    pub fn query<'e>(&'e self, parameter: &'e str) -> impl Iterator<Item = String> + 'e {
        query::values(&self.request_uri, parameter)
    }
}

/// What the CloudWatch agent and the EKS log shipper put where they cut a line.
const SHIPPER_MARKER: &str = "[Truncated...]";

/// An event while its members are read, in any order.
#[derive(Default)]
struct Draft<'a> {
    /// Which of [`MEMBERS`] were met, a bit for each.
    seen: u32,
    refused: Option<Unreadable>,
    kind: Option<Cow<'a, str>>,
    api_version: Option<Cow<'a, str>>,
    level: Option<Cow<'a, str>>,
    audit_id: Option<Cow<'a, str>>,
    stage: Option<Cow<'a, str>>,
    request_uri: Option<Cow<'a, str>>,
    verb: Option<Cow<'a, str>>,
    user: Option<Principal<'a>>,
    impersonated: Option<Box<Principal<'a>>>,
    addresses: Addresses<'a>,
    user_agent: Option<Cow<'a, str>>,
    object: Option<ObjectRef<'a>>,
    status: Option<Status<'a>>,
    request: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    /// Where the value of the first body begins.
    bodies: Option<usize>,
    /// The bodies are no JSON.
    broken: bool,
    received: Option<Timestamp>,
    stage_time: Option<Timestamp>,
    annotations: Annotations<'a>,
    impersonation_constraint: Option<Cow<'a, str>>,
    cut: bool,
}

impl<'a> Draft<'a> {
    /// An event that is no JSON from `bodies` on, as far as it stands before and behind its bodies. The sifter may not have
    /// looked into them, and a line must not be lost over what nobody asks for.
    fn around(line: &'a str, bodies: usize) -> Option<Self> {
        let tail = bodies + tail::start::<false>(line.as_bytes().get(bodies..)?)?;
        let mut draft = Self { broken: true, ..Self::default() };
        // It ends where a value begins, so there is a fault at its end and none before.
        let _ = Reader::new(line.as_bytes().get(..bodies)?).object(|key, reader| draft.member(&key, reader));
        let mut reader = Reader::new(line.as_bytes().get(tail + 1..)?);
        let mut strange = false;
        let read = reader.members(|key, reader| {
            strange |= !tail::has(&key);
            draft.member(&key, reader)
        });
        let whole = read.and_then(|()| reader.finish()).is_ok();
        (whole && !strange && draft.refused.is_none() && draft.is_event()).then_some(draft)
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        let Some((known, bit)) = MEMBERS.iter().zip(0..).find(|(name, _)| **name == key) else {
            return reader.skip();
        };
        if self.seen & (1 << bit) != 0 {
            self.refused = Some(Unreadable::RepeatedField);
        }
        self.seen |= 1 << bit;
        let before = reader.offset();
        if matches!(*known, "requestObject" | "responseObject") {
            self.bodies = self.bodies.or(Some(before));
        }
        let read = self.known_member(known, reader);
        if let Err(JsonError { fault: Fault::End, .. }) = read
            && *known == "requestURI"
        {
            // Path first, padding after: the part that is there says what the request was about.
            self.request_uri = Some(reader.unfinished_string(before));
        }
        read
    }

    fn known_member(&mut self, key: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        match key {
            "kind" => self.kind = reader.optional_string()?,
            "apiVersion" => self.api_version = reader.optional_string()?,
            "level" => self.level = reader.optional_string()?,
            "auditID" => self.audit_id = reader.optional_string()?,
            "stage" => self.stage = reader.optional_string()?,
            "requestURI" => self.request_uri = reader.optional_string()?,
            "verb" => self.verb = reader.optional_string()?,
            "user" => self.user = Principal::read(reader, &mut self.refused)?,
            "impersonatedUser" => {
                self.impersonated = Principal::read(reader, &mut self.refused)?.map(Box::new);
            }
            "sourceIPs" => self.addresses = reader.strings()?,
            "userAgent" => self.user_agent = reader.optional_string()?,
            "objectRef" => self.object = ObjectRef::read(reader, &mut self.refused)?,
            "responseStatus" => self.status = Status::read(reader)?,
            "requestObject" => self.request = Some(reader.raw()?),
            "responseObject" => self.response = Some(reader.raw()?),
            "requestReceivedTimestamp" => self.received = timestamp(reader)?,
            "stageTimestamp" => self.stage_time = timestamp(reader)?,
            "annotations" => self.annotations = Annotations::read(reader)?,
            "authenticationMetadata" => self.impersonation_constraint = constraint(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn is_event(&self) -> bool {
        self.api_version.as_deref().is_some_and(|version| version.starts_with("audit.k8s.io/"))
            || (self.audit_id.is_some() && self.verb.is_some())
    }

    fn finish(self) -> Result<AuditEvent<'a>, Unreadable> {
        if !self.is_event() {
            return Err(if self.cut { Unreadable::CutTooEarly } else { Unreadable::NotAnEvent });
        }
        // A client can pad its audit ID, its URI and its claimed addresses until the shipper cuts before the object. What
        // is left is still an event: somebody did something and does not want it read.
        let (verb, audit_id) = match (self.verb, self.audit_id) {
            (Some(verb), Some(audit_id)) => (verb, audit_id),
            (verb, audit_id) if self.cut => (verb.unwrap_or_default(), audit_id.unwrap_or_default()),
            _ => return Err(Unreadable::NotAnEvent),
        };
        let request_uri = self.request_uri.unwrap_or_default();
        let object = match self.object {
            None if self.cut => ObjectRef::of_path(&request_uri),
            object => object,
        };
        let cut = match (self.cut, self.annotations.truncated_by_server()) {
            (true, _) => Some(Cut::Shipper),
            (false, true) => Some(Cut::Server),
            (false, false) => None,
        };
        Ok(AuditEvent {
            level: match self.level.as_deref() {
                Some("Request") => Level::Request,
                Some("RequestResponse") => Level::RequestResponse,
                _ => Level::Metadata,
            },
            audit_id,
            stage: match self.stage.as_deref() {
                Some("RequestReceived") => Stage::RequestReceived,
                Some("ResponseStarted") => Stage::ResponseStarted,
                Some("Panic") => Stage::Panic,
                // A stage nobody has heard of is judged rather than dropped.
                _ => Stage::ResponseComplete,
            },
            request_uri,
            verb: Verb::new(verb),
            caller: Caller { authenticated: self.user.unwrap_or_default(), acting_as: self.impersonated },
            origin: Origin::new(self.addresses),
            user_agent: self.user_agent.unwrap_or_default(),
            object,
            status: self.status,
            request: if self.broken { Body::Broken } else { Body::new(self.request, cut) },
            response: if self.broken { Body::Broken } else { Body::new(self.response, cut) },
            received: self.received,
            stage_time: self.stage_time,
            annotations: self.annotations,
            impersonation_constraint: self.impersonation_constraint,
            cut,
        })
    }
}

/// The members of an event that are read; another one may come with the next Kubernetes release.
pub(crate) const MEMBERS: &[&str] = &[
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "authenticationMetadata",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "annotations",
];

const _: () = assert!(MEMBERS.len() <= 32, "each has a bit of `Draft::seen`");

fn timestamp(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, JsonError> {
    Ok(reader.optional_string()?.and_then(|text| text.parse().ok()))
}

fn constraint<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut constraint = None;
    if reader.peek()? == Kind::Null {
        reader.skip()?;
    } else {
        reader.object(|key, reader| match key.as_ref() {
            "impersonationConstraint" => {
                constraint = reader.optional_string()?;
                Ok(())
            }
            _ => reader.skip(),
        })?;
    }
    Ok(constraint)
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "the test line is ASCII")]
mod tests {
    use super::{AuditEvent, Cut, Level, Stage, Unreadable};
    use crate::audit::body::Body;
    use crate::audit::outcome::Outcome;

    const LINE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"a-1","stage":"ResponseComplete","requestURI":"/apis/x?a=b\u0026dryRun=All","verb":"create","user":{"username":"alice","groups":["g"],"extra":{"arn":["x"]}},"sourceIPs":["1.2.3.4"],"userAgent":"kubectl","objectRef":{"resource":"roles","namespace":"ns","name":"n","apiGroup":"rbac.authorization.k8s.io","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},"requestObject":{"a":1},"responseObject":{"b":2},"requestReceivedTimestamp":"2026-11-23T06:49:21.526189Z","stageTimestamp":"2026-11-23T06:49:21.529555Z","annotations":{"authorization.k8s.io/decision":"allow"}}"#;

    #[test]
    fn every_field_of_an_event_is_read() {
        let event = AuditEvent::read(LINE).unwrap();
        assert_eq!((event.level, event.stage), (Level::RequestResponse, Stage::ResponseComplete));
        assert_eq!(event.audit_id, "a-1");
        assert_eq!(event.verb.as_str(), "create");
        assert_eq!(event.caller.effective().username, "alice");
        assert_eq!(event.origin.peer.unwrap().to_string(), "1.2.3.4");
        assert!(event.object.as_ref().unwrap().is("rbac.authorization.k8s.io", "roles"));
        assert_eq!(event.outcome(), Outcome::Allowed);
        assert_eq!(event.request, Body::Recorded(br#"{"a":1}"#));
        assert_eq!(event.response, Body::Recorded(br#"{"b":2}"#));
        assert_eq!(event.time().unwrap().to_string(), "2026-11-23T06:49:21.529555Z");
        assert_eq!(event.query("dryRun").collect::<Vec<_>>(), ["All"]);
        assert_eq!(event.cut, None);
    }

    #[test]
    fn a_cut_line_tells_what_stood_before_the_cut() {
        for cut_at in ["\"requestObject\":{", "\"responseObject\":{\"b\"", "\"stageTimestamp\":\"20"] {
            let end = LINE.find(cut_at).unwrap() + cut_at.len();
            for marker in ["", "[Truncated...]"] {
                let line = format!("{}{marker}", &LINE[..end]);
                let event = AuditEvent::read(&line).unwrap();
                assert_eq!(event.cut, Some(Cut::Shipper), "{line}");
                assert_eq!(event.outcome(), Outcome::Allowed);
                assert_eq!(event.caller.effective().username, "alice");
                assert_ne!(event.response, Body::NotRecorded);
            }
        }
        let before_user = &LINE[..LINE.find("\"user\"").unwrap()];
        let event = AuditEvent::read(before_user).unwrap();
        assert!(event.caller.authenticated.is_empty());
        assert!(event.object.is_none(), "the path names nothing that Kubernetes serves");
        assert_eq!(AuditEvent::read(r#"{"kind":"Event","apiV"#).unwrap_err(), Unreadable::CutTooEarly);
    }

    #[test]
    fn a_path_that_was_cut_still_names_the_object() {
        for (uri, expected) in [
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/x?pad=",
                Some(("rbac.authorization.k8s.io", "clusterroles", "", "x")),
            ),
            (
                "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/x?",
                Some(("rbac.authorization.k8s.io", "roles", "a", "x")),
            ),
            (
                "/api/v1/namespaces/kube-system/configmaps/aws-auth?\\u00",
                Some(("", "configmaps", "kube-system", "aws-auth")),
            ),
            ("/api/v1/namespaces/ci", Some(("", "namespaces", "", "ci"))),
            ("/healthz", None),
            ("", None),
        ] {
            let line = format!(r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"x","requestURI":"{uri}"#);
            let event = AuditEvent::read(&line).unwrap();
            let object = event.object.as_ref().map(|object| {
                (object.api_group.as_ref(), object.resource.as_ref(), object.namespace.as_ref(), object.name.as_ref())
            });
            assert_eq!(object, expected, "{uri}");
        }
    }

    #[test]
    fn what_is_no_event_is_told_apart() {
        let twice = LINE.replace("\"verb\":\"create\"", "\"verb\":\"create\",\"verb\":\"get\"");
        let two_users = LINE.replace("\"groups\":[\"g\"]", "\"username\":\"bob\"");
        let wrong_type = LINE.replace("\"verb\":\"create\"", "\"verb\":7");
        for (line, reason) in [
            ("hello", Unreadable::NotJson),
            ("", Unreadable::NotJson),
            ("[1]", Unreadable::NotAnEvent),
            ("17", Unreadable::NotAnEvent),
            (r#"{"a":1}"#, Unreadable::NotAnEvent),
            (r#"{"apiVersion":"audit.k8s.io/v1"}"#, Unreadable::NotAnEvent),
            (&twice, Unreadable::RepeatedField),
            (&two_users, Unreadable::RepeatedField),
            (&wrong_type, Unreadable::WrongType),
            (&format!("{LINE}x"), Unreadable::WrongType),
        ] {
            assert_eq!(AuditEvent::read(line).unwrap_err(), reason, "{line}");
        }
    }

    #[test]
    fn a_broken_body_does_not_cost_the_line() {
        let read = |from: &str, to: &str| {
            AuditEvent::read(&LINE.replace(from, to)).map(|event| {
                assert_eq!((event.caller.effective().username.as_ref(), event.cut), ("alice", None), "{to}");
                assert_eq!(
                    (event.outcome(), event.request, event.response),
                    (Outcome::Allowed, Body::Broken, Body::Broken)
                );
            })
        };
        for body in ["{", "x", r#"{"a":"b}"#, r#"{"a":1}}"#, r#"{"b":2},"verb":7"#, r#"{"b":2}},"verb":"get""#] {
            read(r#"{"a":1}"#, body).unwrap();
            read(r#"{"b":2}"#, body).unwrap();
        }
        // What is well-formed is believed as it stands.
        assert_eq!(read(r#"{"b":2}"#, r#"{"b":2},"verb":"get""#), Err(Unreadable::RepeatedField));
    }

    #[test]
    fn nulls_and_strange_stages_are_tolerated() {
        let line = r#"{"apiVersion":"audit.k8s.io/v9","auditID":"x","stage":"Later","verb":"create","user":null,"objectRef":null,"sourceIPs":null,"annotations":null,"responseStatus":null,"requestObject":null,"stageTimestamp":null,"new":[{}]}"#;
        let event = AuditEvent::read(line).unwrap();
        assert_eq!(event.stage, Stage::ResponseComplete);
        assert!(event.caller.authenticated.is_empty());
        assert_eq!(event.outcome(), Outcome::Unknown);
        assert_eq!(event.request, Body::NotRecorded);
    }

    #[test]
    fn outcomes_are_told_by_code_and_decision() {
        let with = |status: &str, annotations: &str| {
            LINE.replace(r#"{"metadata":{},"code":201}"#, status)
                .replace(r#"{"authorization.k8s.io/decision":"allow"}"#, annotations)
        };
        let allow = r#"{"authorization.k8s.io/decision":"allow"}"#;
        let refused = r#"{"code":403,"message":"roles \"x\" is forbidden: user \"u\" is attempting to grant RBAC permissions not currently held:\n{}"}"#;
        for (status, annotations, outcome) in [
            (r#"{"code":200}"#, allow, Outcome::Allowed),
            (r#"{"code":101}"#, allow, Outcome::Allowed),
            (r#"{"code":401}"#, "{}", Outcome::Unauthenticated),
            (r#"{"code":403}"#, r#"{"authorization.k8s.io/decision":"forbid"}"#, Outcome::Denied),
            (r#"{"code":403}"#, "{}", Outcome::Denied),
            (r#"{"code":403,"message":"quota"}"#, allow, Outcome::Failed),
            (refused, allow, Outcome::EscalationRefused),
            (r#"{"code":409}"#, allow, Outcome::Failed),
            (r#"{"code":504}"#, allow, Outcome::Unknown),
            ("null", allow, Outcome::Unknown),
        ] {
            let line = with(status, annotations);
            assert_eq!(AuditEvent::read(&line).unwrap().outcome(), outcome, "{status}");
        }
    }
}
