//! Jobs as the successor's list shows them: the same jobs, other names.

use serde::Serialize;
use utoipa::ToSchema;
use weir_base::savepoint::SavepointPlace;
use weir_control::{FlinkJobView, JobView};

use super::RunMode;
use super::job::{CheckpointMode, JobConfig, JobStatus, JobType, NO_PARENT};

/// Which kinds of jobs are shown.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ShowJobType {
    /// Spark jobs.
    Spark,
    /// Flink jobs.
    Flink,
    /// All.
    All,
}

/// A page of jobs; not in the envelope.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryFlinkJobListResponse {
    /// true.
    pub is_success: bool,
    /// Message text.
    pub message: String,
    /// The page.
    pub job_list: FlinkJobList,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlinkJobList {
    /// Jobs that match, whatever the page.
    #[schema(value_type = i32)]
    pub total_count: usize,
    /// The page.
    pub jobs: Vec<FlinkJobEntity>,
}

/// A job in the list.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct FlinkJobEntity {
    job_id: i64,
    name: String,
    #[schema(required = false)]
    desc: String,
    #[schema(value_type = JobType)]
    job_type: String,
    #[schema(value_type = JobStatus)]
    status: String,
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
    user_name: Option<String>,
    /// Running time in milliseconds. Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    duration: Option<i64>,
    /// Parent job id, -1 when there is none. Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    root_id: Option<i64>,
    /// Always false: there is no graphical editor. Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    graph_editor_enabled: Option<bool>,
    /// Only when show_detail is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    has_savepoint: Option<bool>,
    /// Name of the exclusive cluster, null in the shared one. Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    queue_name: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    user_id: Option<String>,
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
    #[schema(value_type = FlinkJobConfig, required = false)]
    job_config: Option<FlinkJobConfig>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    main_class: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    entrypoint_args: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    savepoint_path: Option<Option<String>>,
    /// Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    execution_graph: Option<Option<String>>,
    /// Milliseconds since the epoch. Only when show_detail is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    update_time: Option<i64>,
}

/// The settings of a job. Where a name is not that of `job_config`: a CU is an SPU, the entrypoint is the JAR.
#[derive(Debug, Default, Serialize, ToSchema)]
#[allow(missing_docs)] // The meanings are those of `JobConfig`.
pub struct FlinkJobConfig {
    #[schema(required = false)]
    checkpoint_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CheckpointMode, required = false)]
    checkpoint_mode: Option<String>,
    #[schema(value_type = i32, required = false)]
    checkpoint_interval: i64,
    #[schema(required = false)]
    log_enabled: bool,
    obs_bucket: Option<String>,
    smn_topic: Option<String>,
    #[schema(required = false)]
    root_id: i64,
    edge_group_ids: Option<Vec<String>>,
    #[schema(required = false)]
    graph_editor_enabled: bool,
    graph_editor_data: Option<String>,
    #[schema(value_type = i32, required = false)]
    manager_cu_number: i64,
    #[schema(value_type = Option<i32>)]
    executor_number: Option<i64>,
    #[schema(value_type = Option<i32>)]
    executor_cu_number: Option<i64>,
    #[schema(value_type = i32, required = false)]
    cu_number: i64,
    #[schema(value_type = i32, required = false)]
    parallel_number: i64,
    #[schema(required = false)]
    restart_when_exception: bool,
    #[schema(value_type = i32, required = false)]
    idle_state_retention: i64,
    config_url: Option<String>,
    udf_jar_url: Option<String>,
    entrypoint: Option<String>,
    dependency_jars: Option<Vec<String>>,
    dependency_files: Option<Vec<String>>,
}

impl From<&JobConfig> for FlinkJobConfig {
    fn from(config: &JobConfig) -> Self {
        let groups = config.edge_group_ids.as_ref();
        Self {
            checkpoint_enabled: config.checkpoint_enabled,
            checkpoint_mode: config.checkpoint_mode.clone(),
            checkpoint_interval: config.checkpoint_interval,
            log_enabled: config.log_enabled,
            obs_bucket: config.obs_bucket.clone(),
            smn_topic: config.smn_topic.clone(),
            root_id: config.root_id,
            edge_group_ids: groups.map(|ids| ids.split(',').map(|id| id.trim().to_string()).collect()),
            manager_cu_number: config.manager_spu,
            executor_number: config.executor_number,
            executor_cu_number: config.executor_spu,
            cu_number: config.spu_number,
            parallel_number: config.parallel_number,
            restart_when_exception: config.restart_when_exception,
            idle_state_retention: config.idle_state_retention,
            config_url: config.config_url.clone(),
            udf_jar_url: config.udf_jar_url.clone(),
            ..Self::default()
        }
    }
}

impl FlinkJobEntity {
    /// Returns the short form.
    pub(crate) fn short(view: FlinkJobView) -> Self {
        let job = &view.job;
        Self {
            user_name: Some(job.record.user_name.clone()),
            duration: Some(job.duration_ms),
            root_id: Some(NO_PARENT),
            graph_editor_enabled: Some(false),
            has_savepoint: Some(job.record.facts.savepoint.current().is_some()),
            ..Self::common(job)
        }
    }

    /// Returns the long form.
    pub(crate) fn long(view: FlinkJobView) -> Self {
        let record = &view.job.record;
        let definition = &record.definition;
        Self {
            queue_name: Some(view.cluster_name.clone()),
            user_id: Some(record.user.0.clone()),
            project_id: Some(record.project.0.clone()),
            sql_body: Some(Some(definition.sql_body.clone())),
            run_mode: Some(definition.run_mode.clone()),
            job_config: Some(FlinkJobConfig {
                entrypoint: definition.jar_url.clone(),
                ..FlinkJobConfig::from(&JobConfig::from(definition))
            }),
            main_class: Some(definition.main_class.clone()),
            entrypoint_args: Some(definition.args.clone()),
            savepoint_path: Some(record.facts.savepoint.current().and_then(SavepointPlace::shown)),
            execution_graph: Some(view.job.graph.as_ref().map(ToString::to_string)),
            update_time: Some(record.update_time.0),
            ..Self::common(&view.job)
        }
    }

    fn common(job: &JobView) -> Self {
        let record = &job.record;
        Self {
            job_id: record.id.0,
            name: record.definition.name.clone(),
            desc: record.definition.desc.clone(),
            job_type: record.definition.job_type.clone(),
            status: job.status.name().to_string(),
            status_desc: job.status_desc.clone(),
            create_time: record.create_time.0,
            start_time: record.facts.start_time.0,
            ..Self::default()
        }
    }
}
