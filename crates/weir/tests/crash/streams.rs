//! From stream to stream, with a copy and a window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::json;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use weir_testkit::service::{Client, StreamReader};

use crate::plan::Plan;
use crate::world::{CATCH_UP, World, in_world};

/// Event time of record 0; record k is 10 ms times k later.
const FIRST_EVENT_MS: i64 = 1_700_000_000_000;

/// Records of one request.
const BATCH: i64 = 50;

pub const JOB: &str = r#"
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

#[tokio::test(flavor = "multi_thread")]
async fn stream_to_stream_keeps_every_record_exactly_once() {
    let plan = Plan::from_environment();
    in_world(plan.seed, async |world| stream_to_stream(world, plan).await).await;
}

async fn stream_to_stream(world: &mut World, mut plan: Plan) -> anyhow::Result<()> {
    let client = world.client().await;
    for (stream, partitions) in [("crash_in", 2), ("crash_out", 2), ("crash_counts", 1)] {
        client.create_stream(stream, partitions).await?;
    }
    world.make_buckets(&["checkpoints"]).await?;
    world.start_job("crash_streams", JOB, json!({})).await?;

    let producer = Producer::start(&world.client, "crash_in");
    for strike in plan.strikes() {
        tokio::time::sleep(plan.pause()).await;
        world.strike(strike, &mut plan).await.with_context(|| format!("at {strike:?}"))?;
    }
    producer.finish(&world.client().await).await?;

    let client = world.client().await;
    let records = check_copies(&client, "crash_in", "crash_out").await?;
    check_counts(&client, &records).await?;
    println!(
        "stream to stream: {} records; the worker was killed {} times, the service {} times",
        records.len(),
        plan.worker_kills,
        plan.service_kills
    );
    Ok(())
}

/// Puts records into a stream until it is told to finish, also while the service is away.
pub struct Producer {
    stop: watch::Sender<bool>,
    running: JoinHandle<anyhow::Result<Vec<i64>>>,
    stream: String,
}

impl Producer {
    pub fn start(client: &Arc<Mutex<Client>>, stream: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(produce(Arc::clone(client), stream.to_string(), stopped));
        Self { stop, running, stream: stream.to_string() }
    }

    /// Ends it. All records that the service acknowledged must be in the stream.
    pub async fn finish(self, client: &Client) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        let acknowledged = self.running.await.context("the producer panicked")??;
        let mut stored = BTreeMap::new();
        for record in StreamReader::from_oldest(client, &self.stream).await?.read_new(client).await? {
            *stored.entry(first_number(&record)?).or_insert(0) += 1;
        }
        let lost = acknowledged.iter().find(|id| !stored.contains_key(id));
        ensure!(lost.is_none(), "record {lost:?} was acknowledged and is not in the stream");
        let twice = stored.iter().find(|(_, count)| **count > 1);
        ensure!(twice.is_none(), "record {twice:?} was put once and stored more often");
        Ok(())
    }
}

/// Puts records until told to stop, then some of a far later event time that close all windows. Returns those
/// that were acknowledged; a request that died with the service is not made again.
async fn produce(
    client: Arc<Mutex<Client>>,
    stream: String,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<Vec<i64>> {
    /// An hour and more of event time: later than the watermark delay by far.
    const JUMP: i64 = 1_000_000;
    let mut acknowledged = Vec::new();
    let mut next = 0;
    while !*stop.borrow() {
        if put(&client, &stream, next..next + BATCH).await.is_ok() {
            acknowledged.extend(next..next + BATCH);
        }
        next += BATCH;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let last = next + JUMP..next + JUMP + BATCH;
    put(&client, &stream, last.clone()).await.context("the last records were not taken")?;
    acknowledged.extend(last);
    Ok(acknowledged)
}

async fn put(client: &Mutex<Client>, stream: &str, ids: std::ops::Range<i64>) -> anyhow::Result<()> {
    let records: Vec<String> = ids.map(|id| format!("{id},{}", FIRST_EVENT_MS + id * 10)).collect();
    let client = client.lock().await.clone();
    client.put_records(stream, records.iter().map(String::as_str)).await
}

/// Waits until a stream has what another one has, and checks that it has nothing else. Returns the records.
pub async fn check_copies(client: &Client, from: &str, to: &str) -> anyhow::Result<Vec<i64>> {
    let mut expected = numbers(&mut StreamReader::from_oldest(client, from).await?, client).await?;
    expected.sort_unstable();
    let mut reader = StreamReader::from_oldest(client, to).await?;
    let deadline = Instant::now() + CATCH_UP;
    let mut found = Vec::new();
    while found.len() < expected.len() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
        found.extend(numbers(&mut reader, client).await?);
    }
    // Two checkpoints more: what comes too often comes late.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    found.extend(numbers(&mut reader, client).await?);
    found.sort_unstable();
    let twice = found.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "records {twice:?} of `{to}` are the same");
    let lost = expected.iter().find(|id| found.binary_search(id).is_err());
    ensure!(lost.is_none(), "record {lost:?} is missing in `{to}`: {} of {}", found.len(), expected.len());
    ensure!(found == expected, "`{to}` has {} records, `{from}` {}", found.len(), expected.len());
    Ok(found)
}

async fn numbers(reader: &mut StreamReader, client: &Client) -> anyhow::Result<Vec<i64>> {
    reader.read_new(client).await?.iter().map(|record| first_number(record)).collect()
}

/// Every window but those of the last records must have been counted once, with all its records.
pub async fn check_counts(client: &Client, records: &[i64]) -> anyhow::Result<()> {
    let last = records.iter().max().context("no records")? * 10;
    let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
    for id in records {
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
    ensure!(counted.len() == expected.len(), "{} windows instead of {}", counted.len(), expected.len());
    // Windows are one second each, so their texts sort like their times.
    for (expected, (window, counted)) in expected.values().zip(&counted) {
        ensure!(expected == counted, "window {window} has {expected} records and {counted} were counted");
    }
    Ok(())
}

/// Returns the number with which a record begins.
pub fn first_number(record: &str) -> anyhow::Result<i64> {
    let text = record.split(',').next().unwrap_or_default();
    text.parse().with_context(|| format!("a record begins with its number: `{record}`"))
}
