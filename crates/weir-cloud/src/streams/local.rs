//! The embedded stream store: [`Streams`] over a local directory.
//!
//! Every operation that touches files runs on a blocking thread. State kept in memory is only ever a
//! cache that is checked against the files, as other processes use the same directory.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use weir_base::clock::Clock;

use super::catalog::{PartitionStatus, StreamEntry};
use super::partition::PartitionLog;
use super::store::{Inner, StoreOptions};
use super::{Bounds, Checkpoint, NewRecord, ReadRecords, Stored, Streams, StreamsError, TransactionId};

/// Pauses between looks at a partition that has nothing new: short ones first, so that a record among others is seen
/// soon, then long ones, so that a stream at rest costs little. After the last one [`Streams::wait`] gives up.
const PAUSES_MS: [u64; 12] = [10, 15, 25, 50, 100, 100, 100, 100, 100, 100, 100, 100];

/// The stream store in a local directory.
#[derive(Clone)]
pub struct LocalStreams {
    pub(super) inner: Arc<Inner>,
}

impl fmt::Debug for LocalStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalStreams").field("root", &self.inner.root).finish_non_exhaustive()
    }
}

impl LocalStreams {
    /// Opens the store in `dir`, which is created when it is missing. Any number of processes may do
    /// so at once.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StreamsError> {
        Self::open_with(dir, clock, StoreOptions::default())
    }

    /// As [`LocalStreams::open`], with other sizes.
    pub fn open_with(dir: &Path, clock: Arc<dyn Clock>, options: StoreOptions) -> Result<Self, StreamsError> {
        Ok(Self { inner: Arc::new(Inner::open(dir, clock, options)?) })
    }

    /// Stores records as [`Streams::append`] does, with an answer for each: one partition may fail where
    /// others succeed.
    pub async fn put(
        &self,
        project: &str,
        stream: &str,
        records: Vec<NewRecord>,
    ) -> Result<Vec<Result<Stored, StreamsError>>, StreamsError> {
        let permit = self.inner.writes.acquire().await;
        let (project, stream) = (project.to_string(), stream.to_string());
        let stored = self.blocking(move |inner| inner.put(&project, &stream, records)).await;
        drop(permit);
        stored
    }

    /// Runs work on files where it may block.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StreamsError> + Send + 'static,
    ) -> Result<T, StreamsError> {
        let inner = Arc::clone(&self.inner);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result,
            Err(error) => Err(StreamsError::Io(io::Error::other(error))),
        }
    }

    async fn with_log<T: Send + 'static>(
        &self,
        project: &str,
        stream: &str,
        partition: u32,
        work: impl FnOnce(&Inner, &StreamEntry, &PartitionLog) -> Result<T, StreamsError> + Send + 'static,
    ) -> Result<T, StreamsError> {
        let (project, stream) = (project.to_string(), stream.to_string());
        self.blocking(move |inner| {
            let entry = inner.catalog.stream(&project, &stream)?;
            let log = inner.readable_log(&project, &entry, partition)?;
            work(inner, &entry, &log)
        })
        .await
    }
}

#[async_trait]
impl Streams for LocalStreams {
    async fn partitions(&self, project: &str, stream: &str) -> Result<Vec<u32>, StreamsError> {
        let entry = self.describe_stream(project, stream).await?;
        let now = self.inner.now_ms();
        let readable =
            entry.partitions.iter().filter(|known| entry.status(known, now) != PartitionStatus::Expired);
        Ok(readable.map(|known| known.id).collect())
    }

    async fn bounds(&self, project: &str, stream: &str, partition: u32) -> Result<Bounds, StreamsError> {
        self.with_log(project, stream, partition, |_, _, log| Ok(log.bounds()?)).await
    }

