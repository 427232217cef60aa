//! `weir quota`: what users may use and do use, and the totals of a project.

use clap::{Arg, ArgMatches, Command, value_parser};
use reqwest::Method;
use serde_json::{Map, json};
use weir_client::{Body, segment};

use super::access::text;
use super::output::{Column, column, hours, lines, rows};
use super::paging::{self, List};
use super::session::Session;
use super::{family, iam, made, watch};
use crate::commands::{Exit, Failure, Outcome, runtime};

const LIST: List<'_> =
    List { path: "/v1.0/{project}/user_quotas", member: "users", id: "user_id", what: "users" };

const QUOTA: &[Column] = &[
    column("user", "user_name"),
    column("id", "user_id"),
    column("SPUs used", "spu_used"),
    column("SPUs allowed", "spu_quota"),
    column("clusters", "clusters"),
];
const TOTALS: &[Column] = &[
    column("jobs", "job_overview.total_jobs"),
    column("jobs running", "job_overview.running_job_count"),
    column("jobs finished", "job_overview.finished_job_count"),
    column("jobs failed", "job_overview.exception_job_count"),
    column("other jobs", "job_overview.other_job_count"),
    column("SPUs of running jobs", "job_overview.running_job_total_spu"),
    hours("hours of running jobs", "job_overview.running_job_total_time"),
    column("clusters", "cluster_overview.total_clusters"),
    column("clusters running", "cluster_overview.running_cluster_count"),
    column("clusters failed", "cluster_overview.exception_cluster_count"),
    column("other clusters", "cluster_overview.other_cluster_count"),
    column("SPUs of running clusters", "cluster_overview.running_cluster_total_spu"),
    hours("hours of running clusters", "cluster_overview.running_cluster_total_time"),
];

pub fn command() -> Command {
    let user = || Arg::new("user").value_name("USER").help("Id or name of the user");
    family("quota", "What users of a service may use and do use")
        .subcommand(
            Command::new("list")
                .about("List the quotas of the users of the project")
                .arg(
                    Arg::new("name")
                        .long("name")
                        .value_name("PART")
                        .help("Only users with this in their name"),
                )
                .args(paging::arguments()),
        )
        .subcommand(
            Command::new("show")
                .about("Show the quota of a user")
                .arg(user().help("Id or name of the user; you, when left out")),
        )
        .subcommand(
            Command::new("set")
                .about("Change the quota of a user; what is not given stays as it is")
                .arg(user().required(true))
                .arg(
                    Arg::new("spus")
                        .long("spus")
                        .value_name("NUMBER")
                        .value_parser(value_parser!(i64))
                        .allow_hyphen_values(true)
                        .help("SPUs that the jobs of the user may hold"),
                )
                .arg(
                    Arg::new("clusters").long("clusters").value_name("IDS").help(
                        "Exclusive clusters that the user may use, ids separated by commas; \"\" is none",
                    ),
                ),
        )
        .subcommand(Command::new("overview").about("Show the totals of the project").arg(watch::argument()))
        .subcommand(
            Command::new("register").about("Register yourself with the service, which makes your quota"),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        match verb {
            "list" => list(&session, matches).await,
            "show" => show(&session, matches).await,
            "set" => set(&session, matches).await,
            "overview" => overview(&session, matches).await,
            _ => register(&session).await,
        }
    })
}

async fn list(session: &Session, matches: &ArgMatches) -> Outcome {
    let name = text(matches, "name").map(|name| ("name", name.to_string()));
    let mut payload = LIST.read(session, matches, name.into_iter().collect()).await?;
    if session.is_json() {
        println!("{payload}");
        return Ok(Exit::Done);
    }
    payload[LIST.member].as_array_mut().into_iter().flatten().for_each(name_clusters);
    print!("{}", rows(QUOTA, &payload[LIST.member]));
    Ok(Exit::Done)
}

/// Shows the clusters of a user by their ids and names.
fn name_clusters(quota: &mut serde_json::Value) {
    let clusters = quota["clusters"].as_array().into_iter().flatten();
    let names: Vec<String> = clusters
        .map(|cluster| format!("{} {}", cluster["id"], cluster["name"].as_str().unwrap_or_default()))
        .collect();
    quota["clusters"] = json!(names);
}

async fn path(session: &Session, user: Option<&str>) -> Result<String, Failure> {
    let id = match user {
        Some(user) => iam::user_id(session, user).await?,
        None => iam::own_user(session).await?.id,
    };
    Ok(format!("/v1.0/{{project}}/user_quota/{}", segment(&id)))
}

async fn show(session: &Session, matches: &ArgMatches) -> Outcome {
    let path = path(session, text(matches, "user")).await?;
    let mut quota = session.ask(session.client.payload(&path, &[])).await?;
    if session.is_json() {
        println!("{quota}");
        return Ok(Exit::Done);
    }
    name_clusters(&mut quota);
    print!("{}", lines(QUOTA, &quota));
    Ok(Exit::Done)
}

async fn set(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = Map::new();
    if let Some(spus) = matches.get_one::<i64>("spus") {
        sent.insert("spu_quota".to_string(), json!(spus));
    }
    if let Some(clusters) = text(matches, "clusters") {
        sent.insert("clusters".to_string(), json!(ids(clusters)?));
    }
    if sent.is_empty() {
        return Err(anyhow::anyhow!("say what to set: --spus or --clusters").into());
    }
    let user = text(matches, "user").unwrap_or_default();
    let path = path(session, Some(user)).await?;
    let answer = session.ask(session.client.call(Method::PATCH, &path, &[], Body::Json(sent.into()))).await?;
    Ok(made(session, &answer, "", &format!("quota of `{user}` changed")))
}

/// Reads ids that are separated by commas.
fn ids(text: &str) -> anyhow::Result<Vec<i64>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| part.parse().map_err(|_| anyhow::anyhow!("`{part}` is not the id of a cluster")))
        .collect()
}

async fn overview(session: &Session, matches: &ArgMatches) -> Outcome {
    watch::show(matches, async || {
        let totals = session.ask(session.client.payload("/v1.0/{project}/overview", &[])).await?;
        Ok(if session.is_json() { format!("{totals}\n") } else { lines(TOTALS, &totals) })
    })
    .await
}

async fn register(session: &Session) -> Outcome {
    let call = session.client.call(Method::POST, "/v1.0/{project}/user_register", &[], Body::None);
    let answer = session.ask(call).await?;
    Ok(made(session, &answer, "", "you are registered"))
}
