//! What every operation refuses in the same way: callers without a right to it, bodies that are none, and a service behind
//! it that does not answer.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::World;
use common::contract::Contract;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use weir_api::cs::operations::{ALL, Body, Operation};
use weir_control::{BillingOptions, Role};

/// The codes for a body that is not what an operation expects.
const UNREADABLE: [u32; 4] = [10_004, 18_004, 19_001, 20_002];

/// The codes for a fault behind the service: those of every operation, and those that some have of their own.
const FAULTS: [u32; 16] = [
    10_015, 26_500, 11_005, 12_002, 19_002, 19_008, 19_009, 20_001, 20_016, 20_017, 21_001, 21_011, 21_999,
    24_010, 25_001, 25_003,
];

async fn world() -> World {
    World::start(|_| {}).await
}

/// A body with which a call gets as far as the state of the service.
fn body_of(operation: &str) -> Value {
    let job = json!({ "name": "j1", "run_mode": "shared_cluster", "sql_body": "" });
    match operation {
        "submitSqlJob" => job,
        "updateSqlJob" => json!({ "job_id": 1, "desc": "d" }),
        "batchRunJobs" | "batchStopJobs" | "batchDeleteJobs" => json!([1]),
        "getJobsMetrics" => json!({ "job_ids": [1] }),
        "authorizeBucket" => json!(["bucket1"]),
        "topUpAccount" => json!({ "amount": 1 }),
        "createJobTemplate" => json!({ "name": "t1" }),
        "updateJobTemplate" => json!({ "id": 1, "desc": "d" }),
        "updateUserQuota" => json!({ "spu_quota": 7 }),
        "createAgency" => json!({ "roles": ["obs_adm"] }),
        "createReservedCluster" => json!({ "name": "c1" }),
        "updateReservedCluster" => json!({ "desc": "d" }),
        "addHostsInfo" => json!({ "hosts_info": [{ "hostname": "a", "ip": "10.0.0.2" }] }),
        "updateHostsInfo" => json!({ "hosts_info": { "hostname": "a", "ip": "10.0.0.2" } }),
        "deleteHostsInfo" => json!({ "hosts_id": [1] }),
        "createPeering" => json!({ "name": "p1", "vpc_id": "0e3ed5d0-9c38-4eb1-8c5f-0a6b2c9d1a11" }),
        "createRoute" => json!({ "destination": "192.168.0.0/24" }),
        "triggerSavepoint" => json!({ "action": "TRIGGER", "savepoint_path": "bucket1/s" }),
        "importSavepoint" => json!({ "savepoint_path": "bucket1/s" }),
        "exportJobs" => json!({ "obs_dir": "bucket1/out", "is_selected": false }),
        "importJobs" => json!({ "zip_file": "bucket1/other.zip" }),
        "reportEdgeJobStatus" => json!({
            "message_id": "m", "jobs": [{ "job_id": 1, "status": "RUNNING", "create_time": 1 }]
        }),
        other => panic!("a body for {other}"),
    }
}

