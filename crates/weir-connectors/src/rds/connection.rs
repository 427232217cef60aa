//! Connections to a database: a small pool that connects when it is needed.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures::{Stream, TryStreamExt};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Column, ColumnIndex, Decode, Executor, Row, SqlSafeStr, Statement, TypeInfo};
use weir_engine::error::ConnectorError;

use super::address::{Address, Dialect, Encryption};
use super::key::KeyValue;
use crate::network::Network;

/// Connections of one table in one worker: subtasks ask at the same time, and databases count connections.
const MAX_CONNECTIONS: u32 = 4;
/// How long it may take to get a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a statement may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);
/// After which time without use a connection is given back.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Rows of one look-up that are held in memory at most.
const MAX_ROWS: usize = 1_000_000;

/// A row as the texts of its values.
pub(super) type TextRow = Vec<Option<Vec<u8>>>;

/// A column of a table in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatabaseColumn {
    pub name: String,
    pub type_name: String,
}

/// The database of a table.
pub(super) struct Database {
    /// The table, as errors name it.
    owner: String,
    /// Where it is, as errors name it.
    place: String,
    host: String,
    port: u16,
    /// Whether the driver checks that the certificate is one of the host: it must be told the name then.
    verified: bool,
    network: Network,
    pool: Pool,
}

enum Pool {
    PostgreSql(PgPool),
    MySql(MySqlPool),
}

impl Pool {
    fn has_idle(&self) -> bool {
        match self {
            Self::PostgreSql(pool) => pool.num_idle() > 0,
            Self::MySql(pool) => pool.num_idle() > 0,
        }
    }

    /// Makes further connections to an address.
    fn connect_to(&self, address: SocketAddr) {
        let host = address.ip().to_string();
        match self {
            Self::PostgreSql(pool) => {
                pool.set_connect_options(PgConnectOptions::clone(&pool.connect_options()).host(&host));
            }
            Self::MySql(pool) => {
                pool.set_connect_options(MySqlConnectOptions::clone(&pool.connect_options()).host(&host));
            }
        }
    }
}

/// Why something failed, before it is told in the words of the table.
enum Fault {
    Database(sqlx::Error),
    TimedOut,
    TooManyRows,
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Runs something on a connection of a pool, which is closed when it takes too long: its answer could come later.
macro_rules! on_connection {
    ($pool:expr, |$connection:ident| $work:expr) => {{
        let mut $connection = $pool.acquire().await?;
        match tokio::time::timeout(STATEMENT_TIMEOUT, async { $work }).await {
            Ok(outcome) => outcome,
            Err(_) => {
                $connection.close_on_drop();
                Err(Fault::TimedOut)
            }
        }
    }};
}

impl Database {
    /// Makes the database of a table. Nothing is connected yet.
    pub fn new(
        owner: String,
        address: &Address,
        username: &str,
        password: &str,
        network: Network,
    ) -> Result<Self, ConnectorError> {
        let Address { dialect, host, port, database, encryption } = address;
        let place = format!("{host}:{port}/{database}");
        if *encryption == Encryption::Verified && network.maps(host) {
            // The driver checks the certificate for what it connects to, which is the address.
            return Err(ConnectorError::permanent(format!(
                "{owner}: the cluster of the job maps `{host}` to an address, for which no certificate can be verified; give `sslmode=require`, or remove the mapping"
            )));
        }
        let pool = match dialect {
            Dialect::PostgreSql => {
                let options = PgConnectOptions::new_without_pgpass()
                    .host(host)
                    .port(*port)
                    .database(database)
                    .username(username)
                    .password(password)
                    .ssl_mode(match encryption {
                        Encryption::Never => PgSslMode::Disable,
                        Encryption::Preferred => PgSslMode::Prefer,
                        Encryption::Required => PgSslMode::Require,
                        Encryption::Verified => PgSslMode::VerifyFull,
                    });
                Pool::PostgreSql(
                    PgPoolOptions::new()
                        .max_connections(MAX_CONNECTIONS)
                        .acquire_timeout(CONNECT_TIMEOUT)
                        .idle_timeout(IDLE_TIMEOUT)
                        .test_before_acquire(false)
                        .connect_lazy_with(options),
                )
            }
            Dialect::MySql => {
                let options = MySqlConnectOptions::new()
                    .host(host)
                    .port(*port)
                    .database(database)
                    .username(username)
                    .password(password)
                    .ssl_mode(match encryption {
                        Encryption::Never => MySqlSslMode::Disabled,
                        Encryption::Preferred => MySqlSslMode::Preferred,
                        Encryption::Required => MySqlSslMode::Required,
                        Encryption::Verified => MySqlSslMode::VerifyIdentity,
                    });
                Pool::MySql(
                    MySqlPoolOptions::new()
                        .max_connections(MAX_CONNECTIONS)
                        .acquire_timeout(CONNECT_TIMEOUT)
                        .idle_timeout(IDLE_TIMEOUT)
                        .test_before_acquire(false)
                        .connect_lazy_with(options),
                )
            }
        };
        let verified = *encryption == Encryption::Verified;
        Ok(Self { owner, place, host: host.clone(), port: *port, verified, network, pool })
    }

