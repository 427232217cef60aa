//! Sources that make their rows up: repeatable randomness and a reader over positions.

mod random;
mod reader;

pub(crate) use random::{Dice, LETTERS, Words, letters};
pub(crate) use reader::GeneratorSource;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use weir_engine::error::ConnectorError;

/// Rows of a generator from a position on.
pub(crate) struct Step {
    pub rows: RecordBatch,
    /// Position behind them.
    pub next: u64,
}

/// Makes rows that depend on the position alone.
pub(crate) trait Generator: Send + Sync + 'static {
    fn schema(&self) -> SchemaRef;

    /// Returns the first position of a split.
    fn first(&self, split: u32) -> u64;

    /// Makes about `most` rows of a split from a position on; `None` at its end.
    fn step(&self, split: u32, position: u64, most: usize) -> Result<Option<Step>, ConnectorError>;
}
