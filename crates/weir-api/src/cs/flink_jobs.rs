//! The list of jobs as the successor of the service has it, with its own form of errors.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use weir_base::error::{CsError, codes};
use weir_control::{FlinkListRequest, Order, Status};

use super::answer;
use super::call::perform;
use super::operations::GET_FLINK_JOBS;
use super::query::{Query, order};
use super::wire::{
    FlinkJobEntity, FlinkJobList, JobStatus, Order as WireOrder, QueryFlinkJobListResponse, ShowJobType,
};
use crate::state::ApiState;

/// Records in a page when the caller does not say, and at most.
pub(crate) const DEFAULT_LIMIT: i64 = 10;
const MOST_RECORDS: i64 = 100;
/// Bytes that a part of a name may have: as many as a name.
const NAME_BYTES: usize = 57;

/// Types that `job_type` may name; there are no jobs of the last one.
const JOB_TYPES: [&str; 5] = [
    "flink_sql_job",
    "flink_sql_edge_job",
    "flink_jar_job",
    "spark_streaming_jar_job",
    "flink_opensource_sql_job",
];

/// List jobs, successor style.
#[utoipa::path(get, path = "/v1.0/{project_id}/streaming/jobs", operation_id = "getFlinkJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("name" = Option<String>, Query, max_length = 57, description = "Part of the job name, case-sensitive; at most 57 bytes."),
        ("status" = Option<JobStatus>, Query, description = "Only jobs in this status."),
        ("queue_name" = Option<String>, Query, description = "Name of an exclusive cluster."),
        ("show_detail" = Option<bool>, Query, description = "Return the detail members; default false."),
        ("offset" = Option<i64>, Query, minimum = 0, description = "Jobs to leave out first; default 0."),
        ("limit" = Option<i32>, Query, minimum = 0, maximum = 100, description = "Records per page, 0 to 100; default 10."),
        ("order" = Option<WireOrder>, Query, description = "Order by creation time; default desc."),
        ("root_job_id" = Option<i64>, Query, minimum = 1, description = "List the sub-jobs of this edge parent job."),
        ("user_name" = Option<String>, Query, description = "Only jobs of this user."),
        ("job_type" = Option<String>, Query,
            description = "One of the job types; flink_opensource_sql_job is accepted and matches nothing."),
        ("show_job_type" = Option<ShowJobType>, Query, description = "Kinds of jobs; default all.")),
    responses((status = 200, description = "Success.", body = QueryFlinkJobListResponse),
        (status = 400, description = "The request failed.", body = answer::FlinkErrorBody)))]
pub async fn get_flink_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_FLINK_JOBS, state, request, |call| async move {
        let (request, detail) = parse(&call.query)?;
        let (total_count, views) = call.state.control.list_flink_jobs(&call.caller, &request, detail).await?;
        let entity = if detail { FlinkJobEntity::long } else { FlinkJobEntity::short };
        let jobs = views.into_iter().map(entity).collect();
        let job_list = FlinkJobList { total_count, jobs };
        let message = "The jobs are in the list.".to_string();
        Ok(Json(QueryFlinkJobListResponse { is_success: true, message, job_list }).into_response())
    })
    .await
}

/// Reads the parameters in the order of the description.
fn parse(query: &Query) -> Result<(FlinkListRequest, bool), CsError> {
    let text = |name: &str| query.text(name).filter(|text| !text.is_empty()).map(str::to_string);
    let short = |name: &str| (name.len() <= NAME_BYTES).then(|| name.to_string());
    let name = query.choice("name", short, "at most 57 bytes")?.filter(|name| !name.is_empty());
    let known = |name: &str| JOB_TYPES.contains(&name).then(|| name.to_string());
    let status = query.choice("status", Status::parse, "a job status such as job_running")?;
    let detail = query.flag("show_detail", false)?;
    let offset = query.between("offset", 0, i64::MAX)?.unwrap_or(0);
    let limit = query.between("limit", 0, MOST_RECORDS)?.unwrap_or(DEFAULT_LIMIT);
    let order = query.choice("order", order, "desc or asc")?.unwrap_or_default();
    let has_parent = query.number("root_job_id", i64::MAX).map_err(|_| codes::ROOT_JOB_ID_INVALID.error())?;
    let job_type = query.choice("job_type", known, "a job type such as flink_sql_job")?;
    let kind = query.choice("show_job_type", kind, "spark, flink or all")?.unwrap_or_default();
    let request = FlinkListRequest {
        name,
        status,
        cluster_name: text("queue_name"),
        user_name: text("user_name"),
        job_type,
        job_type_prefix: kind,
        root_job_id: has_parent,
        offset: usize::try_from(offset).unwrap_or(usize::MAX),
        limit: usize::try_from(limit).unwrap_or(0),
        newest_first: order == Order::Descending,
    };
    Ok((request, detail))
}

/// Returns how the types of a kind begin.
fn kind(name: &str) -> Option<&'static str> {
    match name {
        "spark" => Some("spark_"),
        "flink" => Some("flink_"),
        "all" => Some(""),
        _ => None,
    }
}
