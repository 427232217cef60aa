//! What group windows have in common: their description, their inputs and the rows they give out.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StructArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_common::hash_utils::{RandomState, create_hashes};
use datafusion_physical_expr::PhysicalExpr;

use super::aggregate::{AggregateCall, GroupShape};
use super::grouping::{GroupingColumns, GroupingExpressions};
use super::{
    GroupWindow, GroupingSets, KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output,
    SessionWindow,
};
use crate::message::TimeDomain;
use crate::time_column::TimeColumn;

/// The kind of a group window; all values in milliseconds and above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// Windows of `size` aligned to the epoch.
    Tumble {
        /// Length.
        size: i64,
    },
    /// Windows of `size` that start every `slide`.
    Hop {
        /// Distance of two starts.
        slide: i64,
        /// Length.
        size: i64,
    },
    /// Rows at most `gap` apart.
    Session {
        /// Longest pause.
        gap: i64,
    },
}

/// A `GROUP BY` with a window, as the planner describes it.
#[derive(Debug, Clone)]
pub struct GroupWindowSpec {
    /// Kind and lengths.
    pub kind: WindowKind,
    /// Event or processing time.
    pub domain: TimeDomain,
    /// The time attribute.
    pub time: TimeColumn,
    /// Key expressions in the order of the output, the window left out.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// Where the window stands among the output columns; the keys fill the other first columns.
    pub window_position: usize,
    /// Aggregates; their results follow the group columns.
    pub calls: Vec<AggregateCall>,
    /// Tells the copies apart that grouping sets made of the rows.
    pub sets: Option<GroupingSets>,
    /// Schema of the output.
    pub output: SchemaRef,
    /// Index of the hidden row-watermark column of the input, when it has one.
    pub row_watermark: Option<usize>,
}

impl OperatorSpec for GroupWindowSpec {
    fn name(&self) -> &'static str {
        "GroupWindow"
    }

    fn keeps(&self) -> Option<String> {
        let (what, until) = match self.kind {
            WindowKind::Session { .. } => ("session", "the session is complete"),
            _ => ("slice of time", "the last window that holds it is complete"),
        };
        Some(format!("aggregates for each key and {what}, until {until}"))
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        let plan = WindowPlan::new(self.clone())?;
        Ok(match self.kind {
            WindowKind::Session { .. } => Box::new(SessionWindow::new(plan)?),
            _ => Box::new(GroupWindow::new(plan)?),
        })
    }
}

/// A spec with what operators derive from it.
#[derive(Debug)]
pub struct WindowPlan {
    pub(crate) spec: GroupWindowSpec,
    pub(crate) shape: GroupShape,
    expressions: GroupingExpressions,
}

/// The columns of one input batch that a window needs.
pub(crate) struct WindowInput {
    pub(crate) times: Int64Array,
    pub(crate) keys: Vec<ArrayRef>,
    pub(crate) arguments: Vec<Vec<ArrayRef>>,
    /// Watermark in force before each row; `None` when no row of the batch can be late.
    pub(crate) row_watermarks: Option<Int64Array>,
    batch: RecordBatch,
}

impl WindowPlan {
    /// Prepares a spec.
    pub fn new(spec: GroupWindowSpec) -> Result<Self, DataFusionError> {
        let keys: Vec<_> = spec
            .output
            .fields()
            .iter()
            .take(spec.keys.len() + 1)
            .enumerate()
            .filter(|(i, _)| *i != spec.window_position)
            .map(|(_, field)| field.clone())
            .collect();
        let shape = GroupShape::new(Arc::new(Schema::new(keys)), spec.calls.clone())?;
        let expressions = GroupingExpressions::new(spec.keys.clone(), &spec.calls, spec.sets);
        Ok(Self { spec, shape, expressions })
    }

