//! Accounts that are kept elsewhere, as far as their tokens tell of them.
//!
//! What the service keeps of its own about accounts (agencies, access keys, quotas, jobs) refers to domains, projects
//! and users; so each that a token of the Keystone speaks of is written down here under the id that it has there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Identity;
use super::error::{AdministerError, LoginError, TokenError};
use super::keystone::Keystone;
use super::log_in::{IssuedToken, LoginRequest};
use super::password::PasswordHash;
use super::record::{Assignment, AssignmentTarget, Domain, Project, User};
use super::repository::RepositoryError;
use super::service::hash_of;
use super::session::{Scope, Session};

/// How long what a token says is believed before the Keystone is asked again: a token that is revoked there is good
/// for so long here.
const RECHECK: Duration = Duration::from_secs(60);

/// How long a token that the Keystone does not know is not asked for again, so that whoever sends bad ones has no
/// request made for each.
const RECHECK_UNKNOWN: Duration = Duration::from_secs(10);

impl Identity {
    /// Returns the Keystone that has the accounts, if they are not kept here.
    pub fn keystone(&self) -> Option<&Keystone> {
        self.options.keystone.as_deref()
    }

    /// Refuses to change accounts that are kept elsewhere.
    pub(super) fn check_kept_here(&self) -> Result<(), AdministerError> {
        match self.keystone() {
            Some(keystone) => Err(AdministerError::Elsewhere(keystone.endpoint().to_string())),
            None => Ok(()),
        }
    }

    pub(super) async fn session_of_keystone(
        &self,
        keystone: &Keystone,
        token: &str,
    ) -> Result<Arc<Session>, TokenError> {
        let hash = hash_of(token);
        let now = self.clock.now();
        let is_revoked = || self.revoked_tokens.get(&hash).is_some();
        let is_unknown = is_revoked()
            || self.unknown_tokens.get(&hash).is_some_and(|asked| now.since(asked) < RECHECK_UNKNOWN);
        if is_unknown {
            return Err(TokenError::Unknown);
        }
        let fresh = self.remote_sessions.get(&hash).filter(|(_, asked)| now.since(*asked) < RECHECK);
        let session = match fresh {
            Some((session, _)) => session,
            None => {
                // What is forgotten while the Keystone is asked, by a revocation or by writing down what is new, is not cached.
                let ticket = self.remote_sessions.ticket();
                let session = match keystone.session(token).await {
                    Err(TokenError::Unknown) => {
                        self.unknown_tokens.insert(self.unknown_tokens.ticket(), hash, now);
                        return Err(TokenError::Unknown);
                    }
                    session => Arc::new(session?),
                };
                self.mirror(&session).await?;
                if is_revoked() {
                    return Err(TokenError::Unknown);
                }
                self.remote_sessions.insert(ticket, hash, (Arc::clone(&session), now));
                session
            }
        };
        if now >= session.expires_at { Err(TokenError::Expired) } else { Ok(session) }
    }

    /// Revokes a token at the Keystone, and removes the temporary keys that were made from it.
    pub(super) async fn revoke_at_keystone(
        &self,
        keystone: &Keystone,
        token: &str,
    ) -> Result<(), TokenError> {
        let hash = hash_of(token);
        // From now on nobody gets a session or a key by it, also if nobody waits for the end of this.
        self.revoked_tokens.insert(self.revoked_tokens.ticket(), hash, ());
        // Its keys go first, so that none is left when the Keystone has done its part and nothing more can be done here.
        let revoked = match self.repository.delete_temporary_keys_of_remote(&hash).await {
            Ok(()) => keystone.revoke(token).await,
            Err(error) => Err(error.into()),
        };
        if let Err(TokenError::Unavailable(_)) = revoked {
            // It is good still, and may be revoked again.
            self.revoked_tokens.remove(&hash);
            return revoked;
        }
        // One that was being made.
        self.repository.delete_temporary_keys_of_remote(&hash).await?;
        revoked
    }

    pub(super) async fn log_in_at_keystone(
        &self,
        keystone: &Keystone,
        request: &LoginRequest,
    ) -> Result<IssuedToken, LoginError> {
        let (token, session) = keystone.log_in(request).await?;
        self.mirror(&session).await?;
        Ok(IssuedToken { token, session: Arc::new(session) })
    }

