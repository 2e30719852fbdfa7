//! What a request did to the objects that decide who can do what.
//!
//! Here a request becomes a change, once, for every detection that looks at changes: which object, created or changed
//! or deleted, what it says now and what it said before, whether it took effect, and if it is ordinary, why.

mod asked;
mod content;
mod ordinary;
mod request;
pub mod routine;

pub(crate) use self::content::state;
use self::content::{Read, deleted, manifest};
pub use self::ordinary::Ordinary;
use self::request::{is_dry_run, states_object};

use crate::audit::AuditEvent;
use crate::audit::object::{ObjectRef, Verb};
use crate::audit::outcome::Outcome;
use crate::interest::{Facts, Interest};
use crate::kube::ObjectKind;
use crate::kube::patch::{Touches, touched_by_webhooks, touches, worse};
use crate::memory::{Memory, ObjectKey, State};

/// Every write on a watched object, whatever is made of it: its reason is counted and its content remembered.
pub const INTEREST: Interest = &[Facts::WRITES.and(Facts::WATCHED)];

/// API group of roles and bindings.
pub const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// A write on a role, a binding or `aws-auth`, whatever came of it.
#[derive(Debug, Clone)]
pub struct Change {
    /// Kind of object.
    pub kind: ObjectKind,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name; empty for collections and for creates that were refused before their body was read.
    pub name: String,
    /// What was done, or tried.
    pub action: Action,
    /// What came of it.
    pub effect: Effect,
    /// What the object says now, or would say.
    pub after: Content,
    /// What a PATCH asks for, where what the object says now is not shown. It may say more.
    pub asked: Option<State>,
    /// What it said before, if that is remembered. Nothing of an object that was created, whatever is remembered: it was not
    /// there, so its end was not seen.
    pub before: Option<State>,
    /// What was deleted with a collection, where the log shows it.
    pub deleted: Vec<Deleted>,
    /// `metadata.labels` and `metadata.annotations` of the object as it is now.
    pub meta: crate::kube::Meta,
    /// `metadata.resourceVersion` that the server answered with. What the request says is the version it saw.
    pub stored_version: Option<u64>,
    /// A deletion that was asked for while something (a finalizer) keeps the object: it is still in force.
    pub pending: bool,
    /// What a PATCH sets out to change, and what webhooks changed with it; content where it is another request.
    pub touches: Touches,
    /// It says something else than is remembered, and this request did not set out to change that: somebody did before, unseen or
    /// not read yet, or admission did with it.
    pub drifted: bool,
    /// Why it is ordinary, if it is.
    pub ordinary: Option<Ordinary>,
}

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It did not exist before: POST, PUT or server-side apply.
    Created,
    /// It existed.
    Changed,
    /// It is gone.
    Deleted,
    /// Every object that a selector matches is gone.
    DeletedMany,
}

impl Action {
    /// The word for a headline.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted | Self::DeletedMany => "deleted",
        }
    }
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It took effect.
    Took,
    /// It may have taken effect: the answer was not recorded, or was a server error.
    MayHave,
    /// Authorization refused it.
    Denied,
    /// Escalation prevention refused it.
    EscalationRefused,
}

/// What an object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Known(State),
    /// The log does not hold it.
    NotRecorded,
    /// The log line was cut before it, or the API server left it out as too large.
    Cut,
    /// It is there and cannot be read.
    Unreadable,
    /// It is gone, or the request says nothing of it.
    Nothing,
}

impl Content {
    /// The state, where it is known.
    #[must_use]
    pub fn known(&self) -> Option<&State> {
        match self {
            Self::Known(state) => Some(state),
            Self::NotRecorded | Self::Cut | Self::Unreadable | Self::Nothing => None,
        }
    }
}

/// An object that a collection delete took with it, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it said.
    pub state: State,
    /// Something (a finalizer) keeps the object: it is still in force.
    pub pending: bool,
}

