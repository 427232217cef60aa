//! Rows that wait for the watermark to reach their time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::operator::row_store::RowRef;

/// A row that its partition has not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WaitingRow {
    pub(super) time: i64,
    /// The further order of rows of the same time, in row format; empty without any.
    pub(super) then: Box<[u8]>,
    /// Counts rows as they arrive.
    pub(super) arrival: u64,
    pub(super) partition: u32,
    pub(super) at: RowRef,
    pub(super) fits: u64,
    pub(super) doubts: u64,
}

/// Rows in order of time, then of further order, then of arrival.
#[derive(Default)]
pub(super) struct WaitingRows {
    heap: BinaryHeap<Reverse<WaitingRow>>,
    arrivals: u64,
    outside: usize,
}

impl WaitingRows {
    /// Returns the number of the next arrival.
    pub(super) fn next_arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    pub(super) fn push(&mut self, row: WaitingRow) {
        self.outside += row.then.len();
        self.heap.push(Reverse(row));
    }

    /// Returns the time of the first row.
    pub(super) fn first_time(&self) -> Option<i64> {
        self.heap.peek().map(|Reverse(row)| row.time)
    }

    /// Takes up to `most` rows whose time the watermark has reached.
    pub(super) fn take(&mut self, watermark: i64, most: usize) -> Vec<WaitingRow> {
        let mut taken = Vec::new();
        while taken.len() < most && self.first_time().is_some_and(|time| time <= watermark) {
            let Some(Reverse(row)) = self.heap.pop() else { break };
            self.outside -= row.then.len();
            taken.push(row);
        }
        taken
    }

    /// Returns the rows in order.
    pub(super) fn sorted(&self) -> Vec<&WaitingRow> {
        let mut rows: Vec<&WaitingRow> = self.heap.iter().map(|Reverse(row)| row).collect();
        rows.sort_unstable();
        rows
    }

    /// Lets the addresses of all rows be changed.
    pub(super) fn with_rows<R>(&mut self, change: impl FnOnce(&mut [WaitingRow]) -> R) -> R {
        let mut rows: Vec<WaitingRow> =
            std::mem::take(&mut self.heap).into_iter().map(|Reverse(row)| row).collect();
        let result = change(&mut rows);
        self.heap = rows.into_iter().map(Reverse).collect();
        result
    }

    pub(super) fn bytes(&self) -> usize {
        self.heap.capacity() * size_of::<WaitingRow>() + self.outside
    }
}
