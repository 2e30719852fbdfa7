//! The memory of the process, account by account.
//!
//! Clusters of two accounts may have the same name. What the log of one says must never be taken for the other's, and
//! the account is told by CloudWatch Logs, not by what stands in the log.

use rolewatch_analyzer::memory::Memory;

/// A memory for each account, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct Homes {
    memories: Vec<(String, Memory)>,
}

impl Homes {
    /// Whether nothing was learnt yet.
    pub(super) fn is_empty(&self) -> bool {
        self.memories.is_empty()
    }

    /// The account used last: most likely that of the next delivery, too. Empty before the first.
    pub(super) fn latest(&self) -> String {
        self.memories.last().map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// A copy of what is known of an account.
    pub(super) fn copy(&self, home: &str) -> Memory {
        let known = self.memories.iter().find(|(name, _)| name == home);
        known.map(|(_, memory)| memory.clone()).unwrap_or_default()
    }

    /// Keeps what was learnt. The copy that it replaces is gone then, so the next one is cheap.
    pub(super) fn keep(&mut self, home: &str, learnt: Memory) {
        let accounts = self.memories.len();
        self.memories.retain(|(name, _)| name != home);
        if self.memories.len() == HOMES_MAX {
            self.memories.remove(0);
        }
        self.memories.push((home.to_owned(), learnt));
        if self.memories.len() != accounts {
            let share = self.memories.len();
            self.memories.iter_mut().for_each(|(_, memory)| memory.limit_to_share(share));
        }
        self.settle();
    }

    /// Makes the next copies cheap.
    fn settle(&mut self) {
        for (_, memory) in &mut self.memories {
            memory.settle();
        }
    }
}

/// Accounts remembered at a time. They share the room that one would have; of more, the one longest unused is forgotten.
const HOMES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::{HOMES_MAX, Homes};
    use rolewatch_analyzer::memory::{Memory, Unseen};

    #[test]
    fn accounts_do_not_see_each_other_and_the_one_longest_unused_makes_room() {
        let mut homes = Homes::default();
        let knowing = |actor: &str| {
            let mut memory = Memory::default();
            let time = "2026-11-23T08:00:00Z".parse().unwrap();
            memory.note_unseen("prod", Unseen { time, audit_id: String::new(), actor: actor.to_owned() });
            memory
        };
        let actor = |homes: &Homes, home: &str| homes.copy(home).unseen("prod").map(|unseen| unseen.actor.clone());
        for number in 0..HOMES_MAX {
            homes.keep(&number.to_string(), knowing(&number.to_string()));
        }
        homes.keep("0", knowing("again"));
        homes.keep("new", knowing("new"));
        assert_eq!(actor(&homes, "0").as_deref(), Some("again"));
        assert_eq!(actor(&homes, "2").as_deref(), Some("2"));
        assert_eq!((actor(&homes, "new").as_deref(), homes.latest().as_str()), (Some("new"), "new"));
        assert_eq!((actor(&homes, "1"), actor(&homes, "nobody")), (None, None));
    }
}
