//! The JSON of the identity service: what requests hold, and how records are shown.

use std::fmt;
use std::time::Duration;

use chrono::DateTime;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccessKey, AssumeRequest, Assumer, Domain, DomainSelector, Group, IssuedKey, LIFE_SECONDS, LoginMethod,
    LoginRequest, Project, Role, Scope, ScopeRequest, Session, User, UserSelector,
};

use super::error::IamError;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    identity: Option<IdentityPart>,
    scope: Option<ScopePart>,
}

#[derive(Deserialize)]
struct IdentityPart {
    #[serde(default)]
    methods: Vec<String>,
    password: Option<PasswordPart>,
    token: Option<TokenPart>,
    assume_role: Option<AgencyPart>,
    policy: Option<Value>,
}

#[derive(Deserialize)]
struct AgencyPart {
    /// Some documents of the service call it so, others `xrole_name`.
    agency_name: Option<String>,
    xrole_name: Option<String>,
    domain_id: Option<String>,
    domain_name: Option<String>,
    duration_seconds: Option<u64>,
}

/// The account that has an agency, and its name there.
pub(super) type NamedAgency = (DomainSelector, String);

impl AgencyPart {
    fn agency(&self) -> Result<NamedAgency, IamError> {
        let name = self.agency_name.clone().or_else(|| self.xrole_name.clone());
        let name = name.ok_or_else(|| IamError::missing("auth.identity.assume_role.agency_name"))?;
        let domain = match (&self.domain_id, &self.domain_name) {
            (Some(id), _) => DomainSelector::Id(id.clone()),
            (None, Some(name)) => DomainSelector::Name(name.clone()),
            (None, None) => return Err(IamError::missing("auth.identity.assume_role.domain_name")),
        };
        Ok((domain, name))
    }
}

/// A token that is wished for.
pub(super) enum TokenWish {
    LogIn(LoginRequest),
    Assume(AssumeRequest),
}

/// A temporary key that is wished for.
pub(super) struct KeyWish {
    pub from: KeySource,
    pub life: Duration,
}

/// What a temporary key is made from.
pub(super) enum KeySource {
    /// A token in the body.
    Token(String),
    /// The credential of the request.
    Caller,
    Agency(NamedAgency),
}

#[derive(Deserialize)]
struct PasswordPart {
    user: Option<UserPart>,
}

#[derive(Deserialize)]
struct UserPart {
    id: Option<String>,
    name: Option<String>,
    password: Option<String>,
    domain: Option<Named>,
}

#[derive(Deserialize)]
struct TokenPart {
    id: Option<String>,
    duration_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct ProjectPart {
    id: Option<String>,
    name: Option<String>,
    domain: Option<Named>,
}

enum ScopePart {
    Word(String),
    Parts(ScopeParts),
}

#[derive(Deserialize)]
struct ScopeParts {
    project: Option<ProjectPart>,
    domain: Option<Named>,
}

// Not derived: an untagged enum keeps what it reads, and reads its parts out of that as any JSON, arrays for objects included.
impl<'de> Deserialize<'de> for ScopePart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrObject;

        impl<'de> Visitor<'de> for TextOrObject {
            type Value = ScopePart;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a text or an object")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<ScopePart, E> {
                Ok(ScopePart::Word(word.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ScopePart, A::Error> {
                ScopeParts::deserialize(MapAccessDeserializer::new(map)).map(ScopePart::Parts)
            }
        }

        deserializer.deserialize_any(TextOrObject)
    }
}

impl TokenRequest {
    /// Turns the body into a wish for a token.
    pub(super) fn into_token_wish(self) -> Result<TokenWish, IamError> {
        let auth = self.auth.ok_or_else(|| IamError::missing("auth"))?;
        let identity = auth.identity.ok_or_else(|| IamError::missing("auth.identity"))?;
        let method = match identity.methods.as_slice() {
            [method] if method == "password" => password_method(identity.password)?,
            [method] if method == "token" => {
                let id = identity.token.and_then(|token| token.id);
                LoginMethod::Token(id.ok_or_else(|| IamError::missing("auth.identity.token.id"))?)
            }
            [method] if method == "assume_role" => {
                let part = identity.assume_role;
                let part = part.ok_or_else(|| IamError::missing("auth.identity.assume_role"))?;
                let (domain, agency) = part.agency()?;
                let life = part.duration_seconds.map(life).transpose()?;
                let scope = scope_request(auth.scope)?;
                return Ok(TokenWish::Assume(AssumeRequest { agency, domain, scope, life }));
            }
            [] => return Err(IamError::missing("auth.identity.methods")),
            _ => {
                return Err(IamError::value(
                    "`auth.identity.methods` must hold one method: `password`, `token` or `assume_role`",
                ));
            }
        };
        Ok(TokenWish::LogIn(LoginRequest { method, scope: scope_request(auth.scope)? }))
    }

