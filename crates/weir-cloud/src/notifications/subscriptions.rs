//! Subscribing, confirming and leaving.
//!
//! A subscriber gets nothing until it, or its owner, has followed the link that was sent to it.

use std::collections::BTreeMap;
use std::time::Duration;

use lettre::Address;
use reqwest::Url;
use weir_base::audit::AuditRecord;
use weir_base::id::{ProjectId, random_hex_id};

use super::error::{Fault, NotificationError};
use super::internal;
use super::record::{Kind, Message, Protocol, Subscription, SubscriptionStatus};
use super::repository::{Added, Page, SubscriptionFilter};
use super::service::Notifications;
use super::urn::Urn;

/// Subscriptions of a topic.
const MOST_SUBSCRIPTIONS: i64 = 10_000;
const ENDPOINT_BYTES: usize = 512;
const REMARK_BYTES: usize = 128;
const MOST_HEADERS: usize = 10;
const HEADER_CHARACTERS: usize = 1_024;
/// How long a link is good.
const LINK_LIFE: Duration = Duration::from_secs(48 * 3_600);

/// How often a mail address or a webhook may be asked for its confirmation: so often within this time. A topic must not
/// become a means to flood somebody.
const MAIL_RATES: &[(i64, Duration)] =
    &[(20, Duration::from_secs(3_600)), (40, Duration::from_secs(48 * 3_600))];
const WEBHOOK_RATES: &[(i64, Duration)] = &[(200, Duration::from_secs(600))];

/// Who is to be subscribed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSubscription {
    /// Name of the protocol.
    pub protocol: String,
    /// Address of a webhook or mail address.
    pub endpoint: String,
    /// Free text.
    pub remark: String,
    /// Headers that each delivery to a webhook carries.
    pub headers: BTreeMap<String, String>,
}

impl Notifications {
    /// Subscribes an endpoint to a topic and asks it for its confirmation. Returns the URN and whether it is new. One that
    /// has not confirmed yet, or has left, is asked again.
    pub async fn subscribe(
        &self,
        project: &ProjectId,
        topic_urn: &str,
        new: NewSubscription,
        audit: &AuditRecord,
    ) -> Result<(String, bool), NotificationError> {
        let protocol = self.check_new(&new)?;
        let topic = self.topic(project, topic_urn).await?;
        let now = self.now();
        let subscription = Subscription {
            id: random_hex_id(),
            topic_id: topic.id,
            project: project.clone(),
            topic_name: topic.name,
            protocol,
            endpoint: new.endpoint,
            remark: new.remark,
            headers: new.headers,
            status: SubscriptionStatus::Unconfirmed,
            token: new_token(),
            token_expires_at: now.plus(LINK_LIFE),
            created_at: now,
        };
        let same = SubscriptionFilter {
            topic_id: Some(subscription.topic_id.clone()),
            protocol: Some(protocol.as_str().to_string()),
            endpoint: Some(subscription.endpoint.clone()),
            ..SubscriptionFilter::default()
        };
        let (_, known) = self.repository.subscriptions(project, &same, Page { offset: 0, limit: 1 }).await?;
        if let Some(known) = known.into_iter().next() {
            return self.ask_again(known, &subscription, audit).await;
        }
        self.check_rate(protocol, &subscription.endpoint).await?;
        let question = self.question(&subscription);
        let urn = self.subscription_urn(&subscription);
        let about = audit.about(&urn, &subscription.endpoint);
        let added = self.repository.add_subscription(&subscription, &question, MOST_SUBSCRIPTIONS, &about);
        match added.await? {
            Added::New => {
                self.changed.notify_one();
                Ok((urn, true))
            }
            Added::Existing(known) => self.ask_again(known, &subscription, audit).await,
            Added::TooMany => {
                let text = format!("the topic has {MOST_SUBSCRIPTIONS} subscriptions, which is the limit");
                Err(NotificationError::new(Fault::SubscriptionLimit, text))
            }
        }
    }

