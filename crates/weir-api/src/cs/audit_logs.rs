//! Reading the audit, and the totals of a project.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_control::success;
use weir_store::AuditFilter;

use super::answer;
use super::call::perform;
use super::operations::{GET_AUDIT_LOGS, OVERVIEW};
use super::query::Query;
use super::wire::{AuditLog, AuditLogResponsePayload, AuditResourceType, OverviewEntity, count};
use crate::cts::event_number;
use crate::state::ApiState;

/// Records in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 10;
/// Most records in a page.
const MOST_RECORDS: i64 = 50;

/// Query audit records, newest first.
#[utoipa::path(get, path = "/v1.0/{project_id}/audit_logs", operation_id = "getAuditLogs", tag = "log",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("resource_type" = AuditResourceType, Query, description = "Type of what was changed."),
        ("cursor" = Option<String>, Query,
            description = "Event id, as the trace list shows it; the page has what is older. When given, page_number is ignored."),
        ("resource_id" = Option<String>, Query, description = "Only records of this one."),
        ("page_number" = Option<i32>, Query, minimum = 0, description = "Page, from 0; default 0."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 50, description = "Records per page, 1 to 50; default 10.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<AuditLogResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_audit_logs(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_AUDIT_LOGS, state, request, |call| async move {
        let AuditQuery { filter, cursor, page, limit } = AuditQuery::parse(&call.query)?;
        let control = &call.state.control;
        let total = control.count_audit_records(&call.caller, filter.clone()).await?;
        let offset = if cursor.is_some() { 0 } else { page.saturating_mul(limit) };
        let filter = AuditFilter { before: cursor, ..filter };
        let limit = u32::try_from(limit).unwrap_or(1);
        let records = control.audit_records(&call.caller, filter, offset, limit).await?;
        let traces = records.into_iter().map(|stored| AuditLog::from(stored.record)).collect();
        let payload = AuditLogResponsePayload { total: count(usize::try_from(total).unwrap_or(0)), traces };
        Ok(answer::payload(success::AUDIT_READ, payload, call.state.clock.now()))
    })
    .await
}

/// Totals of jobs, clusters and charges.
#[utoipa::path(get, path = "/v1.0/{project_id}/overview", operation_id = "overview", tag = "statistics",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<OverviewEntity>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn overview(State(state): State<ApiState>, request: Request) -> Response {
    perform(&OVERVIEW, state, request, |call| async move {
        let overview = call.state.control.overview(&call.caller).await?;
        Ok(answer::payload(success::OVERVIEW_READ, OverviewEntity::from(overview), call.state.clock.now()))
    })
    .await
}

/// The query of a list.
struct AuditQuery {
    filter: AuditFilter,
    cursor: Option<i64>,
    page: i64,
    limit: i64,
}

impl AuditQuery {
    /// Reads the parameters in the order of the description.
    fn parse(query: &Query) -> Result<Self, CsError> {
        let resource_type = query.text("resource_type").unwrap_or_default();
        if !matches!(resource_type, "job" | "template" | "cluster") {
            let error = codes::AUDIT_RESOURCE_TYPE_INVALID.error();
            return Err(error.because(format!("It is `{resource_type}`.")));
        }
        let given = |name: &str| query.text(name).filter(|text| !text.is_empty());
        let cursor = match given("cursor") {
            None => None,
            Some(text) => Some(event_number(text).ok_or_else(|| {
                let reason = format!("Query parameter cursor is `{text}`, expected is the id of an event.");
                codes::API_NOT_SUPPORTED.error().because(reason)
            })?),
        };
        let page = query.between("page_number", 0, i64::from(i32::MAX))?.unwrap_or(0);
        let limit = match query.text("limit").and_then(|text| text.parse::<i64>().ok()) {
            Some(limit) if limit > MOST_RECORDS => {
                let error = codes::AUDIT_LOG_LIMIT_EXCEEDED.error();
                return Err(error.because(format!("The limit is {limit}.")));
            }
            _ => query.number("limit", MOST_RECORDS)?.unwrap_or(DEFAULT_LIMIT),
        };
        let filter = AuditFilter {
            service: Some("CS".to_string()),
            resource_type: Some(resource_type.to_string()),
            resource_id: given("resource_id").map(str::to_string),
            ..AuditFilter::default()
        };
        Ok(Self { filter, cursor, page, limit })
    }
}
