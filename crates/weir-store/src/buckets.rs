//! Which project a bucket belongs to.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use weir_base::id::ProjectId;

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Returns the project that a bucket belongs to.
    pub async fn bucket_owner(&self, bucket: &str) -> Result<Option<ProjectId>, StoreError> {
        let owner: Option<String> =
            sqlx::query_scalar("SELECT project_id FROM bucket_owners WHERE bucket = $1")
                .bind(bucket)
                .fetch_optional(self.pool())
                .await?;
        Ok(owner.map(ProjectId))
    }

    /// Returns the buckets with an owner.
    pub async fn bucket_owners(&self) -> Result<BTreeMap<String, ProjectId>, StoreError> {
        let rows = sqlx::query("SELECT bucket, project_id FROM bucket_owners").fetch_all(self.pool()).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok::<_, sqlx::Error>((row.try_get::<String, _>("bucket")?, ProjectId(row.try_get("project_id")?)))
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Returns the buckets of a project.
    pub async fn buckets_of(&self, project: &ProjectId) -> Result<BTreeSet<String>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT bucket FROM bucket_owners WHERE project_id = $1")
            .bind(&project.0)
            .fetch_all(self.pool())
            .await?;
        Ok(names.into_iter().collect())
    }

    /// Gives buckets without an owner to a project; the others stay with theirs.
    pub async fn claim_buckets(&self, buckets: &[String], project: &ProjectId) -> Result<(), StoreError> {
        if buckets.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for bucket in buckets {
            let claim = sqlx::query(
                "INSERT INTO bucket_owners (bucket, project_id) VALUES ($1, $2) ON CONFLICT (bucket) DO NOTHING",
            );
            claim.bind(bucket).bind(&project.0).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a bucket to a project, whoever had it, with the audit records of that.
    pub async fn give_bucket(
        &self,
        bucket: &str,
        project: &ProjectId,
        audit: &[AuditRecord],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let give = sqlx::query(
            "INSERT INTO bucket_owners (bucket, project_id) VALUES ($1, $2)
             ON CONFLICT (bucket) DO UPDATE SET project_id = $2",
        );
        give.bind(bucket).bind(&project.0).execute(&mut *transaction).await?;
        for audit in audit {
            audit::insert(&mut transaction, audit).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Returns the project that is known, when it is the only one.
    pub async fn only_project(&self) -> Result<Option<ProjectId>, StoreError> {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM account_projects LIMIT 2").fetch_all(self.pool()).await?;
        Ok(match <[String; 1]>::try_from(ids) {
            Ok([id]) => Some(ProjectId(id)),
            Err(_) => None,
        })
    }
}
