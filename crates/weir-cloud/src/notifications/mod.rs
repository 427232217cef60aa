//! Topics, their subscriptions, and the messages on their way: the notification service, and a remote one.
//!
//! [`Notifications`] is the embedded form. It keeps its records behind [`NotificationRepository`], which the
//! metadata store implements; a message that was taken is a row for each subscription, so that no end of the
//! process loses it. [`Notifications::deliver`] sends what is due, to webhooks and by mail, until it arrives or its
//! tries are used up. [`Publisher`] is the door for the service's own messages, to either form.

mod certificate;
mod deliver;
mod error;
mod internal;
mod mail;
mod publish;
mod publisher;
mod record;
mod remote;
mod repository;
mod service;
mod signer;
mod subscriptions;
mod templates;
mod topics;
mod urn;
mod webhook;

pub use error::{Fault, NotificationError};
pub use mail::{MailError, MailOptions};
pub use publish::Publication;
pub use publisher::{PublishError, Publisher};
pub use record::{
    Delivery, DeliveryState, Kind, LoggedDelivery, Message, Protocol, Subscription, SubscriptionStatus,
    Template, Topic,
};
pub use remote::RemoteTopics;
pub use repository::{
    Added, NotificationRepository, Outcome, Page, RepositoryError, SubscriptionFilter, TemplateFilter,
    TopicFilter,
};
pub use service::{NotificationOptions, Notifications};
pub use signer::{Signer, SignerError, wire_time};
pub use subscriptions::NewSubscription;
pub use urn::Urn;
