//! `weir peering`: connections of clusters with other networks, and the routes over them.

use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Map, Value, json};
use weir_client::{Body, segment};

use super::access::text;
use super::cluster;
use super::output::{Column, column, lines, rows};
use super::session::{Session, sure, yes};
use super::{family, made, watch};
use crate::commands::{Exit, Failure, Outcome, runtime};

const VPC: &str = "/v2.0/vpc/peerings";

const PEERING: &[Column] = &[
    column("id", "id"),
    column("name", "name"),
    column("status", "status"),
    column("network", "accept_vpc_info.vpc_id"),
    column("of project", "accept_vpc_info.tenant_id"),
];
const ROUTE: &[Column] = &[column("id", "id"), column("destination", "destination")];

fn needed(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).required(true).help(help)
}

fn peering() -> Arg {
    needed("peering", "PEERING", "Id or name of the peering")
}

pub fn command() -> Command {
    let of = || [cluster::cluster(), peering()];
    family("peering", "Connections of clusters of a service with other networks")
        .subcommand(
            Command::new("list")
                .about("List the peerings of a cluster")
                .arg(cluster::cluster())
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("show").about("Show a peering of a cluster").args(of()).arg(watch::argument()),
        )
        .subcommand(
            Command::new("create")
                .about("Ask for a peering of a cluster with a network, and print its id")
                .arg(cluster::cluster())
                .arg(needed("name", "NAME", "Name of the peering"))
                .arg(needed("network", "VPC", "Id of the other network"))
                .arg(
                    Arg::new("tenant")
                        .long("tenant")
                        .value_name("ID")
                        .help("Id of the project that has the other network, when it is not this one"),
                ),
        )
        .subcommand(Command::new("delete").about("Delete a peering with its routes").args(of()).arg(yes()))
        .subcommand(
            Command::new("requests")
                .about("List the peerings with networks of the project, which it may accept")
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("update")
                .about("Change name or description of a peering with a network of the project")
                .arg(peering())
                .arg(Arg::new("name").long("name").value_name("TEXT").help("Name of the peering"))
                .arg(Arg::new("description").long("description").value_name("TEXT").help("Description")),
        )
        .subcommand(
            Command::new("accept").about("Accept a peering with a network of the project").arg(peering()),
        )
        .subcommand(
            Command::new("reject").about("Reject a peering with a network of the project").arg(peering()),
        )
        .subcommand(route_command())
}

fn route_command() -> Command {
    let of = || [cluster::cluster(), peering()];
    Command::new("route")
        .about("What a cluster reaches over a peering")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("list").about("List the routes over a peering").args(of()))
        .subcommand(
            Command::new("create")
                .about("Open a route over a peering, and print its id")
                .args(of())
                .arg(needed("destination", "CIDR", "Addresses that it leads to, such as 192.168.1.0/24")),
        )
        .subcommand(
            Command::new("delete")
                .about("Delete a route")
                .args(of())
                .arg(needed("route", "ROUTE", "Id or destination of the route"))
                .arg(yes()),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        match verb {
            "route" => routes(matches).await,
            "requests" | "update" | "accept" | "reject" => requests(verb, matches).await,
            _ => peerings(verb, matches).await,
        }
    })
}

async fn path_of_cluster(session: &Session, matches: &ArgMatches) -> Result<String, Failure> {
    let id = cluster::id(session, matches).await?;
    Ok(format!("/v1.0/{{project}}/reserved_cluster/{id}/peering"))
}

/// Finds the one of some records that is meant, by its id or another member.
fn pick(records: &Value, member: &str, given: &str, what: &str) -> anyhow::Result<String> {
    let mut records = records.as_array().into_iter().flatten();
    let found = records.find(|record| record["id"] == given || record[member] == given);
    match found.and_then(|record| record["id"].as_str()) {
        Some(id) => Ok(id.to_string()),
        None => anyhow::bail!("there is no {what} `{given}`"),
    }
}

async fn peering_id(session: &Session, matches: &ArgMatches, path: &str) -> Result<String, Failure> {
    let list = session.ask(session.client.get(path, &[])).await?;
    Ok(pick(&list["peerings"], "name", text(matches, "peering").unwrap_or_default(), "peering")?)
}

fn table(session: &Session, columns: &[Column], answer: &Value, member: &str) -> Exit {
    match session.is_json() {
        true => println!("{answer}"),
        false => print!("{}", rows(columns, &answer[member])),
    }
    Exit::Done
}

