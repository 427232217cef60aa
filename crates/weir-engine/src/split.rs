//! A split as checkpoints hold it.

use serde::{Deserialize, Serialize};

use crate::source::Split;
use crate::watermark::GeneratorState;

/// A split with what the engine knows of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SplitState {
    /// The connector's part.
    pub split: Split,
    /// State of the watermark generator.
    pub generator: Option<GeneratorState>,
    /// Records read, for the record clock.
    pub records: u64,
}
