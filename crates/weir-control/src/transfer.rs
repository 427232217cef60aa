//! Definitions of jobs out of the service and into it, as archives in buckets.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use serde::{Deserialize, Serialize};
use weir_base::error::{CsError, codes};
use weir_base::id::{JobId, ProjectId};
use weir_base::object_key::is_object_key;
use weir_cloud::objects::Objects;
use weir_store::{AuditRecord, Intent, JobDefinition, JobFilter, JobRecord, NewJob, StoreError};

use crate::archive;
use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, Refusal, fault, without_conflict};
use crate::create::{new_job, too_many_drafts};
use crate::{decide, fields, success};

/// Version of the form of a file in an archive.
const FORMAT: u32 = 1;
/// Most bytes of all archives of one import.
const MOST_BYTES: u64 = 64 << 20;
/// Most bytes of what is in them.
const MOST_UNPACKED: usize = 64 << 20;
/// Most jobs of one import: what is made of a definition takes more memory than its text.
const MOST_JOBS: usize = 10_000;

/// One file of an archive.
#[derive(Debug, Serialize, Deserialize)]
struct ExportedJob {
    format: u32,
    job_id: i64,
    job: JobDefinition,
}

/// What became of a job of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedJob {
    /// Its id in the archive.
    pub old: i64,
    /// Its id now; `None` when it was left out.
    pub new: Option<JobId>,
    /// Why it was left out, that it replaced another one, or what it lacks; else empty.
    pub remark: String,
}

/// What is to be done with a job of an archive.
enum Plan {
    /// With what it lacks, for people.
    Create(Box<NewJob>, String),
    /// The job that is replaced, what it becomes, and what it lacks.
    Cover(Box<JobRecord>, Box<JobDefinition>, String),
    LeaveOut(String),
}

impl Control {
    /// Writes the definitions of jobs to an archive: of those selected, or of all that the caller may read. Returns
    /// the path of the archive.
    pub async fn export_jobs(
        &self,
        caller: &Caller,
        directory: &str,
        selected: Option<&[JobId]>,
    ) -> Result<String, CsError> {
        let (bucket, prefix) = split_sent("obs_dir", directory)?;
        self.check_authorized(caller, bucket).await?;
        let _turn = self.archives.lock().await;
        let filter = JobFilter { user: caller.sees_only(), ..JobFilter::default() };
        let mut jobs = self.store.jobs(&caller.project, &filter).await.map_err(fault)?;
        if let Some(selected) = selected {
            if let Some(unknown) = selected.iter().find(|id| !jobs.iter().any(|job| job.id == **id)) {
                let reason = format!(
                    "There is no job {unknown} that you may read; take it out of job_selected and export again."
                );
                return Err(codes::AGGREGATE_USER_DATA_FAILED.error().because(reason));
            }
            jobs.retain(|job| selected.contains(&job.id));
        }
        let ids: Vec<String> = jobs.iter().map(|job| job.id.to_string()).collect();
        let ids = ids.join(",");
        let now = self.now();
        let failed = |reason: String| codes::AGGREGATE_USER_DATA_FAILED.error().because(reason);
        let packed = tokio::task::spawn_blocking(move || pack(jobs)).await;
        let archive = packed.map_err(|error| failed(format!("{error}.")))?.map_err(failed)?;
        let key = [prefix, &format!("aggregate_{now}.zip")].join("/");
        let key = key.trim_start_matches('/');
        let objects = self.objects_of(&caller.project).await?;
        objects.put(bucket, key, Bytes::from(archive)).await.map_err(|error| untransferred(&error))?;
        let subject = Subject { resource_type: "job", id: &ids, name: "" };
        let audit = audit::of_success(caller, "exportJobs", subject, success::JOBS_EXPORTED, now);
        self.record_archive(&objects, (bucket, key), &audit).await?;
        Ok(format!("{bucket}/{key}"))
    }

    /// Writes the record of an archive that was made. The call changes nothing in the metadata, and an object and a record
    /// are not one transaction: an archive without a record is taken away, so that one is left only by a crash between
    /// the two, under a name that nobody was told.
    pub(crate) async fn record_archive(
        &self,
        objects: &Objects,
        (bucket, key): (&str, &str),
        audit: &AuditRecord,
    ) -> Result<(), CsError> {
        let Err(error) = self.store.write_audit(audit).await else { return Ok(()) };
        let removed = async {
            let store = objects.bucket(bucket).await.map_err(|error| error.to_string())?;
            let path = Key::parse(key).map_err(|error| error.to_string())?;
            store.delete(&path).await.map_err(|error| error.to_string())
        };
        if let Err(reason) = removed.await {
            tracing::warn!(bucket, key, reason, "an archive that is not on record could not be removed");
        }
        Err(fault(error))
    }

