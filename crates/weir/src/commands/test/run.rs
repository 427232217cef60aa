//! Runs the job of one test in this process: inputs from files, sinks that keep their rows, a clock that counts records.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use object_store::memory::InMemory;
use tempfile::TempDir;
use weir_base::clock::{Clock, SystemClock};
use weir_base::settings::{DEFAULT_IDLE_STATE_RETENTION, DirtyDataPolicy, JobSettings, RecordClock};
use weir_base::text::Zone;
use weir_base::time::Timestamp;
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::streams::LocalStreams;
use weir_connectors::{Environment, FileAccess, LogPrint, Network};
use weir_engine::checkpoint::CheckpointStorage;
use weir_engine::job::Outcome;
use weir_engine::sink::SharedSink;
use weir_runtime::Launch;
use weir_runtime::job_test::{Case, DirtyData, Given};
use weir_sql::{CheckOptions, Cluster, Job};

use super::capture::Capture;
use super::judge::{Observed, Verdict, judge};
use crate::commands::check::rendered;
use crate::commands::run::bind;

/// Bucket and directory of saved dirty records.
const DIRTY_PLACE: &str = "bucket/dirty";

/// Runs a test and judges it.
pub async fn run(case: &Case, limit: Duration) -> Verdict {
    match observe(case, limit).await {
        Ok(observed) => judge(case, &observed),
        Err(error) => Verdict::unreadable(format!("{error:#}")),
    }
}

/// Runs the job of a test as it is.
pub async fn observe(case: &Case, limit: Duration) -> anyhow::Result<Observed> {
    match prepare(case)? {
        Ok(prepared) => run_job(case, &prepared, limit).await,
        Err(refusal) => Ok(Observed { failure: Some(refusal), ..Observed::default() }),
    }
}

/// A checked job that reads the inputs of its test.
pub struct Prepared {
    pub job: Job,
    zone: Zone,
    place: TempDir,
}

/// Checks the job of a test and gives it its inputs. The inner error says why the job is refused.
pub fn prepare(case: &Case) -> anyhow::Result<Result<Prepared, String>> {
    let text = case.sql().map_err(anyhow::Error::msg)?;
    let shown = case.sql_file().unwrap_or_else(|| case.path().to_path_buf()).display().to_string();
    let time_zone = case.time_zone.clone().unwrap_or_else(|| "UTC".to_string());
    let options = CheckOptions {
        cluster: Cluster::Local,
        time_zone: time_zone.clone(),
        max_bytes: usize::MAX,
        variables: case.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        ..CheckOptions::default()
    };
    let mut job = match weir_sql::check_all(&text, &weir_connectors::CATALOG, &options) {
        Ok(job) => job,
        Err(errors) => return Ok(Err(rendered(&shown, &text, &errors))),
    };
    let zone = Zone::parse(&time_zone).with_context(|| format!("`{time_zone}` is not a time zone"))?;
    let place = tempfile::tempdir().context("no temporary directory can be made")?;
    let inputs = inputs(case, &job, place.path())?;
    bind::bind(&mut job, &inputs, None)?;
    Ok(Ok(Prepared { job, zone, place }))
}

impl Prepared {
    /// Makes a stand-in for every sink, by the name in the test, or in the job.
    pub fn captures(&self, case: &Case) -> anyhow::Result<BTreeMap<String, Capture>> {
        captures(case, &self.job, &self.zone)
    }

    /// Makes what surrounds the connectors of the job, with stand-ins in the places of its sinks.
    pub fn environment(
        &self,
        case: &Case,
        sinks: HashMap<String, SharedSink>,
    ) -> anyhow::Result<Environment> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data = self.data();
        std::fs::create_dir_all(data.join("objects/bucket"))?;
        Ok(Environment {
            objects: Objects::new(ObjectsConfig::Local(data.join("objects"))),
            streams: Arc::new(LocalStreams::open(&data.join("streams"), clock.clone())?),
            project: "test".to_string(),
            job: "test".to_string(),
            run: clock.now(),
            files: FileAccess::Anywhere,
            settings: settings(case),
            network: Network::default(),
            clock: clock.clone(),
            print: Arc::new(LogPrint::new(clock)),
            gateway: None,
            sinks,
            sources: HashMap::new(),
        })
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }
}

