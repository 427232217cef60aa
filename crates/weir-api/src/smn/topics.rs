//! Topics and what is told of them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use weir_base::audit::AuditRecord;
use weir_cloud::notifications::{LoggedDelivery, Topic, TopicFilter, wire_time};

use super::answer::Answer;
use super::call::Call;
use super::error::SmnError;

const INTRODUCTION: &str = "introduction";
const ACCESS_POLICY: &str = "access_policy";

#[derive(Deserialize)]
struct CreateBody {
    #[serde(default)]
    name: String,
    display_name: Option<String>,
    enterprise_project_id: Option<String>,
}

#[derive(Deserialize)]
struct UpdateBody {
    #[serde(default)]
    display_name: String,
}

#[derive(Deserialize)]
struct AttributeBody {
    value: String,
}

/// POST `/topics`.
pub(super) async fn create(call: Call) -> Result<Answer, SmnError> {
    let body: CreateBody = call.json()?;
    let enterprise = body.enterprise_project_id.as_deref().filter(|id| !id.is_empty()).unwrap_or("0");
    let display_name = body.display_name.unwrap_or_default();
    call.is_about(&body.name);
    let audit = AuditRecord { status: 201, ..call.audit()? };
    let (topic, is_new) =
        call.service.create_topic(&call.project, &body.name, &display_name, enterprise, &audit).await?;
    let urn = call.service.topic_urn(&call.project, &topic.name);
    Ok(Answer::made(is_new, json!({ "topic_urn": urn })))
}

/// GET `/topics`.
pub(super) async fn list(call: Call) -> Result<Answer, SmnError> {
    let filter = TopicFilter {
        name: call.filter("name"),
        name_part: call.filter("fuzzy_name"),
        display_name_part: call.filter("fuzzy_display_name"),
        id: call.filter("topic_id"),
        enterprise_project_id: call.filter("enterprise_project_id"),
    };
    let (count, topics) = call.service.topics(&call.project, &filter, call.page()?).await?;
    let topics: Vec<Value> = topics.iter().map(|topic| wire(&call, topic)).collect();
    Ok(Answer::ok(json!({ "topic_count": count, "topics": topics })))
}

/// GET `/topics/{topic_urn}`.
pub(super) async fn show(call: Call) -> Result<Answer, SmnError> {
    let topic = call.service.topic(&call.project, call.path("topic_urn")).await?;
    Ok(Answer::ok(wire(&call, &topic)))
}

/// PUT `/topics/{topic_urn}`.
pub(super) async fn update(call: Call) -> Result<Answer, SmnError> {
    let body: UpdateBody = call.json()?;
    let (urn, audit) = (call.path("topic_urn"), call.audit()?);
    call.service.rename_topic(&call.project, urn, &body.display_name, &audit).await?;
    Ok(Answer::done())
}

/// DELETE `/topics/{topic_urn}`.
pub(super) async fn remove(call: Call) -> Result<Answer, SmnError> {
    call.service.delete_topic(&call.project, call.path("topic_urn"), &call.audit()?).await?;
    Ok(Answer::done())
}

/// GET `/topics/{topic_urn}/deliveries`: what became of the newest messages, for each subscriber. A call of our own.
pub(super) async fn deliveries(call: Call) -> Result<Answer, SmnError> {
    let topic = call.service.topic(&call.project, call.path("topic_urn")).await?;
    let lines = call.service.log(&topic, call.page()?.limit).await?;
    let deliveries: Vec<Value> = lines.iter().map(delivery).collect();
    Ok(Answer::ok(json!({ "deliveries": deliveries })))
}

fn delivery(line: &LoggedDelivery) -> Value {
    json!({
        "message_id": line.message_id,
        "type": line.kind.as_str(),
        "protocol": line.protocol.as_str(),
        "endpoint": line.endpoint,
        "state": line.state.as_str(),
        "attempts": line.attempts,
        "reason": line.reason,
        "time": wire_time(line.at),
    })
}

/// GET `/topics/{topic_urn}/attributes`.
pub(super) async fn attributes(call: Call) -> Result<Answer, SmnError> {
    let topic = call.service.topic(&call.project, call.path("topic_urn")).await?;
    let mut attributes = Map::new();
    match call.query("name") {
        None | Some(INTRODUCTION) => {
            attributes.insert(INTRODUCTION.to_string(), Value::from(topic.introduction));
        }
        Some(ACCESS_POLICY) => {
            return Err(SmnError::new(
                404,
                45,
                "the topic has no access policy; roles of the project decide",
            ));
        }
        Some(other) => return Err(unknown_attribute(other)),
    }
    Ok(Answer::ok(json!({ "attributes": attributes })))
}

/// PUT `/topics/{topic_urn}/attributes/{name}`.
pub(super) async fn set_attribute(call: Call) -> Result<Answer, SmnError> {
    let body: AttributeBody = call.json()?;
    write_attribute(&call, &body.value).await
}

/// DELETE `/topics/{topic_urn}/attributes/{name}`.
pub(super) async fn clear_attribute(call: Call) -> Result<Answer, SmnError> {
    write_attribute(&call, "").await
}

/// DELETE `/topics/{topic_urn}/attributes`.
pub(super) async fn clear_attributes(call: Call) -> Result<Answer, SmnError> {
    call.service.introduce_topic(&call.project, call.path("topic_urn"), "", &call.audit()?).await?;
    Ok(Answer::done())
}

async fn write_attribute(call: &Call, value: &str) -> Result<Answer, SmnError> {
    match call.path("name") {
        INTRODUCTION => {
            let (urn, audit) = (call.path("topic_urn"), call.audit()?);
            call.service.introduce_topic(&call.project, urn, value, &audit).await?;
            Ok(Answer::done())
        }
        ACCESS_POLICY => Err(SmnError::new(
            400,
            48,
            "access policies are not supported; who has role `smn_adm` in the project of a topic may use it",
        )),
        other => Err(unknown_attribute(other)),
    }
}

fn unknown_attribute(name: &str) -> SmnError {
    let known = format!("`{INTRODUCTION}` or `{ACCESS_POLICY}`");
    SmnError::new(400, 46, format!("`{name}` is not an attribute of a topic; it must be {known}"))
}

fn wire(call: &Call, topic: &Topic) -> Value {
    json!({
        "topic_urn": call.service.topic_urn(&topic.project, &topic.name),
        "name": topic.name,
        "display_name": topic.display_name,
        // 0: what could not be delivered is kept and tried again.
        "push_policy": 0,
        "enterprise_project_id": topic.enterprise_project_id,
        "topic_id": topic.id,
        "create_time": wire_time(topic.created_at),
        "update_time": wire_time(topic.updated_at),
    })
}
