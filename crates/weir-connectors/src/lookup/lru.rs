//! A map that forgets what has not been used for longest.

use std::collections::HashMap;
use std::sync::Arc;

/// Marks the end of the list of slots.
const NONE: usize = usize::MAX;

/// A map from bytes to values that knows in which order they were used.
#[derive(Debug)]
pub(super) struct Lru<V> {
    index: HashMap<Arc<[u8]>, usize>,
    slots: Vec<Slot<V>>,
    /// Slots without a value.
    free: Vec<usize>,
    newest: usize,
    oldest: usize,
}

#[derive(Debug)]
struct Slot<V> {
    key: Arc<[u8]>,
    value: Option<V>,
    newer: usize,
    older: usize,
}

impl<V> Default for Lru<V> {
    fn default() -> Self {
        Self { index: HashMap::new(), slots: Vec::new(), free: Vec::new(), newest: NONE, oldest: NONE }
    }
}

impl<V> Lru<V> {
    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Returns a value, which is now the newest.
    pub fn get(&mut self, key: &[u8]) -> Option<&V> {
        let at = *self.index.get(key)?;
        self.unlink(at);
        self.link_newest(at);
        self.slots[at].value.as_ref()
    }

    /// Adds a value as the newest and returns the one it replaces.
    pub fn put(&mut self, key: &[u8], value: V) -> Option<V> {
        if let Some(at) = self.index.get(key).copied() {
            self.unlink(at);
            self.link_newest(at);
            return self.slots[at].value.replace(value);
        }
        let key: Arc<[u8]> = Arc::from(key);
        let slot = Slot { key: Arc::clone(&key), value: Some(value), newer: NONE, older: NONE };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.index.insert(key, at);
        self.link_newest(at);
        None
    }

    /// Removes a value.
    pub fn remove(&mut self, key: &[u8]) -> Option<V> {
        let at = self.index.remove(key)?;
        self.unlink(at);
        self.free.push(at);
        self.slots[at].value.take()
    }

    /// Removes the value that has not been used for longest.
    pub fn remove_oldest(&mut self) -> Option<(Arc<[u8]>, V)> {
        let key = Arc::clone(&self.slots.get(self.oldest)?.key);
        let value = self.remove(&key)?;
        Some((key, value))
    }

    fn unlink(&mut self, at: usize) {
        let (newer, older) = (self.slots[at].newer, self.slots[at].older);
        match self.slots.get_mut(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, at: usize) {
        let newest = self.newest;
        self.slots[at].newer = NONE;
        self.slots[at].older = newest;
        match self.slots.get_mut(newest) {
            Some(slot) => slot.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Get(u8),
        Put(u8, u32),
        Remove(u8),
        RemoveOldest,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..8u8).prop_map(Step::Get),
            (0..8u8, 0..100u32).prop_map(|(key, value)| Step::Put(key, value)),
            (0..8u8).prop_map(Step::Remove),
            Just(Step::RemoveOldest),
        ]
    }

    proptest! {
        #[test]
        fn behaves_like_a_list_in_the_order_of_use(steps in prop::collection::vec(step(), 0..60)) {
            let mut lru = Lru::default();
            let mut list: Vec<(u8, u32)> = Vec::new();
            for step in steps {
                match step {
                    Step::Get(key) => {
                        let known = list.iter().position(|(other, _)| *other == key).map(|at| list.remove(at));
                        list.extend(known);
                        prop_assert_eq!(lru.get(&[key]).copied(), known.map(|(_, value)| value));
                    }
                    Step::Put(key, value) => {
                        let known = list.iter().position(|(other, _)| *other == key).map(|at| list.remove(at));
                        list.push((key, value));
                        prop_assert_eq!(lru.put(&[key], value), known.map(|(_, value)| value));
                    }
                    Step::Remove(key) => {
                        let known = list.iter().position(|(other, _)| *other == key).map(|at| list.remove(at));
                        prop_assert_eq!(lru.remove(&[key]), known.map(|(_, value)| value));
                    }
                    Step::RemoveOldest => {
                        let oldest = (!list.is_empty()).then(|| list.remove(0));
                        let removed = lru.remove_oldest().map(|(key, value)| (key[0], value));
                        prop_assert_eq!(removed, oldest);
                    }
                }
                prop_assert_eq!(lru.len(), list.len());
            }
        }
    }
}
