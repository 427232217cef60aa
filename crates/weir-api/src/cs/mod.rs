//! The routes of the CS API.
//!
//! A call goes through [`call`] (the checks up to the body), then its handler (fields, then the use-case of
//! weir-control), then [`answer`]. What travels is in [`wire`].

pub mod answer;
pub mod apig;
pub mod audit_logs;
pub mod billing;
mod call;
pub mod clusters;
pub mod edge;
pub mod flink_jobs;
pub mod hosts;
pub mod jar_jobs;
pub mod jobs;
pub mod jobs_batch;
pub mod jobs_read;
mod multipart;
pub mod operations;
pub mod peerings;
pub(crate) mod query;
pub mod quotas;
pub mod savepoints;
pub mod surroundings;
pub mod templates;
pub mod transfers;
pub mod versions;
pub mod wire;

pub(crate) use call::{peer_ip, source_ip};

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use weir_base::error::codes;
use weir_base::time::Timestamp;

use crate::state::ApiState;

/// The routes.
pub fn router() -> Router<ApiState> {
    Router::new()
        .route("/v1.0/versions", get(versions::get_release_version))
        .route("/v1.0/{project_id}/user_register", post(surroundings::user_register))
        .route("/v1.0/{project_id}/obs_authorize", post(surroundings::authorize_bucket))
        .route("/v1.0/{project_id}/sql_job", post(jobs::submit_sql_job).patch(jobs::update_sql_job))
        .route("/v1.0/{project_id}/jobs", get(jobs_read::get_jobs))
        .route("/v1.0/{project_id}/jobs/metrics", post(jobs_read::get_jobs_metrics))
        .route("/v1.0/{project_id}/job", axum::routing::delete(jobs_batch::batch_delete_jobs))
        .route("/v1.0/{project_id}/job/run", post(jobs_batch::batch_run_jobs))
        .route("/v1.0/{project_id}/job/stop", post(jobs_batch::batch_stop_jobs))
        .route("/v1.0/{project_id}/job/{job_id}", get(jobs_read::get_job_detail).delete(jobs::delete_job))
        .route("/v1.0/{project_id}/job/{job_id}/run", post(jobs::run_job))
        .route("/v1.0/{project_id}/job/{job_id}/stop", post(jobs::stop_job))
        .route("/v1.0/{project_id}/job/{job_id}/execute_graph", get(jobs_read::get_job_execute_graph))
        .route("/v1.0/{project_id}/job/{job_id}/savepoint", post(savepoints::trigger_savepoint))
        .route("/v1.0/{project_id}/job/{job_id}/import_savepoint", post(savepoints::import_savepoint))
        .route("/v1.0/{project_id}/streaming/jobs", get(flink_jobs::get_flink_jobs))
        .route("/v1/{project_id}/edgesrv/job-report", post(edge::report_edge_job_status))
        .route("/v1.0/{project_id}/jobs/export", post(transfers::export_jobs))
        .route("/v1.0/{project_id}/jobs/import", post(transfers::import_jobs))
        .route("/v1.0/{project_id}/job/{job_id}/logs/aggregate", post(transfers::aggregate_job_logs))
        .route("/v1.0/{project_id}/jar_job", post(jar_jobs::submit_jar_job).patch(jar_jobs::update_jar_job))
        .route("/v1.0/{project_id}/job/{job_id}/apig_sinks", get(apig::get_apig_sinks))
        .route("/v1.0/{project_id}/overview", get(audit_logs::overview))
        .route("/v1.0/{project_id}/billing_history", get(billing::get_billing_history))
        .route("/v1.0/{project_id}/billing/top_up", post(billing::top_up_account))
        .route("/v1.0/{project_id}/billing/settle", post(billing::settle_account))
        .route("/v1.0/{project_id}/audit_logs", get(audit_logs::get_audit_logs))
        .route(
            "/v1.0/{project_id}/job_template",
            post(templates::create_job_template).patch(templates::update_job_template),
        )
        .route("/v1.0/{project_id}/job_templates", get(templates::get_job_templates))
        .route("/v1.0/{project_id}/sample_templates", get(templates::get_sample_templates))
        .route(
            "/v1.0/{project_id}/job_template/{template_id}",
            axum::routing::delete(templates::delete_job_template),
        )
        .route("/v1.0/{project_id}/user_quotas", get(quotas::get_user_quotas))
        .route(
            "/v1.0/{project_id}/user_quota/{user_id}",
            get(quotas::get_user_quota).patch(quotas::update_user_quota),
        )
        .route("/v1.0/{project_id}/agency", get(surroundings::get_agency).post(surroundings::create_agency))
        .route("/v1.0/{project_id}/reserved_cluster", post(clusters::create_reserved_cluster))
        .route("/v1.0/{project_id}/reserved_clusters", get(clusters::get_reserved_clusters))
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}",
            get(clusters::describe_reserved_cluster)
                .patch(clusters::update_reserved_cluster)
                .delete(clusters::delete_reserved_cluster),
        )
        .route("/v1.0/{project_id}/reserved_cluster/{cluster_id}/stop", post(clusters::stop_reserved_cluster))
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/restart",
            post(clusters::restart_reserved_cluster),
        )
        .route("/v1.0/{project_id}/reserved_cluster/{cluster_id}/jobs", get(jobs_read::get_cluster_jobs))
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts",
            get(hosts::get_hosts_info).post(hosts::add_hosts_info).delete(hosts::delete_hosts_info),
        )
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts/{host_id}",
            axum::routing::patch(hosts::update_hosts_info),
        )
        .route("/v1.0/{project_id}/reserved_cluster/{cluster_id}/hosts_file", post(hosts::add_hosts_file))
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering",
            get(peerings::get_peerings).post(peerings::create_peering),
        )
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}",
            get(peerings::get_peering).delete(peerings::delete_peering),
        )
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}/route",
            get(peerings::get_routes).post(peerings::create_route),
        )
        .route(
            "/v1.0/{project_id}/reserved_cluster/{cluster_id}/peering/{peering_id}/route/{route_id}",
            axum::routing::delete(peerings::delete_route),
        )
}

/// The routes whose errors have the form of the successor of the service.
const OF_SUCCESSOR: [&str; 2] = ["/v1.0/{project_id}/streaming/jobs", "/v1/{project_id}/edgesrv/job-report"];

/// Makes the answer to a call whose handler panicked.
pub(crate) fn panicked(route: &str, now: Timestamp) -> Response {
    let error = codes::INTERNAL_ERROR.error();
    if OF_SUCCESSOR.contains(&route) { answer::flink_error(&error) } else { answer::error(&error, now) }
}

/// Makes the answer to a path or a method that is not there.
pub(crate) fn unknown(now: Timestamp) -> Response {
    answer::error(&codes::API_NOT_SUPPORTED.error(), now)
}
