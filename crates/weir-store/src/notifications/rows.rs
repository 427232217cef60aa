//! From rows to records.

use sqlx::Row;
use sqlx::any::AnyRow;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::notifications::{
    Delivery, DeliveryState, Kind, LoggedDelivery, Message, Protocol, Subscription, SubscriptionStatus,
    Template, Topic,
};

/// The columns of a subscription `s` with the name of its topic `t`.
macro_rules! select_subscriptions {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.topic_id, s.project_id, t.name AS topic_name, s.protocol, s.endpoint, s.remark, s.headers,
                s.status, s.token, s.token_expires_at, s.created_at
             FROM subscriptions s JOIN topics t ON t.id = s.topic_id ",
            $rest
        )
    };
}
pub(super) use select_subscriptions;

fn unknown(what: &str, value: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("the stored {what} `{value}` is not known to this release").into())
}

fn time(row: &AnyRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Ok(Timestamp(row.try_get(column)?))
}

fn json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn protocol(row: &AnyRow) -> Result<Protocol, sqlx::Error> {
    let name: String = row.try_get("protocol")?;
    Protocol::parse(&name).ok_or_else(|| unknown("protocol", name))
}

fn kind(row: &AnyRow) -> Result<Kind, sqlx::Error> {
    let name: String = row.try_get("kind")?;
    Kind::parse(&name).ok_or_else(|| unknown("kind of message", name))
}

fn attempts(row: &AnyRow) -> Result<u32, sqlx::Error> {
    Ok(u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX))
}

pub(super) fn topic(row: &AnyRow) -> Result<Topic, sqlx::Error> {
    Ok(Topic {
        id: row.try_get("id")?,
        project: ProjectId(row.try_get("project_id")?),
        name: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        introduction: row.try_get("introduction")?,
        enterprise_project_id: row.try_get("enterprise_project_id")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

pub(super) fn subscription(row: &AnyRow) -> Result<Subscription, sqlx::Error> {
    let status: i64 = row.try_get("status")?;
    Ok(Subscription {
        id: row.try_get("id")?,
        topic_id: row.try_get("topic_id")?,
        project: ProjectId(row.try_get("project_id")?),
        topic_name: row.try_get("topic_name")?,
        protocol: protocol(row)?,
        endpoint: row.try_get("endpoint")?,
        remark: row.try_get("remark")?,
        headers: json(row, "headers")?,
        status: SubscriptionStatus::parse(status).ok_or_else(|| unknown("status", status))?,
        token: row.try_get("token")?,
        token_expires_at: time(row, "token_expires_at")?,
        created_at: time(row, "created_at")?,
    })
}

pub(super) fn template(row: &AnyRow) -> Result<Template, sqlx::Error> {
    Ok(Template {
        id: row.try_get("id")?,
        project: ProjectId(row.try_get("project_id")?),
        name: row.try_get("name")?,
        protocol: row.try_get("protocol")?,
        content: row.try_get("content")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// Reads a delivery joined with its message, subscription and topic.
pub(super) fn delivery(row: &AnyRow) -> Result<Delivery, sqlx::Error> {
    let subscription = subscription(row)?;
    Ok(Delivery {
        id: row.try_get("delivery_id")?,
        attempts: attempts(row)?,
        message: Message {
            id: row.try_get("message_id")?,
            project: subscription.project.clone(),
            topic_id: subscription.topic_id.clone(),
            kind: kind(row)?,
            subject: row.try_get("subject")?,
            texts: json(row, "texts")?,
            created_at: time(row, "taken_at")?,
            expires_at: time(row, "expires_at")?,
        },
        subscription,
        display_name: row.try_get("display_name")?,
    })
}

pub(super) fn logged(row: &AnyRow) -> Result<LoggedDelivery, sqlx::Error> {
    let state: String = row.try_get("state")?;
    Ok(LoggedDelivery {
        message_id: row.try_get("message_id")?,
        kind: kind(row)?,
        protocol: protocol(row)?,
        endpoint: row.try_get("endpoint")?,
        state: DeliveryState::parse(&state).ok_or_else(|| unknown("state", state))?,
        attempts: attempts(row)?,
        reason: row.try_get("reason")?,
        at: time(row, "at")?,
    })
}

/// Reads all rows.
pub(super) fn all<T>(
    rows: &[AnyRow],
    read: impl Fn(&AnyRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, sqlx::Error> {
    rows.iter().map(read).collect()
}
