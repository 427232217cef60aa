//! The logs of a job in its bucket.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::json;

use crate::plan::{Plan, Strike};
use crate::world::{World, in_world};

/// Copies may be on their way for so long after the end of a job.
const LIMIT: Duration = Duration::from_secs(60);

/// Its rows are in the log of its worker, together with what else that one says.
const JOB: &str = r#"
CREATE SOURCE STREAM s (a INT) WITH (type = "datagen", rows_per_second = "200");
CREATE SINK STREAM t (a INT) WITH (type = "print");
INSERT INTO t SELECT a FROM s;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_log_is_in_the_bucket_once() {
    let plan = Plan::from_environment();
    in_world(plan.seed, async |world| strike_and_compare(world, plan).await).await;
}

async fn strike_and_compare(world: &mut World, mut plan: Plan) -> anyhow::Result<()> {
    world.make_buckets(&["checkpoints"]).await?;
    let job = world.start_job("talker", JOB, json!({"log_enabled": true})).await?;
    let mut began = Vec::new();
    for strike in [
        Strike::ServiceThenWorker,
        Strike::ServiceAlone,
        Strike::WorkerThenService,
        Strike::Worker,
        Strike::ServiceThenWorker,
    ] {
        began.push(start_of(world, job).await?);
        tokio::time::sleep(plan.pause()).await;
        world.strike(strike, &mut plan).await.with_context(|| format!("at {strike:?}"))?;
    }
    // Workers that have hardly begun.
    for strike in [Strike::ServiceThenWorker, Strike::WorkerThenService] {
        world.strike(strike, &mut plan).await.with_context(|| format!("at {strike:?}"))?;
    }
    began.push(start_of(world, job).await?);
    let client = world.client().await;
    client.stop_job(job).await?;
    client.wait_for(job, &["job_cancel_success"], LIMIT).await?;

    let data = world.service.data();
    let (folder, bucket) = (data.join(format!("workers/{job}")), data.join("objects/checkpoints/jobs/logs"));
    let written = std::fs::read_to_string(folder.join("worker.log"))?;
    let decided = std::fs::read_to_string(folder.join("jobmanager.log"))?;
    ensure!(written.contains("job runs"), "the worker has said nothing:\n{written}");
    let deadline = Instant::now() + LIMIT;
    for start in &began {
        let log = bucket.join(format!("{job}-{start}/taskmanager-1.log"));
        ensure!(log.exists(), "the log of the attempt that began at {start} is not in its directory");
    }
    loop {
        let copied = read_logs(&bucket, "taskmanager-1.log")?;
        let manager = read_logs(&bucket, "jobmanager.log")?;
        let missing = decided.lines().find(|line| !manager.lines().any(|copied| copied == *line));
        if copied == written && missing.is_none() {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "the bucket has {} lines of the worker, which wrote {}; of the service it lacks {missing:?}",
            copied.lines().count(),
            written.lines().count()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a job runs, and returns since when.
async fn start_of(world: &World, job: i64) -> anyhow::Result<i64> {
    let client = world.client().await;
    client.wait_for(job, &["job_running"], LIMIT).await?;
    let answer = client.call(Method::GET, &format!("/v1.0/{{project}}/job/{job}"), None).await?;
    answer["payload"]["start_time"].as_i64().with_context(|| format!("no start: {answer}"))
}

/// Returns what the directories of all attempts have of a log, one after the other.
fn read_logs(bucket: &Path, name: &str) -> anyhow::Result<String> {
    // Their names end with the time at which they began.
    let mut directories: Vec<_> =
        std::fs::read_dir(bucket)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    directories.sort();
    let mut text = String::new();
    for log in directories.iter().map(|directory| directory.join(name)).filter(|log| log.exists()) {
        text.push_str(&std::fs::read_to_string(log)?);
    }
    Ok(text)
}
