//! Which events were taken already, as far back as they are read again.

use std::collections::HashMap;

use rolewatch_analyzer::text::digest;

/// What tells one event from another: a digest of its stream and its id.
pub(super) type EventKey = String;

/// Events that were taken, each with its time in milliseconds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Seen(HashMap<EventKey, i64>);

/// The key of an event. One without an id is told by all that it holds.
pub(super) fn key(stream: &str, id: Option<&str>, time: i64, message: &str) -> EventKey {
    match id {
        Some(id) => digest([stream, id]),
        None => digest([stream, "", &time.to_string(), message]),
    }
}

impl Seen {
    /// Notes an event; `false` when it was noted before.
    pub(super) fn is_new(&mut self, key: EventKey, time: i64) -> bool {
        self.0.insert(key, time).is_none()
    }

    /// Forgets events from before `start`, which are not read again.
    pub(super) fn forget_before(&mut self, start: i64) {
        self.0.retain(|_, time| *time >= start);
    }

    /// Every event and its time.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&EventKey, i64)> {
        self.0.iter().map(|(key, time)| (key, *time))
    }
}

impl FromIterator<(EventKey, i64)> for Seen {
    fn from_iter<I: IntoIterator<Item = (EventKey, i64)>>(events: I) -> Self {
        Self(events.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, key};

    #[test]
    fn an_event_is_new_once_and_forgotten_when_it_is_not_read_again() {
        let mut seen = Seen::default();
        let [a, b] = ["a", "b"].map(|id| key("stream", Some(id), 0, ""));
        assert!(seen.is_new(a.clone(), 1_000) && seen.is_new(b.clone(), 5_000));
        assert!(!seen.is_new(a, 1_000));
        seen.forget_before(2_000);
        assert_eq!(seen.iter().collect::<Vec<_>>(), [(&b, 5_000)]);
    }

    #[test]
    fn events_are_the_same_when_stream_and_id_are() {
        assert_eq!(key("s", Some("1"), 5, "x"), key("s", Some("1"), 6, "y"));
        assert_ne!(key("s", Some("1"), 5, "x"), key("t", Some("1"), 5, "x"));
        assert_eq!(key("s", None, 5, "x"), key("s", None, 5, "x"));
        for other in
            [key("s", None, 6, "x"), key("s", None, 5, "y"), key("t", None, 5, "x"), key("s", Some(""), 5, "x")]
        {
            assert_ne!(key("s", None, 5, "x"), other);
        }
    }
}
