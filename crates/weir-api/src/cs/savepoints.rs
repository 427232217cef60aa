//! Calls about the savepoints of a job.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_control::success;

use super::answer;
use super::call::perform;
use super::operations::{IMPORT_SAVEPOINT, TRIGGER_SAVEPOINT};
use super::wire::{ImportSavepointRequest, TriggerSavepointRequest};
use crate::state::ApiState;

/// Write a savepoint without stopping the job.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/{job_id}/savepoint", operation_id = "triggerSavepoint", tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    request_body = TriggerSavepointRequest,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn trigger_savepoint(State(state): State<ApiState>, request: Request) -> Response {
    perform(&TRIGGER_SAVEPOINT, state, request, |call| async move {
        let id = call.job_id()?;
        let body: TriggerSavepointRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let action = required("action", body.action)?;
        if action != "TRIGGER" {
            let reason = format!("action is `{action}`, expected is TRIGGER.");
            return Err(codes::INVALID_REQUEST_BODY.error().because(reason));
        }
        let path = required("savepoint_path", body.savepoint_path)?;
        call.state.control.trigger_savepoint(&call.caller, id, &path).await?;
        Ok(answer::done(success::SAVEPOINT_TRIGGERED, call.state.clock.now()))
    })
    .await
}

/// Name an existing savepoint as the job's latest.
#[utoipa::path(post, path = "/v1.0/{project_id}/job/{job_id}/import_savepoint", operation_id = "importSavepoint",
    tag = "job",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("job_id" = i64, Path, minimum = 1, description = "Job id.")),
    request_body = ImportSavepointRequest,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn import_savepoint(State(state): State<ApiState>, request: Request) -> Response {
    perform(&IMPORT_SAVEPOINT, state, request, |call| async move {
        let id = call.job_id()?;
        let body: ImportSavepointRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let path = required("savepoint_path", body.savepoint_path)?;
        call.state.control.import_savepoint(&call.caller, id, &path).await?;
        Ok(answer::done(success::SAVEPOINT_IMPORTED, call.state.clock.now()))
    })
    .await
}

/// Returns a text that has to be there, else CS.11029.
pub(super) fn required(name: &'static str, sent: Option<String>) -> Result<String, CsError> {
    let sent = sent.filter(|text| !text.trim().is_empty());
    sent.ok_or_else(|| codes::PARAMETER_REQUIRED.error().with("name", name))
}
