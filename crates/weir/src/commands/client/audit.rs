//! `weir audit`: who did what, when, and how it ended.

use clap::{Arg, ArgMatches, Command, value_parser};

use super::access::text;
use super::output::{Column, column, rows, time};
use super::session::Session;
use super::{family, traces, watch};
use crate::commands::{Exit, Outcome, runtime};

const PATH: &str = "/v1.0/{project}/audit_logs";

const COLUMNS: &[Column] = &[
    time("time (UTC)", "op_time"),
    column("event", "event_name"),
    column("id", "resource_id"),
    column("name", "resource_name"),
    column("user", "op_user"),
    column("from", "op_ip"),
    column("rating", "event_rating"),
    column("result", "op_result"),
];

pub fn command() -> Command {
    let number = |name: &'static str| {
        Arg::new(name).long(name).value_name("NUMBER").value_parser(value_parser!(i64).range(0..))
    };
    let list = Command::new("list")
        .about("List what was done to jobs, templates or clusters, the newest first")
        .arg(
            Arg::new("type")
                .value_name("TYPE")
                .required(true)
                .value_parser(["job", "template", "cluster"])
                .help("What it was done to"),
        )
        .arg(Arg::new("id").long("id").value_name("ID").help("Only what was done to the one with this id"))
        .arg(
            number("limit")
                .value_parser(value_parser!(i64).range(1..=50))
                .help("Records on a page, at most 50 [default: 10]"),
        )
        .arg(number("page").help("Number of the page, from 0"))
        .arg(watch::argument());
    family("audit", "What was done in a project of a service").subcommand(list).subcommand(traces::command())
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        if verb == "traces" {
            return traces::list(&session, matches).await;
        }
        let mut query = vec![("resource_type", text(matches, "type").unwrap_or_default().to_string())];
        query.extend(text(matches, "id").map(|id| ("resource_id", id.to_string())));
        for (flag, name) in [("limit", "limit"), ("page", "page_number")] {
            query.extend(matches.get_one::<i64>(flag).map(|number| (name, number.to_string())));
        }
        watch::show(matches, async || {
            let payload = session.ask(session.client.payload(PATH, &query)).await?;
            if session.is_json() {
                return Ok(format!("{payload}\n"));
            }
            let shown = payload["traces"].as_array().map_or(0, Vec::len);
            if payload["total"] != shown && !matches.contains_id("watch") {
                eprintln!("{shown} of {} records; --page and --limit show others", payload["total"]);
            }
            Ok(rows(COLUMNS, &payload["traces"]))
        })
        .await
    })
}
