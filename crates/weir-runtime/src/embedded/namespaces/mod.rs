//! Network namespaces of clusters: what a job cannot connect to is not there for it.
//!
//! ```text
//! namespace of cluster 5                  machine
//!   lo
//!   eth0 100.127.0.22/30 ── veth pair ── weir647f0014 100.127.0.21/30 ── nftables ── other interfaces
//!   a route for each destination
//! ```
//!
//! The namespace has a route for each destination of the cluster and for nothing else. On the machine's side a table of
//! nftables lets out only what goes to these destinations, under an address of the machine (masquerade), and in only what
//! answers it. The namespace is made before the first worker of its cluster, outlives the service as workers do, and is
//! removed with the cluster. What there is of it is read from the machine: nothing else keeps it.

mod commands;
mod links;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use weir_base::id::ClusterId;
use weir_base::ipv4::Ipv4Network;

use self::commands::{ip, ip_batch, ip_inside, nft};
use self::links::Link;

/// Where `ip netns` keeps namespaces under their names.
const DIRECTORY: &str = "/run/netns";
/// Interfaces of the machine.
const INTERFACES: &str = "/sys/class/net";
/// Whether the machine passes packets on.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// After which time the rules are given again: who loads those of a firewall anew often removes all others.
const RULE_AGAIN: Duration = Duration::from_secs(60);

/// The namespaces of the clusters of one service.
#[derive(Debug)]
pub struct Namespaces {
    /// What the names of this service's namespaces begin with; tells the services of a machine apart.
    prefix: String,
    /// The table of nftables.
    table: String,
    link_network: Ipv4Network,
    withheld: Vec<SocketAddr>,
    made: Mutex<Made>,
}

/// What there is on the machine.
#[derive(Debug, Default)]
struct Made {
    clusters: BTreeMap<ClusterId, Namespace>,
    /// When the table of nftables was last made to say what is in `clusters`; `None` when it does not.
    ruled_at: Option<Instant>,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Namespace {
    link: Link,
    destinations: BTreeSet<Ipv4Network>,
}

impl Namespaces {
    /// Takes up the namespaces of the service that keeps its data in `data`, or says why there cannot be any. Their links
    /// get addresses of `link_network`; the addresses in `withheld` are not reached from any.
    pub async fn open(
        data: &Path,
        link_network: Ipv4Network,
        withheld: Vec<SocketAddr>,
    ) -> Result<Self, String> {
        let place = place_of(data)?;
        let (prefix, table) = (format!("weir-{place}-"), format!("weir_{}", place.replace('-', "_")));
        let namespaces = Self { prefix, table, link_network, withheld, made: Mutex::default() };
        namespaces.check().await?;
        let mut made = namespaces.made.lock().await;
        for cluster in namespaces.found() {
            match namespaces.look(cluster).await {
                Some(namespace) => drop(made.clusters.insert(cluster, namespace)),
                None => namespaces.remove(cluster, None).await?,
            }
        }
        drop(made);
        Ok(namespaces)
    }

    /// Returns the path of the namespace of a cluster, which is made unless it is there.
    pub async fn provide(
        &self,
        cluster: ClusterId,
        destinations: &BTreeSet<Ipv4Network>,
    ) -> Result<PathBuf, String> {
        let mut made = self.made.lock().await;
        let path = self.path(cluster);
        if let Some(namespace) = made.clusters.get(&cluster)
            && path.exists()
            && is_interface(&namespace.link.interface())
        {
            if namespace.destinations != *destinations {
                self.change(&mut made, cluster, destinations).await?;
            }
            self.rule(&mut made).await?;
            return Ok(path);
        }
        self.discard(&mut made, cluster).await?;
        if let Err(reason) = self.make(&mut made, cluster, destinations).await {
            if let Err(error) = self.discard(&mut made, cluster).await {
                tracing::warn!(%cluster, error, "a network namespace that was made by half is left");
            }
            return Err(reason);
        }
        tracing::info!(%cluster, namespace = self.name(cluster), "the cluster has a network namespace");
        Ok(path)
    }

    /// Brings the namespaces up to date: those of the clusters that are named lead to these destinations, and the others
    /// are removed.
    pub async fn keep(&self, clusters: &BTreeMap<ClusterId, BTreeSet<Ipv4Network>>) -> Result<(), String> {
        let mut made = self.made.lock().await;
        let known: Vec<ClusterId> = made.clusters.keys().copied().collect();
        let mut done = Ok(());
        for cluster in known {
            let of_cluster = match clusters.get(&cluster) {
                Some(destinations) => self.change(&mut made, cluster, destinations).await,
                None => self.discard(&mut made, cluster).await.inspect(|()| {
                    tracing::info!(%cluster, "the network namespace of the cluster is removed");
                }),
            };
            // One that fails does not hold up the others.
            done = done.and(of_cluster);
        }
        done.and(self.rule(&mut made).await)
    }

