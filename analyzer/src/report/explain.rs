//! Why a line alerted or stayed quiet, told by the code that judges it.

use std::collections::BTreeMap;

use super::{Quiet, Report, Skip};
use crate::alert::{Alert, AlertId, Evidence};
use crate::audit::AuditEvent;
use crate::audit::principal::Identity;
use crate::case::Case;
use crate::certificate::Act;
use crate::detection::Finding;
use crate::detections::ALL;
use crate::session::{Session, Token};
use crate::severity::Severity;
use crate::text;

/// Why one line alerted or stayed quiet, with the memory of everything before it.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Number of the line in its batch, from 0; `None` for an alert about lines of a text stream.
    pub line: Option<usize>,
    /// What came of the line.
    pub decision: Decision,
    /// What is known of the event; `None` where the line is no audit event that can be read.
    pub event: Option<Explained>,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is an alert.
    Alerted(AlertId, Severity),
    /// It was added to an alert that its session has already.
    Counted,
    /// It is ordinary.
    Quiet(Quiet),
    /// It could not be read.
    Skipped(Skip),
}

/// What was looked at in one audit event, and what the detections made of it.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The event as an alert shows it.
    pub evidence: Evidence,
    /// What the caller proved to be, in words; empty for text lines, which name none.
    pub proven: &'static str,
    /// The write on roles, bindings or `aws-auth`, or the request for a token or certificate, that it is.
    pub change: Option<Changed>,
    /// The service-account session that it belongs to: kind of token, and what is unusual.
    pub session: Option<String>,
    /// How many detections looked; 0 where the stage alone decided, and for lines of which each kind has its own.
    pub looked: usize,
    /// What they saw, worst first.
    pub findings: Vec<Finding>,
    /// What they would have seen if the change were not ordinary.
    pub held_back: Vec<Finding>,
}

/// A change in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// `created ClusterRoleBinding bob-admin`
    pub what: String,
    /// Why it is ordinary, if it is.
    pub ordinary: Option<Quiet>,
}

impl Explanation {
    /// Why lines of a text stream, or a call that CloudTrail recorded, are an alert.
    #[must_use]
    pub fn of_alert(alert: &Alert) -> Self {
        let decision = Decision::Alerted(alert.id.clone(), alert.severity);
        Self { line: None, decision, event: Explained::of_alert(alert) }
    }

    /// Whether more can be said than that nothing in the line concerns anybody's rights.
    #[must_use]
    pub fn is_of_interest(&self) -> bool {
        let decided = match &self.decision {
            Decision::Alerted(..) | Decision::Counted | Decision::Skipped(_) => true,
            Decision::Quiet(reason) => !reason.is_everyday(),
        };
        decided || self.event.as_ref().is_some_and(|event| event.change.is_some() || !event.findings.is_empty())
    }
}

impl Explained {
    /// An event that its stage alone decides.
    pub(super) fn unjudged(event: &AuditEvent<'_>, account: Option<&str>, log_stream: Option<&str>) -> Self {
        let identity = event.caller.authenticated.identity(event.origin.peer, account);
        Self {
            evidence: Evidence::of_event(event, identity, log_stream),
            proven: proven(identity),
            change: None,
            session: None,
            looked: 0,
            findings: Vec::new(),
            held_back: Vec::new(),
        }
    }

    /// Lines of a text stream that are an alert.
    fn of_alert(alert: &Alert) -> Option<Self> {
        Some(Self {
            evidence: alert.first()?.clone(),
            proven: "",
            change: None,
            session: None,
            looked: 0,
            findings: alert.findings.clone(),
            held_back: Vec::new(),
        })
    }

    /// An event that detections looked at.
    pub(super) fn judged(case: &Case<'_>, findings: &[Finding], log_stream: Option<&str>) -> Self {
        let account = case.source.account.as_deref();
        Self {
            change: changed(case),
            session: case.session.as_ref().map(session),
            looked: ALL.iter().filter(|detection| detection.check.interest().is_some()).count(),
            findings: findings.to_vec(),
            ..Self::unjudged(case.event, account, log_stream)
        }
    }
}

