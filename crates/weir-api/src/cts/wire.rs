//! What the trace list answers.

use serde::Serialize;
use weir_base::id::ProjectId;
use weir_cloud::identity::{Domain, Scope, Session};
use weir_store::StoredAudit;

use super::event::event_id;

/// A page of traces.
#[derive(Debug, Default, Serialize)]
pub(super) struct TraceList {
    pub(super) traces: Vec<Trace>,
    pub(super) meta_data: MetaData,
}

/// How the list goes on.
#[derive(Debug, Default, Serialize)]
pub(super) struct MetaData {
    /// Traces in the page.
    pub(super) count: usize,
    /// Where the next page begins; null at the end.
    pub(super) marker: Option<String>,
}

/// A trace.
#[derive(Debug, Serialize)]
pub(super) struct Trace {
    pub(super) trace_id: String,
    time: i64,
    record_time: i64,
    trace_name: String,
    trace_rating: String,
    trace_type: &'static str,
    service_type: String,
    resource_type: String,
    resource_name: String,
    resource_id: String,
    user: Actor,
    response: String,
    code: String,
    api_version: &'static str,
    source_ip: String,
    request_id: String,
    tracker_name: &'static str,
}

/// The trackers of a project.
#[derive(Debug, Default, Serialize)]
pub(super) struct TrackerList {
    pub(super) trackers: Vec<Tracker>,
}

/// A tracker.
#[derive(Debug, Serialize)]
pub(super) struct Tracker {
    id: String,
    tracker_name: &'static str,
    tracker_type: &'static str,
    status: &'static str,
    project_id: String,
    domain_id: String,
}

impl Tracker {
    /// Returns the tracker of the session's project.
    pub(super) fn of(project: &ProjectId, is_on: bool, session: &Session) -> Self {
        Self {
            // The event before all others: of the project alone.
            id: event_id(project, 0),
            tracker_name: "system",
            tracker_type: "system",
            status: if is_on { "enabled" } else { "disabled" },
            project_id: project.0.clone(),
            domain_id: account(session).id,
        }
    }
}

/// Who did it.
#[derive(Debug, Serialize)]
struct Actor {
    id: String,
    name: String,
    domain: Account,
}

#[derive(Debug, Serialize)]
struct Account {
    id: String,
    name: String,
}

impl Trace {
    /// Returns an audit record of the session's project as a trace.
    pub(super) fn of(stored: StoredAudit, session: &Session) -> Self {
        let StoredAudit { id, record } = stored;
        Self {
            trace_id: event_id(&record.project, id),
            time: record.event_time.0,
            record_time: record.event_time.0,
            trace_name: record.event_name,
            code: record.status.to_string(),
            trace_rating: record.event_rating,
            trace_type: match record.event_type.as_str() {
                "ApiCall" => "ApiCall",
                "ConsoleAction" => "ConsoleAction",
                // Nobody called from anywhere.
                _ => "SystemAction",
            },
            api_version: api_version(&record.service),
            service_type: record.service,
            resource_type: record.resource_type,
            resource_name: record.resource_name,
            resource_id: record.resource_id,
            user: Actor { id: record.user.0, name: record.user_name, domain: account(session) },
            response: record.op_result,
            source_ip: record.source_ip,
            request_id: record.request_id,
            tracker_name: "system",
        }
    }
}

fn api_version(service: &str) -> &'static str {
    match service {
        "CS" => "v1.0",
        "VPC" => "v2.0",
        "SMN" | "DIS" => "v2",
        "IAM" => "v3",
        _ => "",
    }
}

fn account(session: &Session) -> Account {
    let Domain { id, name } = match &session.scope {
        Scope::Project { domain, .. } | Scope::Domain(domain) => domain.clone(),
        Scope::Unscoped => session.user_domain.clone(),
    };
    Account { id, name }
}
