//! Takes messages to their subscribers: what is due, until it arrives or its tries are used up.
//!
//! What is on its way is in the store and nowhere else. The process may die at any line: a message that was sent and not
//! noted yet is sent again, so that a subscriber gets it at least once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::task::JoinSet;
use weir_base::time::Timestamp;

use super::error::NotificationError;
use super::record::{Delivery, Protocol};
use super::repository::Outcome;
use super::service::Notifications;

/// Tries at the same time; a try waits for the other side nearly all of its time.
const AT_ONCE: usize = 32;
/// Tries at the same time to one subscriber, so that a slow one does not hold up the others.
const AT_ONCE_EACH: i64 = 4;
/// The first try and six more.
const MOST_ATTEMPTS: u32 = 7;
/// Longest time between two looks into the store, in which another process may have written.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long the log of deliveries is kept, and how often it is shortened.
const KEEP_LOG: Duration = Duration::from_secs(7 * 24 * 3_600);
const SHORTEN_EVERY: Duration = Duration::from_secs(3_600);

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    reason: String,
    for_good: bool,
}

impl Refused {
    /// It may arrive next time.
    pub(super) fn for_now(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: false }
    }

    /// It never will.
    pub(super) fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: true }
    }
}

/// The addresses in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Links {
    /// The topic.
    pub(super) topic_urn: String,
    /// For confirming.
    pub(super) subscribe: String,
    /// For leaving.
    pub(super) unsubscribe: String,
    /// The certificate that proves signatures.
    pub(super) certificate: String,
}

impl Notifications {
    /// Delivers what is due, until `shutdown` is ready. What is under way then stays due.
    pub async fn deliver(self: Arc<Self>, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut tries: JoinSet<i64> = JoinSet::new();
        let mut busy: HashSet<i64> = HashSet::new();
        let mut shortened: Option<Timestamp> = None;
        loop {
            let wait = match self.begin_due(&mut tries, &mut busy, &mut shortened).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "messages that are due could not be read, will retry");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(done) = tries.join_next() => match done {
                    Ok(id) => { busy.remove(&id); }
                    Err(error) => {
                        // Which one it was is not known: all are looked at anew when they have ended.
                        tracing::error!(%error, "a try to deliver ended badly");
                        if tries.is_empty() { busy.clear(); }
                    }
                },
                () = self.changed.notified() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
        tries.abort_all();
    }

    /// Begins what is due. Returns how long nothing else will be.
    async fn begin_due(
        self: &Arc<Self>,
        tries: &mut JoinSet<i64>,
        busy: &mut HashSet<i64>,
        shortened: &mut Option<Timestamp>,
    ) -> Result<Duration, NotificationError> {
        let now = self.now();
        if shortened.is_none_or(|at| now.since(at) >= SHORTEN_EVERY) {
            self.repository.forget_before(now.minus(KEEP_LOG)).await?;
            *shortened = Some(now);
        }
        if busy.len() >= AT_ONCE {
            return Ok(LOOK_AGAIN);
        }
        // Those under way are still due in the store; each is among the first of its subscription, so that these are never
        // more than `AT_ONCE_EACH`.
        let limit = i64::try_from(AT_ONCE + busy.len()).unwrap_or(i64::MAX);
        for delivery in self.repository.due(now, AT_ONCE_EACH, limit).await? {
            if busy.len() < AT_ONCE && busy.insert(delivery.id) {
                let service = Arc::clone(self);
                tries.spawn(async move {
                    service.attempt(&delivery).await;
                    delivery.id
                });
            }
        }
        let next = self.repository.next_due().await?;
        let wait = next.map_or(LOOK_AGAIN, |due| due.since(now));
        // What is due and could not begin begins when a try ends, which wakes this.
        Ok(if wait.is_zero() { LOOK_AGAIN } else { wait.min(LOOK_AGAIN) })
    }

    async fn attempt(&self, delivery: &Delivery) {
        let now = self.now();
        let links = self.links(delivery);
        let sent = if now >= delivery.message.expires_at {
            Err(Refused::for_good("it was not delivered within its time to live"))
        } else {
            match (delivery.subscription.protocol, &self.mailer) {
                (Protocol::Http | Protocol::Https, _) => {
                    self.webhooks.post(delivery, &links, &self.signer).await
                }
                (Protocol::Email, Some(mailer)) => mailer.send(delivery, &links).await,
                (Protocol::Email, None) => {
                    Err(Refused::for_now("the service has no mail server; set `smtp_url`"))
                }
            }
        };
        let outcome = outcome(delivery, sent, self.now(), self.options.first_retry);
        self.tell(delivery, &outcome);
        if let Err(error) = self.repository.finish(delivery.id, &outcome, self.now()).await {
            tracing::error!(message_id = delivery.message.id, %error, "what a try to deliver ended with could not be stored; the message will be sent again");
        }
    }

