//! Global variables of projects. Values are sealed before they come here.

use sqlx::Row;
use sqlx::any::AnyRow;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

/// A global variable as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableRecord {
    /// Its name.
    pub name: String,
    /// Its value, encrypted.
    pub sealed: String,
    /// When it was last set.
    pub updated_at: Timestamp,
}

impl Store {
    /// Sets a variable of a project. Returns whether it is a new one.
    pub async fn set_variable(
        &self,
        project: &ProjectId,
        variable: &VariableRecord,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let known: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM variables WHERE project_id = $1 AND name = $2")
                .bind(&project.0)
                .bind(&variable.name)
                .fetch_one(&mut *transaction)
                .await?;
        sqlx::query(
            "INSERT INTO variables (project_id, name, sealed, updated_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (project_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at",
        )
        .bind(&project.0)
        .bind(&variable.name)
        .bind(&variable.sealed)
        .bind(variable.updated_at.0)
        .execute(&mut *transaction)
        .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(known == 0)
    }

    /// Removes a variable of a project. Returns whether there was one; without one nothing is written.
    pub async fn remove_variable(
        &self,
        project: &ProjectId,
        name: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let removed = sqlx::query("DELETE FROM variables WHERE project_id = $1 AND name = $2")
            .bind(&project.0)
            .bind(name)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if removed == 0 {
            return Ok(false);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Returns the variables of a project in order of their names.
    pub async fn variables(&self, project: &ProjectId) -> Result<Vec<VariableRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT name, sealed, updated_at FROM variables WHERE project_id = $1 ORDER BY name")
                .bind(&project.0)
                .fetch_all(self.pool())
                .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }
}

fn from_row(row: &AnyRow) -> Result<VariableRecord, sqlx::Error> {
    Ok(VariableRecord {
        name: row.try_get("name")?,
        sealed: row.try_get("sealed")?,
        updated_at: Timestamp(row.try_get("updated_at")?),
    })
}
