//! `weir job`: jobs of a service.

mod change;
mod definition;
mod flink;
mod jar;
mod read;
mod savepoint;
mod transfer;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::session::{Session, waiting, yes};
use super::{family, paging, watch};
use crate::commands::variables::variable_arguments;
use crate::commands::{Exit, Outcome, runtime};

const STATUSES: [&str; 14] = [
    "job_init",
    "job_submitting",
    "job_submit_fail",
    "job_running",
    "job_running_exception",
    "job_downloading",
    "job_idle",
    "job_savepointing",
    "job_canceling",
    "job_cancel_success",
    "job_cancel_fail",
    "job_finish",
    "job_arrearage_stopped",
    "job_arrearage_recovering",
];

pub fn command() -> Command {
    family("job", "Jobs of a service: make, run and look at them")
        .subcommand(
            Command::new("list")
                .about("List jobs, the newest first")
                .args(filters())
                .args(flink::arguments())
                .args(paging::arguments())
                .arg(
                    Arg::new("long")
                        .long("long")
                        .action(ArgAction::SetTrue)
                        .help("Show size and place in place of times and owner"),
                )
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("show")
                .about("Show a job")
                .arg(job())
                .arg(
                    Arg::new("sql")
                        .long("sql")
                        .action(ArgAction::SetTrue)
                        .conflicts_with_all(["watch", "output"])
                        .help("Show its SQL and nothing else"),
                )
                .arg(watch::argument()),
        )
        .subcommand(definition::create_command())
        .subcommand(definition::update_command())
        .subcommand(
            Command::new("check")
                .about("Check a job of the service as `weir check` checks a file")
                .long_about(
                    "Check a job of the service as `weir check` checks a file.\n\n\
                     The options of the service are not known here: a job of the shared cluster that is refused only where \
                     `shared_cluster_restricted` is on is accepted, and what would be refused is told on standard error.",
                )
                .arg(job())
                .args(variable_arguments()),
        )
        .subcommand(
            Command::new("run")
                .about("Run jobs, and wait until they run")
                .arg(jobs())
                .arg(
                    Arg::new("resume-savepoint")
                        .long("resume-savepoint")
                        .action(ArgAction::SetTrue)
                        .help("Go on from the newest savepoint"),
                )
                .arg(
                    Arg::new("until")
                        .long("until")
                        .value_name("STATE")
                        .value_parser(["running", "finished"])
                        .default_value("running")
                        .help("Wait until the jobs run, or until all their input is worked off"),
                )
                .args(waiting()),
        )
        .subcommand(
            Command::new("stop")
                .about("Stop jobs, and wait until they have stopped")
                .arg(jobs())
                .arg(
                    Arg::new("savepoint")
                        .long("savepoint")
                        .action(ArgAction::SetTrue)
                        .help("Write a savepoint first"),
                )
                .args(waiting()),
        )
        .subcommand(
            Command::new("delete")
                .about("Delete jobs in any status; those that run are stopped first")
                .arg(jobs())
                .arg(yes()),
        )
        .subcommand(
            Command::new("graph")
                .about("Show the operators of a job that has run, or those that it would have")
                .arg(job())
                .arg(
                    Arg::new("plan")
                        .long("plan")
                        .action(ArgAction::SetTrue)
                        .help("Show what the SQL of the job makes now, as `weir explain` does of a file; the job need not have run"),
                )
                .args(variable_arguments()),
        )
        .subcommand(
            Command::new("sinks")
                .about("Show where the gateway has the newest records of a job's `apig` sinks")
                .arg(job()),
        )
        .subcommand(
            Command::new("metrics")
                .about("Show what jobs have read and written in their present or last run")
                .arg(jobs())
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("authorize")
                .about("Let the service keep snapshots, logs and dirty records of jobs in buckets")
                .arg(
                    Arg::new("bucket")
                        .value_name("BUCKET")
                        .required(true)
                        .num_args(1..)
                        .help("Names of buckets"),
                ),
        )
        .subcommand(savepoint::command())
        .subcommand(savepoint::import_command())
        .subcommand(jar::create_command())
        .subcommand(jar::update_command())
        .subcommand(transfer::export_command())
        .subcommand(transfer::import_command())
        .subcommand(transfer::logs_command())
}

fn job() -> Arg {
    Arg::new("job").value_name("JOB").required(true).help("Id or name of the job")
}

fn jobs() -> Arg {
    Arg::new("job").value_name("JOB").required(true).num_args(1..).help("Ids or names of jobs")
}

fn filters() -> [Arg; 4] {
    [
        Arg::new("name").long("name").value_name("PART").help("Only jobs with this in their name"),
        Arg::new("status")
            .long("status")
            .value_parser(STATUSES)
            .hide_possible_values(true)
            .value_name("STATUS")
            .help("Only jobs in this status, such as job_running"),
        Arg::new("cluster")
            .long("cluster")
            .value_name("CLUSTER")
            .help("Only jobs of this exclusive cluster, by its id or name"),
        Arg::new("parent")
            .long("parent")
            .value_name("ID")
            .value_parser(value_parser!(i64).range(1..))
            .help("The parts of this edge job"),
    ]
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        match verb {
            "list" if matches.get_flag("flink") => flink::list(&session, matches).await,
            "list" => read::list(&session, matches).await,
            "show" => read::show(&session, matches).await,
            "create" => definition::create(&session, matches).await,
            "update" => definition::update(&session, matches).await,
            "check" => read::check(&session, matches).await,
            "run" => change::run(&session, matches).await,
            "stop" => change::stop(&session, matches).await,
            "delete" => change::delete(&session, matches).await,
            "graph" => read::graph(&session, matches).await,
            "savepoint" => savepoint::write(&session, matches).await,
            "import-savepoint" => savepoint::import(&session, matches).await,
            "create-jar" => jar::create(&session, matches).await,
            "update-jar" => jar::update(&session, matches).await,
            "export" => transfer::export(&session, matches).await,
            "import" => transfer::import(&session, matches).await,
            "logs" => transfer::logs(&session, matches).await,
            "sinks" => read::sinks(&session, matches).await,
            "metrics" => read::metrics(&session, matches).await,
            _ => change::authorize(&session, matches).await,
        }
    })
}
