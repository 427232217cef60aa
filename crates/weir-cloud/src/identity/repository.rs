//! Where accounts are kept.

use std::collections::BTreeSet;

use async_trait::async_trait;
use thiserror::Error;
use weir_base::audit::AuditRecord;
use weir_base::time::Timestamp;

use super::agency::{Agency, AgencyChange, AgencyRole, Standing};
use super::record::{
    AccessKey, Assignment, Domain, Group, GroupChange, KeyChange, Project, ProjectChange, ProjectRemoval,
    Proof, TemporaryKey, TokenRecord, User, UserChange,
};

/// A fault of the repository, or a rule of it that a write would break.
#[derive(Debug, Error)]
pub enum RepositoryError {
    /// A record with this id or name exists already.
    #[error("a record with this name exists already")]
    Conflict,
    /// The repository failed.
    #[error("{0}")]
    Unavailable(String),
}

/// Keeps agencies, and what is known of accounts as customers.
#[async_trait]
pub trait AgencyRepository: Send + Sync + 'static {
    /// Adds an agency.
    async fn insert_agency(&self, agency: &Agency) -> Result<(), RepositoryError>;
    /// Returns the agencies of a domain, by name.
    async fn agencies(&self, domain_id: &str) -> Result<Vec<Agency>, RepositoryError>;
    /// Returns an agency.
    async fn agency(&self, id: &str) -> Result<Option<Agency>, RepositoryError>;
    /// Changes an agency; `false` when there is none.
    async fn update_agency(&self, id: &str, change: &AgencyChange) -> Result<bool, RepositoryError>;
    /// Removes an agency with its roles; `false` when there is none.
    async fn delete_agency(&self, id: &str) -> Result<bool, RepositoryError>;
    /// Adds a role; repeating it changes nothing.
    async fn grant_to_agency(&self, agency_id: &str, role: &AgencyRole) -> Result<(), RepositoryError>;
    /// Takes a role away; `false` when there was none.
    async fn take_from_agency(&self, agency_id: &str, role: &AgencyRole) -> Result<bool, RepositoryError>;
    /// Returns the roles of an agency.
    async fn agency_roles(&self, agency_id: &str) -> Result<Vec<AgencyRole>, RepositoryError>;

    /// Returns the standing of a domain; that of a new one when there is no such domain.
    async fn standing(&self, domain_id: &str) -> Result<Standing, RepositoryError>;
    /// Stores the standing of a domain; `false` when there is none.
    async fn set_standing(
        &self,
        domain_id: &str,
        standing: Standing,
        audit: &[AuditRecord],
    ) -> Result<bool, RepositoryError>;
}

/// Keeps groups, their members and roles. An [`Assignment`] of a group has the group's id for that of the user.
#[async_trait]
pub trait GroupRepository: Send + Sync + 'static {
    /// Adds a group.
    async fn insert_group(&self, group: &Group) -> Result<(), RepositoryError>;
    /// Returns a group.
    async fn group(&self, id: &str) -> Result<Option<Group>, RepositoryError>;
    /// Returns the groups of a domain, by name.
    async fn groups(&self, domain_id: &str) -> Result<Vec<Group>, RepositoryError>;
    /// Changes a group; `false` when there is none.
    async fn update_group(&self, id: &str, change: &GroupChange) -> Result<bool, RepositoryError>;
    /// Removes a group with its members and roles; `false` when there is none.
    async fn delete_group(&self, id: &str) -> Result<bool, RepositoryError>;
    /// Adds a member; repeating it changes nothing.
    async fn add_member(&self, group_id: &str, user_id: &str) -> Result<(), RepositoryError>;
    /// Removes a member; `false` when the user was none.
    async fn remove_member(&self, group_id: &str, user_id: &str) -> Result<bool, RepositoryError>;
    /// Returns the members of a group, by name.
    async fn members(&self, group_id: &str) -> Result<Vec<User>, RepositoryError>;
    /// Returns the groups of a user, by name.
    async fn groups_of(&self, user_id: &str) -> Result<Vec<Group>, RepositoryError>;
    /// Adds a role; repeating it changes nothing.
    async fn assign_to_group(&self, assignment: &Assignment) -> Result<(), RepositoryError>;
    /// Takes a role away; `false` when there was none.
    async fn unassign_from_group(&self, assignment: &Assignment) -> Result<bool, RepositoryError>;
    /// Returns the roles of a group.
    async fn group_assignments(&self, group_id: &str) -> Result<Vec<Assignment>, RepositoryError>;
}

