//! `weir job list --flink`: the list of jobs as the successor of the service has it. It knows more filters, and goes by
//! offsets in place of cursors.

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use serde_json::{Value, json};

use crate::commands::client::access::text;
use crate::commands::client::output::{Column, column, length, rows, time};
use crate::commands::client::session::Session;
use crate::commands::client::watch;
use crate::commands::{Failure, Outcome};

const PATH: &str = "/v1.0/{project}/streaming/jobs";
/// Jobs on a page when all are read; the service gives no more.
const PAGE: usize = 100;

const SHORT: &[Column] = &[
    column("id", "job_id"),
    column("name", "name"),
    column("type", "job_type"),
    column("status", "status"),
    time("started (UTC)", "start_time"),
    length("running", "duration"),
    column("owner", "user_name"),
];

const LONG: &[Column] = &[
    column("id", "job_id"),
    column("name", "name"),
    column("status", "status"),
    column("mode", "run_mode"),
    column("cluster", "queue_name"),
    column("CUs", "job_config.cu_number"),
    column("parallelism", "job_config.parallel_number"),
    column("bucket", "job_config.obs_bucket"),
    time("created (UTC)", "create_time"),
];

/// The filters that the list has alone: how the option is called, and the parameter of the call.
const FILTERS: [(&str, &str, &str); 4] = [
    ("owner", "user_name", "With --flink: only jobs of this user, by name"),
    ("type", "job_type", "With --flink: only jobs of this type, such as flink_sql_job"),
    ("kind", "show_job_type", "With --flink: only jobs of this kind: flink, spark or all"),
    ("cluster-name", "queue_name", "With --flink: only jobs of the exclusive cluster with this name"),
];

pub fn arguments() -> Vec<Arg> {
    let filter = |(name, _, help): (&'static str, &str, &'static str)| {
        Arg::new(name).long(name).value_name("TEXT").requires("flink").help(help)
    };
    let mut arguments = vec![
        Arg::new("flink")
            .long("flink")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(["cluster", "cursor"])
            .help("Ask for the list in the form of the service's successor, which knows more filters"),
    ];
    arguments.extend(FILTERS.map(filter));
    arguments.push(
        Arg::new("offset")
            .long("offset")
            .value_name("NUMBER")
            .value_parser(value_parser!(u32))
            .requires("flink")
            .conflicts_with("all")
            .help("With --flink: how many to leave out"),
    );
    arguments
}

pub async fn list(session: &Session, matches: &ArgMatches) -> Outcome {
    let is_long = matches.get_flag("long");
    watch::show(matches, async || {
        let answer = read(session, matches).await?;
        if session.is_json() {
            return Ok(format!("{answer}\n"));
        }
        let list = &answer["job_list"];
        let shown = list["jobs"].as_array().map_or(0, Vec::len);
        let before = matches.get_one::<u32>("offset").copied().unwrap_or(0) as usize;
        let total = list["total_count"].as_u64().unwrap_or(0);
        if total > (before + shown) as u64 && !matches.contains_id("watch") {
            eprintln!(
                "{shown} of {total} jobs; --offset {} shows those behind, --all all of them",
                before + shown
            );
        }
        Ok(rows(if is_long { LONG } else { SHORT }, &list["jobs"]))
    })
    .await
}

/// Reads the page that was asked for, or all.
async fn read(session: &Session, matches: &ArgMatches) -> Result<Value, Failure> {
    let mut query = vec![("show_detail", matches.get_flag("long").to_string())];
    for name in ["name", "status", "order"] {
        query.extend(text(matches, name).map(|value| (name, value.to_string())));
    }
    for (flag, name, _) in FILTERS {
        query.extend(text(matches, flag).map(|value| (name, value.to_string())));
    }
    query.extend(matches.get_one::<i64>("parent").map(|id| ("root_job_id", id.to_string())));
    if !matches.get_flag("all") {
        query.extend(matches.get_one::<i64>("limit").map(|limit| ("limit", limit.to_string())));
        query.extend(matches.get_one::<u32>("offset").map(|offset| ("offset", offset.to_string())));
        return session.ask(session.client.get(PATH, &query)).await;
    }
    read_all(session, &query).await
}

/// Returns whether a job has a savepoint. The detail of a job names one in a bucket; that there is one in the service's own store is
/// told by this list alone.
pub async fn has_savepoint(session: &Session, job: &Value) -> Result<bool, Failure> {
    let name = job["name"].as_str().unwrap_or_default();
    // Only its short form has the member. The filter takes every name that has the text somewhere.
    let query = [("show_detail", "false".to_string()), ("name", name.to_string())];
    let answer = read_all(session, &query).await?;
    let mut jobs = answer["job_list"]["jobs"].as_array().into_iter().flatten();
    Ok(jobs.any(|other| other["job_id"] == job["job_id"] && other["has_savepoint"] == true))
}

async fn read_all(session: &Session, filters: &[(&'static str, String)]) -> Result<Value, Failure> {
    let mut jobs: Vec<Value> = Vec::new();
    loop {
        let mut query = filters.to_vec();
        query.extend([("limit", PAGE.to_string()), ("offset", jobs.len().to_string())]);
        let mut answer = session.ask(session.client.get(PATH, &query)).await?;
        let page = answer["job_list"]["jobs"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let is_last = page.len() < PAGE;
        jobs.extend(page);
        if is_last {
            answer["job_list"]["jobs"] = json!(jobs);
            return Ok(answer);
        }
    }
}
