//! Writes the rows of one subtask into parts, one for each directory, and finishes parts that are full or old.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use weir_base::clock::Clock;
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Prepared, SinkWriter};
use weir_formats::{EncodedRecords, Encoder};

use super::directory::Splitter;
use super::naming::Numbers;
use super::part::{Committable, FinishedObject, Part, State};
use super::sink::Rolling;
use super::stage::Stage;

/// Bytes of a part in memory before they are staged as a chunk.
const CHUNK_BYTES: usize = 4 << 20;
/// Bytes of all parts in memory.
const MEMORY_BYTES: usize = 16 << 20;
/// Bytes of a part that may stand in a checkpoint; more is staged before.
const STATE_BYTES: usize = 256 << 10;
/// Parts open at once; with more the oldest is finished.
const MAX_PARTS: usize = 256;

/// Writes the rows of one subtask.
pub(crate) struct ObjectWriter {
    pub stage: Stage,
    pub splitter: Splitter,
    pub encoder: Box<dyn Encoder>,
    pub row_delimiter: Vec<u8>,
    pub file_prefix: String,
    pub rolling: Rolling,
    pub clock: Arc<dyn Clock>,
    pub zone: Zone,
    pub numbers: Numbers,
    pub subtask: usize,
    /// The last epoch prepared; what is staged now belongs to the next one.
    pub epoch: u64,
    /// Parts in the order in which they were opened.
    pub parts: VecDeque<Part>,
    /// Finished since the last checkpoint.
    pub finished: Committable,
    pub records: EncodedRecords,
}

impl ObjectWriter {
    /// Returns the sub-directory of the time of output, with a slash before it.
    fn interval_directory(&self, now: i64) -> Option<String> {
        let interval = self.rolling.interval?;
        Some(format!("/{}", interval.directory(self.zone.instant_to_wall(now))))
    }

    /// Finishes the parts whose time is over.
    async fn finish_old(&mut self, now: i64) -> Result<(), ConnectorError> {
        let interval = self.interval_directory(now);
        let age_ms = self.rolling.age.map(weir_base::time::millis);
        let mut index = 0;
        while index < self.parts.len() {
            let part = &self.parts[index];
            let is_old = age_ms.is_some_and(|age| now.saturating_sub(part.opened_ms) >= age);
            let is_past =
                interval.as_ref().is_some_and(|interval| !part.directory.ends_with(interval.as_str()));
            match is_old || is_past {
                true => self.finish(index).await?,
                false => index += 1,
            }
        }
        Ok(())
    }

    /// Stages the rest of a part and gives it its name.
    async fn finish(&mut self, index: usize) -> Result<(), ConnectorError> {
        self.spill(index).await?;
        let Some(part) = self.parts.remove(index) else { return Ok(()) };
        if part.chunks.is_empty() {
            return Ok(());
        }
        let key = self.free_key(&part.directory).await?;
        self.finished.objects.push(FinishedObject { key, chunks: part.chunks });
        Ok(())
    }

    /// Reserves the next name that no object has and no other sink is about to write.
    async fn free_key(&mut self, directory: &str) -> Result<String, ConnectorError> {
        loop {
            let name = format!("{}.{}", self.file_prefix, self.numbers.take());
            let key = match directory.trim_matches('/') {
                "" => name,
                directory => format!("{directory}/{name}"),
            };
            if self.stage.reserve(&key).await? {
                return Ok(key);
            }
        }
    }

    /// Stages what a part holds in memory.
    async fn spill(&mut self, index: usize) -> Result<(), ConnectorError> {
        let tail = std::mem::take(&mut self.parts[index].tail);
        if tail.is_empty() {
            return Ok(());
        }
        let chunk = self.stage.upload(self.epoch + 1, self.subtask, tail).await?;
        self.parts[index].chunks.push(chunk);
        Ok(())
    }

    async fn write_directory(
        &mut self,
        directory: String,
        rows: &RecordBatch,
        now: i64,
    ) -> Result<u64, ConnectorError> {
        let mut records = std::mem::take(&mut self.records);
        records.clear();
        let encoded = self.encoder.encode(rows, &mut records);
        encoded
            .map_err(|error| ConnectorError::permanent(format!("stream `{}`: {error}", self.stage.stream)))?;
        for record in records.iter() {
            let index = self.part_of(&directory, now).await?;
            let part = &mut self.parts[index];
            part.push(record, &self.row_delimiter);
            let is_full = self.rolling.records.is_some_and(|most| part.records >= most)
                || self.rolling.bytes.is_some_and(|most| part.bytes >= most);
            let is_large = part.tail.len() >= CHUNK_BYTES;
            if is_full {
                self.finish(index).await?;
            } else if is_large {
                self.spill(index).await?;
            }
        }
        let bytes = records.bytes.len() + records.len() * self.row_delimiter.len();
        self.records = records;
        Ok(bytes as u64)
    }

    /// Returns the open part of a directory.
    async fn part_of(&mut self, directory: &str, now: i64) -> Result<usize, ConnectorError> {
        // The newest parts are the likeliest.
        if let Some(index) = self.parts.iter().rposition(|part| part.directory == directory) {
            return Ok(index);
        }
        if self.parts.len() >= MAX_PARTS {
            self.finish(0).await?;
        }
        self.parts.push_back(Part::new(directory.to_string(), now));
        Ok(self.parts.len() - 1)
    }

    async fn keep_memory_bounded(&mut self) -> Result<(), ConnectorError> {
        while self.parts.iter().map(|part| part.tail.len()).sum::<usize>() > MEMORY_BYTES {
            let largest = self.parts.iter().enumerate().max_by_key(|(_, part)| part.tail.len());
            let Some((index, _)) = largest else { return Ok(()) };
            self.spill(index).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for ObjectWriter {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        if rows.num_rows() == 0 {
            return Ok(0);
        }
        let Timestamp(now) = self.clock.now();
        self.finish_old(now).await?;
        let interval = self.interval_directory(now).unwrap_or_default();
        let mut bytes = 0;
        for (directory, rows) in self.splitter.split(rows)? {
            bytes += self.write_directory(format!("{directory}{interval}"), &rows, now).await?;
            self.keep_memory_bounded().await?;
        }
        Ok(bytes)
    }

    async fn prepare(&mut self, epoch: u64, last: bool) -> Result<Prepared, ConnectorError> {
        let Timestamp(now) = self.clock.now();
        self.finish_old(now).await?;
        while last && !self.parts.is_empty() {
            self.finish(0).await?;
        }
        for index in 0..self.parts.len() {
            if self.parts[index].tail.len() > STATE_BYTES {
                self.spill(index).await?;
            }
        }
        self.epoch = epoch;
        let failed = |error| ConnectorError::permanent(format!("stream `{}`: {error}", self.stage.stream));
        let state = State::encode(self.numbers.used(), self.parts.iter()).map_err(failed)?;
        let finished = std::mem::take(&mut self.finished);
        let committable = match finished.objects.is_empty() {
            true => None,
            false => Some(serde_json::to_vec(&finished).map_err(failed)?),
        };
        Ok(Prepared { state, committable })
    }
}
