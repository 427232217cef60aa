//! Checkpoints: what they hold and where they are kept.

mod manifest;
mod storage;

pub(crate) use manifest::FORMAT;

pub use manifest::{Manifest, OperatorState, StateFile};
pub use storage::{CheckpointError, CheckpointStorage};
