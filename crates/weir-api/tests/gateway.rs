//! The gateway over HTTP: who may read what sinks show, and how it is answered.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::World;
use serde_json::{Value, json};
use weir_base::id::{JobId, ProjectId};
use weir_cloud::gateway::{Encoding, Gateway, GatewaySink, RecordForm, SinkColumn, Staged, WrittenRecord};

const SQL: &str = r#"CREATE SOURCE STREAM s (a INT) WITH (type = "datagen");
CREATE SINK STREAM t1 (a INT) WITH (type = "apig", app_id = "app-1", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM t2 (a INT) WITH (type = "apig", app_id = "app-2", encode = "json");
INSERT INTO t1 SELECT a FROM s; INSERT INTO t2 SELECT a FROM s;"#;

/// A job whose worker has shown three records in each of its sinks.
async fn shown(world: &World) -> JobId {
    let job = JobId(world.create("shown", json!({ "sql_body": SQL })).await);
    let gateway = Gateway::new(world.directory.path().join("gateway"));
    for (name, app, encoding, delimiter, records) in [
        ("T1", "app-1", Encoding::Csv, Some(","), ["1", "2", "3"]),
        ("T2", "app-2", Encoding::Json, None, [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]),
    ] {
        let sink = GatewaySink {
            name: name.to_string(),
            project: ProjectId(world.project.clone()),
            app_id: app.to_string(),
            form: RecordForm {
                encoding,
                delimiter: delimiter.map(str::to_string),
                columns: vec![SinkColumn { name: "a".to_string(), sql_type: "INT".to_string() }],
            },
        };
        gateway.register(job, sink).await.unwrap();
        let staged = Staged { subtask: 0, epoch: 1 };
        let records = records.map(|text| WrittenRecord { at: 1, text: text.to_string() });
        gateway.stage(job, name, staged, records.to_vec()).await.unwrap();
        gateway.commit(job, name, vec![staged]).await.unwrap();
    }
    job
}

struct Answer {
    status: u16,
    kind: String,
    text: String,
}

impl Answer {
    fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap();
        assert!(body["request_id"].is_string() && body["error_msg"].is_string(), "{body}");
        body["error_code"].as_str().unwrap().to_string()
    }
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = reqwest::Client::new().get(format!("{}/gateway/{path}", world.base_url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_string();
    Answer { status: answer.status().as_u16(), kind, text: answer.text().await.unwrap() }
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn sinks_are_listed_with_address_and_schema() {
    let world = World::start(|options| options.gateway_url = "http://w.example/gateway".to_string()).await;
    let job = shown(&world).await;
    let (code, body) = world.call("GET", &format!("/job/{job}/apig_sinks"), None).await;
    assert_eq!(code, "CS.11099", "{body}");
    let expected = json!({
        "sinks": [
            { "app_id": "app-1", "sink_name": "T1", "url": format!("http://w.example/gateway/{job}/T1") },
            { "app_id": "app-2", "sink_name": "T2", "url": format!("http://w.example/gateway/{job}/T2") },
        ],
        "metadata": [
            { "name": "T1", "encode": "csv", "delimiter": ",", "attrs": [{ "name": "a", "type": "INT" }] },
            { "name": "T2", "encode": "json", "delimiter": null, "attrs": [{ "name": "a", "type": "INT" }] },
        ],
    });
    assert_eq!(body["payload"], expected);
}

#[tokio::test]
async fn applications_and_users_of_the_project_read() {
    let world = World::start(|_| {}).await;
    let job = shown(&world).await;
    let csv = get(&world, &format!("{job}/T1"), &[("X-App-Id", "app-1")]).await;
    assert_eq!(
        (csv.status, csv.kind.as_str(), csv.text.as_str()),
        (200, "text/csv; charset=utf-8", "1\n2\n3\n")
    );
    let code = get(&world, &format!("{job}/T1"), &[("X-Apig-AppCode", "app-1")]).await;
    assert_eq!((code.status, code.text.as_str()), (200, "1\n2\n3\n"));
    for user in ["ann", "reader"] {
        let token = world.tokens[user].as_str();
        let json = get(&world, &format!("{job}/t2?limit=2"), &[("X-Auth-Token", token)]).await;
        assert_eq!(json.status, 200, "{}", json.text);
        assert_eq!((json.kind.as_str(), json.text.as_str()), ("application/json", r#"[{"a":2},{"a":3}]"#));
    }
    for wrong in ["0", "1001", "x", ""] {
        let path = format!("{job}/T1?limit={wrong}");
        let refused = get(&world, &path, &[("X-App-Id", "app-1")]).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "APIG.0201"), "{wrong}");
    }
}

#[tokio::test]
async fn nobody_else_reads_or_learns_what_there_is() {
    let world = World::start(|_| {}).await;
    let job = shown(&world).await;
    let (there, nowhere) = (format!("{job}/T1"), "99/T1".to_string());
    let token = |user: &str| world.tokens[user].clone();
    for (headers, status, code) in [
        (vec![], 401, "APIG.0303"),
        (vec![("X-App-Id", "app-2".to_string())], 401, "APIG.0303"),
        (vec![("X-App-Id", String::new())], 401, "APIG.0303"),
        (vec![("X-App-Id", "app-2".to_string()), ("X-Auth-Token", token("admin"))], 401, "APIG.0303"),
        (vec![("X-Apig-AppCode", "c".repeat(64))], 401, "APIG.0303"),
        (vec![("X-Auth-Token", token("unknown"))], 401, "APIG.0301"),
        (vec![("X-Auth-Token", token("expired"))], 401, "APIG.0301"),
        (vec![("X-Auth-Token", token("domain"))], 401, "APIG.0301"),
        (vec![("X-Auth-Token", token("stranger"))], 401, "APIG.0301"),
        (vec![("X-Auth-Token", token("foreign"))], 404, "APIG.0101"),
    ] {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = get(&world, &there, &headers).await;
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{headers:?}");
        let other = get(&world, &nowhere, &headers).await;
        assert_eq!((other.status, other.code().as_str()), (status, code), "{headers:?}");
        let message =
            |answer: &Answer| serde_json::from_str::<Value>(&answer.text).unwrap()["error_msg"].clone();
        assert_eq!(message(&refused), message(&other), "{headers:?}");
    }
    let token = token("admin");
    for path in [
        "99/T1",
        "x/T1",
        "1",
        "1/T1/more",
        &format!("{job}/T3"),
        &format!("{job}/%FF"),
        &format!("{job}/..%2FT1"),
    ] {
        let refused = get(&world, path, &[("X-Auth-Token", &token)]).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "APIG.0101"), "{path}");
    }
    let posted =
        reqwest::Client::new().post(format!("{}/gateway/{there}", world.base_url)).send().await.unwrap();
    assert_eq!(posted.status(), 404);
}

#[tokio::test]
async fn a_deleted_job_shows_nothing() {
    let world = World::start(|_| {}).await;
    let job = shown(&world).await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    let gone = get(&world, &format!("{job}/T1"), &[("X-App-Id", "app-1")]).await;
    assert_eq!(gone.status, 401);
    let gone = get(&world, &format!("{job}/T1"), &[("X-Auth-Token", &world.tokens["admin"])]).await;
    assert_eq!(gone.status, 404);
}
