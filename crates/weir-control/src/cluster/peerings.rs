//! Peerings of clusters with named networks, and the routes that let jobs reach what is behind them.
//!
//! A peering is asked for here and accepted by the project of the other network. A job may reach the subnet of its
//! cluster and where the routes of active peerings lead, as they are when it starts.

use std::time::Duration;

use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, ProjectId, random_uuid};
use weir_base::ipv4::Ipv4Network;
use weir_base::time::Timestamp;
use weir_store::{AuditRecord, ClusterRecord, PeeringRecord, PeeringState, RouteRecord, StoreError};

use super::change::of_cluster;
use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::success::{self, Success};

/// The project that the networks of clusters belong to: the service's own.
pub const SERVICE_PROJECT: &str = "0000000000000000000000000000c5c5";
/// How long a peering may wait to be accepted.
pub const ACCEPTANCE_TIME: Duration = Duration::from_secs(7 * 86_400);
/// Longest name of a peering, in characters.
pub const NAME_CHARACTERS: usize = 64;

/// The status of a peering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeeringStatus {
    /// The other side has not said anything.
    PendingAcceptance,
    /// It connects.
    Active,
    /// The other side does not want it.
    Rejected,
    /// The other side has not said anything for too long.
    Expired,
}

impl PeeringStatus {
    /// Computes the status of a peering.
    pub fn of(peering: &PeeringRecord, now: Timestamp) -> Self {
        match peering.state {
            PeeringState::Accepted => Self::Active,
            PeeringState::Rejected => Self::Rejected,
            PeeringState::Asked if now.since(peering.created_at) > ACCEPTANCE_TIME => Self::Expired,
            PeeringState::Asked => Self::PendingAcceptance,
        }
    }

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingAcceptance => "PENDING_ACCEPTANCE",
            Self::Active => "ACTIVE",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// A peering to create, as sent.
#[derive(Debug, Clone, Default)]
pub struct SentPeering {
    /// The network on the other side.
    pub vpc_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The project of that network; that of the caller when it is not sent.
    pub accept_tenant_id: Option<String>,
}

/// A peering as users see it.
#[derive(Debug, Clone)]
pub struct PeeringView {
    /// What is stored.
    pub record: PeeringRecord,
    /// Its status now.
    pub status: PeeringStatus,
    /// Addresses of the cluster's network, when the cluster was looked at.
    pub cluster_networks: Option<(String, String)>,
}

impl Control {
    /// Asks for a peering.
    pub async fn create_peering(
        &self,
        caller: &Caller,
        id: ClusterId,
        sent: &SentPeering,
    ) -> Result<PeeringView, CsError> {
        let vpc_id = sent.vpc_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let vpc_id = vpc_id.ok_or_else(|| codes::VPC_NOT_EXIST.error().because("vpc_id is missing."))?;
        let name = sent.name.as_deref().filter(|name| !name.trim().is_empty());
        let name = name.ok_or_else(|| codes::PEERING_NAME_MISSING.error())?;
        if name.chars().count() > NAME_CHARACTERS {
            return Err(codes::INVALID_REQUEST_BODY
                .error()
                .because(format!("name has more than {NAME_CHARACTERS} characters.")));
        }
        let _gate = self.gate.lock().await;
        let cluster = self.find_connectable_cluster(caller, id).await?;
        let conflict = |reason: &str| codes::PEERING_CONFLICT.error().because(reason);
        if vpc_id == cluster.vpc_id {
            return Err(conflict("It is the network of the cluster itself."));
        }
        let tenant = sent.accept_tenant_id.clone().map_or_else(|| caller.project.clone(), ProjectId);
        let networks = self.store.networks(&tenant).await.map_err(fault)?;
        let network = networks.iter().find(|network| network.id == vpc_id).ok_or_else(|| {
            codes::VPC_NOT_EXIST.error().because(format!("Project {tenant} has no network {vpc_id}."))
        })?;
        let peerings = self.store.peerings_of_cluster(id).await.map_err(fault)?;
        if peerings.iter().any(|peering| peering.vpc_id == vpc_id) {
            return Err(conflict("The cluster has a peering with this network."));
        }
        if overlap(&network.cidr, &cluster.definition.vpc_cidr) {
            return Err(conflict("The two networks overlap."));
        }
        let now = self.now();
        let record = PeeringRecord {
            id: random_uuid(),
            cluster: id,
            cluster_vpc_id: cluster.vpc_id.clone(),
            name: name.to_string(),
            description: String::new(),
            vpc_id: network.id.clone(),
            tenant,
            state: PeeringState::Asked,
            created_at: now,
            updated_at: now,
        };
        let audit = of_cluster(caller, "createPeering", &cluster, success::PEERING_CREATED, now);
        self.store.create_peering(&record, &audit).await.map_err(fault)?;
        Ok(self.view_peering(record, Some(&cluster)))
    }

