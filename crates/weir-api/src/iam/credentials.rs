//! Access keys of users. The secret half is shown once, when the key is made.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::identity::{AccessKey, Identity, KeyChange, KeyStatus, LoginError};

use super::access::{Known, query_value, read_json, take_body};
use super::error::IamError;
use super::wire::{self, KeySource, KeyWish, Secret};
use crate::auth;

#[derive(Deserialize)]
struct CreateRequest {
    credential: NewKeyPart,
}

#[derive(Deserialize)]
struct NewKeyPart {
    user_id: Option<String>,
    description: Option<String>,
}

/// `POST /v3.0/OS-CREDENTIAL/credentials`.
pub(super) async fn create(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), IamError> {
    let known = Known::from(&identity, request).await?;
    let CreateRequest { credential: new } = known.read()?;
    if known.session.is_temporary() {
        return Err(IamError::forbidden(
            "a temporary access key makes no lasting one; log in, or use a lasting key",
        ));
    }
    let user_id = new.user_id.unwrap_or_else(|| known.session.user_id.clone());
    known.must_be_or_administer(&identity, &user_id).await?;
    let key = known
        .change(
            StatusCode::CREATED,
            identity.create_key(&user_id, new.description.as_deref().unwrap_or_default()),
        )
        .await?;
    tracing::info!(user_id, access_key = key.access, "access key made");
    Ok((StatusCode::CREATED, Json(json!({ "credential": wire::credential(&key, Secret::Shown) }))))
}

/// `GET /v3.0/OS-CREDENTIAL/credentials`: the caller's keys, or those of `user_id`.
pub(super) async fn list(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let known = Known::from(&identity, request).await?;
    let user_id = query_value(&known.parts, "user_id").unwrap_or_else(|| known.session.user_id.clone());
    known.must_be_or_administer(&identity, &user_id).await?;
    let keys = identity.keys(&user_id).await?;
    let shown: Vec<Value> = keys.iter().map(|key| wire::credential(key, Secret::Hidden)).collect();
    Ok(Json(json!({ "credentials": shown })))
}

/// `GET /v3.0/OS-CREDENTIAL/credentials/{access}`.
pub(super) async fn show(
    State(identity): State<Arc<Identity>>,
    Path(access): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (_, key) = find(&identity, &access, request).await?;
    Ok(Json(json!({ "credential": wire::credential(&key, Secret::Hidden) })))
}

#[derive(Deserialize)]
struct UpdateRequest {
    credential: KeyPart,
}

#[derive(Deserialize)]
struct KeyPart {
    status: Option<String>,
    description: Option<String>,
}

/// `PUT /v3.0/OS-CREDENTIAL/credentials/{access}`.
pub(super) async fn update(
    State(identity): State<Arc<Identity>>,
    Path(access): Path<String>,
    request: Request,
) -> Result<Json<Value>, IamError> {
    let (known, key) = find(&identity, &access, request).await?;
    let UpdateRequest { credential: sent } = known.read()?;
    let parse = |status: String| {
        KeyStatus::parse(&status).ok_or_else(|| {
            IamError::value(format!("`credential.status` is `{status}`; allowed are `active` and `inactive`"))
        })
    };
    let status = sent.status.map(parse).transpose()?;
    let change = KeyChange { description: sent.description, status };
    let key = known.change(StatusCode::OK, identity.update_key(&key.access, &change)).await?;
    Ok(Json(json!({ "credential": wire::credential(&key, Secret::Hidden) })))
}

/// `DELETE /v3.0/OS-CREDENTIAL/credentials/{access}`.
pub(super) async fn delete(
    State(identity): State<Arc<Identity>>,
    Path(access): Path<String>,
    request: Request,
) -> Result<StatusCode, IamError> {
    let (known, key) = find(&identity, &access, request).await?;
    known.change(StatusCode::NO_CONTENT, identity.delete_key(&key.access)).await?;
    tracing::info!(user_id = key.user_id, access_key = key.access, "access key removed");
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v3.0/OS-CREDENTIAL/securitytokens`: a temporary key from a token, from the credential of the request, or for an
/// agency.
pub(super) async fn create_temporary(
    State(identity): State<Arc<Identity>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), IamError> {
    let (parts, body) = take_body(request).await?;
    let KeyWish { from, life } = read_json::<wire::TokenRequest>(&body)?.into_key_wish()?;
    let issued = match from {
        KeySource::Caller => {
            let caller = auth::session_of(&identity, &parts, &body).await?;
            identity.issue_key(&caller, life).await?
        }
        KeySource::Token(token) => {
            let session = identity.session(&token).await.map_err(LoginError::from)?;
            identity.issue_key(&session, life).await?
        }
        KeySource::Agency((domain, agency)) => {
            let caller = auth::session_of(&identity, &parts, &body).await?;
            identity.issue_key_of_agency(&caller, &agency, &domain, life).await?
        }
    };
    tracing::info!(user_id = issued.key.user_id, access_key = issued.key.access, "temporary access key made");
    Ok((StatusCode::CREATED, Json(json!({ "credential": wire::temporary_key(&issued) }))))
}

async fn find(identity: &Identity, access: &str, request: Request) -> Result<(Known, AccessKey), IamError> {
    let known = Known::from(identity, request).await?;
    let unknown = || IamError::not_found(format!("access key `{access}`"));
    let key = identity.key(access).await?.ok_or_else(unknown)?;
    // A key of somebody else is as good as none.
    known.must_be_or_administer(identity, &key.user_id).await.map_err(|_| unknown())?;
    Ok((known, key))
}
