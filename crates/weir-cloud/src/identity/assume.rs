//! Acting for another account through one of its agencies.
//!
//! Who acts needs `te_agency` or `te_admin` in the account that the agency trusts, and may then do what the roles of the
//! agency allow. Trust and role are looked at again whenever the token or key is: taking one away ends them.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Identity;
use super::agency::{ACT_THROUGH_AGENCIES, Agency};
use super::error::LoginError;
use super::log_in::{DomainSelector, IssuedToken, ScopeRequest};
use super::record::{Assignment, Proof};
use super::repository::RepositoryError;
use super::session::{Assumer, Facts, Session, Target, roles_in};

/// How long tokens of agencies and temporary keys can be wanted to last, in seconds, as in the original service.
pub const LIFE_SECONDS: RangeInclusive<u64> = 900..=86_400;

/// A wish to act through an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRequest {
    /// Name of the agency.
    pub agency: String,
    /// The account that has it.
    pub domain: DomainSelector,
    /// Where the token shall hold; a project without a domain is one of the account that has the agency.
    pub scope: ScopeRequest,
    /// How long; `None` is as long as other tokens, which is the most. It ends with the caller's credential at the latest.
    pub life: Option<Duration>,
}

impl Identity {
    /// Issues a token of an agency.
    pub async fn assume_role(
        &self,
        caller: &Session,
        request: AssumeRequest,
    ) -> Result<IssuedToken, LoginError> {
        let facts = self.agency_of(caller, &request.agency, &request.domain).await?;
        let most = self.options.token_life;
        let life = request.life.map_or(most, |life| life.min(most));
        let methods = vec!["assume_role".to_string()];
        let expires_at = caller.bound(self.clock.now().plus(life));
        let proof = Proof::Credential(caller.origin.clone());
        self.issue(&facts, request.scope, methods, expires_at, proof).await
    }

    /// Finds an agency through which the caller may act.
    pub(super) async fn agency_of(
        &self,
        caller: &Session,
        name: &str,
        domain: &DomainSelector,
    ) -> Result<Facts, LoginError> {
        if let Some(keystone) = self.keystone() {
            return Err(LoginError::Elsewhere(keystone.endpoint().to_string()));
        }
        // Who acts through an agency acts through no other one.
        let user = match caller.assumed_by {
            None => self.facts(&caller.user_id).await?,
            Some(_) => None,
        };
        let user = user.ok_or(LoginError::AgencyRefused)?;
        let domain = self.find_domain(Some(domain), None).await?.ok_or(LoginError::AgencyRefused)?;
        let agencies = self.repository.agencies(&domain.id).await?;
        let agency = agencies.into_iter().find(|agency| agency.name == name);
        let agency = agency.ok_or(LoginError::AgencyRefused)?;
        self.facts_through(user, agency).await?.ok_or(LoginError::AgencyRefused)
    }

    /// Returns what an agency may do for a user; `None` when the user may not act through it.
    pub(super) async fn facts_through(
        &self,
        user: Facts,
        agency: Agency,
    ) -> Result<Option<Facts>, RepositoryError> {
        let own_roles = roles_in(&user.assignments, &Target::Domain(&user.domain));
        let may_act = own_roles.iter().any(|role| role == ACT_THROUGH_AGENCIES || role == "te_admin");
        if agency.trust_domain != user.domain.name || !may_act {
            return Ok(None);
        }
        let Some(domain) = self.domain(&agency.domain_id).await? else { return Ok(None) };
        let granted = self.repository.agency_roles(&agency.id).await?;
        let assignment =
            |user_id: &str, target, role| Assignment { user_id: user_id.to_string(), target, role };
        Ok(Some(Facts {
            assignments: granted
                .into_iter()
                .map(|row| assignment(&agency.id, row.target, row.role))
                .collect(),
            name: format!("{}/{}", domain.name, agency.name),
            id: agency.id,
            domain,
            default_project_id: None,
            assumed_by: Some(Assumer { user_id: user.id, user_name: user.name, user_domain: user.domain }),
        }))
    }
}
