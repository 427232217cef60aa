//! Builds audit records.

use weir_base::error::{CsError, ErrorCode, codes};
use weir_base::id::{ProjectId, UserId};
use weir_base::time::Timestamp;
use weir_store::{AuditRecord, ClusterRecord, JobRecord, Store};

use crate::caller::Caller;
use crate::success::Success;

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `job`, `template`, `cluster`, `bucket`, `user` or `agency`.
    pub resource_type: &'a str,
    /// Id; empty when there is none.
    pub id: &'a str,
    /// Name; empty when it is not known.
    pub name: &'a str,
}

/// Writes the audit record of a call that was refused, or whose change is not in the metadata. A fault of the store is
/// logged: the caller gets the answer that the record is about.
pub async fn write_audit(store: &Store, record: &AuditRecord) {
    if let Err(fault) = store.write_audit(record).await {
        let event = record.event_name.as_str();
        tracing::error!(event, %fault, "the audit record of a call could not be written");
    }
}

/// Returns the record of a change that was made.
pub(crate) fn of_success(
    caller: &Caller,
    event: &str,
    subject: Subject<'_>,
    success: Success,
    now: Timestamp,
) -> AuditRecord {
    let result = format!("{}::{}:: {}", success.id(), success.name, success.text);
    record(caller, event, subject, ("normal", result), now)
}

/// Returns the record of a change of a job that was made.
pub(crate) fn of_job(
    caller: &Caller,
    event: &str,
    job: &JobRecord,
    success: Success,
    now: Timestamp,
) -> AuditRecord {
    let id = job.id.to_string();
    let subject = Subject { resource_type: "job", id: &id, name: &job.definition.name };
    of_success(caller, event, subject, success, now)
}

/// Returns the record of a call that was refused or failed.
pub(crate) fn of_failure(
    caller: &Caller,
    event: &str,
    subject: Subject<'_>,
    error: &CsError,
    now: Timestamp,
) -> AuditRecord {
    let result = format!("{}::{}:: {}", error.code, error.code.entry().name, error.cause());
    record(caller, event, subject, ("warning", result), now)
}

/// Returns the record of the failure of a job that ran, or that should have come up.
pub(crate) fn of_incident(job: &JobRecord, reason: &str, now: Timestamp) -> AuditRecord {
    let id = job.id.to_string();
    let subject = Subject { resource_type: "job", id: &id, name: &job.definition.name };
    incident(&job.project, "failJob", subject, (codes::JOB_RUN_EXCEPTION, reason), now)
}

/// Returns the record of something of a job that is left where it is, because it cannot be removed.
pub(crate) fn of_remains(job: &JobRecord, event: &str, reason: &str, now: Timestamp) -> AuditRecord {
    let id = job.id.to_string();
    let subject = Subject { resource_type: "job", id: &id, name: &job.definition.name };
    incident(&job.project, event, subject, (codes::BACKEND_INTERNAL_ERROR, reason), now)
}

/// Returns the record of a cluster that could not be made, restarted or removed.
pub(crate) fn of_cluster_incident(
    cluster: &ClusterRecord,
    code: ErrorCode,
    reason: &str,
    now: Timestamp,
) -> AuditRecord {
    let id = cluster.id.to_string();
    let subject = Subject { resource_type: "cluster", id: &id, name: &cluster.name };
    incident(&cluster.project, "failCluster", subject, (code, reason), now)
}

fn incident(
    project: &ProjectId,
    event: &str,
    subject: Subject<'_>,
    (code, reason): (ErrorCode, &str),
    now: Timestamp,
) -> AuditRecord {
    AuditRecord {
        project: project.clone(),
        user: UserId(String::new()),
        user_name: "service".to_string(),
        request_id: String::new(),
        source_ip: String::new(),
        service: "CS".to_string(),
        resource_type: subject.resource_type.to_string(),
        resource_id: subject.id.to_string(),
        resource_name: subject.name.to_string(),
        event_name: event.to_string(),
        event_type: "SystemAction".to_string(),
        event_rating: "incident".to_string(),
        status: 400,
        op_result: format!("{code}::{}:: {reason}", code.entry().name),
        event_time: now,
    }
}

fn record(
    caller: &Caller,
    event: &str,
    subject: Subject<'_>,
    (rating, result): (&str, String),
    now: Timestamp,
) -> AuditRecord {
    AuditRecord {
        project: caller.project.clone(),
        user: caller.user.clone(),
        user_name: caller.audit_name.clone(),
        request_id: caller.request_id.clone(),
        source_ip: caller.source_ip.clone(),
        service: "CS".to_string(),
        resource_type: subject.resource_type.to_string(),
        resource_id: subject.id.to_string(),
        resource_name: subject.name.to_string(),
        event_name: event.to_string(),
        event_type: "ApiCall".to_string(),
        event_rating: rating.to_string(),
        // Who may not call, or calls wrongly, gets 400: so does every error of CS.
        status: if rating == "normal" { 200 } else { 400 },
        op_result: result,
        event_time: now,
    }
}
