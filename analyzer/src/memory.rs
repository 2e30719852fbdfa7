//! What is known from earlier events: a value handed in and handed back.
//!
//! It answers three questions: what did this object look like before, has this session been told already, and who
//! minted this credential. Nothing here is needed to judge an event; with it there is more to say.

mod bounded;
mod sessions;
mod streams;

use std::net::IpAddr;

use jiff::Timestamp;

use crate::aws_auth::AwsAuth;
use crate::kube::{ObjectKind, Selector};
use crate::rbac::{PolicyRule, RoleKind, RoleRef, Subject};
use crate::severity::Severity;

use self::bounded::{Bounded, Weight};
use self::sessions::Hour;
pub use self::sessions::{Login, SessionKey, SessionMark};
use self::streams::Streams;
pub use self::streams::{LetIn, TopicKey, Unauthenticated, Unseen};

/// Memory of earlier events. In this form it lives in the process; every part is bounded, oldest out first.
#[derive(Debug, Clone)]
pub struct Memory {
    objects: Bounded<ObjectKey, Remembered>,
    sessions: Bounded<SessionKey, SessionMark>,
    /// Of each cluster, the hour up to which sessions were closed.
    closed: Bounded<String, Hour>,
    minted: Bounded<(String, String), Minted>,
    credentials: Bounded<(String, String), Vec<IpAddr>>,
    addresses: Bounded<(String, IpAddr), String>,
    secrets: Bounded<(String, String, String), Maker>,
    streams: Streams,
    /// How often something was learnt of tokens and addresses.
    taught: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            objects: Bounded::new(OBJECT_BYTES_MAX),
            sessions: Bounded::new(SESSION_BYTES_MAX),
            closed: Bounded::new(TOKEN_BYTES_MAX),
            minted: Bounded::new(TOKEN_BYTES_MAX),
            credentials: Bounded::new(TOKEN_BYTES_MAX),
            addresses: Bounded::new(TOKEN_BYTES_MAX),
            secrets: Bounded::new(TOKEN_BYTES_MAX),
            streams: Streams::default(),
            taught: 0,
        }
    }
}

/// Which object, in which cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Name of the cluster; empty when the input does not say.
    pub cluster: String,
    /// Kind.
    pub kind: ObjectKind,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// What an object says, as far as rights go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A Role or ClusterRole.
    Role {
        /// Its rules.
        rules: Vec<PolicyRule>,
        /// The labels its rules are collected by, when it is an aggregated role.
        aggregation: Option<Vec<Selector>>,
        /// Its labels: they decide which aggregated roles take its rules over.
        labels: Vec<(String, String)>,
    },
    /// A RoleBinding or ClusterRoleBinding.
    Binding {
        /// The role it grants.
        role_ref: Option<RoleRef>,
        /// To whom.
        subjects: Vec<Subject>,
    },
    /// The `aws-auth` ConfigMap.
    AwsAuth(AwsAuth),
    /// A ServiceAccount: the annotations that bind it to IAM (`eks.amazonaws.com/...`), sorted.
    ServiceAccount(Vec<(String, String)>),
}

/// The last that was seen of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// What it says, or said before it was deleted.
    pub state: State,
    /// `metadata.resourceVersion`, where it was recorded.
    pub version: Option<u64>,
    /// When the event happened.
    pub time: Option<Timestamp>,
    /// It has been deleted since.
    pub deleted: bool,
    /// The last time that it gave somebody rights worth a medium alert or more.
    pub granted: Option<Granted>,
}

/// When rights were given, and how grave that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// When.
    pub time: Timestamp,
    /// How grave.
    pub severity: Severity,
}

/// A token that somebody asked for by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// Who asked.
    pub by: Maker,
    /// How grave it was.
    pub severity: Severity,
}

/// Who made something, from where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// The name to show.
    pub name: String,
    /// The address that connected.
    pub peer: Option<IpAddr>,
    /// When.
    pub time: Option<Timestamp>,
    /// The audit ID of the request.
    pub audit_id: String,
}

impl Memory {
    /// What was last seen of an object that still exists.
    #[must_use]
    pub fn object(&self, key: &ObjectKey) -> Option<&Remembered> {
        self.objects.get(key).filter(|remembered| !remembered.deleted)
    }

    /// What was last seen of an object, even if it was deleted since.
    #[must_use]
    pub fn last(&self, key: &ObjectKey) -> Option<&Remembered> {
        self.objects.get(key)
    }

