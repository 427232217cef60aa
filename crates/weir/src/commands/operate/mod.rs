//! `weir operate`: what only the operator says, and the API does not.
//!
//! Works on the metadata of the service, whether it runs or not; a running service follows at once.

mod account;
mod cluster;
mod network;
mod tracker;

use clap::{ArgMatches, Command};

use super::{Exit, Outcome};

pub fn command() -> Command {
    Command::new("operate")
        .about(
            "What the operator says of accounts, clusters, networks and trackers, on the data directory of the service",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(account::command())
        .subcommand(cluster::command())
        .subcommand(network::command())
        .subcommand(tracker::command())
}

pub fn run(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some(("account", matches)) => account::run(matches),
        Some(("cluster", matches)) => cluster::run(matches),
        Some(("network", matches)) => network::run(matches),
        Some((_, matches)) => tracker::run(matches),
        None => Ok(Exit::Refused),
    }
}
