//! The description of the API, made from the handlers and wire types themselves.
//!
//! The error codes of each operation come from the error catalogue and the message ids from
//! weir-control, so that the description cannot say anything else than the code.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use weir_base::error::entries;
use weir_control::success;

use crate::cs::{
    apig, audit_logs, billing, clusters, edge, flink_jobs, hosts, jar_jobs, jobs, jobs_batch, jobs_read,
    peerings, quotas, savepoints, surroundings, templates, transfers, versions, wire,
};
use crate::{openapi_beside, openapi_limits};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cloud Stream Service API v1.0, as served by Weir",
        description = "Every error of CS has HTTP status 400; x-errors lists the codes of an operation, x-message-id is the message id of a success. The services beside CS are identity, streams, notifications, network, traces, edge and the gateway; each has its own form of errors."
    ),
    paths(
        versions::get_release_version,
        surroundings::user_register,
        surroundings::authorize_bucket,
        jobs::submit_sql_job,
        jobs::update_sql_job,
        jobs_read::get_jobs,
        jobs_read::get_job_detail,
        jobs::delete_job,
        jobs::run_job,
        jobs::stop_job,
        jobs_batch::batch_run_jobs,
        jobs_batch::batch_stop_jobs,
        jobs_batch::batch_delete_jobs,
        jobs_read::get_job_execute_graph,
        jobs_read::get_jobs_metrics,
        audit_logs::overview,
        billing::get_billing_history,
        billing::top_up_account,
        billing::settle_account,
        audit_logs::get_audit_logs,
        templates::create_job_template,
        templates::update_job_template,
        templates::get_job_templates,
        templates::get_sample_templates,
        templates::delete_job_template,
        quotas::get_user_quotas,
        quotas::get_user_quota,
        quotas::update_user_quota,
        surroundings::get_agency,
        surroundings::create_agency,
        clusters::create_reserved_cluster,
        clusters::get_reserved_clusters,
        clusters::describe_reserved_cluster,
        clusters::update_reserved_cluster,
        clusters::delete_reserved_cluster,
        clusters::stop_reserved_cluster,
        clusters::restart_reserved_cluster,
        jobs_read::get_cluster_jobs,
        hosts::get_hosts_info,
        hosts::add_hosts_info,
        hosts::add_hosts_file,
        hosts::update_hosts_info,
        hosts::delete_hosts_info,
        peerings::create_peering,
        peerings::get_peerings,
        peerings::get_peering,
        peerings::delete_peering,
        peerings::create_route,
        peerings::get_routes,
        peerings::delete_route,
        savepoints::trigger_savepoint,
        savepoints::import_savepoint,
        flink_jobs::get_flink_jobs,
        transfers::export_jobs,
        transfers::import_jobs,
        transfers::aggregate_job_logs,
        jar_jobs::submit_jar_job,
        jar_jobs::update_jar_job,
        apig::get_apig_sinks,
        edge::report_edge_job_status
    ),
    components(schemas(
        wire::CheckpointMode,
        wire::Order,
        wire::JobStatus,
        wire::RunMode,
        wire::SqlJobType,
        wire::JobStatusInfo,
        wire::JobUpdateTime,
        wire::QueryJobListResponsePayload,
        wire::JobDetailEntity,
        wire::JobExecutePlan,
        wire::QueryJobMetricsResponsePayload,
        wire::OverviewEntity,
        wire::BillingHistoryPayload,
        wire::AccountPayload,
        wire::AuditResourceType,
        wire::AuditLogResponsePayload,
        wire::JobTemplateCreated,
        wire::JobTemplateDeleted,
        wire::JobTemplateListResponsePayload,
        wire::SampleTemplateList,
        wire::QueryUserQuotasResponsePayload,
        wire::UserQuotaInfo,
        wire::AgencyRole,
        wire::BillingUnit,
        wire::TimeUnit,
        wire::AgencyInfo,
        wire::ClusterStatusName,
        wire::CreateClusterResponsePayload,
        wire::ClusterInfo,
        wire::QueryClustersResponsePayload,
        wire::ClusterHostsInfo,
        wire::PeeringStatusName,
        wire::AcceptPeeringResponse,
        wire::SavepointAction,
        wire::ShowJobType,
        wire::ExportJobsPayload,
        wire::ImportJobsPayload,
        wire::AggregateJobLogsPayload,
        apig::JobApigSinks
    ))
)]
struct Document;

