//! Saves dirty records as JSON lines in a bucket.
//!
//! Lines are gathered in memory and written as files: when there are many, when a checkpoint completes, at
//! the end of the job, and after a while in any case, so that a person who looks for them finds them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
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
/// The longest time that a dirty record waits to be written, in a job that takes no checkpoints.
const WRITE_INTERVAL: Duration = Duration::from_secs(30);

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
            let policy = Arc::new(SaveDirty {
                job,
                store,
                directory: Path::from(directory),
                clock: Arc::clone(&clock),
                buffer: Mutex::default(),
            });
            tokio::spawn(write_now_and_then(Arc::downgrade(&policy), clock));
            Ok(policy)
        }
    }
}

/// Writes what has gathered, again and again, until the job has let go of its policy.
async fn write_now_and_then(policy: Weak<SaveDirty>, clock: Arc<dyn Clock>) {
    loop {
        clock.sleep(WRITE_INTERVAL).await;
        let Some(policy) = policy.upgrade() else { return };
        if let Err(reason) = policy.flush().await {
            tracing::warn!(reason, "dirty records could not be saved, will retry");
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
    /// Writes the lines as a file of a name that is free: other jobs may save to the same directory. Lines that
    /// cannot be written stay.
    async fn write(&self, buffer: &mut Buffer, now: Timestamp) -> Result<(), String> {
        let failed = |error: StoreError| format!("dirty records cannot be saved: {error}");
        let mut next = match buffer.next {
            Some(next) => next,
            None => self.next_number().await.map_err(failed)?,
        };
        let hour: String = format_timestamp(now.0).chars().filter(char::is_ascii_digit).take(10).collect();
        let lines = Bytes::from(std::mem::take(&mut buffer.lines));
        let outcome = loop {
            let path = self.directory.clone().join(format!("dirty-{hour}-{next}.jsonl"));
            next += 1;
            match self.put(&path, lines.clone()).await {
                Err(StoreError::AlreadyExists { .. }) => continue,
                outcome => break outcome,
            }
        };
        buffer.next = Some(next);
        outcome.map_err(|error| {
            buffer.lines = lines.into();
            failed(error)
        })
    }

    async fn put(&self, path: &Path, lines: Bytes) -> Result<(), StoreError> {
        match self.store.put_opts(path, PutPayload::from(lines.clone()), PutMode::Create.into()).await {
            // A store without conditional writes: the listing has to do.
            Err(StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }) => {
                self.store.put(path, PutPayload::from(lines)).await.map(drop)
            }
            outcome => outcome.map(drop),
        }
    }

    async fn next_number(&self) -> Result<u64, StoreError> {
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

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use serde_json::{Value, json};
    use weir_base::clock::ManualClock;

    use super::*;

    /// 2024-03-15 09:59:59 UTC.
    const NOW: i64 = 1_710_496_799_000;

    fn saving(job: i64, store: &Arc<dyn ObjectStore>, clock: &ManualClock) -> Arc<SaveDirty> {
        Arc::new(SaveDirty {
            job,
            store: Arc::clone(store),
            directory: Path::from("a/b"),
            clock: Arc::new(clock.clone()),
            buffer: Mutex::default(),
        })
    }

    fn entry(data: &[u8], place: Option<&str>) -> DirtyEntry {
        DirtyEntry { reason: "why".to_string(), data: data.to_vec(), place: place.map(str::to_string) }
    }

    async fn files(store: &Arc<dyn ObjectStore>) -> Vec<(String, Vec<Value>)> {
        let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
        let mut files = Vec::new();
        for object in objects {
            let bytes = store.get(&object.location).await.unwrap().bytes().await.unwrap();
            let lines = String::from_utf8(bytes.to_vec()).unwrap();
            let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            files.push((object.location.to_string(), lines));
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files
    }

    #[tokio::test]
    async fn records_are_saved_as_text_or_base64() {
        let (store, clock): (Arc<dyn ObjectStore>, _) =
            (Arc::new(InMemory::new()), ManualClock::new(Timestamp(NOW)));
        let policy = saving(7, &store, &clock);
        let entries = vec![
            entry("é\n\"x\"".as_bytes(), Some("`f` at byte 3")),
            entry(b"a\xff", None),
            entry(b"", None),
        ];
        policy.handle("cars", entries).await.unwrap();
        assert!(files(&store).await.is_empty(), "few records wait");
        policy.flush().await.unwrap();
        policy.flush().await.unwrap();
        let line = |data: &str, encoding: &str| json!({"job_id": 7, "stream": "cars", "time": NOW, "reason": "why", "data": data, "encoding": encoding});
        let mut first = line("é\n\"x\"", "utf8");
        first["place"] = json!("`f` at byte 3");
        let lines = vec![first, line("Yf8=", "base64"), line("", "utf8")];
        assert_eq!(files(&store).await, [("a/b/dirty-2024031509-1.jsonl".to_string(), lines)]);
    }

    #[tokio::test]
    async fn files_are_numbered_on_and_never_written_over() {
        let (store, clock): (Arc<dyn ObjectStore>, _) =
            (Arc::new(InMemory::new()), ManualClock::new(Timestamp(NOW)));
        let save = async |policy: &SaveDirty, data: &[u8]| {
            policy.handle("s", vec![entry(data, None)]).await.unwrap();
            policy.flush().await.unwrap();
        };
        let (one, other) = (saving(1, &store, &clock), saving(2, &store, &clock));
        save(&one, b"a").await;
        save(&other, b"b").await;
        // Both have seen the same directory, and now take the same numbers.
        save(&one, b"c").await;
        clock.advance(Duration::from_secs(1));
        save(&other, b"d").await;
        save(&saving(3, &store, &clock), b"e").await;
        let found: Vec<(String, Value)> =
            files(&store).await.into_iter().map(|(name, lines)| (name, lines[0]["data"].clone())).collect();
        let expected = [("09-1", "a"), ("09-2", "b"), ("09-3", "c"), ("10-3", "d"), ("10-4", "e")];
        assert_eq!(
            found,
            expected.map(|(name, data)| (format!("a/b/dirty-20240315{name}.jsonl"), json!(data)))
        );
    }

    #[tokio::test]
    async fn many_records_do_not_wait_in_memory() {
        let (store, clock): (Arc<dyn ObjectStore>, _) =
            (Arc::new(InMemory::new()), ManualClock::new(Timestamp(NOW)));
        let policy = saving(1, &store, &clock);
        policy.handle("s", vec![entry(&vec![b'x'; BUFFER_BYTES], None)]).await.unwrap();
        assert_eq!(files(&store).await.len(), 1);
        assert!(policy.buffer.lock().await.lines.is_empty());
    }

    #[tokio::test]
    async fn records_of_a_job_without_checkpoints_are_written_after_a_while() {
        let (store, clock): (Arc<dyn ObjectStore>, _) =
            (Arc::new(InMemory::new()), ManualClock::new(Timestamp(NOW)));
        let policy = saving(1, &store, &clock);
        let writer = tokio::spawn(write_now_and_then(Arc::downgrade(&policy), Arc::new(clock.clone())));
        policy.handle("s", vec![entry(b"a", None)]).await.unwrap();
        // Waiting on this clock is yielding.
        while files(&store).await.is_empty() {
            tokio::task::yield_now().await;
        }
        drop(policy);
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn records_that_cannot_be_written_stay() {
        let place = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp(NOW));
        let store: Arc<dyn ObjectStore> =
            Arc::new(object_store::local::LocalFileSystem::new_with_prefix(place.path()).unwrap());
        // A file where the directory should be.
        std::fs::write(place.path().join("a"), "").unwrap();
        let policy = saving(1, &store, &clock);
        policy.handle("s", vec![entry(b"x", None)]).await.unwrap();
        let reason = policy.flush().await.unwrap_err();
        assert!(reason.starts_with("dirty records cannot be saved: "), "{reason}");
        std::fs::remove_file(place.path().join("a")).unwrap();
        policy.flush().await.unwrap();
        assert_eq!(files(&store).await[0].1[0]["data"], json!("x"));
    }
}
