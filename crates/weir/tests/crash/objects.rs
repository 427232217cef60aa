//! From objects to objects.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use weir_testkit::kill::kill_hard;

use crate::plan::Plan;
use crate::streams::first_number;
use crate::world::{CATCH_UP, World, in_world};

/// Most records of an object. A few objects of this size are read in about the time between two kills.
const MOST_RECORDS: u32 = 60_000;

/// Objects that are put before each kill.
const OBJECTS: u32 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn objects_to_objects_keep_every_record_exactly_once() {
    let plan = Plan::from_environment();
    in_world(plan.seed, async |world| objects_to_objects(world, plan).await).await;
}

/// Copies objects. Reading objects ends when all are read, which takes a second: a stream in which nothing comes keeps
/// the job alive (`gate`), and each restart finds the objects that have come since.
fn job(directory: &str, gate: &str) -> String {
    format!(
        r#"
CREATE SOURCE STREAM records (id BIGINT, body STRING) WITH (
  type = "obs", region = "local", bucket = "crash", object_name = "in/",
  encode = "csv", field_delimiter = ",", row_delimiter = "\n");
CREATE SOURCE STREAM gate (id BIGINT, body STRING) WITH (
  type = "dis", region = "local", channel = "crash_gate", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM copies (id BIGINT, body STRING) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "crash/{directory}", file_prefix = "part", rolling_size = "1m", max_record_num_per_file = "100000",
  dump_interval = "2");
INSERT INTO copies SELECT id, body FROM records{gate};
"#
    )
}

async fn objects_to_objects(world: &mut World, mut plan: Plan) -> anyhow::Result<()> {
    world.make_buckets(&["crash", "checkpoints"]).await?;
    world.client().await.create_stream("crash_gate", 1).await?;
    let mut feeder = Feeder::default();
    feeder.put(world, &mut plan)?;
    let gate = " UNION ALL SELECT id, body FROM gate";
    let running = world.start_job("crash_objects", &job("out", gate), json!({})).await?;
    for strike in plan.strikes() {
        tokio::time::sleep(plan.pause()).await;
        feeder.put(world, &mut plan)?;
        world.strike(strike, &mut plan).await.with_context(|| format!("at {strike:?}"))?;
    }
    wait_for_bytes(world, "out", feeder.bytes).await?;
    // Two checkpoints more: what comes too often comes late.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let view = world.client().await.job(running).await?;
    ensure!(view.status == "job_running", "the job is {} instead: {}", view.status, view.status_desc);
    world.client().await.stop_job(running).await?;
    world.client().await.wait_for(running, &["job_cancel_success"], Duration::from_secs(30)).await?;
    check_objects(world, "out", feeder.records)?;
    println!(
        "objects to objects: {} records in {} objects; the worker was killed {} times, the service {} times",
        feeder.records, feeder.objects, plan.worker_kills, plan.service_kills
    );
    finish_between_kills(world, &mut plan, feeder.records).await
}

/// The same objects without a gate: the job ends by itself, and is killed shortly before, at and after its end.
async fn finish_between_kills(world: &mut World, plan: &mut Plan, records: u32) -> anyhow::Result<()> {
    let job = world.start_job("crash_to_the_end", &job("end", ""), json!({})).await?;
    let mut kills = 0;
    for _ in 0..3 {
        tokio::time::sleep(plan.absence()).await;
        world.service.kill()?;
        kills += world.service.workers().into_iter().filter(|worker| kill_hard(*worker)).count();
        world.start_again().await?;
    }
    world.client().await.wait_for(job, &["job_finish"], CATCH_UP).await?;
    check_objects(world, "end", records)?;
    println!("objects to objects, to the end: the worker was killed {kills} times, the service 3 times");
    Ok(())
}

/// Puts objects, whose records are numbered through.
#[derive(Default)]
struct Feeder {
    objects: u32,
    records: u32,
    bytes: u64,
}

impl Feeder {
    fn put(&mut self, world: &World, plan: &mut Plan) -> anyhow::Result<()> {
        let place = world.service.data().join("crash-input.csv");
        for _ in 0..OBJECTS {
            let count = plan.records(MOST_RECORDS);
            let mut text = String::new();
            for id in self.records..self.records + count {
                writeln!(text, "{id},record number {id}")?;
            }
            std::fs::write(&place, &text)?;
            let target = format!("obs://crash/in/{:05}.csv", self.objects);
            world.service.command(&["bucket", "cp", &place.display().to_string(), &target])?;
            self.objects += 1;
            self.records += count;
            self.bytes += text.len() as u64;
        }
        std::fs::remove_file(&place)?;
        Ok(())
    }
}

/// Returns size and key of the objects of a directory.
fn list(world: &World, directory: &str) -> anyhow::Result<Vec<(u64, String)>> {
    let listing = world.service.command(&["bucket", "ls", &format!("obs://crash/{directory}/")])?;
    let object = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next_back()?.to_string()))
    };
    Ok(listing.lines().filter_map(object).collect())
}

/// The copies are as long as the originals.
async fn wait_for_bytes(world: &World, directory: &str, bytes: u64) -> anyhow::Result<()> {
    let deadline = Instant::now() + CATCH_UP;
    loop {
        let present: u64 = list(world, directory)?.iter().map(|(size, _)| size).sum();
        if present >= bytes {
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!("{present} of {bytes} bytes have been copied {CATCH_UP:?} after the last kill");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn check_objects(world: &World, directory: &str, records: u32) -> anyhow::Result<()> {
    let mut seen = vec![false; records as usize];
    let mut strange = BTreeSet::new();
    for (_, key) in list(world, directory)? {
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
