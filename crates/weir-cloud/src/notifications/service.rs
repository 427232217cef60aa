//! [`Notifications`]: what it holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use weir_base::clock::Clock;
use weir_base::id::{ProjectId, random_hex_id};
use weir_base::time::Timestamp;

use super::error::{Fault, NotificationError};
use super::mail::{MailError, MailOptions, Mailer};
use super::record::{Kind, LoggedDelivery, Message, Subscription, Topic};
use super::repository::NotificationRepository;
use super::signer::Signer;
use super::urn::Urn;
use super::webhook::Webhooks;

/// What the operator chooses about notifications.
#[derive(Debug, Clone)]
pub struct NotificationOptions {
    /// Name of the region, part of every URN.
    pub region: String,
    /// Address under which subscribers reach the service: links in messages begin with it.
    pub public_url: String,
    /// The mail server; without one there are no subscriptions by mail.
    pub mail: Option<MailOptions>,
    /// Whether webhooks may be at loopback, link-local and private addresses.
    pub internal_webhooks: bool,
    /// How long a try to deliver may take.
    pub attempt_time: Duration,
    /// Time before the second try; doubles with each further one.
    pub first_retry: Duration,
}

impl Default for NotificationOptions {
    fn default() -> Self {
        Self {
            region: "local".to_string(),
            public_url: "http://127.0.0.1:8780".to_string(),
            mail: None,
            internal_webhooks: false,
            attempt_time: Duration::from_secs(10),
            first_retry: Duration::from_secs(10),
        }
    }
}

/// The embedded notification service.
pub struct Notifications {
    pub(super) repository: Arc<dyn NotificationRepository>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: NotificationOptions,
    pub(super) signer: Signer,
    pub(super) webhooks: Webhooks,
    pub(super) mailer: Option<Mailer>,
    /// Wakes the delivery after a change.
    pub(super) changed: Notify,
}

impl Notifications {
    /// Makes the service over a repository. Nothing is sent until [`Notifications::deliver`] is asked to.
    pub fn new(
        repository: Arc<dyn NotificationRepository>,
        clock: Arc<dyn Clock>,
        signer: Signer,
        options: NotificationOptions,
    ) -> Result<Self, MailError> {
        let mailer = options.mail.as_ref().map(|mail| Mailer::new(mail, options.attempt_time)).transpose()?;
        let webhooks = Webhooks::new(options.internal_webhooks, options.attempt_time);
        Ok(Self { repository, clock, options, signer, webhooks, mailer, changed: Notify::new() })
    }

    /// Returns the certificate that proves the signatures of deliveries to webhooks, when it has this name.
    pub fn certificate(&self, name: &str) -> Option<&str> {
        (name == self.signer.certificate_name()).then(|| self.signer.certificate())
    }

    /// Returns the newest deliveries of a topic.
    pub async fn log(&self, topic: &Topic, limit: i64) -> Result<Vec<LoggedDelivery>, NotificationError> {
        Ok(self.repository.log(&topic.id, limit).await?)
    }

    /// Returns the URN of a topic.
    pub fn topic_urn(&self, project: &ProjectId, name: &str) -> String {
        let region = self.options.region.clone();
        Urn { region, project: project.clone(), topic: name.to_string(), subscription: None }.to_string()
    }

    /// Returns the URN of a subscription.
    pub fn subscription_urn(&self, subscription: &Subscription) -> String {
        let topic = self.topic_urn(&subscription.project, &subscription.topic_name);
        format!("{topic}:{}", subscription.id)
    }

    /// Returns the topic of a project that a URN names.
    pub async fn topic(&self, project: &ProjectId, urn: &str) -> Result<Topic, NotificationError> {
        let Some(parsed) = Urn::parse(urn).filter(|parsed| parsed.subscription.is_none()) else {
            let text = format!("`{urn}` is not a topic; it must be urn:smn:{{region}}:{{project}}:{{topic}}");
            return Err(NotificationError::new(Fault::TopicUrn, text));
        };
        let here = parsed.region == self.options.region && parsed.project == *project;
        let found = if here { self.repository.topic(project, &parsed.topic).await? } else { None };
        found.ok_or_else(|| no_topic(urn))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes a message of the service's own to one subscriber.
    pub(super) fn message(
        &self,
        kind: Kind,
        subscription: &Subscription,
        text: &str,
        life: Duration,
    ) -> Message {
        let now = self.now();
        Message {
            id: random_hex_id(),
            project: subscription.project.clone(),
            topic_id: subscription.topic_id.clone(),
            kind,
            subject: String::new(),
            texts: BTreeMap::from([("default".to_string(), text.to_string())]),
            created_at: now,
            expires_at: now.plus(life),
        }
    }
}

pub(super) fn no_topic(urn: &str) -> NotificationError {
    NotificationError::new(Fault::NoTopic, format!("the project has no topic `{urn}`"))
}

/// Refuses a name of a topic or template that has other characters than allowed, or too many.
pub(super) fn check_name(
    name: &str,
    most_bytes: usize,
    what: &str,
    fault: Fault,
) -> Result<(), NotificationError> {
    let fits = (1..=most_bytes).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if fits {
        return Ok(());
    }
    let rule = format!("1 to {most_bytes} letters, digits, `_` and `-`, and a letter or digit first");
    Err(NotificationError::new(fault, format!("`{name}` is not a name of a {what}: it must have {rule}")))
}
