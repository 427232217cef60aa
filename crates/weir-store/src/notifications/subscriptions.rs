//! Subscriptions.

use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::notifications::{
    Added, Kind, Message, Page, Subscription, SubscriptionFilter, SubscriptionStatus,
};

use super::rows::{self, select_subscriptions};
use super::topics::text;
use super::{messages, messages::Of};
use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::store::{Store, json_text};

/// No status has this number: all are meant.
const ANY_STATUS: i64 = -1;

impl Store {
    pub(super) async fn add_subscription(
        &self,
        subscription: &Subscription,
        question: &Message,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Subscription>, StoreError> {
        let mut transaction = self.begin().await?;
        let same = sqlx::query(select_subscriptions!(
            "WHERE s.topic_id = $1 AND s.protocol = $2 AND s.endpoint = $3"
        ))
        .bind(&subscription.topic_id)
        .bind(subscription.protocol.as_str())
        .bind(&subscription.endpoint)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(row) = same {
            return Ok(Added::Existing(rows::subscription(&row)?));
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM subscriptions WHERE topic_id = $1")
            .bind(&subscription.topic_id)
            .fetch_one(&mut *transaction)
            .await?;
        if count >= limit {
            return Ok(Added::TooMany);
        }
        sqlx::query(
            "INSERT INTO subscriptions (id, topic_id, project_id, protocol, endpoint, remark, headers, status, token,
                token_expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&subscription.id)
        .bind(&subscription.topic_id)
        .bind(&subscription.project.0)
        .bind(subscription.protocol.as_str())
        .bind(&subscription.endpoint)
        .bind(&subscription.remark)
        .bind(json_text(&subscription.headers)?)
        .bind(subscription.status.number())
        .bind(&subscription.token)
        .bind(subscription.token_expires_at.0)
        .bind(subscription.created_at.0)
        .execute(&mut *transaction)
        .await?;
        messages::send(&mut transaction, question, subscription).await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(Added::New)
    }

    pub(super) async fn subscription(&self, id: &str) -> Result<Option<Subscription>, StoreError> {
        self.one_subscription(select_subscriptions!("WHERE s.id = $1"), id).await
    }

    pub(super) async fn subscription_by_token(
        &self,
        token: &str,
    ) -> Result<Option<Subscription>, StoreError> {
        self.one_subscription(select_subscriptions!("WHERE s.token = $1"), token).await
    }

    async fn one_subscription(
        &self,
        query: &'static str,
        key: &str,
    ) -> Result<Option<Subscription>, StoreError> {
        let row = sqlx::query(query).bind(key).fetch_optional(self.pool()).await?;
        Ok(row.as_ref().map(rows::subscription).transpose()?)
    }

    pub(super) async fn subscriptions(
        &self,
        project: &ProjectId,
        filter: &SubscriptionFilter,
        page: Page,
    ) -> Result<(i64, Vec<Subscription>), StoreError> {
        let status = filter.status.map_or(ANY_STATUS, SubscriptionStatus::number);
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM subscriptions s
             WHERE s.project_id = $1 AND ($2 = '' OR s.topic_id = $2) AND ($3 = '' OR s.protocol = $3)
                AND ($4 = '' OR s.endpoint = $4) AND ($5 = '' OR instr(s.remark, $5) > 0) AND ($6 = -1 OR s.status = $6)",
        )
        .bind(&project.0)
        .bind(text(&filter.topic_id))
        .bind(text(&filter.protocol))
        .bind(text(&filter.endpoint))
        .bind(text(&filter.remark_part))
        .bind(status)
        .fetch_one(self.pool())
        .await?;
        let found = sqlx::query(select_subscriptions!(
            "WHERE s.project_id = $1 AND ($2 = '' OR s.topic_id = $2) AND ($3 = '' OR s.protocol = $3)
                AND ($4 = '' OR s.endpoint = $4) AND ($5 = '' OR instr(s.remark, $5) > 0) AND ($6 = -1 OR s.status = $6)
             ORDER BY s.number LIMIT $7 OFFSET $8"
        ))
        .bind(&project.0)
        .bind(text(&filter.topic_id))
        .bind(text(&filter.protocol))
        .bind(text(&filter.endpoint))
        .bind(text(&filter.remark_part))
        .bind(status)
        .bind(page.limit)
        .bind(page.offset)
        .fetch_all(self.pool())
        .await?;
        Ok((count, rows::all(&found, rows::subscription)?))
    }

    pub(super) async fn update_subscription(
        &self,
        subscription: &Subscription,
        message: Option<&Message>,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE subscriptions SET remark = $1, headers = $2, status = $3, token = $4, token_expires_at = $5 WHERE id = $6",
        )
        .bind(&subscription.remark)
        .bind(json_text(&subscription.headers)?)
        .bind(subscription.status.number())
        .bind(&subscription.token)
        .bind(subscription.token_expires_at.0)
        .bind(&subscription.id)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        if subscription.status == SubscriptionStatus::Cancelled {
            let of = Of::Subscription(&subscription.id);
            messages::give_up(&mut transaction, of, "the subscriber has left", now).await?;
        }
        if let Some(message) = message {
            messages::send(&mut transaction, message, subscription).await?;
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn delete_subscription(
        &self,
        id: &str,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let gone = sqlx::query("DELETE FROM subscriptions WHERE id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        messages::give_up(&mut transaction, Of::Subscription(id), "the subscription was deleted", now)
            .await?;
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn questions_since(&self, endpoint: &str, since: Timestamp) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM deliveries WHERE endpoint = $1 AND kind = $2 AND created_at > $3",
        )
        .bind(endpoint)
        .bind(Kind::Confirmation.as_str())
        .bind(since.0)
        .fetch_one(self.pool())
        .await?;
        Ok(count)
    }
}
