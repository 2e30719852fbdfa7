//! What a request did to the objects that decide who can do what.
//!
//! Here a request becomes a change, once, for every detection that looks at changes: which object, created or changed
//! or deleted, what it says now and what it said before, whether it took effect, and if it is ordinary, why.

pub mod routine;

use crate::audit::body::Body;
use crate::audit::object::Verb;
use crate::audit::outcome::Outcome;
use crate::audit::{AuditEvent, Level};
use crate::aws_auth::AwsAuth;
use crate::kube::patch::{Touches, touches};
use crate::kube::{Manifest, ObjectKind};
use crate::memory::{Memory, ObjectKey, State};
use crate::rbac::Subject;

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
    /// What it said before, if that is remembered.
    pub before: Option<State>,
    /// What was deleted with a collection, where the log shows it.
    pub deleted: Vec<Deleted>,
    /// `metadata.labels` and `metadata.annotations` of the object as it is now.
    pub meta: crate::kube::Meta,
    /// The request only takes elements away.
    pub only_removes: bool,
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

/// An object that a collection delete took with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it said.
    pub state: State,
}

/// Why a change is ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ordinary {
    /// `dryRun=All`: nothing was stored.
    DryRun,
    /// Nothing was written: the object has the same version as before, or the patch is empty.
    NoOp,
    /// Only metadata that grants nothing.
    MetadataOnly,
    /// The request failed; nothing changed.
    Failed,
    /// A proven part of the control plane did what it always does.
    Routine,
}

impl Change {
    /// Reads the change that a request made, tried or pretended to make; `None` when it is about something else.
    #[must_use]
    pub fn of(event: &AuditEvent<'_>, cluster: &str, account: Option<&str>, memory: &Memory) -> Option<Self> {
        let object = event.object.as_ref()?;
        let kind = kind(event)?;
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
            before: None,
            deleted: Vec::new(),
            meta: crate::kube::Meta::default(),
            only_removes: false,
            ordinary: None,
        };
        let response = manifest(event.response, kind);
        let request = manifest(event.request, kind);
        change.read_content(event, &response, &request);
        // What is remembered of a later version is not what was before.
        change.before = memory
            .object(&change.key(cluster))
            .filter(|known| known.version.is_none() || change.version().is_none() || known.version < change.version())
            .map(|known| known.state.clone());
        change.ordinary = match outcome {
            Outcome::Failed | Outcome::Unauthenticated => Some(Ordinary::Failed),
            _ if is_dry_run(event, &request) => Some(Ordinary::DryRun),
            Outcome::Denied | Outcome::EscalationRefused => None,
            Outcome::Allowed | Outcome::Unknown => change.ordinary_write(event, &response, &request, cluster, memory),
        };
        if change.ordinary.is_none() && routine::is_routine(event, &change, account) {
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
        self.meta.resource_version.parse().ok()
    }

    /// Whether it took effect, or may have.
    #[must_use]
    pub fn took_effect(&self) -> bool {
        matches!(self.effect, Effect::Took | Effect::MayHave)
    }

    /// The answer is the server's own encoding of what was stored, so it counts over what the client sent.
    fn read_content(&mut self, event: &AuditEvent<'_>, response: &Read, request: &Read) {
        match self.action {
            Action::Deleted => {}
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
                    // Without the answer, a POST or PUT body is what was asked to be stored.
                    (_, Read::Object(manifest)) if whole_request => {
                        self.meta = manifest.meta.clone();
                        state(manifest, self.kind)
                    }
                    (Read::Cut, _) | (_, Read::Cut) => Content::Cut,
                    (Read::Unreadable, _) => Content::Unreadable,
                    (_, Read::Unreadable) if whole_request => Content::Unreadable,
                    _ => Content::NotRecorded,
                };
                if self.name.is_empty() {
                    self.name.clone_from(&self.meta.name);
                }
                self.only_removes = matches!(event.verb, Verb::Patch)
                    && event.request.bytes().is_some_and(|body| touches(body) == Touches::RemovesOnly);
            }
        }
    }

    fn ordinary_write(
        &self,
        event: &AuditEvent<'_>,
        response: &Read,
        request: &Read,
        cluster: &str,
        memory: &Memory,
    ) -> Option<Ordinary> {
        if self.action != Action::Changed || event.outcome() != Outcome::Allowed {
            return None;
        }
        // The server answers with a new version whenever it stored anything.
        if let (Verb::Update, Read::Object(sent), Read::Object(stored)) = (&event.verb, request, response)
            && !stored.meta.resource_version.is_empty()
            && sent.meta.resource_version == stored.meta.resource_version
        {
            return Some(Ordinary::NoOp);
        }
        if let Some(known) = memory.object(&self.key(cluster)) {
            if known.version.is_some() && known.version == self.version() {
                return Some(Ordinary::NoOp);
            }
            // Newer, and says the same: labels, annotations, owners of fields.
            if self.version() > known.version && self.after.known() == Some(&known.state) {
                return Some(Ordinary::MetadataOnly);
            }
        }
        if event.verb != Verb::Patch {
            return None;
        }
        match touches(event.request.bytes()?) {
            Touches::Nothing if !is_apply(event) => Some(Ordinary::NoOp),
            Touches::MetadataOnly if !self.label_may_aggregate(cluster, memory) => Some(Ordinary::MetadataOnly),
            _ => None,
        }
    }

    /// Whether a remembered aggregated role collects roles by labels that this one has now.
    fn label_may_aggregate(&self, cluster: &str, memory: &Memory) -> bool {
        self.kind == ObjectKind::ClusterRole
            && memory.objects(cluster, ObjectKind::ClusterRole).any(|(_, state)| match state {
                State::Role { aggregation: Some(selectors), .. } => {
                    selectors.iter().any(|selector| selector.may_match(&self.meta.labels))
                }
                _ => false,
            })
    }
}

