//! Brings the schema up to date, one numbered file at a time, each in a transaction of its own.

use sqlx::{SqliteConnection, SqlitePool};

/// The files in `migrations/`, in order; the position plus one is the version.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_jobs", include_str!("../migrations/0001_jobs.sql")),
    ("0002_accounts", include_str!("../migrations/0002_accounts.sql")),
    ("0003_variables", include_str!("../migrations/0003_variables.sql")),
];

/// Applies what is missing. Returns the version found before when it is newer than the newest known one.
pub async fn migrate(pool: &SqlitePool) -> Result<Result<(), (i64, i64)>, sqlx::Error> {
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    )
    .execute(pool)
    .await?;
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let found = version(&mut transaction).await?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    drop(transaction);
    if found > known {
        return Ok(Err((found, known)));
    }
    for (index, (name, text)) in MIGRATIONS.iter().enumerate() {
        let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        // Read again inside the transaction: another process may have just done it.
        if version(&mut transaction).await? >= number {
            continue;
        }
        sqlx::raw_sql(*text).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_version (version, name) VALUES (?, ?)")
            .bind(number)
            .bind(*name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(Ok(()))
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_version").fetch_one(connection).await
}