    /// Turns the body into a wish for a temporary key.
    pub(super) fn into_key_wish(self) -> Result<KeyWish, IamError> {
        let auth = self.auth.ok_or_else(|| IamError::missing("auth"))?;
        let identity = auth.identity.ok_or_else(|| IamError::missing("auth.identity"))?;
        if identity.policy.is_some() {
            return Err(IamError::value(
                "`auth.identity.policy` cannot be kept: a temporary key can do what its credential can; leave it out",
            ));
        }
        let (from, seconds) = match identity.methods.as_slice() {
            [method] if method == "token" => match identity.token {
                Some(TokenPart { id, duration_seconds }) => {
                    (id.map_or(KeySource::Caller, KeySource::Token), duration_seconds)
                }
                None => (KeySource::Caller, None),
            },
            [method] if method == "assume_role" => {
                let part = identity.assume_role;
                let part = part.ok_or_else(|| IamError::missing("auth.identity.assume_role"))?;
                (KeySource::Agency(part.agency()?), part.duration_seconds)
            }
            [] => return Err(IamError::missing("auth.identity.methods")),
            _ => {
                return Err(IamError::value(
                    "`auth.identity.methods` must hold one method: `token` or `assume_role`",
                ));
            }
        };
        Ok(KeyWish { from, life: life(seconds.unwrap_or(*LIFE_SECONDS.start()))? })
    }
}

fn life(seconds: u64) -> Result<Duration, IamError> {
    if LIFE_SECONDS.contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    let (least, most) = LIFE_SECONDS.into_inner();
    Err(IamError::value(format!("`duration_seconds` is {seconds}; allowed are {least} to {most}")))
}

fn password_method(password: Option<PasswordPart>) -> Result<LoginMethod, IamError> {
    let user = password.and_then(|password| password.user);
    let user = user.ok_or_else(|| IamError::missing("auth.identity.password.user"))?;
    let password = user.password.ok_or_else(|| IamError::missing("auth.identity.password.user.password"))?;
    let selector = match (user.id, user.name) {
        (Some(id), _) => UserSelector::Id(id),
        (None, Some(name)) => UserSelector::Name { name, domain: user.domain.and_then(selector) },
        (None, None) => return Err(IamError::missing("auth.identity.password.user.name")),
    };
    Ok(LoginMethod::Password { user: selector, password })
}

/// Reads the scope; with both a project and a domain the project wins.
fn scope_request(scope: Option<ScopePart>) -> Result<ScopeRequest, IamError> {
    let (project, domain) = match scope {
        None => return Ok(ScopeRequest::Unscoped),
        Some(ScopePart::Word(word)) if word == "unscoped" => return Ok(ScopeRequest::Unscoped),
        Some(ScopePart::Word(word)) => {
            return Err(IamError::value(format!(
                "`auth.scope` is `{word}`; the only word allowed is `unscoped`"
            )));
        }
        Some(ScopePart::Parts(ScopeParts { project, domain })) => (project, domain),
    };
    match (project, domain.and_then(selector)) {
        (Some(ProjectPart { id: Some(id), .. }), _) => Ok(ScopeRequest::ProjectId(id)),
        (Some(ProjectPart { name: Some(name), domain, .. }), _) => {
            Ok(ScopeRequest::ProjectName { name, domain: domain.and_then(selector) })
        }
        (Some(_), _) => Err(IamError::missing("auth.scope.project.id")),
        (None, Some(domain)) => Ok(ScopeRequest::Domain(domain)),
        (None, None) => Ok(ScopeRequest::Unscoped),
    }
}

fn selector(named: Named) -> Option<DomainSelector> {
    match (named.id, named.name) {
        (Some(id), _) => Some(DomainSelector::Id(id)),
        (None, Some(name)) => Some(DomainSelector::Name(name)),
        (None, None) => None,
    }
}

/// Shows what a token says.
pub(super) fn token(session: &Session, catalog: Option<Value>) -> Value {
    let mut token = json!({
        "methods": session.methods,
        "issued_at": time(session.issued_at),
        "expires_at": time(session.expires_at),
        "user": {
            "id": session.user_id,
            "name": session.user_name,
            "domain": named_domain(&session.user_domain),
            "password_expires_at": "",
        },
        "audit_ids": [session.audit_id],
    });
    if let Some(Assumer { user_id, user_name, user_domain }) = &session.assumed_by {
        token["assumed_by"] =
            json!({ "user": { "id": user_id, "name": user_name, "domain": named_domain(user_domain) } });
    }
    match &session.scope {
        Scope::Unscoped => return json!({ "token": token }),
        Scope::Project { project, domain } => {
            token["project"] =
                json!({ "id": project.id, "name": project.name, "domain": named_domain(domain) });
        }
        Scope::Domain(domain) => token["domain"] = named_domain(domain),
    }
    let roles = session.roles.iter().filter_map(|name| weir_cloud::identity::role(name));
    token["roles"] = roles.map(|role| json!({ "id": role.id(), "name": role.name })).collect();
    if let Some(catalog) = catalog {
        token["catalog"] = catalog;
    }
    json!({ "token": token })
}

fn named_domain(domain: &Domain) -> Value {
    json!({ "id": domain.id, "name": domain.name })
}

/// Returns the links of a list that is shown whole.
pub(super) fn list_links(base: &str, path: &str) -> Value {
    json!({ "self": format!("{base}{path}"), "previous": null, "next": null })
}

/// Shows a project.
pub(super) fn project(project: &Project, base: &str) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "parent_id": project.domain_id,
        "is_domain": false,
        "enabled": project.enabled,
        "description": project.description,
        "links": { "self": format!("{base}/v3/projects/{}", project.id) },
    })
}

