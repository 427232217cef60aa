//! The logs of a job, gathered into one archive.

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_cloud::objects::Objects;

use crate::archive;
use crate::audit;
use crate::caller::Caller;
use crate::control::Control;
use crate::success;

/// Where logs are, in a bucket.
const FOLDER: &str = "jobs/logs";
/// Longest logs that are gathered, as they and their archive are in memory; the newest runs come first, and a file that does not
/// fit is left out.
const MOST_BYTES: u64 = 48 << 20;

impl Control {
    /// Writes an archive of the logs of all runs of a job to its bucket. Returns the path of the archive.
    pub async fn aggregate_logs(&self, caller: &Caller, id: JobId) -> Result<String, CsError> {
        let job = self.find_own(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        let bucket = match &job.definition.obs_bucket {
            Some(bucket) if job.definition.log_enabled => bucket,
            _ => return Err(codes::LOG_DUMP_DISABLED.error()),
        };
        let now = self.now();
        let key = format!("{FOLDER}/aggregate_{id}_{now}.zip");
        let objects = self.objects_of(&job.project).await?;
        let turn = self.archives.lock().await;
        gather_logs(&objects, bucket, id, &key)
            .await
            .map_err(|reason| codes::AGGREGATE_JOB_LOG_FAILED.error().because(format!("{reason}.")))?;
        drop(turn);
        let audit = audit::of_job(caller, "aggregateJobLogs", &job, success::LOGS_AGGREGATED, now);
        self.record_archive(&objects, (bucket.as_str(), &key), &audit).await?;
        Ok(format!("{bucket}/{key}"))
    }
}

async fn gather_logs(objects: &Objects, bucket: &str, id: JobId, key: &str) -> Result<(), String> {
    let store = objects.bucket(bucket).await.map_err(|error| error.to_string())?;
    let folder = Key::from(FOLDER);
    let listed = store.list_with_delimiter(Some(&folder)).await.map_err(|error| error.to_string())?;
    let mine = format!("{id}-");
    let mut runs = listed.common_prefixes;
    runs.retain(|run| run.filename().is_some_and(|name| name.starts_with(&mine)));
    // The names end with the time of the start.
    runs.sort();
    let mut files = Vec::new();
    let mut has_longer = false;
    let mut left = MOST_BYTES;
    for run in runs.iter().rev() {
        let found: Result<Vec<_>, _> = store.list(Some(run)).try_collect().await;
        for object in found.map_err(|error| error.to_string())? {
            let Some(rest) = left.checked_sub(object.size) else {
                has_longer = true;
                continue;
            };
            left = rest;
            let read = match store.get(&object.location).await {
                Ok(read) => read.bytes().await,
                Err(error) => Err(error),
            };
            let bytes = read.map_err(|error| error.to_string())?;
            let name = object.location.as_ref().trim_start_matches(FOLDER).trim_start_matches('/');
            files.push((name.to_string(), bytes.to_vec()));
        }
    }
    if files.is_empty() && has_longer {
        let folder = format!("{bucket}/{FOLDER}");
        return Err(format!(
            "Each log of job {id} has more than {MOST_BYTES} bytes; take them from {folder}"
        ));
    }
    if files.is_empty() {
        return Err(format!("There are no logs of job {id} in bucket {bucket} yet"));
    }
    // Some hundred milliseconds for logs of the greatest length.
    let packed = tokio::task::spawn_blocking(move || archive::pack(&files)).await;
    let archive = packed.map_err(|error| error.to_string())??;
    objects.put(bucket, key, Bytes::from(archive)).await.map_err(|error| error.to_string())
}
