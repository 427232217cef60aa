//! Kills workers and the service (-9) while jobs run, and checks that every record is in the output exactly once.
//!
//! `WEIR_CRASH_KILLS` and `WEIR_CRASH_SERVER_KILLS` say how often; `make crash` does it at length. The points in time
//! come from `WEIR_SEED`, which a failure prints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::sync::Mutex;
use weir_testkit::kill::kill_hard;
use weir_testkit::seed::seed_of_run;
use weir_testkit::service::{Client, Service, ServiceOptions, StreamReader};

/// After the last kill the rest must arrive within this time.
const CATCH_UP: Duration = Duration::from_secs(180);

/// Event time of record 0; record k is 10 ms times k later.
const FIRST_EVENT_MS: i64 = 1_700_000_000_000;

/// How often and when things die.
struct Plan {
    worker_kills: u32,
    server_kills: u32,
    seed: u64,
    random: StdRng,
}

impl Plan {
    fn from_environment() -> Self {
        let number = |name: &str, default| {
            std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let seed = seed_of_run();
        Self {
            worker_kills: number("WEIR_CRASH_KILLS", 8),
            server_kills: number("WEIR_CRASH_SERVER_KILLS", 2),
            seed,
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// Returns whether the service dies with or instead of the workers after the `kill`-th kill of workers.
    fn is_server_turn(&self, kill: u32) -> bool {
        let every = (self.worker_kills / self.server_kills.max(1)).max(1);
        self.server_kills > 0 && (kill + 1).is_multiple_of(every) && kill / every < self.server_kills
    }

    fn pause(&mut self) -> Duration {
        // Checkpoints are taken every second: some kills meet one, some come before the first.
        Duration::from_millis(self.random.random_range(200..2_600))
    }
}

/// A running service and a client of it that follows it to a new address.
struct World {
    service: Service,
    client: Arc<Mutex<Client>>,
}

impl World {
    async fn start() -> anyhow::Result<Self> {
        let environment = vec![
            ("WEIR_RESTART_DELAY".to_string(), "0.1".to_string()),
            ("WEIR_RESTART_DELAY_MAX".to_string(), "0.5".to_string()),
        ];
        let options = ServiceOptions { environment, ..ServiceOptions::default() };
        let service = Service::start(Path::new(env!("CARGO_BIN_EXE_weir")), options)?;
        let client = Client::log_in(&service.endpoint()?, service.password()).await?;
        Ok(Self { service, client: Arc::new(Mutex::new(client)) })
    }

    async fn client(&self) -> Client {
        self.client.lock().await.clone()
    }

    async fn kill_server(&mut self, down: Duration) -> anyhow::Result<()> {
        self.service.kill()?;
        tokio::time::sleep(down).await;
        self.service.start_again()?;
        self.client.lock().await.move_to(&self.service.endpoint()?);
        Ok(())
    }

    /// Kills one time: the workers, and the service when it is its turn. Returns whether a worker died.
    async fn strike(&mut self, plan: &mut Plan, kill: u32) -> anyhow::Result<bool> {
        let mut hit = false;
        for worker in self.service.workers() {
            hit |= kill_hard(worker);
        }
        if plan.is_server_turn(kill) {
            let down = Duration::from_millis(plan.random.random_range(0..700));
            // Every other time the worker goes on alone for a while and is adopted.
            if kill.is_multiple_of(2) {
                tokio::time::sleep(Duration::from_millis(800)).await;
            }
            self.kill_server(down).await?;
        }
        Ok(hit)
    }

    /// Creates and starts a job that takes a checkpoint every second and restarts by itself.
    async fn start_job(&self, name: &str, sql: &str) -> anyhow::Result<i64> {
        let client = self.client().await;
        let job = client
            .create_job(&json!({
                "name": name, "run_mode": "shared_cluster", "sql_body": sql,
                "spu_number": 3, "parallel_number": 2,
                "checkpoint_enabled": true, "checkpoint_mode": "exactly_once", "checkpoint_interval": 1,
                "obs_bucket": "checkpoints", "restart_when_exception": true,
            }))
            .await?;
        client.run_job(job).await?;
        client.wait_for(job, &["job_running", "job_finish"], Duration::from_secs(60)).await?;
        Ok(job)
    }

    async fn make_buckets(&self, names: &[&str]) -> anyhow::Result<()> {
        for name in names {
            self.service.command(&["bucket", "create", name])?;
        }
        self.client().await.authorize_buckets(names).await
    }
}

/// Adds to an error what is needed to look into it.
fn explain(error: anyhow::Error, world: &mut World, seed: u64) -> anyhow::Error {
    let said = world.service.messages();
    let kept = world.service.keep_data();
    error.context(format!(
        "repeat with WEIR_SEED={seed}; data directory kept in {}; the service said last:\n{said}\n",
        kept.display()
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_to_stream_keeps_every_record_exactly_once() {
    let plan = Plan::from_environment();
    let seed = plan.seed;
    let mut world = World::start().await.unwrap_or_else(|error| panic!("{error:#}"));
    if let Err(error) = stream_to_stream(&mut world, plan).await {
        panic!("{:#}", explain(error, &mut world, seed));
    }
}

const STREAM_JOB: &str = r#"
CREATE SOURCE STREAM readings (id BIGINT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "crash_in", encode = "csv", field_delimiter = ",",
  start_time = "2020-01-01 00:00:00"
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 SECOND);
CREATE SINK STREAM copies (id BIGINT, ts BIGINT) WITH (
  type = "dis", region = "local", channel = "crash_out", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM counts (w_start TIMESTAMP, n BIGINT) WITH (
  type = "dis", region = "local", channel = "crash_counts", encode = "csv", field_delimiter = ",");
INSERT INTO copies SELECT id, ts FROM readings;
INSERT INTO counts SELECT TUMBLE_START(ts, INTERVAL '1' SECOND), COUNT(*)
FROM readings GROUP BY TUMBLE(ts, INTERVAL '1' SECOND);
"#;

async fn stream_to_stream(world: &mut World, mut plan: Plan) -> anyhow::Result<()> {
    let client = world.client().await;
    for (stream, partitions) in [("crash_in", 2), ("crash_out", 2), ("crash_counts", 1)] {
        client.create_stream(stream, partitions).await?;
    }
    world.make_buckets(&["checkpoints"]).await?;
    world.start_job("crash_streams", STREAM_JOB).await?;

    let stop = Arc::new(AtomicBool::new(false));
    let producer = tokio::spawn(produce(Arc::clone(&world.client), Arc::clone(&stop)));
    let mut hits = 0;
    for kill in 0..plan.worker_kills {
        tokio::time::sleep(plan.pause()).await;
        hits += u32::from(world.strike(&mut plan, kill).await?);
    }
    stop.store(true, Ordering::Relaxed);
    let sent = producer.await.context("the producer panicked")??;
    ensure!(hits * 2 >= plan.worker_kills, "only {hits} of {} kills met a worker", plan.worker_kills);

    let client = world.client().await;
    let out = collect_stream(&client, "crash_out", &sent).await?;
    check_copies(&out, &sent)?;
    check_counts(&client, &out).await?;
    println!(
        "stream to stream: {} records, {hits} workers and {} services killed",
        out.len(),
        plan.server_kills
    );
    Ok(())
}

/// What the producer knows of the records it sent.
struct Sent {
    acknowledged: BTreeSet<i64>,
    /// Sent, but the service died before it answered: in the stream or not.
    unknown: BTreeSet<i64>,
}

/// Puts records until told to stop, then some of a far later event time that close all windows.
async fn produce(client: Arc<Mutex<Client>>, stop: Arc<AtomicBool>) -> anyhow::Result<Sent> {
    const BATCH: i64 = 50;
    /// An hour and more of event time: later than the watermark delay by far.
    const JUMP: i64 = 1_000_000;
    let mut sent = Sent { acknowledged: BTreeSet::new(), unknown: BTreeSet::new() };
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        put(&client, next..next + BATCH, &mut sent).await;
        next += BATCH;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while !put(&client, next + JUMP..next + JUMP + BATCH, &mut sent).await {
        ensure!(Instant::now() < deadline, "the service takes no records any more");
        next += BATCH;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(sent)
}

async fn put(client: &Mutex<Client>, ids: std::ops::Range<i64>, sent: &mut Sent) -> bool {
    let records: Vec<String> = ids.clone().map(|id| format!("{id},{}", FIRST_EVENT_MS + id * 10)).collect();
    let client = client.lock().await.clone();
    match client.put_records("crash_in", records.iter().map(String::as_str)).await {
        Ok(()) => {
            sent.acknowledged.extend(ids);
            true
        }
        Err(_) => {
            sent.unknown.extend(ids);
            false
        }
    }
}

/// Reads a stream until every acknowledged record is there, and for two checkpoints more.
async fn collect_stream(client: &Client, stream: &str, sent: &Sent) -> anyhow::Result<Vec<i64>> {
    let mut reader = StreamReader::from_oldest(client, stream).await?;
    let deadline = Instant::now() + CATCH_UP;
    let mut found = Vec::new();
    let mut missing = sent.acknowledged.clone();
    while !missing.is_empty() {
        if Instant::now() >= deadline {
            bail!("{} records never arrived, the first is {:?}", missing.len(), missing.first());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        for record in reader.read_new(client).await? {
            let id = first_number(&record)?;
            missing.remove(&id);
            found.push(id);
        }
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    for record in reader.read_new(client).await? {
        found.push(first_number(&record)?);
    }
    Ok(found)
}

fn check_copies(out: &[i64], sent: &Sent) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for id in out {
        ensure!(seen.insert(*id), "record {id} is in the output twice");
        ensure!(sent.acknowledged.contains(id) || sent.unknown.contains(id), "record {id} was never sent");
    }
    Ok(())
}

/// Every window but those of the last records must have been counted once, with all its records.
async fn check_counts(client: &Client, out: &[i64]) -> anyhow::Result<()> {
    let last = out.iter().max().context("no output")? * 10;
    let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
    for id in out {
        *expected.entry(id * 10 / 1_000).or_default() += 1;
    }
    // The last jump in event time leaves its own windows open.
    expected.retain(|second, _| (second + 1) * 1_000 <= last - 3_000);
    let mut reader = StreamReader::from_oldest(client, "crash_counts").await?;
    let deadline = Instant::now() + CATCH_UP;
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    while counted.len() < expected.len() {
        if Instant::now() >= deadline {
            bail!("{} windows were counted instead of {}", counted.len(), expected.len());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        for record in reader.read_new(client).await? {
            let (window, count) = record.split_once(',').context("a count has two fields")?;
            let twice = counted.insert(window.to_string(), count.parse()?).is_some();
            ensure!(!twice, "window {window} was counted twice");
        }
    }
    // Windows are one second each, so their texts sort like their times.
    let pairs = expected.values().zip(counted.iter());
    for (expected, (window, counted)) in pairs {
        ensure!(expected == counted, "window {window} has {expected} records and {counted} were counted");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_to_objects_keep_every_record_exactly_once() {
    let plan = Plan::from_environment();
    let seed = plan.seed;
    let mut world = World::start().await.unwrap_or_else(|error| panic!("{error:#}"));
    if let Err(error) = objects_to_objects(&mut world, plan).await {
        panic!("{:#}", explain(error, &mut world, seed));
    }
}

/// Copies objects; the digests are there to make a record cost enough that kills meet the job half way.
fn object_job(round: u32) -> String {
    let digest = (0..40).fold("body".to_string(), |inner, _| format!("SHA256({inner})"));
    format!(
        r#"
CREATE SOURCE STREAM records (id BIGINT, body STRING) WITH (
  type = "obs", region = "local", bucket = "crash", object_name = "in/",
  encode = "csv", field_delimiter = ",", row_delimiter = "\n");
CREATE SINK STREAM copies (id BIGINT, digest STRING) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "crash/out-{round}", file_prefix = "part", rolling_size = "1m");
INSERT INTO copies SELECT id, {digest} FROM records;
"#
    )
}

async fn objects_to_objects(world: &mut World, mut plan: Plan) -> anyhow::Result<()> {
    const OBJECTS: u32 = 6;
    let records_each = 600 + 150 * plan.worker_kills;
    world.make_buckets(&["crash", "checkpoints"]).await?;
    put_objects(world, OBJECTS, records_each)?;

    let mut kills = 0;
    let mut rounds = 0;
    while kills < plan.worker_kills {
        let job = world.start_job(&format!("crash_objects_{rounds}"), &object_job(rounds)).await?;
        while kills < plan.worker_kills {
            tokio::time::sleep(plan.pause()).await;
            if world.client().await.job(job).await?.status == "job_finish" {
                break;
            }
            if world.strike(&mut plan, kills).await? {
                kills += 1;
            }
        }
        world.client().await.wait_for(job, &["job_finish"], CATCH_UP).await?;
        let total = i64::from(OBJECTS * records_each);
        check_objects(world, rounds, total).with_context(|| format!("round {rounds}"))?;
        rounds += 1;
        ensure!(rounds <= 10, "only {kills} kills met a worker in {rounds} jobs");
    }
    println!(
        "objects to objects: {kills} workers and {} services killed in {rounds} jobs",
        plan.server_kills
    );
    Ok(())
}

fn put_objects(world: &World, objects: u32, records_each: u32) -> anyhow::Result<()> {
    let place = world.service.data().join("crash-input.csv");
    for object in 0..objects {
        let first = object * records_each;
        let text: String =
            (first..first + records_each).map(|id| format!("{id},record number {id}\n")).collect();
        std::fs::write(&place, text)?;
        let from = place.display().to_string();
        world.service.command(&["bucket", "cp", &from, &format!("obs://crash/in/{object}.csv")])?;
    }
    std::fs::remove_file(&place)?;
    Ok(())
}

fn check_objects(world: &World, round: u32, total: i64) -> anyhow::Result<()> {
    let listing = world.service.command(&["bucket", "ls", &format!("obs://crash/out-{round}/")])?;
    let mut seen = BTreeSet::new();
    for key in listing.split_whitespace().filter(|word| word.contains(&format!("out-{round}/"))) {
        let key = key.trim_start_matches("obs://crash/");
        for line in world.service.command(&["bucket", "cat", &format!("obs://crash/{key}")])?.lines() {
            let id = first_number(line)?;
            ensure!(seen.insert(id), "record {id} is in the output twice");
        }
    }
    let missing = (0..total).find(|id| !seen.contains(id));
    ensure!(missing.is_none(), "record {missing:?} is missing, {} of {total} are there", seen.len());
    ensure!(seen.len() as i64 == total, "{} records instead of {total}", seen.len());
    Ok(())
}

fn first_number(record: &str) -> anyhow::Result<i64> {
    let text = record.split(',').next().unwrap_or_default();
    text.parse().with_context(|| format!("a record begins with its number: `{record}`"))
}
