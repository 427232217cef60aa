//! The first start: a domain, a project and an administrator, so that the service is usable at once. Later starts leave them
//! as they are.

use super::Identity;
use super::agency::SERVICE_DOMAIN;
use super::error::AdministerError;
use super::password;
use super::record::{AccessKey, AssignmentTarget, Domain, KeyStatus, Project, User};
use super::session::{Target, roles_in};
use super::{NewProject, NewUser, RepositoryError, UserUpdate};

/// The role of who administers an account.
const ADMINISTRATOR: &str = "te_admin";

/// What the first start makes.
#[derive(Clone)]
pub struct BootstrapOptions {
    /// Name of the domain.
    pub domain: String,
    /// Name of the project; when it is empty the project is named like the region, because clients with
    /// an access key and no project id look for the project that is named like their region.
    pub project: String,
    /// Name of the administrator.
    pub user: String,
    /// The administrator's password; `None` generates one on the first start and leaves it alone later.
    /// A given one is set again on every start, and a disabled administrator enabled: that is how an operator who has forgotten
    /// it gets in.
    pub password: Option<String>,
    /// Name of the region.
    pub region: String,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self {
            domain: "admin".to_string(),
            project: String::new(),
            user: "admin".to_string(),
            password: None,
            region: "local".to_string(),
        }
    }
}

impl BootstrapOptions {
    fn project_name(&self) -> &str {
        if self.project.is_empty() { &self.region } else { &self.project }
    }
}

/// What there is after the first, and after every later, start.
#[derive(Debug, Clone)]
pub struct Bootstrapped {
    /// Id of the domain.
    pub domain_id: String,
    /// Id of the project; empty when the account has none any more.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// Id of the first administrator; empty when there is no such user any more.
    pub user_id: String,
    /// The generated password, on the start that made it; to be shown once.
    pub password: Option<String>,
    /// An active access key of the administrator of the first account, for the service's own commands.
    pub access_key: Option<AccessKey>,
}

impl Identity {
    /// Makes another account with an administrator, a project and the service's agency. What is left of an attempt that
    /// was cut short is completed: an account that nobody administers.
    pub async fn create_account(&self, options: BootstrapOptions) -> Result<Bootstrapped, AdministerError> {
        self.check_kept_here()?;
        match self.find_domain_named(&options.domain).await? {
            Some(domain) if self.is_administered(&domain).await? => {
                Err(AdministerError::Conflict(format!("an account `{}`", domain.name)))
            }
            _ => self.ensure_account(options).await,
        }
    }

    /// Makes domain, project and administrator at the first start, and completes what a start that was cut short has left.
    /// An account that somebody administers is left as its administrators made it, but for a configured password.
    pub async fn bootstrap(&self, options: BootstrapOptions) -> Result<Bootstrapped, AdministerError> {
        self.set_region(&options.region);
        let mut made = match self.find_domain_named(&options.domain).await? {
            Some(domain) if self.is_administered(&domain).await? => self.present(domain, &options).await?,
            _ => {
                let made = self.ensure_account(options).await?;
                if self.keys(&made.user_id).await?.is_empty() {
                    self.create_key(&made.user_id, "made at the first start").await?;
                }
                made
            }
        };
        self.set_home(&made.domain_id);
        let keys = self.keys(&made.user_id).await?;
        made.access_key = keys.into_iter().find(|key| key.status == KeyStatus::Active);
        Ok(made)
    }

    async fn find_domain_named(&self, name: &str) -> Result<Option<Domain>, AdministerError> {
        if name == SERVICE_DOMAIN {
            let rule = format!(
                "no account can have the name `{SERVICE_DOMAIN}`: it is that of the service itself, which agencies trust; \
                 choose another one (`domain`)"
            );
            return Err(AdministerError::Invalid(rule));
        }
        Ok(self.repository.domains().await?.into_iter().find(|domain| domain.name == name))
    }

