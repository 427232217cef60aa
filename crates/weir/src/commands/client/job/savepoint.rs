//! Savepoints of jobs: `weir job savepoint` and `weir job import-savepoint`.

use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::json;
use weir_client::{Body, Goal};

use super::change;
use crate::commands::Outcome;
use crate::commands::client::access::text;
use crate::commands::client::made;
use crate::commands::client::session::{Session, waiting};

fn place(help: &'static str) -> Arg {
    Arg::new("place").value_name("BUCKET/DIR").required(true).help(help)
}

pub fn command() -> Command {
    Command::new("savepoint")
        .about(
            "Let a running job write a savepoint and run on; `weir job stop --savepoint` stops it with one",
        )
        .arg(super::job())
        .arg(place("Where to write it, in an authorized bucket"))
        .args(waiting())
}

pub fn import_command() -> Command {
    Command::new("import-savepoint")
        .about("Name a savepoint that a job goes on from when it is run with --resume-savepoint")
        .arg(super::job())
        .arg(place("Where it is, in an authorized bucket"))
}

pub async fn write(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    let body = json!({ "action": "TRIGGER", "savepoint_path": text(matches, "place") });
    let path = format!("/v1.0/{{project}}/job/{id}/savepoint");
    session.ask(session.client.call(Method::POST, &path, &[], Body::Json(body))).await?;
    change::wait(session, matches, &[id], Goal::Saved).await
}

pub async fn import(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    let body = json!({ "savepoint_path": text(matches, "place") });
    let path = format!("/v1.0/{{project}}/job/{id}/import_savepoint");
    let answer = session.ask(session.client.call(Method::POST, &path, &[], Body::Json(body))).await?;
    Ok(made(session, &answer, "", &format!("job {id} goes on from there with --resume-savepoint")))
}
