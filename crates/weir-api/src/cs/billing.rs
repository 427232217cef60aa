//! Calls about money: what was charged, and the balance of the account.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::{CsError, codes};
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_control::success;
use weir_store::{BillingFilter, Metered};

use super::answer;
use super::call::perform;
use super::operations::{GET_BILLING_HISTORY, SETTLE_ACCOUNT, TOP_UP_ACCOUNT};
use super::wire::{AccountPayload, BilledType, BillingEntry, BillingHistoryPayload, TopUpRequest, count};
use crate::state::ApiState;

/// Charges in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 10;
/// Most charges in a page.
const MOST_RECORDS: i64 = 100;

/// Ledger entries of a period.
#[utoipa::path(get, path = "/v1.0/{project_id}/billing_history", operation_id = "getBillingHistory", tag = "statistics",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("begin_time" = Option<i64>, Query, minimum = 0, description = "Only what was used after; milliseconds since the epoch."),
        ("end_time" = Option<i64>, Query, minimum = 0, description = "Only what was used before; milliseconds since the epoch."),
        ("resource_type" = Option<BilledType>, Query, description = "Only jobs or clusters."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 10."),
        ("offset" = Option<i32>, Query, minimum = 0, description = "Records before the page; default 0.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<BillingHistoryPayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_billing_history(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_BILLING_HISTORY, state, request, |call| async move {
        let control = &call.state.control;
        control.check_sees_charges(&call.caller)?;
        let query = &call.query;
        let filter = BillingFilter {
            from: query.between("begin_time", 0, i64::MAX)?.map(Timestamp),
            to: query.between("end_time", 0, i64::MAX)?.map(Timestamp),
            what: query.choice("resource_type", Metered::parse, "job or cluster")?,
        };
        let limit = query.number("limit", MOST_RECORDS)?.unwrap_or(DEFAULT_LIMIT);
        let offset = query.between("offset", 0, i64::from(i32::MAX))?.unwrap_or(0);
        let history = control.billing_history(&call.caller, &filter, offset, limit).await?;
        let payload = BillingHistoryPayload {
            total: count(usize::try_from(history.total).unwrap_or(0)),
            total_charge: history.charge.as_f64(),
            billing_unit: control.billing_unit().into(),
            entries: history.lines.into_iter().map(BillingEntry::from).collect(),
        };
        Ok(answer::payload(success::BILLING_READ, payload, call.state.clock.now()))
    })
    .await
}

/// Add to the account balance; restores what was stopped for arrears.
#[utoipa::path(post, path = "/v1.0/{project_id}/billing/top_up", operation_id = "topUpAccount", tag = "operator",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    request_body = TopUpRequest,
    responses((status = 200, description = "Success.", body = answer::Envelope<AccountPayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn top_up_account(State(state): State<ApiState>, request: Request) -> Response {
    perform(&TOP_UP_ACCOUNT, state, request, |call| async move {
        let sent: TopUpRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let control = &call.state.control;
        let account = control.top_up(&call.caller, amount(&sent.amount)?).await?;
        let payload = AccountPayload::new(account, control.billing_unit().into());
        Ok(answer::payload(success::ACCOUNT_TOPPED_UP, payload, call.state.clock.now()))
    })
    .await
}

/// Run a metering cycle now.
#[utoipa::path(post, path = "/v1.0/{project_id}/billing/settle", operation_id = "settleAccount", tag = "operator",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<AccountPayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn settle_account(State(state): State<ApiState>, request: Request) -> Response {
    perform(&SETTLE_ACCOUNT, state, request, |call| async move {
        let control = &call.state.control;
        let account = control.settle_now(&call.caller).await?;
        let payload = AccountPayload::new(account, control.billing_unit().into());
        Ok(answer::payload(success::ACCOUNT_SETTLED, payload, call.state.clock.now()))
    })
    .await
}

/// Reads an amount to add. A number of JSON is written as the shortest text that gives it, which is what was sent.
fn amount(number: &serde_json::Number) -> Result<Money, CsError> {
    let text = number.to_string();
    let wrong = |reason: String| codes::INVALID_REQUEST_BODY.error().because(reason);
    match text.parse::<Money>() {
        Ok(amount) if amount > Money::ZERO => Ok(amount),
        Ok(_) => Err(wrong(format!("amount is {text}, but must be more than 0."))),
        Err(error) => Err(wrong(format!("amount is {text}; {error}."))),
    }
}
