//! `weir version`: which release a service is of, which anybody may ask.

use clap::{ArgMatches, Command};
use serde_json::Value;
use weir_client::release_version;

use super::access;
use super::output::{self, Column, Output, column, lines};
use super::session::{Progress, while_shown};
use crate::commands::{Exit, Outcome, runtime};

const VERSION: &[Column] = &[
    column("service", "endpoint"),
    column("API", "version"),
    column("oldest API", "min_version"),
    column("engine", "engine"),
    column("this program", "program"),
];

pub fn command() -> Command {
    let arguments = access::arguments().into_iter().filter(|argument| argument.get_id() != "project");
    Command::new("version")
        .about("Show the versions of a service, its API and its engine, for which nobody has to log in")
        .args(arguments)
        .arg(output::argument())
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let endpoint = access::known_endpoint(matches);
    let progress = Progress::new(&format!("waiting for the service at {endpoint}"));
    let mut version = runtime()?.block_on(while_shown(&progress, release_version(&endpoint)))?;
    if Output::of(matches) == Output::Json {
        println!("{version}");
        return Ok(Exit::Done);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let engines = version["engines"].as_array().into_iter().flatten();
    let engines = engines.map(|engine| format!("{} {}", text(&engine["name"]), text(&engine["version"])));
    version["engine"] = engines.collect::<Vec<_>>().into();
    version["endpoint"] = endpoint.into();
    version["program"] = format!("weir {}", env!("CARGO_PKG_VERSION")).into();
    print!("{}", lines(VERSION, &version));
    Ok(Exit::Done)
}
