//! [`Identity`]: what it holds, and how tokens become sessions.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use weir_base::clock::Clock;
use weir_base::time::Timestamp;

use super::cache::Cache;
use super::error::TokenError;
use super::keystone::Keystone;
use super::password::{Hasher, HashingCost};
use super::record::{AssignmentTarget, Domain, KeyStatus, Origin, TokenRecord, User};
use super::repository::{AccountRepository, RepositoryError};
use super::session::{Facts, Life, Scope, Session};
use super::throttle::Throttle;
use super::verify_request::KeyOwner;

/// Sessions and keys kept in memory; some hundred bytes each.
const CACHED_ENTRIES: usize = 4_096;

/// How long an expired token is remembered, so that its bearer is told "expired" and not "unknown".
const REMEMBER_EXPIRED: Duration = Duration::from_secs(24 * 3_600);

/// How many tokens can be made one from the other: ending the first one ends them all, which must stay a small change, and
/// each use may look at them all.
const LONGEST_CHAIN: usize = 100;

/// What the operator chooses about identities.
#[derive(Debug, Clone)]
pub struct IdentityOptions {
    /// How long a token is valid.
    pub token_life: Duration,
    /// What hashing a password costs.
    pub hashing: HashingCost,
    /// The Keystone that has the accounts; `None` keeps them here.
    pub keystone: Option<Arc<Keystone>>,
}

impl Default for IdentityOptions {
    fn default() -> Self {
        Self { token_life: Duration::from_secs(24 * 3_600), hashing: HashingCost::default(), keystone: None }
    }
}

/// The embedded identity service.
pub struct Identity {
    pub(super) repository: Arc<dyn AccountRepository>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: IdentityOptions,
    pub(super) hasher: Hasher,
    pub(super) throttle: Throttle,
    pub(super) sessions: Cache<[u8; 32], Arc<Session>>,
    pub(super) key_owners: Cache<String, Arc<KeyOwner>>,
    /// What tokens of the Keystone say, and since when that is known.
    pub(super) remote_sessions: Cache<[u8; 32], (Arc<Session>, Timestamp)>,
    /// Tokens that the Keystone does not know, and since when that is known.
    pub(super) unknown_tokens: Cache<[u8; 32], Timestamp>,
    /// Tokens of the Keystone that were revoked here, or are being so.
    pub(super) revoked_tokens: Cache<[u8; 32], ()>,
    region: OnceLock<String>,
    /// Id of the account of the first start.
    home: OnceLock<String>,
    object_port: OnceLock<u16>,
}

impl Identity {
    /// Makes the service over a repository.
    pub fn new(
        repository: Arc<dyn AccountRepository>,
        clock: Arc<dyn Clock>,
        options: IdentityOptions,
    ) -> Self {
        Self {
            repository,
            clock,
            hasher: Hasher::new(options.hashing),
            throttle: Throttle::default(),
            sessions: Cache::new(CACHED_ENTRIES),
            key_owners: Cache::new(CACHED_ENTRIES),
            remote_sessions: Cache::new(CACHED_ENTRIES),
            unknown_tokens: Cache::new(CACHED_ENTRIES),
            revoked_tokens: Cache::new(CACHED_ENTRIES),
            options,
            region: OnceLock::new(),
            home: OnceLock::new(),
            object_port: OnceLock::new(),
        }
    }

    /// Returns the name of the region in catalogs: that of [`Identity::bootstrap`].
    pub fn region(&self) -> &str {
        self.region.get().map_or("local", String::as_str)
    }

    /// Makes the name of the region known. The first one stays.
    pub fn set_region(&self, region: &str) {
        let _ = self.region.set(region.to_string());
    }

    /// Makes the account known of users who name none. The first one stays.
    pub(super) fn set_home(&self, domain_id: &str) {
        let _ = self.home.set(domain_id.to_string());
    }

    /// Returns the id of the account of users who name none, once there is one.
    pub(super) fn home(&self) -> Option<&str> {
        self.home.get().map(String::as_str)
    }

    /// Returns the present instant of the service's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes the port of the object endpoint known, so that the endpoint appears in catalogs. The first
    /// port stays.
    pub fn announce_object_port(&self, port: u16) {
        let _ = self.object_port.set(port);
    }

    /// Returns the port of the object endpoint, when there is one.
    pub fn object_port(&self) -> Option<u16> {
        self.object_port.get().copied()
    }

    /// Returns what a token says. Cheap for a token that was seen since the accounts last changed.
    pub async fn session(&self, token: &str) -> Result<Arc<Session>, TokenError> {
        if let Some(keystone) = self.keystone() {
            return self.session_of_keystone(keystone, token).await;
        }
        let hash = hash_of(token);
        let session = match self.sessions.get(&hash) {
            Some(session) => session,
            None => self.read_session(hash).await?,
        };
        if self.clock.now() >= session.expires_at { Err(TokenError::Expired) } else { Ok(session) }
    }

    /// Makes a token invalid at once, and the tokens and temporary keys that were made from it.
    pub async fn revoke(&self, token: &str) -> Result<(), TokenError> {
        if let Some(keystone) = self.keystone() {
            return self.changing(self.revoke_at_keystone(keystone, token)).await;
        }
        let was_there = self.changing(self.repository.delete_token(&hash_of(token))).await?;
        if was_there { Ok(()) } else { Err(TokenError::Unknown) }
    }

