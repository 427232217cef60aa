//! A call up to its body: route, content type, credential, project, role. Then the handler's part, and
//! the audit record when a call that would change something fails.
//!
//! The order of the checks is part of the contract; the first that fails gives the error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::RequestPartsExt;
use axum::body::Body as HttpBody;
use axum::extract::{ConnectInfo, RawPathParams, Request};
use axum::http::Extensions;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use weir_base::error::{CsError, ErrorCode, codes};
use weir_base::id::{ClusterId, JobId, ProjectId, UserId};
use weir_cloud::identity::AdministerError;
use weir_control::{Caller, Role, Subject};

use super::answer;
use super::multipart;
use super::operations::{Body, Operation};
use super::query::Query;
use crate::auth::{self, AuthFailure};
use crate::body::{self, BodyFault};
use crate::json;
use crate::outermost::RequestId;
use crate::state::ApiState;

/// Longest body. A job's text has at most 10,000 bytes; escaped and with all other fields it stays far below.
const BODY_BYTES: usize = 1 << 20;

/// Longest file of a form, and what frames it and the other parts.
const FILE_BYTES: usize = 8 << 20;
const FRAME_BYTES: usize = 16 << 10;

/// A call whose caller is known.
pub(super) struct Call {
    pub state: ApiState,
    pub caller: Caller,
    pub query: Query,
    pub body: Bytes,
    /// What separates the parts of a form.
    pub boundary: String,
    parameters: BTreeMap<String, String>,
    about: About,
}

/// What the call is about, as far as it is known, for the audit.
type About = Arc<Mutex<Vec<Thing>>>;

/// One of the things that a call is about.
#[derive(Debug, Clone, Default)]
struct Thing {
    id: String,
    name: String,
    /// Why it was refused, when that is not why the call was.
    error: Option<CsError>,
}

impl Call {
    /// Returns the job of the path, else CS.12001.
    pub fn job_id(&self) -> Result<JobId, CsError> {
        let text = self.parameters.get("job_id").map(String::as_str).unwrap_or_default();
        let id = text.parse::<i64>().ok().filter(|id| *id >= 1 && text.bytes().all(|b| b.is_ascii_digit()));
        let id = id.ok_or_else(|| codes::INVALID_JOB_ID.error())?;
        self.is_about(id, "");
        Ok(JobId(id))
    }

    /// Returns the cluster of the path, else CS.20005: what is no id is the id of no cluster.
    pub fn cluster_id(&self) -> Result<ClusterId, CsError> {
        let text = self.parameter("cluster_id");
        let id = text.parse::<i32>().ok().filter(|id| *id >= 1 && text.bytes().all(|b| b.is_ascii_digit()));
        let id = id.ok_or_else(|| {
            codes::CLUSTER_NOT_EXIST.error().because(format!("`{text}` is the id of no cluster."))
        })?;
        self.is_about(id, "");
        Ok(ClusterId(i64::from(id)))
    }

    /// Returns a parameter of the path.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Reads the body, else the error of this operation for an unreadable one.
    pub fn json<T: DeserializeOwned>(&self, unreadable: ErrorCode) -> Result<T, CsError> {
        json::from_slice(&self.body).map_err(|error| unreadable.error().because(format!("{error}.")))
    }

    /// Notes what the call is about.
    pub fn is_about(&self, id: impl Display, name: &str) {
        self.note(vec![Thing { id: id.to_string(), name: name.to_string(), error: None }]);
    }

    /// Notes that the call is about several things: when it is refused, each has a record.
    pub fn is_about_each(&self, ids: &[impl Display]) {
        let distinct: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
        self.note(distinct.into_iter().map(|id| Thing { id, ..Thing::default() }).collect());
    }

    /// Notes which things the call is refused for, each with the reason.
    pub fn is_refused_for(&self, things: Vec<(impl Display, CsError)>) {
        let things = things.into_iter().map(|(id, error)| Thing {
            id: id.to_string(),
            name: String::new(),
            error: Some(error),
        });
        self.note(things.collect());
    }

    fn note(&self, things: Vec<Thing>) {
        // What is about nothing stays about what the path says.
        if !things.is_empty() {
            *self.about.lock().unwrap_or_else(PoisonError::into_inner) = things;
        }
    }
}

