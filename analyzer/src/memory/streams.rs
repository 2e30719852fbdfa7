//! What is remembered for the text streams: which topics were told, whom the API server refused, whom the authenticator
//! let in.

use jiff::Timestamp;

use super::Memory;
use super::bounded::{Bounded, Weight};
use super::fact::{Key, Place};
use super::ledger::Ask;
use crate::severity::Severity;

/// The part of the memory that belongs to the text streams and to AWS API calls.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    pub(super) topics: Bounded<TopicKey, Told>,
    pub(super) refused: Bounded<(String, i64), Vec<Unauthenticated>>,
    pub(super) last_refused: Option<Timestamp>,
    pub(super) granted: Bounded<(String, String), LetIn>,
    pub(super) unseen: Bounded<String, Unseen>,
    pub(super) entries: Bounded<(String, String), Option<Timestamp>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            topics: Bounded::new(TOPIC_BYTES_MAX),
            refused: Bounded::new(REFUSED_BYTES_MAX),
            last_refused: None,
            granted: Bounded::new(GRANTED_BYTES_MAX),
            unseen: Bounded::new(UNSEEN_BYTES_MAX),
            entries: Bounded::new(ENTRY_BYTES_MAX),
        }
    }
}

impl Streams {
    pub(super) fn settle(&mut self) {
        self.topics.settle();
        self.refused.settle();
        self.granted.settle();
        self.unseen.settle();
        self.entries.settle();
    }

    pub(super) fn dropped(&self) -> u64 {
        self.topics.dropped()
            + self.refused.dropped()
            + self.granted.dropped()
            + self.unseen.dropped()
            + self.entries.dropped()
    }
}

/// What text lines of one hour have in common when they are one alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicKey {
    /// Name of the cluster; empty when the input does not say.
    pub cluster: String,
    /// Id of the detection.
    pub detection: &'static str,
    /// What the detection puts together.
    pub topic: String,
    /// How urgent: a graver line is never hidden behind a milder one.
    pub severity: Severity,
    /// The hour, as the line says it; empty when it does not.
    pub hour: String,
}

/// That it was told, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told;

/// A request that the API server refused before it knew who asked: an audit event with status 401. Every text in it is
/// printable and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unauthenticated {
    /// When it was refused.
    pub time: Timestamp,
    /// `auditID`
    pub audit_id: String,
    /// The request verb.
    pub verb: String,
    /// Path and query.
    pub request_uri: String,
    /// The address that connected.
    pub peer: Option<String>,
    /// The addresses the client claimed.
    pub claimed: Vec<String>,
    /// What the client calls itself.
    pub user_agent: String,
}

/// A login that the authenticator let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetIn {
    /// When, the last time.
    pub time: Option<Timestamp>,
    /// The groups it was given, `[a b]`.
    pub groups: String,
}

/// A creation of `aws-auth` whose content the audit log does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// When.
    pub time: Timestamp,
    /// `auditID`
    pub audit_id: String,
    /// Who, as alerts show it.
    pub actor: String,
}

impl Memory {
    /// Whether a topic was told in its hour.
    #[must_use]
    pub fn topic_told(&self, key: &TopicKey) -> bool {
        let told = self.streams.topics.get(key).is_some();
        if !told {
            // What was told stays told, so only what was not is asked for.
            self.ledger.ask(|| Ask::One(Key::Topic(key.clone())));
        }
        told
    }

    /// Notes that a topic was told.
    pub fn mark_topic(&mut self, key: TopicKey) {
        self.ledger.change(|| Key::Topic(key.clone()));
        self.streams.topics.insert(key, Told);
    }

    /// Notes a request that was refused before it was known who asked.
    pub fn note_refused(&mut self, cluster: &str, refused: Unauthenticated) {
        self.streams.last_refused = self.streams.last_refused.max(Some(refused.time));
        let key = (cluster.to_owned(), refused.time.as_second());
        let mut same_second = self.streams.refused.remove(&key).unwrap_or_default();
        if same_second.len() < REFUSED_PER_SECOND_MAX && !same_second.contains(&refused) {
            same_second.push(refused);
        }
        self.streams.refused.insert(key, same_second);
    }

