//! Calls that change one job.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::codes;
use weir_base::id::JobId;
use weir_control::{SentFields, success};

use super::answer;
use super::call::perform;
use super::jobs_batch::job_id_of;
use super::operations::{DELETE_JOB, RUN_JOB, STOP_JOB, SUBMIT_SQL_JOB, UPDATE_SQL_JOB};
use super::wire::{JobStatusInfo, JobUpdateTime, SubmitSqlJobRequest, UpdateSqlJobRequest};
use crate::state::ApiState;

/// Create a stream SQL job (status job_init).
#[utoipa::path(post, path = "/v1.0/{project_id}/sql_job", operation_id = "submitSqlJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = SubmitSqlJobRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<JobStatusInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn submit_sql_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&SUBMIT_SQL_JOB, state, request, |call| async move {
        let sent = SentFields::from(call.json::<SubmitSqlJobRequest>(codes::INVALID_REQUEST_BODY)?);
        call.is_about("", sent.name.as_deref().unwrap_or_default());
        let control = &call.state.control;
        let id = control.create_sql_job(&call.caller, sent).await?;
        let (status, status_desc) = control.status(&call.caller, id).await?;
        let info = JobStatusInfo { job_id: id.0, status_name: status.name().to_string(), status_desc };
        Ok(answer::payload(success::JOB_CREATED, info, call.state.clock.now()))
    })
    .await
}

/// Update a stream SQL job.
#[utoipa::path(patch, path = "/v1.0/{project_id}/sql_job", operation_id = "updateSqlJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = UpdateSqlJobRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<JobUpdateTime>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn update_sql_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&UPDATE_SQL_JOB, state, request, |call| async move {
        let body: UpdateSqlJobRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let id: JobId = job_id_of(&body.job_id)?;
        let sent = SentFields::from(body);
        call.is_about(id, sent.name.as_deref().unwrap_or_default());
        let updated = call.state.control.update_sql_job(&call.caller, id, sent).await?;
        let time = JobUpdateTime { update_time: updated.0 };
        Ok(answer::payload(success::JOB_UPDATED, time, call.state.clock.now()))
    })
    .await
}

/// Delete a job in any status. A running job is stopped first.
#[utoipa::path(delete, path = "/v1.0/{project_id}/job/{job_id}", operation_id = "deleteJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn delete_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&DELETE_JOB, state, request, |call| async move {
        let id = call.job_id()?;
        call.state.control.delete(&call.caller, id).await?;
        Ok(answer::done(success::JOB_DELETED, call.state.clock.now()))
    })
    .await
}

/// Run a job. Asynchronous: the job goes to job_submitting.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/{job_id}/run", operation_id = "runJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id."),
        ("resumeSavePoint" = Option<bool>, Query, description = "true: restore from the latest savepoint.")),
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn run_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&RUN_JOB, state, request, |call| async move {
        let id = call.job_id()?;
        let resume = call.query.flag("resumeSavePoint", false)?;
        call.state.control.run(&call.caller, id, resume).await?;
        Ok(answer::done(success::JOB_RUN, call.state.clock.now()))
    })
    .await
}

/// Stop a job. Asynchronous.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/{job_id}/stop", operation_id = "stopJob", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id."),
        ("triggerSavePoint" = Option<bool>, Query,
            description = "true: write a savepoint before stopping.")),
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn stop_job(State(state): State<ApiState>, request: Request) -> Response {
    perform(&STOP_JOB, state, request, |call| async move {
        let id = call.job_id()?;
        let savepoint = call.query.flag("triggerSavePoint", false)?;
        call.state.control.stop(&call.caller, id, savepoint).await?;
        Ok(answer::done(success::JOB_STOPPED, call.state.clock.now()))
    })
    .await
}