/// Carries out a call.
pub(super) async fn perform<F>(
    operation: &Operation,
    state: ApiState,
    request: Request,
    work: impl FnOnce(Call) -> F,
) -> Response
where
    F: Future<Output = Result<Response, CsError>>,
{
    let accepted = accept(operation, &state, request).await;
    let (caller, about, result) = match accepted {
        Err(Refused { caller, about, error }) => (caller, about, Err(error)),
        Ok(call) => {
            let (caller, about) = (call.caller.clone(), call.about.clone());
            (Some(caller), about, work(call).await)
        }
    };
    let error = match result {
        Ok(response) => return response,
        Err(error) => error,
    };
    if let (Some(caller), Some((event, resource_type))) = (caller, operation.event) {
        let things = about.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = things.iter().map(|thing| {
            let subject = Subject { resource_type, id: &thing.id, name: &thing.name };
            (subject, thing.error.as_ref().unwrap_or(&error))
        });
        let refused: Vec<_> = refused.collect();
        state.control.record_failures(&caller, event, &refused).await;
    }
    if operation.successor_errors {
        return answer::flink_error(&error);
    }
    answer::error(&error, state.clock.now())
}

/// A call that did not get as far as its handler.
struct Refused {
    caller: Option<Caller>,
    about: About,
    error: CsError,
}

impl From<CsError> for Refused {
    fn from(error: CsError) -> Self {
        Self { caller: None, about: About::default(), error }
    }
}

async fn accept(operation: &Operation, state: &ApiState, request: Request) -> Result<Call, Refused> {
    let (mut parts, body) = request.into_parts();
    let parameters = path_parameters(&mut parts).await?;
    let project = parameters.get("project_id").map(String::as_str).unwrap_or_default();
    if !is_project_id(project) {
        return Err(codes::API_NOT_SUPPORTED
            .error()
            .because("The project id in the path is not one.")
            .into());
    }
    let boundary = match operation.body {
        Body::None => String::new(),
        Body::Json => check_content_type(&parts).map(|()| String::new())?,
        Body::Form(..) => form_boundary(&parts)?,
    };
    check_credential_present(&parts)?;
    auth::check_sender(&state.identity, &parts).await.map_err(|failure| credential_error(&failure))?;
    let body = read_body(&parts, body, operation).await?;
    let caller = authenticate(state, &parts, &body).await?;
    let about = about_of(&parameters);
    let refuse = |error: CsError| Refused { caller: Some(caller.clone()), about: about.clone(), error };
    if caller.project.0 != project {
        // The path's project is not the caller's: nothing is recorded there.
        return Err(codes::PROJECT_ID_MISMATCH.error().into());
    }
    if caller.role < operation.role {
        return Err(refuse(codes::NO_PERMISSION.error()));
    }
    check_standing(operation, state, project).await.map_err(refuse)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    Ok(Call { state: state.clone(), caller, query, body, boundary, parameters, about })
}

/// Returns what the path says that a call is about; the handler may know more.
fn about_of(parameters: &BTreeMap<String, String>) -> About {
    let ids = ["job_id", "cluster_id", "template_id", "user_id"];
    let id = ids.into_iter().find_map(|name| parameters.get(name)).cloned().unwrap_or_default();
    Arc::new(Mutex::new(vec![Thing { id, ..Thing::default() }]))
}

