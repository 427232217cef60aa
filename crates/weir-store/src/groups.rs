//! Stored groups, their members and roles.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use weir_base::time::Timestamp;
use weir_cloud::identity::{Assignment, Group, GroupChange, GroupRepository, RepositoryError, User};

use crate::accounts::{StoredAccounts, fault, read_all, target, target_columns, user};

fn group(row: &AnyRow) -> Result<Group, sqlx::Error> {
    Ok(Group {
        id: row.try_get("id")?,
        domain_id: row.try_get("domain_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

fn assignment(row: &AnyRow) -> Result<Assignment, sqlx::Error> {
    let kind: String = row.try_get("target_kind")?;
    Ok(Assignment {
        user_id: row.try_get("group_id")?,
        target: target(&kind, row.try_get("target_id")?)?,
        role: row.try_get("role")?,
    })
}

#[async_trait]
impl GroupRepository for StoredAccounts {
    async fn insert_group(&self, group: &Group) -> Result<(), RepositoryError> {
        let statement = sqlx::query(
            "INSERT INTO account_groups (id, domain_id, name, description, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&group.id)
        .bind(&group.domain_id)
        .bind(&group.name)
        .bind(&group.description)
        .bind(group.created_at.0);
        self.write(statement, Some((&group.id, &group.name))).await.map(drop)
    }

    async fn group(&self, id: &str) -> Result<Option<Group>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_groups WHERE id = $1").bind(id);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(group).transpose().map_err(fault)
    }

    async fn groups(&self, domain_id: &str) -> Result<Vec<Group>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_groups WHERE domain_id = $1 ORDER BY name");
        read_all(&query.bind(domain_id).fetch_all(&self.pool).await.map_err(fault)?, group)
    }

    async fn update_group(&self, id: &str, change: &GroupChange) -> Result<bool, RepositoryError> {
        let query = sqlx::query(
            "UPDATE account_groups SET name = COALESCE($1, name), description = COALESCE($2, description)
             WHERE id = $3",
        );
        let query = query.bind(&change.name).bind(&change.description).bind(id);
        Ok(self.write(query, None).await? > 0)
    }

    async fn delete_group(&self, id: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_groups WHERE id = $1").bind(id);
        Ok(self.write(query, None).await? > 0)
    }

    async fn add_member(&self, group_id: &str, user_id: &str) -> Result<(), RepositoryError> {
        let query = sqlx::query(
            "INSERT INTO account_group_members (group_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        );
        self.write(query.bind(group_id).bind(user_id), None).await.map(drop)
    }

    async fn remove_member(&self, group_id: &str, user_id: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_group_members WHERE group_id = $1 AND user_id = $2");
        let query = query.bind(group_id).bind(user_id);
        Ok(self.write(query, None).await? > 0)
    }

    async fn members(&self, group_id: &str) -> Result<Vec<User>, RepositoryError> {
        let query = sqlx::query(
            "SELECT account_users.* FROM account_users JOIN account_group_members ON user_id = account_users.id
             WHERE group_id = $1 ORDER BY name",
        );
        read_all(&query.bind(group_id).fetch_all(&self.pool).await.map_err(fault)?, user)
    }

    async fn groups_of(&self, user_id: &str) -> Result<Vec<Group>, RepositoryError> {
        let query = sqlx::query(
            "SELECT account_groups.* FROM account_groups JOIN account_group_members ON group_id = account_groups.id
             WHERE user_id = $1 ORDER BY name",
        );
        read_all(&query.bind(user_id).fetch_all(&self.pool).await.map_err(fault)?, group)
    }

    async fn assign_to_group(&self, assignment: &Assignment) -> Result<(), RepositoryError> {
        let (kind, id) = target_columns(&assignment.target);
        let statement = sqlx::query(
            "INSERT INTO account_group_roles (group_id, target_kind, target_id, role)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(&assignment.user_id)
        .bind(kind)
        .bind(id)
        .bind(&assignment.role);
        self.write(statement, None).await.map(drop)
    }

    async fn unassign_from_group(&self, assignment: &Assignment) -> Result<bool, RepositoryError> {
        let (kind, id) = target_columns(&assignment.target);
        let query = sqlx::query(
            "DELETE FROM account_group_roles
             WHERE group_id = $1 AND target_kind = $2 AND target_id = $3 AND role = $4",
        );
        let query = query.bind(&assignment.user_id).bind(kind).bind(id).bind(&assignment.role);
        Ok(self.write(query, None).await? > 0)
    }

    async fn group_assignments(&self, group_id: &str) -> Result<Vec<Assignment>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_group_roles WHERE group_id = $1").bind(group_id);
        read_all(&query.fetch_all(&self.pool).await.map_err(fault)?, assignment)
    }
}