    /// Removes the namespaces of all clusters but these.
    pub async fn keep_only(&self, clusters: &BTreeSet<ClusterId>) -> Result<(), String> {
        let kept = {
            let made = self.made.lock().await;
            let kept = made.clusters.iter().filter(|(cluster, _)| clusters.contains(cluster));
            kept.map(|(cluster, namespace)| (*cluster, namespace.destinations.clone())).collect()
        };
        self.keep(&kept).await
    }

    /// Tries what is needed, and says what fails.
    async fn check(&self) -> Result<(), String> {
        if Link::count(self.link_network) == 0 {
            return Err(format!("the network of links {} has no room for one", self.link_network));
        }
        let trial = format!("{}trial", self.prefix);
        // One that a killed service left.
        let _ = ip(&["netns", "del", &trial]).await;
        ip(&["netns", "add", &trial]).await?;
        ip(&["netns", "del", &trial]).await?;
        let all = BTreeSet::from([self.link_network]);
        let clusters = BTreeMap::from([(ClusterId(0), (Link::nth(self.link_network, 0), &all))]);
        nft(&["--check"], &rules::table(&self.table, &self.withheld, &clusters)).await?;
        // Not before a cluster needs it.
        if !forwards_packets() {
            File::options().write(true).open(FORWARDING).map_err(not_written)?;
        }
        let taken = links::other_networks(&ip(&["-json", "-4", "addr", "show"]).await?)?;
        match taken.into_iter().find(|taken| taken.overlaps(self.link_network)) {
            Some(taken) => Err(format!(
                "the network of links {} overlaps the network {taken} of this machine; choose another one",
                self.link_network
            )),
            None => Ok(()),
        }
    }

    async fn make(
        &self,
        made: &mut Made,
        cluster: ClusterId,
        destinations: &BTreeSet<Ipv4Network>,
    ) -> Result<(), String> {
        let name = self.name(cluster);
        ip(&["netns", "add", &name]).await?;
        let link = self.connect(cluster, &name).await?;
        made.clusters.insert(cluster, Namespace { link, destinations: destinations.clone() });
        // In force before the first packet can come.
        made.ruled_at = None;
        self.rule(made).await?;
        ip_batch(None, &rules::outer_end(link)).await?;
        ip_batch(Some(&name), &rules::inner_end(link, destinations)).await
    }

    /// Makes the veth pair of a namespace. Its number is the first that is free on this machine, whoever has the others: no
    /// two interfaces have one name.
    async fn connect(&self, cluster: ClusterId, name: &str) -> Result<Link, String> {
        let count = Link::count(self.link_network);
        let first = cluster.0.unsigned_abs() % count;
        for number in (first..first + count).map(|number| number % count) {
            let link = Link::nth(self.link_network, number);
            let interface = link.interface();
            if is_interface(&interface) {
                continue;
            }
            let pair = ["link", "add", &interface, "type", "veth", "peer", "name", "eth0", "netns", name];
            match ip(&pair).await {
                Ok(_) => return Ok(link),
                // Another service was faster.
                Err(_) if is_interface(&interface) => {}
                Err(error) => return Err(error),
            }
        }
        Err(format!("all addresses of the network of links {} are in use", self.link_network))
    }

    /// Changes what is reached from a namespace.
    async fn change(
        &self,
        made: &mut Made,
        cluster: ClusterId,
        destinations: &BTreeSet<Ipv4Network>,
    ) -> Result<(), String> {
        let Some(former) = made.clusters.get(&cluster).filter(|made| made.destinations != *destinations)
        else {
            return Ok(());
        };
        let former = former.clone();
        let link = former.link;
        made.clusters.insert(cluster, Namespace { link, destinations: destinations.clone() });
        made.ruled_at = None;
        let changed = self.route(made, cluster, link, destinations).await;
        if changed.is_err() {
            // The next attempt must see a difference.
            made.clusters.insert(cluster, former);
            made.ruled_at = None;
        }
        changed?;
        tracing::info!(%cluster, destinations = destinations.len(), "the routes of the cluster have changed");
        Ok(())
    }

