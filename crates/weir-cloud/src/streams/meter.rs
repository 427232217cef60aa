//! How much went in and out of the streams, per minute, as this process saw it.
//!
//! Kept in memory for [`KEPT_MINUTES`]; what other processes (jobs) read and write is counted there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Minutes kept: three hours cover the charts that clients draw.
const KEPT_MINUTES: usize = 180;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Records stored.
    PutRecords,
    /// Bytes stored.
    PutBytes,
    /// Records read.
    GetRecords,
    /// Bytes read.
    GetBytes,
}

/// The count of one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinutePoint {
    /// Begin of the minute, seconds since the epoch.
    pub timestamp_seconds: i64,
    /// The count.
    pub value: u64,
}

type Series = BTreeMap<i64, [u64; 4]>;

/// Counts by stream id and partition.
#[derive(Debug, Default)]
pub(super) struct Meter {
    series: Mutex<HashMap<(String, u32), Series>>,
}

impl Meter {
    /// Counts records stored.
    pub(super) fn count_put(&self, stream: &str, partition: u32, now_ms: i64, records: u64, bytes: u64) {
        self.count(stream, partition, now_ms, [records, bytes, 0, 0]);
    }

    /// Counts records read.
    pub(super) fn count_get(&self, stream: &str, partition: u32, now_ms: i64, records: u64, bytes: u64) {
        self.count(stream, partition, now_ms, [0, 0, records, bytes]);
    }

    /// Returns the counts of the minutes from `from` to `to` (seconds), of one partition or of all.
    pub(super) fn points(
        &self,
        stream: &str,
        partition: Option<u32>,
        measure: Measure,
        from: i64,
        to: i64,
    ) -> Vec<MinutePoint> {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = BTreeMap::new();
        if from > to {
            return Vec::new();
        }
        let wanted = series.iter().filter(|((id, number), _)| {
            id == stream && partition.is_none_or(|partition| partition == *number)
        });
        for (_, minutes) in wanted {
            for (minute, counts) in minutes.range(from.div_euclid(60)..=to.div_euclid(60)) {
                *sums.entry(*minute).or_insert(0) += counts[measure as usize];
            }
        }
        sums.into_iter()
            .map(|(minute, value)| MinutePoint { timestamp_seconds: minute * 60, value })
            .collect()
    }

    /// Forgets a stream.
    pub(super) fn forget(&self, stream: &str) {
        self.series.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _), _| id != stream);
    }

    fn count(&self, stream: &str, partition: u32, now_ms: i64, counts: [u64; 4]) {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let minutes = series.entry((stream.to_string(), partition)).or_default();
        let sums = minutes.entry(now_ms.div_euclid(60_000)).or_default();
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
        while minutes.len() > KEPT_MINUTES {
            minutes.pop_first();
        }
    }
}
