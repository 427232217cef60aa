//! Jobs as lists and details show them.

use serde::Serialize;
use utoipa::ToSchema;
use weir_base::savepoint::SavepointPlace;
use weir_control::JobView;
use weir_store::JobDefinition;

use super::RunMode;

/// The parent of a job that is no edge sub-job.
pub(super) const NO_PARENT: i64 = -1;

/// Job status.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(missing_docs)] // The meanings are those of `weir_control::Status`.
pub enum JobStatus {
    JobInit,
    JobSubmitting,
    JobSubmitFail,
    JobRunning,
    JobRunningException,
    JobDownloading,
    JobIdle,
    JobCanceling,
    JobCancelSuccess,
    JobCancelFail,
    JobSavepointing,
    JobArrearageStopped,
    JobArrearageRecovering,
    JobFinish,
}

/// Job type.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum JobType {
    FlinkSqlJob,
    FlinkSqlEdgeJob,
    FlinkJarJob,
    SparkStreamingJarJob,
}

/// What a checkpoint promises.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum CheckpointMode {
    ExactlyOnce,
    AtLeastOnce,
}

/// The id and status of a new job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobStatusInfo {
    /// Job id.
    pub job_id: i64,
    /// Status name, for example job_init.
    pub status_name: String,
    /// Cause and advice, or empty.
    #[schema(required = false)]
    pub status_desc: String,
}

/// When a job was updated.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobUpdateTime {
    /// Update time, milliseconds since the epoch.
    pub update_time: i64,
}

/// Types of JAR jobs.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum JarJobType {
    /// A program for Flink.
    FlinkJarJob,
    /// A program for Spark.
    SparkStreamingJarJob,
}

/// The execution plan of a job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobExecutePlan {
    /// String that holds JSON: an array with one object.
    pub execute_plan_items: String,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryJobListResponsePayload {
    /// Number of jobs that match the filter, whatever the page.
    pub total: i32,
    /// The page.
    pub jobs: Vec<JobEntity>,
}

/// The settings of a job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobConfig {
    /// Whether snapshots are taken.
    #[schema(required = false)]
    pub(super) checkpoint_enabled: bool,
    /// What snapshots promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CheckpointMode, required = false)]
    pub(super) checkpoint_mode: Option<String>,
    /// Seconds.
    #[schema(value_type = i32, required = false)]
    pub(super) checkpoint_interval: i64,
    /// Whether logs are dumped.
    #[schema(required = false)]
    pub(super) log_enabled: bool,
    /// Bucket for snapshots and logs.
    pub(super) obs_bucket: Option<String>,
    /// Topic for alarms.
    pub(super) smn_topic: Option<String>,
    /// Parent job id; -1 when there is none.
    #[schema(required = false)]
    pub(super) root_id: i64,
    /// Separated by commas.
    pub(super) edge_group_ids: Option<String>,
    /// SPUs that manage the job.
    #[schema(value_type = i32, required = false)]
    pub(super) manager_spu: i64,
    /// SPUs of the job, manager unit included.
    #[schema(value_type = i32, required = false)]
    pub(super) spu_number: i64,
    /// Parallelism.
    #[schema(value_type = i32, required = false)]
    pub(super) parallel_number: i64,
    /// Spark jobs only.
    #[schema(value_type = Option<i32>)]
    pub(super) executor_number: Option<i64>,
    /// Spark jobs only.
    #[schema(value_type = Option<i32>)]
    pub(super) executor_spu: Option<i64>,
    /// Whether the job is restarted after a failure.
    #[schema(required = false)]
    pub(super) restart_when_exception: bool,
    /// Seconds.
    #[schema(value_type = i32, required = false)]
    pub(super) idle_state_retention: i64,
    /// OBS path of a UDF JAR.
    pub(super) udf_jar_url: Option<String>,
    /// 0, 1 or 2:{obs directory}.
    pub(super) dirty_data_strategy: Option<String>,
    /// JAR jobs only.
    pub(super) config_url: Option<String>,
}

/// A job in a list. The short form has username to edge_group_ids, the long form user_id to update_time.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct JobEntity {
    job_id: i64,
    name: String,
    #[schema(required = false)]
    desc: String,
    #[schema(value_type = JobType)]
    job_type: String,
    #[schema(value_type = JobStatus)]
    status: String,
    /// Cause and advice, or empty.
    #[schema(required = false)]
    status_desc: String,
    /// Milliseconds since the epoch.
    #[schema(required = false)]
    create_time: i64,
    /// Milliseconds since the epoch; 0 when the job has not been started.
    #[schema(required = false)]
    start_time: i64,
    /// Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    username: Option<String>,
    /// Running time in milliseconds. Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    duration: Option<i64>,
    /// Parent job id, -1 when there is none. Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    root_id: Option<i64>,
    /// Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    edge_group_ids: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    user_id: Option<String>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>)]
    cluster_id: Option<Option<i64>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    project_id: Option<String>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    sql_body: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RunMode, required = false)]
    run_mode: Option<String>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = JobConfig, required = false)]
    job_config: Option<JobConfig>,
    /// Only when show_detail is true; JAR jobs only, else null.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    jar_url: Option<Option<String>>,
    /// Only when show_detail is true; JAR jobs only, else null.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    main_class: Option<Option<String>>,
    /// Only when show_detail is true; JAR jobs only, else null.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    args: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    execution_graph: Option<Option<String>>,
    /// Milliseconds since the epoch. Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    update_time: Option<i64>,
}

