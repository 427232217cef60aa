//! What OVER windows keep for each partition: the rows of its frame and the aggregates over them.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion_common::ScalarValue;

use super::over::OverFrame;
use super::row_store::{RowRef, RowStore};
use super::running::{RunningAggregate, RunningCall};
use super::window_common::key_hashes;
use super::{KeyRange, OperatorError};
use crate::state;

/// A partition key in row format.
type Key = Arc<[u8]>;

/// The counters beside a key of who shares it.
const KEY_COUNTERS: usize = 16;

/// A row of a batch that joins a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameRow {
    pub(crate) row: usize,
    pub(crate) time: i64,
}

struct Partition {
    /// Time and arguments of the rows of the frame, oldest first; empty with an unbounded frame, whose
    /// rows never leave.
    rows: VecDeque<(i64, RowRef)>,
    aggregates: Vec<Box<dyn RunningAggregate>>,
    /// Time of the one valid entry of the partition in the schedule.
    scheduled: i64,
}

/// The rows of one batch on their way into frames.
pub(crate) struct FrameBatch {
    keys: Option<Rows>,
    /// Columns of the arguments of all calls.
    values: Vec<ArrayRef>,
    /// Where the rows are kept; empty with an unbounded frame.
    addresses: Vec<RowRef>,
}

/// The frames of all partitions of one subtask.
pub(crate) struct Frames {
    keys: SchemaRef,
    converter: RowConverter,
    /// Where the arguments of each call stand among all arguments.
    ranges: Vec<Range<usize>>,
    unbounded: bool,
    partitions: HashMap<Key, Partition>,
    arguments: RowStore,
    /// When to look at which partition, earliest first; entries that a partition no longer means are skipped.
    schedule: BinaryHeap<Reverse<(i64, Key)>>,
    aggregates: SchemaRef,
    frame_rows: SchemaRef,
}

impl Frames {
    pub(crate) fn new(
        keys: SchemaRef,
        arguments: SchemaRef,
        calls: &[RunningCall],
        ranges: Vec<Range<usize>>,
        unbounded: bool,
    ) -> Result<Self, OperatorError> {
        let fields = keys.fields().iter().map(|f| SortField::new(f.data_type().clone())).collect();
        let states = calls.iter().flat_map(|call| call.state_types().iter());
        let states =
            states.enumerate().map(|(i, of)| Arc::new(Field::new(format!("s{i}"), of.clone(), true)));
        let aggregates = keys.fields().iter().cloned().chain(states).collect::<Vec<_>>();
        let time = Arc::new(Field::new("time", DataType::Int64, false));
        let frame_rows =
            keys.fields().iter().chain(arguments.fields()).cloned().chain([time]).collect::<Vec<_>>();
        Ok(Self {
            converter: RowConverter::new(fields)?,
            keys,
            ranges,
            unbounded,
            partitions: HashMap::new(),
            arguments: RowStore::new(arguments),
            schedule: BinaryHeap::new(),
            aggregates: Arc::new(Schema::new(aggregates)),
            frame_rows: Arc::new(Schema::new(frame_rows)),
        })
    }

    /// Prepares the rows of a batch: their partition keys and argument columns.
    pub(crate) fn batch(
        &mut self,
        keys: &[ArrayRef],
        values: &[ArrayRef],
        rows: usize,
    ) -> Result<FrameBatch, OperatorError> {
        let keys = match keys.is_empty() {
            true => None,
            false => Some(self.converter.convert_columns(keys)?),
        };
        let addresses = match self.unbounded {
            true => Vec::new(),
            false => {
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                let schema = self.arguments.schema().clone();
                let batch = RecordBatch::try_new_with_options(schema, values.to_vec(), &options)?;
                self.arguments.insert(batch).collect()
            }
        };
        Ok(FrameBatch { keys, values: values.to_vec(), addresses })
    }

