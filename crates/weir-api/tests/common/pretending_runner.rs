//! A runner that runs nothing. What it pretends depends on words in the name of the job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use weir_base::clock::{Clock, ManualClock, SystemClock};
use weir_base::id::{ClusterId, JobId};
use weir_base::ipv4::Ipv4Network;
use weir_base::savepoint::{SavepointAsk, SavepointOutcome, SavepointPlace};
use weir_runtime::{
    ConnectError, JobMetrics, Observation, OperatorMetrics, RemoveError, RunState, Runner, StartError,
    StartRequest,
};

/// The runner; `refuse` in a name refuses the start, `crash` fails before it runs, `finish` ends,
/// `slow` stays starting, `stubborn` does not stop, `forgetful` writes no savepoints, `pensive` never answers about one.
#[derive(Default)]
pub struct PretendingRunner {
    jobs: Mutex<BTreeMap<JobId, (StartRequest, Observation)>>,
    /// Every start, in order: job, attempt, resume.
    pub starts: Mutex<Vec<(i64, u64, bool)>>,
    pub removed: Mutex<Vec<(i64, Option<String>)>>,
    pub removed_savepoints: Mutex<Vec<RemovedSavepoint>>,
    /// Deleted jobs of which something is left in buckets.
    pub abandoned: Mutex<Vec<i64>>,
    pub suspended: Mutex<bool>,
    /// What was added to the logs of jobs.
    pub notes: Mutex<Vec<(i64, String)>>,
    /// What the jobs of clusters were last said to reach.
    pub reached: Mutex<BTreeMap<ClusterId, BTreeSet<Ipv4Network>>>,
    /// What a removal answers, when it answers.
    pub clearing: Mutex<Clearing>,
    /// What a removal of a savepoint answers, when it is something else.
    pub clearing_savepoints: Mutex<Option<Clearing>>,
    /// Workers that were killed while they lived.
    pub killed: Mutex<Vec<i64>>,
    /// The time of tests that own it: what runs is seen to run whenever one looks.
    pub clock: Mutex<Option<ManualClock>>,
    poisoned: std::sync::atomic::AtomicBool,
}

/// A savepoint that the runner was told to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedSavepoint {
    pub job: i64,
    pub place: SavepointPlace,
    /// Whether there was still a worker, which might have written it anew.
    pub has_worker: bool,
}

/// How the removal of what a job left goes.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clearing {
    #[default]
    Works,
    Fails,
    Refuses,
    Hangs,
}

impl PretendingRunner {
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<JobId, (StartRequest, Observation)>> {
        self.jobs.lock().unwrap()
    }

    /// Lets a worker die.
    pub fn kill(&self, job: i64, reason: &str) {
        self.set(job, RunState::Failed(reason.to_string()));
    }

    /// Changes what is seen of a job.
    pub fn set(&self, job: i64, state: RunState) {
        let mut jobs = self.jobs();
        let seen = &mut jobs.get_mut(&JobId(job)).unwrap().1;
        seen.state = state;
        seen.at = SystemClock.now();
    }

    /// Returns what a job was last started with.
    pub fn started(&self, job: i64) -> StartRequest {
        self.jobs()[&JobId(job)].0.clone()
    }

    /// Makes every later observation panic.
    pub fn poison(&self) {
        self.poisoned.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    /// Forgets everything, as a new server does that finds no workers.
    pub fn forget(&self) {
        self.jobs().clear();
    }
}

fn metrics(job: JobId) -> JobMetrics {
    let operator = |name: &str, kind: &str, records_in, dirty| OperatorMetrics {
        id: name.to_string(),
        name: name.to_string(),
        kind: kind.to_string(),
        records_in,
        records_out: 9,
        dirty,
        rate: 2.5,
        ..OperatorMetrics::default()
    };
    JobMetrics {
        operators: vec![
            operator(&format!("Source: DATAGEN_{job}_S1"), "source", 10, 1),
            operator("Calc", "operator", 9, 0),
            operator(&format!("Sink: BLACKHOLE_{job}_T1"), "sink", 9, 0),
        ],
        ..JobMetrics::default()
    }
}

#[async_trait]
impl Runner for PretendingRunner {
    async fn start(&self, request: StartRequest) -> Result<(), StartError> {
        self.starts.lock().unwrap().push((request.job.0, request.attempt, request.resume));
        if request.name.contains("refuse") {
            return Err(StartError("there is no stream `s1`; create it first".to_string()));
        }
        let state = match request.name.as_str() {
            name if name.contains("crash") => RunState::Failed("the disk is full".to_string()),
            name if name.contains("finish") => RunState::Finished,
            name if name.contains("slow") => RunState::Starting,
            _ => RunState::Running,
        };
        let graph = serde_json::json!([{ "nodes": [{ "id": 1 }], "operator_list": [{ "id": 1 }] }]);
        let observation = Observation {
            attempt: request.attempt,
            state,
            at: SystemClock.now(),
            metrics: metrics(request.job),
            graph: Some(graph),
            pid: None,
            adopted: false,
            savepoint: None,
            running_since: None,
        };
        self.jobs().insert(request.job, (request, observation));
        Ok(())
    }

