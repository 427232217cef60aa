//! Job templates. A deleted one stays, without its name: audit records are shown to the owner of what they are about.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use weir_base::id::{ProjectId, TemplateId, UserId};
use weir_base::time::Timestamp;

use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

/// What a user defines of a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateDefinition {
    /// Name, unique in the project.
    pub name: String,
    /// Description.
    pub desc: String,
    /// The Stream SQL text, perhaps unfinished.
    pub sql_body: String,
    /// Tags.
    pub tags: String,
}

/// A template as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRecord {
    /// Id.
    pub id: TemplateId,
    /// Owner.
    pub user: UserId,
    /// Definition.
    pub definition: TemplateDefinition,
    /// Created.
    pub create_time: Timestamp,
    /// Last changed.
    pub update_time: Timestamp,
}

impl Store {
    /// Creates a template for the user of the audit record. Fails when the name is taken or the project has `limit` templates.
    pub async fn create_template(
        &self,
        definition: &TemplateDefinition,
        limit: u32,
        mut audit: AuditRecord,
    ) -> Result<TemplateId, StoreError> {
        let mut transaction = self.begin().await?;
        if name_taken(&mut transaction, &audit.project, &definition.name, None).await? {
            return Err(StoreError::NameTaken);
        }
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM templates WHERE project_id = $1 AND deleted_at IS NULL")
                .bind(&audit.project.0)
                .fetch_one(&mut *transaction)
                .await?;
        if count >= i64::from(limit) {
            return Err(StoreError::TooMany { limit });
        }
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO templates (project_id, name, user_id, description, sql_body, tags, create_time, update_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id",
        )
        .bind(&audit.project.0)
        .bind(&definition.name)
        .bind(&audit.user.0)
        .bind(&definition.desc)
        .bind(&definition.sql_body)
        .bind(&definition.tags)
        .bind(audit.event_time.0)
        .fetch_one(&mut *transaction)
        .await?;
        audit.resource_id = id.to_string();
        audit::insert(&mut transaction, &audit).await?;
        transaction.commit().await?;
        Ok(TemplateId(id))
    }

    /// Returns a template of a project.
    pub async fn template(
        &self,
        project: &ProjectId,
        id: TemplateId,
    ) -> Result<Option<TemplateRecord>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM templates WHERE id = $1 AND project_id = $2 AND deleted_at IS NULL")
                .bind(id.0)
                .bind(&project.0)
                .fetch_optional(self.pool())
                .await?;
        Ok(row.map(|row| from_row(&row)).transpose()?)
    }

    /// Returns the templates of a project, or those of one user in it, by ascending id.
    pub async fn templates(
        &self,
        project: &ProjectId,
        user: Option<&UserId>,
    ) -> Result<Vec<TemplateRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM templates WHERE project_id = $1 AND deleted_at IS NULL
             AND ($2 IS NULL OR user_id = $2) ORDER BY id",
        )
        .bind(&project.0)
        .bind(user.map(|user| &user.0))
        .fetch_all(self.pool())
        .await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// Stores a changed template. Fails when another template has the name.
    pub async fn update_template(
        &self,
        id: TemplateId,
        definition: &TemplateDefinition,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if name_taken(&mut transaction, &audit.project, &definition.name, Some(id)).await? {
            return Err(StoreError::NameTaken);
        }
        let changed = sqlx::query(
            "UPDATE templates SET name = $1, description = $2, sql_body = $3, tags = $4, update_time = $5
             WHERE id = $6 AND project_id = $7 AND deleted_at IS NULL",
        )
        .bind(&definition.name)
        .bind(&definition.desc)
        .bind(&definition.sql_body)
        .bind(&definition.tags)
        .bind(audit.event_time.0)
        .bind(id.0)
        .bind(&audit.project.0)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a template. Its name is free again.
    pub async fn delete_template(&self, id: TemplateId, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE templates SET deleted_at = $1 WHERE id = $2 AND project_id = $3 AND deleted_at IS NULL",
        )
        .bind(audit.event_time.0)
        .bind(id.0)
        .bind(&audit.project.0)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn name_taken(
    connection: &mut AnyConnection,
    project: &ProjectId,
    name: &str,
    except: Option<TemplateId>,
) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM templates WHERE project_id = $1 AND name = $2 AND deleted_at IS NULL AND id <> $3",
    )
    .bind(&project.0)
    .bind(name)
    .bind(except.map_or(0, |id| id.0))
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

fn from_row(row: &AnyRow) -> Result<TemplateRecord, sqlx::Error> {
    Ok(TemplateRecord {
        id: TemplateId(row.try_get("id")?),
        user: UserId(row.try_get("user_id")?),
        definition: TemplateDefinition {
            name: row.try_get("name")?,
            desc: row.try_get("description")?,
            sql_body: row.try_get("sql_body")?,
            tags: row.try_get("tags")?,
        },
        create_time: Timestamp(row.try_get("create_time")?),
        update_time: Timestamp(row.try_get("update_time")?),
    })
}
