//! Calls that read jobs.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_control::{JobView, ListRequest, Page, Status, success};

use super::answer;
use super::call::{Call, perform};
use super::jobs_batch::job_ids_of;
use super::operations::{
    GET_CLUSTER_JOBS, GET_JOB_DETAIL, GET_JOB_EXECUTE_GRAPH, GET_JOBS, GET_JOBS_METRICS,
};
use super::query::Query;
use super::wire::{
    JobDetailEntity, JobEntity, JobExecutePlan, JobMetric, JobStatus, JobsMetricsRequest, Order as WireOrder,
    QueryJobListResponsePayload, QueryJobMetricsResponsePayload,
};
use crate::state::ApiState;

/// Records in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 20;

/// List jobs.
#[utoipa::path(get, path = "/v1.0/{project_id}/jobs", operation_id = "getJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("name" = Option<String>, Query, description = "Part of the job name, case-sensitive."),
        ("status" = Option<JobStatus>, Query, description = "Only jobs in this status."),
        ("cluster_id" = Option<i32>, Query, minimum = 1, description = "Only jobs of this exclusive cluster."),
        ("show_detail" = Option<bool>, Query, description = "Return the detail members; default false."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "Last job id of the page at hand. Absent: first page."),
        ("next" = Option<bool>, Query,
            description = "true (default): the page after the cursor in the chosen order; false: the page before it."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 20."),
        ("order" = Option<WireOrder>, Query, description = "Order by id; default desc."),
        ("root_job_id" = Option<i64>, Query, minimum = 1, description = "List the sub-jobs of this edge parent job.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<QueryJobListResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_JOBS, state, request, |call| async move {
        let Listing { request, page, detail } = Listing::parse(&call.query)?;
        list(&call, &request, page, detail).await
    })
    .await
}

/// Jobs of an exclusive cluster.
#[utoipa::path(get, path = "/v1.0/{project_id}/reserved_cluster/{cluster_id}/jobs", operation_id = "getClusterJobs",
    tag = "cluster",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("cluster_id" = i32, Path, minimum = 1, description = "Cluster id."),
        ("name" = Option<String>, Query, description = "Part of the job name, case-sensitive."),
        ("status" = Option<JobStatus>, Query, description = "Only jobs in this status."),
        ("show_detail" = Option<bool>, Query, description = "Return the detail members; default false."),
        ("cursor" = Option<i64>, Query, minimum = 1, description = "Last job id of the page at hand. Absent: first page."),
        ("next" = Option<bool>, Query,
            description = "true (default): the page after the cursor in the chosen order; false: the page before it."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 20."),
        ("order" = Option<WireOrder>, Query, description = "Order by id; default desc.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<QueryJobListResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_cluster_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_CLUSTER_JOBS, state, request, |call| async move {
        let cluster = call.cluster_id()?;
        let Listing { request, page, detail } = Listing::parse(&call.query)?;
        let request = ListRequest { cluster_id: Some(cluster.0), root_job_id: None, ..request };
        list(&call, &request, page, detail).await
    })
    .await
}

async fn list(call: &Call, request: &ListRequest, page: Page, detail: bool) -> Result<Response, CsError> {
    let list = call.state.control.list_jobs(&call.caller, request, page, detail).await?;
    let entity: fn(JobView) -> JobEntity = if detail { JobEntity::long } else { JobEntity::short };
    let payload = QueryJobListResponsePayload {
        total: i32::try_from(list.total).unwrap_or(i32::MAX),
        jobs: list.jobs.into_iter().map(entity).collect(),
    };
    Ok(answer::payload(success::JOBS_READ, payload, call.state.clock.now()))
}

/// Job details.
#[utoipa::path(get, path = "/v1.0/{project_id}/job/{job_id}", operation_id = "getJobDetail", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobDetailEntity>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_job_detail(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_JOB_DETAIL, state, request, |call| async move {
        let id = call.job_id()?;
        let view = call.state.control.job(&call.caller, id).await?;
        Ok(answer::payload(success::JOB_READ, JobDetailEntity::from(view), call.state.clock.now()))
    })
    .await
}

/// Execution plan of a job.
#[utoipa::path(get, path = "/v1.0/{project_id}/job/{job_id}/execute_graph", operation_id = "getJobExecuteGraph",
    tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<JobExecutePlan>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_job_execute_graph(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_JOB_EXECUTE_GRAPH, state, request, |call| async move {
        let id = call.job_id()?;
        let graph = call.state.control.execute_graph(&call.caller, id).await?;
        let plan = JobExecutePlan { execute_plan_items: graph.to_string() };
        Ok(answer::payload(success::GRAPH_READ, plan, call.state.clock.now()))
    })
    .await
}

/// Metrics of several jobs.
#[utoipa::path(post, path = "/v1.0/{project_id}/jobs/metrics", operation_id = "getJobsMetrics", tag = "metric",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = JobsMetricsRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<QueryJobMetricsResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_jobs_metrics(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_JOBS_METRICS, state, request, |call| async move {
        let body: JobsMetricsRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let ids = job_ids_of(&body.job_ids.unwrap_or_default())?;
        let views = call.state.control.metrics(&call.caller, &ids).await?;
        let payload =
            QueryJobMetricsResponsePayload { jobs: views.into_iter().map(JobMetric::from).collect() };
        Ok(answer::payload(success::METRICS_READ, payload, call.state.clock.now()))
    })
    .await
}

/// The query of a list.
struct Listing {
    request: ListRequest,
    page: Page,
    detail: bool,
}

impl Listing {
    /// Reads the parameters in the order of the description.
    fn parse(query: &Query) -> Result<Self, CsError> {
        let name = query.text("name").filter(|name| !name.is_empty()).map(str::to_string);
        let status = query.choice("status", Status::parse, "a job status such as job_running")?;
        let cluster_id = query.number("cluster_id", i64::from(i32::MAX))?;
        let detail = query.flag("show_detail", false)?;
        let page = query.page(DEFAULT_LIMIT)?;
        let root_job_id =
            query.number("root_job_id", i64::MAX).map_err(|_| codes::ROOT_JOB_ID_INVALID.error())?;
        Ok(Self { request: ListRequest { name, status, cluster_id, root_job_id }, page, detail })
    }
}