    async fn read(
        &self,
        project: &str,
        stream: &str,
        partition: u32,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<ReadRecords, StreamsError> {
        self.with_log(project, stream, partition, move |inner, entry, log| {
            let Some(read) = log.read(from, max_records, max_bytes)? else {
                return Err(StreamsError::OutOfRange { sequence: from, next: log.bounds()?.next });
            };
            if !read.records.is_empty() {
                let bytes: usize = read.records.iter().map(|record| record.data.len()).sum();
                let count = read.records.len() as u64;
                inner.meter.count_get(&entry.id, partition, inner.now_ms(), count, bytes as u64);
            }
            Ok(read)
        })
        .await
    }

    async fn wait(&self, project: &str, stream: &str, partition: u32, from: u64) -> Result<(), StreamsError> {
        let (project, stream) = (project.to_string(), stream.to_string());
        let log = self
            .blocking(move |inner| {
                let entry = inner.catalog.stream(&project, &stream)?;
                inner.readable_log(&project, &entry, partition)
            })
            .await?;
        for pause in PAUSES_MS {
            if log.may_have_record_at(from) {
                let log = Arc::clone(&log);
                if self.blocking(move |_| Ok(log.has_record_at(from)?)).await? {
                    break;
                }
            }
            self.inner.clock.sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    async fn position_at(
        &self,
        project: &str,
        stream: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<u64, StreamsError> {
        self.with_log(project, stream, partition, move |_, _, log| Ok(log.position_at(timestamp_ms)?)).await
    }

    async fn append(
        &self,
        project: &str,
        stream: &str,
        records: Vec<NewRecord>,
    ) -> Result<Vec<Stored>, StreamsError> {
        self.put(project, stream, records).await?.into_iter().collect()
    }

    async fn stage(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
        records: Vec<NewRecord>,
    ) -> Result<(), StreamsError> {
        let (project, stream, transaction) = (project.to_string(), stream.to_string(), transaction.clone());
        self.blocking(move |inner| inner.stage(&project, &stream, &transaction, records)).await
    }

    async fn seal(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
    ) -> Result<(), StreamsError> {
        let (project, stream, transaction) = (project.to_string(), stream.to_string(), transaction.clone());
        self.blocking(move |inner| {
            let entry = inner.catalog.stream(&project, &stream)?;
            let directory = inner.catalog.stream_directory(&project, &entry)?;
            let next = |partition| Ok(inner.log(&directory, &entry, partition).bounds()?.next);
            inner.staging.seal(&directory, &transaction, next)
        })
        .await
    }

    async fn commit(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
    ) -> Result<(), StreamsError> {
        let (project, stream, transaction) = (project.to_string(), stream.to_string(), transaction.clone());
        let permit = self.inner.writes.acquire().await;
        let committed = self
            .blocking(move |inner| {
                let entry = inner.catalog.stream(&project, &stream)?;
                let directory = inner.catalog.stream_directory(&project, &entry)?;
                let log = |partition| inner.log(&directory, &entry, partition);
                inner.staging.commit(&directory, &transaction, inner.now_ms(), log)
            })
            .await;
        drop(permit);
        committed
    }

    async fn discard(
        &self,
        project: &str,
        stream: &str,
        writer: &str,
        restored_epoch: Option<u64>,
    ) -> Result<(), StreamsError> {
        let (project, stream, writer) = (project.to_string(), stream.to_string(), writer.to_string());
        self.blocking(move |inner| {
            let entry = inner.catalog.stream(&project, &stream)?;
            let directory = inner.catalog.stream_directory(&project, &entry)?;
            inner.staging.discard(&directory, &writer, restored_epoch)
        })
        .await
    }

    async fn consumer_position(
        &self,
        project: &str,
        stream: &str,
        app: &str,
        partition: u32,
    ) -> Result<Option<u64>, StreamsError> {
        let all = self.checkpoints(project, stream, app).await;
        match all {
            Ok(all) => Ok(all.get(&partition).map(|checkpoint| checkpoint.sequence)),
            Err(StreamsError::NoApp(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn store_consumer_position(
        &self,
        project: &str,
        stream: &str,
        app: &str,
        partition: u32,
        sequence: u64,
    ) -> Result<(), StreamsError> {
        let checkpoint = Checkpoint { sequence, metadata: String::new() };
        self.ensure_app(project, app).await?;
        self.store_checkpoint(project, stream, app, partition, checkpoint).await
    }
}
