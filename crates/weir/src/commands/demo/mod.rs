//! `weir demo`: a service, two jobs on real flights, and their results.

mod client;
mod results;
mod service;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use weir_cloud::objects::{Objects, ObjectsConfig};

use self::client::Client;
use self::service::Service;
use super::{Exit, Failure, Outcome, runtime};
use crate::commands::text::table;

/// The flights that left New York in January 2013 (US Bureau of Transportation Statistics, public domain).
const FLIGHTS: &[u8] = include_bytes!("../../../../../tests/data/flights-2013-01.csv.gz");

const BUCKET: &str = "flights";
const STREAM: &str = "alarms";

/// A demo that takes longer than this has failed.
const LIMIT: Duration = Duration::from_secs(60);

pub fn command() -> Command {
    Command::new("demo")
        .about("Start a service, run two jobs on a month of real flights, and show the results")
        .arg(
            Arg::new("keep")
                .long("keep")
                .action(ArgAction::SetTrue)
                .help("Leave the service up and say where it is"),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let keep = matches.get_flag("keep");
    runtime()?.block_on(async {
        let mut service = Service::start().await.map_err(Failure::Fault)?;
        let right = show(&service).await.map_err(Failure::Fault)?;
        match keep {
            true => {
                let (pid, place) = (service.pid(), service.directory().display());
                println!("\nThe service stays up (process {pid}), its data is in {place}.");
                println!("  address   {}", service.endpoint);
                println!("  user      admin, password {}", service.password);
                println!("  end it    kill {pid}");
                service.keep();
            }
            false => service.end().await.map_err(Failure::Fault)?,
        }
        Ok(if right { Exit::Done } else { Exit::Fault })
    })
}

/// Runs the jobs and shows what they did. Returns whether the results are right.
async fn show(service: &Service) -> anyhow::Result<bool> {
    println!("A service runs at {} (ready after {} ms).", service.endpoint, service.ready_after.as_millis());
    let client = Client::log_in(&service.endpoint, &service.password).await?;
    let objects = Objects::new(ObjectsConfig::Local(service.data().join("objects")));
    load(&objects, &client).await?;

    let checkpoints = json!({
        "run_mode": "shared_cluster", "spu_number": 2, "parallel_number": 1, "obs_bucket": BUCKET,
        "checkpoint_enabled": true, "checkpoint_mode": "exactly_once", "checkpoint_interval": 1,
    });
    let hourly = client.create_and_run("hourly_delays", include_str!("hourly.sql"), &checkpoints).await?;
    let alarms = client.create_and_run("delay_alarms", include_str!("alarms.sql"), &checkpoints).await?;
    println!("\nTwo jobs run: hourly_delays (job {hourly}) and delay_alarms (job {alarms}).");
    wait(&client, &[hourly, alarms]).await?;

    let delays = results::objects(&objects, BUCKET, "hourly/").await?;
    let messages = client.stream_records(STREAM).await?;
    print_delays(&delays);
    print_alarms(&messages);
    print_metrics(&client.metrics(&[hourly, alarms]).await?);
    let right = results::check("hourly delays", &delays, results::HOURLY)
        & results::check("alarms", &messages, results::ALARMS);
    print_next(service, &client, hourly);
    Ok(right)
}

async fn load(objects: &Objects, client: &Client) -> anyhow::Result<()> {
    use object_store::ObjectStoreExt;
    objects.create_bucket(BUCKET).await?;
    let store = objects.bucket(BUCKET).await?;
    store.put(&"flights-2013-01.csv.gz".into(), FLIGHTS.into()).await?;
    client.authorize_bucket(BUCKET).await?;
    client.create_stream(STREAM).await?;
    println!("{} KB of flights are in obs://{BUCKET}/flights-2013-01.csv.gz.", FLIGHTS.len() / 1000);
    Ok(())
}

/// Waits for the jobs, showing how far they are.
async fn wait(client: &Client, jobs: &[i64]) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut shown = String::new();
    loop {
        let mut statuses = Vec::new();
        for job in jobs {
            statuses.push(client.status(*job).await?);
        }
        let metrics = client.metrics(jobs).await?;
        let read: i64 = metrics.iter().filter(|m| m.kind == "source").map(|m| m.records).sum();
        let line = format!(
            "  {:>5.1} s  {}  {read} records read",
            began.elapsed().as_secs_f64(),
            statuses.iter().map(|s| s.0.as_str()).collect::<Vec<_>>().join(", ")
        );
        if line[9..] != shown[shown.len().min(9)..] {
            println!("{line}");
            shown = line;
        }
        if let Some((status, reason)) =
            statuses.iter().find(|(s, _)| s.contains("exception") || s.contains("fail"))
        {
            bail!("a job ended in {status}: {reason}");
        }
        if statuses.iter().all(|(status, _)| status == "job_finish") {
            return Ok(());
        }
        if began.elapsed() > LIMIT {
            bail!("the jobs did not finish within {LIMIT:?}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn print_delays(lines: &[String]) {
    let mut rows: Vec<Vec<String>> =
        lines.iter().map(|line| line.split(',').map(String::from).collect()).collect();
    let worst = |row: &Vec<String>| row.get(5).and_then(|delay| delay.parse::<i64>().ok()).unwrap_or(0);
    rows.sort_by_key(|row| std::cmp::Reverse(worst(row)));
    rows.truncate(8);
    for row in &mut rows {
        row.remove(4);
    }
    println!(
        "\nThe worst of {} hours (windows of one hour on the time the flights were due):\n",
        lines.len()
    );
    print!("{}", table(&["origin", "hour (UTC)", "departures", "average delay", "worst delay"], &rows));
}

fn print_alarms(lines: &[String]) {
    let mut rows: Vec<Vec<String>> =
        lines.iter().map(|line| line.split(',').map(String::from).collect()).collect();
    rows.sort_by_key(|row| {
        std::cmp::Reverse(row.get(2).and_then(|delay| delay.parse::<i64>().ok()).unwrap_or(0))
    });
    rows.truncate(5);
    println!("\nThe longest of {} delays over an hour, read back from the stream `{STREAM}`:\n", lines.len());
    print!("{}", table(&["flight", "due (UTC)", "minutes late"], &rows));
}

fn print_metrics(metrics: &[client::Metric]) {
    let rows: Vec<Vec<String>> = metrics
        .iter()
        .map(|metric| vec![metric.name.clone(), metric.records.to_string(), metric.dirty.to_string()])
        .collect();
    println!(
        "\nThe jobs' metrics (the dirty records are the header line and 521 cancelled flights with NA):\n"
    );
    print!("{}", table(&["operator", "records", "dirty"], &rows));
}

fn print_next(service: &Service, client: &Client, job: i64) {
    println!("\nWhat to try next, with `weir demo --keep`:");
    println!("  curl -H \"X-Auth-Token: $TOKEN\" {}/v1.0/{}/job/{job}", service.endpoint, client.project);
    println!("  curl {}/metrics", service.metrics);
    println!("  weir check job.sql          what is wrong with a job, and where");
    println!("  weir run job.sql            a job without a service");
    println!("  README.md                   a tour of five minutes");
}

/// Returns a text that nobody else knows.
fn random_password() -> anyhow::Result<String> {
    use std::io::Read;
    let mut bytes = [0_u8; 12];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("no random numbers can be had")?;
    Ok(format!("Demo-{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}
