//! What is known from earlier events: a value handed in and handed back.
//!
//! It answers three questions: what did this object look like before, has this session been told already, and who
//! minted this credential. Nothing here is needed to judge an event; with it there is more to say.

mod bounded;
mod streams;

use jiff::Timestamp;

use crate::aws_auth::AwsAuth;
use crate::kube::{ObjectKind, Selector};
use crate::rbac::{PolicyRule, RoleKind, RoleRef, Subject};
use crate::severity::Severity;

use self::bounded::{Bounded, Weight};
use self::streams::Streams;
pub use self::streams::{Granted, TopicKey, Unauthenticated, Unseen};

/// Memory of earlier events. In this form it lives in the process; every part is bounded, oldest out first.
#[derive(Debug, Clone)]
pub struct Memory {
    objects: Bounded<ObjectKey, Remembered>,
    sessions: Bounded<SessionKey, SessionMark>,
    streams: Streams,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            objects: Bounded::new(OBJECT_BYTES_MAX),
            sessions: Bounded::new(SESSION_BYTES_MAX),
            streams: Streams::default(),
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
}

/// One way of using one credential. The first event of a session is the login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// Name of the cluster; empty when the input does not say.
    pub cluster: String,
    /// Namespace and name of the service account.
    pub account: (String, String),
    /// Credential id, pod uid, or the kind of token where it has no id.
    pub credential: String,
    /// The address that connected.
    pub peer: String,
    /// What kind of client it calls itself.
    pub family: &'static str,
    /// The hour of the event, counted from 1970.
    pub hour: i64,
}

/// What was told of a session in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionMark {
    /// The detections that were told, and how urgent they were.
    pub told: Vec<(&'static str, Severity)>,
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
            State::Binding { .. } | State::AwsAuth(_) => None,
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

    /// What was told of a session.
    #[must_use]
    pub fn session(&self, key: &SessionKey) -> Option<&SessionMark> {
        self.sessions.get(key)
    }

    /// Notes what was told of a session.
    pub fn mark_session(&mut self, key: SessionKey, mark: SessionMark) {
        self.sessions.insert(key, mark);
    }

    /// How many entries were dropped because a part was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.objects.dropped() + self.sessions.dropped() + self.streams.dropped()
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
        }
    }
}

impl Weight for SessionMark {
    fn weight(&self) -> usize {
        400
    }
}

/// Room for object states: 16 MiB, about ten thousand ordinary roles and bindings.
pub const OBJECT_BYTES_MAX: usize = 16 << 20;

/// Room for sessions: 16 MiB, about forty thousand.
pub const SESSION_BYTES_MAX: usize = 16 << 20;

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
