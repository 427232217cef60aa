//! Users and their passwords.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::identity::{Identity, NewUser, UserUpdate};

use super::access::{Known, base_url, query_value};
use super::error::IamError;
use super::wire;

/// `GET /v3/users`: all of the account, for administrators.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let domain_id =
        query_value(&known.parts, "domain_id").unwrap_or_else(|| known.session.user_domain.id.clone());
    known.must_administer(&domain_id)?;
    let base = base_url(&known.parts);
    let name = query_value(&known.parts, "name");
    let users = identity.users(&domain_id).await?;
    let found = users.iter().filter(|user| name.as_ref().is_none_or(|name| user.name == *name));
    let shown: Vec<Value> = found.map(|user| wire::user(user, &base)).collect();
    let links = wire::list_links(&base, "/v3/users");
    Ok(Json(json!({ "users": shown, "links": links })))
}

/// `GET /v3/users/{user}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    known.must_be_or_administer(&identity, &id).await?;
    let user = identity.user(&id).await?.ok_or_else(|| IamError::not_found(format!("user `{id}`")))?;
    Ok(Json(json!({ "user": wire::user(&user, &base_url(&known.parts)) })))
}

#[derive(Deserialize)]
struct CreateRequest {
    user: NewUserPart,
}

#[derive(Deserialize)]
struct NewUserPart {
    name: String,
    password: String,
    domain_id: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    default_project_id: Option<String>,
}

/// `POST /v3/users`. The new user can do nothing until it is given a role.
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), IamError> {
    let known = Known::from(&identity, request).await?;
    let CreateRequest { user: new } = known.read()?;
    known.is_about("", &new.name);
    let domain_id = new.domain_id.unwrap_or_else(|| known.session.user_domain.id.clone());
    known.must_administer(&domain_id)?;
    let user = known
        .change(
            StatusCode::CREATED,
            identity.create_user(NewUser {
                name: new.name,
                domain_id,
                description: new.description.unwrap_or_default(),
                password: new.password,
                enabled: new.enabled.unwrap_or(true),
                default_project_id: new.default_project_id,
            }),
        )
        .await?;
    let shown = wire::user(&user, &base_url(&known.parts));
    Ok((StatusCode::CREATED, Json(json!({ "user": shown }))))
}

#[derive(Deserialize)]
struct UpdateRequest {
    user: UserPart,
}

#[derive(Deserialize)]
struct UserPart {
    name: Option<String>,
    password: Option<String>,
    domain_id: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    default_project_id: Option<String>,
}

/// `PATCH` and `PUT /v3/users/{user}`, for administrators of the account.
pub(super) async fn update(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let user = known.user_of_account(&identity, &id).await?;
    known.is_about(&id, &user.name);
    let UpdateRequest { user: change } = known.read()?;
    if change.domain_id.is_some_and(|domain_id| domain_id != user.domain_id) {
        return Err(IamError::value("`user.domain_id` is of another account: a user stays in its account"));
    }
    if change.enabled == Some(false) && known.session.user_id == id {
        return Err(IamError::forbidden("you cannot disable yourself: another administrator can"));
    }
    let update = UserUpdate {
        name: change.name,
        description: change.description,
        enabled: change.enabled,
        password: change.password,
        default_project_id: change.default_project_id,
    };
    let user = known.change(StatusCode::OK, identity.update_user(&id, update)).await?;
    Ok(Json(json!({ "user": wire::user(&user, &base_url(&known.parts)) })))
}

/// `DELETE /v3/users/{user}`.
pub(super) async fn delete(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let known = Known::from(&identity, request).await?;
    let user = known.user_of_account(&identity, &id).await?;
    known.is_about(&id, &user.name);
    if known.session.user_id == id {
        return Err(IamError::forbidden("you cannot delete yourself: another administrator can"));
    }
    known.change(StatusCode::NO_CONTENT, identity.delete_user(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct PasswordRequest {
    user: PasswordPart,
}

#[derive(Deserialize)]
struct PasswordPart {
    password: String,
    original_password: Option<String>,
}

/// `POST /v3/users/{user}/password`. Users give their old password; administrators need not for others.
pub(super) async fn change_password(
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let known = Known::from(&identity, request).await?;
    known.must_be_or_administer(&identity, &id).await?;
    let PasswordRequest { user: change } = known.read()?;
    if known.session.user_id == id {
        let user = identity.user(&id).await?.ok_or_else(|| IamError::not_found(format!("user `{id}`")))?;
        let original = change.original_password.ok_or_else(|| IamError::missing("user.original_password"))?;
        if !identity.confirm_password(&user, &original).await? {
            return Err(IamError::forbidden("`user.original_password` is wrong"));
        }
    }
    known.change(StatusCode::NO_CONTENT, identity.set_password(&id, &change.password)).await?;
    Ok(StatusCode::NO_CONTENT)
}
