//! The repository of exclusive clusters.
//!
//! As with jobs, every write names the version it read. A change of a cluster that stops its jobs writes these too,
//! in the same transaction.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row, Transaction};
use weir_base::id::{ClusterId, ProjectId, UserId};
use weir_base::time::Timestamp;

use crate::audit::{self, AuditRecord};
use crate::cluster_record::{BillingMode, ClusterDefinition, ClusterFacts, ClusterRecord, NewCluster};
use crate::error::StoreError;
use crate::job_record::{JobDefinition, JobRecord, RunFacts};
use crate::jobs::{exactly_one, write_facts};
use crate::ledger::{self, NewEntry};
use crate::store::Store;
use crate::usage::{self, UsageChange};

impl Store {
    /// Creates a cluster. Fails when the name is taken.
    pub async fn create_cluster(
        &self,
        cluster: &NewCluster,
        mut audit: AuditRecord,
    ) -> Result<ClusterId, StoreError> {
        let mut transaction = self.begin().await?;
        if name_taken(&mut transaction, &cluster.project, &cluster.name, None).await? {
            return Err(StoreError::NameTaken);
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO clusters (project_id, user_id, name, vpc_id, definition, facts, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        )
        .bind(&cluster.project.0)
        .bind(&cluster.user.0)
        .bind(&cluster.name)
        .bind(&cluster.vpc_id)
        .bind(text(&cluster.definition)?)
        .bind(text(&cluster.facts)?)
        .bind(cluster.created_at.0)
        .fetch_one(&mut *transaction)
        .await?;
        audit.resource_id = id.to_string();
        audit::insert(&mut transaction, &audit).await?;
        transaction.commit().await?;
        Ok(ClusterId(id))
    }

    /// Returns a cluster of a project that is not gone.
    pub async fn cluster(
        &self,
        project: &ProjectId,
        id: ClusterId,
    ) -> Result<Option<ClusterRecord>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM clusters WHERE id = $1 AND project_id = $2 AND deleted_at IS NULL")
                .bind(id.0)
                .bind(&project.0)
                .fetch_optional(self.pool())
                .await?;
        row.map(|row| from_row(&row)).transpose()
    }

