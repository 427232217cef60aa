//! A job as it is stored: what the user defined, what the user wants, and the facts of its runs.
//!
//! There is no status here: it is computed from these facts by weir-control.

use serde::{Deserialize, Deserializer, Serialize};
use weir_base::id::{JobId, ProjectId, UserId};
use weir_base::savepoint::{SavepointAsk, SavepointPlace};
use weir_base::time::Timestamp;

/// The definition of a job: the fields of the create request with their defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobDefinition {
    /// Name, unique in the project.
    pub name: String,
    /// Description.
    pub desc: String,
    /// `flink_sql_job`, `flink_sql_edge_job`, `flink_jar_job` or `spark_streaming_jar_job`.
    pub job_type: String,
    /// `shared_cluster`, `exclusive_cluster` or `edge_node`.
    pub run_mode: String,
    /// Exclusive cluster.
    pub cluster_id: Option<i64>,
    /// The Stream SQL text, perhaps unfinished.
    pub sql_body: String,
    /// SPUs that manage the job.
    pub manager_spu: i64,
    /// Executors, of Spark jobs.
    pub executor_number: Option<i64>,
    /// SPUs of an executor.
    pub executor_spu: Option<i64>,
    /// Whether the store holds an uploaded JAR.
    pub has_jar: bool,
    /// Path of a JAR, or of a folder with JARs.
    pub jar_url: Option<String>,
    /// Whether the store holds an uploaded configuration file.
    pub has_config: bool,
    /// Path of a configuration file.
    pub config_url: Option<String>,
    /// Entry class of a JAR job.
    pub main_class: Option<String>,
    /// Arguments of the entry class.
    pub args: Option<String>,
    /// SPUs, manager included.
    pub spu_number: i64,
    /// Parallelism.
    pub parallel_number: i64,
    /// Whether checkpoints are taken.
    pub checkpoint_enabled: bool,
    /// `exactly_once` or `at_least_once`.
    pub checkpoint_mode: Option<String>,
    /// Seconds between two checkpoints.
    pub checkpoint_interval: i64,
    /// Bucket for checkpoints and logs.
    pub obs_bucket: Option<String>,
    /// Whether logs go to the bucket.
    pub log_enabled: bool,
    /// Topic for alarms.
    pub smn_topic: Option<String>,
    /// Whether the job is restarted after a failure.
    pub restart_when_exception: bool,
    /// Seconds after which idle state is dropped.
    pub idle_state_retention: i64,
    /// Edge groups, separated by commas.
    pub edge_group_ids: Option<String>,
    /// Tags.
    pub tags: Option<String>,
    /// Enterprise project.
    pub sys_enterprise_project_id: Option<String>,
    /// Path of a UDF JAR.
    pub udf_jar_url: Option<String>,
    /// Policy for dirty records as sent.
    pub dirty_data_strategy: Option<String>,
}

impl Default for JobDefinition {
    fn default() -> Self {
        Self {
            name: String::new(),
            desc: String::new(),
            job_type: "flink_sql_job".to_string(),
            run_mode: "shared_cluster".to_string(),
            cluster_id: None,
            sql_body: String::new(),
            manager_spu: 1,
            executor_number: None,
            executor_spu: None,
            has_jar: false,
            jar_url: None,
            has_config: false,
            config_url: None,
            main_class: None,
            args: None,
            spu_number: 2,
            parallel_number: 1,
            checkpoint_enabled: false,
            checkpoint_mode: None,
            checkpoint_interval: 10,
            obs_bucket: None,
            log_enabled: false,
            smn_topic: None,
            restart_when_exception: false,
            idle_state_retention: 3600,
            edge_group_ids: None,
            tags: None,
            sys_enterprise_project_id: Some("0".to_string()),
            udf_jar_url: None,
            dirty_data_strategy: None,
        }
    }
}

/// What the user last asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intent {
    /// Nothing yet.
    #[default]
    Draft,
    /// To run.
    Run,
    /// To stop.
    Stop,
    /// To stand still, as the balance of the account asks.
    Freeze,
    /// To run again from where it stood still.
    Recover,
}

