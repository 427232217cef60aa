//! What jobs reach of the network: those of a cluster its own subnet, and where the routes of active peerings lead.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use weir_base::id::ClusterId;
use weir_base::ipv4::Ipv4Network;
use weir_base::network::NetworkSettings;
use weir_store::{ClusterRecord, HostMapping, JobRecord, StoreError};

use super::hosts::key;
use super::state::status;
use crate::control::Control;

impl Control {
    /// Returns what a job finds of the network when it starts.
    pub(crate) async fn network_of(&self, job: &JobRecord) -> Result<NetworkSettings, StoreError> {
        let Some(id) = job.definition.cluster_id.map(ClusterId) else {
            return Ok(self.options.network.clone());
        };
        let hosts = self.store.hosts(id).await?;
        let address = |host: &HostMapping| host.ip.parse::<Ipv4Addr>().ok();
        let hosts = hosts.iter().filter_map(|host| Some((key(&host.hostname), address(host)?))).collect();
        let mut network = NetworkSettings { hosts, destinations: None, ..self.options.network.clone() };
        if self.options.clusters.restricted {
            let cluster = self.store.cluster(&job.project, id).await?;
            let reached = self.reached_from(cluster.as_slice()).await?;
            network.destinations = Some(reached.into_values().flatten().collect());
        }
        Ok(network)
    }

    /// Returns what the jobs of clusters may reach, of those that do not stand still; of none when they may reach all.
    pub(crate) async fn reached_from(
        &self,
        clusters: &[ClusterRecord],
    ) -> Result<BTreeMap<ClusterId, BTreeSet<Ipv4Network>>, StoreError> {
        if !self.options.clusters.restricted || clusters.is_empty() {
            return Ok(BTreeMap::new());
        }
        let routed = self.store.open_destinations().await?;
        let reached = |cluster: &ClusterRecord| {
            let routed = routed.iter().filter(|(id, _)| *id == cluster.id).map(|(_, network)| network);
            let networks = std::iter::once(&cluster.definition.subnet_cidr).chain(routed);
            (cluster.id, networks.filter_map(|network| network.parse().ok()).collect())
        };
        let clusters = clusters.iter().filter(|cluster| status(&cluster.facts).holds_spus());
        Ok(clusters.map(reached).collect())
    }
}
