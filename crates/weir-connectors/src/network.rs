//! The one way from names of hosts to addresses that connectors connect to.
//!
//! First come the names that the cluster of the job maps, then the name service of the machine. Addresses outside of
//! the networks that the job may reach are never connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use weir_base::network::{Barrier, NetworkSettings};

/// Finds the addresses of hosts for a job.
#[derive(Debug, Clone)]
pub struct Network {
    settings: Arc<NetworkSettings>,
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
    /// Makes the network of a job.
    pub fn new(settings: &NetworkSettings) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }

    /// Returns the host to connect to in the place of a name: its mapped address, else the name itself.
    pub fn mapped(&self, host: &str) -> String {
        self.settings.address_of(host).map_or_else(|| host.to_string(), |address| address.to_string())
    }

    /// Whether a name is mapped to an address.
    pub fn maps(&self, host: &str) -> bool {
        self.settings.address_of(host).is_some()
    }

    /// Whether there is something that may not be reached.
    pub fn is_restricted(&self) -> bool {
        self.settings.is_restricted()
    }

    /// Returns an address to connect to.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, Unreachable> {
        let addresses: Vec<SocketAddr> = match self.literal(host) {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => tokio::net::lookup_host((host, port))
                .await
                .map_err(|error| Unreachable {
                    message: format!("the address of `{host}` is not known: {error}"),
                    transient: true,
                })?
                .collect(),
        };
        let mut barriers = Vec::new();
        for address in addresses {
            match self.settings.barrier(address) {
                None => return Ok(address),
                Some(barrier) => barriers.push(told(barrier, address, host)),
            }
        }
        barriers.dedup();
        Err(Unreachable { message: barriers.join("; "), transient: false })
    }

    fn literal(&self, host: &str) -> Option<IpAddr> {
        self.settings.address_of(host).map(IpAddr::V4).or_else(|| host.parse().ok())
    }
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

    fn network(destinations: Option<&str>) -> Network {
        Network::new(&NetworkSettings {
            hosts: BTreeMap::from([("db.made.up".to_string(), "127.0.0.1".parse().unwrap())]),
            destinations: destinations.map(|text| vec![text.parse().unwrap()]),
            ..NetworkSettings::default()
        })
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
}
