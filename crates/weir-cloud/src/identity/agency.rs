//! Agencies: what an account lets somebody else do for it. One of them is the service's own.
//!
//! The service acts for an account (a topic, a peering, an apig sink) only as far as [`SERVICE_AGENCY`] allows. A new project
//! gets it with all roles; who wants less takes roles away.

use thiserror::Error;
use weir_base::audit::AuditRecord;
use weir_base::time::Timestamp;

use super::Identity;
use super::error::AdministerError;
use super::record::{AssignmentTarget, Project};
use super::repository::RepositoryError;
use super::role;

/// The name of the service's agency.
pub const SERVICE_AGENCY: &str = "cloud_stream_agency";
/// The domain that the service's agency trusts: the service itself.
pub const SERVICE_DOMAIN: &str = "op_svc_cs";
/// The roles that the service's agency can have.
pub const AGENCY_ROLES: [&str; 6] = ["obs_adm", "dis_adm", "ctable_adm", "vpc_netadm", "smn_adm", "te_admin"];
/// The role of users who may act through agencies that trust their account.
pub(super) const ACT_THROUGH_AGENCIES: &str = "te_agency";
/// Agencies that an account may have.
pub const AGENCY_LIMIT: usize = 10;

/// What an account lets another domain do for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// 32 hexadecimal characters.
    pub id: String,
    /// The account.
    pub domain_id: String,
    /// Name, unique in the account.
    pub name: String,
    /// Name of the domain that may act.
    pub trust_domain: String,
    /// Free text.
    pub description: String,
    /// Made.
    pub created_at: Timestamp,
}

/// An agency to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgency {
    /// The account.
    pub domain_id: String,
    /// Name, unique in the account, 1 to 64 bytes.
    pub name: String,
    /// Name of the domain that may act.
    pub trust_domain: String,
    /// Free text.
    pub description: String,
}

/// What changes of an agency; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgencyChange {
    /// Name of the domain that may act from now on.
    pub trust_domain: Option<String>,
    /// The new free text.
    pub description: Option<String>,
}

/// A role that an agency has somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyRole {
    /// Where.
    pub target: AssignmentTarget,
    /// Name of the role.
    pub role: String,
}

/// The service's agency of an account, and roles that it is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAgencyGrant {
    /// The agency.
    pub agency: Agency,
    /// Whether it has to be made.
    pub is_new: bool,
    /// The roles; it may have some of them.
    pub roles: Vec<AgencyRole>,
}

/// What is known of an account as a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether its owner's real name was verified.
    pub real_name_verified: bool,
    /// Whether it may start nothing that costs.
    pub restricted: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self { real_name_verified: true, restricted: false }
    }
}

/// Why the service's agency is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ServiceAgencyError {
    /// An agency has its name and trusts somebody else.
    #[error("it trusts `{0}`")]
    TrustsAnother(String),
    /// There is none.
    #[error("the account has no agency `{SERVICE_AGENCY}`")]
    Missing,
    /// The account has as many as it may have.
    #[error("the account has {AGENCY_LIMIT} agencies")]
    QuotaUsedUp,
    /// It could not be made.
    #[error("{0}")]
    NotCreated(String),
    /// It is there, but could not be given a role.
    #[error("{0}")]
    NotGranted(String),
    /// The accounts cannot be read.
    #[error("the identity store does not answer: {0}")]
    Unavailable(String),
}

impl From<RepositoryError> for ServiceAgencyError {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Identity {
    /// Returns the names of the roles that the service's agency has in a project, in the order of [`AGENCY_ROLES`].
    pub async fn service_agency_roles(
        &self,
        project_id: &str,
    ) -> Result<Vec<&'static str>, ServiceAgencyError> {
        let project = self.project_of_agency(project_id).await?;
        let agency = self.service_agency(&project).await?.ok_or(ServiceAgencyError::Missing)?;
        self.roles_in_project(&agency, &project).await
    }

    /// Returns what has to be written so that the service's agency has roles in a project, which may be all there already.
    pub async fn plan_service_agency(
        &self,
        project_id: &str,
        roles: &[&str],
    ) -> Result<ServiceAgencyGrant, ServiceAgencyError> {
        let project = self.project_of_agency(project_id).await?;
        let found = self.service_agency(&project).await?;
        let is_new = found.is_none();
        let agency = match found {
            Some(agency) => agency,
            None => self.new_service_agency(&project).await?,
        };
        let target = AssignmentTarget::Project(project.id);
        let role = |role: &&str| AgencyRole { target: target.clone(), role: (*role).to_string() };
        Ok(ServiceAgencyGrant { agency, is_new, roles: roles.iter().map(role).collect() })
    }

