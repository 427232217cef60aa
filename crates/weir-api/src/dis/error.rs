//! What goes wrong, in the words of the stream service.
//!
//! Clients read different members of an error, so a body has four: two pairs of the same code and text.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use weir_cloud::streams::StreamsError;

use crate::audited::Refusal;

/// The status that tells of a fault of the signature; the service's own, outside the standard.
const SIGNATURE_STATUS: u16 = 441;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DisError {
    pub(super) status: u16,
    /// The number behind `DIS.`.
    pub(super) code: u16,
    pub(super) message: String,
}

impl DisError {
    /// A fault of the request.
    pub(super) fn new(code: u16, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// A fault of a query parameter.
    pub(super) fn query(message: impl Into<String>) -> Self {
        Self::new(4200, message)
    }

    /// There is no such path, or no such method of it.
    pub(crate) fn unknown(status: StatusCode, reason: &str) -> Self {
        Self { status: status.as_u16(), ..Self::query(reason) }
    }

    /// A fault of the body.
    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::new(4300, message)
    }

    /// A request beyond a limit of size.
    pub(super) fn too_large(message: impl Into<String>) -> Self {
        Self { status: 413, ..Self::new(4300, message) }
    }

    /// A fault of the signature.
    pub(super) fn signature(code: u16, message: impl Into<String>) -> Self {
        Self { status: SIGNATURE_STATUS, ..Self::new(code, message) }
    }

    /// A caller without the right.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self { status: 403, ..Self::new(4116, message) }
    }

    /// Returns the code as clients see it.
    pub(super) fn full_code(&self) -> String {
        format!("DIS.{}", self.code)
    }
}

impl From<StreamsError> for DisError {
    fn from(error: StreamsError) -> Self {
        let text = error.to_string();
        match error {
            // Clients look for the beginnings of these two texts.
            StreamsError::NoStream(name) => Self::new(4301, format!("Stream does not exist: `{name}`")),
            StreamsError::OutOfRange { .. } => {
                Self::new(4224, format!("Sequence_number out of range: {text}"))
            }
            StreamsError::StreamExists(_) => Self::new(4307, text),
            StreamsError::NoPartition { .. } => Self::new(4302, text),
            StreamsError::NoApp(_) => Self::new(4332, text),
            StreamsError::AppExists(_) => Self::new(4330, text),
            StreamsError::Invalid(_) => Self::new(4300, text),
            StreamsError::Io(_) => {
                tracing::error!(error = %text, "the stream store failed");
                let message = "the stream store failed; the log of the server tells why";
                Self { status: 500, ..Self::new(5000, message) }
            }
        }
    }
}

impl IntoResponse for DisError {
    fn into_response(self) -> Response {
        let code = self.full_code();
        let body = json!({
            "errorCode": code,
            "message": self.message,
            "error_code": code,
            "error_msg": self.message,
        });
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(body)).into_response();
        response.extensions_mut().insert(Refusal { code, text: self.message });
        response
    }
}
