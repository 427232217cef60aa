//! Bodies of requests. Absent and null are the same unless a field says otherwise; unknown members are ignored.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use weir_control::{CheckpointInterval, SentFields};

/// Where a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// The shared cluster.
    SharedCluster,
    /// An exclusive cluster.
    ExclusiveCluster,
    /// Edge nodes.
    EdgeNode,
}

impl RunMode {
    fn name(self) -> &'static str {
        match self {
            Self::SharedCluster => "shared_cluster",
            Self::ExclusiveCluster => "exclusive_cluster",
            Self::EdgeNode => "edge_node",
        }
    }
}

/// Types of SQL jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlJobType {
    /// In a cluster.
    FlinkSqlJob,
    /// On edge nodes.
    FlinkSqlEdgeJob,
}

impl SqlJobType {
    fn name(self) -> &'static str {
        match self {
            Self::FlinkSqlJob => "flink_sql_job",
            Self::FlinkSqlEdgeJob => "flink_sql_edge_job",
        }
    }
}

/// Order of a list by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Order {
    /// Newest first.
    Desc,
    /// Oldest first.
    Asc,
}

/// Creates a stream SQL job.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct SubmitSqlJobRequest {
    /// Job name, unique in the project. Letters, digits, _ and -; at most 57 bytes.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 57, pattern = "^[A-Za-z0-9_-]+$", example = "cars")]
    name: Option<String>,
    /// Description, at most 512 bytes.
    #[schema(value_type = String, required = false, max_length = 512)]
    desc: Option<String>,
    /// Used only when sql_body is blank: the template's SQL becomes the job's.
    #[schema(value_type = i64, required = false, minimum = 1)]
    template_id: Option<i64>,
    /// Exclusive cluster; required when run_mode is exclusive_cluster.
    #[schema(value_type = i32, required = false)]
    cluster_id: Option<i32>,
    /// Stream SQL; at most 10,000 bytes. It is not parsed before the job runs.
    #[schema(value_type = String, required = false, max_length = 10000, example = "CREATE SOURCE STREAM s (a INT) WITH (type = \"datagen\"); CREATE SINK STREAM t (a INT) WITH (type = \"blackhole\"); INSERT INTO t SELECT a FROM s;")]
    sql_body: Option<String>,
    /// Where the job runs.
    #[schema(value_type = RunMode, required = true)]
    run_mode: Option<RunMode>,
    /// SPUs of the job, manager unit included; 1 to 400, default 2.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 400, default = 2)]
    spu_number: Option<i32>,
    /// Parallelism; 1 to 50, at most 4 x compute SPUs, default 1.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 50, default = 1)]
    parallel_number: Option<i32>,
    /// Take snapshots automatically; default false.
    #[schema(value_type = bool, required = false, default = false)]
    checkpoint_enabled: Option<bool>,
    /// Required when checkpoint_enabled is true.
    #[schema(value_type = super::CheckpointMode, required = false)]
    checkpoint_mode: Option<String>,
    /// Snapshot interval in seconds, default 10; checked (1 to 999999) only when checkpoint_enabled is true.
    #[serde(default, deserialize_with = "interval")]
    #[schema(value_type = i32, required = false, default = 10, example = 10)]
    checkpoint_interval: CheckpointInterval,
    /// Authorized OBS bucket for snapshots and logs; required when checkpoint_enabled or log_enabled is true.
    #[schema(value_type = String, required = false, example = "bucket1")]
    obs_bucket: Option<String>,
    /// Dump job logs to obs_bucket; default false.
    #[schema(value_type = bool, required = false, default = false)]
    log_enabled: Option<bool>,
    /// SMN topic that gets a message when the job fails.
    #[schema(value_type = String, required = false)]
    smn_topic: Option<String>,
    /// Restart automatically after a failure; default false.
    #[schema(value_type = bool, required = false, default = false)]
    restart_when_exception: Option<bool>,
    /// Seconds after which state that is no longer updated is dropped: 1 to 60, 3600, or 0 for the default of 3600.
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 3600, default = 3600)]
    idle_state_retention: Option<i32>,
    /// Edge group ids separated by commas; required when run_mode is edge_node.
    #[schema(value_type = String, required = false)]
    edge_group_ids: Option<String>,
    /// key=value pairs separated by commas.
    #[schema(value_type = String, required = false, example = "team=a,stage=test")]
    tags: Option<String>,
    /// Enterprise project id; default "0".
    #[schema(value_type = String, required = false)]
    sys_enterprise_project_id: Option<String>,
    /// OBS path of a UDF JAR; not allowed in the shared cluster.
    #[schema(value_type = String, required = false, example = "bucket1/udf.jar")]
    udf_jar_url: Option<String>,
    /// 0 ignore (default), 1 fail the job, 2:{obs directory} save.
    #[schema(value_type = String, required = false, pattern = "^(0|1|2:.+)?$", example = "2:bucket1/dirty")]
    dirty_data_strategy: Option<String>,
    /// flink_sql_edge_job with edge_node, else flink_sql_job, which is the default.
    #[schema(value_type = SqlJobType, required = false, default = "flink_sql_job")]
    job_type: Option<SqlJobType>,
}

