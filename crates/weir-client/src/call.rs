//! Calls: a request with its credential, and the answer as JSON.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Method, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use weir_base::clock::{Clock, SystemClock};
use weir_base::error::with_causes;
use weir_cloud::identity::{ClientCredential, Outgoing};

use crate::error::{ClientError, Refusal};

/// A service that has not taken the connection by then is not there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The slowest calls look at buckets and streams of others, which takes seconds.
const CALL_LIMIT: Duration = Duration::from_secs(60);
/// Records on a page when all pages are read; the service gives no more.
const PAGE: usize = 100;
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What a call sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// Bytes of another type.
    Bytes {
        /// The value of `Content-Type`.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// Calls a service for one user, in one project.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: String,
    credential: ClientCredential,
    project: Option<Project>,
}

/// Encodes a text as one segment of a path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Makes the HTTP client. Redirects are not followed: the token would go wherever they lead.
pub(crate) fn http() -> Result<reqwest::Client, ClientError> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .timeout(CALL_LIMIT)
        .redirect(Policy::none())
        .build()
        .map_err(|error| ClientError::Given(format!("no HTTP client can be made: {}", with_causes(&error))))
}

pub(crate) fn unreachable(endpoint: &str, error: reqwest::Error) -> ClientError {
    let cause = if error.is_timeout() {
        format!("no answer within {} s", CALL_LIMIT.as_secs())
    } else if broke_off(&error) {
        "it closed the connection while the request was being sent; what was sent may be longer than it takes"
            .to_string()
    } else {
        with_causes(&error.without_url())
    };
    ClientError::Unreachable { endpoint: endpoint.to_string(), cause }
}

/// Whether the other end closed the connection before it had read the request.
fn broke_off(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Reads an answer: JSON, nothing (null), or a refusal.
pub(crate) async fn read(endpoint: &str, answer: Response) -> Result<Value, ClientError> {
    let status = answer.status();
    let text = answer.text().await.map_err(|error| unreachable(endpoint, error))?;
    if !status.is_success() {
        return Err(Refusal::read(status.as_u16(), &text).into());
    }
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| ClientError::Unreadable {
        endpoint: endpoint.to_string(),
        cause: format!("the body is no JSON: {error}"),
    })
}

impl Client {
    /// Makes a client; nothing is sent yet.
    pub fn new(
        endpoint: &str,
        credential: ClientCredential,
        project: Option<Project>,
    ) -> Result<Self, ClientError> {
        Ok(Self { http: http()?, endpoint: endpoint.to_string(), credential, project })
    }

    /// Returns the project that calls are about.
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// Returns the address of the service.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns what proves who calls.
    pub fn credential(&self) -> &ClientCredential {
        &self.credential
    }

    pub(crate) fn set_project(&mut self, project: Project) {
        self.project = Some(project);
    }

    /// Makes a call. `{project}` in the path is replaced by the id of the project; what else is put into it must be
    /// encoded by [`segment`].
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Body,
    ) -> Result<Value, ClientError> {
        self.call_with(method, path, query, body, &[]).await
    }

    /// Makes a call with further headers.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Body,
        further: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        let url = self.url(path, query)?;
        let (content_type, bytes) = match body {
            Body::None => (None, Vec::new()),
            Body::Json(value) => (Some("application/json".to_string()), value.to_string().into_bytes()),
            Body::Bytes { content_type, bytes } => (Some(content_type), bytes),
        };
        let outgoing = Outgoing {
            method: method.as_str(),
            url: &url,
            project: self.project.as_ref().map(|project| project.id.as_str()),
            body: &bytes,
        };
        let headers = self
            .credential
            .headers(&outgoing, SystemClock.now())
            .map_err(|error| ClientError::Given(format!("the request cannot be signed: {error}")))?;
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in further {
            request = request.header(*name, *value);
        }
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type).body(bytes);
        }
        let answer = request.send().await.map_err(|error| unreachable(&self.endpoint, error))?;
        read(&self.endpoint, answer).await
    }

    /// Reads.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, ClientError> {
        self.call(Method::GET, path, query, Body::None).await
    }

    /// Reads what the envelope of the CS API holds.
    pub async fn payload(&self, path: &str, query: &[(&str, String)]) -> Result<Value, ClientError> {
        Ok(self.get(path, query).await?["payload"].take())
    }

    /// Reads all pages of a list of the CS API that goes by a cursor. `list` is the member with the records, `id` the
    /// member of a record that the cursor means. The answer is the first page with the records of all.
    pub async fn all_pages(
        &self,
        path: &str,
        filters: &[(&str, String)],
        list: &str,
        id: &str,
    ) -> Result<Value, ClientError> {
        let mut whole = Value::Null;
        let mut cursor = String::new();
        loop {
            let mut query = filters.to_vec();
            query.push(("limit", PAGE.to_string()));
            if !cursor.is_empty() {
                query.push(("cursor", cursor));
            }
            let mut page = self.payload(path, &query).await?;
            let Some(records) = page[list].as_array_mut().map(std::mem::take) else { return Ok(page) };
            let count = records.len();
            cursor = records.last().map(|record| plain(&record[id])).unwrap_or_default();
            match whole[list].as_array_mut() {
                Some(found) => found.extend(records),
                None => {
                    page[list] = records.into();
                    whole = page;
                }
            }
            if count < PAGE {
                return Ok(whole);
            }
        }
    }

    fn url(&self, path: &str, query: &[(&str, String)]) -> Result<Url, ClientError> {
        let project = match &self.project {
            Some(project) => project.id.as_str(),
            None if path.contains("{project}") => {
                return Err(ClientError::Given("no project is chosen; give --project".to_string()));
            }
            None => "",
        };
        // Blanks as %20, which all ways of signing agree on.
        let pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", segment(value))).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        let address =
            format!("{}{}{mark}{}", self.endpoint, path.replace("{project}", project), pairs.join("&"));
        Url::parse(&address)
            .map_err(|error| ClientError::Given(format!("`{address}` is not an address: {error}")))
    }
}

/// Returns a scalar as text, strings without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

#[cfg(test)]
mod tests {
    use weir_cloud::identity::SecretKey;

    use super::*;

    #[test]
    fn a_request_that_was_not_read_is_told_apart() {
        assert!(broke_off(&ClientFault(io::Error::from(ErrorKind::BrokenPipe))));
        assert!(!broke_off(&ClientFault(io::Error::from(ErrorKind::ConnectionRefused))));
    }

    #[derive(Debug, thiserror::Error)]
    #[error("sending failed")]
    struct ClientFault(#[source] io::Error);

    #[test]
    fn paths_and_queries_are_encoded() {
        let project = Project { id: "p1".into(), name: "local".into() };
        let token = ClientCredential::Token(SecretKey::new("t"));
        let client = Client::new("http://h:1", token.clone(), Some(project)).unwrap();
        let query = [("name", "a b&c=+".to_string()), ("limit", "5".to_string())];
        let path = format!("/v2/{{project}}/topics/{}", segment("urn:smn:local/x"));
        assert_eq!(
            client.url(&path, &query).unwrap().as_str(),
            "http://h:1/v2/p1/topics/urn%3Asmn%3Alocal%2Fx?name=a%20b%26c%3D%2B&limit=5"
        );
        let client = Client::new("http://h:1", token, None).unwrap();
        assert!(client.url("/v1.0/{project}/jobs", &[]).unwrap_err().to_string().contains("--project"));
        assert!(client.url("/v3/auth/projects", &[]).is_ok());
    }
}
