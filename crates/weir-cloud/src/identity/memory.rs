//! Accounts in memory, for tests and for a service that shall forget everything at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use weir_base::audit::AuditRecord;
use weir_base::time::Timestamp;

use super::agency::{Agency, AgencyChange, AgencyRole, Standing};
use super::record::{
    AccessKey, Assignment, AssignmentTarget, Domain, Group, KeyChange, KeyStatus, Origin, Project,
    ProjectChange, ProjectRemoval, Proof, TemporaryKey, TokenRecord, User, UserChange,
};
use super::repository::{AccountRepository, AgencyRepository, RepositoryError, TemporaryKeyRepository};

#[derive(Debug, Default)]
pub(super) struct Tables {
    domains: Vec<Domain>,
    projects: Vec<Project>,
    pub(super) users: Vec<User>,
    assignments: Vec<Assignment>,
    tokens: Vec<TokenRecord>,
    keys: Vec<AccessKey>,
    temporary_keys: Vec<TemporaryKey>,
    agencies: Vec<Agency>,
    pub(super) groups: Vec<Group>,
    /// Group and user.
    pub(super) members: Vec<(String, String)>,
    pub(super) group_assignments: Vec<Assignment>,
    agency_roles: Vec<(String, AgencyRole)>,
    standings: BTreeMap<String, Standing>,
}

impl Tables {
    fn is_good(&self, origin: &Origin) -> bool {
        match origin {
            Origin::Token(hash) => self.tokens.iter().any(|row| row.hash == *hash),
            Origin::RemoteToken(_) => true,
            Origin::Key(access) => {
                self.keys.iter().any(|row| row.access == *access && row.status == KeyStatus::Active)
            }
        }
    }

    /// Removes tokens and what was made from them; says whether there were any.
    fn remove_tokens(&mut self, is_it: impl Fn(&TokenRecord) -> bool) -> bool {
        let was_there = remove(&mut self.tokens, is_it);
        self.remove_orphans();
        was_there
    }

    /// Removes the tokens and temporary keys of which what they were made from is gone.
    fn remove_orphans(&mut self) {
        loop {
            let tokens: BTreeSet<[u8; 32]> = self.tokens.iter().map(|row| row.hash).collect();
            let keys = &self.keys;
            let is_gone = |origin: &Origin| match origin {
                Origin::Token(hash) => !tokens.contains(hash),
                Origin::Key(access) => !keys.iter().any(|row| row.access == *access),
                Origin::RemoteToken(_) => false,
            };
            remove(&mut self.temporary_keys, |row| is_gone(&row.origin));
            if !remove(&mut self.tokens, |row| row.origin.as_ref().is_some_and(is_gone)) {
                return;
            }
        }
    }
}

/// Accounts that live as long as this value.
#[derive(Debug, Default)]
pub struct MemoryAccounts {
    tables: Mutex<Tables>,
}

impl MemoryAccounts {
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        // No operation leaves a table half changed, so that a poisoned lock is as good as a sound one.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn insert<T: Clone>(
    table: &mut Vec<T>,
    new: &T,
    same: impl Fn(&T) -> bool,
) -> Result<(), RepositoryError> {
    if table.iter().any(same) {
        return Err(RepositoryError::Conflict);
    }
    table.push(new.clone());
    Ok(())
}

