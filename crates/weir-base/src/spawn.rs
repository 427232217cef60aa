//! Where tasks are started, so that a simulation can own the schedule.

use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tracing::Instrument;

/// Starts named tasks.
pub trait Spawner: Send + Sync + 'static {
    /// Starts `task`; the name appears in logs when the task panics.
    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>) -> JoinHandle<()>;
}

/// Starts tasks on the Tokio runtime of the caller.
#[derive(Debug, Default, Clone, Copy)]
pub struct TokioSpawner;

impl Spawner for TokioSpawner {
    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>) -> JoinHandle<()> {
        tracing::trace!(task = name, "task started");
        // The span of the caller names the job in every log line.
        tokio::spawn(task.in_current_span())
    }
}