    async fn stop(&self, job: JobId) {
        if let Some((request, seen)) = self.jobs().get_mut(&job)
            && !request.name.contains("stubborn")
        {
            seen.state = RunState::Stopped;
        }
    }

    async fn savepoint(&self, job: JobId, ask: SavepointAsk) {
        let mut jobs = self.jobs();
        let Some((request, seen)) = jobs.get_mut(&job) else { return };
        if request.name.contains("pensive") {
            return;
        }
        let failure = request.name.contains("forgetful").then(|| "the disk is full".to_string());
        if ask.stop && failure.is_none() {
            seen.state = RunState::Stopped;
        }
        seen.savepoint = Some(SavepointOutcome { at: ask.at, failure });
    }

    async fn remove_savepoint(&self, job: JobId, place: &SavepointPlace) -> Result<(), RemoveError> {
        let has_worker = self.jobs().contains_key(&job);
        let removed = RemovedSavepoint { job: job.0, place: place.clone(), has_worker };
        self.removed_savepoints.lock().unwrap().push(removed);
        let of_all = *self.clearing.lock().unwrap();
        match self.clearing_savepoints.lock().unwrap().unwrap_or(of_all) {
            Clearing::Fails => Err(RemoveError::NotYet("its bucket does not answer".to_string())),
            Clearing::Refuses => Err(RemoveError::Refused("403 Forbidden".to_string())),
            Clearing::Works | Clearing::Hangs => Ok(()),
        }
    }

    fn observe(&self, job: JobId) -> Option<Observation> {
        assert!(!self.poisoned.load(std::sync::atomic::Ordering::SeqCst), "a runner that panics");
        let seen = self.jobs().get(&job).map(|(_, seen)| seen.clone())?;
        let owned = self.clock.lock().unwrap().as_ref().map(Clock::now);
        Some(Observation { at: owned.unwrap_or(seen.at), ..seen })
    }

    async fn connect_clusters(
        &self,
        clusters: &BTreeMap<ClusterId, BTreeSet<Ipv4Network>>,
    ) -> Result<(), ConnectError> {
        self.reached.lock().unwrap().clone_from(clusters);
        Ok(())
    }

    async fn adopt(&self) -> Vec<JobId> {
        self.jobs().keys().copied().collect()
    }

    async fn note(&self, job: JobId, text: &str) {
        self.notes.lock().unwrap().push((job.0, text.to_string()));
    }

    async fn kill(&self, job: JobId) {
        if self.jobs().remove(&job).is_some() {
            self.killed.lock().unwrap().push(job.0);
        }
    }

    async fn remove(&self, job: JobId, checkpoint_bucket: Option<String>) -> Result<(), RemoveError> {
        self.jobs().remove(&job);
        self.removed.lock().unwrap().push((job.0, checkpoint_bucket));
        let clearing = *self.clearing.lock().unwrap();
        match clearing {
            Clearing::Works => Ok(()),
            Clearing::Fails => Err(RemoveError::NotYet("its buckets do not answer".to_string())),
            Clearing::Refuses => Err(RemoveError::Refused("403 Forbidden".to_string())),
            Clearing::Hangs => std::future::pending().await,
        }
    }

    async fn abandon(&self, job: JobId) -> Result<(), RemoveError> {
        self.abandoned.lock().unwrap().push(job.0);
        Ok(())
    }

    async fn suspend_all(&self) {
        *self.suspended.lock().unwrap() = true;
    }
}
