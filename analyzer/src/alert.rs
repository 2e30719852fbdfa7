//! What is sent: the findings of one event, of one session, or of one burst, ready to be written out.

pub mod chat;
pub mod ocsf;
mod record;
pub mod text;

use jiff::Timestamp;

use crate::detection::Finding;
use crate::severity::Severity;
use crate::stream::{Source, Stream};
use crate::text::Headline;

/// One message to people or machines.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The same for the same events, whenever and however often they are analysed.
    pub id: AlertId,
    /// The worst of its findings.
    pub severity: Severity,
    /// What happened, in one printable line, without severity and cluster.
    pub summary: String,
    /// What was seen, worst first; never empty.
    pub findings: Vec<Finding>,
    /// The events it stands for, in order; never empty, at most [`EVIDENCE_MAX`].
    pub evidence: Vec<Evidence>,
    /// How many events it stands for, those left out of `evidence` included.
    pub events: u64,
    /// Where the log was read.
    pub source: Source,
}

/// Stable identity of an alert: 32 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(String);

impl AlertId {
    /// The id of what these parts say, in this order.
    #[must_use]
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        Self(crate::text::digest(parts))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The chosen facts of one log record, made printable and bounded. Nothing else of a log line ever leaves the analyzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Which log.
    pub stream: Stream,
    /// The log stream's name, if known.
    pub log_stream: Option<String>,
    /// `auditID`; empty for text lines that name none.
    pub audit_id: String,
    /// The stage in the life of the request; empty for text lines.
    pub stage: &'static str,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The request verb; empty when unknown.
    pub verb: String,
    /// Path and query; empty when unknown.
    pub request_uri: String,
    /// Resource as RBAC writes it, `rbac.authorization.k8s.io/clusterroles`; empty when unknown.
    pub resource: String,
    /// Namespace of the object; empty when it has none.
    pub namespace: String,
    /// Name of the object; empty when not known.
    pub name: String,
    /// HTTP status; 0 when unknown.
    pub code: u16,
    /// What came of it, as a word.
    pub outcome: &'static str,
    /// Who asked.
    pub actor: Actor,
    /// The address that connected.
    pub peer: Option<String>,
    /// The addresses the client claimed.
    pub claimed: Vec<String>,
    /// What the client calls itself.
    pub user_agent: String,
    /// How much of the event was missing, in words; empty when whole.
    pub missing: &'static str,
}

/// Who did it, as far as the log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The name to show first: the human behind an IAM session, else role, user or username.
    pub display: String,
    /// `user.username`
    pub username: String,
    /// `user.uid`
    pub uid: String,
    /// `user.groups`
    pub groups: Vec<String>,
    /// What kind of identity it proved to be, as a word: `iam`, `service-account`, `node`, ...
    pub kind: &'static str,
    /// IAM ARN of the session.
    pub arn: Option<String>,
    /// IAM session name.
    pub session: Option<String>,
    /// AWS access key id of the session.
    pub access_key_id: Option<String>,
    /// AWS account of the principal.
    pub account: Option<String>,
    /// Token or certificate id.
    pub credential_id: Option<String>,
    /// The pod a service-account token is bound to.
    pub pod: Option<String>,
    /// The identity acted as: username and groups.
    pub acting_as: Option<(String, Vec<String>)>,
}

impl Alert {
    /// Severity, cluster and summary in at most 99 printable ASCII characters.
    #[must_use]
    pub fn headline(&self) -> Headline {
        Headline::new(&self.title())
    }

    /// Severity, cluster and summary in full.
    #[must_use]
    pub fn title(&self) -> String {
        let severity = self.severity.as_str().to_ascii_uppercase();
        match &self.source.cluster {
            Some(cluster) => format!("[{severity}] {}: {}", crate::text::name(cluster), self.summary),
            None => format!("[{severity}] {}", self.summary),
        }
    }

    /// The finding that gives the alert its severity.
    #[must_use]
    pub fn worst(&self) -> Option<&Finding> {
        self.findings.first()
    }

    /// The first event it stands for.
    #[must_use]
    pub fn first(&self) -> Option<&Evidence> {
        self.evidence.first()
    }
}

/// Most events listed in one alert; the rest are counted. With 60 events an OCSF finding is about 60 KiB, well under
/// the 256 KiB of one SNS message.
pub const EVIDENCE_MAX: usize = 100;
