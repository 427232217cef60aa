//! Subtasks: the loops that move rows, watermarks and barriers through chains of operators.

mod chain;
mod lookup;
mod operator;
mod source;

use thiserror::Error;
use tokio::sync::mpsc;

pub(crate) use chain::{Chain, ChainLink, SinkTail};
pub(crate) use lookup::LookupHead;
pub(crate) use operator::{OperatorTask, Rows, TaskInput};
pub(crate) use source::{SourceCommand, SourceTask};

use crate::channel::Disconnected;
use crate::error::ConnectorError;
use crate::graph::NodeId;
use crate::operator::OperatorError;
use crate::split::SplitState;

/// Why a subtask ended early.
#[derive(Debug, Error)]
pub(crate) enum TaskError {
    /// An operator failed.
    #[error("{0}")]
    Operator(#[from] OperatorError),
    /// A source, table or sink failed.
    #[error("{0}")]
    Connector(#[from] ConnectorError),
    /// The policy for dirty records says so.
    #[error("{0}")]
    Dirty(String),
    /// The job is being cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<Disconnected> for TaskError {
    fn from(_: Disconnected) -> Self {
        TaskError::Cancelled
    }
}

/// Names a subtask: its chain and its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskId {
    pub(crate) chain: usize,
    pub(crate) subtask: usize,
}

/// What a subtask hands over at a barrier or at its end.
#[derive(Debug, Default, Clone)]
pub(crate) struct TaskState {
    /// Operator snapshots.
    pub(crate) operators: Vec<(NodeId, Vec<u8>)>,
    /// Read positions.
    pub(crate) splits: Option<(NodeId, Vec<SplitState>)>,
    /// State of the sink's writer.
    pub(crate) sink: Option<(NodeId, Vec<u8>)>,
    /// What to commit when the checkpoint is complete.
    pub(crate) committable: Option<(NodeId, Vec<u8>)>,
}

/// What subtasks tell the coordinator.
#[derive(Debug)]
pub(crate) enum TaskEvent {
    /// The subtask has reached the barrier of an epoch.
    Snapshot { task: TaskId, epoch: u64, state: TaskState },
    /// The subtask has ended; this state holds from now on.
    Finished { task: TaskId, state: TaskState },
    /// The subtask has failed.
    Failed { name: String, error: String },
}

pub(crate) type EventSender = mpsc::Sender<TaskEvent>;
