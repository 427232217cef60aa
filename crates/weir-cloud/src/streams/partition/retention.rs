//! Forgetting what is older than a stream keeps.

use std::io;

use super::PartitionLog;
use crate::streams::files::{remove_if_present, sync_directory};
use crate::streams::segment::{SCAN_WINDOW, segment_path};

impl PartitionLog {
    /// Drops the segments whose newest record is older than `cutoff_ms`. Returns how many.
    pub(in crate::streams) fn drop_before(&self, cutoff_ms: i64) -> io::Result<usize> {
        let _lock = self.lock()?;
        let mut tail = {
            let mut state = self.state();
            let tail = self.refresh_tail(&mut state)?;
            state.relist(&self.directory)?;
            tail
        };
        if tail.valid_bytes > 0 && tail.last_timestamp_ms.is_some_and(|last| last < cutoff_ms) {
            // The numbers go on in a new segment, so that none is given out twice.
            tail = self.roll(tail)?;
        }
        let segments = self.state().segments.clone();
        let mut dropped = 0;
        for base in segments.iter().filter(|base| **base != tail.segment) {
            if self.last_timestamp(*base)?.is_some_and(|last| last >= cutoff_ms) {
                break;
            }
            remove_if_present(&segment_path(&self.directory, *base))?;
            dropped += 1;
        }
        if dropped > 0 {
            sync_directory(&self.directory)?;
            self.state().relist(&self.directory)?;
        }
        Ok(dropped)
    }

    /// Returns when the last record of a closed segment was stored, or a later bound that is cheap to get.
    fn last_timestamp(&self, segment: u64) -> io::Result<Option<i64>> {
        let following = {
            let state = self.state();
            let index = state.segments.partition_point(|base| *base <= segment);
            state.segments.get(index).copied()
        };
        if let Some(following) = following
            && let Some(bound) = self.first_timestamp(following)?
        {
            return Ok(Some(bound));
        }
        let mut walker = self.walk_segment(segment, SCAN_WINDOW)?;
        let mut last = None;
        while let Some(found) = walker.peek()? {
            last = Some(found.header.timestamp_ms);
            walker.pass(&found);
        }
        Ok(last)
    }
}
