//! `weir run`: runs a job in the foreground, without a service.

mod arguments;
pub(crate) mod bind;
mod metrics;
mod print;
mod summary;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::ArgMatches;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Timestamp;
use weir_base::variables::Redactor;
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::streams::LocalStreams;
use weir_connectors::{Environment, FileAccess, Network, PrintTarget};
use weir_engine::checkpoint::CheckpointStorage;
use weir_engine::job::Outcome as JobOutcome;
use weir_runtime::{Launch, Launched};
use weir_sql::{CheckOptions, Cluster, Job};

pub use arguments::command;

use self::arguments::Arguments;
use super::check::{print_warnings, read_job, rendered};
use super::{Exit, Failure, Outcome, runtime};
use crate::logging;

pub fn run(matches: &ArgMatches) -> Outcome {
    let arguments = Arguments::new(matches)?;
    let text = read_job(&arguments.file)?;
    logging::start(&arguments.log_level, false, Redactor::new(&arguments.variables, &text))?;
    let file = arguments.file.display().to_string();
    let options = CheckOptions {
        cluster: Cluster::Local,
        time_zone: arguments.settings.time_zone.clone(),
        max_bytes: usize::MAX,
        variables: arguments.variables.clone(),
        idle_state_retention: matches
            .get_one::<String>("idle-state-retention")
            .map(|_| arguments.settings.idle_state_retention),
    };
    let mut job = match weir_sql::check_all(&text, &weir_connectors::CATALOG, &options) {
        Ok(job) => job,
        Err(errors) => {
            eprintln!("{}", rendered(&file, &text, &errors));
            return Ok(Exit::Refused);
        }
    };
    print_warnings(&file, &text, &job.warnings);
    bind::bind(&mut job, &arguments.bindings, arguments.replay_rate)?;
    if arguments.row_kinds {
        bind::write_row_kinds(&mut job, &arguments.bindings);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Kept until the end: without --data the job's streams and buckets live only as long as it runs.
    let temporary;
    let data = match &arguments.data {
        Some(data) => data.clone(),
        None => {
            temporary = tempfile::tempdir().context("no temporary directory can be made")?;
            temporary.path().to_path_buf()
        }
    };
    runtime()?.block_on(run_job(&job, &arguments, &data, clock))
}

async fn run_job(job: &Job, arguments: &Arguments, data: &Path, clock: Arc<dyn Clock>) -> Outcome {
    let environment = environment(job, arguments, data, clock.clone())?;
    let name = arguments.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let metrics = arguments.metrics.as_deref().map(metrics::MetricsFile::create).transpose()?;
    let launch = Launch {
        job,
        id: 0,
        name: &name,
        environment: &environment,
        storage: storage(arguments.checkpoint_directory.as_deref())?,
        resume: true,
        // Whatever lies in the checkpoint directory is meant.
        savepoint: None,
        fresh_since: Timestamp(0),
    };
    let launched = launch.start(clock).await.map_err(|reason| Failure::Input(anyhow::Error::msg(reason)))?;
    let running = wait(&launched, environment.settings.checkpoint.is_some());
    let outcome = match metrics {
        Some(mut metrics) => metrics.follow(&launched.handle, running).await.context("--metrics")?,
        None => running.await,
    };
    summary::print(job, &launched.handle);
    match outcome {
        JobOutcome::Failed(reason) => Err(Failure::Input(anyhow::Error::msg(reason))),
        _ => Ok(Exit::Done),
    }
}

/// Waits for the end of the job, or ends it at Ctrl-C: with a last checkpoint when it keeps any.
async fn wait(launched: &Launched, checkpoints: bool) -> JobOutcome {
    tokio::select! {
        outcome = launched.wait() => return outcome,
        _ = tokio::signal::ctrl_c() => {}
    }
    if checkpoints {
        launched.handle.suspend().await;
        // A second Ctrl-C means now.
        tokio::select! {
            outcome = launched.wait() => return outcome,
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    launched.handle.cancel();
    launched.wait().await
}

fn environment(
    job: &Job,
    arguments: &Arguments,
    data: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Environment, Failure> {
    let streams = LocalStreams::open(&data.join("streams"), clock.clone()).map_err(|error| {
        Failure::Input(anyhow::Error::new(error).context("the stream store cannot be opened"))
    })?;
    let print: Arc<dyn PrintTarget> = Arc::new(print::StandardOutput::new(job, arguments.json));
    Ok(Environment {
        objects: Objects::new(ObjectsConfig::Local(data.join("objects"))),
        streams: Arc::new(streams),
        project: arguments.project.clone(),
        job: "run".to_string(),
        run: clock.now(),
        files: FileAccess::Anywhere,
        settings: arguments.settings.clone(),
        network: Network::default(),
        clock,
        print,
        gateway: None,
        sinks: HashMap::new(),
        sources: HashMap::new(),
    })
}

fn storage(directory: Option<&Path>) -> anyhow::Result<CheckpointStorage> {
    let store: Arc<dyn ObjectStore> = match directory {
        Some(directory) => {
            let context = || format!("the checkpoint directory `{}` cannot be used", directory.display());
            std::fs::create_dir_all(directory).with_context(context)?;
            let directory: PathBuf = directory.canonicalize().with_context(context)?;
            Arc::new(LocalFileSystem::new_with_prefix(directory).with_context(context)?.with_fsync(true))
        }
        None => Arc::new(InMemory::new()),
    };
    Ok(CheckpointStorage::new(store, "checkpoints"))
}