    /// Writes down what a session says of accounts.
    async fn mirror(&self, session: &Session) -> Result<(), RepositoryError> {
        let changed = self.write_down(session).await;
        // Some of it may be there after a failure, too.
        if !matches!(changed, Ok(false)) {
            self.forget_cached();
        }
        changed.map(drop)
    }

    /// Returns whether there was something new.
    async fn write_down(&self, session: &Session) -> Result<bool, RepositoryError> {
        let mut changed = self.mirror_domain(&session.user_domain).await?;
        changed |= self.mirror_user(session).await?;
        let target = match &session.scope {
            Scope::Unscoped => None,
            Scope::Project { project, domain } => {
                changed |= self.mirror_domain(domain).await?;
                changed |= self.mirror_project(project).await?;
                Some(AssignmentTarget::Project(project.id.clone()))
            }
            Scope::Domain(domain) => {
                changed |= self.mirror_domain(domain).await?;
                Some(AssignmentTarget::Domain(domain.id.clone()))
            }
        };
        if let Some(target) = target {
            changed |= self.mirror_roles(session, &target).await?;
        }
        Ok(changed)
    }

    async fn mirror_domain(&self, domain: &Domain) -> Result<bool, RepositoryError> {
        if self.domain(&domain.id).await?.is_some() {
            return Ok(false);
        }
        insert(&domain.name, &domain.id, |name| {
            let domain = Domain { name, ..domain.clone() };
            async move { self.repository.insert_domain(&domain).await }
        })
        .await
    }

    async fn mirror_project(&self, project: &Project) -> Result<bool, RepositoryError> {
        if self.repository.project(&project.id).await?.is_some() {
            return Ok(false);
        }
        let is_new = insert(&project.name, &project.id, |name| {
            let project = Project { name, ..project.clone() };
            async move { self.repository.insert_project(&project).await }
        })
        .await?;
        self.give_service_agency(project).await;
        Ok(is_new)
    }

    async fn mirror_user(&self, session: &Session) -> Result<bool, RepositoryError> {
        if self.repository.user(&session.user_id).await?.is_some() {
            return Ok(false);
        }
        let user = User {
            id: session.user_id.clone(),
            name: session.user_name.clone(),
            domain_id: session.user_domain.id.clone(),
            description: String::new(),
            enabled: true,
            // Fits no password.
            password: PasswordHash::new(""),
            default_project_id: None,
        };
        insert(&session.user_name, &session.user_id, |name| {
            let user = User { name, ..user.clone() };
            async move { self.repository.insert_user(&user).await }
        })
        .await
    }

    /// Gives a user the roles of a session in its scope and takes all others there: those of access keys are the same.
    async fn mirror_roles(
        &self,
        session: &Session,
        target: &AssignmentTarget,
    ) -> Result<bool, RepositoryError> {
        let assigned = self.repository.assignments(&session.user_id).await?;
        let here = assigned.iter().filter(|assignment| assignment.target == *target);
        let had: BTreeSet<&str> = here.map(|assignment| assignment.role.as_str()).collect();
        let has: BTreeSet<&str> = session.roles.iter().map(String::as_str).collect();
        let assignment = |role: &str| Assignment {
            user_id: session.user_id.clone(),
            target: target.clone(),
            role: role.to_string(),
        };
        for role in has.difference(&had) {
            self.repository.assign(&assignment(role)).await?;
        }
        for role in had.difference(&has) {
            self.repository.unassign(&assignment(role)).await?;
        }
        Ok(had != has)
    }
}

/// Writes something down, with its id in its name where something that is gone elsewhere has kept the name here. Returns
/// whether it is new.
async fn insert<F: Future<Output = Result<(), RepositoryError>>>(
    name: &str,
    id: &str,
    write: impl Fn(String) -> F,
) -> Result<bool, RepositoryError> {
    let mut inserted = write(name.to_string()).await;
    if let Err(RepositoryError::Conflict) = inserted {
        inserted = write(format!("{name} ({id})")).await;
    }
    match inserted {
        Ok(()) => Ok(true),
        // Another call has written it meanwhile.
        Err(RepositoryError::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}
