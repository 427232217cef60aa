//! Quotas of users, the agency, audit records and totals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_control::billing::Unit;
use weir_control::{Overview, QuotaView, Totals};
use weir_store::AuditRecord;

/// A cluster that a user may use.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserCluster {
    /// Id.
    #[schema(value_type = i32)]
    pub id: i64,
    /// Name.
    pub name: String,
}

/// The quota of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserQuotaInfo {
    /// User.
    pub user_id: String,
    /// The user's name.
    pub user_name: String,
    /// SPUs that the user's jobs hold.
    #[schema(value_type = i32)]
    pub spu_used: i64,
    /// SPUs that they may hold.
    #[schema(value_type = i32)]
    pub spu_quota: i64,
    /// Clusters that the user may use.
    pub clusters: Vec<UserCluster>,
}

/// A page of quotas.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryUserQuotasResponsePayload {
    /// Users that match, whatever the page.
    pub total: i32,
    /// The page.
    pub users: Vec<UserQuotaInfo>,
}

/// Sets quota and clusters of a user. Members that are absent keep their stored value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct UpdateUserQuotaRequest {
    /// SPUs, 1 to 1,000.
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 1000)]
    pub(crate) spu_quota: Option<i32>,
    /// Ids of the clusters the user may use; replaces the present list.
    #[schema(value_type = Vec<i32>, required = false)]
    pub(crate) clusters: Option<Vec<i32>>,
}

/// What audit records can be asked for by.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum AuditResourceType {
    /// Jobs.
    Job,
    /// Templates.
    Template,
    /// Exclusive clusters.
    Cluster,
}

/// An audit record.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLog {
    /// Id of what was changed; empty when the call got none.
    pub resource_id: String,
    /// Name of what was changed.
    pub resource_name: String,
    /// Such as startJob.
    pub event_name: String,
    /// `ConsoleAction`, `ApiCall` or, for what happened without a call, `SystemAction`.
    pub event_type: String,
    /// `normal`, `warning` for a failed call, `incident` for what failed without a call.
    pub event_rating: String,
    /// Name of the caller.
    pub op_user: String,
    /// Milliseconds since the epoch.
    pub op_time: i64,
    /// Address of the caller.
    pub op_ip: String,
    /// `{code}::{NAME}:: {text}`.
    pub op_result: String,
}

/// A page of audit records, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLogResponsePayload {
    /// Records that match, whatever the page.
    pub total: i32,
    /// The page.
    pub traces: Vec<AuditLog>,
}

/// Roles of the agency.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum AgencyRole {
    /// Buckets.
    ObsAdm,
    /// Streams.
    DisAdm,
    /// Tables.
    CtableAdm,
    /// Peerings and routes.
    VpcNetadm,
    /// Topics.
    SmnAdm,
    /// The whole account.
    TeAdmin,
}

/// Makes the agency or adds roles to it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateAgencyRequest {
    /// At least one.
    #[schema(value_type = Vec<AgencyRole>)]
    pub(crate) roles: Vec<String>,
}

/// The agency of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgencyInfo {
    /// `v2`.
    #[schema(required = false)]
    pub version: String,
    /// Its roles in the project.
    pub current_roles: Vec<String>,
}

/// Unit of money.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub enum BillingUnit {
    /// Renminbi.
    #[serde(rename = "CNY")]
    Cny,
    /// Hong Kong dollars.
    #[serde(rename = "HKD")]
    Hkd,
    /// Euros.
    #[serde(rename = "EUR")]
    Eur,
    /// German marks.
    #[serde(rename = "DEM")]
    Dem,
    /// US dollars.
    #[serde(rename = "USD")]
    Usd,
}

/// Unit of time.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub enum TimeUnit {
    /// Hours.
    #[serde(rename = "HOUR")]
    Hour,
}

/// Totals of jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobOverviewEntity {
    /// All jobs.
    #[schema(required = false)]
    pub total_jobs: i32,
    /// Jobs in job_running.
    #[schema(required = false)]
    pub running_job_count: i32,
    /// Jobs in job_finish.
    #[schema(required = false)]
    pub finished_job_count: i32,
    /// Jobs that failed, or could not be started or stopped.
    #[schema(required = false)]
    pub exception_job_count: i32,
    /// All others.
    #[schema(required = false)]
    pub other_job_count: i32,
    /// Charge of running jobs so far.
    #[schema(required = false)]
    pub running_job_charge: f64,
    /// Sum of their prices per hour.
    #[schema(required = false)]
    pub running_job_price: f64,
    /// Their SPUs.
    #[schema(value_type = i32, required = false)]
    pub running_job_total_spu: i64,
    /// Their running time, in hours.
    #[schema(required = false)]
    pub running_job_total_time: f64,
    /// Unit of charges and prices.
    #[schema(required = false)]
    pub billing_unit: BillingUnit,
    /// Unit of times.
    #[schema(required = false)]
    pub time_unit: TimeUnit,
}

