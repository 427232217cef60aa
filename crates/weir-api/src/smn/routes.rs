//! Which path and method leads where.

use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Router, middleware};

use super::error::SmnError;
use super::{answer, links, publish, subscriptions, templates, topics};
use crate::state::ApiState;

/// Returns the routes of the notification service.
pub fn router() -> Router<ApiState> {
    let of_project: [(&str, MethodRouter<ApiState>); 12] = [
        ("/topics", post(topics::create).get(topics::list)),
        ("/topics/{topic_urn}", get(topics::show).put(topics::update).delete(topics::remove)),
        ("/topics/{topic_urn}/attributes", get(topics::attributes).delete(topics::clear_attributes)),
        ("/topics/{topic_urn}/attributes/{name}", put(topics::set_attribute).delete(topics::clear_attribute)),
        (
            "/topics/{topic_urn}/subscriptions",
            post(subscriptions::subscribe).get(subscriptions::list_of_topic),
        ),
        (
            "/topics/{topic_urn}/subscriptions/{subscription_urn}",
            put(subscriptions::update).delete(subscriptions::remove),
        ),
        ("/topics/{topic_urn}/deliveries", get(topics::deliveries)),
        ("/topics/{topic_urn}/publish", post(publish::publish)),
        ("/subscriptions", get(subscriptions::list)),
        ("/subscriptions/{subscription_urn}", delete(subscriptions::remove)),
        ("/message_template", post(templates::create).get(templates::list)),
        (
            "/message_template/{template_id}",
            get(templates::show).put(templates::update).delete(templates::remove),
        ),
    ];
    let for_everybody: [(&str, MethodRouter<ApiState>); 8] = [
        ("/v2", get(links::version)),
        ("/v2/", get(links::version)),
        ("/v2/notifications/subscriptions/subscribe", get(links::subscribe)),
        ("/v2/notifications/subscriptions/unsubscribe", get(links::unsubscribe)),
        ("/rest/v2/notifications/subscription/confirm", get(links::subscribe)),
        ("/rest/v2/notifications/subscription/unsubscribe", get(links::unsubscribe)),
        ("/smn/{certificate_id}", get(links::certificate)),
        ("/v2/notifications/certifications/download/{certificate_id}", get(links::certificate)),
    ];
    let mut router = Router::new();
    for (path, methods) in of_project {
        let path = format!("/v2/{{project_id}}/notifications{path}");
        router = router.route(&path, methods.fallback(refuse_method));
    }
    for (path, methods) in for_everybody {
        router = router.route(path, methods.fallback(refuse_method));
    }
    router.layer(middleware::from_fn(answer::render))
}

async fn refuse_method() -> SmnError {
    SmnError { status: 405, ..SmnError::body("the path has no such method") }
}
