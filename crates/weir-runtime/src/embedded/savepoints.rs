//! The savepoints of the job of a worker.

use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::error::with_causes;
use weir_base::savepoint::{SavepointAsk, SavepointOutcome, SavepointPlace};
use weir_cloud::objects::{Objects, ObjectsError};
use weir_engine::checkpoint::CheckpointStorage;
use weir_engine::job::JobHandle;

use super::folder::{Folder, WorkerRequest};
use super::worker;
use crate::{RemoveError, savepoint};

/// Time for a savepoint, from when it was asked for. The service waits as long; a worker whose bucket takes longer goes on, or
/// ends without, so that the job goes on.
const LIMIT: Duration = Duration::from_secs(300);

/// What an endpoint says of a bucket that is gone.
const NO_BUCKET: &str = "NoSuchBucket";
/// What is among the causes of an error when an endpoint refuses. The library tells it by the kind of its error only now and
/// then: not when it lists, nor when an answer is about many keys.
const REFUSALS: [&str; 6] =
    ["403 Forbidden", "401 Unauthorized", "AccessDenied", "answered 403", "answered 401", NO_BUCKET];

/// Returns the storage of a savepoint.
pub(super) async fn storage_of(
    place: &SavepointPlace,
    objects: &Objects,
    folder: &Folder,
) -> Result<CheckpointStorage, String> {
    match &place.bucket {
        Some(bucket) => savepoint::in_bucket(objects, bucket, place).await.map_err(|error| error.to_string()),
        None => worker::storage_in(&folder.savepoint(), "savepoint"),
    }
}

/// Removes a savepoint. One that is gone with its bucket is no error.
pub(super) async fn remove(place: &SavepointPlace, objects: &Objects, folder: &Folder) -> Result<(), String> {
    let storage = match &place.bucket {
        Some(bucket) => match savepoint::in_bucket(objects, bucket, place).await {
            Ok(storage) => storage,
            Err(ObjectsError::NoBucket(_)) => return Ok(()),
            Err(error) => return Err(with_causes(&error)),
        },
        None => worker::storage_in(&folder.savepoint(), "savepoint")?,
    };
    remove_all(&storage).await
}

/// Removes what is in a storage. What is gone with its bucket is no error.
pub(super) async fn remove_all(storage: &CheckpointStorage) -> Result<(), String> {
    let reason = match storage.remove_all().await {
        Ok(()) => return Ok(()),
        Err(error) => with_causes(&error),
    };
    if reason.contains(NO_BUCKET) { Ok(()) } else { Err(reason) }
}

/// Says whether what could not be removed may be removed later.
pub(super) fn remove_error(reason: String) -> RemoveError {
    match REFUSALS.iter().any(|refusal| reason.contains(refusal)) {
        true => RemoveError::Refused(reason),
        false => RemoveError::NotYet(reason),
    }
}

/// Says whether what could not be removed in several places may be removed later: nothing is given up as long as one of them
/// may still pass by itself.
pub(super) fn remove_errors(reasons: Vec<String>) -> Result<(), RemoveError> {
    let told = reasons.join("; ");
    let errors: Vec<_> = reasons.into_iter().map(remove_error).collect();
    match errors.iter().all(|error| matches!(error, RemoveError::Refused(_))) {
        _ if errors.is_empty() => Ok(()),
        true => Err(RemoveError::Refused(told)),
        false => Err(RemoveError::NotYet(told)),
    }
}

/// A savepoint with which the job ends, once its place is known to be there.
pub(super) struct Prepared {
    ask: SavepointAsk,
    target: CheckpointStorage,
}

/// Writes the savepoints of a running job.
pub(super) struct Savepoints<'a> {
    handle: &'a JobHandle,
    storage: CheckpointStorage,
    request: &'a WorkerRequest,
    objects: &'a Objects,
    folder: &'a Folder,
    clock: &'a dyn Clock,
}

impl<'a> Savepoints<'a> {
    pub(super) fn new(
        handle: &'a JobHandle,
        storage: CheckpointStorage,
        request: &'a WorkerRequest,
        objects: &'a Objects,
        folder: &'a Folder,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { handle, storage, request, objects, folder, clock }
    }

