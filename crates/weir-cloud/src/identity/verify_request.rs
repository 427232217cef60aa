//! From a signed request to a session: finds the key, checks the signature, chooses the project.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use weir_base::time::Timestamp;

use super::Identity;
use super::error::{KeyError, RequestError};
use super::record::{KeyStatus, Origin};
use super::secret::SecretKey;
use super::service::hash_of;
use super::session::{Facts, Life, Scope, Session, Target, audit_name, roles_in};
use super::signature::{self, Authorization, SignedRequest};

/// How often the last use of a key is written down: often enough to find forgotten keys, rarely enough
/// to cost nothing.
const NOTE_USE_EVERY: Duration = Duration::from_secs(3_600);

/// The header of a temporary key's security token.
pub const SECURITY_TOKEN: &str = "x-security-token";

/// Which project a signed request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectChoice {
    /// The one named by the request; the owner must have a role in it.
    Named(String),
    /// The default project of the key's owner.
    Default,
}

/// The method of sessions of access keys that do not end by themselves.
pub(super) const BY_LASTING_KEY: &str = "access_key";
pub(super) const BY_TEMPORARY_KEY: &str = "temporary_key";

/// An access key with its owner, as cached.
pub(super) struct KeyOwner {
    access: String,
    secret: SecretKey,
    kind: Kind,
    facts: Facts,
    /// Names of the roles that the owner has, sorted, by the id of the project.
    roles: BTreeMap<String, Vec<String>>,
}

enum Kind {
    Lasting { last_used_at: Option<Timestamp> },
    Temporary { token_hash: [u8; 32], expires_at: Timestamp, origin: Origin },
}

impl KeyOwner {
    /// Refuses a temporary key that has expired or comes without its security token.
    fn check(&self, security_token: Option<&str>, now: Timestamp) -> Result<(), KeyError> {
        let Kind::Temporary { token_hash, expires_at, .. } = &self.kind else { return Ok(()) };
        // The texts are compared by their hashes, so that the time it takes says nothing of them.
        if security_token.map(hash_of).as_ref() != Some(token_hash) {
            return Err(KeyError::WrongSecurityToken);
        }
        if now >= *expires_at { Err(KeyError::Expired) } else { Ok(()) }
    }
}

/// An active access key and what its owner may do; for services whose requests name no project.
#[derive(Clone)]
pub struct KeyCaller(Arc<KeyOwner>);

impl KeyCaller {
    /// Returns the secret half of the key.
    pub fn secret(&self) -> &SecretKey {
        &self.0.secret
    }

    /// Returns the id of the owner.
    pub fn user_id(&self) -> &str {
        &self.0.facts.id
    }

    /// Returns the name of the owner for the audit, as [`Session::audit_name`] does.
    pub fn audit_name(&self) -> String {
        audit_name(&self.0.facts.name, self.0.facts.assumed_by.as_ref())
    }

    /// Returns the names of the roles that the owner has, sorted, by the id of the project.
    pub fn roles(&self) -> &BTreeMap<String, Vec<String>> {
        &self.0.roles
    }

    /// Returns the names of the roles that the owner has in a project.
    pub fn roles_in(&self, project: &str) -> &[String] {
        self.0.roles.get(project).map_or(&[], Vec::as_slice)
    }

    /// Returns the project of the owner's calls that name none.
    pub fn default_project(&self) -> Option<&str> {
        self.0.facts.default_project_id.as_deref()
    }
}

impl Identity {
    /// Checks a request that was signed with an access key, and returns what its owner may do.
    pub async fn verify_request(
        &self,
        authorization: &Authorization,
        request: &SignedRequest<'_>,
        project: &ProjectChoice,
    ) -> Result<Session, RequestError> {
        let now = self.clock.now();
        let owner = self.key_owner(&authorization.access_key).await?;
        signature::verify(authorization, request, &owner.secret, now)?;
        owner.check(request.header(SECURITY_TOKEN).as_deref(), now)?;
        self.note_use(&owner, now).await;
        let scope = self.scope_for_key(&owner.facts, project).await?;
        Ok(session_of_key(&owner, scope, now))
    }

    /// Returns an access key that is good with the security token, if there is one, and its owner's roles.
    pub async fn key_caller(
        &self,
        access: &str,
        security_token: Option<&str>,
    ) -> Result<KeyCaller, KeyError> {
        let owner = self.key_owner(access).await?;
        owner.check(security_token, self.clock.now())?;
        Ok(KeyCaller(owner))
    }

