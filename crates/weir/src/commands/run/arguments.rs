//! The command line of `weir run`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use weir_base::network::NetworkSettings;
use weir_base::settings::{
    CheckpointMode, CheckpointSettings, DEFAULT_IDLE_STATE_RETENTION, DirtyDataPolicy, JobSettings,
    RecordClock,
};
use weir_base::text::Zone;
use weir_base::variables::Variables;

use crate::commands::check::{output_argument, time_zone_argument};
use crate::commands::variables::{variable_arguments, variables};

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

pub fn command() -> Command {
    Command::new("run")
        .about("Run a Stream SQL job in the foreground, without a service")
        .arg(Arg::new("job").required(true).value_name("JOB.SQL").help("File with the job; - is standard input"))
        .arg(
            option(
                "bind",
                "STREAM=PATH",
                "Read a source from a file, or write a sink to one, keeping its encode and format options; look a table up in one, as csv",
            )
            .action(ArgAction::Append),
        )
        .arg(
            Arg::new("row-kinds")
                .long("row-kinds")
                .action(ArgAction::SetTrue)
                .help("Write the whole changelog to bound sinks: each record begins with +I, -U, +U or -D"),
        )
        .arg(option("parallelism", "N", "Subtasks per operator chain, 1 to 50").default_value("1"))
        .arg(option("checkpoint-dir", "DIR", "Keep checkpoints here and continue from the newest one"))
        .arg(
            option("checkpoint-interval", "SECONDS", "Time between checkpoints, with --checkpoint-dir")
                .default_value("10"),
        )
        .arg(
            option("checkpoint-mode", "MODE", "What checkpoints promise")
                .value_parser(["exactly_once", "at_least_once"])
                .default_value("exactly_once"),
        )
        .arg(
            option("dirty-data", "POLICY", "Dirty records: 0 drop, 1 fail the job, 2:bucket/dir save")
                .default_value("0"),
        )
        .arg(time_zone_argument())
        .args(variable_arguments())
        .arg(option(
            "record-clock",
            "START_MS,STEP_MS",
            "Processing time told by records, for repeatable runs",
        ))
        .arg(option("replay-rate", "ROWS", "Read bound sources at this many rows per second"))
        .arg(
            option(
                "idle-timeout",
                "SECONDS",
                "Leave a silent partition out of the watermark after this time; 0 is never",
            )
            .default_value("30"),
        )
        .arg(
            option(
                "idle-state-retention",
                "SECONDS",
                "Forget groups and rows kept for DISTINCT, UNION and joins that were not used for this time",
            )
            .default_value("3600"),
        )
        .arg(option(
            "data",
            "DIR",
            "Directory with buckets and streams for obs and dis; a temporary one by default",
        ))
        .arg(option("project", "ID", "Project whose dis streams are meant").default_value("local"))
        .arg(option(
            "metrics",
            "FILE",
            "Write the counters of every operator to this file: a line of JSON every second and at the end",
        ))
        .arg(option("log-level", "LEVEL", "Least severe level that is logged").default_value("warn"))
        .arg(output_argument(&["table", "json"], "table"))
}

/// What the command line says.
#[derive(Debug)]
pub struct Arguments {
    pub file: PathBuf,
    pub bindings: Vec<(String, PathBuf)>,
    pub row_kinds: bool,
    pub replay_rate: Option<u64>,
    pub checkpoint_directory: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub project: String,
    pub metrics: Option<PathBuf>,
    pub settings: JobSettings,
    pub variables: Variables,
    pub log_level: String,
    pub json: bool,
}

