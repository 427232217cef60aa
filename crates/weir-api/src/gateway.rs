//! The gateway: the newest records of `apig` sinks, for applications and for users of the job's project.
//!
//! An application is known by the id in the definition of the sink, which it sends in `X-App-Id` or `X-Apig-AppCode`; a
//! user by a token or a signature. Whoever may not read a sink is not told whether it exists.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use weir_base::id::{JobId, ProjectId};
use weir_cloud::gateway::{Encoding, MOST_RECORDS};
use weir_control::{GatewayReader, Role};

use crate::auth::{self, AuthFailure};
use crate::body::{self, BodyFault};
use crate::cs::answer;
use crate::cs::query::Query;
use crate::outermost::RequestId;
use crate::state::ApiState;

/// Headers in which an application sends the id of the sink: ours, and that of clients of the cloud's gateway, which send
/// a code there. A sink has one word for its application, so the id is the code.
const APP_HEADERS: [&str; 2] = ["x-app-id", "x-apig-appcode"];
/// Records in an answer when the caller does not say.
const DEFAULT_LIMIT: usize = 100;
/// Longest body, which has no meaning here but is part of a signature.
const BODY_BYTES: usize = 64 << 10;

/// The routes.
pub fn router() -> Router<ApiState> {
    // One route for all paths: one of no sink is refused as one of a sink that the caller may not read.
    Router::new().route("/gateway/{*path}", get(read))
}

/// `GET /gateway/{job_id}/{sink}`: the newest records of a sink, the newest last.
async fn read(
    State(state): State<ApiState>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let answer = async {
        let body = body::read(&parts, body, BODY_BYTES).await.map_err(|fault| {
            let status = match fault {
                BodyFault::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
                BodyFault::BrokeOff | BodyFault::TooSlow | BodyFault::Busy => StatusCode::BAD_REQUEST,
            };
            Refusal::request(status, format!("the body cannot be read: {fault}"))
        })?;
        let reader = reader(&state, &parts, &body).await?;
        let limit = limit(&query.unwrap_or_default())?;
        // An address with no job id is one of no sink.
        let path = path.map(|Path(path)| path).unwrap_or_default();
        let (job, sink) = path.split_once('/').unwrap_or_default();
        let job = JobId(job.parse().unwrap_or_default());
        let found = state.control.read_apig_sink(&reader, job, sink, limit).await;
        let found = found.map_err(|error| Refusal::request(StatusCode::BAD_GATEWAY, error.cause()))?;
        let (sink, records) = found.ok_or_else(|| Refusal::not_found(&reader))?;
        Ok(records_in(sink.form.encoding, &records))
    };
    answer.await.unwrap_or_else(|refusal: Refusal| refusal.answer(&id))
}

/// Makes the answer to a path or a method that is not there.
pub(crate) fn unknown(request: &str) -> Response {
    let message = "there is no such API; sinks are read with GET /gateway/{job id}/{sink name}";
    Refusal::new(StatusCode::NOT_FOUND, "APIG.0101", message).answer(request)
}

/// Finds out who reads.
async fn reader(state: &ApiState, parts: &Parts, body: &[u8]) -> Result<GatewayReader, Refusal> {
    let app_id = APP_HEADERS.iter().find_map(|name| parts.headers.get(*name)?.to_str().ok());
    if let Some(app_id) = app_id {
        return Ok(GatewayReader::Application(app_id.trim().to_string()));
    }
    let known = match auth::authenticate(state, parts, body).await {
        Ok(known) => known,
        Err(AuthFailure::Missing) => {
            return Err(Refusal::application("send the app id of the sink in X-App-Id, or a token"));
        }
        Err(AuthFailure::Unavailable(reason)) => {
            return Err(Refusal::request(StatusCode::BAD_GATEWAY, reason));
        }
        Err(error) => return Err(Refusal::user(error.to_string())),
    };
    let project = known.project_id.clone();
    let project = project.ok_or_else(|| Refusal::user("the credential names no project"))?;
    if Role::strongest(known.roles.iter().map(String::as_str)) < Role::Reader {
        return Err(Refusal::user("the user has no role of the service in the project"));
    }
    Ok(GatewayReader::Project(ProjectId(project)))
}

fn limit(query: &str) -> Result<usize, Refusal> {
    let query = Query::parse(query);
    let Some(text) = query.text("limit") else { return Ok(DEFAULT_LIMIT) };
    text.parse().ok().filter(|limit| (1..=MOST_RECORDS).contains(limit)).ok_or_else(|| {
        Refusal::request(
            StatusCode::BAD_REQUEST,
            format!("`limit` is `{text}`; it must be a number from 1 to {MOST_RECORDS}"),
        )
    })
}

/// csv has a line for each record; json is an array of them.
fn records_in(encoding: Encoding, records: &[String]) -> Response {
    let (kind, text) = match encoding {
        Encoding::Csv => {
            let lines: Vec<String> = records.iter().map(|record| format!("{record}\n")).collect();
            ("text/csv; charset=utf-8", lines.concat())
        }
        Encoding::Json => ("application/json", format!("[{}]", records.join(","))),
    };
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// A refusal in the words of the gateway.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// Something is wrong with the request, or behind the gateway.
    fn request(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, "APIG.0201", message)
    }

    /// The application is not known.
    fn application(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "APIG.0303", message)
    }

    /// The user is not known.
    fn user(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "APIG.0301", message)
    }

    fn not_found(reader: &GatewayReader) -> Self {
        match reader {
            GatewayReader::Application(_) => Self::application("no sink at this address has this app id"),
            GatewayReader::Project(_) => {
                Self::new(StatusCode::NOT_FOUND, "APIG.0101", "the project has no sink at this address")
            }
        }
    }

    fn answer(&self, request: &str) -> Response {
        let body = json!({ "error_msg": self.message, "error_code": self.code, "request_id": request });
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(answer::Code(self.code.to_string()));
        response
    }
}
