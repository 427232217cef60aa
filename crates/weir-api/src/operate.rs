//! Routes for operators: health, the description of the API for programs and for people. They need no credential and show
//! nothing of any project. The metrics name the jobs of all of them, so they have a listener of their own.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::cs;
use crate::openapi;
use crate::openapi_page;
use crate::state::ApiState;

/// The routes.
pub(crate) fn router() -> Router<ApiState> {
    Router::new()
        .route("/healthz", get(health))
        .route("/openapi.json", get(|| async { Json(openapi::document()) }))
        .route("/docs", get(|| async { page(openapi_page::page()) }))
        .route("/docs/errors", get(|| async { page(openapi_page::error_page()) }))
}

/// The routes of the listener for metrics: `/metrics`, for those whom the operator lets reach it.
pub fn metrics_router(state: ApiState) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(state)
}

async fn health(State(state): State<ApiState>) -> Response {
    match state.control.store().ping().await {
        Ok(()) => Json(json!({ "status": "ok" })).into_response(),
        Err(error) => {
            let body = Json(json!({ "status": "failed", "reason": error.to_string() }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

fn page(text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, openapi_page::CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

async fn metrics(State(state): State<ApiState>) -> Response {
    let jobs = match state.control.all_metrics().await {
        Ok(jobs) => jobs,
        Err(error) => return cs::answer::error(&error, state.clock.now()),
    };
    match state.metrics.render(&jobs) {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
                .into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
