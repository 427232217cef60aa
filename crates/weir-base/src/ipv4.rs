//! Networks of IPv4 addresses, written as `172.16.0.0/23`.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A network: its first address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipv4Network {
    first: u32,
    prefix: u8,
}

/// A text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANetwork;

impl Ipv4Network {
    /// Returns the network with a prefix of that length to which an address belongs.
    pub fn around(address: Ipv4Addr, prefix: u8) -> Option<Self> {
        let network = (prefix <= 32).then_some(Self { first: u32::from(address), prefix })?;
        Some(Self { first: network.first & network.mask(), prefix })
    }

    /// Returns its first address.
    pub fn first(self) -> Ipv4Addr {
        Ipv4Addr::from(self.first)
    }

    /// Returns its last address.
    pub fn last(self) -> Ipv4Addr {
        Ipv4Addr::from(self.first | !self.mask())
    }

    /// Whether an address belongs to it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == self.first
    }

    /// Whether all of another network belongs to it.
    pub fn covers(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.first())
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Whether an address can be that of a host: neither the network's own nor the one of its broadcast.
    pub fn has_host(self, address: Ipv4Addr) -> bool {
        let reserved = self.prefix < 31 && (address == self.first() || address == self.last());
        self.contains(address) && !reserved
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }
}

impl FromStr for Ipv4Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = text.split_once('/').ok_or(NotANetwork)?;
        let first = u32::from(address.parse::<Ipv4Addr>().map_err(|_| NotANetwork)?);
        let digits = (1..=2).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse::<u8>().ok().filter(|prefix| digits && *prefix <= 32).ok_or(NotANetwork)?;
        let network = Self { first, prefix };
        // A set bit after the prefix means that a host was named and not a network.
        if first & network.mask() == first { Ok(network) } else { Err(NotANetwork) }
    }
}

impl fmt::Display for Ipv4Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first(), self.prefix)
    }
}

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an IPv4 network such as 172.16.0.0/23")
    }
}

impl std::error::Error for NotANetwork {}

impl Serialize for Ipv4Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ipv4Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Ipv4Network {
        text.parse().unwrap()
    }

    #[test]
    fn texts_are_read_back_as_written() {
        for text in ["172.16.0.0/23", "0.0.0.0/0", "10.1.2.3/32"] {
            assert_eq!(network(text).to_string(), text);
        }
        for text in
            ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "10.0.0.0/+8", "::/0", "10.0.0.0/008"]
        {
            assert!(text.parse::<Ipv4Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_belongs_to_a_network_of_each_length() {
        let around = |prefix| Ipv4Network::around(Ipv4Addr::new(10, 1, 2, 3), prefix);
        assert_eq!(around(8), Some(network("10.0.0.0/8")));
        assert_eq!((around(0), around(32)), (Some(network("0.0.0.0/0")), Some(network("10.1.2.3/32"))));
        assert_eq!(around(33), None);
    }

    #[test]
    fn networks_cover_and_overlap() {
        let (large, small, other) = (network("10.0.0.0/8"), network("10.1.0.0/16"), network("11.0.0.0/8"));
        assert!(large.covers(small) && !small.covers(large) && large.covers(large));
        assert!(small.overlaps(large) && large.overlaps(small) && !large.overlaps(other));
        assert!(network("0.0.0.0/0").covers(other));
    }

    #[test]
    fn hosts_are_neither_first_nor_last() {
        let network = network("172.16.0.0/23");
        let host = |text: &str| network.has_host(text.parse().unwrap());
        assert!(host("172.16.0.1") && host("172.16.1.254"));
        assert!(!host("172.16.0.0") && !host("172.16.1.255") && !host("172.16.2.1"));
    }
}
