//! Commands that call a service over its public API, wherever it runs.
//!
//! [`access`] finds out which service and who calls, [`session`] makes the calls and shows that they take time,
//! [`output`] shows answers; then one file or folder per family of commands.

mod access;
mod audit;
mod billing;
mod cluster;
mod fields;
mod group;
mod host;
mod iam;
mod input;
mod job;
mod key;
mod login;
mod output;
mod paging;
mod peering;
mod quota;
mod session;
mod template;
mod topic;
mod traces;
mod version;
mod watch;

use clap::{ArgMatches, Command};
use serde_json::Value;

use self::session::Session;
use super::text::clean;
use super::{Exit, Outcome};

/// Returns the commands.
pub fn commands() -> Vec<Command> {
    vec![
        login::login_command(),
        login::logout_command(),
        job::command(),
        template::command(),
        quota::command(),
        cluster::command(),
        host::command(),
        peering::command(),
        audit::command(),
        billing::command(),
        topic::command(),
        iam::command(),
        version::command(),
    ]
}

/// Runs a command; `None` when it is none of these.
pub fn run(name: &str, matches: &ArgMatches) -> Option<Outcome> {
    Some(match name {
        "login" => login::log_in(matches),
        "logout" => login::log_out(matches),
        "job" => job::run(matches),
        "template" => template::run(matches),
        "quota" => quota::run(matches),
        "cluster" => cluster::run(matches),
        "host" => host::run(matches),
        "peering" => peering::run(matches),
        "audit" => audit::run(matches),
        "billing" => billing::run(matches),
        "topic" => topic::run(matches),
        "iam" => iam::run(matches),
        "version" => version::run(matches),
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

/// Shows the answer to a change: as JSON, or as a word on standard error, with the id of what was made on standard output.
fn made(session: &Session, answer: &Value, id: &str, word: &str) -> Exit {
    if session.is_json() {
        println!("{answer}");
        return Exit::Done;
    }
    eprintln!("{}", clean(word));
    match &answer[id] {
        Value::Null => {}
        Value::String(id) => println!("{}", clean(id)),
        id => println!("{id}"),
    }
    Exit::Done
}
