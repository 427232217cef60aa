//! Drives reality towards what users asked for.
//!
//! [`Reconciler::tick`] reads intents and observations, asks [`decide::next`] what is missing, and does
//! it. Every step can be repeated, so that the service may die at any line. It never stores a status.

mod clear;
mod remains;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use weir_base::id::{ClusterId, JobId};
use weir_base::settings::JobSettings;
use weir_base::time::Timestamp;
use weir_runtime::{Observation, RunState, StartError, StartRequest};
use weir_store::{ClusterRecord, EndKind, Intent, JobRecord, Report, RunFacts, StoreError};

use crate::audit;
use crate::control::Control;
use crate::decide::{self, OnFailure, Step};
use remains::Remains;

/// Jobs that are attended to at the same time. A start takes a few hundred milliseconds, most of it
/// waiting for the new process, so that a service with many jobs is up again soon.
const AT_ONCE: usize = 8;

/// A worker is gone within a tenth of a second of its last word; this is five times as long.
const HAND_OVER_AGAIN: u32 = 5;
const HAND_OVER_PAUSE: Duration = Duration::from_millis(100);

/// How long a round begins with clearing away deleted jobs and leftovers: each may wait for buckets that do not answer, and the
/// other jobs wait for the end of the round.
const CLEARING: Duration = Duration::from_secs(1);

/// Time between two attempts to change networks of clusters that cannot be changed.
const CONNECT_AGAIN: Duration = Duration::from_secs(10);

/// What a round did for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It was handed to the runtime.
    Started {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u64,
        /// Whether it continues from a checkpoint.
        resume: bool,
    },
    /// The runtime refused it.
    Refused {
        /// The job.
        job: JobId,
        /// Why.
        reason: String,
    },
    /// The runtime was asked to stop it.
    Stopping(JobId),
    /// New facts were stored.
    Recorded(JobId),
    /// A deleted job was cleared away.
    Cleared(JobId),
    /// A cluster was moved on.
    ClusterMoved(ClusterId),
}

/// When things that are not state were last done for a job.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    asked_to_stop: Option<Timestamp>,
    asked_for_savepoint: Option<Timestamp>,
    reported: Option<Timestamp>,
    has_graph: bool,
    attempt: u64,
}

/// The one task that changes what runs.
pub struct Reconciler {
    control: Arc<Control>,
    marks: Mutex<HashMap<JobId, Marks>>,
    remains: Mutex<Remains>,
    /// The job that was last begun to be cleared away.
    cleared_to: Mutex<Option<JobId>>,
    settled: Mutex<Option<Timestamp>>,
    connecting_failed: Mutex<Option<Timestamp>>,
}

impl Reconciler {
    /// Makes the reconciler of a service; there must be only one.
    pub fn new(control: Arc<Control>) -> Self {
        Self {
            control,
            marks: Mutex::default(),
            remains: Mutex::default(),
            cleared_to: Mutex::default(),
            settled: Mutex::default(),
            connecting_failed: Mutex::default(),
        }
    }

