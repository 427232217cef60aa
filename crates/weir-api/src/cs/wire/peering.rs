//! Peerings and routes as requests and answers have them. Neither is in the envelope.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_control::cluster::{PeeringView, SERVICE_PROJECT, SentPeering};
use weir_store::{ClusterRecord, RouteRecord};

/// Status of a peering.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // The names say it.
pub enum PeeringStatusName {
    PendingAcceptance,
    Active,
    Rejected,
    Expired,
    Deleted,
}

/// One side of a peering.
#[derive(Debug, Serialize, ToSchema)]
pub struct VpcInfo {
    vpc_id: String,
    tenant_id: String,
    /// Only in request_vpc_info.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    vpc_cidr: Option<String>,
    /// Only in request_vpc_info.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    subnet_cidr: Option<String>,
}

impl VpcInfo {
    /// Returns the asking and the accepting side of a peering.
    pub(crate) fn sides(view: &PeeringView) -> (Self, Self) {
        let networks = view.cluster_networks.clone();
        let (vpc_cidr, subnet_cidr) =
            networks.map_or((None, None), |(vpc, subnet)| (Some(vpc), Some(subnet)));
        let asking = Self {
            vpc_id: view.record.cluster_vpc_id.clone(),
            tenant_id: SERVICE_PROJECT.to_string(),
            vpc_cidr,
            subnet_cidr,
        };
        let accepting = Self {
            vpc_id: view.record.vpc_id.clone(),
            tenant_id: view.record.tenant.0.clone(),
            vpc_cidr: None,
            subnet_cidr: None,
        };
        (asking, accepting)
    }
}

/// A peering.
#[derive(Debug, Serialize, ToSchema)]
pub struct Peering {
    name: String,
    id: String,
    request_vpc_info: VpcInfo,
    accept_vpc_info: VpcInfo,
    #[schema(value_type = PeeringStatusName)]
    status: String,
}

impl From<PeeringView> for Peering {
    fn from(view: PeeringView) -> Self {
        let (request_vpc_info, accept_vpc_info) = VpcInfo::sides(&view);
        Self {
            name: view.record.name,
            id: view.record.id,
            request_vpc_info,
            accept_vpc_info,
            status: view.status.name().to_string(),
        }
    }
}

/// Asks for a peering.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreatePeeringRequest {
    /// Id of the peer VPC.
    #[schema(value_type = String, required = true, example = "6f1c1d2e-52a4-4d59-8d4c-0a6f2b7f7a10")]
    vpc_id: Option<String>,
    /// Name of the peering connection, at most 64 characters.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 64, example = "to-office")]
    name: Option<String>,
    /// Project that owns the peer VPC; needed only for another tenant's VPC.
    #[schema(value_type = String, required = false)]
    accept_tenant_id: Option<String>,
}

impl From<CreatePeeringRequest> for SentPeering {
    fn from(request: CreatePeeringRequest) -> Self {
        Self {
            vpc_id: request.vpc_id,
            name: request.name,
            accept_tenant_id: request.accept_tenant_id.filter(|tenant| !tenant.is_empty()),
        }
    }
}

/// One peering.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatePeeringResponse {
    /// The peering.
    pub peering: Peering,
}

/// The peerings of a cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct GetPeeringsResponse {
    /// The peerings, oldest first.
    pub peerings: Vec<Peering>,
}

/// An accepted peering; not wrapped.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptPeeringResponse {
    status: String,
    name: String,
    /// The accepting project.
    #[schema(required = false)]
    tenant_id: String,
    #[schema(required = false)]
    request_vpc_info: VpcInfo,
    #[schema(required = false)]
    accept_vpc_info: VpcInfo,
    id: String,
}

impl From<PeeringView> for AcceptPeeringResponse {
    fn from(view: PeeringView) -> Self {
        let (request_vpc_info, accept_vpc_info) = VpcInfo::sides(&view);
        Self {
            status: view.status.name().to_string(),
            name: view.record.name,
            tenant_id: view.record.tenant.0,
            request_vpc_info,
            accept_vpc_info,
            id: view.record.id,
        }
    }
}

/// A route.
#[derive(Debug, Serialize, ToSchema)]
pub struct Route {
    /// `peering`.
    #[serde(rename = "type")]
    route_type: String,
    /// Peering connection id.
    nexthop: String,
    destination: String,
    vpc_id: String,
    tenant_id: String,
    id: String,
}

impl Route {
    /// Shows a route of a cluster.
    pub fn of(route: RouteRecord, cluster: &ClusterRecord) -> Self {
        Self {
            route_type: "peering".to_string(),
            nexthop: route.peering_id,
            destination: route.destination,
            vpc_id: cluster.vpc_id.clone(),
            tenant_id: SERVICE_PROJECT.to_string(),
            id: route.id,
        }
    }
}

/// Opens a route.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateRouteRequest {
    /// Destination network in CIDR form.
    #[schema(value_type = String, required = true, example = "10.1.0.0/16")]
    pub(crate) destination: Option<String>,
}

/// One route.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateRouteResponse {
    /// The route.
    pub route: Route,
}

/// The routes of a peering.
#[derive(Debug, Serialize, ToSchema)]
pub struct GetRoutesResponse {
    /// The routes, oldest first.
    pub routes: Vec<Route>,
}
