//! `weir host`: the names that a cluster maps to addresses.

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use reqwest::Method;
use serde_json::{Value, json};
use weir_client::{Body, Form};

use super::access::text;
use super::cluster;
use super::output::{Column, column, rows};
use super::paging;
use super::session::{Session, sure, yes};
use super::{family, made};
use crate::commands::{Exit, Outcome, runtime};

const COLUMNS: &[Column] =
    &[column("id", "id"), column("address", "info.ip"), column("name", "info.hostname")];

pub fn command() -> Command {
    let needed = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).required(true).help(help)
    };
    let address = || needed("address", "ADDRESS", "IPv4 address");
    let name = || needed("name", "NAME", "Host name");
    let ids = || needed("id", "ID", "Ids of mappings").num_args(1..).value_parser(value_parser!(i64));
    family("host", "Names of hosts that a cluster of a service maps to addresses")
        .subcommand(
            Command::new("list")
                .about("List the mappings of a cluster, the newest first")
                .arg(cluster::cluster())
                .arg(
                    Arg::new("part")
                        .long("part")
                        .value_name("TEXT")
                        .help("Only mappings with this in their address or name"),
                )
                .args(paging::arguments()),
        )
        .subcommand(
            Command::new("add").about("Map a name to an address, and print the id of the mapping").args([
                cluster::cluster(),
                address(),
                name(),
            ]),
        )
        .subcommand(
            Command::new("import")
                .about("Add the mappings of a hosts file, all or none")
                .arg(cluster::cluster())
                .arg(needed("file", "FILE", "File of lines with an address and names")),
        )
        .subcommand(Command::new("update").about("Change a mapping").args([
            cluster::cluster(),
            ids().num_args(1).help("Id of the mapping"),
            address(),
            name(),
        ]))
        .subcommand(Command::new("delete").about("Delete mappings, all or none").args([
            cluster::cluster(),
            ids(),
            yes(),
        ]))
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        let id = cluster::id(&session, matches).await?;
        let path = format!("/v1.0/{{project}}/reserved_cluster/{id}/hosts");
        match verb {
            "list" => list(&session, matches, &path).await,
            "add" => add(&session, matches, &path).await,
            "import" => import(&session, matches, &path).await,
            "update" => update(&session, matches, &path).await,
            _ => delete(&session, matches, &path).await,
        }
    })
}

async fn list(session: &Session, matches: &ArgMatches, path: &str) -> Outcome {
    let part = text(matches, "part").map(|part| ("query_string", part.to_string()));
    let list = paging::List { path, member: "hosts_info", id: "id", what: "mappings" };
    let payload = list.read(session, matches, part.into_iter().collect()).await?;
    match session.is_json() {
        true => println!("{payload}"),
        false => print!("{}", rows(COLUMNS, &payload["hosts_info"])),
    }
    Ok(Exit::Done)
}

fn mapping(matches: &ArgMatches) -> Value {
    json!({ "ip": text(matches, "address"), "hostname": text(matches, "name") })
}

async fn add(session: &Session, matches: &ArgMatches, path: &str) -> Outcome {
    let body = Body::Json(json!({ "hosts_info": [mapping(matches)] }));
    let answer = session.ask(session.client.call(Method::POST, path, &[], body)).await?;
    Ok(added(session, &answer))
}

async fn import(session: &Session, matches: &ArgMatches, path: &str) -> Outcome {
    let file = text(matches, "file").unwrap_or_default();
    let hosts = std::fs::read_to_string(file).with_context(|| format!("the file `{file}` cannot be read"))?;
    let mut form = Form::default();
    form.file("hosts_file", "hosts", hosts.into_bytes());
    let path = format!("{path}_file");
    let answer = session.ask(session.client.call(Method::POST, &path, &[], form.into_body())).await?;
    Ok(added(session, &answer))
}

/// Shows what was added: the answer has one envelope for each mapping.
fn added(session: &Session, answer: &Value) -> Exit {
    if session.is_json() {
        println!("{answer}");
        return Exit::Done;
    }
    let mappings = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    eprintln!(
        "{} added",
        if mappings.len() == 1 { "1 mapping".to_string() } else { format!("{} mappings", mappings.len()) }
    );
    for mapping in mappings {
        println!("{}", mapping["payload"]["host_id"]);
    }
    Exit::Done
}

async fn update(session: &Session, matches: &ArgMatches, path: &str) -> Outcome {
    let id = matches.get_one::<i64>("id").copied().unwrap_or_default();
    let body = Body::Json(json!({ "hosts_info": mapping(matches) }));
    let path = format!("{path}/{id}");
    let answer = session.ask(session.client.call(Method::PATCH, &path, &[], body)).await?;
    Ok(made(session, &answer, "", &format!("mapping {id} changed")))
}

async fn delete(session: &Session, matches: &ArgMatches, path: &str) -> Outcome {
    let ids: Vec<i64> = matches.get_many::<i64>("id").into_iter().flatten().copied().collect();
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    sure(
        matches,
        &format!("delete {} of cluster {}?", names.join(", "), text(matches, "cluster").unwrap_or_default()),
    )?;
    let body = Body::Json(json!({ "hosts_id": ids }));
    let answer = session.ask(session.client.call(Method::DELETE, path, &[], body)).await?;
    let word = if ids.len() == 1 { "the mapping is deleted" } else { "the mappings are deleted" };
    Ok(made(session, &answer, "", word))
}
