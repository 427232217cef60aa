//! Joins rows whose times are close: `lower <= right - left <= upper`.
//!
//! A row is kept until the watermark has passed the last time at which a row of the other input can match it. Then it
//! goes; one that matched nothing, of an input whose rows are kept without a match, is given out with NULLs. A row is late
//! when the watermark of its own input has passed it. So what is given out depends on the rows and their watermarks alone,
//! not on batches, nor on how far the inputs have been read: kept rows that the watermark of a later row has passed are
//! out of its bounds.
//!
//! A joined row is as old as the older of its rows, so the watermark that goes on is held back to where no kept row, and
//! so no joined row, can be behind it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use weir_base::time::Timestamp;

use super::super::keyed_state::KeyedState;
use super::super::row_store::{RowRef, RowStore};
use super::super::window_common::{key_hashes, own_watermark};
use super::super::{
    KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output, drop_rows_without_time,
};
use super::interval_batch::{LookUp, Pairs};
use super::interval_rows::{Kept, OfKey, Side, oldest_times, raw_times};
use super::joined::Joined;
use super::kept::{self, gone};
use super::schedule::Schedule;
use super::spec::{JoinInput, JoinSpec};
use crate::message::{TARGET_BATCH_ROWS, TimeDomain};
use crate::state;
use crate::time_column::TimeColumn;

/// An interval join, as the planner describes it. Its inputs and its output only add rows.
#[derive(Debug, Clone)]
pub struct IntervalJoinSpec {
    /// Keys, kinds, the rest of the condition.
    pub join: JoinSpec,
    /// Event or processing time.
    pub domain: TimeDomain,
    /// The time that is bounded, of the left and of the right input.
    pub times: [TimeColumn; 2],
    /// Other time attributes of the inputs, which the result has too.
    pub attributes: [Vec<TimeColumn>; 2],
    /// Indices of the hidden row-watermark columns of the inputs that have one.
    pub row_watermarks: [Option<usize>; 2],
    /// The least difference of the right and the left time, in milliseconds.
    pub lower: i64,
    /// The greatest.
    pub upper: i64,
}

impl OperatorSpec for IntervalJoinSpec {
    fn name(&self) -> &'static str {
        "IntervalJoin"
    }

    fn keeps(&self) -> Option<String> {
        Some(
            "the rows of both inputs, until the watermark says that no row within their bounds follows"
                .to_string(),
        )
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(IntervalJoin::new(self.clone())?))
    }
}

/// What is under way.
pub(super) enum Work {
    /// A batch is looked up; then its rows are kept.
    Batch(Box<LookUp>),
    /// Rows go that the watermark lets go; then it is passed on.
    Watermark(i64),
}

/// See the module.
pub struct IntervalJoin {
    pub(super) domain: TimeDomain,
    pub(super) sides: [Side; 2],
    pub(super) joined: Joined,
    pub(super) keys: KeyedState<OfKey>,
    pub(super) schedule: Schedule,
    /// The greatest distance from a time attribute of a kept row to the instant at which the row goes.
    pub(super) reach: i64,
    /// Places for rows that the keys have.
    pub(super) places: usize,
    pub(super) watermark: i64,
    pub(super) given_watermark: i64,
    pub(super) work: Option<Work>,
}

impl IntervalJoin {
    /// Makes the operator.
    pub fn new(spec: IntervalJoinSpec) -> Result<Self, OperatorError> {
        let joined = Joined::new(&spec.join)?;
        let [left, right] = spec.join.inputs;
        let keys = KeyedState::new(left.key_schema(), Duration::MAX)?;
        let [left_time, right_time] = spec.times;
        let [left_attributes, right_attributes] = spec.attributes;
        let side = |input: JoinInput, time, attributes, row_watermark, first, last| {
            let store = RowStore::new(input.schema.clone());
            Side { input, time, attributes, row_watermark, first, last, store }
        };
        let (lower, upper) = (spec.lower, spec.upper);
        let [left_watermark, right_watermark] = spec.row_watermarks;
        let sides = [
            side(left, left_time, left_attributes, left_watermark, lower, upper),
            side(
                right,
                right_time,
                right_attributes,
                right_watermark,
                upper.saturating_neg(),
                lower.saturating_neg(),
            ),
        ];
        Ok(Self {
            domain: spec.domain,
            sides,
            joined,
            keys,
            schedule: Schedule::default(),
            reach: i64::MIN,
            places: 0,
            watermark: i64::MIN,
            given_watermark: i64::MIN,
            work: None,
        })
    }

