//! Writing to the table what was learnt, and keeping what cannot be written now for the next delivery.

use std::time::Instant;

use lambda_runtime::tracing;
use rolewatch_analyzer::memory::{Fact, Key};

use super::item::Revision;
use super::table::Unwritten;
use super::{Learnt, Shared, lock};

/// What became of writing to the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Writing {
    /// Facts written.
    pub written: usize,
    /// Of these, the ones too large for the table: it says of them only that they changed.
    pub too_large: usize,
    /// Facts not written; they are tried again with the next delivery.
    pub unsaved: usize,
    /// Facts given up, because too many wait or the table does not take them.
    pub lost: usize,
}

/// A fact to write.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) key: Key,
    /// What the table held when it was read, or when this process last wrote it.
    pub(super) before: Option<Fact>,
    pub(super) now: Fact,
    /// Which revision was read in this delivery.
    pub(super) revision: Option<Revision>,
}

impl Shared {
    /// Writes what is to be written, unless the table was found closed a moment ago.
    pub(super) async fn save(&self, learnt: &mut Learnt, until: Instant) -> Writing {
        let mut writing = Writing::default();
        let mut left = self.changes(learnt);
        if !left.is_empty() && self.trouble_before().is_none() {
            left = self.write(left, learnt, &mut writing, until).await;
        }
        writing.unsaved = left.len();
        let mut unsaved = lock(&self.unsaved);
        for change in left {
            let place = (learnt.home.clone(), change.key);
            if unsaved.len() < UNSAVED_MAX || unsaved.contains_key(&place) {
                unsaved.insert(place, change.before);
            } else {
                writing.lost += 1;
            }
        }
        writing
    }

    /// Writes one fact after the other, as long as the table takes them; what is left is still to be written.
    async fn write(
        &self,
        changes: Vec<Change>,
        learnt: &mut Learnt,
        writing: &mut Writing,
        until: Instant,
    ) -> Vec<Change> {
        let mut left = Vec::new();
        let mut changes = changes.into_iter();
        for change in changes.by_ref() {
            match self.table.save(&learnt.home, &change, until).await {
                Ok(saved) => {
                    self.note(None);
                    writing.written += usize::from(saved.written);
                    writing.too_large += usize::from(saved.too_large);
                    self.is_settled(learnt, change.key);
                    learnt.memory.take_in(saved.fact);
                }
                // Tried again every time, it would go first every time, and nothing behind it would be written.
                Err(Unwritten::Refused(trouble)) => {
                    tracing::error!(error_type = trouble.code(), "a fact is given up: {}", trouble.explain());
                    writing.lost += 1;
                    self.is_settled(learnt, change.key);
                }
                Err(Unwritten::Contended) => left.push(change),
                // That says nothing of the table.
                Err(Unwritten::OutOfTime) => {
                    left.push(change);
                    break;
                }
                Err(Unwritten::Trouble(trouble)) => {
                    self.note(Some(trouble));
                    left.push(change);
                    break;
                }
            }
        }
        left.extend(changes);
        left
    }

    fn is_settled(&self, learnt: &Learnt, key: Key) {
        lock(&self.unsaved).remove(&(learnt.home.clone(), key));
    }

    /// What this delivery changed, and what earlier ones changed that could not be written.
    fn changes(&self, learnt: &mut Learnt) -> Vec<Change> {
        let mut before = std::mem::take(&mut learnt.before);
        let mut unsaved = lock(&self.unsaved);
        // What has left the process since cannot be written any more.
        unsaved.retain(|(home, key), _| home != &learnt.home || learnt.memory.fact(key).is_some());
        for ((_, key), known) in unsaved.iter().filter(|((home, _), _)| *home == learnt.home) {
            before.insert(key.clone(), learnt.merged.get(key).cloned().or_else(|| known.clone()));
        }
        drop(unsaved);
        let mut changes: Vec<Change> = before
            .into_iter()
            .filter_map(|(key, before)| {
                let now = learnt.memory.fact(&key)?;
                let revision = learnt.revisions.get(&key).copied();
                (before.as_ref() != Some(&now)).then_some(Change { key, before, now, revision })
            })
            .collect();
        changes.sort_by_cached_key(|change| change.key.place());
        changes
    }
}

/// Facts that wait to be written: many more than an outage of minutes leaves, and a bound for one of days.
pub(super) const UNSAVED_MAX: usize = 5_000;
