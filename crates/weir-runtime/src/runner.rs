//! The contract between the service and whatever runs jobs.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use weir_base::id::{ClusterId, JobId, ProjectId};
use weir_base::ipv4::Ipv4Network;
use weir_base::savepoint::{SavepointAsk, SavepointOutcome, SavepointPlace};
use weir_base::settings::JobSettings;
use weir_base::time::Timestamp;

/// Everything a runner needs to run a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartRequest {
    /// The job.
    pub job: JobId,
    /// Its project.
    pub project: ProjectId,
    /// The exclusive cluster that it runs in.
    #[serde(default)]
    pub cluster: Option<ClusterId>,
    /// Its name, for logs.
    pub name: String,
    /// Attempt number, from 1; tells runs of one job apart.
    pub attempt: u64,
    /// The text, already checked.
    pub sql: String,
    /// The global variables that the text names, sealed; see [`crate::open_variables`].
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The buckets that it reaches: those of its project, and no other.
    #[serde(default)]
    pub buckets: BTreeSet<String>,
    /// Settings of the job.
    pub settings: JobSettings,
    /// The SPUs that it holds: its share of what runs it.
    #[serde(default = "one")]
    pub spus: usize,
    /// Whether to continue from the newest checkpoint; a fresh run ignores and removes old ones.
    pub resume: bool,
    /// When the user's run began. Attempts of one run have the same; checkpoints with a smaller epoch belong
    /// to earlier runs and are never continued from.
    pub fresh_since: Timestamp,
    /// The savepoint that the run starts from while there is no checkpoint of its own to continue from.
    #[serde(default)]
    pub savepoint: Option<SavepointPlace>,
}

/// The SPUs of a request of a release that did not say them.
fn one() -> usize {
    1
}

/// What a runner last saw of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// The worker is starting: not yet reading.
    Starting,
    /// All operators run.
    Running,
    /// All sources ended and everything is committed.
    Finished,
    /// It was told to stop and did, or it ended together with the service.
    Stopped,
    /// It failed; the text says why and what to do, for people.
    Failed(String),
}

/// Counters of one operator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatorMetrics {
    /// Stable id of the operator.
    pub id: String,
    /// Shown name, such as `Source: DIS_7_CARS`.
    pub name: String,
    /// `source`, `sink` or `operator`.
    pub kind: String,
    /// Rows taken in (for a source: records read, dirty ones included).
    pub records_in: u64,
    /// Rows given out.
    pub records_out: u64,
    /// Bytes read (sources) or written (sinks).
    pub bytes: u64,
    /// Dirty records.
    pub dirty: u64,
    /// Late records dropped.
    pub late: u64,
    /// Watermark in milliseconds since the epoch; `None` before the first.
    pub watermark: Option<i64>,
    /// How far event time is behind the clock, milliseconds: the time of the observation less the watermark.
    #[serde(default)]
    pub lag_ms: Option<i64>,
    /// Bytes of state held.
    #[serde(default)]
    pub state_bytes: u64,
    /// Time spent working, milliseconds, summed over subtasks.
    pub busy_ms: u64,
    /// Time spent waiting for downstream, milliseconds, summed over subtasks.
    pub backpressured_ms: u64,
    /// Records per second over the last minute (in for sources, out for the rest).
    pub rate: f64,
}

/// Counters of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobMetrics {
    /// One entry per operator, sources first, sinks last.
    pub operators: Vec<OperatorMetrics>,
    /// Complete checkpoints of this run.
    pub checkpoints: u64,
    /// Duration of the last complete checkpoint, milliseconds.
    pub checkpoint_duration_ms: u64,
    /// Bytes of the last complete checkpoint.
    pub checkpoint_bytes: u64,
    /// Epoch of the last complete checkpoint.
    pub checkpoint_epoch: Option<u64>,
}

