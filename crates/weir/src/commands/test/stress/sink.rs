//! Sinks that show their rows once they are committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SinkConnector, SinkWriter, WriterContext};

use crate::commands::test::capture::{Capture, Row};

/// Stands in the place of a sink over all lives of a job: rows are staged, and seen when they are committed.
#[derive(Clone)]
pub struct Staged {
    capture: Capture,
    store: Arc<Store>,
}

/// What outlives a killed job.
#[derive(Default)]
struct Store {
    staged: Mutex<BTreeMap<u64, Vec<Row>>>,
    committed: Mutex<Vec<Row>>,
    next: AtomicU64,
}

impl Staged {
    /// Makes a stand-in that shows rows as `capture` does.
    pub fn new(capture: Capture) -> Self {
        Self { capture, store: Arc::default() }
    }

    /// Returns the committed rows, in the order in which they were.
    pub fn rows(&self) -> Vec<Row> {
        locked(&self.store.committed).clone()
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl SinkConnector for Staged {
    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    fn takes_row_kinds(&self) -> bool {
        true
    }

    async fn discard_uncommitted(&self, _restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        locked(&self.store.staged).clear();
        Ok(())
    }

    async fn open(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        Ok(Box::new(Writer { sink: self.clone(), rows: Vec::new() }))
    }

    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        for committable in committables {
            let number = committable.as_slice().try_into().map(u64::from_le_bytes);
            let number =
                number.map_err(|_| ConnectorError::permanent("what is to be committed has no number"))?;
            // What is not there any more was committed by an earlier life.
            let rows = locked(&self.store.staged).remove(&number).unwrap_or_default();
            locked(&self.store.committed).extend(rows);
        }
        Ok(())
    }
}

/// The writer of one subtask; what it has not staged dies with it.
struct Writer {
    sink: Staged,
    rows: Vec<Row>,
}

#[async_trait]
impl SinkWriter for Writer {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        self.rows.extend(self.sink.capture.shown(rows).map_err(ConnectorError::permanent)?);
        Ok(0)
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        if self.rows.is_empty() {
            return Ok(Prepared::default());
        }
        let store = &self.sink.store;
        let number = store.next.fetch_add(1, Ordering::Relaxed);
        locked(&store.staged).insert(number, std::mem::take(&mut self.rows));
        Ok(Prepared { state: Vec::new(), committable: Some(number.to_le_bytes().to_vec()) })
    }
}
