//! Who may call: domains, projects, users, roles, tokens and access keys, kept by the service itself, or those of a
//! Keystone elsewhere ([`Keystone`]), of which the service notes what tokens tell.
//!
//! [`Identity`] is the one door. It keeps its records behind [`AccountRepository`]; the metadata store
//! implements it, and [`MemoryAccounts`] does for tests. [`signature`] is the arithmetic of access keys
//! and touches nothing. A role on a domain holds in every project of the domain.

mod access_key;
mod administer;
mod agency;
mod assume;
mod bootstrap;
mod cache;
mod client_credential;
mod error;
mod group;
mod keystone;
#[cfg(test)]
mod keystone_tests;
mod log_in;
mod memory;
mod memory_groups;
mod mirror;
mod password;
mod record;
mod recorded;
mod repository;
mod role;
mod secret;
mod service;
mod session;
pub mod signature;
mod temporary_key;
#[cfg(test)]
mod tests;
mod throttle;
mod verify_request;

pub use administer::{NewProject, NewUser, UserUpdate};
pub use agency::{
    AGENCY_LIMIT, AGENCY_ROLES, Agency, AgencyChange, AgencyRole, NewAgency, SERVICE_AGENCY, SERVICE_DOMAIN,
    ServiceAgencyError, ServiceAgencyGrant, Standing,
};
pub use assume::{AssumeRequest, LIFE_SECONDS};
pub use bootstrap::{BootstrapOptions, Bootstrapped};
pub use client_credential::{ClientCredential, Outgoing};
pub use error::{AdministerError, KeyError, LoginError, RequestError, TokenError};
pub use group::NewGroup;
pub use keystone::Keystone;
pub use log_in::{DomainSelector, IssuedToken, LoginMethod, LoginRequest, ScopeRequest, UserSelector};
pub use memory::MemoryAccounts;
pub use password::{HashingCost, PasswordHash};
pub use record::{
    AccessKey, Assignment, AssignmentTarget, Domain, Group, GroupChange, KeyChange, KeyStatus, Origin,
    Project, ProjectChange, ProjectRemoval, Proof, TemporaryKey, TokenRecord, User, UserChange,
};
pub use recorded::{recorded, take_record};
pub use repository::{
    AccountRepository, AgencyRepository, GroupRepository, RepositoryError, TemporaryKeyRepository,
};
pub use role::{ROLES, Role, role};
pub use secret::SecretKey;
pub use service::{Identity, IdentityOptions};
pub use session::{Assumer, Scope, Session};
pub use temporary_key::IssuedKey;
pub use verify_request::{KeyCaller, ProjectChoice, SECURITY_TOKEN};
