//! The parameters of queries and paths, from the table of the contract: what each may be, what it may not be with the code
//! that says so, what it is when it is absent, and how many records a page has.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::time::Duration;

use common::contract::types::{Kind, Type};
use common::contract::{Body, Contract, Operation};
use common::{SQL, World};
use serde_json::{Value, json};
use weir_cloud::identity::{AssignmentTarget, NewUser};
use weir_control::BillingOptions;

/// Records of everything that is listed, more than any list has in a page when the caller does not say.
const RECORDS: usize = 21;

/// A service with so many of everything; the first cluster has the jobs.
async fn furnished() -> World {
    let world = World::start(|options| {
        options.clusters.project_spus = 10_000;
        options.clusters.spus = 10_000;
        options.billing = Some(BillingOptions { price: "0.5".parse().unwrap(), ..BillingOptions::default() });
    })
    .await;
    let top_up = world.call("POST", "/billing/top_up", Some(json!({ "amount": 100_000 }))).await;
    assert_eq!(top_up.0, "CS.25010", "{}", top_up.1);
    for number in 1..=RECORDS {
        let cluster = json!({ "name": format!("c{number}"), "maximum_spu_quota": 10 });
        let (code, body) = world.call("POST", "/reserved_cluster", Some(cluster)).await;
        assert_eq!((code.as_str(), &body["payload"]["cluster_id"]), ("CS.20000", &json!(number)), "{body}");
        let template = json!({ "name": format!("t{number}") });
        assert_eq!(world.call("POST", "/job_template", Some(template)).await.0, "CS.18020");
        let job = json!({ "run_mode": "exclusive_cluster", "cluster_id": 1, "sql_body": SQL });
        world.create(&format!("j{number}"), job).await;
        let user = NewUser {
            name: format!("user{number}"),
            domain_id: world.domain.clone(),
            description: String::new(),
            password: "correct-horse".to_string(),
            enabled: true,
            default_project_id: None,
        };
        let user = world.identity.create_user(user).await.unwrap().id;
        let target = AssignmentTarget::Project(world.project.clone());
        world.identity.assign_role(&user, target, "cs_user").await.unwrap();
        let quota =
            world.call("PATCH", &format!("/user_quota/{user}"), Some(json!({ "spu_quota": 5 }))).await;
        assert_eq!(quota.0, "CS.21090", "{}", quota.1);
    }
    for _ in 0..6_000 {
        let (_, body) = world.call("GET", "/overview", None).await;
        if body["payload"]["cluster_overview"]["running_cluster_count"] == json!(RECORDS) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let host = |number: usize| json!({ "hostname": format!("h{number}"), "ip": "10.0.0.1" });
    let hosts = json!({ "hosts_info": (1..=RECORDS).map(host).collect::<Vec<_>>() });
    let (_, body) = world.call("POST", "/reserved_cluster/1/hosts", Some(hosts)).await;
    assert_eq!(body[0]["message_id"], "CS.22018", "{body}");
    // Each cluster that runs has a line in the history.
    assert_eq!(world.call("POST", "/billing/settle", None).await.0, "CS.25011");
    world
}

/// Calls an operation with a parameter that has a value; returns the code, if it is an error, and the answer.
async fn ask(world: &World, operation: &Operation, parameter: &str, value: &str) -> (Option<u32>, Value) {
    let path = common::fill_path(&operation.path, &world.project, &|name| match name {
        name if name == parameter => value.to_string(),
        "user_id" => world.users["ann"].clone(),
        _ => "1".to_string(),
    });
    let mut query = Vec::new();
    if operation.parameters.get("resource_type").is_some_and(|parameter| parameter.kind.required) {
        query.push(("resource_type", "job"));
    }
    if operation.parameters.get(parameter).is_some_and(|found| found.place == "query") {
        query.retain(|(name, _)| *name != parameter);
        query.push((parameter, value));
    }
    let mut request = world.request_of(&operation.method, &path, "admin").query(&query);
    if let Body::Json(_) = operation.body {
        request = request.json(&json!([1]));
    }
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let code = answer["error_id"].as_str().or(answer["error_code"].as_str()).unwrap_or_default();
    (code.rsplit('.').next().unwrap().parse().ok(), answer)
}

/// The code for a wrong value of a parameter; `above` when it is a number that is too large.
fn code_of(operation: &str, parameter: &str, above: bool) -> u32 {
    match (operation, parameter) {
        ("getJobs" | "getFlinkJobs", "root_job_id") => 23_003,
        ("getReservedClusters", "limit") if !above => 21_031,
        ("getUserQuotas", "limit") if !above => 21_095,
        ("getAuditLogs", "limit") if above => 24_001,
        ("getAuditLogs", "resource_type") => 24_002,
        (_, "job_id") => 12_001,
        (_, "cluster_id") if operation != "getJobs" => 20_005,
        _ => 10_003,
    }
}

/// Values that a parameter cannot have, and whether each is a number that is too large.
fn wrong_values(kind: &Type) -> Vec<(String, bool)> {
    let limit = |name: &str| kind.limits.get(name).map(|value| value.parse::<i128>().unwrap());
    match &kind.kind {
        Kind::Boolean => vec![("maybe".to_string(), false), ("1".to_string(), false)],
        Kind::Enum(_) => vec![("other".to_string(), false)],
        Kind::Plain(name, format) if name == "integer" => {
            let is_small = format.as_deref() == Some("int32");
            let range = if is_small { i128::from(i32::MAX) } else { i128::from(i64::MAX) };
            let mut values =
                vec![("x".to_string(), false), ("1.5".to_string(), false), ("0x1".to_string(), false)];
            values.extend(limit("min").map(|least| ((least - 1).to_string(), false)));
            // What does not fit the type is no number.
            let most = limit("max").map_or((range + 1, false), |most| (most + 1, true));
            values.push((most.0.to_string(), most.1));
            values
        }
        _ => limit("max_length")
            .map(|most| ("x".repeat(usize::try_from(most).unwrap() + 1), false))
            .into_iter()
            .collect(),
    }
}

/// Values at the ends of what a parameter can have.
fn right_values(kind: &Type) -> Vec<String> {
    match &kind.kind {
        Kind::Boolean => ["true", "false", "True"].map(String::from).to_vec(),
        Kind::Enum(values) => values.iter().cloned().collect(),
        Kind::Plain(name, _) if name == "integer" => {
            ["min", "max"].iter().filter_map(|end| kind.limits.get(*end).cloned()).collect()
        }
        _ => {
            kind.limits.get("max_length").map(|most| "x".repeat(most.parse().unwrap())).into_iter().collect()
        }
    }
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_wrong_value_of_any_parameter_is_told() {
    let world = World::start(|_| {}).await;
    let (mut told, mut wrong) = (0, Vec::new());
    for (id, operation) in Contract::get().operations.iter().filter(|(_, one)| one.path.starts_with("/v1.0/"))
    {
        for (name, parameter) in &operation.parameters {
            // An id of a mapping, a template, a peering or a user that is none is the id of nothing; a body comes before
            // what the path names.
            let is_first =
                matches!(operation.body, Body::None) && ["job_id", "cluster_id"].contains(&name.as_str());
            if parameter.place == "path" && !is_first {
                continue;
            }
            for (value, above) in wrong_values(&parameter.kind) {
                let (code, answer) = ask(&world, operation, name, &value).await;
                let expected = code_of(id, name, above);
                if code != Some(expected) {
                    wrong.push(format!("{id} {name}={value}: expected {expected}: {answer}"));
                }
                told += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 150, "{told}");
}

/// Returns how many records there are and how many the page has.
fn counted(answer: &Value) -> (usize, usize) {
    let payload = answer.get("payload").or(answer.get("job_list")).unwrap_or_else(|| panic!("{answer}"));
    let total = payload.get("total").or(payload.get("total_count")).and_then(Value::as_u64).unwrap();
    let records = payload.as_object().unwrap().values().find_map(Value::as_array).unwrap();
    (usize::try_from(total).unwrap(), records.len())
}

/// What a list answers, without the time.
fn listed(answer: &Value) -> &Value {
    answer.get("payload").unwrap_or(&answer["job_list"])
}

#[tokio::test]
async fn every_list_takes_what_the_contract_allows_and_has_its_defaults() {
    let world = furnished().await;
    let lists = Contract::get().operations.iter().filter(|(_, one)| one.parameters.contains_key("limit"));
    let (mut names, mut wrong) = (Vec::new(), Vec::new());
    for (id, operation) in lists {
        names.push(id.as_str());
        let (_, plain) = ask(&world, operation, "", "").await;
        let limit = &operation.parameters["limit"].kind.limits;
        let number = |name: &str| limit[name].parse::<usize>().unwrap();
        let (total, records) = counted(&plain);
        assert!(total >= RECORDS, "{id}: {plain}");
        if records != number("default") {
            wrong.push(format!("{id}: {records} records in a page of unsaid length"));
        }
        for limit in [number("min"), 3, number("max")] {
            let (_, page) = ask(&world, operation, "limit", &limit.to_string()).await;
            if counted(&page) != (total, limit.min(total)) {
                wrong.push(format!("{id} limit={limit}: {:?} of {total}", counted(&page)));
            }
        }
        for (name, parameter) in operation.parameters.iter().filter(|(_, one)| one.place == "query") {
            for value in right_values(&parameter.kind) {
                let (code, answer) = ask(&world, operation, name, &value).await;
                if code.is_some() {
                    wrong.push(format!("{id} {name}={value}: {answer}"));
                }
            }
            if let Some(default) = parameter.kind.limits.get("default") {
                let (_, answer) = ask(&world, operation, name, default).await;
                // What runs is charged while it is looked at.
                if listed(&answer) != listed(&plain) && id != "getBillingHistory" {
                    wrong.push(format!("{id} {name}={default} is not the default: {answer}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        names,
        [
            "getAuditLogs",
            "getBillingHistory",
            "getClusterJobs",
            "getFlinkJobs",
            "getHostsInfo",
            "getJobTemplates",
            "getJobs",
            "getReservedClusters",
            "getUserQuotas"
        ]
    );
}