    /// Gives the pool an address for the connections that it makes, or refuses a database that the job may not reach.
    /// A pool with connections at hand makes none, or makes one to the address that it was given before.
    ///
    /// A driver that verifies certificates keeps the name, looks it up once more, and goes no further than a greeting
    /// where the certificate is another's.
    async fn reach(&self) -> Result<(), ConnectorError> {
        if self.pool.has_idle() {
            return Ok(());
        }
        let found = self.network.resolve(&self.host, self.port).await.map_err(|fault| ConnectorError {
            message: format!("{}: the database at {}: {}", self.owner, self.place, fault.message),
            transient: fault.transient,
        })?;
        if !self.verified {
            self.pool.connect_to(found);
        }
        Ok(())
    }

    /// Returns the columns of a statement, which is not run.
    pub async fn describe(&self, sql: &str) -> Result<Vec<DatabaseColumn>, ConnectorError> {
        self.reach().await?;
        let columns = match &self.pool {
            Pool::PostgreSql(pool) => describe_postgres(pool, sql).await,
            Pool::MySql(pool) => describe_mysql(pool, sql).await,
        };
        columns.map_err(|fault| self.error(fault))
    }

    /// Returns whether a table or schema is there, by the error of describing it.
    pub async fn describe_if_there(&self, sql: &str) -> Result<Option<Vec<DatabaseColumn>>, ConnectorError> {
        self.reach().await?;
        let columns = match &self.pool {
            Pool::PostgreSql(pool) => describe_postgres(pool, sql).await,
            Pool::MySql(pool) => describe_mysql(pool, sql).await,
        };
        match columns {
            Ok(columns) => Ok(Some(columns)),
            Err(Fault::Database(sqlx::Error::Database(error)))
                if matches!(error.code().as_deref(), Some("42P01" | "3F000")) =>
            {
                Ok(None)
            }
            Err(fault) => Err(self.error(fault)),
        }
    }

    /// Runs a look-up of PostgreSQL, whose parameters are arrays of texts.
    pub async fn select_by_arrays(
        &self,
        sql: &str,
        arrays: &[Vec<String>],
    ) -> Result<Vec<TextRow>, ConnectorError> {
        self.reach().await?;
        let rows = match &self.pool {
            Pool::PostgreSql(pool) => select_postgres(pool, sql, arrays).await,
            Pool::MySql(_) => Ok(Vec::new()),
        };
        rows.map_err(|fault| self.error(fault))
    }

    /// Runs a look-up of MySQL, whose parameters are values.
    pub async fn select_by_values(
        &self,
        sql: &str,
        values: &[KeyValue],
    ) -> Result<Vec<TextRow>, ConnectorError> {
        self.reach().await?;
        let rows = match &self.pool {
            Pool::MySql(pool) => select_mysql(pool, sql, values).await,
            Pool::PostgreSql(_) => Ok(Vec::new()),
        };
        rows.map_err(|fault| self.error(fault))
    }

    /// Makes the error of a fault. What the database says of itself has neither passwords nor rows.
    fn error(&self, fault: Fault) -> ConnectorError {
        let (transient, text) = match &fault {
            Fault::TimedOut => (true, format!("no answer within {} s", STATEMENT_TIMEOUT.as_secs())),
            Fault::TooManyRows => {
                let text = format!(
                    "the keys of one batch have more than {MAX_ROWS} rows; join by more columns of the table"
                );
                (false, text)
            }
            Fault::Database(sqlx::Error::PoolTimedOut) => {
                (true, format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()))
            }
            Fault::Database(sqlx::Error::Database(error)) => {
                (is_transient(error.as_ref()), error.message().to_string())
            }
            Fault::Database(error @ sqlx::Error::Io(_)) if self.verified => (
                true,
                format!(
                    "{error}; with `sslmode=verify-full` the driver looks the name up, in the network of the cluster"
                ),
            ),
            Fault::Database(error @ sqlx::Error::Io(_)) => (true, error.to_string()),
            Fault::Database(error) => (false, error.to_string()),
        };
        ConnectorError {
            message: format!("{}: the database at {}: {text}", self.owner, self.place),
            transient,
        }
    }
}

