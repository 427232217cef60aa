//! State per key, dropped when the key has been idle for the retention time.
//!
//! Keys are kept in row format. The keys are linked in the order of their last use, so dropping the idle ones
//! looks at nothing else, and happens at the instant it is due.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::{DefaultHashBuilder, HashTable};
use weir_base::time::{Timestamp, millis};

use super::{KeyRange, OperatorError, key_hashes};
use crate::message::TARGET_BATCH_ROWS;
use crate::state;

/// The place of a key. Valid until the key is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyId(u32);

/// The end of the list of keys.
const NONE: u32 = u32::MAX;

/// The longest key that is kept in its slot.
const SHORT: usize = 22;

/// A key as it is kept. Most are a number or two, which need no place of their own.
enum KeyBytes {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl KeyBytes {
    fn new(key: &[u8]) -> Self {
        if key.len() > SHORT {
            return Self::Long(key.into());
        }
        let mut bytes = [0; SHORT];
        bytes[..key.len()].copy_from_slice(key);
        Self::Short { length: key.len() as u8, bytes }
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }

    /// Returns the bytes outside the slot.
    fn outside(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(bytes) => bytes.len(),
        }
    }
}

/// Places up to which they are kept when all keys are gone.
const MIN_SLOTS: usize = 1_024;

struct Slot<S> {
    key: KeyBytes,
    /// `None` when the slot is free.
    state: Option<S>,
    /// Time of the last use.
    last: i64,
    older: u32,
    newer: u32,
}

/// A value of `S` per key.
pub(crate) struct KeyedState<S> {
    keys: SchemaRef,
    /// `None` when there are no key columns, and so one key.
    converter: Option<RowConverter>,
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    slots: Vec<Slot<S>>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    retention: i64,
    key_bytes: usize,
}

/// The keys of the rows of a batch.
pub(crate) struct KeyRows {
    /// `None` when there are no key columns.
    rows: Option<Rows>,
    hashes: Vec<u64>,
}

/// A key and its hash, which is computed once however often it is looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    bytes: &'a [u8],
    hash: u64,
}

impl KeyRows {
    /// Returns the key of a row.
    pub(crate) fn key(&self, row: usize) -> Key<'_> {
        let bytes = match &self.rows {
            Some(rows) => rows.row(row).data(),
            None => &[],
        };
        Key { bytes, hash: self.hashes[row] }
    }
}

impl<S> KeyedState<S> {
    /// Makes an empty state; a key that is not used for `retention` is dropped.
    pub(crate) fn new(keys: SchemaRef, retention: Duration) -> Result<Self, OperatorError> {
        let fields = keys.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = match keys.fields().is_empty() {
            true => None,
            false => Some(RowConverter::new(fields)?),
        };
        Ok(Self {
            keys,
            converter,
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            retention: millis(retention),
            key_bytes: 0,
        })
    }

    /// Returns the keys of so many rows from their key columns.
    pub(crate) fn rows(&self, columns: &[ArrayRef], count: usize) -> Result<KeyRows, OperatorError> {
        let rows = match &self.converter {
            Some(converter) => Some(converter.convert_columns(columns)?),
            None => None,
        };
        let hashes = match &rows {
            Some(rows) => rows.iter().map(|row| self.hasher.hash_one(row.data())).collect(),
            None => vec![self.hasher.hash_one::<&[u8]>(&[]); count],
        };
        Ok(KeyRows { rows, hashes })
    }

    /// Returns the place of a key.
    pub(crate) fn find(&self, key: Key<'_>) -> Option<KeyId> {
        let found = self.table.find(key.hash, |slot| self.slots[*slot as usize].key.as_slice() == key.bytes);
        found.map(|slot| KeyId(*slot))
    }

    /// Returns the state of a key without using it.
    pub(crate) fn get(&self, id: KeyId) -> Option<&S> {
        self.slots.get(id.0 as usize)?.state.as_ref()
    }

    /// Returns the state of a key without noting that it is used.
    pub(crate) fn get_mut(&mut self, id: KeyId) -> Option<&mut S> {
        self.slots.get_mut(id.0 as usize)?.state.as_mut()
    }

