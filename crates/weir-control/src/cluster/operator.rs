//! What the operator of the installation does with clusters, on the metadata, whether the service runs or not.

use thiserror::Error;
use weir_base::audit::{Change, SYSTEM_ACTION};
use weir_base::id::{ClusterId, ProjectId, random_uuid};
use weir_base::ipv4::Ipv4Network;
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_store::{AuditRecord, BillingMode, ClusterRecord, NetworkRecord, Store, StoreError};

use crate::billing::{settlement, usage};

const SET_BILLING_MODE: Change = Change { service: "CS", resource_type: "cluster", event: "setBillingMode" };
const ADD_NETWORK: Change = Change { service: "VPC", resource_type: "network", event: "addNetwork" };
const REMOVE_NETWORK: Change = Change { service: "VPC", resource_type: "network", event: "removeNetwork" };

/// How a cluster is paid for from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// By what it uses.
    PerUse,
    /// In advance.
    Subscription {
        /// Until when; then it is paid for by use again. `None` has no end.
        until: Option<Timestamp>,
        /// What the account pays for it now; `None` is not in the ledger.
        paid: Option<(Money, String)>,
    },
}

/// Notes how a cluster is paid for. Returns whether the project has such a cluster.
pub async fn set_payment(
    store: &Store,
    project: &ProjectId,
    id: ClusterId,
    payment: &Payment,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(cluster) = store.cluster(project, id).await? else { return Ok(false) };
    let (mode, until, entry) = match payment {
        Payment::PerUse => (BillingMode::PayPerUse, None, None),
        Payment::Subscription { until, paid } => {
            let end = until.unwrap_or(now);
            // What prolongs a subscription pays for the time behind it.
            let begin = cluster.paid_until.filter(|paid| now < *paid && *paid < end).unwrap_or(now);
            let entry = paid.as_ref().map(|(amount, domain)| {
                settlement::subscription(domain, &cluster, *amount, (begin, end), now)
            });
            (BillingMode::Period, *until, entry)
        }
    };
    let id_text = id.to_string();
    let audit = record(project, SET_BILLING_MODE, (&id_text, &cluster.name), mode.as_str(), now);
    let after = ClusterRecord { billing_mode: mode, ..cluster.clone() };
    // A service that does not meter forgets it at its next start.
    let usage = usage::of_cluster(&cluster, &after, now);
    store.set_billing_mode(&cluster, (mode, until), entry.as_ref(), &audit, &usage).await?;
    Ok(true)
}

/// Returns the record of the end of a subscription.
pub(crate) fn of_expiry(cluster: &ClusterRecord, now: Timestamp) -> AuditRecord {
    let id = cluster.id.to_string();
    let about = (id.as_str(), cluster.name.as_str());
    let record = record(&cluster.project, SET_BILLING_MODE, about, BillingMode::PayPerUse.as_str(), now);
    AuditRecord { user_name: "service".to_string(), event_type: SYSTEM_ACTION.to_string(), ..record }
}

/// A network cannot be added.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The name is none.
    #[error("the name of a network has 1 to 64 characters, not `{0}`")]
    Name(String),
    /// The project has one with this name.
    #[error("the project has a network of this name already")]
    Taken,
    /// The metadata failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Adds a network to a project and returns its id.
pub async fn add_network(
    store: &Store,
    project: &ProjectId,
    name: &str,
    cidr: Ipv4Network,
    now: Timestamp,
) -> Result<String, NetworkError> {
    if !(1..=64).contains(&name.chars().count()) {
        return Err(NetworkError::Name(name.to_string()));
    }
    let network = NetworkRecord {
        id: random_uuid(),
        project: project.clone(),
        name: name.to_string(),
        cidr: cidr.to_string(),
        created_at: now,
    };
    let audit = AuditRecord::of_operator(project, ADD_NETWORK, now).about(&network.id, name);
    match store.add_network(&network, &audit).await {
        Ok(()) => Ok(network.id),
        Err(StoreError::NameTaken) => Err(NetworkError::Taken),
        Err(other) => Err(NetworkError::Store(other)),
    }
}

/// Removes a network of a project. Returns whether there was one.
pub async fn remove_network(
    store: &Store,
    project: &ProjectId,
    name: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let networks = store.networks(project).await?;
    let Some(network) = networks.into_iter().find(|network| network.name == name) else { return Ok(false) };
    let audit = AuditRecord::of_operator(project, REMOVE_NETWORK, now).about(&network.id, name);
    store.remove_network(&network, &audit).await?;
    Ok(true)
}

fn record(
    project: &ProjectId,
    change: Change,
    (id, name): (&str, &str),
    result: &str,
    now: Timestamp,
) -> AuditRecord {
    let record = AuditRecord::of_operator(project, change, now).about(id, name);
    AuditRecord { op_result: result.to_string(), ..record }
}