    /// Lets a row join the frame of its partition and those leave it that are too old for it.
    pub(crate) fn add(
        &mut self,
        batch: &FrameBatch,
        at: FrameRow,
        calls: &[RunningCall],
        frame: OverFrame,
    ) -> Result<(), OperatorError> {
        let key = batch.key(at.row);
        let partition = match self.partitions.entry(key.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Partition::new(calls)),
        };
        for (aggregate, range) in partition.aggregates.iter_mut().zip(&self.ranges) {
            aggregate.add(&batch.values[range.clone()], at.row)?;
        }
        if self.unbounded {
            return Ok(());
        }
        partition.rows.push_back((at.time, batch.addresses[at.row]));
        loop {
            let leaves = match (frame, partition.rows.front()) {
                (OverFrame::Rows(Some(before)), _) => partition.rows.len() as u64 > before.saturating_add(1),
                (OverFrame::Range(Some(range)), Some((time, _))) => *time < at.time.saturating_sub(range),
                _ => false,
            };
            if !leaves {
                break;
            }
            partition.retract_oldest(&mut self.arguments, &self.ranges)?;
        }
        if let OverFrame::Range(Some(range)) = frame {
            let due = partition.rows.front().map_or(i64::MAX, |(time, _)| time.saturating_add(range));
            if partition.scheduled == i64::MAX {
                partition.scheduled = due;
                self.schedule.push(Reverse((due, key)));
            }
        }
        Ok(())
    }

    /// Returns the results of a row of the batch.
    pub(crate) fn values<'a>(
        &'a self,
        batch: &FrameBatch,
        row: usize,
    ) -> Result<impl Iterator<Item = Result<ScalarValue, OperatorError>> + 'a, OperatorError> {
        match self.partitions.get(&batch.key(row)) {
            Some(partition) => Ok(partition.aggregates.iter().map(|aggregate| aggregate.value())),
            None => Err(OperatorError::State("the partition of a row is gone".to_string())),
        }
    }

    /// Frees the partitions whose rows no later row can have in its frame.
    pub(crate) fn expire(&mut self, watermark: i64, range: i64) {
        while let Some(Reverse((due, _))) = self.schedule.peek()
            && *due <= watermark
        {
            let Some(Reverse((due, key))) = self.schedule.pop() else { break };
            let Some(partition) = self.partitions.get_mut(&key).filter(|own| own.scheduled == due) else {
                continue;
            };
            let newest = partition.rows.back().map_or(i64::MIN, |(time, _)| *time);
            if newest.saturating_add(range) <= watermark {
                if let Some(partition) = self.partitions.remove(&key) {
                    partition.rows.into_iter().for_each(|(_, address)| self.arguments.release(address));
                }
                continue;
            }
            // Its next row lets the old ones leave; until then it is looked at when the newest is too old.
            partition.scheduled = newest.saturating_add(range);
            self.schedule.push(Reverse((partition.scheduled, key)));
        }
        if self.partitions.is_empty() {
            // What a burst of partitions needed is given back.
            (self.partitions, self.schedule) = (HashMap::new(), BinaryHeap::new());
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.partitions, self.schedule) = (HashMap::new(), BinaryHeap::new());
        self.arguments = RowStore::new(self.arguments.schema().clone());
    }

    /// Copies kept rows together when most of what is held is dead.
    pub(crate) fn compact(&mut self) -> Result<(), OperatorError> {
        if !self.arguments.wants_compaction() {
            return Ok(());
        }
        let rows = self.partitions.values_mut().flat_map(|partition| &mut partition.rows);
        self.arguments.compact(rows.map(|(_, address)| address))
    }

    pub(crate) fn bytes(&self) -> usize {
        let outside = |(key, own): (&Key, &Partition)| {
            let boxes = own.aggregates.capacity() * size_of::<Box<dyn RunningAggregate>>();
            let aggregates: usize = own.aggregates.iter().map(|aggregate| aggregate.bytes()).sum();
            let rows = own.rows.capacity() * size_of::<(i64, RowRef)>();
            KEY_COUNTERS + key.len() + boxes + aggregates + rows
        };
        // A place of the table has one more byte.
        let table = self.partitions.capacity() * (size_of::<(Key, Partition)>() + 1);
        let scheduled = self.schedule.capacity() * size_of::<Reverse<(i64, Key)>>();
        self.arguments.bytes() + table + scheduled + self.partitions.iter().map(outside).sum::<usize>()
    }

    /// Returns the rows of all frames, and, where rows never leave, the aggregates of all partitions.
    pub(crate) fn snapshot(&self) -> Result<(RecordBatch, RecordBatch), OperatorError> {
        let parser = self.converter.parser();
        let mut keys = Vec::with_capacity(self.partitions.len());
        let (mut owners, mut times, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        let state_columns = self.aggregates.fields().len() - self.keys.fields().len();
        let mut states: Vec<Vec<ScalarValue>> = vec![Vec::new(); state_columns];
        for (owner, (key, partition)) in self.partitions.iter().enumerate() {
            keys.push(parser.parse(key));
            for (time, address) in &partition.rows {
                owners.push(owner as u32);
                times.push(*time);
                addresses.push(*address);
            }
            if self.unbounded {
                let values = partition.aggregates.iter().map(|aggregate| aggregate.state());
                let values = values.collect::<Result<Vec<_>, _>>()?.into_iter().flatten();
                states.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
            }
        }
        let count = keys.len();
        let key_columns = match self.keys.fields().is_empty() {
            true => Vec::new(),
            false => self.converter.convert_rows(keys)?,
        };
        let arguments = self.arguments.gather(&addresses)?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let by_partition =
            RecordBatch::try_new_with_options(self.keys.clone(), key_columns.clone(), &options)?;
        let mut columns = match self.keys.fields().is_empty() {
            true => Vec::new(),
            false => take_record_batch(&by_partition, &UInt32Array::from(owners))?.columns().to_vec(),
        };
        columns.extend(arguments.columns().iter().cloned());
        columns.push(Arc::new(Int64Array::from(times)));
        let frames = RecordBatch::try_new(self.frame_rows.clone(), columns)?;
        let aggregates = match self.unbounded && count > 0 {
            false => RecordBatch::new_empty(self.aggregates.clone()),
            true => {
                let mut columns = key_columns;
                for values in states {
                    columns.push(ScalarValue::iter_to_array(values)?);
                }
                let options = RecordBatchOptions::new().with_row_count(Some(count));
                RecordBatch::try_new_with_options(self.aggregates.clone(), columns, &options)?
            }
        };
        Ok((frames, aggregates))
    }

    /// Takes over what belongs to `range` of what another subtask kept.
    pub(crate) fn restore(
        &mut self,
        frames: &[RecordBatch],
        aggregates: &[RecordBatch],
        calls: &[RunningCall],
        frame: OverFrame,
        range: &KeyRange,
    ) -> Result<(), OperatorError> {
        let width = self.keys.fields().len();
        for batch in frames {
            let own = own_rows(batch, width, range)?;
            let times = own.column(own.num_columns() - 1).as_primitive::<Int64Type>().clone();
            let values = &own.columns()[width..own.num_columns() - 1];
            let rows = self.batch(&own.columns()[..width], values, own.num_rows())?;
            for row in 0..own.num_rows() {
                let at = FrameRow { row, time: times.value(row) };
                // In the order in which they came: what has left before is not here, and nothing leaves again.
                self.add(&rows, at, calls, frame)?;
            }
        }
        for batch in aggregates {
            let own = own_rows(batch, width, range)?;
            if own.num_rows() == 0 {
                continue;
            }
            let rows = self.batch(&own.columns()[..width], &[], 0)?;
            for row in 0..own.num_rows() {
                let mut partition = Partition::new(calls);
                let mut column = width;
                for (aggregate, call) in partition.aggregates.iter_mut().zip(calls) {
                    let state = (column..column + call.state_types().len())
                        .map(|index| ScalarValue::try_from_array(own.column(index), row))
                        .collect::<Result<Vec<_>, _>>()?;
                    column += state.len();
                    aggregate.restore(&state)?;
                }
                self.partitions.insert(rows.key(row), partition);
            }
        }
        Ok(())
    }
}

fn own_rows(batch: &RecordBatch, width: usize, range: &KeyRange) -> Result<RecordBatch, OperatorError> {
    let hashes = key_hashes(&batch.columns()[..width], batch.num_rows())?;
    state::keep_rows(batch, |row| range.contains(hashes[row]))
}

impl Partition {
    fn new(calls: &[RunningCall]) -> Self {
        let aggregates = calls.iter().map(RunningCall::aggregate).collect();
        Self { rows: VecDeque::new(), aggregates, scheduled: i64::MAX }
    }

    fn retract_oldest(
        &mut self,
        arguments: &mut RowStore,
        ranges: &[Range<usize>],
    ) -> Result<(), OperatorError> {
        let Some((_, address)) = self.rows.pop_front() else { return Ok(()) };
        {
            let (batch, row) = arguments.row(address)?;
            for (aggregate, range) in self.aggregates.iter_mut().zip(ranges) {
                aggregate.retract(&batch.columns()[range.clone()], row)?;
            }
        }
        arguments.release(address);
        Ok(())
    }
}

impl FrameBatch {
    fn key(&self, row: usize) -> Key {
        self.keys.as_ref().map_or_else(|| Key::from([]), |keys| Key::from(keys.row(row).as_ref()))
    }
}
