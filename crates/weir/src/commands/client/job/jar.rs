//! JAR jobs, which travel as forms: `weir job create-jar` and `weir job update-jar`.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Map, Value};
use weir_client::Form;

use crate::commands::client::access::text;
use crate::commands::client::cluster;
use crate::commands::client::fields::{Field, Kind, arguments, body, field};
use crate::commands::client::made;
use crate::commands::client::session::Session;
use crate::commands::{Failure, Outcome};

const PATH: &str = "/v1.0/{project}/jar_job";

#[rustfmt::skip]
const FIELDS: &[Field] = &[
    field("name", "name", Kind::Text, "Name, unique in the project"),
    field("description", "desc", Kind::Text, "Description"),
    field("cluster", "cluster_id", Kind::Cluster, "Id or name of the exclusive cluster"),
    field("manager-spus", "manager_spu", Kind::Number, "SPUs of what manages the job, 1 to 4"),
    field("spus", "spu_number", Kind::Number, "SPUs in all; Flink"),
    field("parallelism", "parallel_number", Kind::Number, "Subtasks of each operator; Flink"),
    field("executors", "executor_number", Kind::Number, "Executors; Spark"),
    field("executor-spus", "executor_spu", Kind::Number, "SPUs of each executor, 1 to 4; Spark"),
    field("jar-url", "jar_url", Kind::Text, "Place of a JAR, or of a folder with JARs, in a bucket"),
    field("config-url", "config_url", Kind::Text, "Place of a configuration file in a bucket"),
    field("main-class", "main_class", Kind::Text, "Class to begin with"),
    field("arguments", "args", Kind::Text, "Its arguments, separated by blanks"),
    field("bucket", "obs_bucket", Kind::Text, "Authorized bucket for logs"),
    field("logs", "log_enabled", Kind::Flag, "Keep logs in the bucket"),
    field("topic", "smn_topic", Kind::Text, "Topic that is told when the job fails, by its name or URN"),
    field("restart", "restart_when_exception", Kind::Flag, "Start it again after a failure"),
    field("tags", "tags", Kind::Text, "Tags, key=value separated by commas"),
    field("enterprise-project", "sys_enterprise_project_id", Kind::Text, "Enterprise project"),
];

/// The files of a form, by their flags.
const FILES: [&str; 2] = ["jar", "config"];

fn files() -> [Arg; 2] {
    let file =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("FILE").help(help);
    [
        file("jar", "JAR to send, at most 8 MB; wins over --jar-url"),
        file("config", "Configuration file to send, at most 8 MB; wins over --config-url"),
    ]
}

pub fn create_command() -> Command {
    Command::new("create-jar")
        .about("Create a job from a JAR and print its id. The service keeps and checks it; it has no engine that runs it yet")
        .arg(
            Arg::new("engine")
                .long("engine")
                .value_name("ENGINE")
                .value_parser(["flink", "spark"])
                .default_value("flink")
                .help("What it is written for"),
        )
        .args(files())
        .args(arguments(FIELDS))
        .mut_arg("name", |name| {
            name.help("Name, unique in the project [default: that of the JAR, without .jar]")
        })
        .mut_arg("cluster", |cluster| cluster.required(true))
        .mut_arg("manager-spus", |spus| spus.help("SPUs of what manages the job, 1 to 4 [default: 1]"))
        .mut_arg("spus", |spus| spus.help("SPUs in all; needed for Flink"))
        .mut_arg("executors", |executors| executors.help("Executors; needed for Spark"))
        .mut_arg("executor-spus", |spus| spus.help("SPUs of each executor, 1 to 4; needed for Spark"))
}

pub fn update_command() -> Command {
    Command::new("update-jar")
        .about("Change a JAR job; what is not given stays as it is")
        .arg(super::job())
        .args(files())
        .args(arguments(FIELDS))
}

pub async fn create(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = body(FIELDS, matches);
    if !sent.contains_key("name") {
        let stem = text(matches, "jar").map(Path::new).and_then(Path::file_stem);
        let stem = stem.context("the job has no name; give --name")?;
        sent.insert("name".to_string(), Value::from(stem.to_string_lossy()));
    }
    cluster::put_id(session, &mut sent).await?;
    // The contract wants them said.
    sent.entry("manager_spu").or_insert(Value::from(1));
    let name = sent["name"].as_str().unwrap_or_default().to_string();
    sent.entry("desc").or_insert_with(|| Value::from(name.clone()));
    let job_type = match text(matches, "engine") {
        Some("spark") => "spark_streaming_jar_job",
        _ => "flink_jar_job",
    };
    sent.insert("job_type".to_string(), Value::from(job_type));
    let payload = send(session, Method::POST, form(&sent, matches)?).await?;
    Ok(made(session, &payload, "job_id", &format!("job `{name}` created")))
}

pub async fn update(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut sent = body(FIELDS, matches);
    cluster::put_id(session, &mut sent).await?;
    let mut form = form(&sent, matches)?;
    if form.is_empty() {
        return Err(anyhow::anyhow!("nothing to change was given").into());
    }
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    form.text("job_id", &id.to_string());
    let payload = send(session, Method::PATCH, form).await?;
    Ok(made(session, &payload, "", &format!("job {id} changed")))
}

/// Makes the form of what was given.
fn form(sent: &Map<String, Value>, matches: &ArgMatches) -> anyhow::Result<Form> {
    let mut form = Form::default();
    for (name, value) in sent {
        form.text(name, &value.as_str().map_or_else(|| value.to_string(), str::to_string));
    }
    for flag in FILES {
        let Some(path) = text(matches, flag) else { continue };
        let contents = std::fs::read(path).with_context(|| format!("the file `{path}` cannot be read"))?;
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        form.file(flag, &name, contents);
    }
    Ok(form)
}

async fn send(session: &Session, method: Method, form: Form) -> Result<Value, Failure> {
    Ok(session.ask(session.client.call(method, PATH, &[], form.into_body())).await?["payload"].take())
}
