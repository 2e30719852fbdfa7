//! Sessions that were told: what of, and what they have come to since.

use jiff::Timestamp;

use super::Memory;
use super::bounded::Weight;
use super::fact::{Key, Place};
use super::ledger::Ask;
use crate::evidence::{AlertId, Deeds, Evidence};
use crate::severity::Severity;
use crate::stream::Source;

/// One way of using one credential. The first event of a session is the login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// Name of the cluster; empty when the input does not say.
    pub cluster: String,
    /// Namespace and name of the service account. Of other callers the namespace is empty and the name the username.
    pub account: (String, String),
    /// Credential id, access key id, pod uid, or the kind of token where it has no id.
    pub credential: String,
    /// The address that connected.
    pub peer: String,
    /// What kind of client it calls itself.
    pub family: &'static str,
    /// Stands for whom it acts as; empty when it acts as itself.
    pub acting_as: String,
    /// The hour of the event, counted from 1970.
    pub hour: i64,
}

/// What is known of a session in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionMark {
    /// The detections that were told, and how urgent they were.
    pub told: Vec<(&'static str, Severity)>,
    /// Events of the session in this hour that had something to tell, the first one included.
    pub events: u64,
    /// How many of them a message has told or counted.
    pub counted: u64,
    /// What they did.
    pub deeds: Deeds,
    /// Which of them came last.
    pub seen: Seen,
    /// The gravest alert of the session, the first of equals.
    pub login: Option<Box<Login>>,
}

/// The last events of a session, so that one which is delivered again is not counted again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Numbers made of their ids, the oldest first.
    pub(crate) events: Vec<u64>,
}

/// An hour, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour(pub i64);

/// What a later word on a session refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Of its alert.
    pub id: AlertId,
    /// Of its alert.
    pub severity: Severity,
    /// What its worst finding said happened, to be read after the name of who did it.
    pub what: String,
    /// The worst finding's detection.
    pub detection: &'static str,
    /// The event.
    pub evidence: Evidence,
    /// Where it was read.
    pub source: Source,
}

impl Memory {
    /// What is known of a session.
    #[must_use]
    pub fn session(&self, key: &SessionKey) -> Option<&SessionMark> {
        self.ledger.ask(|| Ask::One(Key::Session(key.clone())));
        self.sessions.get(key)
    }

    /// Keeps what is known of a session.
    pub fn mark_session(&mut self, key: SessionKey, mark: SessionMark) {
        self.ledger.change(|| Key::Session(key.clone()));
        self.sessions.insert(key, mark);
    }

    /// What a session came to in the hour before; taken as told.
    pub fn take_hour_before(&mut self, key: &SessionKey) -> Option<u64> {
        let before = SessionKey { hour: key.hour - 1, ..key.clone() };
        let mark = self.session(&before)?.clone();
        let events = mark.events;
        self.mark_session(before, SessionMark { counted: events, ..mark });
        Some(events)
    }

    /// The sessions of a cluster whose hour is over at `latest`, the time of its latest event, and that had events which
    /// no message has told. They are taken as told.
    pub fn close_sessions(&mut self, cluster: &str, latest: Timestamp) -> Vec<SessionMark> {
        let hour = (latest.as_second() - CLOSE_AFTER_SECONDS).div_euclid(3600);
        let cluster = cluster.to_owned();
        if self.closed.get(&cluster).is_some_and(|closed| closed.0 >= hour) {
            return Vec::new();
        }
        self.ledger.ask(|| Ask::Sessions { cluster: cluster.clone(), before: hour });
        let closing = self.close(|key| key.cluster == cluster && key.hour < hour);
        self.closed.insert(cluster, Hour(hour));
        closing
    }

    /// The same for every session, where no more events are to come.
    pub fn close_all_sessions(&mut self) -> Vec<SessionMark> {
        self.close(|_| true)
    }

