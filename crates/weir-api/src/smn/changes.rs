//! What the audit says of the calls that change something. Publishing changes nothing: messages are data.

use weir_base::audit::Change;

use crate::audited::Row;

/// Which route changes what.
pub(crate) const CHANGES: &[Row] = &[
    row("POST", "/v2/{project_id}/notifications/topics", "topic", "createTopic"),
    row("PUT", "/v2/{project_id}/notifications/topics/{topic_urn}", "topic", "updateTopic"),
    row("DELETE", "/v2/{project_id}/notifications/topics/{topic_urn}", "topic", "deleteTopic"),
    row(
        "DELETE",
        "/v2/{project_id}/notifications/topics/{topic_urn}/attributes",
        "topic",
        "deleteTopicAttributes",
    ),
    row(
        "PUT",
        "/v2/{project_id}/notifications/topics/{topic_urn}/attributes/{name}",
        "topic",
        "updateTopicAttribute",
    ),
    row(
        "DELETE",
        "/v2/{project_id}/notifications/topics/{topic_urn}/attributes/{name}",
        "topic",
        "deleteTopicAttributeByName",
    ),
    row(
        "POST",
        "/v2/{project_id}/notifications/topics/{topic_urn}/subscriptions",
        "subscription",
        "subscribe",
    ),
    row(
        "PUT",
        "/v2/{project_id}/notifications/topics/{topic_urn}/subscriptions/{subscription_urn}",
        "subscription",
        "updateSubscriberRemark",
    ),
    row(
        "DELETE",
        "/v2/{project_id}/notifications/topics/{topic_urn}/subscriptions/{subscription_urn}",
        "subscription",
        "delsubscribe",
    ),
    row(
        "DELETE",
        "/v2/{project_id}/notifications/subscriptions/{subscription_urn}",
        "subscription",
        "delsubscribe",
    ),
    row(
        "POST",
        "/v2/{project_id}/notifications/message_template",
        "message_template",
        "createMessageTemplate",
    ),
    row(
        "PUT",
        "/v2/{project_id}/notifications/message_template/{template_id}",
        "message_template",
        "updateMessageTemplate",
    ),
    row(
        "DELETE",
        "/v2/{project_id}/notifications/message_template/{template_id}",
        "message_template",
        "deleteMessageTemplate",
    ),
];

/// What a subscriber does with the links in messages.
pub(super) const CONFIRM: Change = of("subscription", "confirmSubscription");
/// The other link.
pub(super) const LEAVE: Change = of("subscription", "cancelSubscription");

const fn row(
    method: &'static str,
    path: &'static str,
    resource_type: &'static str,
    event: &'static str,
) -> Row {
    (method, path, of(resource_type, event))
}

const fn of(resource_type: &'static str, event: &'static str) -> Change {
    Change { service: "SMN", resource_type, event }
}
