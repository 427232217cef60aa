//! A bounded map of what was read from the repository.
//!
//! Every change of accounts empties it: changes are rare, look-ups are not. A value that was read
//! before a change and arrives after it is not taken in, because its ticket is old.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
struct Contents<K, V> {
    generation: u64,
    entries: HashMap<K, V>,
}

/// The permission to add a value that is read after it was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
pub(super) struct Cache<K, V> {
    capacity: usize,
    contents: Mutex<Contents<K, V>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, contents: Mutex::new(Contents { generation: 0, entries: HashMap::new() }) }
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.lock().entries.get(key).cloned()
    }

    /// Returns a ticket; to be taken before the value is read.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.lock().generation)
    }

    /// Adds a value, unless the cache was emptied since the ticket was taken.
    pub(super) fn insert(&self, ticket: Ticket, key: K, value: V) {
        let mut contents = self.lock();
        if contents.generation != ticket.0 {
            return;
        }
        if contents.entries.len() >= self.capacity
            && let Some(victim) = contents.entries.keys().next().cloned()
        {
            contents.entries.remove(&victim);
        }
        contents.entries.insert(key, value);
    }

    pub(super) fn remove(&self, key: &K) {
        self.lock().entries.remove(key);
    }

    pub(super) fn clear(&self) {
        let mut contents = self.lock();
        contents.generation += 1;
        contents.entries.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Contents<K, V>> {
        // The map is whole at every point where a panic could happen.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_grows_beyond_its_capacity() {
        let cache = Cache::new(2);
        for key in 0..10 {
            cache.insert(cache.ticket(), key, key);
        }
        assert_eq!(cache.lock().entries.len(), 2);
    }

    #[test]
    fn a_value_read_before_a_change_is_not_kept() {
        let cache = Cache::new(2);
        let ticket = cache.ticket();
        cache.clear();
        cache.insert(ticket, 1, "old");
        assert_eq!(cache.get(&1), None);
    }
}
