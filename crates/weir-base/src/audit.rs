//! The audit record: who changed what, and how it ended.
//!
//! The routes of a service make the record of a call before the work ([`AuditRecord::of_call`]); the work says what it is
//! [`about`](AuditRecord::about), and the repository writes it in the transaction of the change. Of a call that is
//! refused the routes write the same record, [`refused`](AuditRecord::refused). Nothing here writes.

use crate::id::{ProjectId, UserId};
use crate::time::Timestamp;

/// What the command line on the machine of the service does: `event_type`.
pub const OPERATOR_COMMAND: &str = "OperatorCommand";
/// What happens without a call: `event_type`.
pub const SYSTEM_ACTION: &str = "SystemAction";
/// Calls of the API: `event_type`.
pub const API_CALL: &str = "ApiCall";

/// One audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Project.
    pub project: ProjectId,
    /// Who called.
    pub user: UserId,
    /// The caller's name.
    pub user_name: String,
    /// The id of the request, as in its `X-Request-Id` answer header.
    pub request_id: String,
    /// The address of the caller; empty for what the service or its operator did.
    pub source_ip: String,
    /// Whose resource it is: `CS`, `SMN`, `DIS`, `OBS`, `VPC` or `IAM`.
    pub service: String,
    /// Such as `job`, `template` and `cluster` of CS, or `topic` of SMN.
    pub resource_type: String,
    /// Id of what was changed; empty when it has none (yet). Filled in by the store on a create.
    pub resource_id: String,
    /// Name of what was changed.
    pub resource_name: String,
    /// Such as `createJob`.
    pub event_name: String,
    /// `ConsoleAction`, `ApiCall`, `OperatorCommand` for the command line on the machine of the service, or
    /// `SystemAction` for what happened without a call.
    pub event_type: String,
    /// `normal`, `warning` (failed call) or `incident` (what failed without a call).
    pub event_rating: String,
    /// The HTTP status that the caller gets. What nobody called has 200, or 400 when it failed.
    pub status: u16,
    /// `{code}::{NAME}:: {text}` of CS, `{code}:: {text}` of a refusal of other services, else `done`.
    pub op_result: String,
    /// When.
    pub event_time: Timestamp,
}

/// What a call of a service changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The service, such as `SMN`.
    pub service: &'static str,
    /// Such as `topic`.
    pub resource_type: &'static str,
    /// Such as `createTopic`.
    pub event: &'static str,
}

/// Who calls, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The project of the credential: the record is shown there.
    pub project: ProjectId,
    /// User; empty when nobody is known to call.
    pub user: UserId,
    /// The user's name.
    pub user_name: String,
    /// The id of the request.
    pub request_id: String,
    /// The address that the request came from.
    pub source_ip: String,
}

impl AuditRecord {
    /// Returns the record of a call that succeeds, about nothing yet.
    pub fn of_call(actor: Actor, change: Change, now: Timestamp) -> Self {
        Self {
            project: actor.project,
            user: actor.user,
            user_name: actor.user_name,
            request_id: actor.request_id,
            source_ip: actor.source_ip,
            service: change.service.to_string(),
            resource_type: change.resource_type.to_string(),
            resource_id: String::new(),
            resource_name: String::new(),
            event_name: change.event.to_string(),
            event_type: API_CALL.to_string(),
            event_rating: "normal".to_string(),
            status: 200,
            op_result: "done".to_string(),
            event_time: now,
        }
    }

    /// Returns the record of a command of the operator that succeeds, about nothing yet.
    pub fn of_operator(project: &ProjectId, change: Change, now: Timestamp) -> Self {
        let operator = Actor {
            project: project.clone(),
            user: UserId(String::new()),
            user_name: "operator".to_string(),
            request_id: String::new(),
            source_ip: String::new(),
        };
        Self { event_type: OPERATOR_COMMAND.to_string(), ..Self::of_call(operator, change, now) }
    }

    /// Returns the record with what it is about.
    #[must_use]
    pub fn about(&self, id: &str, name: &str) -> Self {
        Self { resource_id: id.to_string(), resource_name: name.to_string(), ..self.clone() }
    }

    /// Returns the record of a call that was refused or failed instead.
    #[must_use]
    pub fn refused(&self, status: u16, code: &str, text: &str) -> Self {
        Self {
            event_rating: "warning".to_string(),
            status,
            op_result: format!("{code}:: {text}"),
            ..self.clone()
        }
    }
}
