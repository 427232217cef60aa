//! The manifest of a checkpoint: written last, so a checkpoint without one does not exist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::split::SplitState;

/// Version of the form of manifests and state files.
pub const FORMAT: u32 = 2;

/// Everything needed to continue a job from a checkpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Number of the checkpoint; grows over the life of a job.
    pub epoch: u64,
    /// When it was started, milliseconds since the epoch.
    pub time_ms: i64,
    /// Parallelism it was taken at.
    pub parallelism: usize,
    /// Whether every source had ended: nothing is left to do but to commit.
    pub finished: bool,
    /// State by operator id.
    pub operators: BTreeMap<String, OperatorState>,
    /// Bytes of all state files.
    pub state_bytes: u64,
}

impl Manifest {
    /// Returns the manifest without what sinks have to commit, for a checkpoint whose output is committed.
    pub fn committed(mut self) -> Self {
        self.operators.values_mut().for_each(|operator| operator.committables.clear());
        self
    }
}

/// State of one operator, all subtasks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OperatorState {
    /// Read positions, for sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<SplitState>,
    /// State files by subtask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StateFile>,
    /// States of sink writers, base64, by subtask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
    /// What the sink has to commit, base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub committables: Vec<String>,
}

/// One state file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StateFile {
    /// Subtask that wrote it.
    pub subtask: usize,
    /// Key of the object, relative to the checkpoint's directory.
    pub name: String,
    /// Its size, to notice a file that was cut.
    pub bytes: u64,
}
