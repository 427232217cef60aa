//! Publishing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use weir_cloud::notifications::Publication;

use super::answer::Answer;
use super::call::Call;
use super::error::SmnError;

#[derive(Deserialize)]
struct PublishBody {
    subject: Option<String>,
    message: Option<String>,
    message_structure: Option<String>,
    message_template_name: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    time_to_live: Option<String>,
}

/// POST `/topics/{topic_urn}/publish`.
pub(super) async fn publish(call: Call) -> Result<Answer, SmnError> {
    let body: PublishBody = call.json()?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let publication = Publication {
        subject: body.subject.unwrap_or_default(),
        message: given(body.message),
        structure: given(body.message_structure),
        template: given(body.message_template_name),
        tags: body.tags.unwrap_or_default(),
        time_to_live: given(body.time_to_live),
    };
    let id = call.service.publish(&call.project, call.path("topic_urn"), publication).await?;
    Ok(Answer::ok(json!({ "message_id": id })))
}
