//! From a signed request to a session: finds the key, checks the signature, chooses the project.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use weir_base::time::Timestamp;

use super::Identity;
use super::error::{KeyError, RequestError};
use super::record::{AccessKey, KeyStatus};
use super::session::{Facts, Scope, Session, Target, roles_in};
use super::signature::{self, Authorization, SignedRequest};

/// How often the last use of a key is written down: often enough to find forgotten keys, rarely enough
/// to cost nothing.
const NOTE_USE_EVERY: Duration = Duration::from_secs(3_600);

/// Which project a signed request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectChoice {
    /// The one named by the request; the owner must have a role in it.
    Named(String),
    /// The default project of the key's owner.
    Default,
}

/// An access key with its owner, as cached.
pub(super) struct KeyOwner {
    pub key: AccessKey,
    pub facts: Facts,
    /// Names of the roles that the owner has, sorted, by the id of the project.
    pub roles: BTreeMap<String, Vec<String>>,
}

/// An active access key and what its owner may do; for services whose requests name no project.
#[derive(Clone)]
pub struct KeyCaller(Arc<KeyOwner>);

impl KeyCaller {
    /// Returns the key.
    pub fn key(&self) -> &AccessKey {
        &self.0.key
    }

    /// Returns the name of the owner.
    pub fn user_name(&self) -> &str {
        &self.0.facts.user.name
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
        self.0.facts.user.default_project_id.as_deref()
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
        signature::verify(authorization, request, &owner.key.secret, now)?;
        self.note_use(&owner.key, now).await;
        let scope = self.scope_for_key(&owner.facts, project).await?;
        Ok(session_of_key(&owner, scope, now))
    }

    /// Returns an active access key with its secret half and its owner's roles.
    pub async fn key_caller(&self, access: &str) -> Result<KeyCaller, KeyError> {
        self.key_owner(access).await.map(KeyCaller)
    }

    async fn key_owner(&self, access: &str) -> Result<Arc<KeyOwner>, KeyError> {
        if let Some(owner) = self.key_owners.get(access) {
            return Ok(owner);
        }
        let ticket = self.key_owners.ticket();
        let key = self.repository.key(access).await?.ok_or(KeyError::Unknown)?;
        if key.status != KeyStatus::Active {
            return Err(KeyError::Inactive);
        }
        let facts = self.facts(&key.user_id).await?.ok_or(KeyError::Unknown)?;
        let mut roles = BTreeMap::new();
        for domain in self.repository.domains().await? {
            for project in self.repository.projects(&domain.id).await? {
                let here = roles_in(&facts.assignments, &Target::Project(&project));
                if !here.is_empty() {
                    roles.insert(project.id, here);
                }
            }
        }
        let owner = Arc::new(KeyOwner { key, facts, roles });
        self.key_owners.insert(ticket, access.to_string(), Arc::clone(&owner));
        Ok(owner)
    }

    /// Finds the scope; a project in which the owner has no role leaves the session without one, and
    /// the caller decides what that means.
    async fn scope_for_key(&self, facts: &Facts, choice: &ProjectChoice) -> Result<Scope, RequestError> {
        let id = match choice {
            ProjectChoice::Named(id) => Some(id.as_str()),
            ProjectChoice::Default => facts.user.default_project_id.as_deref(),
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
    async fn note_use(&self, key: &AccessKey, now: Timestamp) {
        if key.last_used_at.is_some_and(|last| now.since(last) < NOTE_USE_EVERY) {
            return;
        }
        match self.repository.touch_key(&key.access, now).await {
            Ok(()) => self.key_owners.clear(),
            Err(error) => {
                tracing::warn!(access_key = key.access, %error, "the use of an access key could not be noted");
            }
        }
    }
}

fn session_of_key(owner: &KeyOwner, scope: Scope, now: Timestamp) -> Session {
    let roles = match &scope {
        Scope::Project { project, .. } => roles_in(&owner.facts.assignments, &Target::Project(project)),
        Scope::Unscoped | Scope::Domain(_) => Vec::new(),
    };
    Session {
        user_id: owner.facts.user.id.clone(),
        user_name: owner.facts.user.name.clone(),
        user_domain: owner.facts.user_domain.clone(),
        scope,
        roles,
        methods: vec!["access_key".to_string()],
        issued_at: now,
        expires_at: now.plus(signature::CLOCK_SKEW),
        audit_id: owner.key.access.clone(),
    }
}
