//! Stops with a savepoint and runs from it, while records come in all the time.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::kill::kill_hard;
use weir_testkit::seed::seed_of_run;
use weir_testkit::service::Client;

use crate::streams::{JOB, Producer, check_copies, check_counts};
use crate::world::{World, in_world};

const JOB_WITHOUT_CHECKPOINTS: &str = r#"
CREATE SOURCE STREAM readings (id BIGINT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "crash_in", encode = "csv", field_delimiter = ",",
  start_time = "2020-01-01 00:00:00");
CREATE SINK STREAM copies (id BIGINT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "bare_out", encode = "csv", field_delimiter = ",");
INSERT INTO copies SELECT id, ts FROM readings;
"#;

/// Another text: a savepoint of the first does not fit it.
const OTHER_JOB: &str = r#"
CREATE SOURCE STREAM s (a INT) WITH (type = "dis", channel = "unread", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM t (a INT) WITH (type = "blackhole");
INSERT INTO t SELECT a FROM s;
"#;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_from_its_savepoint_without_loss_or_repetition() {
    in_world(seed_of_run(), async |world| stop_and_resume(world).await).await;
}

async fn stop_and_resume(world: &mut World) -> anyhow::Result<()> {
    let client = world.client().await;
    for (stream, partitions) in [("crash_in", 2), ("crash_out", 2), ("crash_counts", 1), ("bare_out", 1)] {
        client.create_stream(stream, partitions).await?;
    }
    world.make_buckets(&["checkpoints"]).await?;
    // Nothing but the savepoint can keep what the windows of this job hold: the next checkpoint is an hour away.
    let job = world.start_job("windows", JOB, json!({"checkpoint_interval": 3_600})).await?;
    let bare = json!({"checkpoint_enabled": false, "obs_bucket": null, "restart_when_exception": false});
    let bare = world.start_job("bare", JOB_WITHOUT_CHECKPOINTS, bare).await?;
    let producer = Producer::start(&world.client, "crash_in");
    let changes =
        [json!({"parallel_number": 3}), json!({"parallel_number": 1}), json!({"checkpoint_interval": 1})];
    for (round, change) in changes.into_iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        for job in [job, bare] {
            post(&client, &format!("job/{job}/stop?triggerSavePoint=true"), None).await?;
        }
        for job in [job, bare] {
            client.wait_for(job, &["job_cancel_success"], LIMIT).await?;
        }
        let path = detail(&client, job).await?["savepoint_path"].clone();
        ensure!(path == format!("checkpoints/jobs/savepoint/{job}"), "the savepoint is in {path}");
        tokio::time::sleep(Duration::from_millis(500)).await;
        for job in [job, bare] {
            let mut change = change.clone();
            change["job_id"] = json!(job);
            client.call(Method::PATCH, "/v1.0/{project}/sql_job", Some(&change)).await?;
            post(&client, &format!("job/{job}/run?resumeSavePoint=true"), None).await?;
        }
        for job in [job, bare] {
            client.wait_for(job, &["job_running"], LIMIT).await?;
        }
        wait_for_path(&client, job, &Value::Null).await?;
        if round == 1 {
            // The savepoint is gone, and no checkpoint is due: a restart needs the one that the run began with.
            replace_worker(world, job).await?;
        }
    }
    producer.finish(&world.client().await).await?;
    let records = check_copies(&client, "crash_in", "crash_out").await?;
    check_counts(&client, &records).await?;
    check_copies(&client, "crash_in", "bare_out").await?;
    on_demand(&client, job).await
}

/// Kills the worker of a job and waits until it has another one.
async fn replace_worker(world: &World, job: i64) -> anyhow::Result<()> {
    let file = world.service.data().join(format!("workers/{job}/pid"));
    let first = std::fs::read_to_string(&file)?;
    ensure!(kill_hard(first.trim().parse()?), "the worker was gone already");
    let deadline = Instant::now() + LIMIT;
    while std::fs::read_to_string(&file).unwrap_or_else(|_| first.clone()) == first {
        ensure!(Instant::now() < deadline, "the job has no new worker");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.client().await.wait_for(job, &["job_running"], LIMIT).await?;
    Ok(())
}

/// Writes a savepoint of a job that runs on, and starts another job from it.
async fn on_demand(client: &Client, job: i64) -> anyhow::Result<()> {
    let body = json!({"action": "TRIGGER", "savepoint_path": "checkpoints/mine/"});
    post(client, &format!("job/{job}/savepoint"), Some(&body)).await?;
    wait_for_path(client, job, &json!("checkpoints/mine")).await?;
    client.wait_for(job, &["job_running"], LIMIT).await?;
    client.stop_job(job).await?;
    client.wait_for(job, &["job_cancel_success"], LIMIT).await?;
    client.create_stream("unread", 1).await?;
    let request = json!({"name": "other", "run_mode": "shared_cluster", "sql_body": OTHER_JOB});
    let other = client.create_job(&request).await?;
    let body = json!({"savepoint_path": "checkpoints/mine"});
    post(client, &format!("job/{other}/import_savepoint"), Some(&body)).await?;
    // It is the savepoint of another text: the run says so and does not begin afresh in silence.
    let refused = client
        .send(Method::POST, &format!("/v1.0/{{project}}/job/{other}/run?resumeSavePoint=true"), None)
        .await?;
    drop(refused);
    let view = client.wait_for(other, &["job_submit_fail"], LIMIT).await?;
    ensure!(view.status_desc.contains("does not fit the job"), "the reason is: {}", view.status_desc);
    Ok(())
}

async fn post(client: &Client, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
    client.call(Method::POST, &format!("/v1.0/{{project}}/{path}"), body).await?;
    Ok(())
}

async fn detail(client: &Client, job: i64) -> anyhow::Result<Value> {
    let answer = client.call(Method::GET, &format!("/v1.0/{{project}}/job/{job}"), None).await?;
    Ok(answer["payload"].clone())
}

async fn wait_for_path(client: &Client, job: i64, path: &Value) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let detail = detail(client, job).await?;
        if detail["savepoint_path"] == *path {
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!("the savepoint is not in {path} but: {detail}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
