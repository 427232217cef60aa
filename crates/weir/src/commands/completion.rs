//! `weir completion`: what a shell needs to complete commands and flags.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::{Exit, Outcome};

pub fn command() -> Command {
    Command::new("completion")
        .about("Print a script by which a shell completes commands and flags")
        .long_about(
            "Print a script by which a shell completes commands and flags. For bash:\n\n    \
             weir completion bash > ~/.local/share/bash-completion/completions/weir",
        )
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)))
}

pub fn run(matches: &ArgMatches) -> Outcome {
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        clap_complete::generate(*shell, &mut super::command(), "weir", &mut std::io::stdout());
    }
    Ok(Exit::Done)
}
