//! Tests of the routes over a small host that admits one token for one project.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use weir_base::clock::{Clock, ManualClock};
use weir_base::time::Timestamp;
use weir_cloud::streams::LocalStreams;

use super::error::DisError;
use super::host::Host;
use super::routes::routes;

const START_MS: i64 = 1_700_000_000_000;

#[derive(Clone)]
struct TestHost {
    streams: Arc<LocalStreams>,
    clock: ManualClock,
}

impl Host for TestHost {
    fn streams(&self) -> &Arc<LocalStreams> {
        &self.streams
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().0
    }

    async fn check_sender(&self, parts: &Parts) -> Result<(), DisError> {
        if parts.headers.contains_key("x-auth-token") {
            return Ok(());
        }
        Err(DisError::signature(4100, "no signature"))
    }

    async fn admit(&self, _: &Parts, _: &[u8], project: &str) -> Result<(), DisError> {
        if project == "p1" { Ok(()) } else { Err(DisError::forbidden("not yours")) }
    }
}

struct Service {
    router: Router,
    streams: Arc<LocalStreams>,
    clock: ManualClock,
    _directory: TempDir,
}

impl Service {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let clock = ManualClock::new(Timestamp(START_MS));
        let streams = Arc::new(LocalStreams::open(directory.path(), Arc::new(clock.clone())).unwrap());
        let router = routes().with_state(TestHost { streams: Arc::clone(&streams), clock: clock.clone() });
        Self { router, streams, clock, _directory: directory }
    }

    async fn raw(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, body.to_vec())
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request =
            Request::builder().method(method).uri(format!("/v2/p1{path}")).header("x-auth-token", "t");
        let (status, body) = self.raw(request.body(body).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Asserts a refusal, with all four members.
    async fn refused(&self, method: &str, path: &str, body: Value, status: u16, code: &str) -> String {
        let (found, answer) = self.call(method, path, body).await;
        assert_eq!((found, answer["errorCode"].as_str()), (status, Some(code)), "{method} {path}: {answer}");
        assert_eq!(answer["errorCode"], answer["error_code"]);
        assert_eq!(answer["message"], answer["error_msg"]);
        answer["message"].as_str().unwrap().to_string()
    }

    async fn with_stream(partitions: u32) -> Self {
        let service = Self::new();
        let body = json!({ "stream_name": "s1", "partition_count": partitions });
        assert_eq!(service.call("POST", "/streams", body).await.0, 201);
        service
    }

    async fn put(&self, records: Value) -> Value {
        let (status, body) =
            self.call("POST", "/records", json!({ "stream_name": "s1", "records": records })).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn cursor(&self, rest: &str) -> String {
        let body = self.get(&format!("/cursors?stream-name=s1&partition-id=0&{rest}")).await;
        body["partition_cursor"].as_str().unwrap().to_string()
    }

    async fn read(&self, cursor: &str, rest: &str) -> (Vec<String>, String) {
        let body = self.get(&format!("/records?partition-cursor={cursor}{rest}")).await;
        let records = body["records"].as_array().unwrap();
        let texts = records.iter().map(|record| {
            String::from_utf8(STANDARD.decode(record["data"].as_str().unwrap()).unwrap()).unwrap()
        });
        (texts.collect(), body["next_partition_cursor"].as_str().unwrap().to_string())
    }
}

fn data(text: &str) -> String {
    STANDARD.encode(text)
}

#[tokio::test]
async fn a_stream_is_running_right_after_its_creation() {
    let service = Service::with_stream(2).await;
    let stream = service.get("/streams/s1").await;
    assert_eq!(stream["status"], "RUNNING");
    assert_eq!(stream["stream_type"], "COMMON");
    assert_eq!(stream["data_type"], "BLOB");
    assert_eq!(stream["retention_period"], 24);
    assert_eq!((&stream["create_time"], &stream["writable_partition_count"]), (&json!(START_MS), &json!(2)));
    assert_eq!(stream["partitions"][0]["partition_id"], "shardId-0000000000");
    assert_eq!(stream["partitions"][0]["hash_range"], "[0 : 4611686018427387902]");
    assert_eq!(stream["partitions"][1]["hash_range"], "[4611686018427387903 : 9223372036854775807]");
    assert_eq!(stream["partitions"][1]["sequence_number_range"], "[0 : 0]");
    assert_eq!(stream["partitions"][1]["status"], "ACTIVE");
    assert_eq!(service.get("/streams/s1/?limit_partitions=1").await["has_more_partitions"], true);
    let rest = service.get("/streams/s1?start_partitionId=shardId-0000000000").await;
    assert_eq!(rest["partitions"].as_array().unwrap().len(), 1);
    let again = json!({ "stream_name": "s1", "partition_count": 1 });
    service.refused("POST", "/streams/", again, 400, "DIS.4307").await;
}

#[tokio::test]
async fn streams_are_pages_by_name() {
    let service = Service::new();
    for name in ["b", "a", "c"] {
        let body = json!({ "stream_name": name, "partition_count": 1, "data_duration": 48 });
        assert_eq!(service.call("POST", "/streams/", body).await.0, 201);
    }
    let page = service.get("/streams/?limit=2").await;
    assert_eq!(page["stream_names"], json!(["a", "b"]));
    assert_eq!((&page["total_number"], &page["has_more_streams"]), (&json!(3), &json!(true)));
    assert_eq!(page["stream_info_list"][0]["partition_count"], 1);
    assert_eq!(page["stream_info_list"][0]["retention_period"], 48);
    let page = service.get("/streams?start_stream_name=b").await;
    assert_eq!((&page["stream_names"], &page["has_more_streams"]), (&json!(["c"]), &json!(false)));
    for query in ["limit=0", "limit=101", "limit=x"] {
        service.refused("GET", &format!("/streams?{query}"), Value::Null, 400, "DIS.4200").await;
    }
    assert_eq!(service.call("DELETE", "/streams/b", Value::Null).await, (204, Value::Null));
    let text = service.refused("GET", "/streams/b", Value::Null, 400, "DIS.4301").await;
    assert!(text.contains("Stream does not exist"));
}

#[tokio::test]
async fn wrong_streams_are_refused() {
    let service = Service::new();
    for wrong in [
        json!({ "stream_name": "s1" }),
        json!({ "stream_name": "s.1", "partition_count": 1 }),
        json!({ "stream_name": "s1", "partition_count": 0 }),
        json!({ "stream_name": "s1", "partition_count": "many" }),
        json!({ "stream_name": "s1", "partition_count": 1, "data_duration": 23 }),
        json!({ "stream_name": "s1", "partition_count": 1, "data_duration": 73 }),
        json!({ "stream_name": "s1", "partition_count": 1, "stream_type": "HUGE" }),
        json!({ "stream_name": "s1", "partition_count": 1, "data_type": "XML" }),
        json!({ "stream_name": "s1", "partition_count": 1, "compression_format": "rar" }),
    ] {
        service.refused("POST", "/streams", wrong, 400, "DIS.4300").await;
    }
    let schema =
        json!({ "stream_name": "s1", "partition_count": 1, "data_type": "JSON", "data_schema": "{" });
    service.refused("POST", "/streams", schema, 400, "DIS.4360").await;
    assert_eq!(service.get("/streams").await["total_number"], 0);
}

#[tokio::test]
async fn records_come_back_through_every_type_of_cursor() {
    let service = Service::with_stream(1).await;
    for number in 0..3 {
        let answer =
            service.put(json!([{ "data": data(&format!("r{number}")), "partition_key": "k" }])).await;
        assert_eq!(answer["failed_record_count"], 0);
        let stored = json!({ "partition_id": "shardId-0000000000", "sequence_number": number.to_string() });
        assert_eq!(answer["records"][0], stored);
        service.clock.advance(Duration::from_secs(1));
    }
    let types = [
        ("starting-sequence-number=1".to_string(), 1),
        ("cursor-type=AT_SEQUENCE_NUMBER&starting-sequence-number=2".to_string(), 2),
        ("cursor-type=AFTER_SEQUENCE_NUMBER&starting-sequence-number=0".to_string(), 1),
        ("cursor-type=AFTER_SEQUENCE_NUMBER&starting-sequence-number=2".to_string(), 3),
        ("cursor-type=TRIM_HORIZON".to_string(), 0),
        ("cursor-type=LATEST".to_string(), 3),
        (format!("cursor-type=AT_TIMESTAMP&timestamp={}", START_MS + 1), 1),
        (format!("cursor-type=AT_TIMESTAMP&timestamp={}", START_MS + 60_000), 3),
    ];
    for (query, first) in types {
        let cursor = service.cursor(&query).await;
        assert!(cursor.len() <= 512);
        let (texts, next) = service.read(&cursor, "").await;
        assert_eq!(texts, ["r0", "r1", "r2"][first..], "{query}");
        assert!(service.read(&next, "").await.0.is_empty());
    }
    let cursor = service.cursor("cursor-type=TRIM_HORIZON").await;
    let first = service.get(&format!("/records/?partition-cursor={cursor}")).await;
    let record = &first["records"][0];
    assert_eq!((&record["partition_key"], &record["timestamp"]), (&json!("k"), &json!(START_MS)));
    assert_eq!((&record["sequence_number"], &record["timestamp_type"]), (&json!("0"), &json!("CreateTime")));
}

#[tokio::test]
async fn wrong_and_old_cursors_are_refused() {
    let service = Service::with_stream(1).await;
    service.put(json!([{ "data": data("r") }])).await;
    let prefix = "/cursors?stream-name=s1&partition-id=";
    for (rest, code) in [
        ("x", "DIS.4201"),
        ("1", "DIS.4302"),
        ("0&cursor-type=NEWEST", "DIS.4215"),
        ("0", "DIS.4216"),
        ("0&starting-sequence-number=-1", "DIS.4216"),
        ("0&starting-sequence-number=2", "DIS.4224"),
        ("0&cursor-type=AT_TIMESTAMP", "DIS.4200"),
        ("0&cursor-type=AT_TIMESTAMP&timestamp=1000", "DIS.4300"),
    ] {
        service.refused("GET", &format!("{prefix}{rest}"), Value::Null, 400, code).await;
    }
    let text = service
        .refused("GET", &format!("{prefix}0&starting-sequence-number=9"), Value::Null, 400, "DIS.4224")
        .await;
    assert!(text.contains("Sequence_number out of range"));
    service.refused("GET", "/records?partition-cursor=abc", Value::Null, 400, "DIS.4217").await;
    service.refused("GET", "/records", Value::Null, 400, "DIS.4200").await;
    let cursor = service.cursor("cursor-type=TRIM_HORIZON").await;
    service.clock.advance(Duration::from_secs(300));
    assert_eq!(service.read(&cursor, "").await.0, ["r"]);
    service.clock.advance(Duration::from_millis(1));
    service
        .refused("GET", &format!("/records?partition-cursor={cursor}"), Value::Null, 400, "DIS.4225")
        .await;
    let cursor = service.cursor("cursor-type=TRIM_HORIZON").await;
    assert_eq!(service.call("DELETE", "/streams/s1", Value::Null).await.0, 204);
    service
        .refused("GET", &format!("/records?partition-cursor={cursor}"), Value::Null, 400, "DIS.4301")
        .await;
}

#[tokio::test]
async fn a_cursor_to_a_forgotten_record_is_refused_and_the_oldest_one_can_be_asked_for() {
    let service = Service::with_stream(1).await;
    service.put(json!([{ "data": data("old") }])).await;
    service.clock.advance(Duration::from_secs(25 * 3600));
    let cursor = service.cursor("cursor-type=TRIM_HORIZON").await;
    service.streams.sweep_retention().await.unwrap();
    service
        .refused("GET", &format!("/records?partition-cursor={cursor}"), Value::Null, 400, "DIS.4226")
        .await;
    service.put(json!([{ "data": data("new") }])).await;
    service
        .refused("GET", &format!("/records?partition-cursor={cursor}"), Value::Null, 400, "DIS.4226")
        .await;
    let first = "/cursors?stream-name=s1&partition-id=0&starting-sequence-number=0";
    service.refused("GET", first, Value::Null, 400, "DIS.4224").await;
    assert_eq!(service.read(&service.cursor("cursor-type=TRIM_HORIZON").await, "").await.0, ["new"]);
}

#[tokio::test]
async fn reading_is_bounded_and_too_small_a_bound_yields_nothing() {
    let service = Service::with_stream(1).await;
    service.put(json!([{ "data": data("aaaa") }, { "data": data("bbbb") }, { "data": data("cccc") }])).await;
    let start = service.cursor("cursor-type=TRIM_HORIZON").await;
    let (texts, next) = service.read(&start, "&limit=2").await;
    assert_eq!(texts, ["aaaa", "bbbb"]);
    assert_eq!(service.read(&next, "").await.0, ["cccc"]);
    assert_eq!(service.read(&start, "&max_fetch_bytes=9").await.0, ["aaaa", "bbbb"]);
    let (texts, next) = service.read(&start, "&max_fetch_bytes=3").await;
    assert!(texts.is_empty());
    assert_eq!(service.read(&next, "").await.0.len(), 3);
    service
        .refused("GET", &format!("/records?partition-cursor={start}&limit=0"), Value::Null, 400, "DIS.4200")
        .await;
}

#[tokio::test]
async fn single_records_fail_without_the_others() {
    let service = Service::with_stream(2).await;
    let large = STANDARD.encode(vec![0; (1 << 20) + 1]);
    let answer = service
        .put(json!([
            { "data": data("a"), "partition_id": "shardId-0000000001" },
            { "data": data("b"), "partition_id": "7" },
            { "data": data("c"), "explicit_hash_key": "9223372036854775808" },
            { "data": data("d"), "explicit_hash_key": "0", "partition_key": "kept" },
            { "data": data("e"), "partition_id": 1 },
        ]))
        .await;
    assert_eq!(answer["failed_record_count"], 2);
    let codes: Vec<_> = (0..5).map(|index| answer["records"][index]["error_code"].as_str()).collect();
    assert_eq!(codes, [None, Some("DIS.4302"), Some("DIS.4300"), None, None]);
    assert!(answer["records"][1].get("sequence_number").is_none());
    assert_eq!(answer["records"][3]["partition_id"], "shardId-0000000000");
    assert_eq!(answer["records"][4]["sequence_number"], "1");
    let too_large = json!({ "stream_name": "s1", "records": [{ "data": large }] });
    service.refused("POST", "/records", too_large.clone(), 413, "DIS.4300").await;
    let advanced = json!({ "stream_name": "s2", "partition_count": 1, "stream_type": "ADVANCED" });
    assert_eq!(service.call("POST", "/streams", advanced).await.0, 201);
    let mut to_advanced = too_large;
    to_advanced["stream_name"] = json!("s2");
    let (status, answer) = service.call("POST", "/records", to_advanced).await;
    assert_eq!((status, &answer["failed_record_count"]), (200, &json!(1)));
    for wrong in [json!({}), json!({ "stream_name": "s1", "records": [{ "data": "%" }] }), json!([])] {
        service.refused("POST", "/records", wrong, 400, "DIS.4300").await;
    }
    service.refused("POST", "/records", json!({ "stream_name": "s1", "records": [] }), 400, "DIS.4202").await;
    service
        .refused(
            "POST",
            "/records",
            json!({ "stream_name": "s9", "records": [{ "data": "" }] }),
            400,
            "DIS.4301",
        )
        .await;
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_before_they_are_read() {
    let service = Service::with_stream(1).await;
    // The body never ends: reading it would not either.
    let endless = futures::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let request = Request::post("/v2/p1/records")
        .header("x-auth-token", "t")
        .header("content-length", (12 << 20) + 1)
        .body(Body::from_stream(endless))
        .unwrap();
    assert_eq!(service.raw(request).await.0, 413);
    let body = Body::from(vec![b' '; (1 << 20) + 1]);
    let request = Request::post("/v2/p1/streams").header("x-auth-token", "t").body(body).unwrap();
    assert_eq!(service.raw(request).await.0, StatusCode::PAYLOAD_TOO_LARGE.as_u16());
}

#[tokio::test]
async fn apps_keep_checkpoints_and_tell_how_far_they_are() {
    let service = Service::with_stream(2).await;
    for _ in 0..4 {
        service.put(json!([{ "data": data("r"), "partition_id": "1" }])).await;
    }
    assert_eq!(service.call("POST", "/apps/", json!({ "app_name": "a1" })).await.0, 201);
    service.refused("POST", "/apps", json!({ "app_name": "a1" }), 400, "DIS.4330").await;
    service.refused("POST", "/apps", json!({ "app_name": "a/1" }), 400, "DIS.4300").await;
    let mut commit = json!({
        "app_name": "a1", "checkpoint_type": "LAST_READ", "stream_name": "s1",
        "partition_id": "shardId-0000000001", "sequence_number": "2", "metadata": "m",
    });
    assert_eq!(service.call("POST", "/checkpoints/", commit.clone()).await.0, 201);
    let query = "stream_name=s1&app_name=a1&checkpoint_type=LAST_READ";
    let found = service.get(&format!("/checkpoints/?{query}&partition_id=1")).await;
    assert_eq!(found, json!({ "sequence_number": "2", "metadata": "m" }));
    service
        .refused("GET", &format!("/checkpoints?{query}&partition_id=0"), Value::Null, 400, "DIS.4375")
        .await;
    let state = service.get("/apps/a1/streams/s1?checkpoint_type=LAST_READ").await;
    let states = &state["partition_consuming_states"];
    assert_eq!((&states[0]["sequence_number"], &states[1]["sequence_number"]), (&json!("-1"), &json!("2")));
    assert_eq!((&states[1]["latest_offset"], &states[1]["earliest_offset"]), (&json!(4), &json!(0)));
    let app = service.get("/apps/a1/").await;
    assert_eq!(app["commit_checkpoint_stream_names"], json!(["s1"]));
    assert_eq!(service.get("/apps?stream_name=s1").await["total_number"], 1);
    assert_eq!(service.get("/apps?start_app_name=a1").await["apps"], json!([]));
    commit["sequence_number"] = json!("5");
    service.refused("POST", "/checkpoints", commit.clone(), 400, "DIS.4224").await;
    commit["checkpoint_type"] = json!("FIRST_READ");
    service.refused("POST", "/checkpoints", commit.clone(), 400, "DIS.4200").await;
    (commit["checkpoint_type"], commit["app_name"], commit["sequence_number"]) =
        (json!("LAST_READ"), json!("a2"), json!(1));
    service.refused("POST", "/checkpoints", commit, 400, "DIS.4332").await;
    assert_eq!(service.call("DELETE", &format!("/checkpoints/?{query}"), Value::Null).await.0, 204);
    service
        .refused("GET", &format!("/checkpoints?{query}&partition_id=1"), Value::Null, 400, "DIS.4375")
        .await;
    assert_eq!(service.call("DELETE", "/apps/a1/", Value::Null).await.0, 204);
    service.refused("GET", "/apps/a1", Value::Null, 400, "DIS.4332").await;
}

#[tokio::test]
async fn streams_are_resized_changed_and_tagged() {
    let service = Service::with_stream(2).await;
    let id = service.get("/streams/s1").await["stream_id"].as_str().unwrap().to_string();
    let resize = json!({ "stream_name": "s1", "target_partition_count": 1 });
    assert_eq!(service.call("PUT", "/streams/s1", resize).await, (200, Value::Null));
    let stream = service.get("/streams/s1").await;
    assert_eq!(stream["partitions"][1]["status"], "DELETED");
    assert_eq!(
        (&stream["writable_partition_count"], &stream["readable_partition_count"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(stream["update_partition_counts"][0]["target_partition_count"], 1);
    let other = json!({ "stream_name": "s2", "target_partition_count": 3 });
    service.refused("PUT", "/streams/s1", other, 400, "DIS.4300").await;
    let update = Request::put("/v3/p1/streams/s1").header("x-auth-token", "t");
    let update =
        update.body(Body::from(json!({ "data_duration": 72, "data_type": "JSON" }).to_string())).unwrap();
    assert_eq!(service.raw(update).await.0, 200);
    let stream = service.get("/streams/s1").await;
    assert_eq!((&stream["retention_period"], &stream["data_type"]), (&json!(72), &json!("JSON")));
    let tags = format!("/stream/{id}/tags");
    assert_eq!(service.call("POST", &tags, json!({ "tag": { "key": "k1", "value": "v1" } })).await.0, 204);
    let more = json!({ "action": "create", "tags": [{ "key": "k2", "value": "v2" }] });
    assert_eq!(service.call("POST", &format!("{tags}/action"), more).await.0, 204);
    assert_eq!(service.get(&tags).await["tags"].as_array().unwrap().len(), 2);
    assert_eq!(service.get("/stream/tags").await["tags"][1], json!({ "key": "k2", "values": ["v2"] }));
    let find = json!({ "action": "filter", "tags": [{ "key": "k1", "values": ["v1"] }] });
    let found = service.call("POST", "/stream/resource_instances/action", find).await.1;
    assert_eq!((&found["total_count"], &found["resources"][0]["resource_id"]), (&json!(1), &json!(id)));
    assert_eq!(service.call("DELETE", &format!("{tags}/k1"), Value::Null).await.0, 204);
    service.refused("DELETE", &format!("{tags}/k1"), Value::Null, 400, "DIS.4604").await;
    let long = json!({ "tag": { "key": "k".repeat(37), "value": "" } });
    service.refused("POST", &tags, long, 400, "DIS.4603").await;
}

#[tokio::test]
async fn metrics_count_what_went_through() {
    let service = Service::with_stream(1).await;
    service.put(json!([{ "data": data("abc") }, { "data": data("de") }])).await;
    service.read(&service.cursor("cursor-type=TRIM_HORIZON").await, "&limit=1").await;
    let span = format!("start_time={}&end_time={}", START_MS / 1000 - 120, START_MS / 1000);
    for (label, expected) in [("total_put_records", 2), ("total_put_bytes", 5), ("total_get_records", 1)] {
        let stream = service.get(&format!("/streams/s1/metrics?label={label}_per_stream&{span}")).await;
        let points = stream["metrics"]["dataPoints"].as_array().unwrap();
        assert_eq!((points.len(), &points[0]["value"]), (3, &json!(0)));
        assert_eq!(points[2]["value"], expected, "{label}");
        let path =
            format!("/streams/s1/partitions/shardId-0000000000/metrics?label={label}_per_partition&{span}");
        assert_eq!(service.get(&path).await["metrics"]["dataPoints"][2]["value"], expected);
    }
    let list = "label_list=total_put_bytes_per_stream,total_get_bytes_per_stream";
    let list = service.get(&format!("/streams/s1/metrics?{list}&{span}")).await;
    assert_eq!(list["metrics_list"][1]["label"], "total_get_bytes_per_stream");
    service.refused("GET", "/streams/s1/metrics?label=latency", Value::Null, 400, "DIS.4209").await;
    service.refused("GET", "/streams/s1/metrics?label=x&start_time=y", Value::Null, 400, "DIS.4203").await;
}

#[tokio::test]
async fn strangers_other_projects_and_missing_parts_are_refused() {
    let service = Service::with_stream(1).await;
    let request = Request::get("/v2/p1/streams").body(Body::empty()).unwrap();
    assert_eq!(service.raw(request).await.0, 441);
    let request = Request::get("/v2/p2/streams").header("x-auth-token", "t").body(Body::empty()).unwrap();
    assert_eq!(service.raw(request).await.0, 403);
    let request = Request::get("/v2/p.1/streams").header("x-auth-token", "t").body(Body::empty()).unwrap();
    assert_eq!(service.raw(request).await.0, 400);
    service.refused("GET", "/streams/s1/transfer-tasks/", Value::Null, 400, "DIS.4200").await;
    service.refused("POST", "/stream/s1/transfer-tasks/", json!({}), 400, "DIS.4200").await;
    service.refused("PATCH", "/streams/s1", Value::Null, 405, "DIS.4200").await;
}
