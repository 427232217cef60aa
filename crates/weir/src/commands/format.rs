//! `weir format`: lays jobs out.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::check::read_job;
use super::text::clean;
use super::{Exit, Failure, Outcome};

/// The name under which standard input is given and reported.
const STANDARD_INPUT: &str = "-";

pub fn command() -> Command {
    Command::new("format")
        .about("Lay Stream SQL jobs out: keywords in upper case, one clause a line, comments kept")
        .arg(
            Arg::new("jobs")
                .value_name("JOB.SQL")
                .num_args(0..)
                .help("Files with jobs; `-` or none is standard input. The result goes to standard output"),
        )
        .arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .conflicts_with("write")
                .help("Print the names of files that would change, and exit with 1 when there are any"),
        )
        .arg(
            Arg::new("write")
                .long("write")
                .action(ArgAction::SetTrue)
                .help("Write the result into the files, and print the names of those that changed"),
        )
}

/// What happens to a job that was laid out.
#[derive(Clone, Copy)]
enum Destination {
    StandardOutput,
    File,
    /// Nowhere: only the names of what would change are told.
    Nowhere,
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let destination = match (matches.get_flag("check"), matches.get_flag("write")) {
        (true, _) => Destination::Nowhere,
        (_, true) => Destination::File,
        _ => Destination::StandardOutput,
    };
    let files: Vec<&str> =
        matches.get_many::<String>("jobs").unwrap_or_default().map(String::as_str).collect();
    let files = if files.is_empty() { vec![STANDARD_INPUT] } else { files };
    let mut exit = Exit::Done;
    for file in files {
        if format_one(file, destination)? == Exit::Refused {
            exit = Exit::Refused;
        }
    }
    Ok(exit)
}

fn format_one(file: &str, destination: Destination) -> Outcome {
    let text = read_job(Path::new(file))?;
    let formatted = match weir_sql::format(&text) {
        Ok(formatted) => formatted,
        Err(errors) => {
            for error in errors.iter() {
                eprintln!("{}", clean(&weir_sql::render(file, &text, error)));
            }
            return Ok(Exit::Refused);
        }
    };
    // The layout is made from the tokens by rules for spaces, so a mistake there could change a job. It must not
    // reach a file.
    if !weir_sql::is_same_job(&text, &formatted) {
        return Err(Failure::Fault(anyhow::anyhow!(
            "`{file}` would become another job; it was left as it is"
        )));
    }
    let changes = formatted != text;
    match destination {
        Destination::StandardOutput => print!("{formatted}"),
        Destination::File if file == STANDARD_INPUT => print!("{formatted}"),
        Destination::File if changes => {
            std::fs::write(file, &formatted).with_context(|| format!("`{file}` cannot be written"))?;
            println!("{file}");
        }
        Destination::Nowhere if changes => {
            println!("{file}");
            return Ok(Exit::Refused);
        }
        Destination::File | Destination::Nowhere => {}
    }
    Ok(Exit::Done)
}
