//! The commands, one file each.

mod backup;
mod bucket;
mod check;
mod client;
mod completion;
mod config;
mod confirm;
mod demo;
mod explain;
mod format;
mod man;
mod operate;
mod private;
#[cfg(test)]
mod reference;
mod run;
mod serve;
mod test;
mod text;
mod variable;
mod variables;
mod worker;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

/// How a command ended. The numbers are the exit codes; [`EXIT_CODES`] tells people of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused, or failed by its input.
    Refused = 1,
    /// Our fault, or that of the surroundings. A command line that cannot be read ends with it too, as clap has it:
    /// nothing was judged.
    Fault = 2,
    /// The time to wait was over before that which was waited for.
    Unfinished = 3,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused, or failed by what it was given: the job, the answer of the service
  2  nothing was judged: the command line is wrong, or the machine or the service failed
  3  still going on when the time to wait (--timeout) was over";

/// A command failed.
#[derive(Debug)]
pub enum Failure {
    /// By what it was given.
    Input(anyhow::Error),
    /// By itself or its surroundings.
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Input(error)
    }
}

type Outcome = Result<Exit, Failure>;

fn command() -> Command {
    Command::new("weir")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A self-hosted Cloud Stream Service: Stream SQL jobs over a REST API, in one binary")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(EXIT_CODES)
        .subcommand(serve::command())
        .subcommand(run::command())
        .subcommand(check::command())
        .subcommand(explain::command())
        .subcommand(format::command())
        .subcommand(test::command())
        .subcommand(demo::command())
        .subcommand(bucket::command())
        .subcommand(variable::command())
        .subcommand(backup::command())
        .subcommand(operate::command())
        .subcommand(config::command())
        .subcommands(client::commands())
        .subcommand(completion::command())
        .subcommand(man::command())
        .subcommand(worker::command())
}

/// Reads the command line and runs what it says.
pub fn run() -> ExitCode {
    be_quiet_about_closed_pipes();
    let matches = command().get_matches();
    let outcome = match matches.subcommand() {
        Some((name, matches)) => dispatch(name, matches),
        None => Ok(Exit::Refused),
    };
    let exit = match outcome {
        Ok(exit) => exit,
        Err(Failure::Input(error)) => {
            eprintln!("error: {}", told(&error));
            Exit::Refused
        }
        Err(Failure::Fault(error)) => {
            eprintln!("fault: {}", told(&error));
            Exit::Fault
        }
    };
    ExitCode::from(exit as u8)
}

/// Returns an error with what caused it, as a terminal may be shown it. Many libraries tell the cause in the text of the error
/// already.
pub fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        match text.is_empty() {
            true => text = cause,
            false if !text.contains(&cause) => text = format!("{text}: {cause}"),
            false => {}
        }
    }
    text::clean(&text).into_owned()
}

/// `weir demo | head` closes standard output early. That ends the command, but is no fault to report.
fn be_quiet_about_closed_pipes() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.to_string().contains("Broken pipe") {
            report(panic);
        }
    }));
}

fn dispatch(name: &str, matches: &ArgMatches) -> Outcome {
    match name {
        "serve" => serve::run(matches),
        "run" => run::run(matches),
        "check" => check::run(matches),
        "explain" => explain::run(matches),
        "format" => format::run(matches),
        "test" => test::run(matches),
        "demo" => demo::run(matches),
        "bucket" => bucket::run(matches),
        "backup" => backup::run(matches),
        "variable" => variable::run(matches),
        "operate" => operate::run(matches),
        "config" => config::run(matches),
        "completion" => completion::run(matches),
        "man" => man::run(matches),
        "worker" => worker::run(matches),
        other => client::run(other, matches)
            .unwrap_or_else(|| Err(Failure::Fault(anyhow::anyhow!("the command `{other}` is not wired")))),
    }
}

/// Makes the runtime of a command.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Fault(anyhow::Error::new(error).context("the runtime cannot be started")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_the_text_has_already_is_not_repeated() {
        let error =
            anyhow::anyhow!("not found (os error 2)").context("`a` cannot be read: not found (os error 2)");
        assert_eq!(told(&error.context("no job")), "no job: `a` cannot be read: not found (os error 2)");
        assert_eq!(told(&anyhow::anyhow!("`a\u{1b}[31mb`")), "`a\\u{1b}[31mb`");
    }
}
