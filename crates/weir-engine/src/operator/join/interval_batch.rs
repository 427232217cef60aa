//! A batch that goes through an interval join: which kept rows its rows match.

use std::collections::VecDeque;

use arrow::array::{AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::filter;

use super::super::keyed_state::{KeyId, KeyRows};
use super::super::row_store::RowRef;
use super::super::{OperatorError, Output};
use super::interval::IntervalJoin;
use super::interval_rows::{Kept, Side};
use super::joined::Pairs as JoinedPairs;
use super::kept::gone;
use crate::message::TARGET_BATCH_ROWS;

/// A batch that is looked up.
pub(super) struct LookUp {
    pub(super) input: usize,
    pub(super) rows: RecordBatch,
    pub(super) times: Int64Array,
    pub(super) key_rows: KeyRows,
    /// Which rows have a match.
    pub(super) matched: Vec<bool>,
    /// The first row that is not looked up, and the first kept row that it has not been paired with.
    pub(super) next: usize,
    pub(super) place: usize,
    /// Pairs that have not been given out.
    pub(super) pairs: Pairs,
}

/// Pairs of a row of the batch under way and a kept row of the other input.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) rows: Vec<u32>,
    pub(super) kept: Vec<Option<RowRef>>,
    /// Where the kept row stands: key and place.
    pub(super) places: Vec<(KeyId, usize)>,
}

impl IntervalJoin {
    /// Gives out the pairs that meet the rest of the condition and notes that their rows have a match.
    fn give_pairs(&mut self, batch: &mut LookUp, output: &mut Output) -> Result<(), OperatorError> {
        let Pairs { rows, kept, places } = std::mem::take(&mut batch.pairs);
        if rows.is_empty() {
            return Ok(());
        }
        let other = 1 - batch.input;
        let indices = UInt32Array::from(rows);
        let store = &self.sides[other].store;
        let looked_at =
            JoinedPairs { input: batch.input, batch: &batch.rows, indices: &indices, store, kept: &kept };
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
                batch.matched[*row as usize] = true;
                let kept = self.keys.get_mut(key).and_then(|of_key| of_key.rows[other].get_mut(place));
                kept.ok_or_else(gone)?.matched = true;
            }
        }
        output.emit(joined);
        Ok(())
    }

    /// Looks up the kept rows that the rows of a batch match, until the output is full. Returns whether all are looked up.
    pub(super) fn look_up(&mut self, batch: &mut LookUp, output: &mut Output) -> Result<bool, OperatorError> {
        let Side { first, last, .. } = self.sides[batch.input];
        while batch.next < batch.rows.num_rows() {
            let Some(key) = self.keys.find(batch.key_rows.key(batch.next)) else {
                batch.next += 1;
                continue;
            };
            let time = batch.times.value(batch.next);
            let (from, to) = (time.saturating_add(first), time.saturating_add(last));
            let others = self.rows_of(key, 1 - batch.input)?;
            let place = others.partition_point(|kept| kept.time < from).max(batch.place);
            let end = others.partition_point(|kept| kept.time <= to).max(place);
            let stop = end.min(place + TARGET_BATCH_ROWS - batch.pairs.rows.len());
            for (place, kept) in (place..).zip(others.range(place..stop)) {
                batch.pairs.rows.push(batch.next as u32);
                batch.pairs.kept.push(Some(kept.at));
                batch.pairs.places.push((key, place));
            }
            batch.place = stop;
            if stop == end {
                batch.next += 1;
                batch.place = 0;
            }
            if batch.pairs.rows.len() == TARGET_BATCH_ROWS {
                self.give_pairs(batch, output)?;
                if output.is_full() {
                    return Ok(false);
                }
            }
        }
        self.give_pairs(batch, output)?;
        Ok(true)
    }

    fn rows_of(&self, key: KeyId, input: usize) -> Result<&VecDeque<Kept>, OperatorError> {
        self.keys.get(key).map(|of_key| &of_key.rows[input]).ok_or_else(gone)
    }
}