    fn tell(&self, delivery: &Delivery, outcome: &Outcome) {
        let message_id = &delivery.message.id;
        let topic = &delivery.subscription.topic_name;
        let subscription = &delivery.subscription.id;
        let attempt = delivery.attempts + 1;
        match outcome {
            Outcome::Delivered => {
                tracing::debug!(message_id, topic, subscription, attempt, "message delivered")
            }
            Outcome::Retry { reason, .. } if attempt == 1 => {
                tracing::warn!(message_id, topic, subscription, reason, "message not delivered, will retry");
            }
            Outcome::Retry { reason, .. } => {
                tracing::debug!(
                    message_id,
                    topic,
                    subscription,
                    attempt,
                    reason,
                    "message not delivered, will retry"
                );
            }
            Outcome::Failed { reason } => {
                tracing::error!(message_id, topic, subscription, attempt, reason, "message given up");
            }
        }
    }

    fn links(&self, delivery: &Delivery) -> Links {
        let subscription = &delivery.subscription;
        let base = self.options.public_url.trim_end_matches('/');
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let topic_urn = self.topic_urn(&subscription.project, &subscription.topic_name);
        let here = format!("{base}/v2/notifications/subscriptions");
        Links {
            subscribe: format!(
                "{here}/subscribe?token={}&topic_urn={}&region={}",
                subscription.token,
                encode(&topic_urn),
                encode(&self.options.region)
            ),
            unsubscribe: format!(
                "{here}/unsubscribe?subscription_urn={}",
                encode(&self.subscription_urn(subscription))
            ),
            certificate: format!("{base}/smn/{}", self.signer.certificate_name()),
            topic_urn,
        }
    }
}

/// Decides what follows from a try.
fn outcome(delivery: &Delivery, sent: Result<(), Refused>, now: Timestamp, first_retry: Duration) -> Outcome {
    let Err(Refused { reason, for_good }) = sent else { return Outcome::Delivered };
    let attempts = delivery.attempts + 1;
    if for_good || attempts >= MOST_ATTEMPTS {
        return Outcome::Failed { reason };
    }
    let due = now.plus(first_retry.saturating_mul(1 << delivery.attempts.min(20)));
    if due >= delivery.message.expires_at {
        return Outcome::Failed { reason: format!("{reason}; its time to live is over before the next try") };
    }
    Outcome::Retry { due, reason }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_base::id::ProjectId;

    use super::super::record::{Kind, Message, Subscription, SubscriptionStatus};
    use super::*;

    fn delivery(attempts: u32) -> Delivery {
        let project = ProjectId("p".to_string());
        Delivery {
            id: 1,
            attempts,
            message: Message {
                id: "m".into(),
                project: project.clone(),
                topic_id: "t".into(),
                kind: Kind::Notification,
                subject: String::new(),
                texts: BTreeMap::new(),
                created_at: Timestamp(0),
                expires_at: Timestamp(3_600_000),
            },
            subscription: Subscription {
                id: "s".into(),
                topic_id: "t".into(),
                project,
                topic_name: "t".into(),
                protocol: Protocol::Http,
                endpoint: "http://a.example".into(),
                remark: String::new(),
                headers: BTreeMap::new(),
                status: SubscriptionStatus::Confirmed,
                token: String::new(),
                token_expires_at: Timestamp(0),
                created_at: Timestamp(0),
            },
            display_name: String::new(),
        }
    }

    #[test]
    fn a_message_is_tried_seven_times_with_doubling_waits() {
        let first = Duration::from_secs(10);
        let mut waits = Vec::new();
        for attempts in 0..7 {
            match outcome(&delivery(attempts), Err(Refused::for_now("x")), Timestamp(1_000), first) {
                Outcome::Retry { due, .. } => waits.push(due.since(Timestamp(1_000)).as_secs()),
                Outcome::Failed { reason } => assert_eq!((attempts, reason.as_str()), (6, "x")),
                Outcome::Delivered => panic!("it was refused"),
            }
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320]);
    }

    #[test]
    fn what_cannot_arrive_is_not_tried_again() {
        let first = Duration::from_secs(10);
        let refused = outcome(&delivery(0), Err(Refused::for_good("no")), Timestamp(0), first);
        assert_eq!(refused, Outcome::Failed { reason: "no".into() });
        let late = outcome(&delivery(0), Err(Refused::for_now("no")), Timestamp(3_595_000), first);
        assert!(matches!(late, Outcome::Failed { reason } if reason.contains("time to live")));
        assert_eq!(outcome(&delivery(6), Ok(()), Timestamp(0), first), Outcome::Delivered);
    }
}
