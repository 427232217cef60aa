//! The first start: a domain, a project and an administrator, so that the service is usable at once.

use super::Identity;
use super::agency::SERVICE_DOMAIN;
use super::error::AdministerError;
use super::password;
use super::record::{AccessKey, AssignmentTarget, Domain, KeyStatus, Project, User};
use super::session::{Target, roles_in};
use super::{NewProject, NewUser, RepositoryError};

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
    /// A given one is set again on every start: that is how an operator who has forgotten it gets in.
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

/// What there is after the first, and after every later, start.
#[derive(Debug, Clone)]
pub struct Bootstrapped {
    /// Id of the domain.
    pub domain_id: String,
    /// Id of the project.
    pub project_id: String,
    /// Id of the administrator.
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
        let domains = self.repository.domains().await?;
        let Some(domain) = domains.into_iter().find(|domain| domain.name == options.domain) else {
            return self.ensure_account(&options).await;
        };
        let users = self.repository.users(&domain.id).await?;
        for user in &users {
            let assignments = self.all_assignments(&user.id).await?;
            if roles_in(&assignments, &Target::Domain(&domain)).iter().any(|role| role == ADMINISTRATOR) {
                return Err(AdministerError::Conflict(format!("an account `{}`", domain.name)));
            }
        }
        // Nobody was told the password that was generated then.
        let is_left = users.iter().any(|user| user.name == options.user);
        let generated = (is_left && options.password.is_none()).then(password::generate);
        let password = options.password.clone().or_else(|| generated.clone());
        let mut made = self.ensure_account(&BootstrapOptions { password, ..options }).await?;
        made.password = made.password.or(generated);
        if let Err(error) = self.ensure_service_agency(&made.project_id).await {
            tracing::warn!(project = made.project_id, %error, "the project has no agency of the service");
        }
        Ok(made)
    }

    /// Makes what is missing of domain, project and administrator. Safe to repeat, also after a crash
    /// in the middle.
    pub async fn bootstrap(&self, options: BootstrapOptions) -> Result<Bootstrapped, AdministerError> {
        self.set_region(&options.region);
        let mut made = self.ensure_account(&options).await?;
        self.set_home(&made.domain_id);
        let mut keys = self.keys(&made.user_id).await?;
        if keys.is_empty() {
            keys.push(self.create_key(&made.user_id, "made at the first start").await?);
        }
        made.access_key = keys.into_iter().find(|key| key.status == KeyStatus::Active);
        Ok(made)
    }

    async fn ensure_account(&self, options: &BootstrapOptions) -> Result<Bootstrapped, AdministerError> {
        let domain = self.ensure_domain(&options.domain).await?;
        let project_name = if options.project.is_empty() { &options.region } else { &options.project };
        let project = self.ensure_project(&domain, project_name).await?;
        let (user, password) = self.ensure_administrator(&domain, &project, options).await?;
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
            user_id: user.id,
            password,
            access_key: None,
        })
    }

    async fn ensure_domain(&self, name: &str) -> Result<Domain, AdministerError> {
        if name == SERVICE_DOMAIN {
            let rule = format!(
                "no account can have the name `{SERVICE_DOMAIN}`: it is that of the service itself, which agencies trust; \
                 choose another one (`domain`)"
            );
            return Err(AdministerError::Invalid(rule));
        }
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
        if let Some(user) = self.repository.user_by_name(&domain.id, &options.user).await? {
            if let Some(password) = &options.password
                && !self.is_password(&user, password).await?
            {
                self.set_password(&user.id, password).await?;
                tracing::warn!(
                    user = user.name,
                    "the administrator's password was set to the configured one"
                );
            }
            return Ok((user, None));
        }
        let generated = options.password.is_none().then(password::generate);
        let password = options.password.clone().or_else(|| generated.clone()).unwrap_or_default();
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
