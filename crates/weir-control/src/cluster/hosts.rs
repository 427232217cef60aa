//! The names that a cluster maps to addresses for its jobs. A job uses those that there are when it starts.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use weir_base::error::{CsError, codes};
use weir_base::id::ClusterId;
use weir_base::ipv4::Ipv4Network;
use weir_store::{ClusterRecord, HostMapping};

use super::change::{in_status, of_cluster};
use super::state::{ClusterStatus, status};
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::paging::{Page, page_of};
use crate::success;

/// Mappings that a cluster may have.
const MOST_MAPPINGS: usize = 1_000;
/// Longest hosts file.
pub const HOSTS_FILE_BYTES: usize = 8 * 1024 * 1024;
/// Longest name of a host, and longest part of one.
const NAME_BYTES: (usize, usize) = (253, 63);

/// A name and an address as sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SentMapping {
    /// A name.
    pub hostname: String,
    /// An IPv4 address.
    pub ip: String,
}

/// One page of mappings.
#[derive(Debug, Clone)]
pub struct HostList {
    /// Mappings that match, whatever the page.
    pub total: usize,
    /// The page.
    pub hosts: Vec<HostMapping>,
}

impl Control {
    /// Lists the mappings of a cluster; `part` is part of an address or name.
    pub async fn list_hosts(
        &self,
        caller: &Caller,
        id: ClusterId,
        part: Option<&str>,
        page: Page,
    ) -> Result<HostList, CsError> {
        self.find_readable_cluster(caller, id).await?;
        let mut hosts = self.store.hosts(id).await.map_err(fault)?;
        hosts.retain(|host| part.is_none_or(|part| host.hostname.contains(part) || host.ip.contains(part)));
        Ok(HostList { total: hosts.len(), hosts: page_of(hosts, page, |host| host.id) })
    }

    /// Adds mappings, all or none. Returns their ids in the order of the call.
    pub async fn add_hosts(
        &self,
        caller: &Caller,
        id: ClusterId,
        sent: &[SentMapping],
    ) -> Result<Vec<i64>, CsError> {
        for mapping in sent {
            check(mapping)?;
        }
        let _gate = self.gate.lock().await;
        let cluster = self.find_running_cluster(caller, id).await?;
        let present = self.store.hosts(id).await.map_err(fault)?;
        let mut names: BTreeSet<String> = present.iter().map(|host| key(&host.hostname)).collect();
        for mapping in sent {
            check_free(mapping, &cluster)?;
            if !names.insert(key(&mapping.hostname)) {
                return Err(taken(format!("The name {} is mapped already.", mapping.hostname)));
            }
        }
        if names.len() > MOST_MAPPINGS {
            return Err(codes::HOST_MAPPING_LIMIT_EXCEEDED.error());
        }
        let hosts: Vec<(String, String)> =
            sent.iter().map(|mapping| (mapping.hostname.clone(), mapping.ip.clone())).collect();
        let audit = of_cluster(caller, "addHosts", &cluster, success::HOSTS_ADDED, self.now());
        self.store.add_hosts(id, &hosts, &audit).await.map_err(fault)
    }

    /// Changes a mapping.
    pub async fn update_host(
        &self,
        caller: &Caller,
        id: ClusterId,
        host: Option<i64>,
        sent: &SentMapping,
    ) -> Result<(), CsError> {
        check(sent)?;
        let _gate = self.gate.lock().await;
        let cluster = self.find_running_cluster(caller, id).await?;
        let present = self.store.hosts(id).await.map_err(fault)?;
        let host = present.iter().find(|present| Some(present.id) == host);
        let host = host.ok_or_else(|| codes::HOST_ID_NOT_EXIST.error())?;
        check_free(sent, &cluster)?;
        let other =
            |present: &HostMapping| present.id != host.id && key(&present.hostname) == key(&sent.hostname);
        if present.iter().any(other) {
            return Err(taken(format!("The name {} is mapped already.", sent.hostname)));
        }
        let mapping = HostMapping { id: host.id, hostname: sent.hostname.clone(), ip: sent.ip.clone() };
        let audit = of_cluster(caller, "updateHosts", &cluster, success::HOSTS_UPDATED, self.now());
        self.store.update_host(id, &mapping, &audit).await.map_err(fault)
    }

    /// Deletes mappings, all or none.
    pub async fn delete_hosts(&self, caller: &Caller, id: ClusterId, hosts: &[i64]) -> Result<(), CsError> {
        let _gate = self.gate.lock().await;
        let cluster = self.find_running_cluster(caller, id).await?;
        let present: BTreeSet<i64> =
            self.store.hosts(id).await.map_err(fault)?.iter().map(|host| host.id).collect();
        if let Some(unknown) = hosts.iter().find(|host| !present.contains(host)) {
            return Err(codes::HOST_ID_NOT_EXIST.error().because(format!("There is no mapping {unknown}.")));
        }
        let audit = of_cluster(caller, "deleteHosts", &cluster, success::HOSTS_DELETED, self.now());
        self.store.delete_hosts(id, hosts, &audit).await.map_err(fault)
    }

    /// Returns a cluster whose hosts, peerings and routes may be changed, else CS.20026.
    pub(super) async fn find_running_cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
    ) -> Result<ClusterRecord, CsError> {
        let cluster = self.find_cluster(caller, id).await?;
        match status(&cluster.facts) {
            ClusterStatus::Running => Ok(cluster),
            other => Err(codes::CLUSTER_STATUS_NOT_RUNNING.error().because(in_status(other))),
        }
    }
}

