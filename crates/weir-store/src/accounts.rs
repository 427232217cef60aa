//! Stored accounts: domains, projects, users, roles, tokens and access keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccessKey, AccountRepository, Assignment, AssignmentTarget, Domain, KeyChange, KeyStatus, Origin,
    PasswordHash, Project, ProjectChange, ProjectRemoval, Proof, RepositoryError, SecretKey, TokenRecord,
    User, UserChange, take_record,
};
use weir_cloud::sealing::{Sealer, SealingError};

use crate::audit;
use crate::store::Store;

/// Begins a stored secret that is sealed; a secret itself has letters and digits only.
const SEALED: &str = "sealed:";

/// What keeps a project from being removed.
const HELD_BY_PROJECT: &str = "
    SELECT 'jobs' WHERE EXISTS (SELECT 1 FROM jobs WHERE project_id = $1 AND deleted_at IS NULL)
    UNION ALL SELECT 'clusters' WHERE EXISTS (SELECT 1 FROM clusters WHERE project_id = $1 AND deleted_at IS NULL)
    UNION ALL SELECT 'buckets' WHERE EXISTS (SELECT 1 FROM bucket_owners WHERE project_id = $1)
    UNION ALL SELECT 'topics' WHERE EXISTS (SELECT 1 FROM topics WHERE project_id = $1)
    UNION ALL SELECT 'networks' WHERE EXISTS (SELECT 1 FROM networks WHERE project_id = $1)";

/// What goes with a project. Its audit and what it was charged for stay.
const REMOVE_PROJECT: &[&str] = &[
    "DELETE FROM account_assignments WHERE target_kind = 'project' AND target_id = $1",
    "DELETE FROM account_group_roles WHERE target_kind = 'project' AND target_id = $1",
    "DELETE FROM account_agency_roles WHERE target_kind = 'project' AND target_id = $1",
    "DELETE FROM account_tokens WHERE target_kind = 'project' AND target_id = $1",
    "UPDATE account_users SET default_project_id = NULL WHERE default_project_id = $1",
    "DELETE FROM variables WHERE project_id = $1",
    "DELETE FROM message_templates WHERE project_id = $1",
    "DELETE FROM authorized_buckets WHERE project_id = $1",
    "DELETE FROM trackers WHERE project_id = $1",
    "DELETE FROM account_projects WHERE id = $1",
];

/// The accounts of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StoredAccounts {
    store: Store,
    pub(crate) pool: AnyPool,
    sealer: Sealer,
}

impl StoredAccounts {
    /// Makes the repository over a store and what seals the secrets of access keys.
    pub fn new(store: Store, sealer: Sealer) -> Self {
        Self { pool: store.pool().clone(), store, sealer }
    }

    /// Begins a transaction that writes: one at a time, with those of jobs and all else.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, RepositoryError> {
        self.store.begin().await.map_err(|error| RepositoryError::Unavailable(error.to_string()))
    }

    /// Seals the secrets that an earlier release kept in clear text. Returns how many there were.
    pub async fn seal_keys(&self) -> Result<usize, RepositoryError> {
        let clear = sqlx::query("SELECT access, secret FROM account_keys WHERE secret NOT LIKE 'sealed:%'");
        let clear = clear.fetch_all(&self.pool).await.map_err(fault)?;
        for row in &clear {
            let access: String = row.try_get("access").map_err(fault)?;
            let secret: String = row.try_get("secret").map_err(fault)?;
            sqlx::query("UPDATE account_keys SET secret = $1 WHERE access = $2")
                .bind(self.seal(&access, &secret)?)
                .bind(&access)
                .execute(&self.pool)
                .await
                .map_err(fault)?;
        }
        Ok(clear.len())
    }

    /// Executes a statement that changes something, and writes the audit record of the call in the same transaction if
    /// it did; `made` are id and name of what a call makes. Returns how many rows it changed.
    pub(crate) async fn write(
        &self,
        statement: Query<'_, Any, AnyArguments>,
        made: Option<(&str, &str)>,
    ) -> Result<u64, RepositoryError> {
        let mut transaction = self.begin().await?;
        let changed = statement.execute(&mut *transaction).await.map_err(fault)?.rows_affected();
        if changed > 0 {
            record(&mut transaction, made).await?;
        }
        transaction.commit().await.map_err(fault)?;
        Ok(changed)
    }

    pub(crate) fn seal(&self, access: &str, secret: &str) -> Result<String, RepositoryError> {
        let sealed = self.sealer.seal(&sealed_for(access), secret).map_err(unsealable)?;
        Ok(format!("{SEALED}{sealed}"))
    }

    /// Returns the secret of an access key, which is stored sealed, or in clear text by an earlier release.
    pub(crate) fn open(&self, access: &str, stored: SecretKey) -> Result<SecretKey, RepositoryError> {
        match stored.expose().strip_prefix(SEALED) {
            Some(sealed) => {
                let secret = self.sealer.open(&sealed_for(access), sealed).map_err(unsealable)?;
                Ok(SecretKey::new(secret))
            }
            None => Ok(stored),
        }
    }

    fn opened(&self, mut key: AccessKey) -> Result<AccessKey, RepositoryError> {
        key.secret = self.open(&key.access, key.secret)?;
        Ok(key)
    }
}

