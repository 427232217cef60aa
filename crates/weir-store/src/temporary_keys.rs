//! Stored access keys that end by themselves. Secrets are sealed, security tokens hashed.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use weir_base::time::Timestamp;
use weir_cloud::identity::{Origin, RepositoryError, SecretKey, TemporaryKey, TemporaryKeyRepository};

use crate::accounts::{StoredAccounts, corrupt, fault, is_good};

fn hash(stored: Vec<u8>, what: &str) -> Result<[u8; 32], sqlx::Error> {
    stored.try_into().map_err(|_| corrupt(what))
}

fn origin(row: &AnyRow) -> Result<Origin, sqlx::Error> {
    const WHAT: &str = "origin of a temporary key";
    if let Some(token) = row.try_get::<Option<Vec<u8>>, _>("from_token")? {
        return Ok(Origin::Token(hash(token, WHAT)?));
    }
    if let Some(token) = row.try_get::<Option<Vec<u8>>, _>("from_remote_token")? {
        return Ok(Origin::RemoteToken(hash(token, WHAT)?));
    }
    row.try_get::<Option<String>, _>("from_key")?.map(Origin::Key).ok_or_else(|| corrupt(WHAT))
}

fn temporary_key(row: &AnyRow) -> Result<TemporaryKey, sqlx::Error> {
    let token_hash: Vec<u8> = row.try_get("token_hash")?;
    Ok(TemporaryKey {
        access: row.try_get("access")?,
        secret: SecretKey::new(row.try_get::<String, _>("secret")?),
        token_hash: hash(token_hash, "security token")?,
        user_id: row.try_get("user_id")?,
        agency_id: row.try_get("agency_id")?,
        origin: origin(row)?,
        default_project_id: row.try_get("default_project_id")?,
        created_at: Timestamp(row.try_get("created_at")?),
        expires_at: Timestamp(row.try_get("expires_at")?),
    })
}

#[async_trait]
impl TemporaryKeyRepository for StoredAccounts {
    async fn insert_temporary_key(&self, key: &TemporaryKey) -> Result<bool, RepositoryError> {
        let (token, remote_token, origin) = match &key.origin {
            Origin::Token(hash) => (Some(hash.as_slice()), None, None),
            Origin::RemoteToken(hash) => (None, Some(hash.as_slice()), None),
            Origin::Key(access) => (None, None, Some(access)),
        };
        let mut transaction = self.begin().await?;
        if !is_good(&mut transaction, &key.origin).await? {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO account_temporary_keys (access, secret, token_hash, user_id, agency_id,
                default_project_id, created_at, expires_at, from_token, from_remote_token, from_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&key.access)
        .bind(self.seal(&key.access, key.secret.expose())?)
        .bind(key.token_hash.as_slice())
        .bind(&key.user_id)
        .bind(&key.agency_id)
        .bind(&key.default_project_id)
        .bind(key.created_at.0)
        .bind(key.expires_at.0)
        .bind(token)
        .bind(remote_token)
        .bind(origin)
        .execute(&mut *transaction)
        .await
        .map_err(fault)?;
        transaction.commit().await.map_err(fault)?;
        Ok(true)
    }

    async fn temporary_key(&self, access: &str) -> Result<Option<TemporaryKey>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_temporary_keys WHERE access = $1").bind(access);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        let Some(mut key) = row.as_ref().map(temporary_key).transpose().map_err(fault)? else {
            return Ok(None);
        };
        key.secret = self.open(&key.access, key.secret)?;
        Ok(Some(key))
    }

    async fn delete_temporary_keys_of_remote(&self, token: &[u8; 32]) -> Result<(), RepositoryError> {
        let query = sqlx::query("DELETE FROM account_temporary_keys WHERE from_remote_token = $1");
        query.bind(token.as_slice()).execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn delete_temporary_keys_before(&self, expired: Timestamp) -> Result<(), RepositoryError> {
        let query = sqlx::query("DELETE FROM account_temporary_keys WHERE expires_at < $1").bind(expired.0);
        query.execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }
}