    /// Makes the service's agency if it is missing, and gives it roles in a project.
    pub(super) async fn grant_service_agency(
        &self,
        project_id: &str,
        roles: &[&str],
    ) -> Result<(), ServiceAgencyError> {
        let grant = self.plan_service_agency(project_id, roles).await?;
        if grant.is_new {
            let inserted = self.repository.insert_agency(&grant.agency).await;
            inserted.map_err(|error| ServiceAgencyError::NotCreated(error.to_string()))?;
        }
        for role in &grant.roles {
            let Err(error) = self.repository.grant_to_agency(&grant.agency.id, role).await else { continue };
            // An agency without its roles would be taken for the service's, and never be given them.
            if grant.is_new
                && let Err(error) = self.repository.delete_agency(&grant.agency.id).await
            {
                tracing::warn!(agency = grant.agency.id, %error, "an agency without its roles is left");
            }
            return Err(ServiceAgencyError::NotGranted(error.to_string()));
        }
        Ok(())
    }

    /// Makes the service's agency with all roles for a project when the account has none that is the service's.
    pub async fn ensure_service_agency(&self, project_id: &str) -> Result<(), ServiceAgencyError> {
        let project = self.project_of_agency(project_id).await?;
        match self.service_agency(&project).await? {
            Some(_) => Ok(()),
            None => self.grant_service_agency(project_id, &AGENCY_ROLES).await,
        }
    }

    /// Makes the service's agency for a new project. The project is there without it, and can be given it later: calls
    /// that need it say so.
    pub(super) async fn give_service_agency(&self, project: &Project) {
        if let Err(error) = self.grant_service_agency(&project.id, &AGENCY_ROLES).await {
            tracing::warn!(project = project.name, %error, "the project has no agency of the service");
        }
    }

    async fn project_of_agency(&self, project_id: &str) -> Result<Project, ServiceAgencyError> {
        let project = self.repository.project(project_id).await?;
        project.ok_or_else(|| ServiceAgencyError::Unavailable(format!("there is no project `{project_id}`")))
    }

    async fn service_agency(&self, project: &Project) -> Result<Option<Agency>, ServiceAgencyError> {
        let agencies = self.repository.agencies(&project.domain_id).await?;
        match agencies.into_iter().find(|agency| agency.name == SERVICE_AGENCY) {
            Some(agency) if agency.trust_domain != SERVICE_DOMAIN => {
                Err(ServiceAgencyError::TrustsAnother(agency.trust_domain))
            }
            found => Ok(found),
        }
    }

    async fn new_service_agency(&self, project: &Project) -> Result<Agency, ServiceAgencyError> {
        if self.repository.agencies(&project.domain_id).await?.len() >= AGENCY_LIMIT {
            return Err(ServiceAgencyError::QuotaUsedUp);
        }
        Ok(self.new_agency(NewAgency {
            domain_id: project.domain_id.clone(),
            name: SERVICE_AGENCY.to_string(),
            trust_domain: SERVICE_DOMAIN.to_string(),
            description: "made for the service".to_string(),
        }))
    }