    /// Takes up the workers of an earlier service process, then works until `shutdown` is ready; then
    /// suspends all jobs, which keep their intent.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let adopted = self.control.runner.adopt().await;
        if !adopted.is_empty() {
            tracing::info!(jobs = adopted.len(), "running workers adopted");
        }
        if let Err(error) = self.end_orphans(&adopted).await {
            tracing::error!(%error, "workers that belong to no run could not be looked for");
        }
        if let Err(error) = self.control.begin_metering(&adopted).await {
            tracing::error!(%error, "what went on without the service could not be metered");
        }
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let now = self.control.now();
            // A round that waits for something slow does not delay the end: it may be cut off anywhere.
            let done = tokio::select! {
                biased;
                () = &mut shutdown => break,
                done = self.tick(now) => done,
            };
            if let Err(error) = done {
                tracing::error!(%error, "a round of the reconciler failed, will retry");
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = self.control.changed.notified() => {}
                () = self.control.clock.sleep(self.control.options.tick) => {}
            }
        }
        self.control.runner.suspend_all().await;
        if let Err(error) = self.control.settle(self.control.now()).await {
            tracing::error!(%error, "the last settlement failed; the next start of the service makes up for it");
        }
    }

    /// Ends workers that nobody looks after: an import has replaced their jobs, and the service ended before it could end them. Somebody
    /// may have run such a job since.
    async fn end_orphans(&self, adopted: &[JobId]) -> Result<(), StoreError> {
        let jobs = self.control.store.jobs_to_reconcile().await?;
        for id in adopted {
            let seen = self.control.runner.observe(*id);
            let Some(seen) = seen.filter(|seen| decide::is_alive(Some(seen))) else { continue };
            // What is deleted is cleared away with its worker.
            let is_looked_after = |job: &JobRecord| {
                let facts = &job.facts;
                job.deleted_at.is_some() || facts.submitted_at.is_some() && facts.attempt == seen.attempt
            };
            if !jobs.iter().any(|job| job.id == *id && is_looked_after(job)) {
                tracing::warn!(job_id = %id, "a worker that belongs to no run of its job is ended");
                self.control.runner.kill(*id).await;
            }
        }
        Ok(())
    }

    /// Runs one round. Returns what was done, so that callers and tests can see it.
    pub async fn tick(&self, now: Timestamp) -> Result<Vec<Action>, StoreError> {
        let jobs = self.control.store.jobs_to_reconcile().await?;
        let still = self.control.store.jobs_with_leftovers().await?;
        self.keep_marks_of(&jobs.iter().chain(&still).map(|job| job.id).collect());
        let (deleted, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.deleted_at.is_some());
        // Now, and not when their turn comes to be cleared away.
        futures::stream::iter(&deleted)
            .for_each_concurrent(AT_ONCE, |job| self.end_live_worker(job.id))
            .await;
        let attended = futures::stream::iter(jobs)
            .map(|job| async move { self.done(job.id, self.attend(job, now).await) })
            .buffer_unordered(AT_ONCE);
        let mut done: Vec<Option<Action>> = attended.collect().await;
        done.extend(self.clear_away(deleted.into_iter().chain(still).collect(), now).await);
        let mut done: Vec<Action> = done.into_iter().flatten().collect();
        let clusters = self.control.store.all_clusters().await?;
        let moved = self.control.attend_clusters(&clusters, now).await?;
        done.extend(moved.into_iter().map(Action::ClusterMoved));
        self.connect_clusters(&clusters, now).await?;
        self.settle_when_due(now).await;
        if !done.is_empty() {
            self.control.progress.notify_waiters();
        }
        Ok(done)
    }

    /// Clears deleted jobs away, and the leftovers of those that stand still, as many as the time of the round allows; the next
    /// round goes on with the others.
    async fn clear_away(&self, mut jobs: Vec<JobRecord>, now: Timestamp) -> Vec<Option<Action>> {
        let last = *self.cleared_to.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.sort_by_key(|job| job.id);
        in_turn(&mut jobs, |job| job.id, last);
        let begun = tokio::time::Instant::now();
        futures::stream::iter(jobs)
            .take_while(|_| std::future::ready(begun.elapsed() < CLEARING))
            .map(|job| async move {
                *self.cleared_to.lock().unwrap_or_else(PoisonError::into_inner) = Some(job.id);
                let cleared = match job.deleted_at {
                    Some(_) => self.clear(&job, now).await,
                    None => self.attend(job.clone(), now).await,
                };
                self.done(job.id, cleared)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// Returns what was done for a job; what failed is tried again in a later round.
    fn done(&self, job: JobId, attended: Result<Option<Action>, StoreError>) -> Option<Action> {
        match attended {
            Ok(action) => action,
            // The user was faster: the next round sees what they want now.
            Err(StoreError::Conflict) => {
                self.control.changed.notify_one();
                None
            }
            Err(error) => {
                tracing::error!(job_id = %job, %error, "a job could not be attended to, will retry");
                None
            }
        }
    }

    /// Tells the runtime what the jobs of clusters reach now.
    async fn connect_clusters(&self, clusters: &[ClusterRecord], now: Timestamp) -> Result<(), StoreError> {
        let failed = *self.connecting_failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_some_and(|failed| now.since(failed) < CONNECT_AGAIN) {
            return Ok(());
        }
        let reached = self.control.reached_from(clusters).await?;
        let connected = self.control.runner.connect_clusters(&reached).await;
        if let Err(error) = &connected {
            tracing::error!(%error, "what the jobs of clusters reach could not be brought up to date, will retry");
        }
        *self.connecting_failed.lock().unwrap_or_else(PoisonError::into_inner) = connected.err().map(|_| now);
        Ok(())
    }

    /// Charges for what ran, once in the interval, stops what cannot be paid and restores what can.
    async fn settle_when_due(&self, now: Timestamp) {
        let control = &self.control;
        // What stands still goes on when the installation meters no more.
        let interval = control.options.billing.clone().unwrap_or_default().interval;
        let due = {
            let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
            let due = settled.is_none_or(|at| now.since(at) >= interval);
            if due {
                *settled = Some(now);
            }
            due
        };
        if !due {
            return;
        }
        if let Err(error) = control.settle(now).await {
            tracing::error!(%error, "what ran could not be charged for, will retry");
        }
        // Also after a settlement that was cut off right here: both ask for the balance, not for its change.
        for done in [control.stop_unpaid(None, now).await, control.restore_paid(None, now).await] {
            match done {
                Ok(left) => {
                    for (cluster, reason) in left {
                        tracing::warn!(cluster_id = %cluster, reason, "a cluster in arrears was left as it is, will retry");
                    }
                }
                Err(error) => tracing::error!(%error, "arrears could not be looked at, will retry"),
            }
        }
    }

    async fn attend(&self, job: JobRecord, now: Timestamp) -> Result<Option<Action>, StoreError> {
        let observation = self.control.runner.observe(job.id);
        let limits = &self.control.options.limits;
        let step = decide::next(&job.facts, observation.as_ref(), on_failure(&job), now, limits);
        let changes = !matches!(
            step,
            Step::Wait | Step::AskToStop | Step::AskForSavepoint(_) | Step::RemoveSavepoints(_)
        );
        let is_draft = job.facts.intent == Intent::Draft;
        // A draft that has replaced a job shows nothing of that one.
        if let Some(seen) = observation.as_ref().filter(|seen| seen.attempt == job.facts.attempt && !is_draft)
        {
            self.report(&job, seen, now, changes).await?;
        }
        match step {
            Step::Wait => Ok(None),
            Step::Start { facts, resume } => self.start(&job, facts, resume, now).await.map(Some),
            Step::AskToStop => Ok(self.ask_to_stop(&job, now).await),
            Step::AskForSavepoint(ask) => {
                // What was asked before is about an earlier one.
                self.with_marks(job.id, |marks| marks.asked_for_savepoint.take_if(|asked| *asked < ask.at));
                if self.is_due(job.id, now, |marks| &mut marks.asked_for_savepoint) {
                    self.control.runner.savepoint(job.id, ask).await;
                }
                Ok(None)
            }
            Step::RemoveSavepoints(places) => self.remove_leftovers(&job, &places, now).await,
            Step::Record(facts) => self.record(&job, facts).await.map(Some),
            Step::EndWorker(facts) => {
                self.control.runner.kill(job.id).await;
                self.record(&job, facts).await.map(Some)
            }
        }
    }

    async fn start(
        &self,
        job: &JobRecord,
        facts: RunFacts,
        resume: bool,
        now: Timestamp,
    ) -> Result<Action, StoreError> {
        let control = &self.control;
        control.write_facts(&[(job, facts.clone())], &[]).await?;
        // As they are now: who changes a key expects the next start to use it.
        let variables = control.variables.sealed_for(&job.project, &job.definition.sql_body).await?;
        let network = control.network_of(job).await?;
        let buckets = control.buckets.names_of(&job.project).await?;
        let request = StartRequest {
            job: job.id,
            project: job.project.clone(),
            cluster: job.definition.cluster_id.map(ClusterId),
            name: job.definition.name.clone(),
            attempt: facts.attempt,
            sql: job.definition.sql_body.clone(),
            variables,
            buckets,
            settings: JobSettings { network, ..control.settings_of(job) },
            // All that it is charged for, those of its manager included: it is one process.
            spus: usize::try_from(job.definition.spu_number).unwrap_or(1),
            resume,
            fresh_since: facts.intent_at,
            savepoint: facts.savepoint.spent.clone().filter(|_| facts.savepoint.resume),
        };
        // A worker of an earlier attempt belongs to a run that is over: nobody would end it any more.
        self.end_live_worker(job.id).await;
        let started = self.hand_over(request).await;
        let written = JobRecord { version: job.version + 1, ..job.clone() };
        match started {
            Ok(()) => {
                tracing::info!(job_id = %job.id, attempt = facts.attempt, resume, "job handed to the runtime");
                // When this write loses against a stop, the observation makes up for it.
                match control.write_facts(&[(&written, decide::accepted(&facts))], &[]).await {
                    Ok(()) | Err(StoreError::Conflict) => {}
                    Err(other) => return Err(other),
                }
                Ok(Action::Started { job: job.id, attempt: facts.attempt, resume })
            }
            Err(error) => {
                tracing::warn!(job_id = %job.id, attempt = facts.attempt, %error, "the runtime refused the job");
                let reason = error.to_string();
                let limits = &control.options.limits;
                let refused = decide::refused(&facts, &reason, on_failure(job), now, limits);
                let note = format!("attempt {} was refused: {reason}", facts.attempt);
                control.runner.note(job.id, &note).await;
                control.write_facts(&[(&written, refused)], &[]).await?;
                Ok(Action::Refused { job: job.id, reason })
            }
        }
    }

    async fn end_live_worker(&self, job: JobId) {
        if decide::is_alive(self.control.runner.observe(job).as_ref()) {
            self.control.runner.kill(job).await;
        }
    }

    /// Hands a job to the runtime. The worker of an earlier attempt may have said its last word and not
    /// be gone yet; the runtime refuses a second one beside it, so that a refusal is asked about again.
    async fn hand_over(&self, request: StartRequest) -> Result<(), StartError> {
        let again = if request.attempt > 1 { HAND_OVER_AGAIN } else { 0 };
        for _ in 0..again {
            match self.control.runner.start(request.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!(job_id = %request.job, %error, "refused, will ask again"),
            }
            self.control.clock.sleep(HAND_OVER_PAUSE).await;
        }
        self.control.runner.start(request).await
    }

    async fn record(&self, job: &JobRecord, facts: RunFacts) -> Result<Action, StoreError> {
        // A job that never came up is no running resource; whoever ran it was told, or reads it in its status.
        let failed = facts.end == Some(EndKind::Failed);
        let incident = failed.then(|| audit::of_incident(job, &facts.reason, self.control.now()));
        self.control.write_facts(&[(job, facts.clone())], incident.as_slice()).await?;
        if let Some(text) = decision(&facts, self.control.now()) {
            self.control.runner.note(job.id, &text).await;
        }
        match (facts.end, facts.retry_at) {
            (Some(end), _) => {
                tracing::info!(job_id = %job.id, end = end.as_str(), reason = facts.reason, "run ended");
            }
            (None, Some(due)) => tracing::warn!(
                job_id = %job.id, failures = facts.failures, reason = facts.reason, %due, "job failed, will restart"
            ),
            (None, None) => tracing::info!(job_id = %job.id, attempt = facts.attempt, "job runs"),
        }
        Ok(Action::Recorded(job.id))
    }

    async fn ask_to_stop(&self, job: &JobRecord, now: Timestamp) -> Option<Action> {
        if !self.is_due(job.id, now, |marks| &mut marks.asked_to_stop) {
            return None;
        }
        self.control.runner.note(job.id, &format!("told to stop: {}", job.facts.reason)).await;
        self.control.runner.stop(job.id).await;
        Some(Action::Stopping(job.id))
    }

    /// Whether something that was asked of the runtime has to be asked again; notes that it is.
    fn is_due(
        &self,
        job: JobId,
        now: Timestamp,
        mark: impl Fn(&mut Marks) -> &mut Option<Timestamp>,
    ) -> bool {
        let limit = self.control.options.limits.ask_again;
        self.with_marks(job, |marks| {
            let asked = mark(marks);
            let due = asked.is_none_or(|asked| now.since(asked) >= limit);
            if due {
                *asked = Some(now);
            }
            due
        })
    }

    /// Stores what the runtime says: at once when the state changes, else now and then.
    async fn report(
        &self,
        job: &JobRecord,
        seen: &Observation,
        now: Timestamp,
        changes: bool,
    ) -> Result<(), StoreError> {
        let marks = self.with_marks(job.id, |marks| {
            if marks.attempt != seen.attempt {
                *marks = Marks { attempt: seen.attempt, ..Marks::default() };
            }
            *marks
        });
        let interval = self.control.options.report_interval;
        let due = marks.reported.is_none_or(|at| now.since(at) >= interval);
        let new_graph = seen.graph.is_some() && !marks.has_graph;
        if !due && !changes && !new_graph {
            return Ok(());
        }
        let metrics = serde_json::to_value(&seen.metrics).map_err(|error| StoreError::Corrupt {
            job: job.id.0,
            what: "metrics",
            reason: error.to_string(),
        })?;
        // A running worker is as fresh as its last message; an end stays true however old it is.
        let seen_at = if seen.state == RunState::Running { seen.at } else { now };
        let report = Report { attempt: seen.attempt, seen_at, metrics, graph: seen.graph.clone() };
        self.control.store.write_report(job.id, &report).await?;
        self.with_marks(job.id, |marks| {
            marks.reported = Some(now);
            marks.has_graph = seen.graph.is_some();
        });
        Ok(())
    }

    fn with_marks<T>(&self, job: JobId, change: impl FnOnce(&mut Marks) -> T) -> T {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        change(marks.entry(job).or_default())
    }

    fn keep_marks_of(&self, jobs: &HashSet<JobId>) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.retain(|id, _| jobs.contains(id));
        self.remains().keep_only(jobs);
    }
}

/// Puts those jobs first, which are in the order of their ids, whose turn it is after that of `last`.
fn in_turn<T>(jobs: &mut [T], id: impl Fn(&T) -> JobId, last: Option<JobId>) {
    let had_their_turn = jobs.partition_point(|job| Some(id(job)) <= last);
    jobs.rotate_left(had_their_turn);
}

/// Returns what the log of a job says of its end or its restart.
fn decision(facts: &RunFacts, now: Timestamp) -> Option<String> {
    let reason = &facts.reason;
    match (facts.end, facts.retry_at) {
        (Some(end), _) => Some(format!("the run has ended ({}): {reason}", end.as_str())),
        (None, Some(due)) => {
            let seconds = due.since(now).as_secs();
            Some(format!("restart {} after a failure, in {seconds} s: {reason}", facts.failures))
        }
        (None, None) => None,
    }
}

fn on_failure(job: &JobRecord) -> OnFailure {
    if job.definition.restart_when_exception { OnFailure::Restart } else { OnFailure::End }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_goes_on_after_the_job_with_which_the_last_one_ended() {
        let turns = |last: Option<i64>| {
            let mut jobs = [2, 5, 9].map(JobId);
            in_turn(&mut jobs, |job| *job, last.map(JobId));
            jobs.map(|job| job.0)
        };
        assert_eq!(turns(None), [2, 5, 9]);
        assert_eq!(turns(Some(2)), [5, 9, 2]);
        assert_eq!(turns(Some(6)), [9, 2, 5], "that one is gone");
        assert_eq!(turns(Some(9)), [2, 5, 9]);
    }
}
