//! The state of a join without time bounds in snapshots.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use weir_base::time::Timestamp;

use super::super::keyed_state::KeyRows;
use super::super::row_store::RowRef;
use super::super::window_common::key_hashes;
use super::super::{KeyRange, OperatorError};
use super::kept::gone;
use super::unbounded::{Kept, OfKey, StreamJoin};
use crate::message::TARGET_BATCH_ROWS;
use crate::state;

/// Rows of a snapshot, each with the time at which its key was last used.
pub(super) struct Restored {
    input: usize,
    key_rows: KeyRows,
    kept: Vec<(i64, Kept)>,
}

impl StreamJoin {
    /// Returns the kept rows of an input as a table of a snapshot.
    pub(super) fn table(&self, input: usize) -> Result<Vec<RecordBatch>, OperatorError> {
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
    pub(super) fn restored(
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
    pub(super) fn restore_keys(&mut self, tables: Vec<Restored>) -> Result<(), OperatorError> {
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
