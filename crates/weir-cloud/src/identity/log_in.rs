//! Logging in: from a password or a token, and a wished-for scope, to a new token.

use std::sync::Arc;

use weir_base::time::Timestamp;

use super::Identity;
use super::error::LoginError;
use super::password::PasswordHash;
use super::record::{AssignmentTarget, Domain, Proof, TokenRecord, User};
use super::service::{hash_of, session_of};
use super::session::{Facts, Scope, Session, Target, roles_in};

/// Names a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainSelector {
    /// By its id.
    Id(String),
    /// By its name.
    Name(String),
}

/// Names a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserSelector {
    /// By its id.
    Id(String),
    /// By its name, in a domain; without one in the account of the first start.
    Name {
        /// The name.
        name: String,
        /// The domain.
        domain: Option<DomainSelector>,
    },
}

/// What the caller shows.
#[derive(Clone)]
pub enum LoginMethod {
    /// A password.
    Password {
        /// Whose.
        user: UserSelector,
        /// The password; never shown.
        password: String,
    },
    /// A valid token.
    Token(String),
}

/// Where the token shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeRequest {
    /// Nowhere.
    Unscoped,
    /// In a project given by its id.
    ProjectId(String),
    /// In a project given by its name; without a domain in the user's.
    ProjectName {
        /// The name.
        name: String,
        /// The domain.
        domain: Option<DomainSelector>,
    },
    /// In a domain.
    Domain(DomainSelector),
}

/// A wish to log in.
#[derive(Clone)]
pub struct LoginRequest {
    /// What the caller shows.
    pub method: LoginMethod,
    /// Where the token shall hold.
    pub scope: ScopeRequest,
}

/// A new token.
#[derive(Clone)]
pub struct IssuedToken {
    /// The text, shown to its bearer and stored nowhere.
    pub token: String,
    /// What it says.
    pub session: Arc<Session>,
}

impl Identity {
    /// Checks what the caller shows and issues a token.
    pub async fn log_in(&self, request: LoginRequest) -> Result<IssuedToken, LoginError> {
        if let Some(keystone) = self.keystone() {
            return self.log_in_at_keystone(keystone, &request).await;
        }
        let mut expires_at = self.clock.now().plus(self.options.token_life);
        let (user_id, agency_id, methods, proof) = match request.method {
            LoginMethod::Password { user, password } => {
                let user = self.check_password(&user, &password).await?;
                (user.id, None, vec!["password".to_string()], Proof::Password(user.password))
            }
            LoginMethod::Token(token) => {
                let session = self.session(&token).await?;
                expires_at = session.bound(expires_at);
                let (user_id, agency_id) = session.bearer();
                let proof = Proof::Credential(session.origin.clone());
                (user_id, agency_id, with_token_method(&session.methods), proof)
            }
        };
        let facts = self.facts_of(&user_id, agency_id.as_deref()).await?;
        let facts = facts.ok_or(LoginError::WrongCredentials)?;
        self.issue(&facts, request.scope, methods, expires_at, proof).await
    }

    /// Issues a token with a scope, if what it is given for is still good then.
    pub(super) async fn issue(
        &self,
        facts: &Facts,
        scope: ScopeRequest,
        methods: Vec<String>,
        expires_at: Timestamp,
        proof: Proof,
    ) -> Result<IssuedToken, LoginError> {
        let scope = self.find_scope(facts, scope).await?.ok_or(LoginError::ScopeRefused)?;
        let token = hex::encode(rand::random::<[u8; 32]>());
        let (user_id, agency_id) = facts.bearer();
        let origin = match &proof {
            Proof::Password(_) => None,
            Proof::Credential(origin) => Some(origin.clone()),
        };
        if let Some(origin) = &origin
            && !self.is_in_force(origin).await?
        {
            return Err(LoginError::InvalidToken);
        }
        let record = TokenRecord {
            hash: hash_of(&token),
            user_id,
            agency_id,
            origin,
            scope: target_of(&scope),
            methods,
            issued_at: self.clock.now(),
            expires_at,
            audit_id: weir_base::id::random_hex_id(),
        };
        self.purge().await?;
        if !self.repository.insert_token(&record, &proof).await? {
            return Err(match proof {
                Proof::Password(_) => LoginError::WrongCredentials,
                Proof::Credential(_) => LoginError::InvalidToken,
            });
        }
        Ok(IssuedToken { token, session: Arc::new(session_of(&record, facts, scope)) })
    }

