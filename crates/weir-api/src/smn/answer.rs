//! From what a handler returns to a body: every one has the id of its request.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::SmnError;
use crate::audited::Refusal;
use crate::cs::answer::Code;
use crate::outermost::RequestId;

/// The members of an answer, without the id of the request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    status: StatusCode,
    members: Value,
}

impl Answer {
    /// Something was made.
    pub(super) fn created(members: Value) -> Self {
        Self { status: StatusCode::CREATED, members }
    }

    /// It is as it was asked for.
    pub(super) fn ok(members: Value) -> Self {
        Self { status: StatusCode::OK, members }
    }

    /// Something was made, or was there already.
    pub(super) fn made(is_new: bool, members: Value) -> Self {
        if is_new { Self::created(members) } else { Self::ok(members) }
    }

    /// Nothing is to be told.
    pub(super) fn done() -> Self {
        Self::ok(json!({}))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for SmnError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Code(self.full_code()));
        response.extensions_mut().insert(Refusal { code: self.full_code(), text: self.message.clone() });
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the bodies.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<SmnError>() {
        let mut rendered = refusal(&error, response.status(), &id);
        rendered.extensions_mut().extend(std::mem::take(response.extensions_mut()));
        return rendered;
    }
    if let Some(Answer { status, mut members }) = response.extensions_mut().remove::<Answer>() {
        if let Some(members) = members.as_object_mut() {
            members.insert("request_id".to_string(), Value::from(id));
        }
        return (status, axum::Json(members)).into_response();
    }
    response
}

fn refusal(error: &SmnError, status: StatusCode, id: &str) -> Response {
    let body = json!({ "request_id": id, "code": error.full_code(), "message": error.message });
    (status, axum::Json(body)).into_response()
}

/// Makes the answer to a path or a method that is not there.
pub(crate) fn unknown(status: StatusCode, reason: &str, id: &str) -> Response {
    let error = SmnError::body(reason);
    let mut response = refusal(&error, status, id);
    response.extensions_mut().insert(Code(error.full_code()));
    response
}
