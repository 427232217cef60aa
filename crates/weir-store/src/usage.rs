//! The repository of what was used: stretches of time in which a job held SPUs or a cluster ran.
//!
//! A stretch begins and ends in the transaction of the change that causes it, so that a crash loses neither. How far
//! it has been charged for is written with the entry of the ledger; see [`crate::ledger`].

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;

use crate::error::StoreError;
use crate::store::Store;

/// What is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metered {
    /// A job of the shared cluster.
    Job,
    /// An exclusive cluster.
    Cluster,
}

impl Metered {
    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Cluster => "cluster",
        }
    }

    /// Returns what has a stored form.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Job, Self::Cluster].into_iter().find(|what| what.as_str() == text)
    }
}

/// The beginning of a stretch of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUsage {
    /// Project.
    pub project: ProjectId,
    /// What is used.
    pub what: Metered,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// At what size.
    pub spus: i64,
    /// Since when.
    pub at: Timestamp,
}

/// A stretch of use begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageChange {
    /// It begins; one that is under way already goes on.
    Begin(NewUsage),
    /// It ends, if one is under way.
    End {
        /// What was used.
        what: Metered,
        /// Its id.
        id: i64,
        /// When.
        at: Timestamp,
    },
}

/// A stretch of use that is not in the ledger to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// Its number.
    pub usage: i64,
    /// Project.
    pub project: ProjectId,
    /// What is used.
    pub what: Metered,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// At what size.
    pub spus: i64,
    /// Since when.
    pub begun_at: Timestamp,
    /// Until when, if it has ended.
    pub ended_at: Option<Timestamp>,
    /// Up to when it is in the ledger.
    pub settled_until: Timestamp,
    /// What was too small to be charged then.
    pub remainder: i64,
}

impl Store {
    /// Returns what is not in the ledger to its end, in all projects.
    pub async fn unsettled_usage(&self) -> Result<Vec<UsageRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM usage_periods WHERE settled = 0 ORDER BY id")
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns what is not in the ledger to its end in a project.
    pub async fn unsettled_usage_of(&self, project: &ProjectId) -> Result<Vec<UsageRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM usage_periods WHERE settled = 0 AND project_id = $1 ORDER BY id")
                .bind(&project.0)
                .fetch_all(self.pool())
                .await?;
        rows.iter().map(from_row).collect()
    }

    /// Begins and ends stretches of use.
    pub async fn change_usage(&self, changes: &[UsageChange]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        apply(&mut transaction, changes).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets what is not in the ledger: it is not charged for.
    pub async fn stop_metering(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM usage_periods").execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM metering").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Returns when the service last settled, unless it has not metered since.
    pub async fn settled_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> =
            sqlx::query_scalar("SELECT settled_at FROM metering").fetch_optional(self.pool()).await?;
        Ok(at.map(Timestamp))
    }
}

/// Begins and ends stretches on a connection, inside the transaction of the change that causes them.
pub(crate) async fn apply(connection: &mut AnyConnection, changes: &[UsageChange]) -> Result<(), StoreError> {
    for change in changes {
        match change {
            UsageChange::Begin(new) => begin(connection, new).await?,
            UsageChange::End { what, id, at } => {
                // A clock that was set back does not take back what is in the ledger.
                sqlx::query(
                    "UPDATE usage_periods SET ended_at = CASE WHEN settled_until > $1 THEN settled_until ELSE $1 END
                     WHERE resource_type = $2 AND resource_id = $3 AND ended_at IS NULL",
                )
                .bind(at.0)
                .bind(what.as_str())
                .bind(id)
                .execute(&mut *connection)
                .await?;
            }
        }
    }
    Ok(())
}

async fn begin(connection: &mut AnyConnection, new: &NewUsage) -> Result<(), StoreError> {
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM usage_periods WHERE resource_type = $1 AND resource_id = $2 AND ended_at IS NULL",
    )
    .bind(new.what.as_str())
    .bind(new.id)
    .fetch_one(&mut *connection)
    .await?;
    if open > 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO usage_periods
            (project_id, resource_type, resource_id, resource_name, spus, begun_at, settled_until)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(&new.project.0)
    .bind(new.what.as_str())
    .bind(new.id)
    .bind(&new.name)
    .bind(new.spus)
    .bind(new.at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the stretches that are in the ledger to their end, inside the transaction of the settlement: their charges stay.
pub(crate) async fn forget_settled(connection: &mut AnyConnection) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM usage_periods WHERE settled = 1").execute(connection).await?;
    Ok(())
}

/// Reads what is metered from its column.
pub(crate) fn metered(row: &AnyRow, usage: i64) -> Result<Metered, StoreError> {
    let text: String = row.try_get("resource_type")?;
    Metered::parse(&text).ok_or_else(|| StoreError::CorruptUsage {
        usage,
        what: "resource_type",
        reason: format!("`{text}` is not known to this release"),
    })
}

fn from_row(row: &AnyRow) -> Result<UsageRecord, StoreError> {
    let usage: i64 = row.try_get("id")?;
    Ok(UsageRecord {
        usage,
        project: ProjectId(row.try_get("project_id")?),
        what: metered(row, usage)?,
        id: row.try_get("resource_id")?,
        name: row.try_get("resource_name")?,
        spus: row.try_get("spus")?,
        begun_at: Timestamp(row.try_get("begun_at")?),
        ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(Timestamp),
        settled_until: Timestamp(row.try_get("settled_until")?),
        remainder: row.try_get("remainder")?,
    })
}
