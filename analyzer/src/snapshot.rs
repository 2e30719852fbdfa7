//! A cluster as `kubectl get -o json` prints it, loaded as starting memory.

use crate::change::{Content, state};
use crate::kube::{Manifest, ObjectKind};
use crate::memory::{Grants, Memory, ObjectKey, Remembered};

/// What a snapshot held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Roles, bindings, service accounts and `aws-auth` that are now remembered.
    pub kept: u64,
    /// Objects that decide nothing here: other ConfigMaps, other kinds.
    pub other: u64,
    /// Objects that could not be read.
    pub unreadable: u64,
    /// Objects that found no room.
    pub dropped: u64,
}

/// Why a document is no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is not JSON.
    #[error("it is not JSON")]
    NotJson,
    /// It is no list of Kubernetes objects.
    #[error("it is no list of Kubernetes objects")]
    NotAList,
}

/// Keeps the objects of a `List` in `memory`, as those of `cluster`.
pub fn load(json: &[u8], cluster: &str, memory: &mut Memory) -> Result<Loaded, SnapshotError> {
    let list = Manifest::read(json).map_err(|_| SnapshotError::NotJson)?;
    let items = list.items.ok_or(SnapshotError::NotAList)?;
    let dropped = memory.dropped();
    let mut loaded = Loaded::default();
    // `kubectl get roles -o json` prints a `List`; the API itself a `RoleList`, whose items have no kind.
    let listed = list.kind.strip_suffix("List").unwrap_or_default();
    for item in items {
        let Ok(manifest) = Manifest::read(&item) else {
            loaded.unreadable += 1;
            continue;
        };
        let kind = if manifest.kind.is_empty() { listed } else { &manifest.kind };
        match kind_of(kind, &manifest) {
            Some(kind) => {
                keep(kind, &manifest, cluster, memory);
                loaded.kept += 1;
            }
            None => loaded.other += 1,
        }
    }
    loaded.dropped = memory.dropped() - dropped;
    Ok(loaded)
}

fn kind_of(kind: &str, manifest: &Manifest) -> Option<ObjectKind> {
    let is_aws_auth = || manifest.meta.namespace == "kube-system" && manifest.meta.name == "aws-auth";
    match kind {
        "Role" => Some(ObjectKind::Role),
        "ClusterRole" => Some(ObjectKind::ClusterRole),
        "RoleBinding" => Some(ObjectKind::RoleBinding),
        "ClusterRoleBinding" => Some(ObjectKind::ClusterRoleBinding),
        "ServiceAccount" => Some(ObjectKind::ServiceAccount),
        "ConfigMap" if is_aws_auth() => Some(ObjectKind::AwsAuth),
        _ => None,
    }
}

fn keep(kind: ObjectKind, manifest: &Manifest, cluster: &str, memory: &mut Memory) {
    let Content::Known(state) = state(manifest, kind) else {
        return;
    };
    let namespace = if kind.is_namespaced() { manifest.meta.namespace.clone() } else { String::new() };
    let key = ObjectKey { cluster: cluster.to_owned(), kind, namespace, name: manifest.meta.name.clone() };
    // No time: whatever an event says of the object with a later version is newer.
    let version = manifest.meta.resource_version.parse().ok();
    memory.keep(
        key,
        Remembered { state, version, time: None, deleted: false, unseen: false, granted: Grants::default() },
    );
}
