//! Whether the users of a project can read its audit. It is on until somebody switches it off.

use std::collections::BTreeSet;

use weir_base::id::ProjectId;

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Whether the tracker of a project is on.
    pub async fn is_tracker_on(&self, project: &ProjectId) -> Result<bool, StoreError> {
        let enabled: Option<i64> = sqlx::query_scalar("SELECT enabled FROM trackers WHERE project_id = $1")
            .bind(&project.0)
            .fetch_optional(self.pool())
            .await?;
        Ok(enabled.is_none_or(|enabled| enabled != 0))
    }

    /// Returns the projects whose tracker is off.
    pub async fn projects_without_tracker(&self) -> Result<BTreeSet<ProjectId>, StoreError> {
        let found: Vec<String> = sqlx::query_scalar("SELECT project_id FROM trackers WHERE enabled = 0")
            .fetch_all(self.pool())
            .await?;
        Ok(found.into_iter().map(ProjectId).collect())
    }

    /// Switches the tracker of the project of an audit record on or off.
    pub async fn switch_tracker(&self, on: bool, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO trackers (project_id, enabled, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (project_id) DO UPDATE SET enabled = $2, changed_at = $3",
        )
        .bind(&audit.project.0)
        .bind(i64::from(on))
        .bind(audit.event_time.0)
        .execute(&mut *transaction)
        .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }
}