/// Keeps access keys that end by themselves. They go with their users, their agencies and what they were made from.
#[async_trait]
pub trait TemporaryKeyRepository: Send + Sync + 'static {
    /// Adds a key; `false` when what it is made from is good no more.
    async fn insert_temporary_key(&self, key: &TemporaryKey) -> Result<bool, RepositoryError>;
    /// Returns a key.
    async fn temporary_key(&self, access: &str) -> Result<Option<TemporaryKey>, RepositoryError>;
    /// Removes the keys that were made from a token of a Keystone.
    async fn delete_temporary_keys_of_remote(&self, token: &[u8; 32]) -> Result<(), RepositoryError>;
    /// Removes the keys that expired before an instant.
    async fn delete_temporary_keys_before(&self, expired: Timestamp) -> Result<(), RepositoryError>;
}

/// Keeps accounts. Every method is one transaction; a returned `Ok` is durable.
#[async_trait]
pub trait AccountRepository: AgencyRepository + GroupRepository + TemporaryKeyRepository {
    /// Adds a domain.
    async fn insert_domain(&self, domain: &Domain) -> Result<(), RepositoryError>;
    /// Returns all domains, by name.
    async fn domains(&self) -> Result<Vec<Domain>, RepositoryError>;

    /// Adds a project.
    async fn insert_project(&self, project: &Project) -> Result<(), RepositoryError>;
    /// Returns a project.
    async fn project(&self, id: &str) -> Result<Option<Project>, RepositoryError>;
    /// Returns the projects of a domain, by name.
    async fn projects(&self, domain_id: &str) -> Result<Vec<Project>, RepositoryError>;

    /// Changes a project, and removes its tokens when it is disabled; `false` when there is none.
    async fn update_project(&self, id: &str, change: &ProjectChange) -> Result<bool, RepositoryError>;
    /// Removes a project that holds nothing, with roles and tokens in it. Buckets are kept elsewhere: the names of those that
    /// the project had and that are gone hold it no more.
    async fn delete_project(
        &self,
        id: &str,
        gone_buckets: &BTreeSet<String>,
    ) -> Result<ProjectRemoval, RepositoryError>;

    /// Adds a user.
    async fn insert_user(&self, user: &User) -> Result<(), RepositoryError>;
    /// Returns a user.
    async fn user(&self, id: &str) -> Result<Option<User>, RepositoryError>;
    /// Returns the user of a domain with a name.
    async fn user_by_name(&self, domain_id: &str, name: &str) -> Result<Option<User>, RepositoryError>;
    /// Returns the users of a domain, by name.
    async fn users(&self, domain_id: &str) -> Result<Vec<User>, RepositoryError>;
    /// Changes a user, and removes its tokens and temporary keys where the change [ends its sessions](UserChange::ends_sessions); `false`
    /// when there is no such user.
    async fn update_user(&self, id: &str, change: &UserChange) -> Result<bool, RepositoryError>;
    /// Removes a user with its assignments, tokens and keys; `false` when there is none.
    async fn delete_user(&self, id: &str) -> Result<bool, RepositoryError>;

    /// Adds a role; repeating it changes nothing.
    async fn assign(&self, assignment: &Assignment) -> Result<(), RepositoryError>;
    /// Takes a role away; `false` when there was none.
    async fn unassign(&self, assignment: &Assignment) -> Result<bool, RepositoryError>;
    /// Returns the roles given to a user itself.
    async fn assignments(&self, user_id: &str) -> Result<Vec<Assignment>, RepositoryError>;

    /// Adds a token; `false` when what it is given for is good no more.
    async fn insert_token(&self, token: &TokenRecord, proof: &Proof) -> Result<bool, RepositoryError>;
    /// Returns the token with a hash.
    async fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>, RepositoryError>;
    /// Removes a token with the keys made from it; `false` when there is none.
    async fn delete_token(&self, hash: &[u8; 32]) -> Result<bool, RepositoryError>;
    /// Removes the tokens that expired before an instant.
    async fn delete_tokens_before(&self, expired: Timestamp) -> Result<(), RepositoryError>;

    /// Adds an access key.
    async fn insert_key(&self, key: &AccessKey) -> Result<(), RepositoryError>;
    /// Returns an access key.
    async fn key(&self, access: &str) -> Result<Option<AccessKey>, RepositoryError>;
    /// Returns the access keys of a user, the oldest first.
    async fn keys(&self, user_id: &str) -> Result<Vec<AccessKey>, RepositoryError>;
    /// Changes an access key; `false` when there is none.
    async fn update_key(&self, access: &str, change: &KeyChange) -> Result<bool, RepositoryError>;
    /// Notes when an access key was used.
    async fn touch_key(&self, access: &str, used_at: Timestamp) -> Result<(), RepositoryError>;
    /// Removes an access key with those made from it; `false` when there is none.
    async fn delete_key(&self, access: &str) -> Result<bool, RepositoryError>;
}
