//! Reading and changing domains, projects, users and roles.

use std::collections::BTreeSet;

use super::Identity;
use super::error::AdministerError;
use super::password::PasswordHash;
use super::record::{
    Assignment, AssignmentTarget, Domain, Project, ProjectChange, ProjectRemoval, User, UserChange,
};
use super::role::{self, Role};
use super::session::{Session, Target, roles_in};

/// A project to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Name, unique in the domain, up to 64 bytes.
    pub name: String,
    /// The domain.
    pub domain_id: String,
    /// Free text.
    pub description: String,
}

/// A user to make.
#[derive(Clone)]
pub struct NewUser {
    /// Name, unique in the domain, 1 to 32 characters.
    pub name: String,
    /// The domain.
    pub domain_id: String,
    /// Free text.
    pub description: String,
    /// Password, 6 to 128 bytes; never shown.
    pub password: String,
    /// Whether it may log in.
    pub enabled: bool,
    /// The project of calls signed with an access key that name none.
    pub default_project_id: Option<String>,
}

/// What is to change of a user; what is `None` stays.
#[derive(Clone, Default)]
pub struct UserUpdate {
    /// The new name, unique in the domain, 1 to 32 characters.
    pub name: Option<String>,
    /// The new free text.
    pub description: Option<String>,
    /// Whether it may log in from now on.
    pub enabled: Option<bool>,
    /// The new password, 6 to 128 bytes; never shown.
    pub password: Option<String>,
    /// The new project of calls signed with an access key that name none.
    pub default_project_id: Option<String>,
}

impl Identity {
    /// Returns all domains, by name.
    pub async fn domains(&self) -> Result<Vec<Domain>, AdministerError> {
        Ok(self.repository.domains().await?)
    }

    /// Returns a project.
    pub async fn project(&self, id: &str) -> Result<Option<Project>, AdministerError> {
        Ok(self.repository.project(id).await?)
    }

    /// Returns the projects of a domain, by name.
    pub async fn projects(&self, domain_id: &str) -> Result<Vec<Project>, AdministerError> {
        Ok(self.repository.projects(domain_id).await?)
    }

    /// Returns the enabled projects in which a user has a role, by name.
    pub async fn projects_of_user(&self, user_id: &str) -> Result<Vec<Project>, AdministerError> {
        let assignments = self.all_assignments(user_id).await?;
        self.projects_with_role(&assignments).await
    }

    /// Returns the enabled projects in which a caller has a role, by name: those of the agency for who acts through one.
    pub async fn projects_of_caller(&self, session: &Session) -> Result<Vec<Project>, AdministerError> {
        let (user_id, agency_id) = session.bearer();
        match self.facts_of(&user_id, agency_id.as_deref()).await? {
            Some(facts) => self.projects_with_role(&facts.assignments).await,
            None => Ok(Vec::new()),
        }
    }

    async fn projects_with_role(&self, assignments: &[Assignment]) -> Result<Vec<Project>, AdministerError> {
        let mut found = Vec::new();
        for domain in self.repository.domains().await? {
            let projects = self.repository.projects(&domain.id).await?;
            let may_use = |project: &Project| {
                project.enabled && !roles_in(assignments, &Target::Project(project)).is_empty()
            };
            found.extend(projects.into_iter().filter(may_use));
        }
        Ok(found)
    }

    /// Makes a project.
    pub async fn create_project(&self, new: NewProject) -> Result<Project, AdministerError> {
        self.check_kept_here()?;
        check_length("project name", &new.name, 1, 64)?;
        self.check_domain(&new.domain_id).await?;
        let project = Project {
            id: weir_base::id::random_hex_id(),
            name: new.name,
            domain_id: new.domain_id,
            description: new.description,
            enabled: true,
        };
        let inserted = self.changing(self.repository.insert_project(&project)).await;
        inserted.map_err(|error| conflict(error, || format!("a project `{}`", project.name)))?;
        self.give_service_agency(&project).await;
        Ok(project)
    }

