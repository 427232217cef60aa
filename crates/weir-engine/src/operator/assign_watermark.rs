//! Computes a new watermark in the middle of a job: `SET WATERMARK` on a temp stream.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use weir_base::time::Timestamp;

use super::{DirtyRow, Element, KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output};
use crate::message::TimeDomain;
use crate::operator::evaluate::row_text;
use crate::time_column::TimeColumn;
use crate::watermark::{Generator, GeneratorState, Strategy};

/// Replaces the event-time watermark of its input by one made from a column.
pub struct AssignWatermark {
    column: TimeColumn,
    schema: SchemaRef,
    generator: Generator,
    /// After this time without a row the subtask no longer holds back the watermark.
    idle_timeout: Option<Duration>,
    active_at: Instant,
    told_idle: bool,
}

impl AssignWatermark {
    /// Makes the operator. `schema` is that of the input with the hidden row-watermark column appended.
    pub fn new(
        column: TimeColumn,
        schema: SchemaRef,
        strategy: Strategy,
        idle_timeout: Option<Duration>,
    ) -> Self {
        let generator = Generator::new(strategy);
        Self { column, schema, generator, idle_timeout, active_at: Instant::now(), told_idle: false }
    }
}

/// The description of [`AssignWatermark`].
#[derive(Debug, Clone)]
pub struct AssignWatermarkSpec {
    /// The column.
    pub column: TimeColumn,
    /// How watermarks are made.
    pub strategy: Strategy,
    /// Columns given out: those of the input, then the hidden row-watermark column.
    pub schema: SchemaRef,
}

impl OperatorSpec for AssignWatermarkSpec {
    fn name(&self) -> &'static str {
        "Watermark"
    }

    fn keeps(&self) -> Option<String> {
        Some("the watermark".to_string())
    }

    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        let (column, schema) = (self.column.clone(), self.schema.clone());
        Ok(Box::new(AssignWatermark::new(column, schema, self.strategy, context.idle_timeout)))
    }
}

impl Operator for AssignWatermark {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let (batch, times) = drop_rows_without_time(batch, &self.column, output)?;
        self.active_at = Instant::now();
        self.told_idle = false;
        let before = self.generator.current();
        let mut watermarks = Vec::with_capacity(batch.num_rows());
        for time in times.values() {
            watermarks.push(self.generator.current().0);
            self.generator.observe(*time);
        }
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(watermarks)) as ArrayRef);
        output.emit(RecordBatch::try_new(self.schema.clone(), columns)?);
        if self.generator.current() > before {
            output.watermark(TimeDomain::Event, self.generator.current());
        }
        Ok(())
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        // Only the end of the input is taken over; any other event-time watermark of the input is replaced.
        if domain == TimeDomain::Processing || watermark == Timestamp::MAX {
            output.watermark(domain, watermark);
        }
        Ok(())
    }

    fn tick(&mut self, _now: Timestamp, output: &mut Output) -> Result<(), OperatorError> {
        let Some(timeout) = self.idle_timeout else { return Ok(()) };
        if !self.told_idle && self.active_at.elapsed() >= timeout {
            self.told_idle = true;
            output.elements.push(Element::Idle);
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        serde_json::to_vec(&self.generator.state()).map_err(|e| OperatorError::State(e.to_string()))
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        // A generator belongs to no key: with the same parallelism each subtask takes its own
        // back; otherwise all begin anew, which delays windows but drops nothing.
        if states.len() == range.parallelism
            && let Some(state) = states.get(range.subtask).filter(|state| !state.is_empty())
        {
            let state: GeneratorState =
                serde_json::from_slice(state).map_err(|e| OperatorError::State(e.to_string()))?;
            self.generator.restore(state);
        }
        Ok(())
    }
}

/// The first and the last time of the years 0000 to 9999, in milliseconds since the epoch.
const TIMES: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// Sets rows without an event time, or with one outside the years 0000 to 9999, aside as dirty. Returns the rest with
/// its times.
pub(crate) fn drop_rows_without_time(
    batch: RecordBatch,
    column: &TimeColumn,
    output: &mut Output,
) -> Result<(RecordBatch, Int64Array), OperatorError> {
    let times = column.times(&batch)?;
    let values = column.values(&batch)?;
    if values.null_count() == 0 && values.values().iter().all(|time| TIMES.contains(time)) {
        return Ok((batch, times));
    }
    let keeps = |row: usize| values.is_valid(row) && TIMES.contains(&values.value(row));
    let name = batch.schema().field(column.index).name().clone();
    for row in (0..batch.num_rows()).filter(|row| !keeps(*row)) {
        let reason = match values.is_null(row) {
            true => format!("event time `{name}` is NULL"),
            false => format!("event time `{name}` is not in the years 0000 to 9999"),
        };
        output.dirty.push(DirtyRow { reason, data: row_text(&batch, row) });
    }
    let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(keeps(row))).collect();
    let kept = arrow::compute::filter_record_batch(&batch, &mask)?;
    let times = column.times(&kept)?;
    Ok((kept, times))
}
