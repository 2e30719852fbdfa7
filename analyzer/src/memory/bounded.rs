//! A map with a limit: the entry that was written longest ago makes room.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// How much room a value takes, in bytes, roughly.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

/// A map that never holds more than its limit, by the weight of its values.
#[derive(Debug, Clone)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
    clock: u64,
    weight: usize,
    limit: usize,
    dropped: u64,
}

impl<K: Clone + Eq + Hash, V: Weight> Bounded<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), clock: 0, weight: 0, limit, dropped: 0 }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// Every entry, the one written longest ago first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.values().filter_map(|key| self.entries.get(key).map(|(_, value)| (key, value)))
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        self.clock += 1;
        self.weight += value.weight();
        self.order.insert(self.clock, key.clone());
        self.entries.insert(key, (self.clock, value));
        while self.weight > self.limit {
            let Some((_, oldest)) = self.order.pop_first() else {
                return;
            };
            if let Some((_, value)) = self.entries.remove(&oldest) {
                self.weight = self.weight.saturating_sub(value.weight());
                self.dropped += 1;
            }
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let (clock, value) = self.entries.remove(key)?;
        self.order.remove(&clock);
        self.weight = self.weight.saturating_sub(value.weight());
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounded, Weight};

    impl Weight for usize {
        fn weight(&self) -> usize {
            *self
        }
    }

    #[test]
    fn the_oldest_entry_makes_room_and_is_counted() {
        let mut map = Bounded::new(10);
        map.insert("a", 4);
        map.insert("b", 4);
        map.insert("a", 4);
        map.insert("c", 4);
        assert_eq!(map.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(map.dropped(), 1);
        map.insert("huge", 11);
        assert_eq!(map.iter().count(), 0);
        assert_eq!(map.dropped(), 4);
    }
}