    /// Makes jobs of the definitions in an archive, or in all archives of a folder. All or nothing, but a job whose
    /// name is taken is left out, or replaces the other one with `cover`.
    pub async fn import_jobs(
        &self,
        caller: &Caller,
        path: &str,
        cover: bool,
    ) -> Result<Vec<ImportedJob>, CsError> {
        let (bucket, key) = split_sent("zip_file", path)?;
        self.check_authorized(caller, bucket).await?;
        let _turn = self.archives.lock().await;
        let archives = self.archives(&caller.project, bucket, key).await?;
        let sql_max_bytes = self.options.sql_max_bytes;
        // Some hundred milliseconds for archives of the greatest length.
        let found = tokio::task::spawn_blocking(move || read_archives(archives, sql_max_bytes)).await;
        let found = found.map_err(|error| {
            tracing::error!(%error, "archives could not be read");
            codes::BACKEND_INTERNAL_ERROR.error()
        })??;
        let gate = self.gate.lock().await;
        let (imported, covered) = without_conflict(|| self.try_import(caller, &found, cover)).await?;
        for job in &covered {
            // Its stop has failed, and nobody looks after its worker now that the job is a draft. Not before that is written: else a
            // job would be without its worker although nothing has replaced it.
            if self.status_of(job).holds_spus() {
                self.runner.kill(job.id).await;
            }
        }
        drop(gate);
        // The savepoints of jobs that were replaced are to be removed.
        self.changed.notify_one();
        Ok(imported)
    }

