//! Joins streams without bounds in time: every row is kept until it is withdrawn, or until its key is idle.
//!
//! Inputs may be changelogs. Of an outer join each row kept without a match carries how many it has: when the first one
//! comes, the row that was given out with NULLs is withdrawn; when the last one is withdrawn, it is given out again.
//! Without an outer input and without changelogs rows are only added.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{BooleanArray, Int8Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use weir_base::clock::Clock;
use weir_base::time::Timestamp;

use super::super::keyed_state::{KeyedState, until_idle};
use super::super::row_store::{RowRef, RowStore};
use super::super::window_common::key_hashes;
use super::super::{KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output};
use super::joined::Joined;
use super::kept::{self, RowsOfKey};
use super::spec::{JoinInput, JoinSpec};
use super::unbounded_batch::{Batch, Changes, Pairs};
use crate::message::{ROW_KIND, RowKind};
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

    fn keeps(&self) -> Option<String> {
        Some(format!("the rows of both inputs for each key, {}", until_idle(self.retention)))
    }

    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(StreamJoin::new(self, context.clock.clone())?))
    }
}

/// A row that has been added and not withdrawn.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) at: RowRef,
    /// Rows of the other input that it matches.
    pub(super) matches: u32,
    /// Of all its columns, to find it when it is withdrawn.
    pub(super) hash: u64,
}

/// The rows of one key.
#[derive(Debug, Default)]
pub(super) struct OfKey {
    pub(super) rows: [Vec<Kept>; 2],
}

impl RowsOfKey for OfKey {
    fn addresses(&mut self, input: usize) -> impl Iterator<Item = &mut RowRef> {
        self.rows[input].iter_mut().map(|kept| &mut kept.at)
    }
}

pub(super) struct Side {
    pub(super) input: JoinInput,
    pub(super) store: RowStore,
}

/// See the module.
pub struct StreamJoin {
    pub(super) sides: [Side; 2],
    pub(super) joined: Joined,
    /// Columns given out.
    pub(super) output: SchemaRef,
    pub(super) is_changelog: bool,
    pub(super) keys: KeyedState<OfKey>,
    /// Places for rows that the keys have.
    pub(super) places: usize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) work: Option<Box<Batch>>,
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
        Ok(Self { sides, joined, output, is_changelog, keys, places: 0, clock, work: None })
    }

    fn expire(&mut self, now: Timestamp) -> Result<(), OperatorError> {
        let (sides, places) = (&mut self.sides, &mut self.places);
        self.keys.expire(now, |of_key| drop_rows(sides, places, &of_key));
        self.compact()
    }

    fn compact(&mut self) -> Result<(), OperatorError> {
        for (input, side) in self.sides.iter_mut().enumerate() {
            kept::compact(input, &mut side.store, &mut self.keys)?;
        }
        Ok(())
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
}

/// Gives the rows of a key back.
pub(super) fn drop_rows(sides: &mut [Side; 2], places: &mut usize, of_key: &OfKey) {
    for (side, rows) in sides.iter_mut().zip(&of_key.rows) {
        rows.iter().for_each(|kept| side.store.release(kept.at));
        *places -= rows.capacity();
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
        let batch = Batch {
            input,
            rows,
            kinds,
            key_rows,
            hashes,
            addresses,
            now,
            looked_up: 0,
            place: 0,
            pairs: Pairs::default(),
            next: 0,
            matches: None,
            is_unknown: false,
            emptied: Vec::new(),
            changes: Changes::default(),
        };
        self.work = Some(Box::new(batch));
        self.resume(output)
    }

    fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        let Some(mut batch) = self.work.take() else { return Ok(()) };
        if self.apply(&mut batch, output)? {
            return self.compact();
        }
        self.work = Some(batch);
        output.leave_rest();
        Ok(())
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
