//! What is sent: the findings of one event, of one session, or of one burst, ready to be written out.

pub mod chat;
pub mod ocsf;
mod record;
pub mod text;

use crate::detection::Finding;
use crate::severity::Severity;
use crate::stream::Source;
use crate::text::Headline;

pub use crate::evidence::{Actor, AlertId, Deeds, Evidence};

/// One message to people or machines.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Whether it is new, or the last word on one that was sent.
    pub activity: Activity,
    /// Where the log was read.
    pub source: Source,
}

/// What an alert says of the finding that its id names. OCSF `activity_id`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activity {
    /// The finding is new.
    #[default]
    Create,
    /// The hour of a session is over. `events` is what it came to, those that were told before included. Not OCSF's
    /// Close: nobody has looked into the finding yet.
    Update,
}

impl Activity {
    /// The number and the name of the OCSF schema.
    #[must_use]
    pub const fn ocsf(self) -> (u8, &'static str) {
        match self {
            Self::Create => (1, "Create"),
            Self::Update => (2, "Update"),
        }
    }
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

    /// Tells this message from every other: the id, and for the last word on a session what it came to besides.
    #[must_use]
    pub fn message_id(&self) -> String {
        match self.activity {
            Activity::Create => self.id.as_str().to_owned(),
            Activity::Update => format!("{}-{}", self.id.as_str(), self.events),
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
