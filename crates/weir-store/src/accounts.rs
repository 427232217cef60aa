//! Accounts in SQLite: domains, projects, users, roles, tokens and access keys.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccessKey, AccountRepository, Assignment, AssignmentTarget, Domain, KeyStatus, PasswordHash, Project,
    RepositoryError, SecretKey, TokenRecord, User,
};

/// The accounts of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqliteAccounts {
    pool: SqlitePool,
}

impl SqliteAccounts {
    /// Makes the repository over connections whose schema is up to date.
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

fn fault(error: sqlx::Error) -> RepositoryError {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => RepositoryError::Conflict,
        _ => RepositoryError::Unavailable(error.to_string()),
    }
}

fn corrupt(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the stored {what} of an account cannot be read").into())
}

fn read_all<T>(
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, RepositoryError> {
    rows.iter().map(read).collect::<Result<_, _>>().map_err(fault)
}

fn domain(row: &SqliteRow) -> Result<Domain, sqlx::Error> {
    Ok(Domain { id: row.try_get("id")?, name: row.try_get("name")? })
}

fn project(row: &SqliteRow) -> Result<Project, sqlx::Error> {
    Ok(Project {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        domain_id: row.try_get("domain_id")?,
        description: row.try_get("description")?,
    })
}

fn user(row: &SqliteRow) -> Result<User, sqlx::Error> {
    Ok(User {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        domain_id: row.try_get("domain_id")?,
        description: row.try_get("description")?,
        enabled: row.try_get("enabled")?,
        password: PasswordHash::new(row.try_get::<String, _>("password")?),
        default_project_id: row.try_get("default_project_id")?,
    })
}

fn target_columns(target: &AssignmentTarget) -> (&'static str, &str) {
    match target {
        AssignmentTarget::Project(id) => ("project", id),
        AssignmentTarget::Domain(id) => ("domain", id),
    }
}

fn target(kind: &str, id: String) -> Result<AssignmentTarget, sqlx::Error> {
    match kind {
        "project" => Ok(AssignmentTarget::Project(id)),
        "domain" => Ok(AssignmentTarget::Domain(id)),
        _ => Err(corrupt("scope")),
    }
}

fn assignment(row: &SqliteRow) -> Result<Assignment, sqlx::Error> {
    let kind: String = row.try_get("target_kind")?;
    Ok(Assignment {
        user_id: row.try_get("user_id")?,
        target: target(&kind, row.try_get("target_id")?)?,
        role: row.try_get("role")?,
    })
}

fn token(row: &SqliteRow) -> Result<TokenRecord, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("hash")?;
    let kind: Option<String> = row.try_get("target_kind")?;
    let id: Option<String> = row.try_get("target_id")?;
    let scope = match (kind, id) {
        (Some(kind), Some(id)) => Some(target(&kind, id)?),
        _ => None,
    };
    let methods: String = row.try_get("methods")?;
    Ok(TokenRecord {
        hash: hash.try_into().map_err(|_| corrupt("token"))?,
        user_id: row.try_get("user_id")?,
        scope,
        methods: methods.split(',').map(String::from).collect(),
        issued_at: Timestamp(row.try_get("issued_at")?),
        expires_at: Timestamp(row.try_get("expires_at")?),
        audit_id: row.try_get("audit_id")?,
    })
}

