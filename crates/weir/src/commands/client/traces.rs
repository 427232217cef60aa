//! `weir audit traces`: what was done in all services of a project, from the list of the cloud's audit service.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};

use super::access::text;
use super::output::{Column, column, rows, time};
use super::session::Session;
use super::watch;
use crate::commands::{Failure, Outcome};

const PATH: &str = "/v3/{project}/traces";
/// Traces on a page when all are read; the service gives no more.
const PAGE: usize = 200;
/// Clocks differ: what has just happened is not to be left out.
const LATER: Duration = Duration::from_secs(3_600);

const COLUMNS: &[Column] = &[
    time("time (UTC)", "time"),
    column("service", "service_type"),
    column("event", "trace_name"),
    column("type", "resource_type"),
    column("id", "resource_id"),
    column("name", "resource_name"),
    column("user", "user.name"),
    column("from", "source_ip"),
    column("rating", "trace_rating"),
    column("code", "code"),
    column("result", "response"),
];

/// The filters: how the option is called, and the parameter of the call.
const FILTERS: [(&str, &str, &str); 7] = [
    ("service", "service_type", "Only what was done in this service, such as CS, IAM, SMN, OBS, DIS or VPC"),
    ("event", "trace_name", "Only events with this name, such as createTopic"),
    ("type", "resource_type", "Only what was done to things of this type, such as topic"),
    ("id", "resource_id", "Only what was done to the thing with this id"),
    ("name", "resource_name", "Only what was done to the thing with this name"),
    ("user", "user", "Only what this user did, by name"),
    ("rating", "trace_rating", "Only traces with this rating: normal, warning (refused) or incident"),
];

pub fn command() -> Command {
    let filters = FILTERS.map(|(name, _, help)| Arg::new(name).long(name).value_name("TEXT").help(help));
    Command::new("traces")
        .about("List what was done in all services, the newest first")
        .args(filters)
        .arg(
            Arg::new("hours")
                .long("hours")
                .value_name("NUMBER")
                .value_parser(value_parser!(u64).range(1..=168))
                .default_value("1")
                .help("How far back, at most the 168 hours that the service looks back"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .value_parser(value_parser!(u32).range(1..=200))
                .help("How many to show, at most 200 [default: 10]"),
        )
        .arg(Arg::new("next").long("next").value_name("ID").help("The page behind the trace with this id"))
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["limit", "next"])
                .help("All pages"),
        )
        .arg(watch::argument())
}

pub async fn list(session: &Session, matches: &ArgMatches) -> Outcome {
    watch::show(matches, async || {
        let answer = read(session, matches).await?;
        if session.is_json() {
            return Ok(format!("{answer}\n"));
        }
        let marker = answer["meta_data"]["marker"].as_str().filter(|_| !matches.contains_id("watch"));
        if let Some(marker) = marker {
            eprintln!("there is more; --next {marker} shows what is behind, --all all of it");
        }
        Ok(rows(COLUMNS, &answer["traces"]))
    })
    .await
}

/// Reads the page that was asked for, or all.
async fn read(session: &Session, matches: &ArgMatches) -> Result<Value, Failure> {
    let hours = matches.get_one::<u64>("hours").copied().unwrap_or(1);
    let now = SystemClock.now();
    let from = now.minus(Duration::from_secs(hours * 3_600));
    let mut query = vec![("from", from.0.to_string()), ("to", now.plus(LATER).0.to_string())];
    for (flag, name, _) in FILTERS {
        query.extend(text(matches, flag).map(|value| (name, value.to_string())));
    }
    if !matches.get_flag("all") {
        query.extend(matches.get_one::<u32>("limit").map(|limit| ("limit", limit.to_string())));
        query.extend(text(matches, "next").map(|id| ("next", id.to_string())));
        return session.ask(session.client.get(PATH, &query)).await;
    }
    query.push(("limit", PAGE.to_string()));
    let mut traces: Vec<Value> = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut query = query.clone();
        query.extend(next.map(|id| ("next", id)));
        let mut page = session.ask(session.client.get(PATH, &query)).await?;
        traces.extend(page["traces"].as_array_mut().map(std::mem::take).unwrap_or_default());
        next = page["meta_data"]["marker"].as_str().map(str::to_string);
        if next.is_none() {
            let meta_data = json!({ "count": traces.len(), "marker": null });
            return Ok(json!({ "traces": traces, "meta_data": meta_data }));
        }
    }
}