    /// Writes one while the job runs on.
    pub(super) async fn write(&self, ask: SavepointAsk) -> SavepointOutcome {
        let at = ask.at;
        let failure = match self.prepare(ask).await {
            Ok(prepared) => self.write_running(&prepared.target).await.err(),
            Err(outcome) => return outcome,
        };
        SavepointOutcome { at, failure }
    }

    async fn write_running(&self, target: &CheckpointStorage) -> Result<(), String> {
        if !self.handle.checkpoint().await {
            return Err("the job ended before".to_string());
        }
        savepoint::write(&self.storage, target).await?;
        if self.request.start.settings.checkpoint.is_none() {
            // A job without checkpoints begins anew after a crash: this one would soon be stale.
            self.storage.remove_all().await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Looks whether the place is there, in time or not at all, before the job ends for a savepoint that cannot be written.
    pub(super) async fn prepare(&self, ask: SavepointAsk) -> Result<Prepared, SavepointOutcome> {
        let objects = match &ask.place.bucket {
            // The service has looked at it; the project may have got it after the job began.
            Some(bucket) if !ask.stop => self.objects.and(bucket),
            _ => self.objects.clone(),
        };
        let limit = time_left(&ask, self.clock);
        match open_in_time(&ask.place, &objects, self.folder, limit).await {
            Ok(target) => Ok(Prepared { ask, target }),
            Err(reason) => Err(SavepointOutcome { at: ask.at, failure: Some(reason) }),
        }
    }

    /// Writes the savepoint of a job that has ended with a last checkpoint, in time or not at all.
    pub(super) async fn finish(&self, prepared: Prepared) -> SavepointOutcome {
        let limit = time_left(&prepared.ask, self.clock);
        let written = savepoint::write(&self.storage, &prepared.target);
        let written = tokio::time::timeout(limit, written).await;
        let written = written.unwrap_or_else(|_| Err(format!("it took longer than {} s", LIMIT.as_secs())));
        SavepointOutcome { at: prepared.ask.at, failure: written.err() }
    }
}

fn time_left(ask: &SavepointAsk, clock: &dyn Clock) -> Duration {
    LIMIT.saturating_sub(clock.now().since(ask.at))
}

/// Opens the storage of a savepoint, whose bucket may not answer.
async fn open_in_time(
    place: &SavepointPlace,
    objects: &Objects,
    folder: &Folder,
    limit: Duration,
) -> Result<CheckpointStorage, String> {
    let opened = tokio::time::timeout(limit, storage_of(place, objects, folder)).await;
    let bucket = place.bucket.as_deref().unwrap_or_default();
    opened.unwrap_or_else(|_| {
        let seconds = LIMIT.as_secs();
        Err(format!("the bucket `{bucket}` did not answer within the {seconds} s that a savepoint may take"))
    })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use weir_base::clock::ManualClock;
    use weir_base::id::JobId;
    use weir_base::time::Timestamp;
    use weir_cloud::objects::{ObjectsConfig, S3Config};

    use super::super::endpoint::{Answer, answer};
    use super::*;

    fn objects_at(listener: &TcpListener) -> Objects {
        Objects::new(ObjectsConfig::S3(S3Config {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            region: "us-east-1".to_string(),
            access_key: "a".to_string(),
            secret_key: "s".to_string(),
            runtime: None,
        }))
    }

    fn place() -> SavepointPlace {
        SavepointPlace::of_job(JobId(7), Some("bk1".to_string()))
    }

    #[tokio::test]
    async fn a_bucket_that_does_not_answer_costs_a_savepoint_its_time_and_no_more() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::at(root.path());
        let clock = ManualClock::new(Timestamp(1_000_000));
        let ask = SavepointAsk { at: clock.now(), place: place(), stop: true };
        assert_eq!(time_left(&ask, &clock), Duration::from_secs(300));
        clock.advance(Duration::from_secs(299));
        assert_eq!(time_left(&ask, &clock), Duration::from_secs(1));
        clock.advance(Duration::from_secs(2));
        // It takes the connection and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let limit = time_left(&ask, &clock);
        let opened = open_in_time(&ask.place, &objects_at(&silent), &folder, limit).await;
        let reason = opened.err().unwrap();
        assert!(reason.contains("`bk1` did not answer within the 300 s"), "{reason}");
    }

    /// What an endpoint answers when it is asked for what is in a savepoint, and in a part of it.
    const LISTED: &str = "<ListBucketResult>\
        <Contents><Key>jobs/savepoint/7/chk-5/state</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
        <ETag>&quot;1&quot;</ETag><Size>1</Size></Contents>\
        <CommonPrefixes><Prefix>jobs/savepoint/7/chk-5/</Prefix></CommonPrefixes>\
        <CommonPrefixes><Prefix>jobs/savepoint/7/chk-6/</Prefix></CommonPrefixes></ListBucketResult>";

    #[tokio::test]
    async fn what_is_left_of_a_removal_that_stops_halfway_is_no_savepoint() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let objects = objects_at(&listener);
        let refused = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        let answers = [("HEAD", "200 OK", ""), ("GET", "200 OK", LISTED), ("POST", "403 Forbidden", refused)];
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::at(root.path());
        let mut deletes = Vec::new();
        let serve = async {
            while let Ok((stream, _)) = listener.accept().await {
                let call = answer(stream, &answers).await;
                deletes.extend(call.filter(|call| call.starts_with("POST")));
            }
        };
        let saved = place();
        let removed = tokio::select! {
            removed = remove(&saved, &objects, &folder) => removed,
            () = serve => unreachable!("it serves for ever"),
        };
        assert!(removed.is_err());
        assert_eq!(deletes.len(), 1);
        for manifest in ["chk-5/manifest.json", "chk-6/manifest.json"] {
            assert!(deletes[0].contains(manifest), "{manifest}: {}", deletes[0]);
        }
        assert!(!deletes[0].contains("chk-5/state"), "{}", deletes[0]);
    }

