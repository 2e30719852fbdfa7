//! Choosing what of a log record goes into an alert, printable and bounded.

use super::{Actor, Evidence};
use crate::audit::principal::{Identity, Principal};
use crate::audit::{AuditEvent, Cut};
use crate::authenticator::AuthenticatorLine;
use crate::cloudtrail::CloudTrailEvent;
use crate::klog::{KlogEntry, LostEvent};
use crate::memory::Unauthenticated;
use crate::stream::Stream;
use crate::text::{self, AGENT_CHARS_MAX};

impl Evidence {
    /// The chosen facts of an audit event.
    #[must_use]
    pub fn of_event(event: &AuditEvent<'_>, identity: Identity<'_>, log_stream: Option<&str>) -> Self {
        let object = event.object.clone().unwrap_or_default();
        let resource = if object.resource.is_empty() {
            String::new()
        } else {
            let group = if object.api_group.is_empty() { String::new() } else { format!("{}/", object.api_group) };
            let subresource =
                if object.subresource.is_empty() { String::new() } else { format!("/{}", object.subresource) };
            text::name(&format!("{group}{}{subresource}", object.resource))
        };
        Self {
            stream: Stream::Audit,
            log_stream: log_stream.map(text::name),
            audit_id: text::name(&event.audit_id),
            stage: event.stage.as_str(),
            time: event.time(),
            verb: text::name(event.verb.as_str()),
            request_uri: text::printable(&event.request_uri, URI_CHARS_MAX),
            resource,
            namespace: text::name(&object.namespace),
            name: text::name(&object.name),
            code: event.status.as_ref().map_or(0, |status| status.code),
            outcome: event.outcome().as_str(),
            actor: Actor::of(event, identity),
            peer: event.origin.peer.map(|peer| peer.to_string()),
            claimed: event.origin.claimed.iter().take(CLAIMED_MAX).map(|claim| text::printable(claim, 64)).collect(),
            user_agent: text::printable(&event.user_agent, AGENT_CHARS_MAX),
            missing: match event.cut {
                Some(Cut::Shipper) => "the log line was cut",
                Some(Cut::Server) => "the API server left the bodies out as too large",
                None => "",
            },
        }
    }

    /// The chosen facts of a lost audit event.
    #[must_use]
    pub fn of_lost(event: &LostEvent, log_stream: Option<&str>) -> Self {
        Self {
            audit_id: text::name(&event.id),
            time: event.time,
            verb: text::name(&event.method),
            request_uri: text::printable(&event.uri, URI_CHARS_MAX),
            code: event.response,
            actor: Actor {
                display: text::name(&event.user),
                username: text::name(&event.user),
                groups: groups(&event.groups),
                kind: "other",
                acting_as: (!event.acting_as.is_empty()).then(|| (text::name(&event.acting_as), Vec::new())),
                ..Actor::default()
            },
            // The summary holds the first address, which the client may have chosen.
            claimed: (!event.ip.is_empty()).then(|| text::printable(&event.ip, 64)).into_iter().collect(),
            user_agent: text::printable(&event.user_agent, AGENT_CHARS_MAX),
            missing: "the audit event was lost",
            ..Self::of_entry(None, log_stream)
        }
    }

    /// A text line that names no event.
    #[must_use]
    pub fn of_entry(entry: Option<&KlogEntry<'_>>, log_stream: Option<&str>) -> Self {
        let time = entry.and_then(|entry| entry.timestamp_ms).and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        Self {
            stream: Stream::Api,
            log_stream: log_stream.map(text::name),
            audit_id: String::new(),
            stage: "",
            time,
            verb: String::new(),
            request_uri: String::new(),
            resource: String::new(),
            namespace: String::new(),
            name: String::new(),
            code: 0,
            outcome: "unknown",
            actor: Actor { display: "kube-apiserver".to_owned(), kind: "control-plane", ..Actor::default() },
            peer: None,
            claimed: Vec::new(),
            user_agent: String::new(),
            missing: "",
        }
    }

    /// The audit event of a request whose token was refused, found by the time of the line that tells why.
    #[must_use]
    pub fn of_refused(refused: Unauthenticated) -> Self {
        // The address stands in for the name: refusals of two clients are two stories.
        let display = match &refused.peer {
            Some(peer) => format!("a client at {peer} whose token was refused"),
            None => "a client whose token was refused".to_owned(),
        };
        Self {
            stream: Stream::Audit,
            audit_id: refused.audit_id,
            stage: "ResponseStarted",
            time: Some(refused.time),
            verb: refused.verb,
            request_uri: refused.request_uri,
            code: 401,
            outcome: "unauthenticated",
            actor: Actor { display, kind: "nobody", ..Actor::default() },
            peer: refused.peer,
            claimed: refused.claimed,
            user_agent: refused.user_agent,
            ..Self::of_entry(None, None)
        }
    }

