//! Groups in memory.

use async_trait::async_trait;

use super::memory::{MemoryAccounts, insert, remove};
use super::record::{Assignment, Group, GroupChange, User};
use super::repository::{GroupRepository, RepositoryError};

#[async_trait]
impl GroupRepository for MemoryAccounts {
    async fn insert_group(&self, group: &Group) -> Result<(), RepositoryError> {
        insert(&mut self.tables().groups, group, |row| {
            row.domain_id == group.domain_id && row.name == group.name
        })
    }

    async fn group(&self, id: &str) -> Result<Option<Group>, RepositoryError> {
        Ok(self.tables().groups.iter().find(|row| row.id == id).cloned())
    }

    async fn groups(&self, domain_id: &str) -> Result<Vec<Group>, RepositoryError> {
        let tables = self.tables();
        let of_domain = tables.groups.iter().filter(|row| row.domain_id == domain_id);
        Ok(by_name(of_domain.cloned().collect(), |row| &row.name))
    }

    async fn update_group(&self, id: &str, change: &GroupChange) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        let Some(place) = tables.groups.iter().position(|row| row.id == id) else { return Ok(false) };
        let domain_id = &tables.groups[place].domain_id;
        let is_taken = |row: &Group| {
            row.id != id && row.domain_id == *domain_id && change.name.as_ref() == Some(&row.name)
        };
        if tables.groups.iter().any(is_taken) {
            return Err(RepositoryError::Conflict);
        }
        let group = &mut tables.groups[place];
        group.name = change.name.clone().unwrap_or_else(|| group.name.clone());
        group.description = change.description.clone().unwrap_or_else(|| group.description.clone());
        Ok(true)
    }

    async fn delete_group(&self, id: &str) -> Result<bool, RepositoryError> {
        let mut tables = self.tables();
        remove(&mut tables.members, |(group, _)| group == id);
        remove(&mut tables.group_assignments, |row| row.user_id == id);
        Ok(remove(&mut tables.groups, |row| row.id == id))
    }

    async fn add_member(&self, group_id: &str, user_id: &str) -> Result<(), RepositoryError> {
        let mut tables = self.tables();
        let member = (group_id.to_string(), user_id.to_string());
        if !tables.members.contains(&member) {
            tables.members.push(member);
        }
        Ok(())
    }

    async fn remove_member(&self, group_id: &str, user_id: &str) -> Result<bool, RepositoryError> {
        Ok(remove(&mut self.tables().members, |(group, user)| group == group_id && user == user_id))
    }

    async fn members(&self, group_id: &str) -> Result<Vec<User>, RepositoryError> {
        let tables = self.tables();
        let is_member = |id: &str| tables.members.iter().any(|(group, user)| group == group_id && user == id);
        let members = tables.users.iter().filter(|row| is_member(&row.id));
        Ok(by_name(members.cloned().collect(), |row| &row.name))
    }

    async fn groups_of(&self, user_id: &str) -> Result<Vec<Group>, RepositoryError> {
        let tables = self.tables();
        let has_it = |id: &str| tables.members.iter().any(|(group, user)| group == id && user == user_id);
        let groups = tables.groups.iter().filter(|row| has_it(&row.id));
        Ok(by_name(groups.cloned().collect(), |row| &row.name))
    }

    async fn assign_to_group(&self, assignment: &Assignment) -> Result<(), RepositoryError> {
        let mut tables = self.tables();
        if !tables.group_assignments.contains(assignment) {
            tables.group_assignments.push(assignment.clone());
        }
        Ok(())
    }

    async fn unassign_from_group(&self, assignment: &Assignment) -> Result<bool, RepositoryError> {
        Ok(remove(&mut self.tables().group_assignments, |row| row == assignment))
    }

    async fn group_assignments(&self, group_id: &str) -> Result<Vec<Assignment>, RepositoryError> {
        let tables = self.tables();
        Ok(tables.group_assignments.iter().filter(|row| row.user_id == group_id).cloned().collect())
    }
}

fn by_name<T>(mut rows: Vec<T>, name: impl Fn(&T) -> &String) -> Vec<T> {
    rows.sort_by(|a, b| name(a).cmp(name(b)));
    rows
}
