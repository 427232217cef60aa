//! Running jobs: the checks in their order, then the intent, then the runtime's first word.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, JobId};
use weir_base::settings::JobSettings;
use weir_cloud::objects::ObjectsError;
use weir_store::{EndKind, Held, Intent, JobDefinition, JobRecord};

use crate::apig;
use crate::audit;
use crate::caller::Caller;
use crate::cluster::{self, ClusterStatus, in_status};
use crate::control::{Control, Refusal, fault, without_conflict};
use crate::edge;
use crate::jar;
use crate::settings;
use crate::{decide, sql, success};

impl Control {
    /// Runs a job.
    pub async fn run(&self, caller: &Caller, id: JobId, resume_savepoint: bool) -> Result<(), CsError> {
        self.run_all(caller, &[id], resume_savepoint).await.map_err(Failures::of_one)
    }

    /// Runs several jobs, all or none.
    pub async fn batch_run(
        &self,
        caller: &Caller,
        ids: &[JobId],
        resume_savepoint: bool,
    ) -> Result<(), BatchRefusal> {
        self.run_all(caller, &distinct(ids), resume_savepoint).await.map_err(Failures::of_batch)
    }

    async fn run_all(&self, caller: &Caller, ids: &[JobId], resume_savepoint: bool) -> Result<(), Failures> {
        let submitted = without_conflict_of_many(|| self.try_run(caller, ids, resume_savepoint)).await?;
        self.changed.notify_one();
        self.wait_for_submission(caller, &submitted).await
    }

    /// Checks the jobs before other writers have to wait: it plans their texts, and looks for buckets and topics. Then only what
    /// the store tells and may have changed since.
    async fn try_run(
        &self,
        caller: &Caller,
        ids: &[JobId],
        resume_savepoint: bool,
    ) -> Result<Result<Vec<JobRecord>, Failures>, Refusal> {
        if let (Some(first), Err(error)) = (ids.first(), self.check_affords_jobs(caller, ids).await) {
            let mut failures = Failures::default();
            failures.add(*first, error);
            return Ok(Err(failures));
        }
        let mut checked = Vec::new();
        for id in ids {
            checked.push((*id, self.check_run(caller, *id, resume_savepoint).await));
        }
        let _gate = self.gate.lock().await;
        let present = self.store.jobs_with_runs().await?;
        // Somebody else has run one meanwhile, which must not count as the room that it wants: look again.
        if checked.iter().any(|(id, job)| job.is_ok() && present.iter().any(|other| other.id == *id)) {
            return Err(Refusal::Conflict);
        }
        let mut usage = Usage::of(&present, self);
        usage.cluster_quotas = cluster::quotas(&self.store.clusters(&caller.project).await?);
        let quotas = self.store.spu_quotas(&caller.project).await?;
        let mut jobs = Vec::new();
        let mut failures = Failures::default();
        for (id, checked) in checked {
            let admitted = match checked {
                // The quota is that of the owner, whoever runs the job.
                Ok(job) => {
                    let quota = quotas.get(&job.user).copied();
                    self.admit(caller, &job, quota, &mut usage).await.map(|()| job)
                }
                Err(error) => Err(error),
            };
            match admitted {
                Ok(job) => jobs.push(job),
                Err(error) => failures.add(id, error),
            }
        }
        if !failures.is_empty() {
            return Ok(Err(failures));
        }
        let now = self.now();
        let run = |job: &JobRecord| decide::run(&job.facts, Held::of(&job.definition), resume_savepoint, now);
        let changes: Vec<_> = jobs.iter().map(|job| (job, run(job))).collect();
        let audits: Vec<_> =
            jobs.iter().map(|job| audit::of_job(caller, "startJob", job, success::JOB_RUN, now)).collect();
        self.write_facts(&changes, &audits).await?;
        Ok(Ok(jobs))
    }

    /// Admits a job that was checked, whose version tells whether it has changed since: its cluster once more, then quota and
    /// room, then the engine.
    async fn admit(
        &self,
        caller: &Caller,
        job: &JobRecord,
        quota: Option<i64>,
        usage: &mut Usage,
    ) -> Result<(), CsError> {
        if job.definition.run_mode == "exclusive_cluster" {
            self.check_run_cluster(caller, &job.definition).await?;
        }
        usage.take(job, quota, self)?;
        check_engine(&job.definition)
    }