/// What a runner knows of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The attempt it concerns.
    pub attempt: u64,
    /// State.
    pub state: RunState,
    /// When it was seen.
    pub at: Timestamp,
    /// Counters; kept after the end.
    pub metrics: JobMetrics,
    /// The execution graph (`nodes`, `operator_list`, ...) once the job runs: a JSON array with one object as the API answers it.
    pub graph: Option<serde_json::Value>,
    /// Process id of the worker.
    pub pid: Option<u32>,
    /// Whether the worker was started by an earlier service process, so that its end may be the end of that one.
    #[serde(default)]
    pub adopted: bool,
    /// What became of the last savepoint that was asked for in this attempt.
    #[serde(default)]
    pub savepoint: Option<SavepointOutcome>,
    /// Since when all operators run in this attempt; kept after the end.
    #[serde(default)]
    pub running_since: Option<Timestamp>,
}

impl Observation {
    /// Returns what there is to know of a worker that has just been started.
    pub(crate) fn starting(attempt: u64, at: Timestamp, pid: Option<u32>) -> Self {
        Self {
            attempt,
            state: RunState::Starting,
            at,
            metrics: JobMetrics::default(),
            graph: None,
            pid,
            adopted: false,
            savepoint: None,
            running_since: None,
        }
    }
}

/// A job could not be started.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// What the jobs of clusters reach could not be changed.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
pub struct ConnectError(pub String);

/// Something of a job could not be removed yet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RemoveError {
    /// It may pass by itself.
    #[error("{0}")]
    NotYet(String),
    /// Its bucket refuses, and will until somebody changes that.
    #[error("{0}")]
    Refused(String),
}

/// Runs jobs. All calls answer within two seconds whatever the load.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Starts a job that does not run. Returns when the worker process exists and has accepted the
    /// job; reaching [`RunState::Running`] is observed later.
    async fn start(&self, request: StartRequest) -> Result<(), StartError>;

    /// Asks a job to stop without a final checkpoint; observed later as [`RunState::Stopped`].
    /// Unknown jobs are ignored.
    async fn stop(&self, job: JobId);

    /// Asks a running job for a savepoint; observed later in [`Observation::savepoint`]. Asking again for the
    /// same one changes nothing, and unknown jobs are ignored.
    async fn savepoint(&self, job: JobId, ask: SavepointAsk);

    /// Removes a savepoint that belongs to the job.
    async fn remove_savepoint(&self, job: JobId, place: &SavepointPlace) -> Result<(), RemoveError>;

    /// Returns what is known of a job, or `None` when it was never started here.
    fn observe(&self, job: JobId) -> Option<Observation>;

    /// Connects to workers that an earlier service process left running. Returns the jobs found.
    async fn adopt(&self) -> Vec<JobId>;

    /// Adds what the service has decided about a job to its log.
    async fn note(&self, job: JobId, text: &str);

    /// Kills the worker of a job whatever it does; its log and its checkpoints stay.
    async fn kill(&self, job: JobId);

    /// Forgets a job that is gone: kills a worker that still runs, removes what it staged and its files.
    /// Checkpoints in the bucket are removed when `checkpoint_bucket` is given. After an error something is
    /// left, and the call has to be repeated.
    async fn remove(&self, job: JobId, checkpoint_bucket: Option<String>) -> Result<(), RemoveError>;

    /// Forgets a deleted job whose buckets refuse to have removed what it left in them. What it left here goes.
    async fn abandon(&self, job: JobId) -> Result<(), RemoveError>;

    /// Says what the jobs of clusters may reach from now on. Clusters that are not named have no jobs. Saying the same again
    /// costs next to nothing; after an error it has to be said again.
    async fn connect_clusters(
        &self,
        clusters: &BTreeMap<ClusterId, BTreeSet<Ipv4Network>>,
    ) -> Result<(), ConnectError>;

    /// Takes a final checkpoint of every running job and ends the workers; used at shutdown. Jobs
    /// keep their intent, so that the next start resumes them.
    async fn suspend_all(&self);
}
