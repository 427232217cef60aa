//! What happens to every request whatever its route: an id, a log line, a count, and a panic that
//! stays with its request.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;

use crate::cs::{self, answer};
use crate::state::ApiState;

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub String);

/// Attends to a request.
pub(crate) async fn attend(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unknown".to_string(), |path| path.as_str().to_string());
    let began = Instant::now();
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(request_id = id, %method, route, "a handler panicked");
            cs::panicked(&route, state.clock.now())
        }
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let code = response.extensions().get::<answer::Code>().map_or("", |code| code.0.as_str()).to_string();
    let took = began.elapsed();
    state.metrics.count_request(method.as_str(), &route, response.status().as_u16(), &code, took);
    tracing::debug!(
        request_id = id, %method, route, status = response.status().as_u16(), code,
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "answered"
    );
    response
}