    async fn ask_again(
        &self,
        known: Subscription,
        new: &Subscription,
        audit: &AuditRecord,
    ) -> Result<(String, bool), NotificationError> {
        let urn = self.subscription_urn(&known);
        let audit = AuditRecord { status: 200, ..audit.about(&urn, &known.endpoint) };
        if known.status == SubscriptionStatus::Confirmed {
            self.repository.record(&audit).await?;
            return Ok((urn, false));
        }
        self.check_rate(known.protocol, &known.endpoint).await?;
        let mut renewed = Subscription { id: known.id, created_at: known.created_at, ..new.clone() };
        // The link that was sent first stays good, and what is not given anew stays as it was.
        if known.status == SubscriptionStatus::Unconfirmed && known.token_expires_at > new.created_at {
            renewed.token = known.token;
        }
        if renewed.remark.is_empty() {
            renewed.remark = known.remark;
        }
        if renewed.headers.is_empty() {
            renewed.headers = known.headers;
        }
        let question = self.question(&renewed);
        self.repository.update_subscription(&renewed, Some(&question), self.now(), &audit).await?;
        self.changed.notify_one();
        Ok((urn, false))
    }

    /// Returns how many subscriptions there are and a page of them, the oldest first; of one topic or of all.
    pub async fn subscriptions(
        &self,
        project: &ProjectId,
        topic_urn: Option<&str>,
        mut filter: SubscriptionFilter,
        page: Page,
    ) -> Result<(i64, Vec<Subscription>), NotificationError> {
        if let Some(urn) = topic_urn {
            filter.topic_id = Some(self.topic(project, urn).await?.id);
        }
        Ok(self.repository.subscriptions(project, &filter, page).await?)
    }

    /// Changes the remark of a subscription.
    pub async fn remark(
        &self,
        project: &ProjectId,
        urn: &str,
        remark: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        check_remark(remark)?;
        let mut subscription = self.subscription(urn, Some(project)).await?;
        subscription.remark = remark.to_string();
        let audit = audit.about(urn, &subscription.endpoint);
        let there = self.repository.update_subscription(&subscription, None, self.now(), &audit).await?;
        if there { Ok(()) } else { Err(no_subscription(urn)) }
    }

    /// Removes a subscription of a project.
    pub async fn delete_subscription(
        &self,
        project: &ProjectId,
        urn: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        let subscription = self.subscription(urn, Some(project)).await?;
        let audit = audit.about(urn, &subscription.endpoint);
        let there = self.repository.delete_subscription(&subscription.id, self.now(), &audit).await?;
        if there { Ok(()) } else { Err(no_subscription(urn)) }
    }

    /// Confirms the subscription whose link has the token; returns its URN. Following the link again is harmless. The audit
    /// record becomes one of the project of the topic.
    pub async fn confirm(
        &self,
        token: &str,
        topic_urn: Option<&str>,
        endpoint: Option<&str>,
        audit: &AuditRecord,
    ) -> Result<String, NotificationError> {
        let wrong = || {
            NotificationError::new(Fault::Token, "the link is not valid; subscribe again to get a new one")
        };
        let found =
            if token.is_empty() { None } else { self.repository.subscription_by_token(token).await? };
        let mut subscription = found.ok_or_else(wrong)?;
        let urn = self.subscription_urn(&subscription);
        let topic = self.topic_urn(&subscription.project, &subscription.topic_name);
        if topic_urn.is_some_and(|given| given != topic)
            || endpoint.is_some_and(|given| given != subscription.endpoint)
        {
            return Err(wrong());
        }
        let audit = of_subscriber(audit, &urn, &subscription);
        if subscription.status == SubscriptionStatus::Confirmed {
            self.repository.record(&audit).await?;
            return Ok(urn);
        }
        if self.now() >= subscription.token_expires_at {
            let text = "the link is older than 48 hours; subscribe again to get a new one";
            return Err(NotificationError::new(Fault::Token, text));
        }
        subscription.status = SubscriptionStatus::Confirmed;
        self.repository.update_subscription(&subscription, None, self.now(), &audit).await?;
        Ok(urn)
    }