impl Change {
    /// Reads the change that a request made, tried or pretended to make; `None` when it is about something else.
    #[must_use]
    pub fn of(event: &AuditEvent<'_>, cluster: &str, account: Option<&str>, memory: &Memory) -> Option<Self> {
        let object = event.object.as_ref()?;
        let kind = kind(object, &event.verb)?;
        let action = action(event)?;
        let outcome = event.outcome();
        let effect = match outcome {
            Outcome::Allowed | Outcome::Failed => Effect::Took,
            Outcome::Unknown => Effect::MayHave,
            Outcome::Denied | Outcome::Unauthenticated => Effect::Denied,
            Outcome::EscalationRefused => Effect::EscalationRefused,
        };
        let mut change = Self {
            kind,
            namespace: object.namespace.to_string(),
            name: if action == Action::DeletedMany { String::new() } else { object.name.to_string() },
            action,
            effect,
            after: Content::Nothing,
            asked: None,
            before: None,
            deleted: Vec::new(),
            meta: crate::kube::Meta::default(),
            stored_version: None,
            pending: false,
            touches: match event.verb {
                Verb::Patch => worse(
                    event.request.bytes().map_or(Touches::Content, |body| touches(body, kind)),
                    touched_by_webhooks(event.annotations.mutations(), kind),
                ),
                _ => Touches::Content,
            },
            drifted: false,
            ordinary: None,
        };
        let response = manifest(event.response, kind);
        let request = manifest(event.request, kind);
        if states_object(event, &request) {
            // What an apply does not state it takes away.
            change.touches = Touches::Content;
        }
        change.read_content(event, &response, &request);
        // What is remembered of a later version is not what was before.
        change.before = memory
            .object(&change.key(cluster))
            .filter(|_| change.action != Action::Created)
            .filter(|known| known.version.is_none() || change.version().is_none() || known.version < change.version())
            .map(|known| known.state.clone());
        if let (Some(before), Some(after)) = (&change.before, change.after.known()) {
            let sets_none = matches!(change.touches, Touches::Nothing | Touches::MetadataOnly);
            change.drifted = sets_none && after.differs_in_rights(before);
        }
        change.ordinary = match outcome {
            Outcome::Failed | Outcome::Unauthenticated => Some(Ordinary::Failed),
            _ if is_dry_run(event, &request) => Some(Ordinary::DryRun),
            Outcome::Denied | Outcome::EscalationRefused => None,
            Outcome::Allowed | Outcome::Unknown => change.ordinary_write(event, &response, &request, cluster, memory),
        };
        if change.ordinary.is_none() && routine::is_routine(event, &change, account, cluster, memory) {
            change.ordinary = Some(Ordinary::Routine);
        }
        Some(change)
    }

