//! Topics, subscriptions, templates and messages: the repository of the notification service.

mod messages;
mod rows;
mod subscriptions;
mod templates;
mod topics;

use async_trait::async_trait;
use weir_base::audit::AuditRecord;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::notifications::{
    Added, Delivery, LoggedDelivery, Message, NotificationRepository, Outcome, Page, RepositoryError,
    Subscription, SubscriptionFilter, Template, TemplateFilter, Topic, TopicFilter,
};

use crate::error::StoreError;
use crate::store::Store;

/// The topics and messages of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StoredNotifications {
    store: Store,
}

impl StoredNotifications {
    /// Makes the repository.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

fn told(error: StoreError) -> RepositoryError {
    RepositoryError(error.to_string())
}

#[async_trait]
impl NotificationRepository for StoredNotifications {
    async fn add_topic(
        &self,
        topic: &Topic,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Topic>, RepositoryError> {
        self.store.add_topic(topic, limit, audit).await.map_err(told)
    }

    async fn topic(&self, project: &ProjectId, name: &str) -> Result<Option<Topic>, RepositoryError> {
        self.store.topic(project, name).await.map_err(told)
    }

    async fn topics(
        &self,
        project: &ProjectId,
        filter: &TopicFilter,
        page: Page,
    ) -> Result<(i64, Vec<Topic>), RepositoryError> {
        self.store.topics(project, filter, page).await.map_err(told)
    }

    async fn update_topic(&self, topic: &Topic, audit: &AuditRecord) -> Result<bool, RepositoryError> {
        self.store.update_topic(topic, audit).await.map_err(told)
    }

    async fn delete_topic(
        &self,
        id: &str,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError> {
        self.store.delete_topic(id, now, audit).await.map_err(told)
    }

    async fn add_subscription(
        &self,
        subscription: &Subscription,
        question: &Message,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Subscription>, RepositoryError> {
        self.store.add_subscription(subscription, question, limit, audit).await.map_err(told)
    }

    async fn subscription(&self, id: &str) -> Result<Option<Subscription>, RepositoryError> {
        self.store.subscription(id).await.map_err(told)
    }

    async fn subscription_by_token(&self, token: &str) -> Result<Option<Subscription>, RepositoryError> {
        self.store.subscription_by_token(token).await.map_err(told)
    }

    async fn subscriptions(
        &self,
        project: &ProjectId,
        filter: &SubscriptionFilter,
        page: Page,
    ) -> Result<(i64, Vec<Subscription>), RepositoryError> {
        self.store.subscriptions(project, filter, page).await.map_err(told)
    }

    async fn update_subscription(
        &self,
        subscription: &Subscription,
        message: Option<&Message>,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError> {
        self.store.update_subscription(subscription, message, now, audit).await.map_err(told)
    }

    async fn delete_subscription(
        &self,
        id: &str,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError> {
        self.store.delete_subscription(id, now, audit).await.map_err(told)
    }

    async fn questions_since(&self, endpoint: &str, since: Timestamp) -> Result<i64, RepositoryError> {
        self.store.questions_since(endpoint, since).await.map_err(told)
    }

    async fn add_template(
        &self,
        template: &Template,
        limit: i64,
        audit: &AuditRecord,
    ) -> Result<Added<Template>, RepositoryError> {
        self.store.add_message_template(template, limit, audit).await.map_err(told)
    }

    async fn template(&self, project: &ProjectId, id: &str) -> Result<Option<Template>, RepositoryError> {
        self.store.message_template(project, id).await.map_err(told)
    }

    async fn templates(
        &self,
        project: &ProjectId,
        filter: &TemplateFilter,
        page: Page,
    ) -> Result<(i64, Vec<Template>), RepositoryError> {
        self.store.message_templates(project, filter, page).await.map_err(told)
    }

    async fn update_template(
        &self,
        template: &Template,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError> {
        self.store.update_message_template(template, audit).await.map_err(told)
    }

    async fn delete_template(
        &self,
        project: &ProjectId,
        id: &str,
        audit: &AuditRecord,
    ) -> Result<bool, RepositoryError> {
        self.store.delete_message_template(project, id, audit).await.map_err(told)
    }

    async fn record(&self, audit: &AuditRecord) -> Result<(), RepositoryError> {
        self.store.write_audit(audit).await.map_err(told)
    }

    async fn publish(&self, message: &Message, most_pending: i64) -> Result<(), RepositoryError> {
        self.store.publish(message, most_pending).await.map_err(told)
    }

    async fn due(&self, now: Timestamp, each: i64, limit: i64) -> Result<Vec<Delivery>, RepositoryError> {
        self.store.due_deliveries(now, each, limit).await.map_err(told)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError> {
        self.store.next_delivery().await.map_err(told)
    }

    async fn finish(&self, delivery: i64, outcome: &Outcome, now: Timestamp) -> Result<(), RepositoryError> {
        self.store.finish_delivery(delivery, outcome, now).await.map_err(told)
    }

    async fn log(&self, topic_id: &str, limit: i64) -> Result<Vec<LoggedDelivery>, RepositoryError> {
        self.store.delivery_log(topic_id, limit).await.map_err(told)
    }

    async fn forget_before(&self, ended: Timestamp) -> Result<(), RepositoryError> {
        self.store.forget_deliveries(ended).await.map_err(told)
    }
}
