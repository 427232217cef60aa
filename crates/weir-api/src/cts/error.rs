//! Errors of the trace list.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use weir_control::AuditError;

use crate::auth::AuthFailure;

/// An answer that says what went wrong.
#[derive(Debug)]
pub(crate) struct CtsError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl CtsError {
    /// The query is wrong, or what it asks for cannot be read.
    pub(super) fn query(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "CTS.0300", message: message.into() }
    }

    /// There is no such path, or no such method of it.
    pub(crate) fn unknown(status: StatusCode, reason: &str) -> Self {
        Self { status, ..Self::query(reason) }
    }

    /// The caller may not do this.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "CTS.0013", message: message.into() }
    }
}

impl From<AuthFailure> for CtsError {
    fn from(failure: AuthFailure) -> Self {
        match failure {
            AuthFailure::Missing | AuthFailure::Invalid(_) => {
                Self { status: StatusCode::UNAUTHORIZED, ..Self::forbidden(failure.to_string()) }
            }
            AuthFailure::Unavailable(_) => Self::query(failure.to_string()),
        }
    }
}

impl From<AuditError> for CtsError {
    fn from(error: AuditError) -> Self {
        if let AuditError::Store(fault) = &error {
            tracing::error!(%fault, "the audit could not be read");
        }
        Self::query(error.to_string())
    }
}

impl IntoResponse for CtsError {
    fn into_response(self) -> Response {
        let body = json!({ "error_code": self.code, "error_msg": self.message });
        (self.status, Json(body)).into_response()
    }
}
