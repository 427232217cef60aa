//! `weir billing`: what a project was charged for, and the balance of its account.

use clap::{Arg, ArgMatches, Command, value_parser};
use reqwest::Method;
use serde_json::{Value, json};
use weir_base::money::Money;
use weir_base::text::{parse_date, parse_plain_timestamp};
use weir_client::Body;

use super::access::text;
use super::output::{Column, column, hours, lines, rows, time};
use super::session::Session;
use super::{family, watch};
use crate::commands::{Exit, Outcome, runtime};

const HISTORY: &str = "/v1.0/{project}/billing_history";
const DAY_MILLIS: i64 = 86_400_000;

const CHARGES: &[Column] = &[
    column("type", "resource_type"),
    column("id", "resource_id"),
    column("name", "resource_name"),
    column("SPUs", "spu"),
    hours("hours", "hours"),
    column("price", "price"),
    column("charge", "charge"),
    time("from (UTC)", "begin_time"),
    time("to (UTC)", "end_time"),
];
const TOTALS: &[Column] = &[
    column("charged in all", "total_cost"),
    column("charge of running jobs", "job_overview.running_job_charge"),
    column("price of running jobs an hour", "job_overview.running_job_price"),
    column("charge of running clusters", "cluster_overview.running_cluster_charge"),
    column("price of running clusters an hour", "cluster_overview.running_cluster_price"),
    column("unit", "job_overview.billing_unit"),
];
const ACCOUNT: &[Column] =
    &[column("balance", "balance"), column("unit", "billing_unit"), column("frozen", "frozen")];

pub fn command() -> Command {
    let number = |name: &'static str, least: i64, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("NUMBER")
            .value_parser(value_parser!(i64).range(least..))
            .help(help)
    };
    let moment = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("TIME").value_parser(read_time).help(help)
    };
    family("billing", "What a project is charged for, and the balance of its account")
        .subcommand(
            Command::new("history")
                .about("List what the project was charged for, the newest first")
                .arg(moment("from", "Only what was used after; a day or `2027-01-31 18:00:00`, in UTC"))
                .arg(moment("to", "Only what was used before; a day or `2027-01-31 18:00:00`, in UTC"))
                .arg(
                    Arg::new("type")
                        .long("type")
                        .value_name("TYPE")
                        .value_parser(["job", "cluster"])
                        .help("Only jobs or clusters"),
                )
                .arg(
                    number("limit", 1, "How many to show, at most 100 [default: 10]")
                        .value_parser(value_parser!(i64).range(1..=100)),
                )
                .arg(number("offset", 0, "How many to leave out, the newest first"))
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("overview")
                .about("Show what the project has cost, and what costs now")
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("settle")
                .about("Charge for what was used until now, and show the balance of the account"),
        )
        .subcommand(
            Command::new("top-up")
                .about("Add to the balance of the account, and show it; what was stopped for arrears goes on")
                .arg(
                    Arg::new("amount")
                        .value_name("AMOUNT")
                        .required(true)
                        .value_parser(value_parser!(Money))
                        .help("Amount, in the unit of the installation"),
                ),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        match verb {
            "history" => history(&session, matches).await,
            "overview" => overview(&session, matches).await,
            "settle" => account(&session, "settle", Body::None).await,
            _ => {
                let amount = matches.get_one::<Money>("amount").copied().unwrap_or_default();
                account(&session, "top_up", Body::Json(json!({ "amount": amount.as_f64() }))).await
            }
        }
    })
}

/// Reads a day or a time in UTC to milliseconds since the epoch.
fn read_time(text: &str) -> Result<i64, String> {
    let day = parse_date(text).map(|day| i64::from(day) * DAY_MILLIS);
    day.or_else(|| parse_plain_timestamp(text)).ok_or_else(|| {
        "expected a day such as 2027-01-31 or a time such as `2027-01-31 18:00:00`".to_string()
    })
}

async fn history(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut query: Vec<(&str, String)> = Vec::new();
    for (flag, name) in [("from", "begin_time"), ("to", "end_time"), ("limit", "limit"), ("offset", "offset")]
    {
        query.extend(matches.get_one::<i64>(flag).map(|number| (name, number.to_string())));
    }
    query.extend(text(matches, "type").map(|kind| ("resource_type", kind.to_string())));
    watch::show(matches, async || {
        let payload = session.ask(session.client.payload(HISTORY, &query)).await?;
        if session.is_json() {
            return Ok(format!("{payload}\n"));
        }
        if !matches.contains_id("watch") {
            eprintln!("{}", sum(&payload));
        }
        Ok(rows(CHARGES, &payload["entries"]))
    })
    .await
}

/// Says what all charges come to, also those that are not shown.
fn sum(payload: &Value) -> String {
    let shown = payload["entries"].as_array().map_or(0, Vec::len);
    let (total, charge) = (&payload["total"], &payload["total_charge"]);
    let unit = payload["billing_unit"].as_str().unwrap_or_default();
    if *total == shown {
        return format!("{total} in all, {charge} {unit}");
    }
    format!("{total} in all, {charge} {unit}; {shown} are shown, --offset and --limit show others")
}

async fn overview(session: &Session, matches: &ArgMatches) -> Outcome {
    watch::show(matches, async || {
        let totals = session.ask(session.client.payload("/v1.0/{project}/overview", &[])).await?;
        Ok(if session.is_json() { format!("{totals}\n") } else { lines(TOTALS, &totals) })
    })
    .await
}

/// Makes a call about the account, and shows it.
async fn account(session: &Session, verb: &str, body: Body) -> Outcome {
    let path = format!("/v1.0/{{project}}/billing/{verb}");
    let answer = session.ask(session.client.call(Method::POST, &path, &[], body)).await?;
    match session.is_json() {
        true => println!("{}", answer["payload"]),
        false => print!("{}", lines(ACCOUNT, &answer["payload"])),
    }
    Ok(Exit::Done)
}
