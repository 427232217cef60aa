//! The door for the service's own messages: to topics here, or to those of a service elsewhere.

use std::sync::Arc;

use thiserror::Error;
use weir_base::id::ProjectId;

use super::error::{Fault, NotificationError};
use super::publish::Publication;
use super::remote::RemoteTopics;
use super::service::Notifications;
use super::urn::Urn;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublishError {
    /// There is no such topic.
    #[error("there is no such topic")]
    NoTopic,
    /// It will not be taken however often it is sent.
    #[error("the notification service refused: {0}")]
    Refused(String),
    /// It may be taken later.
    #[error("the notification service does not answer: {0}")]
    Unavailable(String),
}

/// Where the service's own messages go.
#[derive(Clone)]
pub enum Publisher {
    /// To topics of this service.
    Embedded(Arc<Notifications>),
    /// To topics of a project elsewhere, whatever the project here.
    Remote(Arc<RemoteTopics>),
}

impl Publisher {
    /// Returns the URN of the topic of a project that has this name or URN.
    pub async fn find_topic(
        &self,
        project: &ProjectId,
        name_or_urn: &str,
    ) -> Result<Option<String>, PublishError> {
        let service = match self {
            Self::Remote(topics) => return topics.find(name_or_urn).await,
            Self::Embedded(service) => service,
        };
        let urn = match Urn::parse(name_or_urn) {
            Some(_) => name_or_urn.to_string(),
            None => service.topic_urn(project, name_or_urn),
        };
        match service.topic(project, &urn).await {
            Ok(_) => Ok(Some(urn)),
            Err(error) => match refusal(error) {
                PublishError::NoTopic => Ok(None),
                other => Err(other),
            },
        }
    }

    /// Publishes to the topic of a project that has this name or URN. A message of the same id is published once by the service
    /// here; a service elsewhere is not told the id.
    pub async fn publish(
        &self,
        id: &str,
        project: &ProjectId,
        topic: &str,
        subject: &str,
        message: &str,
    ) -> Result<(), PublishError> {
        let urn = self.find_topic(project, topic).await?.ok_or(PublishError::NoTopic)?;
        match self {
            Self::Remote(topics) => topics.publish(&urn, subject, message).await,
            Self::Embedded(service) => {
                let publication = Publication {
                    subject: subject.to_string(),
                    message: Some(message.to_string()),
                    ..Publication::default()
                };
                service
                    .publish_as(id.to_string(), project, &urn, publication)
                    .await
                    .map(|_| ())
                    .map_err(refusal)
            }
        }
    }
}

fn refusal(error: NotificationError) -> PublishError {
    match error.fault {
        Fault::NoTopic | Fault::TopicUrn => PublishError::NoTopic,
        Fault::Store => PublishError::Unavailable(error.message),
        _ => PublishError::Refused(error.message),
    }
}
