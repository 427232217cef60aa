//! The trace list of the cloud's audit service, over the records that `audit_logs` shows too.

mod error;
mod event;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, RequestPartsExt, Router};
use weir_base::id::{ProjectId, UserId};
use weir_base::time::Timestamp;
use weir_cloud::identity::Session;
use weir_control::{Caller, Role};
use weir_store::AuditFilter;

pub(crate) use self::error::CtsError;
pub(crate) use self::event::event_number;
use self::wire::{MetaData, Trace, TraceList, Tracker, TrackerList};
use crate::auth;
use crate::state::ApiState;

/// Traces in a page when the caller does not say.
const DEFAULT_LIMIT: u32 = 10;
/// Most traces in a page.
const MOST_TRACES: u32 = 200;
/// What is shown when the caller names no time.
const DEFAULT_TIME: Duration = Duration::from_secs(3_600);
/// The smallest difference of two times.
const INSTANT: Duration = Duration::from_millis(1);
/// How far back the list goes.
const LONGEST_TIME: Duration = Duration::from_secs(7 * 86_400);

/// The routes.
pub fn router() -> Router<ApiState> {
    Router::new()
        .route("/v3/{project_id}/traces", get(list_traces))
        .route("/v3/{project_id}/trackers", get(list_trackers))
}

/// `GET /v3/{project_id}/trackers`: there is one, which the operator switches.
async fn list_trackers(
    State(state): State<ApiState>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Json<TrackerList>, CtsError> {
    let (mut parts, _) = request.into_parts();
    let (caller, session) = authorize(&state, &parts, project).await?;
    let query = read_query(&mut parts).await?;
    let asked = |name: &str| query.get(name).is_none_or(|text| text.is_empty() || text == "system");
    if !asked("tracker_name") || !asked("tracker_type") {
        return Ok(Json(TrackerList::default()));
    }
    let is_on = state.control.is_tracker_on(&caller.project).await?;
    Ok(Json(TrackerList { trackers: vec![Tracker::of(&caller.project, is_on, &session)] }))
}

async fn read_query(parts: &mut Parts) -> Result<BTreeMap<String, String>, CtsError> {
    let query: Result<Query<BTreeMap<String, String>>, _> = parts.extract().await;
    query.map(|query| query.0).map_err(|error| CtsError::query(format!("the query cannot be read: {error}")))
}

/// `GET /v3/{project_id}/traces`, newest first.
async fn list_traces(
    State(state): State<ApiState>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Json<TraceList>, CtsError> {
    let (mut parts, _) = request.into_parts();
    let (caller, session) = authorize(&state, &parts, project).await?;
    let query = read_query(&mut parts).await?;
    let Some(TraceQuery { filter, limit }) = TraceQuery::parse(&query, state.clock.now())? else {
        return Ok(Json(TraceList::default()));
    };
    // One more than is shown, to know whether there is a next page.
    let mut found = state.control.audit_records(&caller, filter, 0, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(1);
    let has_more = found.len() > shown;
    found.truncate(shown);
    let traces: Vec<Trace> = found.into_iter().map(|stored| Trace::of(stored, &session)).collect();
    let marker = traces.last().filter(|_| has_more).map(|trace| trace.trace_id.clone());
    Ok(Json(TraceList { meta_data: MetaData { count: traces.len(), marker }, traces }))
}

async fn authorize(state: &ApiState, parts: &Parts, project: String) -> Result<(Caller, Session), CtsError> {
    let session = auth::session_of(&state.identity, parts, b"").await?;
    if session.project().is_none_or(|scope| scope.id != project) {
        return Err(CtsError::forbidden("the credential is not good for the project in the path"));
    }
    let role = Role::strongest(session.roles.iter().map(String::as_str));
    if role < Role::Reader {
        return Err(CtsError::forbidden("this needs a role of the service in the project"));
    }
    let caller = Caller {
        user: UserId(session.user_id.clone()),
        user_name: session.user_name.clone(),
        audit_name: session.audit_name(),
        project: ProjectId(project),
        role,
        request_id: String::new(),
        source_ip: String::new(),
    };
    Ok((caller, session))
}

/// What is asked for.
struct TraceQuery {
    filter: AuditFilter,
    limit: u32,
}

impl TraceQuery {
    /// Reads the query; `None` when nothing that is recorded here can match.
    fn parse(query: &BTreeMap<String, String>, now: Timestamp) -> Result<Option<Self>, CtsError> {
        let given = |name: &str| query.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let event = |name: &str| {
            let number =
                |text| event_number(text).ok_or_else(|| CtsError::query(format!("`{name}` is no trace id")));
            given(name).map(number).transpose()
        };
        let oldest = now.minus(LONGEST_TIME);
        if let Some(id) = event("trace_id")? {
            // It overrides the rest.
            let filter = AuditFilter { id: Some(id), from: Some(oldest), ..AuditFilter::default() };
            return Ok(Some(Self { filter, limit: 1 }));
        }
        let time = |name: &str| {
            let number = |text: &str| text.parse().map(Timestamp).map_err(|_| name.to_string());
            let wrong = |name| CtsError::query(format!("`{name}` must be a time in milliseconds"));
            given(name).map(number).transpose().map_err(wrong)
        };
        let (from, to) = match (time("from")?, time("to")?) {
            // Both instants lie outside.
            (Some(from), Some(to)) => (from.plus(INSTANT).max(oldest), Some(to.minus(INSTANT))),
            (None, None) => (now.minus(DEFAULT_TIME), None),
            _ => return Err(CtsError::query("`from` and `to` must be given together")),
        };
        let limit = match given("limit").map(str::parse) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if (1..=MOST_TRACES).contains(&limit) => limit,
            Some(_) => {
                return Err(CtsError::query(format!("`limit` must be a number from 1 to {MOST_TRACES}")));
            }
        };
        if let Some(name) =
            ["access_key_id", "enterprise_project_id"].into_iter().find(|name| given(name).is_some())
        {
            return Err(CtsError::query(format!(
                "traces cannot be found by `{name}`, which is not recorded"
            )));
        }
        let only = |name: &str, value: &str| given(name).is_none_or(|text| text.eq_ignore_ascii_case(value));
        if !only("trace_type", "system") || !only("tracker_name", "system") {
            return Ok(None);
        }
        let text = |name: &str| given(name).map(str::to_string);
        let filter = AuditFilter {
            before: event("next")?,
            service: given("service_type").map(str::to_ascii_uppercase),
            resource_type: text("resource_type"),
            resource_id: text("resource_id"),
            resource_name: text("resource_name"),
            event_name: text("trace_name"),
            event_rating: text("trace_rating"),
            user_name: text("user"),
            from: Some(from),
            to,
            ..AuditFilter::default()
        };
        Ok(Some(Self { filter, limit }))
    }
}