pub(super) fn remove<T>(table: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> bool {
    let before = table.len();
    table.retain(|row| !is_it(row));
    table.len() < before
}

#[async_trait]
impl AgencyRepository for MemoryAccounts {
    async fn insert_agency(&self, agency: &Agency) -> Result<(), RepositoryError> {
        insert(&mut self.tables().agencies, agency, |row| {
            row.domain_id == agency.domain_id && row.name == agency.name
        })
    }

    async fn agencies(&self, domain_id: &str) -> Result<Vec<Agency>, RepositoryError> {
        let mut found: Vec<Agency> =
            self.tables().agencies.iter().filter(|row| row.domain_id == domain_id).cloned().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn agency(&self, id: &str) -> Result<Option<Agency>, RepositoryError> {
        Ok(self.tables().agencies.iter().find(|row| row.id == id).cloned())
    }

    async fn update_agency(&self, id: &str, change: &AgencyChange) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let Some(row) = tables.agencies.iter_mut().find(|row| row.id == id) else {
            return Ok(false);
        };
        row.trust_domain = change.trust_domain.clone().unwrap_or_else(|| row.trust_domain.clone());
        row.description = change.description.clone().unwrap_or_else(|| row.description.clone());
        Ok(true)
    }

    async fn delete_agency(&self, id: &str) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let is_of_it = |agency: &Option<String>| agency.as_deref() == Some(id);
        tables.remove_tokens(|row| is_of_it(&row.agency_id));
        remove(&mut tables.temporary_keys, |row| is_of_it(&row.agency_id));
        remove(&mut tables.agency_roles, |(agency, _)| agency == id);
        Ok(remove(&mut tables.agencies, |row| row.id == id))
    }

    async fn grant_to_agency(&self, agency_id: &str, role: &AgencyRole) -> Result<(), RepositoryError> {
        let mut tables = self.tables();
        let grant = (agency_id.to_string(), role.clone());
        if !tables.agency_roles.contains(&grant) {
            tables.agency_roles.push(grant);
        }
        Ok(())
    }

    async fn take_from_agency(&self, agency_id: &str, role: &AgencyRole) -> Result<bool, RepositoryError> {
        Ok(remove(&mut self.tables().agency_roles, |(agency, row)| agency == agency_id && row == role))
    }

    async fn agency_roles(&self, agency_id: &str) -> Result<Vec<AgencyRole>, RepositoryError> {
        let tables = self.tables();
        let of_agency = tables.agency_roles.iter().filter(|(agency, _)| agency == agency_id);
        Ok(of_agency.map(|(_, role)| role.clone()).collect())
    }

    async fn standing(&self, domain_id: &str) -> Result<Standing, RepositoryError> {
        Ok(self.tables().standings.get(domain_id).copied().unwrap_or_default())
    }

    async fn set_standing(
        &self,
        domain_id: &str,
        standing: Standing,
        _audit: &[AuditRecord],
    ) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let is_known = tables.domains.iter().any(|row| row.id == domain_id);
        if is_known {
            tables.standings.insert(domain_id.to_string(), standing);
        }
        Ok(is_known)
    }
}

#[async_trait]
impl TemporaryKeyRepository for MemoryAccounts {
    async fn insert_temporary_key(&self, key: &TemporaryKey) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        if !tables.is_good(&key.origin) {
            return Ok(false);
        }
        insert(&mut tables.temporary_keys, key, |row| row.access == key.access)?;
        Ok(true)
    }

    async fn temporary_key(&self, access: &str) -> Result<Option<TemporaryKey>, RepositoryError> {
        Ok(self.tables().temporary_keys.iter().find(|row| row.access == access).cloned())
    }

    async fn delete_temporary_keys_of_remote(&self, token: &[u8; 32]) -> Result<(), RepositoryError> {
        remove(&mut self.tables().temporary_keys, |row| row.origin == Origin::RemoteToken(*token));
        Ok(())
    }

    async fn delete_temporary_keys_before(&self, expired: Timestamp) -> Result<(), RepositoryError> {
        remove(&mut self.tables().temporary_keys, |row| row.expires_at < expired);
        Ok(())
    }
}

#[async_trait]
impl AccountRepository for MemoryAccounts {
    async fn insert_domain(&self, domain: &Domain) -> Result<(), RepositoryError> {
        insert(&mut self.tables().domains, domain, |row| row.id == domain.id || row.name == domain.name)
    }

