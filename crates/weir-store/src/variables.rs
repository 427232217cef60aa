//! Global variables of projects. Values are sealed before they come here.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
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
            sqlx::query_scalar("SELECT COUNT(*) FROM variables WHERE project_id = ? AND name = ?")
                .bind(&project.0)
                .bind(&variable.name)
                .fetch_one(&mut *transaction)
                .await?;
        sqlx::query(
            "INSERT INTO variables (project_id, name, sealed, updated_at) VALUES (?, ?, ?, ?)
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
        let removed = sqlx::query("DELETE FROM variables WHERE project_id = ? AND name = ?")
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
            sqlx::query("SELECT name, sealed, updated_at FROM variables WHERE project_id = ? ORDER BY name")
                .bind(&project.0)
                .fetch_all(self.pool())
                .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }
}

fn from_row(row: &SqliteRow) -> Result<VariableRecord, sqlx::Error> {
    Ok(VariableRecord {
        name: row.try_get("name")?,
        sealed: row.try_get("sealed")?,
        updated_at: Timestamp(row.try_get("updated_at")?),
    })
}

#[cfg(test)]
mod tests {
    use weir_base::id::UserId;

    use super::*;

    fn audit(project: &ProjectId, event: &str) -> AuditRecord {
        AuditRecord {
            project: project.clone(),
            user: UserId(String::new()),
            user_name: "operator".to_string(),
            request_id: String::new(),
            resource_type: "variable".to_string(),
            resource_id: String::new(),
            resource_name: "key".to_string(),
            event_name: event.to_string(),
            event_type: "OperatorCommand".to_string(),
            event_rating: "normal".to_string(),
            op_result: String::new(),
            event_time: Timestamp(7),
        }
    }

    fn record(name: &str, sealed: &str) -> VariableRecord {
        VariableRecord { name: name.to_string(), sealed: sealed.to_string(), updated_at: Timestamp(7) }
    }

    #[tokio::test]
    async fn a_project_has_each_name_once_and_sees_its_own_alone() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(&place.path().join("weir.db")).await.unwrap();
        let (one, two) = (ProjectId("one".to_string()), ProjectId("two".to_string()));
        let set = audit(&one, "setVariable");
        assert!(store.set_variable(&one, &record("key", "a"), &set).await.unwrap());
        assert!(!store.set_variable(&one, &record("key", "b"), &set).await.unwrap());
        assert!(store.set_variable(&one, &record("KEY", "c"), &set).await.unwrap());
        assert_eq!(store.variables(&one).await.unwrap(), [record("KEY", "c"), record("key", "b")]);
        assert_eq!(store.variables(&two).await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_happened_is_on_record_and_what_did_not_is_not() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(&place.path().join("weir.db")).await.unwrap();
        let project = ProjectId("p".to_string());
        let (set, removed) = (audit(&project, "setVariable"), audit(&project, "removeVariable"));
        store.set_variable(&project, &record("key", "a"), &set).await.unwrap();
        assert!(store.remove_variable(&project, "key", &removed).await.unwrap());
        assert!(!store.remove_variable(&project, "key", &removed).await.unwrap());
        assert_eq!(store.newest_audit_records(&project, 9).await.unwrap(), [removed, set]);
    }
}
