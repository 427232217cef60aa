//! Registering the caller, authorizing buckets, and the agency of the service.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_control::success;

use super::answer;
use super::call::{Call, perform};
use super::operations::{AUTHORIZE_BUCKET, CREATE_AGENCY, GET_AGENCY, USER_REGISTER};
use super::wire::{AgencyInfo, CreateAgencyRequest};
use crate::state::ApiState;

/// Most buckets that a call authorizes. A refused call leaves a record for each.
const MOST_BUCKETS: usize = 1_000;

/// Register the calling user with the service. No request body. Idempotent.
#[utoipa::path(post, path = "/v1.0/{project_id}/user_register", operation_id = "userRegister", tag = "user",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn user_register(State(state): State<ApiState>, request: Request) -> Response {
    perform(&USER_REGISTER, state, request, |call| async move {
        call.is_about(&call.caller.user, &call.caller.user_name);
        call.state.control.register_user(&call.caller).await?;
        Ok(answer::done(success::USER_REGISTERED, call.state.clock.now()))
    })
    .await
}

/// Authorize OBS buckets for the service.
#[utoipa::path(post, path = "/v1.0/{project_id}/obs_authorize", operation_id = "authorizeBucket", tag = "authorize",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body(content = Vec<String>, description = "Bucket names, at most 1,000."),
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn authorize_bucket(State(state): State<ApiState>, request: Request) -> Response {
    perform(&AUTHORIZE_BUCKET, state, request, |call| async move {
        let buckets = buckets_of_body(&call)?;
        call.is_about_each(&buckets);
        call.state.control.authorize_buckets(&call.caller, &buckets).await?;
        Ok(answer::done(success::BUCKETS_AUTHORIZED, call.state.clock.now()))
    })
    .await
}

/// Agency of the service and its roles.
#[utoipa::path(get, path = "/v1.0/{project_id}/agency", operation_id = "getAgency", tag = "authorize",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<AgencyInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_agency(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_AGENCY, state, request, |call| async move {
        let roles = call.state.control.agency_roles(&call.caller).await?;
        Ok(answer::payload(success::AGENCY_READ, agency_info(&roles), call.state.clock.now()))
    })
    .await
}

/// Create the agency cloud_stream_agency or add roles to it.
#[utoipa::path(post, path = "/v1.0/{project_id}/agency", operation_id = "createAgency", tag = "authorize",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = CreateAgencyRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<AgencyInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn create_agency(State(state): State<ApiState>, request: Request) -> Response {
    perform(&CREATE_AGENCY, state, request, |call| async move {
        let CreateAgencyRequest { roles } = call.json(codes::AUTHORIZE_BODY_INVALID)?;
        call.is_about("", &roles.join(","));
        let roles = call.state.control.grant_agency_roles(&call.caller, &roles).await?;
        Ok(answer::payload(success::AGENCY_CREATED, agency_info(&roles), call.state.clock.now()))
    })
    .await
}

fn agency_info(roles: &[&str]) -> AgencyInfo {
    let current_roles = roles.iter().map(ToString::to_string).collect();
    AgencyInfo { version: "v2".to_string(), current_roles }
}

fn buckets_of_body(call: &Call) -> Result<Vec<String>, CsError> {
    if call.body.iter().all(u8::is_ascii_whitespace) {
        return Err(codes::BUCKET_NAME_MISSING.error());
    }
    let buckets: Vec<String> = call.json(codes::AUTHORIZE_BODY_INVALID)?;
    if buckets.len() > MOST_BUCKETS {
        let reason = format!("The list has {} buckets, at most {MOST_BUCKETS} are allowed.", buckets.len());
        return Err(codes::AUTHORIZE_BODY_INVALID.error().because(reason));
    }
    Ok(buckets)
}
