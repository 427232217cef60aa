//! Savepoints: writing one while a job runs, and naming one that is there.

use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_base::savepoint::{SavepointAsk, SavepointPlace};
use weir_runtime::NoSavepoint;
use weir_store::RunFacts;

use crate::audit;
use crate::caller::Caller;
use crate::control::{Control, Refusal, fault, without_conflict};
use crate::decide::{self, savepoints};
use crate::status::Status;
use crate::success;

/// Where the checkpoints of jobs are in their buckets.
const CHECKPOINTS: &str = "jobs/checkpoint";
/// Where the savepoints are that the service gives a place.
const SAVEPOINTS: &str = "jobs/savepoint/";

impl Control {
    /// Asks a running job for a savepoint at a path of the caller's choice.
    pub async fn trigger_savepoint(&self, caller: &Caller, id: JobId, path: &str) -> Result<(), CsError> {
        let place = place(path)?;
        if is_of_checkpoints(&place.path) {
            return Err(codes::INVALID_REQUEST_BODY.error().because(format!(
                "savepoint_path is `{path}`: the service keeps and removes the checkpoints of jobs in `{CHECKPOINTS}` of a bucket; \
                 name another directory."
            )));
        }
        if is_of_another(&place.path, id) {
            return Err(codes::INVALID_REQUEST_BODY.error().because(format!(
                "savepoint_path is `{path}`: the service keeps and removes the savepoint of another job there; name another directory."
            )));
        }
        let _gate = self.gate.lock().await;
        without_conflict(|| self.try_trigger_savepoint(caller, id, &place)).await?;
        self.changed.notify_one();
        Ok(())
    }

    async fn try_trigger_savepoint(
        &self,
        caller: &Caller,
        id: JobId,
        place: &SavepointPlace,
    ) -> Result<(), Refusal> {
        let job = self.find_own(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        let status = self.status_of(&job);
        if status != Status::Running {
            let reason = format!("It is in {}, and only a running job can write a savepoint.", status.name());
            return Err(codes::JOB_NOT_STOPPABLE.error().because(reason).into());
        }
        self.check_authorized(caller, place.bucket.as_deref().unwrap_or_default()).await?;
        let now = self.now();
        let ask = SavepointAsk { at: now, place: place.clone(), stop: false };
        let audit = audit::of_job(caller, "triggerSavepoint", &job, success::SAVEPOINT_TRIGGERED, now);
        let savepoint = savepoints::with_named(&job.facts.savepoint, place, job.id);
        let facts = RunFacts { savepoint, ..job.facts.clone() };
        self.write_facts(&[(&job, decide::savepoint(&facts, ask, &caller.user_name))], &[audit]).await?;
        Ok(())
    }

    /// Makes a savepoint in a bucket the one that the job starts from when it is run with `resumeSavePoint`.
    pub async fn import_savepoint(&self, caller: &Caller, id: JobId, path: &str) -> Result<(), CsError> {
        let place = place(path)?;
        // It is looked for in a bucket that may take its time. Nothing of it spans jobs, so that the version of the job protects it.
        without_conflict(|| self.try_import_savepoint(caller, id, &place)).await?;
        // Those that it replaces are to be removed.
        self.changed.notify_one();
        Ok(())
    }

    async fn try_import_savepoint(
        &self,
        caller: &Caller,
        id: JobId,
        place: &SavepointPlace,
    ) -> Result<(), Refusal> {
        let job = self.find_own(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        let status = self.status_of(&job);
        if status.update_refusal().is_some() {
            let reason = format!("The job is in {}.", status.name());
            return Err(codes::RUNNING_JOB_NOT_UPDATABLE.error().because(reason).into());
        }
        self.check_authorized(caller, place.bucket.as_deref().unwrap_or_default()).await?;
        if savepoints::is_going(&job.facts.savepoint, place, job.id) {
            let shown = place.shown().unwrap_or_default();
            let reason = format!("The life of the savepoint in {shown} has ended, and it is being removed.");
            return Err(codes::SAVEPOINT_NOT_EXIST.error().because(reason).into());
        }
        let objects = self.objects_of(&caller.project).await?;
        weir_runtime::find_savepoint(&objects, place).await.map_err(|error| match error {
            NoSavepoint::Missing(reason) => codes::SAVEPOINT_NOT_EXIST.error().because(format!("{reason}.")),
            NoSavepoint::Fault(reason) => codes::BACKEND_INTERNAL_ERROR.error().because(format!("{reason}.")),
        })?;
        let now = self.now();
        let savepoint = savepoints::imported(&job.facts.savepoint, place, job.id);
        let facts = RunFacts { savepoint, ..job.facts.clone() };
        let audit = audit::of_job(caller, "importSavepoint", &job, success::SAVEPOINT_IMPORTED, now);
        self.write_facts(&[(&job, facts)], &[audit]).await?;
        Ok(())
    }

    /// Refuses a bucket that the project has not authorized with CS.11016.
    pub(crate) async fn check_authorized(&self, caller: &Caller, bucket: &str) -> Result<(), CsError> {
        let authorized = self.store.authorized_buckets(&caller.project).await.map_err(fault)?;
        if authorized.iter().any(|name| name == bucket) {
            return Ok(());
        }
        let reason = format!("The project has not authorized bucket {bucket}.");
        Err(codes::OBS_BUCKET_NOT_AUTHORIZED.error().because(reason))
    }
}

fn place(path: &str) -> Result<SavepointPlace, CsError> {
    SavepointPlace::parse(path).ok_or_else(|| {
        codes::INVALID_REQUEST_BODY.error().because(format!(
            "savepoint_path is `{path}`, expected is bucket/directory, with no part empty, `.` or `..`."
        ))
    })
}

/// Whether a directory is that of the checkpoints of jobs, above it or below it.
fn is_of_checkpoints(path: &str) -> bool {
    path.split('/').zip(CHECKPOINTS.split('/')).all(|(part, own)| part == own)
}

/// Whether a directory is the one in which the service itself puts the savepoint of another job.
fn is_of_another(path: &str, job: JobId) -> bool {
    let numbered = path.strip_prefix(SAVEPOINTS).and_then(|id| id.parse::<i64>().ok());
    numbered.is_some_and(|id| id != job.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_savepoint_is_written_over_that_of_another_job() {
        for (path, refused) in
            [("jobs/savepoint/8", true), ("jobs/savepoint/7", false), ("jobs/savepoint/8/mine", false)]
        {
            assert_eq!(is_of_another(path, JobId(7)), refused, "{path}");
        }
    }

    #[test]
    fn no_savepoint_is_written_among_checkpoints() {
        for path in ["jobs", "jobs/checkpoint", "jobs/checkpoint/7", "jobs/checkpoint/7/mine"] {
            assert!(is_of_checkpoints(path), "{path}");
        }
        for path in ["jobs2", "jobs/savepoint/7/mine", "jobs/checkpoints", "mine/jobs/checkpoint"] {
            assert!(!is_of_checkpoints(path), "{path}");
        }
    }
}