    /// Refuses jobs whose SPUs in the shared cluster the account cannot pay for an hour.
    async fn check_affords_jobs(&self, caller: &Caller, ids: &[JobId]) -> Result<(), CsError> {
        let mut spus = 0;
        for id in ids {
            // One that is not there is found out later.
            let job = self.store.job(&caller.project, *id).await.map_err(fault)?;
            let charged = job.filter(|job| job.definition.run_mode == "shared_cluster");
            spus += charged.map_or(0, |job| job.definition.spu_number);
        }
        self.check_affords(caller, spus).await
    }

    /// The checks before quotas, in the order of the contract; after the quotas [`check_engine`] follows.
    async fn check_run(
        &self,
        caller: &Caller,
        id: JobId,
        resume_savepoint: bool,
    ) -> Result<JobRecord, CsError> {
        let job = self.find_own(caller, id, codes::RUN_JOB_NOT_EXIST).await?;
        let status = self.status_of(&job);
        if !status.can_run() {
            return Err(codes::JOB_NOT_RUNNABLE.error().because(format!("It is in {}.", status.name())));
        }
        self.check_definition(caller, &job, resume_savepoint).await?;
        Ok(job)
    }

    /// The checks of [`Self::check_run`] that depend on what the job is and names, whatever its status.
    pub(crate) async fn check_definition(
        &self,
        caller: &Caller,
        job: &JobRecord,
        resume_savepoint: bool,
    ) -> Result<(), CsError> {
        let definition = &job.definition;
        let is_jar = jar::is_jar(definition);
        // One that was imported may say that it is to run in the shared cluster.
        if is_jar && (definition.run_mode == "shared_cluster" || definition.cluster_id.is_none()) {
            return Err(codes::USER_DEFINED_JOB_NOT_IN_SHARED_CLUSTER.error());
        }
        if definition.run_mode == "exclusive_cluster" {
            self.check_run_cluster(caller, definition).await?;
        }
        self.check_run_buckets(job).await?;
        if let Some(path) = &definition.udf_jar_url
            && !self.jar_exists(&job.project, path).await?
        {
            return Err(codes::RUN_JAR_FILE_NOT_EXIST.error().because(format!("It was {path}.")));
        }
        if is_jar {
            self.check_run_jar(job).await?;
        } else if edge::is_edge(definition) {
            edge::check_sql(&definition.sql_body)?;
        } else {
            self.check_sql(job).await?;
        }
        if resume_savepoint && job.facts.savepoint.current().is_none() {
            return Err(codes::SAVEPOINT_NOT_EXIST.error());
        }
        if definition.smn_topic.is_some() {
            self.check_agency(&job.project, "smn_adm").await?;
        }
        if apig::has_apig_sink(&definition.sql_body) {
            self.check_agency(&job.project, "te_admin").await?;
        }
        self.check_topic(&job.project, definition).await
    }

    async fn check_sql(&self, job: &JobRecord) -> Result<(), CsError> {
        let variables = self.variables.for_check(&job.project, &job.definition.sql_body).await?;
        sql::check_job(&job.definition, variables, &self.options).await
    }

    /// Looks whether the JAR of a job is still there.
    async fn check_run_jar(&self, job: &JobRecord) -> Result<(), CsError> {
        let has_file = match job.definition.has_jar {
            true => self.store.job_file(job.id, "jar").await.map_err(fault)?.is_some(),
            false => job.definition.jar_url.is_some(),
        };
        if !has_file {
            return Err(codes::RUN_JAR_FILE_NOT_EXIST
                .error()
                .because("It was uploaded and is not kept here."));
        }
        self.check_jar_url(&job.project, &job.definition, codes::RUN_JAR_FILE_NOT_EXIST).await
    }

    async fn check_run_cluster(&self, caller: &Caller, definition: &JobDefinition) -> Result<(), CsError> {
        let Some(id) = definition.cluster_id.map(ClusterId) else {
            return Err(codes::CLUSTER_NOT_EXIST.error().because("The cluster of the job was deleted."));
        };
        let cluster = self.find_cluster(caller, id).await?;
        let status = cluster::state::status(&cluster.facts);
        if status != ClusterStatus::Running {
            return Err(codes::CLUSTER_NOT_RUNNING.error().because(in_status(status)));
        }
        self.check_may_use(caller, id).await
    }

