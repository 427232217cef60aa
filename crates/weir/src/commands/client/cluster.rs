//! `weir cluster`: exclusive clusters of a service.

use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Map, Value};
use weir_client::{Body, ClusterGoal, Verdict, wait};

use super::access::text;
use super::fields::{Field, Kind, arguments, body, field};
use super::output::{Column, column, lines, rows, time};
use super::paging::{self, List};
use super::session::{Progress, Session, patience, sure, waiting, while_shown, yes};
use super::{family, made, watch};
use crate::commands::{Exit, Failure, Outcome, runtime};

const PATH: &str = "/v1.0/{project}/reserved_cluster";
const LIST: List<'_> = List {
    path: "/v1.0/{project}/reserved_clusters",
    member: "clusters",
    id: "cluster_id",
    what: "clusters",
};

#[rustfmt::skip]
const FIELDS: &[Field] = &[
    field("description", "desc", Kind::Text, "Description"),
    field("spus", "maximum_spu_quota", Kind::Number, "SPUs that its jobs may hold together"),
    field("manager-spus", "manager_node_spu", Kind::Text, "SPUs of its manager node, such as 2"),
    field("tags", "tags", Kind::Text, "Tags, key=value separated by commas"),
    field("enterprise-project", "sys_enterprise_project_id", Kind::Text, "Enterprise project"),
];
#[rustfmt::skip]
const NETWORK: &[Field] = &[
    field("vpc-cidr", "vpc_cidr", Kind::Text, "Addresses of its network, such as 172.16.0.0/23"),
    field("subnet-cidr", "subnet_cidr", Kind::Text, "Addresses of its subnet, inside of the network"),
    field("gateway", "subnet_gateway", Kind::Text, "Address of the gateway of the subnet"),
];

const SHORT: &[Column] = &[
    column("id", "cluster_id"),
    column("name", "name"),
    column("status", "status_name"),
    column("SPUs used", "spu_used"),
    column("SPUs", "maximum_spu_quota"),
    column("manager SPUs", "manager_node_spu"),
    time("created (UTC)", "created_at"),
];
const DETAIL: &[Column] = &[
    column("id", "cluster_id"),
    column("name", "name"),
    column("description", "desc"),
    column("status", "status_name"),
    column("reason", "error_reason"),
    column("region", "region_id"),
    column("SPUs used", "spu_used"),
    column("SPUs", "maximum_spu_quota"),
    column("manager SPUs", "manager_node_spu"),
    column("network", "vpc_cidr"),
    column("subnet", "subnet_cidr"),
    column("gateway", "subnet_gateway"),
    time("created (UTC)", "created_at"),
];
const STATE: &[Column] = &[
    column("id", "cluster_id"),
    column("name", "name"),
    column("status", "status_name"),
    column("reason", "error_reason"),
];

/// The argument that names a cluster.
pub fn cluster() -> Arg {
    Arg::new("cluster").value_name("CLUSTER").required(true).help("Id or name of the cluster")
}

/// Returns the id of the cluster that was given.
pub async fn id(session: &Session, matches: &ArgMatches) -> Result<i64, Failure> {
    session.ask(session.client.cluster_id(text(matches, "cluster").unwrap_or_default())).await
}

/// Puts its id in the place of the cluster that a job was given.
pub async fn put_id(session: &Session, sent: &mut Map<String, Value>) -> Result<(), Failure> {
    if let Some(cluster) = sent.get_mut("cluster_id") {
        let id = session.client.cluster_id(cluster.as_str().unwrap_or_default());
        *cluster = session.ask(id).await?.into();
    }
    Ok(())
}

pub fn command() -> Command {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    family("cluster", "Exclusive clusters of a service, which run the jobs of some users")
        .subcommand(
            Command::new("list")
                .about("List clusters, the newest first")
                .arg(text("name", "PART").help("Only clusters with this in their name"))
                .arg(text("status", "STATUS").help("Only clusters in this status, such as cluster_running"))
                .args(paging::arguments())
                .arg(watch::argument()),
        )
        .subcommand(Command::new("show").about("Show a cluster").arg(cluster()).arg(watch::argument()))
        .subcommand(
            Command::new("create")
                .about("Create a cluster, print its id and wait until it runs")
                .arg(Arg::new("name").value_name("NAME").required(true).help("Name, unique in the project"))
                .args(arguments(FIELDS))
                .args(arguments(NETWORK))
                .args(waiting()),
        )
        .subcommand(
            Command::new("update")
                .about("Change a cluster, and wait until it runs with the change; its jobs go on")
                .arg(cluster())
                .arg(text("name", "TEXT").help("Name, unique in the project"))
                .args(arguments(FIELDS))
                .args(waiting()),
        )
        .subcommand(
            Command::new("stop")
                .about("Stop the jobs of a cluster and the cluster, and wait until it stands still")
                .arg(cluster())
                .args(waiting()),
        )
        .subcommand(
            Command::new("restart")
                .about("Start a cluster again, without its jobs, and wait until it runs")
                .arg(cluster())
                .args(waiting()),
        )
        .subcommand(
            Command::new("delete")
                .about("End the jobs of a cluster and delete it, and wait until it is gone")
                .arg(cluster())
                .arg(yes())
                .args(waiting()),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        match verb {
            "list" => list(&session, matches).await,
            "show" => show(&session, matches).await,
            "create" => create(&session, matches).await,
            "update" => update(&session, matches).await,
            "stop" => post(&session, matches, "stop", ClusterGoal::Stopped, "stopped").await,
            "restart" => post(&session, matches, "restart", ClusterGoal::Running, "restarted").await,
            _ => delete(&session, matches).await,
        }
    })
}

