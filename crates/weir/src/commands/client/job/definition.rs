//! What a job is made of: `weir job create` and `weir job update`.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Map, Value, json};
use weir_client::Body;

use crate::commands::check::read_job;
use crate::commands::client::access::text;
use crate::commands::client::cluster;
use crate::commands::client::fields::{Field, Kind, arguments, body, field};
use crate::commands::client::made;
use crate::commands::client::session::Session;
use crate::commands::{Failure, Outcome};

const PATH: &str = "/v1.0/{project}/sql_job";

#[rustfmt::skip]
const FIELDS: &[Field] = &[
    field("name", "name", Kind::Text, "Name, unique in the project"),
    field("description", "desc", Kind::Text, "Description"),
    field("run-mode", "run_mode", Kind::Choice(&["shared_cluster", "exclusive_cluster", "edge_node"]), "Where it runs"),
    field("cluster", "cluster_id", Kind::Cluster, "Id or name of the exclusive cluster"),
    field("spus", "spu_number", Kind::Number, "SPUs, the one that manages the job included"),
    field("parallelism", "parallel_number", Kind::Number, "Subtasks of each operator"),
    field("checkpoints", "checkpoint_enabled", Kind::Flag, "Take snapshots, from which the job goes on after a failure"),
    field("checkpoint-mode", "checkpoint_mode", Kind::Choice(&["exactly_once", "at_least_once"]), "What snapshots promise"),
    field("checkpoint-interval", "checkpoint_interval", Kind::Number, "Seconds between snapshots"),
    field("bucket", "obs_bucket", Kind::Text, "Authorized bucket for snapshots and logs"),
    field("logs", "log_enabled", Kind::Flag, "Keep logs in the bucket"),
    field("topic", "smn_topic", Kind::Text, "Topic that is told when the job fails, by its name or URN"),
    field("restart", "restart_when_exception", Kind::Flag, "Start it again after a failure"),
    field("idle-state-retention", "idle_state_retention", Kind::Number, "Seconds after which state that was idle is dropped"),
    field("edge-groups", "edge_group_ids", Kind::Text, "Edge groups, separated by commas"),
    field("tags", "tags", Kind::Text, "Tags, key=value separated by commas"),
    field("enterprise-project", "sys_enterprise_project_id", Kind::Text, "Enterprise project"),
    field("udf-jar", "udf_jar_url", Kind::Text, "Place of a JAR with functions"),
    field("dirty-data", "dirty_data_strategy", Kind::Text, "What becomes of dirty records: 0 dropped, 1 the job fails, 2:BUCKET/DIR kept"),
];

fn sql() -> Arg {
    Arg::new("sql").value_name("JOB.SQL").help("File with its SQL; - is standard input")
}

pub fn create_command() -> Command {
    Command::new("create")
        .about("Create a job and print its id; `weir job run` runs it")
        .arg(sql())
        .args(arguments(FIELDS))
        .arg(
            Arg::new("template")
                .long("template")
                .value_name("ID")
                .value_parser(clap::value_parser!(i64))
                .conflicts_with("sql")
                .help("Take the SQL of this template"),
        )
        .mut_arg("name", |name| {
            name.help("Name, unique in the project [default: that of the file, without .sql]")
        })
        .mut_arg("run-mode", |mode| {
            mode.help("Where it runs [default: exclusive_cluster with --cluster, else shared_cluster]")
        })
}

pub fn update_command() -> Command {
    Command::new("update")
        .about("Change a job; what is not given stays as it is")
        .arg(super::job())
        .arg(sql().long("sql"))
        .args(arguments(FIELDS))
}

pub async fn create(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = given(matches)?;
    let template = matches.get_one::<i64>("template").copied();
    sent.extend(template.map(|id| ("template_id".to_string(), Value::from(id))));
    if !sent.contains_key("name") {
        let file = text(matches, "sql").filter(|file| *file != "-").map(Path::new);
        let stem = file.and_then(Path::file_stem).context("the job has no name; give --name")?;
        sent.insert("name".to_string(), Value::from(stem.to_string_lossy()));
    }
    if !sent.contains_key("run_mode") {
        let mode = if sent.contains_key("cluster_id") { "exclusive_cluster" } else { "shared_cluster" };
        sent.insert("run_mode".to_string(), Value::from(mode));
    }
    if sent["run_mode"] == "edge_node" {
        sent.insert("job_type".to_string(), Value::from("flink_sql_edge_job"));
    }
    cluster::put_id(session, &mut sent).await?;
    let name = sent["name"].as_str().unwrap_or_default().to_string();
    let payload = send(session, Method::POST, sent).await?;
    Ok(made(session, &payload, "job_id", &format!("job `{name}` created")))
}

pub async fn update(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = given(matches)?;
    if sent.is_empty() {
        return Err(anyhow::anyhow!("nothing to change was given").into());
    }
    let job = text(matches, "job").unwrap_or_default();
    let id = session.ask(session.client.job_id(job)).await?;
    cluster::put_id(session, &mut sent).await?;
    sent.insert("job_id".to_string(), json!(id));
    let payload = send(session, Method::PATCH, sent).await?;
    Ok(made(session, &payload, "", &format!("job {id} changed")))
}

/// Returns the members that were given, the SQL among them.
fn given(matches: &ArgMatches) -> anyhow::Result<Map<String, Value>> {
    let mut sent = body(FIELDS, matches);
    if let Some(file) = text(matches, "sql") {
        sent.insert("sql_body".to_string(), Value::from(read_job(Path::new(file))?));
    }
    Ok(sent)
}

async fn send(session: &Session, method: Method, sent: Map<String, Value>) -> Result<Value, Failure> {
    let body = Body::Json(Value::Object(sent));
    Ok(session.ask(session.client.call(method, PATH, &[], body)).await?["payload"].take())
}
