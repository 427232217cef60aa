//! Which keys have rows that go, and when.

use std::collections::BTreeMap;

use super::super::keyed_state::KeyId;

/// Keys by the instant at which the first of their rows goes. Rows come about in the order of time, so a key goes into one of
/// the last places and leaves from the first, and those of one instant share a place.
///
/// An entry is not taken out when its key is scheduled anew; who takes it out later is told by the key that it is void.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    places: BTreeMap<i64, Vec<KeyId>>,
}

/// What a place takes beside its keys: nodes of the tree are two thirds full on average.
const PLACE_BYTES: usize = 48;

impl Schedule {
    /// Notes that rows of a key go at an instant.
    pub(super) fn add(&mut self, goes: i64, key: KeyId) {
        self.places.entry(goes).or_default().push(key);
    }

    /// Takes out the keys of the first instant, when that is not after `watermark`.
    pub(super) fn take_due(&mut self, watermark: i64) -> Option<(i64, Vec<KeyId>)> {
        let first = self.places.first_entry().filter(|first| *first.key() <= watermark)?;
        Some(first.remove_entry())
    }

    /// Returns the first instant with a key that `is_valid`; void entries before it are dropped.
    pub(super) fn first(&mut self, is_valid: impl Fn(i64, KeyId) -> bool) -> Option<i64> {
        while let Some(mut first) = self.places.first_entry() {
            let goes = *first.key();
            while let Some(key) = first.get().last() {
                if is_valid(goes, *key) {
                    return Some(goes);
                }
                first.get_mut().pop();
            }
            first.remove();
        }
        None
    }

    /// Returns the bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.places.values().map(|keys| PLACE_BYTES + keys.capacity() * size_of::<KeyId>()).sum()
    }
}
