//! The use-cases' common ground: what they reach, and how faults and conflicts become CS errors.

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use weir_base::clock::Clock;
use weir_base::error::{CsError, codes};
use weir_base::id::{JobId, ProjectId};
use weir_base::time::Timestamp;
use weir_cloud::gateway::Gateway;
use weir_cloud::identity::Identity;
use weir_cloud::notifications::Publisher;
use weir_cloud::objects::Objects;
use weir_cloud::sealing::Sealer;
use weir_runtime::Runner;
use weir_store::{
    AuditRecord, ClusterFacts, ClusterRecord, Held, JobRecord, RunFacts, Store, StoreError, UsageChange,
};

use crate::alarms;
use crate::audit::{self, Subject};
use crate::billing::{Turns, usage};
use crate::buckets::Buckets;
use crate::caller::Caller;
use crate::decide;
use crate::options::ControlOptions;
use crate::status::Status;
use crate::variables::ProjectVariables;

/// What the use-cases need.
pub struct ControlParts {
    /// Metadata.
    pub store: Store,
    /// Seals the global variables in it.
    pub sealer: Sealer,
    /// Users and agencies.
    pub identity: Arc<Identity>,
    /// Buckets.
    pub objects: Objects,
    /// What sinks show.
    pub gateway: Gateway,
    /// Publishes alarms of jobs.
    pub publisher: Publisher,
    /// Runs jobs.
    pub runner: Arc<dyn Runner>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Limits and choices.
    pub options: ControlOptions,
}

/// The use-cases of the service, and the state that they share with the reconciler.
pub struct Control {
    pub(crate) store: Store,
    pub(crate) variables: ProjectVariables,
    pub(crate) identity: Arc<Identity>,
    pub(crate) buckets: Buckets,
    pub(crate) gateway: Gateway,
    pub(crate) publisher: Publisher,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: ControlOptions,
    /// Wakes the reconciler after a change.
    pub(crate) changed: Notify,
    /// Wakes the publishing of alarms.
    pub(crate) alarmed: Notify,
    /// Wakes runs that wait for the runtime's word.
    pub(crate) progress: Notify,
    /// Held by a use-case from the checks of what spans jobs, such as quotas, to its write: the version of one
    /// job cannot protect them. What is looked for elsewhere, in buckets, topics and accounts, is looked for before: it may take its
    /// time, and all other writers would wait for it. The reconciler takes it for nothing but what goes on after arrears, and to remove a cluster,
    /// which a job that is being created may name; its other writes are protected by versions.
    pub(crate) gate: Mutex<()>,
    /// Whose turn it is to be checked before it goes on after arrears.
    pub(crate) turns: Turns,
    /// Held while an archive is made or read: it is in memory, so that there is one at a time.
    pub(crate) archives: Mutex<()>,
}

impl Control {
    /// Puts the use-cases together. Nothing moves until [`crate::Reconciler::run`] does.
    pub fn new(parts: ControlParts) -> Arc<Self> {
        let ControlParts { store, sealer, identity, objects, gateway, publisher, runner, clock, options } =
            parts;
        let buckets = Buckets::new(store.clone(), objects, identity.clone());
        Arc::new(Self {
            variables: ProjectVariables::new(store.clone(), sealer),
            store,
            identity,
            buckets,
            gateway,
            publisher,
            runner,
            clock,
            options,
            changed: Notify::new(),
            alarmed: Notify::new(),
            progress: Notify::new(),
            gate: Mutex::new(()),
            turns: Turns::default(),
            archives: Mutex::new(()),
        })
    }

    /// Returns the options.
    pub fn options(&self) -> &ControlOptions {
        &self.options
    }

    /// Returns the metadata store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the buckets and whose they are.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Returns the objects that a project reaches.
    pub(crate) async fn objects_of(&self, project: &ProjectId) -> Result<Objects, CsError> {
        self.buckets.of(project).await.map_err(fault)
    }

