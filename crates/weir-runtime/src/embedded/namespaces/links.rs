//! The links between namespaces and the machine: their addresses and names, and what `ip` tells of them.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::Deserialize;
use weir_base::ipv4::Ipv4Network;

/// Addresses of one link: its own, both ends, and that of its broadcast.
const ADDRESSES: u64 = 4;

/// A link, which is a network of four addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    first: Ipv4Addr,
}

impl Link {
    /// Returns how many links a network has room for.
    pub(super) fn count(network: Ipv4Network) -> u64 {
        (u64::from(u32::from(network.last())) - u64::from(u32::from(network.first())) + 1) / ADDRESSES
    }

    /// Returns one of the links of a network, of which there must be that many.
    pub(super) fn nth(network: Ipv4Network, number: u64) -> Self {
        let offset = u32::try_from(number * ADDRESSES).unwrap_or_default();
        Self { first: Ipv4Addr::from(u32::from(network.first()).wrapping_add(offset)) }
    }

    /// Returns the address of the machine's end.
    pub(super) fn outer(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.first) + 1)
    }

    /// Returns the address of the end inside the namespace.
    pub(super) fn inner(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.first) + 2)
    }

    /// Returns the name of the interface at the machine's end, which has room for 15 characters.
    pub(super) fn interface(self) -> String {
        format!("weir{:08x}", u32::from(self.first))
    }
}

/// An interface, as `ip -json addr show` tells it.
#[derive(Deserialize)]
struct Interface {
    #[serde(default)]
    ifname: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Ipv4Addr,
    prefixlen: u8,
}

/// A route, as `ip -json route show` tells it.
#[derive(Deserialize)]
struct Route {
    dst: String,
    gateway: Option<Ipv4Addr>,
}

/// Returns the link whose inner end has the only address of an interface.
pub(super) fn of_inner_end(json: &[u8]) -> Option<Link> {
    let interfaces: Vec<Interface> = serde_json::from_slice(json).ok()?;
    let mut addresses = interfaces.iter().flat_map(|interface| &interface.addr_info);
    let address = u32::from(addresses.next()?.local);
    let first = address.checked_sub(2).filter(|first| first % 4 == 0)?;
    Some(Link { first: Ipv4Addr::from(first) })
}

/// Returns the networks of the interfaces that are not ends of links.
pub(super) fn other_networks(json: &[u8]) -> Result<Vec<Ipv4Network>, String> {
    let interfaces: Vec<Interface> = serde_json::from_slice(json).map_err(not_understood)?;
    let others = interfaces.iter().filter(|interface| !interface.ifname.starts_with("weir"));
    let addresses = others.flat_map(|interface| &interface.addr_info);
    Ok(addresses.filter_map(|address| Ipv4Network::around(address.local, address.prefixlen)).collect())
}

/// Returns where the routes of a namespace lead.
pub(super) fn routes(json: &[u8]) -> Result<BTreeSet<Ipv4Network>, String> {
    let routes: Vec<Route> = serde_json::from_slice(json).map_err(not_understood)?;
    let destination = |route: &Route| match route.dst.as_str() {
        "default" => "0.0.0.0/0".parse().ok(),
        network if network.contains('/') => network.parse().ok(),
        host => format!("{host}/32").parse().ok(),
    };
    Ok(routes.iter().filter(|route| route.gateway.is_some()).filter_map(destination).collect())
}

fn not_understood(error: serde_json::Error) -> String {
    format!("what `ip` says is not understood: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_their_place_in_the_network() {
        let network = "100.127.0.0/16".parse().unwrap();
        assert_eq!(Link::count(network), 16_384);
        let link = Link::nth(network, 5);
        assert_eq!((link.outer(), link.inner()), ([100, 127, 0, 21].into(), [100, 127, 0, 22].into()));
        assert_eq!(link.interface(), "weir647f0014");
        let last = Link::nth(network, 16_383);
        assert_eq!(last.inner(), Ipv4Addr::new(100, 127, 255, 254));
        assert_eq!(Link::count("10.0.0.0/30".parse().unwrap()), 1);
        assert_eq!(Link::count("10.0.0.0/31".parse().unwrap()), 0);
        assert_eq!(Link::count("0.0.0.0/0".parse().unwrap()), 1 << 30);
    }

    #[test]
    fn what_there_is_is_read_from_the_machine() {
        let inner = br#"[{"ifname":"eth0","addr_info":[{"local":"100.127.0.22","prefixlen":30}]}]"#;
        assert_eq!(of_inner_end(inner).unwrap(), Link::nth("100.127.0.0/16".parse().unwrap(), 5));
        assert_eq!(of_inner_end(br#"[{"ifname":"eth0","addr_info":[]}]"#), None);
        let all = br#"[{"ifname":"lo","addr_info":[{"local":"127.0.0.1","prefixlen":8}]},{},
            {"ifname":"weir647f0014","addr_info":[{"local":"100.127.0.21","prefixlen":30}]}]"#;
        assert_eq!(other_networks(all).unwrap(), ["127.0.0.0/8".parse().unwrap()]);
        let listed =
            br#"[{"dst":"default","gateway":"100.127.0.21"},{"dst":"10.0.0.8","gateway":"100.127.0.21"},
            {"dst":"10.1.0.0/16","gateway":"100.127.0.21"},{"dst":"100.127.0.20/30","protocol":"kernel"}]"#;
        let listed: Vec<String> = routes(listed).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(listed, ["0.0.0.0/0", "10.0.0.8/32", "10.1.0.0/16"]);
        assert!(routes(b"").unwrap_err().contains("not understood"));
    }
}
