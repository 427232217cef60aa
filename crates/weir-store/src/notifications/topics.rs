//! Topics.

use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::notifications::{Added, Page, Topic, TopicFilter};

use super::{messages, rows};
use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::Store;

/// An empty parameter means all.
const FILTER: &str = "project_id = $1 AND ($2 = '' OR name = $2) AND ($3 = '' OR instr(name, $3) > 0)
    AND ($4 = '' OR instr(display_name, $4) > 0) AND ($5 = '' OR id = $5) AND ($6 = '' OR enterprise_project_id = $6)";

impl Store {
    pub(super) async fn add_topic(
        &self,
        topic: &Topic,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Topic>, StoreError> {
        let mut transaction = self.begin().await?;
        let same = sqlx::query("SELECT * FROM topics WHERE project_id = $1 AND name = $2")
            .bind(&topic.project.0)
            .bind(&topic.name)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = same {
            return Ok(Added::Existing(rows::topic(&row)?));
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM topics WHERE project_id = $1")
            .bind(&topic.project.0)
            .fetch_one(&mut *transaction)
            .await?;
        if count >= limit {
            return Ok(Added::TooMany);
        }
        sqlx::query(
            "INSERT INTO topics (id, project_id, name, display_name, introduction, enterprise_project_id, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&topic.id)
        .bind(&topic.project.0)
        .bind(&topic.name)
        .bind(&topic.display_name)
        .bind(&topic.introduction)
        .bind(&topic.enterprise_project_id)
        .bind(topic.created_at.0)
        .bind(topic.updated_at.0)
        .execute(&mut *transaction)
        .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(Added::New)
    }

    pub(super) async fn topic(&self, project: &ProjectId, name: &str) -> Result<Option<Topic>, StoreError> {
        let row = sqlx::query("SELECT * FROM topics WHERE project_id = $1 AND name = $2")
            .bind(&project.0)
            .bind(name)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.as_ref().map(rows::topic).transpose()?)
    }

    pub(super) async fn topics(
        &self,
        project: &ProjectId,
        filter: &TopicFilter,
        page: Page,
    ) -> Result<(i64, Vec<Topic>), StoreError> {
        let count = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM topics WHERE {FILTER}"));
        let count: i64 = sqlx::query_scalar(count)
            .bind(&project.0)
            .bind(text(&filter.name))
            .bind(text(&filter.name_part))
            .bind(text(&filter.display_name_part))
            .bind(text(&filter.id))
            .bind(text(&filter.enterprise_project_id))
            .fetch_one(self.pool())
            .await?;
        let list = format!("SELECT * FROM topics WHERE {FILTER} ORDER BY number DESC LIMIT $7 OFFSET $8");
        let found = sqlx::query(sqlx::AssertSqlSafe(list))
            .bind(&project.0)
            .bind(text(&filter.name))
            .bind(text(&filter.name_part))
            .bind(text(&filter.display_name_part))
            .bind(text(&filter.id))
            .bind(text(&filter.enterprise_project_id))
            .bind(page.limit)
            .bind(page.offset)
            .fetch_all(self.pool())
            .await?;
        Ok((count, rows::all(&found, rows::topic)?))
    }

    pub(super) async fn update_topic(&self, topic: &Topic, audit: &AuditRecord) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE topics SET display_name = $1, introduction = $2, updated_at = $3 WHERE id = $4",
        )
        .bind(&topic.display_name)
        .bind(&topic.introduction)
        .bind(topic.updated_at.0)
        .bind(&topic.id)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn delete_topic(
        &self,
        id: &str,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let gone =
            sqlx::query("DELETE FROM topics WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM subscriptions WHERE topic_id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        messages::give_up(&mut transaction, messages::Of::Topic(id), "the topic was deleted", now).await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Returns a filter as a parameter.
pub(super) fn text(filter: &Option<String>) -> &str {
    filter.as_deref().unwrap_or_default()
}
