//! Calls that write archives into buckets and read them there: definitions of jobs, and logs.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_control::success;

use super::answer;
use super::call::perform;
use super::operations::{AGGREGATE_JOB_LOGS, EXPORT_JOBS, IMPORT_JOBS};
use super::savepoints::required;
use super::wire::{
    AggregateJobLogsPayload, ExportJobsPayload, ExportJobsRequest, ImportJobsPayload, ImportJobsRequest,
};
use crate::state::ApiState;

/// Write job definitions to an archive in OBS: aggregate_{milliseconds}.zip.
#[utoipa::path(post, path = "/v1.0/{project_id}/jobs/export", operation_id = "exportJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = ExportJobsRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<ExportJobsPayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn export_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&EXPORT_JOBS, state, request, |call| async move {
        let body: ExportJobsRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let directory = required("obs_dir", body.obs_dir)?;
        let missing = |name: &'static str| codes::PARAMETER_REQUIRED.error().with("name", name);
        let selected = match body.is_selected.ok_or_else(|| missing("is_selected"))? {
            true => {
                let selected = body.job_selected.filter(|selected| !selected.is_empty());
                Some(ids(&selected.ok_or_else(|| missing("job_selected"))?)?)
            }
            false => None,
        };
        let archive = call.state.control.export_jobs(&call.caller, &directory, selected.as_deref()).await?;
        let payload = ExportJobsPayload { zip_file: vec![archive] };
        Ok(answer::payload(success::JOBS_EXPORTED, payload, call.state.clock.now()))
    })
    .await
}

fn ids(values: &[Value]) -> Result<Vec<JobId>, CsError> {
    let id = |value: &Value| value.as_i64().filter(|id| *id >= 1).map(JobId);
    let wrong = |value: &Value| {
        codes::INVALID_REQUEST_BODY.error().because(format!("{value} in job_selected is no job id."))
    };
    values.iter().map(|value| id(value).ok_or_else(|| wrong(value))).collect()
}

/// Create jobs from an archive in OBS.
#[utoipa::path(post, path = "/v1.0/{project_id}/jobs/import", operation_id = "importJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = ImportJobsRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<ImportJobsPayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn import_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&IMPORT_JOBS, state, request, |call| async move {
        let body: ImportJobsRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let path = required("zip_file", body.zip_file)?;
        let cover = body.is_cover.unwrap_or(false);
        let imported = call.state.control.import_jobs(&call.caller, &path, cover).await?;
        let job_mapping = imported.into_iter().map(Into::into).collect();
        let payload = ImportJobsPayload { job_mapping };
        Ok(answer::payload(success::JOBS_IMPORTED, payload, call.state.clock.now()))
    })
    .await
}

/// Gather a job's logs into one archive in its bucket.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/{job_id}/logs/aggregate", operation_id = "aggregateJobLogs",
    tag = "log",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<AggregateJobLogsPayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn aggregate_job_logs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&AGGREGATE_JOB_LOGS, state, request, |call| async move {
        let id = call.job_id()?;
        let zip_file = call.state.control.aggregate_logs(&call.caller, id).await?;
        let payload = AggregateJobLogsPayload { zip_file };
        Ok(answer::payload(success::LOGS_AGGREGATED, payload, call.state.clock.now()))
    })
    .await
}
