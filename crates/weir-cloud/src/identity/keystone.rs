//! Accounts of a Keystone v3 service elsewhere: logging in there, and what its tokens say.
//!
//! A token is asked for what it says with itself as the credential, which Keystone lets every token do; the service
//! needs no account of its own there.

use std::fmt;
use std::time::Duration;

use chrono::DateTime;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use weir_base::time::Timestamp;

use super::error::{LoginError, TokenError};
use super::log_in::{DomainSelector, LoginMethod, LoginRequest, ScopeRequest, UserSelector};
use super::record::{Domain, Origin, Project};
use super::service::hash_of;
use super::session::{Scope, Session};

const CALL_TIME: Duration = Duration::from_secs(10);
const SUBJECT: &str = "X-Subject-Token";

/// A Keystone v3 service.
pub struct Keystone {
    client: Client,
    endpoint: String,
}

impl fmt::Debug for Keystone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystone").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Envelope {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    user: Owned,
    project: Option<Owned>,
    domain: Option<Named>,
    #[serde(default)]
    roles: Vec<Named>,
    #[serde(default)]
    methods: Vec<String>,
    issued_at: String,
    expires_at: String,
    #[serde(default)]
    audit_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Owned {
    id: String,
    name: String,
    domain: Named,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

impl From<Named> for Domain {
    fn from(named: Named) -> Self {
        Self { id: named.id, name: named.name }
    }
}

impl Keystone {
    /// Makes the client of an endpoint such as `http://keystone:5000/v3`; the error says why there can be none.
    pub fn new(endpoint: &str) -> Result<Self, String> {
        let endpoint = endpoint.trim_end_matches('/').to_string();
        Url::parse(&endpoint).map_err(|error| format!("`{endpoint}` is not an address: {error}"))?;
        if !endpoint.ends_with("/v3") {
            return Err(format!("`{endpoint}` does not end with /v3"));
        }
        let client = Client::builder()
            .timeout(CALL_TIME)
            // The token would go wherever a redirect leads.
            .redirect(Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, endpoint })
    }

    /// Returns where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns what a token says.
    pub(super) async fn session(&self, token: &str) -> Result<Session, TokenError> {
        let request = self.with_itself(Method::GET, token).query(&[("nocatalog", "")]);
        let answer = request.send().await.map_err(|error| self.silent(&error))?;
        match answer.status() {
            StatusCode::OK => self.read(answer, token).await.map_err(TokenError::Unavailable),
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Err(TokenError::Unknown),
            other => Err(TokenError::Unavailable(self.unexpected(other))),
        }
    }

    /// Makes a token invalid.
    pub(super) async fn revoke(&self, token: &str) -> Result<(), TokenError> {
        let answer = self.with_itself(Method::DELETE, token).send().await;
        match answer.map_err(|error| self.silent(&error))?.status() {
            StatusCode::NO_CONTENT => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Err(TokenError::Unknown),
            other => Err(TokenError::Unavailable(self.unexpected(other))),
        }
    }

    /// Logs in. Returns the token and what it says.
    pub(super) async fn log_in(&self, login: &LoginRequest) -> Result<(String, Session), LoginError> {
        let request = self.client.post(format!("{}/auth/tokens", self.endpoint)).json(&body(login));
        let answer = request.send().await.map_err(|error| LoginError::from(self.silent(&error)))?;
        match answer.status() {
            StatusCode::CREATED => {}
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => {
                return Err(match login.method {
                    LoginMethod::Password { .. } => LoginError::WrongCredentials,
                    LoginMethod::Token(_) => LoginError::InvalidToken,
                });
            }
            StatusCode::FORBIDDEN => return Err(LoginError::ScopeRefused),
            other => return Err(LoginError::Unavailable(self.unexpected(other))),
        }
        let token = answer.headers().get(SUBJECT).and_then(|value| value.to_str().ok()).map(String::from);
        let token = token.ok_or_else(|| {
            LoginError::Unavailable(format!("{} answered a log-in without `{SUBJECT}`", self.endpoint))
        })?;
        let session = self.read(answer, &token).await.map_err(LoginError::Unavailable)?;
        Ok((token, session))
    }

    fn with_itself(&self, method: Method, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/auth/tokens", self.endpoint));
        request.header("X-Auth-Token", token).header(SUBJECT, token)
    }

    async fn read(&self, answer: Response, text: &str) -> Result<Session, String> {
        let unreadable = |reason: String| format!("a token of {} cannot be read: {reason}", self.endpoint);
        let envelope: Envelope = answer.json().await.map_err(|error| unreadable(error.to_string()))?;
        session(envelope.token, Origin::RemoteToken(hash_of(text))).map_err(unreadable)
    }

    fn silent(&self, error: &reqwest::Error) -> TokenError {
        TokenError::Unavailable(format!("{} does not answer: {error}", self.endpoint))
    }

    fn unexpected(&self, status: StatusCode) -> String {
        format!("{} answered with {status}", self.endpoint)
    }
}