/// Reads a hosts file: lines of an address and one name or several.
pub fn read_hosts_file(contents: &[u8]) -> Result<Vec<SentMapping>, CsError> {
    if contents.len() > HOSTS_FILE_BYTES {
        return Err(codes::HOSTS_FILE_TOO_LARGE.error());
    }
    let Ok(text) = std::str::from_utf8(contents) else {
        return Err(codes::HOSTS_FILE_FORMAT_INVALID.error().because("It is no text."));
    };
    let mut mappings = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(ip) = words.next() else { continue };
        let before = mappings.len();
        for hostname in words {
            let mapping = SentMapping { hostname: hostname.to_string(), ip: ip.to_string() };
            check(&mapping).map_err(|_| wrong_line(number))?;
            mappings.push(mapping);
        }
        if mappings.len() == before {
            return Err(wrong_line(number));
        }
    }
    if mappings.is_empty() { Err(codes::HOSTS_FILE_EMPTY.error()) } else { Ok(mappings) }
}

fn wrong_line(number: usize) -> CsError {
    codes::HOSTS_FILE_FORMAT_INVALID.error().because(format!("Line {} is wrong.", number + 1))
}

/// The form of a name in which those that mean the same are the same.
pub(super) fn key(hostname: &str) -> String {
    hostname.to_ascii_lowercase()
}

fn check(mapping: &SentMapping) -> Result<(), CsError> {
    let invalid = |reason: String| codes::IP_OR_HOSTNAME_INVALID.error().because(reason);
    for (name, sent) in [("ip", &mapping.ip), ("hostname", &mapping.hostname)] {
        if sent.is_empty() {
            return Err(invalid(format!("`{name}` is missing.")));
        }
    }
    if mapping.ip.parse::<Ipv4Addr>().is_err() {
        return Err(invalid(format!("`{}` is no IPv4 address.", mapping.ip)));
    }
    if !is_host_name(&mapping.hostname) {
        return Err(invalid(format!("`{}` is no name of a host.", mapping.hostname)));
    }
    Ok(())
}

/// Whether a text is a name of a host: parts of letters, digits and inner hyphens with dots between, and not all digits
/// at the end, which would make it an address.
fn is_host_name(text: &str) -> bool {
    let part = |part: &str| {
        (1..=NAME_BYTES.1).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= NAME_BYTES.0 && text.split('.').all(part) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// The nodes of a cluster have names and addresses of their own.
fn check_free(mapping: &SentMapping, cluster: &ClusterRecord) -> Result<(), CsError> {
    if key(&mapping.hostname) == format!("cluster-{}-manager", cluster.id) {
        return Err(taken(format!("{} is the name of a node of the cluster.", mapping.hostname)));
    }
    if node_addresses(cluster).contains(&mapping.ip) {
        return Err(taken(format!("{} is the address of a node of the cluster.", mapping.ip)));
    }
    Ok(())
}

/// The gateway, and the manager node on the first address beside it.
fn node_addresses(cluster: &ClusterRecord) -> Vec<String> {
    let gateway = cluster.definition.subnet_gateway.clone();
    let subnet = cluster.definition.subnet_cidr.parse::<Ipv4Network>();
    let manager = subnet.ok().and_then(|subnet| {
        let first = u32::from(subnet.first());
        let hosts = (first..first.saturating_add(4)).map(Ipv4Addr::from);
        hosts.filter(|host| subnet.has_host(*host)).map(|host| host.to_string()).find(|host| *host != gateway)
    });
    [Some(gateway), manager].into_iter().flatten().collect()
}

fn taken(reason: String) -> CsError {
    codes::IP_OR_HOSTNAME_EXIST.error().because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(file: &str) -> u32 {
        read_hosts_file(file.as_bytes()).err().map_or(0, |error| error.code.0)
    }

    #[test]
    fn a_hosts_file_has_an_address_and_names_on_each_line() {
        let read = read_hosts_file(b"# mine\n10.0.0.1 a b.example # two\r\n\n\t10.0.0.2\tc\n").unwrap();
        let shown: Vec<_> = read.iter().map(|m| format!("{} {}", m.ip, m.hostname)).collect();
        assert_eq!(shown, ["10.0.0.1 a", "10.0.0.1 b.example", "10.0.0.2 c"]);
        for (file, expected) in [
            ("", 22005),
            ("# a\n\n", 22005),
            ("10.0.0.1\n", 22004),
            ("a 10.0.0.1", 22004),
            ("10.0.0.1 a_b", 22004),
        ] {
            assert_eq!(code(file), expected, "{file}");
        }
        assert_eq!(code(&"#".repeat(HOSTS_FILE_BYTES)), 22005);
        assert_eq!(code(&"#".repeat(HOSTS_FILE_BYTES + 1)), 22006);
    }

    #[test]
    fn names_of_hosts() {
        for name in ["a", "a-1.example", "1a", &format!("{}.x", "a".repeat(63))] {
            assert!(is_host_name(name), "{name}");
        }
        for name in ["", ".", "a.", "-a", "a-", "a b", "10.0.0.1", "a..b", &"a".repeat(64), &"a.".repeat(127)]
        {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
