//! What a detection is, and what it says when it fires.

use crate::attack::Technique;
use crate::case::{Call, Case, Login};
use crate::interest::Interest;
use crate::severity::Severity;

/// Our unit of detection: constants, prose, and one pure function. OCSF calls it an analytic.
#[derive(Clone, Copy)]
pub struct Detection {
    /// Permanent, in kebab case, biggest noun first.
    pub id: &'static str,
    /// The prose, in Markdown: title, then the four chapters that every page has.
    pub docs: &'static str,
    /// ATT&CK techniques this is evidence of, the main one first.
    pub attack: &'static [Technique],
    /// The release that brought it.
    pub since: &'static str,
    pub(crate) check: Check,
}

/// What a detection looks at.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// An audit event and what is remembered. It never sees more than the lines that it says it is interested in.
    Audit(fn(&Case<'_>) -> Option<Hit>, Interest),
    /// The same; what a workload repeats word for word within an hour is one alert.
    Repeating(fn(&Case<'_>) -> Option<Hit>, Interest),
    /// The same, about the session that the event belongs to: told once per session and hour.
    Session(fn(&Case<'_>) -> Option<Hit>, Interest),
    /// An entry of the api stream: each is an alert of its own.
    Klog(fn(&crate::klog::KlogEntry<'_>) -> Option<Hit>),
    /// An entry of the api stream: those of one topic and hour are one alert.
    KlogTopic(fn(&crate::klog::KlogEntry<'_>) -> Option<Topic>),
    /// A line of the authenticator stream: those of one topic and hour are one alert.
    Login(fn(&Login<'_>) -> Option<Topic>),
    /// A call of the AWS API that CloudTrail recorded.
    Call(fn(&Call<'_>) -> Option<Hit>),
}

impl Check {
    /// Which audit events it looks at; `None` for one that looks at something else.
    pub(crate) const fn interest(self) -> Option<Interest> {
        match self {
            Self::Audit(_, interest) | Self::Repeating(_, interest) | Self::Session(_, interest) => Some(interest),
            Self::Klog(_) | Self::KlogTopic(_) | Self::Login(_) | Self::Call(_) => None,
        }
    }
}

impl std::fmt::Debug for Detection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Detection").field(&self.id).finish()
    }
}

/// An id belongs to one detection.
impl PartialEq for Detection {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Detection {}

impl Detection {
    /// The first line of the prose: what the detection sees, in words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.docs.lines().next().unwrap_or_default().trim()
    }

    /// The first paragraph under a chapter's heading, on one line.
    #[must_use]
    pub fn chapter(&self, heading: &str) -> String {
        self.docs
            .lines()
            .map(str::trim)
            .skip_while(|line| line.strip_prefix("## ") != Some(heading))
            .skip(1)
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty() && !line.starts_with("## "))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The subject area, from the id: `rbac`, `aws-auth`, `sa-token`, ...
    #[must_use]
    pub fn category(&self) -> &'static str {
        const IDENTITY: &str = "identity";
        [
            ("rbac", "rbac"),
            ("aws-auth", "aws-auth"),
            ("sa-token", "sa-token"),
            ("sa", "sa"),
            ("audit", "audit"),
            (IDENTITY, IDENTITY),
            ("access-policy", IDENTITY),
            ("anonymous", IDENTITY),
            ("certificate", IDENTITY),
            ("masters", IDENTITY),
            ("bootstrap", "bootstrap"),
            ("control-plane", "control-plane"),
            ("access", "access"),
        ]
        .into_iter()
        .find(|(prefix, _)| self.id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-')))
        .map_or("other", |(_, category)| category)
    }
}

/// What one detection saw in one event, before it is joined with the detection itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// How urgent.
    pub severity: Severity,
    /// What happened, to be read after the actor's name: `gave ServiceAccount ci/deployer cluster-admin`.
    pub what: String,
    /// Why it matters here, one sentence.
    pub why: String,
    /// What changed, one line each.
    pub changes: Vec<Delta>,
    /// The Kubernetes objects changed.
    pub objects: Vec<Object>,
    /// Who gained or lost: subjects of bindings, IAM principals, service accounts.
    pub subjects: Vec<String>,
    /// What to do next where the detection's own advice is too general.
    pub next: Option<String>,
}

impl Hit {
    /// A hit with no details yet.
    #[must_use]
    pub fn new(severity: Severity, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            severity,
            what: what.into(),
            why: why.into(),
            changes: Vec::new(),
            objects: Vec::new(),
            subjects: Vec::new(),
            next: None,
        }
    }
}

/// What text lines that are one alert have in common, and what the first of them says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What puts lines together, within one cluster, detection, severity and hour.
    pub name: String,
    /// What one line says.
    pub hit: Hit,
}

/// One line of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// A right or a mapping that is new.
    Gained(String),
    /// One that is gone.
    Lost(String),
    /// One that holds now; whether it held before is not known.
    Now(String),
    /// Something to know about the change.
    Note(String),
}

impl Delta {
    /// The text without its sign.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Gained(text) | Self::Lost(text) | Self::Now(text) | Self::Note(text) => text,
        }
    }

    /// `+` gained, `-` lost, `=` holds now, `*` a note.
    #[must_use]
    pub const fn sign(&self) -> char {
        match self {
            Self::Gained(_) => '+',
            Self::Lost(_) => '-',
            Self::Now(_) => '=',
            Self::Note(_) => '*',
        }
    }
}

/// A Kubernetes object by its coordinates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// `ClusterRoleBinding`
    pub kind: &'static str,
    /// Empty when it has none.
    pub namespace: String,
    /// Empty when it is not known.
    pub name: String,
}

impl std::fmt::Display for Object {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.kind)?;
        match (self.namespace.as_str(), self.name.as_str()) {
            ("", "") => Ok(()),
            ("", name) => write!(formatter, " {name}"),
            (namespace, "") => write!(formatter, " in {namespace}"),
            (namespace, name) => write!(formatter, " {namespace}/{name}"),
        }
    }
}

/// A hit together with the detection that made it. OCSF calls it a Detection Finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which detection.
    pub detection: &'static Detection,
    /// What it saw.
    pub hit: Hit,
}

/// Declares the detection of a file: prose as a doc comment, facts, the name of the function that decides, and, of one
/// that looks at audit events, which of them it is interested in. Without an interest such a one does not compile.
macro_rules! detection {
    ($(#[doc = $line:literal])+ $id:literal, [$($technique:ident),+ $(,)?], since $since:literal,
        $stream:ident $check:ident $(where $interest:expr)?) => {
        $(#[doc = $line])+
        pub(super) static DETECTION: crate::detection::Detection = crate::detection::Detection {
            id: $id,
            docs: concat!($($line, "\n"),+),
            attack: &[$(crate::attack::$technique),+],
            since: $since,
            check: crate::detection::Check::$stream($check $(, $interest)?),
        };
    };
}
pub(crate) use detection;
