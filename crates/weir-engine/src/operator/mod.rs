//! Operators: what happens to rows between a source and a sink.
//!
//! Operators are synchronous and own their state. A subtask feeds them messages and carries what they give
//! out to the next operator of the chain, or over channels to other subtasks.

mod aggregate;
mod assign_proctime;
mod assign_watermark;
mod distinct;
mod evaluate;
mod expand;
mod group_aggregate;
mod group_window;
mod grouping;
mod join;
mod keyed_state;
mod lookup_join;
mod map;
mod matching;
mod over;
mod over_frames;
mod reason;
mod row_store;
mod running;
mod session;
mod session_state;
mod slice;
mod spec;
mod unnest;
mod window_common;

use std::ops::Range;

use arrow::array::RecordBatch;
use thiserror::Error;
use weir_base::time::Timestamp;

pub use aggregate::AggregateCall;
pub use assign_proctime::{AssignProctime, AssignProctimeSpec};
pub(crate) use assign_watermark::drop_rows_without_time;
pub use assign_watermark::{AssignWatermark, AssignWatermarkSpec};
pub use distinct::DistinctSpec;
pub use evaluate::Evaluator;
pub use expand::ExpandSpec;
pub use group_aggregate::GroupAggregateSpec;
pub use group_window::GroupWindow;
pub use grouping::GroupingSets;
pub use join::{IntervalJoin, IntervalJoinSpec, JoinInput, JoinSpec, StreamJoin, StreamJoinSpec};
pub(crate) use lookup_join::{Joined, LookupJoin};
pub use lookup_join::{LookupKind, LookupSpec};
pub use map::Map;
pub use matching::{
    Base, Condition, MatchRecognize, MatchRows, MatchSpec, Measures, Pattern, RowOrder, Skip, Slot,
};
pub use over::{Over, OverFrame, OverSpec};
pub use session::SessionWindow;
pub use spec::{OperatorContext, OperatorSpec};
pub use unnest::UnnestSpec;
pub use window_common::key_hashes;
pub(crate) use window_common::row_hashes;
pub use window_common::{GroupWindowSpec, WindowKind, WindowPlan};

use crate::message::{TARGET_BATCH_ROWS, TimeDomain};

/// Number of key groups. State is kept per key group range, so a job can be restored at any
/// parallelism up to this.
pub const KEY_GROUPS: usize = 128;

/// A fault that ends the job.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// A kernel failed on a whole batch.
    #[error("{0}")]
    Kernel(#[from] datafusion_common::DataFusionError),
    /// Arrow failed.
    #[error("{0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// What is kept, or was saved, is not as it has to be.
    #[error("{0}")]
    State(String),
    /// A row pattern cannot be followed.
    #[error("{0}")]
    Pattern(String),
}

/// A row whose evaluation failed.
#[derive(Debug, Clone)]
pub struct DirtyRow {
    /// Why.
    pub reason: String,
    /// The row as text, for the dirty-data files.
    pub data: String,
}

/// What an operator gives out, in order.
#[derive(Debug)]
pub enum Element {
    /// Rows.
    Batch(RecordBatch),
    /// A watermark.
    Watermark(TimeDomain, Timestamp),
    /// No row has come for a while: this subtask shall not hold event time back.
    Idle,
}

/// Collects what an operator gives out during one call.
#[derive(Debug, Default)]
pub struct Output {
    /// Rows and watermarks, in order.
    pub elements: Vec<Element>,
    /// Rows that could not be evaluated.
    pub dirty: Vec<DirtyRow>,
    /// Rows dropped because they were late.
    pub late: u64,
    /// Rows given out.
    rows: usize,
    is_unfinished: bool,
}

impl Output {
    /// Gives out rows, in batches of at most [`TARGET_BATCH_ROWS`]; empty batches are left out.
    pub fn emit(&mut self, batch: RecordBatch) {
        let rows = batch.num_rows();
        self.rows += rows;
        if rows <= TARGET_BATCH_ROWS {
            self.elements.extend((rows > 0).then_some(Element::Batch(batch)));
            return;
        }
        for from in (0..rows).step_by(TARGET_BATCH_ROWS) {
            let part = batch.slice(from, TARGET_BATCH_ROWS.min(rows - from));
            self.elements.push(Element::Batch(part));
        }
    }

