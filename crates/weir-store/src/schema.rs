//! Brings the schema up to date, one numbered file at a time, each in a transaction of its own.

use sqlx::AnyConnection;

use crate::error::StoreError;
use crate::store::{Kind, Store};

/// A step: its version, its name and its statements.
type Migration = (i64, &'static str, &'static str);

/// The files in `migrations/sqlite`, in order.
const SQLITE: &[Migration] = &[
    (1, "jobs", include_str!("../migrations/sqlite/0001_jobs.sql")),
    (2, "accounts", include_str!("../migrations/sqlite/0002_accounts.sql")),
    (3, "variables", include_str!("../migrations/sqlite/0003_variables.sql")),
    (4, "cluster_of_job", include_str!("../migrations/sqlite/0004_cluster_of_job.sql")),
    (7, "notifications", include_str!("../migrations/sqlite/0007_notifications.sql")),
    (8, "people", include_str!("../migrations/sqlite/0008_people.sql")),
    (9, "clusters", include_str!("../migrations/sqlite/0009_clusters.sql")),
    (10, "savepoints", include_str!("../migrations/sqlite/0010_savepoints.sql")),
    (11, "job_files", include_str!("../migrations/sqlite/0011_job_files.sql")),
    (12, "ledger", include_str!("../migrations/sqlite/0012_ledger.sql")),
    (13, "subscriptions", include_str!("../migrations/sqlite/0013_subscriptions.sql")),
    (14, "job_list", include_str!("../migrations/sqlite/0014_job_list.sql")),
    (15, "bucket_owners", include_str!("../migrations/sqlite/0015_bucket_owners.sql")),
    (16, "held", include_str!("../migrations/sqlite/0016_held.sql")),
    (17, "audit_service", include_str!("../migrations/sqlite/0017_audit_service.sql")),
    (18, "trackers", include_str!("../migrations/sqlite/0018_trackers.sql")),
    (19, "temporary_keys", include_str!("../migrations/sqlite/0019_temporary_keys.sql")),
    (20, "projects_and_groups", include_str!("../migrations/sqlite/0020_projects_and_groups.sql")),
    (21, "charges", include_str!("../migrations/sqlite/0021_charges.sql")),
    (22, "job_type", include_str!("../migrations/sqlite/0022_job_type.sql")),
    (23, "origin_of_temporary_keys", include_str!("../migrations/sqlite/0023_origin_of_temporary_keys.sql")),
    (24, "origin_of_tokens", include_str!("../migrations/sqlite/0024_origin_of_tokens.sql")),
];

/// The files in `migrations/postgres`, in order. The first one makes what the first four make of a file.
const POSTGRES: &[Migration] = &[
    (4, "base", include_str!("../migrations/postgres/0004_base.sql")),
    (7, "notifications", include_str!("../migrations/postgres/0007_notifications.sql")),
    (8, "people", include_str!("../migrations/postgres/0008_people.sql")),
    (9, "clusters", include_str!("../migrations/postgres/0009_clusters.sql")),
    (10, "savepoints", include_str!("../migrations/postgres/0010_savepoints.sql")),
    (11, "job_files", include_str!("../migrations/postgres/0011_job_files.sql")),
    (12, "ledger", include_str!("../migrations/postgres/0012_ledger.sql")),
    (13, "subscriptions", include_str!("../migrations/postgres/0013_subscriptions.sql")),
    (14, "job_list", include_str!("../migrations/postgres/0014_job_list.sql")),
    (15, "bucket_owners", include_str!("../migrations/postgres/0015_bucket_owners.sql")),
    (16, "held", include_str!("../migrations/postgres/0016_held.sql")),
    (17, "audit_service", include_str!("../migrations/postgres/0017_audit_service.sql")),
    (18, "trackers", include_str!("../migrations/postgres/0018_trackers.sql")),
    (19, "temporary_keys", include_str!("../migrations/postgres/0019_temporary_keys.sql")),
    (20, "projects_and_groups", include_str!("../migrations/postgres/0020_projects_and_groups.sql")),
    (21, "charges", include_str!("../migrations/postgres/0021_charges.sql")),
    (22, "job_type", include_str!("../migrations/postgres/0022_job_type.sql")),
    (
        23,
        "origin_of_temporary_keys",
        include_str!("../migrations/postgres/0023_origin_of_temporary_keys.sql"),
    ),
    (24, "origin_of_tokens", include_str!("../migrations/postgres/0024_origin_of_tokens.sql")),
];

/// Applies what is missing. Returns the version found before and the newest known one when the first is the newer.
pub async fn migrate(store: &Store) -> Result<Result<(), (i64, i64)>, StoreError> {
    let steps = match store.kind() {
        Kind::Sqlite => SQLITE,
        Kind::Postgres => POSTGRES,
    };
    let mut transaction = store.begin().await?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL)",
    )
    .execute(&mut *transaction)
    .await?;
    let found = version(&mut transaction).await?;
    transaction.commit().await?;
    let known = steps.last().map_or(0, |(number, ..)| *number);
    if found > known {
        return Ok(Err((found, known)));
    }
    for (number, name, text) in steps {
        let mut transaction = store.begin().await?;
        // Read again inside the transaction: another process may have just done it.
        if version(&mut transaction).await? >= *number {
            continue;
        }
        sqlx::raw_sql(*text).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_version (version, name) VALUES ($1, $2)")
            .bind(*number)
            .bind(*name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(Ok(()))
}

async fn version(connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_version").fetch_one(connection).await
}
