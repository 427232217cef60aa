//! `weir worker`: runs one job for the service. Started by it, not by people.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Arg, ArgMatches, Command};
use tracing::Instrument;
use weir_runtime::Confined;

use super::{Exit, Failure, Outcome};
use crate::logging;

pub fn command() -> Command {
    Command::new("worker")
        .about("Run one job for the service (started by `weir serve`)")
        .hide(true)
        .arg(Arg::new("folder").required(true).help("Folder with the request"))
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some(folder) = matches.get_one::<String>("folder") else { return Ok(Exit::Refused) };
    let folder = Path::new(folder);
    // First of all: what is started from now on is confined too.
    let confined =
        weir_runtime::confine(folder).map_err(|error| Failure::Fault(anyhow::Error::msg(error)))?;
    let about =
        weir_runtime::worker_logging(folder).map_err(|error| Failure::Fault(anyhow::Error::msg(error)))?;
    logging::start(&about.level, about.json, about.redactor)?;
    let span = tracing::info_span!("job", job_id = about.job, attempt = about.attempt);
    span.in_scope(|| tracing::info!(threads = confined.threads, "{}", confined.summary));
    let run = weir_runtime::run_worker(folder, confined.outside.as_ref());
    let ended_well = runtime(&confined)?.block_on(run.instrument(span));
    match ended_well {
        Ok(true) => Ok(Exit::Done),
        Ok(false) => Ok(Exit::Refused),
        Err(error) => Err(Failure::Fault(anyhow::Error::msg(error))),
    }
}

/// Makes a runtime that has no more threads than the share of the job.
fn runtime(confined: &Confined) -> Result<tokio::runtime::Runtime, Failure> {
    let (threads, made) = (confined.threads, AtomicUsize::new(0));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        // Those that compute are made first, and none of them is made again.
        .thread_name_fn(move || match made.fetch_add(1, Ordering::Relaxed) < threads {
            true => "weir-compute".to_string(),
            false => "weir-wait".to_string(),
        })
        .max_blocking_threads(confined.waiting_threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::Fault(anyhow::Error::new(error).context("the runtime cannot be started")))
}