    /// Returns the clusters of all projects that are not gone, by ascending id.
    pub async fn all_clusters(&self) -> Result<Vec<ClusterRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM clusters WHERE deleted_at IS NULL ORDER BY id")
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns the clusters of a project that are not gone, by ascending id.
    pub async fn clusters(&self, project: &ProjectId) -> Result<Vec<ClusterRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM clusters WHERE project_id = $1 AND deleted_at IS NULL ORDER BY id")
                .bind(&project.0)
                .fetch_all(self.pool())
                .await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns the clusters that a user was assigned.
    pub async fn clusters_of_user(
        &self,
        project: &ProjectId,
        user: &UserId,
    ) -> Result<BTreeSet<ClusterId>, StoreError> {
        let rows = sqlx::query("SELECT cluster_id FROM cluster_users WHERE project_id = $1 AND user_id = $2")
            .bind(&project.0)
            .bind(&user.0)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.iter().map(|row| row.try_get("cluster_id").map(ClusterId)).collect::<Result<_, _>>()?)
    }

    /// Stores what a user changed. Fails when the new name is taken.
    pub async fn update_cluster(
        &self,
        before: &ClusterRecord,
        after: &ClusterRecord,
        audit: &AuditRecord,
        usage: &[UsageChange],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if name_taken(&mut transaction, &before.project, &after.name, Some(before.id)).await? {
            return Err(StoreError::NameTaken);
        }
        let changed = sqlx::query(
            "UPDATE clusters SET name = $1, definition = $2, facts = $3, version = version + 1
             WHERE id = $4 AND version = $5 AND deleted_at IS NULL",
        )
        .bind(&after.name)
        .bind(text(&after.definition)?)
        .bind(text(&after.facts)?)
        .bind(before.id.0)
        .bind(before.version)
        .execute(&mut *transaction)
        .await?;
        exactly_one(changed.rows_affected())?;
        usage::apply(&mut transaction, usage).await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Stores changed facts of a cluster and of jobs in it, all or none, with the audit record of the call and the
    /// beginnings and ends of use that follow.
    pub async fn write_cluster(
        &self,
        cluster: &ClusterRecord,
        facts: &ClusterFacts,
        jobs: &[(&JobRecord, RunFacts)],
        audits: &[AuditRecord],
        usage: &[UsageChange],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE clusters SET facts = $1, version = version + 1
             WHERE id = $2 AND version = $3 AND deleted_at IS NULL",
        )
        .bind(text(facts)?)
        .bind(cluster.id.0)
        .bind(cluster.version)
        .execute(&mut *transaction)
        .await?;
        exactly_one(changed.rows_affected())?;
        for (job, facts) in jobs {
            write_facts(&mut transaction, job, facts).await?;
        }
        usage::apply(&mut transaction, usage).await?;
        for audit in audits {
            audit::insert(&mut transaction, audit).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Marks a cluster as gone. Its jobs stay and are in no cluster; its mappings, peerings, routes and
    /// assignments to users go with it.
    pub async fn end_cluster(&self, cluster: &ClusterRecord, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE clusters SET deleted_at = $1, version = version + 1
             WHERE id = $2 AND version = $3 AND deleted_at IS NULL",
        )
        .bind(now.0)
        .bind(cluster.id.0)
        .bind(cluster.version)
        .execute(&mut *transaction)
        .await?;
        exactly_one(changed.rows_affected())?;
        detach_jobs(&mut transaction, cluster.id).await?;
        for statement in [
            "DELETE FROM routes WHERE peering_id IN (SELECT id FROM peerings WHERE cluster_id = $1)",
            "DELETE FROM peerings WHERE cluster_id = $1",
            "DELETE FROM cluster_hosts WHERE cluster_id = $1",
            "DELETE FROM cluster_users WHERE cluster_id = $1",
        ] {
            sqlx::query(statement).bind(cluster.id.0).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Notes how a cluster is paid for and until when, with the entry of what was paid, and the beginnings and ends of
    /// use that follow.
    pub async fn set_billing_mode(
        &self,
        cluster: &ClusterRecord,
        (mode, paid_until): (BillingMode, Option<Timestamp>),
        paid: Option<&NewEntry>,
        audit: &AuditRecord,
        usage: &[UsageChange],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE clusters SET billing_mode = $1, paid_until = $2, version = version + 1
             WHERE id = $3 AND version = $4 AND deleted_at IS NULL",
        )
        .bind(mode.as_str())
        .bind(paid_until.map(|at| at.0))
        .bind(cluster.id.0)
        .bind(cluster.version)
        .execute(&mut *transaction)
        .await?;
        exactly_one(changed.rows_affected())?;
        if let Some(entry) = paid {
            ledger::insert(&mut transaction, entry).await?;
        }
        usage::apply(&mut transaction, usage).await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Takes jobs out of a cluster. Deleted ones keep what they were.
async fn detach_jobs(connection: &mut AnyConnection, cluster: ClusterId) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT id, definition FROM jobs WHERE cluster_id = $1 AND deleted_at IS NULL")
        .bind(cluster.0)
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let (id, definition): (i64, String) = (row.try_get("id")?, row.try_get("definition")?);
        let mut definition: JobDefinition = serde_json::from_str(&definition).map_err(|error| {
            StoreError::Corrupt { job: id, what: "definition", reason: error.to_string() }
        })?;
        definition.cluster_id = None;
        sqlx::query(
            "UPDATE jobs SET cluster_id = NULL, definition = $1, version = version + 1 WHERE id = $2",
        )
        .bind(text(&definition)?)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn name_taken(
    transaction: &mut Transaction<'static, Any>,
    project: &ProjectId,
    name: &str,
    except: Option<ClusterId>,
) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM clusters
         WHERE project_id = $1 AND name = $2 AND deleted_at IS NULL AND id <> $3",
    )
    .bind(&project.0)
    .bind(name)
    .bind(except.map_or(0, |id| id.0))
    .fetch_one(&mut **transaction)
    .await?;
    Ok(count > 0)
}

fn text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}

fn corrupt(cluster: i64, what: &'static str, reason: String) -> StoreError {
    StoreError::CorruptCluster { cluster, what, reason }
}

fn json<T: DeserializeOwned>(row: &AnyRow, id: i64, what: &'static str) -> Result<T, StoreError> {
    let text: String = row.try_get(what)?;
    serde_json::from_str(&text).map_err(|error| corrupt(id, what, error.to_string()))
}

fn from_row(row: &AnyRow) -> Result<ClusterRecord, StoreError> {
    let id: i64 = row.try_get("id")?;
    let mode: String = row.try_get("billing_mode")?;
    let definition: ClusterDefinition = json(row, id, "definition")?;
    Ok(ClusterRecord {
        id: ClusterId(id),
        project: ProjectId(row.try_get("project_id")?),
        user: UserId(row.try_get("user_id")?),
        name: row.try_get("name")?,
        vpc_id: row.try_get("vpc_id")?,
        definition,
        billing_mode: BillingMode::parse(&mode)
            .ok_or_else(|| corrupt(id, "billing_mode", format!("`{mode}` is not known to this release")))?,
        paid_until: row.try_get::<Option<i64>, _>("paid_until")?.map(Timestamp),
        facts: json(row, id, "facts")?,
        created_at: Timestamp(row.try_get("created_at")?),
        version: row.try_get("version")?,
    })
}