    /// Takes the refused request nearest to `time`, at most one second away.
    pub fn take_refused(&mut self, cluster: &str, time: Timestamp) -> Option<Unauthenticated> {
        let distance = |other: Timestamp| other.as_microsecond().abs_diff(time.as_microsecond());
        let (key, at) = [-1, 0, 1]
            .into_iter()
            .map(|second| (cluster.to_owned(), time.as_second() + second))
            .flat_map(|key| {
                let found = self.streams.refused.get(&key).map(Vec::as_slice).unwrap_or_default();
                found.iter().enumerate().map(move |(at, refused)| (distance(refused.time), key.clone(), at))
            })
            .filter(|(distance, ..)| *distance <= JOIN_MICROSECONDS)
            .min()
            .map(|(_, key, at)| (key, at))?;
        let mut same_second = self.streams.refused.remove(&key)?;
        let taken = same_second.remove(at);
        if !same_second.is_empty() {
            self.streams.refused.insert(key, same_second);
        }
        Some(taken)
    }

    /// When the last such request was refused: the year for klog lines that have none.
    #[must_use]
    pub fn last_refused(&self) -> Option<Timestamp> {
        self.streams.last_refused
    }

    /// The last login of an IAM principal that the authenticator let in and has not refused since.
    #[must_use]
    pub fn granted(&self, cluster: &str, arn: &str) -> Option<&LetIn> {
        self.streams.granted.get(&(cluster.to_owned(), arn.to_owned()))
    }

    /// Notes a login that was let in, or with `None` that the principal is refused now.
    pub fn note_login(&mut self, cluster: &str, arn: &str, granted: Option<LetIn>) {
        if arn.is_empty() || arn.len() > ARN_BYTES_MAX {
            return;
        }
        let key = (cluster.to_owned(), arn.to_owned());
        match granted {
            Some(granted) => self.streams.granted.insert(key, granted),
            None => {
                self.streams.granted.remove(&key);
            }
        }
    }

    /// The last creation of `aws-auth` with unseen content.
    #[must_use]
    pub fn unseen(&self, cluster: &str) -> Option<&Unseen> {
        self.ledger.ask(|| Ask::One(Key::Unseen(cluster.to_owned())));
        self.streams.unseen.get(&cluster.to_owned())
    }

    /// Notes a creation of `aws-auth` with unseen content.
    pub fn note_unseen(&mut self, cluster: &str, unseen: Unseen) {
        self.ledger.change(|| Key::Unseen(cluster.to_owned()));
        self.streams.unseen.insert(cluster.to_owned(), unseen);
    }

    /// When an access entry was created, if that was seen.
    #[must_use]
    pub fn entry_created(&self, cluster: &str, principal: &str) -> Option<Timestamp> {
        let key = (cluster.to_owned(), principal.to_owned());
        self.ledger.ask(|| Ask::One(Key::AccessEntry(key.clone())));
        *self.streams.entries.get(&key)?
    }

    /// Notes the creation of an access entry, or with `None` its end.
    pub fn note_entry(&mut self, cluster: &str, principal: &str, created: Option<Timestamp>) {
        if principal.len() <= ARN_BYTES_MAX {
            let key = (cluster.to_owned(), principal.to_owned());
            self.ledger.change(|| Key::AccessEntry(key.clone()));
            self.streams.entries.insert(key, created);
        }
    }
}

impl TopicKey {
    pub(super) fn place(&self) -> Place {
        let parts = [self.detection, &self.topic, self.severity.as_str(), &self.hour];
        Place::new(&self.cluster, "topic", parts)
    }
}

impl Weight for TopicKey {
    fn weight(&self) -> usize {
        self.cluster.len() + self.topic.len() + self.hour.len()
    }
}

