//! Which versions are served. Links name the address that the client used.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::access::base_url;

/// `GET /`: the list of versions, with the status that asks the client to choose.
pub(super) async fn root(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let body = json!({ "versions": { "values": [description(&base_url(&parts))] } });
    (StatusCode::MULTIPLE_CHOICES, Json(body)).into_response()
}

/// `GET /v3`.
pub(super) async fn version(request: Request) -> Json<Value> {
    let (parts, _) = request.into_parts();
    Json(json!({ "version": description(&base_url(&parts)) }))
}

fn description(base: &str) -> Value {
    json!({
        "id": "v3.6",
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{base}/v3/") }],
        "media-types": [{ "base": "application/json", "type": "application/vnd.openstack.identity-v3+json" }],
    })
}