impl Arguments {
    pub fn new(matches: &ArgMatches) -> anyhow::Result<Self> {
        let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
        let bindings = matches.get_many::<String>("bind").unwrap_or_default();
        let checkpoint_directory = text("checkpoint-dir").map(PathBuf::from);
        let replay_rate = match text("replay-rate") {
            Some(rate) => Some(
                rate.parse().with_context(|| format!("--replay-rate `{rate}` is not a number of rows"))?,
            ),
            None => None,
        };
        Ok(Self {
            file: text("job").map(PathBuf::from).unwrap_or_default(),
            bindings: bindings.map(|binding| parse_binding(binding)).collect::<anyhow::Result<_>>()?,
            row_kinds: matches.get_flag("row-kinds"),
            replay_rate,
            data: text("data").map(PathBuf::from),
            project: text("project").unwrap_or_default().to_string(),
            metrics: text("metrics").map(PathBuf::from),
            settings: settings(&text, checkpoint_directory.is_some())?,
            variables: variables(matches)?,
            checkpoint_directory,
            log_level: text("log-level").unwrap_or("warn").to_string(),
            json: text("output") == Some("json"),
        })
    }
}

fn parse_binding(text: &str) -> anyhow::Result<(String, PathBuf)> {
    match text.split_once('=') {
        Some((stream, path)) if !stream.is_empty() && !path.is_empty() => {
            Ok((stream.to_string(), PathBuf::from(path)))
        }
        _ => bail!("--bind `{text}` is not STREAM=PATH"),
    }
}

fn settings<'a>(text: &impl Fn(&str) -> Option<&'a str>, checkpoints: bool) -> anyhow::Result<JobSettings> {
    let parallelism: usize = match text("parallelism").unwrap_or("1").parse() {
        Ok(parallelism @ 1..=50) => parallelism,
        _ => bail!("--parallelism must be 1 to 50"),
    };
    let interval = seconds("checkpoint-interval", text("checkpoint-interval").unwrap_or("10"))?;
    if interval.is_zero() {
        bail!("--checkpoint-interval must be above 0");
    }
    let mode = match text("checkpoint-mode") {
        Some("at_least_once") => CheckpointMode::AtLeastOnce,
        _ => CheckpointMode::ExactlyOnce,
    };
    let checkpoint = checkpoints.then(|| CheckpointSettings { mode, interval, bucket: String::new() });
    let dirty = text("dirty-data").unwrap_or("0");
    let Some(dirty_data) = DirtyDataPolicy::parse(dirty) else {
        bail!("--dirty-data `{dirty}` must be 0, 1 or 2:bucket/dir");
    };
    let time_zone = text("time-zone").unwrap_or("UTC").to_string();
    if Zone::parse(&time_zone).is_none() {
        bail!("--time-zone `{time_zone}` must be an IANA name or an offset such as +08:00");
    }
    let idle = seconds("idle-timeout", text("idle-timeout").unwrap_or("30"))?;
    let idle_state_retention = match text("idle-state-retention") {
        Some(time) => seconds("idle-state-retention", time)?,
        None => DEFAULT_IDLE_STATE_RETENTION,
    };
    if idle_state_retention.is_zero() {
        bail!("--idle-state-retention must be above 0");
    }
    Ok(JobSettings {
        network: NetworkSettings::default(),
        parallelism,
        checkpoint,
        dirty_data,
        time_zone,
        source_idle_timeout: (!idle.is_zero()).then_some(idle),
        idle_state_retention,
        record_clock: text("record-clock").map(record_clock).transpose()?,
        log_bucket: None,
    })
}

fn seconds(name: &str, text: &str) -> anyhow::Result<Duration> {
    let seconds: f64 =
        text.parse().with_context(|| format!("--{name} `{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).with_context(|| format!("--{name} `{text}` is not a time"))
}

fn record_clock(text: &str) -> anyhow::Result<RecordClock> {
    let parsed = text
        .split_once(',')
        .and_then(|(start, step)| Some((start.trim().parse().ok()?, step.trim().parse().ok()?)));
    match parsed {
        Some((start_ms, step)) => Ok(RecordClock { start_ms, step: Duration::from_millis(step) }),
        None => bail!("--record-clock `{text}` is not START_MS,STEP_MS"),
    }
}
