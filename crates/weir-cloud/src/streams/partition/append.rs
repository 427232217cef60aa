//! Making the log longer.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

use super::PartitionLog;
use super::tail::Tail;
use crate::streams::TransactionId;
use crate::streams::files::sync_directory;
use crate::streams::frame::{Entry, Kind, Stamp, TransactionMark, encode_frame, frame_runs};
use crate::streams::segment::{SCAN_WINDOW, Walker, segment_path};

/// When appended records must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::streams) enum Durability {
    /// When the call returns.
    Now,
    /// When [`PartitionLog::sync`] returns.
    Later,
}

/// A part of a transaction.
#[derive(Debug, Clone, Copy)]
pub(in crate::streams) struct Part<'a> {
    /// The transaction.
    pub(in crate::streams) transaction: &'a TransactionId,
    /// Index of the first record of the part among those of the transaction in this partition.
    pub(in crate::streams) first_index: u64,
}

impl PartitionLog {
    /// Appends records, at least one, and returns the sequence number of the first.
    pub(in crate::streams) fn append(
        &self,
        entries: &[Entry],
        part: Option<Part<'_>>,
        now_ms: i64,
        durability: Durability,
    ) -> io::Result<u64> {
        let _lock = self.lock()?;
        let tail = self.refresh_tail(&mut self.state())?;
        let tail = self.roll_if_due(tail, now_ms)?;
        // Instants never go back within a partition: finding a position by time relies on it.
        let timestamp_ms = tail.last_timestamp_ms.map_or(now_ms, |last| last.max(now_ms));
        let bytes = encode(entries, part, tail.next, timestamp_ms);
        let file = self.open_for_writing(&tail)?;
        let written = file.write_all_at(&bytes, tail.valid_bytes).and_then(|()| match durability {
            Durability::Now => file.sync_data(),
            Durability::Later => Ok(()),
        });
        if let Err(error) = written {
            // What was written may be incomplete; the caller is told that nothing was stored.
            file.set_len(tail.valid_bytes)?;
            return Err(error);
        }
        let first = tail.next;
        let mut state = self.state();
        state.remember(tail.segment, first, tail.valid_bytes);
        state.tail = Some(Tail {
            valid_bytes: tail.valid_bytes + bytes.len() as u64,
            next: first + entries.len() as u64,
            first_timestamp_ms: tail.first_timestamp_ms.or(Some(timestamp_ms)),
            last_timestamp_ms: Some(timestamp_ms),
            ..tail
        });
        Ok(first)
    }

    /// Makes everything appended so far durable. Older segments were synced when they were closed.
    pub(in crate::streams) fn sync(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        let tail = self.refresh_tail(&mut self.state())?;
        match File::open(segment_path(&self.directory, tail.segment)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(file) => file.sync_data(),
        }
    }

    /// Counts the records of a transaction that are in the log already, looking from `since` on.
    pub(in crate::streams) fn committed_records(
        &self,
        transaction: &TransactionId,
        since: u64,
    ) -> io::Result<u64> {
        let (tail, segments) = {
            let mut state = self.state();
            let tail = self.refresh_tail(&mut state)?;
            state.relist(&self.directory)?;
            (tail, state.segments.clone())
        };
        let mut committed = 0;
        if since >= tail.next {
            return Ok(committed);
        }
        let first = segments.iter().rposition(|base| *base <= since).unwrap_or(0);
        for base in &segments[first..] {
            let path = segment_path(&self.directory, *base);
            let length = std::fs::metadata(&path)?.len();
            let end = if *base == tail.segment { tail.valid_bytes } else { length };
            let offset = self.state().offset_before(*base, since);
            let mut walker = Walker::open(&path, offset, end, SCAN_WINDOW)?;
            while let Some(found) = walker.peek()? {
                let header = found.header;
                if header.next_sequence() > since
                    && header.transaction_bytes > 0
                    && let Some(frame) = walker.frame(&found)?
                    && header.is_intact(&frame)
                    && let Some(mark) = header.transaction(&frame)
                    && mark.transaction == *transaction
                {
                    committed = committed.max(mark.first_index + u64::from(header.count));
                }
                walker.pass(&found);
            }
        }
        Ok(committed)
    }

    fn roll_if_due(&self, tail: Tail, now_ms: i64) -> io::Result<Tail> {
        let age = tail.first_timestamp_ms.map_or(0, |first| now_ms.saturating_sub(first));
        let too_old = age >= weir_base::time::millis(self.options.segment_age);
        if tail.valid_bytes == 0 || (tail.valid_bytes < self.options.segment_bytes && !too_old) {
            return Ok(tail);
        }
        self.roll(tail)
    }

    /// Closes the newest segment and begins the next. The caller holds the lock.
    pub(super) fn roll(&self, tail: Tail) -> io::Result<Tail> {
        let old = self.open_for_writing(&tail)?;
        old.sync_data()?;
        let rolled = Tail { segment: tail.next, valid_bytes: 0, first_timestamp_ms: None, ..tail };
        self.open_for_writing(&rolled)?;
        self.state().tail = Some(rolled);
        Ok(rolled)
    }

    /// Opens the newest segment, without the torn end that a crash may have left.
    fn open_for_writing(&self, tail: &Tail) -> io::Result<File> {
        let path = segment_path(&self.directory, tail.segment);
        let is_new = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        if file.metadata()?.len() > tail.valid_bytes {
            file.set_len(tail.valid_bytes)?;
        }
        if is_new {
            sync_directory(&self.directory)?;
            self.state().relist(&self.directory)?;
        }
        Ok(file)
    }
}

fn encode(entries: &[Entry], part: Option<Part<'_>>, first: u64, timestamp_ms: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut done = 0;
    for run in frame_runs(entries) {
        let stamp = Stamp { kind: Kind::Records, partition: 0, base_sequence: first + done, timestamp_ms };
        let mark = part.map(|part| TransactionMark {
            first_index: part.first_index + done,
            transaction: part.transaction.clone(),
        });
        encode_frame(&mut bytes, stamp, mark.as_ref(), run);
        done += run.len() as u64;
    }
    bytes
}
