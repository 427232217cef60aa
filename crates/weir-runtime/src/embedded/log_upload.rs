//! Copies the log of a worker into a bucket while it runs and at its end: `log_enabled`.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use weir_base::id::JobId;
use weir_base::time::Timestamp;
use weir_cloud::objects::Objects;

/// Time between two copies; the service promises at least one a minute.
const INTERVAL: Duration = Duration::from_secs(30);

/// Newest bytes that are copied. A job that logs more than this in one run has its beginning cut off.
const LONGEST: u64 = 64 << 20;

/// The copy of one run's log.
pub(super) struct LogUpload {
    store: Arc<dyn ObjectStore>,
    key: Key,
    log: PathBuf,
    /// Where this run begins in the file; earlier runs of the job have written to it too.
    start: u64,
    copied: u64,
}

impl LogUpload {
    /// Prepares the copy to `jobs/logs/{job}-{start time}/taskmanager-1.log` of a bucket.
    pub(super) async fn open(
        bucket: &str,
        objects: &Objects,
        job: JobId,
        started: Timestamp,
        log: PathBuf,
        start: u64,
    ) -> Result<Self, String> {
        let store = objects
            .bucket(bucket)
            .await
            .map_err(|error| format!("the log cannot be kept in bucket `{bucket}`: {error}"))?;
        let key = Key::from(format!("jobs/logs/{job}-{started}/taskmanager-1.log"));
        Ok(Self { store, key, log, start, copied: 0 })
    }

    /// Copies now and then, and once more when `ended` is ready.
    pub(super) async fn run(mut self, ended: impl Future<Output = ()>) {
        let mut ended = std::pin::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => break,
                () = tokio::time::sleep(INTERVAL) => self.copy().await,
            }
        }
        self.copy().await;
    }

    /// Copies what this run has logged, when it has logged anything since the last copy.
    async fn copy(&mut self) {
        let result = match self.read() {
            Ok(None) => return,
            Ok(Some(bytes)) => {
                self.store.put(&self.key, PutPayload::from(bytes)).await.map(drop).map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = result {
            tracing::warn!(error, "the log could not be copied to the bucket, will retry");
        }
    }

    fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut file = std::fs::File::open(&self.log)?;
        let length = file.metadata()?.len();
        if length <= self.start || length == self.copied {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(self.start.max(length.saturating_sub(LONGEST))))?;
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        self.copied = length;
        Ok(Some(bytes))
    }
}
