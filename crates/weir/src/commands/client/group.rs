//! `weir iam group`: groups of users, and the roles that their members have through them.

use clap::{Arg, ArgAction, ArgMatches, Command};
use reqwest::Method;
use serde_json::json;
use weir_client::{Body, segment};

use super::access::text;
use super::iam::{ROLE, USER, changes, needed, option, send, table, user, user_id};
use super::made;
use super::output::{Column, column, lines, time};
use super::session::{Session, sure, yes};
use crate::commands::{Exit, Outcome};

const GROUPS: &str = "/v3/groups";

pub const GROUP: &[Column] = &[
    column("id", "id"),
    column("name", "name"),
    time("created (UTC)", "create_time"),
    column("description", "description"),
];

pub fn command() -> Command {
    let group = || needed("group", "GROUP", "Id or name of the group");
    let role = || needed("role", "ROLE", "Name of the role");
    let scope = || {
        Arg::new("account")
            .long("account")
            .action(ArgAction::SetTrue)
            .help("In the whole account, not only in the project")
    };
    super::iam::group("group", "Groups of users, whose members have the roles of the group")
        .subcommand(
            Command::new("list").about("List the groups").arg(option("name", "Only the one with this name")),
        )
        .subcommand(Command::new("show").about("Show a group").arg(group()))
        .subcommand(
            Command::new("create")
                .about("Create a group and print its id")
                .arg(needed("name", "NAME", "Name, unique in the account"))
                .arg(option("description", "Description")),
        )
        .subcommand(
            Command::new("update")
                .about("Change a group; what is left out stays")
                .arg(group())
                .arg(option("name", "New name"))
                .arg(option("description", "Description")),
        )
        .subcommand(
            Command::new("delete")
                .about("Delete a group; its members stay, without the roles that it gave them")
                .arg(group())
                .arg(yes()),
        )
        .subcommand(Command::new("members").about("List the users of a group").arg(group()))
        .subcommand(Command::new("add").about("Add a user to a group").arg(group()).arg(user()))
        .subcommand(Command::new("remove").about("Take a user out of a group").arg(group()).arg(user()))
        .subcommand(Command::new("roles").about("List the roles of a group").arg(group()).arg(scope()))
        .subcommand(Command::new("assign").about("Give a group a role").arg(group()).arg(role()).arg(scope()))
        .subcommand(
            Command::new("unassign").about("Take a role from a group").arg(group()).arg(role()).arg(scope()),
        )
}

pub async fn run(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    let client = &session.client;
    match verb {
        "list" => {
            let name = text(matches, "name").map(|name| ("name", name.to_string()));
            let query: Vec<_> = name.into_iter().collect();
            let answer = session.ask(client.get(GROUPS, &query)).await?;
            return Ok(table(session, GROUP, &answer, "groups"));
        }
        "create" => {
            let name = text(matches, "name").unwrap_or_default();
            let group = json!({ "name": name, "description": text(matches, "description") });
            let body = Body::Json(json!({ "group": group }));
            let group = send(session, Method::POST, GROUPS, body).await?["group"].take();
            return Ok(made(session, &group, "id", &format!("group `{name}` created")));
        }
        _ => {}
    }
    let name = text(matches, "group").unwrap_or_default();
    let id = session.ask(client.group_id(name)).await?;
    match verb {
        "add" | "remove" | "members" => members(session, verb, matches, &id).await,
        "roles" | "assign" | "unassign" => roles(session, verb, matches, &id).await,
        _ => one(session, verb, matches, &format!("{GROUPS}/{}", segment(&id))).await,
    }
}

async fn one(session: &Session, verb: &str, matches: &ArgMatches, path: &str) -> Outcome {
    let name = text(matches, "group").unwrap_or_default();
    match verb {
        "show" => {
            let group = session.ask(session.client.get(path, &[])).await?["group"].take();
            match session.is_json() {
                true => println!("{group}"),
                false => print!("{}", lines(GROUP, &group)),
            }
            Ok(Exit::Done)
        }
        "update" => {
            let body = Body::Json(json!({ "group": changes(matches) }));
            let group = send(session, Method::PATCH, path, body).await?["group"].take();
            Ok(made(session, &group, "", &format!("group `{name}` changed")))
        }
        _ => {
            sure(matches, &format!("delete group `{name}`?"))?;
            let answer = send(session, Method::DELETE, path, Body::None).await?;
            Ok(made(session, &answer, "", &format!("group `{name}` deleted")))
        }
    }
}

async fn members(session: &Session, verb: &str, matches: &ArgMatches, id: &str) -> Outcome {
    let path = format!("{GROUPS}/{}/users", segment(id));
    if verb == "members" {
        let answer = session.ask(session.client.get(&path, &[])).await?;
        return Ok(table(session, USER, &answer, "users"));
    }
    let (name, group) =
        (text(matches, "user").unwrap_or_default(), text(matches, "group").unwrap_or_default());
    let member = user_id(session, name).await?;
    let (method, word) = match verb {
        "add" => (Method::PUT, "is"),
        _ => (Method::DELETE, "is no longer"),
    };
    let answer = send(session, method, &format!("{path}/{}", segment(&member)), Body::None).await?;
    Ok(made(session, &answer, "", &format!("user `{name}` {word} in group `{group}`")))
}

async fn roles(session: &Session, verb: &str, matches: &ArgMatches, id: &str) -> Outcome {
    let client = &session.client;
    let place = match matches.get_flag("account") {
        false => "projects/{project}".to_string(),
        true => {
            let found = session.ask(client.get(&format!("{GROUPS}/{}", segment(id)), &[])).await?;
            format!("domains/{}", segment(found["group"]["domain_id"].as_str().unwrap_or_default()))
        }
    };
    let path = format!("/v3/{place}/groups/{}/roles", segment(id));
    if verb == "roles" {
        let answer = session.ask(client.get(&path, &[])).await?;
        return Ok(table(session, ROLE, &answer, "roles"));
    }
    let (name, role) =
        (text(matches, "group").unwrap_or_default(), text(matches, "role").unwrap_or_default());
    let (method, word) = match verb {
        "assign" => (Method::PUT, "has"),
        _ => (Method::DELETE, "no longer has"),
    };
    let answer = send(session, method, &format!("{path}/{}", segment(role)), Body::None).await?;
    let place = super::iam::place(session, matches.get_flag("account"));
    Ok(made(session, &answer, "", &format!("group `{name}` {word} role `{role}` {place}")))
}