/// Writes the records that the test holds itself into files. Returns the file or directory of every input.
fn inputs(case: &Case, job: &Job, place: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for (name, given) in case.inputs.iter().chain(&case.tables) {
        let file = match given {
            Given::File(file) => case.file(file),
            Given::Rows(rows) => {
                let file = place.join(format!("{name}.in"));
                std::fs::write(&file, &rows.rows)?;
                file
            }
            Given::Messages(messages) => {
                let directory = place.join(format!("{name}.messages"));
                std::fs::create_dir(&directory)?;
                for (number, message) in messages.messages.iter().enumerate() {
                    std::fs::write(directory.join(format!("{number:06}")), message)?;
                }
                directory
            }
        };
        files.push((name.clone(), file));
    }
    let given = |name: &str| files.iter().any(|(input, _)| input.eq_ignore_ascii_case(name));
    match job.sources.iter().find(|source| !given(&source.name)) {
        Some(source) => anyhow::bail!("source `{}` has no input", source.name),
        None => Ok(files),
    }
}

/// Puts a stand-in in the place of every sink. Returns them by the name in the test, or in the job.
fn captures(case: &Case, job: &Job, zone: &Zone) -> anyhow::Result<BTreeMap<String, Capture>> {
    let unknown = |name: &&String| !job.sinks.iter().any(|sink| sink.name.eq_ignore_ascii_case(name));
    if let Some(name) = case.outputs.keys().find(unknown) {
        anyhow::bail!("the job has no sink `{name}`");
    }
    Ok(job
        .sinks
        .iter()
        .map(|sink| {
            let named = case.outputs.keys().find(|name| name.eq_ignore_ascii_case(&sink.name));
            (named.unwrap_or(&sink.name).clone(), Capture::new(sink, *zone))
        })
        .collect())
}

/// Runs the job of a test that is checked already.
pub async fn run_job(case: &Case, prepared: &Prepared, limit: Duration) -> anyhow::Result<Observed> {
    let captures = prepared.captures(case)?;
    let sinks = captures
        .iter()
        .map(|(name, capture)| (name.to_lowercase(), Arc::new(capture.clone()) as SharedSink))
        .collect();
    let environment = prepared.environment(case, sinks)?;
    let launch = Launch {
        job: &prepared.job,
        id: 0,
        name: &case.name(),
        environment: &environment,
        storage: CheckpointStorage::new(Arc::new(InMemory::new()), "checkpoints"),
        resume: false,
        savepoint: None,
        fresh_since: Timestamp(0),
    };
    let launched = match launch.start(environment.clock.clone()).await {
        Ok(launched) => launched,
        Err(reason) => return Ok(Observed { failure: Some(reason), ..Observed::default() }),
    };
    let failure = match tokio::time::timeout(limit, launched.wait()).await {
        Ok(Outcome::Failed(reason)) => Some(reason),
        Ok(_) => None,
        Err(_) => {
            launched.handle.cancel();
            launched.wait().await;
            Some(format!("it did not end within {} s; is every input bounded?", limit.as_secs()))
        }
    };
    let metrics = launched.handle.metrics();
    Ok(Observed {
        outputs: captures.iter().map(|(name, capture)| (name.clone(), capture.rows())).collect(),
        late_rows: metrics.iter().map(|node| node.late).sum(),
        dirty_records: metrics.iter().map(|node| node.dirty).sum(),
        saved: saved(&prepared.data().join("objects").join(DIRTY_PLACE))?,
        failure,
    })
}

fn settings(case: &Case) -> JobSettings {
    let clock = case.record_clock.unwrap_or_default();
    JobSettings {
        dirty_data: match case.dirty_data {
            DirtyData::Drop => DirtyDataPolicy::Drop,
            DirtyData::Save => DirtyDataPolicy::Save(DIRTY_PLACE.to_string()),
            DirtyData::Fail => DirtyDataPolicy::Fail,
        },
        time_zone: case.time_zone.clone().unwrap_or_else(|| "UTC".to_string()),
        idle_state_retention: case
            .idle_state_retention
            .map_or(DEFAULT_IDLE_STATE_RETENTION, Duration::from_secs),
        // A machine that is slow for a while must not make an input idle.
        source_idle_timeout: None,
        record_clock: Some(RecordClock {
            start_ms: clock.start_ms,
            step: Duration::from_millis(clock.step_ms),
        }),
        ..JobSettings::default()
    }
}

/// Returns the dirty records that were saved.
fn saved(directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut records = Vec::new();
    if !directory.is_dir() {
        return Ok(records);
    }
    for entry in std::fs::read_dir(directory)? {
        for line in std::fs::read_to_string(entry?.path())?.lines() {
            let record: serde_json::Value = serde_json::from_str(line)?;
            records.push(record["data"].as_str().unwrap_or_default().to_string());
        }
    }
    Ok(records)
}
