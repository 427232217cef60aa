//! Registered users with their quotas, and the buckets that a project lets the service use.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, Row};
use thiserror::Error;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::identity::{ServiceAgencyError, ServiceAgencyGrant};

use crate::agencies;
use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

/// Why a user was not registered.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The agency could not be made.
    #[error(transparent)]
    Agency(#[from] ServiceAgencyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Makes the quota record of a user and the agency of the account where it is missing; leaves a record alone when there is
    /// one.
    pub async fn register_user(
        &self,
        spu_quota: i64,
        agency: Option<&ServiceAgencyGrant>,
        audit: &AuditRecord,
    ) -> Result<(), RegisterError> {
        let mut transaction = self.begin().await?;
        if let Some(agency) = agency {
            agencies::write_grant(&mut transaction, agency).await?;
        }
        let registered = sqlx::query(
            "INSERT INTO users (project_id, user_id, user_name, spu_quota, registered_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (project_id, user_id) DO NOTHING",
        )
        .bind(&audit.project.0)
        .bind(&audit.user.0)
        .bind(&audit.user_name)
        .bind(spu_quota)
        .bind(audit.event_time.0)
        .execute(&mut *transaction)
        .await;
        registered.map_err(StoreError::from)?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Returns the buckets that a project has authorized and still owns.
    pub async fn authorized_buckets(&self, project: &ProjectId) -> Result<BTreeSet<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.bucket AS bucket FROM authorized_buckets a
             JOIN bucket_owners o ON o.bucket = a.bucket AND o.project_id = a.project_id WHERE a.project_id = $1",
        )
        .bind(&project.0)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.iter().map(|row| row.try_get("bucket")).collect::<Result<_, _>>()?)
    }

    /// Authorizes buckets, all or none; one audit record for each.
    pub async fn authorize_buckets(
        &self,
        buckets: &[String],
        audit_of: impl Fn(&str) -> AuditRecord + Send + Sync,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for bucket in buckets {
            authorize(&mut transaction, bucket, &audit_of(bucket)).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Asks the database for nothing, to learn whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(self.pool()).await?;
        Ok(())
    }
}

async fn authorize(
    connection: &mut AnyConnection,
    bucket: &str,
    audit: &AuditRecord,
) -> Result<(), StoreError> {
    let Timestamp(now) = audit.event_time;
    sqlx::query(
        "INSERT INTO authorized_buckets (project_id, bucket, user_id, authorized_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(&audit.project.0)
    .bind(bucket)
    .bind(&audit.user.0)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    audit::insert(connection, audit).await
}
