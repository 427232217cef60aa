//! Named networks of projects, the peerings of clusters with them, and the routes that these open.

use sqlx::Row;
use sqlx::any::AnyRow;
use weir_base::id::{ClusterId, ProjectId};
use weir_base::time::Timestamp;

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::jobs::exactly_one;
use crate::store::Store;

/// A network of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRecord {
    /// A UUID.
    pub id: String,
    /// Whose it is.
    pub project: ProjectId,
    /// Its name, unique in the project.
    pub name: String,
    /// Its addresses.
    pub cidr: String,
    /// Since when it is known.
    pub created_at: Timestamp,
}

/// What was said of a peering last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeeringState {
    /// It was asked for.
    Asked,
    /// The other side has accepted it.
    Accepted,
    /// The other side has rejected it.
    Rejected,
}

impl PeeringState {
    /// Returns the stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// An unknown state, of a later release, opens nothing.
    fn parse(text: &str) -> Self {
        let all = [Self::Asked, Self::Accepted, Self::Rejected];
        all.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Rejected)
    }
}

/// A peering of a cluster's network with a named one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeeringRecord {
    /// A UUID.
    pub id: String,
    /// The cluster on the asking side.
    pub cluster: ClusterId,
    /// The network of that cluster.
    pub cluster_vpc_id: String,
    /// Its name.
    pub name: String,
    /// Description.
    pub description: String,
    /// The network on the other side.
    pub vpc_id: String,
    /// The project that it belongs to.
    pub tenant: ProjectId,
    /// What was said last.
    pub state: PeeringState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When something was said last.
    pub updated_at: Timestamp,
}

/// A route of a peering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRecord {
    /// A UUID.
    pub id: String,
    /// The peering that it goes over.
    pub peering_id: String,
    /// The addresses that it leads to.
    pub destination: String,
    /// Since when.
    pub created_at: Timestamp,
}

macro_rules! select_peerings {
    ($rest:literal) => {
        concat!(
            "SELECT peerings.*, clusters.vpc_id AS cluster_vpc_id
             FROM peerings JOIN clusters ON clusters.id = peerings.cluster_id ",
            $rest
        )
    };
}

impl Store {
    /// Adds a network. Fails when the name is taken.
    pub async fn add_network(&self, network: &NetworkRecord, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let taken: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM networks WHERE project_id = $1 AND name = $2")
                .bind(&network.project.0)
                .bind(&network.name)
                .fetch_one(&mut *transaction)
                .await?;
        if taken > 0 {
            return Err(StoreError::NameTaken);
        }
        sqlx::query(
            "INSERT INTO networks (id, project_id, name, cidr, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&network.id)
        .bind(&network.project.0)
        .bind(&network.name)
        .bind(&network.cidr)
        .bind(network.created_at.0)
        .execute(&mut *transaction)
        .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Returns the networks of a project, by name.
    pub async fn networks(&self, project: &ProjectId) -> Result<Vec<NetworkRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM networks WHERE project_id = $1 ORDER BY name")
            .bind(&project.0)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.iter().map(network_from_row).collect::<Result<_, _>>()?)
    }

