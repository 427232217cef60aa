//! A batch that goes through a join without time bounds: which rows it matches, what that changes, what is given out.

use std::sync::Arc;

use arrow::array::{Array, ArrayAccessor, ArrayRef, AsArray, Int8Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use weir_base::time::Timestamp;

use super::super::keyed_state::{KeyId, KeyRows};
use super::super::row_store::RowRef;
use super::super::{OperatorError, Output};
use super::joined::Pairs as JoinedPairs;
use super::kept::gone;
use super::unbounded::{Kept, OfKey, StreamJoin, drop_rows};
use crate::message::{RowKind, TARGET_BATCH_ROWS};

/// What is given out, row by row: indices into the batch under way and addresses of kept rows.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) rows: Vec<Option<u32>>,
    pub(super) kept: Vec<Option<RowRef>>,
    pub(super) kinds: Vec<i8>,
}

/// Pairs of a row of the batch under way and a kept row of the other input.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) rows: Vec<u32>,
    pub(super) kept: Vec<Option<RowRef>>,
    /// Where the kept row stands: key and place.
    pub(super) places: Vec<(KeyId, usize)>,
}

/// The batch under way.
pub(super) struct Batch {
    pub(super) input: usize,
    /// Columns that are kept.
    pub(super) rows: RecordBatch,
    /// Kinds of the rows; all are added when there are none.
    pub(super) kinds: Option<Vec<RowKind>>,
    pub(super) key_rows: KeyRows,
    /// Hashes of the rows when rows of the input can be withdrawn.
    pub(super) hashes: Vec<u64>,
    /// Where the rows that are added are kept.
    pub(super) addresses: Vec<Option<RowRef>>,
    pub(super) now: Timestamp,
    /// The first row that is not looked up, and the first kept row that it has not been paired with.
    pub(super) looked_up: usize,
    pub(super) place: usize,
    /// Pairs that have been looked up and not applied.
    pub(super) pairs: Pairs,
    /// The first row that is not done.
    pub(super) next: usize,
    /// Matches of that row so far; `None` while it has not begun.
    pub(super) matches: Option<u32>,
    /// Whether that row withdraws one that is not there any more, so that nothing follows from it.
    pub(super) is_unknown: bool,
    /// Keys that may have no rows any more.
    pub(super) emptied: Vec<KeyId>,
    pub(super) changes: Changes,
}

impl Batch {
    fn kind(&self, row: usize) -> RowKind {
        self.kinds.as_ref().map_or(RowKind::Insert, |kinds| kinds[row])
    }
}

impl StreamJoin {
    /// Looks up what the rows of a batch match, and changes the state row by row, in their order, until the output is full.
    /// Returns whether all is done.
    pub(super) fn apply(&mut self, batch: &mut Batch, output: &mut Output) -> Result<bool, OperatorError> {
        let other = 1 - batch.input;
        while batch.looked_up < batch.rows.num_rows() {
            let Some(key) = self.keys.find(batch.key_rows.key(batch.looked_up)) else {
                batch.looked_up += 1;
                continue;
            };
            let others = self.rows_of(key, other)?;
            let stop = others.len().min(batch.place + TARGET_BATCH_ROWS - batch.pairs.rows.len());
            for (place, kept) in others.iter().enumerate().take(stop).skip(batch.place) {
                batch.pairs.rows.push(batch.looked_up as u32);
                batch.pairs.kept.push(Some(kept.at));
                batch.pairs.places.push((key, place));
            }
            batch.place = stop;
            if stop == others.len() {
                batch.looked_up += 1;
                batch.place = 0;
            }
            if batch.pairs.rows.len() == TARGET_BATCH_ROWS {
                self.apply_pairs(batch, output)?;
                if output.is_full() {
                    return Ok(false);
                }
            }
        }
        self.apply_pairs(batch, output)?;
        self.finish_rows(batch, batch.rows.num_rows(), output)?;
        self.give(batch, output)?;
        for key in std::mem::take(&mut batch.emptied) {
            if self.keys.get(key).is_some_and(|of_key| of_key.rows.iter().all(Vec::is_empty))
                && let Some(of_key) = self.keys.remove(key)
            {
                drop_rows(&mut self.sides, &mut self.places, &of_key);
            }
        }
        Ok(true)
    }

