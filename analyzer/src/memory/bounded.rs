//! A map with a limit: the entry that was written longest ago makes room.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};

/// How much room a key or a value takes, in bytes, roughly.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

/// A map that never holds more than its limit, by the weight of its keys and values.
///
/// A copy costs what was written since [`Bounded::settle`]: what was there before is shared with the original. What was
/// written since has the same limit; both together hold it once the map settles.
#[derive(Debug, Clone)]
pub(super) struct Bounded<K, V> {
    settled: Arc<Layer<K, V>>,
    fresh: Layer<K, V>,
    full: usize,
    limit: usize,
}

/// Entries in the order in which they were written. A name may be long, so each key is there once.
#[derive(Debug, Clone)]
struct Layer<K, V> {
    entries: HashMap<Arc<K>, (u64, V)>,
    order: BTreeMap<u64, Arc<K>>,
    clock: u64,
    weight: usize,
    dropped: u64,
}

impl<K: Clone + Eq + Hash + Weight, V: Clone + Weight> Bounded<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { settled: Arc::new(Layer::new()), fresh: Layer::new(), full: limit, limit }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.fresh.get(key).or_else(|| self.settled.get(key))
    }

    /// Every entry, the one written longest ago first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let before = self.settled.iter().filter(|(key, _)| self.fresh.get(key).is_none());
        before.chain(self.fresh.iter())
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        // Alone with its entries, it needs no second layer.
        if self.fresh.entries.is_empty()
            && let Some(settled) = Arc::get_mut(&mut self.settled)
        {
            return settled.insert(Arc::new(key), value, self.limit);
        }
        self.fresh.insert(Arc::new(key), value, usize::MAX);
        if self.fresh.weight > self.limit {
            let fresh = std::mem::replace(&mut self.fresh, Layer::new());
            Arc::make_mut(&mut self.settled).absorb(fresh, self.limit);
        }
    }

    /// Holds one part in `share` of the limit it was made with. What is too much makes room when the map settles.
    pub(super) fn limit_to_share(&mut self, share: usize) {
        self.limit = self.full / share.max(1);
    }

    /// Takes an entry out. Of the few that are ever taken out, a shared one costs a copy of its whole layer.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let fresh = self.fresh.remove(key);
        let settled = self.settled.get(key).is_some().then(|| Arc::make_mut(&mut self.settled).remove(key)).flatten();
        fresh.or(settled)
    }

    /// Puts what was written since into one layer with the rest, unless a copy still shares that.
    pub(super) fn settle(&mut self) {
        if let Some(settled) = Arc::get_mut(&mut self.settled) {
            settled.absorb(std::mem::replace(&mut self.fresh, Layer::new()), self.limit);
        }
    }

    /// The weight of what it holds, counted anew, and the limit. Once settled and unshared, the former is at most the latter.
    #[cfg(test)]
    pub(super) fn weighed(&self) -> (usize, usize) {
        let weight = self.iter().map(|(key, value)| key.weight() + value.weight()).sum();
        (weight, self.limit)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.settled.dropped
    }
}

impl<K: Eq + Hash + Weight, V: Weight> Layer<K, V> {
    fn new() -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), clock: 0, weight: 0, dropped: 0 }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.values().filter_map(|key| self.entries.get(key).map(|(_, value)| (key.as_ref(), value)))
    }

    fn absorb(&mut self, mut newer: Self, limit: usize) {
        for key in newer.order.into_values() {
            if let Some((_, value)) = newer.entries.remove(&key) {
                self.insert(key, value, limit);
            }
        }
        self.make_room(limit);
    }

    fn insert(&mut self, key: Arc<K>, value: V, limit: usize) {
        self.remove(&key);
        self.clock += 1;
        self.weight += key.weight() + value.weight();
        self.order.insert(self.clock, Arc::clone(&key));
        self.entries.insert(key, (self.clock, value));
        self.make_room(limit);
    }

    fn make_room(&mut self, limit: usize) {
        while self.weight > limit {
            let Some((_, oldest)) = self.order.pop_first() else {
                return;
            };
            if let Some((_, value)) = self.entries.remove(&oldest) {
                self.weight = self.weight.saturating_sub(oldest.weight() + value.weight());
                self.dropped += 1;
            }
        }
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let (clock, value) = self.entries.remove(key)?;
        self.order.remove(&clock);
        self.weight = self.weight.saturating_sub(key.weight() + value.weight());
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

    impl Weight for &str {
        fn weight(&self) -> usize {
            self.len() - 1
        }
    }

    #[test]
    fn a_long_key_takes_its_room_and_is_kept_once() {
        let mut map = Bounded::new(10);
        map.insert("a", 4);
        map.insert("bcdef", 2);
        assert_eq!((map.iter().count(), map.dropped()), (2, 0), "at the limit");
        map.insert("bcdef", 3);
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&"bcdef", &3)], "one past it");
        assert_eq!(map.dropped(), 1);
        map.insert("0123456789ab", 0);
        assert_eq!((map.iter().count(), map.dropped()), (0, 3), "a key alone may be too much");
        map.insert("a", 10);
        assert_eq!(map.remove(&"a"), Some(10));
        map.insert("b", 10);
        assert_eq!((map.iter().count(), map.dropped()), (1, 3), "what was taken out weighs nothing");
        let layer = &map.settled;
        let (kept, listed) = (layer.entries.keys().next().unwrap(), layer.order.values().next().unwrap());
        assert!(std::sync::Arc::ptr_eq(kept, listed));
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

    #[test]
    fn a_share_of_the_limit_holds_from_the_next_settling_on() {
        let mut map = Bounded::new(10);
        map.insert("a", 4);
        map.insert("b", 4);
        map.limit_to_share(2);
        map.settle();
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&"b", &4)]);
        assert_eq!(map.dropped(), 1);
    }

    #[test]
    fn a_copy_shares_what_was_there_and_keeps_what_is_new_to_itself() {
        let mut map = Bounded::new(10);
        map.insert("a", 4);
        map.insert("b", 4);
        let mut copy = map.clone();
        copy.insert("a", 1);
        copy.insert("c", 4);
        assert!(std::sync::Arc::ptr_eq(&map.settled, &copy.settled), "nothing was copied");
        assert_eq!(map.iter().collect::<Vec<_>>(), [(&"a", &4), (&"b", &4)]);
        let expected = [(&"b", &4), (&"a", &1), (&"c", &4)];
        assert_eq!(copy.iter().collect::<Vec<_>>(), expected);
        copy.settle();
        assert_eq!(copy.fresh.entries.len(), 2, "not while the original shares it");
        drop(map);
        copy.settle();
        assert_eq!(copy.iter().collect::<Vec<_>>(), expected);
        assert_eq!((copy.fresh.entries.len(), copy.get(&"a"), copy.dropped()), (0, Some(&1), 0));
        let original = copy.clone();
        copy.insert("d", 11);
        assert_eq!((copy.iter().count(), copy.dropped()), (0, 4), "the limit holds for a copy too");
        assert_eq!(original.iter().count(), 3);
    }
}
