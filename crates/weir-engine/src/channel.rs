//! Bounded channels between subtasks, and the hash exchange.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use datafusion_physical_expr::PhysicalExpr;
use tokio::sync::mpsc;

use crate::message::Message;
use crate::metrics::Counters;
use crate::operator::{OperatorError, row_hashes, subtask_of};

/// Messages that wait in a channel. The bound is the back-pressure: a slow reader stops its writers. Four
/// batches keep a reader busy while its writer makes the next, and no more memory than that.
const CHANNEL_CAPACITY: usize = 4;

pub(crate) type Sender = mpsc::Sender<Message>;
pub(crate) type Receiver = mpsc::Receiver<Message>;

pub(crate) fn channel() -> (Sender, Receiver) {
    mpsc::channel(CHANNEL_CAPACITY)
}

/// The reader of a channel is gone: the job is being cancelled.
#[derive(Debug)]
pub(crate) struct Disconnected;

/// Where the rows of a chain go: all subtasks of one reading chain, or the one of the same number.
pub(crate) struct OutputEdge {
    pub(crate) senders: Vec<Sender>,
    /// Key expressions; `None` sends everything to the only sender.
    pub(crate) keys: Option<Vec<Arc<dyn PhysicalExpr>>>,
}

impl OutputEdge {
    /// Splits rows by the subtask that owns their key.
    pub(crate) fn route(&self, batch: RecordBatch) -> Result<Vec<(usize, RecordBatch)>, OperatorError> {
        let Some(keys) = self.keys.as_ref().filter(|_| self.senders.len() > 1) else {
            return Ok(vec![(0, batch)]);
        };
        let hashes = row_hashes(keys, &batch)?;
        let mut indices: Vec<Vec<u32>> = vec![Vec::new(); self.senders.len()];
        for (row, hash) in hashes.iter().enumerate() {
            indices[subtask_of(*hash, self.senders.len())].push(row as u32);
        }
        let mut routed = Vec::with_capacity(self.senders.len());
        for (subtask, rows) in indices.into_iter().enumerate() {
            if !rows.is_empty() {
                routed.push((subtask, taken(&batch, rows)?));
            }
        }
        Ok(routed)
    }

    /// Sends one message to every reader.
    pub(crate) async fn broadcast(&self, message: &Message, counters: &Counters) -> Result<(), Disconnected> {
        for sender in &self.senders {
            send(sender, message.clone(), counters).await?;
        }
        Ok(())
    }
}

/// Takes rows of a batch, which may be all that there is: a reader that counts rows needs no column.
fn taken(batch: &RecordBatch, rows: Vec<u32>) -> Result<RecordBatch, OperatorError> {
    if batch.num_columns() == 0 {
        return Ok(batch.slice(0, rows.len()));
    }
    Ok(take_record_batch(batch, &UInt32Array::from(rows))?)
}

/// Sends a message; the time spent waiting for room is counted.
pub(crate) async fn send(sender: &Sender, message: Message, counters: &Counters) -> Result<(), Disconnected> {
    match sender.try_send(message) {
        Ok(()) => Ok(()),
        Err(mpsc::error::TrySendError::Closed(_)) => Err(Disconnected),
        Err(mpsc::error::TrySendError::Full(message)) => {
            let since = Instant::now();
            let result = sender.send(message).await.map_err(|_| Disconnected);
            let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            Counters::add(&counters.backpressured_nanos, nanos);
            result
        }
    }
}