    /// Returns the peerings of a cluster.
    pub async fn list_peerings(&self, caller: &Caller, id: ClusterId) -> Result<Vec<PeeringView>, CsError> {
        let cluster = self.find_readable_cluster(caller, id).await?;
        let peerings = self.store.peerings_of_cluster(id).await.map_err(fault)?;
        Ok(peerings.into_iter().map(|peering| self.view_peering(peering, Some(&cluster))).collect())
    }

    /// Returns a peering of a cluster.
    pub async fn peering(
        &self,
        caller: &Caller,
        id: ClusterId,
        peering: &str,
    ) -> Result<PeeringView, CsError> {
        let cluster = self.find_readable_cluster(caller, id).await?;
        let record = self.find_peering(id, peering).await?;
        Ok(self.view_peering(record, Some(&cluster)))
    }

    /// Deletes a peering and its routes.
    pub async fn delete_peering(&self, caller: &Caller, id: ClusterId, peering: &str) -> Result<(), CsError> {
        let _gate = self.gate.lock().await;
        let cluster = self.find_connectable_cluster(caller, id).await?;
        let record = self.find_peering(id, peering).await?;
        let audit = of_cluster(caller, "deletePeering", &cluster, success::PEERING_DELETED, self.now());
        self.store.delete_peering(&record.id, &audit).await.map_err(fault)
    }

    /// Opens a route over an active peering.
    pub async fn create_route(
        &self,
        caller: &Caller,
        id: ClusterId,
        peering: &str,
        destination: Option<&str>,
    ) -> Result<(RouteRecord, ClusterRecord), CsError> {
        let destination = destination.map(str::trim).filter(|text| !text.is_empty());
        let destination = destination.ok_or_else(|| codes::ROUTE_DESTINATION_MISSING.error())?;
        let conflict = |reason: String| codes::ROUTE_CONFLICT.error().because(reason);
        let Ok(network) = destination.parse::<Ipv4Network>() else {
            return Err(conflict(format!("`{destination}` is no network such as 192.168.0.0/16.")));
        };
        let _gate = self.gate.lock().await;
        let cluster = self.find_connectable_cluster(caller, id).await?;
        let record = self.find_peering(id, peering).await?;
        let status = PeeringStatus::of(&record, self.now());
        if status != PeeringStatus::Active {
            return Err(codes::PEERING_NOT_ACTIVE.error().because(format!("It is in {}.", status.name())));
        }
        let routes = self.store.routes_of_cluster(id).await.map_err(fault)?;
        let destination = network.to_string();
        if routes.iter().any(|route| route.destination == destination) {
            return Err(conflict(format!("The cluster has a route to {destination}.")));
        }
        if overlap(&destination, &cluster.definition.subnet_cidr) {
            return Err(conflict(format!("{destination} overlaps the subnet of the cluster.")));
        }
        let now = self.now();
        let route = RouteRecord { id: random_uuid(), peering_id: record.id, destination, created_at: now };
        let audit = of_cluster(caller, "createRoute", &cluster, success::ROUTE_CREATED, now);
        self.store.create_route(&route, &audit).await.map_err(fault)?;
        Ok((route, cluster))
    }