impl Intent {
    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Run => "run",
            Self::Stop => "stop",
            Self::Freeze => "freeze",
            Self::Recover => "recover",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Draft, Self::Run, Self::Stop, Self::Freeze, Self::Recover];
        all.into_iter().find(|intent| intent.as_str() == text)
    }
}

/// How a run, or the attempt to stop it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndKind {
    /// It never ran: it was refused, or did not come up.
    SubmitFailed,
    /// It ran and failed.
    Failed,
    /// All sources ended.
    Finished,
    /// It was stopped.
    Cancelled,
    /// It could not be stopped in time.
    CancelFailed,
    /// It was told to stand still.
    Frozen,
}

impl EndKind {
    const ALL: [Self; 6] =
        [Self::SubmitFailed, Self::Failed, Self::Finished, Self::Cancelled, Self::CancelFailed, Self::Frozen];

    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubmitFailed => "submit_failed",
            Self::Failed => "failed",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::CancelFailed => "cancel_failed",
            Self::Frozen => "frozen",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How far a job is by its intent and its end; what was seen of its run, and when, is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPhase {
    /// It was never run.
    Draft,
    /// It is to run.
    UnderWay,
    /// It is to stop, or to stand still.
    Stopping,
    /// Its last run ended like this.
    Ended(EndKind),
}

/// What is known of the savepoints of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SavepointFacts {
    /// The newest one.
    pub latest: Option<SavepointPlace>,
    /// The one that was there when the present run began: it goes when the job runs.
    pub spent: Option<SavepointPlace>,
    /// Whether the present run starts from that one.
    pub resume: bool,
    /// Those whose life has ended: no run starts from them, and their objects are to be removed.
    #[serde(alias = "leftover", deserialize_with = "none_one_or_many")]
    pub leftovers: Vec<SavepointPlace>,
    /// One that was asked for, and that nobody waits for any more: a worker may have begun to write it, and may do so still.
    pub unfinished: Option<SavepointAsk>,
    /// Places that a caller named although the service puts the savepoints of the job there: it removes nothing from them.
    pub named: Vec<SavepointPlace>,
    /// What is being asked of the running job.
    pub ask: Option<SavepointAsk>,
    /// Who asked it to stop with one.
    pub asked_by: String,
    /// Why the last one could not be written; empty when it was.
    pub failure: String,
}

/// Reads leftovers; earlier releases kept one at most.
fn none_one_or_many<'de, D: Deserializer<'de>>(stored: D) -> Result<Vec<SavepointPlace>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Many(Vec<SavepointPlace>),
        One(SavepointPlace),
    }
    Ok(match Option::deserialize(stored)? {
        None => Vec::new(),
        Some(Stored::One(place)) => vec![place],
        Some(Stored::Many(places)) => places,
    })
}

impl SavepointFacts {
    /// Returns the savepoint that a run would start from now.
    pub fn current(&self) -> Option<&SavepointPlace> {
        self.latest.as_ref().or(self.spent.as_ref())
    }
}

/// What a job holds from its run to its end: that of the definition with which it was run, whatever is changed
/// meanwhile for the next run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `shared_cluster`, `exclusive_cluster` or `edge_node`.
    pub run_mode: String,
    /// The exclusive cluster.
    pub cluster_id: Option<i64>,
    /// SPUs, manager included.
    pub spus: i64,
}

impl Held {
    /// Returns what a run with a definition holds.
    pub fn of(definition: &JobDefinition) -> Self {
        Self {
            run_mode: definition.run_mode.clone(),
            cluster_id: definition.cluster_id.filter(|_| definition.run_mode == "exclusive_cluster"),
            spus: definition.spu_number,
        }
    }

    /// Whether it is in the shared cluster, where jobs are charged for one by one.
    pub fn is_shared(&self) -> bool {
        self.run_mode == "shared_cluster"
    }
}

