//! The logs of an attempt in the bucket of its job: `log_enabled`.
//!
//! `taskmanager-1.log` is what the worker says. The worker copies it while it runs, whether the service is there or not,
//! and the service copies the rest when the worker has ended, however it ended. `jobmanager.log` is what the service
//! decides about the job.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path as Key;
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};
use weir_base::id::JobId;
use weir_base::time::Timestamp;
use weir_cloud::objects::Objects;

use super::folder::{Folder, WorkerRequest};
use crate::Observation;

/// Time between two copies; the service promises at least one a minute.
const INTERVAL: Duration = Duration::from_secs(30);

/// Newest bytes that are copied. An attempt that logs more than this has its beginning cut off.
const LONGEST: u64 = 64 << 20;

/// How long the end of a worker is kept back so that its log is there when its end is told. A suspended worker may take
/// eight seconds.
const END_WAIT: Duration = Duration::from_secs(3);

/// Copies of the end that are tried: a bucket that does not answer for ten minutes has lost it.
const END_ATTEMPTS: u32 = 20;

/// When an attempt began, and how long the logs were then: earlier attempts have written to the same files.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct LogBegin {
    at: Timestamp,
    worker: u64,
    manager: u64,
}

impl LogBegin {
    /// Returns the beginning of an attempt that has written nothing yet.
    pub(super) fn now(folder: &Folder, at: Timestamp) -> Self {
        let length = |log: PathBuf| std::fs::metadata(log).map_or(0, |log| log.len());
        Self { at, worker: length(folder.log()), manager: length(folder.manager_log()) }
    }
}

/// The logs of one attempt.
#[derive(Clone)]
pub(super) struct Logs {
    job: JobId,
    attempt: u64,
    bucket: String,
    objects: Objects,
    folder: Folder,
    begin: LogBegin,
    /// Held from the reading of the service's log to the end of its copy, so that an older one never comes last.
    copying: Arc<Mutex<()>>,
}

impl Logs {
    /// Returns the logs of an attempt whose job wants them in a bucket; one that the job does not reach keeps none.
    pub(super) fn of(request: &WorkerRequest, objects: &Objects, folder: &Folder) -> Option<Self> {
        Some(Self {
            job: request.start.job,
            attempt: request.start.attempt,
            bucket: request.start.settings.log_bucket.clone()?,
            objects: objects.within(request.start.buckets.clone()),
            folder: folder.clone(),
            begin: request.log_begin?,
            copying: Arc::default(),
        })
    }

    /// Returns the directory: it ends with the `start_time` of the job, or when it never ran with the time at which it
    /// was submitted.
    fn directory(&self, running_since: Option<Timestamp>) -> String {
        format!("jobs/logs/{}-{}", self.job, running_since.unwrap_or(self.begin.at))
    }

    /// Whether the logs were all copied after the end of the worker.
    pub(super) fn are_copied(&self) -> bool {
        self.folder.has_logs_copied(self.attempt)
    }

    /// Returns where the log of the worker is, for people.
    pub(super) fn shown(&self, running_since: Option<Timestamp>) -> String {
        format!("{}/{}/taskmanager-1.log", self.bucket, self.directory(running_since))
    }

    /// Copies the log of the worker now and then, once the job runs.
    pub(super) async fn copy_while_running(self, observed: watch::Receiver<Observation>) {
        let mut copied = 0;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let running_since = observed.borrow().running_since;
            if running_since.is_none() {
                continue;
            }
            let length = std::fs::metadata(self.folder.log()).map_or(0, |log| log.len());
            if length == copied {
                continue;
            }
            match self.put("taskmanager-1.log", running_since, self.worker_log()).await {
                Ok(()) => copied = length,
                Err(error) => {
                    tracing::warn!(error, "the log could not be copied to the bucket, will retry");
                }
            }
        }
    }

    /// Copies both logs after the end of the worker. When the bucket does not answer at once, that goes on while the end
    /// is told.
    pub(super) async fn copy_at_end(&self, running_since: Option<Timestamp>) {
        // Read now: the next attempt writes to the same file.
        let said = self.worker_log();
        let logs = self.clone();
        let copy = tokio::spawn(async move {
            for _ in 0..END_ATTEMPTS {
                let worker = logs.put("taskmanager-1.log", running_since, said.clone()).await;
                match worker.and(logs.copy_manager_log(running_since).await) {
                    Ok(()) => {
                        logs.folder.mark_logs_copied(logs.attempt);
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(job_id = %logs.job, error, "the log could not be copied to the bucket, will retry");
                    }
                }
                tokio::time::sleep(INTERVAL).await;
            }
        });
        let _ = tokio::time::timeout(END_WAIT, copy).await;
    }

    /// Copies what the service has decided about the job.
    pub(super) async fn copy_manager_log(&self, running_since: Option<Timestamp>) -> Result<(), String> {
        let _copying = self.copying.lock().await;
        let decided = tail(self.folder.manager_log(), self.begin.manager);
        self.put("jobmanager.log", running_since, decided).await
    }

    fn worker_log(&self) -> Vec<u8> {
        tail(self.folder.log(), self.begin.worker)
    }

    async fn put(&self, name: &str, running_since: Option<Timestamp>, bytes: Vec<u8>) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        let store = self.objects.bucket(&self.bucket).await.map_err(|error| error.to_string())?;
        let key = Key::from(format!("{}/{name}", self.directory(running_since)));
        store.put(&key, PutPayload::from(bytes)).await.map(drop).map_err(|error| error.to_string())
    }
}

/// Reads a log from a place on, at most the newest bytes. One that is not there says nothing.
fn tail(log: PathBuf, begin: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = |bytes: &mut Vec<u8>| {
        let mut file = std::fs::File::open(&log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(begin.max(length.saturating_sub(LONGEST))))?;
        file.take(LONGEST).read_to_end(bytes)
    };
    match read(&mut bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(log = %log.display(), %error, "a log could not be read");
        }
        _ => {}
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_from_where_the_attempt_began() {
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("worker.log");
        assert_eq!(tail(log.clone(), 0), b"");
        std::fs::write(&log, "earlier\nlast words\n").unwrap();
        assert_eq!(tail(log.clone(), 8), b"last words\n");
        assert_eq!(tail(log, 19), b"");
    }
}