    async fn roles_in_project(
        &self,
        agency: &Agency,
        project: &Project,
    ) -> Result<Vec<&'static str>, ServiceAgencyError> {
        let granted = self.repository.agency_roles(&agency.id).await?;
        let holds = |name: &str| {
            granted.iter().any(|grant| {
                grant.role == name
                    && match &grant.target {
                        AssignmentTarget::Project(id) => *id == project.id,
                        AssignmentTarget::Domain(id) => *id == project.domain_id,
                    }
            })
        };
        Ok(AGENCY_ROLES.into_iter().filter(|name| holds(name)).collect())
    }

    fn new_agency(&self, new: NewAgency) -> Agency {
        Agency {
            id: weir_base::id::random_hex_id(),
            domain_id: new.domain_id,
            name: new.name,
            trust_domain: new.trust_domain,
            description: new.description,
            created_at: self.clock.now(),
        }
    }

    /// Returns the agencies of an account, by name.
    pub async fn agencies(&self, domain_id: &str) -> Result<Vec<Agency>, AdministerError> {
        Ok(self.repository.agencies(domain_id).await?)
    }

    /// Returns an agency of an account.
    pub async fn agency(&self, domain_id: &str, id: &str) -> Result<Agency, AdministerError> {
        let agencies = self.repository.agencies(domain_id).await?;
        let found = agencies.into_iter().find(|agency| agency.id == id);
        found.ok_or_else(|| AdministerError::NotFound(format!("agency `{id}`")))
    }

    /// Makes an agency.
    pub async fn create_agency(&self, new: NewAgency) -> Result<Agency, AdministerError> {
        super::administer::check_length("agency name", &new.name, 1, 64)?;
        if self.repository.agencies(&new.domain_id).await?.len() >= AGENCY_LIMIT {
            let rule = format!("an account can have {AGENCY_LIMIT} agencies; delete one that is not needed");
            return Err(AdministerError::Invalid(rule));
        }
        let agency = self.new_agency(new);
        match self.repository.insert_agency(&agency).await {
            Ok(()) => Ok(agency),
            Err(RepositoryError::Conflict) => {
                Err(AdministerError::Conflict(format!("an agency `{}`", agency.name)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Changes an agency. Returns it as it is then.
    pub async fn update_agency(&self, id: &str, change: &AgencyChange) -> Result<Agency, AdministerError> {
        let unknown = || AdministerError::NotFound(format!("agency `{id}`"));
        match self.changing(self.repository.update_agency(id, change)).await? {
            true => self.repository.agency(id).await?.ok_or_else(unknown),
            false => Err(unknown()),
        }
    }

    /// Removes an agency with its roles.
    pub async fn delete_agency(&self, domain_id: &str, id: &str) -> Result<(), AdministerError> {
        let agency = self.agency(domain_id, id).await?;
        self.changing(self.repository.delete_agency(&agency.id)).await?;
        Ok(())
    }

    /// Returns the roles that an agency has in exactly this target.
    pub async fn roles_of_agency(
        &self,
        agency: &Agency,
        target: &AssignmentTarget,
    ) -> Result<Vec<&'static role::Role>, AdministerError> {
        let granted = self.repository.agency_roles(&agency.id).await?;
        let here = granted.iter().filter(|grant| grant.target == *target);
        Ok(here.filter_map(|grant| role::role(&grant.role)).collect())
    }

    /// Gives an agency a role; `role` is its name or its id. Repeating it succeeds.
    pub async fn grant_to_agency(
        &self,
        agency: &Agency,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<(), AdministerError> {
        let role = known_role(role)?;
        if role == ACT_THROUGH_AGENCIES {
            let rule = format!(
                "agencies cannot have the role `{role}`: whoever acts through one does not act through another"
            );
            return Err(AdministerError::Forbidden(rule));
        }
        self.check_target_of_agency(agency, &target).await?;
        let role = AgencyRole { target, role };
        Ok(self.changing(self.repository.grant_to_agency(&agency.id, &role)).await?)
    }

    /// Takes a role from an agency.
    pub async fn take_from_agency(
        &self,
        agency: &Agency,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<(), AdministerError> {
        let role = known_role(role)?;
        let role = AgencyRole { target, role };
        match self.changing(self.repository.take_from_agency(&agency.id, &role)).await? {
            true => Ok(()),
            false => Err(AdministerError::NotFound("such role of the agency".to_string())),
        }
    }

    async fn check_target_of_agency(
        &self,
        agency: &Agency,
        target: &AssignmentTarget,
    ) -> Result<(), AdministerError> {
        let is_own = match target {
            AssignmentTarget::Domain(id) => *id == agency.domain_id,
            AssignmentTarget::Project(id) => {
                self.repository.project(id).await?.is_some_and(|found| found.domain_id == agency.domain_id)
            }
        };
        if is_own {
            return Ok(());
        }
        Err(AdministerError::NotFound("such project or domain of the account".to_string()))
    }

    /// Returns what is known of an account as a customer.
    pub async fn standing(&self, domain_id: &str) -> Result<Standing, AdministerError> {
        Ok(self.repository.standing(domain_id).await?)
    }

    /// Stores what is known of an account as a customer, with the audit records of that.
    pub async fn set_standing(
        &self,
        domain_id: &str,
        standing: Standing,
        audit: &[AuditRecord],
    ) -> Result<(), AdministerError> {
        match self.repository.set_standing(domain_id, standing, audit).await? {
            true => Ok(()),
            false => Err(AdministerError::NotFound(format!("domain `{domain_id}`"))),
        }
    }
}

fn known_role(name_or_id: &str) -> Result<String, AdministerError> {
    match role::role(name_or_id) {
        Some(role) => Ok(role.name.to_string()),
        None => Err(AdministerError::NotFound(format!("role `{name_or_id}`"))),
    }
}
