//! A job as Flink SQL.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use clap::ArgMatches;
use serde_json::json;
use weir_sql::flink::{FlinkOptions, flink_script};
use weir_sql::{Job, Position};

use crate::commands::{Exit, Outcome};

/// Prints the job as Flink SQL, or why Flink cannot run it.
pub fn explain(file: &str, text: &str, job: &Job, time_zone: String, matches: &ArgMatches) -> Outcome {
    let options = FlinkOptions { time_zone, bindings: bindings(matches)? };
    let script = match flink_script(job, &options) {
        Ok(script) => script,
        Err(error) => {
            match error.position(text) {
                Some(Position { line, column }) => eprintln!("error: {file}:{line}:{column}: {error}"),
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
