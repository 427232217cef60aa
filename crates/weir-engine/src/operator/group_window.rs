//! Tumbling and hopping group windows on event or processing time.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Int64Type;
use weir_base::time::Timestamp;

use super::slice::{Slice, merge_slices};
use super::window_common::{WindowInput, WindowKind, WindowPlan, key_hashes, own_watermark};
use super::{KeyRange, Operator, OperatorError, Output};
use crate::message::TimeDomain;
use crate::state;

/// Aggregates rows into windows of fixed length.
///
/// Windows are complete when the watermark reaches their end - 1 ms. A row is dropped as late for
/// a window that was complete when the row was read.
pub struct GroupWindow {
    plan: WindowPlan,
    slide: i64,
    size: i64,
    slice_width: i64,
    /// Slices by their start.
    slices: BTreeMap<i64, Slice>,
    /// Windows that end at or before this + 1 ms have been given out.
    watermark: i64,
    work: Option<Work>,
}

/// What is under way.
enum Work {
    /// The rows of a batch from the given one on.
    Rows(Box<WindowInput>, usize),
    /// A watermark, which goes on when the windows that it completes have been given out.
    Watermark(TimeDomain, Timestamp),
}

impl GroupWindow {
    /// Makes the operator; the kind of the plan must not be a session.
    pub fn new(plan: WindowPlan) -> Result<Self, OperatorError> {
        let (slide, size) = match plan.spec.kind {
            WindowKind::Tumble { size } => (size, size),
            WindowKind::Hop { slide, size } => (slide, size),
            WindowKind::Session { .. } => {
                return Err(OperatorError::State("a session is not a window of fixed length".to_string()));
            }
        };
        let slice_width = greatest_common_divisor(slide, size);
        Ok(Self { plan, slide, size, slice_width, slices: BTreeMap::new(), watermark: i64::MIN, work: None })
    }

    /// Returns the end of the last window that holds a time, or `None` when windows leave gaps and none does.
    fn last_end(&self, time: i64) -> Option<i64> {
        let start = floor_to(time, self.slide);
        (time < start.saturating_add(self.size)).then(|| start.saturating_add(self.size))
    }

    /// Returns the start of the first window that holds a slice.
    fn first_start(&self, slice: i64) -> i64 {
        floor_to(slice.saturating_sub(self.size), self.slide).saturating_add(self.slide)
    }

    /// Adds the rows of the input from `from` on, and gives out the windows that their row watermarks complete.
    fn take(
        &mut self,
        input: Box<WindowInput>,
        mut from: usize,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        while let Some(row) = self.next_partly_late(&input, from) {
            self.add(&input, from, row, output)?;
            from = row;
            let watermark = input.row_watermarks.as_ref().map_or(i64::MIN, |w| w.value(row));
            if !self.fire(watermark, output)? {
                self.work = Some(Work::Rows(input, from));
                output.leave_rest();
                return Ok(());
            }
        }
        self.add(&input, from, input.times.len(), output)
    }

    /// Adds rows `from..to` of the input, leaving out those in no open window.
    fn add(
        &mut self,
        input: &WindowInput,
        from: usize,
        to: usize,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let mut rows_by_slice: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        let mut run = SliceRun::default();
        for row in from..to {
            let time = input.times.value(row);
            if !run.covers(time) {
                run.flush(&mut rows_by_slice);
                let slice = floor_to(time, self.slice_width);
                run = SliceRun { slice, width: self.slice_width, end: self.last_end(time), rows: Vec::new() };
            }
            let Some(end) = run.end else { continue };
            if end - 1 <= self.effective_watermark(input, row) {
                self.plan.note_late(input, row, output);
                continue;
            }
            run.rows.push(row as u32);
        }
        run.flush(&mut rows_by_slice);
        for (slice, rows) in rows_by_slice {
            self.add_to_slice(input, slice, rows)?;
        }
        Ok(())
    }

    fn add_to_slice(&mut self, input: &WindowInput, slice: i64, rows: Vec<u32>) -> Result<(), OperatorError> {
        let slice = self.slices.entry(slice).or_default();
        let shape = &self.plan.shape;
        if rows.len() == input.times.len() {
            slice.update(shape, &input.keys, &input.arguments, rows.len())?;
            return Ok(());
        }
        let count = rows.len();
        let indices = UInt32Array::from(rows);
        let pick = |column: &ArrayRef| take(column.as_ref(), &indices, None);
        let keys = input.keys.iter().map(pick).collect::<Result<Vec<_>, _>>()?;
        let arguments = input
            .arguments
            .iter()
            .map(|columns| columns.iter().map(pick).collect::<Result<Vec<_>, _>>())
            .collect::<Result<Vec<_>, _>>()?;
        slice.update(shape, &keys, &arguments, count)?;
        Ok(())
    }

    /// Returns the watermark in force when a row was read.
    fn effective_watermark(&self, input: &WindowInput, row: usize) -> i64 {
        match &input.row_watermarks {
            Some(watermarks) => self.watermark.max(watermarks.value(row)),
            None => self.watermark,
        }
    }