    fn close(&mut self, is_over: impl Fn(&SessionKey) -> bool) -> Vec<SessionMark> {
        let mut over: Vec<(SessionKey, SessionMark)> = self
            .sessions
            .iter()
            .filter(|(key, mark)| is_over(key) && mark.events > mark.counted)
            .map(|(key, mark)| (key.clone(), mark.clone()))
            .collect();
        // In the order of their keys: the memory's own order tells in which batches the events came.
        over.sort_by(|one, other| one.0.cmp(&other.0));
        for (key, mark) in &over {
            self.mark_session(key.clone(), SessionMark { counted: mark.events, ..mark.clone() });
        }
        over.into_iter().map(|(_, mark)| mark).collect()
    }
}

impl SessionKey {
    pub(super) fn place(&self) -> Place {
        let (namespace, name) = &self.account;
        let parts = [namespace, name, &self.credential, &self.peer, self.family, self.acting_as.as_str()];
        Place::new(&self.cluster, &folder(self.hour), parts)
    }
}

/// What the places of the sessions of an hour begin with. Hours have six digits from 1981 to 2084.
pub(super) fn folder(hour: i64) -> String {
    format!("session/{hour:06}")
}

impl SessionMark {
    /// Adds what this process has counted since `before` to what others have kept.
    pub(super) fn merged(self, before: &Self, mut theirs: Self) -> Self {
        theirs.events = theirs.events.saturating_add(self.events.saturating_sub(before.events));
        let counted = theirs.counted.saturating_add(self.counted.saturating_sub(before.counted));
        theirs.counted = counted.min(theirs.events);
        theirs.deeds.add_since(&self.deeds, &before.deeds);
        for event in self.seen.events {
            theirs.seen.note(event);
        }
        for (detection, severity) in self.told {
            theirs.tell(detection, severity);
        }
        theirs.login = match (self.login, theirs.login) {
            (Some(ours), Some(theirs)) if ours.ranks_before(&theirs) => Some(ours),
            (ours, theirs) => theirs.or(ours),
        };
        theirs
    }

    /// Notes that a detection was told, and how urgent it was.
    pub fn tell(&mut self, detection: &'static str, severity: Severity) {
        match self.told.iter_mut().find(|(known, _)| *known == detection) {
            Some((_, before)) => *before = severity.max(*before),
            None => self.told.push((detection, severity)),
        }
    }
}

impl Seen {
    /// Notes an event; `false` when it is one of the last [`SEEN_MAX`], so there is nothing new about it.
    pub fn add(&mut self, id: &AlertId) -> bool {
        self.note(id.number())
    }

    fn note(&mut self, event: u64) -> bool {
        if self.events.contains(&event) {
            return false;
        }
        if self.events.len() >= SEEN_MAX {
            self.events.remove(0);
        }
        self.events.push(event);
        true
    }
}

impl Login {
    /// Whether it is graver than the other, or as grave and earlier.
    fn ranks_before(&self, other: &Self) -> bool {
        (self.severity, other.evidence.time) > (other.severity, self.evidence.time)
    }
}

impl Weight for SessionKey {
    fn weight(&self) -> usize {
        let (namespace, name) = &self.account;
        let texts = [&self.cluster, namespace, name, &self.credential, &self.peer, &self.acting_as];
        texts.iter().map(|text| text.len()).sum()
    }
}

impl Weight for SessionMark {
    fn weight(&self) -> usize {
        400 + self.deeds.weight()
            + self.seen.events.len() * 8
            + self.login.as_ref().map_or(0, |login| 300 + login.what.len() + login.evidence.weight())
    }
}

impl Weight for Hour {
    fn weight(&self) -> usize {
        100
    }
}

/// Room for sessions that were told: 32 MiB, about twenty thousand, each with its first event.
pub(super) const SESSION_BYTES_MAX: usize = 32 << 20;

/// Events of a session that are known again: 500. A delivery holds about a megabyte, and an event that tells something
/// has 2 KB, so it is about what one delivery can hold of one session. More would make its item in the table cost more.
pub(super) const SEEN_MAX: usize = 500;

/// How long after its hour a session is closed, in seconds of event time: CloudWatch delivers within seconds, and
/// Lambda's own retries of a failed delivery take about six minutes.
const CLOSE_AFTER_SECONDS: i64 = 600;