async fn path_parameters(parts: &mut Parts) -> Result<BTreeMap<String, String>, CsError> {
    let parameters = parts.extract::<RawPathParams>().await;
    let parameters = parameters.map_err(|error| {
        codes::API_NOT_SUPPORTED.error().because(format!("The path cannot be read: {error}."))
    })?;
    Ok(parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

fn is_project_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn check_content_type(parts: &Parts) -> Result<(), CsError> {
    let sent = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    let empty = parts.headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
    let chunked = parts.headers.contains_key("transfer-encoding");
    // Nothing sent has no type; the operation says what is missing.
    if essence.eq_ignore_ascii_case("application/json") || (sent.is_empty() && empty && !chunked) {
        return Ok(());
    }
    Err(codes::API_NOT_SUPPORTED.error().because("Send the body with Content-Type application/json."))
}

fn form_boundary(parts: &Parts) -> Result<String, CsError> {
    let sent = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    multipart::boundary(sent).ok_or_else(|| {
        codes::API_NOT_SUPPORTED
            .error()
            .because("Send the file as a part of a body with Content-Type multipart/form-data.")
    })
}

fn check_credential_present(parts: &Parts) -> Result<(), CsError> {
    let token = parts.headers.get("x-auth-token").is_some_and(|value| !value.is_empty());
    let signed = parts
        .headers
        .get(AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"SDK-HMAC-SHA256"));
    if token || signed { Ok(()) } else { Err(codes::TOKEN_MISSING.error()) }
}

/// Reads the body, and no more than the operation allows.
async fn read_body(parts: &Parts, body: HttpBody, operation: &Operation) -> Result<Bytes, CsError> {
    let most = match operation.body {
        Body::Form(_, files) => files * FILE_BYTES + FRAME_BYTES,
        Body::None | Body::Json => BODY_BYTES,
    };
    body::read(parts, body, most).await.map_err(|fault| match (operation.body, fault) {
        (Body::Form(code, _), BodyFault::TooLong(_)) => code.error(),
        _ => unreadable(operation).error().because(format!("The body cannot be read: {fault}.")),
    })
}

/// Returns the code for a body that cannot be read. Which one an operation has is written in the catalogue of errors; one
/// that takes no JSON has none of its own.
fn unreadable(operation: &Operation) -> ErrorCode {
    let of_bodies = [
        codes::INVALID_REQUEST_BODY,
        codes::TEMPLATE_BODY_INVALID,
        codes::AUTHORIZE_BODY_INVALID,
        codes::CLUSTER_BODY_INVALID,
    ];
    let can_answer = |code: &ErrorCode| code.entry().operations.split(',').any(|id| id == operation.id);
    of_bodies.into_iter().find(can_answer).unwrap_or(codes::API_NOT_SUPPORTED)
}

/// Returns the address at the other end of the connection; behind a proxy that is the proxy's. A header could say
/// anything, so that none is looked at.
pub(crate) fn source_ip(parts: &Parts) -> String {
    peer_ip(&parts.extensions)
}

/// Returns the same from the extensions of a request.
pub(crate) fn peer_ip(extensions: &Extensions) -> String {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(address)| address.ip().to_string()).unwrap_or_default()
}

/// Asks the identity service who calls.
async fn authenticate(state: &ApiState, parts: &Parts, body: &[u8]) -> Result<Caller, CsError> {
    let known = auth::authenticate(state, parts, body).await.map_err(|failure| credential_error(&failure))?;
    let Some(project) = known.project_id.filter(|_| !known.user_id.is_empty()) else {
        return Err(codes::TOKEN_SCOPE_INCOMPLETE.error());
    };
    Ok(Caller {
        user: UserId(known.user_id),
        user_name: known.user_name,
        audit_name: known.audit_name,
        project: ProjectId(project),
        role: Role::strongest(known.roles.iter().map(String::as_str)),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        source_ip: source_ip(parts),
    })
}

/// Refuses what costs to an account that has not proved who it is, that owes, or that may start nothing. Which operations cost is
/// written in the catalogue of errors.
async fn check_standing(operation: &Operation, state: &ApiState, project: &str) -> Result<(), CsError> {
    let can_answer = |code: ErrorCode| code.entry().operations.split(',').any(|id| id == operation.id);
    let needs_name = can_answer(codes::REAL_NAME_AUTH_REQUIRED);
    let starts = can_answer(codes::PERMISSION_OR_BALANCE_INSUFFICIENT);
    let costs = can_answer(codes::ACCOUNT_FROZEN);
    if !needs_name && !starts && !costs {
        return Ok(());
    }
    let unavailable = |error: AdministerError| codes::IAM_REQUEST_FAILED.error().because(format!("{error}."));
    let Some(project) = state.identity.project(project).await.map_err(unavailable)? else { return Ok(()) };
    let standing = state.identity.standing(&project.domain_id).await.map_err(unavailable)?;
    if needs_name && !standing.real_name_verified {
        return Err(codes::REAL_NAME_AUTH_REQUIRED.error());
    }
    if costs {
        state.control.check_not_frozen(&project.domain_id).await?;
    }
    if starts && standing.restricted {
        return Err(codes::PERMISSION_OR_BALANCE_INSUFFICIENT.error().because("The account is restricted."));
    }
    Ok(())
}

/// Says in CS codes why a credential was not accepted.
fn credential_error(failure: &AuthFailure) -> CsError {
    let code = match failure {
        AuthFailure::Missing => codes::TOKEN_MISSING,
        AuthFailure::Invalid(_) => codes::IAM_TOKEN_EXPIRED,
        AuthFailure::Unavailable(_) => codes::IAM_REQUEST_FAILED,
    };
    code.error()
}
