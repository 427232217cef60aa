//! `weir explain`: how a job would run, on the embedded engine or as Flink SQL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use weir_sql::flink::{FlinkOptions, flink_script};
use weir_sql::{CheckOptions, Cluster};

use super::check::{read_job, time_zone_argument};
use super::{Exit, Outcome};

pub fn command() -> Command {
    Command::new("explain")
        .about("Show how a Stream SQL job would run")
        .arg(Arg::new("job").required(true).value_name("JOB.SQL").help("File with the job"))
        .arg(
            Arg::new("flink")
                .long("flink")
                .action(ArgAction::SetTrue)
                .required(true)
                .help("Print the job as Flink SQL for Flink 1.20, or say what of it Flink cannot do"),
        )
        .arg(
            Arg::new("bind").long("bind").value_name("STREAM=PATH").action(ArgAction::Append).help(
                "With --flink: read a source or dimension table from a file of JSON lines of its columns",
            ),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print one JSON object: the statements before the queries, and the query of each sink"),
        )
        .arg(time_zone_argument())
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let file = matches.get_one::<String>("job").map(String::as_str).unwrap_or_default();
    let text = read_job(Path::new(file))?;
    let time_zone = matches.get_one::<String>("time-zone").cloned().unwrap_or_default();
    let options = CheckOptions {
        cluster: Cluster::Local,
        time_zone: time_zone.clone(),
        max_bytes: usize::MAX,
        ..CheckOptions::default()
    };
    let job = match weir_sql::check(&text, &weir_connectors::CATALOG, &options) {
        Ok(job) => job,
        Err(error) => {
            eprintln!("{}", weir_sql::render(file, &text, &error));
            return Ok(Exit::Refused);
        }
    };
    let options = FlinkOptions { time_zone, bindings: bindings(matches)? };
    let script = match flink_script(&job, &options) {
        Ok(script) => script,
        Err(error) => {
            let line = error.offset.map(|offset| text[..offset.min(text.len())].matches('\n').count() + 1);
            match line {
                Some(line) => eprintln!("error: {file}:{line}: {error}"),
                None => eprintln!("error: {file}: {error}"),
            }
            return Ok(Exit::Refused);
        }
    };
    if matches.get_flag("json") {
        let queries: Vec<_> =
            script.queries.iter().map(|query| json!({ "sink": query.sink, "sql": query.sql })).collect();
        println!("{}", json!({ "setup": script.setup, "queries": queries }));
        return Ok(Exit::Done);
    }
    for statement in &script.setup {
        println!("{statement};\n");
    }
    for query in &script.queries {
        println!("-- what reaches the sink {}\n{};\n", query.sink, query.sql);
    }
    Ok(Exit::Done)
}

fn bindings(matches: &ArgMatches) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut bindings = BTreeMap::new();
    for binding in matches.get_many::<String>("bind").unwrap_or_default() {
        match binding.split_once('=') {
            Some((stream, path)) if !stream.is_empty() && !path.is_empty() => {
                bindings.insert(stream.to_string(), PathBuf::from(path));
            }
            _ => bail!("--bind `{binding}` is not STREAM=PATH"),
        }
    }
    Ok(bindings)
}
