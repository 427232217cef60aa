//! What the description of the API says of values and no attribute of a handler or a wire type can: limits of the items of
//! arrays, and what an absent parameter means.

use serde_json::{Value, json};

use crate::cs::{audit_logs, billing, clusters, flink_jobs, hosts, jobs_read, quotas, templates};

/// Arrays that are not empty, by their place in the description.
const NOT_EMPTY: &[&str] = &[
    "/paths/~1v1.0~1{project_id}~1obs_authorize/post/requestBody/content/application~1json/schema",
    "/paths/~1v1.0~1{project_id}~1job~1run/post/requestBody/content/application~1json/schema",
    "/paths/~1v1.0~1{project_id}~1job~1stop/post/requestBody/content/application~1json/schema",
    "/paths/~1v1.0~1{project_id}~1job/delete/requestBody/content/application~1json/schema",
    "/components/schemas/JobsMetricsRequest/properties/job_ids",
    "/components/schemas/AddHostsInfoRequest/properties/hosts_info",
    "/components/schemas/DeleteHostsInfoRequest/properties/hosts_id",
    "/components/schemas/CreateAgencyRequest/properties/roles",
];

/// Arrays of ids, which start at 1.
const OF_IDS: &[&str] = &[
    "/paths/~1v1.0~1{project_id}~1job~1run/post/requestBody/content/application~1json/schema",
    "/paths/~1v1.0~1{project_id}~1job~1stop/post/requestBody/content/application~1json/schema",
    "/paths/~1v1.0~1{project_id}~1job/delete/requestBody/content/application~1json/schema",
    "/components/schemas/JobsMetricsRequest/properties/job_ids",
    "/components/schemas/DeleteHostsInfoRequest/properties/hosts_id",
    "/components/schemas/UpdateUserQuotaRequest/properties/clusters",
    "/components/schemas/ExportJobsRequest/properties/job_selected",
];

/// Adds the limits of arrays to a description.
pub(crate) fn add(document: &mut Value) {
    for place in NOT_EMPTY {
        if let Some(array) = document.pointer_mut(place) {
            array["minItems"] = json!(1);
        }
    }
    for place in OF_IDS {
        if let Some(array) = document.pointer_mut(place) {
            array["items"]["minimum"] = json!(1);
        }
    }
}

/// Adds to a parameter of an operation what it may be and what it is when it is absent.
pub(crate) fn add_to_parameter(operation: &str, parameter: &mut Value) {
    let name = parameter["name"].as_str().unwrap_or_default().to_string();
    let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) else { return };
    if name == "project_id" {
        schema.insert("pattern".to_string(), json!("^[A-Za-z0-9]{1,64}$"));
    }
    if let Some(default) = default_of(operation, &name) {
        schema.insert("default".to_string(), default);
    }
}

fn default_of(operation: &str, parameter: &str) -> Option<Value> {
    Some(match parameter {
        "next" => json!(true),
        "show_detail" | "resumeSavePoint" | "triggerSavePoint" => json!(false),
        "order" => json!("desc"),
        "show_job_type" => json!("all"),
        "offset" | "page_number" => json!(0),
        "limit" => json!(match operation {
            "getJobs" | "getClusterJobs" => jobs_read::DEFAULT_LIMIT,
            "getFlinkJobs" => flink_jobs::DEFAULT_LIMIT,
            "getJobTemplates" => templates::DEFAULT_LIMIT,
            "getReservedClusters" => clusters::DEFAULT_LIMIT,
            "getHostsInfo" => hosts::DEFAULT_LIMIT,
            "getUserQuotas" => quotas::DEFAULT_LIMIT,
            "getAuditLogs" => audit_logs::DEFAULT_LIMIT,
            "getBillingHistory" => billing::DEFAULT_LIMIT,
            _ => return None,
        }),
        _ => return None,
    })
}
