//! The contract of a source: splits, read positions and decoded batches.
//!
//! A connector lists its splits (a partition, an object, a file); the engine deals them out to the
//! source subtasks. The engine owns watermarks, idleness, barriers and the dirty-data policy; a
//! reader only reads, decodes and tells positions.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::ConnectorError;

/// A part of a source that is read in order: one partition, object or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Stable name, unique in the source, such as `shardId-0000000000` or an object key.
    pub id: String,
    /// Where to read next, in a form of the connector's own; `None` is the connector's start position.
    pub position: Option<String>,
    /// Whether everything up to the end of a bounded split has been read.
    pub finished: bool,
}

/// A record that could not be decoded.
#[derive(Debug, Clone)]
pub struct DirtyRecord {
    /// Why, for people; names the column where there is one.
    pub reason: String,
    /// The bytes of the record as read.
    pub data: Vec<u8>,
    /// Where it stood: split and offset, for people.
    pub place: String,
}

/// What a reader has read.
#[derive(Debug)]
pub struct SourceBatch {
    /// The split all rows come from.
    pub split: String,
    /// Decoded rows in the order of the split; the schema is that of [`SourceConnector::schema`].
    pub rows: RecordBatch,
    /// Records that could not be decoded. They count as read but have no row.
    pub dirty: Vec<DirtyRecord>,
    /// Bytes read for this batch.
    pub bytes: u64,
}

/// One step of a reader.
#[derive(Debug)]
pub enum SourceEvent {
    /// Rows of one split.
    Batch(SourceBatch),
    /// A bounded split has been read to its end.
    SplitFinished(String),
    /// All splits of this reader are bounded and finished. [`SourceReader::next`] is not called again.
    Finished,
}

/// A declared source stream, ready to be read.
#[async_trait]
pub trait SourceConnector: Send + Sync + 'static {
    /// Returns the schema of the rows: the declared columns, in order.
    fn schema(&self) -> SchemaRef;

    /// Returns whether every split ends. Splits of a bounded source never count as idle: one that
    /// is read after the others is not silent, only not reached yet.
    fn is_bounded(&self) -> bool {
        false
    }

    /// Lists the splits that exist now. Called once at the start of a job without a checkpoint, and
    /// also after a restore: splits that the checkpoint does not know start at their beginning.
    async fn splits(&self) -> Result<Vec<Split>, ConnectorError>;

    /// Opens a reader over some of the splits. With no splits the reader finishes at once.
    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError>;

    /// Told after a checkpoint that holds these positions is complete, so that a connector may store
    /// them outside (a consumer group, for example). A failure is logged, never fatal.
    async fn checkpoint_complete(&self, _splits: &[Split]) -> Result<(), ConnectorError> {
        Ok(())
    }
}

/// Reads splits. One reader belongs to one source subtask.
#[async_trait]
pub trait SourceReader: Send {
    /// Waits for the next event. Must be cancel safe: when the future is dropped, nothing is lost.
    /// A batch holds at most a few thousand rows of one split.
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError>;

    /// Returns the positions behind the last event returned by [`SourceReader::next`], one per split
    /// of this reader, finished ones included.
    fn positions(&self) -> Vec<Split>;
}

/// A shared source connector.
pub type SharedSource = Arc<dyn SourceConnector>;