/// Writes the audit record of the call, if there is one that no other change has written.
pub(crate) async fn record(
    connection: &mut AnyConnection,
    made: Option<(&str, &str)>,
) -> Result<(), RepositoryError> {
    let Some(record) = take_record() else { return Ok(()) };
    let record = match made {
        Some((id, name)) => record.about(id, name),
        None => record,
    };
    let written = audit::insert(connection, &record).await;
    written.map_err(|error| RepositoryError::Unavailable(error.to_string()))
}

/// Says whether a user may log in and has the password that a hash was made of.
async fn is_password(
    connection: &mut AnyConnection,
    user_id: &str,
    hash: &PasswordHash,
) -> Result<bool, RepositoryError> {
    let query = sqlx::query("SELECT 1 FROM account_users WHERE id = $1 AND password = $2 AND enabled = 1")
        .bind(user_id);
    let found = query.bind(hash.as_str()).fetch_optional(connection).await;
    Ok(found.map_err(fault)?.is_some())
}

/// Says whether a credential is still there. A Keystone alone knows that of its tokens.
pub(crate) async fn is_good(
    connection: &mut AnyConnection,
    origin: &Origin,
) -> Result<bool, RepositoryError> {
    let query = match origin {
        Origin::RemoteToken(_) => return Ok(true),
        Origin::Token(hash) => {
            sqlx::query("SELECT 1 FROM account_tokens WHERE hash = $1").bind(hash.as_slice())
        }
        Origin::Key(access) => {
            sqlx::query("SELECT 1 FROM account_keys WHERE access = $1 AND status = 'active'").bind(access)
        }
    };
    Ok(query.fetch_optional(connection).await.map_err(fault)?.is_some())
}

fn sealed_for(access: &str) -> String {
    format!("access key {access}")
}

fn unsealable(error: SealingError) -> RepositoryError {
    RepositoryError::Unavailable(error.to_string())
}

pub(crate) fn fault(error: sqlx::Error) -> RepositoryError {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => RepositoryError::Conflict,
        _ => RepositoryError::Unavailable(error.to_string()),
    }
}

pub(crate) fn corrupt(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the stored {what} of an account cannot be read").into())
}