/// A job with everything.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobDetailEntity {
    job_id: i64,
    name: String,
    #[schema(required = false)]
    desc: String,
    #[schema(value_type = JobType)]
    job_type: String,
    #[schema(value_type = JobStatus)]
    status: String,
    /// Cause and advice, or empty.
    #[schema(required = false)]
    status_desc: String,
    /// Milliseconds since the epoch.
    create_time: i64,
    /// Milliseconds since the epoch; 0 when the job has not been started.
    start_time: i64,
    /// Owner.
    #[schema(required = false)]
    user_id: String,
    #[schema(value_type = Option<i32>)]
    cluster_id: Option<i64>,
    #[schema(required = false)]
    project_id: String,
    sql_body: Option<String>,
    #[schema(value_type = RunMode)]
    run_mode: String,
    job_config: JobConfig,
    /// JAR jobs only.
    jar_url: Option<String>,
    /// JAR jobs only.
    main_class: Option<String>,
    /// JAR jobs only.
    args: Option<String>,
    /// Execution plan as a JSON string; null until the job has run.
    execution_graph: Option<String>,
    /// Milliseconds since the epoch.
    #[schema(required = false)]
    update_time: i64,
    /// Same as job_config.spu_number; older clients read it here.
    #[schema(value_type = i32, required = false)]
    spu_number: i64,
    /// Same as job_config.parallel_number.
    #[schema(value_type = i32, required = false)]
    parallel_number: i64,
    /// OBS path of the latest savepoint.
    savepoint_path: Option<String>,
    tags: Option<String>,
    sys_enterprise_project_id: Option<String>,
}

impl From<&JobDefinition> for JobConfig {
    fn from(definition: &JobDefinition) -> Self {
        let definition = definition.clone();
        Self {
            checkpoint_enabled: definition.checkpoint_enabled,
            checkpoint_mode: definition.checkpoint_mode,
            checkpoint_interval: definition.checkpoint_interval,
            log_enabled: definition.log_enabled,
            obs_bucket: definition.obs_bucket,
            smn_topic: definition.smn_topic,
            root_id: NO_PARENT,
            edge_group_ids: definition.edge_group_ids,
            manager_spu: definition.manager_spu,
            spu_number: definition.spu_number,
            parallel_number: definition.parallel_number,
            executor_number: definition.executor_number,
            executor_spu: definition.executor_spu,
            restart_when_exception: definition.restart_when_exception,
            idle_state_retention: definition.idle_state_retention,
            udf_jar_url: definition.udf_jar_url,
            dirty_data_strategy: definition.dirty_data_strategy,
            config_url: definition.config_url,
        }
    }
}

impl JobEntity {
    /// Returns the short form.
    pub(crate) fn short(view: JobView) -> Self {
        let record = &view.record;
        Self {
            username: Some(record.user_name.clone()),
            duration: Some(view.duration_ms),
            root_id: Some(NO_PARENT),
            edge_group_ids: Some(record.definition.edge_group_ids.clone()),
            ..Self::common(&view)
        }
    }

    /// Returns the long form.
    pub(crate) fn long(view: JobView) -> Self {
        let record = &view.record;
        let definition = &record.definition;
        Self {
            user_id: Some(record.user.0.clone()),
            cluster_id: Some(definition.cluster_id),
            project_id: Some(record.project.0.clone()),
            sql_body: Some(Some(definition.sql_body.clone())),
            run_mode: Some(definition.run_mode.clone()),
            job_config: Some(JobConfig::from(definition)),
            jar_url: Some(definition.jar_url.clone()),
            main_class: Some(definition.main_class.clone()),
            args: Some(definition.args.clone()),
            execution_graph: Some(view.graph.as_ref().map(ToString::to_string)),
            update_time: Some(record.update_time.0),
            ..Self::common(&view)
        }
    }

    fn common(view: &JobView) -> Self {
        let record = &view.record;
        Self {
            job_id: record.id.0,
            name: record.definition.name.clone(),
            desc: record.definition.desc.clone(),
            job_type: record.definition.job_type.clone(),
            status: view.status.name().to_string(),
            status_desc: view.status_desc.clone(),
            create_time: record.create_time.0,
            start_time: record.facts.start_time.0,
            ..Self::default()
        }
    }
}

impl From<JobView> for JobDetailEntity {
    fn from(view: JobView) -> Self {
        let record = view.record;
        let job_config = JobConfig::from(&record.definition);
        let definition = record.definition;
        Self {
            job_id: record.id.0,
            name: definition.name,
            desc: definition.desc,
            job_type: definition.job_type,
            status: view.status.name().to_string(),
            status_desc: view.status_desc,
            create_time: record.create_time.0,
            start_time: record.facts.start_time.0,
            user_id: record.user.0,
            cluster_id: definition.cluster_id,
            project_id: record.project.0,
            sql_body: Some(definition.sql_body),
            run_mode: definition.run_mode,
            job_config,
            jar_url: definition.jar_url,
            main_class: definition.main_class,
            args: definition.args,
            execution_graph: view.graph.as_ref().map(ToString::to_string),
            update_time: record.update_time.0,
            spu_number: definition.spu_number,
            parallel_number: definition.parallel_number,
            savepoint_path: record.facts.savepoint.current().and_then(SavepointPlace::shown),
            tags: definition.tags,
            sys_enterprise_project_id: definition.sys_enterprise_project_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn the_described_statuses_are_those_of_the_state_machine() {
        let schema = serde_json::to_value(JobStatus::schema()).unwrap();
        let mut described: Vec<&str> =
            schema["enum"].as_array().unwrap().iter().filter_map(|v| v.as_str()).collect();
        let mut known: Vec<&str> = weir_control::Status::all().map(weir_control::Status::name).collect();
        described.sort_unstable();
        known.sort_unstable();
        assert_eq!(described, known);
    }
}