    /// Writes the audit records of a call that was refused or failed: one for each thing that it was about, with the reason.
    /// A fault of the store is logged: the caller gets the error that the records are about.
    pub async fn record_failures(&self, caller: &Caller, event: &str, refused: &[(Subject<'_>, &CsError)]) {
        let now = self.now();
        let record = |(subject, error): &(Subject<'_>, &CsError)| {
            audit::of_failure(caller, event, *subject, error, now)
        };
        let records: Vec<_> = refused.iter().map(record).collect();
        if let Err(fault) = self.store.write_audits(&records).await {
            tracing::error!(event, %fault, "the audit records of a call could not be written");
        }
    }

    /// Returns the global variables of projects.
    pub fn variables(&self) -> &ProjectVariables {
        &self.variables
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn status_of(&self, job: &JobRecord) -> Status {
        decide::status(&job.facts, job.seen_at, self.now(), &self.options.limits)
    }

    /// Returns what a job holds: what it was run with, for as long as its status says that it holds anything. A deleted one has
    /// no status any more, and holds it for as long as its worker is there.
    pub(crate) fn held_by<'a>(&self, job: &'a JobRecord) -> Option<&'a Held> {
        let holds = match job.deleted_at {
            None => self.status_of(job).holds_spus(),
            Some(_) => decide::is_alive(self.runner.observe(job.id).as_ref()),
        };
        job.facts.held.as_ref().filter(|_| holds)
    }

    /// Stores changed facts of several jobs, all or none, with the audit records of the call and the alarms that follow.
    pub(crate) async fn write_facts(
        &self,
        changes: &[(&JobRecord, RunFacts)],
        audits: &[AuditRecord],
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.check_moves(changes, now)?;
        let alarms: Vec<_> = changes
            .iter()
            .filter_map(|(job, facts)| alarms::of_change(job, facts, now, &self.options.limits))
            .collect();
        self.store.update_facts(changes, audits, &alarms, &self.usage_of(changes, now)).await?;
        if !alarms.is_empty() {
            self.alarmed.notify_one();
        }
        Ok(())
    }

    /// Refuses changes after which a job would be in a status to which no move leads from its present one: that is an
    /// error of the service, and what is stored stays as it is.
    pub(crate) fn check_moves(
        &self,
        changes: &[(&JobRecord, RunFacts)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (job, facts) in changes {
            if let Some((from, to)) = decide::illegal_move(&job.facts, facts, now, &self.options.limits) {
                let (from, to) = (from.name(), to.name());
                tracing::error!(job_id = %job.id, from, to, "a change of a job that no move allows was not written");
                return Err(StoreError::NoMove { job: job.id.0, from, to });
            }
        }
        Ok(())
    }

    /// Returns what changes of jobs begin or end to cost.
    pub(crate) fn usage_of(&self, changes: &[(&JobRecord, RunFacts)], now: Timestamp) -> Vec<UsageChange> {
        if self.options.billing.is_none() {
            return Vec::new();
        }
        let of_job =
            |(job, facts): &(&JobRecord, RunFacts)| usage::of_job(job, facts, now, &self.options.limits);
        changes.iter().flat_map(of_job).collect()
    }

    /// Returns what the change of a cluster begins or ends to cost.
    pub(crate) fn usage_of_cluster(
        &self,
        before: &ClusterRecord,
        after: &ClusterRecord,
        now: Timestamp,
    ) -> Vec<UsageChange> {
        if self.options.billing.is_none() {
            return Vec::new();
        }
        usage::of_cluster(before, after, now)
    }

    /// Stores changed facts of a cluster and of jobs in it, with what they begin or end to cost.
    pub(crate) async fn write_cluster(
        &self,
        cluster: &ClusterRecord,
        facts: &ClusterFacts,
        jobs: &[(&JobRecord, RunFacts)],
        audits: &[AuditRecord],
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.check_moves(jobs, now)?;
        let after = ClusterRecord { facts: facts.clone(), ..cluster.clone() };
        let mut usage = self.usage_of_cluster(cluster, &after, now);
        usage.extend(self.usage_of(jobs, now));
        self.store.write_cluster(cluster, facts, jobs, audits, &usage).await
    }

    /// Returns a job of the caller's project, or the error of this operation for an unknown id.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        id: JobId,
        unknown: weir_base::error::ErrorCode,
    ) -> Result<JobRecord, CsError> {
        let job = self.store.job(&caller.project, id).await.map_err(fault)?;
        job.ok_or_else(|| unknown.error().because(format!("There is no job {id}.")))
    }

    /// Returns a job of the project that the caller may change.
    pub(crate) async fn find_own(
        &self,
        caller: &Caller,
        id: JobId,
        unknown: weir_base::error::ErrorCode,
    ) -> Result<JobRecord, CsError> {
        let job = self.find(caller, id, unknown).await?;
        caller.check_owner(&job)?;
        Ok(job)
    }
}

/// The error of a store that does not answer or answers wrongly.
pub(crate) fn fault(error: StoreError) -> CsError {
    tracing::error!(%error, "the metadata store failed");
    codes::BACKEND_INTERNAL_ERROR.error().because(match error {
        StoreError::Conflict => "The job was changed at the same moment; repeat the call.".to_string(),
        other => format!("{other}."),
    })
}

/// Runs an operation again when somebody else wrote the job between its read and its write. Five times
/// is plenty: the other writer is the reconciler, which writes a job a few times a second at most.
pub(crate) async fn without_conflict<T, F>(mut operation: impl FnMut() -> F) -> Result<T, CsError>
where
    F: Future<Output = Result<T, Refusal>>,
{
    for _ in 0..5 {
        match operation().await {
            Ok(value) => return Ok(value),
            Err(Refusal::Conflict) => {}
            Err(Refusal::Error(error)) => return Err(error),
        }
    }
    Err(fault(StoreError::Conflict))
}

/// Why an operation did not happen.
pub(crate) enum Refusal {
    /// Somebody else wrote the job; repeat.
    Conflict,
    /// The answer.
    Error(CsError),
}

impl From<CsError> for Refusal {
    fn from(error: CsError) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            other => Self::Error(fault(other)),
        }
    }
}