    /// Returns the time of the last use and the state of every key, the one used longest ago first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (i64, &S)> {
        let slot = |id: u32| self.slots.get(id as usize);
        let slots = std::iter::successors(slot(self.oldest), move |last| slot(last.newer));
        slots.filter_map(|slot| Some((slot.last, slot.state.as_ref()?)))
    }

    /// Returns the states, in no order.
    pub(crate) fn states_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.slots.iter_mut().filter_map(|slot| slot.state.as_mut())
    }

    /// Adds a key that is not there, used at `now`.
    pub(crate) fn insert(&mut self, key: Key<'_>, state: S, now: Timestamp) -> KeyId {
        let bytes = KeyBytes::new(key.bytes);
        self.key_bytes += bytes.outside();
        let slot = Slot { key: bytes, state: Some(state), last: now.0, older: NONE, newer: NONE };
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id as usize] = slot;
                id
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.table.insert_unique(key.hash, id, |id| hasher.hash_one(slots[*id as usize].key.as_slice()));
        self.link(id, now.0);
        KeyId(id)
    }

    /// Returns the state of a key and notes that it is used at `now`.
    pub(crate) fn touch(&mut self, id: KeyId, now: Timestamp) -> Result<&mut S, OperatorError> {
        if self.newest != id.0 {
            self.unlink(id.0);
            self.link(id.0, now.0);
        } else {
            let slot = &mut self.slots[id.0 as usize];
            slot.last = slot.last.max(now.0);
        }
        let state = self.slots[id.0 as usize].state.as_mut();
        state.ok_or_else(|| OperatorError::State("the state of a key is gone".to_string()))
    }

    /// Removes a key and returns its state.
    pub(crate) fn remove(&mut self, id: KeyId) -> Option<S> {
        self.unlink(id.0);
        let slot = &mut self.slots[id.0 as usize];
        let key = std::mem::replace(&mut slot.key, KeyBytes::new(&[]));
        let state = slot.state.take();
        let hash = self.hasher.hash_one(key.as_slice());
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == id.0) {
            entry.remove();
        }
        self.key_bytes -= key.outside();
        self.free.push(id.0);
        if self.table.is_empty() && self.slots.len() > MIN_SLOTS {
            // What a burst of keys needed is given back.
            (self.slots, self.free, self.table) = (Vec::new(), Vec::new(), HashTable::new());
        }
        state
    }

    /// Removes the keys that have been idle for the retention time; `dropped` is given their states.
    pub(crate) fn expire(&mut self, now: Timestamp, mut dropped: impl FnMut(S)) {
        while self.oldest != NONE
            && self.slots[self.oldest as usize].last.saturating_add(self.retention) <= now.0
        {
            if let Some(state) = self.remove(KeyId(self.oldest)) {
                dropped(state);
            }
        }
    }

    /// Returns the number of keys.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns the bytes held, what the states hold outside themselves left out.
    pub(crate) fn bytes(&self) -> usize {
        self.key_bytes
            + self.slots.capacity() * size_of::<Slot<S>>()
            + self.free.capacity() * size_of::<u32>()
            + self.table.allocation_size()
    }

    /// Puts a key at the newest end. Should the clock go backwards, times stay in order all the same.
    fn link(&mut self, id: u32, now: i64) {
        let before = self.newest;
        let last = if before == NONE { now } else { now.max(self.slots[before as usize].last) };
        let slot = &mut self.slots[id as usize];
        (slot.older, slot.newer, slot.last) = (before, NONE, last);
        match before {
            NONE => self.oldest = id,
            before => self.slots[before as usize].newer = id,
        }
        self.newest = id;
    }

    fn unlink(&mut self, id: u32) {
        let Slot { older, newer, .. } = self.slots[id as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
    }

    /// Returns everything as a snapshot; `columns` gives the columns of the fields for some states.
    pub(crate) fn snapshot(
        &self,
        fields: Vec<Field>,
        columns: impl Fn(&[&S]) -> Result<Vec<ArrayRef>, OperatorError>,
    ) -> Result<Vec<u8>, OperatorError> {
        let mut all: Vec<FieldRef> = self.keys.fields().iter().cloned().collect();
        all.push(Arc::new(Field::new("last", DataType::Int64, true)));
        all.extend(fields.into_iter().map(Arc::new));
        let schema = Arc::new(Schema::new(all));
        let mut batches = Vec::new();
        let mut next = self.oldest;
        while next != NONE {
            let mut keys = Vec::new();
            let mut lasts = Vec::new();
            let mut states = Vec::new();
            while next != NONE && states.len() < TARGET_BATCH_ROWS {
                let slot = &self.slots[next as usize];
                if let Some(state) = &slot.state {
                    keys.push(slot.key.as_slice());
                    lasts.push(slot.last);
                    states.push(state);
                }
                next = slot.newer;
            }
            let mut row = self.key_columns(&keys)?;
            row.push(Arc::new(Int64Array::from(lasts)));
            row.extend(columns(&states)?);
            batches.push(RecordBatch::try_new(schema.clone(), row)?);
        }
        state::encode(&(), &batches)
    }

    fn key_columns(&self, keys: &[&[u8]]) -> Result<Vec<ArrayRef>, OperatorError> {
        let Some(converter) = &self.converter else { return Ok(Vec::new()) };
        let parser = converter.parser();
        Ok(converter.convert_rows(keys.iter().map(|key| parser.parse(key)))?)
    }

    /// Goes on from the snapshots of all subtasks of an earlier run, with the keys of `range`; `state` makes a
    /// state from a row of the columns that were given out for the fields.
    pub(crate) fn restore(
        &mut self,
        states: &[Vec<u8>],
        range: &KeyRange,
        mut state: impl FnMut(&[ArrayRef], usize) -> Result<S, OperatorError>,
    ) -> Result<(), OperatorError> {
        let keys = self.keys.fields().len();
        let mut batches = Vec::new();
        let mut order = Vec::new();
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            for batch in state::decode::<()>(bytes)?.1 {
                self.check_keys(&batch)?;
                let hashes = key_hashes(&batch.columns()[..keys], batch.num_rows())?;
                let lasts = batch.column(keys).as_primitive_opt::<Int64Type>().ok_or_else(wrong_keys)?;
                let own = (0..batch.num_rows()).filter(|row| range.contains(hashes[*row]));
                order.extend(own.map(|row| (lasts.value(row), batches.len(), row)));
                batches.push((
                    self.rows(&batch.columns()[..keys], batch.num_rows())?,
                    batch.columns()[keys + 1..].to_vec(),
                ));
            }
        }
        order.sort_unstable();
        for (last, batch, row) in order {
            let (rows, columns) = &batches[batch];
            let state = state(columns, row)?;
            self.insert(rows.key(row), state, Timestamp(last));
        }
        Ok(())
    }

    fn check_keys(&self, batch: &RecordBatch) -> Result<(), OperatorError> {
        let saved = batch.schema();
        let is_same = |(at, field): (usize, &FieldRef)| {
            saved.fields().get(at).is_some_and(|saved| saved.data_type() == field.data_type())
        };
        match self.keys.fields().iter().enumerate().all(is_same)
            && batch.num_columns() > self.keys.fields().len()
        {
            true => Ok(()),
            false => Err(wrong_keys()),
        }
    }
}

