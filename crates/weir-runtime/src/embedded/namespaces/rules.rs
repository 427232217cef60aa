//! What `ip` and `nft` are told: texts out of what clusters reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use weir_base::id::ClusterId;
use weir_base::ipv4::Ipv4Network;

use super::links::Link;

/// Addresses that mean this machine or its neighbours, such as the metadata of a cloud; those of
/// [`weir_base::network::is_of_machine`].
const OF_MACHINE: &str = "0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255";

/// Says no: who connects is told at once, and does not wait for an answer.
const REFUSE: &str = "reject with icmpx type admin-prohibited";

/// The lines that make the machine's end of a link. Without an address of its own IPv6 leads nowhere.
pub(super) fn outer_end(link: Link) -> String {
    let (interface, address) = (link.interface(), link.outer());
    format!(
        "link set {interface} addrgenmode none\naddr add {address}/30 dev {interface}\nlink set {interface} up\n"
    )
}

/// The lines that make the end of a link inside a namespace, and the routes.
pub(super) fn inner_end(link: Link, destinations: &BTreeSet<Ipv4Network>) -> String {
    let address = link.inner();
    let mut lines = format!(
        "link set lo up\nlink set eth0 addrgenmode none\naddr add {address}/30 dev eth0\nlink set eth0 up\n"
    );
    lines.push_str(&changed_routes(link, &BTreeSet::new(), destinations));
    lines
}

/// The lines that make the routes of a namespace those to `destinations`.
pub(super) fn changed_routes(
    link: Link,
    present: &BTreeSet<Ipv4Network>,
    destinations: &BTreeSet<Ipv4Network>,
) -> String {
    // The metric keeps them apart from the route of the link itself.
    let route = |verb: &str, destination: &Ipv4Network| {
        format!("route {verb} {destination} via {} dev eth0 onlink metric 100\n", link.outer())
    };
    let gone = present.difference(destinations).map(|destination| route("del", destination));
    let new = destinations.difference(present).map(|destination| route("add", destination));
    gone.chain(new).collect()
}

/// The table of nftables of a service, which takes the place of the one that is there; without clusters there is none.
pub(super) fn table(
    name: &str,
    withheld: &[SocketAddr],
    clusters: &BTreeMap<ClusterId, (Link, &BTreeSet<Ipv4Network>)>,
) -> String {
    // Deleting what is not there is an error.
    let mut text = format!("table inet {name}\ndelete table inet {name}\n");
    if clusters.is_empty() {
        return text;
    }
    let _ = writeln!(text, "table inet {name} {{");
    for (cluster, (_, destinations)) in clusters {
        text.push_str(&of_cluster(*cluster, withheld, destinations));
    }
    let links = || clusters.iter().map(|(cluster, (link, _))| (cluster, link));
    let verdicts =
        links().map(|(cluster, link)| format!("\"{}\" : jump cluster_{cluster}", link.interface()));
    let verdicts = join(verdicts);
    let interfaces = join(links().map(|(_, link)| format!("\"{}\"", link.interface())));
    let sources = join(links().map(|(_, link)| link.inner().to_string()));
    let _ = write!(
        text,
        "  chain forward {{
    type filter hook forward priority filter;
    oifname {{ {interfaces} }} ct state != {{ established, related }} {REFUSE}
    iifname vmap {{ {verdicts} }}
  }}
  chain input {{
    type filter hook input priority filter;
    iifname vmap {{ {verdicts} }}
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {{ {sources} }} masquerade
  }}
}}
"
    );
    text
}

/// What the jobs of a cluster may reach, of the machine itself as of what is behind it.
fn of_cluster(cluster: ClusterId, withheld: &[SocketAddr], destinations: &BTreeSet<Ipv4Network>) -> String {
    let mut text = format!("  chain cluster_{cluster} {{\n    ip daddr {{ {OF_MACHINE} }} {REFUSE}\n");
    for address in withheld {
        // There is no IPv6 in a namespace.
        if let IpAddr::V4(ip) = address.ip().to_canonical() {
            let _ = writeln!(text, "    ip daddr {ip} tcp dport {} {REFUSE}", address.port());
        }
    }
    // Not every version of nft takes overlapping networks.
    let outermost = destinations
        .iter()
        .filter(|network| !destinations.iter().any(|other| other != *network && other.covers(**network)));
    let outermost = join(outermost.map(ToString::to_string));
    if !outermost.is_empty() {
        let _ = writeln!(text, "    ip daddr {{ {outermost} }} accept");
    }
    let _ = writeln!(text, "    {REFUSE}\n  }}");
    text
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> BTreeSet<Ipv4Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn link(number: u64) -> Link {
        Link::nth("100.127.0.0/16".parse().unwrap(), number)
    }

    #[test]
    fn a_cluster_reaches_its_destinations_and_is_reached_by_nothing() {
        let (one, other) = (networks(&["10.0.0.0/8", "10.1.0.0/16", "192.168.0.8/32"]), networks(&[]));
        let clusters = BTreeMap::from([(ClusterId(5), (link(5), &one)), (ClusterId(6), (link(6), &other))]);
        let withheld = ["10.0.0.5:5432".parse().unwrap(), "[fd00::1]:5432".parse().unwrap()];
        assert_eq!(
            table("weir_1_2", &withheld, &clusters),
            r#"table inet weir_1_2
delete table inet weir_1_2
table inet weir_1_2 {
  chain cluster_5 {
    ip daddr { 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255 } reject with icmpx type admin-prohibited
    ip daddr 10.0.0.5 tcp dport 5432 reject with icmpx type admin-prohibited
    ip daddr { 10.0.0.0/8, 192.168.0.8/32 } accept
    reject with icmpx type admin-prohibited
  }
  chain cluster_6 {
    ip daddr { 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255 } reject with icmpx type admin-prohibited
    ip daddr 10.0.0.5 tcp dport 5432 reject with icmpx type admin-prohibited
    reject with icmpx type admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter;
    oifname { "weir647f0014", "weir647f0018" } ct state != { established, related } reject with icmpx type admin-prohibited
    iifname vmap { "weir647f0014" : jump cluster_5, "weir647f0018" : jump cluster_6 }
  }
  chain input {
    type filter hook input priority filter;
    iifname vmap { "weir647f0014" : jump cluster_5, "weir647f0018" : jump cluster_6 }
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr { 100.127.0.22, 100.127.0.26 } masquerade
  }
}
"#
        );
    }

    #[test]
    fn without_clusters_the_table_goes() {
        let text = table("weir_1_2", &[], &BTreeMap::new());
        assert_eq!(text, "table inet weir_1_2\ndelete table inet weir_1_2\n");
    }

    #[test]
    fn only_routes_that_differ_are_touched() {
        let (present, wanted) =
            (networks(&["10.0.0.0/8", "11.0.0.0/8"]), networks(&["11.0.0.0/8", "12.0.0.0/8"]));
        assert_eq!(
            changed_routes(link(5), &present, &wanted),
            "route del 10.0.0.0/8 via 100.127.0.21 dev eth0 onlink metric 100\n\
             route add 12.0.0.0/8 via 100.127.0.21 dev eth0 onlink metric 100\n"
        );
        assert_eq!(changed_routes(link(5), &wanted, &wanted), "");
    }

    #[test]
    fn addresses_of_the_machine_are_those_of_the_connectors() {
        for text in OF_MACHINE.split(", ") {
            let address: IpAddr = text.split('/').next().unwrap().parse().unwrap();
            assert!(weir_base::network::is_of_machine(address), "{text}");
        }
    }
}
