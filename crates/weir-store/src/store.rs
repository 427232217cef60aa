//! The database: opening it, and the transactions that the repositories use.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};

use crate::error::StoreError;
use crate::schema;

/// Connections to a file. SQLite has one writer; the rest are readers.
const FILE_CONNECTIONS: u32 = 4;
/// Connections to a server.
const SERVER_CONNECTIONS: u32 = 16;
/// The port of a server whose address names none.
const POSTGRES_PORT: u16 = 5432;
/// How long to wait for a server, or for a free connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// The lock that each writing transaction of a server holds. Any number will do that no one else uses.
const WRITER: &str = "SELECT pg_advisory_xact_lock(8390876208231247)";

/// Which database holds the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file of SQLite.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// The metadata of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    kind: Kind,
}

impl Store {
    /// Opens a database file, creating it when it is missing, and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options =
            file_address(path).and_then(|address| address.parse().ok()).ok_or(StoreError::BadPath)?;
        // One writer waits up to 5 s for another, which is the default; a wait this long means a stuck disk.
        // A connection to a file is not lost while it lies idle, and asking it before each use takes as long as a query.
        let pool = AnyPoolOptions::new().max_connections(FILE_CONNECTIONS).test_before_acquire(false);
        let pool = pool.after_connect(|connection, _| {
            // FULL: what has been acknowledged survives a power failure, not only a crash.
            Box::pin(
                async move { run(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").await },
            )
        });
        Self::prepare(pool, options, Kind::Sqlite, &path.display().to_string()).await
    }

    /// Connects to a database of a PostgreSQL server, `postgres://user:password@host:port/database`, and brings its schema up
    /// to date. The database may be empty; other tables in it are left alone.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let bad = || StoreError::BadAddress;
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(bad());
        }
        let options: AnyConnectOptions = url.parse().map_err(|_| bad())?;
        let shown =
            format!("{}{}", options.database_url.host_str().unwrap_or_default(), options.database_url.path());
        let pool = AnyPoolOptions::new().max_connections(SERVER_CONNECTIONS);
        Self::prepare(pool, options, Kind::Postgres, &shown).await
    }

    /// Returns the addresses of the server in the address of a database, asking the name service; none for a server
    /// that is reached by a socket file.
    pub fn server_addresses(url: &str) -> Result<Vec<SocketAddr>, StoreError> {
        let options: AnyConnectOptions = url.parse().map_err(|_| StoreError::BadAddress)?;
        let url = options.database_url;
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else { return Ok(Vec::new()) };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = (host, url.port().unwrap_or(POSTGRES_PORT)).to_socket_addrs();
        Ok(found.map_err(|error| StoreError::Database(sqlx::Error::Io(error)))?.collect())
    }

    async fn prepare(
        pool: AnyPoolOptions,
        options: AnyConnectOptions,
        kind: Kind,
        place: &str,
    ) -> Result<Self, StoreError> {
        install_default_drivers();
        let pool = pool.acquire_timeout(CONNECT_TIME);
        // On a connection of its own: one that was open before would go on to believe in the columns of then, and
        // sqlx fails on rows that have more of them than their statement had when it was prepared.
        let alone = pool.clone().max_connections(1).connect_with(options.clone()).await?;
        let migrated = schema::migrate(&Self { pool: alone.clone(), kind }).await;
        alone.close().await;
        match migrated? {
            Ok(()) => Ok(Self { pool: pool.connect_with(options).await?, kind }),
            Err((found, known)) => Err(StoreError::Newer { place: place.to_string(), found, known }),
        }
    }

    /// Returns the connections.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Writes a copy of the database file, as it is at this moment, to a file that must not exist. Readers and writers go on
    /// meanwhile. A server has its own means for this and gives [`StoreError::NotAFile`].
    pub async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        if self.kind != Kind::Sqlite {
            return Err(StoreError::NotAFile);
        }
        let path = path.to_str().ok_or(StoreError::BadPath)?;
        sqlx::query("VACUUM INTO $1").bind(path).execute(&self.pool).await?;
        Ok(())
    }

    /// Closes the database; a file gets its log written back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a transaction that will write. It waits for the other writers at once: one that reads first and
    /// writes later could fail in the middle, or act on what has changed meanwhile.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        match self.kind {
            Kind::Sqlite => Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?),
            Kind::Postgres => {
                let mut transaction = self.pool.begin().await?;
                run(&mut transaction, WRITER).await?;
                Ok(transaction)
            }
        }
    }
}

/// Returns the address of a file for the database library. Absolute, as a relative one would begin with the name of a host.
fn file_address(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Some(format!("sqlite://{}?mode=rwc", utf8_percent_encode(path.to_str()?, NON_ALPHANUMERIC)))
}

async fn run(connection: &mut AnyConnection, statements: &'static str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(statements)).await?;
    Ok(())
}

/// Returns a value as the JSON in which it is stored.
pub(crate) fn json_text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}