    /// Ends a subscription, as its subscriber asks with the link in a message. It gets one more message, with a link for coming
    /// back. The audit record becomes one of the project of the topic.
    pub async fn leave(&self, urn: &str, audit: &AuditRecord) -> Result<(), NotificationError> {
        let mut subscription = self.subscription(urn, None).await?;
        let audit = of_subscriber(audit, urn, &subscription);
        if subscription.status == SubscriptionStatus::Cancelled {
            self.repository.record(&audit).await?;
            return Ok(());
        }
        let was_confirmed = subscription.status == SubscriptionStatus::Confirmed;
        subscription.status = SubscriptionStatus::Cancelled;
        subscription.token = new_token();
        subscription.token_expires_at = self.now().plus(LINK_LIFE);
        let topic = self.topic_urn(&subscription.project, &subscription.topic_name);
        let text = format!(
            "You have left the topic {topic} and get no more of its messages. To come back, visit the subscribe_url of this message within 48 hours."
        );
        let message =
            was_confirmed.then(|| self.message(Kind::Unsubscription, &subscription, &text, LINK_LIFE));
        self.repository.update_subscription(&subscription, message.as_ref(), self.now(), &audit).await?;
        self.changed.notify_one();
        Ok(())
    }

    async fn subscription(
        &self,
        urn: &str,
        project: Option<&ProjectId>,
    ) -> Result<Subscription, NotificationError> {
        let parsed = Urn::parse(urn);
        let Some((parsed, id)) = parsed.and_then(|parsed| Some((parsed.clone(), parsed.subscription?)))
        else {
            let text = format!(
                "`{urn}` is not a subscription; it must be urn:smn:{{region}}:{{project}}:{{topic}}:{{subscription}}"
            );
            return Err(NotificationError::new(Fault::SubscriptionUrn, text));
        };
        let found = self.repository.subscription(&id).await?;
        let fits = |found: &Subscription| {
            found.project == parsed.project
                && found.topic_name == parsed.topic
                && parsed.region == self.options.region
                && project.is_none_or(|project| found.project == *project)
        };
        found.filter(fits).ok_or_else(|| no_subscription(urn))
    }

    fn question(&self, subscription: &Subscription) -> Message {
        let topic = self.topic_urn(&subscription.project, &subscription.topic_name);
        let text = format!(
            "You are invited to subscribe to the topic {topic}. To get its messages, visit the subscribe_url of this message within 48 hours."
        );
        self.message(Kind::Confirmation, subscription, &text, LINK_LIFE)
    }

    fn check_new(&self, new: &NewSubscription) -> Result<Protocol, NotificationError> {
        let Some(protocol) = Protocol::parse(&new.protocol) else {
            let text = format!("`protocol` is `{}`; this service knows http, https and email", new.protocol);
            return Err(NotificationError::new(Fault::Protocol, text));
        };
        match protocol {
            Protocol::Email => self.check_mail_address(&new.endpoint)?,
            Protocol::Http | Protocol::Https => self.check_webhook(protocol, &new.endpoint)?,
        }
        check_remark(&new.remark)?;
        check_headers(&new.headers)?;
        Ok(protocol)
    }

    fn check_mail_address(&self, address: &str) -> Result<(), NotificationError> {
        if self.mailer.is_none() {
            let text =
                "this service has no mail server, so that it sends no mail; its operator sets `smtp_url`";
            return Err(NotificationError::new(Fault::Protocol, text));
        }
        let fits = address.len() <= ENDPOINT_BYTES && address.parse::<Address>().is_ok();
        if fits { Ok(()) } else { Err(wrong_endpoint(address, "a mail address")) }
    }

