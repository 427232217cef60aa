//! The partitions of a pattern: the rows each still needs, and its attempt to match.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::threads::{Accepted, Thread};
use super::ways::Ways;
use crate::operator::row_store::RowRef;

/// The greatest number of rows that one partition keeps.
pub(super) const MAX_ROWS: usize = 1_000_000;

/// Slots of partitions up to which they are kept when all partitions are gone.
const MIN_SLOTS: usize = 1_024;

/// A kept row, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptRow {
    pub(super) at: RowRef,
    pub(super) time: i64,
    /// For each condition whether it may hold, as far as it does not depend on how the rows before are mapped.
    pub(super) fits: u64,
    /// For each condition whether it could not be computed ahead; then it is computed when a thread asks for it.
    pub(super) doubts: u64,
}

/// The rows of one partition, in order, and the attempt to match under way.
pub(super) struct Partition {
    /// The values that make the partition, in row format.
    pub(super) key: Arc<[u8]>,
    pub(super) rows: VecDeque<KeptRow>,
    /// Where the attempt under way begins, or the next one will. Rows before it are kept for conditions that look back.
    pub(super) start: u32,
    /// The next row that the attempt takes.
    pub(super) cursor: u32,
    /// Rows whose neighbours have been looked at.
    pub(super) examined: u32,
    /// The attempt, when conditions depend on it: its open ways.
    pub(super) threads: Vec<Thread>,
    /// The best match so far; every thread left would give a better one.
    pub(super) accepted: Option<Accepted>,
    /// The attempt, when conditions do not depend on it, and what earlier ones have found out.
    pub(super) ways: Ways,
    /// Whether an attempt is under way.
    pub(super) open: bool,
    /// Number of matches so far.
    pub(super) matches: u64,
    /// Number of rows that wait for the watermark.
    pub(super) waiting: u32,
    /// Place of its visit in the step under way, from 1; 0 without one.
    pub(super) visit: u32,
    /// The time of the entry of this partition in the schedule; [`i64::MAX`] without one.
    pub(super) scheduled: i64,
}

impl Partition {
    pub(super) fn new(key: Arc<[u8]>) -> Self {
        Self {
            key,
            rows: VecDeque::new(),
            start: 0,
            cursor: 0,
            examined: 0,
            threads: Vec::new(),
            accepted: None,
            ways: Ways::default(),
            open: false,
            matches: 0,
            waiting: 0,
            visit: 0,
            scheduled: i64::MAX,
        }
    }

    /// Returns the last instant at which a row can be part of the attempt under way.
    pub(super) fn deadline(&self, within: Option<i64>) -> Option<i64> {
        let first = self.rows.get(self.start as usize).filter(|_| self.open)?;
        Some(first.time.saturating_add(within?).saturating_sub(1))
    }

    /// Closes the attempt: a further row would come too late for it.
    pub(super) fn cut(&mut self) {
        self.threads.clear();
        self.ways.cut();
    }

    /// Closes the attempt: no row follows.
    pub(super) fn end(&mut self) {
        self.threads.clear();
        self.ways.end();
    }

    /// Returns the rows that are no longer needed, given how many before the start of the attempt are.
    pub(super) fn trim(&mut self, context: u64) -> impl Iterator<Item = RowRef> {
        let context = u32::try_from(context).unwrap_or(u32::MAX);
        let unneeded = self.start.saturating_sub(context);
        self.start -= unneeded;
        self.cursor = self.cursor.saturating_sub(unneeded);
        self.examined = self.examined.saturating_sub(unneeded);
        self.rows.drain(..unneeded as usize).map(|row| row.at)
    }

    /// Gives memory back that a long match needed.
    pub(super) fn shrink(&mut self) {
        if self.rows.capacity() > 64 && self.rows.capacity() > 4 * self.rows.len() {
            self.rows.shrink_to_fit();
        }
        if !self.open {
            self.threads = Vec::new();
            self.ways.clear();
        }
    }

    /// Returns the bytes held beside the rows themselves.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.key.len()
            + self.rows.capacity() * size_of::<KeptRow>()
            + self.threads.capacity() * size_of::<Thread>()
            + self.ways.bytes()
    }
}

/// All partitions, by number and by key.
#[derive(Default)]
pub(super) struct Partitions {
    numbers: HashMap<Arc<[u8]>, u32>,
    slots: Vec<Option<Partition>>,
    free: Vec<u32>,
}

impl Partitions {
    /// Returns the number of the partition of a key, which is made when there is none.
    pub(super) fn number(&mut self, key: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let key: Arc<[u8]> = key.into();
        let partition = Some(Partition::new(key.clone()));
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = partition;
                number
            }
            None => {
                self.slots.push(partition);
                (self.slots.len() - 1) as u32
            }
        };
        self.numbers.insert(key, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&Partition> {
        self.slots.get(number as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Partition> {
        self.slots.get_mut(number as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Some(partition) = self.slots.get_mut(number as usize).and_then(Option::take) {
            self.numbers.remove(&partition.key);
            self.free.push(number);
            if self.numbers.is_empty() && self.slots.len() > MIN_SLOTS {
                // What a burst of partitions needed is given back.
                *self = Self::default();
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the partitions with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Partition)> {
        self.slots.iter().enumerate().filter_map(|(number, slot)| Some((number as u32, slot.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Partition> {
        self.slots.iter_mut().flatten()
    }

    /// Returns the bytes held beside the rows themselves.
    pub(super) fn bytes(&self) -> usize {
        let entry = size_of::<(Arc<[u8]>, u32)>() + 1;
        let empty =
            (self.slots.capacity() - self.slots.len() + self.free.len()) * size_of::<Option<Partition>>();
        self.numbers.capacity() * entry
            + empty
            + self.slots.iter().flatten().map(Partition::bytes).sum::<usize>()
    }
}
