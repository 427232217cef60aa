//! The contract of a sink: write, prepare at the barrier, commit after the checkpoint.
//!
//! With exactly-once checkpoints the engine calls [`SinkWriter::prepare`] at every barrier and
//! [`SinkConnector::commit`] only when the checkpoint is complete, so nothing is visible before. With
//! checkpoints off or at-least-once it prepares and commits at short intervals. Commit may be
//! repeated after a failure and must then change nothing.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;

use crate::error::ConnectorError;

/// What a sink can promise when the job takes exactly-once checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Output becomes visible when the checkpoint commits, once.
    ExactlyOnce,
    /// Output may be repeated after a failure.
    AtLeastOnce,
}

/// What a writer hands over at a barrier.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// What the writer needs to go on after a restore (open part, counters). Empty when nothing.
    pub state: Vec<u8>,
    /// What [`SinkConnector::commit`] needs to make the prepared output visible. Durable on its own:
    /// the staged data must survive the process. `None` when there is nothing to commit.
    pub committable: Option<Vec<u8>>,
}

/// Where a writer stands in the job.
#[derive(Debug, Clone)]
pub struct WriterContext {
    /// Index of the subtask, from 0.
    pub subtask: usize,
    /// Number of subtasks of this sink.
    pub parallelism: usize,
    /// Epoch of the checkpoint the job was restored from, or `None` on a fresh start.
    pub restored_epoch: Option<u64>,
    /// States of earlier writers that this one takes over; empty on a fresh start. After a change of
    /// parallelism one writer may get several states, or none.
    pub states: Vec<Vec<u8>>,
}

/// A declared sink stream, ready to be written.
#[async_trait]
pub trait SinkConnector: Send + Sync + 'static {
    /// Returns what this sink promises.
    fn guarantee(&self) -> Guarantee;

    /// Returns whether writers take the hidden row-kind column of a changelog. Other sinks are given added rows
    /// alone: what they have written stays.
    fn takes_row_kinds(&self) -> bool {
        false
    }

    /// Called once before any writer is opened: removes what earlier runs staged but no checkpoint
    /// holds. `restored_epoch` is the checkpoint the job continues from; the engine has already
    /// committed its committables.
    async fn discard_uncommitted(&self, restored_epoch: Option<u64>) -> Result<(), ConnectorError>;

    /// Opens the writer of one subtask.
    async fn open(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError>;

    /// Makes prepared output visible. Repeatable; may run in another process than the writer's.
    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError>;
}

/// Writes the rows of one subtask.
#[async_trait]
pub trait SinkWriter: Send {
    /// Takes rows. May buffer, within bounds, or stage them; must not make them visible when the
    /// sink promises exactly-once. Returns the bytes encoded.
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError>;

    /// Makes everything written so far durable. `epoch` is the checkpoint's number, and grows.
    /// `last` says that no row follows: nothing may stay behind in the state.
    async fn prepare(&mut self, epoch: u64, last: bool) -> Result<Prepared, ConnectorError>;
}

/// A shared sink connector.
pub type SharedSink = Arc<dyn SinkConnector>;