    /// Takes the rows of a batch that are neither late nor without a time.
    fn timely(
        &self,
        input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<RecordBatch, OperatorError> {
        let side = &self.sides[input];
        let (batch, times) = drop_rows_without_time(batch, &side.time, output)?;
        let timely: Vec<bool> = match side.row_watermark {
            Some(index) => {
                let watermarks = batch.column(index).as_primitive::<Int64Type>();
                let rows = times.values().iter().zip(watermarks.values());
                rows.map(|(time, watermark)| *time > self.watermark.max(*watermark)).collect()
            }
            None => times.values().iter().map(|time| *time > self.watermark).collect(),
        };
        let late = timely.iter().filter(|timely| !**timely).count();
        if late == 0 {
            return Ok(batch);
        }
        output.late += late as u64;
        Ok(filter_record_batch(&batch, &BooleanArray::from(timely))?)
    }

    /// Keeps the rows of a batch.
    fn keep(&mut self, input: usize, batch: &RecordBatch, matched: &[bool]) -> Result<(), OperatorError> {
        let side = &mut self.sides[input];
        let times = raw_times(&side.time, batch)?;
        let oldest = oldest_times(side, batch)?;
        let key_rows = self.keys.rows(&side.input.key_columns(batch), batch.num_rows())?;
        let addresses = side.store.insert(batch.clone());
        for (row, at) in addresses.enumerate() {
            let time = times.value(row);
            let goes = side.goes(time);
            self.reach = self.reach.max(goes.saturating_sub(oldest.value(row)));
            let key = match self.keys.find(key_rows.key(row)) {
                Some(key) => key,
                None => {
                    let empty = OfKey { scheduled: i64::MAX, ..OfKey::default() };
                    self.keys.insert(key_rows.key(row), empty, Timestamp(0))
                }
            };
            let of_key = self.keys.get_mut(key).ok_or_else(gone)?;
            let rows = &mut of_key.rows[input];
            let place = rows.partition_point(|kept| kept.time <= time);
            let before = rows.capacity();
            rows.insert(place, Kept { time, at, matched: matched[row] });
            self.places += rows.capacity() - before;
            if goes < of_key.scheduled {
                of_key.scheduled = goes;
                self.schedule.add(goes, key);
            }
        }
        Ok(())
    }

    /// Lets the rows go that cannot match any more, until a batch of them is given out with NULLs. Returns whether all are
    /// gone.
    fn let_go(&mut self, watermark: i64, output: &mut Output) -> Result<bool, OperatorError> {
        let mut gone: [Vec<RowRef>; 2] = Default::default();
        let mut unmatched: [Vec<RowRef>; 2] = Default::default();
        let mut is_done = false;
        while unmatched.iter().map(Vec::len).sum::<usize>() < TARGET_BATCH_ROWS {
            let Some((due, keys)) = self.schedule.take_due(watermark) else {
                is_done = true;
                break;
            };
            for key in keys {
                let Some(of_key) = self.keys.get_mut(key).filter(|of_key| of_key.scheduled == due) else {
                    continue;
                };
                let mut next = i64::MAX;
                for (input, side) in self.sides.iter().enumerate() {
                    let rows = &mut of_key.rows[input];
                    while let Some(kept) = rows.front() {
                        let goes = side.goes(kept.time);
                        if goes > watermark {
                            next = next.min(goes);
                            break;
                        }
                        if side.input.kept_without_match && !kept.matched {
                            unmatched[input].push(kept.at);
                        }
                        gone[input].push(kept.at);
                        rows.pop_front();
                    }
                }
                if of_key.rows.iter().all(VecDeque::is_empty) {
                    self.places -= of_key.rows.iter().map(VecDeque::capacity).sum::<usize>();
                    self.keys.remove(key);
                } else {
                    of_key.scheduled = next;
                    self.schedule.add(next, key);
                }
            }
        }
        for (input, side) in self.sides.iter_mut().enumerate() {
            for rows in unmatched[input].chunks(TARGET_BATCH_ROWS) {
                output.emit(self.joined.padded(input, &side.store.gather(rows)?)?);
            }
            gone[input].iter().for_each(|at| side.store.release(*at));
        }
        self.compact()?;
        Ok(is_done)
    }

    fn compact(&mut self) -> Result<(), OperatorError> {
        for (input, side) in self.sides.iter_mut().enumerate() {
            kept::compact(input, &mut side.store, &mut self.keys)?;
        }
        Ok(())
    }

    fn pass_on_watermark(&mut self, output: &mut Output) {
        let held_back = self.held_back();
        if held_back > self.given_watermark {
            self.given_watermark = held_back;
            output.watermark(self.domain, Timestamp(held_back));
        }
    }

    /// Returns the greatest watermark that no kept row and no row to come is behind.
    fn held_back(&mut self) -> i64 {
        let keys = &self.keys;
        let is_valid = |goes, key| keys.get(key).is_some_and(|of_key: &OfKey| of_key.scheduled == goes);
        match self.schedule.first(is_valid) {
            Some(goes) => self.watermark.min(goes.saturating_sub(self.reach).saturating_sub(1)),
            None => self.watermark,
        }
    }

    /// Returns the kept rows of an input as a table of a snapshot.
    fn table(&self, input: usize) -> Result<Vec<RecordBatch>, OperatorError> {
        let side = &self.sides[input];
        let kept: Vec<&Kept> =
            self.keys.entries().flat_map(|(_, of_key)| of_key.rows[input].iter()).collect();
        let mut batches = Vec::new();
        for chunk in kept.chunks(TARGET_BATCH_ROWS) {
            let addresses: Vec<RowRef> = chunk.iter().map(|kept| kept.at).collect();
            let matched: BooleanArray = chunk.iter().map(|kept| Some(kept.matched)).collect();
            let rows = side.store.gather(&addresses)?;
            batches.push(state::with_column(&rows, "matched", Arc::new(matched))?);
        }
        Ok(batches)
    }

    fn restore_table(
        &mut self,
        input: usize,
        batches: &[RecordBatch],
        range: &KeyRange,
    ) -> Result<(), OperatorError> {
        for batch in batches {
            let rows = state::without_last_column(batch, &self.sides[input].input.schema)?;
            let hashes = key_hashes(&self.sides[input].input.key_columns(&rows), rows.num_rows())?;
            let own = state::keep_rows(batch, |row| range.contains(hashes[row]))?;
            let matched = own.column(own.num_columns() - 1).as_boolean_opt().ok_or_else(gone)?;
            let matched: Vec<bool> = matched.iter().map(|matched| matched.unwrap_or(false)).collect();
            let rows = state::without_last_column(&own, &self.sides[input].input.schema)?;
            self.keep(input, &rows, &matched)?;
        }
        Ok(())
    }
}

impl Operator for IntervalJoin {
    fn process(
        &mut self,
        input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let batch = self.timely(input, batch, output)?;
        let side = &self.sides[input].input;
        let (rows, without_key) = side.rows_with_keys(side.kept_columns(&batch)?)?;
        if let Some(without_key) = without_key.filter(|_| side.kept_without_match) {
            output.emit(self.joined.padded(input, &without_key)?);
        }
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let side = &self.sides[input];
        self.work = Some(Work::Batch(Box::new(LookUp {
            input,
            times: raw_times(&side.time, &rows)?,
            key_rows: self.keys.rows(&side.input.key_columns(&rows), rows.num_rows())?,
            matched: vec![false; rows.num_rows()],
            rows,
            next: 0,
            place: 0,
            pairs: Pairs::default(),
        })));
        self.resume(output)
    }

