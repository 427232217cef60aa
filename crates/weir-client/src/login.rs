//! Tokens: asking for one, and giving it back.

use reqwest::Method;
use serde_json::{Value, json};
use weir_cloud::identity::SecretKey;

use crate::call::{Body, Client, Project, http, read, unreachable};
use crate::error::ClientError;

const SUBJECT: &str = "x-subject-token";

/// A user's name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// Name of the user.
    pub user: String,
    /// Name of its domain.
    pub domain: String,
    /// Password.
    pub password: SecretKey,
}

impl Password {
    pub(crate) fn identity(&self) -> Value {
        let domain = json!({ "name": self.domain });
        let user = json!({ "name": self.user, "password": self.password.expose(), "domain": domain });
        json!({ "methods": ["password"], "password": { "user": user } })
    }
}

/// Returns how a token proves who asks for another one.
pub(crate) fn token_identity(token: &SecretKey) -> Value {
    json!({ "methods": ["token"], "token": { "id": token.expose() } })
}

/// A token that was given out.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub token: SecretKey,
    /// Whose it is.
    pub user: String,
    /// Until when it is good, as the service writes it.
    pub expires_at: String,
}

/// Asks for a token, for a project or for none.
pub(crate) async fn log_in(
    endpoint: &str,
    identity: &Value,
    project: Option<&Project>,
) -> Result<Issued, ClientError> {
    let mut body = json!({ "auth": { "identity": identity } });
    if let Some(project) = project {
        body["auth"]["scope"] = json!({ "project": { "id": project.id } });
    }
    let request = http()?
        .post(format!("{endpoint}/v3/auth/tokens?nocatalog"))
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer = request.send().await.map_err(|error| unreachable(endpoint, error))?;
    let token = answer.headers().get(SUBJECT).and_then(|value| value.to_str().ok()).map(SecretKey::new);
    let told = read(endpoint, answer).await?;
    match token {
        Some(token) => Ok(Issued {
            token,
            user: text(&told["token"]["user"]["name"]),
            expires_at: text(&told["token"]["expires_at"]),
        }),
        None => Err(ClientError::Unreadable {
            endpoint: endpoint.to_string(),
            cause: "the answer to a login has no token".to_string(),
        }),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

impl Client {
    /// Returns what is known of a token.
    pub async fn token(&self, token: &SecretKey) -> Result<Value, ClientError> {
        let (path, query) = ("/v3/auth/tokens", [("nocatalog", "true".to_string())]);
        let subject = [(SUBJECT, token.expose())];
        let mut answer = self.call_with(Method::GET, path, &query, Body::None, &subject).await?;
        Ok(answer["token"].take())
    }

    /// Returns the project that a token is for.
    pub(crate) async fn own_project(&self, token: &SecretKey) -> Result<Option<Project>, ClientError> {
        let project = &self.token(token).await?["project"];
        Ok(project.is_object().then(|| Project { id: text(&project["id"]), name: text(&project["name"]) }))
    }

    /// Gives a token back, which nobody can use any more.
    pub async fn revoke(&self, token: &SecretKey) -> Result<(), ClientError> {
        let subject = [(SUBJECT, token.expose())];
        self.call_with(Method::DELETE, "/v3/auth/tokens", &[], Body::None, &subject).await.map(drop)
    }
}
