//! The call by which edge nodes report on their jobs.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::codes;
use weir_base::id::JobId;

use super::answer;
use super::call::perform;
use super::operations::REPORT_EDGE_JOB_STATUS;
use super::wire::{EdgeJobReport, FlinkSimpleResponse};
use crate::state::ApiState;

/// Edge node reports the status of its jobs.
///
/// No edge job runs in this installation, so that every report is refused: there is no job that it can be about.
#[utoipa::path(post, path = "/v1/{project_id}/edgesrv/job-report", operation_id = "reportEdgeJobStatus", tag = "edge",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = EdgeJobReport,
    responses((status = 200, description = "Success.", body = FlinkSimpleResponse),
        (status = 400, description = "The request failed.", body = answer::FlinkErrorBody)))]
pub async fn report_edge_job_status(State(state): State<ApiState>, request: Request) -> Response {
    perform(&REPORT_EDGE_JOB_STATUS, state, request, |call| async move {
        let report: EdgeJobReport = call.json(codes::INVALID_REQUEST_BODY)?;
        let Some(first) = report.jobs.first() else {
            return Err(codes::INVALID_REQUEST_BODY.error().because("jobs is empty."));
        };
        Err(call.state.control.refuse_edge_report(&call.caller, first.job_id.map(JobId)).await)
    })
    .await
}