    /// Returns the secret half of an access key. Who checks a signature with it has to ask for the
    /// [`KeyCaller`], too: without its security token a temporary key is not good.
    pub async fn key_secret(&self, access: &str) -> Result<SecretKey, KeyError> {
        self.key_owner(access).await.map(|owner| owner.secret.clone())
    }

    async fn key_owner(&self, access: &str) -> Result<Arc<KeyOwner>, KeyError> {
        if let Some(owner) = self.key_owners.get(access) {
            return Ok(owner);
        }
        let ticket = self.key_owners.ticket();
        let (secret, kind, facts) = match self.repository.key(access).await? {
            Some(key) if key.status != KeyStatus::Active => return Err(KeyError::Inactive),
            Some(key) => {
                let facts = self.facts(&key.user_id).await?.ok_or(KeyError::Unknown)?;
                (key.secret, Kind::Lasting { last_used_at: key.last_used_at }, facts)
            }
            None => self.temporary(access).await?.ok_or(KeyError::Unknown)?,
        };
        let mut roles = BTreeMap::new();
        for domain in self.repository.domains().await? {
            for project in self.repository.projects(&domain.id).await? {
                let here = roles_in(&facts.assignments, &Target::Project(&project));
                if project.enabled && !here.is_empty() {
                    roles.insert(project.id, here);
                }
            }
        }
        let owner = Arc::new(KeyOwner { access: access.to_string(), secret, kind, facts, roles });
        self.key_owners.insert(ticket, access.to_string(), Arc::clone(&owner));
        Ok(owner)
    }

    async fn temporary(&self, access: &str) -> Result<Option<(SecretKey, Kind, Facts)>, KeyError> {
        let Some(key) = self.repository.temporary_key(access).await? else { return Ok(None) };
        let Some(facts) = self.facts_of(&key.user_id, key.agency_id.as_deref()).await? else {
            return Ok(None);
        };
        // One that is switched off may be switched on again: what was made from it waits so long.
        if !self.is_in_force(&key.origin).await? {
            return Ok(None);
        }
        let facts = Facts { default_project_id: key.default_project_id, ..facts };
        let kind =
            Kind::Temporary { token_hash: key.token_hash, expires_at: key.expires_at, origin: key.origin };
        Ok(Some((key.secret, kind, facts)))
    }

    /// Finds the scope; a project in which the owner has no role leaves the session without one, and
    /// the caller decides what that means.
    async fn scope_for_key(&self, facts: &Facts, choice: &ProjectChoice) -> Result<Scope, RequestError> {
        let id = match choice {
            ProjectChoice::Named(id) => Some(id.as_str()),
            ProjectChoice::Default => facts.default_project_id.as_deref(),
        };
        let Some(id) = id else { return Ok(Scope::Unscoped) };
        let scope = self.project_scope(id).await?;
        let has_role = |scope: &Scope| match scope {
            Scope::Project { project, .. } => {
                !roles_in(&facts.assignments, &Target::Project(project)).is_empty()
            }
            Scope::Unscoped | Scope::Domain(_) => false,
        };
        Ok(scope.filter(has_role).unwrap_or(Scope::Unscoped))
    }

    /// Writes down that a key was used, at most once an hour. A failure is logged: it must not refuse
    /// a good request.
    async fn note_use(&self, owner: &KeyOwner, now: Timestamp) {
        let Kind::Lasting { last_used_at } = owner.kind else { return };
        if last_used_at.is_some_and(|last| now.since(last) < NOTE_USE_EVERY) {
            return;
        }
        match self.repository.touch_key(&owner.access, now).await {
            Ok(()) => self.key_owners.clear(),
            Err(error) => {
                tracing::warn!(access_key = owner.access, %error, "the use of an access key could not be noted");
            }
        }
    }
}

fn session_of_key(owner: &KeyOwner, scope: Scope, now: Timestamp) -> Session {
    let (method, expires_at, origin) = match &owner.kind {
        Kind::Lasting { .. } => {
            (BY_LASTING_KEY, now.plus(signature::CLOCK_SKEW), Origin::Key(owner.access.clone()))
        }
        Kind::Temporary { expires_at, origin, .. } => (BY_TEMPORARY_KEY, *expires_at, origin.clone()),
    };
    let life = Life {
        methods: vec![method.to_string()],
        issued_at: now,
        expires_at,
        audit_id: owner.access.clone(),
        origin,
    };
    owner.facts.session(scope, life)
}
