//! Calls that change several jobs, all or none.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_control::{BatchRefusal, success};

use super::answer;
use super::call::{Call, perform};
use super::operations::{BATCH_DELETE_JOBS, BATCH_RUN_JOBS, BATCH_STOP_JOBS};
use crate::state::ApiState;

/// Most ids in one call. A project's list has pages of 100; ten of them are one call.
const MOST_IDS: usize = 1_000;

/// Run several jobs. All ids are checked first; if any check fails nothing is run and error_json_opt names the failing ids.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/run", operation_id = "batchRunJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("resumeSavePoint" = Option<bool>, Query, description = "true: restore from the latest savepoints.")),
    request_body = Vec<i64>,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn batch_run_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&BATCH_RUN_JOBS, state, request, |call| async move {
        let ids = ids_of_body(&call)?;
        let resume = call.query.flag("resumeSavePoint", false)?;
        let refused = call.state.control.batch_run(&call.caller, &ids, resume).await;
        refused.map_err(|refusal| blamed(&call, refusal))?;
        Ok(answer::done(success::JOB_RUN, call.state.clock.now()))
    })
    .await
}

/// Stop several jobs, all or none.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/stop", operation_id = "batchStopJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("triggerSavePoint" = Option<bool>, Query,
            description = "true: write savepoints before stopping.")),
    request_body = Vec<i64>,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn batch_stop_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&BATCH_STOP_JOBS, state, request, |call| async move {
        let ids = ids_of_body(&call)?;
        let savepoint = call.query.flag("triggerSavePoint", false)?;
        let refused = call.state.control.batch_stop(&call.caller, &ids, savepoint).await;
        refused.map_err(|refusal| blamed(&call, refusal))?;
        Ok(answer::done(success::JOB_STOPPED, call.state.clock.now()))
    })
    .await
}

/// Delete several jobs, all or none.
#[utoipa::path(delete, path = "/v1.0/{project_id}/job", operation_id = "batchDeleteJobs", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = Vec<i64>,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn batch_delete_jobs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&BATCH_DELETE_JOBS, state, request, |call| async move {
        let ids = ids_of_body(&call)?;
        let refused = call.state.control.batch_delete(&call.caller, &ids).await;
        refused.map_err(|refusal| blamed(&call, refusal))?;
        Ok(answer::done(success::JOB_DELETED, call.state.clock.now()))
    })
    .await
}

fn ids_of_body(call: &Call) -> Result<Vec<JobId>, CsError> {
    let values: Vec<Value> = call.json(codes::INVALID_REQUEST_BODY)?;
    let ids = job_ids_of(&values)?;
    call.is_about_each(&ids);
    Ok(ids)
}

/// Notes why which jobs were refused, and returns what the caller is told.
fn blamed(call: &Call, refusal: BatchRefusal) -> CsError {
    call.is_refused_for(refusal.jobs);
    refusal.error
}

/// Reads job ids; an empty list has none.
pub(super) fn job_ids_of(values: &[Value]) -> Result<Vec<JobId>, CsError> {
    if values.is_empty() {
        return Err(codes::INVALID_JOB_ID.error().because("The list is empty."));
    }
    if values.len() > MOST_IDS {
        let reason = format!("The list has {} ids, at most {MOST_IDS} are allowed.", values.len());
        return Err(codes::INVALID_REQUEST_BODY.error().because(reason));
    }
    values.iter().map(job_id_of).collect()
}

/// Reads a job id: an integer of at least 1.
pub(super) fn job_id_of(value: &Value) -> Result<JobId, CsError> {
    match value.as_i64() {
        Some(id) if id >= 1 => Ok(JobId(id)),
        _ if value.is_null() => Err(codes::INVALID_JOB_ID.error().because("It is missing.")),
        _ => Err(codes::INVALID_JOB_ID.error().because(format!("It is {value}."))),
    }
}
