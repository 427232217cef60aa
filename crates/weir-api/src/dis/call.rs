//! A request to the stream service: admitted, its body read within bounds, its parameters at hand.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use weir_cloud::streams::{LocalStreams, StreamEntry, StreamsError};

use super::error::DisError;
use super::host::Host;
use crate::audited::Audit;
use crate::body::{self, BodyFault};

/// The largest body: what a signed request may have.
const MAX_RECORDS_BODY: usize = 12 << 20;
/// The largest body of everything but records.
const MAX_BODY: usize = 1 << 20;

/// An admitted request.
pub(super) struct Call {
    pub(super) streams: Arc<LocalStreams>,
    pub(super) now_ms: i64,
    /// The project of the path, which the caller may use.
    pub(super) project: String,
    audit: Option<Audit>,
    path: HashMap<String, String>,
    query: Vec<(String, String)>,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl<S: Host> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        admit(request, state).await.map_err(IntoResponse::into_response)
    }
}

async fn admit<S: Host>(request: Request, state: &S) -> Result<Call, DisError> {
    let (mut parts, body) = request.into_parts();
    let limit = if parts.uri.path().trim_end_matches('/').ends_with("/records") {
        MAX_RECORDS_BODY
    } else {
        MAX_BODY
    };
    state.check_sender(&parts).await?;
    let body = body::read(&parts, body, limit).await.map_err(|fault| {
        let text = format!("the request body cannot be read: {fault}");
        match fault {
            BodyFault::TooLong(_) => DisError::too_large(text),
            BodyFault::BrokeOff | BodyFault::TooSlow | BodyFault::Busy => DisError::body(text),
        }
    })?;
    let path: Path<HashMap<String, String>> = Path::from_request_parts(&mut parts, state)
        .await
        .map_err(|error| DisError::query(format!("the path cannot be read: {error}")))?;
    let project = path.get("project_id").cloned().unwrap_or_default();
    let is_project = project.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if project.is_empty() || project.len() > 64 || !is_project {
        return Err(DisError::new(4117, format!("`{project}` is not a project id")));
    }
    let audit = Audit::of(&parts);
    if let Some(audit) = &audit {
        // By its name, until it is found.
        let name = ["stream", "app"].into_iter().find_map(|name| path.get(name));
        audit.about("", name.map_or("", String::as_str));
    }
    state.admit(&parts, &body, &project).await?;
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(Call {
        streams: Arc::clone(state.streams()),
        now_ms: state.now_ms(),
        project,
        query: parse_query(parts.uri.query().unwrap_or_default()),
        content_type: content_type.to_ascii_lowercase(),
        audit,
        path: path.0,
        body,
    })
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

impl Call {
    /// Returns a variable of the path.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// Returns a query parameter; one without a value counts as not given.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns a query parameter that must be given.
    pub(super) fn required(&self, name: &str) -> Result<&str, DisError> {
        self.query(name).ok_or_else(|| DisError::query(format!("query parameter `{name}` is missing")))
    }

    /// Returns a number from the query within bounds, or a default.
    pub(super) fn number(&self, name: &str, least: u64, most: u64, default: u64) -> Result<u64, DisError> {
        let Some(text) = self.query(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            DisError::query(format!("`{name}` is `{text}`; it must be a number from {least} to {most}"))
        })
    }

    /// Returns the partition in a query parameter that must be given.
    pub(super) fn partition(&self, name: &str) -> Result<u32, DisError> {
        parse_partition(self.required(name)?)
    }

    /// Says for the audit what the call is about.
    pub(super) fn is_about(&self, id: &str, name: &str) {
        if let Some(audit) = &self.audit {
            audit.about(id, name);
        }
    }

    /// Reads the JSON body.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, DisError> {
        crate::json::from_slice(&self.body)
            .map_err(|error| DisError::body(format!("the request body is wrong: {error}")))
    }

    /// Finds a stream by its id if there is one, by its name otherwise.
    pub(super) async fn stream(
        &self,
        name: Option<&str>,
        id: Option<&str>,
    ) -> Result<Arc<StreamEntry>, DisError> {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_string);
        match (given(name), given(id)) {
            (_, Some(id)) => Ok(self.streams.stream_by_id(&self.project, &id).await?),
            (Some(name), None) => Ok(self.streams.describe_stream(&self.project, &name).await?),
            (None, None) => Err(DisError::query("the stream is missing: give its name")),
        }
    }

    /// Finds the stream of the path, where clients put its name or its id.
    pub(super) async fn path_stream(&self) -> Result<Arc<StreamEntry>, DisError> {
        let text = self.path("stream").to_string();
        let entry = match self.query("stream_id") {
            Some(id) => self.stream(None, Some(id)).await?,
            None => match self.streams.describe_stream(&self.project, &text).await {
                Err(StreamsError::NoStream(_)) => self.streams.stream_by_id(&self.project, &text).await?,
                found => found?,
            },
        };
        self.is_about(&entry.id, &entry.name);
        Ok(entry)
    }
}

/// Reads a partition, `shardId-0000000002` or `2`.
pub(super) fn parse_partition(text: &str) -> Result<u32, DisError> {
    let digits = text.strip_prefix("shardId-").unwrap_or(text);
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    number.ok_or_else(|| {
        DisError::new(4201, format!("`{text}` is not a partition id, such as `shardId-0000000002` or `2`"))
    })
}

/// Writes a partition as clients see it.
pub(super) fn partition_id(partition: u32) -> String {
    format!("shardId-{partition:010}")
}

/// Reads a sequence number, which clients send as text.
pub(super) fn parse_sequence(text: &str) -> Result<u64, DisError> {
    let number = text.parse().ok().filter(|number| *number <= i64::MAX as u64);
    number.ok_or_else(|| {
        DisError::new(4216, format!("`{text}` is not a sequence number: 0 to 9223372036854775807"))
    })
}

/// A page of a list ordered by name.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) has_more: bool,
}

/// Cuts the page behind `start`, which itself is not on it.
pub(super) fn page_after<T>(all: Vec<T>, limit: usize, is_after_start: impl Fn(&T) -> bool) -> Page<T> {
    let mut items: Vec<T> = all.into_iter().filter(is_after_start).collect();
    let has_more = items.len() > limit;
    items.truncate(limit);
    Page { items, has_more }
}

/// Text or a number, where clients send either.
#[derive(serde::Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrNumber {
    Text(String),
    Number(u64),
}

impl TextOrNumber {
    /// Returns it as text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}
