//! The agency with which the service acts for an account.

use weir_base::error::{CsError, ErrorCode, codes};
use weir_base::id::ProjectId;
use weir_cloud::identity::{AGENCY_ROLES, ServiceAgencyError, ServiceAgencyGrant};

use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::Control;
use crate::success;

impl Control {
    /// Returns the roles of the agency in the caller's project.
    pub async fn agency_roles(&self, caller: &Caller) -> Result<Vec<&'static str>, CsError> {
        self.identity.service_agency_roles(&caller.project.0).await.map_err(|error| refusal(&error))
    }

    /// Makes the agency, or adds roles to it; returns all that it has in the caller's project.
    pub async fn grant_agency_roles(
        &self,
        caller: &Caller,
        roles: &[String],
    ) -> Result<Vec<&'static str>, CsError> {
        let invalid = |reason: String| codes::AUTHORIZE_BODY_INVALID.error().because(reason);
        if roles.is_empty() {
            return Err(invalid("`roles` names no role.".to_string()));
        }
        if let Some(unknown) = roles.iter().find(|role| !AGENCY_ROLES.contains(&role.as_str())) {
            let known = AGENCY_ROLES.join(", ");
            return Err(invalid(format!("`{unknown}` is no role of the agency; these are {known}.")));
        }
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        // Two calls must not both make the agency.
        let _gate = self.gate.lock().await;
        let grant = self.identity.plan_service_agency(&caller.project.0, &roles).await;
        let grant = grant.map_err(|error| refusal(&error))?;
        let names = roles.join(",");
        let subject = Subject { resource_type: "agency", id: "", name: &names };
        let audit = audit::of_success(caller, "createAgency", subject, success::AGENCY_CREATED, self.now());
        self.store.grant_service_agency(&grant, &audit).await.map_err(|error| refusal(&error))?;
        self.agency_roles(caller).await
    }

    /// Returns the agency of the caller's account with all roles when there is none yet. One that is there keeps the roles that
    /// it has: somebody may have taken others away.
    pub(crate) async fn missing_agency(
        &self,
        caller: &Caller,
    ) -> Result<Option<ServiceAgencyGrant>, CsError> {
        let grant = self.identity.plan_service_agency(&caller.project.0, &AGENCY_ROLES).await;
        Ok(Some(grant.map_err(|error| refusal(&error))?).filter(|grant| grant.is_new))
    }

    /// Refuses with CS.19007 or CS.19010 when the agency does not let the service act in a role.
    pub(crate) async fn check_agency(&self, project: &ProjectId, role: &str) -> Result<(), CsError> {
        let missing = |code: ErrorCode, error: &ServiceAgencyError| {
            code.error().because(format!("{}.", capitalized(error)))
        };
        match self.identity.service_agency_roles(&project.0).await {
            Ok(roles) if roles.contains(&role) => Ok(()),
            Ok(_) => Err(codes::AGENCY_PERMISSION_INSUFFICIENT
                .error()
                .because(format!("It has no role `{role}` in the project."))),
            // An agency that trusts somebody else is none of the service.
            Err(error @ (ServiceAgencyError::Missing | ServiceAgencyError::TrustsAnother(_))) => {
                Err(missing(codes::AGENCY_NOT_EXIST, &error))
            }
            Err(error) => Err(refusal(&error)),
        }
    }
}

pub(crate) fn refusal(error: &ServiceAgencyError) -> CsError {
    let code = match error {
        ServiceAgencyError::TrustsAnother(_) => codes::AGENCY_NAME_CONFLICT,
        ServiceAgencyError::Missing => codes::AGENCY_NOT_EXIST,
        ServiceAgencyError::QuotaUsedUp => codes::AGENCY_QUOTA_INSUFFICIENT,
        ServiceAgencyError::NotCreated(_) => codes::CREATE_AGENCY_FAILED,
        ServiceAgencyError::NotGranted(_) => codes::GRANT_AGENCY_ROLE_FAILED,
        ServiceAgencyError::Unavailable(_) => codes::IAM_REQUEST_FAILED,
    };
    code.error().because(format!("{}.", capitalized(error)))
}

fn capitalized(error: &ServiceAgencyError) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
