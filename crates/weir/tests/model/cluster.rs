//! Exclusive clusters in the model, with what is connected to them.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use crate::calls::Call;

/// What was last asked of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterWanted {
    Run,
    Stop,
    Delete,
}

/// What the owner of the other network has said of a peering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeeringState {
    Asked,
    Accepted,
    Rejected,
}

impl PeeringState {
    pub fn status(self) -> &'static str {
        match self {
            Self::Asked => "PENDING_ACCEPTANCE",
            Self::Accepted => "ACTIVE",
            Self::Rejected => "REJECTED",
        }
    }
}

/// A peering of a cluster with a network.
#[derive(Debug, Clone)]
pub struct Peering {
    pub name: String,
    pub network: String,
    pub state: PeeringState,
    /// Destinations by the id of the route.
    pub routes: BTreeMap<String, String>,
}

/// An exclusive cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub name: String,
    pub desc: String,
    pub spus: i64,
    pub wanted: ClusterWanted,
    /// Whether it has come to rest since.
    pub settled: bool,
    /// Host names by the id of the mapping.
    pub hosts: BTreeMap<i64, String>,
    /// By their ids.
    pub peerings: BTreeMap<String, Peering>,
}

impl Cluster {
    pub fn new(name: &str, spus: i64) -> Self {
        Self {
            name: name.to_string(),
            desc: String::new(),
            spus,
            wanted: ClusterWanted::Run,
            settled: false,
            hosts: BTreeMap::new(),
            peerings: BTreeMap::new(),
        }
    }

    /// Returns the destinations of all routes.
    pub fn destinations(&self) -> impl Iterator<Item = &String> {
        self.peerings.values().flat_map(|peering| peering.routes.values())
    }

    /// Notes that the cluster is to do something else.
    pub fn ask(&mut self, wanted: ClusterWanted) {
        self.wanted = wanted;
        self.settled = false;
    }

    /// Notes that a call about what the cluster is and what is connected to it was acknowledged. `ids` are those of what it made.
    pub fn apply(&mut self, call: &Call, ids: &[String]) -> anyhow::Result<()> {
        let new = || ids.first().cloned().with_context(|| format!("no id for {call:?}"));
        match call {
            Call::UpdateCluster { desc, spus, .. } => {
                self.desc.clone_from(desc);
                self.settled &= self.spus == *spus;
                self.spus = *spus;
            }
            Call::AddHosts { names, .. } => {
                for (id, name) in ids.iter().zip(names) {
                    self.hosts.insert(id.parse()?, name.clone());
                }
            }
            Call::UpdateHost { host, name, .. } => _ = self.hosts.insert(*host, name.clone()),
            Call::DeleteHosts { hosts, .. } => self.hosts.retain(|id, _| !hosts.contains(id)),
            Call::CreatePeering { network, name, .. } => {
                let peering = Peering {
                    name: name.clone(),
                    network: network.clone(),
                    state: PeeringState::Asked,
                    routes: BTreeMap::new(),
                };
                self.peerings.insert(new()?, peering);
            }
            Call::AnswerPeering { peering, accept, .. } => {
                self.peering(peering)?.state =
                    if *accept { PeeringState::Accepted } else { PeeringState::Rejected };
            }
            Call::DeletePeering { peering, .. } => {
                self.peerings.remove(peering).context("a peering was deleted twice")?;
            }
            Call::CreateRoute { peering, destination, .. } => {
                self.peering(peering)?.routes.insert(new()?, destination.clone());
            }
            Call::DeleteRoute { peering, route, .. } => {
                self.peering(peering)?.routes.remove(route).context("a route was deleted twice")?;
            }
            _ => bail!("{call:?} is about no cluster"),
        }
        Ok(())
    }

    fn peering(&mut self, id: &str) -> anyhow::Result<&mut Peering> {
        self.peerings.get_mut(id).with_context(|| format!("there is no peering {id} in the model"))
    }
}
