//! What a job may reach of the network, and names that stand for addresses there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::ipv4::Ipv4Network;

/// The network of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSettings {
    /// Addresses of names, which come before what the name service of the machine says; names in lower case.
    pub hosts: BTreeMap<String, Ipv4Addr>,
    /// The networks that may be reached; `None` is all that the machine reaches.
    pub destinations: Option<Vec<Ipv4Network>>,
}

impl NetworkSettings {
    /// Returns the address that a name is mapped to. Upper and lower case letters are the same, and a dot at the end
    /// changes nothing.
    pub fn address_of(&self, name: &str) -> Option<Ipv4Addr> {
        self.hosts.get(&name.trim_end_matches('.').to_ascii_lowercase()).copied()
    }

    /// Whether an address may be reached.
    pub fn allows(&self, address: std::net::IpAddr) -> bool {
        let Some(destinations) = &self.destinations else { return true };
        match address.to_canonical() {
            std::net::IpAddr::V4(address) => destinations.iter().any(|network| network.contains(address)),
            std::net::IpAddr::V6(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case() {
        let hosts = BTreeMap::from([("db.example".to_string(), Ipv4Addr::new(10, 0, 0, 8))]);
        let network = NetworkSettings { hosts, destinations: None };
        assert_eq!(network.address_of("DB.Example."), Some(Ipv4Addr::new(10, 0, 0, 8)));
        assert_eq!(network.address_of("example"), None);
    }

    #[test]
    fn only_what_is_listed_is_reached() {
        let destinations = Some(vec!["10.0.0.0/8".parse().unwrap()]);
        let network = NetworkSettings { destinations, ..NetworkSettings::default() };
        let allows = |text: &str| network.allows(text.parse().unwrap());
        assert!(allows("10.1.2.3") && allows("::ffff:10.1.2.3"));
        assert!(!allows("11.1.2.3") && !allows("::1"));
        assert!(NetworkSettings::default().allows("::1".parse().unwrap()));
    }
}
