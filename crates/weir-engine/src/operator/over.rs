//! OVER windows: for every row the aggregates over the rows before it, itself included.
//!
//! Rows of event time wait until the watermark passes them and are then taken in order of time, those of equal time
//! in order of arrival; rows of processing time are taken as they come. What a frame still holds is kept
//! in [`over_frames`](super::over_frames).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int64Type, Schema, SchemaRef};
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;
use weir_base::time::Timestamp;

use super::assign_watermark::drop_rows_without_time;
use super::evaluate::{dirty_row, evaluate_clean};
use super::over_frames::{FrameRow, Frames};
use super::row_store::{RowRef, RowStore};
use super::running::{Results, Retractions, RunningCall};
use super::window_common::{own_watermark, row_hashes};
use super::{
    AggregateCall, Evaluator, KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output,
};
use crate::message::{TARGET_BATCH_ROWS, TimeDomain};
use crate::state;
use crate::time_column::TimeColumn;

/// The rows before a row that belong to its frame; the row itself always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverFrame {
    /// So many rows of the partition; `None` is all.
    Rows(Option<u64>),
    /// Rows of the partition at most so many milliseconds older; `None` is all. With event time also the rows of the
    /// same time that come after it.
    Range(Option<i64>),
}

impl OverFrame {
    fn is_unbounded(self) -> bool {
        matches!(self, Self::Rows(None) | Self::Range(None))
    }
}

/// The description of the operator.
#[derive(Debug, Clone)]
pub struct OverSpec {
    /// Event or processing time.
    pub domain: TimeDomain,
    /// The time attribute that orders the rows.
    pub time: TimeColumn,
    /// What rows of one partition have in common.
    pub partition: Vec<Arc<dyn PhysicalExpr>>,
    /// The frame.
    pub frame: OverFrame,
    /// The aggregates.
    pub calls: Vec<AggregateCall>,
    /// Columns of the input, the hidden ones too.
    pub input: SchemaRef,
    /// How many of them are visible: the results follow those.
    pub visible: usize,
    /// Columns given out.
    pub output: SchemaRef,
    /// Index of the hidden row-watermark column of the input, when it has one.
    pub row_watermark: Option<usize>,
}

impl OperatorSpec for OverSpec {
    fn name(&self) -> &'static str {
        "Over"
    }

    fn keeps(&self) -> Option<String> {
        let waiting = match self.domain {
            TimeDomain::Event => "rows until the watermark passes them; ",
            TimeDomain::Processing => "",
        };
        let frame = match self.frame {
            OverFrame::Rows(Some(rows)) => format!("the last {} rows of each partition, for ever", rows + 1),
            OverFrame::Range(Some(ms)) => format!("rows of each partition, until they are {ms} ms old"),
            _ => "the aggregates of each partition, for ever".to_string(),
        };
        Some(format!("{waiting}{frame}"))
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Over::new(self.clone())?))
    }
}

/// Computes OVER windows.
pub struct Over {
    spec: OverSpec,
    /// Gives the partition columns, then the argument columns of all calls.
    evaluator: Evaluator,
    calls: Vec<RunningCall>,
    waiting: RowStore,
    /// Rows that wait for the watermark by their time, in order of arrival.
    by_time: BTreeMap<i64, Vec<RowRef>>,
    frames: Frames,
    watermark: i64,
    /// The watermark under way, which goes on when the rows that it has passed have been taken.
    passing: Option<(TimeDomain, Timestamp)>,
}