/// A server-side apply of an object without its rules takes the applier's rules away, so an empty one is a change.
fn is_apply(event: &AuditEvent<'_>) -> bool {
    event.query("fieldManager").next().is_some()
        && event.request.bytes().is_some_and(|body| body != b"{}" && body != b"[]")
}

/// The kind of watched object that a request is about.
fn kind(event: &AuditEvent<'_>) -> Option<ObjectKind> {
    let object = event.object.as_ref()?;
    if object.api_group == RBAC_GROUP && object.subresource.is_empty() {
        return ObjectKind::of_resource(&object.resource);
    }
    if object.is("", "serviceaccounts") && event.verb != Verb::DeleteCollection {
        return Some(ObjectKind::ServiceAccount);
    }
    let in_reach = object.is("", "configmaps") && object.namespace == "kube-system";
    (in_reach && (object.name == "aws-auth" || event.verb == Verb::DeleteCollection)).then_some(ObjectKind::AwsAuth)
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

/// Whether the server was asked to store nothing.
///
/// For `delete` and `deletecollection` a body counts and the query is ignored
/// (`k8s.io/apiserver/pkg/endpoints/handlers/delete.go`), so the query proves nothing where a body may have been sent
/// and was not recorded.
fn is_dry_run(event: &AuditEvent<'_>, request: &Read) -> bool {
    let in_query = || event.query("dryRun").any(|value| value == "All");
    match event.verb {
        Verb::Delete | Verb::DeleteCollection => match (request, event.level) {
            (Read::Other(options), _) => options.dry_run.iter().any(|value| value == "All"),
            (Read::Missing, Level::Request | Level::RequestResponse) => in_query(),
            _ => false,
        },
        _ => in_query(),
    }
}

/// A body, read as far as it can be.
enum Read {
    /// The object itself.
    Object(Box<Manifest>),
    /// A list of such objects.
    List(Vec<Vec<u8>>),
    /// JSON of another kind: a Status, DeleteOptions, a `PartialObjectMetadata` or a Table the client asked for.
    Other(Box<Manifest>),
    /// Not recorded.
    Missing,
    /// Cut off.
    Cut,
    /// Recorded, but not readable.
    Unreadable,
}

fn manifest(body: Body<'_>, kind: ObjectKind) -> Read {
    let bytes = match body {
        Body::NotRecorded => return Read::Missing,
        Body::Cut => return Read::Cut,
        Body::Recorded(bytes) => bytes,
    };
    match Manifest::read(bytes) {
        Ok(mut manifest) => match manifest.items.take() {
            Some(items) if manifest.kind.ends_with("List") => Read::List(items),
            _ if manifest.kind == kind.as_str() => Read::Object(Box::new(manifest)),
            _ => Read::Other(Box::new(manifest)),
        },
        Err(_) => Read::Unreadable,
    }
}

/// What an object says. An object without its main part says nothing: no rules, no subjects, no data.
/// What an object of this kind says.
pub(crate) fn state(manifest: &Manifest, kind: ObjectKind) -> Content {
    Content::Known(match kind {
        ObjectKind::Role | ObjectKind::ClusterRole => State::Role {
            rules: manifest.rules.clone().unwrap_or_default(),
            aggregation: manifest.aggregation.clone(),
            labels: manifest.meta.labels.clone(),
        },
        ObjectKind::RoleBinding | ObjectKind::ClusterRoleBinding => State::Binding {
            role_ref: manifest.role_ref.clone(),
            subjects: manifest.subjects.iter().flatten().map(|subject| in_namespace(subject, manifest)).collect(),
        },
        ObjectKind::AwsAuth => State::AwsAuth(AwsAuth::read(
            manifest.data.iter().flatten().map(|(name, text)| (name.as_str(), text.as_str())),
        )),
        ObjectKind::ServiceAccount => {
            let mut annotations: Vec<(String, String)> = manifest
                .meta
                .annotations
                .iter()
                .filter(|(key, _)| key.starts_with("eks.amazonaws.com/"))
                .cloned()
                .collect();
            annotations.sort();
            State::ServiceAccount(annotations)
        }
    })
}

/// A service account without a namespace is of the binding's own.
fn in_namespace(subject: &Subject, manifest: &Manifest) -> Subject {
    match subject {
        Subject::ServiceAccount { namespace, name } if namespace.is_empty() => {
            Subject::ServiceAccount { namespace: manifest.meta.namespace.clone(), name: name.clone() }
        }
        other => other.clone(),
    }
}

fn deleted(item: &[u8], kind: ObjectKind) -> Option<Deleted> {
    let manifest = Manifest::read(item).ok()?;
    match state(&manifest, kind) {
        Content::Known(state) => Some(Deleted { namespace: manifest.meta.namespace, name: manifest.meta.name, state }),
        _ => None,
    }
}
