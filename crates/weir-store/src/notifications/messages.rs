//! Messages and their deliveries.

use sqlx::{AnyConnection, Row};
use weir_base::time::Timestamp;
use weir_cloud::notifications::{Delivery, LoggedDelivery, Message, Outcome, Subscription};

use super::rows;
use crate::error::StoreError;
use crate::store::{Store, json_text};

/// What one who has too many messages waiting does not get.
const FULL: &str = "too many messages wait for this subscriber";

impl Store {
    pub(super) async fn publish(&self, message: &Message, most_pending: i64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if !insert(&mut transaction, message).await? {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO deliveries
                (message_id, topic_id, subscription_id, kind, protocol, endpoint, state, attempts, at, created_at, reason)
             SELECT $1, topic_id, id, $2, protocol, endpoint, CASE WHEN waiting < $3 THEN 'pending' ELSE 'failed' END, 0,
                $4, $4, CASE WHEN waiting < $3 THEN '' ELSE $5 END
             FROM (SELECT s.*, (SELECT COUNT(*) FROM deliveries d WHERE d.subscription_id = s.id AND d.state = 'pending') AS waiting
                FROM subscriptions s WHERE s.topic_id = $6 AND s.status = 1) AS subscribers
             ORDER BY number",
        )
        .bind(&message.id)
        .bind(message.kind.as_str())
        .bind(most_pending)
        .bind(message.created_at.0)
        .bind(FULL)
        .bind(&message.topic_id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn due_deliveries(
        &self,
        now: Timestamp,
        each: i64,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let found = sqlx::query(
            "SELECT d.delivery_id, d.attempts, m.id AS message_id, m.kind, m.subject, m.texts, m.created_at AS taken_at,
                m.expires_at, t.display_name, s.id, s.topic_id, s.project_id, t.name AS topic_name, s.protocol, s.endpoint,
                s.remark, s.headers, s.status, s.token, s.token_expires_at, s.created_at
             FROM (SELECT id AS delivery_id, message_id, subscription_id, attempts, at,
                    ROW_NUMBER() OVER (PARTITION BY subscription_id ORDER BY at, id) AS place
                FROM deliveries WHERE state = 'pending' AND at <= $1) AS d
             JOIN messages m ON m.id = d.message_id
             JOIN subscriptions s ON s.id = d.subscription_id
             JOIN topics t ON t.id = s.topic_id
             WHERE d.place <= $2 ORDER BY d.at, d.delivery_id LIMIT $3",
        )
        .bind(now.0)
        .bind(each)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows::all(&found, rows::delivery)?)
    }

    pub(super) async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT MIN(at) AS at FROM deliveries WHERE state = 'pending'")
            .fetch_one(self.pool())
            .await?;
        Ok(row.try_get::<Option<i64>, _>("at")?.map(Timestamp))
    }

    pub(super) async fn finish_delivery(
        &self,
        delivery: i64,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (state, at, reason) = match outcome {
            Outcome::Delivered => ("delivered", now, ""),
            Outcome::Retry { due, reason } => ("pending", *due, reason.as_str()),
            Outcome::Failed { reason } => ("failed", now, reason.as_str()),
        };
        let mut transaction = self.begin().await?;
        // One that was given up meanwhile, because its subscription is gone, stays so.
        sqlx::query(
            "UPDATE deliveries SET state = $1, at = $2, reason = $3, attempts = attempts + 1
             WHERE id = $4 AND state = 'pending'",
        )
        .bind(state)
        .bind(at.0)
        .bind(reason)
        .bind(delivery)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn delivery_log(
        &self,
        topic_id: &str,
        limit: i64,
    ) -> Result<Vec<LoggedDelivery>, StoreError> {
        let found = sqlx::query("SELECT * FROM deliveries WHERE topic_id = $1 ORDER BY id DESC LIMIT $2")
            .bind(topic_id)
            .bind(limit)
            .fetch_all(self.pool())
            .await?;
        Ok(rows::all(&found, rows::logged)?)
    }

    pub(super) async fn forget_deliveries(&self, ended: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM deliveries WHERE state <> 'pending' AND at < $1")
            .bind(ended.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM messages WHERE created_at < $1
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id)",
        )
        .bind(ended.0)
        .execute(&mut *transaction)
        .await?;
        // The log needs no texts, which may be long and are nobody's business once they have arrived.
        sqlx::query(
            "UPDATE messages SET texts = '{}' WHERE texts <> '{}'
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'pending')",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Adds a message; `false` when there is one with its id.
async fn insert(connection: &mut AnyConnection, message: &Message) -> Result<bool, StoreError> {
    let added = sqlx::query(
        "INSERT INTO messages (id, project_id, topic_id, kind, subject, texts, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&message.id)
    .bind(&message.project.0)
    .bind(&message.topic_id)
    .bind(message.kind.as_str())
    .bind(&message.subject)
    .bind(json_text(&message.texts)?)
    .bind(message.created_at.0)
    .bind(message.expires_at.0)
    .execute(connection)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Puts a message on its way to one subscriber.
pub(super) async fn send(
    connection: &mut AnyConnection,
    message: &Message,
    to: &Subscription,
) -> Result<(), StoreError> {
    insert(&mut *connection, message).await?;
    sqlx::query(
        "INSERT INTO deliveries
            (message_id, topic_id, subscription_id, kind, protocol, endpoint, state, attempts, at, created_at, reason)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, $7, $7, '')",
    )
    .bind(&message.id)
    .bind(&to.topic_id)
    .bind(&to.id)
    .bind(message.kind.as_str())
    .bind(to.protocol.as_str())
    .bind(&to.endpoint)
    .bind(message.created_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whose deliveries are meant.
pub(super) enum Of<'a> {
    /// Those of a topic.
    Topic(&'a str),
    /// Those of a subscription.
    Subscription(&'a str),
}

/// Gives up what is on its way.
pub(super) async fn give_up(
    connection: &mut AnyConnection,
    of: Of<'_>,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (statement, id) = match of {
        Of::Topic(id) => (
            "UPDATE deliveries SET state = 'failed', reason = $1, at = $2 WHERE topic_id = $3 AND state = 'pending'",
            id,
        ),
        Of::Subscription(id) => (
            "UPDATE deliveries SET state = 'failed', reason = $1, at = $2 WHERE subscription_id = $3 AND state = 'pending'",
            id,
        ),
    };
    sqlx::query(statement).bind(reason).bind(now.0).bind(id).execute(connection).await?;
    Ok(())
}
