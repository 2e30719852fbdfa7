//! What one judging asked the memory for, and what it changed there.
#![expect(clippy::disallowed_types, reason = "questions are put to a borrowed memory, and noting them is no state")]

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::fact::{Key, Place};
use super::{Memory, objects, sessions};
use crate::kube::ObjectKind;

/// A question to the memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ask {
    /// What is known under one key.
    One(Key),
    /// What is known of the objects of one kind.
    Objects {
        /// Name of the cluster.
        cluster: String,
        /// Which kind.
        kind: ObjectKind,
    },
    /// The sessions whose hour is over.
    Sessions {
        /// Name of the cluster.
        cluster: String,
        /// The first hour that is not over, counted from 1970.
        before: i64,
    },
}

/// Where facts lie: from one place to another of a cluster, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Name of the cluster.
    pub cluster: String,
    /// The first place.
    pub first: String,
    /// The last place.
    pub last: String,
}

impl Ask {
    /// Where the facts lie that a question about more than one key is about; none for one key.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        match self {
            Self::One(_) => None,
            Self::Objects { cluster, kind } => {
                let folder = objects::folder(*kind);
                // Places end in hexadecimal digits, and `g` comes after the last of these.
                Some(Range { cluster: cluster.clone(), first: format!("{folder}/"), last: format!("{folder}/g") })
            }
            Self::Sessions { cluster, before } => {
                // The sessions of `before` itself lie behind it: their places go on.
                let (first, last) = (sessions::folder(before - HOURS_BACK), sessions::folder(*before));
                Some(Range { cluster: cluster.clone(), first, last })
            }
        }
    }
}

/// Questions and changes, while somebody wants to know them.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: bool,
    asked: Mutex<HashSet<Ask>>,
    changed: HashSet<Key>,
}

/// A copy begins with empty pages.
impl Clone for Ledger {
    fn clone(&self) -> Self {
        Self { open: self.open, ..Self::default() }
    }
}

impl Ledger {
    pub(super) fn ask(&self, ask: impl FnOnce() -> Ask) {
        if self.open {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.len() >= ASKED_MAX {
                return;
            }
            let ask = ask();
            // A client shows as many tokens as it likes; that must not crowd out what severities rest on.
            if asked.len() < ASKED_MAX / 2 || ask.worth() < Worth::Credential {
                asked.insert(ask);
            }
        }
    }

    pub(super) fn change(&mut self, key: impl FnOnce() -> Key) {
        if self.open {
            self.changed.insert(key());
        }
    }
}

impl Memory {
    /// The same, noting from now on what is asked for and what is changed. A copy does so too, each for itself.
    #[must_use]
    pub fn noting(mut self) -> Self {
        self.ledger = Ledger { open: true, ..Ledger::default() };
        self
    }

    /// Takes over what another one has noted, which this one continues.
    pub(crate) fn continuing(&mut self, before: &Self) {
        if self.ledger.open {
            let asked = before.ledger.asked.lock().unwrap_or_else(PoisonError::into_inner);
            self.ledger.asked.get_mut().unwrap_or_else(PoisonError::into_inner).extend(asked.iter().cloned());
            self.ledger.changed.extend(before.ledger.changed.iter().cloned());
        }
    }

    /// What was asked for, in a stable order: what severities rest on comes first, so whoever answers only a part answers
    /// that.
    #[must_use]
    pub fn asked(&self) -> Vec<Ask> {
        let asked = self.ledger.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked: Vec<Ask> = asked.iter().cloned().collect();
        asked.sort_by_cached_key(Ask::order);
        asked
    }

    /// Under which keys something was changed that others should know, in a stable order.
    #[must_use]
    pub fn changed(&self) -> Vec<Key> {
        let mut changed: Vec<Key> = self.ledger.changed.iter().cloned().collect();
        changed.sort_by_cached_key(Key::place);
        changed
    }
}

/// What an answer is good for, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// It decides how grave something is.
    Object,
    /// It decides whether something was told before.
    Told,
    /// It is asked of every token in use, and hardly ever known.
    Credential,
}

impl Ask {
    const fn worth(&self) -> Worth {
        match self {
            Self::Objects { .. } | Self::One(Key::Object(_)) => Worth::Object,
            Self::One(Key::Minted(_) | Key::Credential(_) | Key::Node(_)) => Worth::Credential,
            Self::Sessions { .. } | Self::One(_) => Worth::Told,
        }
    }

    fn order(&self) -> (Worth, Place) {
        let place = match (self, self.range()) {
            (Self::One(key), _) => key.place(),
            (_, Some(Range { cluster, first, .. })) => Place { cluster, path: first },
            (_, None) => Place::default(),
        };
        (self.worth(), place)
    }
}

/// How many hours back sessions are looked for that nobody has closed: a delivery that failed comes again within six.
const HOURS_BACK: i64 = 12;
/// Questions noted of one judging: one for each token that its lines show, and a few of objects and sessions. It is more than
/// the Lambda ever fetches, and what that leaves out it counts; what is beyond is judged by what the process knows.
pub(super) const ASKED_MAX: usize = 10_000;
