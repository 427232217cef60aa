//! Reads partitions in turn and waits over all of them when none has anything new.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::{FutureExt, select_all};
use weir_cloud::streams::StoredRecord;
use weir_engine::error::ConnectorError;
use weir_engine::source::{DirtyRecord, SourceBatch, SourceEvent, SourceReader, Split};
use weir_formats::Decoder;

use super::fault;
use super::positions::Consumer;

/// Records of one read, and so of one batch.
const READ_RECORDS: usize = 4096;
/// Bytes of one read.
const READ_BYTES: usize = 1 << 20;

/// How far a partition has been read.
pub(crate) struct Progress {
    pub partition: u32,
    pub id: String,
    /// The next record to read.
    pub next: u64,
}

/// Reads some partitions of a stream; never ends.
pub(crate) struct PartitionReader {
    consumer: Arc<Consumer>,
    decoder: Box<dyn Decoder>,
    partitions: Vec<Progress>,
    /// The partition whose turn it is.
    turn: usize,
    /// Partitions in a row that had nothing new.
    empty: usize,
    /// Whether this reader stores positions, because no checkpoint does.
    stores_positions: bool,
}

impl PartitionReader {
    pub fn new(
        consumer: Arc<Consumer>,
        decoder: Box<dyn Decoder>,
        partitions: Vec<Progress>,
        stores_positions: bool,
    ) -> Self {
        Self { consumer, decoder, partitions, turn: 0, empty: 0, stores_positions }
    }

    /// Reads from the partition whose turn it is.
    async fn read(&mut self) -> Result<Option<SourceBatch>, ConnectorError> {
        let Consumer { streams, project, channel, name, .. } = self.consumer.as_ref();
        let Progress { partition, next, .. } = self.partitions[self.turn];
        let read = streams
            .read(project, channel, partition, next, READ_RECORDS, READ_BYTES)
            .await
            .map_err(|error| fault(name, channel, &error))?;
        // Nothing is awaited from here on: what was read reaches the caller.
        if let Some(first) = read.records.first()
            && first.sequence > next
        {
            let lost = first.sequence - next;
            tracing::warn!(stream = %name, %channel, partition, lost, "records were dropped by retention before they were read");
        }
        self.partitions[self.turn].next = read.next;
        let turn = self.turn;
        self.turn = (self.turn + 1) % self.partitions.len();
        if read.records.is_empty() {
            self.empty += 1;
            return Ok(None);
        }
        self.empty = 0;
        Ok(Some(self.decode(turn, &read.records)))
    }

    fn decode(&mut self, turn: usize, records: &[StoredRecord]) -> SourceBatch {
        let id = &self.partitions[turn].id;
        let (mut dirty, mut bytes) = (Vec::new(), 0);
        for record in records {
            bytes += record.data.len() as u64;
            if let Err(fault) = self.decoder.push(&record.data) {
                let place = format!("channel `{}`, {id}, record {}", self.consumer.channel, record.sequence);
                dirty.push(DirtyRecord { reason: fault.reason, data: record.data.to_vec(), place });
            }
        }
        SourceBatch { split: id.clone(), rows: self.decoder.flush(), dirty, bytes }
    }

    /// Waits until some partition may have a new record.
    async fn wait(&mut self) -> Result<(), ConnectorError> {
        let Consumer { streams, project, channel, name, .. } = self.consumer.as_ref();
        let waits = self.partitions.iter().map(|progress| {
            let wait = streams.wait(project, channel, progress.partition, progress.next);
            wait.map(move |outcome| outcome.map_err(|error| fault(name, channel, &error))).boxed()
        });
        let (outcome, ready, _) = select_all(waits).await;
        outcome?;
        self.turn = ready;
        self.empty = 0;
        Ok(())
    }
}

#[async_trait]
impl SourceReader for PartitionReader {
    async fn next(&mut self) -> Result<SourceEvent, ConnectorError> {
        if self.partitions.is_empty() {
            return Ok(SourceEvent::Finished);
        }
        loop {
            if self.stores_positions {
                // What the caller has got so far is what the last call returned.
                let positions: Vec<_> = self.partitions.iter().map(|p| (p.partition, p.next)).collect();
                if let Err(error) = self.consumer.store(&positions).await {
                    tracing::warn!(%error, "read positions could not be stored at the stream, will retry");
                }
            }
            if self.empty >= self.partitions.len() {
                self.wait().await?;
            }
            if let Some(batch) = self.read().await? {
                return Ok(SourceEvent::Batch(batch));
            }
        }
    }

    fn positions(&self) -> Vec<Split> {
        let split = |progress: &Progress| Split {
            id: progress.id.clone(),
            position: Some(progress.next.to_string()),
            finished: false,
        };
        self.partitions.iter().map(split).collect()
    }
}
