//! A connection to a Redis server that is made when it is needed and made anew after a fault.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, Value,
};
use weir_engine::error::ConnectorError;

use crate::network::Network;
use crate::options::StreamOptions;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may take to answer a pipeline.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The server of a stream or table.
pub(super) struct Server {
    /// The stream or table, as errors name it.
    owner: String,
    host: String,
    port: u16,
    settings: RedisConnectionInfo,
    network: Network,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
}

/// Reads the option `cluster_address`.
pub(super) fn address(options: &StreamOptions<'_>) -> Result<(String, u16), ConnectorError> {
    let address = options.required("cluster_address")?;
    if address.contains(',') {
        return Err(options.error(
            "cluster_address",
            "names several servers; a table reads a single one, not a Redis cluster",
        ));
    }
    let parts = address.rsplit_once(':').map(|(host, port)| (host.trim(), port.trim().parse::<u16>()));
    match parts {
        Some((host, Ok(port))) if !host.is_empty() && port > 0 => {
            Ok((host.trim_start_matches('[').trim_end_matches(']').to_string(), port))
        }
        _ => Err(options.error("cluster_address", "is not of the form `host:port`, such as `10.0.0.8:6379`")),
    }
}

impl Server {
    /// Makes the server of an owner such as "table `t1`"; nothing is connected yet.
    pub fn new(owner: String, options: &StreamOptions<'_>, network: Network) -> Result<Self, ConnectorError> {
        let (host, port) = address(options)?;
        let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(password) = options.get("password").filter(|password| !password.is_empty()) {
            settings = settings.set_password(password);
        }
        Ok(Self { owner, host, port, settings, network, connection: tokio::sync::Mutex::new(None) })
    }

    /// Runs commands in one round trip and returns the answer of each.
    pub async fn run(&self, commands: &mut Pipeline) -> Result<Vec<RedisResult<Value>>, ConnectorError> {
        let mut connection = self.connection().await?;
        let answers: RedisResult<Vec<RedisResult<Value>>> =
            commands.ignore_errors().query_async(&mut connection).await;
        match answers {
            Ok(answers) => Ok(answers),
            Err(error) => {
                // Whatever it was, the next attempt shall not meet the same connection.
                *self.connection.lock().await = None;
                Err(self.error(&error))
            }
        }
    }

    async fn connection(&self) -> Result<MultiplexedConnection, ConnectorError> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = connection.as_ref() {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let client = self.client().await?;
        let made = client.get_multiplexed_async_connection_with_config(&config).await;
        let made = made.map_err(|error| self.error(&error))?;
        Ok(connection.insert(made).clone())
    }

    /// Finds the server. It is asked for with each new connection: it may have moved.
    async fn client(&self) -> Result<Client, ConnectorError> {
        let found = self.network.resolve(&self.host, self.port).await;
        let found = found.map_err(|fault| ConnectorError {
            message: format!("{}: the Redis server at {}: {}", self.owner, self.address(), fault.message),
            transient: fault.transient,
        })?;
        ConnectionAddr::Tcp(found.ip().to_string(), found.port())
            .into_connection_info()
            .and_then(|address| Client::open(address.set_redis_settings(self.settings.clone())))
            .map_err(|error| self.error(&error))
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Makes the error of a fault, which is transient when the server or the way to it may recover.
    pub fn error(&self, error: &RedisError) -> ConnectorError {
        let (owner, address) = (&self.owner, self.address());
        let transient = match error.kind() {
            ErrorKind::Io => true,
            ErrorKind::Server(kind) => matches!(
                kind,
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown
            ),
            _ => false,
        };
        let hint = match error.kind() {
            ErrorKind::AuthenticationFailed => "; check option `password`",
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => {
                "; it belongs to a Redis cluster, which is not supported here"
            }
            _ if error.code() == Some("NOAUTH") => "; give option `password`",
            _ => "",
        };
        let message = format!("{owner}: the Redis server at {address}: {error}{hint}");
        ConnectorError { message, transient }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_sql::Options;

    use super::*;

    #[test]
    fn addresses() {
        let read = |value: &str| {
            let options = Options(BTreeMap::from([("cluster_address".to_string(), value.to_string())]));
            address(&StreamOptions::new("t", &options)).map_err(|error| error.message)
        };
        assert_eq!(read(" 10.0.0.8:6379 "), Ok(("10.0.0.8".to_string(), 6379)));
        assert_eq!(read("[::1]:7000"), Ok(("::1".to_string(), 7000)));
        for (value, text) in [
            ("a:1,b:1", "not a Redis cluster"),
            ("a", "`host:port`"),
            (":1", "`host:port`"),
            ("a:0", "`host:port`"),
            ("a:x", "`host:port`"),
        ] {
            assert!(read(value).unwrap_err().contains(text), "{value}");
        }
    }
}