/// Returns the peerings at a path, as they are shown.
async fn list(session: &Session, path: &str) -> Result<String, Failure> {
    let answer = session.ask(session.client.get(path, &[])).await?;
    Ok(if session.is_json() { format!("{answer}\n") } else { rows(PEERING, &answer["peerings"]) })
}

async fn peerings(verb: &str, matches: &ArgMatches) -> Outcome {
    let session = Session::open(matches).await?;
    let client = &session.client;
    let path = path_of_cluster(&session, matches).await?;
    match verb {
        "list" => watch::show(matches, async || list(&session, &path).await).await,
        "show" => {
            let id = peering_id(&session, matches, &path).await?;
            let path = format!("{path}/{}", segment(&id));
            watch::show(matches, async || {
                let peering = session.ask(client.get(&path, &[])).await?["peering"].take();
                Ok(if session.is_json() { format!("{peering}\n") } else { lines(PEERING, &peering) })
            })
            .await
        }
        "create" => {
            let name = text(matches, "name").unwrap_or_default();
            let mut body = json!({ "name": name, "vpc_id": text(matches, "network") });
            if let Some(tenant) = text(matches, "tenant") {
                body["accept_tenant_id"] = json!(tenant);
            }
            let answer = session.ask(client.call(Method::POST, &path, &[], Body::Json(body))).await?;
            let word = format!("peering `{name}` waits until it is accepted");
            Ok(made(&session, &answer["peering"], "id", &word))
        }
        _ => {
            let id = peering_id(&session, matches, &path).await?;
            let name = text(matches, "peering").unwrap_or_default();
            sure(matches, &format!("delete peering `{name}` and its routes?"))?;
            let path = format!("{path}/{}", segment(&id));
            let answer = session.ask(client.call(Method::DELETE, &path, &[], Body::None)).await?;
            Ok(made(&session, &answer, "", &format!("peering `{name}` deleted")))
        }
    }
}

/// The other side: peerings that were asked for with networks of the project.
async fn requests(verb: &str, matches: &ArgMatches) -> Outcome {
    let session = Session::open(matches).await?;
    let client = &session.client;
    if verb == "requests" {
        return watch::show(matches, async || list(&session, VPC).await).await;
    }
    let id = peering_id(&session, matches, VPC).await?;
    if verb == "update" {
        return update(&session, matches, &id).await;
    }
    let path = format!("{VPC}/{}/{verb}", segment(&id));
    let answer = session.ask(client.call(Method::PUT, &path, &[], Body::None)).await?;
    let status = answer["status"].as_str().unwrap_or_default();
    let name = text(matches, "peering").unwrap_or_default();
    Ok(made(&session, &answer, "", &format!("peering `{name}` is {status}")))
}

async fn update(session: &Session, matches: &ArgMatches, id: &str) -> Outcome {
    let mut change = Map::new();
    for member in ["name", "description"] {
        change.extend(text(matches, member).map(|value| (member.to_string(), json!(value))));
    }
    if change.is_empty() {
        return Err(anyhow::anyhow!("nothing to change was given").into());
    }
    let path = format!("{VPC}/{}", segment(id));
    let body = Body::Json(json!({ "peering": change }));
    let answer = session.ask(session.client.call(Method::PUT, &path, &[], body)).await?;
    Ok(made(
        session,
        &answer,
        "",
        &format!("peering `{}` changed", text(matches, "peering").unwrap_or_default()),
    ))
}

async fn routes(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let session = Session::open(matches).await?;
    let client = &session.client;
    let peerings = path_of_cluster(&session, matches).await?;
    let id = peering_id(&session, matches, &peerings).await?;
    let path = format!("{peerings}/{}/route", segment(&id));
    match verb {
        "list" => {
            let answer = session.ask(client.get(&path, &[])).await?;
            Ok(table(&session, ROUTE, &answer, "routes"))
        }
        "create" => {
            let destination = text(matches, "destination").unwrap_or_default();
            let body = Body::Json(json!({ "destination": destination }));
            let answer = session.ask(client.call(Method::POST, &path, &[], body)).await?;
            Ok(made(&session, &answer["route"], "id", &format!("the cluster may reach {destination}")))
        }
        _ => {
            let list = session.ask(client.get(&path, &[])).await?;
            let given = text(matches, "route").unwrap_or_default();
            let route = pick(&list["routes"], "destination", given, "route")?;
            sure(matches, &format!("delete the route to {given}?"))?;
            let path = format!("{path}/{}", segment(&route));
            let answer = session.ask(client.call(Method::DELETE, &path, &[], Body::None)).await?;
            Ok(made(&session, &answer, "", "the route is deleted"))
        }
    }
}