    fn resume(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        match self.work.take() {
            None => Ok(()),
            Some(Work::Batch(mut batch)) => {
                if self.look_up(&mut batch, output)? {
                    self.keep(batch.input, &batch.rows, &batch.matched)?;
                    return self.compact();
                }
                self.work = Some(Work::Batch(batch));
                output.leave_rest();
                Ok(())
            }
            Some(Work::Watermark(watermark)) => {
                if self.let_go(watermark, output)? {
                    self.pass_on_watermark(output);
                    return Ok(());
                }
                self.work = Some(Work::Watermark(watermark));
                output.leave_rest();
                Ok(())
            }
        }
    }

    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        if domain != self.domain {
            output.watermark(domain, watermark);
            return Ok(());
        }
        self.watermark = self.watermark.max(watermark.0);
        self.work = Some(Work::Watermark(watermark.0));
        self.resume(output)
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        let (left, right) = (self.table(0)?, self.table(1)?);
        state::encode_tables(&self.watermark, &[&left, &right])
    }

    fn restore(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let mut watermark: Option<i64> = None;
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let (saved, tables) = state::decode_tables::<i64>(bytes)?;
            watermark = Some(watermark.map_or(saved, |least| least.min(saved)));
            for (input, batches) in tables.iter().enumerate().take(2) {
                self.restore_table(input, batches, range)?;
            }
        }
        self.watermark = own_watermark(states, range)?.or(watermark).unwrap_or(i64::MIN);
        Ok(())
    }

    fn tells_inputs_apart(&self) -> bool {
        true
    }

    fn state_bytes(&self) -> usize {
        let rows: usize = self.sides.iter().map(|side| side.store.bytes()).sum();
        if self.keys.len() == 0 {
            return rows;
        }
        rows + self.keys.bytes() + self.places * size_of::<Kept>() + self.schedule.bytes()
    }
}
