//! From objects to objects.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use weir_testkit::kill::kill_hard;

use crate::plan::Plan;
use crate::streams::first_number;
use crate::world::{CATCH_UP, World, in_world};

/// Records that each of the two readers takes in a second. What a job reads is fixed when it begins, and all of it
/// could be read in a moment: the kills would meet a job that has ended.
const READ_RATE: u32 = 10_000;

/// Objects are so large that nearly every kill meets the readers within one.
const OBJECT_RECORDS: u32 = 2 * READ_RATE;

#[tokio::test(flavor = "multi_thread")]
async fn objects_to_objects_keep_every_record_exactly_once() {
    let plan = Plan::from_environment();
    in_world(plan.seed, async |world| objects_to_objects(world, plan).await).await;
}

fn job(directory: &str, rate: u32) -> String {
    format!(
        r#"
CREATE SOURCE STREAM records (id BIGINT, body STRING) WITH (
  type = "obs", region = "local", bucket = "crash", object_name = "in/",
  encode = "csv", field_delimiter = ",", row_delimiter = "\n", rows_per_second = "{rate}");
CREATE SINK STREAM copies (id BIGINT, body STRING) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "crash/{directory}", file_prefix = "part", rolling_size = "1m", max_record_num_per_file = "100000",
  dump_interval = "2");
INSERT INTO copies SELECT id, body FROM records;
"#
    )
}

async fn objects_to_objects(world: &mut World, mut plan: Plan) -> anyhow::Result<()> {
    world.make_buckets(&["crash", "checkpoints"]).await?;
    // Between two kills the job comes about half a second further: the rest of the time it starts, or reads what it
    // reads again after the kill. This is twice as much, and some more for a few kills with long pauses.
    let reading = Duration::from_secs(5) + Duration::from_millis(900) * plan.worker_kills;
    let records = put_objects(world, &mut plan, 2 * READ_RATE * reading.as_secs() as u32)?;
    let running = world.start_job("crash_objects", &job("out", READ_RATE), json!({})).await?;
    for (kill, strike) in plan.strikes().into_iter().enumerate() {
        tokio::time::sleep(plan.pause()).await;
        let status = world.client().await.job(running).await?.status;
        ensure!(status != "job_finish", "the job has ended after {kill} kills; it needs more to read");
        world.strike(strike, &mut plan).await.with_context(|| format!("at {strike:?}"))?;
    }
    world.client().await.wait_for(running, &["job_finish"], CATCH_UP + reading).await?;
    check_objects(world, "out", records)?;
    println!(
        "objects to objects: {records} records; the worker was killed {} times, the service {} times",
        plan.worker_kills, plan.service_kills
    );
    kill_near_the_end(world, &mut plan, records).await
}

/// The same objects in about two seconds: worker and service are killed while the job starts, reads, ends or has ended.
async fn kill_near_the_end(world: &mut World, plan: &mut Plan, records: u32) -> anyhow::Result<()> {
    let job = world.start_job("crash_at_the_end", &job("end", records / 4), json!({})).await?;
    let mut kills = 0;
    for _ in 0..3 {
        tokio::time::sleep(2 * plan.absence()).await;
        world.service.kill()?;
        kills += world.service.workers().into_iter().filter(|worker| kill_hard(*worker)).count();
        world.start_again().await?;
    }
    world.client().await.wait_for(job, &["job_finish"], CATCH_UP).await?;
    check_objects(world, "end", records)?;
    println!("objects to objects, near the end: the worker was killed {kills} times, the service 3 times");
    Ok(())
}

/// Puts objects, whose records are numbered through. Returns the number of records, which is `about` the one given.
fn put_objects(world: &World, plan: &mut Plan, about: u32) -> anyhow::Result<u32> {
    let place = world.service.data().join("crash-input.csv");
    let (mut objects, mut records) = (0, 0);
    while records < about {
        let count = plan.records(OBJECT_RECORDS);
        let mut text = String::new();
        for id in records..records + count {
            writeln!(text, "{id},record number {id}")?;
        }
        std::fs::write(&place, &text)?;
        let target = format!("obs://crash/in/{objects:05}.csv");
        world.service.command(&["bucket", "cp", &place.display().to_string(), &target])?;
        objects += 1;
        records += count;
    }
    std::fs::remove_file(&place)?;
    Ok(records)
}

/// Returns the keys of the objects of a directory.
fn list(world: &World, directory: &str) -> anyhow::Result<Vec<String>> {
    let listing = world.service.command(&["bucket", "ls", &format!("obs://crash/{directory}/")])?;
    // The key is the last column; the heading has none of the directory.
    let keys = listing.lines().filter_map(|line| line.split_whitespace().next_back());
    Ok(keys.filter(|key| key.starts_with(&format!("{directory}/"))).map(String::from).collect())
}

fn check_objects(world: &World, directory: &str, records: u32) -> anyhow::Result<()> {
    let mut seen = vec![false; records as usize];
    let mut strange = BTreeSet::new();
    for key in list(world, directory)? {
        for line in world.service.command(&["bucket", "cat", &format!("obs://crash/{key}")])?.lines() {
            let id = first_number(line)?;
            match usize::try_from(id).ok().and_then(|id| seen.get_mut(id)) {
                Some(seen) => {
                    ensure!(!std::mem::replace(seen, true), "record {id} is twice in `{directory}`")
                }
                None => _ = strange.insert(id),
            }
        }
    }
    ensure!(strange.is_empty(), "`{directory}` has records that were never put: {strange:?}");
    let missing = seen.iter().filter(|seen| !**seen).count();
    let first = seen.iter().position(|seen| !seen);
    ensure!(
        missing == 0,
        "{missing} of {records} records are missing in `{directory}`, the first is {first:?}"
    );
    Ok(())
}
