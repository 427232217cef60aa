//! What goes wrong, in the words of the VPC service.
//!
//! Clients read different members of an error: those of the VPC service, those of Neutron, and, for the call that is
//! documented with CS, those of CS. A body has them all.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use weir_base::error::{CsError, codes};
use weir_base::time::Timestamp;

use crate::auth::AuthFailure;

/// A refusal.
#[derive(Debug)]
pub(crate) struct VpcError {
    status: StatusCode,
    code: &'static str,
    kind: &'static str,
    cause: Box<CsError>,
}

impl VpcError {
    fn new(status: StatusCode, code: &'static str, kind: &'static str, cause: CsError) -> Self {
        Self { status, code, kind, cause: Box::new(cause) }
    }

    /// No peering or route of the caller's project has the id.
    pub(super) fn not_found(what: &'static str, id: &str) -> Self {
        let (code, kind) = match what {
            "route" => (codes::ROUTE_NOT_EXIST, "RouteNotFound"),
            _ => (codes::PEERING_NOT_EXIST, "PeeringNotFound"),
        };
        let cause = code.error().because(format!("There is no {what} {id}."));
        Self::new(StatusCode::NOT_FOUND, "VPC.0003", kind, cause)
    }

    /// There is no such path, or no such method of it.
    pub(crate) fn unknown(status: StatusCode, reason: &str) -> Self {
        let kind = if status == StatusCode::NOT_FOUND { "HTTPNotFound" } else { "HTTPMethodNotAllowed" };
        let cause = codes::API_NOT_SUPPORTED.error().because(format!("{reason}."));
        Self::new(status, "VPC.0002", kind, cause)
    }

    /// A parameter is wrong.
    pub(super) fn invalid(reason: String) -> Self {
        let cause = codes::API_NOT_SUPPORTED.error().because(format!("{reason}."));
        Self::new(StatusCode::BAD_REQUEST, "VPC.0002", "BadRequest", cause)
    }

    /// The body is none, or something in it is wrong.
    pub(super) fn body(reason: String) -> Self {
        let cause = codes::INVALID_REQUEST_BODY.error().because(format!("{reason}."));
        Self::new(StatusCode::BAD_REQUEST, "VPC.0002", "BadRequest", cause)
    }

    /// The caller has not the role.
    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "VPC.0010", "PolicyNotAuthorized", codes::NO_PERMISSION.error())
    }

    /// The credential names no project.
    pub(super) fn no_project() -> Self {
        let cause = codes::TOKEN_SCOPE_INCOMPLETE.error();
        Self::new(StatusCode::UNAUTHORIZED, "VPC.0008", "Unauthorized", cause)
    }

    /// Returns the HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns what it is in the codes of CS.
    pub(super) fn cause(&self) -> &CsError {
        &self.cause
    }

    /// Makes the answer of a call that is documented with CS, where every error has one status.
    pub(super) fn of_cs_call(mut self) -> Self {
        self.status = StatusCode::BAD_REQUEST;
        self
    }

    /// Makes the answer.
    pub(crate) fn answer(&self, now: Timestamp) -> Response {
        let message = self.cause.cause();
        let body = json!({
            "code": self.code,
            "message": message,
            "NeutronError": { "type": self.kind, "message": message, "detail": "" },
            "error_id": self.cause.code.to_string(),
            "error_name": self.cause.code.entry().name,
            "error_cause": message,
            "error_suggestion": self.cause.suggestion(),
            "error_time": now.0,
        });
        (self.status, Json(body)).into_response()
    }
}

impl From<AuthFailure> for VpcError {
    fn from(failure: AuthFailure) -> Self {
        let (status, code) = match failure {
            AuthFailure::Missing => (StatusCode::UNAUTHORIZED, codes::TOKEN_MISSING),
            AuthFailure::Invalid(_) => (StatusCode::UNAUTHORIZED, codes::IAM_TOKEN_EXPIRED),
            AuthFailure::Unavailable(_) => (StatusCode::INTERNAL_SERVER_ERROR, codes::IAM_REQUEST_FAILED),
        };
        Self::new(status, "VPC.0008", "Unauthorized", code.error())
    }
}

impl From<CsError> for VpcError {
    fn from(cause: CsError) -> Self {
        match cause.code {
            codes::PEERING_NOT_EXIST => {
                Self::new(StatusCode::NOT_FOUND, "VPC.0003", "PeeringNotFound", cause)
            }
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "VPC.0001", "InternalServerError", cause),
        }
    }
}
