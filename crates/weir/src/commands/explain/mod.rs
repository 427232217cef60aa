//! `weir explain`: how a job would run, on the embedded engine or as Flink SQL.

mod dataflow;
mod flink;

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use weir_sql::{CheckOptions, Cluster, Job};

use super::check::{read_job, rendered, time_zone_argument};
use super::variables::{variable_arguments, variables};
use super::{Exit, Outcome};

pub fn command() -> Command {
    Command::new("explain")
        .about("Show how a Stream SQL job would run: operators, keys, state, changelogs, guarantees")
        .arg(
            Arg::new("job")
                .required(true)
                .value_name("JOB.SQL")
                .help("File with the job; - is standard input"),
        )
        .arg(
            Arg::new("parallelism")
                .long("parallelism")
                .value_name("N")
                .value_parser(clap::value_parser!(u16).range(1..=50))
                .default_value("1")
                .help("Subtasks per operator chain, 1 to 50"),
        )
        .arg(
            Arg::new("flink")
                .long("flink")
                .action(ArgAction::SetTrue)
                .help("Print the job as Flink SQL for Flink 1.20, or say what of it Flink cannot do"),
        )
        .arg(
            Arg::new("bind")
                .long("bind")
                .value_name("STREAM=PATH")
                .action(ArgAction::Append)
                .requires("flink")
                .help(
                    "With --flink: read a source or dimension table from a file of JSON lines of its columns",
                ),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object"))
        .arg(time_zone_argument())
        .args(variable_arguments())
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let file = matches.get_one::<String>("job").map(String::as_str).unwrap_or_default();
    let text = read_job(Path::new(file))?;
    let time_zone = matches.get_one::<String>("time-zone").cloned().unwrap_or_default();
    let options = CheckOptions {
        cluster: Cluster::Local,
        time_zone: time_zone.clone(),
        max_bytes: usize::MAX,
        variables: variables(matches)?,
        ..CheckOptions::default()
    };
    if !matches.get_flag("flink") {
        let parallelism = matches.get_one::<u16>("parallelism").copied().map_or(1, usize::from);
        return operators(file, &text, &options, parallelism, matches.get_flag("json"));
    }
    match checked(file, &text, &options) {
        Some(job) => flink::explain(file, &text, &job, time_zone, matches),
        None => Ok(Exit::Refused),
    }
}

/// Prints the operators of a job, or what is wrong with it.
pub fn operators(file: &str, text: &str, options: &CheckOptions, parallelism: usize, json: bool) -> Outcome {
    match checked(file, text, options) {
        Some(job) => dataflow::explain(&job, options.time_zone.clone(), parallelism, json),
        None => Ok(Exit::Refused),
    }
}

/// Checks a job; `None` when it is refused, which is told.
fn checked(file: &str, text: &str, options: &CheckOptions) -> Option<Job> {
    let checked = weir_sql::check_all(text, &weir_connectors::CATALOG, options);
    checked.map_err(|errors| eprintln!("{}", rendered(file, text, &errors))).ok()
}