/// Tells whether a fault that the database reports may go away: classes 08 (connection), 40 (rolled back), 53
/// (resources), 57P (shut down or starting), 55P03 and 1205 (locks).
fn is_transient(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    let lock_wait = error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .is_some_and(|error| error.number() == 1205);
    lock_wait || code == "55P03" || ["08", "40", "53", "57P"].iter().any(|class| code.starts_with(class))
}

async fn describe_postgres(pool: &PgPool, sql: &str) -> Result<Vec<DatabaseColumn>, Fault> {
    on_connection!(pool, |connection| {
        let statement = (&mut *connection).prepare(AssertSqlSafe(sql).into_sql_str()).await?;
        Ok(statement.columns().iter().map(column).collect())
    })
}

async fn describe_mysql(pool: &MySqlPool, sql: &str) -> Result<Vec<DatabaseColumn>, Fault> {
    on_connection!(pool, |connection| {
        let statement = (&mut *connection).prepare(AssertSqlSafe(sql).into_sql_str()).await?;
        Ok(statement.columns().iter().map(column).collect())
    })
}

fn column(column: &impl Column) -> DatabaseColumn {
    DatabaseColumn { name: column.name().to_string(), type_name: column.type_info().name().to_string() }
}

async fn select_postgres(pool: &PgPool, sql: &str, arrays: &[Vec<String>]) -> Result<Vec<TextRow>, Fault> {
    on_connection!(pool, |connection| {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for array in arrays {
            query = query.bind(array);
        }
        collect(query.fetch(&mut *connection)).await
    })
}

async fn select_mysql(pool: &MySqlPool, sql: &str, values: &[KeyValue]) -> Result<Vec<TextRow>, Fault> {
    on_connection!(pool, |connection| {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                KeyValue::Integer(value) => query.bind(*value),
                KeyValue::Float(value) => query.bind(*value),
                KeyValue::Text(value) => query.bind(value),
            };
        }
        collect(query.fetch(&mut *connection)).await
    })
}

async fn collect<R>(rows: impl Stream<Item = Result<R, sqlx::Error>>) -> Result<Vec<TextRow>, Fault>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r [u8]: Decode<'r, R::Database>,
{
    let mut rows = pin!(rows);
    let mut texts = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let mut values = TextRow::with_capacity(row.len());
        for at in 0..row.len() {
            values.push(row.try_get_unchecked::<Option<&[u8]>, _>(at)?.map(<[u8]>::to_vec));
        }
        texts.push(values);
        if texts.len() > MAX_ROWS {
            return Err(Fault::TooManyRows);
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{IpAddr, TcpListener};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use async_trait::async_trait;
    use weir_base::network::NetworkSettings;

    use super::*;
    use crate::network::NameService;

    /// Says 127.7.1.1 first and 127.7.1.2 ever after.
    #[derive(Default)]
    struct Turning(AtomicU8);

    #[async_trait]
    impl NameService for Turning {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let asked = self.0.fetch_add(1, Ordering::Relaxed);
            Ok(vec![IpAddr::from([127, 7, 1, 1 + asked.min(1)])])
        }
    }

    /// Listens on one port of both addresses.
    fn listeners() -> (TcpListener, TcpListener) {
        loop {
            let first = TcpListener::bind("127.7.1.1:0").unwrap();
            match TcpListener::bind(("127.7.1.2", first.local_addr().unwrap().port())) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                second => return (first, second.unwrap()),
            }
        }
    }

    /// Tells whether somebody connected.
    fn was_met(listener: &TcpListener) -> bool {
        listener.set_nonblocking(true).unwrap();
        listener.accept().is_ok()
    }

    /// Closes the first connection: whoever made it learns that this is no database.
    async fn hang_up(listener: &TcpListener) {
        let listener = listener.try_clone().unwrap();
        tokio::task::spawn_blocking(move || drop(listener.accept().unwrap())).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_checked_is_what_is_connected_to() {
        for dialect in [Dialect::PostgreSql, Dialect::MySql] {
            let (allowed, forbidden) = listeners();
            let address = Address {
                dialect,
                host: "db.made.up".to_string(),
                port: allowed.local_addr().unwrap().port(),
                database: "cars".to_string(),
                encryption: Encryption::Preferred,
            };
            let network = NetworkSettings {
                destinations: Some(vec!["127.7.1.1/32".parse().unwrap()]),
                ..NetworkSettings::default()
            };
            let network = Network::with_names(&network, Arc::new(Turning::default()));
            let database = Database::new("table `T`".to_string(), &address, "u", "p", network).unwrap();

            let (first, ()) = tokio::join!(database.describe("SELECT 1"), hang_up(&allowed));
            assert!(!first.unwrap_err().message.contains("no route"));
            let second = database.describe("SELECT 1").await.unwrap_err();
            assert!(second.message.contains("no route leads to 127.7.1.2"), "{second}");
            assert!(!was_met(&forbidden));
        }
    }
}