    /// Changes a project. Disabling it revokes its tokens, and no key is good for it; its jobs go on. Returns the
    /// project as it is then.
    pub async fn update_project(&self, id: &str, change: ProjectChange) -> Result<Project, AdministerError> {
        self.check_kept_here()?;
        if let Some(name) = &change.name {
            check_length("project name", name, 1, 64)?;
        }
        let unknown = || AdministerError::NotFound(format!("project `{id}`"));
        let updated = self.changing(self.repository.update_project(id, &change)).await;
        let taken = || format!("a project `{}`", change.name.as_deref().unwrap_or_default());
        match updated.map_err(|error| conflict(error, taken))? {
            true => self.repository.project(id).await?.ok_or_else(unknown),
            false => Err(unknown()),
        }
    }

    /// Removes a project that holds nothing. `gone_buckets` are names that belong to it and that no bucket has any more.
    pub async fn delete_project(
        &self,
        id: &str,
        gone_buckets: &BTreeSet<String>,
    ) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let removal = self.changing(self.repository.delete_project(id, gone_buckets)).await?;
        match removal {
            ProjectRemoval::Removed => Ok(()),
            ProjectRemoval::Unknown => Err(AdministerError::NotFound(format!("project `{id}`"))),
            ProjectRemoval::Holds(what) => Err(AdministerError::NotEmpty(what.join(", "))),
        }
    }

    /// Returns a user.
    pub async fn user(&self, id: &str) -> Result<Option<User>, AdministerError> {
        Ok(self.repository.user(id).await?)
    }

    /// Returns the users of a domain, by name.
    pub async fn users(&self, domain_id: &str) -> Result<Vec<User>, AdministerError> {
        Ok(self.repository.users(domain_id).await?)
    }

    /// Makes a user. It can do nothing until it is given a role.
    pub async fn create_user(&self, new: NewUser) -> Result<User, AdministerError> {
        self.check_kept_here()?;
        check_length("user name", &new.name, 1, 32)?;
        self.check_domain(&new.domain_id).await?;
        if let Some(project) = &new.default_project_id {
            self.check_project_of(&new.domain_id, project).await?;
        }
        let user = User {
            id: weir_base::id::random_hex_id(),
            password: self.hash_new_password(&new.password).await?,
            name: new.name,
            domain_id: new.domain_id,
            description: new.description,
            enabled: new.enabled,
            default_project_id: new.default_project_id,
        };
        let inserted = self.changing(self.repository.insert_user(&user)).await;
        inserted.map_err(|error| conflict(error, || format!("a user `{}`", user.name)))?;
        Ok(user)
    }

    /// Changes a user. A new password and being disabled revoke all tokens of the user; access keys are refused while it
    /// is disabled. Returns the user as it is then.
    pub async fn update_user(&self, id: &str, update: UserUpdate) -> Result<User, AdministerError> {
        self.check_kept_here()?;
        let unknown = || AdministerError::NotFound(format!("user `{id}`"));
        let user = self.repository.user(id).await?.ok_or_else(unknown)?;
        if let Some(name) = &update.name {
            check_length("user name", name, 1, 32)?;
        }
        if let Some(project) = &update.default_project_id {
            self.check_project_of(&user.domain_id, project).await?;
        }
        let password = match &update.password {
            Some(password) => Some(self.hash_new_password(password).await?),
            None => None,
        };
        let change = UserChange {
            name: update.name,
            description: update.description,
            enabled: update.enabled,
            password,
            default_project_id: update.default_project_id,
        };
        let updated = self.changing(self.repository.update_user(id, &change)).await;
        let taken = || format!("a user `{}`", change.name.as_deref().unwrap_or_default());
        match updated.map_err(|error| conflict(error, taken))? {
            true => self.repository.user(id).await?.ok_or_else(unknown),
            false => Err(unknown()),
        }
    }

    /// Changes a password and revokes all tokens of the user.
    pub async fn set_password(&self, user_id: &str, password: &str) -> Result<(), AdministerError> {
        let update = UserUpdate { password: Some(password.to_string()), ..UserUpdate::default() };
        self.update_user(user_id, update).await.map(drop)
    }

    /// Says whether a password that the operator has set is the user's. Guesses are for
    /// [`confirm_password`](Self::confirm_password), which counts them.
    pub(super) async fn is_password(&self, user: &User, password: &str) -> Result<bool, AdministerError> {
        let turn = self.hasher.turn().await.map_err(AdministerError::Unavailable)?;
        self.hasher.verify(&turn, password, Some(&user.password)).await.map_err(AdministerError::Unavailable)
    }

    /// Removes a user with its roles, tokens and access keys.
    pub async fn delete_user(&self, id: &str) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let was_there = self.changing(self.repository.delete_user(id)).await?;
        if was_there { Ok(()) } else { Err(AdministerError::NotFound(format!("user `{id}`"))) }
    }

    /// Gives a user a role; `role` is its name or its id. Repeating it succeeds.
    pub async fn assign_role(
        &self,
        user_id: &str,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let assignment = self.checked_assignment(user_id, target, role).await?;
        Ok(self.changing(self.repository.assign(&assignment)).await?)
    }

    /// Takes a role from a user.
    pub async fn unassign_role(
        &self,
        user_id: &str,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let assignment = self.checked_assignment(user_id, target, role).await?;
        let was_there = self.changing(self.repository.unassign(&assignment)).await?;
        if was_there { Ok(()) } else { Err(AdministerError::NotFound("such role of the user".to_string())) }
    }

    /// Returns the roles given to a user in exactly this target.
    pub async fn assigned_roles(
        &self,
        user_id: &str,
        target: &AssignmentTarget,
    ) -> Result<Vec<&'static Role>, AdministerError> {
        let assignments = self.repository.assignments(user_id).await?;
        let here = assignments.iter().filter(|assignment| assignment.target == *target);
        Ok(here.filter_map(|assignment| role::role(&assignment.role)).collect())
    }

    async fn checked_assignment(
        &self,
        user_id: &str,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<Assignment, AdministerError> {
        let Some(role) = role::role(role) else {
            return Err(AdministerError::NotFound(format!("role `{role}`")));
        };
        self.check_user(user_id).await?;
        match &target {
            AssignmentTarget::Project(id) => self.check_project(id).await?,
            AssignmentTarget::Domain(id) => self.check_domain(id).await?,
        }
        Ok(Assignment { user_id: user_id.to_string(), target, role: role.name.to_string() })
    }

    async fn check_user(&self, id: &str) -> Result<(), AdministerError> {
        match self.repository.user(id).await? {
            Some(_) => Ok(()),
            None => Err(AdministerError::NotFound(format!("user `{id}`"))),
        }
    }

    async fn check_project(&self, id: &str) -> Result<(), AdministerError> {
        match self.repository.project(id).await? {
            Some(_) => Ok(()),
            None => Err(AdministerError::NotFound(format!("project `{id}`"))),
        }
    }

    async fn check_project_of(&self, domain_id: &str, id: &str) -> Result<(), AdministerError> {
        match self.repository.project(id).await? {
            Some(project) if project.domain_id == domain_id => Ok(()),
            _ => Err(AdministerError::NotFound(format!("project `{id}` of the account"))),
        }
    }

    async fn check_domain(&self, id: &str) -> Result<(), AdministerError> {
        match self.domain(id).await? {
            Some(_) => Ok(()),
            None => Err(AdministerError::NotFound(format!("domain `{id}`"))),
        }
    }

    pub(super) async fn hash_new_password(&self, password: &str) -> Result<PasswordHash, AdministerError> {
        check_length("password", password, 6, 128)?;
        self.hasher.hash(password).await.map_err(AdministerError::Unavailable)
    }
}

pub(super) fn check_length(what: &str, text: &str, least: usize, most: usize) -> Result<(), AdministerError> {
    if (least..=most).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let rule = format!("the {what} must have {least} to {most} bytes and no control characters");
    Err(AdministerError::Invalid(rule))
}

pub(super) fn conflict(error: super::RepositoryError, what: impl FnOnce() -> String) -> AdministerError {
    match error {
        super::RepositoryError::Conflict => AdministerError::Conflict(what()),
        other @ super::RepositoryError::Unavailable(_) => other.into(),
    }
}
