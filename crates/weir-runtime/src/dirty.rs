//! Saves dirty records as JSON lines in a bucket.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde::Serialize;
use tokio::sync::Mutex;
use weir_base::clock::Clock;
use weir_base::settings::DirtyDataPolicy;
use weir_base::text::format_timestamp;
use weir_base::time::Timestamp;
use weir_cloud::objects::Objects;
use weir_engine::dirty::{DirtyEntry, DirtyPolicy, DropDirty, FailOnDirty};

/// Bytes of dirty records held before they are written. Bounds the memory that a broken producer can take.
const BUFFER_BYTES: usize = 1 << 20;

/// Makes the policy that a job asks for. `job` is its id for the saved records, 0 outside the service.
pub async fn dirty_policy(
    policy: &DirtyDataPolicy,
    job: i64,
    objects: &Objects,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn DirtyPolicy>, String> {
    match policy {
        DirtyDataPolicy::Drop => Ok(Arc::new(DropDirty)),
        DirtyDataPolicy::Fail => Ok(Arc::new(FailOnDirty)),
        DirtyDataPolicy::Save(place) => {
            let (bucket, directory) = place.split_once('/').unwrap_or((place, ""));
            let store = objects
                .bucket(bucket)
                .await
                .map_err(|error| format!("dirty records cannot be saved to `{place}`: {error}"))?;
            Ok(Arc::new(SaveDirty {
                job,
                store,
                directory: Path::from(directory),
                clock,
                buffer: Mutex::default(),
            }))
        }
    }
}

struct SaveDirty {
    job: i64,
    store: Arc<dyn ObjectStore>,
    directory: Path,
    clock: Arc<dyn Clock>,
    buffer: Mutex<Buffer>,
}

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    /// Number of the next file; found by listing the directory when the first file is written.
    next: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    job_id: i64,
    stream: &'a str,
    time: i64,
    reason: &'a str,
    data: &'a str,
    encoding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
}

#[async_trait]
impl DirtyPolicy for SaveDirty {
    async fn handle(&self, stream: &str, entries: Vec<DirtyEntry>) -> Result<(), String> {
        let time = self.clock.now();
        let mut buffer = self.buffer.lock().await;
        for entry in entries {
            let base64;
            let (data, encoding) = match std::str::from_utf8(&entry.data) {
                Ok(text) => (text, "utf8"),
                Err(_) => {
                    base64 = BASE64.encode(&entry.data);
                    (base64.as_str(), "base64")
                }
            };
            let line = Line {
                job_id: self.job,
                stream,
                time: time.0,
                reason: &entry.reason,
                data,
                encoding,
                place: entry.place.as_deref(),
            };
            serde_json::to_writer(&mut buffer.lines, &line).map_err(|e| e.to_string())?;
            buffer.lines.push(b'\n');
        }
        if buffer.lines.len() >= BUFFER_BYTES {
            self.write(&mut buffer, time).await?;
        }
        Ok(())
    }

    async fn flush(&self) -> Result<(), String> {
        let mut buffer = self.buffer.lock().await;
        if buffer.lines.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.write(&mut buffer, now).await
    }
}

impl SaveDirty {
    async fn write(&self, buffer: &mut Buffer, now: Timestamp) -> Result<(), String> {
        let failed = |error: object_store::Error| format!("dirty records cannot be saved: {error}");
        let next = match buffer.next {
            Some(next) => next,
            None => self.next_number().await.map_err(failed)?,
        };
        let hour: String = format_timestamp(now.0).chars().filter(char::is_ascii_digit).take(10).collect();
        let path = self.directory.clone().join(format!("dirty-{hour}-{next}.jsonl"));
        let lines = std::mem::take(&mut buffer.lines);
        self.store.put(&path, PutPayload::from(lines)).await.map_err(failed)?;
        buffer.next = Some(next + 1);
        Ok(())
    }

    async fn next_number(&self) -> Result<u64, object_store::Error> {
        let number = |path: &Path| {
            let name = path.filename()?.strip_prefix("dirty-")?.strip_suffix(".jsonl")?;
            name.rsplit_once('-')?.1.parse::<u64>().ok()
        };
        let newest = self
            .store
            .list(Some(&self.directory))
            .try_filter_map(|object| futures::future::ready(Ok(number(&object.location))))
            .try_fold(0, |greatest, number| futures::future::ready(Ok(greatest.max(number))))
            .await?;
        Ok(newest + 1)
    }
}