/// Shows a domain.
pub(super) fn domain(domain: &Domain, base: &str) -> Value {
    json!({
        "id": domain.id,
        "name": domain.name,
        "enabled": true,
        "description": "",
        "links": { "self": format!("{base}/v3/domains/{}", domain.id) },
    })
}

/// Shows a user, without its password.
pub(super) fn user(user: &User, base: &str) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "enabled": user.enabled,
        "description": user.description,
        "default_project_id": user.default_project_id,
        "password_expires_at": null,
        "pwd_status": true,
        "links": { "self": format!("{base}/v3/users/{}", user.id) },
    })
}

/// Shows a group.
pub(super) fn group(group: &Group, base: &str) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "domain_id": group.domain_id,
        "description": group.description,
        "create_time": group.created_at.0,
        "links": { "self": format!("{base}/v3/groups/{}", group.id) },
    })
}

/// Shows a role.
pub(super) fn role(role: &Role, base: &str) -> Value {
    json!({
        "id": role.id(),
        "name": role.name,
        "display_name": role.display_name,
        "description": role.description,
        "domain_id": null,
        "type": "AA",
        "catalog": "BASE",
        "links": { "self": format!("{base}/v3/roles/{}", role.id()) },
    })
}

/// Whether the secret half of an access key is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    Shown,
    Hidden,
}

/// Shows an access key.
pub(super) fn credential(key: &AccessKey, secret: Secret) -> Value {
    let mut shown = json!({
        "access": key.access,
        "user_id": key.user_id,
        "description": key.description,
        "status": key.status.as_str(),
        "create_time": time(key.created_at),
    });
    if secret == Secret::Shown {
        shown["secret"] = json!(key.secret.expose());
    } else if let Some(last) = key.last_used_at {
        shown["last_use_time"] = json!(time(last));
    }
    shown
}

/// Shows a temporary key with everything that goes with it.
pub(super) fn temporary_key(issued: &IssuedKey) -> Value {
    json!({
        "access": issued.key.access,
        "secret": issued.key.secret.expose(),
        "securitytoken": issued.security_token.expose(),
        "expires_at": time(issued.key.expires_at),
    })
}

/// Shows an instant as clients expect it: ISO 8601 with six decimals.
pub(super) fn time(at: Timestamp) -> String {
    let date = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
    date.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