fn key(row: &SqliteRow) -> Result<AccessKey, sqlx::Error> {
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
impl AccountRepository for SqliteAccounts {
    async fn insert_domain(&self, domain: &Domain) -> Result<(), RepositoryError> {
        let query = sqlx::query("INSERT INTO account_domains (id, name) VALUES (?, ?)");
        query.bind(&domain.id).bind(&domain.name).execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn domains(&self) -> Result<Vec<Domain>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_domains ORDER BY name");
        read_all(&query.fetch_all(&self.pool).await.map_err(fault)?, domain)
    }

    async fn insert_project(&self, project: &Project) -> Result<(), RepositoryError> {
        sqlx::query("INSERT INTO account_projects (id, domain_id, name, description) VALUES (?, ?, ?, ?)")
            .bind(&project.id)
            .bind(&project.domain_id)
            .bind(&project.name)
            .bind(&project.description)
            .execute(&self.pool)
            .await
            .map_err(fault)?;
        Ok(())
    }

    async fn project(&self, id: &str) -> Result<Option<Project>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_projects WHERE id = ?").bind(id);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(project).transpose().map_err(fault)
    }

    async fn projects(&self, domain_id: &str) -> Result<Vec<Project>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_projects WHERE domain_id = ? ORDER BY name");
        read_all(&query.bind(domain_id).fetch_all(&self.pool).await.map_err(fault)?, project)
    }

    async fn insert_user(&self, user: &User) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO account_users (id, domain_id, name, description, enabled, password, default_project_id)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&user.id)
        .bind(&user.domain_id)
        .bind(&user.name)
        .bind(&user.description)
        .bind(user.enabled)
        .bind(user.password.as_str())
        .bind(&user.default_project_id)
        .execute(&self.pool)
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn user(&self, id: &str) -> Result<Option<User>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_users WHERE id = ?").bind(id);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(user).transpose().map_err(fault)
    }

    async fn user_by_name(&self, domain_id: &str, name: &str) -> Result<Option<User>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_users WHERE domain_id = ? AND name = ?");
        let query = query.bind(domain_id).bind(name);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(user).transpose().map_err(fault)
    }

    async fn users(&self, domain_id: &str) -> Result<Vec<User>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_users WHERE domain_id = ? ORDER BY name");
        read_all(&query.bind(domain_id).fetch_all(&self.pool).await.map_err(fault)?, user)
    }

    async fn set_password(&self, user_id: &str, password: &PasswordHash) -> Result<(), RepositoryError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let update = sqlx::query("UPDATE account_users SET password = ? WHERE id = ?");
        update.bind(password.as_str()).bind(user_id).execute(&mut *transaction).await.map_err(fault)?;
        let revoke = sqlx::query("DELETE FROM account_tokens WHERE user_id = ?");
        revoke.bind(user_id).execute(&mut *transaction).await.map_err(fault)?;
        transaction.commit().await.map_err(fault)
    }

    async fn delete_user(&self, id: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_users WHERE id = ?").bind(id);
        Ok(query.execute(&self.pool).await.map_err(fault)?.rows_affected() > 0)
    }

    async fn assign(&self, assignment: &Assignment) -> Result<(), RepositoryError> {
        let (kind, id) = target_columns(&assignment.target);
        sqlx::query(
            "INSERT INTO account_assignments (user_id, target_kind, target_id, role) VALUES (?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(&assignment.user_id)
        .bind(kind)
        .bind(id)
        .bind(&assignment.role)
        .execute(&self.pool)
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn unassign(&self, assignment: &Assignment) -> Result<bool, RepositoryError> {
        let (kind, id) = target_columns(&assignment.target);
        let query = sqlx::query(
            "DELETE FROM account_assignments
             WHERE user_id = ? AND target_kind = ? AND target_id = ? AND role = ?",
        );
        let query = query.bind(&assignment.user_id).bind(kind).bind(id).bind(&assignment.role);
        Ok(query.execute(&self.pool).await.map_err(fault)?.rows_affected() > 0)
    }

    async fn assignments(&self, user_id: &str) -> Result<Vec<Assignment>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_assignments WHERE user_id = ?").bind(user_id);
        read_all(&query.fetch_all(&self.pool).await.map_err(fault)?, assignment)
    }

    async fn insert_token(&self, token: &TokenRecord) -> Result<(), RepositoryError> {
        let scope = token.scope.as_ref().map(target_columns);
        sqlx::query(
            "INSERT INTO account_tokens
             (hash, user_id, target_kind, target_id, methods, issued_at, expires_at, audit_id)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(token.hash.as_slice())
        .bind(&token.user_id)
        .bind(scope.map(|(kind, _)| kind))
        .bind(scope.map(|(_, id)| id))
        .bind(token.methods.join(","))
        .bind(token.issued_at.0)
        .bind(token.expires_at.0)
        .bind(&token.audit_id)
        .execute(&self.pool)
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_tokens WHERE hash = ?").bind(hash.as_slice());
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(token).transpose().map_err(fault)
    }

    async fn delete_token(&self, hash: &[u8; 32]) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_tokens WHERE hash = ?").bind(hash.as_slice());
        Ok(query.execute(&self.pool).await.map_err(fault)?.rows_affected() > 0)
    }

    async fn delete_tokens_before(&self, expired: Timestamp) -> Result<(), RepositoryError> {
        let query = sqlx::query("DELETE FROM account_tokens WHERE expires_at < ?").bind(expired.0);
        query.execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn insert_key(&self, key: &AccessKey) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO account_keys (access, secret, user_id, description, status, created_at, last_used_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&key.access)
        .bind(key.secret.expose())
        .bind(&key.user_id)
        .bind(&key.description)
        .bind(key.status.as_str())
        .bind(key.created_at.0)
        .bind(key.last_used_at.map(|Timestamp(at)| at))
        .execute(&self.pool)
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn key(&self, access: &str) -> Result<Option<AccessKey>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_keys WHERE access = ?").bind(access);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(key).transpose().map_err(fault)
    }

    async fn keys(&self, user_id: &str) -> Result<Vec<AccessKey>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_keys WHERE user_id = ? ORDER BY created_at, rowid");
        read_all(&query.bind(user_id).fetch_all(&self.pool).await.map_err(fault)?, key)
    }

    async fn update_key(&self, key: &AccessKey) -> Result<bool, RepositoryError> {
        let query = sqlx::query("UPDATE account_keys SET description = ?, status = ? WHERE access = ?");
        let query = query.bind(&key.description).bind(key.status.as_str()).bind(&key.access);
        Ok(query.execute(&self.pool).await.map_err(fault)?.rows_affected() > 0)
    }

    async fn touch_key(&self, access: &str, used_at: Timestamp) -> Result<(), RepositoryError> {
        let query = sqlx::query("UPDATE account_keys SET last_used_at = ? WHERE access = ?");
        query.bind(used_at.0).bind(access).execute(&self.pool).await.map_err(fault)?;
        Ok(())
    }

    async fn delete_key(&self, access: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_keys WHERE access = ?").bind(access);
        Ok(query.execute(&self.pool).await.map_err(fault)?.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use weir_base::clock::ManualClock;
    use weir_cloud::identity::{
        BootstrapOptions, HashingCost, Identity, IdentityOptions, KeyError, LoginMethod, LoginRequest,
        ScopeRequest, TokenError, UserSelector,
    };

    use super::*;
    use crate::Store;

    async fn identity(directory: &tempfile::TempDir) -> (Store, Identity) {
        let store = Store::open(&directory.path().join("weir.db")).await.unwrap();
        let accounts = Arc::new(SqliteAccounts::new(store.pool().clone()));
        let options = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
        let clock = Arc::new(ManualClock::new(Timestamp(1_000)));
        (store, Identity::new(accounts, clock, options))
    }

    fn options() -> BootstrapOptions {
        BootstrapOptions { password: Some("secret-1".into()), ..BootstrapOptions::default() }
    }

    fn login(scope: ScopeRequest) -> LoginRequest {
        let user = UserSelector::Name { name: "admin".into(), domain: None };
        LoginRequest { method: LoginMethod::Password { user, password: "secret-1".into() }, scope }
    }

    #[tokio::test]
    async fn tokens_and_keys_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let (store, first) = identity(&directory).await;
        let made = first.bootstrap(options()).await.unwrap();
        let scope = ScopeRequest::ProjectId(made.project_id.clone());
        let issued = first.log_in(login(scope)).await.unwrap();
        let unscoped = first.log_in(login(ScopeRequest::Unscoped)).await.unwrap();
        store.close().await;

        let (_store, second) = identity(&directory).await;
        let again = second.bootstrap(options()).await.unwrap();
        assert_eq!(again.project_id, made.project_id);
        assert_eq!(again.access_key, made.access_key);
        assert_eq!(*second.session(&issued.token).await.unwrap(), *issued.session);
        assert_eq!(*second.session(&unscoped.token).await.unwrap(), *unscoped.session);
        assert_eq!(second.session("other").await, Err(TokenError::Unknown));
    }

    #[tokio::test]
    async fn the_file_holds_neither_tokens_nor_passwords() {
        let directory = tempfile::tempdir().unwrap();
        let (store, identity) = identity(&directory).await;
        identity.bootstrap(options()).await.unwrap();
        let token = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap().token;
        store.close().await;
        let file = std::fs::read(directory.path().join("weir.db")).unwrap();
        let holds = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("argon2id"));
        assert!(!holds(&token));
        assert!(!holds("secret-1"));
    }

    #[tokio::test]
    async fn a_deleted_user_takes_everything_along() {
        let directory = tempfile::tempdir().unwrap();
        let (_store, identity) = identity(&directory).await;
        let made = identity.bootstrap(options()).await.unwrap();
        let token = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap().token;
        identity.delete_user(&made.user_id).await.unwrap();
        assert_eq!(identity.session(&token).await, Err(TokenError::Unknown));
        let access = made.access_key.unwrap().access;
        assert_eq!(identity.key_caller(&access).await.err(), Some(KeyError::Unknown));
    }

    #[tokio::test]
    async fn what_is_taken_is_a_conflict_and_what_is_gone_is_not_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _identity) = identity(&directory).await;
        let accounts = SqliteAccounts::new(store.pool().clone());
        let domain = Domain { id: "d1".into(), name: "n".into() };
        accounts.insert_domain(&domain).await.unwrap();
        let other = Domain { id: "d2".into(), name: "n".into() };
        assert!(matches!(accounts.insert_domain(&other).await, Err(RepositoryError::Conflict)));
        assert_eq!(accounts.domains().await.unwrap(), [domain]);
        assert!(!accounts.delete_user("x").await.unwrap());
        assert!(!accounts.delete_key("x").await.unwrap());
        assert!(!accounts.delete_token(&[0; 32]).await.unwrap());
        assert_eq!(accounts.user("x").await.unwrap(), None);
    }
}