    /// Returns the archives that a path names.
    async fn archives(
        &self,
        project: &ProjectId,
        bucket: &str,
        key: &str,
    ) -> Result<Vec<(String, Bytes)>, CsError> {
        let failed = |reason: String| codes::UPLOAD_USER_DATA_FAILED.error().because(reason);
        let store =
            self.objects_of(project).await?.bucket(bucket).await.map_err(|error| untransferred(&error))?;
        let path = Key::parse(key).map_err(|error| failed(format!("{error}.")))?;
        if path.as_ref().is_empty() {
            return Err(failed("The path names a bucket, and neither an archive nor a folder.".to_string()));
        }
        match store.get(&path).await {
            Ok(object) => {
                bounded(object.meta.size)?;
                let bytes = object.bytes().await.map_err(|error| untransferred(&error))?;
                return Ok(vec![(path.to_string(), bytes)]);
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(untransferred(&error)),
        }
        let listed: Result<Vec<_>, _> =
            store.list(Some(&path)).map_ok(|object| (object.location, object.size)).try_collect().await;
        let mut objects = listed.map_err(|error| untransferred(&error))?;
        bounded(objects.iter().map(|(_, size)| size).sum())?;
        objects.sort();
        let keys: Vec<Key> = objects.into_iter().map(|(key, _)| key).collect();
        if keys.is_empty() {
            return Err(failed(format!("There is nothing at {bucket}/{path}.")));
        }
        if let Some(other) = keys.iter().find(|key| !key.as_ref().ends_with(".zip")) {
            return Err(failed(format!("{other} in the folder is no .zip file.")));
        }
        let mut archives = Vec::new();
        for key in keys {
            let bytes = match store.get(&key).await {
                Ok(object) => object.bytes().await,
                Err(error) => Err(error),
            };
            archives.push((key.to_string(), bytes.map_err(|error| untransferred(&error))?));
        }
        Ok(archives)
    }

    /// Returns what became of the jobs of the archives, and the jobs that were replaced as they were.
    async fn try_import(
        &self,
        caller: &Caller,
        found: &[ExportedJob],
        cover: bool,
    ) -> Result<(Vec<ImportedJob>, Vec<JobRecord>), Refusal> {
        let present = self.store.jobs(&caller.project, &JobFilter::default()).await?;
        let drafts = present.iter().filter(|job| job.facts.intent == Intent::Draft).count();
        let by_name: BTreeMap<&str, &JobRecord> =
            present.iter().map(|job| (job.definition.name.as_str(), job)).collect();
        let clusters = self.store.clusters(&caller.project).await?;
        let clusters: BTreeSet<i64> = clusters.into_iter().map(|cluster| cluster.id.0).collect();
        let mut plans = Vec::new();
        let mut names = BTreeSet::new();
        for exported in found {
            let plan = if names.insert(exported.job.name.as_str()) {
                self.plan(caller, exported, &by_name, &clusters, cover)
            } else {
                Plan::LeaveOut("The archive holds another job of this name.".to_string())
            };
            plans.push((exported.job_id, plan));
        }
        let limit = self.options.draft_limit;
        let new = plans.iter().filter(|(_, plan)| matches!(plan, Plan::Create(..))).count();
        // What is too much is refused before any of it is written.
        if new > 0 && drafts + new > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(too_many_drafts(limit).into());
        }
        let now = self.now();
        let mut created = Vec::new();
        let mut covered = Vec::new();
        for (_, plan) in &plans {
            match plan {
                Plan::Create(job, _) => created.push((**job).clone()),
                Plan::Cover(job, definition, _) => {
                    let facts = decide::covered(&job.facts);
                    self.check_moves(&[(&**job, facts.clone())], now)?;
                    covered.push(((**job).clone(), (**definition).clone(), facts));
                }
                Plan::LeaveOut(_) => {}
            }
        }
        let subject = Subject { resource_type: "job", id: "", name: "" };
        let audit = audit::of_success(caller, "importJobs", subject, success::JOBS_IMPORTED, now);
        let owner = (&caller.user, caller.user_name.as_str());
        let ids = self.store.import_jobs(&created, &covered, owner, now, limit, audit).await;
        let ids = ids.map_err(|error| match error {
            StoreError::TooManyDrafts { limit } => too_many_drafts(limit).into(),
            // Somebody took the name meanwhile.
            StoreError::NameTaken => Refusal::Conflict,
            other => other.into(),
        })?;
        let mut ids = ids.into_iter();
        let imported = plans.into_iter().map(|(old, plan)| match plan {
            Plan::Create(_, missing) => ImportedJob { old, new: ids.next(), remark: missing },
            Plan::Cover(job, _, missing) => {
                let replaced = "It replaced the job of this name.";
                let remark = [replaced, missing.as_str()].join(" ").trim_end().to_string();
                ImportedJob { old, new: Some(job.id), remark }
            }
            Plan::LeaveOut(remark) => ImportedJob { old, new: None, remark },
        });
        Ok((imported.collect(), covered.into_iter().map(|(job, ..)| job).collect()))
    }

    fn plan(
        &self,
        caller: &Caller,
        exported: &ExportedJob,
        present: &BTreeMap<&str, &JobRecord>,
        clusters: &BTreeSet<i64>,
        cover: bool,
    ) -> Plan {
        let covered = present.get(exported.job.name.as_str());
        let (mut definition, missing) = with_files_of(covered.map(|job| &job.definition), &exported.job);
        // A cluster of another project has an id too: only one that this project has is kept.
        definition.cluster_id = definition.cluster_id.filter(|id| clusters.contains(id));
        let Some(other) = covered else {
            return Plan::Create(Box::new(new_job(caller, definition, self.now())), missing);
        };
        if !cover {
            return Plan::LeaveOut("The name is taken.".to_string());
        }
        if !caller.owns(other) {
            return Plan::LeaveOut("The name is taken by a job of somebody else.".to_string());
        }
        let status = self.status_of(other);
        if let Some(code) = status.update_refusal() {
            let reason = format!("The job of this name is in {} ({code}).", status.name());
            return Plan::LeaveOut(reason);
        }
        Plan::Cover(Box::new((*other).clone()), Box::new(definition), missing)
    }
}

/// Returns a definition of an archive with the files that it can have, and says which it lacks. Uploaded files are not in the
/// archive: those of the job that it replaces stay, when that is one of the same engine.
fn with_files_of(covered: Option<&JobDefinition>, exported: &JobDefinition) -> (JobDefinition, String) {
    let kept = covered.filter(|job| job.job_type == exported.job_type);
    let has_jar = exported.has_jar && kept.is_some_and(|job| job.has_jar);
    let has_config = exported.has_config && kept.is_some_and(|job| job.has_config);
    let lacks = |what: &str| format!("Archives hold no files: upload its {what} again before it is run.");
    let missing = match (exported.has_jar && !has_jar, exported.has_config && !has_config) {
        (true, true) => lacks("JAR and its configuration file"),
        (true, false) => lacks("JAR"),
        (false, true) => lacks("configuration file"),
        (false, false) => String::new(),
    };
    (JobDefinition { has_jar, has_config, ..exported.clone() }, missing)
}

