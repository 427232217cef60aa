//! Subscriptions, as the owner of a topic sees them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use weir_base::audit::AuditRecord;
use weir_cloud::notifications::{NewSubscription, Subscription, SubscriptionFilter, SubscriptionStatus};

use super::answer::Answer;
use super::call::Call;
use super::error::SmnError;

/// Subscriptions in one request.
const MOST_AT_ONCE: usize = 50;

#[derive(Deserialize)]
struct SubscribeBody {
    protocol: Option<String>,
    endpoint: Option<String>,
    remark: Option<String>,
    extension: Option<Extension>,
    subscriptions: Option<Vec<OneOfMany>>,
}

#[derive(Deserialize)]
struct OneOfMany {
    protocol: String,
    endpoint: String,
    remark: Option<String>,
    extension: Option<Extension>,
}

#[derive(Deserialize)]
struct Extension {
    header: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct UpdateBody {
    #[serde(default)]
    remark: String,
}

/// POST `/topics/{topic_urn}/subscriptions`: one, or several.
pub(super) async fn subscribe(call: Call) -> Result<Answer, SmnError> {
    let body: SubscribeBody = call.json()?;
    let topic = call.path("topic_urn");
    if let Some(many) = body.subscriptions.filter(|many| !many.is_empty()) {
        return subscribe_all(&call, topic, many).await;
    }
    let protocol = body.protocol.ok_or_else(|| SmnError::new(400, 11, "`protocol` is missing"))?;
    let endpoint = body.endpoint.ok_or_else(|| SmnError::new(400, 12, "`endpoint` is missing"))?;
    call.is_about(&endpoint);
    let new = new(protocol, endpoint, body.remark, body.extension);
    let audit = AuditRecord { status: 201, ..call.audit()? };
    let (urn, is_new) = call.service.subscribe(&call.project, topic, new, &audit).await?;
    Ok(Answer::made(is_new, json!({ "subscription_urn": urn })))
}

async fn subscribe_all(call: &Call, topic: &str, many: Vec<OneOfMany>) -> Result<Answer, SmnError> {
    if many.len() > MOST_AT_ONCE {
        return Err(SmnError::body(format!("`subscriptions` may have {MOST_AT_ONCE} members")));
    }
    // A record of each subscription.
    let audit = AuditRecord { status: 201, ..call.audit()? };
    let mut any_new = false;
    let mut urns = Vec::new();
    for one in many {
        call.is_about(&one.endpoint);
        let new = new(one.protocol, one.endpoint, one.remark, one.extension);
        let (urn, is_new) = call.service.subscribe(&call.project, topic, new, &audit).await?;
        any_new |= is_new;
        urns.push(urn);
    }
    let all: Vec<Value> = urns.iter().map(|urn| json!({ "subscription_urn": urn })).collect();
    Ok(Answer::made(any_new, json!({ "subscription_urn": urns.first(), "subscriptions": all })))
}

fn new(
    protocol: String,
    endpoint: String,
    remark: Option<String>,
    extension: Option<Extension>,
) -> NewSubscription {
    let headers = extension.and_then(|extension| extension.header).unwrap_or_default();
    NewSubscription { protocol, endpoint, remark: remark.unwrap_or_default(), headers }
}

/// GET `/subscriptions`.
pub(super) async fn list(call: Call) -> Result<Answer, SmnError> {
    list_of(&call, None).await
}

/// GET `/topics/{topic_urn}/subscriptions`.
pub(super) async fn list_of_topic(call: Call) -> Result<Answer, SmnError> {
    list_of(&call, Some(call.path("topic_urn"))).await
}

async fn list_of(call: &Call, topic: Option<&str>) -> Result<Answer, SmnError> {
    let page = call.page()?;
    let status = match call.query("status") {
        None => None,
        // No subscription has a status that is not known.
        Some(text) => match text.parse().ok().and_then(SubscriptionStatus::parse) {
            None => return Ok(Answer::ok(json!({ "subscription_count": 0, "subscriptions": [] }))),
            known => known,
        },
    };
    let filter = SubscriptionFilter {
        topic_id: None,
        protocol: call.filter("protocol"),
        status,
        endpoint: call.filter("endpoint"),
        remark_part: call.filter("fuzzy_remark"),
    };
    let (count, found) = call.service.subscriptions(&call.project, topic, filter, page).await?;
    let found: Vec<Value> = found.iter().map(|subscription| wire(call, subscription)).collect();
    Ok(Answer::ok(json!({ "subscription_count": count, "subscriptions": found })))
}

/// PUT `/topics/{topic_urn}/subscriptions/{subscription_urn}`.
pub(super) async fn update(call: Call) -> Result<Answer, SmnError> {
    let body: UpdateBody = call.json()?;
    let urn = call.path("subscription_urn");
    call.service.remark(&call.project, urn, &body.remark, &call.audit()?).await?;
    Ok(Answer::ok(json!({ "subscription_urn": urn })))
}

/// DELETE `/subscriptions/{subscription_urn}`.
pub(super) async fn remove(call: Call) -> Result<Answer, SmnError> {
    let (urn, audit) = (call.path("subscription_urn"), call.audit()?);
    call.service.delete_subscription(&call.project, urn, &audit).await?;
    Ok(Answer::done())
}

fn wire(call: &Call, subscription: &Subscription) -> Value {
    json!({
        "topic_urn": call.service.topic_urn(&subscription.project, &subscription.topic_name),
        "subscription_urn": call.service.subscription_urn(subscription),
        "protocol": subscription.protocol.as_str(),
        "owner": subscription.project,
        "endpoint": subscription.endpoint,
        "remark": subscription.remark,
        "status": subscription.status.number(),
        "extension": { "header": subscription.headers },
        "filter_polices": [],
    })
}