    /// Returns the routes of a peering.
    pub async fn list_routes(
        &self,
        caller: &Caller,
        id: ClusterId,
        peering: &str,
    ) -> Result<(Vec<RouteRecord>, ClusterRecord), CsError> {
        let cluster = self.find_readable_cluster(caller, id).await?;
        let record = self.find_peering(id, peering).await?;
        let mut routes = self.store.routes_of_cluster(id).await.map_err(fault)?;
        routes.retain(|route| route.peering_id == record.id);
        Ok((routes, cluster))
    }

    /// Closes a route.
    pub async fn delete_route(
        &self,
        caller: &Caller,
        id: ClusterId,
        peering: &str,
        route: &str,
    ) -> Result<(), CsError> {
        let _gate = self.gate.lock().await;
        let cluster = self.find_connectable_cluster(caller, id).await?;
        let record = self.find_peering(id, peering).await?;
        let routes = self.store.routes_of_cluster(id).await.map_err(fault)?;
        let known = routes.iter().any(|known| known.id == route && known.peering_id == record.id);
        if !known {
            return Err(codes::ROUTE_NOT_EXIST.error());
        }
        let audit = of_cluster(caller, "deleteRoute", &cluster, success::ROUTE_DELETED, self.now());
        self.store.delete_route(route, &audit).await.map_err(fault)
    }

    /// Finds a cluster that runs, for an account that lets the service change its networks.
    async fn find_connectable_cluster(
        &self,
        caller: &Caller,
        id: ClusterId,
    ) -> Result<ClusterRecord, CsError> {
        let cluster = self.find_running_cluster(caller, id).await?;
        self.check_agency(&caller.project, "vpc_netadm").await?;
        Ok(cluster)
    }

    async fn find_peering(&self, id: ClusterId, peering: &str) -> Result<PeeringRecord, CsError> {
        let peerings = self.store.peerings_of_cluster(id).await.map_err(fault)?;
        let found = peerings.into_iter().find(|known| known.id == peering);
        found.ok_or_else(|| codes::PEERING_NOT_EXIST.error())
    }

    fn view_peering(&self, record: PeeringRecord, cluster: Option<&ClusterRecord>) -> PeeringView {
        let networks = |cluster: &ClusterRecord| {
            (cluster.definition.vpc_cidr.clone(), cluster.definition.subnet_cidr.clone())
        };
        let status = PeeringStatus::of(&record, self.now());
        PeeringView { status, cluster_networks: cluster.map(networks), record }
    }

    // The other side.

    /// Returns the peerings with networks of a project, by id.
    pub async fn peerings_of_project(&self, project: &ProjectId) -> Result<Vec<PeeringView>, CsError> {
        let peerings = self.store.peerings_of_tenant(project).await.map_err(fault)?;
        Ok(peerings.into_iter().map(|peering| self.view_peering(peering, None)).collect())
    }

    /// Returns the routes over peerings with networks of a project, by id, each with the network of its cluster.
    pub async fn routes_of_project(
        &self,
        project: &ProjectId,
    ) -> Result<Vec<(RouteRecord, String)>, CsError> {
        self.store.routes_of_tenant(project).await.map_err(fault)
    }

    /// Accepts a peering with a network of the caller's project. Repeating it succeeds.
    pub async fn accept_peering(&self, caller: &Caller, peering: &str) -> Result<PeeringView, CsError> {
        let audit = ("acceptPeering", success::PEERING_ACCEPTED);
        self.answer_peering(caller, peering, PeeringState::Accepted, audit).await
    }

    /// Rejects a peering with a network of the caller's project. Repeating it succeeds.
    pub async fn reject_peering(&self, caller: &Caller, peering: &str) -> Result<PeeringView, CsError> {
        let audit = ("rejectPeering", success::PEERING_REJECTED);
        self.answer_peering(caller, peering, PeeringState::Rejected, audit).await
    }

