//! What can go wrong with notifications.

use thiserror::Error;

use super::repository::RepositoryError;

/// The kinds of refusals; each has a code of its own on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A name that no topic can have.
    TopicName,
    /// A display name that is too long.
    DisplayName,
    /// The project has as many topics as it may have.
    TopicLimit,
    /// A text that is no URN of a topic.
    TopicUrn,
    /// No such topic.
    NoTopic,
    /// The topic has as many subscriptions as it may have.
    SubscriptionLimit,
    /// A subject that is too long or has line breaks.
    Subject,
    /// A message that is missing or too long.
    Message,
    /// A protocol that is not served here.
    Protocol,
    /// An endpoint that the protocol cannot reach.
    Endpoint,
    /// An endpoint inside the network of the service.
    InternalEndpoint,
    /// No such subscription.
    NoSubscription,
    /// A text that is no URN of a subscription.
    SubscriptionUrn,
    /// A remark that is too long.
    Remark,
    /// A `message_structure` that cannot be used.
    Structure,
    /// A confirmation whose token is wrong or too old.
    Token,
    /// A text of a template that is missing or too long.
    TemplateContent,
    /// A template of this name and protocol exists.
    TemplateExists,
    /// No such template.
    NoTemplate,
    /// A name that no template can have.
    TemplateName,
    /// The project has as many templates as it may have.
    TemplateLimit,
    /// The template has no text for protocols without one of their own.
    NoDefaultTemplate,
    /// Values for a template that are too long, or do not fit it.
    Tags,
    /// A value of an attribute that is too long.
    AttributeValue,
    /// The subscriber was asked too often.
    ConfirmationRate,
    /// The store failed.
    Store,
}

/// A refusal, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct NotificationError {
    /// The kind.
    pub fault: Fault,
    /// The sentence.
    pub message: String,
}

impl NotificationError {
    pub(super) fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }
}

impl From<RepositoryError> for NotificationError {
    fn from(error: RepositoryError) -> Self {
        Self::new(Fault::Store, error.to_string())
    }
}
