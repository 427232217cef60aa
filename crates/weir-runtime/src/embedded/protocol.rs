//! What service and worker say to each other: one JSON object per line.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use weir_base::ipv4::Ipv4Network;
use weir_base::savepoint::SavepointAsk;

/// From the service to the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Command {
    /// End without a checkpoint.
    Stop,
    /// Take a final checkpoint and end, so that the job can be resumed.
    Suspend,
    /// Write a savepoint, and end with it when it says so.
    Savepoint(SavepointAsk),
    /// The networks that the job may reach from now on.
    Reach(BTreeSet<Ipv4Network>),
}
