//! Partial aggregates of one slice of time, the unit that tumbling and hopping windows share.
//!
//! A slice is as long as the greatest common divisor of slide and size, so every window is a whole
//! number of slices and a row is aggregated once whatever the overlap ("Cutty", Carbone et al., 2016).

use arrow::array::{ArrayRef, RecordBatch};
use datafusion_common::DataFusionError;

use super::aggregate::{GroupShape, KeyedAccumulators};

/// Aggregates of the rows of one slice.
#[derive(Default)]
pub(crate) struct Slice {
    live: Option<KeyedAccumulators>,
    sealed: Vec<RecordBatch>,
}

impl Slice {
    /// Adds rows.
    pub(crate) fn update(
        &mut self,
        shape: &GroupShape,
        keys: &[ArrayRef],
        arguments: &[Vec<ArrayRef>],
        rows: usize,
    ) -> Result<(), DataFusionError> {
        let live = match &mut self.live {
            Some(live) => live,
            None => self.live.insert(KeyedAccumulators::new(shape)?),
        };
        live.update(keys, arguments, rows)
    }

    /// Adds a state batch of an earlier run.
    pub(crate) fn restore(&mut self, batch: RecordBatch) {
        self.sealed.push(batch);
    }

    /// Turns the live aggregates into a state batch and returns all state batches.
    pub(crate) fn seal(&mut self, shape: &GroupShape) -> Result<&[RecordBatch], DataFusionError> {
        if let Some(mut live) = self.live.take() {
            self.sealed.push(live.state(shape)?);
        }
        Ok(&self.sealed)
    }

    /// Returns one state batch with one row per group.
    pub(crate) fn compact(&mut self, shape: &GroupShape) -> Result<Option<&RecordBatch>, DataFusionError> {
        self.seal(shape)?;
        if self.sealed.len() > 1 {
            let mut merged = KeyedAccumulators::new(shape)?;
            for batch in &self.sealed {
                merged.merge(shape, batch)?;
            }
            self.sealed = vec![merged.state(shape)?];
        }
        Ok(self.sealed.first())
    }

    /// Returns keys and results of a window that consists of this slice alone, and ends the slice.
    pub(crate) fn finish(
        mut self,
        shape: &GroupShape,
    ) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>), DataFusionError> {
        let mut live = match self.live.take() {
            Some(live) => live,
            None => KeyedAccumulators::new(shape)?,
        };
        for batch in &self.sealed {
            live.merge(shape, batch)?;
        }
        live.evaluate()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.live.as_ref().map_or(0, KeyedAccumulators::bytes)
            + self.sealed.iter().map(RecordBatch::get_array_memory_size).sum::<usize>()
    }
}

/// Returns keys and results of a window over several slices.
pub(crate) fn merge_slices<'a>(
    shape: &GroupShape,
    slices: impl Iterator<Item = &'a mut Slice>,
) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>), DataFusionError> {
    let mut merged = KeyedAccumulators::new(shape)?;
    for slice in slices {
        for batch in slice.seal(shape)? {
            merged.merge(shape, batch)?;
        }
    }
    merged.evaluate()
}
