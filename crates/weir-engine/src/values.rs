//! A source of constant rows: `VALUES` and SELECT without FROM.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;

use crate::error::ConnectorError;
use crate::source::{SourceBatch, SourceConnector, SourceEvent, SourceReader, Split};

const SPLIT: &str = "values";

/// Gives out one batch and ends.
#[derive(Debug, Clone)]
pub struct Values {
    rows: RecordBatch,
}

impl Values {
    /// Makes a source of these rows.
    pub fn new(rows: RecordBatch) -> Self {
        Self { rows }
    }
}

struct Reader {
    rows: Option<RecordBatch>,
    splits: Vec<Split>,
}

#[async_trait]
impl SourceConnector for Values {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn is_bounded(&self) -> bool {
        true
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        Ok(vec![Split { id: SPLIT.to_string(), position: None, finished: false }])
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let unread = splits.iter().any(|split| !split.finished);
        Ok(Box::new(Reader { rows: unread.then(|| self.rows.clone()), splits }))
    }
}

#[async_trait]
impl SourceReader for Reader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        let Some(rows) = self.rows.take() else { return Ok(SourceEvent::Finished) };
        for split in &mut self.splits {
            split.finished = true;
        }
        let split = SPLIT.to_string();
        Ok(SourceEvent::Batch(SourceBatch { split, rows, dirty: Vec::new(), bytes: 0 }))
    }

    fn positions(&self) -> Vec<Split> {
        self.splits.clone()
    }
}
