//! A running job: starts its subtasks, takes checkpoints, notices the end and failures.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use weir_base::clock::Clock;
use weir_base::settings::{CheckpointMode, RecordClock};
use weir_base::spawn::Spawner;

use crate::checkpoint::{CheckpointError, CheckpointStorage, Manifest};
use crate::coordinator::{Coordinator, Request};
use crate::dirty::DirtyPolicy;
use crate::error::ConnectorError;
use crate::graph::Graph;
use crate::metrics::{NodeCounters, NodeMetrics};
use crate::operator::OperatorError;

/// A job to run.
pub struct JobSpec {
    /// The dataflow.
    pub graph: Graph,
    /// Subtasks per chain.
    pub parallelism: usize,
    /// Where checkpoints go. Needed to suspend the job even when none are taken periodically.
    pub storage: CheckpointStorage,
    /// Time between checkpoints; `None` takes them only on request.
    pub checkpoint_interval: Option<Duration>,
    /// What checkpoints promise. Without an interval sinks do not wait for them.
    pub mode: CheckpointMode,
    /// The checkpoint to continue from.
    pub restore: Option<Manifest>,
    /// No checkpoint of this run has a smaller epoch, whatever the clock says.
    pub first_epoch: u64,
    /// After this time without a record a partition no longer holds back the watermark.
    pub idle_timeout: Option<Duration>,
    /// A processing-time clock that counts records, for repeatable runs.
    pub record_clock: Option<RecordClock>,
}

/// What the engine is given by its surroundings.
#[derive(Clone)]
pub struct Surroundings {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Starts tasks.
    pub spawner: Arc<dyn Spawner>,
    /// What happens to dirty records.
    pub dirty: Arc<dyn DirtyPolicy>,
}

/// Why a job could not start or ended badly. The text is for people.
#[derive(Debug, Error)]
pub enum JobError {
    /// A connector.
    #[error("{name}: {error}")]
    Connector {
        /// The node.
        name: String,
        /// What it said.
        error: ConnectorError,
    },
    /// A checkpoint.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// An operator.
    #[error("{0}")]
    Operator(#[from] OperatorError),
    /// A subtask.
    #[error("{name}: {error}")]
    Task {
        /// The node at the head of its chain.
        name: String,
        /// What went wrong.
        error: String,
    },
    /// Dirty records could not be saved.
    #[error("{0}")]
    Dirty(String),
    /// The saved state does not fit.
    #[error("the checkpoint does not fit the job: {0}")]
    State(String),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All sources ended; everything is committed.
    Finished,
    /// It was cancelled.
    Cancelled,
    /// It was suspended: a final checkpoint is complete and committed.
    Suspended,
    /// It failed; the text says why.
    Failed(String),
}

/// Counters of the checkpoints of this run.
#[derive(Debug, Clone, Default)]
pub struct CheckpointMetrics {
    /// Complete ones.
    pub completed: u64,
    /// Duration of the last complete one.
    pub duration: Duration,
    /// Bytes of state of the last complete one.
    pub bytes: u64,
    /// Number of the last complete one.
    pub epoch: Option<u64>,
}

/// A running job.
pub struct JobHandle {
    pub(crate) counters: Arc<Vec<NodeCounters>>,
    pub(crate) checkpoints: watch::Receiver<CheckpointMetrics>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) cancel: CancellationToken,
    pub(crate) outcome: watch::Receiver<Option<Outcome>>,
}

impl JobHandle {
    /// Starts a job. Returns when all its subtasks are open.
    pub async fn start(spec: JobSpec, surroundings: Surroundings) -> Result<JobHandle, JobError> {
        Coordinator::start(spec, surroundings).await
    }

    /// Returns the counters of all nodes.
    pub fn metrics(&self) -> Vec<NodeMetrics> {
        self.counters.iter().map(NodeCounters::snapshot).collect()
    }

    /// Returns the counters of checkpoints.
    pub fn checkpoint_metrics(&self) -> CheckpointMetrics {
        self.checkpoints.borrow().clone()
    }

    /// Takes a checkpoint now. Returns when it is complete and committed; `false` when the job ended before.
    pub async fn checkpoint(&self) -> bool {
        let (reply, done) = oneshot::channel();
        self.requests.send(Request::Checkpoint(reply)).await.is_ok() && done.await.is_ok()
    }

    /// Takes a final checkpoint and ends the job.
    pub async fn suspend(&self) {
        let _ = self.requests.send(Request::Suspend).await;
    }

    /// Ends the job at once, without a checkpoint.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Waits for the end.
    pub async fn wait(&self) -> Outcome {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(Outcome::Cancelled),
            Err(_) => Outcome::Failed("the coordinator of the job ended unexpectedly".to_string()),
        }
    }
}
