//! How far the log of a partition reaches.
//!
//! Other processes append too, so the end is found by looking: whatever lies behind the last known
//! frame is taken up frame by frame while checksums are right. What is left over is a frame being
//! written, or one torn by a crash, which the next writer cuts off.

use std::io;

use super::{PartitionLog, State};
use crate::streams::Bounds;
use crate::streams::frame::Kind;
use crate::streams::segment::{SCAN_WINDOW, Walker, segment_path};

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// The newest segment.
    pub(super) segment: u64,
    /// Its length in whole frames.
    pub(super) valid_bytes: u64,
    /// The number the next record will get.
    pub(super) next: u64,
    /// When its first record was stored.
    pub(super) first_timestamp_ms: Option<i64>,
    /// When the newest record was stored.
    pub(super) last_timestamp_ms: Option<i64>,
}

impl Tail {
    fn at_start_of(segment: u64) -> Self {
        Self { segment, valid_bytes: 0, next: segment, first_timestamp_ms: None, last_timestamp_ms: None }
    }
}

impl PartitionLog {
    /// Returns the readable span.
    pub(in crate::streams) fn bounds(&self) -> io::Result<Bounds> {
        let mut state = self.state();
        let tail = self.refresh_tail(&mut state)?;
        // Another process may have dropped old segments.
        state.relist(&self.directory)?;
        let earliest = state.segments.first().copied().unwrap_or(tail.next).min(tail.next);
        Ok(Bounds { earliest, next: tail.next })
    }

    /// Tells whether a record at `from` or later is there, after looking at the files.
    pub(in crate::streams) fn has_record_at(&self, from: u64) -> io::Result<bool> {
        Ok(self.refresh_tail(&mut self.state())?.next > from)
    }

    /// Tells, at the cost of two look-ups of file names, whether [`PartitionLog::has_record_at`] may
    /// have changed its answer. Does not block.
    pub(in crate::streams) fn may_have_record_at(&self, from: u64) -> bool {
        let Ok(state) = self.state.try_lock() else { return false };
        let Some(tail) = state.tail else { return true };
        if tail.next > from {
            return true;
        }
        let known = std::fs::metadata(segment_path(&self.directory, tail.segment));
        match known {
            Ok(metadata) if metadata.len() == tail.valid_bytes => {
                tail.next != tail.segment && segment_path(&self.directory, tail.next).exists()
            }
            // An untouched partition has no file; one whose file went away has to be looked at again.
            Err(_) => tail.next > 0 || segment_path(&self.directory, 0).exists(),
            Ok(_) => true,
        }
    }

    /// Finds the end of the log.
    pub(super) fn refresh_tail(&self, state: &mut State) -> io::Result<Tail> {
        let mut tail = match state.tail {
            Some(tail) => tail,
            None => self.newest_segment(state)?,
        };
        // A segment may vanish between listing and opening; that it happens over and over cannot be.
        for _ in 0..16 {
            match std::fs::metadata(segment_path(&self.directory, tail.segment)) {
                Ok(metadata) => {
                    if metadata.len() < tail.valid_bytes {
                        // A writer took back an append that failed.
                        state.hints.remove(&tail.segment);
                        tail = Tail::at_start_of(tail.segment);
                    }
                    self.take_up_frames(state, &mut tail, metadata.len())?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let newest = self.newest_segment(state)?;
                    if newest.segment == tail.segment {
                        break;
                    }
                    tail = newest;
                    continue;
                }
                Err(error) => return Err(error),
            }
            if tail.next == tail.segment || !segment_path(&self.directory, tail.next).exists() {
                break;
            }
            tail = Tail { last_timestamp_ms: tail.last_timestamp_ms, ..Tail::at_start_of(tail.next) };
            // The listing is made anew, never added to: one with a hole would hide records.
            state.relist(&self.directory)?;
        }
        state.tail = Some(tail);
        Ok(tail)
    }

    fn newest_segment(&self, state: &mut State) -> io::Result<Tail> {
        state.relist(&self.directory)?;
        Ok(Tail::at_start_of(state.segments.last().copied().unwrap_or(0)))
    }

    fn take_up_frames(&self, state: &mut State, tail: &mut Tail, length: u64) -> io::Result<()> {
        if length <= tail.valid_bytes {
            return Ok(());
        }
        let path = segment_path(&self.directory, tail.segment);
        let mut walker = Walker::open(&path, tail.valid_bytes, length, SCAN_WINDOW)?;
        while let Some(found) = walker.peek()? {
            let header = found.header;
            let expected = header.kind == Kind::Records && header.base_sequence == tail.next;
            if !expected || !walker.frame(&found)?.is_some_and(|frame| header.is_intact(&frame)) {
                break;
            }
            state.remember(tail.segment, header.base_sequence, found.offset);
            walker.pass(&found);
            tail.valid_bytes = walker.offset();
            tail.next = header.next_sequence();
            tail.first_timestamp_ms.get_or_insert(header.timestamp_ms);
            tail.last_timestamp_ms = Some(header.timestamp_ms);
        }
        Ok(())
    }
}