    /// Everything known of existing objects of one cluster and kind.
    pub fn objects<'m>(
        &'m self,
        cluster: &'m str,
        kind: ObjectKind,
    ) -> impl Iterator<Item = (&'m ObjectKey, &'m State)> {
        self.objects
            .iter()
            .filter(move |(key, remembered)| key.cluster == cluster && key.kind == kind && !remembered.deleted)
            .map(|(key, remembered)| (key, &remembered.state))
    }

    /// The rules of a role that a binding in `namespace` refers to.
    #[must_use]
    pub fn role(&self, cluster: &str, role: &RoleRef, namespace: &str) -> Option<&[PolicyRule]> {
        let (kind, namespace) = match role.kind {
            RoleKind::Role => (ObjectKind::Role, namespace),
            RoleKind::ClusterRole => (ObjectKind::ClusterRole, ""),
        };
        let key =
            ObjectKey { cluster: cluster.to_owned(), kind, namespace: namespace.to_owned(), name: role.name.clone() };
        match &self.object(&key)?.state {
            State::Role { rules, .. } => Some(rules),
            State::Binding { .. } | State::AwsAuth(_) | State::ServiceAccount(_) => None,
        }
    }

    /// Keeps what an event said of an object. An older version never replaces a newer one.
    pub fn keep(&mut self, key: ObjectKey, new: Remembered) {
        if let Some(old) = self.objects.get(&key)
            && is_older(&new, old)
        {
            return;
        }
        self.objects.insert(key, new);
    }

    /// Marks an object as deleted at `time`, keeping what it said.
    pub fn forget(&mut self, key: &ObjectKey, time: Option<Timestamp>) {
        let Some(old) = self.objects.get(key) else {
            return;
        };
        if matches!((time, old.time), (Some(deleted), Some(seen)) if deleted < seen) {
            return;
        }
        let gone = Remembered { deleted: true, time: time.or(old.time), ..old.clone() };
        self.objects.insert(key.clone(), gone);
    }

    /// Who asked for the token of this credential (cluster and id), unless that was routine.
    #[must_use]
    pub fn minted(&self, credential: &(String, String)) -> Option<&Minted> {
        self.minted.get(credential)
    }

    /// Keeps who asked for a token.
    pub fn keep_minted(&mut self, cluster: &str, credential: &str, minted: Minted) {
        self.taught += 1;
        self.minted.insert((cluster.to_owned(), credential.to_owned()), minted);
    }

    /// The addresses a credential (cluster and id) was used from, the first one first.
    #[must_use]
    pub fn addresses_of(&self, credential: &(String, String)) -> &[IpAddr] {
        self.credentials.get(credential).map_or(&[], Vec::as_slice)
    }

    /// Notes that a credential was used from an address; at most [`ADDRESSES_MAX`] are kept.
    pub fn note_address(&mut self, credential: &(String, String), peer: IpAddr) {
        let known = self.addresses_of(credential);
        if !known.contains(&peer) && known.len() < ADDRESSES_MAX {
            let peers = known.iter().copied().chain([peer]).collect();
            self.taught += 1;
            self.credentials.insert(credential.clone(), peers);
        }
    }

    /// The node that an address (of a cluster) was last seen to belong to.
    #[must_use]
    pub fn node_at(&self, address: &(String, IpAddr)) -> Option<&str> {
        self.addresses.get(address).map(String::as_str)
    }

    /// Notes that an address belongs to a node.
    pub fn note_node(&mut self, address: &(String, IpAddr), node: &str) {
        if self.node_at(address) != Some(node) {
            self.taught += 1;
            self.addresses.insert(address.clone(), node.to_owned());
        }
    }

    /// How often something new was learnt of tokens and addresses. While it stays the same, what was asked of them has the
    /// same answer, and what was learnt of them need not be learnt again.
    #[must_use]
    pub fn taught(&self) -> u64 {
        self.taught
    }

    /// Who created a Secret.
    #[must_use]
    pub fn secret_maker(&self, cluster: &str, namespace: &str, name: &str) -> Option<&Maker> {
        self.secrets.get(&(cluster.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// Keeps who created a Secret.
    pub fn keep_secret_maker(&mut self, cluster: &str, namespace: &str, name: &str, maker: Maker) {
        self.secrets.insert((cluster.to_owned(), namespace.to_owned(), name.to_owned()), maker);
    }

    /// Gets ready to be copied cheaply: a copy shares what is there now. To be called when no copy is in use.
    pub fn settle(&mut self) {
        self.objects.settle();
        self.sessions.settle();
        self.closed.settle();
        self.minted.settle();
        self.credentials.settle();
        self.addresses.settle();
        self.secrets.settle();
        self.streams.settle();
    }

    /// How many entries were dropped because a part was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.objects.dropped()
            + self.sessions.dropped()
            + self.closed.dropped()
            + self.minted.dropped()
            + self.credentials.dropped()
            + self.addresses.dropped()
            + self.secrets.dropped()
            + self.streams.dropped()
    }
}

/// Versions decide where both are known, the time of the event elsewhere. A deleted object is replaced by what is newer
/// than its deletion.
fn is_older(new: &Remembered, old: &Remembered) -> bool {
    match (new.version, old.version, old.deleted) {
        (Some(new), Some(old), false) => new < old,
        (Some(new_version), Some(old_version), true) if new_version <= old_version => true,
        _ => matches!((new.time, old.time), (Some(new), Some(old)) if new < old),
    }
}

impl Weight for Remembered {
    fn weight(&self) -> usize {
        let text = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
        100 + match &self.state {
            State::Role { rules, labels, .. } => {
                rules
                    .iter()
                    .map(|rule| {
                        120 + text(&rule.api_groups)
                            + text(&rule.resources)
                            + text(&rule.verbs)
                            + text(&rule.resource_names)
                            + text(&rule.non_resource_urls)
                    })
                    .sum::<usize>()
                    + labels.iter().map(|(key, value)| key.len() + value.len() + 48).sum::<usize>()
            }
            State::Binding { subjects, .. } => subjects.iter().map(|subject| subject.to_string().len() + 60).sum(),
            State::AwsAuth(map) => map
                .mappings
                .iter()
                .map(|mapping| {
                    120 + mapping.principal.to_string().len() + mapping.username.len() + text(&mapping.groups)
                })
                .sum(),
            State::ServiceAccount(annotations) => {
                annotations.iter().map(|(key, value)| key.len() + value.len() + 48).sum()
            }
        }
    }
}

impl Weight for Minted {
    fn weight(&self) -> usize {
        100 + self.by.weight()
    }
}

impl Weight for Maker {
    fn weight(&self) -> usize {
        250 + self.name.len() + self.audit_id.len()
    }
}

impl Weight for Vec<IpAddr> {
    fn weight(&self) -> usize {
        200 + self.len() * 17
    }
}

impl Weight for String {
    fn weight(&self) -> usize {
        150 + self.len()
    }
}

/// Room for object states: 16 MiB, about ten thousand ordinary roles and bindings.
pub const OBJECT_BYTES_MAX: usize = 16 << 20;

/// Room for sessions that were told: 32 MiB, about twenty thousand, each with its first event.
pub const SESSION_BYTES_MAX: usize = 32 << 20;

/// Room for each table about tokens: 4 MiB, more than ten thousand entries.
pub const TOKEN_BYTES_MAX: usize = 4 << 20;

/// Addresses kept of one credential: the first ones are what later ones are held against.
pub const ADDRESSES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Memory, ObjectKey, Remembered, State};
    use crate::kube::ObjectKind;
    use crate::rbac::Subject;

    fn key() -> ObjectKey {
        ObjectKey {
            cluster: "c".into(),
            kind: ObjectKind::ClusterRoleBinding,
            namespace: String::new(),
            name: "b".into(),
        }
    }

    fn seen(subject: &str, version: u64, second: i64) -> Remembered {
        Remembered {
            state: State::Binding { role_ref: None, subjects: vec![Subject::User(subject.to_owned())] },
            version: Some(version),
            time: Some(jiff::Timestamp::from_second(second).unwrap()),
            deleted: false,
            granted: None,
        }
    }

    fn subject(memory: &Memory) -> Option<String> {
        match &memory.object(&key())?.state {
            State::Binding { subjects, .. } => Some(subjects[0].to_string()),
            _ => None,
        }
    }

    #[test]
    fn an_older_version_never_replaces_a_newer_one() {
        let mut memory = Memory::default();
        memory.keep(key(), seen("new", 9, 9));
        memory.keep(key(), seen("old", 8, 10));
        assert_eq!(subject(&memory).as_deref(), Some("User new"));
        memory.keep(key(), seen("newer", 10, 8));
        assert_eq!(subject(&memory).as_deref(), Some("User newer"));
    }

    #[test]
    fn a_deleted_object_is_gone_but_its_last_state_is_known() {
        let mut memory = Memory::default();
        memory.keep(key(), seen("a", 9, 9));
        memory.forget(&key(), Some(jiff::Timestamp::from_second(8).unwrap()));
        assert!(subject(&memory).is_some(), "a deletion older than the state deletes nothing");
        memory.forget(&key(), Some(jiff::Timestamp::from_second(10).unwrap()));
        assert_eq!(subject(&memory), None);
        assert!(memory.last(&key()).is_some());
        memory.keep(key(), seen("late", 9, 9));
        assert_eq!(subject(&memory), None, "a late copy of the old state does not bring it back");
        memory.keep(key(), seen("again", 12, 12));
        assert_eq!(subject(&memory).as_deref(), Some("User again"));
    }
}
