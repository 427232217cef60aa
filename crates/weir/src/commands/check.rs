//! `weir check`: tells whether a job would be accepted, and where not.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use serde_json::json;
use weir_sql::{CheckError, CheckErrors, CheckOptions, Cluster, Message, Warning};

use super::text::clean;
use super::variables::{variable_arguments, variables};
use super::{Exit, Outcome};

pub fn command() -> Command {
    Command::new("check")
        .about("Check a Stream SQL job: nothing, or every mistake with its place and what would be accepted there")
        .arg(Arg::new("job").required(true).value_name("JOB.SQL").help("File with the job; - is standard input"))
        .arg(output_argument(&["text", "json"], "text"))
        .arg(
            Arg::new("cluster")
                .long("cluster")
                .value_parser(["local", "shared", "exclusive"])
                .default_value("local")
                .help("Check as for a run on this machine, or as the service does for one of its clusters"),
        )
        .arg(time_zone_argument())
        .args(variable_arguments())
}

pub fn output_argument(values: &'static [&'static str], default: &'static str) -> Arg {
    Arg::new("output")
        .long("output")
        .value_parser(values.to_vec())
        .default_value(default)
        .help("Form of the output")
}

pub fn time_zone_argument() -> Arg {
    Arg::new("time-zone")
        .long("time-zone")
        .default_value("UTC")
        .value_name("ZONE")
        .help("Time zone of the job: an IANA name or an offset")
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let file = matches.get_one::<String>("job").map(String::as_str).unwrap_or_default();
    let text = read_job(Path::new(file))?;
    let cluster = match matches.get_one::<String>("cluster").map(String::as_str) {
        Some("shared") => Cluster::Shared { restricted: true },
        Some("exclusive") => Cluster::Exclusive,
        _ => Cluster::Local,
    };
    let time_zone = matches.get_one::<String>("time-zone").cloned().unwrap_or_default();
    let options =
        CheckOptions { cluster, time_zone, variables: variables(matches)?, ..CheckOptions::default() };
    let json = matches.get_one::<String>("output").is_some_and(|output| output == "json");
    Ok(report(file, &text, &options, json))
}

/// Checks a job and tells what is wrong with it.
pub fn report(file: &str, text: &str, options: &CheckOptions, json: bool) -> Exit {
    match weir_sql::check_all(text, &weir_connectors::CATALOG, options) {
        Ok(job) if json => {
            let warnings: Vec<_> = job.warnings.iter().map(|warning| warning_json(file, warning)).collect();
            println!("{}", json!({ "accepted": true, "warnings": warnings }));
            Exit::Done
        }
        Ok(job) => {
            print_warnings(file, text, &job.warnings);
            Exit::Done
        }
        Err(errors) if json => {
            let errors: Vec<_> = errors.iter().map(|error| error_json(file, error)).collect();
            println!("{}", json!({ "accepted": false, "error": errors.first(), "errors": errors }));
            Exit::Refused
        }
        Err(errors) => {
            println!("{}", rendered(file, text, &errors));
            Exit::Refused
        }
    }
}

/// Returns all that is wrong with a job, for people.
pub fn rendered(file: &str, text: &str, errors: &CheckErrors) -> String {
    let errors: Vec<_> = errors.iter().map(|error| weir_sql::render(file, text, error)).collect();
    clean(&errors.join("\n")).into_owned()
}

pub fn print_warnings(file: &str, text: &str, warnings: &[Warning]) {
    for warning in warnings {
        eprintln!("{}", clean(&weir_sql::render_warning(file, text, warning)));
    }
}

fn warning_json(file: &str, warning: &Warning) -> serde_json::Value {
    let mut message = message_json(file, &warning.message);
    message["warning"] = json!(warning.kind.name());
    message
}

fn error_json(file: &str, error: &CheckError) -> serde_json::Value {
    let mut message = message_json(file, &error.message);
    message["code"] = json!(error.code.to_string());
    message
}

fn message_json(file: &str, message: &Message) -> serde_json::Value {
    json!({
        "file": file,
        "line": message.position.line,
        "column": message.position.column,
        "length": message.length,
        "message": message.text,
        "hint": message.hint,
    })
}

/// Reads a job from a file, or from standard input when its name is `-`.
pub fn read_job(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        return std::io::read_to_string(std::io::stdin())
            .context("the job cannot be read from standard input");
    }
    std::fs::read_to_string(path).with_context(|| format!("the job `{}` cannot be read", path.display()))
}
