//! Making, showing, changing and removing topics.

use weir_base::audit::AuditRecord;
use weir_base::id::{ProjectId, random_hex_id};

use super::error::{Fault, NotificationError};
use super::record::Topic;
use super::repository::{Added, Page, TopicFilter};
use super::service::{self, Notifications, no_topic};

/// Topics of a project.
const MOST_TOPICS: i64 = 3_000;
const NAME_BYTES: usize = 255;
const DISPLAY_NAME_BYTES: usize = 192;
const INTRODUCTION_BYTES: usize = 120;

impl Notifications {
    /// Makes a topic. Returns it and whether it is new: a name that is taken gives the topic that has it.
    pub async fn create_topic(
        &self,
        project: &ProjectId,
        name: &str,
        display_name: &str,
        enterprise_project_id: &str,
        audit: &AuditRecord,
    ) -> Result<(Topic, bool), NotificationError> {
        check_name(name)?;
        check_display_name(display_name)?;
        let now = self.now();
        let topic = Topic {
            id: random_hex_id(),
            project: project.clone(),
            name: name.to_string(),
            display_name: display_name.to_string(),
            introduction: String::new(),
            enterprise_project_id: enterprise_project_id.to_string(),
            created_at: now,
            updated_at: now,
        };
        let audit = audit.about(&self.topic_urn(project, name), name);
        match self.repository.add_topic(&topic, MOST_TOPICS, &audit).await? {
            Added::New => Ok((topic, true)),
            Added::Existing(topic) => {
                self.repository.record(&AuditRecord { status: 200, ..audit }).await?;
                Ok((topic, false))
            }
            Added::TooMany => {
                let text = format!("the project has {MOST_TOPICS} topics, which is the limit");
                Err(NotificationError::new(Fault::TopicLimit, text))
            }
        }
    }

    /// Returns how many topics there are and a page of them, the newest first.
    pub async fn topics(
        &self,
        project: &ProjectId,
        filter: &TopicFilter,
        page: Page,
    ) -> Result<(i64, Vec<Topic>), NotificationError> {
        Ok(self.repository.topics(project, filter, page).await?)
    }

    /// Changes the display name of a topic.
    pub async fn rename_topic(
        &self,
        project: &ProjectId,
        urn: &str,
        display_name: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        check_display_name(display_name)?;
        let mut topic = self.topic(project, urn).await?;
        topic.display_name = display_name.to_string();
        self.write_topic(topic, urn, audit).await
    }

    /// Changes the introduction of a topic.
    pub async fn introduce_topic(
        &self,
        project: &ProjectId,
        urn: &str,
        introduction: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        if introduction.len() > INTRODUCTION_BYTES {
            let text = format!("the introduction is longer than {INTRODUCTION_BYTES} bytes");
            return Err(NotificationError::new(Fault::AttributeValue, text));
        }
        let mut topic = self.topic(project, urn).await?;
        topic.introduction = introduction.to_string();
        self.write_topic(topic, urn, audit).await
    }

    /// Removes a topic with its subscriptions.
    pub async fn delete_topic(
        &self,
        project: &ProjectId,
        urn: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        let topic = self.topic(project, urn).await?;
        let audit = audit.about(urn, &topic.name);
        let there = self.repository.delete_topic(&topic.id, self.now(), &audit).await?;
        if there { Ok(()) } else { Err(no_topic(urn)) }
    }

    async fn write_topic(
        &self,
        mut topic: Topic,
        urn: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        topic.updated_at = self.now();
        let audit = audit.about(urn, &topic.name);
        if self.repository.update_topic(&topic, &audit).await? { Ok(()) } else { Err(no_topic(urn)) }
    }
}

fn check_name(name: &str) -> Result<(), NotificationError> {
    service::check_name(name, NAME_BYTES, "topic", Fault::TopicName)
}

fn check_display_name(name: &str) -> Result<(), NotificationError> {
    if name.len() <= DISPLAY_NAME_BYTES && !name.contains(char::is_control) {
        return Ok(());
    }
    let rule = format!("at most {DISPLAY_NAME_BYTES} bytes, without line breaks");
    Err(NotificationError::new(Fault::DisplayName, format!("`display_name` must have {rule}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_topics() {
        for name in ["a", "0-_", &"x".repeat(255)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "_a", "-a", "a b", "ä", "a:b", &"x".repeat(256)] {
            assert_eq!(check_name(name).unwrap_err().fault, Fault::TopicName, "{name}");
        }
        assert!(check_display_name("a\r\nBcc: x").is_err());
    }
}