    async fn route(
        &self,
        made: &mut Made,
        cluster: ClusterId,
        link: Link,
        destinations: &BTreeSet<Ipv4Network>,
    ) -> Result<(), String> {
        self.rule(made).await?;
        let name = self.name(cluster);
        let present = routes_of(&name).await?;
        ip_batch(Some(&name), &rules::changed_routes(link, &present, destinations)).await
    }

    /// Replaces the table of nftables, in one step, unless it was done before.
    async fn rule(&self, made: &mut Made) -> Result<(), String> {
        if made.ruled_at.is_some_and(|at| made.clusters.is_empty() || at.elapsed() < RULE_AGAIN) {
            return Ok(());
        }
        if !made.clusters.is_empty() {
            forward_packets()?;
        }
        let clusters = made.clusters.iter();
        let clusters = clusters
            .map(|(cluster, namespace)| (*cluster, (namespace.link, &namespace.destinations)))
            .collect();
        nft(&[], &rules::table(&self.table, &self.withheld, &clusters)).await?;
        made.ruled_at = Some(Instant::now());
        Ok(())
    }

    /// Removes the namespace of a cluster and what is known of it.
    async fn discard(&self, made: &mut Made, cluster: ClusterId) -> Result<(), String> {
        let link = made.clusters.get(&cluster).map(|namespace| namespace.link);
        self.remove(cluster, link).await?;
        if made.clusters.remove(&cluster).is_some() {
            made.ruled_at = None;
        }
        Ok(())
    }

    /// Removes the namespace of a cluster and its link, if they are there.
    async fn remove(&self, cluster: ClusterId, link: Option<Link>) -> Result<(), String> {
        // Processes that are still inside would keep it.
        if let Some(interface) = link.map(Link::interface)
            && is_interface(&interface)
        {
            ip(&["link", "del", &interface]).await?;
        }
        if self.path(cluster).exists() {
            ip(&["netns", "del", &self.name(cluster)]).await?;
        }
        Ok(())
    }

    /// Returns the clusters that have a namespace on this machine.
    fn found(&self) -> Vec<ClusterId> {
        let entries = std::fs::read_dir(DIRECTORY).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name());
        names
            .filter_map(|name| name.to_str()?.strip_prefix(&self.prefix)?.parse().ok())
            .map(ClusterId)
            .collect()
    }

    /// Returns what a namespace is that an earlier service process has made, when it is whole.
    async fn look(&self, cluster: ClusterId) -> Option<Namespace> {
        let name = self.name(cluster);
        let addresses = ip_inside(&name, &["-json", "-4", "addr", "show", "dev", "eth0"]).await;
        let link = links::of_inner_end(&addresses.ok()?)?;
        let destinations = routes_of(&name).await.ok()?;
        is_interface(&link.interface()).then_some(Namespace { link, destinations })
    }

    fn name(&self, cluster: ClusterId) -> String {
        format!("{}{cluster}", self.prefix)
    }

    fn path(&self, cluster: ClusterId) -> PathBuf {
        Path::new(DIRECTORY).join(self.name(cluster))
    }
}

/// Returns the name of the namespace that a cluster has now, for the service that keeps its data in `data`.
pub fn namespace_of(data: &Path, cluster: ClusterId) -> Option<String> {
    let name = format!("weir-{}-{cluster}", place_of(data).ok()?);
    Path::new(DIRECTORY).join(&name).exists().then_some(name)
}

/// Returns what tells a data directory apart from all others of the machine: its file system and its number there.
fn place_of(data: &Path) -> Result<String, String> {
    let data = data.metadata().map_err(|e| format!("{} cannot be read: {e}", data.display()))?;
    Ok(format!("{}-{}", data.dev(), data.ino()))
}

async fn routes_of(namespace: &str) -> Result<BTreeSet<Ipv4Network>, String> {
    links::routes(&ip_inside(namespace, &["-json", "-4", "route", "show"]).await?)
}

fn is_interface(name: &str) -> bool {
    Path::new(INTERFACES).join(name).symlink_metadata().is_ok()
}

fn forwards_packets() -> bool {
    std::fs::read_to_string(FORWARDING).is_ok_and(|value| value.trim() == "1")
}

/// Lets the machine pass packets on between its interfaces, as everything does that connects namespaces.
fn forward_packets() -> Result<(), String> {
    if !forwards_packets() {
        std::fs::write(FORWARDING, "1").map_err(not_written)?;
        tracing::warn!(
            "this machine passes packets on from now on (net.ipv4.ip_forward = 1), for the namespaces of clusters"
        );
    }
    Ok(())
}

fn not_written(error: io::Error) -> String {
    format!("{FORWARDING} cannot be written: {error}")
}
