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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};
    use weir_base::time::Timestamp;

    use super::super::super::keyed_state::KeyedState;
    use super::*;

    fn keys(count: i64) -> Vec<KeyId> {
        let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Int64, true)]));
        let mut state = KeyedState::new(schema, Duration::MAX).unwrap();
        let column = Int64Array::from_iter_values(0..count);
        let rows = state.rows(&[Arc::new(column)], count as usize).unwrap();
        (0..count as usize).map(|row| state.insert(rows.key(row), (), Timestamp(0))).collect()
    }

    #[test]
    fn keys_are_taken_when_the_watermark_has_reached_them() {
        let keys = keys(3);
        let mut schedule = Schedule::default();
        schedule.add(20, keys[0]);
        schedule.add(10, keys[1]);
        schedule.add(20, keys[2]);
        assert_eq!(schedule.take_due(9), None);
        assert_eq!(schedule.take_due(20), Some((10, vec![keys[1]])));
        assert_eq!(schedule.take_due(20), Some((20, vec![keys[0], keys[2]])));
        assert_eq!((schedule.take_due(i64::MAX), schedule.bytes()), (None, 0));
    }

    #[test]
    fn void_entries_are_passed_over() {
        let keys = keys(2);
        let mut schedule = Schedule::default();
        schedule.add(10, keys[0]);
        schedule.add(20, keys[0]);
        schedule.add(20, keys[1]);
        let valid = |goes, key| goes == 20 && key == keys[0];
        assert_eq!(schedule.first(valid), Some(20));
        assert_eq!(schedule.take_due(i64::MAX), Some((20, vec![keys[0]])));
        assert_eq!(schedule.first(valid), None);
    }
}
