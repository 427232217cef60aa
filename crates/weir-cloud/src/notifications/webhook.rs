//! Deliveries to webhooks.

use std::time::Duration;

use reqwest::{Client, Url, redirect};
use serde_json::{Map, Value};
use weir_base::error::with_causes;

use super::deliver::{Links, Refused};
use super::internal::{self, PublicNames};
use super::record::{Delivery, Kind};
use super::signer::{Signer, SignerError, wire_time};

/// Posts to webhooks.
pub(super) struct Webhooks {
    client: Result<Client, String>,
    internal_allowed: bool,
}

impl Webhooks {
    pub(super) fn new(internal_allowed: bool, attempt_time: Duration) -> Self {
        // A redirect could lead where a subscription may not, and a proxy would look names up by itself.
        let client = Client::builder().timeout(attempt_time).redirect(redirect::Policy::none()).no_proxy();
        let client = if internal_allowed { client } else { client.dns_resolver(PublicNames) };
        Self { client: client.build().map_err(|error| error.to_string()), internal_allowed }
    }

    /// Posts a message. Any 2xx is an arrival.
    pub(super) async fn post(
        &self,
        delivery: &Delivery,
        links: &Links,
        signer: &Signer,
    ) -> Result<(), Refused> {
        let client =
            self.client.as_ref().map_err(|error| Refused::for_now(format!("no HTTP client: {error}")))?;
        let subscription = &delivery.subscription;
        let url = Url::parse(&subscription.endpoint).map_err(|error| Refused::for_good(error.to_string()))?;
        if !self.internal_allowed && internal::is_internal_host(&url) {
            return Err(Refused::for_good("the endpoint is inside the network of the service"));
        }
        let body = body(delivery, links, signer).map_err(|error| Refused::for_now(error.to_string()))?;
        let mut request = client
            .post(url)
            .header("X-SMN-MESSAGE-TYPE", delivery.message.kind.as_str())
            .header("X-SMN-MESSAGE-ID", &delivery.message.id)
            .header("X-SMN-TOPIC-URN", &links.topic_urn);
        for (name, value) in &subscription.headers {
            request = request.header(name, value);
        }
        // Addresses of webhooks hold secrets, and reasons stand in logs.
        let unreachable = |error: reqwest::Error| Refused::for_now(with_causes(&error.without_url()));
        let answer = request.json(&body).send().await.map_err(unreachable)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(Refused::for_now(format!("the endpoint answered {status}"))),
        }
    }
}

/// Returns the body of a delivery.
fn body(delivery: &Delivery, links: &Links, signer: &Signer) -> Result<Value, SignerError> {
    let message = &delivery.message;
    let kind = message.kind;
    let text = message.text(delivery.subscription.protocol);
    let time = wire_time(message.created_at);
    let subject = message.subject.as_str();
    let mut signed = vec![("message", text), ("message_id", &message.id)];
    let own = match kind {
        Kind::Notification => ("subject", subject),
        Kind::Confirmation | Kind::Unsubscription => ("subscribe_url", links.subscribe.as_str()),
    };
    if !own.1.is_empty() {
        signed.push(own);
    }
    signed.extend([("timestamp", time.as_str()), ("topic_urn", &links.topic_urn), ("type", kind.as_str())]);
    let signature = signer.sign(&signed)?;
    let mut members: Vec<(&str, &str)> = signed;
    if own.1.is_empty() {
        members.push(own);
    }
    if kind == Kind::Notification {
        members.push(("unsubscribe_url", &links.unsubscribe));
    }
    members.extend([
        ("signature", signature.as_str()),
        ("signature_version", "v1"),
        ("signing_cert_url", &links.certificate),
    ]);
    let members = members.into_iter().map(|(name, value)| (name.to_string(), Value::from(value)));
    Ok(Value::Object(members.collect::<Map<_, _>>()))
}