    /// Returns whether so much has been given out that the rest should wait for [`Operator::resume`].
    pub(crate) fn is_full(&self) -> bool {
        self.rows + self.dirty.len() >= TARGET_BATCH_ROWS
    }

    /// Notes that the operator has more to do before it can take anything else.
    pub(crate) fn leave_rest(&mut self) {
        self.is_unfinished = true;
    }

    /// Returns whether the operator must be resumed before it can take anything else.
    pub fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// Passes a watermark on.
    pub fn watermark(&mut self, domain: TimeDomain, watermark: Timestamp) {
        self.elements.push(Element::Watermark(domain, watermark));
    }
}

/// The key groups of one subtask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Index of the subtask.
    pub subtask: usize,
    /// Number of subtasks.
    pub parallelism: usize,
}

impl KeyRange {
    /// Returns whether a key with this hash belongs to the subtask.
    pub fn contains(&self, hash: u64) -> bool {
        subtask_of(hash, self.parallelism) == self.subtask
    }

    /// Returns the key groups of the subtask.
    pub fn groups(&self) -> Range<usize> {
        let first = (self.subtask * KEY_GROUPS).div_ceil(self.parallelism);
        let end = ((self.subtask + 1) * KEY_GROUPS).div_ceil(self.parallelism);
        first..end
    }
}

/// Returns the subtask that owns the key with this hash.
pub fn subtask_of(hash: u64, parallelism: usize) -> usize {
    let group = (hash % KEY_GROUPS as u64) as usize;
    group * parallelism / KEY_GROUPS
}

/// One operator of one subtask.
pub trait Operator: Send {
    /// Takes rows. `input` is the place of their input among those of the node, from 0; an operator of
    /// one input need not look at it.
    fn process(&mut self, input: usize, batch: RecordBatch, output: &mut Output)
    -> Result<(), OperatorError>;

    /// Takes the combined watermark of the inputs, which has grown. Must pass it on after
    /// whatever it completes. [`Timestamp::MAX`] comes at the end of the input.
    fn watermark(
        &mut self,
        domain: TimeDomain,
        watermark: Timestamp,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        output.watermark(domain, watermark);
        Ok(())
    }

    /// Goes on with what the last call has left undone. A call that has more to give out than a few batches leaves the
    /// rest and says so ([`Output::is_unfinished`]); it is resumed when what it gave out has been passed on, so that rows
    /// are held back and take bounded memory. Nothing else is asked of the operator before all is done.
    fn resume(&mut self, _output: &mut Output) -> Result<(), OperatorError> {
        Ok(())
    }

    /// Returns everything needed to continue after a restore. Empty when there is no state.
    fn snapshot(&mut self) -> Result<Vec<u8>, OperatorError> {
        Ok(Vec::new())
    }

    /// Continues from the snapshots of all subtasks of an earlier run, keeping what belongs to `range`.
    fn restore(&mut self, _states: &[Vec<u8>], _range: &KeyRange) -> Result<(), OperatorError> {
        Ok(())
    }

    /// Called every half second whether rows come or not, with the present processing time.
    fn tick(&mut self, _now: Timestamp, _output: &mut Output) -> Result<(), OperatorError> {
        Ok(())
    }

    /// Returns whether lateness is a matter of each input alone: of a row only the watermark of its own input counts, so
    /// that it does not depend on how far the others happen to have been read.
    fn tells_inputs_apart(&self) -> bool {
        false
    }

    /// Returns the bytes of state held.
    fn state_bytes(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ranges_cover_every_group_once_at_every_parallelism() {
        for parallelism in 1..=50 {
            let mut covered = 0;
            for subtask in 0..parallelism {
                let range = KeyRange { subtask, parallelism };
                for group in range.groups() {
                    assert_eq!(group, covered);
                    assert!(range.contains(group as u64));
                    covered += 1;
                }
            }
            assert_eq!(covered, KEY_GROUPS);
        }
    }
}
