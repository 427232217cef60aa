//! `weir worker`: runs one job for the service. Started by it, not by people.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use tracing::Instrument;

use super::{Exit, Failure, Outcome, runtime};
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
    let about =
        weir_runtime::worker_logging(folder).map_err(|error| Failure::Fault(anyhow::Error::msg(error)))?;
    logging::start(&about.level, about.json, about.redactor)?;
    let span = tracing::info_span!("job", job_id = about.job, attempt = about.attempt);
    let ended_well = runtime()?.block_on(weir_runtime::run_worker(folder).instrument(span));
    match ended_well {
        Ok(true) => Ok(Exit::Done),
        Ok(false) => Ok(Exit::Refused),
        Err(error) => Err(Failure::Fault(anyhow::Error::msg(error))),
    }
}
