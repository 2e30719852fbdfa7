//! Which events were taken already, by id, as far back as they are read again.

use std::collections::HashMap;

/// Ids of events with their times in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashMap<String, i64>,
    latest: i64,
}

impl Seen {
    /// Notes an event; `false` when it was noted before.
    pub(super) fn is_new(&mut self, id: &str, time: i64) -> bool {
        self.latest = self.latest.max(time);
        self.ids.insert(id.to_owned(), time).is_none()
    }

    /// Forgets events that are more than `overlap` milliseconds older than the latest, and tells from when on they are
    /// known.
    pub(super) fn forget_before(&mut self, overlap: i128) -> i64 {
        let start = self.latest.saturating_sub(i64::try_from(overlap).unwrap_or(i64::MAX));
        self.ids.retain(|_, time| *time >= start);
        start
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn an_event_is_new_once_and_forgotten_when_it_is_not_read_again() {
        let mut seen = Seen::default();
        assert!(seen.is_new("a", 1_000) && seen.is_new("b", 5_000));
        assert!(!seen.is_new("a", 1_000));
        assert_eq!(seen.forget_before(3_000), 2_000);
        assert!(seen.ids.len() == 1 && !seen.is_new("b", 5_000));
    }
}
