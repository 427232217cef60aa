//! Groups: users who are given roles together. The roles of a user are its own and those of its groups.

use super::Identity;
use super::administer::{check_length, conflict};
use super::error::AdministerError;
use super::record::{Assignment, AssignmentTarget, Group, GroupChange, User};
use super::repository::RepositoryError;
use super::role::{self, Role};

/// A group to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// Name, unique in the domain, 1 to 64 bytes.
    pub name: String,
    /// The domain.
    pub domain_id: String,
    /// Free text.
    pub description: String,
}

impl Identity {
    /// Returns the groups of a domain, by name.
    pub async fn groups(&self, domain_id: &str) -> Result<Vec<Group>, AdministerError> {
        Ok(self.repository.groups(domain_id).await?)
    }

    /// Returns a group.
    pub async fn group(&self, id: &str) -> Result<Option<Group>, AdministerError> {
        Ok(self.repository.group(id).await?)
    }

    /// Makes a group.
    pub async fn create_group(&self, new: NewGroup) -> Result<Group, AdministerError> {
        self.check_kept_here()?;
        check_length("group name", &new.name, 1, 64)?;
        let group = Group {
            id: weir_base::id::random_hex_id(),
            domain_id: new.domain_id,
            name: new.name,
            description: new.description,
            created_at: self.clock.now(),
        };
        let inserted = self.repository.insert_group(&group).await;
        inserted.map_err(|error| conflict(error, || format!("a group `{}`", group.name)))?;
        Ok(group)
    }

    /// Changes a group. Returns it as it is then.
    pub async fn update_group(&self, id: &str, change: &GroupChange) -> Result<Group, AdministerError> {
        self.check_kept_here()?;
        if let Some(name) = &change.name {
            check_length("group name", name, 1, 64)?;
        }
        let unknown = || AdministerError::NotFound(format!("group `{id}`"));
        let taken = || format!("a group `{}`", change.name.as_deref().unwrap_or_default());
        let updated = self.repository.update_group(id, change).await;
        match updated.map_err(|error| conflict(error, taken))? {
            true => self.repository.group(id).await?.ok_or_else(unknown),
            false => Err(unknown()),
        }
    }

    /// Removes a group; its members lose its roles.
    pub async fn delete_group(&self, id: &str) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let was_there = self.changing(self.repository.delete_group(id)).await?;
        if was_there { Ok(()) } else { Err(AdministerError::NotFound(format!("group `{id}`"))) }
    }

    /// Returns the members of a group, by name.
    pub async fn members(&self, group_id: &str) -> Result<Vec<User>, AdministerError> {
        Ok(self.repository.members(group_id).await?)
    }

    /// Returns the groups of a user, by name.
    pub async fn groups_of(&self, user_id: &str) -> Result<Vec<Group>, AdministerError> {
        Ok(self.repository.groups_of(user_id).await?)
    }

    /// Makes a user of the same domain a member. Repeating it succeeds.
    pub async fn add_member(&self, group: &Group, user: &User) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        if user.domain_id != group.domain_id {
            return Err(AdministerError::NotFound(format!("user `{}` of the account", user.id)));
        }
        Ok(self.changing(self.repository.add_member(&group.id, &user.id)).await?)
    }

    /// Takes a user out of a group.
    pub async fn remove_member(&self, group: &Group, user: &User) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let was_there = self.changing(self.repository.remove_member(&group.id, &user.id)).await?;
        if was_there {
            Ok(())
        } else {
            Err(AdministerError::NotFound("such member of the group".to_string()))
        }
    }

    /// Gives a group a role; `role` is its name or its id. Repeating it succeeds.
    pub async fn assign_to_group(
        &self,
        group: &Group,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let assignment = self.assignment_of_group(group, target, role).await?;
        Ok(self.changing(self.repository.assign_to_group(&assignment)).await?)
    }

    /// Takes a role from a group.
    pub async fn unassign_from_group(
        &self,
        group: &Group,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<(), AdministerError> {
        self.check_kept_here()?;
        let assignment = self.assignment_of_group(group, target, role).await?;
        let was_there = self.changing(self.repository.unassign_from_group(&assignment)).await?;
        if was_there { Ok(()) } else { Err(AdministerError::NotFound("such role of the group".to_string())) }
    }

    /// Returns the roles given to a group in exactly this target.
    pub async fn roles_of_group(
        &self,
        group: &Group,
        target: &AssignmentTarget,
    ) -> Result<Vec<&'static Role>, AdministerError> {
        let assignments = self.repository.group_assignments(&group.id).await?;
        let here = assignments.iter().filter(|assignment| assignment.target == *target);
        Ok(here.filter_map(|assignment| role::role(&assignment.role)).collect())
    }

    async fn assignment_of_group(
        &self,
        group: &Group,
        target: AssignmentTarget,
        role: &str,
    ) -> Result<Assignment, AdministerError> {
        let Some(role) = role::role(role) else {
            return Err(AdministerError::NotFound(format!("role `{role}`")));
        };
        let is_own = match &target {
            AssignmentTarget::Domain(id) => *id == group.domain_id,
            AssignmentTarget::Project(id) => {
                self.repository.project(id).await?.is_some_and(|found| found.domain_id == group.domain_id)
            }
        };
        if !is_own {
            return Err(AdministerError::NotFound("such project or domain of the account".to_string()));
        }
        Ok(Assignment { user_id: group.id.clone(), target, role: role.name.to_string() })
    }

    /// Returns the roles of a user: its own and those of its groups.
    pub(super) async fn all_assignments(&self, user_id: &str) -> Result<Vec<Assignment>, RepositoryError> {
        let mut assignments = self.repository.assignments(user_id).await?;
        for group in self.repository.groups_of(user_id).await? {
            assignments.extend(self.repository.group_assignments(&group.id).await?);
        }
        Ok(assignments)
    }
}