    /// A line of the authenticator stream.
    #[must_use]
    pub fn of_login(line: &AuthenticatorLine, time: Option<jiff::Timestamp>, log_stream: Option<&str>) -> Self {
        let arn = Some(line.field("arn")).filter(|arn| !arn.is_empty()).map(text::name);
        let actor = match &arn {
            Some(arn) => {
                Actor { display: text::short(arn).to_owned(), kind: "iam", arn: Some(arn.clone()), ..Actor::default() }
            }
            None => Actor { display: "aws-iam-authenticator".to_owned(), kind: "control-plane", ..Actor::default() },
        };
        Self {
            stream: Stream::Authenticator,
            log_stream: log_stream.map(text::name),
            time,
            verb: text::printable(&line.message, MESSAGE_CHARS_MAX),
            actor,
            ..Self::of_entry(None, None)
        }
    }

    /// A call of the AWS API.
    #[must_use]
    pub fn of_call(event: &CloudTrailEvent<'_>, cluster: &str) -> Self {
        Self {
            stream: Stream::CloudTrail,
            log_stream: None,
            audit_id: text::name(&event.event_id),
            time: event.time,
            verb: text::name(&event.event_name),
            resource: text::name(&event.event_source),
            name: text::name(cluster),
            outcome: if event.failed() { "failed" } else { "success" },
            actor: Actor {
                display: text::name(event.actor.display()),
                uid: text::name(&event.actor.principal_id),
                kind: if event.actor.is_service() { "eks" } else { "iam" },
                arn: (!event.actor.arn.is_empty()).then(|| text::name(&event.actor.arn)),
                session: event.actor.session().map(text::name),
                access_key_id: (!event.actor.access_key_id.is_empty()).then(|| text::name(&event.actor.access_key_id)),
                account: (!event.actor.account.is_empty()).then(|| text::name(&event.actor.account)),
                ..Actor::default()
            },
            peer: (!event.source_ip.is_empty()).then(|| text::printable(&event.source_ip, 64)),
            user_agent: text::printable(&event.user_agent, AGENT_CHARS_MAX),
            ..Self::of_entry(None, None)
        }
    }
}

impl Actor {
    fn of(event: &AuditEvent<'_>, identity: Identity<'_>) -> Self {
        let principal = &event.caller.authenticated;
        Self {
            display: display(principal, identity),
            username: text::name(&principal.username),
            uid: text::name(&principal.uid),
            groups: groups(&principal.groups),
            kind: kind(identity),
            arn: principal.extra("arn").map(text::name),
            session: principal.extra("sessionName").map(text::name),
            access_key_id: principal.extra("accessKeyId").map(text::name),
            account: principal.iam_account().map(text::name),
            credential_id: principal.credential_id().map(text::name),
            pod: principal.pod().map(|(pod, _)| text::name(pod)),
            acting_as: event
                .caller
                .acting_as
                .as_ref()
                .map(|other| (text::name(&other.username), groups(&other.groups))),
        }
    }
}

fn display(principal: &Principal<'_>, identity: Identity<'_>) -> String {
    match identity {
        Identity::ServiceAccount(account) => {
            format!("ServiceAccount {}/{}", text::name(account.namespace), text::name(account.name))
        }
        Identity::Forged => format!("somebody under the name {}", text::name(&principal.username)),
        _ => text::name(principal.display()),
    }
}

const fn kind(identity: Identity<'_>) -> &'static str {
    match identity {
        Identity::Nobody => "nobody",
        Identity::Anonymous => "anonymous",
        Identity::ServiceAccount(_) => "service-account",
        Identity::Node => "node",
        Identity::ControlPlane => "control-plane",
        Identity::Eks => "eks",
        Identity::Iam => "iam",
        Identity::Forged => "forged",
        Identity::Other => "other",
    }
}

fn groups<G: AsRef<str>>(groups: &[G]) -> Vec<String> {
    groups.iter().take(GROUPS_MAX).map(|group| text::name(group.as_ref())).collect()
}

/// Longest path and query copied, in characters.
const URI_CHARS_MAX: usize = 512;
/// Longest message of the authenticator copied, in characters: its first words say what it is.
const MESSAGE_CHARS_MAX: usize = 80;
/// Most claimed addresses copied; a client may send any number.
const CLAIMED_MAX: usize = 8;
/// Most groups copied.
const GROUPS_MAX: usize = 20;