/// The parts of a form, likewise.
fn form_of(operation: &str) -> String {
    let parts: &[(&str, &str)] = match operation {
        "submitJarJob" => &[
            ("name", "j1"),
            ("desc", "d"),
            ("cluster_id", "1"),
            ("manager_spu", "1"),
            ("spu_number", "3"),
            ("parallel_number", "2"),
            ("job_type", "flink_jar_job"),
            ("jar_url", "bucket1/jars/one/a.jar"),
        ],
        "updateJarJob" => &[("job_id", "1"), ("manager_spu", "1"), ("desc", "d")],
        "addHostsFile" => &[("hosts_file", "10.0.0.2 a")],
        other => panic!("a form for {other}"),
    };
    let part = |(name, value): &(&str, &str)| {
        let file = if *name == "hosts_file" { "; filename=\"hosts\"" } else { "" };
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--limit--\r\n"
}

/// A call of an operation in a project that gets as far as the state of the service, if its caller may.
fn call(world: &World, operation: &Operation, project: &str, user: Option<&str>) -> RequestBuilder {
    let described = &Contract::get().operations[operation.id];
    let mut path = common::fill_path(&described.path, project, &|name| match name {
        "user_id" => world.users["ann"].clone(),
        _ => "1".to_string(),
    });
    if operation.id == "getAuditLogs" {
        path.push_str("?resource_type=job");
    }
    let url = format!("{}{path}", world.base_url);
    let mut request = reqwest::Client::new().request(described.method.to_uppercase().parse().unwrap(), url);
    if let Some(user) = user {
        request = request.header("X-Auth-Token", world.tokens[user].as_str());
    }
    match operation.body {
        Body::None => request,
        Body::Json => request.json(&body_of(operation.id)),
        Body::Form(..) => {
            request.header("Content-Type", "multipart/form-data; boundary=limit").body(form_of(operation.id))
        }
    }
}

/// Sends a call; returns the number of its code.
async fn code(request: RequestBuilder) -> u32 {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    let code = body["error_id"].as_str().or(body["error_code"].as_str()).unwrap_or_default();
    let number =
        code.strip_prefix("CS.").or(code.strip_prefix("DLI.")).and_then(|number| number.parse().ok());
    number.filter(|_| status == 400).unwrap_or_else(|| panic!("{status} {body}"))
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn whoever_has_no_right_is_refused() {
    let world = world().await;
    let foreign = "0123456789abcdef0123456789abcdef";
    let mut wrong = Vec::new();
    for operation in ALL {
        let own = |user| call(&world, operation, &world.project, user);
        for (request, expected) in [
            (call(&world, operation, "a-b", Some("admin")), 10_003),
            (own(None), 10_008),
            (own(Some("unknown")), 10_007),
            (own(Some("expired")), 10_007),
            (own(Some("domain")), 10_010),
            (own(Some("foreign")), 10_006),
            (call(&world, operation, foreign, Some("admin")), 10_006),
            (own(Some("stranger")), 10_005),
        ] {
            let found = code(request).await;
            if found != expected {
                wrong.push(format!("{}: {found}, expected {expected}", operation.id));
            }
        }
        let weaker = match operation.role {
            Role::None | Role::Reader | Role::ReadingUser => None,
            Role::User => Some("reader"),
            Role::Administrator => Some("ann"),
        };
        if let Some(user) = weaker {
            let found = code(own(Some(user))).await;
            if found != 10_005 {
                wrong.push(format!("{} as {user}: {found}", operation.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_body_that_is_none_is_refused_in_the_words_of_the_operation() {
    let world = world().await;
    let mut wrong = Vec::new();
    for operation in ALL.iter().filter(|operation| operation.body == Body::Json) {
        let errors = &Contract::get().operations[operation.id].errors;
        let expected: Vec<_> = UNREADABLE.into_iter().filter(|code| errors.contains(code)).collect();
        assert_eq!(expected.len(), 1, "{}: {expected:?}", operation.id);
        let long = " ".repeat((1 << 20) + 1);
        for text in ["", "{", "\"text\"", "7", &long] {
            let request = call(&world, operation, &world.project, Some("admin"));
            let found = code(request.body(text.to_string())).await;
            let expected = match (operation.id, text) {
                // It is a list, and an empty one has a code of its own.
                ("authorizeBucket", "") => 19_004,
                _ => expected[0],
            };
            if found != expected {
                wrong.push(format!("{}: {found}, expected {expected}, for `{text:.20}`", operation.id));
            }
        }
        let request = call(&world, operation, &world.project, Some("admin"));
        let (client, request) = request.build_split();
        let mut request = request.unwrap();
        request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
        let request = RequestBuilder::from_parts(client, request);
        assert_eq!(code(request).await, 10_003, "{}", operation.id);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn no_credential_is_known_while_the_identity_service_does_not_answer() {
    let world = world().await;
    world.control.store().close().await;
    let mut wrong = Vec::new();
    for operation in ALL {
        let found = code(call(&world, operation, &world.project, Some("unknown"))).await;
        if found != 10_015 {
            wrong.push(format!("{}: {found}", operation.id));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_by_every_operation() {
    // Without billing there would be nothing to pay.
    let world = World::start(|options| options.billing = Some(BillingOptions::default())).await;
    // The identity service remembers who called last.
    assert_eq!(world.call("GET", "/jobs", None).await.0, "CS.23000");
    world.control.store().close().await;
    // Samples are part of the service, and whatever is reported about edge jobs is refused.
    let without = ["getSampleTemplates", "reportEdgeJobStatus"];
    let mut wrong = Vec::new();
    for operation in ALL.iter().filter(|operation| !without.contains(&operation.id)) {
        let found = code(call(&world, operation, &world.project, Some("admin"))).await;
        if !FAULTS.contains(&found) {
            wrong.push(format!("{}: {found}", operation.id));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_panic_is_told_by_every_operation_and_stays_with_its_call() {
    let world = world().await;
    let mut wrong = Vec::new();
    for operation in ALL {
        world.faulty.arm();
        let found = code(call(&world, operation, &world.project, Some("admin"))).await;
        if found != 10_001 {
            wrong.push(format!("{}: {found}", operation.id));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(world.call("GET", "/jobs", None).await.0, "CS.23000", "the service goes on");
}

/// A call of the network service that belongs to the contract of CS: it names no project.
#[tokio::test]
async fn accepting_a_peering_is_refused_likewise() {
    let world = world().await;
    let path = "/v2.0/vpc/peerings/0e3ed5d0-9c38-4eb1-8c5f-0a6b2c9d1a11/accept";
    let nobody = reqwest::Client::new().put(format!("{}{path}", world.base_url));
    assert_eq!(code(nobody).await, 10_008);
    for (user, expected) in [
        ("unknown", 10_007),
        ("expired", 10_007),
        ("domain", 10_010),
        ("stranger", 10_005),
        ("admin", 22_103),
    ] {
        assert_eq!(code(world.request_of("PUT", path, user)).await, expected, "{user}");
    }
    world.faulty.arm();
    assert_eq!(code(world.request_of("PUT", path, "admin")).await, 10_001);
    world.control.store().close().await;
    assert_eq!(code(world.request_of("PUT", path, "unknown")).await, 10_015);
    assert_eq!(code(world.request_of("PUT", path, "admin")).await, 26_500);
}
