//! Errors in the two shapes that clients of the identity service read, in one body.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use weir_cloud::identity::{AdministerError, LoginError};

use crate::audited::Refusal;
use crate::auth::{AuthFailure, InvalidCredential};

/// An answer that says what went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IamError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
}

impl IamError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// The body cannot be read.
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "IAM.0011", message)
    }

    /// A value is missing.
    pub(super) fn missing(member: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "IAM.0072", format!("`{member}` is missing"))
    }

    /// A value is not allowed.
    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "IAM.0073", message)
    }

    /// The caller may not do this.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "IAM.0003", message)
    }

    /// There is no such path, or no such method of it.
    pub(crate) fn unknown(status: StatusCode, reason: &str) -> Self {
        Self::new(status, "IAM.0004", reason)
    }

    /// There is no such thing.
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "IAM.0004", format!("there is no {}", what.into()))
    }

    /// What is there stands in the way.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "IAM.0005", message)
    }

    fn unauthorized(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// The service failed.
    pub(super) fn internal(reason: &str) -> Self {
        tracing::error!(reason, "the identity store failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "IAM.0006", "the identity store does not answer")
    }
}

impl IntoResponse for IamError {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body = json!({
            "error": { "message": &self.message, "code": self.status.as_u16(), "title": title },
            "error_code": self.code,
            "error_msg": &self.message,
        });
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(Refusal { code: self.code.to_string(), text: self.message });
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<LoginError> for IamError {
    fn from(error: LoginError) -> Self {
        let message = error.to_string();
        match error {
            LoginError::WrongCredentials => Self::unauthorized("IAM.0062", message),
            LoginError::InvalidToken | LoginError::ScopeRefused => Self::unauthorized("IAM.0067", message),
            LoginError::AgencyRefused | LoginError::Elsewhere(_) => Self::forbidden(message),
            LoginError::TooManyAttempts { retry_after } => Self {
                retry_after: Some(retry_after.as_secs().max(1)),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "IAM.0012", message)
            },
            LoginError::Unavailable(reason) => Self::internal(&reason),
        }
    }
}

impl From<AdministerError> for IamError {
    fn from(error: AdministerError) -> Self {
        let message = error.to_string();
        match error {
            AdministerError::Invalid(_) => Self::value(message),
            AdministerError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "IAM.0004", message),
            AdministerError::Conflict(_) | AdministerError::NotEmpty(_) => {
                Self::new(StatusCode::CONFLICT, "IAM.0005", message)
            }
            AdministerError::Elsewhere(_) | AdministerError::Forbidden(_) => Self::forbidden(message),
            AdministerError::TooManyKeys => Self::value(message),
            AdministerError::Unavailable(reason) => Self::internal(&reason),
        }
    }
}

impl From<AuthFailure> for IamError {
    fn from(failure: AuthFailure) -> Self {
        let message = failure.to_string();
        match failure {
            AuthFailure::Missing => Self::unauthorized("IAM.0001", message),
            AuthFailure::Invalid(InvalidCredential::Expired | InvalidCredential::KeyExpired) => {
                Self::unauthorized("IAM.0066", message)
            }
            AuthFailure::Invalid(_) => Self::unauthorized("IAM.0067", message),
            AuthFailure::Unavailable(reason) => Self::internal(&reason),
        }
    }
}