pub(crate) fn read_all<T>(
    rows: &[AnyRow],
    read: impl Fn(&AnyRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, RepositoryError> {
    rows.iter().map(read).collect::<Result<_, _>>().map_err(fault)
}

fn domain(row: &AnyRow) -> Result<Domain, sqlx::Error> {
    Ok(Domain { id: row.try_get("id")?, name: row.try_get("name")? })
}

fn project(row: &AnyRow) -> Result<Project, sqlx::Error> {
    Ok(Project {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        domain_id: row.try_get("domain_id")?,
        description: row.try_get("description")?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
    })
}

pub(crate) fn user(row: &AnyRow) -> Result<User, sqlx::Error> {
    Ok(User {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        domain_id: row.try_get("domain_id")?,
        description: row.try_get("description")?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
        password: PasswordHash::new(row.try_get::<String, _>("password")?),
        default_project_id: row.try_get("default_project_id")?,
    })
}

pub(crate) fn target_columns(target: &AssignmentTarget) -> (&'static str, &str) {
    match target {
        AssignmentTarget::Project(id) => ("project", id),
        AssignmentTarget::Domain(id) => ("domain", id),
    }
}

pub(crate) fn target(kind: &str, id: String) -> Result<AssignmentTarget, sqlx::Error> {
    match kind {
        "project" => Ok(AssignmentTarget::Project(id)),
        "domain" => Ok(AssignmentTarget::Domain(id)),
        _ => Err(corrupt("scope")),
    }
}

fn assignment(row: &AnyRow) -> Result<Assignment, sqlx::Error> {
    let kind: String = row.try_get("target_kind")?;
    Ok(Assignment {
        user_id: row.try_get("user_id")?,
        target: target(&kind, row.try_get("target_id")?)?,
        role: row.try_get("role")?,
    })
}

fn token(row: &AnyRow) -> Result<TokenRecord, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("hash")?;
    let kind: Option<String> = row.try_get("target_kind")?;
    let id: Option<String> = row.try_get("target_id")?;
    let scope = match (kind, id) {
        (Some(kind), Some(id)) => Some(target(&kind, id)?),
        _ => None,
    };
    let from_token: Option<Vec<u8>> = row.try_get("from_token")?;
    let origin = match from_token {
        Some(parent) => Some(Origin::Token(parent.try_into().map_err(|_| corrupt("origin of a token"))?)),
        None => row.try_get::<Option<String>, _>("from_key")?.map(Origin::Key),
    };
    let methods: String = row.try_get("methods")?;
    Ok(TokenRecord {
        hash: hash.try_into().map_err(|_| corrupt("token"))?,
        user_id: row.try_get("user_id")?,
        agency_id: row.try_get("agency_id")?,
        origin,
        scope,
        methods: methods.split(',').map(String::from).collect(),
        issued_at: Timestamp(row.try_get("issued_at")?),
        expires_at: Timestamp(row.try_get("expires_at")?),
        audit_id: row.try_get("audit_id")?,
    })
}

fn key(row: &AnyRow) -> Result<AccessKey, sqlx::Error> {
    let status: String = row.try_get("status")?;
    Ok(AccessKey {
        access: row.try_get("access")?,
        secret: SecretKey::new(row.try_get::<String, _>("secret")?),
        user_id: row.try_get("user_id")?,
        description: row.try_get("description")?,
        status: KeyStatus::parse(&status).ok_or_else(|| corrupt("status of an access key"))?,
        created_at: Timestamp(row.try_get("created_at")?),
        last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(Timestamp),
    })
}

#[async_trait]
impl AccountRepository for StoredAccounts {
    async fn insert_domain(&self, domain: &Domain) -> Result<(), RepositoryError> {
        let query = sqlx::query("INSERT INTO account_domains (id, name) VALUES ($1, $2)");
        self.write(query.bind(&domain.id).bind(&domain.name), Some((&domain.id, &domain.name)))
            .await
            .map(drop)
    }

    async fn domains(&self) -> Result<Vec<Domain>, RepositoryError> {
        let query = sqlx::query("SELECT id, name FROM account_domains ORDER BY name");
        read_all(&query.fetch_all(&self.pool).await.map_err(fault)?, domain)
    }

    async fn insert_project(&self, project: &Project) -> Result<(), RepositoryError> {
        let statement = sqlx::query(
            "INSERT INTO account_projects (id, domain_id, name, description, enabled) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&project.id)
        .bind(&project.domain_id)
        .bind(&project.name)
        .bind(&project.description)
        .bind(i64::from(project.enabled));
        self.write(statement, Some((&project.id, &project.name))).await.map(drop)
    }

    async fn project(&self, id: &str) -> Result<Option<Project>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_projects WHERE id = $1").bind(id);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(project).transpose().map_err(fault)
    }

    async fn projects(&self, domain_id: &str) -> Result<Vec<Project>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_projects WHERE domain_id = $1 ORDER BY name");
        read_all(&query.bind(domain_id).fetch_all(&self.pool).await.map_err(fault)?, project)
    }

    async fn update_project(&self, id: &str, change: &ProjectChange) -> Result<bool, RepositoryError> {
        let mut transaction = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE account_projects SET name = COALESCE($1, name), description = COALESCE($2, description),
             enabled = COALESCE($3, enabled) WHERE id = $4",
        )
        .bind(&change.name)
        .bind(&change.description)
        .bind(change.enabled.map(i64::from))
        .bind(id)
        .execute(&mut *transaction)
        .await
        .map_err(fault)?;
        if change.enabled == Some(false) {
            let revoke = "DELETE FROM account_tokens WHERE target_kind = 'project' AND target_id = $1";
            sqlx::query(revoke).bind(id).execute(&mut *transaction).await.map_err(fault)?;
        }
        if updated.rows_affected() > 0 {
            record(&mut transaction, None).await?;
        }
        transaction.commit().await.map_err(fault)?;
        Ok(updated.rows_affected() > 0)
    }

    async fn delete_project(
        &self,
        id: &str,
        gone_buckets: &BTreeSet<String>,
    ) -> Result<ProjectRemoval, RepositoryError> {
        // The only writer: what is counted does not change.
        let mut transaction = self.begin().await?;
        let known = sqlx::query("SELECT 1 FROM account_projects WHERE id = $1").bind(id);
        if known.fetch_optional(&mut *transaction).await.map_err(fault)?.is_none() {
            return Ok(ProjectRemoval::Unknown);
        }
        for bucket in gone_buckets {
            let forget = sqlx::query("DELETE FROM bucket_owners WHERE project_id = $1 AND bucket = $2");
            forget.bind(id).bind(bucket).execute(&mut *transaction).await.map_err(fault)?;
        }
        let held = sqlx::query_scalar(HELD_BY_PROJECT).bind(id).fetch_all(&mut *transaction).await;
        let held: Vec<String> = held.map_err(fault)?;
        if !held.is_empty() {
            return Ok(ProjectRemoval::Holds(held));
        }
        for statement in REMOVE_PROJECT {
            sqlx::query(*statement).bind(id).execute(&mut *transaction).await.map_err(fault)?;
        }
        record(&mut transaction, None).await?;
        transaction.commit().await.map_err(fault)?;
        Ok(ProjectRemoval::Removed)
    }

    async fn insert_user(&self, user: &User) -> Result<(), RepositoryError> {
        let statement = sqlx::query(
            "INSERT INTO account_users (id, domain_id, name, description, enabled, password, default_project_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&user.id)
        .bind(&user.domain_id)
        .bind(&user.name)
        .bind(&user.description)
        .bind(i64::from(user.enabled))
        .bind(user.password.as_str())
        .bind(&user.default_project_id);
        self.write(statement, Some((&user.id, &user.name))).await.map(drop)
    }

    async fn user(&self, id: &str) -> Result<Option<User>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_users WHERE id = $1").bind(id);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(user).transpose().map_err(fault)
    }

    async fn user_by_name(&self, domain_id: &str, name: &str) -> Result<Option<User>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_users WHERE domain_id = $1 AND name = $2");
        let query = query.bind(domain_id).bind(name);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(user).transpose().map_err(fault)
    }

    async fn users(&self, domain_id: &str) -> Result<Vec<User>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_users WHERE domain_id = $1 ORDER BY name");
        read_all(&query.bind(domain_id).fetch_all(&self.pool).await.map_err(fault)?, user)
    }

    async fn update_user(&self, id: &str, change: &UserChange) -> Result<bool, RepositoryError> {
        let mut transaction = self.begin().await?;
        let updated = sqlx::query(
            "UPDATE account_users SET name = COALESCE($1, name), description = COALESCE($2, description),
             enabled = COALESCE($3, enabled), password = COALESCE($4, password),
             default_project_id = COALESCE($5, default_project_id) WHERE id = $6",
        )
        .bind(&change.name)
        .bind(&change.description)
        .bind(change.enabled.map(i64::from))
        .bind(change.password.as_ref().map(PasswordHash::as_str))
        .bind(&change.default_project_id)
        .bind(id)
        .execute(&mut *transaction)
        .await
        .map_err(fault)?;
        if change.ends_sessions() {
            for revoke in [
                "DELETE FROM account_tokens WHERE user_id = $1",
                "DELETE FROM account_temporary_keys WHERE user_id = $1",
            ] {
                sqlx::query(revoke).bind(id).execute(&mut *transaction).await.map_err(fault)?;
            }
        }
        if updated.rows_affected() > 0 {
            record(&mut transaction, None).await?;
        }
        transaction.commit().await.map_err(fault)?;
        Ok(updated.rows_affected() > 0)
    }

    async fn delete_user(&self, id: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_users WHERE id = $1").bind(id);
        Ok(self.write(query, None).await? > 0)
    }

    async fn assign(&self, assignment: &Assignment) -> Result<(), RepositoryError> {
        let (kind, id) = target_columns(&assignment.target);
        let statement = sqlx::query(
            "INSERT INTO account_assignments (user_id, target_kind, target_id, role) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(&assignment.user_id)
        .bind(kind)
        .bind(id)
        .bind(&assignment.role);
        self.write(statement, None).await.map(drop)
    }

    async fn unassign(&self, assignment: &Assignment) -> Result<bool, RepositoryError> {
        let (kind, id) = target_columns(&assignment.target);
        let query = sqlx::query(
            "DELETE FROM account_assignments
             WHERE user_id = $1 AND target_kind = $2 AND target_id = $3 AND role = $4",
        );
        let query = query.bind(&assignment.user_id).bind(kind).bind(id).bind(&assignment.role);
        Ok(self.write(query, None).await? > 0)
    }

    async fn assignments(&self, user_id: &str) -> Result<Vec<Assignment>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_assignments WHERE user_id = $1").bind(user_id);
        read_all(&query.fetch_all(&self.pool).await.map_err(fault)?, assignment)
    }

    async fn insert_token(&self, token: &TokenRecord, proof: &Proof) -> Result<bool, RepositoryError> {
        let scope = token.scope.as_ref().map(target_columns);
        let (from_token, from_key) = match &token.origin {
            Some(Origin::Token(parent)) => (Some(parent.as_slice()), None),
            Some(Origin::Key(access)) => (None, Some(access)),
            // From a token of a Keystone no token is made here.
            Some(Origin::RemoteToken(_)) | None => (None, None),
        };
        let mut transaction = self.begin().await?;
        let is_good = match proof {
            Proof::Password(hash) => is_password(&mut transaction, &token.user_id, hash).await?,
            Proof::Credential(origin) => is_good(&mut transaction, origin).await?,
        };
        if !is_good {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO account_tokens
             (hash, user_id, agency_id, target_kind, target_id, methods, issued_at, expires_at, audit_id, from_token,
                from_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(token.hash.as_slice())
        .bind(&token.user_id)
        .bind(&token.agency_id)
        .bind(scope.map(|(kind, _)| kind))
        .bind(scope.map(|(_, id)| id))
        .bind(token.methods.join(","))
        .bind(token.issued_at.0)
        .bind(token.expires_at.0)
        .bind(&token.audit_id)
        .bind(from_token)
        .bind(from_key)
        .execute(&mut *transaction)
        .await
        .map_err(fault)?;
        transaction.commit().await.map_err(fault)?;
        Ok(true)
    }

    async fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_tokens WHERE hash = $1").bind(hash.as_slice());
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(token).transpose().map_err(fault)
    }

    async fn delete_token(&self, hash: &[u8; 32]) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_tokens WHERE hash = $1").bind(hash.as_slice());
        Ok(query.execute(&self.pool).await.map_err(fault)?.rows_affected() > 0)
    }

    async fn delete_tokens_before(&self, expired: Timestamp) -> Result<(), RepositoryError> {
        let query = sqlx::query("DELETE FROM account_tokens WHERE expires_at < $1").bind(expired.0);
        query.execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn insert_key(&self, key: &AccessKey) -> Result<(), RepositoryError> {
        let statement = sqlx::query(
            "INSERT INTO account_keys (access, secret, user_id, description, status, created_at, last_used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&key.access)
        .bind(self.seal(&key.access, key.secret.expose())?)
        .bind(&key.user_id)
        .bind(&key.description)
        .bind(key.status.as_str())
        .bind(key.created_at.0)
        .bind(key.last_used_at.map(|Timestamp(at)| at));
        self.write(statement, Some((&key.access, ""))).await.map(drop)
    }

    async fn key(&self, access: &str) -> Result<Option<AccessKey>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_keys WHERE access = $1").bind(access);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        let stored = row.as_ref().map(key).transpose().map_err(fault)?;
        stored.map(|key| self.opened(key)).transpose()
    }

    async fn keys(&self, user_id: &str) -> Result<Vec<AccessKey>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_keys WHERE user_id = $1 ORDER BY created_at, access");
        let stored = read_all(&query.bind(user_id).fetch_all(&self.pool).await.map_err(fault)?, key)?;
        stored.into_iter().map(|key| self.opened(key)).collect()
    }

    async fn update_key(&self, access: &str, change: &KeyChange) -> Result<bool, RepositoryError> {
        let query = sqlx::query(
            "UPDATE account_keys SET description = COALESCE($1, description), status = COALESCE($2, status)
             WHERE access = $3",
        );
        let query = query.bind(&change.description).bind(change.status.map(KeyStatus::as_str)).bind(access);
        Ok(self.write(query, None).await? > 0)
    }

    async fn touch_key(&self, access: &str, used_at: Timestamp) -> Result<(), RepositoryError> {
        let query = sqlx::query("UPDATE account_keys SET last_used_at = $1 WHERE access = $2");
        query.bind(used_at.0).bind(access).execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn delete_key(&self, access: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_keys WHERE access = $1").bind(access);
        Ok(self.write(query, None).await? > 0)
    }
}
