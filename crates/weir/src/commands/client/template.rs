//! `weir template`: templates of jobs.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Map, Value, json};
use weir_client::{Body, numbered};

use super::access::text;
use super::fields::{Field, Kind, arguments, body, field};
use super::output::{Column, column, lines, rows, time};
use super::paging::{self, List};
use super::session::{Session, sure, yes};
use super::{family, made};
use crate::commands::check::read_job;
use crate::commands::text::for_output;
use crate::commands::{Exit, Failure, Outcome, runtime};

const PATH: &str = "/v1.0/{project}/job_template";
const LIST: List<'_> =
    List { path: "/v1.0/{project}/job_templates", member: "templates", id: "template_id", what: "templates" };

const FIELDS: &[Field] = &[
    field("description", "desc", Kind::Text, "Description"),
    field("tags", "tags", Kind::Text, "Tags, key=value separated by commas"),
];

const SAMPLES: &str = "/v1.0/{project}/sample_templates";

const SAMPLE_COLUMNS: &[Column] = &[column("name", "name"), column("description", "desc")];

const COLUMNS: &[Column] = &[
    column("id", "template_id"),
    column("name", "name"),
    time("created (UTC)", "create_time"),
    time("changed (UTC)", "update_time"),
    column("description", "desc"),
    column("SQL", "sql_body"),
];

pub fn command() -> Command {
    let template =
        || Arg::new("template").value_name("TEMPLATE").required(true).help("Id or name of the template");
    let sql = || Arg::new("sql").value_name("JOB.SQL").help("File with its SQL; - is standard input");
    family("template", "Templates of jobs in a service; `weir job create --template` uses them")
        .subcommand(Command::new("list").about("List templates, the newest first").args(paging::arguments()))
        .subcommand(Command::new("show").about("Show a template with its SQL").arg(template()))
        .subcommand(
            Command::new("create")
                .about("Create a template and print its id")
                .arg(Arg::new("name").value_name("NAME").required(true).help("Name, unique in the project"))
                .arg(sql().required_unless_present("sample"))
                .arg(
                    Arg::new("sample")
                        .long("sample")
                        .value_name("SAMPLE")
                        .conflicts_with("sql")
                        .help("Take the SQL of this sample, and its description"),
                )
                .args(arguments(FIELDS)),
        )
        .subcommand(
            Command::new("update")
                .about("Change a template; what is not given stays as it is")
                .arg(template())
                .arg(Arg::new("name").long("name").value_name("TEXT").help("Name, unique in the project"))
                .arg(sql().long("sql"))
                .args(arguments(FIELDS)),
        )
        .subcommand(Command::new("samples").about("List the sample jobs that the service brings along"))
        .subcommand(
            Command::new("sample")
                .about("Show the SQL of a sample, to begin a job with")
                .arg(Arg::new("sample").value_name("SAMPLE").required(true).help("Name of the sample")),
        )
        .subcommand(Command::new("delete").about("Delete a template").arg(template()).arg(yes()))
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
            "samples" => samples(&session).await,
            "sample" => sample(&session, matches).await,
            _ => delete(&session, matches).await,
        }
    })
}

async fn list(session: &Session, matches: &ArgMatches) -> Outcome {
    let payload = LIST.read(session, matches, Vec::new()).await?;
    match session.is_json() {
        true => println!("{payload}"),
        // The SQL is for a look at one of them.
        false => print!("{}", rows(&COLUMNS[..COLUMNS.len() - 1], &payload["templates"])),
    }
    Ok(Exit::Done)
}

/// Finds the template that was given by its id or its name. The service has no call for one of them.
async fn find(session: &Session, matches: &ArgMatches) -> Result<Value, Failure> {
    let given = text(matches, "template").unwrap_or_default();
    let all = session.client.all_pages(LIST.path, &[], LIST.member, LIST.id);
    let mut all = session.ask(all).await?;
    let id = numbered(&all[LIST.member], given, LIST.id, "template").map_err(Failure::from)?;
    let mut templates = all[LIST.member].as_array_mut().map(std::mem::take).unwrap_or_default().into_iter();
    let found = templates.find(|template| template[LIST.id] == id);
    found.ok_or_else(|| Failure::Input(anyhow::anyhow!("there is no template `{given}` that you may see")))
}

async fn show(session: &Session, matches: &ArgMatches) -> Outcome {
    let template = find(session, matches).await?;
    match session.is_json() {
        true => println!("{template}"),
        false => print!("{}", lines(COLUMNS, &template)),
    }
    Ok(Exit::Done)
}

async fn create(session: &Session, matches: &ArgMatches) -> Outcome {
    let name = text(matches, "name").unwrap_or_default();
    let mut sent = members(matches)?;
    if let Some(sample) = text(matches, "sample") {
        let mut sample = find_sample(session, sample).await?;
        sent.insert("sql_body".to_string(), sample["sql_body"].take());
        sent.entry("desc").or_insert(sample["desc"].take());
    }
    let body = Body::Json(sent.into());
    let answer = session.ask(session.client.call(Method::POST, PATH, &[], body)).await?;
    Ok(made(session, &answer["payload"], "template_id", &format!("template `{name}` created")))
}

async fn update(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = find(session, matches).await?[LIST.id].take();
    let mut sent = members(matches)?;
    if sent.is_empty() {
        return Err(anyhow::anyhow!("nothing to change was given").into());
    }
    sent.insert("id".to_string(), id.clone());
    let body = Body::Json(sent.into());
    let answer = session.ask(session.client.call(Method::PATCH, PATH, &[], body)).await?;
    Ok(made(session, &answer, "", &format!("template {id} changed")))
}

async fn delete(session: &Session, matches: &ArgMatches) -> Outcome {
    let template = find(session, matches).await?;
    let name = template["name"].as_str().unwrap_or_default();
    sure(matches, &format!("delete template `{name}`?"))?;
    let path = format!("{PATH}/{}", template[LIST.id]);
    let answer = session.ask(session.client.call(Method::DELETE, &path, &[], Body::None)).await?;
    Ok(made(session, &answer, "", &format!("template `{name}` deleted")))
}

async fn samples(session: &Session) -> Outcome {
    let payload = session.ask(session.client.payload(SAMPLES, &[])).await?;
    match session.is_json() {
        true => println!("{payload}"),
        false => print!("{}", rows(SAMPLE_COLUMNS, &payload["templates"])),
    }
    Ok(Exit::Done)
}

async fn sample(session: &Session, matches: &ArgMatches) -> Outcome {
    let sample = find_sample(session, text(matches, "sample").unwrap_or_default()).await?;
    match session.is_json() {
        true => println!("{sample}"),
        false => print!("{}", for_output(sample["sql_body"].as_str().unwrap_or_default())),
    }
    Ok(Exit::Done)
}

async fn find_sample(session: &Session, name: &str) -> Result<Value, Failure> {
    let mut payload = session.ask(session.client.payload(SAMPLES, &[])).await?;
    let samples = payload["templates"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let found = samples.into_iter().find(|sample| sample["name"] == name);
    found.ok_or_else(|| {
        Failure::Input(anyhow::anyhow!("there is no sample `{name}`; `weir template samples` lists them"))
    })
}

/// Returns the members that were given.
fn members(matches: &ArgMatches) -> anyhow::Result<Map<String, Value>> {
    let mut sent = body(FIELDS, matches);
    sent.extend(text(matches, "name").map(|name| ("name".to_string(), json!(name))));
    if let Some(file) = text(matches, "sql") {
        sent.insert("sql_body".to_string(), json!(read_job(Path::new(file))?));
    }
    Ok(sent)
}