    /// Looks whether the buckets that the settings of a job name are there, and authorized. Those that its streams name are
    /// out of its reach when they are of another project, which the worker sees to.
    async fn check_run_buckets(&self, job: &JobRecord) -> Result<(), CsError> {
        let definition = &job.definition;
        if definition.checkpoint_enabled || definition.log_enabled {
            let Some(bucket) = &definition.obs_bucket else {
                return Err(codes::RUN_OBS_BUCKET_EMPTY.error());
            };
            self.check_run_bucket(job, bucket).await?;
        }
        match settings::dirty_bucket(definition) {
            Some(bucket) => self.check_run_bucket(job, &bucket).await,
            None => Ok(()),
        }
    }

    async fn check_run_bucket(&self, job: &JobRecord, bucket: &str) -> Result<(), CsError> {
        let authorized = self.store.authorized_buckets(&job.project).await.map_err(fault)?;
        if !authorized.contains(bucket) {
            return Err(codes::RUN_OBS_BUCKET_NOT_AUTHORIZED
                .error()
                .because(format!("The project has not authorized bucket {bucket}.")));
        }
        match self.objects_of(&job.project).await?.bucket(bucket).await {
            Ok(_) => Ok(()),
            Err(error @ (ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_))) => {
                Err(codes::RUN_OBS_BUCKET_NOT_AUTHORIZED.error().because(format!("{error}.")))
            }
            Err(error) => Err(codes::BACKEND_INTERNAL_ERROR.error().because(format!("{error}."))),
        }
    }

    /// Waits, but not long, until the runtime has taken over or refused the jobs. A refusal after the
    /// wait shows in the status.
    async fn wait_for_submission(&self, caller: &Caller, jobs: &[JobRecord]) -> Result<(), Failures> {
        let deadline = tokio::time::Instant::now() + self.options.submit_wait;
        loop {
            // Listen before looking, so that progress in between is not missed.
            let progress = self.progress.notified();
            let mut failures = Failures::default();
            let mut undecided = false;
            for job in jobs {
                let present = self.store.job(&caller.project, job.id).await;
                let Ok(Some(present)) = present else { continue };
                if present.facts.intent != Intent::Run || present.facts.attempt < job.facts.attempt {
                    continue;
                }
                match present.facts.end {
                    Some(EndKind::SubmitFailed) => failures.add(
                        job.id,
                        codes::JOB_RUN_EXCEPTION.error().because(format!("{}.", present.facts.reason)),
                    ),
                    None if !present.facts.accepted => undecided = true,
                    _ => {}
                }
            }
            if !failures.is_empty() {
                return Err(failures);
            }
            if !undecided || tokio::time::timeout_at(deadline, progress).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Returns the engine's settings of a job.
    pub(crate) fn settings_of(&self, job: &JobRecord) -> JobSettings {
        settings::of_definition(&job.definition, &self.options)
    }
}

/// Refuses what the engine of this release does not run, as the last check.
pub(crate) fn check_engine(definition: &JobDefinition) -> Result<(), CsError> {
    let not_run = |reason: String| Err(codes::JOB_RUN_EXCEPTION.error().because(reason));
    if jar::is_jar(definition) {
        let job_type = &definition.job_type;
        return not_run(format!(
            "The engine of this installation runs SQL and no JARs, so that a {job_type} is kept and not run."
        ));
    }
    if edge::is_edge(definition) {
        return Err(edge::no_nodes());
    }
    if definition.udf_jar_url.is_some() {
        let advice = "take udf_jar_url out of the job";
        return not_run(format!("The engine of this installation runs no functions of JARs; {advice}."));
    }
    Ok(())
}

/// SPUs in use, while the jobs of a call are admitted one after the other.
#[derive(Default)]
pub(crate) struct Usage {
    by_user: BTreeMap<(String, String), i64>,
    /// By the exclusive cluster; `None` is the shared one.
    by_cluster: BTreeMap<Option<i64>, i64>,
    /// SPUs of each exclusive cluster of the project.
    pub(crate) cluster_quotas: BTreeMap<i64, i64>,
}

impl Usage {
    /// Counts what jobs hold.
    pub(crate) fn of(jobs: &[JobRecord], control: &Control) -> Self {
        let mut usage = Self::default();
        for job in jobs {
            if let Some(held) = control.held_by(job) {
                usage.add(job, held);
            }
        }
        usage
    }

    fn add(&mut self, job: &JobRecord, held: &Held) {
        *self.by_user.entry(Self::key(job)).or_default() += held.spus;
        *self.by_cluster.entry(held.cluster_id).or_default() += held.spus;
    }

    fn key(job: &JobRecord) -> (String, String) {
        (job.project.0.clone(), job.user.0.clone())
    }

    /// Admits a job: the owner's quota first, then the capacity of its cluster.
    pub(crate) fn take(
        &mut self,
        job: &JobRecord,
        quota: Option<i64>,
        control: &Control,
    ) -> Result<(), CsError> {
        // An edge job computes on its nodes, and holds nothing here.
        if edge::is_edge(&job.definition) {
            return Ok(());
        }
        let wanted = Held::of(&job.definition);
        let spus = wanted.spus;
        let quota = quota.unwrap_or(control.options.user_spu_quota);
        let used = self.by_user.get(&Self::key(job)).copied().unwrap_or(0);
        if used + spus > quota {
            return Err(codes::USER_QUOTA_INSUFFICIENT
                .error()
                .because(format!("{used} of {quota} SPUs are in use, the job needs {spus}.")));
        }
        let (place, all) = match wanted.cluster_id {
            Some(id) => (format!("cluster {id}"), self.cluster_quotas.get(&id).copied().unwrap_or(0)),
            None => ("the shared cluster".to_string(), control.options.shared_cluster_spus),
        };
        let free = all - self.by_cluster.get(&wanted.cluster_id).copied().unwrap_or(0);
        if spus > free {
            return Err(codes::SPU_INSUFFICIENT
                .error()
                .because(format!("{} SPUs of {place} are free, the job needs {spus}.", free.max(0))));
        }
        self.add(job, &wanted);
        Ok(())
    }
}

/// The jobs of a call that were refused, in the order of the call.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<(JobId, CsError)>);

impl Failures {
    /// Adds one.
    pub(crate) fn add(&mut self, id: JobId, error: CsError) {
        self.0.push((id, error));
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the error of a call about one job.
    pub(crate) fn of_one(self) -> CsError {
        self.0.into_iter().next().map_or_else(|| codes::INTERNAL_ERROR.error(), |(_, error)| error)
    }

    /// Returns the refusal of a call about several jobs.
    pub(crate) fn of_batch(self) -> BatchRefusal {
        let details: Vec<Value> = self.0.iter().map(|(id, error)| detail(*id, error)).collect();
        let jobs = self.0.iter().filter(|(id, _)| *id != NO_JOB).cloned().collect();
        BatchRefusal { error: self.of_one().details(Value::Array(details)), jobs }
    }
}

/// Stands for the job of a failure that no job is to blame for.
const NO_JOB: JobId = JobId(0);

/// Why a call about several jobs was refused.
#[derive(Debug)]
pub struct BatchRefusal {
    /// What the caller is told: the first error, with all of them in the details.
    pub error: CsError,
    /// The jobs that are to blame, each with its own error; none when all are refused for the same.
    pub jobs: Vec<(JobId, CsError)>,
}

fn detail(id: JobId, error: &CsError) -> Value {
    let mut detail = json!({ "job_id": id, "error_id": error.code.to_string() });
    let more = error.details.as_ref().and_then(|details| details.get(0)).and_then(Value::as_object);
    if let (Some(detail), Some(more)) = (detail.as_object_mut(), more) {
        detail.extend(more.clone());
    }
    detail
}

/// Returns the ids without repetitions, in their order.
pub(crate) fn distinct(ids: &[JobId]) -> Vec<JobId> {
    let mut seen = std::collections::BTreeSet::new();
    ids.iter().copied().filter(|id| seen.insert(*id)).collect()
}

/// [`without_conflict`] for a call about several jobs.
pub(crate) async fn without_conflict_of_many<F>(
    operation: impl FnMut() -> F,
) -> Result<Vec<JobRecord>, Failures>
where
    F: Future<Output = Result<Result<Vec<JobRecord>, Failures>, Refusal>>,
{
    match without_conflict(operation).await {
        Ok(result) => result,
        // The store failed: no job is to blame more than another.
        Err(error) => Err(Failures(vec![(NO_JOB, error)])),
    }
}