fn changed(case: &Case<'_>) -> Option<Changed> {
    if let Some(change) = &case.written {
        let done = if change.took_effect() { "" } else { " (refused)" };
        let what = format!("{} {}{done}", change.action.as_str(), crate::grant::object(change));
        return Some(Changed { what: text::printable(&what, WORDS_MAX), ordinary: change.ordinary.map(Quiet::from) });
    }
    let (what, ordinary) = match (&case.token_request, &case.signing_request) {
        (Some(request), _) => {
            let what = format!("asked for a token of ServiceAccount {}/{}", request.namespace, request.name);
            (what, request.ordinary)
        }
        (None, Some(request)) => {
            let act = if request.act == Act::Asked { "asked for a certificate" } else { "approved a certificate" };
            (format!("{act}: CertificateSigningRequest {}", request.name), request.ordinary)
        }
        (None, None) => return None,
    };
    Some(Changed { what: text::printable(what.trim_end(), WORDS_MAX), ordinary: ordinary.map(Quiet::from) })
}

fn session(session: &Session<'_>) -> String {
    let token = match session.token {
        Token::Pod { .. } => "token bound to a pod",
        Token::Legacy { .. } => "token kept in a Secret",
        Token::Unbound { controller: true } => "token of a controller of the control plane",
        Token::Unbound { controller: false } => "token bound to no pod",
    };
    let place = if session.external.is_some() { "public address" } else { "private or trusted address" };
    format!("{token}, {place}, {}", session.human_client.unwrap_or("no client of people or scripts"))
}

/// How the identity was established.
const fn proven(identity: Identity<'_>) -> &'static str {
    match identity {
        Identity::Nobody => "nobody: the request was not authenticated",
        Identity::Anonymous => "anonymous: no credentials were sent",
        Identity::ServiceAccount(_) => "a service account, proven by uid and groups",
        Identity::Node => "a node, proven by its group",
        Identity::ControlPlane => "the control plane, proven by groups and address",
        Identity::Eks => "EKS itself, proven by its AWS account or its certificate",
        Identity::Iam => "an IAM principal, proven by the authenticator's uid and extra",
        Identity::Forged => "forged: the name says more than uid, groups and extra prove",
        Identity::Other => "a user of another authenticator; nothing about it is proven",
    }
}

/// What a report has counted so far, to tell what one line added.
pub(super) struct Before {
    alerts: usize,
    alerted: u64,
    quiet: BTreeMap<Quiet, u64>,
    skipped: BTreeMap<Skip, u64>,
}

impl Before {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            alerts: report.alerts.len(),
            alerted: report.alerted,
            quiet: report.quiet.clone(),
            skipped: report.skipped.clone(),
        }
    }

    /// What came of the one line that was taken since; `None` while it waits for the lines after it.
    pub(super) fn decision(&self, report: &Report) -> Option<Decision> {
        if let Some(alert) = report.alerts.get(self.alerts) {
            return Some(Decision::Alerted(alert.id.clone(), alert.severity));
        }
        if report.alerted > self.alerted {
            return Some(Decision::Counted);
        }
        let skipped = grown(&self.skipped, &report.skipped).map(Decision::Skipped);
        skipped.or_else(|| grown(&self.quiet, &report.quiet).map(Decision::Quiet))
    }
}

/// The reason that was counted since.
fn grown<R: Copy + Ord>(before: &BTreeMap<R, u64>, after: &BTreeMap<R, u64>) -> Option<R> {
    after.iter().find(|(reason, count)| before.get(reason) != Some(count)).map(|(reason, _)| *reason)
}

/// Longest description of a change, in characters: a kind, a namespace and a name.
const WORDS_MAX: usize = 400;
