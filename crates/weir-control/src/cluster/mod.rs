//! Exclusive clusters: pools of SPUs that run the jobs of their users only.

mod capacity;
mod change;
mod create;
mod fields;
mod hosts;
mod operator;
mod peerings;
mod query;
mod reach;
mod reconcile;
pub mod state;

pub(crate) use capacity::{Given, quotas};
pub(crate) use change::in_status;

pub use capacity::ClusterOptions;
pub use fields::{ManagerNode, SentCluster};
pub use hosts::{HOSTS_FILE_BYTES, HostList, SentMapping, read_hosts_file};
pub(crate) use operator::of_expiry;
pub use operator::{NetworkError, Payment, add_network, remove_network, set_payment};
pub use peerings::{
    ACCEPTANCE_TIME, NAME_CHARACTERS, PeeringStatus, PeeringView, SERVICE_PROJECT, SentPeering,
};
pub use query::{ClusterList, ClusterListRequest, ClusterView};
pub use state::ClusterStatus;