async fn list(session: &Session, matches: &ArgMatches) -> Outcome {
    let filters = ["name", "status"].into_iter();
    let filters: Vec<_> =
        filters.filter_map(|name| text(matches, name).map(|value| (name, value.to_string()))).collect();
    watch::show(matches, async || {
        let payload = LIST.read(session, matches, filters.clone()).await?;
        Ok(if session.is_json() { format!("{payload}\n") } else { rows(SHORT, &payload[LIST.member]) })
    })
    .await
}

async fn show(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = id(session, matches).await?;
    watch::show(matches, async || {
        let cluster = session.ask(session.client.cluster(id)).await?;
        Ok(if session.is_json() { format!("{cluster}\n") } else { lines(DETAIL, &cluster) })
    })
    .await
}

async fn create(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = body(FIELDS, matches);
    sent.extend(body(NETWORK, matches));
    let name = text(matches, "name").unwrap_or_default();
    sent.insert("name".to_string(), Value::from(name));
    let call = session.client.call(Method::POST, PATH, &[], Body::Json(sent.into()));
    let answer = session.ask(call).await?;
    let waits = patience(matches).is_some();
    if !(waits && session.is_json()) {
        made(session, &answer["payload"], "cluster_id", &format!("cluster `{name}` is being created"));
    }
    let id = answer["payload"]["cluster_id"].as_i64().unwrap_or_default();
    let Some((cluster, exit)) = reach(session, matches, id, ClusterGoal::Running).await? else {
        return Ok(Exit::Done);
    };
    match session.is_json() {
        true => println!("{cluster}"),
        // Standard output has the id alone.
        false => eprint!("{}", rows(STATE, &Value::from(vec![cluster]))),
    }
    Ok(exit)
}

async fn update(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = body(FIELDS, matches);
    sent.extend(text(matches, "name").map(|name| ("name".to_string(), Value::from(name))));
    if sent.is_empty() {
        return Err(anyhow::anyhow!("nothing to change was given").into());
    }
    let id = id(session, matches).await?;
    let path = format!("{PATH}/{id}");
    let answer = session.ask(session.client.call(Method::PATCH, &path, &[], Body::Json(sent.into()))).await?;
    wait_for(session, matches, id, ClusterGoal::Running, (&answer, "changed")).await
}

async fn post(session: &Session, matches: &ArgMatches, verb: &str, goal: ClusterGoal, word: &str) -> Outcome {
    let id = id(session, matches).await?;
    let path = format!("{PATH}/{id}/{verb}");
    let answer = session.ask(session.client.call(Method::POST, &path, &[], Body::None)).await?;
    wait_for(session, matches, id, goal, (&answer, word)).await
}

async fn delete(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = id(session, matches).await?;
    let cluster = session.ask(session.client.cluster(id)).await?;
    let name = cluster["name"].as_str().unwrap_or_default();
    sure(matches, &format!("delete cluster {id} `{name}` and end its jobs?"))?;
    let path = format!("{PATH}/{id}");
    let answer = session.ask(session.client.call(Method::DELETE, &path, &[], Body::None)).await?;
    wait_for(session, matches, id, ClusterGoal::Deleted, (&answer, "deleted")).await
}

/// Waits until a cluster is where it should be, and shows where it is. When nobody wants to wait, it shows what the service
/// has answered, for people as what becomes of the cluster.
async fn wait_for(
    session: &Session,
    matches: &ArgMatches,
    id: i64,
    goal: ClusterGoal,
    (answer, word): (&Value, &str),
) -> Outcome {
    let Some((cluster, exit)) = reach(session, matches, id, goal).await? else {
        let name = text(matches, "cluster").unwrap_or_default();
        return Ok(made(session, answer, "", &format!("cluster `{name}` is being {word}")));
    };
    match session.is_json() {
        true => println!("{cluster}"),
        false => print!("{}", rows(STATE, &Value::from(vec![cluster]))),
    }
    Ok(exit)
}

/// Waits until a cluster is where it should be; `None` when nobody wants to wait.
async fn reach(
    session: &Session,
    matches: &ArgMatches,
    id: i64,
    goal: ClusterGoal,
) -> Result<Option<(Value, Exit)>, Failure> {
    let Some(limit) = patience(matches) else { return Ok(None) };
    let progress = Progress::new("");
    let status = |cluster: &Value| cluster["status_name"].as_str().unwrap_or_default().to_string();
    let waiting = wait(
        limit,
        async || session.client.cluster_if_any(id).await,
        |cluster| {
            progress.set(format!("cluster {id}: {}", status(cluster)));
            goal.verdict(&status(cluster)) == Verdict::Pending
        },
    );
    let cluster = while_shown(&progress, waiting).await?;
    let exit = match goal.verdict(&status(&cluster)) {
        Verdict::Reached => Exit::Done,
        Verdict::Pending => Exit::Unfinished,
        Verdict::Missed => Exit::Refused,
    };
    Ok(Some((cluster, exit)))
}
