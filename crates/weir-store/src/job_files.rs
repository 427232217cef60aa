//! Files that were uploaded with jobs; they live as long as the job does.

use sqlx::{Any, Row, Transaction};
use weir_base::id::JobId;

use crate::error::StoreError;
use crate::job_record::{JobDefinition, JobFile};
use crate::store::Store;

impl Store {
    /// Returns the name and the contents of a file, `jar` or `config`.
    pub async fn job_file(&self, job: JobId, kind: &str) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let row = sqlx::query("SELECT name, contents FROM job_files WHERE job_id = $1 AND kind = $2")
            .bind(job.0)
            .bind(kind)
            .fetch_optional(self.pool())
            .await?;
        match row {
            Some(row) => Ok(Some((row.try_get("name")?, row.try_get("contents")?))),
            None => Ok(None),
        }
    }
}

/// Stores files, in the place of those that were there.
pub(crate) async fn put(
    transaction: &mut Transaction<'static, Any>,
    job: JobId,
    files: &[JobFile],
) -> Result<(), StoreError> {
    for file in files {
        sqlx::query(
            "INSERT INTO job_files (job_id, kind, name, contents) VALUES ($1, $2, $3, $4)
             ON CONFLICT (job_id, kind) DO UPDATE SET name = excluded.name, contents = excluded.contents",
        )
        .bind(job.0)
        .bind(file.kind)
        .bind(&file.name)
        .bind(&file.contents)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// Removes the files that a definition does not have any more.
pub(crate) async fn keep_those_of(
    transaction: &mut Transaction<'static, Any>,
    job: JobId,
    definition: &JobDefinition,
) -> Result<(), StoreError> {
    for (kind, has) in [("jar", definition.has_jar), ("config", definition.has_config)] {
        if !has {
            sqlx::query("DELETE FROM job_files WHERE job_id = $1 AND kind = $2")
                .bind(job.0)
                .bind(kind)
                .execute(&mut **transaction)
                .await?;
        }
    }
    Ok(())
}
