//! What all handles of one open store share, and the steps of writing.
//!
//! These block. [`super::LocalStreams`] calls them on blocking threads.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use weir_base::clock::Clock;

use super::catalog::{Catalog, PartitionStatus, StreamEntry};
use super::frame::Entry;
use super::meter::Meter;
use super::partition::{Durability, PartitionLog, RollOptions};
use super::staging::{self, Staging};
use super::{NewRecord, Placement, Stored, StreamsError, TransactionId, placement};

/// Calls that write at once: each may hold a blocking thread until the disk is done.
const CONCURRENT_WRITES: usize = 64;
/// Records without a place of their own that go to one partition before the next one is taken: each
/// partition touched costs a call to the disk.
const SPREAD_RUN: usize = 256;
/// The largest record that the store takes; the service at the door takes less.
const MAX_RECORD_BYTES: usize = 32 << 20;

/// When segments of the log are closed.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// At this size.
    pub segment_bytes: u64,
    /// When their first record is this old.
    pub segment_age: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, segment_age: Duration::from_secs(3600) }
    }
}

/// An open store.
pub(super) struct Inner {
    pub(super) root: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    options: StoreOptions,
    pub(super) catalog: Catalog,
    logs: Mutex<HashMap<(String, u32), Arc<PartitionLog>>>,
    pub(super) staging: Staging,
    pub(super) meter: Meter,
    /// Where the next records without a place of their own go.
    spread: AtomicU64,
    /// Permits for calls that write.
    pub(super) writes: Semaphore,
}

impl Inner {
    /// Opens the store in `dir`, which is created when it is missing.
    pub(super) fn open(
        dir: &Path,
        clock: Arc<dyn Clock>,
        options: StoreOptions,
    ) -> Result<Self, StreamsError> {
        std::fs::create_dir_all(dir)?;
        Ok(Self {
            root: dir.to_path_buf(),
            clock,
            options,
            catalog: Catalog::new(dir),
            logs: Mutex::default(),
            staging: Staging::default(),
            meter: Meter::default(),
            spread: AtomicU64::new(u64::from(rand::random::<u32>())),
            writes: Semaphore::new(CONCURRENT_WRITES),
        })
    }

    /// Returns the present instant, milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now().0
    }

    /// Returns the log of a partition, whatever its status.
    pub(super) fn log(&self, directory: &Path, entry: &StreamEntry, partition: u32) -> Arc<PartitionLog> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = logs.entry((entry.id.clone(), partition)).or_insert_with(|| {
            let StoreOptions { segment_bytes, segment_age } = self.options;
            let directory = partition_directory(directory, partition);
            Arc::new(PartitionLog::new(directory, RollOptions { segment_bytes, segment_age }))
        });
        Arc::clone(log)
    }

    /// Returns the log of a partition that can be read.
    pub(super) fn readable_log(
        &self,
        project: &str,
        entry: &StreamEntry,
        partition: u32,
    ) -> Result<Arc<PartitionLog>, StreamsError> {
        let known = entry.partitions.iter().find(|known| known.id == partition);
        known
            .filter(|known| entry.status(known, self.now_ms()) != PartitionStatus::Expired)
            .ok_or_else(|| StreamsError::NoPartition { stream: entry.name.clone(), partition })?;
        Ok(self.log(&self.catalog.stream_directory(project, entry)?, entry, partition))
    }

    /// Forgets what is known of a stream that was deleted.
    pub(super) fn forget(&self, id: &str) {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).retain(|(stream, _), _| stream != id);
        self.meter.forget(id);
    }

    /// Stores records, with an answer for each.
    pub(super) fn put(
        &self,
        project: &str,
        stream: &str,
        records: Vec<NewRecord>,
    ) -> Result<Vec<Result<Stored, StreamsError>>, StreamsError> {
        let entry = self.catalog.stream(project, stream)?;
        let directory = self.catalog.stream_directory(project, &entry)?;
        let mut answers: Vec<Option<Result<Stored, StreamsError>>> = Vec::new();
        let mut groups: HashMap<u32, (Vec<usize>, Vec<Entry>)> = HashMap::new();
        let mut any = 0;
        let start = self.spread.fetch_add((records.len() / SPREAD_RUN) as u64 + 1, Ordering::Relaxed);
        for (index, record) in records.into_iter().enumerate() {
            let run = start.wrapping_add((any / SPREAD_RUN) as u64);
            any += usize::from(matches!(record.placement, Placement::Any));
            answers.push(match place(&entry, record, run) {
                Ok((partition, entry)) => {
                    let group = groups.entry(partition).or_default();
                    group.0.push(index);
                    group.1.push(entry);
                    None
                }
                Err(error) => Some(Err(error)),
            });
        }
        for (partition, (indexes, entries)) in groups {
            let log = self.log(&directory, &entry, partition);
            let first = log.append(&entries, None, self.now_ms(), Durability::Now);
            let bytes: usize = entries.iter().map(|entry| entry.data.len()).sum();
            if first.is_ok() {
                self.meter.count_put(&entry.id, partition, self.now_ms(), entries.len() as u64, bytes as u64);
            }
            for (position, index) in indexes.into_iter().enumerate() {
                answers[index] = Some(match &first {
                    Ok(first) => Ok(Stored { partition, sequence: first + position as u64 }),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        Err(StreamsError::NoStream(stream.to_string()))
                    }
                    Err(error) => Err(io::Error::new(error.kind(), error.to_string()).into()),
                });
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Stages records of a transaction.
    pub(super) fn stage(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
        records: Vec<NewRecord>,
    ) -> Result<(), StreamsError> {
        let entry = self.catalog.stream(project, stream)?;
        let directory = self.catalog.stream_directory(project, &entry)?;
        let count = u64::from(entry.active_count().max(1));
        let start = staging::spread_start(transaction);
        let mut entries = Vec::with_capacity(records.len());
        let mut places = Vec::with_capacity(records.len());
        for record in records {
            let is_any = matches!(record.placement, Placement::Any);
            let (partition, record) = place(&entry, record, 0)?;
            places.push((!is_any).then_some(partition));
            entries.push(record);
        }
        self.staging.stage(&directory, transaction, entries, |index, spread| match places[index] {
            Some(partition) => (partition, false),
            None => (((start + spread) % count) as u32, true),
        })
    }
}

/// Returns the directory of a partition.
pub(super) fn partition_directory(stream: &Path, partition: u32) -> PathBuf {
    stream.join("partitions").join(format!("{partition:010}"))
}

/// Chooses the partition of a record; `any` chooses for those that have no place of their own.
fn place(entry: &StreamEntry, record: NewRecord, any: u64) -> Result<(u32, Entry), StreamsError> {
    let count = entry.active_count().max(1);
    if record.data.len() > MAX_RECORD_BYTES {
        let text =
            format!("a record of {} bytes is too large; at most {MAX_RECORD_BYTES}", record.data.len());
        return Err(StreamsError::Invalid(text));
    }
    let (partition, key) = match record.placement {
        Placement::Partition(partition) if partition < count => (partition, None),
        Placement::Partition(partition) => {
            return Err(StreamsError::NoPartition { stream: entry.name.clone(), partition });
        }
        Placement::HashKey(hash) => (placement::partition_of(hash, count), None),
        Placement::HashKeyAndKey { hash, key } => (placement::partition_of(hash, count), Some(key)),
        Placement::Key(key) => (placement::partition_of(placement::hash_of_key(&key), count), Some(key)),
        Placement::Any => ((any % u64::from(count)) as u32, None),
    };
    Ok((partition, Entry { key: key.map(|key| Bytes::from(key.into_bytes())), data: record.data }))
}
