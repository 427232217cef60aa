//! A request to the notification service: admitted, its body read within bounds, its parameters at hand.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use weir_base::audit::AuditRecord;
use weir_base::id::ProjectId;
use weir_cloud::notifications::{Notifications, Page};

use super::error::SmnError;
use crate::audited::Audit;
use crate::auth::{self, AuthFailure};
use crate::body;
use crate::state::ApiState;

/// Who may use the notification service.
const ROLES: [&str; 2] = ["te_admin", "smn_adm"];
/// The largest body: a message of 256 KiB, each byte of it escaped.
const MAX_BODY: usize = 2 << 20;
const MOST_OF_A_LIST: i64 = 100;

/// An admitted request.
pub(super) struct Call {
    pub(super) service: Arc<Notifications>,
    /// The project of the path, which the caller may use.
    pub(super) project: ProjectId,
    audit: Option<Audit>,
    path: HashMap<String, String>,
    query: Vec<(String, String)>,
    body: Bytes,
}

impl FromRequest<ApiState> for Call {
    type Rejection = SmnError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, SmnError> {
        let (mut parts, body) = request.into_parts();
        auth::check_sender(&state.identity, &parts).await.map_err(|failure| refusal(&failure))?;
        let body = body::read(&parts, body, MAX_BODY).await;
        let body =
            body.map_err(|fault| SmnError::body(format!("the request body cannot be read: {fault}")))?;
        let path: Path<HashMap<String, String>> = Path::from_request_parts(&mut parts, state)
            .await
            .map_err(|error| SmnError::body(format!("the path cannot be read: {error}")))?;
        let project = path.get("project_id").cloned().unwrap_or_default();
        let audit = Audit::of(&parts);
        admit(state, &parts, &body, &path).await?;
        Ok(Self {
            service: Arc::clone(&state.notifications),
            project: ProjectId(project),
            query: parse_query(parts.uri.query().unwrap_or_default()),
            audit,
            path: path.0,
            body,
        })
    }
}

/// Tells in the service's own words why a caller is not known.
fn refusal(failure: &AuthFailure) -> SmnError {
    match failure {
        AuthFailure::Unavailable(_) => {
            tracing::error!(%failure, "a request about notifications could not be authenticated");
            SmnError::internal()
        }
        AuthFailure::Missing | AuthFailure::Invalid(_) => SmnError::unknown_caller(failure.to_string()),
    }
}

/// Lets a request through whose sender is known and may use the project.
async fn admit(
    state: &ApiState,
    parts: &Parts,
    body: &[u8],
    path: &HashMap<String, String>,
) -> Result<(), SmnError> {
    let project = path.get("project_id").map_or("", String::as_str);
    let caller = auth::authenticate(state, parts, body).await.map_err(|failure| refusal(&failure))?;
    if !caller.may_use_project(project) {
        return Err(SmnError::forbidden(format!("you have no right in project `{project}`")));
    }
    if let Some(audit) = Audit::of(parts) {
        audit.identify(caller.actor(parts, project));
        // The innermost is what the call is about.
        let id = ["subscription_urn", "template_id", "topic_urn"].into_iter().find_map(|name| path.get(name));
        audit.about(id.map_or("", String::as_str), "");
    }
    if !ROLES.iter().any(|role| caller.has_role(role)) {
        let roles = ROLES.map(|role| format!("`{role}`")).join(" or ");
        return Err(SmnError::forbidden(format!("the notification service needs role {roles}")));
    }
    Ok(())
}

/// Takes a query apart.
pub(super) fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// Returns a parameter of a query; one without a value counts as not given.
pub(super) fn find<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = query.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

impl Call {
    /// Returns a variable of the path.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// Returns a query parameter; one without a value counts as not given.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// Returns a query parameter as a filter.
    pub(super) fn filter(&self, name: &str) -> Option<String> {
        self.query(name).map(str::to_string)
    }

    /// Returns which part of a list is asked for.
    pub(super) fn page(&self) -> Result<Page, SmnError> {
        let number = |name: &str, least: i64, most: i64, default: i64| {
            let Some(text) = self.query(name) else { return Ok(default) };
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| {
                let text = format!("`{name}` is `{text}`; it must be a number from {least} to {most}");
                SmnError::new(400, 15, text)
            })
        };
        let limit = number("limit", 1, MOST_OF_A_LIST, MOST_OF_A_LIST)?;
        Ok(Page { offset: number("offset", 0, i64::from(i32::MAX), 0)?, limit })
    }

    /// Returns the record of the call, which the repository writes with the change.
    pub(super) fn audit(&self) -> Result<AuditRecord, SmnError> {
        // Only a handler whose route is missing among the changes has none.
        self.audit.as_ref().and_then(Audit::take).ok_or_else(SmnError::internal)
    }

    /// Says for the audit what the call would make.
    pub(super) fn is_about(&self, name: &str) {
        if let Some(audit) = &self.audit {
            audit.about("", name);
        }
    }

    /// Reads the JSON body.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, SmnError> {
        crate::json::from_slice(&self.body)
            .map_err(|error| SmnError::body(format!("the request body is wrong: {error}")))
    }
}
