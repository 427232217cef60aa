//! Answers: the envelope of a success and the body of an error.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use weir_base::error::CsError;
use weir_base::time::Timestamp;
use weir_control::success::Success;

/// The error code of an answer, in its extensions, for the counters.
#[derive(Debug, Clone)]
pub(crate) struct Code(pub String);

/// A success without payload.
#[derive(Debug, Serialize, ToSchema)]
pub struct GlobalResponse {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
}

impl GlobalResponse {
    /// Tells a success.
    pub(crate) fn of(success: Success, now: Timestamp) -> Self {
        Self { message_id: success.id(), message: success.text.to_string(), current_time: now.0 }
    }
}

/// A success with payload.
#[derive(Debug, Serialize, ToSchema)]
pub struct Envelope<T> {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
    /// What was asked for.
    pub payload: T,
}

/// The body of every error; its HTTP status is 400.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// Error code.
    #[schema(pattern = r"^CS\.\d{5}$")]
    pub error_id: String,
    /// Upper-snake error name.
    pub error_name: String,
    /// Cause.
    pub error_cause: String,
    /// What to do.
    pub error_suggestion: String,
    /// Optional details as a string that holds JSON, for example an array of objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub error_json_opt: Option<String>,
    /// Time of the error, milliseconds since the epoch.
    pub error_time: i64,
}

/// The body of an error of an operation that the successor of the service has; its HTTP status is 400.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlinkError)]
pub struct FlinkErrorBody {
    /// DLI. and the number of the CS code.
    pub error_code: String,
    /// Cause and what to do.
    pub error_msg: String,
    /// Optional details as a string that holds JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub error_json_opt: Option<String>,
}

/// Answers a success without payload.
pub(crate) fn done(success: Success, now: Timestamp) -> Response {
    Json(GlobalResponse::of(success, now)).into_response()
}

/// Answers a success with payload.
pub(crate) fn payload<T: Serialize>(success: Success, payload: T, now: Timestamp) -> Response {
    Json(Envelope {
        message_id: success.id(),
        message: success.text.to_string(),
        current_time: now.0,
        payload,
    })
    .into_response()
}

/// Answers an error.
pub fn error(error: &CsError, now: Timestamp) -> Response {
    let body = ErrorBody {
        error_id: error.code.to_string(),
        error_name: error.code.entry().name.to_string(),
        error_cause: error.cause(),
        error_suggestion: error.suggestion(),
        error_json_opt: error.details.as_ref().map(serde_json::Value::to_string),
        error_time: now.0,
    };
    let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
    response.extensions_mut().insert(Code(error.code.to_string()));
    response
}

/// Answers an error in the form of the successor of the service.
pub(crate) fn flink_error(error: &CsError) -> Response {
    let body = FlinkErrorBody {
        error_code: error.code.to_string().replace("CS.", "DLI."),
        error_msg: format!("{} {}", error.cause(), error.suggestion()),
        error_json_opt: error.details.as_ref().map(serde_json::Value::to_string),
    };
    let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
    response.extensions_mut().insert(Code(error.code.to_string()));
    response
}