    async fn answer_peering(
        &self,
        caller: &Caller,
        peering: &str,
        answer: PeeringState,
        (event, success): (&str, Success),
    ) -> Result<PeeringView, CsError> {
        let _gate = self.gate.lock().await;
        let view = self.find_offered(caller, peering).await?;
        let is_repeated = view.record.state == answer;
        if !is_repeated && view.status != PeeringStatus::PendingAcceptance {
            return Err(codes::PEERING_NOT_EXIST.error().because(format!(
                "The one with this id is in {}, which cannot be changed any more.",
                view.status.name()
            )));
        }
        let now = self.now();
        let audit = of_offered(caller, event, &view.record, success, now);
        let updated_at = if is_repeated { view.record.updated_at } else { now };
        let answered = PeeringRecord { state: answer, updated_at, ..view.record };
        self.store.update_peering(&answered, &audit).await.map_err(gone)?;
        Ok(self.view_peering(answered, None))
    }

    /// Names or describes a peering with a network of the caller's project anew.
    pub async fn describe_peering(
        &self,
        caller: &Caller,
        peering: &str,
        name: Option<String>,
        description: Option<String>,
    ) -> Result<PeeringView, CsError> {
        let _gate = self.gate.lock().await;
        let before = self.find_offered(caller, peering).await?.record;
        let now = self.now();
        let audit = of_offered(caller, "updatePeering", &before, success::PEERING_UPDATED, now);
        let after = PeeringRecord {
            name: name.unwrap_or(before.name),
            description: description.unwrap_or(before.description),
            updated_at: now,
            ..before
        };
        self.store.update_peering(&after, &audit).await.map_err(gone)?;
        Ok(self.view_peering(after, None))
    }

    /// Deletes a peering from the other side.
    pub async fn withdraw_peering(&self, caller: &Caller, peering: &str) -> Result<(), CsError> {
        let _gate = self.gate.lock().await;
        let view = self.find_offered(caller, peering).await?;
        let audit = of_offered(caller, "deletePeering", &view.record, success::PEERING_DELETED, self.now());
        let audit = AuditRecord { status: 204, ..audit };
        self.store.delete_peering(peering, &audit).await.map_err(fault)
    }

    /// Writes the audit record of what the other side was refused. It is about the cluster, as those of what was done are;
    /// of a peering that is not known the record has the id as its name.
    /// `told` is the HTTP status and the error.
    pub async fn record_offered_failure(
        &self,
        caller: &Caller,
        event: &str,
        peering: &str,
        (status, error): (u16, &CsError),
    ) {
        let found = self.find_offered(caller, peering).await.ok().map(|view| view.record);
        let (id, name) = found.map_or_else(Default::default, |found| (found.cluster.to_string(), found.name));
        let name = if name.is_empty() { peering } else { &name };
        let subject = Subject { resource_type: "cluster", id: &id, name };
        let record = audit::of_failure(caller, event, subject, error, self.now());
        audit::write_audit(&self.store, &AuditRecord { status, ..record }).await;
    }

    async fn find_offered(&self, caller: &Caller, peering: &str) -> Result<PeeringView, CsError> {
        let offered = self.peerings_of_project(&caller.project).await?;
        let found = offered.into_iter().find(|view| view.record.id == peering);
        found.ok_or_else(|| codes::PEERING_NOT_EXIST.error())
    }
}

/// Returns the record of what the other side said of a peering.
fn of_offered(
    caller: &Caller,
    event: &str,
    peering: &PeeringRecord,
    success: Success,
    now: Timestamp,
) -> AuditRecord {
    let id = peering.cluster.to_string();
    let subject = Subject { resource_type: "cluster", id: &id, name: &peering.name };
    audit::of_success(caller, event, subject, success, now)
}

/// The cluster may go with its peerings between the look at one and a write.
fn gone(error: StoreError) -> CsError {
    match error {
        StoreError::Conflict => codes::PEERING_NOT_EXIST.error(),
        other => fault(other),
    }
}

/// Whether two networks overlap. What is stored was checked; a text that is none overlaps nothing.
fn overlap(one: &str, other: &str) -> bool {
    match (one.parse::<Ipv4Network>(), other.parse::<Ipv4Network>()) {
        (Ok(one), Ok(other)) => one.overlaps(other),
        _ => false,
    }
}
