//! What is stored of topics, subscriptions, templates and messages.

use std::collections::BTreeMap;

use weir_base::id::ProjectId;
use weir_base::time::Timestamp;

/// A topic: what messages are published to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// 32 hexadecimal characters.
    pub id: String,
    /// The project that owns it.
    pub project: ProjectId,
    /// Name, unique in the project.
    pub name: String,
    /// The sender's name in mails.
    pub display_name: String,
    /// Free text.
    pub introduction: String,
    /// The enterprise project, as the client gave it.
    pub enterprise_project_id: String,
    /// Made.
    pub created_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
}

/// How a subscriber is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A webhook.
    Http,
    /// A webhook over TLS.
    Https,
    /// A mail address.
    Email,
}

impl Protocol {
    /// Returns the name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Email => "email",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Http, Self::Https, Self::Email].into_iter().find(|protocol| protocol.as_str() == name)
    }
}

/// Whether a subscriber wants messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionStatus {
    /// It was asked and has not answered.
    Unconfirmed,
    /// It does.
    Confirmed,
    /// It did once.
    Cancelled,
}

impl SubscriptionStatus {
    /// Returns the number on the wire and in the store.
    pub fn number(self) -> i64 {
        match self {
            Self::Unconfirmed => 0,
            Self::Confirmed => 1,
            Self::Cancelled => 3,
        }
    }

    /// Reads a number.
    pub fn parse(number: i64) -> Option<Self> {
        [Self::Unconfirmed, Self::Confirmed, Self::Cancelled]
            .into_iter()
            .find(|status| status.number() == number)
    }
}

/// A subscriber of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// 32 hexadecimal characters; the last part of the URN.
    pub id: String,
    /// The topic.
    pub topic_id: String,
    /// The topic's project.
    pub project: ProjectId,
    /// The topic's name.
    pub topic_name: String,
    /// How it is reached.
    pub protocol: Protocol,
    /// Where: an address of a webhook or a mail address.
    pub endpoint: String,
    /// Free text.
    pub remark: String,
    /// Headers that each delivery to a webhook carries.
    pub headers: BTreeMap<String, String>,
    /// Whether it wants messages.
    pub status: SubscriptionStatus,
    /// Proves that a confirmation comes from who got the link.
    pub token: String,
    /// The link is good until.
    pub token_expires_at: Timestamp,
    /// Made.
    pub created_at: Timestamp,
}

/// A text with places for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// 32 hexadecimal characters.
    pub id: String,
    /// The project that owns it.
    pub project: ProjectId,
    /// Name; unique in the project together with the protocol.
    pub name: String,
    /// `default`, or the protocol that it is for.
    pub protocol: String,
    /// The text, with `{tag}` where a value goes.
    pub content: String,
    /// Made.
    pub created_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It asks a subscriber whether it wants messages.
    Confirmation,
    /// It was published.
    Notification,
    /// It tells a subscriber that it gets no more.
    Unsubscription,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Confirmation, Self::Notification, Self::Unsubscription];

    /// Returns the name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "SubscriptionConfirmation",
            Self::Notification => "Notification",
            Self::Unsubscription => "UnsubscribeConfirmation",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A message, as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// 32 hexadecimal characters.
    pub id: String,
    /// The topic's project.
    pub project: ProjectId,
    /// The topic.
    pub topic_id: String,
    /// What it is for.
    pub kind: Kind,
    /// Subject; may be empty.
    pub subject: String,
    /// Texts by protocol; `default` is for those without one of their own.
    pub texts: BTreeMap<String, String>,
    /// Taken.
    pub created_at: Timestamp,
    /// Not delivered after.
    pub expires_at: Timestamp,
}

impl Message {
    /// Returns the text for a protocol.
    pub fn text(&self, protocol: Protocol) -> &str {
        let text = self.texts.get(protocol.as_str()).or_else(|| self.texts.get("default"));
        text.map_or("", String::as_str)
    }
}

/// A message on its way to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number.
    pub id: i64,
    /// Tries so far.
    pub attempts: u32,
    /// The message.
    pub message: Message,
    /// The subscriber, as it is now.
    pub subscription: Subscription,
    /// The topic's display name.
    pub display_name: String,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is tried, or tried again.
    Pending,
    /// The subscriber has it.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryState {
    /// Returns the name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Failed].into_iter().find(|state| state.as_str() == name)
    }
}

/// A line of the log of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedDelivery {
    /// The message.
    pub message_id: String,
    /// What it is for.
    pub kind: Kind,
    /// How the subscriber is reached.
    pub protocol: Protocol,
    /// Where.
    pub endpoint: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries so far.
    pub attempts: u32,
    /// What the last try ended with; empty before the first and after success.
    pub reason: String,
    /// When it is tried next, or when it ended.
    pub at: Timestamp,
}