impl Weight for (String, i64) {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

impl Weight for Told {
    fn weight(&self) -> usize {
        400
    }
}

impl Weight for Vec<Unauthenticated> {
    fn weight(&self) -> usize {
        let text = |refused: &Unauthenticated| {
            let claimed = refused.claimed.iter().map(|claim| claim.len() + 24).sum::<usize>();
            refused.audit_id.len() + refused.verb.len() + refused.request_uri.len() + refused.user_agent.len() + claimed
        };
        200 + self.iter().map(|refused| 300 + text(refused)).sum::<usize>()
    }
}

impl Weight for LetIn {
    fn weight(&self) -> usize {
        400 + self.groups.len()
    }
}

impl Weight for Unseen {
    fn weight(&self) -> usize {
        400 + self.audit_id.len() + self.actor.len()
    }
}

impl Weight for Option<Timestamp> {
    fn weight(&self) -> usize {
        400
    }
}

/// How far a line of the api stream may be from the audit event of the same refusal, in microseconds: both are written
/// by the same request within a millisecond, on a loaded server somewhat later.
const JOIN_MICROSECONDS: u64 = 1_000_000;
/// Refused requests kept of one second. More is a flood; the lines that tell the cause are counted all the same.
const REFUSED_PER_SECOND_MAX: usize = 50;
/// Longest IAM ARN remembered: a role name has 64 characters and a path 512.
pub(super) const ARN_BYTES_MAX: usize = 1_024;
/// Room for topics told: 2 MiB, about five thousand.
pub(super) const TOPIC_BYTES_MAX: usize = 2 << 20;
/// Room for refused requests waiting for their cause: 4 MiB, about eight thousand.
pub(super) const REFUSED_BYTES_MAX: usize = 4 << 20;
/// Room for principals let in: 4 MiB, about ten thousand.
pub(super) const GRANTED_BYTES_MAX: usize = 4 << 20;
/// Room for creations of `aws-auth`, one per cluster: 1 MiB, about two thousand.
pub(super) const UNSEEN_BYTES_MAX: usize = 1 << 20;
/// Room for access entries created: 1 MiB, about two thousand.
pub(super) const ENTRY_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::{REFUSED_PER_SECOND_MAX, Unauthenticated};
    use crate::memory::Memory;

    fn refused(id: &str, time: &str) -> Unauthenticated {
        Unauthenticated {
            time: time.parse().unwrap(),
            audit_id: id.to_owned(),
            verb: String::new(),
            request_uri: String::new(),
            peer: None,
            claimed: Vec::new(),
            user_agent: String::new(),
        }
    }

    #[test]
    fn the_nearest_refusal_is_taken_once_and_none_beyond_a_second() {
        let mut memory = Memory::default();
        memory.note_refused("prod", refused("a", "2026-11-23T06:52:33.999Z"));
        memory.note_refused("prod", refused("b", "2026-11-23T06:52:34.001Z"));
        memory.note_refused("other", refused("c", "2026-11-23T06:52:34.000Z"));
        let mut take = |time: &str| memory.take_refused("prod", time.parse().unwrap()).map(|refused| refused.audit_id);
        assert_eq!(take("2026-11-23T06:52:35.002Z"), None);
        assert_eq!(take("2026-11-23T06:52:34.002Z").as_deref(), Some("b"));
        assert_eq!(take("2026-11-23T06:52:34.002Z").as_deref(), Some("a"));
        assert_eq!(take("2026-11-23T06:52:34.002Z"), None);
    }

    #[test]
    fn a_flood_of_refusals_is_bounded() {
        let mut memory = Memory::default();
        let time = "2026-11-23T06:52:33Z";
        for count in [REFUSED_PER_SECOND_MAX, REFUSED_PER_SECOND_MAX + 1, 10_000] {
            for number in 0..count {
                memory.note_refused("prod", refused(&number.to_string(), time));
            }
            let taken = std::iter::from_fn(|| memory.take_refused("prod", time.parse().unwrap())).count();
            assert_eq!(taken, REFUSED_PER_SECOND_MAX, "of {count}");
        }
    }
}
