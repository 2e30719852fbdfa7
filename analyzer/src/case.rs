//! One event with all that a detection may look at.

use crate::audit::AuditEvent;
use crate::audit::principal::{Identity, ServiceAccount};
use crate::authenticator::AuthenticatorLine;
use crate::certificate::SigningRequest;
use crate::change::Change;
use crate::cloudtrail::CloudTrailEvent;
use crate::impersonation::Impersonation;
use crate::memory::Memory;
use crate::rbac::{PolicyRule, RoleRef, stock};
use crate::session::Session;
use crate::settings::Settings;
use crate::stream::Source;
use crate::token_request::TokenRequest;

/// One event with all that a detection may look at. Detections read it; none of them changes it.
#[derive(Debug)]
pub struct Case<'a> {
    /// The event.
    pub event: &'a AuditEvent<'a>,
    /// Where it was read.
    pub source: &'a Source,
    /// What the operator decided.
    pub settings: &'a Settings,
    /// What is known from earlier events.
    pub memory: &'a Memory,
    /// The change it made or tried on roles, bindings and `aws-auth`; `None` when it is about something else.
    pub written: Option<Change>,
    /// The token it asked for; `None` when it is about something else.
    pub token_request: Option<TokenRequest<'a>>,
    /// The certificate it asked for or approved; `None` when it is about something else.
    pub signing_request: Option<SigningRequest>,
    /// As whom the caller acts, or was refused to; `None` when it acts as itself.
    pub impersonation: Option<Impersonation>,
    /// The service-account session it belongs to; `None` for other callers.
    pub session: Option<Session<'a>>,
}

impl<'a> Case<'a> {
    /// Puts together what belongs to an event.
    #[must_use]
    pub fn new(event: &'a AuditEvent<'a>, source: &'a Source, settings: &'a Settings, memory: &'a Memory) -> Self {
        let cluster = source.cluster.as_deref().unwrap_or_default();
        let account = source.account.as_deref();
        Self {
            event,
            source,
            settings,
            memory,
            written: Change::of(event, cluster, account, memory),
            token_request: TokenRequest::of(event, account),
            signing_request: SigningRequest::of(event, account),
            impersonation: Impersonation::of(event),
            session: Session::of(event, cluster, settings),
        }
    }

    /// The change, unless it is ordinary.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        self.written.as_ref().filter(|change| change.ordinary.is_none())
    }

    /// Name of the cluster; empty when the input does not say.
    #[must_use]
    pub fn cluster(&self) -> &str {
        self.source.cluster.as_deref().unwrap_or_default()
    }

    /// What the caller proved to be.
    #[must_use]
    pub fn identity(&self) -> Identity<'_> {
        self.event.caller.authenticated.identity(self.event.origin.peer, self.source.account.as_deref())
    }

    /// The service account that the caller proved to be.
    #[must_use]
    pub fn service_account(&self) -> Option<ServiceAccount<'_>> {
        match self.identity() {
            Identity::ServiceAccount(account) => Some(account),
            _ => None,
        }
    }

    /// The rules of a role: remembered, or those the API server ships it with.
    #[must_use]
    pub fn rules_of(&self, role: &RoleRef, namespace: &str) -> Option<Vec<PolicyRule>> {
        rules_of(self.memory, self.cluster(), role, namespace)
    }
}

/// The rules of a role in a cluster: remembered, or those the API server ships it with.
#[must_use]
pub fn rules_of(memory: &Memory, cluster: &str, role: &RoleRef, namespace: &str) -> Option<Vec<PolicyRule>> {
    if let Some(rules) = memory.role(cluster, role, namespace) {
        return Some(rules.to_vec());
    }
    // Of one that was changed unseen nobody knows the rules, whatever it was shipped with.
    if memory.is_unseen(cluster, role, namespace) {
        return None;
    }
    let namespace = (role.kind == crate::rbac::RoleKind::Role).then_some(namespace);
    stock::role(role.kind, namespace, &role.name).map(|role| role.rules)
}

/// One line of the authenticator stream with all that a detection may look at.
#[derive(Debug)]
pub struct Login<'a> {
    /// The line.
    pub line: &'a AuthenticatorLine,
    /// Name of the cluster; empty when the input does not say.
    pub cluster: &'a str,
    /// What is known from earlier lines and events.
    pub memory: &'a Memory,
}

/// One call of the AWS API with all that a detection may look at.
#[derive(Debug)]
pub struct Call<'a> {
    /// The call, as CloudTrail recorded it.
    pub event: &'a CloudTrailEvent<'a>,
    /// Account, Region and cluster that it is about.
    pub source: &'a Source,
    /// What is known from earlier events.
    pub memory: &'a Memory,
}

impl Call<'_> {
    /// Name of the cluster; empty when the call names none.
    #[must_use]
    pub fn cluster(&self) -> &str {
        self.source.cluster.as_deref().unwrap_or_default()
    }

    /// Whether an ARN or account number belongs to another account than the cluster; `false` where either is not known.
    #[must_use]
    pub fn is_foreign(&self, account: Option<&str>) -> bool {
        matches!((account, self.source.account.as_deref()), (Some(theirs), Some(ours)) if theirs != ours)
    }
}
