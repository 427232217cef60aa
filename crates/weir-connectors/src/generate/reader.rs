//! Reads generators: splits take turns, positions are numbers.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use weir_base::clock::Clock;
use weir_engine::error::ConnectorError;
use weir_engine::source::{SourceBatch, SourceConnector, SourceEvent, SourceReader, Split};

use super::{Generator, Step};
use crate::pace::Pacer;

/// Rows of a batch.
const BATCH_ROWS: usize = 4096;

/// A source stream whose rows are made up.
pub(crate) struct GeneratorSource {
    pub generator: Arc<dyn Generator>,
    pub splits: u32,
    /// Rows a second of all splits together, or `None` without a limit.
    pub rate: Option<f64>,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl SourceConnector for GeneratorSource {
    fn schema(&self) -> SchemaRef {
        self.generator.schema()
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        // Zeros keep the order of names that of numbers.
        Ok((0..self.splits)
            .map(|n| Split { id: format!("{n:04}"), position: None, finished: false })
            .collect())
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let progress = |split: Split| {
            let fault = |what: &str| ConnectorError::permanent(format!("split `{}`: {what}", split.id));
            let number: u32 = split.id.parse().map_err(|_| fault("is not one of this source"))?;
            let position = match &split.position {
                Some(text) => text.parse().map_err(|_| fault("the stored position is not a number"))?,
                None => self.generator.first(number),
            };
            Ok(Progress { number, position, split })
        };
        let share = splits.len() as f64 / f64::from(self.splits.max(1));
        let splits = splits.into_iter().map(progress).collect::<Result<_, ConnectorError>>()?;
        Ok(Box::new(GeneratorReader {
            generator: Arc::clone(&self.generator),
            pacer: Pacer::new(Arc::clone(&self.clock), self.rate.map(|rate| rate * share)),
            splits,
            turn: 0,
        }))
    }
}

struct Progress {
    number: u32,
    position: u64,
    split: Split,
}

/// Reads some splits of a generator.
pub(crate) struct GeneratorReader {
    generator: Arc<dyn Generator>,
    pacer: Pacer,
    splits: Vec<Progress>,
    turn: usize,
}

#[async_trait]
impl SourceReader for GeneratorReader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        let count = self.splits.len();
        let open =
            (0..count).map(|step| (self.turn + step) % count).find(|at| !self.splits[*at].split.finished);
        let Some(turn) = open else { return Ok(SourceEvent::Finished) };
        let most = self.pacer.allowance(BATCH_ROWS).await;
        self.turn = turn + 1;
        let progress = &mut self.splits[turn];
        let id = progress.split.id.clone();
        match self.generator.step(progress.number, progress.position, most)? {
            None => {
                progress.split.finished = true;
                Ok(SourceEvent::SplitFinished(id))
            }
            Some(Step { rows, next }) => {
                progress.position = next;
                self.pacer.took(rows.num_rows() as u64);
                // Nothing is read from anywhere: the size in memory stands for the bytes.
                let bytes = rows.get_array_memory_size() as u64;
                Ok(SourceEvent::Batch(SourceBatch { split: id, rows, dirty: Vec::new(), bytes }))
            }
        }
    }

    fn positions(&self) -> Vec<Split> {
        let split = |progress: &Progress| Split {
            position: Some(progress.position.to_string()),
            ..progress.split.clone()
        };
        self.splits.iter().map(split).collect()
    }
}
