//! Commands that call a service over its public API, wherever it runs.
//!
//! [`access`] finds out which service and who calls, [`session`] makes the calls and shows that they take time,
//! [`output`] shows answers; then one file or folder per family of commands.

mod access;
mod fields;
mod iam;
mod job;
mod login;
mod output;
mod session;
mod topic;
mod watch;

use clap::{ArgMatches, Command};

use super::Outcome;

/// Returns the commands.
pub fn commands() -> Vec<Command> {
    vec![login::login_command(), login::logout_command(), job::command(), topic::command(), iam::command()]
}

/// Runs a command; `None` when it is none of these.
pub fn run(name: &str, matches: &ArgMatches) -> Option<Outcome> {
    Some(match name {
        "login" => login::log_in(matches),
        "logout" => login::log_out(matches),
        "job" => job::run(matches),
        "topic" => topic::run(matches),
        "iam" => iam::run(matches),
        _ => return None,
    })
}

/// Makes the command of a family: its verbs take the arguments that say which service is called and how answers are shown.
fn family(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(access::arguments().into_iter().map(|argument| argument.global(true)))
        .arg(output::argument().global(true))
}