/// The envelopes, from the names that generic types get to the names of the contract.
const ENVELOPES: &[(&str, &str)] = &[
    ("Envelope_JobStatusInfo", "JobStatusResponse"),
    ("Envelope_JobUpdateTime", "JobUpdateResponse"),
    ("Envelope_QueryJobListResponsePayload", "QueryJobListResponse"),
    ("Envelope_JobDetailEntity", "GetJobDetailResponse"),
    ("Envelope_JobExecutePlan", "JobExecutePlanResponse"),
    ("Envelope_QueryJobMetricsResponsePayload", "QueryJobMetricsResponse"),
    ("Envelope_OverviewEntity", "OverviewResponse"),
    ("Envelope_BillingHistoryPayload", "BillingHistoryResponse"),
    ("Envelope_AccountPayload", "AccountResponse"),
    ("Envelope_AuditLogResponsePayload", "AuditLogResponse"),
    ("Envelope_JobTemplateCreated", "JobTemplateCreateResponse"),
    ("Envelope_JobTemplateDeleted", "JobTemplateDeleteResponse"),
    ("Envelope_JobTemplateListResponsePayload", "JobTemplateListResponse"),
    ("Envelope_SampleTemplateList", "SampleTemplateListResponse"),
    ("Envelope_QueryUserQuotasResponsePayload", "QueryUserQuotasResponse"),
    ("Envelope_UserQuotaInfo", "QueryUserQuotaResponse"),
    ("Envelope_AgencyInfo", "AgencyResponse"),
    ("Envelope_CreateClusterResponsePayload", "CreateClusterResponse"),
    ("Envelope_ClusterInfo", "QueryClusterResponse"),
    ("Envelope_QueryClustersResponsePayload", "QueryClustersResponse"),
    ("Envelope_ClusterHostsInfo", "QueryClusterHostsInfoResponse"),
    ("Envelope_JobApigSinks", "JobApigSinksResponse"),
    ("Envelope_ExportJobsPayload", "ExportJobsResponse"),
    ("Envelope_ImportJobsPayload", "ImportJobsResponse"),
    ("Envelope_AggregateJobLogsPayload", "AggregateJobLogsResponse"),
];

/// Returns the description.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(build)
}

fn build() -> Value {
    let mut text = serde_json::to_string(&Document::openapi()).expect("a description made of texts is JSON");
    for (generated, name) in ENVELOPES {
        text = text.replace(&format!("{generated}\""), &format!("{name}\""));
    }
    let mut document: Value = serde_json::from_str(&text).expect("renaming keeps JSON what it is");
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for item in paths.values_mut().filter_map(Value::as_object_mut) {
            item.values_mut().filter_map(Value::as_object_mut).for_each(complete);
        }
    }
    for (generated, name) in ENVELOPES {
        // The payload of a generic type is written out in place; it is a schema of its own.
        let payload = generated.trim_start_matches("Envelope_");
        document["components"]["schemas"][name]["properties"]["payload"] =
            json!({ "$ref": format!("#/components/schemas/{payload}") });
    }
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "apiKey", "in": "header", "name": "X-Auth-Token" },
        "aksk": { "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "Signature SDK-HMAC-SHA256 with an access key." }
    });
    document["security"] = json!([{ "token": [] }, { "aksk": [] }]);
    openapi_limits::add(&mut document);
    openapi_beside::add(&mut document);
    document
}

/// Adds what an operation can answer.
fn complete(operation: &mut Map<String, Value>) {
    let Some(id) = operation.get("operationId").and_then(Value::as_str).map(str::to_string) else { return };
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    parameters.into_iter().flatten().for_each(|parameter| {
        without_null(&mut parameter["schema"]);
        openapi_limits::add_to_parameter(&id, parameter);
    });
    let needs_credential = !operation.contains_key("security");
    operation.insert("x-errors".to_string(), json!(errors_of(&id, needs_credential)));
    if let Some((_, success)) = success::ALL.iter().find(|(operation, _)| *operation == id) {
        operation.insert("x-message-id".to_string(), json!(success.id()));
    }
}

/// An optional parameter is absent or there; in a URL nothing is null.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get("type").and_then(Value::as_array) {
        let named: Vec<Value> = types.iter().filter(|name| *name != "null").cloned().collect();
        if let [only] = named.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let real = choices.iter().find(|choice| choice.get("$ref").is_some()).cloned();
        if let Some(real) = real {
            *schema = real;
        }
    }
}

/// Returns the codes that an operation can answer, in ascending order.
pub fn errors_of(operation: &str, needs_credential: bool) -> Vec<String> {
    /// What any call can answer that needs no credential.
    const OPEN: [u32; 3] = [10_001, 10_003, 26_500];
    let mut codes: Vec<_> = entries()
        .filter(|entry| match entry.operations {
            "all" => needs_credential || OPEN.contains(&entry.code.0),
            listed => listed.split(',').any(|listed| listed.trim() == operation),
        })
        .map(|entry| entry.code)
        .collect();
    codes.sort();
    codes.iter().map(ToString::to_string).collect()
}