    fn check_webhook(&self, protocol: Protocol, endpoint: &str) -> Result<(), NotificationError> {
        let url = Url::parse(endpoint).ok().filter(|url| {
            endpoint.len() <= ENDPOINT_BYTES
                && url.scheme() == protocol.as_str()
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        });
        let Some(url) = url else {
            return Err(wrong_endpoint(
                endpoint,
                &format!("an address that begins with {}://", protocol.as_str()),
            ));
        };
        if !self.options.internal_webhooks && internal::is_internal_host(&url) {
            let text = format!(
                "`{endpoint}` is inside the network of the service, where it sends no messages; its operator sets `internal_webhooks`"
            );
            return Err(NotificationError::new(Fault::InternalEndpoint, text));
        }
        Ok(())
    }

    async fn check_rate(&self, protocol: Protocol, endpoint: &str) -> Result<(), NotificationError> {
        let rates = if protocol == Protocol::Email { MAIL_RATES } else { WEBHOOK_RATES };
        for (most, time) in rates {
            let asked = self.repository.questions_since(endpoint, self.now().minus(*time)).await?;
            if asked >= *most {
                let text =
                    format!("`{endpoint}` was asked for its confirmation {asked} times lately; wait a while");
                return Err(NotificationError::new(Fault::ConfirmationRate, text));
            }
        }
        Ok(())
    }
}

/// Returns the record of what a subscriber did, who has no project.
fn of_subscriber(audit: &AuditRecord, urn: &str, subscription: &Subscription) -> AuditRecord {
    AuditRecord { project: subscription.project.clone(), ..audit.about(urn, &subscription.endpoint) }
}

/// Two random ids: 256 bits, which nobody guesses.
fn new_token() -> String {
    random_hex_id() + &random_hex_id()
}

fn no_subscription(urn: &str) -> NotificationError {
    NotificationError::new(Fault::NoSubscription, format!("there is no subscription `{urn}`"))
}

fn wrong_endpoint(endpoint: &str, what: &str) -> NotificationError {
    let text = format!("`endpoint` is `{endpoint}`; it must be {what}, of at most {ENDPOINT_BYTES} bytes");
    NotificationError::new(Fault::Endpoint, text)
}

fn check_remark(remark: &str) -> Result<(), NotificationError> {
    if remark.len() <= REMARK_BYTES {
        return Ok(());
    }
    Err(NotificationError::new(Fault::Remark, format!("`remark` is longer than {REMARK_BYTES} bytes")))
}

fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), NotificationError> {
    let fault = |text: String| Err(NotificationError::new(Fault::Endpoint, text));
    let characters: usize = headers.iter().map(|(name, value)| name.len() + value.chars().count()).sum();
    if headers.len() > MOST_HEADERS || characters > HEADER_CHARACTERS {
        return fault(format!(
            "`header` may have {MOST_HEADERS} members of {HEADER_CHARACTERS} characters together"
        ));
    }
    for (name, value) in headers {
        if !is_header_name(name) {
            return fault(format!(
                "`{name}` is not a header of a subscription: it must begin with x-, but not x-smn, and have letters, digits and single hyphens"
            ));
        }
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return fault(format!("the value of header `{name}` must be printable ASCII"));
        }
    }
    Ok(())
}

fn is_header_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("x-")
        && !lower.starts_with("x-smn")
        && !lower.ends_with('-')
        && !lower.contains("--")
        && lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_subscriptions() {
        for name in ["x-a", "X-Team-1"] {
            assert!(is_header_name(name), "{name}");
        }
        for name in ["a", "x-", "x-smn-a", "X-SMN", "x-a--b", "x-a-", "x-a b", "x-ä"] {
            assert!(!is_header_name(name), "{name}");
        }
        let line_break = BTreeMap::from([("x-a".to_string(), "1\r\nx-b: 2".to_string())]);
        assert!(check_headers(&line_break).is_err());
    }
}