    /// Returns the first row from `from` on that comes after some window it belongs to was completed
    /// by a watermark not yet acted upon. Only overlapping windows need this: with tumbling ones
    /// such a row is late altogether.
    fn next_partly_late(&self, input: &WindowInput, from: usize) -> Option<usize> {
        if self.slide >= self.size {
            return None;
        }
        let watermarks = input.row_watermarks.as_ref()?;
        (from..input.times.len()).find(|row| {
            let effective = watermarks.value(*row);
            let first_start = self.first_start(floor_to(input.times.value(*row), self.slice_width));
            let first_end = first_start.saturating_add(self.size);
            effective > self.watermark && first_end - 1 <= effective
        })
    }

    /// Gives out the windows that a watermark completes, in order of their end, until the output is full. Returns whether
    /// all are given out.
    fn fire(&mut self, watermark: i64, output: &mut Output) -> Result<bool, OperatorError> {
        while let Some((&earliest, _)) = self.slices.iter().next() {
            let mut start = self.first_start(earliest);
            // Windows that end before what has been given out already are done.
            if self.watermark != i64::MIN {
                let first_open =
                    floor_to(self.watermark.saturating_add(1).saturating_sub(self.size), self.slide)
                        .saturating_add(self.slide);
                start = start.max(first_open);
            }
            if start > earliest {
                self.slices.remove(&earliest);
                continue;
            }
            let end = start.saturating_add(self.size);
            if end - 1 > watermark {
                break;
            }
            if output.is_full() {
                return Ok(false);
            }
            self.fire_window(start, end, output)?;
            self.watermark = self.watermark.max(end - 1);
            // The next window starts one slide later; what lies before it is in no open window.
            let next = start.saturating_add(self.slide);
            while let Some(first) = self.slices.first_entry().filter(|first| *first.key() < next) {
                first.remove();
            }
        }
        self.watermark = self.watermark.max(watermark);
        Ok(true)
    }

    fn fire_window(&mut self, start: i64, end: i64, output: &mut Output) -> Result<(), OperatorError> {
        let (keys, results) = if self.slide >= self.size && self.slice_width == self.size {
            let slice = self.slices.remove(&start).unwrap_or_default();
            slice.finish(&self.plan.shape)?
        } else {
            let slices = self.slices.range_mut(start..end).map(|(_, slice)| slice);
            merge_slices(&self.plan.shape, slices)?
        };
        let rows = results.first().or(keys.first()).map_or(1, |column| column.len());
        if rows > 0 {
            output.emit(self.plan.rows(keys, vec![start; rows], vec![end; rows], results)?);
        }
        Ok(())
    }
}

impl Operator for GroupWindow {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        self.work = self.plan.input(batch, output)?.map(|input| Work::Rows(Box::new(input), 0));
        self.resume(output)
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        self.work = Some(Work::Watermark(domain, watermark));
        self.resume(output)
    }

    fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        match self.work.take() {
            None => Ok(()),
            Some(Work::Rows(input, from)) => self.take(input, from, output),
            Some(Work::Watermark(domain, watermark)) => {
                if domain == self.plan.spec.domain && !self.fire(watermark.0, output)? {
                    self.work = Some(Work::Watermark(domain, watermark));
                    output.leave_rest();
                    return Ok(());
                }
                output.watermark(domain, watermark);
                Ok(())
            }
        }
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        let mut batches = Vec::new();
        for (start, slice) in &mut self.slices {
            if let Some(batch) = slice.compact(&self.plan.shape)? {
                let start: ArrayRef = Arc::new(Int64Array::from(vec![*start; batch.num_rows()]));
                batches.push(state::with_column(batch, "slice", start)?);
            }
        }
        state::encode(&self.watermark, &batches)
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let mut watermark: Option<i64> = None;
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let (saved, batches) = state::decode::<i64>(bytes)?;
            watermark = Some(watermark.map_or(saved, |w| w.min(saved)));
            for batch in batches {
                let start = batch.column(batch.num_columns() - 1).as_primitive::<Int64Type>().clone();
                let batch = state::without_last_column(&batch, &self.plan.shape.state)?;
                let keys = &batch.columns()[..self.plan.shape.keys.fields().len()];
                let hashes = key_hashes(keys, batch.num_rows())?;
                let batch = state::keep_rows(&batch, |row| range.contains(hashes[row]))?;
                if batch.num_rows() > 0 {
                    self.slices.entry(start.value(0)).or_default().restore(batch);
                }
            }
        }
        self.watermark = own_watermark(states, range)?.or(watermark).unwrap_or(i64::MIN);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.slices.values().map(Slice::bytes).sum()
    }
}

/// Neighbouring rows of one slice. All times of a slice lie in the same windows, so the division is done
/// once for the run and not for every row.
#[derive(Default)]
struct SliceRun {
    slice: i64,
    width: i64,
    /// End of the last window that holds the slice.
    end: Option<i64>,
    rows: Vec<u32>,
}

impl SliceRun {
    fn covers(&self, time: i64) -> bool {
        time >= self.slice && time < self.slice.saturating_add(self.width)
    }

    fn flush(&mut self, rows_by_slice: &mut BTreeMap<i64, Vec<u32>>) {
        if !self.rows.is_empty() {
            rows_by_slice.entry(self.slice).or_default().append(&mut self.rows);
        }
    }
}

/// Returns the greatest multiple of `width` that is not above `time`.
fn floor_to(time: i64, width: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(width))
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
