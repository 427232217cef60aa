//! What a watermark brings about, step by step, so that matches are given out a few batches at a time.

use std::cmp::Reverse;
use std::sync::Arc;

use weir_base::time::Timestamp;

use super::machine::{Finished, StepClock};
use super::operator::{Arriving, MatchRecognize};
use super::partition::KeptRow;
use super::waiting::WaitingRow;
use crate::message::{TARGET_BATCH_ROWS, TimeDomain};
use crate::operator::{OperatorError, Output};

/// A step that is done but for what it gives out.
pub(super) struct Done {
    pub(super) finished: Vec<Finished>,
    /// How many of them have been given out.
    pub(super) given: usize,
    /// The partitions visited.
    pub(super) touched: Vec<u32>,
    /// The instant up to which deadlines have passed.
    pub(super) after: i64,
}

/// The watermark under way, which goes on when all that it brings about has been given out.
pub(super) struct Passing {
    pub(super) domain: TimeDomain,
    pub(super) watermark: Timestamp,
    pub(super) then: Then,
}

/// What a watermark has still to bring about.
pub(super) enum Then {
    /// Rows that it has reached are seen; then deadlines pass.
    Rows,
    /// At the end of the input these partitions end.
    Ends(Vec<u32>),
}

impl MatchRecognize {
    /// Goes on until the output is full, or all is done.
    pub(super) fn go_on(&mut self, output: &mut Output) -> Result<(), OperatorError> {
        loop {
            if !self.give_out(output)? || output.is_full() && self.passing.is_some() {
                output.leave_rest();
                return Ok(());
            }
            let Some(Passing { domain, watermark, mut then }) = self.passing.take() else { return Ok(()) };
            then = match then {
                Then::Rows if self.take_waiting(watermark.0, output)? => Then::Rows,
                Then::Rows => {
                    self.pass_deadlines(watermark.0, output)?;
                    Then::Ends(if watermark == Timestamp::MAX { self.open() } else { Vec::new() })
                }
                Then::Ends(open) if open.is_empty() => {
                    output.watermark(domain, watermark);
                    return Ok(());
                }
                Then::Ends(mut open) => {
                    let later = open.split_off(open.len().min(TARGET_BATCH_ROWS));
                    self.revisits = open;
                    let clock = StepClock { before: Vec::new(), after: i64::MAX, ended: true };
                    self.step(&[], clock, output)?;
                    Then::Ends(later)
                }
            };
            self.passing = Some(Passing { domain, watermark, then });
        }
    }

    /// Lets the next rows be seen that the watermark has reached; returns whether there were any.
    fn take_waiting(&mut self, watermark: i64, output: &mut Output) -> Result<bool, OperatorError> {
        if self.time().is_none() {
            return Ok(false);
        }
        let rows = self.waiting.take(watermark, TARGET_BATCH_ROWS);
        if rows.is_empty() {
            return Ok(false);
        }
        let before: Vec<i64> = rows.iter().map(|row| row.time.saturating_sub(1)).collect();
        let next = self.waiting.first_time().filter(|time| *time <= watermark);
        let after = next.map_or(watermark, |time| time.saturating_sub(1));
        let arriving: Vec<Arriving> = rows
            .into_iter()
            .map(|WaitingRow { partition, at, time, fits, doubts, .. }| {
                if let Some(partition) = self.partitions.get_mut(partition) {
                    partition.waiting -= 1;
                }
                Arriving { partition, row: KeptRow { at, time, fits, doubts } }
            })
            .collect();
        self.step(&arriving, StepClock { before, after, ended: false }, output)?;
        Ok(true)
    }

    /// Lets the deadlines up to the watermark pass.
    fn pass_deadlines(&mut self, watermark: i64, output: &mut Output) -> Result<(), OperatorError> {
        if self.time().is_none() {
            return Ok(());
        }
        self.watermark = self.watermark.max(watermark);
        let is_due = self.schedule.peek().is_some_and(|Reverse((deadline, _))| *deadline <= watermark);
        if is_due || !self.revisits.is_empty() {
            self.step(&[], StepClock { before: Vec::new(), after: watermark, ended: false }, output)?;
        }
        Ok(())
    }

    /// Returns the partitions that have rows, in the order of their keys.
    fn open(&self) -> Vec<u32> {
        let mut open: Vec<(Arc<[u8]>, u32)> = self
            .partitions
            .iter()
            .filter(|(_, partition)| !partition.rows.is_empty())
            .map(|(number, partition)| (partition.key.clone(), number))
            .collect();
        open.sort_unstable();
        open.into_iter().map(|(_, number)| number).collect()
    }

    /// Gives out the matches of the last step until the output is full. Returns whether all are given out; then what they
    /// needed has been freed.
    fn give_out(&mut self, output: &mut Output) -> Result<bool, OperatorError> {
        let Some(mut done) = self.done.take() else { return Ok(true) };
        while done.given < done.finished.len() {
            if output.is_full() {
                self.done = Some(done);
                return Ok(false);
            }
            let rest = &done.finished[done.given..];
            let given = self.outcomes.give_out(rest, &self.partitions, &self.store, &self.keys, output)?;
            done.given += given;
        }
        done.finished.clear();
        self.machine.finished = done.finished;
        self.tidy(&done.touched, done.after)?;
        Ok(true)
    }
}