    fn rows_of(&self, key: KeyId, input: usize) -> Result<&Vec<Kept>, OperatorError> {
        self.keys.get(key).map(|of_key| &of_key.rows[input]).ok_or_else(gone)
    }

    fn apply_pairs(&mut self, batch: &mut Batch, output: &mut Output) -> Result<(), OperatorError> {
        let Pairs { rows, kept, places } = std::mem::take(&mut batch.pairs);
        if rows.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(rows);
        let mask = self.joined.matches(&self.pairs(batch, &indices, &kept), output)?;
        for (pair, (row, (key, place))) in indices.values().iter().zip(places).enumerate() {
            let row = *row as usize;
            self.finish_rows(batch, row, output)?;
            self.begin_row(batch)?;
            if !batch.is_unknown && mask.as_ref().is_none_or(|mask| mask.value(pair)) {
                self.apply_pair(batch, (key, place))?;
                if batch.changes.kinds.len() >= TARGET_BATCH_ROWS {
                    self.give(batch, output)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the rows before `until`.
    fn finish_rows(
        &mut self,
        batch: &mut Batch,
        until: usize,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        while batch.next < until {
            self.begin_row(batch)?;
            self.finish_row(batch)?;
            if batch.changes.kinds.len() >= TARGET_BATCH_ROWS {
                self.give(batch, output)?;
            }
        }
        Ok(())
    }

    /// Begins the next row unless it has begun: one that withdraws another takes that out of the state.
    fn begin_row(&mut self, batch: &mut Batch) -> Result<(), OperatorError> {
        if batch.matches.is_some() {
            return Ok(());
        }
        batch.matches = Some(0);
        batch.is_unknown = false;
        let row = batch.next;
        if batch.kind(row).is_added() {
            return Ok(());
        }
        batch.is_unknown = true;
        let Some(key) = self.keys.find(batch.key_rows.key(row)) else { return Ok(()) };
        let store = &mut self.sides[batch.input].store;
        let rows = &mut self.keys.touch(key, batch.now)?.rows[batch.input];
        for place in 0..rows.len() {
            if rows[place].hash == batch.hashes[row] {
                let (kept, at) = store.row(rows[place].at)?;
                if is_same_row((kept, at), (&batch.rows, row)) {
                    store.release(rows.swap_remove(place).at);
                    batch.is_unknown = false;
                    batch.emptied.push(key);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives out a pair, and what it means for the kept row.
    fn apply_pair(&mut self, batch: &mut Batch, (key, place): (KeyId, usize)) -> Result<(), OperatorError> {
        let other = 1 - batch.input;
        let kind = batch.kind(batch.next);
        let own_is_outer = self.sides[batch.input].input.kept_without_match;
        let other_is_outer = self.sides[other].input.kept_without_match;
        batch.matches = batch.matches.map(|matches| matches + 1);
        let of_key = self.keys.get_mut(key).ok_or_else(gone)?;
        let kept = of_key.rows[other].get_mut(place).ok_or_else(gone)?;
        let row = Some(batch.next as u32);
        if kind.is_added() {
            if other_is_outer && kept.matches == 0 {
                batch.changes.push(None, Some(kept.at), RowKind::Delete);
            }
            kept.matches += 1;
            let stays = !own_is_outer && !other_is_outer;
            batch.changes.push(row, Some(kept.at), if stays { kind } else { RowKind::Insert });
        } else {
            batch.changes.push(row, Some(kept.at), if own_is_outer { RowKind::Delete } else { kind });
            kept.matches = kept.matches.saturating_sub(1);
            if other_is_outer && kept.matches == 0 {
                batch.changes.push(None, Some(kept.at), RowKind::Insert);
            }
        }
        Ok(())
    }

    /// Ends the row under way: without a match it is given out with NULLs; one that is added is kept.
    fn finish_row(&mut self, batch: &mut Batch) -> Result<(), OperatorError> {
        let row = batch.next;
        let matches = batch.matches.take().unwrap_or(0);
        batch.next += 1;
        if batch.is_unknown {
            return Ok(());
        }
        let is_added = batch.kind(row).is_added();
        if matches == 0 && self.sides[batch.input].input.kept_without_match {
            let kind = if is_added { RowKind::Insert } else { RowKind::Delete };
            batch.changes.push(Some(row as u32), None, kind);
        }
        let Some(at) = batch.addresses[row] else { return Ok(()) };
        let key = match self.keys.find(batch.key_rows.key(row)) {
            Some(key) => key,
            None => self.keys.insert(batch.key_rows.key(row), OfKey::default(), batch.now),
        };
        let rows = &mut self.keys.touch(key, batch.now)?.rows[batch.input];
        let before = rows.capacity();
        let hash = batch.hashes.get(row).copied().unwrap_or(0);
        rows.push(Kept { at, matches, hash });
        self.places += rows.capacity() - before;
        Ok(())
    }

    /// Gives out the changes that have been collected.
    fn give(&mut self, batch: &mut Batch, output: &mut Output) -> Result<(), OperatorError> {
        let Changes { rows, kept, kinds } = std::mem::take(&mut batch.changes);
        if kinds.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(rows);
        let joined = self.joined.rows(&self.pairs(batch, &indices, &kept))?;
        output.emit(self.with_kinds(joined, Int8Array::from(kinds))?);
        Ok(())
    }

    fn pairs<'a>(
        &'a self,
        batch: &'a Batch,
        indices: &'a UInt32Array,
        kept: &'a [Option<RowRef>],
    ) -> JoinedPairs<'a> {
        let store = &self.sides[1 - batch.input].store;
        JoinedPairs { input: batch.input, batch: &batch.rows, indices, store, kept }
    }

    pub(super) fn with_kinds(
        &self,
        rows: RecordBatch,
        kinds: Int8Array,
    ) -> Result<RecordBatch, OperatorError> {
        if !self.is_changelog {
            return Ok(rows);
        }
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(kinds));
        Ok(RecordBatch::try_new(self.output.clone(), columns)?)
    }
}

impl Changes {
    fn push(&mut self, row: Option<u32>, kept: Option<RowRef>, kind: RowKind) {
        self.rows.push(row);
        self.kept.push(kept);
        self.kinds.push(kind as i8);
    }
}

/// Returns whether two rows have the same values in all columns that are kept.
fn is_same_row((a, at_a): (&RecordBatch, usize), (b, at_b): (&RecordBatch, usize)) -> bool {
    a.columns().iter().zip(b.columns()).all(|(a, b)| is_same_value((a, at_a), (b, at_b)))
}

/// Compares the frequent types without making anything for it.
fn is_same_value((a, at_a): (&ArrayRef, usize), (b, at_b): (&ArrayRef, usize)) -> bool {
    if a.data_type() != b.data_type() {
        return false;
    }
    match a.data_type() {
        DataType::Int64 => is_same_of(a.as_primitive::<Int64Type>(), at_a, b.as_primitive(), at_b),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            is_same_of(a.as_primitive::<TimestampMillisecondType>(), at_a, b.as_primitive(), at_b)
        }
        DataType::Utf8 => is_same_of(a.as_string::<i32>(), at_a, b.as_string::<i32>(), at_b),
        _ => a.slice(at_a, 1).to_data() == b.slice(at_b, 1).to_data(),
    }
}

fn is_same_of<A: ArrayAccessor<Item: PartialEq>>(a: A, at_a: usize, b: A, at_b: usize) -> bool {
    match (a.is_null(at_a), b.is_null(at_b)) {
        (false, false) => a.value(at_a) == b.value(at_b),
        (a, b) => a == b,
    }
}
