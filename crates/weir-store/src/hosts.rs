//! The names that clusters map to addresses.

use sqlx::Row;
use sqlx::any::AnyRow;
use weir_base::id::ClusterId;

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

/// A mapping of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMapping {
    /// Its id.
    pub id: i64,
    /// A name, as it was sent.
    pub hostname: String,
    /// An IPv4 address.
    pub ip: String,
}

impl Store {
    /// Returns the mappings of a cluster, by ascending id.
    pub async fn hosts(&self, cluster: ClusterId) -> Result<Vec<HostMapping>, StoreError> {
        let rows =
            sqlx::query("SELECT id, hostname, ip FROM cluster_hosts WHERE cluster_id = $1 ORDER BY id")
                .bind(cluster.0)
                .fetch_all(self.pool())
                .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// Adds mappings of names to addresses, all or none. Returns their ids, in their order.
    pub async fn add_hosts(
        &self,
        cluster: ClusterId,
        hosts: &[(String, String)],
        audit: &AuditRecord,
    ) -> Result<Vec<i64>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut ids = Vec::new();
        for (hostname, ip) in hosts {
            let id: i64 = sqlx::query_scalar(
                "INSERT INTO cluster_hosts (cluster_id, hostname, ip) VALUES ($1, $2, $3) RETURNING id",
            )
            .bind(cluster.0)
            .bind(hostname)
            .bind(ip)
            .fetch_one(&mut *transaction)
            .await?;
            ids.push(id);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(ids)
    }

    /// Changes a mapping of a cluster.
    pub async fn update_host(
        &self,
        cluster: ClusterId,
        mapping: &HostMapping,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE cluster_hosts SET hostname = $1, ip = $2 WHERE id = $3 AND cluster_id = $4")
            .bind(&mapping.hostname)
            .bind(&mapping.ip)
            .bind(mapping.id)
            .bind(cluster.0)
            .execute(&mut *transaction)
            .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes mappings of a cluster, all or none.
    pub async fn delete_hosts(
        &self,
        cluster: ClusterId,
        ids: &[i64],
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for id in ids {
            sqlx::query("DELETE FROM cluster_hosts WHERE id = $1 AND cluster_id = $2")
                .bind(id)
                .bind(cluster.0)
                .execute(&mut *transaction)
                .await?;
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn from_row(row: &AnyRow) -> Result<HostMapping, sqlx::Error> {
    Ok(HostMapping { id: row.try_get("id")?, hostname: row.try_get("hostname")?, ip: row.try_get("ip")? })
}
