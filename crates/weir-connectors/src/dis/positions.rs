//! Keeps read positions at the stream, under the name of a consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::time::{Timestamp, millis};
use weir_cloud::streams::Streams;
use weir_engine::error::ConnectorError;

use super::fault;

/// A stream as one consumer reads it.
pub(crate) struct Consumer {
    pub streams: Arc<dyn Streams>,
    pub clock: Arc<dyn Clock>,
    /// Name of the declared stream, for messages.
    pub name: String,
    pub project: String,
    pub channel: String,
    /// Where positions are kept, or `None` when they are not.
    pub kept: Option<Kept>,
}

/// Where and how often positions are kept.
pub(crate) struct Kept {
    pub app: String,
    pub interval: Duration,
    /// When they were stored last.
    pub stored_at: AtomicI64,
}

impl Consumer {
    /// Stores positions, unless the last time was less than the interval ago.
    pub async fn store(&self, positions: &[(u32, u64)]) -> Result<(), ConnectorError> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let Timestamp(now) = self.clock.now();
        if now.saturating_sub(kept.stored_at.load(Ordering::Relaxed)) < millis(kept.interval) {
            return Ok(());
        }
        kept.stored_at.store(now, Ordering::Relaxed);
        for (partition, next) in positions {
            self.streams
                .store_consumer_position(&self.project, &self.channel, &kept.app, *partition, *next)
                .await
                .map_err(|error| fault(&self.name, &self.channel, &error))?;
        }
        Ok(())
    }

    /// Returns the stored position of a partition.
    pub async fn stored(&self, partition: u32) -> Result<Option<u64>, ConnectorError> {
        let Some(kept) = &self.kept else { return Ok(None) };
        self.streams
            .consumer_position(&self.project, &self.channel, &kept.app, partition)
            .await
            .map_err(|error| fault(&self.name, &self.channel, &error))
    }
}
