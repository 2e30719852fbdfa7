//! What objects said: the state of roles, bindings, `aws-auth` and service accounts, each with its version and what it gave.

use jiff::Timestamp;

use super::Memory;
use super::bounded::Weight;
use super::fact::{Key, Place};
use super::grants::Grants;
use super::ledger::Ask;
use super::state::State;
use crate::kube::ObjectKind;
use crate::rbac::{PolicyRule, RoleKind, RoleRef};

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
    /// It has been changed since, and the log does not hold to what. `version` and `time` are those of that change.
    pub unseen: bool,
    /// What it gave lately.
    pub granted: Grants,
}

impl Memory {
    /// What an object says that still exists, where nothing has changed it unseen.
    #[must_use]
    pub fn object(&self, key: &ObjectKey) -> Option<&Remembered> {
        self.last(key).filter(|remembered| !remembered.deleted && !remembered.unseen)
    }

    /// What was last seen of an object, even if it was deleted since, or changed unseen.
    #[must_use]
    pub fn last(&self, key: &ObjectKey) -> Option<&Remembered> {
        self.ledger.ask(|| Ask::One(Key::Object(key.clone())));
        self.objects.get(key)
    }

    /// Everything known of existing objects of one cluster and kind. Of one that was changed unseen it is what it said
    /// before: whoever held something is still taken for a holder.
    pub fn objects<'m>(
        &'m self,
        cluster: &'m str,
        kind: ObjectKind,
    ) -> impl Iterator<Item = (&'m ObjectKey, &'m State)> {
        self.ledger.ask(|| Ask::Objects { cluster: cluster.to_owned(), kind });
        self.objects
            .iter()
            .filter(move |(key, remembered)| key.cluster == cluster && key.kind == kind && !remembered.deleted)
            .map(|(key, remembered)| (key, &remembered.state))
    }

    /// The rules of a role that a binding in `namespace` refers to.
    #[must_use]
    pub fn role(&self, cluster: &str, role: &RoleRef, namespace: &str) -> Option<&[PolicyRule]> {
        match &self.object(&ObjectKey::of_role(cluster, role, namespace))?.state {
            State::Role { rules, .. } => Some(rules),
            State::Binding { .. } | State::AwsAuth(_) | State::ServiceAccount(_) => None,
        }
    }

    /// Whether a role was changed and the log does not hold to what.
    #[must_use]
    pub fn is_unseen(&self, cluster: &str, role: &RoleRef, namespace: &str) -> bool {
        self.last(&ObjectKey::of_role(cluster, role, namespace)).is_some_and(|last| last.unseen && !last.deleted)
    }

    /// Keeps what an event said of an object. An older version never replaces a newer one; what it gave counts all the same.
    pub fn keep(&mut self, key: ObjectKey, mut new: Remembered) {
        if let Some(old) = self.objects.get(&key) {
            if is_older(&new, old) {
                if old.deleted || new.granted.is_empty() {
                    return;
                }
                let granted = old.granted.clone().and(new.granted);
                new = Remembered { granted, ..old.clone() };
            } else {
                new.time = new.first_seen(old).or(new.time);
                new.granted = new.granted.and(old.granted.clone());
            }
        }
        self.ledger.change(|| Key::Object(key.clone()));
        self.objects.insert(key, new);
    }

    /// Notes that an object was changed, or created, and that nobody saw to what: from then on its content is not known. What the one
    /// before said is kept, but not of a role or a binding of the same name that is gone.
    pub fn lose_sight(&mut self, key: ObjectKey, version: Option<u64>, time: Option<Timestamp>, created: bool) {
        let last = self.last(&key).filter(|_| !created || !key.kind.is_rbac());
        let state = last.map_or_else(|| State::nothing(key.kind), |last| last.state.clone());
        self.keep(key, Remembered { state, version, time, deleted: false, unseen: true, granted: Grants::default() });
    }

    /// Marks an object as deleted at `time`, keeping what it said.
    pub fn forget(&mut self, key: &ObjectKey, time: Option<Timestamp>) {
        let Some(gone) = self.last(key).and_then(|old| old.ended(time)) else {
            return;
        };
        self.ledger.change(|| Key::Object(key.clone()));
        self.objects.insert(key.clone(), gone);
    }
}

impl Remembered {
    /// The same, deleted at `time`, and what it gave taken back; none when it was seen to exist after that.
    fn ended(&self, time: Option<Timestamp>) -> Option<Self> {
        let seen_after = matches!((time, self.time), (Some(deleted), Some(seen)) if deleted < seen);
        let granted = Grants::default();
        (!seen_after).then(|| Self { deleted: true, time: time.or(self.time), granted, ..self.clone() })
    }

    /// What two processes know of an object, put together: of two states the newer one, and a deletion that is not older
    /// than it. So the order in which they learnt it does not matter.
    pub(super) fn merged(self, other: Self) -> Self {
        match (self.deleted, other.deleted) {
            (true, false) => self.ends(other),
            (false, true) => other.ends(self),
            (true, true) => {
                let time = self.time.max(other.time);
                Self { time, ..self.newer(other) }
            }
            (false, false) => {
                let granted = self.granted.clone().and(other.granted.clone());
                let first = self.first_seen(&other);
                let newer = self.newer(other);
                Self { granted, time: first.or(newer.time), ..newer }
            }
        }
    }

