//! `weir man`: the manual, one page per command.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};

use super::{Exit, Outcome};

pub fn command() -> Command {
    Command::new("man")
        .about("Write man pages, one for each command, into a directory")
        .long_about(
            "Write man pages, one for each command, into a directory. To read them with `man weir-job-run`:\n\n    \
             weir man ~/.local/share/man/man1",
        )
        .arg(Arg::new("directory").value_name("DIR").required(true).help("Directory; it is made when it is missing"))
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let directory = Path::new(matches.get_one::<String>("directory").map(String::as_str).unwrap_or_default());
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(super::command(), directory))
        .with_context(|| format!("the man pages cannot be written to `{}`", directory.display()))?;
    Ok(Exit::Done)
}