fn wrong_keys() -> OperatorError {
    OperatorError::State("the saved state has other keys than the job".to_string())
}

/// Says for people how long the state of a key lives.
pub(crate) fn until_idle(retention: Duration) -> String {
    format!("until it was idle for {} s", retention.as_secs())
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    fn state(retention_ms: u64) -> KeyedState<i64> {
        let keys = Arc::new(Schema::new(vec![Field::new("k", DataType::Utf8, true)]));
        KeyedState::new(keys, Duration::from_millis(retention_ms)).unwrap()
    }

    /// Uses keys at a time; a new key gets the time as its state.
    fn meet(state: &mut KeyedState<i64>, keys: &[Option<&str>], now: i64) -> Vec<i64> {
        state.expire(Timestamp(now), |_| {});
        let rows = state.rows(&[Arc::new(StringArray::from(keys.to_vec()))], keys.len()).unwrap();
        let mut found = Vec::new();
        for row in 0..keys.len() {
            let id = match state.find(rows.key(row)) {
                Some(id) => id,
                None => state.insert(rows.key(row), now, Timestamp(now)),
            };
            found.push(*state.touch(id, Timestamp(now)).unwrap());
        }
        found
    }

    fn snapshot(state: &KeyedState<i64>) -> Vec<u8> {
        let column = |states: &[&i64]| -> Result<Vec<ArrayRef>, OperatorError> {
            Ok(vec![Arc::new(states.iter().map(|state| **state).collect::<Int64Array>())])
        };
        state.snapshot(vec![Field::new("n", DataType::Int64, true)], column).unwrap()
    }

    #[test]
    fn a_key_is_dropped_when_it_was_idle_for_the_retention_time() {
        let mut state = state(10);
        assert_eq!(meet(&mut state, &[Some("a"), None, Some("b")], 1), [1, 1, 1]);
        assert_eq!(meet(&mut state, &[Some("b")], 10), [1]);
        assert_eq!(meet(&mut state, &[Some("a"), None, Some("b")], 11), [11, 11, 1]);
        let mut dropped = 0;
        state.expire(Timestamp(20), |_| dropped += 1);
        assert_eq!((dropped, state.len()), (0, 3));
        state.expire(Timestamp(21), |_| dropped += 1);
        assert_eq!((dropped, state.len(), state.key_bytes), (3, 0, 0));
    }

    #[test]
    fn places_of_removed_keys_are_used_again() {
        let mut state = state(1_000);
        meet(&mut state, &[Some("a"), Some("b")], 1);
        let rows = state.rows(&[Arc::new(StringArray::from(vec!["a"]))], 1).unwrap();
        let id = state.find(rows.key(0)).unwrap();
        assert_eq!(state.remove(id), Some(1));
        assert_eq!(state.find(rows.key(0)), None);
        assert_eq!(meet(&mut state, &[Some("c"), Some("b")], 2), [2, 1]);
        assert_eq!(state.slots.len(), 2);
    }

    #[test]
    fn keys_of_any_length_are_told_apart_and_found_again() {
        let mut state = state(1_000);
        let texts: Vec<String> = [0, 1, SHORT - 1, SHORT, 3 * SHORT, 500].map(|n| "b".repeat(n)).to_vec();
        let keys: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).chain([None]).collect();
        assert_eq!(meet(&mut state, &keys, 1), [1; 7]);
        assert_eq!(meet(&mut state, &keys, 2), [1; 7]);
        assert!(state.key_bytes > 500);
        let rows = state.rows(&[Arc::new(StringArray::from(keys.clone()))], keys.len()).unwrap();
        for (row, key) in keys.iter().enumerate() {
            let id = state.find(rows.key(row)).unwrap();
            assert_eq!(state.remove(id), Some(1), "{key:?}");
            assert_eq!(state.find(rows.key(row)), None);
        }
        assert_eq!((state.len(), state.key_bytes), (0, 0));
    }

    #[test]
    fn memory_that_a_burst_of_keys_needed_is_given_back() {
        let mut state = state(10);
        let keys: Vec<String> = (0..2 * MIN_SLOTS).map(|key| key.to_string()).collect();
        meet(&mut state, &keys.iter().map(|key| Some(key.as_str())).collect::<Vec<_>>(), 1);
        assert!(state.bytes() > 2 * MIN_SLOTS * size_of::<Slot<i64>>());
        state.expire(Timestamp(11), |_| {});
        assert_eq!(state.bytes(), 0);
        assert_eq!(meet(&mut state, &[Some("1"), Some("2")], 20), [20, 20]);
    }

    #[test]
    fn a_clock_that_goes_back_drops_nothing_early() {
        let mut state = state(10);
        meet(&mut state, &[Some("a")], 100);
        meet(&mut state, &[Some("b")], 50);
        assert_eq!(meet(&mut state, &[Some("a"), Some("b")], 109), [100, 50]);
    }

    #[test]
    fn a_restored_state_keeps_the_times_of_use() {
        let mut first = state(10);
        meet(&mut first, &[Some("a"), Some("b")], 1);
        meet(&mut first, &[Some("a")], 5);
        for parallelism in [1, 3] {
            let mut found = Vec::new();
            for subtask in 0..parallelism {
                let mut state = state(10);
                let range = KeyRange { subtask, parallelism };
                let value = |columns: &[ArrayRef], row| Ok(columns[0].as_primitive::<Int64Type>().value(row));
                state.restore(&[snapshot(&first)], &range, value).unwrap();
                state.expire(Timestamp(11), |_| {});
                let left = state.len();
                state.expire(Timestamp(15), |_| {});
                found.push((left, state.len()));
            }
            found.retain(|counts| *counts != (0, 0));
            assert_eq!(found, [(1, 0)]);
        }
    }
}