    /// What is left of a living object after this deletion. The process that saw the deletion may not have seen the
    /// object's last state; an object that was made again is not touched.
    fn ends(self, living: Self) -> Self {
        if matches!((self.version, living.version), (Some(gone), Some(living)) if living <= gone) {
            return self;
        }
        living.ended(self.time).unwrap_or(living)
    }

    /// When two witnesses of one version saw it first: it is as old as the first write that was answered with it, and what is
    /// read later may have come before.
    fn first_seen(&self, other: &Self) -> Option<Timestamp> {
        self.time.min(other.time).filter(|_| self.version.is_some() && self.version == other.version)
    }

    fn newer(self, other: Self) -> Self {
        let older = match (self.version, other.version) {
            (Some(_), Some(_)) if days_apart(&other, &self) => true,
            (Some(_), Some(_)) if days_apart(&self, &other) => false,
            (Some(ours), Some(theirs)) => ours < theirs,
            _ => matches!((self.time, other.time), (Some(ours), Some(theirs)) if ours < theirs),
        };
        if older { other } else { self }
    }
}

impl ObjectKey {
    /// The key of the role that a binding in `namespace` refers to.
    fn of_role(cluster: &str, role: &RoleRef, namespace: &str) -> Self {
        let (kind, namespace) = match role.kind {
            RoleKind::Role => (ObjectKind::Role, namespace),
            RoleKind::ClusterRole => (ObjectKind::ClusterRole, ""),
        };
        Self { cluster: cluster.to_owned(), kind, namespace: namespace.to_owned(), name: role.name.clone() }
    }

    pub(super) fn place(&self) -> Place {
        Place::new(&self.cluster, &folder(self.kind), [self.namespace.as_str(), &self.name])
    }
}

/// What the places of objects of a kind begin with.
pub(super) fn folder(kind: ObjectKind) -> String {
    format!("object/{}", kind.as_str())
}

/// Versions decide where both are known, the time of the event elsewhere. A deleted object is replaced by what is newer
/// than its deletion.
fn is_older(new: &Remembered, old: &Remembered) -> bool {
    match (new.version, old.version, old.deleted) {
        // Versions only grow while a cluster lives. One that is lower days later is of another cluster under the same name.
        (Some(_), Some(_), _) if days_apart(new, old) => false,
        (Some(new), Some(old), false) => new < old,
        (Some(new_version), Some(old_version), true) if new_version <= old_version => true,
        _ => matches!((new.time, old.time), (Some(new), Some(old)) if new < old),
    }
}

/// Whether `new` happened so long after `old` that no log is delivered in another order.
fn days_apart(new: &Remembered, old: &Remembered) -> bool {
    matches!((new.time, old.time), (Some(new), Some(old)) if new.as_second() - old.as_second() > REBUILT_SECONDS)
}

/// CloudWatch Logs and Lambda try for a day and six hours to deliver a line; two days.
const REBUILT_SECONDS: i64 = 2 * 24 * 3_600;

impl Weight for ObjectKey {
    fn weight(&self) -> usize {
        self.cluster.len() + self.namespace.len() + self.name.len()
    }
}

impl Weight for Remembered {
    fn weight(&self) -> usize {
        100 + self.state.weight() + self.granted.weight()
    }
}

/// Room for object states: 16 MiB, about ten thousand ordinary roles and bindings, or half as many that have all given something.
pub const OBJECT_BYTES_MAX: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::{Grants, ObjectKey, Remembered, State};
    use crate::kube::ObjectKind;
    use crate::memory::Granted;
    use crate::memory::Memory;
    use crate::rbac::Subject;
    use crate::severity::Severity;

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
            unseen: false,
            granted: Grants::default(),
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

    fn gave(second: i64) -> Grants {
        let time = jiff::Timestamp::from_second(second).unwrap();
        let part = State::Binding { role_ref: None, subjects: vec![Subject::User("a".to_owned())] };
        [Granted { time, severity: Severity::High, certain: true, part }].into_iter().collect()
    }

    #[test]
    fn what_an_object_gave_is_kept_in_whatever_order_it_is_learnt_and_ends_with_it() {
        let given = |second| Remembered { granted: gave(second), ..seen("a", second.unsigned_abs(), second) };
        let both = gave(8).and(gave(9));
        for order in [[8, 9], [9, 8]] {
            let mut memory = Memory::default();
            for second in order {
                memory.keep(key(), given(second));
            }
            let known = memory.object(&key()).unwrap();
            assert_eq!((&known.granted, known.version), (&both, Some(9)));
            memory.forget(&key(), Some(jiff::Timestamp::from_second(10).unwrap()));
            memory.keep(key(), given(7));
            assert!(memory.last(&key()).unwrap().granted.is_empty(), "nothing is left to take back");
            memory.keep(key(), seen("again", 12, 12));
            assert!(memory.object(&key()).unwrap().granted.is_empty());
        }
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