    /// Whether somebody who can log in administers an account: giving that role is the last step of making one.
    async fn is_administered(&self, domain: &Domain) -> Result<bool, AdministerError> {
        // One that a Keystone has told of has no password here.
        let can_log_in = |user: &User| user.enabled && !user.password.as_str().is_empty();
        for user in self.repository.users(&domain.id).await?.into_iter().filter(can_log_in) {
            let assignments = self.all_assignments(&user.id).await?;
            if roles_in(&assignments, &Target::Domain(domain)).iter().any(|role| role == ADMINISTRATOR) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns what there is of an account that was made before, and sets the configured password of its first administrator,
    /// if that is there, who may log in from then on.
    async fn present(
        &self,
        domain: Domain,
        options: &BootstrapOptions,
    ) -> Result<Bootstrapped, AdministerError> {
        let user = self.repository.user_by_name(&domain.id, &options.user).await?;
        if let (Some(user), Some(password)) = (&user, &options.password) {
            match self.let_in(user, password).await {
                // The accounts are there: the service need not stand still for it.
                Err(AdministerError::Invalid(reason)) => {
                    tracing::warn!(user = user.name, reason, "the configured password was not set");
                }
                set => set?,
            }
        }
        let projects = self.repository.projects(&domain.id).await?;
        let default = user.as_ref().and_then(|user| user.default_project_id.as_ref());
        let project = projects
            .iter()
            .find(|project| project.name == options.project_name())
            .or_else(|| projects.iter().find(|project| Some(&project.id) == default))
            .or_else(|| projects.first());
        Ok(Bootstrapped {
            domain_id: domain.id,
            project_id: project.map(|project| project.id.clone()).unwrap_or_default(),
            project_name: project.map(|project| project.name.clone()).unwrap_or_default(),
            user_id: user.map(|user| user.id).unwrap_or_default(),
            password: None,
            access_key: None,
        })
    }

    /// Sees to it that a user can log in with a password.
    async fn let_in(&self, user: &User, password: &str) -> Result<(), AdministerError> {
        if !self.is_password(user, password).await? {
            self.set_password(&user.id, password).await?;
            tracing::warn!(user = user.name, "the administrator's password was set to the configured one");
        }
        if !user.enabled {
            let update = UserUpdate { enabled: Some(true), ..UserUpdate::default() };
            self.update_user(&user.id, update).await?;
            tracing::warn!(user = user.name, "the administrator was disabled, and may log in again");
        }
        Ok(())
    }

    /// Makes what is missing of domain, project and administrator. Safe to repeat after a crash in the middle.
    async fn ensure_account(&self, options: BootstrapOptions) -> Result<Bootstrapped, AdministerError> {
        let domain = self.ensure_domain(&options.domain).await?;
        let project = self.ensure_project(&domain, options.project_name()).await?;
        let (user, password) = self.ensure_administrator(&domain, &project, &options).await?;
        // The role in the account is the last: an account with an administrator is complete.
        for (target, role) in [
            (AssignmentTarget::Project(project.id.clone()), "cs_adm"),
            (AssignmentTarget::Project(project.id.clone()), ADMINISTRATOR),
            (AssignmentTarget::Domain(domain.id.clone()), ADMINISTRATOR),
        ] {
            self.assign_role(&user.id, target, role).await?;
        }
        Ok(Bootstrapped {
            domain_id: domain.id,
            project_id: project.id,
            project_name: project.name,
            user_id: user.id,
            password,
            access_key: None,
        })
    }

    async fn ensure_domain(&self, name: &str) -> Result<Domain, AdministerError> {
        let domains = self.repository.domains().await?;
        if let Some(domain) = domains.into_iter().find(|domain| domain.name == name) {
            return Ok(domain);
        }
        if name.is_empty() || name.len() > 64 {
            return Err(AdministerError::Invalid("the domain name must have 1 to 64 bytes".to_string()));
        }
        let domain = Domain { id: weir_base::id::random_hex_id(), name: name.to_string() };
        match self.repository.insert_domain(&domain).await {
            Ok(()) => Ok(domain),
            Err(error @ (RepositoryError::Conflict | RepositoryError::Unavailable(_))) => Err(error.into()),
        }
    }

    async fn ensure_project(&self, domain: &Domain, name: &str) -> Result<Project, AdministerError> {
        let projects = self.projects(&domain.id).await?;
        if let Some(project) = projects.into_iter().find(|project| project.name == name) {
            if let Err(error) = self.ensure_service_agency(&project.id).await {
                tracing::warn!(project = project.name, %error, "the project has no agency of the service");
            }
            return Ok(project);
        }
        let new = NewProject {
            name: name.to_string(),
            domain_id: domain.id.clone(),
            description: "default project".to_string(),
        };
        self.create_project(new).await
    }

    async fn ensure_administrator(
        &self,
        domain: &Domain,
        project: &Project,
        options: &BootstrapOptions,
    ) -> Result<(User, Option<String>), AdministerError> {
        let generated = options.password.is_none().then(password::generate);
        let password = options.password.clone().or_else(|| generated.clone()).unwrap_or_default();
        if let Some(user) = self.repository.user_by_name(&domain.id, &options.user).await? {
            // Nobody was told the password that was generated when it was made.
            self.let_in(&user, &password).await?;
            return Ok((user, generated));
        }
        let new = NewUser {
            name: options.user.clone(),
            domain_id: domain.id.clone(),
            description: "administrator".to_string(),
            password,
            enabled: true,
            default_project_id: Some(project.id.clone()),
        };
        Ok((self.create_user(new).await?, generated))
    }
}
