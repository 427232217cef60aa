//! Joins streams without bounds in time: every row is kept until it is withdrawn, or until its key is idle.
//!
//! Inputs may be changelogs. Of an outer join each row kept without a match carries how many it has: when the first one
//! comes, the row that was given out with NULLs is withdrawn; when the last one is withdrawn, it is given out again.
//! Without an outer input and without changelogs rows are only added.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, AsArray, BooleanArray, Int8Array, Int64Array, RecordBatch, UInt32Array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType};
use weir_base::clock::Clock;
use weir_base::time::Timestamp;

use super::super::keyed_state::{KeyId, KeyRows, KeyedState};
use super::super::row_store::{RowRef, RowStore};
use super::super::window_common::key_hashes;
use super::super::{KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output};
use super::joined::{Joined, Pairs as JoinedPairs};
use super::spec::{JoinInput, JoinSpec};
use crate::message::{ROW_KIND, RowKind, TARGET_BATCH_ROWS};
use crate::state;

/// A join without time bounds, as the planner describes it.
#[derive(Debug, Clone)]
pub struct StreamJoinSpec {
    /// Keys, kinds, the rest of the condition.
    pub join: JoinSpec,
    /// After this time without a row of either input the rows of a key are dropped.
    pub retention: Duration,
}

impl StreamJoinSpec {
    /// Returns whether the output has the hidden row-kind column.
    pub fn is_changelog(&self) -> bool {
        self.join.inputs.iter().any(|input| input.kept_without_match || input.row_kind.is_some())
    }
}

impl OperatorSpec for StreamJoinSpec {
    fn name(&self) -> &'static str {
        "StreamJoin"
    }

    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(StreamJoin::new(self, context.clock.clone())?))
    }
}

/// A row that has been added and not withdrawn.
#[derive(Debug)]
struct Kept {
    at: RowRef,
    /// Rows of the other input that it matches.
    matches: u32,
    /// Of all its columns, to find it when it is withdrawn.
    hash: u64,
}

/// The rows of one key.
#[derive(Debug, Default)]
struct OfKey {
    rows: [Vec<Kept>; 2],
}

struct Side {
    input: JoinInput,
    store: RowStore,
}

/// See the module.
pub struct StreamJoin {
    sides: [Side; 2],
    joined: Joined,
    /// Columns given out.
    output: SchemaRef,
    is_changelog: bool,
    keys: KeyedState<OfKey>,
    /// Places for rows that the keys have.
    places: usize,
    clock: Arc<dyn Clock>,
}

/// What is given out, row by row: indices into the batch under way and addresses of kept rows.
#[derive(Default)]
struct Changes {
    rows: Vec<Option<u32>>,
    kept: Vec<Option<RowRef>>,
    kinds: Vec<i8>,
}

/// Pairs of a row of the batch under way and a kept row of the other input.
#[derive(Default)]
struct Pairs {
    rows: Vec<u32>,
    kept: Vec<Option<RowRef>>,
    /// Where the kept row stands: key and place.
    places: Vec<(KeyId, usize)>,
}

/// The batch under way.
struct Batch<'a> {
    input: usize,
    /// Columns that are kept.
    rows: &'a RecordBatch,
    /// Kinds of the rows; all are added when there are none.
    kinds: Option<Vec<RowKind>>,
    key_rows: KeyRows,
    /// Hashes of the rows when rows of the input can be withdrawn.
    hashes: Vec<u64>,
    /// Where the rows that are added are kept.
    addresses: Vec<Option<RowRef>>,
    now: Timestamp,
    /// The first row that is not done.
    next: usize,
    /// Matches of that row so far; `None` while it has not begun.
    matches: Option<u32>,
    /// Whether that row withdraws one that is not there any more, so that nothing follows from it.
    is_unknown: bool,
    /// Keys that may have no rows any more.
    emptied: Vec<KeyId>,
    changes: Changes,
}

impl Batch<'_> {
    fn kind(&self, row: usize) -> RowKind {
        self.kinds.as_ref().map_or(RowKind::Insert, |kinds| kinds[row])
    }
}

