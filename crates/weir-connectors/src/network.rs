//! The one way from names of hosts to addresses that connectors connect to.
//!
//! First come the names that the cluster of the job maps, then the name service of the machine. Addresses outside of
//! the networks that the job may reach are never connected to. A name service may answer differently each time, so a
//! connector connects to the address that it got here, and never lets a driver look the name up again.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use weir_base::ipv4::Ipv4Network;
use weir_base::network::{Barrier, NetworkSettings};

/// How long it may take to find out which of several addresses accepts connections.
const CHOICE_TIMEOUT: Duration = Duration::from_secs(10);

/// Finds the addresses of hosts for a job. Clones are of one job.
#[derive(Clone)]
pub struct Network {
    settings: Arc<RwLock<NetworkSettings>>,
    names: Arc<dyn NameService>,
}

impl Default for Network {
    /// All that the machine reaches.
    fn default() -> Self {
        Self::new(&NetworkSettings::default())
    }
}

/// Says which addresses names have.
#[async_trait]
pub trait NameService: Send + Sync {
    /// Returns the addresses of a name.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The name service of the machine.
struct SystemNames;

#[async_trait]
impl NameService for SystemNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Why a host cannot be connected to.
#[derive(Debug)]
pub struct Unreachable {
    /// What is wrong and what to do.
    pub message: String,
    /// Whether it may go away by itself.
    pub transient: bool,
}

impl Network {
    /// Makes the network of a job, which asks the name service of the machine.
    pub fn new(settings: &NetworkSettings) -> Self {
        Self::with_names(settings, Arc::new(SystemNames))
    }

    /// Makes the network of a job, which asks a name service.
    pub fn with_names(settings: &NetworkSettings, names: Arc<dyn NameService>) -> Self {
        Self { settings: Arc::new(RwLock::new(settings.clone())), names }
    }

    /// Changes the networks that may be reached, for connections that are made from now on.
    pub fn lead_to(&self, destinations: Vec<Ipv4Network>) {
        self.settings.write().unwrap_or_else(PoisonError::into_inner).destinations = Some(destinations);
    }

    /// Whether a name is mapped to an address.
    pub fn maps(&self, host: &str) -> bool {
        self.settings().address_of(host).is_some()
    }

    /// Returns an address to connect to. When several may be reached, it is one that accepts connections.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, Unreachable> {
        let mut allowed = Vec::new();
        let mut barriers = Vec::new();
        for ip in self.addresses(host).await? {
            let address = SocketAddr::new(ip, port);
            match self.settings().barrier(address) {
                None => allowed.push(address),
                Some(barrier) => barriers.push(told(barrier, address, host)),
            }
        }
        match allowed.as_slice() {
            [] => {
                barriers.dedup();
                Err(Unreachable { message: barriers.join("; "), transient: false })
            }
            [address] => Ok(*address),
            several => accepting(several).await.map_err(|error| Unreachable {
                message: format!("none of the addresses of `{host}` accepts a connection: {error}"),
                transient: true,
            }),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unreachable> {
        if let Some(address) = self.literal(host) {
            return Ok(vec![address]);
        }
        let unknown = |why: String| Unreachable {
            message: format!("the address of `{host}` is not known: {why}"),
            transient: true,
        };
        match self.names.addresses(host).await {
            Ok(addresses) if addresses.is_empty() => Err(unknown("the name service names none".to_string())),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(unknown(error.to_string())),
        }
    }

    fn literal(&self, host: &str) -> Option<IpAddr> {
        self.settings().address_of(host).map(IpAddr::V4).or_else(|| host.parse().ok())
    }

    fn settings(&self) -> RwLockReadGuard<'_, NetworkSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the first address that accepts a connection, which is closed again.
async fn accepting(addresses: &[SocketAddr]) -> io::Result<SocketAddr> {
    tokio::time::timeout(CHOICE_TIMEOUT, TcpStream::connect(addresses)).await??.peer_addr()
}

fn told(barrier: Barrier, address: SocketAddr, host: &str) -> String {
    let ip = address.ip();
    match barrier {
        Barrier::NoRoute => format!(
            "no route leads to {ip} ({host}); the cluster of the job needs an active peering with a route whose destination holds it"
        ),
        Barrier::Machine => format!(
            "{ip} ({host}) is an address of the service's own machine, which jobs do not reach unless the operator sets `job_loopback`"
        ),
        Barrier::Metadata => {
            format!("{address} ({host}) keeps the metadata of the service, which no job reaches")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(destinations: Option<&str>) -> NetworkSettings {
        NetworkSettings {
            hosts: BTreeMap::from([("db.made.up".to_string(), "127.0.0.1".parse().unwrap())]),
            destinations: destinations.map(|text| vec![text.parse().unwrap()]),
            ..NetworkSettings::default()
        }
    }

    fn network(destinations: Option<&str>) -> Network {
        Network::new(&settings(destinations))
    }

    /// Names everything 127.7.0.1, 127.7.0.2 and 127.7.0.3.
    struct Three;

    #[async_trait]
    impl NameService for Three {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok((1..=3).map(|last| IpAddr::from([127, 7, 0, last])).collect())
        }
    }

    #[tokio::test]
    async fn of_several_addresses_one_is_chosen_that_may_be_reached_and_accepts_connections() {
        let listener = tokio::net::TcpListener::bind("127.7.0.2:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let network = |destinations| Network::with_names(&settings(destinations), Arc::new(Three));
        assert_eq!(network(None).resolve("several", open.port()).await.unwrap(), open);
        let one = network(Some("127.7.0.3/32")).resolve("several", open.port()).await.unwrap();
        assert_eq!(one.ip(), IpAddr::from([127, 7, 0, 3]));
        drop(listener);
        let none = network(None).resolve("several", open.port()).await.unwrap_err();
        assert!(
            none.transient && none.message.contains("none of the addresses of `several`"),
            "{}",
            none.message
        );
    }

    #[tokio::test]
    async fn mapped_names_come_first() {
        let network = network(None);
        let found = network.resolve("DB.made.up", 7).await.unwrap();
        assert_eq!(found, "127.0.0.1:7".parse().unwrap());
        assert_eq!(network.resolve("10.9.8.7", 1).await.unwrap(), "10.9.8.7:1".parse().unwrap());
        assert!(network.resolve("elsewhere.invalid", 1).await.unwrap_err().transient);
    }

    #[tokio::test]
    async fn what_no_route_leads_to_is_refused_whatever_its_name() {
        let network = network(Some("10.0.0.0/8"));
        assert!(network.resolve("10.9.8.7", 1).await.is_ok());
        for host in ["db.made.up", "192.168.0.1", "::1"] {
            let refused = network.resolve(host, 1).await.unwrap_err();
            assert!(
                !refused.transient && refused.message.contains("no route leads to"),
                "{}",
                refused.message
            );
        }
    }

    #[tokio::test]
    async fn routes_change_while_a_job_runs() {
        let network = network(Some("10.0.0.0/8"));
        let of_table = network.clone();
        network.lead_to(vec!["192.168.0.0/16".parse().unwrap()]);
        assert!(of_table.resolve("192.168.0.1", 1).await.is_ok());
        assert!(of_table.resolve("10.9.8.7", 1).await.unwrap_err().message.contains("no route leads to"));
    }
}
