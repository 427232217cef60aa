//! What travels: the bodies of requests and the payloads of answers, named as in the contract.

mod billing;
mod cluster;
mod edge;
mod flink_job;
mod hosts;
mod job;
mod metrics;
mod peering;
mod people;
mod request;
mod savepoint;
mod template;
mod transfer;

pub use billing::{AccountPayload, BilledType, BillingEntry, BillingHistoryPayload, TopUpRequest};
pub use cluster::{
    ClusterInfo, ClusterStatusName, CreateClusterResponsePayload, NewReservedClusterRequest,
    QueryClustersResponsePayload, RestartReservedClusterResponse, StopReservedClusterResponse,
    UpdateClusterRequest,
};
pub use edge::{EdgeJobReport, EdgeJobState, FlinkSimpleResponse};
pub use flink_job::{FlinkJobConfig, FlinkJobEntity, FlinkJobList, QueryFlinkJobListResponse, ShowJobType};
pub use hosts::{
    AddHostsInfoRequest, AddHostsInfoResponse, AddHostsInfoResponsePayload, ClusterHostsInfo,
    ClusterHostsInfoItem, DeleteHostsInfoRequest, DeleteHostsInfoResponse, HostIpInfo,
    UpdateHostsInfoRequest, UpdateHostsInfoResponse,
};
pub use job::{
    CheckpointMode, JarJobType, JobConfig, JobDetailEntity, JobEntity, JobExecutePlan, JobStatus,
    JobStatusInfo, JobType, JobUpdateTime, QueryJobListResponsePayload,
};
pub use metrics::{JobMetric, JobMetricDetail, OperatorMetric, QueryJobMetricsResponsePayload};
pub use peering::{
    AcceptPeeringResponse, CreatePeeringRequest, CreatePeeringResponse, CreateRouteRequest,
    CreateRouteResponse, GetPeeringsResponse, GetRoutesResponse, Peering, PeeringStatusName, Route, VpcInfo,
};
pub(crate) use people::count;
pub use people::{
    AgencyInfo, AgencyRole, AuditLog, AuditLogResponsePayload, AuditResourceType, BillingUnit,
    ClusterOverviewEntity, CreateAgencyRequest, JobOverviewEntity, OverviewEntity,
    QueryUserQuotasResponsePayload, TimeUnit, UpdateUserQuotaRequest, UserCluster, UserQuotaInfo,
};
pub use request::{JobsMetricsRequest, Order, RunMode, SqlJobType, SubmitSqlJobRequest, UpdateSqlJobRequest};
pub use savepoint::{ImportSavepointRequest, SavepointAction, TriggerSavepointRequest};
pub use template::{
    CreateJobTemplateRequest, JobTemplate, JobTemplateCreated, JobTemplateDeleted,
    JobTemplateListResponsePayload, SampleTemplate, SampleTemplateList, UpdateJobTemplateRequest,
};
pub use transfer::{
    AggregateJobLogsPayload, ExportJobsPayload, ExportJobsRequest, ImportJobsPayload, ImportJobsRequest,
    JobMapping,
};

use serde::Serialize;
use utoipa::ToSchema;

/// Release and engine versions; not in the envelope.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseVersionResponse {
    /// Version of the API.
    pub id: String,
    /// Newest revision of the API.
    pub version: String,
    /// Oldest version of the API that is served.
    pub min_version: String,
    /// Engines that run jobs.
    pub engines: Vec<EngineVersion>,
    /// `CURRENT`.
    pub status: String,
    /// When the API last changed, yyyyMMddHHmmss.
    pub updated: String,
    /// Server time, milliseconds since the epoch.
    pub current_millis: i64,
}

/// An engine.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngineVersion {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}