impl Over {
    /// Makes the operator.
    pub fn new(spec: OverSpec) -> Result<Self, OperatorError> {
        let retractions = match spec.frame.is_unbounded() {
            true => Retractions::Never,
            false => Retractions::Possible,
        };
        let calls = spec
            .calls
            .iter()
            .map(|call| RunningCall::new(call, &spec.input, retractions))
            .collect::<Result<Vec<_>, _>>()?;
        let mut expressions = spec.partition.clone();
        let mut arguments = Vec::with_capacity(calls.len());
        for call in &spec.calls {
            let start = expressions.len() - spec.partition.len();
            expressions.extend(call.arguments());
            arguments.push(start..expressions.len() - spec.partition.len());
        }
        let fields = expressions
            .iter()
            .enumerate()
            .map(|(index, expression)| {
                let of = expression.data_type(&spec.input)?;
                Ok(arrow::datatypes::Field::new(format!("v{index}"), of, true))
            })
            .collect::<Result<Vec<_>, OperatorError>>()?;
        let (keys, values) = fields.split_at(spec.partition.len());
        let keys: SchemaRef = Arc::new(Schema::new(keys.to_vec()));
        let values: SchemaRef = Arc::new(Schema::new(values.to_vec()));
        let evaluated = Arc::new(Schema::new(fields));
        Ok(Self {
            evaluator: Evaluator::new(None, Some((expressions, evaluated))),
            frames: Frames::new(keys, values, &calls, arguments, spec.frame.is_unbounded())?,
            calls,
            waiting: RowStore::new(spec.input.clone()),
            by_time: BTreeMap::new(),
            watermark: i64::MIN,
            passing: None,
            spec,
        })
    }

    /// Lets rows of event time wait; those behind the watermark in force when they were read are late.
    fn wait(&mut self, batch: RecordBatch, times: &Int64Array, output: &mut Output) {
        let row_watermarks =
            self.spec.row_watermark.map(|index| batch.column(index).as_primitive::<Int64Type>().clone());
        let addresses = self.waiting.insert(batch);
        for (row, address) in addresses.enumerate() {
            let in_force = row_watermarks.as_ref().map_or(i64::MIN, |watermarks| watermarks.value(row));
            let time = times.value(row);
            if time <= in_force.max(self.watermark) {
                self.waiting.release(address);
                output.late += 1;
            } else {
                self.by_time.entry(time).or_default().push(address);
            }
        }
    }

    /// Takes the rows that the watermark has passed, in order, until the output is full. Returns whether all are taken. Rows
    /// of the same time are taken together: the frames of some hold them all.
    fn fire(&mut self, watermark: i64, output: &mut Output) -> Result<bool, OperatorError> {
        while self.by_time.first_key_value().is_some_and(|(time, _)| *time <= watermark) {
            if output.is_full() {
                return Ok(false);
            }
            let mut addresses: Vec<RowRef> = Vec::new();
            while addresses.len() < TARGET_BATCH_ROWS
                && let Some(entry) = self.by_time.first_entry().filter(|entry| *entry.key() <= watermark)
            {
                addresses.extend(entry.remove());
            }
            let rows = self.waiting.gather(&addresses)?;
            let times = self.spec.time.times(&rows)?;
            self.take(rows, &times, output)?;
            addresses.into_iter().for_each(|address| self.waiting.release(address));
        }
        if self.waiting.wants_compaction() {
            self.waiting.compact(self.by_time.values_mut().flatten())?;
        }
        Ok(true)
    }

    /// Notes that the watermark of the own domain has passed.
    fn pass(&mut self, watermark: Timestamp) {
        self.watermark = self.watermark.max(watermark.0);
        if watermark == Timestamp::MAX {
            // Nothing follows, so no frame is needed any more.
            self.frames.clear();
        } else if let OverFrame::Range(Some(range)) = self.spec.frame {
            self.frames.expire(watermark.0, range);
        }
    }