    async fn domains(&self) -> Result<Vec<Domain>, RepositoryError> {
        let mut found = self.tables().domains.clone();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn insert_project(&self, project: &Project) -> Result<(), RepositoryError> {
        insert(&mut self.tables().projects, project, |row| {
            row.id == project.id || (row.domain_id == project.domain_id && row.name == project.name)
        })
    }

    async fn project(&self, id: &str) -> Result<Option<Project>, RepositoryError> {
        Ok(self.tables().projects.iter().find(|row| row.id == id).cloned())
    }

    async fn projects(&self, domain_id: &str) -> Result<Vec<Project>, RepositoryError> {
        let mut found: Vec<Project> =
            self.tables().projects.iter().filter(|row| row.domain_id == domain_id).cloned().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn update_project(&self, id: &str, change: &ProjectChange) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let Some(place) = tables.projects.iter().position(|row| row.id == id) else { return Ok(false) };
        let domain_id = &tables.projects[place].domain_id;
        let is_taken = |row: &Project| {
            row.id != id && row.domain_id == *domain_id && change.name.as_ref() == Some(&row.name)
        };
        if tables.projects.iter().any(is_taken) {
            return Err(RepositoryError::Conflict);
        }
        let project = &mut tables.projects[place];
        project.name = change.name.clone().unwrap_or_else(|| project.name.clone());
        project.description = change.description.clone().unwrap_or_else(|| project.description.clone());
        project.enabled = change.enabled.unwrap_or(project.enabled);
        if change.enabled == Some(false) {
            tables.remove_tokens(|row| row.scope == Some(AssignmentTarget::Project(id.to_string())));
        }
        Ok(true)
    }

    async fn delete_project(
        &self,
        id: &str,
        _gone_buckets: &BTreeSet<String>,
    ) -> Result<ProjectRemoval, RepositoryError> {
        let mut tables = self.tables();
        let target = AssignmentTarget::Project(id.to_string());
        remove(&mut tables.assignments, |row| row.target == target);
        remove(&mut tables.group_assignments, |row| row.target == target);
        remove(&mut tables.agency_roles, |(_, row)| row.target == target);
        tables.remove_tokens(|row| row.scope.as_ref() == Some(&target));
        for user in tables.users.iter_mut().filter(|row| row.default_project_id.as_deref() == Some(id)) {
            user.default_project_id = None;
        }
        match remove(&mut tables.projects, |row| row.id == id) {
            true => Ok(ProjectRemoval::Removed),
            false => Ok(ProjectRemoval::Unknown),
        }
    }

    async fn insert_user(&self, user: &User) -> Result<(), RepositoryError> {
        insert(&mut self.tables().users, user, |row| {
            row.id == user.id || (row.domain_id == user.domain_id && row.name == user.name)
        })
    }

    async fn user(&self, id: &str) -> Result<Option<User>, RepositoryError> {
        Ok(self.tables().users.iter().find(|row| row.id == id).cloned())
    }

    async fn user_by_name(&self, domain_id: &str, name: &str) -> Result<Option<User>, RepositoryError> {
        let tables = self.tables();
        Ok(tables.users.iter().find(|row| row.domain_id == domain_id && row.name == name).cloned())
    }

    async fn users(&self, domain_id: &str) -> Result<Vec<User>, RepositoryError> {
        let mut found: Vec<User> =
            self.tables().users.iter().filter(|row| row.domain_id == domain_id).cloned().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn update_user(&self, id: &str, change: &UserChange) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let Some(place) = tables.users.iter().position(|row| row.id == id) else { return Ok(false) };
        let domain_id = &tables.users[place].domain_id;
        let is_taken = |row: &User| {
            row.id != id && row.domain_id == *domain_id && change.name.as_ref() == Some(&row.name)
        };
        if tables.users.iter().any(is_taken) {
            return Err(RepositoryError::Conflict);
        }
        let user = &mut tables.users[place];
        user.name = change.name.clone().unwrap_or_else(|| user.name.clone());
        user.description = change.description.clone().unwrap_or_else(|| user.description.clone());
        user.enabled = change.enabled.unwrap_or(user.enabled);
        user.password = change.password.clone().unwrap_or_else(|| user.password.clone());
        user.default_project_id =
            change.default_project_id.clone().or_else(|| user.default_project_id.take());
        if change.ends_sessions() {
            tables.remove_tokens(|row| row.user_id == id);
            remove(&mut tables.temporary_keys, |row| row.user_id == id);
        }
        Ok(true)
    }

    async fn delete_user(&self, id: &str) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        remove(&mut tables.assignments, |row| row.user_id == id);
        remove(&mut tables.members, |(_, user)| user == id);
        remove(&mut tables.keys, |row| row.user_id == id);
        tables.remove_tokens(|row| row.user_id == id);
        remove(&mut tables.temporary_keys, |row| row.user_id == id);
        Ok(remove(&mut tables.users, |row| row.id == id))
    }

