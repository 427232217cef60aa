//! Exclusive clusters as requests and answers have them.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use weir_control::{ClusterView, ManagerNode, SentCluster};

/// Cluster status.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(missing_docs)] // The meanings are those of `weir_control::ClusterStatus`.
#[allow(clippy::enum_variant_names)] // The names on the wire begin alike.
pub enum ClusterStatusName {
    ClusterCreating,
    ClusterCreateFail,
    ClusterCreateSuccess,
    ClusterStarting,
    ClusterRunning,
    ClusterDeleting,
    ClusterDeleteFail,
    ClusterUpdating,
    ClusterStopping,
    ClusterStopped,
    ClusterRestarting,
    ClusterArrearageStopped,
    ClusterArrearageRecovering,
}

/// Creates an exclusive cluster.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewReservedClusterRequest {
    /// Cluster name, unique in the project. Letters, digits, _ and -; at most 100 bytes.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$", example = "cluster1")]
    name: Option<String>,
    /// Description, at most 512 bytes.
    #[schema(value_type = String, required = false, max_length = 512)]
    desc: Option<String>,
    /// SPUs that the jobs of the cluster may hold together; 1 to 400, default 100.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 400)]
    maximum_spu_quota: Option<i32>,
    /// Network of the cluster's VPC; default 172.16.0.0/23.
    #[schema(value_type = String, required = false, example = "172.16.0.0/16")]
    vpc_cidr: Option<String>,
    /// Subnet of the cluster, inside vpc_cidr; default 172.16.0.0/23.
    #[schema(value_type = String, required = false, example = "172.16.4.0/23")]
    subnet_cidr: Option<String>,
    /// A host address of the subnet; default 172.16.0.1.
    #[schema(value_type = String, required = false, example = "172.16.4.1")]
    subnet_gateway: Option<String>,
    /// key=value pairs separated by commas.
    #[schema(value_type = String, required = false, example = "team=a")]
    tags: Option<String>,
    /// Enterprise project id; default "0".
    #[schema(value_type = String, required = false)]
    sys_enterprise_project_id: Option<String>,
    /// Manager node size in SPUs, as a string of digits; default "2".
    #[serde(default, deserialize_with = "manager_node")]
    #[schema(value_type = String, required = false, pattern = "^[0-9]+$", example = "2")]
    manager_node_spu: ManagerNode,
}

/// Updates an exclusive cluster. Members that are absent keep their value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct UpdateClusterRequest {
    /// Cluster name, unique in the project. Letters, digits, _ and -; at most 100 bytes.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$", example = "cluster1")]
    name: Option<String>,
    /// Description, at most 512 bytes.
    #[schema(value_type = String, required = false, max_length = 512)]
    desc: Option<String>,
    /// SPUs that the jobs of the cluster may hold together; 1 to 400, at least what they hold.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 400)]
    maximum_spu_quota: Option<i32>,
    /// key=value pairs separated by commas.
    #[schema(value_type = String, required = false, example = "team=a")]
    tags: Option<String>,
    /// Enterprise project id.
    #[schema(value_type = String, required = false)]
    sys_enterprise_project_id: Option<String>,
    /// Manager node size in SPUs, as a string of digits.
    #[serde(default, deserialize_with = "manager_node")]
    #[schema(value_type = String, required = false, pattern = "^[0-9]+$", example = "2")]
    manager_node_spu: ManagerNode,
}

/// The id of a new cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreateClusterResponsePayload {
    /// Cluster id.
    #[schema(value_type = i32)]
    pub cluster_id: i64,
}

/// The answer to a stop of a cluster.
#[derive(Debug, ToSchema)]
pub struct StopReservedClusterResponse {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
}

/// The answer to a restart of a cluster.
#[derive(Debug, ToSchema)]
pub struct RestartReservedClusterResponse {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
}

/// A page of clusters.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryClustersResponsePayload {
    /// Number of clusters that match the filter, whatever the page.
    pub total: i32,
    /// The page.
    pub clusters: Vec<ClusterInfo>,
}

/// A cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterInfo {
    #[schema(value_type = i32)]
    cluster_id: i64,
    name: String,
    #[schema(required = false)]
    desc: String,
    /// Number of the status.
    status_code: i32,
    #[schema(value_type = ClusterStatusName)]
    status_name: String,
    /// The name again.
    #[schema(required = false)]
    status_desc: String,
    #[schema(required = false)]
    region_id: String,
    /// SPUs that the jobs of the cluster hold.
    #[schema(value_type = i32)]
    spu_used: i64,
    #[schema(value_type = i32)]
    maximum_spu_quota: i64,
    /// Why the cluster is not what it should be; else empty.
    #[schema(required = false)]
    error_reason: String,
    /// Milliseconds since the epoch.
    created_at: i64,
    vpc_cidr: String,
    subnet_cidr: String,
    subnet_gateway: String,
    /// String of digits.
    manager_node_spu: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    sys_enterprise_project_id: Option<String>,
}

impl ClusterInfo {
    /// Shows a cluster.
    pub fn of(view: ClusterView, region: &str) -> Self {
        let ClusterView { record, status, spu_used } = view;
        let definition = record.definition;
        Self {
            cluster_id: record.id.0,
            name: record.name,
            desc: definition.desc,
            status_code: status.code(),
            status_name: status.name().to_string(),
            status_desc: status.name().to_string(),
            region_id: region.to_string(),
            spu_used,
            maximum_spu_quota: definition.maximum_spu_quota,
            error_reason: record.facts.reason,
            created_at: record.created_at.0,
            vpc_cidr: definition.vpc_cidr,
            subnet_cidr: definition.subnet_cidr,
            subnet_gateway: definition.subnet_gateway,
            manager_node_spu: definition.manager_node_spu.to_string(),
            sys_enterprise_project_id: definition.sys_enterprise_project_id,
        }
    }
}

impl From<NewReservedClusterRequest> for SentCluster {
    fn from(request: NewReservedClusterRequest) -> Self {
        Self {
            name: request.name,
            desc: request.desc,
            maximum_spu_quota: request.maximum_spu_quota.map(i64::from),
            vpc_cidr: request.vpc_cidr,
            subnet_cidr: request.subnet_cidr,
            subnet_gateway: request.subnet_gateway,
            tags: request.tags,
            sys_enterprise_project_id: request.sys_enterprise_project_id,
            manager_node_spu: request.manager_node_spu,
        }
    }
}

impl From<UpdateClusterRequest> for SentCluster {
    fn from(request: UpdateClusterRequest) -> Self {
        Self {
            name: request.name,
            desc: request.desc,
            maximum_spu_quota: request.maximum_spu_quota.map(i64::from),
            vpc_cidr: None,
            subnet_cidr: None,
            subnet_gateway: None,
            tags: request.tags,
            sys_enterprise_project_id: request.sys_enterprise_project_id,
            manager_node_spu: request.manager_node_spu,
        }
    }
}

/// Tells a text from what is none, which has a code of its own.
fn manager_node<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ManagerNode, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => ManagerNode::Absent,
        serde_json::Value::String(text) => ManagerNode::Text(text),
        _ => ManagerNode::NoText,
    })
}
