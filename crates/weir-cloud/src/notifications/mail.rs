//! Deliveries by mail: SMTP, to the one server that the operator names.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Tokio1Executor};
use thiserror::Error;
use weir_base::error::with_causes;

use super::deliver::{Links, Refused};
use super::record::{Delivery, Kind};

/// How many times the time of a try at a webhook one at a mail server may take: servers slow senders down on purpose.
const PATIENCE: u32 = 6;

/// The mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct MailOptions {
    /// `smtp://user:password@host:port?tls=required`, or `smtps://`.
    pub url: String,
    /// Who mails come from, such as `Weir <weir@example.com>`.
    pub sender: String,
}

impl fmt::Debug for MailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("MailOptions").field("sender", &self.sender).finish_non_exhaustive()
    }
}

/// The mail server cannot be used as it was named.
#[derive(Debug, Error)]
pub enum MailError {
    /// The address cannot be read.
    #[error(
        "the mail server must be smtp://user:password@host:port, smtps://… or smtp://…?tls=required: {0}"
    )]
    Url(String),
    /// The sender cannot be read.
    #[error("the sender of mails must be an address such as `Weir <weir@example.com>`: {0}")]
    Sender(String),
}

/// Sends mails.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
    time: Duration,
}

impl Mailer {
    pub(super) fn new(options: &MailOptions, attempt_time: Duration) -> Result<Self, MailError> {
        let sender: Mailbox =
            options.sender.parse().map_err(|error| MailError::Sender(format!("{error}")))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&options.url)
            .map_err(|error| MailError::Url(with_causes(&error)))?;
        Ok(Self {
            transport: builder.timeout(Some(attempt_time)).build(),
            sender,
            time: attempt_time * PATIENCE,
        })
    }

    /// Sends a message.
    pub(super) async fn send(&self, delivery: &Delivery, links: &Links) -> Result<(), Refused> {
        let mail = self.compose(delivery, links).map_err(Refused::for_good)?;
        let sent = tokio::time::timeout(self.time, self.transport.send(mail)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(Refused::for_good(with_causes(&error))),
            Ok(Err(error)) => Err(Refused::for_now(with_causes(&error))),
            Err(_) => {
                Err(Refused::for_now(format!("the mail server took longer than {} s", self.time.as_secs())))
            }
        }
    }

    fn compose(&self, delivery: &Delivery, links: &Links) -> Result<Mail, String> {
        let message = &delivery.message;
        let text = message.text(delivery.subscription.protocol);
        let (subject, body) = match message.kind {
            Kind::Notification => {
                let subject = if message.subject.is_empty() { "Notification" } else { &message.subject };
                (subject, format!("{text}\n\n--\nTo get no more of these messages: {}\n", links.unsubscribe))
            }
            Kind::Confirmation => ("Confirm your subscription", with_link(text, &links.subscribe)),
            Kind::Unsubscription => ("You have unsubscribed", with_link(text, &links.subscribe)),
        };
        let name = Some(delivery.display_name.clone()).filter(|name| !name.is_empty());
        let from = Mailbox::new(name.or_else(|| self.sender.name.clone()), self.sender.email.clone());
        let to =
            delivery.subscription.endpoint.parse().map_err(|error| format!("no mail address: {error}"))?;
        // The same for every try, so that a mailbox can tell that it has the mail already.
        let id = format!("<{}.{}@{}>", message.id, delivery.id, self.sender.email.domain());
        let taken = UNIX_EPOCH + Duration::from_millis(message.created_at.0.unsigned_abs());
        Mail::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date(taken)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|error| error.to_string())
    }
}

fn with_link(text: &str, link: &str) -> String {
    format!("{text}\n\nsubscribe_url: {link}\n")
}
