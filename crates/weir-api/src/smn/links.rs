//! What subscribers reach by the links in their messages, without a credential: a link proves itself by its token, or by
//! the id of a subscription, which nobody guesses.

use axum::extract::{Path, RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use weir_base::audit::{Actor, AuditRecord, Change};
use weir_base::id::{ProjectId, UserId};

use super::answer::Answer;
use super::call::{find, parse_query};
use super::changes::{CONFIRM, LEAVE};
use super::error::SmnError;
use crate::cs::source_ip;
use crate::outermost::RequestId;
use crate::state::ApiState;

/// GET `/v2`.
pub(super) async fn version() -> Answer {
    Answer::ok(json!({
        "version": { "id": "v2", "min_version": "", "status": "CURRENT", "version": "", "updated": "2016-09-07T00:00:00Z", "links": [] },
    }))
}

/// GET `.../subscribe?token=&topic_urn=&endpoint=`.
pub(super) async fn subscribe(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Answer, SmnError> {
    let query = parse_query(query.as_deref().unwrap_or_default());
    let token = find(&query, "token").unwrap_or_default();
    let (topic, endpoint) = (find(&query, "topic_urn"), find(&query, "endpoint"));
    let audit = of_subscriber(&state, &parts, CONFIRM);
    let urn = state.notifications.confirm(token, topic, endpoint, &audit).await?;
    Ok(Answer::ok(json!({ "subscription_urn": urn, "message": "the subscription is confirmed" })))
}

/// GET `.../unsubscribe?subscription_urn=`.
pub(super) async fn unsubscribe(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Answer, SmnError> {
    let query = parse_query(query.as_deref().unwrap_or_default());
    let urn = find(&query, "subscription_urn").unwrap_or_default();
    state.notifications.leave(urn, &of_subscriber(&state, &parts, LEAVE)).await?;
    Ok(Answer::ok(json!({ "message": "the subscription is cancelled" })))
}

/// GET `/smn/{certificate_id}`.
pub(super) async fn certificate(
    State(state): State<ApiState>,
    Path(name): Path<String>,
) -> Result<Response, SmnError> {
    match state.notifications.certificate(&name) {
        Some(certificate) => {
            Ok(([(CONTENT_TYPE, "application/x-pem-file")], certificate.to_string()).into_response())
        }
        None => Err(SmnError::new(404, 18, format!("there is no certificate `{name}`"))),
    }
}

/// Returns the record of what a subscriber does. The project is that of the topic, which the service knows.
fn of_subscriber(state: &ApiState, parts: &Parts, change: Change) -> AuditRecord {
    let actor = Actor {
        project: ProjectId(String::new()),
        user: UserId(String::new()),
        user_name: "subscriber".to_string(),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        source_ip: source_ip(parts),
    };
    AuditRecord::of_call(actor, change, state.clock.now())
}
