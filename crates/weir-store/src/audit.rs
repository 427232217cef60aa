//! Who changed what, and how it ended. A record is written in the transaction of the change itself.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use weir_base::id::{ProjectId, UserId};
use weir_base::time::Timestamp;

use crate::error::StoreError;
use crate::store::Store;

/// One audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Project.
    pub project: ProjectId,
    /// Who called.
    pub user: UserId,
    /// The caller's name.
    pub user_name: String,
    /// The id of the request, as in its `X-Request-Id` answer header.
    pub request_id: String,
    /// `job`, `bucket`, `user` or `variable`.
    pub resource_type: String,
    /// Id of what was changed; empty when it has none (yet). Filled in by the store on a create.
    pub resource_id: String,
    /// Name of what was changed.
    pub resource_name: String,
    /// Such as `createJob`.
    pub event_name: String,
    /// `ConsoleAction`, `ApiCall`, or `OperatorCommand` for the command line on the machine of the service.
    pub event_type: String,
    /// `normal`, `warning` (failed call) or `incident` (failure of something that ran).
    pub event_rating: String,
    /// `{code}::{NAME}:: {text}`.
    pub op_result: String,
    /// When.
    pub event_time: Timestamp,
}

impl Store {
    /// Writes the record of a call that changed nothing.
    pub async fn write_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let mut connection = self.pool().acquire().await.map_err(StoreError::Database)?;
        insert(&mut connection, record).await
    }

    /// Returns the newest records of a project, newest first.
    pub async fn newest_audit_records(
        &self,
        project: &ProjectId,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT project_id, user_id, user_name, request_id, resource_type, resource_id, resource_name,
                    event_name, event_type, event_rating, op_result, event_time
             FROM audit_records WHERE project_id = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(&project.0)
        .bind(i64::from(limit))
        .fetch_all(self.pool())
        .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }
}

/// Writes a record on a connection, usually inside the transaction of the change.
pub(crate) async fn insert(connection: &mut AnyConnection, record: &AuditRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_records (project_id, user_id, user_name, request_id, resource_type, resource_id,
            resource_name, event_name, event_type, event_rating, op_result, event_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&record.project.0)
    .bind(&record.user.0)
    .bind(&record.user_name)
    .bind(&record.request_id)
    .bind(&record.resource_type)
    .bind(&record.resource_id)
    .bind(&record.resource_name)
    .bind(&record.event_name)
    .bind(&record.event_type)
    .bind(&record.event_rating)
    .bind(&record.op_result)
    .bind(record.event_time.0)
    .execute(connection)
    .await?;
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<AuditRecord, sqlx::Error> {
    Ok(AuditRecord {
        project: ProjectId(row.try_get("project_id")?),
        user: UserId(row.try_get("user_id")?),
        user_name: row.try_get("user_name")?,
        request_id: row.try_get("request_id")?,
        resource_type: row.try_get("resource_type")?,
        resource_id: row.try_get("resource_id")?,
        resource_name: row.try_get("resource_name")?,
        event_name: row.try_get("event_name")?,
        event_type: row.try_get("event_type")?,
        event_rating: row.try_get("event_rating")?,
        op_result: row.try_get("op_result")?,
        event_time: Timestamp(row.try_get("event_time")?),
    })
}