    /// Computes the results of rows in their order and gives them out.
    fn take(
        &mut self,
        rows: RecordBatch,
        times: &Int64Array,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let peers = self.spec.domain == TimeDomain::Event && matches!(self.spec.frame, OverFrame::Range(_));
        let mut results: Vec<Results> = self.calls.iter().map(|call| call.results(rows.num_rows())).collect();
        let before = rows.num_rows();
        let evaluate = |rows: &RecordBatch| self.evaluator.evaluate_whole(rows);
        let mut failed =
            |row: &RecordBatch, error: &DataFusionError| output.dirty.push(dirty_row(row, error));
        let Some((rows, evaluated)) = evaluate_clean(rows, &evaluate, &mut failed)? else { return Ok(()) };
        let of_clean;
        let times = match rows.num_rows() == before {
            true => times,
            false => {
                of_clean = self.spec.time.times(&rows)?;
                &of_clean
            }
        };
        let (keys, values) = evaluated.columns().split_at(self.spec.partition.len());
        let count = rows.num_rows();
        let batch = self.frames.batch(keys, values, count)?;
        let mut from = 0;
        while from < count {
            let mut to = from + 1;
            while peers && to < count && times.value(to) == times.value(from) {
                to += 1;
            }
            for row in from..to {
                let place = FrameRow { row, time: times.value(row) };
                self.frames.add(&batch, place, &self.calls, self.spec.frame)?;
            }
            for row in from..to {
                for (results, value) in results.iter_mut().zip(self.frames.values(&batch, row)?) {
                    results.push(value?)?;
                }
            }
            from = to;
        }
        self.frames.compact()?;
        self.give_out(&rows, results, output)
    }

    fn give_out(
        &self,
        rows: &RecordBatch,
        results: Vec<Results>,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let mut columns = rows.columns().to_vec();
        for (index, results) in results.into_iter().enumerate() {
            columns.insert(self.spec.visible + index, results.column()?);
        }
        output.emit(RecordBatch::try_new(self.spec.output.clone(), columns)?);
        Ok(())
    }
}

impl Operator for Over {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let (batch, times) = drop_rows_without_time(batch, &self.spec.time, output)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        match self.spec.domain {
            TimeDomain::Event => {
                self.wait(batch, &times, output);
                Ok(())
            }
            TimeDomain::Processing => self.take(batch, &times, output),
        }
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        self.passing = Some((domain, watermark));
        self.resume(output)
    }

    fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        let Some((domain, watermark)) = self.passing else { return Ok(()) };
        if domain == self.spec.domain {
            if domain == TimeDomain::Event && !self.fire(watermark.0, output)? {
                output.leave_rest();
                return Ok(());
            }
            self.pass(watermark);
        }
        self.passing = None;
        output.watermark(domain, watermark);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        let addresses: Vec<RowRef> = self.by_time.values().flatten().copied().collect();
        let waiting = self.waiting.gather(&addresses)?;
        let (frames, aggregates) = self.frames.snapshot()?;
        state::encode_tables(&self.watermark, &[&[waiting], &[frames], &[aggregates]])
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let mut watermark: Option<i64> = None;
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let (saved, tables) = state::decode_tables::<i64>(bytes)?;
            watermark = Some(watermark.map_or(saved, |w: i64| w.min(saved)));
            let [waiting, frames, aggregates] = tables.as_slice() else {
                return Err(OperatorError::State("an OVER window has three tables of state".to_string()));
            };
            for batch in waiting {
                self.restore_waiting(batch, range)?;
            }
            self.frames.restore(frames, aggregates, &self.calls, self.spec.frame, range)?;
        }
        self.watermark = own_watermark(states, range)?.or(watermark).unwrap_or(i64::MIN);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        let addresses: usize =
            self.by_time.values().map(|rows| 48 + rows.capacity() * size_of::<RowRef>()).sum();
        self.waiting.bytes() + addresses + self.frames.bytes()
    }
}

impl Over {
    fn restore_waiting(&mut self, batch: &RecordBatch, range: &KeyRange) -> Result<(), OperatorError> {
        let hashes = row_hashes(&self.spec.partition, batch)?;
        let own = state::keep_rows(batch, |row| range.contains(hashes[row]))?;
        let times = self.spec.time.times(&own)?;
        for (row, address) in self.waiting.insert(own).enumerate() {
            self.by_time.entry(times.value(row)).or_default().push(address);
        }
        Ok(())
    }
}
