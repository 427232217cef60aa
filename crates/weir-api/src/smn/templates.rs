//! Templates of messages.

use serde::Deserialize;
use serde_json::{Value, json};
use weir_base::audit::AuditRecord;
use weir_cloud::notifications::{Template, TemplateFilter, wire_time};

use super::answer::Answer;
use super::call::Call;
use super::error::SmnError;

#[derive(Deserialize)]
struct CreateBody {
    message_template_name: String,
    protocol: String,
    content: String,
}

#[derive(Deserialize)]
struct UpdateBody {
    content: String,
}

/// POST `/message_template`.
pub(super) async fn create(call: Call) -> Result<Answer, SmnError> {
    let body: CreateBody = call.json()?;
    let name = &body.message_template_name;
    call.is_about(name);
    let audit = AuditRecord { status: 201, ..call.audit()? };
    let made = call.service.create_template(&call.project, name, &body.protocol, &body.content, &audit);
    let id = made.await?;
    Ok(Answer::created(json!({ "message_template_id": id })))
}

/// GET `/message_template`.
pub(super) async fn list(call: Call) -> Result<Answer, SmnError> {
    let filter =
        TemplateFilter { name: call.filter("message_template_name"), protocol: call.filter("protocol") };
    let (count, templates) = call.service.templates(&call.project, &filter, call.page()?).await?;
    let templates: Vec<Value> = templates.iter().map(wire).collect();
    Ok(Answer::ok(json!({ "message_template_count": count, "message_templates": templates })))
}

/// GET `/message_template/{id}`.
pub(super) async fn show(call: Call) -> Result<Answer, SmnError> {
    let template = call.service.template(&call.project, call.path("template_id")).await?;
    let mut members = wire(&template);
    members["content"] = Value::from(template.content);
    Ok(Answer::ok(members))
}

/// PUT `/message_template/{id}`.
pub(super) async fn update(call: Call) -> Result<Answer, SmnError> {
    let body: UpdateBody = call.json()?;
    let (id, audit) = (call.path("template_id"), call.audit()?);
    call.service.update_template(&call.project, id, &body.content, &audit).await?;
    Ok(Answer::done())
}

/// DELETE `/message_template/{id}`.
pub(super) async fn remove(call: Call) -> Result<Answer, SmnError> {
    call.service.delete_template(&call.project, call.path("template_id"), &call.audit()?).await?;
    Ok(Answer::done())
}

fn wire(template: &Template) -> Value {
    json!({
        "message_template_id": template.id,
        "message_template_name": template.name,
        "protocol": template.protocol,
        "tag_names": template.tag_names(),
        "create_time": wire_time(template.created_at),
        "update_time": wire_time(template.updated_at),
    })
}
