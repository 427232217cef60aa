//! The log of one partition: appending, reading, finding, forgetting.
//!
//! [`tail`] knows how far the log reaches, [`append`] makes it longer, [`read`] gives records out,
//! [`retention`] drops what is old. All of them block: callers run them on a blocking thread.

mod append;
mod read;
mod retention;
mod tail;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::files::FileLock;
use super::segment::list_segments;
use tail::Tail;

pub(super) use append::{Durability, Part};

/// Distance of two remembered positions within a segment: a read in the middle skips at most this.
const HINT_DISTANCE: u64 = 64 << 10;
/// Segments of which positions are remembered; beyond, the oldest are forgotten.
const HINTED_SEGMENTS: usize = 16;

/// When a segment is closed and the next one begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct RollOptions {
    /// At this size.
    pub(super) segment_bytes: u64,
    /// At this age of the first record, so that retention has something to drop.
    pub(super) segment_age: Duration,
}

/// One partition, as seen by this process.
#[derive(Debug)]
pub(super) struct PartitionLog {
    directory: PathBuf,
    options: RollOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tail: Option<Tail>,
    /// First sequence numbers of the segments as last listed.
    segments: Vec<u64>,
    /// By segment: sequence number of a frame's first record to its offset in the file.
    hints: BTreeMap<u64, BTreeMap<u64, u64>>,
}

impl PartitionLog {
    /// Makes the view of a partition kept in `directory`; touches nothing yet.
    pub(super) fn new(directory: PathBuf, options: RollOptions) -> Self {
        Self { directory, options, state: Mutex::default() }
    }

    /// Makes the directory of a new partition.
    pub(super) fn create(directory: &Path) -> io::Result<()> {
        std::fs::create_dir_all(directory)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is a cache that every user checks against the files: a panic elsewhere cannot spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the right to change the files of the partition.
    fn lock(&self) -> io::Result<FileLock> {
        FileLock::acquire(&self.directory.join("lock"))
    }
}

impl State {
    fn relist(&mut self, directory: &Path) -> io::Result<()> {
        self.segments = list_segments(directory)?;
        if let Some(first) = self.segments.first() {
            self.hints = self.hints.split_off(first);
        }
        Ok(())
    }

    fn remember(&mut self, segment: u64, sequence: u64, offset: u64) {
        let hints = self.hints.entry(segment).or_default();
        let near =
            hints.range(..=sequence).next_back().is_some_and(|(_, known)| offset < known + HINT_DISTANCE);
        if !near {
            hints.insert(sequence, offset);
        }
        if self.hints.len() > HINTED_SEGMENTS {
            let oldest_other = self.hints.keys().copied().find(|known| *known != segment);
            self.hints.remove(&oldest_other.unwrap_or(segment));
        }
    }

    /// Returns where to begin in a segment to find a record.
    fn offset_before(&self, segment: u64, sequence: u64) -> u64 {
        let hints = self.hints.get(&segment);
        hints.and_then(|hints| hints.range(..=sequence).next_back()).map_or(0, |(_, offset)| *offset)
    }
}

/// A fault of the content, with its place.
fn damaged(path: &Path, offset: u64) -> io::Error {
    let text =
        format!("`{}` is damaged at byte {offset}; the records behind it cannot be read", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}
