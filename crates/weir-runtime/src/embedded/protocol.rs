//! What service and worker say to each other: one JSON object per line.

use serde::{Deserialize, Serialize};

/// From the service to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Command {
    /// End without a checkpoint.
    Stop,
    /// Take a final checkpoint and end, so that the job can be resumed.
    Suspend,
}