impl StreamJoin {
    /// Makes the operator.
    pub fn new(spec: &StreamJoinSpec, clock: Arc<dyn Clock>) -> Result<Self, OperatorError> {
        let is_changelog = spec.is_changelog();
        let mut fields: Vec<_> = spec.join.joined.fields().iter().cloned().collect();
        if is_changelog {
            fields.push(Arc::new(Field::new(ROW_KIND, DataType::Int8, true)));
        }
        let keys = KeyedState::new(spec.join.inputs[0].key_schema(), spec.retention)?;
        let sides = spec.join.inputs.clone().map(|input| {
            let store = RowStore::new(input.schema.clone());
            Side { input, store }
        });
        let joined = Joined::new(&spec.join)?;
        let output = Arc::new(Schema::new(fields));
        Ok(Self { sides, joined, output, is_changelog, keys, places: 0, clock })
    }

    fn expire(&mut self, now: Timestamp) -> Result<(), OperatorError> {
        let (sides, places) = (&mut self.sides, &mut self.places);
        self.keys.expire(now, |of_key| drop_rows(sides, places, &of_key));
        self.compact()
    }

    fn compact(&mut self) -> Result<(), OperatorError> {
        for (input, side) in self.sides.iter_mut().enumerate() {
            if side.store.wants_compaction() {
                let rows = self.keys.states_mut().flat_map(|of_key| &mut of_key.rows[input]);
                side.store.compact(rows.map(|kept| &mut kept.at))?;
            }
        }
        Ok(())
    }

    /// Looks up what the rows of a batch match, and changes the state row by row, in their order.
    fn apply(&mut self, batch: &mut Batch<'_>, output: &mut Output) -> Result<(), OperatorError> {
        let other = 1 - batch.input;
        let mut pairs = Pairs::default();
        for row in 0..batch.rows.num_rows() {
            let Some(key) = self.keys.find(batch.key_rows.key(row)) else { continue };
            let end = self.rows_of(key, other)?.len();
            let mut place = 0;
            while place < end {
                let stop = end.min(place + TARGET_BATCH_ROWS - pairs.rows.len());
                for kept in &self.rows_of(key, other)?[place..stop] {
                    pairs.rows.push(row as u32);
                    pairs.kept.push(Some(kept.at));
                    pairs.places.push((key, place));
                    place += 1;
                }
                if pairs.rows.len() == TARGET_BATCH_ROWS {
                    self.apply_pairs(batch, &mut pairs, output)?;
                }
            }
        }
        self.apply_pairs(batch, &mut pairs, output)?;
        self.finish_rows(batch, batch.rows.num_rows(), output)?;
        self.give(batch, output)?;
        for key in std::mem::take(&mut batch.emptied) {
            if self.keys.get(key).is_some_and(|of_key| of_key.rows.iter().all(Vec::is_empty))
                && let Some(of_key) = self.keys.remove(key)
            {
                drop_rows(&mut self.sides, &mut self.places, &of_key);
            }
        }
        Ok(())
    }

    fn rows_of(&self, key: KeyId, input: usize) -> Result<&Vec<Kept>, OperatorError> {
        self.keys.get(key).map(|of_key| &of_key.rows[input]).ok_or_else(gone)
    }

