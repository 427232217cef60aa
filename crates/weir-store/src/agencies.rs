//! Stored agencies of accounts, and what is known of accounts as customers.

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    Agency, AgencyChange, AgencyRepository, AgencyRole, RepositoryError, ServiceAgencyError,
    ServiceAgencyGrant, Standing,
};

use crate::accounts::{StoredAccounts, fault, read_all, record, target, target_columns};
use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

fn unavailable(error: StoreError) -> RepositoryError {
    RepositoryError::Unavailable(error.to_string())
}

fn agency(row: &AnyRow) -> Result<Agency, sqlx::Error> {
    Ok(Agency {
        id: row.try_get("id")?,
        domain_id: row.try_get("domain_id")?,
        name: row.try_get("name")?,
        trust_domain: row.try_get("trust_domain")?,
        description: row.try_get("description")?,
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

fn agency_role(row: &AnyRow) -> Result<AgencyRole, sqlx::Error> {
    let kind: String = row.try_get("target_kind")?;
    Ok(AgencyRole { target: target(&kind, row.try_get("target_id")?)?, role: row.try_get("role")? })
}

async fn insert(connection: &mut AnyConnection, agency: &Agency) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO account_agencies (id, domain_id, name, trust_domain, description, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&agency.id)
    .bind(&agency.domain_id)
    .bind(&agency.name)
    .bind(&agency.trust_domain)
    .bind(&agency.description)
    .bind(agency.created_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn grant(
    connection: &mut AnyConnection,
    agency_id: &str,
    role: &AgencyRole,
) -> Result<(), sqlx::Error> {
    let (kind, id) = target_columns(&role.target);
    sqlx::query(
        "INSERT INTO account_agency_roles (agency_id, target_kind, target_id, role)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(agency_id)
    .bind(kind)
    .bind(id)
    .bind(&role.role)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the service's agency where it is missing and gives it roles, inside the transaction of a call.
pub(crate) async fn write_grant(
    connection: &mut AnyConnection,
    wanted: &ServiceAgencyGrant,
) -> Result<(), ServiceAgencyError> {
    if wanted.is_new {
        let inserted = insert(connection, &wanted.agency).await;
        inserted.map_err(|error| ServiceAgencyError::NotCreated(error.to_string()))?;
    }
    for role in &wanted.roles {
        let granted = grant(connection, &wanted.agency.id, role).await;
        granted.map_err(|error| ServiceAgencyError::NotGranted(error.to_string()))?;
    }
    Ok(())
}

impl Store {
    /// Makes the service's agency where it is missing and gives it roles, with the audit record of the call.
    pub async fn grant_service_agency(
        &self,
        wanted: &ServiceAgencyGrant,
        audit: &AuditRecord,
    ) -> Result<(), ServiceAgencyError> {
        let unavailable = |error: StoreError| ServiceAgencyError::Unavailable(error.to_string());
        let mut transaction = self.begin().await.map_err(unavailable)?;
        write_grant(&mut transaction, wanted).await?;
        audit::insert(&mut transaction, audit).await.map_err(unavailable)?;
        transaction.commit().await.map_err(|error| unavailable(error.into()))
    }
}

#[async_trait]
impl AgencyRepository for StoredAccounts {
    async fn insert_agency(&self, agency: &Agency) -> Result<(), RepositoryError> {
        let mut transaction = self.begin().await?;
        insert(&mut transaction, agency).await.map_err(fault)?;
        record(&mut transaction, Some((&agency.id, &agency.name))).await?;
        transaction.commit().await.map_err(fault)
    }

    async fn agencies(&self, domain_id: &str) -> Result<Vec<Agency>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_agencies WHERE domain_id = $1 ORDER BY name");
        read_all(&query.bind(domain_id).fetch_all(&self.pool).await.map_err(fault)?, agency)
    }

    async fn agency(&self, id: &str) -> Result<Option<Agency>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_agencies WHERE id = $1").bind(id);
        let row = query.fetch_optional(&self.pool).await.map_err(fault)?;
        row.as_ref().map(agency).transpose().map_err(fault)
    }

    async fn update_agency(&self, id: &str, change: &AgencyChange) -> Result<bool, RepositoryError> {
        let query = sqlx::query(
            "UPDATE account_agencies SET trust_domain = COALESCE($1, trust_domain),
             description = COALESCE($2, description) WHERE id = $3",
        );
        let query = query.bind(&change.trust_domain).bind(&change.description).bind(id);
        Ok(self.write(query, None).await? > 0)
    }

    async fn delete_agency(&self, id: &str) -> Result<bool, RepositoryError> {
        let query = sqlx::query("DELETE FROM account_agencies WHERE id = $1").bind(id);
        Ok(self.write(query, None).await? > 0)
    }

    async fn grant_to_agency(&self, agency_id: &str, role: &AgencyRole) -> Result<(), RepositoryError> {
        let mut transaction = self.begin().await?;
        grant(&mut transaction, agency_id, role).await.map_err(fault)?;
        record(&mut transaction, None).await?;
        transaction.commit().await.map_err(fault)
    }

    async fn take_from_agency(&self, agency_id: &str, role: &AgencyRole) -> Result<bool, RepositoryError> {
        let (kind, id) = target_columns(&role.target);
        let query = sqlx::query(
            "DELETE FROM account_agency_roles
             WHERE agency_id = $1 AND target_kind = $2 AND target_id = $3 AND role = $4",
        );
        let query = query.bind(agency_id).bind(kind).bind(id).bind(&role.role);
        Ok(self.write(query, None).await? > 0)
    }

    async fn agency_roles(&self, agency_id: &str) -> Result<Vec<AgencyRole>, RepositoryError> {
        let query = sqlx::query("SELECT * FROM account_agency_roles WHERE agency_id = $1").bind(agency_id);
        read_all(&query.fetch_all(&self.pool).await.map_err(fault)?, agency_role)
    }

    async fn standing(&self, domain_id: &str) -> Result<Standing, RepositoryError> {
        let query = sqlx::query("SELECT real_name_verified, restricted FROM account_domains WHERE id = $1");
        let row = query.bind(domain_id).fetch_optional(&self.pool).await.map_err(fault)?;
        let Some(row) = row else { return Ok(Standing::default()) };
        let flag = |name: &str| Ok::<bool, RepositoryError>(row.try_get::<i64, _>(name).map_err(fault)? != 0);
        Ok(Standing { real_name_verified: flag("real_name_verified")?, restricted: flag("restricted")? })
    }

    async fn set_standing(
        &self,
        domain_id: &str,
        standing: Standing,
        audit: &[AuditRecord],
    ) -> Result<bool, RepositoryError> {
        let mut transaction = self.begin().await?;
        let query =
            sqlx::query("UPDATE account_domains SET real_name_verified = $1, restricted = $2 WHERE id = $3");
        let query = query
            .bind(i64::from(standing.real_name_verified))
            .bind(i64::from(standing.restricted))
            .bind(domain_id);
        if query.execute(&mut *transaction).await.map_err(fault)?.rows_affected() == 0 {
            return Ok(false);
        }
        for audit in audit {
            audit::insert(&mut transaction, audit).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(fault)?;
        Ok(true)
    }
}
