//! Jobs and logs as archives in buckets: `weir job export`, `import` and `logs`.

use std::path::Path;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Value, json};
use weir_client::{Body, Buckets};

use super::read::ids;
use crate::commands::client::access::{HEADING, given, text};
use crate::commands::client::output::{Column, column, rows};
use crate::commands::client::session::Session;
use crate::commands::text::for_output;
use crate::commands::{Exit, Failure, Outcome};

/// Where the logs of jobs are in a bucket.
const LOGS: &str = "jobs/logs";

const IMPORTED: &[Column] =
    &[column("id in the archive", "old_job_id"), column("id", "new_job_id"), column("remark", "remark")];

fn s3() -> Arg {
    Arg::new("s3").long("s3").value_name("URL").help_heading(HEADING).help(
        "Address of its S3 endpoint [default: that of the service, on the next port] [env: WEIR_S3_ENDPOINT]",
    )
}

fn copy(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").help(help)
}

pub fn export_command() -> Command {
    Command::new("export")
        .about("Write definitions of jobs to an archive in a bucket and print its place")
        .arg(
            Arg::new("place")
                .value_name("BUCKET[/DIR]")
                .required(true)
                .help("Where to write it, in an authorized bucket"),
        )
        .arg(
            Arg::new("job")
                .value_name("JOB")
                .num_args(0..)
                .help("Ids or names of jobs [default: all that you may see]"),
        )
        .arg(copy("to", "Copy the archive to this file, by an access key"))
        .arg(s3())
}

pub fn import_command() -> Command {
    Command::new("import")
        .about("Make jobs of the definitions in an archive in a bucket")
        .arg(
            Arg::new("place")
                .value_name("BUCKET/PATH")
                .required(true)
                .help("An archive, or a folder of archives, in an authorized bucket"),
        )
        .arg(
            Arg::new("cover")
                .long("cover")
                .action(ArgAction::SetTrue)
                .help("Replace your jobs of the same names, which are left out otherwise"),
        )
        .arg(copy("from", "Copy this file to the place first, by an access key"))
        .arg(s3())
}

pub fn logs_command() -> Command {
    Command::new("logs")
        .about("Gather the logs of all runs of a job into an archive in its bucket and print its place")
        .arg(super::job())
        .arg(copy("to", "Copy the archive to this file, by an access key"))
        .arg(
            Arg::new("show")
                .long("show")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["to", "output"])
                .help("Show the logs of the newest run instead, by an access key"),
        )
        .arg(s3())
}

pub async fn export(session: &Session, matches: &ArgMatches) -> Outcome {
    let buckets = match text(matches, "to") {
        Some(_) => Some(reach(session, matches)?),
        None => None,
    };
    let ids = ids(session, matches).await?;
    let mut sent = json!({ "obs_dir": text(matches, "place"), "is_selected": !ids.is_empty() });
    if !ids.is_empty() {
        sent["job_selected"] = json!(ids);
    }
    let call = session.client.call(Method::POST, "/v1.0/{project}/jobs/export", &[], Body::Json(sent));
    let payload = session.ask(call).await?["payload"].take();
    let place = payload["zip_file"][0].as_str().unwrap_or_default();
    written(session, matches, buckets, &payload, place).await
}

pub async fn import(session: &Session, matches: &ArgMatches) -> Outcome {
    let place = text(matches, "place").unwrap_or_default();
    if let Some(file) = text(matches, "from") {
        let contents = std::fs::read(file).with_context(|| format!("the file `{file}` cannot be read"))?;
        let buckets = reach(session, matches)?;
        session.ask_for(&format!("writing {place}"), buckets.write(place, contents)).await?;
    }
    let sent = json!({ "zip_file": place, "is_cover": matches.get_flag("cover") });
    let call = session.client.call(Method::POST, "/v1.0/{project}/jobs/import", &[], Body::Json(sent));
    let payload = session.ask(call).await?["payload"].take();
    if session.is_json() {
        println!("{payload}");
        return Ok(Exit::Done);
    }
    let mapping = payload["job_mapping"].as_array().cloned().unwrap_or_default();
    let mapping = mapping.into_iter().map(|mut job| {
        // It is -1 when the job was left out.
        if job["new_job_id"].as_i64().is_some_and(|id| id < 0) {
            job["new_job_id"] = Value::Null;
        }
        job
    });
    print!("{}", rows(IMPORTED, &mapping.collect::<Vec<_>>().into()));
    Ok(Exit::Done)
}

pub async fn logs(session: &Session, matches: &ArgMatches) -> Outcome {
    let is_read = matches.get_flag("show") || text(matches, "to").is_some();
    let buckets = if is_read { Some(reach(session, matches)?) } else { None };
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    if let Some(buckets) = buckets.as_ref().filter(|_| matches.get_flag("show")) {
        return show_logs(session, buckets, id).await;
    }
    let path = format!("/v1.0/{{project}}/job/{id}/logs/aggregate");
    let call = session.client.call(Method::POST, &path, &[], Body::None);
    let payload = session.ask(call).await?["payload"].take();
    let place = payload["zip_file"].as_str().unwrap_or_default();
    written(session, matches, buckets, &payload, place).await
}

/// Prints the logs of the newest run, each file after its name.
async fn show_logs(session: &Session, buckets: &Buckets, id: i64) -> Outcome {
    let job = session.ask(session.client.job(id)).await?;
    let bucket = job["job_config"]["obs_bucket"].as_str().unwrap_or_default();
    if job["job_config"]["log_enabled"] != true {
        return Err(anyhow::anyhow!(
            "job {id} keeps no logs; `weir job update --logs --bucket BUCKET` lets it"
        )
        .into());
    }
    let progress = format!("looking for logs in {bucket}");
    let mut runs = session.ask_for(&progress, buckets.folders(bucket, LOGS)).await?;
    let mine = format!("{bucket}/{LOGS}/{id}-");
    runs.retain(|run| run.starts_with(&mine));
    // The names end with the time of the start.
    let Some(newest) = runs.into_iter().max() else {
        return Err(anyhow::anyhow!("there are no logs of job {id} in bucket {bucket} yet").into());
    };
    for place in session.ask_for(&progress, buckets.files(&newest)).await? {
        let contents = session.ask_for(&format!("reading {place}"), buckets.read(&place)).await?;
        println!("==> {} <==", for_output(&place));
        print!("{}", for_output(&String::from_utf8_lossy(&contents)));
    }
    Ok(Exit::Done)
}

/// Reaches the objects of the service.
fn reach(session: &Session, matches: &ArgMatches) -> Result<Buckets, Failure> {
    Ok(session.client.objects(given(matches, "s3", "WEIR_S3_ENDPOINT").as_deref())?)
}

/// Tells where an archive was written, and copies it when that was asked for.
async fn written(
    session: &Session,
    matches: &ArgMatches,
    buckets: Option<Buckets>,
    payload: &Value,
    place: &str,
) -> Outcome {
    if let (Some(buckets), Some(file)) = (buckets, text(matches, "to")) {
        let contents = session.ask_for(&format!("reading {place}"), buckets.read(place)).await?;
        std::fs::write(Path::new(file), contents)
            .with_context(|| format!("the file `{file}` cannot be written"))?;
    }
    match session.is_json() {
        true => println!("{payload}"),
        false => println!("{}", for_output(place)),
    }
    Ok(Exit::Done)
}