/// Totals of exclusive clusters.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterOverviewEntity {
    /// All clusters.
    #[schema(required = false)]
    pub total_clusters: i32,
    /// Running clusters.
    #[schema(required = false)]
    pub running_cluster_count: i32,
    /// Clusters that could not be created or deleted.
    #[schema(required = false)]
    pub exception_cluster_count: i32,
    /// All others.
    #[schema(required = false)]
    pub other_cluster_count: i32,
    /// Charge of running clusters so far.
    #[schema(required = false)]
    pub running_cluster_charge: f64,
    /// Sum of their prices per hour.
    #[schema(required = false)]
    pub running_cluster_price: f64,
    /// Their SPUs.
    #[schema(value_type = i32, required = false)]
    pub running_cluster_total_spu: i64,
    /// Their running time, in hours.
    #[schema(required = false)]
    pub running_cluster_total_time: f64,
    /// Unit of charges and prices.
    #[schema(required = false)]
    pub billing_unit: BillingUnit,
    /// Unit of times.
    #[schema(required = false)]
    pub time_unit: TimeUnit,
}

/// Totals of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewEntity {
    /// All charges of the project, with those that are not settled yet.
    pub total_cost: f64,
    /// Jobs.
    pub job_overview: JobOverviewEntity,
    /// Exclusive clusters.
    pub cluster_overview: ClusterOverviewEntity,
}

impl From<QuotaView> for UserQuotaInfo {
    fn from(view: QuotaView) -> Self {
        Self {
            user_id: view.user.0,
            user_name: view.user_name,
            spu_used: view.spu_used,
            spu_quota: view.spu_quota,
            clusters: view.clusters.into_iter().map(|(id, name)| UserCluster { id, name }).collect(),
        }
    }
}

impl From<AuditRecord> for AuditLog {
    fn from(record: AuditRecord) -> Self {
        Self {
            resource_id: record.resource_id,
            resource_name: record.resource_name,
            event_name: record.event_name,
            event_type: record.event_type,
            event_rating: record.event_rating,
            op_user: record.user_name,
            op_time: record.event_time.0,
            op_ip: record.source_ip,
            op_result: record.op_result,
        }
    }
}

impl From<Overview> for OverviewEntity {
    fn from(overview: Overview) -> Self {
        Self {
            total_cost: overview.total_cost,
            job_overview: JobOverviewEntity::new(overview.jobs, overview.unit.into()),
            cluster_overview: ClusterOverviewEntity::new(overview.clusters, overview.unit.into()),
        }
    }
}

impl From<Unit> for BillingUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Cny => Self::Cny,
            Unit::Hkd => Self::Hkd,
            Unit::Eur => Self::Eur,
            Unit::Dem => Self::Dem,
            Unit::Usd => Self::Usd,
        }
    }
}

impl JobOverviewEntity {
    fn new(totals: Totals, billing_unit: BillingUnit) -> Self {
        Self {
            total_jobs: count(totals.all),
            running_job_count: count(totals.running),
            finished_job_count: count(totals.finished),
            exception_job_count: count(totals.exception),
            other_job_count: count(totals.other),
            running_job_charge: totals.charge,
            running_job_price: totals.price,
            running_job_total_spu: totals.spus,
            running_job_total_time: totals.hours,
            billing_unit,
            time_unit: TimeUnit::Hour,
        }
    }
}

impl ClusterOverviewEntity {
    fn new(totals: Totals, billing_unit: BillingUnit) -> Self {
        Self {
            total_clusters: count(totals.all),
            running_cluster_count: count(totals.running),
            exception_cluster_count: count(totals.exception),
            other_cluster_count: count(totals.other),
            running_cluster_charge: totals.charge,
            running_cluster_price: totals.price,
            running_cluster_total_spu: totals.spus,
            running_cluster_total_time: totals.hours,
            billing_unit,
            time_unit: TimeUnit::Hour,
        }
    }
}

/// Returns a count as the contract has it.
pub(crate) fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
