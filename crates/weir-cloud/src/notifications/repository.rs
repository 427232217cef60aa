//! Where topics, subscriptions and messages are kept.

use async_trait::async_trait;
use thiserror::Error;
use weir_base::audit::AuditRecord;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;

use super::record::{Delivery, LoggedDelivery, Message, Subscription, SubscriptionStatus, Template, Topic};

/// The repository failed.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct RepositoryError(pub String);

/// What became of a record that was to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added<T> {
    /// It is there now.
    New,
    /// It was there already, as this.
    Existing(T),
    /// There are as many as there may be.
    TooMany,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Records before it.
    pub offset: i64,
    /// Records on it, at most.
    pub limit: i64,
}

/// Which topics are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicFilter {
    /// Those of this name.
    pub name: Option<String>,
    /// Those with this in their name.
    pub name_part: Option<String>,
    /// Those with this in their display name.
    pub display_name_part: Option<String>,
    /// The one with this id.
    pub id: Option<String>,
    /// Those of an enterprise project.
    pub enterprise_project_id: Option<String>,
}

/// Which subscriptions are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionFilter {
    /// Those of a topic, by id.
    pub topic_id: Option<String>,
    /// Those of a protocol.
    pub protocol: Option<String>,
    /// Those with a status.
    pub status: Option<SubscriptionStatus>,
    /// Those of an endpoint.
    pub endpoint: Option<String>,
    /// Those with this in their remark.
    pub remark_part: Option<String>,
}

/// Which templates are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    /// Those of this name.
    pub name: Option<String>,
    /// Those of a protocol.
    pub protocol: Option<String>,
}

/// What a try to deliver ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The subscriber has the message.
    Delivered,
    /// It is tried again.
    Retry {
        /// When.
        due: Timestamp,
        /// What went wrong.
        reason: String,
    },
    /// It is given up.
    Failed {
        /// What went wrong.
        reason: String,
    },
}

/// Keeps topics and messages. Every method is one transaction; a returned `Ok` is durable. A method that takes an audit
/// record writes it in the transaction of the change, when there is one.
#[async_trait]
pub trait NotificationRepository: Send + Sync + 'static {
    /// Adds a topic unless the project has one of the name, or `limit` already.
    async fn add_topic(
        &self,
        topic: &Topic,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Topic>, RepositoryError>;
    /// Returns a topic by its name.
    async fn topic(&self, project: &ProjectId, name: &str) -> Result<Option<Topic>, RepositoryError>;
    /// Returns how many topics there are and a page of them, the newest first.
    async fn topics(
        &self,
        project: &ProjectId,
        filter: &TopicFilter,
        page: Page,
    ) -> Result<(i64, Vec<Topic>), RepositoryError>;
    /// Stores display name, introduction and time of a topic; `false` when it is gone.
    async fn update_topic(&self, topic: &Topic, audit: &AuditRecord) -> Result<bool, RepositoryError>;
    /// Removes a topic with its subscriptions; what was on its way fails. `false` when there is none.
    async fn delete_topic(
        &self,
        id: &str,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError>;

    /// Adds a subscription with the message that asks for its confirmation, unless the topic has one with this protocol
    /// and endpoint, or `limit` already.
    async fn add_subscription(
        &self,
        subscription: &Subscription,
        question: &Message,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Subscription>, RepositoryError>;
    /// Returns a subscription.
    async fn subscription(&self, id: &str) -> Result<Option<Subscription>, RepositoryError>;
    /// Returns the subscription whose link has a token.
    async fn subscription_by_token(&self, token: &str) -> Result<Option<Subscription>, RepositoryError>;
    /// Returns how many subscriptions there are and a page of them, the oldest first.
    async fn subscriptions(
        &self,
        project: &ProjectId,
        filter: &SubscriptionFilter,
        page: Page,
    ) -> Result<(i64, Vec<Subscription>), RepositoryError>;
    /// Stores remark, headers, status and token of a subscription, and puts a message to it on its way. When it is cancelled
    /// what else was on its way fails. `false` when it is gone.
    async fn update_subscription(
        &self,
        subscription: &Subscription,
        message: Option<&Message>,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError>;
    /// Removes a subscription; what was on its way fails. `false` when there is none.
    async fn delete_subscription(
        &self,
        id: &str,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError>;
    /// Returns how often an endpoint was asked for its confirmation since an instant.
    async fn questions_since(&self, endpoint: &str, since: Timestamp) -> Result<i64, RepositoryError>;

    /// Adds a template unless there is one of this name and protocol, or `limit` already.
    async fn add_template(
        &self,
        template: &Template,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Template>, RepositoryError>;
    /// Returns a template.
    async fn template(&self, project: &ProjectId, id: &str) -> Result<Option<Template>, RepositoryError>;
    /// Returns how many templates there are and a page of them, the oldest first.
    async fn templates(
        &self,
        project: &ProjectId,
        filter: &TemplateFilter,
        page: Page,
    ) -> Result<(i64, Vec<Template>), RepositoryError>;
    /// Stores text and time of a template; `false` when it is gone.
    async fn update_template(
        &self,
        template: &Template,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError>;
    /// Removes a template; `false` when there is none.
    async fn delete_template(
        &self,
        project: &ProjectId,
        id: &str,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError>;
    /// Writes the audit record of a call that had nothing to change.
    async fn record(&self, audit: &AuditRecord) -> Result<(), RepositoryError>;

    /// Puts a message on its way to every confirmed subscription of its topic; a subscription that has `most_pending`
    /// waiting already does not get it, which its log says. A message that is known already changes nothing.
    async fn publish(&self, message: &Message, most_pending: i64) -> Result<(), RepositoryError>;
    /// Returns deliveries that are due, the most urgent first, at most `each` of a subscription and `limit` together.
    async fn due(&self, now: Timestamp, each: i64, limit: i64) -> Result<Vec<Delivery>, RepositoryError>;
    /// Returns when the next delivery is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError>;
    /// Stores what a try ended with.
    async fn finish(&self, delivery: i64, outcome: &Outcome, now: Timestamp) -> Result<(), RepositoryError>;
    /// Returns the newest deliveries of a topic.
    async fn log(&self, topic_id: &str, limit: i64) -> Result<Vec<LoggedDelivery>, RepositoryError>;
    /// Removes deliveries that ended before an instant, and messages that have none left.
    async fn forget_before(&self, ended: Timestamp) -> Result<(), RepositoryError>;
}
