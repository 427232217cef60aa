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

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{filter, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType};
use weir_base::text::Zone;
use weir_base::time::Timestamp;

use super::super::keyed_state::{KeyId, KeyedState};
use super::super::row_store::{RowRef, RowStore};
use super::super::window_common::{key_hashes, own_watermark};
use super::super::{
    KeyRange, Operator, OperatorContext, OperatorError, OperatorSpec, Output, drop_rows_without_time,
};
use super::joined::{Joined, Pairs as JoinedPairs};
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

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(IntervalJoin::new(self.clone())?))
    }
}

/// A row that may still match.
#[derive(Debug)]
struct Kept {
    /// Its time as the column holds it: bounds are in the terms of the query, a wall clock in the zone of the job.
    time: i64,
    at: RowRef,
    matched: bool,
}

/// The rows of one key, in order of time.
#[derive(Debug, Default)]
struct OfKey {
    rows: [VecDeque<Kept>; 2],
    /// When the first of them goes; the one valid entry of the key in the schedule.
    scheduled: i64,
}

/// Pairs of a row of the batch under way and a kept row of the other input.
#[derive(Default)]
struct Pairs {
    rows: Vec<u32>,
    kept: Vec<Option<RowRef>>,
    /// Where the kept row stands: key and place.
    places: Vec<(KeyId, usize)>,
}

/// The times of one input.
struct Side {
    input: JoinInput,
    time: TimeColumn,
    attributes: Vec<TimeColumn>,
    row_watermark: Option<usize>,
    /// A row at `t` matches rows of the other input from `t + first` to `t + last`.
    first: i64,
    last: i64,
    store: RowStore,
}

/// See the module.
pub struct IntervalJoin {
    domain: TimeDomain,
    sides: [Side; 2],
    joined: Joined,
    keys: KeyedState<OfKey>,
    schedule: Schedule,
    /// The greatest distance from a time attribute of a kept row to the instant at which the row goes.
    reach: i64,
    /// Places for rows that the keys have.
    places: usize,
    watermark: i64,
    given_watermark: i64,
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

    /// Gives out the pairs that meet the rest of the condition and notes that their rows have a match.
    fn give_pairs(
        &mut self,
        input: usize,
        batch: &RecordBatch,
        pairs: &mut Pairs,
        matched: &mut [bool],
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Pairs { rows, kept, places } = std::mem::take(pairs);
        if rows.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(rows);
        let store = &self.sides[1 - input].store;
        let looked_at = JoinedPairs { input, batch, indices: &indices, store, kept: &kept };
        let mask = self.joined.matches(&looked_at, output)?;
        let joined = match &mask {
            Some(mask) => {
                let indices = filter(&indices, mask)?;
                let kept: Vec<_> =
                    kept.iter().zip(mask.values()).filter_map(|(at, meets)| meets.then_some(*at)).collect();
                self.joined.rows(&JoinedPairs {
                    indices: indices.as_primitive(),
                    kept: &kept,
                    ..looked_at
                })?
            }
            None => self.joined.rows(&looked_at)?,
        };
        for (pair, (row, (key, place))) in indices.values().iter().zip(places).enumerate() {
            if mask.as_ref().is_none_or(|mask| mask.value(pair)) {
                matched[*row as usize] = true;
                let kept = self.keys.get_mut(key).and_then(|of_key| of_key.rows[1 - input].get_mut(place));
                kept.ok_or_else(gone)?.matched = true;
            }
        }
        output.emit(joined);
        Ok(())
    }

    /// Looks up the kept rows that the rows of a batch match. Returns which rows have a match.
    fn look_up(
        &mut self,
        input: usize,
        batch: &RecordBatch,
        times: &Int64Array,
        output: &mut Output,
    ) -> Result<Vec<bool>, OperatorError> {
        let (first, last) = (self.sides[input].first, self.sides[input].last);
        let key_rows = self.keys.rows(&self.sides[input].input.key_columns(batch), batch.num_rows())?;
        let mut matched = vec![false; batch.num_rows()];
        let mut pairs = Pairs::default();
        for row in 0..batch.num_rows() {
            let Some(key) = self.keys.find(key_rows.key(row)) else { continue };
            let time = times.value(row);
            let (from, to) = (time.saturating_add(first), time.saturating_add(last));
            let others = self.rows_of(key, 1 - input)?;
            let mut place = others.partition_point(|kept| kept.time < from);
            let end = others.partition_point(|kept| kept.time <= to);
            while place < end {
                let stop = end.min(place + TARGET_BATCH_ROWS - pairs.rows.len());
                for kept in self.rows_of(key, 1 - input)?.range(place..stop) {
                    pairs.rows.push(row as u32);
                    pairs.kept.push(Some(kept.at));
                    pairs.places.push((key, place));
                    place += 1;
                }
                if pairs.rows.len() == TARGET_BATCH_ROWS {
                    self.give_pairs(input, batch, &mut pairs, &mut matched, output)?;
                }
            }
        }
        self.give_pairs(input, batch, &mut pairs, &mut matched, output)?;
        Ok(matched)
    }

    fn rows_of(&self, key: KeyId, input: usize) -> Result<&VecDeque<Kept>, OperatorError> {
        self.keys.get(key).map(|of_key| &of_key.rows[input]).ok_or_else(gone)
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

    /// Lets the rows go that cannot match any more.
    fn let_go(&mut self, watermark: i64, output: &mut Output) -> Result<(), OperatorError> {
        let mut gone: [Vec<RowRef>; 2] = Default::default();
        let mut unmatched: [Vec<RowRef>; 2] = Default::default();
        while let Some((due, keys)) = self.schedule.take_due(watermark) {
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

impl Side {
    /// Returns the instant at which a row cannot match any more.
    fn goes(&self, time: i64) -> i64 {
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
fn raw_times(column: &TimeColumn, batch: &RecordBatch) -> Result<Int64Array, OperatorError> {
    let values = batch.column(column.index);
    match values.as_primitive_opt::<TimestampMillisecondType>() {
        Some(walls) => Ok(walls.reinterpret_cast::<Int64Type>()),
        None => Ok(column.times(batch)?),
    }
}

/// Returns the earliest instant among the time attributes of each row.
fn oldest_times(side: &Side, batch: &RecordBatch) -> Result<Int64Array, OperatorError> {
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
        let times = raw_times(&self.sides[input].time, &rows)?;
        let matched = self.look_up(input, &rows, &times, output)?;
        self.keep(input, &rows, &matched)?;
        self.compact()
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
        self.let_go(watermark.0, output)?;
        let held_back = self.held_back();
        if held_back > self.given_watermark {
            self.given_watermark = held_back;
            output.watermark(domain, Timestamp(held_back));
        }
        Ok(())
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

fn gone() -> OperatorError {
    OperatorError::State("a row that a join keeps is gone".to_string())
}