    async fn assign(&self, assignment: &Assignment) -> Result<(), RepositoryError> {
        let mut tables = self.tables();
        if !tables.assignments.contains(assignment) {
            tables.assignments.push(assignment.clone());
        }
        Ok(())
    }

    async fn unassign(&self, assignment: &Assignment) -> Result<bool, RepositoryError> {
        Ok(remove(&mut self.tables().assignments, |row| row == assignment))
    }

    async fn assignments(&self, user_id: &str) -> Result<Vec<Assignment>, RepositoryError> {
        Ok(self.tables().assignments.iter().filter(|row| row.user_id == user_id).cloned().collect())
    }

    async fn insert_token(&self, token: &TokenRecord, proof: &Proof) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let is_good = match proof {
            Proof::Password(hash) => {
                tables.users.iter().any(|row| row.id == token.user_id && row.enabled && row.password == *hash)
            }
            Proof::Credential(origin) => tables.is_good(origin),
        };
        if is_good {
            insert(&mut tables.tokens, token, |row| row.hash == token.hash)?;
        }
        Ok(is_good)
    }

    async fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>, RepositoryError> {
        Ok(self.tables().tokens.iter().find(|row| row.hash == *hash).cloned())
    }

    async fn delete_token(&self, hash: &[u8; 32]) -> Result<bool, RepositoryError> {
        Ok(self.tables().remove_tokens(|row| row.hash == *hash))
    }

    async fn delete_tokens_before(&self, expired: Timestamp) -> Result<(), RepositoryError> {
        self.tables().remove_tokens(|row| row.expires_at < expired);
        Ok(())
    }

    async fn insert_key(&self, key: &AccessKey) -> Result<(), RepositoryError> {
        insert(&mut self.tables().keys, key, |row| row.access == key.access)
    }

    async fn key(&self, access: &str) -> Result<Option<AccessKey>, RepositoryError> {
        Ok(self.tables().keys.iter().find(|row| row.access == access).cloned())
    }

    async fn keys(&self, user_id: &str) -> Result<Vec<AccessKey>, RepositoryError> {
        Ok(self.tables().keys.iter().filter(|row| row.user_id == user_id).cloned().collect())
    }

    async fn update_key(&self, access: &str, change: &KeyChange) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let Some(row) = tables.keys.iter_mut().find(|row| row.access == access) else {
            return Ok(false);
        };
        row.description = change.description.clone().unwrap_or_else(|| row.description.clone());
        row.status = change.status.unwrap_or(row.status);
        Ok(true)
    }

    async fn touch_key(&self, access: &str, used_at: Timestamp) -> Result<(), RepositoryError> {
        for row in self.tables().keys.iter_mut().filter(|row| row.access == access) {
            row.last_used_at = Some(used_at);
        }
        Ok(())
    }

    async fn delete_key(&self, access: &str) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let was_there = remove(&mut tables.keys, |row| row.access == access);
        tables.remove_orphans();
        Ok(was_there)
    }
}
