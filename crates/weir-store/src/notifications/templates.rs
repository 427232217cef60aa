//! Templates.

use weir_base::id::ProjectId;
use weir_cloud::notifications::{Added, Page, Template, TemplateFilter};

use super::rows;
use super::topics::text;
use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    pub(super) async fn add_message_template(
        &self,
        template: &Template,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Template>, StoreError> {
        let mut transaction = self.begin().await?;
        let same = sqlx::query(
            "SELECT * FROM message_templates WHERE project_id = $1 AND name = $2 AND protocol = $3",
        )
        .bind(&template.project.0)
        .bind(&template.name)
        .bind(&template.protocol)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(row) = same {
            return Ok(Added::Existing(rows::template(&row)?));
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM message_templates WHERE project_id = $1")
            .bind(&template.project.0)
            .fetch_one(&mut *transaction)
            .await?;
        if count >= limit {
            return Ok(Added::TooMany);
        }
        sqlx::query(
            "INSERT INTO message_templates (id, project_id, name, protocol, content, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&template.id)
        .bind(&template.project.0)
        .bind(&template.name)
        .bind(&template.protocol)
        .bind(&template.content)
        .bind(template.created_at.0)
        .bind(template.updated_at.0)
        .execute(&mut *transaction)
        .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(Added::New)
    }

    pub(super) async fn message_template(
        &self,
        project: &ProjectId,
        id: &str,
    ) -> Result<Option<Template>, StoreError> {
        let row = sqlx::query("SELECT * FROM message_templates WHERE project_id = $1 AND id = $2")
            .bind(&project.0)
            .bind(id)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.as_ref().map(rows::template).transpose()?)
    }

    pub(super) async fn message_templates(
        &self,
        project: &ProjectId,
        filter: &TemplateFilter,
        page: Page,
    ) -> Result<(i64, Vec<Template>), StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM message_templates
             WHERE project_id = $1 AND ($2 = '' OR name = $2) AND ($3 = '' OR protocol = $3)",
        )
        .bind(&project.0)
        .bind(text(&filter.name))
        .bind(text(&filter.protocol))
        .fetch_one(self.pool())
        .await?;
        let found = sqlx::query(
            "SELECT * FROM message_templates
             WHERE project_id = $1 AND ($2 = '' OR name = $2) AND ($3 = '' OR protocol = $3)
             ORDER BY number LIMIT $4 OFFSET $5",
        )
        .bind(&project.0)
        .bind(text(&filter.name))
        .bind(text(&filter.protocol))
        .bind(page.limit)
        .bind(page.offset)
        .fetch_all(self.pool())
        .await?;
        Ok((count, rows::all(&found, rows::template)?))
    }

    pub(super) async fn update_message_template(
        &self,
        template: &Template,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query("UPDATE message_templates SET content = $1, updated_at = $2 WHERE id = $3")
            .bind(&template.content)
            .bind(template.updated_at.0)
            .bind(&template.id)
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn delete_message_template(
        &self,
        project: &ProjectId,
        id: &str,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let gone = sqlx::query("DELETE FROM message_templates WHERE project_id = $1 AND id = $2")
            .bind(&project.0)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
