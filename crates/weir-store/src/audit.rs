//! Who changed what, and how it ended. A record is written in the transaction of the change itself.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
pub use weir_base::audit::AuditRecord;
use weir_base::id::{ProjectId, UserId};
use weir_base::time::Timestamp;

use crate::error::StoreError;
use crate::store::Store;

/// Longest id; an export of many jobs names them all, and refused calls have in their paths what somebody sent.
const ID_BYTES: usize = 2_048;
/// Longest name.
const NAME_BYTES: usize = 512;
/// Longest result.
const RESULT_BYTES: usize = 2_048;

/// An audit record with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    /// Its number; it grows over all projects.
    pub id: i64,
    /// The record.
    pub record: AuditRecord,
}

/// Which audit records are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only those of this user's own calls, jobs and templates.
    pub visible_to: Option<UserId>,
    /// This one.
    pub id: Option<i64>,
    /// Those older than this one.
    pub before: Option<i64>,
    /// The service that the resource belongs to.
    pub service: Option<String>,
    /// Type of the resource.
    pub resource_type: Option<String>,
    /// Id of the resource.
    pub resource_id: Option<String>,
    /// Name of the resource.
    pub resource_name: Option<String>,
    /// Event.
    pub event_name: Option<String>,
    /// Rating.
    pub event_rating: Option<String>,
    /// Name of the caller.
    pub user_name: Option<String>,
    /// Not older.
    pub from: Option<Timestamp>,
    /// Not newer.
    pub to: Option<Timestamp>,
}

/// A statement over the records that a filter lets through; the filter has the parameters from `$1` to `$13`.
macro_rules! over_matching {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " FROM audit_records WHERE project_id = $1
             AND ($2 IS NULL OR user_id = $2
                OR (service = 'CS' AND resource_type = 'job' AND resource_id IN (SELECT CAST(id AS TEXT) FROM jobs
                    WHERE project_id = $1 AND user_id = $2))
                OR (service = 'CS' AND resource_type = 'template' AND resource_id IN (SELECT CAST(id AS TEXT)
                    FROM templates WHERE project_id = $1 AND user_id = $2)))
             AND ($3 IS NULL OR id = $3) AND ($4 IS NULL OR id < $4)
             AND ($5 IS NULL OR resource_type = $5) AND ($6 IS NULL OR resource_id = $6)
             AND ($7 IS NULL OR resource_name = $7) AND ($8 IS NULL OR event_name = $8)
             AND ($9 IS NULL OR event_rating = $9) AND ($10 IS NULL OR user_name = $10)
             AND ($11 IS NULL OR event_time >= $11) AND ($12 IS NULL OR event_time <= $12)
             AND ($13 IS NULL OR service = $13) ",
            $rest
        )
    };
}

/// Binds the parameters of a filter.
macro_rules! bind_filter {
    ($query:expr, $project:expr, $filter:expr) => {
        $query
            .bind(&$project.0)
            .bind($filter.visible_to.as_ref().map(|user| &user.0))
            .bind($filter.id)
            .bind($filter.before)
            .bind(&$filter.resource_type)
            .bind(&$filter.resource_id)
            .bind(&$filter.resource_name)
            .bind(&$filter.event_name)
            .bind(&$filter.event_rating)
            .bind(&$filter.user_name)
            .bind($filter.from.map(|Timestamp(at)| at))
            .bind($filter.to.map(|Timestamp(at)| at))
            .bind(&$filter.service)
    };
}

impl Store {
    /// Writes the record of a call that changed nothing here.
    pub async fn write_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let mut connection = self.pool().acquire().await.map_err(StoreError::Database)?;
        insert(&mut connection, record).await
    }

    /// Writes the records of a call that changed nothing here, all or none: one for each of the things that it was about.
    pub async fn write_audits(&self, records: &[AuditRecord]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for record in records {
            insert(&mut transaction, record).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Returns the records of a project that match, newest first.
    pub async fn audit_records(
        &self,
        project: &ProjectId,
        filter: &AuditFilter,
        offset: i64,
        limit: u32,
    ) -> Result<Vec<StoredAudit>, StoreError> {
        let query = sqlx::query(over_matching!("SELECT *", "ORDER BY id DESC LIMIT $14 OFFSET $15"));
        let rows = bind_filter!(query, project, filter)
            .bind(i64::from(limit))
            .bind(offset)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// Counts the records of a project that match.
    pub async fn count_audit_records(
        &self,
        project: &ProjectId,
        filter: &AuditFilter,
    ) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(over_matching!("SELECT COUNT(*)", ""));
        Ok(bind_filter!(query, project, filter).fetch_one(self.pool()).await?)
    }
}

/// Returns the beginning of a text, without control characters: refused calls hold what somebody sent, of any length, and
/// PostgreSQL keeps no NUL.
fn bounded(text: &str, most_bytes: usize) -> String {
    let end = text.floor_char_boundary(most_bytes);
    text[..end].replace(char::is_control, " ")
}

/// Writes a record on a connection, usually inside the transaction of the change.
pub(crate) async fn insert(connection: &mut AnyConnection, record: &AuditRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_records (project_id, user_id, user_name, request_id, resource_type, resource_id,
            resource_name, event_name, event_type, event_rating, op_result, event_time, source_ip, service, status)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(&record.project.0)
    .bind(&record.user.0)
    .bind(&record.user_name)
    .bind(&record.request_id)
    .bind(&record.resource_type)
    .bind(bounded(&record.resource_id, ID_BYTES))
    .bind(bounded(&record.resource_name, NAME_BYTES))
    .bind(&record.event_name)
    .bind(&record.event_type)
    .bind(&record.event_rating)
    .bind(bounded(&record.op_result, RESULT_BYTES))
    .bind(record.event_time.0)
    .bind(&record.source_ip)
    .bind(&record.service)
    .bind(i64::from(record.status))
    .execute(connection)
    .await?;
    Ok(())
}

fn from_row(row: &AnyRow) -> Result<StoredAudit, sqlx::Error> {
    let record = AuditRecord {
        project: ProjectId(row.try_get("project_id")?),
        user: UserId(row.try_get("user_id")?),
        user_name: row.try_get("user_name")?,
        request_id: row.try_get("request_id")?,
        source_ip: row.try_get("source_ip")?,
        service: row.try_get("service")?,
        resource_type: row.try_get("resource_type")?,
        resource_id: row.try_get("resource_id")?,
        resource_name: row.try_get("resource_name")?,
        event_name: row.try_get("event_name")?,
        event_type: row.try_get("event_type")?,
        event_rating: row.try_get("event_rating")?,
        status: u16::try_from(row.try_get::<i64, _>("status")?).unwrap_or_default(),
        op_result: row.try_get("op_result")?,
        event_time: Timestamp(row.try_get("event_time")?),
    };
    Ok(StoredAudit { id: row.try_get("id")?, record })
}