    /// Removes a network with the peerings that lead to it and their routes.
    pub async fn remove_network(
        &self,
        network: &NetworkRecord,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for statement in [
            "DELETE FROM routes WHERE peering_id IN (SELECT id FROM peerings WHERE vpc_id = $1)",
            "DELETE FROM peerings WHERE vpc_id = $1",
            "DELETE FROM networks WHERE id = $1",
        ] {
            sqlx::query(statement).bind(&network.id).execute(&mut *transaction).await?;
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a new peering.
    pub async fn create_peering(
        &self,
        peering: &PeeringRecord,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO peerings
                (id, cluster_id, name, description, vpc_id, tenant_id, status, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&peering.id)
        .bind(peering.cluster.0)
        .bind(&peering.name)
        .bind(&peering.description)
        .bind(&peering.vpc_id)
        .bind(&peering.tenant.0)
        .bind(peering.state.as_str())
        .bind(peering.created_at.0)
        .bind(peering.updated_at.0)
        .execute(&mut *transaction)
        .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Returns the peerings of a cluster, oldest first.
    pub async fn peerings_of_cluster(&self, cluster: ClusterId) -> Result<Vec<PeeringRecord>, StoreError> {
        let rows =
            sqlx::query(select_peerings!("WHERE cluster_id = $1 ORDER BY peerings.created_at, peerings.id"))
                .bind(cluster.0)
                .fetch_all(self.pool())
                .await?;
        Ok(rows.iter().map(peering_from_row).collect::<Result<_, _>>()?)
    }

    /// Returns the peerings with networks of a project, by id.
    pub async fn peerings_of_tenant(&self, tenant: &ProjectId) -> Result<Vec<PeeringRecord>, StoreError> {
        let rows = sqlx::query(select_peerings!("WHERE tenant_id = $1 ORDER BY peerings.id"))
            .bind(&tenant.0)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.iter().map(peering_from_row).collect::<Result<_, _>>()?)
    }

    /// Stores the name, the description and the state of a peering.
    pub async fn update_peering(
        &self,
        peering: &PeeringRecord,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE peerings SET name = $1, description = $2, status = $3, updated_at = $4 WHERE id = $5",
        )
        .bind(&peering.name)
        .bind(&peering.description)
        .bind(peering.state.as_str())
        .bind(peering.updated_at.0)
        .bind(&peering.id)
        .execute(&mut *transaction)
        .await?;
        exactly_one(changed.rows_affected())?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a peering and its routes.
    pub async fn delete_peering(&self, id: &str, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for statement in ["DELETE FROM routes WHERE peering_id = $1", "DELETE FROM peerings WHERE id = $1"] {
            sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Returns the routes of a cluster, oldest first.
    pub async fn routes_of_cluster(&self, cluster: ClusterId) -> Result<Vec<RouteRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT routes.* FROM routes JOIN peerings ON peerings.id = routes.peering_id
             WHERE cluster_id = $1 ORDER BY routes.created_at, routes.id",
        )
        .bind(cluster.0)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.iter().map(route_from_row).collect::<Result<_, _>>()?)
    }

    /// Returns where the routes of accepted peerings lead, for all clusters.
    pub async fn open_destinations(&self) -> Result<Vec<(ClusterId, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT cluster_id, destination FROM routes JOIN peerings ON peerings.id = routes.peering_id
             WHERE peerings.status = $1 ORDER BY cluster_id, destination",
        )
        .bind(PeeringState::Accepted.as_str())
        .fetch_all(self.pool())
        .await?;
        let read = |row: &AnyRow| Ok((ClusterId(row.try_get("cluster_id")?), row.try_get("destination")?));
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Returns the routes over peerings with networks of a project, by id, each with the network of its cluster.
    pub async fn routes_of_tenant(
        &self,
        tenant: &ProjectId,
    ) -> Result<Vec<(RouteRecord, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT routes.*, clusters.vpc_id AS cluster_vpc_id FROM routes
             JOIN peerings ON peerings.id = routes.peering_id JOIN clusters ON clusters.id = peerings.cluster_id
             WHERE tenant_id = $1 ORDER BY routes.id",
        )
        .bind(&tenant.0)
        .fetch_all(self.pool())
        .await?;
        let read = |row: &AnyRow| Ok((route_from_row(row)?, row.try_get("cluster_vpc_id")?));
        Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Writes a new route.
    pub async fn create_route(&self, route: &RouteRecord, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT INTO routes (id, peering_id, destination, created_at) VALUES ($1, $2, $3, $4)")
            .bind(&route.id)
            .bind(&route.peering_id)
            .bind(&route.destination)
            .bind(route.created_at.0)
            .execute(&mut *transaction)
            .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a route.
    pub async fn delete_route(&self, id: &str, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM routes WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn network_from_row(row: &AnyRow) -> Result<NetworkRecord, sqlx::Error> {
    Ok(NetworkRecord {
        id: row.try_get("id")?,
        project: ProjectId(row.try_get("project_id")?),
        name: row.try_get("name")?,
        cidr: row.try_get("cidr")?,
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

fn peering_from_row(row: &AnyRow) -> Result<PeeringRecord, sqlx::Error> {
    Ok(PeeringRecord {
        id: row.try_get("id")?,
        cluster: ClusterId(row.try_get("cluster_id")?),
        cluster_vpc_id: row.try_get("cluster_vpc_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        vpc_id: row.try_get("vpc_id")?,
        tenant: ProjectId(row.try_get("tenant_id")?),
        state: PeeringState::parse(row.try_get::<String, _>("status")?.as_str()),
        created_at: Timestamp(row.try_get("created_at")?),
        updated_at: Timestamp(row.try_get("updated_at")?),
    })
}

fn route_from_row(row: &AnyRow) -> Result<RouteRecord, sqlx::Error> {
    Ok(RouteRecord {
        id: row.try_get("id")?,
        peering_id: row.try_get("peering_id")?,
        destination: row.try_get("destination")?,
        created_at: Timestamp(row.try_get("created_at")?),
    })
}
