//! Messages about jobs that are to be published.
//!
//! An alarm is written in the transaction of the fact that it tells of, and removed when it was published. Its id is that
//! of the message, so that publishing it again after a crash changes nothing.

use sqlx::{AnyConnection, Row};
use weir_base::id::{JobId, ProjectId};
use weir_base::time::Timestamp;

use crate::error::StoreError;
use crate::store::Store;

/// A message about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRecord {
    /// Id of the message.
    pub id: String,
    /// The job's project.
    pub project: ProjectId,
    /// The job.
    pub job: JobId,
    /// Name or URN of the topic.
    pub topic: String,
    /// The message.
    pub body: String,
    /// Tries so far.
    pub attempts: u32,
    /// When it is to be published.
    pub due: Timestamp,
}

impl Store {
    /// Returns the alarms that are due, the most urgent first.
    pub async fn due_alarms(&self, now: Timestamp, limit: i64) -> Result<Vec<AlarmRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM job_alarms WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2")
            .bind(now.0)
            .bind(limit)
            .fetch_all(self.pool())
            .await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(AlarmRecord {
                id: row.try_get("id")?,
                project: ProjectId(row.try_get("project_id")?),
                job: JobId(row.try_get("job_id")?),
                topic: row.try_get("topic")?,
                body: row.try_get("body")?,
                attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
                due: Timestamp(row.try_get("due_at")?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Removes an alarm: it was published, or is given up.
    pub async fn remove_alarm(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM job_alarms WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes that an alarm could not be published and when that is tried again.
    pub async fn defer_alarm(&self, id: &str, due: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE job_alarms SET attempts = attempts + 1, due_at = $1 WHERE id = $2")
            .bind(due.0)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Adds an alarm.
pub(crate) async fn insert(connection: &mut AnyConnection, alarm: &AlarmRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO job_alarms (id, project_id, job_id, topic, body, attempts, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&alarm.id)
    .bind(&alarm.project.0)
    .bind(alarm.job.0)
    .bind(&alarm.topic)
    .bind(&alarm.body)
    .bind(i64::from(alarm.attempts))
    .bind(alarm.due.0)
    .execute(connection)
    .await?;
    Ok(())
}