    /// The key under which this object is remembered.
    #[must_use]
    pub fn key(&self, cluster: &str) -> ObjectKey {
        ObjectKey {
            cluster: cluster.to_owned(),
            kind: self.kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// `metadata.resourceVersion` of the object as it is now.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.stored_version
    }

    /// The request only takes elements away.
    #[must_use]
    pub fn only_removes(&self) -> bool {
        self.touches == Touches::RemovesOnly && self.action == Action::Changed
    }

    /// Whether what is there now and was not before is known to have come with this very change.
    #[must_use]
    pub fn brings_what_is_new(&self) -> bool {
        self.action == Action::Created || self.before.is_some() && !self.drifted
    }

    /// Whether it took effect, or may have.
    #[must_use]
    pub fn took_effect(&self) -> bool {
        matches!(self.effect, Effect::Took | Effect::MayHave)
    }

    /// The answer is the server's own encoding of what was stored, so it counts over what the client sent.
    fn read_content(&mut self, event: &AuditEvent<'_>, response: &Read, request: &Read) {
        if let Read::Object(manifest) | Read::Partial(manifest) = response {
            self.stored_version = manifest.meta.resource_version.parse().ok();
            // It waited for its last finalizer: it is gone with this answer.
            if self.action == Action::Changed && manifest.meta.deleting && !manifest.meta.finalizers {
                self.action = Action::Deleted;
                return;
            }
        }
        match self.action {
            // A deletion that is done is answered with a Status, whatever form the client asked for, or with the object for
            // kinds that say so (`ReturnDeletedObject`); roles, bindings and ConfigMaps are not among them.
            Action::Deleted => {
                let answered = match response {
                    Read::Object(_) | Read::Partial(_) => true,
                    Read::Other(answer) => answer.kind != "Status" && !answer.kind.is_empty(),
                    _ => false,
                };
                self.pending = answered && self.kind != ObjectKind::ServiceAccount;
            }
            Action::DeletedMany => {
                if let Read::List(items) = response {
                    self.deleted = items.iter().filter_map(|item| deleted(item, self.kind)).collect();
                }
            }
            Action::Created | Action::Changed => {
                let whole_request = !matches!(event.verb, Verb::Patch);
                self.after = match (response, request) {
                    (Read::Object(manifest), _) => {
                        self.meta = manifest.meta.clone();
                        state(manifest, self.kind)
                    }
                    // Of a service account only the metadata counts, so an answer of nothing else is all of it.
                    (Read::Partial(manifest), _) if self.kind == ObjectKind::ServiceAccount => {
                        self.meta = manifest.meta.clone();
                        state(manifest, self.kind)
                    }
                    // Without the answer, a POST or PUT body is what was asked to be stored.
                    (_, Read::Object(manifest)) if whole_request => {
                        self.meta = manifest.meta.clone();
                        state(manifest, self.kind)
                    }
                    (Read::Partial(manifest), _) => {
                        self.meta = manifest.meta.clone();
                        Content::NotRecorded
                    }
                    (Read::Cut, _) | (_, Read::Cut) => Content::Cut,
                    (Read::Unreadable, _) => Content::Unreadable,
                    (_, Read::Unreadable) if whole_request => Content::Unreadable,
                    _ => Content::NotRecorded,
                };
                if event.verb == Verb::Patch && self.after.known().is_none() {
                    let body = event.request.bytes();
                    self.asked = body.and_then(|body| asked::asked(body, self.kind, &self.namespace));
                }
                if self.name.is_empty() {
                    self.name.clone_from(&self.meta.name);
                }
            }
        }
    }
}

/// Label of the objects that the API server creates (Kubernetes documentation, "Using RBAC Authorization").
pub const BOOTSTRAPPING: &str = "kubernetes.io/bootstrapping";

/// Annotation that keeps the API server from repairing a stock object (same page, "Auto-reconciliation").
pub const AUTOUPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// The kind of watched object that a request is about.
pub(crate) fn kind(object: &ObjectRef<'_>, verb: &Verb<'_>) -> Option<ObjectKind> {
    if object.api_group == RBAC_GROUP && object.subresource.is_empty() {
        return ObjectKind::of_resource(&object.resource);
    }
    if object.is("", "serviceaccounts") && *verb != Verb::DeleteCollection {
        return Some(ObjectKind::ServiceAccount);
    }
    let in_reach = object.is("", "configmaps") && object.namespace == "kube-system";
    (in_reach && (object.name == "aws-auth" || *verb == Verb::DeleteCollection)).then_some(ObjectKind::AwsAuth)
}

fn action(event: &AuditEvent<'_>) -> Option<Action> {
    let created = event.status.as_ref().is_some_and(|status| status.code == 201);
    match event.verb {
        Verb::Create => Some(Action::Created),
        Verb::Update | Verb::Patch if created => Some(Action::Created),
        Verb::Update | Verb::Patch => Some(Action::Changed),
        Verb::Delete => Some(Action::Deleted),
        Verb::DeleteCollection => Some(Action::DeletedMany),
        Verb::Get | Verb::List | Verb::Watch | Verb::Other(_) => None,
    }
}
