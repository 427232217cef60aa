//! Topics, subscriptions, and messages on their way.

use std::collections::BTreeMap;

use weir_base::audit::AuditRecord;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::notifications::{
    Added, DeliveryState, Kind, Message, NotificationRepository, Outcome, Page, Protocol, Subscription,
    SubscriptionFilter, SubscriptionStatus, Template, TemplateFilter, Topic, TopicFilter,
};
use weir_store::{AuditFilter, Store, StoredNotifications};

const ALL: Page = Page { offset: 0, limit: 100 };

fn project() -> ProjectId {
    ProjectId("p".into())
}

fn audit() -> AuditRecord {
    AuditRecord { service: "SMN".into(), project: project(), ..super::jobs::audit("createTopic") }
}

fn topic(name: &str) -> Topic {
    Topic {
        id: format!("id-of-{name}"),
        project: project(),
        name: name.into(),
        display_name: format!("Topic {name}"),
        introduction: String::new(),
        enterprise_project_id: "0".into(),
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn subscription(id: &str, of: &Topic) -> Subscription {
    Subscription {
        id: id.into(),
        topic_id: of.id.clone(),
        project: project(),
        topic_name: of.name.clone(),
        protocol: Protocol::Http,
        endpoint: format!("http://{id}.example"),
        remark: "r".into(),
        headers: BTreeMap::from([("x-a".into(), "1".into())]),
        status: SubscriptionStatus::Unconfirmed,
        token: format!("token-{id}"),
        token_expires_at: Timestamp(99),
        created_at: Timestamp(2),
    }
}

fn message(id: &str, of: &Topic, kind: Kind) -> Message {
    Message {
        id: id.into(),
        project: project(),
        topic_id: of.id.clone(),
        kind,
        subject: "s".into(),
        texts: BTreeMap::from([("default".into(), id.into())]),
        created_at: Timestamp(10),
        expires_at: Timestamp(100),
    }
}

/// Adds a topic with confirmed subscriptions whose questions were delivered.
async fn settle(repository: &StoredNotifications, name: &str, subscribers: &[&str]) -> Topic {
    let topic = topic(name);
    assert_eq!(repository.add_topic(&topic, 9, &audit()).await.unwrap(), Added::New);
    for id in subscribers {
        let mut subscription = subscription(id, &topic);
        let question = message(&format!("question-{id}"), &topic, Kind::Confirmation);
        let added = repository.add_subscription(&subscription, &question, 9, &audit()).await.unwrap();
        assert_eq!(added, Added::New);
        let due = repository.due(Timestamp(10), 9, 9).await.unwrap();
        repository.finish(due[0].id, &Outcome::Delivered, Timestamp(10)).await.unwrap();
        subscription.status = SubscriptionStatus::Confirmed;
        assert!(repository.update_subscription(&subscription, None, Timestamp(10), &audit()).await.unwrap());
    }
    topic
}

async fn due_texts(repository: &StoredNotifications, now: i64, each: i64) -> Vec<String> {
    let due = repository.due(Timestamp(now), each, 99).await.unwrap();
    due.iter().map(|due| format!("{} to {}", due.message.text(Protocol::Http), due.subscription.id)).collect()
}

async fn a_topic_is_there_once_and_is_found_by_what_it_is(store: Store) {
    let repository = StoredNotifications::new(store);
    for name in ["a1", "a2", "b1"] {
        assert_eq!(repository.add_topic(&topic(name), 3, &audit()).await.unwrap(), Added::New);
    }
    assert_eq!(repository.add_topic(&topic("a1"), 3, &audit()).await.unwrap(), Added::Existing(topic("a1")));
    assert_eq!(repository.add_topic(&topic("c1"), 3, &audit()).await.unwrap(), Added::TooMany);
    let names = |filter: TopicFilter, page: Page| {
        let repository = repository.clone();
        async move {
            let (count, topics) = repository.topics(&project(), &filter, page).await.unwrap();
            (count, topics.into_iter().map(|topic| topic.name).collect::<Vec<_>>())
        }
    };
    let of = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(TopicFilter::default(), ALL).await, (3, of(&["b1", "a2", "a1"])));
    assert_eq!(names(TopicFilter::default(), Page { offset: 1, limit: 1 }).await, (3, of(&["a2"])));
    let part = TopicFilter { name_part: Some("a".into()), ..TopicFilter::default() };
    assert_eq!(names(part, ALL).await, (2, of(&["a2", "a1"])));
    let id = TopicFilter { id: Some("id-of-b1".into()), ..TopicFilter::default() };
    assert_eq!(names(id, ALL).await, (1, of(&["b1"])));
    let changed = Topic { display_name: "D".into(), introduction: "i".into(), ..topic("a1") };
    assert!(repository.update_topic(&changed, &audit()).await.unwrap());
    assert_eq!(repository.topic(&project(), "a1").await.unwrap(), Some(changed));
    assert_eq!(repository.topic(&ProjectId("q".into()), "a1").await.unwrap(), None);
    assert!(!repository.update_topic(&topic("zz"), &audit()).await.unwrap());
}

async fn who_confirmed_gets_a_message_once(store: Store) {
    let repository = StoredNotifications::new(store);
    let topic = settle(&repository, "t", &["one", "two"]).await;
    let asked = subscription("three", &topic);
    let question = message("question-three", &topic, Kind::Confirmation);
    repository.add_subscription(&asked, &question, 9, &audit()).await.unwrap();
    repository.publish(&message("m", &topic, Kind::Notification), 9).await.unwrap();
    repository.publish(&message("m", &topic, Kind::Notification), 9).await.unwrap();
    assert_eq!(due_texts(&repository, 9, 9).await, Vec::<String>::new(), "nothing is due before its time");
    let expected = ["question-three to three", "m to one", "m to two"];
    assert_eq!(due_texts(&repository, 10, 9).await, expected);
    assert_eq!(repository.next_due().await.unwrap(), Some(Timestamp(10)));
    assert_eq!(repository.questions_since("http://three.example", Timestamp(9)).await.unwrap(), 1);
    assert_eq!(repository.questions_since("http://three.example", Timestamp(10)).await.unwrap(), 0);
}

async fn a_try_ends_in_arrival_another_try_or_failure(store: Store) {
    let repository = StoredNotifications::new(store);
    let topic = settle(&repository, "t", &["one"]).await;
    repository.publish(&message("m", &topic, Kind::Notification), 9).await.unwrap();
    let due = repository.due(Timestamp(10), 9, 9).await.unwrap().remove(0);
    assert_eq!((due.attempts, due.display_name.as_str()), (0, "Topic t"));
    assert_eq!(due.subscription.headers["x-a"], "1");
    let retry = Outcome::Retry { due: Timestamp(20), reason: "no".into() };
    repository.finish(due.id, &retry, Timestamp(11)).await.unwrap();
    assert_eq!(due_texts(&repository, 19, 9).await, Vec::<String>::new());
    assert_eq!(repository.due(Timestamp(20), 9, 9).await.unwrap()[0].attempts, 1);
    repository.finish(due.id, &Outcome::Failed { reason: "never".into() }, Timestamp(21)).await.unwrap();
    assert_eq!(repository.next_due().await.unwrap(), None);
    let logged = repository.log(&topic.id, 1).await.unwrap().remove(0);
    assert_eq!((logged.state, logged.attempts, logged.at), (DeliveryState::Failed, 2, Timestamp(21)));
    assert_eq!(logged.reason, "never");
}

async fn one_who_does_not_answer_has_few_places_and_a_full_queue_says_so(store: Store) {
    let repository = StoredNotifications::new(store);
    let topic = settle(&repository, "t", &["one", "two"]).await;
    for id in ["m1", "m2", "m3"] {
        repository.publish(&message(id, &topic, Kind::Notification), 2).await.unwrap();
    }
    assert_eq!(due_texts(&repository, 10, 1).await, ["m1 to one", "m1 to two"]);
    assert_eq!(due_texts(&repository, 10, 9).await.len(), 4);
    let newest = repository.log(&topic.id, 2).await.unwrap();
    assert!(newest.iter().all(|line| line.message_id == "m3" && line.state == DeliveryState::Failed));
    assert!(newest[0].reason.contains("too many"));
}

async fn what_is_deleted_gets_nothing_more(store: Store) {
    let repository = StoredNotifications::new(store);
    let topic = settle(&repository, "t", &["one", "two", "three"]).await;
    repository.publish(&message("m", &topic, Kind::Notification), 9).await.unwrap();
    assert!(repository.delete_subscription("one", Timestamp(11), &audit()).await.unwrap());
    assert!(!repository.delete_subscription("one", Timestamp(11), &audit()).await.unwrap());
    let left = Subscription {
        status: SubscriptionStatus::Cancelled,
        token: "new".into(),
        ..subscription("two", &topic)
    };
    let farewell = message("farewell", &topic, Kind::Unsubscription);
    assert!(repository.update_subscription(&left, Some(&farewell), Timestamp(11), &audit()).await.unwrap());
    assert_eq!(due_texts(&repository, 11, 9).await, ["m to three", "farewell to two"]);
    assert_eq!(repository.subscription_by_token("new").await.unwrap(), Some(left));
    let confirmed =
        SubscriptionFilter { status: Some(SubscriptionStatus::Confirmed), ..SubscriptionFilter::default() };
    let (count, found) = repository.subscriptions(&project(), &confirmed, ALL).await.unwrap();
    assert_eq!((count, found[0].id.as_str()), (1, "three"));
    assert!(repository.delete_topic(&topic.id, Timestamp(12), &audit()).await.unwrap());
    assert_eq!(due_texts(&repository, 99, 9).await, Vec::<String>::new());
    assert_eq!(repository.subscriptions(&project(), &SubscriptionFilter::default(), ALL).await.unwrap().0, 0);
    let log = repository.log(&topic.id, 9).await.unwrap();
    assert!(log.iter().all(|line| line.state != DeliveryState::Pending), "{log:?}");
}

async fn the_log_is_forgotten_after_its_time(store: Store) {
    let repository = StoredNotifications::new(store);
    let topic = settle(&repository, "t", &["one", "two"]).await;
    repository.publish(&message("m", &topic, Kind::Notification), 9).await.unwrap();
    let due = repository.due(Timestamp(10), 9, 9).await.unwrap();
    repository.finish(due[0].id, &Outcome::Delivered, Timestamp(30)).await.unwrap();
    repository.forget_before(Timestamp(30)).await.unwrap();
    assert_eq!(repository.log(&topic.id, 9).await.unwrap().len(), 2, "the questions are gone");
    assert_eq!(due_texts(&repository, 30, 9).await, ["m to two"], "what is on its way has its text");
    repository.finish(due[1].id, &Outcome::Delivered, Timestamp(40)).await.unwrap();
    repository.forget_before(Timestamp(41)).await.unwrap();
    assert_eq!(repository.log(&topic.id, 9).await.unwrap(), []);
}

async fn a_template_is_there_once_for_each_protocol(store: Store) {
    let repository = StoredNotifications::new(store);
    let template = |id: &str, protocol: &str| Template {
        id: id.into(),
        project: project(),
        name: "t".into(),
        protocol: protocol.into(),
        content: "hello {name}".into(),
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    };
    assert_eq!(repository.add_template(&template("1", "default"), 2, &audit()).await.unwrap(), Added::New);
    let existing = Added::Existing(template("1", "default"));
    assert_eq!(repository.add_template(&template("2", "default"), 2, &audit()).await.unwrap(), existing);
    assert_eq!(repository.add_template(&template("2", "email"), 2, &audit()).await.unwrap(), Added::New);
    assert_eq!(repository.add_template(&template("3", "http"), 2, &audit()).await.unwrap(), Added::TooMany);
    let changed = Template { content: "bye".into(), ..template("2", "email") };
    assert!(repository.update_template(&changed, &audit()).await.unwrap());
    assert_eq!(repository.template(&project(), "2").await.unwrap(), Some(changed));
    let mail = TemplateFilter { protocol: Some("email".into()), name: Some("t".into()) };
    assert_eq!(repository.templates(&project(), &mail, ALL).await.unwrap().0, 1);
    assert!(repository.delete_template(&project(), "1", &audit()).await.unwrap());
    assert!(!repository.delete_template(&project(), "1", &audit()).await.unwrap());
    assert_eq!(repository.templates(&project(), &TemplateFilter::default(), ALL).await.unwrap().0, 1);
}

async fn a_change_and_its_record_are_one(store: Store) {
    let repository = StoredNotifications::new(store.clone());
    let sql = async |statement: &'static str| {
        sqlx::query(statement).execute(store.pool()).await.unwrap();
    };
    let records = async || super::jobs::audits(&store, &project()).await;
    sql("ALTER TABLE audit_records RENAME TO gone").await;
    assert!(repository.add_topic(&topic("a1"), 3, &audit()).await.is_err());
    sql("ALTER TABLE gone RENAME TO audit_records").await;
    assert_eq!(repository.topic(&project(), "a1").await.unwrap(), None);

    repository.add_topic(&topic("a1"), 3, &audit()).await.unwrap();
    assert_eq!(records().await, [audit()]);
    repository.add_topic(&topic("a1"), 3, &audit()).await.unwrap();
    assert!(!repository.update_topic(&topic("b1"), &audit()).await.unwrap());
    assert!(!repository.delete_topic("b1", Timestamp(1), &audit()).await.unwrap());
    assert_eq!(records().await.len(), 1, "what changes nothing is recorded by who says so");
    let cs = AuditFilter { service: Some("CS".into()), ..AuditFilter::default() };
    assert_eq!(store.count_audit_records(&project(), &cs).await.unwrap(), 0);
}

super::tests!(
    a_change_and_its_record_are_one,
    a_topic_is_there_once_and_is_found_by_what_it_is,
    who_confirmed_gets_a_message_once,
    a_try_ends_in_arrival_another_try_or_failure,
    one_who_does_not_answer_has_few_places_and_a_full_queue_says_so,
    what_is_deleted_gets_nothing_more,
    the_log_is_forgotten_after_its_time,
    a_template_is_there_once_for_each_protocol,
);