/// What the user wants of a job, and what is known of its present or last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// What the user last asked for.
    pub intent: Intent,
    /// When. A run that stands still and goes on later keeps the time of the run.
    pub intent_at: Timestamp,
    /// When it was told to stand still, while that is wanted.
    pub frozen_at: Option<Timestamp>,
    /// Number of the last attempt; grows over the whole life of the job.
    pub attempt: u64,
    /// When the present attempt was handed to the runtime; `None` while one is due.
    pub submitted_at: Option<Timestamp>,
    /// Whether the runtime has taken over the job at least once in this run: there may be a
    /// checkpoint of this run, so that later attempts continue from it.
    pub accepted: bool,
    /// Whether the job was seen running at least once in this run.
    pub reached_running: bool,
    /// When the present attempt was first seen running.
    pub running_since: Option<Timestamp>,
    /// When a job was last seen to begin running, in any run; 0 before.
    pub start_time: Timestamp,
    /// When it was last seen to stop running.
    pub stopped_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// When the next attempt is due.
    pub retry_at: Option<Timestamp>,
    /// How the run ended; `None` while it is under way.
    pub end: Option<EndKind>,
    /// Why it ended, is being stopped or restarted; for people.
    pub reason: String,
    /// Its savepoints.
    pub savepoint: SavepointFacts,
    /// What it holds while its status says that it does; `None` before the first run.
    pub held: Option<Held>,
}

impl Default for RunFacts {
    fn default() -> Self {
        Self {
            intent: Intent::Draft,
            intent_at: Timestamp(0),
            frozen_at: None,
            attempt: 0,
            submitted_at: None,
            accepted: false,
            reached_running: false,
            running_since: None,
            start_time: Timestamp(0),
            stopped_at: None,
            failures: 0,
            retry_at: None,
            end: None,
            reason: String::new(),
            savepoint: SavepointFacts::default(),
            held: None,
        }
    }
}

/// A job as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Id.
    pub id: JobId,
    /// Project.
    pub project: ProjectId,
    /// Owner.
    pub user: UserId,
    /// The owner's name.
    pub user_name: String,
    /// Definition.
    pub definition: JobDefinition,
    /// Created.
    pub create_time: Timestamp,
    /// Definition last changed.
    pub update_time: Timestamp,
    /// Intent and runs.
    pub facts: RunFacts,
    /// Number of writes so far.
    pub version: i64,
    /// Deleted, when it is.
    pub deleted_at: Option<Timestamp>,
    /// When a runtime last said something of the present attempt.
    pub seen_at: Option<Timestamp>,
}

/// A file that was uploaded with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFile {
    /// `jar` or `config`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub contents: Vec<u8>,
}

/// A job to create.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Project.
    pub project: ProjectId,
    /// Owner.
    pub user: UserId,
    /// The owner's name.
    pub user_name: String,
    /// Definition.
    pub definition: JobDefinition,
    /// Now.
    pub create_time: Timestamp,
}

/// What a runtime last said of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The attempt it concerns.
    pub attempt: u64,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// Counters as JSON.
    pub metrics: serde_json::Value,
    /// Execution graph; `None` leaves the stored one alone.
    pub graph: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftover_of_an_earlier_release_is_one_of_several() {
        let place = SavepointPlace { bucket: Some("b1".to_string()), path: "p".to_string() };
        let shown = r#"{"bucket": "b1", "path": "p"}"#;
        for (stored, leftovers) in [
            ("{}".to_string(), vec![]),
            (r#"{"leftover": null}"#.to_string(), vec![]),
            (format!(r#"{{"leftover": {shown}}}"#), vec![place.clone()]),
            (format!(r#"{{"leftovers": [{shown}, {shown}]}}"#), vec![place.clone(), place]),
        ] {
            let read: SavepointFacts = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, SavepointFacts { leftovers, ..SavepointFacts::default() }, "{stored}");
            let again = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<SavepointFacts>(&again).unwrap(), read);
        }
    }
}
