//! The database file: opening it, and the transactions that the repositories use.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::error::StoreError;
use crate::schema;

/// How long a writer waits for another one. Writes take milliseconds; a wait this long means a stuck disk.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections. SQLite has one writer; the rest are readers.
const CONNECTIONS: u32 = 4;

/// The metadata of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database file, creating it when it is missing, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: what has been acknowledged survives a power failure, not only a crash.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
        match schema::migrate(&pool).await? {
            Ok(()) => Ok(Self { pool }),
            Err((found, known)) => Err(StoreError::Newer { path: path.to_path_buf(), found, known }),
        }
    }

    /// Returns the connections.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Closes the database, writing its log back into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a transaction that will write. It takes the write lock at once: a transaction that
    /// reads first and writes later can fail in the middle when another writer comes between.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}
