//! Calls about the quotas of users.

use axum::extract::{Request, State};
use axum::response::Response;
use weir_base::error::codes;
use weir_base::id::UserId;
use weir_control::{Page, success};
use weir_store::QuotaChange;

use super::answer;
use super::call::perform;
use super::operations::{GET_USER_QUOTA, GET_USER_QUOTAS, UPDATE_USER_QUOTA};
use super::query::order;
use super::wire::{
    Order as WireOrder, QueryUserQuotasResponsePayload, UpdateUserQuotaRequest, UserQuotaInfo, count,
};
use crate::state::ApiState;

/// Users in a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: i64 = 20;
/// Most users in a page.
const MOST_RECORDS: i64 = 100;

/// List user quotas.
#[utoipa::path(get, path = "/v1.0/{project_id}/user_quotas", operation_id = "getUserQuotas", tag = "quota",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("name" = Option<String>, Query, description = "Part of the user's name, case-sensitive."),
        ("cursor" = Option<String>, Query, description = "Last user id of the page at hand. Absent: first page."),
        ("next" = Option<bool>, Query,
            description = "true (default): the page after the cursor in the chosen order; false: the page before it."),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "Records per page, 1 to 100; default 20."),
        ("order" = Option<WireOrder>, Query, description = "Order by id; default desc.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<QueryUserQuotasResponsePayload>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_user_quotas(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_USER_QUOTAS, state, request, |call| async move {
        let name = call.query.text("name").filter(|name| !name.is_empty());
        let cursor = call.query.text("cursor").filter(|id| !id.is_empty());
        let after_cursor = call.query.flag("next", true)?;
        call.query.check_limit(codes::USER_QUOTA_LIST_LIMIT_INVALID)?;
        let limit = call.query.number("limit", MOST_RECORDS)?.unwrap_or(DEFAULT_LIMIT);
        let order = call.query.choice("order", order, "desc or asc")?.unwrap_or_default();
        let page = Page {
            cursor: cursor.map(|id| UserId(id.to_string())),
            after_cursor,
            limit: usize::try_from(limit).unwrap_or(1),
            order,
        };
        let (total, views) = call.state.control.list_quotas(&call.caller, name, page).await?;
        let users = views.into_iter().map(UserQuotaInfo::from).collect();
        let payload = QueryUserQuotasResponsePayload { total: count(total), users };
        Ok(answer::payload(success::QUOTAS_READ, payload, call.state.clock.now()))
    })
    .await
}

/// Quota of a user.
#[utoipa::path(get, path = "/v1.0/{project_id}/user_quota/{user_id}", operation_id = "getUserQuota", tag = "quota",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("user_id" = String, Path, description = "User id.")),
    responses((status = 200, description = "Success.", body = answer::Envelope<UserQuotaInfo>),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn get_user_quota(State(state): State<ApiState>, request: Request) -> Response {
    perform(&GET_USER_QUOTA, state, request, |call| async move {
        let user = UserId(call.parameter("user_id").to_string());
        let view = call.state.control.quota(&call.caller, &user).await?;
        Ok(answer::payload(success::QUOTA_READ, UserQuotaInfo::from(view), call.state.clock.now()))
    })
    .await
}

/// Set the quota and clusters of a user.
#[utoipa::path(patch, path = "/v1.0/{project_id}/user_quota/{user_id}", operation_id = "updateUserQuota", tag = "quota",
    params(("project_id" = String, Path, description = "Project id; must equal the credential's project."),
        ("user_id" = String, Path, description = "User id.")),
    request_body = UpdateUserQuotaRequest,
    responses((status = 200, description = "Success.", body = answer::GlobalResponse),
        (status = 400, description = "The request failed.", body = answer::ErrorBody)))]
pub async fn update_user_quota(State(state): State<ApiState>, request: Request) -> Response {
    perform(&UPDATE_USER_QUOTA, state, request, |call| async move {
        let user = UserId(call.parameter("user_id").to_string());
        call.is_about(&user, "");
        let body: UpdateUserQuotaRequest = call.json(codes::INVALID_REQUEST_BODY)?;
        let change = QuotaChange {
            spu_quota: body.spu_quota.map(i64::from),
            clusters: body.clusters.map(|clusters| clusters.into_iter().map(i64::from).collect()),
        };
        call.state.control.update_quota(&call.caller, &user, change).await?;
        Ok(answer::done(success::QUOTA_UPDATED, call.state.clock.now()))
    })
    .await
}
