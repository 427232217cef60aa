//! Topics of a notification service elsewhere: finding them, and publishing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use weir_base::clock::Clock;
use weir_base::error::with_causes;

use super::publisher::PublishError;
use super::urn::Urn;
use crate::identity::{ClientCredential, Outgoing};

const CALL_TIME: Duration = Duration::from_secs(10);
/// Topics on a page of a list.
const PAGE: usize = 100;
/// What is encoded in a path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The topics of a project of a notification service elsewhere.
pub struct RemoteTopics {
    client: Client,
    endpoint: String,
    project: String,
    credential: ClientCredential,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for RemoteTopics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteTopics").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct TopicList {
    #[serde(default)]
    topics: Vec<ListedTopic>,
}

#[derive(Deserialize)]
struct ListedTopic {
    name: String,
    topic_urn: String,
}

impl RemoteTopics {
    /// Makes the client; the error says why there can be none.
    pub fn new(
        endpoint: &str,
        project: &str,
        credential: ClientCredential,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let endpoint = endpoint.trim_end_matches('/').to_string();
        Url::parse(&endpoint).map_err(|error| format!("`{endpoint}` is not an address: {error}"))?;
        let client = Client::builder()
            .timeout(CALL_TIME)
            // The token would go wherever a redirect leads.
            .redirect(Policy::none())
            .build()
            .map_err(|error| with_causes(&error))?;
        Ok(Self { client, endpoint, project: project.to_string(), credential, clock })
    }

    /// Returns the URN of the topic with this name or URN.
    pub(super) async fn find(&self, name_or_urn: &str) -> Result<Option<String>, PublishError> {
        if Urn::parse(name_or_urn).is_some() {
            let path = format!("topics/{}", encode(name_or_urn));
            return Ok(self.call(Method::GET, &path, "", None).await?.map(|_| name_or_urn.to_string()));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name_or_urn.is_empty() || !name_or_urn.bytes().all(is_name) {
            return Ok(None);
        }
        for offset in (0..).step_by(PAGE) {
            let query = format!("limit={PAGE}&name={name_or_urn}&offset={offset}");
            let Some(answer) = self.call(Method::GET, "topics", &query, None).await? else { return Ok(None) };
            let list: TopicList = serde_json::from_value(answer).map_err(|error| {
                PublishError::Unavailable(format!(
                    "the list of topics of `{}` cannot be read: {error}",
                    self.endpoint
                ))
            })?;
            let length = list.topics.len();
            if let Some(found) = list.topics.into_iter().find(|topic| topic.name == name_or_urn) {
                return Ok(Some(found.topic_urn));
            }
            if length < PAGE {
                break;
            }
        }
        Ok(None)
    }

    /// Publishes to a topic.
    pub(super) async fn publish(
        &self,
        topic_urn: &str,
        subject: &str,
        message: &str,
    ) -> Result<(), PublishError> {
        let body = json!({ "subject": subject, "message": message });
        let path = format!("topics/{}/publish", encode(topic_urn));
        match self.call(Method::POST, &path, "", Some(&body)).await? {
            Some(_) => Ok(()),
            None => Err(PublishError::NoTopic),
        }
    }

    /// Makes a call; `None` is "not found".
    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Option<&Value>,
    ) -> Result<Option<Value>, PublishError> {
        let unavailable =
            |reason: String| PublishError::Unavailable(format!("`{}`: {reason}", self.endpoint));
        let mark = if query.is_empty() { "" } else { "?" };
        let address = format!("{}/v2/{}/notifications/{path}{mark}{query}", self.endpoint, self.project);
        let url = Url::parse(&address).map_err(|error| unavailable(error.to_string()))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = self.client.request(method.clone(), url.clone());
        let outgoing = Outgoing {
            method: method.as_str(),
            url: &url,
            project: Some(&self.project),
            body: body.as_bytes(),
        };
        let headers = self.credential.headers(&outgoing, self.clock.now());
        for (name, value) in headers.map_err(|error| PublishError::Refused(error.to_string()))? {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/json").body(body);
        let answer = request.send().await.map_err(|error| unavailable(with_causes(&error)))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| unavailable(with_causes(&error)))?;
        match status.as_u16() {
            200..300 => Ok(Some(serde_json::from_str(&text).unwrap_or(Value::Null))),
            404 => Ok(None),
            429 | 500.. => Err(unavailable(format!("{status}: {}", shorten(&text)))),
            _ => Err(PublishError::Refused(format!("`{}`: {status}: {}", self.endpoint, shorten(&text)))),
        }
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn shorten(text: &str) -> String {
    text.chars().take(300).collect()
}
