//! What a job may reach of the network, and names that stand for addresses there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

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
    /// Whether loopback, link-local and other addresses that mean the machine of the service itself are out of reach,
    /// whatever the destinations say.
    pub shielded: bool,
    /// Addresses that are never connected to: those of the metadata of the service.
    pub withheld: Vec<SocketAddr>,
}

/// Why an address may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barrier {
    /// It means the machine of the service, or one beside it.
    Machine,
    /// It keeps the metadata of the service.
    Metadata,
    /// It is in none of the destinations.
    NoRoute,
}

impl NetworkSettings {
    /// Returns the address that a name is mapped to. Upper and lower case letters are the same, and a dot at the end
    /// changes nothing.
    pub fn address_of(&self, name: &str) -> Option<Ipv4Addr> {
        self.hosts.get(&name.trim_end_matches('.').to_ascii_lowercase()).copied()
    }

    /// Returns what stands before an address, or `None` when it may be connected to.
    pub fn barrier(&self, address: SocketAddr) -> Option<Barrier> {
        let meant = meant_address(address.ip());
        if self.shielded && is_of_machine(meant) {
            return Some(Barrier::Machine);
        }
        if self.withheld.iter().any(|kept| kept.ip().to_canonical() == meant && kept.port() == address.port())
        {
            return Some(Barrier::Metadata);
        }
        let has_route = |destinations: &Vec<Ipv4Network>| match address.ip().to_canonical() {
            IpAddr::V4(host) => destinations.iter().any(|network| network.contains(host)),
            IpAddr::V6(_) => false,
        };
        self.destinations
            .as_ref()
            .is_some_and(|destinations| !has_route(destinations))
            .then_some(Barrier::NoRoute)
    }
}

/// Returns the IPv4 address that an IPv6 address leads to, where it holds one: mapped (RFC 4291), of a translator with
/// the well-known prefix 64:ff9b::/96 (RFC 6052), or of 6to4 (RFC 3056). Others stay as they are.
pub fn meant_address(address: IpAddr) -> IpAddr {
    let IpAddr::V6(long) = address.to_canonical() else { return address.to_canonical() };
    let [a, b, c, d, e, f, g, h] = long.segments();
    let short = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)).into();
    match (a, b) {
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => short(g, h),
        (0x2002, _) => short(b, c),
        // The deprecated compatible form, but for :: and ::1.
        (0, 0) if [c, d, e, f] == [0; 4] && (g, h) != (0, 0) && (g, h) != (0, 1) => short(g, h),
        _ => address,
    }
}

/// Whether an address, in its canonical form, means this machine, or what only those on its link should reach, such as
/// the metadata of a cloud at 169.254.169.254.
pub fn is_of_machine(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.octets()[0] == 0
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || address.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case() {
        let hosts = BTreeMap::from([("db.example".to_string(), Ipv4Addr::new(10, 0, 0, 8))]);
        let network = NetworkSettings { hosts, ..NetworkSettings::default() };
        assert_eq!(network.address_of("DB.Example."), Some(Ipv4Addr::new(10, 0, 0, 8)));
        assert_eq!(network.address_of("example"), None);
    }

    #[test]
    fn only_what_is_listed_is_reached() {
        let destinations = Some(vec!["10.0.0.0/8".parse().unwrap()]);
        let network = NetworkSettings { destinations, ..NetworkSettings::default() };
        let before = |text: &str| network.barrier(SocketAddr::new(text.parse().unwrap(), 1));
        assert_eq!((before("10.1.2.3"), before("::ffff:10.1.2.3")), (None, None));
        assert_eq!((before("11.1.2.3"), before("::1")), (Some(Barrier::NoRoute), Some(Barrier::NoRoute)));
        assert_eq!(NetworkSettings::default().barrier("[::1]:1".parse().unwrap()), None);
    }

    #[test]
    fn no_route_leads_to_the_machine_of_the_service() {
        let destinations = Some(vec!["0.0.0.0/0".parse().unwrap()]);
        let network = NetworkSettings { destinations, shielded: true, ..NetworkSettings::default() };
        let before = |text: &str| network.barrier(SocketAddr::new(text.parse().unwrap(), 1));
        for of_machine in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert_eq!(before(of_machine), Some(Barrier::Machine), "{of_machine}");
        }
        for of_machine in [
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:a9fe:a9fe::",
        ] {
            assert_eq!(before(of_machine), Some(Barrier::Machine), "{of_machine}");
        }
        assert_eq!((before("10.0.0.1"), before("8.8.8.8")), (None, None));
    }

    #[test]
    fn the_metadata_are_withheld_and_what_is_beside_them_is_not() {
        let withheld = vec!["10.0.0.5:5432".parse().unwrap()];
        let network = NetworkSettings { withheld, ..NetworkSettings::default() };
        assert_eq!(network.barrier("10.0.0.5:5432".parse().unwrap()), Some(Barrier::Metadata));
        assert_eq!(network.barrier("[::ffff:10.0.0.5]:5432".parse().unwrap()), Some(Barrier::Metadata));
        assert_eq!(network.barrier("10.0.0.5:5433".parse().unwrap()), None);
    }
}
