//! Global variables behind the API: who sees what of them, and what happens when they change.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::World;
use serde_json::json;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_base::variables::Variables;
use weir_cloud::sealing::Sealer;
use weir_runtime::{RunState, open_variables};

const SECRET: &str = "planted-Secret.4711";

fn sql(options: &str) -> serde_json::Value {
    let sql = format!(
        "CREATE SOURCE STREAM s1 (a INT) WITH (type = 'datagen');\n\
         CREATE SINK STREAM t1 (a INT) WITH ({options});\nINSERT INTO t1 SELECT a FROM s1;"
    );
    json!({ "sql_body": sql })
}

async fn set(world: &World, name: &str, value: &str) {
    let project = ProjectId(world.project.clone());
    world.control.variables().set(&project, name, value, Timestamp(1)).await.unwrap();
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_worker_is_given_the_value_of_its_start_and_nobody_else() {
    let world = World::start(|_| {}).await;
    set(&world, "key", SECRET).await;
    set(&world, "other", "o").await;
    let job = world.create("j1", sql("type='dis', channel='{{key}}', encode='json'")).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    let detail = world.wait_for(job, "job_running").await;
    assert!(detail["sql_body"].as_str().unwrap().contains("channel='{{key}}'"), "{detail}");

    let opened = |world: &World| {
        let request = world.runner.started(job);
        assert!(!format!("{request:?} {}", json!(request)).contains(SECRET), "{request:?}");
        let sealer = Sealer::new(world.directory.path().join("sealing.key"));
        open_variables(&request.project, &request.variables, &sealer).unwrap()
    };
    assert_eq!(opened(&world), Variables::from([("key", SECRET)]));

    world.call("POST", &format!("/job/{job}/stop"), None).await;
    world.wait_for(job, "job_cancel_success").await;
    set(&world, "key", "new").await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    assert_eq!(opened(&world), Variables::from([("key", "new")]));
}

#[tokio::test]
async fn a_job_whose_variable_is_gone_does_not_start() {
    let world = World::start(|_| {}).await;
    set(&world, "key", SECRET).await;
    set(&world, "keys", "x").await;
    let job = world.create("j1", sql("type='dis', channel='{{key}}', encode='json'")).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.runner.set(job, RunState::Finished);
    world.wait_for(job, "job_finish").await;

    let project = ProjectId(world.project.clone());
    assert!(world.control.variables().remove(&project, "key", Timestamp(2)).await.unwrap());
    let (code, body) = world.call("POST", &format!("/job/{job}/run"), None).await;
    assert_eq!(code, "CS.13005");
    let cause = body["error_cause"].as_str().unwrap();
    assert!(cause.contains("unknown global variable `key` (did you mean `keys`?)"), "{cause}");
}

#[tokio::test]
async fn an_answer_does_not_tell_a_value() {
    let world = World::start(|_| {}).await;
    set(&world, "key", SECRET).await;
    for (number, options) in
        ["type='{{key}}'", "type='dis', channel='c', encode='{{key}}'"].iter().enumerate()
    {
        let job = world.create(&format!("j{number}"), sql(options)).await;
        let (code, body) = world.call("POST", &format!("/job/{job}/run"), None).await;
        assert!(matches!(code.as_str(), "CS.13005" | "CS.13015"), "{body}");
        assert!(!body.to_string().to_lowercase().contains("planted"), "{body}");
        let audit = world.audits().await;
        assert!(!format!("{audit:?}").to_lowercase().contains("planted"), "{audit:?}");
    }
}

#[tokio::test]
async fn a_lost_key_is_told_and_no_syntax_error() {
    let world = World::start(|_| {}).await;
    set(&world, "key", SECRET).await;
    std::fs::remove_file(world.directory.path().join("sealing.key")).unwrap();
    let job = world.create("j1", sql("type='dis', channel='{{key}}', encode='json'")).await;
    let (code, body) = world.call("POST", &format!("/job/{job}/run"), None).await;
    assert_eq!(code, "CS.26500");
    assert!(body["error_cause"].as_str().unwrap().contains("sealing.key"), "{body}");
}