/// Updates a stream SQL job. Members that are absent keep their stored value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct UpdateSqlJobRequest {
    /// The job.
    #[serde(default)]
    #[schema(value_type = i64, required = true, minimum = 1, example = 1)]
    pub(crate) job_id: serde_json::Value,
    /// New job name. Letters, digits, _ and -; at most 57 bytes.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 57, pattern = "^[A-Za-z0-9_-]+$", example = "cars")]
    name: Option<String>,
    /// Description, at most 512 bytes.
    #[schema(value_type = String, required = false, max_length = 512)]
    desc: Option<String>,
    /// Exclusive cluster; required when run_mode is exclusive_cluster.
    #[schema(value_type = i32, required = false)]
    cluster_id: Option<i32>,
    /// Stream SQL; at most 10,000 bytes. An empty text clears it.
    #[schema(value_type = String, required = false, max_length = 10000, example = "CREATE SOURCE STREAM s (a INT) WITH (type = \"datagen\"); CREATE SINK STREAM t (a INT) WITH (type = \"blackhole\"); INSERT INTO t SELECT a FROM s;")]
    sql_body: Option<String>,
    /// Where the job runs.
    #[schema(value_type = RunMode, required = false)]
    run_mode: Option<RunMode>,
    /// SPUs of the job, manager unit included; 1 to 400.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 400)]
    spu_number: Option<i32>,
    /// Parallelism; 1 to 50, at most 4 x compute SPUs.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 50)]
    parallel_number: Option<i32>,
    /// Take snapshots automatically.
    #[schema(value_type = bool, required = false)]
    checkpoint_enabled: Option<bool>,
    /// Required when checkpoint_enabled is true.
    #[schema(value_type = super::CheckpointMode, required = false)]
    checkpoint_mode: Option<String>,
    /// Snapshot interval in seconds; checked (1 to 999999) only when checkpoint_enabled is true.
    #[serde(default, deserialize_with = "interval")]
    #[schema(value_type = i32, required = false, example = 10)]
    checkpoint_interval: CheckpointInterval,
    /// Authorized OBS bucket for snapshots and logs.
    #[schema(value_type = String, required = false, example = "bucket1")]
    obs_bucket: Option<String>,
    /// Dump job logs to obs_bucket.
    #[schema(value_type = bool, required = false)]
    log_enabled: Option<bool>,
    /// SMN topic that gets a message when the job fails.
    #[schema(value_type = String, required = false)]
    smn_topic: Option<String>,
    /// Restart automatically after a failure.
    #[schema(value_type = bool, required = false)]
    restart_when_exception: Option<bool>,
    /// Seconds after which state that is no longer updated is dropped: 1 to 60, 3600, or 0 for the default of 3600.
    #[schema(value_type = i32, required = false, minimum = 0, maximum = 3600)]
    idle_state_retention: Option<i32>,
    /// Edge group ids separated by commas.
    #[schema(value_type = String, required = false)]
    edge_group_ids: Option<String>,
    /// key=value pairs separated by commas.
    #[schema(value_type = String, required = false, example = "team=a,stage=test")]
    tags: Option<String>,
    /// Enterprise project id.
    #[schema(value_type = String, required = false)]
    sys_enterprise_project_id: Option<String>,
    /// OBS path of a UDF JAR; not allowed in the shared cluster.
    #[schema(value_type = String, required = false, example = "bucket1/udf.jar")]
    udf_jar_url: Option<String>,
    /// 0 ignore, 1 fail the job, 2:{obs directory} save.
    #[schema(value_type = String, required = false, pattern = "^(0|1|2:.+)?$", example = "2:bucket1/dirty")]
    dirty_data_strategy: Option<String>,
}

/// Asks for the metrics of jobs.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct JobsMetricsRequest {
    /// The jobs.
    #[serde(default)]
    #[schema(value_type = Vec<i64>, required = true)]
    pub(crate) job_ids: Option<Vec<serde_json::Value>>,
}