    #[tokio::test]
    async fn a_bucket_that_refuses_is_told_from_one_that_is_gone() {
        let refused = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        let key = "<Key>jobs/savepoint/7/chk-5/manifest.json</Key>";
        let of_a_key = format!(
            "<DeleteResult><Error>{key}<Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"
        );
        let deleted = format!("<DeleteResult><Deleted>{key}</Deleted></DeleteResult>");
        let gone = "<Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>";
        let head = ("HEAD", "200 OK", "");
        let listed = ("GET", "200 OK", LISTED);
        // What is to be said, whether the savepoint is gone, and what the bucket answers.
        let cases: [(&str, bool, Vec<Answer>); 7] = [
            ("refused", false, vec![("HEAD", "403 Forbidden", "")]),
            ("refused", false, vec![head, listed, ("POST", "403 Forbidden", refused)]),
            ("refused", false, vec![head, listed, ("POST", "200 OK", &of_a_key)]),
            ("refused", false, vec![head, ("GET", "403 Forbidden", refused)]),
            ("removed", true, vec![head, listed, ("POST", "200 OK", &deleted)]),
            ("gone", true, vec![("HEAD", "404 Not Found", "")]),
            ("gone", true, vec![head, ("GET", "404 Not Found", gone)]),
        ];
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::at(root.path());
        for (name, is_done, answers) in cases {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let objects = objects_at(&listener);
            let serve = async {
                while let Ok((stream, _)) = listener.accept().await {
                    answer(stream, &answers).await;
                }
            };
            let saved = place();
            let removed = tokio::select! {
                removed = remove(&saved, &objects, &folder) => removed.map_err(remove_error),
                () = serve => unreachable!("it serves for ever"),
            };
            match removed {
                Ok(()) => assert!(is_done, "{name}: {answers:?}"),
                Err(error) => {
                    assert!(!is_done && matches!(error, RemoveError::Refused(_)), "{name}: {error:?}")
                }
            }
        }
        assert!(matches!(remove_error("its bucket does not answer".to_string()), RemoveError::NotYet(_)));
    }

    #[test]
    fn what_one_bucket_refuses_is_not_given_up_while_another_one_may_answer() {
        let refused = || "stream `a`: 403 Forbidden".to_string();
        let silent = || "the bucket `b` does not answer".to_string();
        assert_eq!(remove_errors(Vec::new()), Ok(()));
        let told = RemoveError::Refused("stream `a`: 403 Forbidden; stream `a`: 403 Forbidden".to_string());
        assert_eq!(remove_errors(vec![refused(), refused()]), Err(told));
        let told = "stream `a`: 403 Forbidden; the bucket `b` does not answer".to_string();
        assert_eq!(remove_errors(vec![refused(), silent()]), Err(RemoveError::NotYet(told)));
    }
}
