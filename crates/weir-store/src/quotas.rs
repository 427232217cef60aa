//! The quotas of users, and the exclusive clusters that they may use.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use weir_base::id::{ProjectId, UserId};

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

/// A change of a user's quota record; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuotaChange {
    /// SPUs.
    pub spu_quota: Option<i64>,
    /// Clusters that the user may use; replaces the present ones.
    pub clusters: Option<BTreeSet<i64>>,
}

impl Store {
    /// Returns the SPU quotas of the registered users of a project.
    pub async fn spu_quotas(&self, project: &ProjectId) -> Result<BTreeMap<UserId, i64>, StoreError> {
        let rows = sqlx::query("SELECT user_id, spu_quota FROM users WHERE project_id = $1")
            .bind(&project.0)
            .fetch_all(self.pool())
            .await?;
        let pairs = rows.iter().map(|row| Ok((UserId(row.try_get("user_id")?), row.try_get("spu_quota")?)));
        Ok(pairs.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Returns who uses a project: registered users and owners of jobs and templates.
    pub async fn users_of_project(&self, project: &ProjectId) -> Result<BTreeSet<UserId>, StoreError> {
        let rows = sqlx::query(
            "SELECT user_id FROM users WHERE project_id = $1
             UNION SELECT user_id FROM jobs WHERE project_id = $1 AND deleted_at IS NULL
             UNION SELECT user_id FROM templates WHERE project_id = $1 AND deleted_at IS NULL",
        )
        .bind(&project.0)
        .fetch_all(self.pool())
        .await?;
        let users = rows.iter().map(|row| row.try_get("user_id").map(UserId));
        Ok(users.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Returns who owns jobs of a project, with the names that they had when they made them.
    pub async fn owners_of_jobs(&self, project: &ProjectId) -> Result<BTreeMap<UserId, String>, StoreError> {
        let rows = sqlx::query(
            "SELECT user_id, MAX(user_name) AS user_name FROM jobs WHERE project_id = $1 AND deleted_at IS NULL
             GROUP BY user_id",
        )
        .bind(&project.0)
        .fetch_all(self.pool())
        .await?;
        let pairs = rows.iter().map(|row| Ok((UserId(row.try_get("user_id")?), row.try_get("user_name")?)));
        Ok(pairs.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Returns the clusters that the users of a project may use.
    pub async fn clusters_of_users(
        &self,
        project: &ProjectId,
    ) -> Result<BTreeMap<UserId, BTreeSet<i64>>, StoreError> {
        let rows = sqlx::query("SELECT user_id, cluster_id FROM cluster_users WHERE project_id = $1")
            .bind(&project.0)
            .fetch_all(self.pool())
            .await?;
        let mut assigned: BTreeMap<UserId, BTreeSet<i64>> = BTreeMap::new();
        for row in &rows {
            let user = UserId(row.try_get("user_id")?);
            assigned.entry(user).or_default().insert(row.try_get("cluster_id")?);
        }
        Ok(assigned)
    }

    /// Changes the quota record of a user of the audit record's project, making it when there is none.
    pub async fn update_quota(
        &self,
        (user, user_name): (&UserId, &str),
        change: &QuotaChange,
        default_quota: i64,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let project = &audit.project;
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO users (project_id, user_id, user_name, spu_quota, registered_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (project_id, user_id) DO NOTHING",
        )
        .bind(&project.0)
        .bind(&user.0)
        .bind(user_name)
        .bind(default_quota)
        .bind(audit.event_time.0)
        .execute(&mut *transaction)
        .await?;
        if let Some(quota) = change.spu_quota {
            sqlx::query("UPDATE users SET spu_quota = $1 WHERE project_id = $2 AND user_id = $3")
                .bind(quota)
                .bind(&project.0)
                .bind(&user.0)
                .execute(&mut *transaction)
                .await?;
        }
        if let Some(clusters) = &change.clusters {
            sqlx::query("DELETE FROM cluster_users WHERE project_id = $1 AND user_id = $2")
                .bind(&project.0)
                .bind(&user.0)
                .execute(&mut *transaction)
                .await?;
            for cluster in clusters {
                sqlx::query(
                    "INSERT INTO cluster_users (project_id, user_id, cluster_id) VALUES ($1, $2, $3)",
                )
                .bind(&project.0)
                .bind(&user.0)
                .bind(cluster)
                .execute(&mut *transaction)
                .await?;
            }
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }
}