    /// Evaluates keys and arguments over a batch. Rows on which that fails are set aside as dirty.
    pub(crate) fn input(
        &self,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<Option<WindowInput>, OperatorError> {
        let (batch, times) = super::assign_watermark::drop_rows_without_time(batch, &self.spec.time, output)?;
        let Some((batch, columns)) = self.expressions.evaluate(batch, output)? else { return Ok(None) };
        let times = match batch.num_rows() == times.len() {
            true => times,
            false => self.spec.time.times(&batch)?,
        };
        let row_watermarks = self.row_watermarks(&batch, &times);
        let GroupingColumns { keys, arguments } = columns;
        Ok(Some(WindowInput { times, keys, arguments, row_watermarks, batch }))
    }

    /// Returns the row watermarks unless every row is ahead of the one in force before it.
    fn row_watermarks(&self, batch: &RecordBatch, times: &Int64Array) -> Option<Int64Array> {
        let watermarks = batch.column(self.spec.row_watermark?).as_primitive::<Int64Type>();
        let behind = watermarks.values().iter().zip(times.values()).any(|(watermark, time)| {
            // A window that holds `time` ends at `time + 1` at the earliest; a session that a row at `time` may
            // still join ends at `time`.
            *watermark >= time.saturating_sub(1)
        });
        behind.then(|| watermarks.clone())
    }

    /// Notes that a row is late: it is in no open window.
    pub(crate) fn note_late(&self, input: &WindowInput, row: usize, output: &mut Output) {
        output.late += u64::from(self.expressions.counts(&input.batch, row));
    }

    /// Puts key columns, window bounds and results together in the order of the output.
    pub(crate) fn rows(
        &self,
        keys: Vec<ArrayRef>,
        starts: Vec<i64>,
        ends: Vec<i64>,
        results: Vec<ArrayRef>,
    ) -> Result<RecordBatch, OperatorError> {
        let position = self.spec.window_position;
        let DataType::Struct(bounds) = self.spec.output.field(position).data_type() else {
            return Err(OperatorError::State("the window column is not a ROW".to_string()));
        };
        let window = StructArray::try_new(
            bounds.clone(),
            vec![
                Arc::new(TimestampMillisecondArray::from(starts)),
                Arc::new(TimestampMillisecondArray::from(ends)),
            ],
            None,
        )?;
        let mut columns = keys;
        columns.insert(position, Arc::new(window));
        columns.extend(results);
        Ok(RecordBatch::try_new(self.spec.output.clone(), columns)?)
    }
}

/// Returns a hash per row that is the same in every process of this version.
pub fn key_hashes(keys: &[ArrayRef], rows: usize) -> Result<Vec<u64>, DataFusionError> {
    let mut hashes = vec![0; rows];
    if !keys.is_empty() {
        create_hashes(keys, &RandomState::with_seed(0), &mut hashes)?;
    }
    // The low bits of the fast hash of small integers are not spread; key groups are taken from them.
    for hash in &mut hashes {
        *hash = (*hash ^ (*hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    }
    Ok(hashes)
}

/// Returns the hash of the key of each row. Where a key cannot be computed it does not matter which subtask has the row: the
/// operator computes the key again and sets the row aside.
pub(crate) fn row_hashes(
    keys: &[Arc<dyn PhysicalExpr>],
    batch: &RecordBatch,
) -> Result<Vec<u64>, DataFusionError> {
    let rows = batch.num_rows();
    let columns = keys.iter().map(|key| key.evaluate(batch)?.into_array(rows)).collect::<Result<Vec<_>, _>>();
    match columns {
        Ok(columns) => key_hashes(&columns, rows),
        Err(_) if rows < 2 => Ok(vec![0; rows]),
        Err(_) => {
            let half = rows / 2;
            let mut hashes = row_hashes(keys, &batch.slice(0, half))?;
            hashes.extend(row_hashes(keys, &batch.slice(half, rows - half))?);
            Ok(hashes)
        }
    }
}

/// Returns the watermark that the subtask itself had, when the parallelism is that of the snapshots. With at-least-once
/// checkpoints the subtasks are at different points, and windows already given out must not be given out again.
pub(super) fn own_watermark(states: &[Vec<u8>], range: &KeyRange) -> Result<Option<i64>, OperatorError> {
    if states.len() != range.parallelism || states[range.subtask].is_empty() {
        return Ok(None);
    }
    Ok(Some(crate::state::decode::<i64>(&states[range.subtask])?.0))
}