    /// Finds the user and checks the password, in a time that does not tell which of the two is wrong.
    async fn check_password(&self, selector: &UserSelector, password: &str) -> Result<User, LoginError> {
        let user = self.find_user(selector).await?;
        // One count for a user, by whatever name or id it is sought: it is that of the password. Accounts may have users of the
        // same name: guessing one must not lock the other out. Names that there are not count apart from ids: an id that is sent
        // must not tell by the count that it shares whether there is a name.
        let counted_as = match (&user, selector) {
            (Some(user), _) => counted_by_id(&user.id),
            (None, UserSelector::Id(id)) => counted_by_id(id),
            (None, UserSelector::Name { name, domain }) => {
                let domain = self.find_domain(domain.as_ref(), None).await?;
                format!("n:{}/{name}", domain.map(|domain| domain.id).unwrap_or_default())
            }
        };
        let user = user.filter(|user| user.enabled);
        let fits = self.check_guess(&counted_as, password, user.as_ref().map(|user| &user.password)).await?;
        user.filter(|_| fits).ok_or(LoginError::WrongCredentials)
    }

    /// Says whether a password is that of a user, who is known already. Wrong ones count as those of log-ins do.
    pub async fn confirm_password(&self, user: &User, password: &str) -> Result<bool, LoginError> {
        self.check_guess(&counted_by_id(&user.id), password, Some(&user.password)).await
    }

    async fn check_guess(
        &self,
        counted_as: &str,
        password: &str,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, LoginError> {
        let turn = self.hasher.turn().await.map_err(LoginError::Unavailable)?;
        if let Some(retry_after) = self.throttle.attempt(counted_as, self.clock.now()) {
            return Err(LoginError::TooManyAttempts { retry_after });
        }
        let fits = self.hasher.verify(&turn, password, hash).await.map_err(LoginError::Unavailable)?;
        if fits {
            self.throttle.forget(counted_as);
        }
        Ok(fits)
    }

    async fn find_user(&self, selector: &UserSelector) -> Result<Option<User>, LoginError> {
        match selector {
            UserSelector::Id(id) => Ok(self.repository.user(id).await?),
            UserSelector::Name { name, domain } => {
                let Some(domain) = self.find_domain(domain.as_ref(), None).await? else { return Ok(None) };
                Ok(self.repository.user_by_name(&domain.id, name).await?)
            }
        }
    }

    /// Finds a domain; without a selector `default`, else that of the first start, else the only one there is.
    pub(super) async fn find_domain(
        &self,
        selector: Option<&DomainSelector>,
        default: Option<&Domain>,
    ) -> Result<Option<Domain>, LoginError> {
        let domains = self.repository.domains().await?;
        let is_it = |domain: &Domain| match selector {
            Some(DomainSelector::Id(id)) => domain.id == *id,
            Some(DomainSelector::Name(name)) => domain.name == *name,
            None => match default.map(|default| default.id.as_str()).or(self.home()) {
                Some(id) => domain.id == id,
                None => domains.len() == 1,
            },
        };
        Ok(domains.iter().find(|domain| is_it(domain)).cloned())
    }

    /// Finds the scope; `None` when there is no such scope or the user has no role in it.
    async fn find_scope(&self, facts: &Facts, request: ScopeRequest) -> Result<Option<Scope>, LoginError> {
        let project_id = match request {
            ScopeRequest::Unscoped => return Ok(Some(Scope::Unscoped)),
            ScopeRequest::Domain(selector) => {
                let domain = self.find_domain(Some(&selector), None).await?;
                let has_role =
                    |domain: &Domain| !roles_in(&facts.assignments, &Target::Domain(domain)).is_empty();
                return Ok(domain.filter(has_role).map(Scope::Domain));
            }
            ScopeRequest::ProjectId(id) => id,
            ScopeRequest::ProjectName { name, domain } => {
                let found = self.find_domain(domain.as_ref(), Some(&facts.domain)).await?;
                let Some(domain) = found else { return Ok(None) };
                let projects = self.repository.projects(&domain.id).await?;
                let Some(project) = projects.into_iter().find(|project| project.name == name) else {
                    return Ok(None);
                };
                project.id
            }
        };
        Ok(self.project_scope(&project_id).await?.filter(|scope| has_role_in(facts, scope)))
    }
}

/// Returns what the wrong passwords of a user count under.
fn counted_by_id(id: &str) -> String {
    format!("u:{id}")
}

fn has_role_in(facts: &Facts, scope: &Scope) -> bool {
    match scope {
        Scope::Unscoped => true,
        Scope::Project { project, .. } => !roles_in(&facts.assignments, &Target::Project(project)).is_empty(),
        Scope::Domain(domain) => !roles_in(&facts.assignments, &Target::Domain(domain)).is_empty(),
    }
}

fn target_of(scope: &Scope) -> Option<AssignmentTarget> {
    match scope {
        Scope::Unscoped => None,
        Scope::Project { project, .. } => Some(AssignmentTarget::Project(project.id.clone())),
        Scope::Domain(domain) => Some(AssignmentTarget::Domain(domain.id.clone())),
    }
}

fn with_token_method(methods: &[String]) -> Vec<String> {
    let mut methods = methods.to_vec();
    if !methods.iter().any(|method| method == "token") {
        methods.push("token".to_string());
    }
    methods
}
