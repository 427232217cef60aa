//! Projects are walls: no operation sees or changes what is on the other side.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::collections::BTreeMap;

use common::World;
use serde_json::{Value, json};
use sqlx::Row;

/// What everything in the other project is named; no answer may contain it.
const CROWN: &str = "crown_jewels";

/// A project with something of everything, and the ids by the names of path parameters.
async fn furnished() -> (World, BTreeMap<String, String>) {
    let world = World::start(|_| {}).await;
    assert_eq!(world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await.0, "CS.19000");
    let job = world.create(CROWN, json!({ "desc": CROWN })).await;
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.14000");
    world.wait_for(job, "job_running").await;
    let (_, body) =
        world.call("POST", "/job_template", Some(json!({ "name": CROWN, "sql_body": CROWN }))).await;
    let ids = BTreeMap::from([
        ("job_id".to_string(), job.to_string()),
        ("template_id".to_string(), body["payload"]["template_id"].to_string()),
        ("user_id".to_string(), world.users["ann"].clone()),
        ("cluster_id".to_string(), "1".to_string()),
        ("host_id".to_string(), "1".to_string()),
    ]);
    (world, ids)
}

/// A body with which an operation would find what it is about, if it looked into the other project.
fn body_of(operation: &str, ids: &BTreeMap<String, String>) -> Value {
    let number = |name: &str| ids[name].parse::<i64>().unwrap();
    match operation {
        "updateSqlJob" | "updateJarJob" => json!({ "job_id": number("job_id"), "desc": "stolen" }),
        "batchRunJobs" | "batchStopJobs" | "batchDeleteJobs" => json!([number("job_id")]),
        "getJobsMetrics" => json!({ "job_ids": [number("job_id")] }),
        "updateJobTemplate" => json!({ "id": number("template_id"), "desc": "stolen" }),
        "submitSqlJob" => json!({
            "name": "mine", "run_mode": "shared_cluster", "sql_body": "", "template_id": number("template_id")
        }),
        "updateUserQuota" => json!({ "spu_quota": 7 }),
        "createAgency" => json!({ "roles": ["obs_adm"] }),
        "authorizeBucket" => json!(["bucket2"]),
        _ => json!({}),
    }
}

/// Returns everything that the store keeps of a project, but for what time alone changes.
async fn kept(world: &World) -> String {
    let pool = world.control.store().pool();
    let tables = "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c
                  WHERE m.type = 'table' AND c.name = 'project_id' ORDER BY m.name";
    let tables: Vec<String> =
        sqlx::query(tables).fetch_all(pool).await.unwrap().iter().map(|row| row.get("name")).collect();
    assert!(tables.iter().any(|table| table == "jobs") && tables.iter().any(|table| table == "users"));
    let mut kept = String::new();
    for table in tables {
        let columns = sqlx::AssertSqlSafe(format!(
            "SELECT group_concat(name) AS names FROM pragma_table_info('{table}')
             WHERE name NOT IN ('version', 'running_since', 'start_time')"
        ));
        let names: String = sqlx::query(columns).fetch_one(pool).await.unwrap().get("names");
        let rows = sqlx::AssertSqlSafe(format!(
            "SELECT CAST(json_array({names}) AS TEXT) AS line FROM {table} WHERE project_id = '{}'",
            world.project
        ));
        for row in sqlx::query(rows).fetch_all(pool).await.unwrap() {
            kept.push_str(&format!("{table} {}\n", row.get::<String, _>("line")));
        }
    }
    kept
}

#[tokio::test]
async fn a_foreign_token_opens_nothing() {
    let (world, ids) = furnished().await;
    let before = kept(&world).await;
    assert!(before.contains(CROWN));
    for operation in weir_api::cs::operations::ALL {
        let (method, path) = common::place_of(weir_api::openapi::document(), operation.id);
        let path =
            common::fill_path(&path, &world.project, &|name| ids.get(name).cloned().unwrap_or("1".into()));
        let request = world.request_of(&method, &path, "foreign").json(&body_of(operation.id, &ids));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        // The list of the successor has an error form of its own.
        let code = answer["error_id"].as_str().or(answer["error_code"].as_str()).unwrap_or_default();
        let has_other_type = code == "CS.10003" && method != "get";
        assert!(["CS.10006", "DLI.10006"].contains(&code) || has_other_type, "{}: {answer}", operation.id);
        assert!(!answer.to_string().contains(CROWN), "{}: {answer}", operation.id);
    }
    assert_eq!(kept(&world).await, before);
}

#[tokio::test]
async fn ids_of_another_project_are_ids_of_nothing() {
    let (world, ids) = furnished().await;
    let before = kept(&world).await;
    for operation in weir_api::cs::operations::ALL {
        let (method, path) = common::place_of(weir_api::openapi::document(), operation.id);
        let path = common::fill_path(&path, &world.other_project, &|name| {
            ids.get(name).cloned().unwrap_or("1".into())
        });
        let request = world.request_of(&method, &path, "foreign").json(&body_of(operation.id, &ids));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(!text.contains(CROWN), "{}: {text}", operation.id);
        // Whoever names a job or template of the other project is told that there is none.
        let names_one = path.contains("/job/") || body_of(operation.id, &ids).to_string().contains("id");
        if names_one || operation.id.starts_with("batch") {
            let answer: Value = serde_json::from_str(&text).unwrap();
            let code = answer["error_id"].as_str().unwrap_or_default();
            let unknown = [
                "12004", "13007", "15001", "16001", "17001", "18005", "20005", "10003", "12001", "11029",
                "10004",
            ];
            assert!(
                status == 400 && unknown.iter().any(|number| code == format!("CS.{number}")),
                "{}: {text}",
                operation.id
            );
        }
    }
    assert_eq!(kept(&world).await, before);
}