impl From<SubmitSqlJobRequest> for SentFields {
    fn from(request: SubmitSqlJobRequest) -> Self {
        Self {
            name: request.name,
            desc: request.desc,
            template_id: request.template_id,
            cluster_id: request.cluster_id.map(i64::from),
            sql_body: request.sql_body,
            run_mode: request.run_mode.map(|mode| mode.name().to_string()),
            spu_number: request.spu_number.map(i64::from),
            parallel_number: request.parallel_number.map(i64::from),
            checkpoint_enabled: request.checkpoint_enabled,
            checkpoint_mode: request.checkpoint_mode,
            checkpoint_interval: request.checkpoint_interval,
            obs_bucket: request.obs_bucket,
            log_enabled: request.log_enabled,
            smn_topic: request.smn_topic,
            restart_when_exception: request.restart_when_exception,
            idle_state_retention: request.idle_state_retention.map(i64::from),
            edge_group_ids: request.edge_group_ids,
            tags: request.tags,
            sys_enterprise_project_id: request.sys_enterprise_project_id,
            udf_jar_url: request.udf_jar_url,
            dirty_data_strategy: request.dirty_data_strategy,
            job_type: request.job_type.map(|job_type| job_type.name().to_string()),
        }
    }
}

impl From<UpdateSqlJobRequest> for SentFields {
    fn from(request: UpdateSqlJobRequest) -> Self {
        Self {
            name: request.name,
            desc: request.desc,
            template_id: None,
            cluster_id: request.cluster_id.map(i64::from),
            sql_body: request.sql_body,
            run_mode: request.run_mode.map(|mode| mode.name().to_string()),
            spu_number: request.spu_number.map(i64::from),
            parallel_number: request.parallel_number.map(i64::from),
            checkpoint_enabled: request.checkpoint_enabled,
            checkpoint_mode: request.checkpoint_mode,
            checkpoint_interval: request.checkpoint_interval,
            obs_bucket: request.obs_bucket,
            log_enabled: request.log_enabled,
            smn_topic: request.smn_topic,
            restart_when_exception: request.restart_when_exception,
            idle_state_retention: request.idle_state_retention.map(i64::from),
            edge_group_ids: request.edge_group_ids,
            tags: request.tags,
            sys_enterprise_project_id: request.sys_enterprise_project_id,
            udf_jar_url: request.udf_jar_url,
            dirty_data_strategy: request.dirty_data_strategy,
            job_type: None,
        }
    }
}

/// Tells a null from an absent member: serde calls this only for a member that is there.
fn interval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CheckpointInterval, D::Error> {
    Ok(match Option::<i32>::deserialize(deserializer)? {
        Some(seconds) => CheckpointInterval::Seconds(i64::from(seconds)),
        None => CheckpointInterval::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval_of(body: &str) -> CheckpointInterval {
        serde_json::from_str::<SubmitSqlJobRequest>(body).unwrap().checkpoint_interval
    }

    #[test]
    fn a_null_interval_is_not_an_absent_one() {
        assert_eq!(interval_of("{}"), CheckpointInterval::Absent);
        assert_eq!(interval_of(r#"{"checkpoint_interval":null}"#), CheckpointInterval::Null);
        assert_eq!(interval_of(r#"{"checkpoint_interval":5}"#), CheckpointInterval::Seconds(5));
    }

    #[test]
    fn null_is_absent_and_unknown_members_are_ignored() {
        let body = r#"{"name":null,"spu_number":null,"colour":"red"}"#;
        let sent = SentFields::from(serde_json::from_str::<SubmitSqlJobRequest>(body).unwrap());
        assert_eq!(sent, SentFields::default());
    }

    #[test]
    fn wrong_types_are_refused() {
        for body in [r#"{"name":1}"#, r#"{"spu_number":2.5}"#, r#"{"run_mode":"moon"}"#, "[]", "3"] {
            assert!(serde_json::from_str::<SubmitSqlJobRequest>(body).is_err(), "{body}");
        }
        // What is read back would be no int32 either.
        let numbers =
            ["cluster_id", "spu_number", "parallel_number", "checkpoint_interval", "idle_state_retention"];
        for name in numbers {
            let body = format!(r#"{{"{name}":2147483648}}"#);
            assert!(serde_json::from_str::<SubmitSqlJobRequest>(&body).is_err(), "{body}");
            let body = format!(r#"{{"job_id":1,"{name}":-2147483649}}"#);
            assert!(serde_json::from_str::<UpdateSqlJobRequest>(&body).is_err(), "{body}");
        }
    }
}