    /// Removes tokens and temporary keys that expired long ago.
    pub async fn purge(&self) -> Result<(), RepositoryError> {
        let before = self.clock.now().minus(REMEMBER_EXPIRED);
        self.repository.delete_tokens_before(before).await?;
        self.repository.delete_temporary_keys_before(before).await
    }

    async fn read_session(&self, hash: [u8; 32]) -> Result<Arc<Session>, TokenError> {
        let ticket = self.sessions.ticket();
        let record = self.repository.token(&hash).await?.ok_or(TokenError::Unknown)?;
        if let Some(origin) = &record.origin
            && !self.is_in_force(origin).await?
        {
            return Err(TokenError::Unknown);
        }
        let facts = self.facts_of(&record.user_id, record.agency_id.as_deref()).await?;
        let facts = facts.ok_or(TokenError::Unknown)?;
        let scope = self.scope_of(&record).await?.ok_or(TokenError::Unknown)?;
        let session = Arc::new(session_of(&record, &facts, scope));
        self.sessions.insert(ticket, hash, Arc::clone(&session));
        Ok(session)
    }

    /// Whether what was made from a credential is good: tokens are there, and an access key at the beginning is active. One that
    /// is switched off may be switched on again: what was made from it waits so long.
    pub(super) async fn is_in_force(&self, origin: &Origin) -> Result<bool, RepositoryError> {
        let mut origin = origin.clone();
        for _ in 0..LONGEST_CHAIN {
            origin = match origin {
                Origin::RemoteToken(hash) => return Ok(self.revoked_tokens.get(&hash).is_none()),
                Origin::Key(access) => {
                    let key = self.repository.key(&access).await?;
                    return Ok(key.is_some_and(|key| key.status == KeyStatus::Active));
                }
                Origin::Token(hash) => match self.repository.token(&hash).await? {
                    None => return Ok(false),
                    Some(TokenRecord { origin: None, .. }) => return Ok(true),
                    Some(TokenRecord { origin: Some(origin), .. }) => origin,
                },
            };
        }
        Ok(false)
    }

    /// Reads the scope of a token; `None` when it is gone.
    async fn scope_of(&self, record: &TokenRecord) -> Result<Option<Scope>, RepositoryError> {
        match &record.scope {
            None => Ok(Some(Scope::Unscoped)),
            Some(AssignmentTarget::Project(id)) => self.project_scope(id).await,
            Some(AssignmentTarget::Domain(id)) => Ok(self.domain(id).await?.map(Scope::Domain)),
        }
    }

    /// Reads a project that is enabled, and its domain; `None` when either is missing.
    pub(super) async fn project_scope(&self, id: &str) -> Result<Option<Scope>, RepositoryError> {
        let project = self.repository.project(id).await?.filter(|project| project.enabled);
        let Some(project) = project else { return Ok(None) };
        let domain = self.domain(&project.domain_id).await?;
        Ok(domain.map(|domain| Scope::Project { project, domain }))
    }

    /// Reads an enabled user; `None` when there is none.
    pub(super) async fn facts(&self, user_id: &str) -> Result<Option<Facts>, RepositoryError> {
        // One that another service has told of has no password here, and counts only while that service has the accounts.
        let counts =
            |user: &User| user.enabled && user.password.as_str().is_empty() == self.keystone().is_some();
        let Some(user) = self.repository.user(user_id).await?.filter(counts) else { return Ok(None) };
        let Some(domain) = self.domain(&user.domain_id).await? else { return Ok(None) };
        let assignments = self.all_assignments(user_id).await?;
        Ok(Some(Facts {
            id: user.id,
            name: user.name,
            domain,
            assignments,
            default_project_id: user.default_project_id,
            assumed_by: None,
        }))
    }

    /// Reads an enabled user, or the agency through which one acts and still may; `None` when there is none.
    pub(super) async fn facts_of(
        &self,
        user_id: &str,
        agency_id: Option<&str>,
    ) -> Result<Option<Facts>, RepositoryError> {
        let Some(user) = self.facts(user_id).await? else { return Ok(None) };
        let Some(agency_id) = agency_id else { return Ok(Some(user)) };
        match self.repository.agency(agency_id).await? {
            Some(agency) => self.facts_through(user, agency).await,
            None => Ok(None),
        }
    }

    pub(super) async fn domain(&self, id: &str) -> Result<Option<Domain>, RepositoryError> {
        Ok(self.repository.domains().await?.into_iter().find(|domain| domain.id == id))
    }

    /// Does a change of accounts, and forgets everything read when it has ended, however that was: a change whose answer got
    /// lost on the way may have been made.
    pub(super) async fn changing<T>(&self, change: impl Future<Output = T>) -> T {
        struct Forgets<'a>(&'a Identity);
        impl Drop for Forgets<'_> {
            fn drop(&mut self) {
                self.0.forget_cached();
            }
        }
        let _forgets = Forgets(self);
        change.await
    }

    /// Forgets everything read.
    pub(super) fn forget_cached(&self) {
        self.sessions.clear();
        self.key_owners.clear();
        self.remote_sessions.clear();
    }
}

/// Puts the session of a token together.
pub(super) fn session_of(record: &TokenRecord, facts: &Facts, scope: Scope) -> Session {
    let life = Life {
        methods: record.methods.clone(),
        issued_at: record.issued_at,
        expires_at: record.expires_at,
        audit_id: record.audit_id.clone(),
        origin: Origin::Token(record.hash),
    };
    facts.session(scope, life)
}

/// Returns the form in which a token is stored. Tokens have 256 random bits, so that a plain hash is
/// enough: there is nothing to guess.
pub(super) fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
