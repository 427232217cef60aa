//! What is served, in which version.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::answer;
use super::wire::{EngineVersion, ReleaseVersionResponse};
use crate::state::ApiState;

/// When the description of the API last changed, yyyyMMddHHmmss.
const UPDATED: &str = "20261123000000";

/// Release and engine versions. No project in the path and no authentication needed.
#[utoipa::path(get, path = "/v1.0/versions", operation_id = "getReleaseVersion", tag = "statistics", security(()),
    responses((status = 200, description = "Success.", body = ReleaseVersionResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_release_version(State(state): State<ApiState>) -> Response {
    Json(ReleaseVersionResponse {
        id: "v1.0".to_string(),
        version: "v1.0.1".to_string(),
        min_version: "v1.0".to_string(),
        engines: vec![EngineVersion {
            name: "weir".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        }],
        status: "CURRENT".to_string(),
        updated: UPDATED.to_string(),
        current_millis: state.clock.now().0,
    })
    .into_response()
}