fn session(token: Token, origin: Origin) -> Result<Session, String> {
    let scope = match (token.project, token.domain) {
        (Some(project), _) => {
            let domain = Domain::from(project.domain);
            let project = Project {
                id: project.id,
                name: project.name,
                domain_id: domain.id.clone(),
                description: String::new(),
                enabled: true,
            };
            Scope::Project { project, domain }
        }
        (None, Some(domain)) => Scope::Domain(domain.into()),
        (None, None) => Scope::Unscoped,
    };
    let mut roles: Vec<String> = token.roles.into_iter().map(|role| role.name).collect();
    roles.sort();
    // A token with a scope on a project does not say which of its roles were given in the whole account.
    let account_roles = match &scope {
        Scope::Domain(_) => roles.clone(),
        Scope::Project { .. } | Scope::Unscoped => Vec::new(),
    };
    Ok(Session {
        user_id: token.user.id,
        user_name: token.user.name,
        user_domain: token.user.domain.into(),
        assumed_by: None,
        scope,
        account_roles,
        roles,
        methods: token.methods,
        issued_at: instant(&token.issued_at)?,
        expires_at: instant(&token.expires_at)?,
        audit_id: token.audit_ids.into_iter().next().unwrap_or_default(),
        origin,
    })
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|error| format!("`{text}`: {error}"))?;
    Ok(Timestamp(parsed.timestamp_millis()))
}

fn body(login: &LoginRequest) -> Value {
    let identity = match &login.method {
        LoginMethod::Password { user, password } => {
            let mut user = match user {
                UserSelector::Id(id) => json!({ "id": id }),
                UserSelector::Name { name, domain } => {
                    // Keystone knows no "only domain"; `default` is the one that each installation has.
                    let domain = domain.as_ref().map_or_else(|| json!({ "id": "default" }), selector);
                    json!({ "name": name, "domain": domain })
                }
            };
            user["password"] = json!(password);
            json!({ "methods": ["password"], "password": { "user": user } })
        }
        LoginMethod::Token(token) => json!({ "methods": ["token"], "token": { "id": token } }),
    };
    let scope = match &login.scope {
        ScopeRequest::Unscoped => json!("unscoped"),
        ScopeRequest::ProjectId(id) => json!({ "project": { "id": id } }),
        ScopeRequest::ProjectName { name, domain } => {
            let of_user = || match &login.method {
                LoginMethod::Password { user: UserSelector::Name { domain: Some(domain), .. }, .. } => {
                    selector(domain)
                }
                _ => json!({ "id": "default" }),
            };
            let domain = domain.as_ref().map_or_else(of_user, selector);
            json!({ "project": { "name": name, "domain": domain } })
        }
        ScopeRequest::Domain(domain) => json!({ "domain": selector(domain) }),
    };
    json!({ "auth": { "identity": identity, "scope": scope } })
}

fn selector(domain: &DomainSelector) -> Value {
    match domain {
        DomainSelector::Id(id) => json!({ "id": id }),
        DomainSelector::Name(name) => json!({ "name": name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_v3_endpoint_will_do() {
        assert_eq!(Keystone::new("http://k:5000/v3/").unwrap().endpoint(), "http://k:5000/v3");
        assert!(Keystone::new("http://k:5000").unwrap_err().contains("/v3"));
        assert!(Keystone::new("k/v3").unwrap_err().contains("not an address"));
    }

    #[test]
    fn a_role_in_a_project_administers_no_account() {
        let read = |scope: Value| {
            let mut token = json!({
                "user": { "id": "u", "name": "ann", "domain": { "id": "d", "name": "firm" } },
                "roles": [{ "id": "r", "name": "te_admin" }],
                "issued_at": "2019-01-01T00:00:00Z", "expires_at": "2019-01-02T00:00:00Z",
            });
            token.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
            session(serde_json::from_value(token).unwrap(), Origin::RemoteToken([0; 32])).unwrap()
        };
        let domain = json!({ "id": "d", "name": "firm" });
        let in_project = read(json!({ "project": { "id": "p", "name": "work", "domain": domain } }));
        assert_eq!((in_project.roles.len(), in_project.account_roles.len()), (1, 0));
        let in_account = read(json!({ "domain": domain }));
        assert_eq!(in_account.account_roles, ["te_admin"]);
    }

    #[test]
    fn a_project_of_a_name_is_looked_for_in_the_domain_of_the_user() {
        let login = |domain: Option<DomainSelector>| LoginRequest {
            method: LoginMethod::Password {
                user: UserSelector::Name { name: "ann".into(), domain },
                password: "p".into(),
            },
            scope: ScopeRequest::ProjectName { name: "work".into(), domain: None },
        };
        let sent = body(&login(Some(DomainSelector::Name("firm".into()))));
        assert_eq!(
            sent["auth"]["scope"],
            json!({ "project": { "name": "work", "domain": { "name": "firm" } } })
        );
        let sent = body(&login(None));
        assert_eq!(sent["auth"]["identity"]["password"]["user"]["domain"], json!({ "id": "default" }));
        assert_eq!(sent["auth"]["scope"]["project"]["domain"], json!({ "id": "default" }));
    }
}
