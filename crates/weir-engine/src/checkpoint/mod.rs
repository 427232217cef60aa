//! Checkpoints: what they hold and where they are kept.

mod manifest;
mod storage;

pub use manifest::{FORMAT, Manifest, OperatorState, StateFile};
pub use storage::{CheckpointError, CheckpointStorage};
