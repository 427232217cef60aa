//! Partitioned, durable streams of records: the embedded form of the Data Ingestion Service.
//!
//! [`Streams`] is what connectors use; [`LocalStreams`] is the form kept in a local directory. Several
//! processes may open one directory at once (the server and one worker per job), so nothing is
//! assumed to be unchanged between two calls: writers take a file lock per partition, readers
//! take only whole frames whose checksum is right.

mod admin;
mod apps;
mod catalog;
mod change;
mod consumers;
pub(crate) mod files;
mod frame;
mod local;
mod meter;
mod partition;
pub mod placement;
mod segment;
mod staging;
mod store;

pub use apps::App;
pub use catalog::{
    AutoScale, DataType, NewStream, PartitionEntry, PartitionStatus, Scaling, StreamChange, StreamEntry,
    StreamType, Tag,
};
pub use consumers::Checkpoint;
pub use local::LocalStreams;
pub use meter::{Measure, MinutePoint};
pub use store::StoreOptions;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

/// A record as read.
#[derive(Debug, Clone)]
pub struct StoredRecord {
    /// Position in the partition, consecutive from 0.
    pub sequence: u64,
    /// When it was stored, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The key it was sent with, when the key chose the partition.
    pub partition_key: Option<String>,
    /// Content.
    pub data: Bytes,
}

/// How a new record finds its partition.
#[derive(Debug, Clone)]
pub enum Placement {
    /// This partition.
    Partition(u32),
    /// The partition whose hash range holds this number, 0 to 2^63-1.
    HashKey(u64),
    /// By the hash of the key.
    Key(String),
    /// As [`Placement::HashKey`], for a record whose key is to be kept though it does not choose.
    HashKeyAndKey {
        /// Chooses the partition.
        hash: u64,
        /// Comes back on reading.
        key: String,
    },
    /// Any: the store spreads records.
    Any,
}

/// A record to store.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// Which partition.
    pub placement: Placement,
    /// Content.
    pub data: Bytes,
}

/// Where a new record went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Partition.
    pub partition: u32,
    /// Position in it.
    pub sequence: u64,
}

/// The readable span of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Oldest record kept; equals `next` when there is none.
    pub earliest: u64,
    /// The number the next record will get.
    pub next: u64,
}

/// Records read from one partition.
#[derive(Debug, Clone, Default)]
pub struct ReadRecords {
    /// In order of sequence; may be empty.
    pub records: Vec<StoredRecord>,
    /// Where to read on.
    pub next: u64,
}

/// Names one transaction of one writer: everything a sink subtask wrote between two checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct TransactionId {
    /// Stable name of the writing sink, such as `job-7/SINK_NAME`. Also the prefix for [`Streams::discard`].
    pub writer: String,
    /// Subtask of the sink.
    pub subtask: usize,
    /// Checkpoint epoch.
    pub epoch: u64,
}

/// A fault of the stream service.
#[derive(Debug, Error)]
pub enum StreamsError {
    /// No stream has the name.
    #[error("there is no stream `{0}`")]
    NoStream(String),
    /// A stream has the name already.
    #[error("there is a stream `{0}` already")]
    StreamExists(String),
    /// The stream has no such partition.
    #[error("stream `{stream}` has no partition {partition}")]
    NoPartition {
        /// Stream.
        stream: String,
        /// Partition asked for.
        partition: u32,
    },
    /// The position is beyond the newest record.
    #[error("sequence number {sequence} is out of range; the next one is {next}")]
    OutOfRange {
        /// Position asked for.
        sequence: u64,
        /// The next position.
        next: u64,
    },
    /// No consumer (app) has the name.
    #[error("there is no app `{0}`")]
    NoApp(String),
    /// A consumer (app) has the name already.
    #[error("there is an app `{0}` already")]
    AppExists(String),
    /// The request breaks a rule of the service.
    #[error("{0}")]
    Invalid(String),
    /// The files of the store failed.
    #[error("stream store: {0}")]
    Io(#[from] std::io::Error),
}

/// The data path of the stream service, as connectors use it. `project` and `stream` name a stream.
#[async_trait]
pub trait Streams: Send + Sync + std::fmt::Debug + 'static {
    /// Returns the ids of the partitions that can be read, in order.
    async fn partitions(&self, project: &str, stream: &str) -> Result<Vec<u32>, StreamsError>;

    /// Returns what a partition holds.
    async fn bounds(&self, project: &str, stream: &str, partition: u32) -> Result<Bounds, StreamsError>;

    /// Reads from `from` on, at most `max_records` and about `max_bytes` (always at least one record when
    /// there is one). Records below the retained span are skipped: reading goes on at the oldest one kept.
    async fn read(
        &self,
        project: &str,
        stream: &str,
        partition: u32,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<ReadRecords, StreamsError>;

    /// Waits until a partition has a record at `from` or later, or some time (less than a second) has passed.
    async fn wait(&self, project: &str, stream: &str, partition: u32, from: u64) -> Result<(), StreamsError>;

    /// Returns the position of the first record stored at or after an instant; `next` when there is none.
    async fn position_at(
        &self,
        project: &str,
        stream: &str,
        partition: u32,
        timestamp_ms: i64,
    ) -> Result<u64, StreamsError>;

    /// Stores records; durable when it returns. Answers in the order of the request.
    async fn append(
        &self,
        project: &str,
        stream: &str,
        records: Vec<NewRecord>,
    ) -> Result<Vec<Stored>, StreamsError>;

    /// Stages records of a transaction: durable when [`Streams::seal`] returns, invisible until
    /// [`Streams::commit`]. May be called several times for one transaction.
    async fn stage(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
        records: Vec<NewRecord>,
    ) -> Result<(), StreamsError>;

    /// Makes the staged records of a transaction durable.
    async fn seal(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
    ) -> Result<(), StreamsError>;

    /// Makes a sealed transaction visible, once: repeating it after success, or after a crash in
    /// the middle, adds nothing twice.
    async fn commit(
        &self,
        project: &str,
        stream: &str,
        transaction: &TransactionId,
    ) -> Result<(), StreamsError>;

    /// Drops staged transactions of a writer (all subtasks) whose epoch is above `restored_epoch`, all of them when it is `None`.
    async fn discard(
        &self,
        project: &str,
        stream: &str,
        writer: &str,
        restored_epoch: Option<u64>,
    ) -> Result<(), StreamsError>;

    /// Returns the position that a consumer (app) stored for a partition.
    async fn consumer_position(
        &self,
        project: &str,
        stream: &str,
        app: &str,
        partition: u32,
    ) -> Result<Option<u64>, StreamsError>;

    /// Stores the position of a consumer, creating the consumer when it is new.
    async fn store_consumer_position(
        &self,
        project: &str,
        stream: &str,
        app: &str,
        partition: u32,
        sequence: u64,
    ) -> Result<(), StreamsError>;
}
