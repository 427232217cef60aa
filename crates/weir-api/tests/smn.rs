//! The notification service over HTTP, with webhooks in this process, and the alarms of jobs.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use common::World;
use serde_json::{Value, json};
use weir_cloud::notifications::{DeliveryState, LoggedDelivery};

/// A webhook that keeps what it gets.
#[derive(Clone, Default)]
struct Webhook {
    got: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    /// How many deliveries it refuses first.
    refusals: Arc<AtomicU16>,
}

impl Webhook {
    async fn open() -> (Self, String) {
        let webhook = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(Self::receive)).with_state(webhook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (webhook, url)
    }

    async fn receive(State(webhook): State<Self>, headers: HeaderMap, body: String) -> StatusCode {
        let refused =
            webhook.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refused.is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        webhook.got.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
        StatusCode::OK
    }

    fn got(&self) -> Vec<(HeaderMap, Value)> {
        self.got.lock().unwrap().clone()
    }

    /// Waits for the next message behind those that were seen.
    async fn wait_for(&self, place: usize) -> (HeaderMap, Value) {
        for _ in 0..1_000 {
            if let Some(message) = self.got().get(place) {
                return message.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no message {place}: {:?}", self.got());
    }
}

struct Smn(World);

impl Smn {
    async fn start() -> Self {
        Self(World::start(|_| {}).await)
    }

    async fn call_as(&self, user: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/v2/{}/notifications{path}", self.0.base_url, self.0.project);
        let mut request = reqwest::Client::new()
            .request(method.parse().unwrap(), url)
            .header("X-Auth-Token", self.0.tokens[user].as_str());
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call_as("admin", method, path, body).await
    }

    /// Makes a call that must be refused with a code.
    async fn refused(&self, method: &str, path: &str, body: Value, expected: (u16, &str)) {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(
            (status, answer["code"].as_str().unwrap_or_default()),
            expected,
            "{method} {path}: {answer}"
        );
        assert!(!answer["request_id"].as_str().unwrap().is_empty());
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }

    async fn topic(&self, name: &str) -> String {
        let (status, body) =
            self.call("POST", "/topics", json!({ "name": name, "display_name": "Cars" })).await;
        assert_eq!(status, 201, "{body}");
        body["topic_urn"].as_str().unwrap().to_string()
    }

    /// Subscribes a webhook and confirms it; returns the URN.
    async fn subscribe(&self, topic: &str, webhook: &Webhook, url: &str) -> String {
        let before = webhook.got().len();
        let body = json!({ "protocol": "http", "endpoint": url, "remark": "r", "extension": { "header": { "x-team": "a" } } });
        let (status, answer) = self.call("POST", &format!("/topics/{topic}/subscriptions"), body).await;
        assert_eq!(status, 201, "{answer}");
        let (_, question) = webhook.wait_for(before).await;
        assert_eq!(question["type"], "SubscriptionConfirmation");
        let confirmed = reqwest::get(question["subscribe_url"].as_str().unwrap()).await.unwrap();
        assert_eq!(confirmed.status(), 200);
        let confirmed: Value = confirmed.json().await.unwrap();
        assert_eq!(confirmed["subscription_urn"], answer["subscription_urn"]);
        answer["subscription_urn"].as_str().unwrap().to_string()
    }

    async fn publish(&self, topic: &str, body: Value) -> String {
        let (status, answer) = self.call("POST", &format!("/topics/{topic}/publish"), body).await;
        assert_eq!(status, 200, "{answer}");
        answer["message_id"].as_str().unwrap().to_string()
    }

    /// Waits until no delivery of a topic is on its way; returns the log.
    async fn settled(&self, topic: &str) -> Vec<LoggedDelivery> {
        let project = weir_base::id::ProjectId(self.0.project.clone());
        for _ in 0..1_000 {
            let record = self.0.notifications.topic(&project, topic).await.unwrap();
            let log = self.0.notifications.log(&record, 100).await.unwrap();
            if log.iter().all(|line| line.state != DeliveryState::Pending) {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("deliveries of {topic} are still on their way");
    }
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_subscriber_is_asked_then_gets_messages_until_it_leaves() {
    let smn = Smn::start().await;
    let (webhook, url) = Webhook::open().await;
    let topic = smn.topic("cars").await;
    assert_eq!(topic, format!("urn:smn:local:{}:cars", smn.0.project));
    let (status, again) = smn.call("POST", "/topics", json!({ "name": "cars" })).await;
    assert_eq!((status, again["topic_urn"].as_str().unwrap()), (200, topic.as_str()));

    let subscribe = format!("/topics/{topic}/subscriptions");
    let body = json!({ "protocol": "http", "endpoint": url });
    assert_eq!(smn.call("POST", &subscribe, body.clone()).await.0, 201);
    smn.publish(&topic, json!({ "message": "too early" })).await;
    let (headers, question) = webhook.wait_for(0).await;
    assert_eq!(headers["x-smn-message-type"], "SubscriptionConfirmation");
    assert_eq!(headers["x-smn-topic-urn"], topic);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-smn-message-id"], question["message_id"].as_str().unwrap());
    reqwest::get(question["subscribe_url"].as_str().unwrap()).await.unwrap().error_for_status().unwrap();
    assert_eq!(smn.call("POST", &subscribe, body).await.0, 200, "it is subscribed already");

    let id = smn.publish(&topic, json!({ "subject": "s", "message": "hello" })).await;
    let (headers, message) = webhook.wait_for(1).await;
    assert_eq!(headers["x-smn-message-id"], id);
    assert_eq!((&message["type"], &message["subject"]), (&json!("Notification"), &json!("s")));
    assert_eq!((&message["message"], &message["message_id"]), (&json!("hello"), &json!(id)));
    let certificate = reqwest::get(message["signing_cert_url"].as_str().unwrap()).await.unwrap();
    assert!(certificate.text().await.unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    let (_, list) = smn.call("GET", "/subscriptions", Value::Null).await;
    assert_eq!((&list["subscription_count"], &list["subscriptions"][0]["status"]), (&json!(1), &json!(1)));
    reqwest::get(message["unsubscribe_url"].as_str().unwrap()).await.unwrap().error_for_status().unwrap();
    let (_, farewell) = webhook.wait_for(2).await;
    assert_eq!(farewell["type"], "UnsubscribeConfirmation");
    smn.publish(&topic, json!({ "message": "it has left" })).await;
    let (_, list) = smn.call("GET", &subscribe, Value::Null).await;
    assert_eq!(list["subscriptions"][0]["status"], 3);
    reqwest::get(farewell["subscribe_url"].as_str().unwrap()).await.unwrap().error_for_status().unwrap();
    smn.publish(&topic, json!({ "message": "and is back" })).await;
    assert_eq!(webhook.wait_for(3).await.1["message"], "and is back");
    let urn = list["subscriptions"][0]["subscription_urn"].as_str().unwrap();
    assert_eq!(smn.call("DELETE", &format!("/subscriptions/{urn}"), Value::Null).await.0, 200);
    assert_eq!(smn.call("DELETE", &format!("/topics/{topic}"), Value::Null).await.0, 200);
    smn.refused("GET", &format!("/topics/{topic}"), Value::Null, (404, "SMN.0006")).await;
    assert_eq!(webhook.got().len(), 4);
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_again_and_one_that_always_fails_is_given_up() {
    let smn = Smn::start().await;
    let (webhook, url) = Webhook::open().await;
    let topic = smn.topic("cars").await;
    smn.subscribe(&topic, &webhook, &url).await;
    webhook.refusals.store(2, Ordering::SeqCst);
    smn.publish(&topic, json!({ "message": "a" })).await;
    let (headers, message) = webhook.wait_for(1).await;
    assert_eq!((&message["message"], &headers["x-team"]), (&json!("a"), &"a".parse().unwrap()));
    let log = smn.settled(&topic).await;
    assert_eq!((log[0].state, log[0].attempts), (DeliveryState::Delivered, 3));
    webhook.refusals.store(99, Ordering::SeqCst);
    smn.publish(&topic, json!({ "message": "b" })).await;
    let log = smn.settled(&topic).await;
    assert_eq!((log[0].state, log[0].attempts), (DeliveryState::Failed, 7));
    // Whoever may use the topic can read it.
    let (status, told) = smn.call("GET", &format!("/topics/{topic}/deliveries?limit=2"), Value::Null).await;
    assert_eq!(status, 200, "{told}");
    let shown = told["deliveries"].as_array().unwrap();
    let states: Vec<_> =
        shown.iter().map(|line| (&line["state"], &line["attempts"], &line["endpoint"])).collect();
    assert_eq!(
        states,
        [(&json!("failed"), &json!(7), &json!(url)), (&json!("delivered"), &json!(3), &json!(url))]
    );
    assert!(shown[0]["reason"].as_str().unwrap().contains("503"), "{told}");
    assert_eq!((&shown[0]["type"], &shown[0]["protocol"]), (&json!("Notification"), &json!("http")));
    let elsewhere = topic.replace(":cars", ":trains");
    assert_eq!(smn.call("GET", &format!("/topics/{elsewhere}/deliveries"), Value::Null).await.0, 404);
    assert!(log[0].reason.contains("503"), "{}", log[0].reason);
    assert_eq!(webhook.refusals.load(Ordering::SeqCst), 99 - 7);
}

#[tokio::test]
async fn structures_and_templates_choose_the_text() {
    let smn = Smn::start().await;
    let (webhook, url) = Webhook::open().await;
    let topic = smn.topic("cars").await;
    smn.subscribe(&topic, &webhook, &url).await;
    let structure = json!({ "default": "d", "http": "h" }).to_string();
    smn.publish(&topic, json!({ "message": "m", "message_structure": structure })).await;
    assert_eq!(webhook.wait_for(1).await.1["message"], "h");
    let publish = format!("/topics/{topic}/publish");
    let template = |protocol: &str| json!({ "message_template_name": "t", "protocol": protocol, "content": format!("{protocol}: {{car}} is late") });
    let (status, made) = smn.call("POST", "/message_template", template("email")).await;
    assert_eq!(status, 201);
    let by_template = json!({ "message_template_name": "t", "tags": { "car": "A1" } });
    smn.refused("POST", &publish, by_template.clone(), (404, "SMN.0076")).await;
    assert_eq!(smn.call("POST", "/message_template", template("default")).await.0, 201);
    smn.refused("POST", "/message_template", template("default"), (400, "SMN.0025")).await;
    smn.publish(&topic, by_template).await;
    assert_eq!(webhook.wait_for(2).await.1["message"], "default: A1 is late");
    smn.refused("POST", &publish, json!({ "message_template_name": "t" }), (403, "SMN.0075")).await;
    smn.refused("POST", &publish, json!({ "message_template_name": "x" }), (404, "SMN.0027")).await;
    let one = format!("/message_template/{}", made["message_template_id"].as_str().unwrap());
    assert_eq!(smn.call("PUT", &one, json!({ "content": "bye" })).await.0, 200);
    let (_, shown) = smn.call("GET", &one, Value::Null).await;
    assert_eq!((&shown["content"], &shown["tag_names"]), (&json!("bye"), &json!([])));
    let (_, list) = smn.call("GET", "/message_template?protocol=default", Value::Null).await;
    assert_eq!(list["message_templates"][0]["tag_names"], json!(["car"]));
    assert_eq!(smn.call("DELETE", &one, Value::Null).await.0, 200);
    smn.refused("GET", &one, Value::Null, (404, "SMN.0027")).await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_code() {
    let smn = Smn::start().await;
    let topic = smn.topic("cars").await;
    let one = format!("/topics/{topic}");
    let subscribe = format!("{one}/subscriptions");
    let publish = format!("{one}/publish");
    let to = |protocol: &str, endpoint: &str| json!({ "protocol": protocol, "endpoint": endpoint });
    let elsewhere = format!("/topics/urn:smn:local:{}:cars", "f".repeat(32));
    for (method, path, body, expected) in [
        ("POST", "/topics", json!({ "name": "a b" }), (400, "SMN.0002")),
        ("POST", "/topics", json!({ "name": "a", "display_name": "x".repeat(193) }), (400, "SMN.0003")),
        ("POST", "/topics", json!({}), (400, "SMN.0002")),
        ("GET", "/topics?limit=101", Value::Null, (400, "SMN.0015")),
        ("GET", "/topics/cars", Value::Null, (400, "SMN.0005")),
        ("GET", elsewhere.as_str(), Value::Null, (404, "SMN.0006")),
        ("PATCH", one.as_str(), Value::Null, (405, "SMN.0009")),
        (
            "PUT",
            &format!("{one}/attributes/introduction"),
            json!({ "value": "x".repeat(121) }),
            (403, "SMN.0047"),
        ),
        ("PUT", &format!("{one}/attributes/access_policy"), json!({ "value": "{}" }), (400, "SMN.0048")),
        ("PUT", &format!("{one}/attributes/colour"), json!({ "value": "" }), (400, "SMN.0046")),
        ("GET", &format!("{one}/attributes?name=access_policy"), Value::Null, (404, "SMN.0045")),
        ("POST", &subscribe, to("sms", "1"), (400, "SMN.0011")),
        ("POST", &subscribe, to("email", "a@b.example"), (400, "SMN.0011")),
        ("POST", &subscribe, to("http", "https://a.example"), (400, "SMN.0012")),
        ("POST", &subscribe, to("http", "http://u:p@a.example"), (400, "SMN.0012")),
        ("DELETE", "/subscriptions/x", Value::Null, (400, "SMN.0014")),
        ("DELETE", &format!("/subscriptions/{topic}:0"), Value::Null, (404, "SMN.0013")),
        ("POST", &publish, json!({}), (403, "SMN.0009")),
        ("POST", &publish, json!({ "message": "x".repeat(256 * 1024 + 1) }), (403, "SMN.0009")),
        ("POST", &publish, json!({ "message": "m", "subject": "x".repeat(513) }), (403, "SMN.0008")),
        ("POST", &publish, json!({ "message_structure": "{}" }), (400, "SMN.0021")),
        (
            "POST",
            "/message_template",
            json!({ "message_template_name": "-", "protocol": "default", "content": "c" }),
            (400, "SMN.0032"),
        ),
        (
            "POST",
            "/message_template",
            json!({ "message_template_name": "a", "protocol": "default", "content": "" }),
            (400, "SMN.0024"),
        ),
    ] {
        smn.refused(method, path, body, expected).await;
    }
    let (status, body) = smn.call_as("unknown", "GET", "/topics", Value::Null).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (401, "SMN.0001"));
    for user in ["ann", "foreign"] {
        let (status, body) = smn.call_as(user, "GET", "/topics", Value::Null).await;
        assert_eq!((status, body["code"].as_str().unwrap()), (403, "SMN.0001"), "{user}");
    }
    let wrong =
        reqwest::get(format!("{}/v2/notifications/subscriptions/subscribe?token=x", smn.0.base_url)).await;
    assert_eq!(wrong.unwrap().status(), 403);
}

#[tokio::test]
async fn a_failed_job_tells_its_topic_once_for_each_failure() {
    let smn = Smn::start().await;
    let (webhook, url) = Webhook::open().await;
    let topic = smn.topic("alarms").await;
    smn.subscribe(&topic, &webhook, &url).await;
    let world = &smn.0;
    // By name, and by URN; one that is refused, one that breaks later.
    let refused = world.create("refuse", json!({ "smn_topic": "alarms" })).await;
    let broken = world.create("broken", json!({ "smn_topic": topic })).await;
    let quiet = world.create("refuse-quietly", json!({})).await;
    for job in [refused, quiet] {
        assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.13010");
    }
    let (_, message) = webhook.wait_for(1).await;
    assert_eq!(message["subject"], "Weir job alarm");
    let body: Value = serde_json::from_str(message["message"].as_str().unwrap()).unwrap();
    assert_eq!((&body["job_id"], &body["status"]), (&json!(refused), &json!("job_submit_fail")));
    assert_eq!((&body["user_name"], &body["cluster_id"]), (&json!("admin"), &Value::Null));
    assert!(body["status_desc"].as_str().unwrap().contains("there is no stream"));

    for time in 2..4 {
        world.call("POST", &format!("/job/{broken}/run"), None).await;
        world.wait_for(broken, "job_running").await;
        world.runner.kill(broken, "the disk is full");
        let (_, message) = webhook.wait_for(time).await;
        let body: Value = serde_json::from_str(message["message"].as_str().unwrap()).unwrap();
        assert_eq!((&body["job_name"], &body["status"]), (&json!("broken"), &json!("job_running_exception")));
        assert_eq!(body["status_desc"], "the disk is full");
    }
    let log = smn.settled(&topic).await;
    assert_eq!(log.len(), 4, "the question and three alarms: {log:?}");

    // The service died between publishing an alarm and noting that: the alarm is still there.
    let again = &log[0].message_id;
    let project = world.project.as_str();
    sqlx::query("INSERT INTO job_alarms VALUES ($1, $2, $3, 'alarms', '{}', 0, 0)")
        .bind(again.as_str())
        .bind(project)
        .bind(broken)
        .execute(world.control.store().pool())
        .await
        .unwrap();
    world.call("POST", &format!("/job/{refused}/run"), None).await;
    webhook.wait_for(4).await;
    for _ in 0..1_000 {
        if world.control.store().due_alarms(weir_base::time::Timestamp::MAX, 1).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let log = smn.settled(&topic).await;
    assert_eq!((log.len(), webhook.got().len()), (5, 5), "it was published before");

    assert_eq!(smn.call("DELETE", &format!("/topics/{topic}"), Value::Null).await.0, 200);
    assert_eq!(world.call("POST", &format!("/job/{broken}/run"), None).await.0, "CS.11032");
}
