//! Reading what an object says, out of the bodies of a request and its answer.

use super::{Content, Deleted};
use crate::audit::body::Body;
use crate::aws_auth::AwsAuth;
use crate::kube::{Manifest, ObjectKind};
use crate::memory::State;
use crate::rbac::Subject;

/// A body, read as far as it can be.
pub(super) enum Read {
    /// The object itself.
    Object(Box<Manifest>),
    /// A list of such objects.
    List(Vec<Vec<u8>>),
    /// Its metadata alone: the client asked for an answer without the rest.
    Partial(Box<Manifest>),
    /// JSON of another kind: a Status, DeleteOptions, a Table the client asked for.
    Other(Box<Manifest>),
    /// Not recorded.
    Missing,
    /// Cut off.
    Cut,
    /// Recorded, but not readable.
    Unreadable,
}

pub(super) fn manifest(body: Body<'_>, kind: ObjectKind) -> Read {
    let bytes = match body {
        Body::NotRecorded => return Read::Missing,
        Body::Cut => return Read::Cut,
        Body::Broken => return Read::Unreadable,
        Body::Recorded(bytes) => bytes,
    };
    match Manifest::read(bytes) {
        Ok(mut manifest) => match manifest.items.take() {
            Some(items) if manifest.kind.ends_with("List") => Read::List(items),
            _ if manifest.kind == kind.as_str() => Read::Object(Box::new(manifest)),
            _ if manifest.kind == "PartialObjectMetadata" => Read::Partial(Box::new(manifest)),
            _ => Read::Other(Box::new(manifest)),
        },
        Err(_) => Read::Unreadable,
    }
}

/// What an object says. An object without its main part says nothing: no rules, no subjects, no data.
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

pub(super) fn deleted(item: &[u8], kind: ObjectKind) -> Option<Deleted> {
    let manifest = Manifest::read(item).ok()?;
    match state(&manifest, kind) {
        Content::Known(state) => Some(Deleted {
            namespace: manifest.meta.namespace,
            name: manifest.meta.name,
            state,
            pending: manifest.meta.finalizers,
        }),
        _ => None,
    }
}
