//! Publishing: from what a caller sends to a message on its way to every subscriber.

use std::collections::BTreeMap;
use std::time::Duration;

use weir_base::id::{ProjectId, random_hex_id};

use super::error::{Fault, NotificationError};
use super::record::{Kind, Message};
use super::service::Notifications;

/// Longest text of a message, of a `message_structure` and of a template.
pub(super) const MESSAGE_BYTES: usize = 256 * 1_024;
const SUBJECT_BYTES: usize = 512;
/// How long a message is tried when the caller does not say.
const TAKEN_TIME: Duration = Duration::from_secs(3_600);
const LONGEST_LIFE: u64 = 604_800;
/// Messages that may wait for one subscriber. One that never answers keeps a message for some ten minutes, so that this is
/// reached at one and a half messages a second.
const MOST_PENDING: i64 = 1_000;

/// What a caller publishes: a structure, a template or a plain text; the first that is there is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// Subject of mails and deliveries to webhooks.
    pub subject: String,
    /// The text for everybody.
    pub message: Option<String>,
    /// JSON with a text for each protocol.
    pub structure: Option<String>,
    /// Name of a template.
    pub template: Option<String>,
    /// Values for the template.
    pub tags: BTreeMap<String, String>,
    /// Seconds that the message is worth delivering.
    pub time_to_live: Option<String>,
}

impl Notifications {
    /// Publishes to a topic; returns the id of the message. The message is stored when this returns.
    pub async fn publish(
        &self,
        project: &ProjectId,
        topic_urn: &str,
        publication: Publication,
    ) -> Result<String, NotificationError> {
        self.publish_as(random_hex_id(), project, topic_urn, publication).await
    }

    /// Publishes under an id that the caller chose. Doing it again with the same id changes nothing.
    pub(super) async fn publish_as(
        &self,
        id: String,
        project: &ProjectId,
        topic_urn: &str,
        publication: Publication,
    ) -> Result<String, NotificationError> {
        let topic = self.topic(project, topic_urn).await?;
        check_subject(&publication.subject)?;
        let life = time_to_live(publication.time_to_live.as_deref())?;
        let texts = match (&publication.structure, &publication.template, publication.message) {
            (Some(structure), _, _) => texts_of_structure(structure)?,
            (None, Some(template), _) => self.filled_templates(project, template, &publication.tags).await?,
            (None, None, Some(message)) => BTreeMap::from([("default".to_string(), message)]),
            (None, None, None) => BTreeMap::new(),
        };
        check_texts(&texts)?;
        let now = self.now();
        let message = Message {
            id,
            project: project.clone(),
            topic_id: topic.id,
            kind: Kind::Notification,
            subject: publication.subject,
            texts,
            created_at: now,
            expires_at: now.plus(life),
        };
        self.repository.publish(&message, MOST_PENDING).await?;
        self.changed.notify_one();
        Ok(message.id)
    }
}

fn check_subject(subject: &str) -> Result<(), NotificationError> {
    if subject.len() <= SUBJECT_BYTES && !subject.contains(char::is_control) {
        return Ok(());
    }
    let text = format!("`subject` must have at most {SUBJECT_BYTES} bytes, without line breaks");
    Err(NotificationError::new(Fault::Subject, text))
}

fn check_texts(texts: &BTreeMap<String, String>) -> Result<(), NotificationError> {
    let fault = |text: String| Err(NotificationError::new(Fault::Message, text));
    if texts.is_empty() {
        return fault(
            "one of `message`, `message_structure` and `message_template_name` must be given".to_string(),
        );
    }
    if texts.values().any(|text| text.is_empty() || text.len() > MESSAGE_BYTES) {
        return fault(format!("a message must have 1 to {MESSAGE_BYTES} bytes"));
    }
    Ok(())
}

fn texts_of_structure(structure: &str) -> Result<BTreeMap<String, String>, NotificationError> {
    let fault = |text: String| NotificationError::new(Fault::Structure, text);
    if structure.len() > MESSAGE_BYTES {
        return Err(fault(format!("`message_structure` is longer than {MESSAGE_BYTES} bytes")));
    }
    let texts: BTreeMap<String, String> = serde_json::from_str(structure).map_err(|error| {
        fault(format!("`message_structure` must be a JSON object with a text for each protocol: {error}"))
    })?;
    if !texts.contains_key("default") {
        return Err(fault("`message_structure` must have a member `default`".to_string()));
    }
    Ok(texts)
}

fn time_to_live(text: Option<&str>) -> Result<Duration, NotificationError> {
    let Some(text) = text else { return Ok(TAKEN_TIME) };
    let seconds = text.parse().ok().filter(|seconds| (1..=LONGEST_LIFE).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| {
        let text =
            format!("`time_to_live` is `{text}`; it must be a number of seconds from 1 to {LONGEST_LIFE}");
        NotificationError::new(Fault::Message, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_needs_a_default_and_texts() {
        let texts = texts_of_structure(r#"{"default": "a", "email": "b"}"#).unwrap();
        assert_eq!(texts["email"], "b");
        for wrong in ["", "[]", r#"{"email": "b"}"#, r#"{"default": 1}"#] {
            assert_eq!(texts_of_structure(wrong).unwrap_err().fault, Fault::Structure, "{wrong}");
        }
    }

    #[test]
    fn lives_and_subjects_have_bounds() {
        assert_eq!(time_to_live(None).unwrap(), TAKEN_TIME);
        assert_eq!(time_to_live(Some("60")).unwrap(), Duration::from_secs(60));
        for wrong in ["0", "604801", "1h", "-1", ""] {
            assert!(time_to_live(Some(wrong)).is_err(), "{wrong}");
        }
        assert!(check_subject("a\nb").is_err());
        assert!(check_subject(&"x".repeat(513)).is_err());
    }
}