/// Reads what is in archives.
fn read_archives(archives: Vec<(String, Bytes)>, sql_max_bytes: usize) -> Result<Vec<ExportedJob>, CsError> {
    let mut found = Vec::new();
    let mut left = MOST_UNPACKED;
    for (name, contents) in archives {
        let unreadable = |reason: String| {
            codes::UPLOAD_USER_DATA_FAILED.error().because(format!("{name} is no archive: {reason}."))
        };
        for file in archive::unpack(&contents, &mut left).map_err(unreadable)? {
            let (entry, text) = file.map_err(unreadable)?;
            if found.len() == MOST_JOBS {
                let reason = format!("The archives have more than {MOST_JOBS} jobs.");
                return Err(codes::UPLOAD_USER_DATA_FAILED.error().because(reason));
            }
            found.push(read_entry(&entry, &text, sql_max_bytes)?);
        }
    }
    Ok(found)
}

fn read_entry(entry: &str, text: &[u8], sql_max_bytes: usize) -> Result<ExportedJob, CsError> {
    let invalid = |reason: String| {
        codes::AGGREGATE_USER_DATA_FAILED
            .error()
            .because(format!("{entry} is no valid definition of a job: {reason}"))
    };
    let mut job: ExportedJob = serde_json::from_slice(text).map_err(|error| invalid(format!("{error}.")))?;
    if job.format != FORMAT {
        return Err(invalid(format!("its form {} is not {FORMAT}.", job.format)));
    }
    job.job = fields::taken_in(&job.job);
    fields::check_definition(&job.job, sql_max_bytes).map_err(|error| invalid(error.cause()))?;
    Ok(job)
}

/// Makes an archive of definitions, no larger than what an import takes.
fn pack(jobs: Vec<JobRecord>) -> Result<Vec<u8>, String> {
    let too_much = |what: String| format!("{what}; export parts of them with is_selected and job_selected.");
    if jobs.len() > MOST_JOBS {
        let count = jobs.len();
        return Err(too_much(format!("They are {count} jobs, and an archive holds at most {MOST_JOBS}")));
    }
    let mut files = Vec::new();
    let mut left = MOST_UNPACKED;
    for job in jobs {
        let name = format!("job_{}.json", job.id);
        let exported = ExportedJob { format: FORMAT, job_id: job.id.0, job: job.definition };
        let text = serde_json::to_vec_pretty(&exported).map_err(|error| format!("{error}."))?;
        let rest = left.checked_sub(text.len());
        left = rest.ok_or_else(|| {
            too_much(format!("The definitions have more than {MOST_UNPACKED} bytes, the most of an archive"))
        })?;
        files.push((name, text));
    }
    archive::pack(&files).map_err(|error| format!("{error}."))
}

/// Takes a path of the form `bucket/key` apart.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let path = path.trim().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (bucket, key.trim_matches('/'))
}

/// Takes a path that was sent apart, as [`split`] does, and refuses one that names no place in a bucket.
fn split_sent<'a>(name: &str, path: &'a str) -> Result<(&'a str, &'a str), CsError> {
    let (bucket, key) = split(path);
    if key.is_empty() || is_object_key(key) {
        return Ok((bucket, key));
    }
    let reason = format!("{name} is `{path}`, expected is bucket/path, with no part empty, `.` or `..`.");
    Err(codes::INVALID_REQUEST_BODY.error().because(reason))
}

/// Refuses archives that would take too much memory.
fn bounded(bytes: u64) -> Result<(), CsError> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let reason = format!("The archives have {bytes} bytes, and {MOST_BYTES} can be imported at a time.");
    Err(codes::UPLOAD_USER_DATA_FAILED.error().because(reason))
}

fn untransferred(error: &dyn std::fmt::Display) -> CsError {
    codes::UPLOAD_USER_DATA_FAILED.error().because(format!("{error}."))
}