    fn apply_pairs(
        &mut self,
        batch: &mut Batch<'_>,
        pairs: &mut Pairs,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Pairs { rows, kept, places } = std::mem::take(pairs);
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
        batch: &mut Batch<'_>,
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
    fn begin_row(&mut self, batch: &mut Batch<'_>) -> Result<(), OperatorError> {
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
                if is_same_row((kept, at), (batch.rows, row)) {
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
    fn apply_pair(
        &mut self,
        batch: &mut Batch<'_>,
        (key, place): (KeyId, usize),
    ) -> Result<(), OperatorError> {
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
    fn finish_row(&mut self, batch: &mut Batch<'_>) -> Result<(), OperatorError> {
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
    fn give(&mut self, batch: &mut Batch<'_>, output: &mut Output) -> Result<(), OperatorError> {
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
        batch: &'a Batch<'_>,
        indices: &'a UInt32Array,
        kept: &'a [Option<RowRef>],
    ) -> JoinedPairs<'a> {
        let store = &self.sides[1 - batch.input].store;
        JoinedPairs { input: batch.input, batch: batch.rows, indices, store, kept }
    }

    fn with_kinds(&self, rows: RecordBatch, kinds: Int8Array) -> Result<RecordBatch, OperatorError> {
        if !self.is_changelog {
            return Ok(rows);
        }
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(kinds));
        Ok(RecordBatch::try_new(self.output.clone(), columns)?)
    }

    /// Gives out rows whose key has a NULL, which match nothing.
    fn pad(&self, input: usize, rows: &RecordBatch, output: &mut Output) -> Result<(), OperatorError> {
        let side = &self.sides[input].input;
        let kinds = match side.row_kinds(rows)? {
            Some(kinds) => kinds
                .into_iter()
                .map(|kind| if kind.is_added() { RowKind::Insert } else { RowKind::Delete } as i8)
                .collect(),
            None => vec![RowKind::Insert as i8; rows.num_rows()],
        };
        let padded = self.joined.padded(input, rows)?;
        output.emit(self.with_kinds(padded, Int8Array::from(kinds))?);
        Ok(())
    }

    /// Keeps the rows of a batch that are added, and returns their addresses.
    fn store(
        &mut self,
        input: usize,
        rows: &RecordBatch,
        kinds: Option<&Vec<RowKind>>,
    ) -> Result<Vec<Option<RowRef>>, OperatorError> {
        let store = &mut self.sides[input].store;
        let Some(kinds) = kinds else { return Ok(store.insert(rows.clone()).map(Some).collect()) };
        let mask: BooleanArray = kinds.iter().map(|kind| Some(kind.is_added())).collect();
        let mut added = store.insert(filter_record_batch(rows, &mask)?);
        Ok(kinds.iter().map(|kind| if kind.is_added() { added.next() } else { None }).collect())
    }

    /// Returns the kept rows of an input as a table of a snapshot.
    fn table(&self, input: usize) -> Result<Vec<RecordBatch>, OperatorError> {
        let kept: Vec<(i64, &Kept)> = self
            .keys
            .entries()
            .flat_map(|(last, of_key)| of_key.rows[input].iter().map(move |kept| (last, kept)))
            .collect();
        let mut batches = Vec::new();
        for chunk in kept.chunks(TARGET_BATCH_ROWS) {
            let addresses: Vec<RowRef> = chunk.iter().map(|(_, kept)| kept.at).collect();
            let matches: Int64Array = chunk.iter().map(|(_, kept)| i64::from(kept.matches)).collect();
            let lasts: Int64Array = chunk.iter().map(|(last, _)| *last).collect();
            let rows = self.sides[input].store.gather(&addresses)?;
            let rows = state::with_column(&rows, "matches", Arc::new(matches))?;
            batches.push(state::with_column(&rows, "last", Arc::new(lasts))?);
        }
        Ok(batches)
    }

    /// Takes the rows of a table of a snapshot that belong to `range` into the store.
    fn restored(
        &mut self,
        input: usize,
        batch: &RecordBatch,
        range: &KeyRange,
    ) -> Result<Restored, OperatorError> {
        let side = &mut self.sides[input];
        let width = side.input.schema.fields().len();
        if batch.num_columns() != width + 2 {
            return Err(gone());
        }
        let of_keys = key_hashes(&side.input.key_columns(batch), batch.num_rows())?;
        let own = state::keep_rows(batch, |row| range.contains(of_keys[row]))?;
        let matches = own.column(width).as_primitive_opt::<Int64Type>().ok_or_else(gone)?;
        let lasts = own.column(width + 1).as_primitive_opt::<Int64Type>().ok_or_else(gone)?;
        let rows = side.input.kept_columns(&own)?;
        let hashes = key_hashes(rows.columns(), rows.num_rows())?;
        let key_rows = self.keys.rows(&side.input.key_columns(&rows), rows.num_rows())?;
        let kept = side.store.insert(rows).enumerate().map(|(row, at)| {
            let matches = u32::try_from(matches.value(row)).unwrap_or(u32::MAX);
            (lasts.value(row), Kept { at, matches, hash: hashes[row] })
        });
        Ok(Restored { input, key_rows, kept: kept.collect() })
    }

    /// Gives the keys their rows back, in the order in which they were last used.
    fn restore_keys(&mut self, tables: Vec<Restored>) -> Result<(), OperatorError> {
        let mut order = Vec::new();
        let mut all_keys = Vec::with_capacity(tables.len());
        for (table, restored) in tables.into_iter().enumerate() {
            let Restored { input, key_rows, kept } = restored;
            all_keys.push(key_rows);
            order.extend(
                kept.into_iter().enumerate().map(|(row, (last, kept))| (last, table, row, input, kept)),
            );
        }
        order.sort_by_key(|(last, table, row, ..)| (*last, *table, *row));
        for (last, table, row, input, kept) in order {
            let key = all_keys[table].key(row);
            let key = match self.keys.find(key) {
                Some(key) => key,
                None => self.keys.insert(key, OfKey::default(), Timestamp(last)),
            };
            let rows = &mut self.keys.get_mut(key).ok_or_else(gone)?.rows[input];
            let before = rows.capacity();
            rows.push(kept);
            self.places += rows.capacity() - before;
        }
        Ok(())
    }
}

/// Rows of a snapshot, each with the time at which its key was last used.
struct Restored {
    input: usize,
    key_rows: KeyRows,
    kept: Vec<(i64, Kept)>,
}

impl Changes {
    fn push(&mut self, row: Option<u32>, kept: Option<RowRef>, kind: RowKind) {
        self.rows.push(row);
        self.kept.push(kept);
        self.kinds.push(kind as i8);
    }
}

/// Gives the rows of a key back.
fn drop_rows(sides: &mut [Side; 2], places: &mut usize, of_key: &OfKey) {
    for (side, rows) in sides.iter_mut().zip(&of_key.rows) {
        rows.iter().for_each(|kept| side.store.release(kept.at));
        *places -= rows.capacity();
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

impl Operator for StreamJoin {
    fn process(
        &mut self,
        input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let now = self.clock.now();
        self.expire(now)?;
        let side = &self.sides[input].input;
        let (batch, without_key) = side.rows_with_keys(batch)?;
        if let Some(without_key) = without_key.filter(|_| side.kept_without_match) {
            self.pad(input, &without_key, output)?;
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let side = &self.sides[input].input;
        let kinds = side.row_kinds(&batch)?;
        let rows = side.kept_columns(&batch)?;
        let hashes = match kinds {
            Some(_) => key_hashes(rows.columns(), rows.num_rows())?,
            None => Vec::new(),
        };
        let key_rows = self.keys.rows(&side.key_columns(&rows), rows.num_rows())?;
        let addresses = self.store(input, &rows, kinds.as_ref())?;
        let mut batch = Batch {
            input,
            rows: &rows,
            kinds,
            key_rows,
            hashes,
            addresses,
            now,
            next: 0,
            matches: None,
            is_unknown: false,
            emptied: Vec::new(),
            changes: Changes::default(),
        };
        self.apply(&mut batch, output)?;
        self.compact()
    }

    fn tick(&mut self, now: Timestamp, _output: &mut Output) -> Result<(), OperatorError> {
        self.expire(now)
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        let (left, right) = (self.table(0)?, self.table(1)?);
        state::encode_tables(&(), &[&left, &right])
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let mut restored = Vec::new();
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let ((), tables) = state::decode_tables(bytes)?;
            for (input, batches) in tables.iter().enumerate().take(2) {
                for batch in batches {
                    restored.push(self.restored(input, batch, range)?);
                }
            }
        }
        self.restore_keys(restored)
    }

    fn state_bytes(&self) -> usize {
        let rows: usize = self.sides.iter().map(|side| side.store.bytes()).sum();
        match self.keys.len() {
            0 => rows,
            _ => rows + self.keys.bytes() + self.places * size_of::<Kept>(),
        }
    }
}

fn gone() -> OperatorError {
    OperatorError::State("a row that a join keeps is gone".to_string())
}
