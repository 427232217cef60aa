//! The state of the operator in checkpoints: the rows of every partition from its attempt on, and those that wait.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int8Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Int8Type, Int64Type, Schema};

use super::operator::MatchRecognize;
use super::partition::KeptRow;
use crate::message::TARGET_BATCH_ROWS;
use crate::operator::row_store::RowRef;
use crate::operator::window_common::{key_hashes, own_watermark};
use crate::operator::{KeyRange, OperatorError};
use crate::state;

/// What a saved row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
enum Saved {
    /// A row before the attempt, which conditions look back to.
    Before = 0,
    /// A row of the attempt under way, or after it.
    Open = 1,
    /// A row that waits for the watermark.
    Waiting = 2,
    /// A partition without rows; only its number of matches counts.
    Count = 3,
}

struct SavedRow<'a> {
    saved: Saved,
    at: Option<RowRef>,
    key: &'a [u8],
    time: i64,
    matches: u64,
}

impl MatchRecognize {
    pub(super) fn save(&self) -> Result<Vec<u8>, OperatorError> {
        let mut rows = Vec::new();
        for (_, partition) in self.partitions.iter() {
            let (key, matches) = (&*partition.key, partition.matches);
            for (place, KeptRow { at, time, .. }) in partition.rows.iter().enumerate() {
                let saved = if place < partition.start as usize { Saved::Before } else { Saved::Open };
                rows.push(SavedRow { saved, at: Some(*at), key, time: *time, matches });
            }
            if partition.rows.is_empty() && matches > 0 {
                rows.push(SavedRow { saved: Saved::Count, at: None, key, time: 0, matches });
            }
        }
        for row in self.waiting.sorted() {
            let Some(partition) = self.partitions.get(row.partition) else { continue };
            let (key, matches) = (&*partition.key, partition.matches);
            rows.push(SavedRow { saved: Saved::Waiting, at: Some(row.at), key, time: row.time, matches });
        }
        let batches = rows.chunks(TARGET_BATCH_ROWS).map(|chunk| self.save_chunk(chunk));
        state::encode(&self.watermark, &batches.collect::<Result<Vec<_>, _>>()?)
    }

    fn save_chunk(&self, rows: &[SavedRow<'_>]) -> Result<RecordBatch, OperatorError> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        if !self.key_schema.fields().is_empty() {
            let parser = self.keys.parser();
            columns.extend(self.keys.convert_rows(rows.iter().map(|row| parser.parse(row.key)))?);
        }
        let picks = self.store.picks(&rows.iter().map(|row| row.at).collect::<Vec<_>>());
        for column in 0..self.kept.schema.fields().len() {
            columns.push(self.store.column(&picks, column)?);
        }
        columns.push(Arc::new(rows.iter().map(|row| row.saved as i8).collect::<Int8Array>()));
        columns.push(Arc::new(rows.iter().map(|row| row.time).collect::<Int64Array>()));
        columns.push(Arc::new(rows.iter().map(|row| row.matches as i64).collect::<Int64Array>()));
        let kept = self.kept.schema.fields().iter().enumerate().map(|(number, field)| {
            Arc::new(Field::new(format!("kept_{number}"), field.data_type().clone(), true))
        });
        let own = [("saved", DataType::Int8), ("time", DataType::Int64), ("matches", DataType::Int64)];
        let own = own.map(|(name, data_type)| Arc::new(Field::new(name, data_type, true)));
        let fields: Vec<_> = self.key_schema.fields().iter().cloned().chain(kept).chain(own).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }

    pub(super) fn load(&mut self, states: &[Vec<u8>], range: &KeyRange) -> Result<(), OperatorError> {
        let mut watermark: Option<i64> = None;
        let key_count = self.key_schema.fields().len();
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let (saved, batches) = state::decode::<i64>(bytes)?;
            watermark = Some(watermark.map_or(saved, |watermark| watermark.min(saved)));
            for batch in batches {
                let hashes = key_hashes(&batch.columns()[..key_count], batch.num_rows())?;
                let batch = state::keep_rows(&batch, |row| range.contains(hashes[row]))?;
                self.load_batch(&batch, key_count)?;
            }
        }
        self.watermark = own_watermark(states, range)?.or(watermark).unwrap_or(i64::MIN);
        let with_rows = self.partitions.iter().filter(|(_, partition)| !partition.rows.is_empty());
        self.revisits = with_rows.map(|(number, _)| number).collect();
        Ok(())
    }

    fn load_batch(&mut self, batch: &RecordBatch, key_count: usize) -> Result<(), OperatorError> {
        let (keys, rest) = batch.columns().split_at(key_count);
        let [kept @ .., saved, times, matches] = rest else {
            return Err(OperatorError::State("the saved rows of a pattern are cut short".to_string()));
        };
        let (saved, matches) = (saved.as_primitive::<Int8Type>(), matches.as_primitive::<Int64Type>());
        let times = times.as_primitive::<Int64Type>();
        let partitions = self.numbers(keys, batch.num_rows())?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let rows = RecordBatch::try_new_with_options(self.kept.schema.clone(), kept.to_vec(), &options)
            .map_err(|error| {
                OperatorError::State(format!("the pattern keeps other columns than before: {error}"))
            })?;
        for (row, partition) in partitions.iter().enumerate() {
            if let Some(partition) = self.partitions.get_mut(*partition) {
                partition.matches = matches.value(row) as u64;
            }
        }
        let is = |row: usize, of: Saved| saved.value(row) == of as i8;
        let in_partition = state::keep_rows(&rows, |row| is(row, Saved::Before) || is(row, Saved::Open))?;
        let (fits, doubts) = self.definitions.look_here(&in_partition);
        let places = (0..rows.num_rows()).filter(|row| is(*row, Saved::Before) || is(*row, Saved::Open));
        for (number, (place, at)) in places.zip(self.store.insert(in_partition)).enumerate() {
            let Some(partition) = self.partitions.get_mut(partitions[place]) else { continue };
            let (fits, doubts) = (fits[number], doubts[number]);
            partition.rows.push_back(KeptRow { at, time: times.value(place), fits, doubts });
            partition.start += u32::from(is(place, Saved::Before));
        }
        let waiting = state::keep_rows(&rows, |row| is(row, Saved::Waiting))?;
        let places = || (0..rows.num_rows()).filter(|row| is(*row, Saved::Waiting));
        let waiting_partitions: Vec<u32> = places().map(|row| partitions[row]).collect();
        let waiting_times: Int64Array = places().map(|row| times.value(row)).collect();
        self.wait(waiting, &waiting_partitions, &waiting_times)
    }
}
