//! Endings that are no crash of everything: SIGTERM, a worker that may not be restarted, a second service.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use weir_testkit::kill::{ask_to_end, kill_hard};
use weir_testkit::seed::seed_of_run;

use crate::streams::{Producer, check_copies};
use crate::world::{World, in_world};

/// What SIGTERM may take, and what is measured on a busy machine on top.
const END_LIMIT: Duration = Duration::from_secs(10);

fn copy_job(channel: &str) -> String {
    format!(
        r#"
CREATE SOURCE STREAM readings (id BIGINT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "source", encode = "csv", field_delimiter = ",",
  start_time = "2020-01-01 00:00:00");
CREATE SINK STREAM copies (id BIGINT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "{channel}", encode = "csv", field_delimiter = ",");
INSERT INTO copies SELECT id, ts FROM readings;
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_ended_resumes_its_jobs_at_the_next_start() {
    in_world(seed_of_run(), async |world| end_and_start(world).await).await;
}

async fn end_and_start(world: &mut World) -> anyhow::Result<()> {
    let client = world.client().await;
    for stream in ["source", "with", "without"] {
        client.create_stream(stream, 2).await?;
    }
    world.make_buckets(&["checkpoints"]).await?;
    // Only the final checkpoint can make anything of the first job visible: the next one is an hour away.
    let rare = json!({"checkpoint_interval": 3_600, "restart_when_exception": false});
    let none = json!({"checkpoint_enabled": false, "restart_when_exception": false});
    let jobs = [
        world.start_job("with_checkpoints", &copy_job("with"), rare).await?,
        world.start_job("without_checkpoints", &copy_job("without"), none).await?,
    ];
    let producer = Producer::start(&world.client, "source");
    for signal in [Signalled::Service, Signalled::All] {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        end(world, signal).await?;
        world.start_again().await?;
        for job in jobs {
            world.client().await.wait_for(job, &["job_running"], Duration::from_secs(30)).await?;
        }
    }
    producer.finish(&world.client().await).await?;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    end(world, Signalled::Service).await?;
    world.start_again().await?;
    for channel in ["with", "without"] {
        let records = check_copies(&world.client().await, "source", channel).await?;
        ensure!(!records.is_empty(), "nothing was produced");
    }
    Ok(())
}

/// Who gets SIGTERM.
enum Signalled {
    Service,
    /// A service manager signals every process of the service.
    All,
}

async fn end(world: &mut World, signalled: Signalled) -> anyhow::Result<()> {
    let workers = world.service.workers();
    ensure!(workers.len() == 2, "two jobs have the workers {workers:?}");
    if matches!(signalled, Signalled::All) {
        workers.iter().for_each(|worker| _ = ask_to_end(*worker));
    }
    let (status, took) = world.service.end()?;
    ensure!(status.success(), "the service ended with {status}");
    ensure!(took < END_LIMIT, "the service took {took:?} to end");
    let left = world.service.workers();
    ensure!(left.is_empty(), "the workers {left:?} are still there after the end of the service");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_that_may_not_restart_ends_the_job_with_a_reason() {
    in_world(seed_of_run(), async |world| kill_without_restart(world).await).await;
}

async fn kill_without_restart(world: &mut World) -> anyhow::Result<()> {
    let client = world.client().await;
    for stream in ["source", "copies"] {
        client.create_stream(stream, 1).await?;
    }
    world.make_buckets(&["checkpoints"]).await?;
    let job =
        world.start_job("fragile", &copy_job("copies"), json!({"restart_when_exception": false})).await?;
    let workers = world.service.workers();
    ensure!(workers.len() == 1, "one job has the workers {workers:?}");
    ensure!(kill_hard(workers[0]), "the worker was gone already");
    let view = client.wait_for(job, &["job_running_exception"], Duration::from_secs(30)).await?;
    for part in ["was killed (signal 9)", "its log is with the operator"] {
        ensure!(view.status_desc.contains(part), "the reason does not say `{part}`: {}", view.status_desc);
    }
    // The user can run it again.
    client.run_job(job).await?;
    client.wait_for(job, &["job_running"], Duration::from_secs(30)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_the_same_directory_is_refused() {
    in_world(seed_of_run(), async |world| start_second(world).await).await;
}

async fn start_second(world: &mut World) -> anyhow::Result<()> {
    let said = world.service.start_second()?;
    let data = world.service.data();
    for part in ["another weir service runs", &data.display().to_string(), &world.service.endpoint()?] {
        ensure!(said.contains(part), "the refusal does not say `{part}`: {said}");
    }
    // The first one goes on.
    let projects = world.client().await.call(reqwest::Method::GET, "/v3/auth/projects", None).await?;
    ensure!(projects["projects"][0]["id"].is_string(), "the first service answers {projects}");
    Ok(())
}
