//! The rows that an interval join keeps, and when they go.

use std::collections::VecDeque;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType};
use weir_base::text::Zone;

use super::super::OperatorError;
use super::super::row_store::{RowRef, RowStore};
use super::kept::RowsOfKey;
use super::spec::JoinInput;
use crate::time_column::TimeColumn;

/// A row that may still match.
#[derive(Debug)]
pub(super) struct Kept {
    /// Its time as the column holds it: bounds are in the terms of the query, a wall clock in the zone of the job.
    pub(super) time: i64,
    pub(super) at: RowRef,
    pub(super) matched: bool,
}

/// The rows of one key, in order of time.
#[derive(Debug, Default)]
pub(super) struct OfKey {
    pub(super) rows: [VecDeque<Kept>; 2],
    /// When the first of them goes; the one valid entry of the key in the schedule.
    pub(super) scheduled: i64,
}

impl RowsOfKey for OfKey {
    fn addresses(&mut self, input: usize) -> impl Iterator<Item = &mut RowRef> {
        self.rows[input].iter_mut().map(|kept| &mut kept.at)
    }
}

/// The times of one input.
pub(super) struct Side {
    pub(super) input: JoinInput,
    pub(super) time: TimeColumn,
    pub(super) attributes: Vec<TimeColumn>,
    pub(super) row_watermark: Option<usize>,
    /// A row at `t` matches rows of the other input from `t + first` to `t + last`.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) store: RowStore,
}

impl Side {
    /// Returns the instant at which a row cannot match any more.
    pub(super) fn goes(&self, time: i64) -> i64 {
        let last = time.saturating_add(self.last);
        match self.time.zone {
            Zone::UTC => last,
            zone if self.is_wall_clock() => zone.wall_to_instant(last),
            _ => last,
        }
    }

    fn is_wall_clock(&self) -> bool {
        matches!(self.input.schema.field(self.time.index).data_type(), DataType::Timestamp(..))
    }
}

/// Returns the times of a column as it holds them.
pub(super) fn raw_times(column: &TimeColumn, batch: &RecordBatch) -> Result<Int64Array, OperatorError> {
    let values = batch.column(column.index);
    match values.as_primitive_opt::<TimestampMillisecondType>() {
        Some(walls) => Ok(walls.reinterpret_cast::<Int64Type>()),
        None => Ok(column.times(batch)?),
    }
}

/// Returns the earliest instant among the time attributes of each row.
pub(super) fn oldest_times(side: &Side, batch: &RecordBatch) -> Result<Int64Array, OperatorError> {
    let mut oldest = side.time.times(batch)?;
    for attribute in &side.attributes {
        let others = attribute.times(batch)?;
        // A NULL is the time of a row that an outer join padded.
        let least = oldest.iter().zip(&others).map(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        });
        oldest = least.collect();
    }
    Ok(oldest)
}
