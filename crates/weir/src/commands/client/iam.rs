//! `weir iam`: users, groups, projects, roles and access keys of a service.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reqwest::Method;
use serde_json::{Map, Value, json};
use weir_client::{Body, segment};
use weir_cloud::identity::ClientCredential;

use super::access::{self, text};
use super::output::{Column, column, lines, rows};
use super::session::{Session, sure, yes};
use super::{family, made};
use crate::commands::{Exit, Failure, Outcome, runtime};

const USERS: &str = "/v3/users";
const PROJECTS: &str = "/v3/projects";
const AGENCY: &str = "/v1.0/{project}/agency";

pub const USER: &[Column] = &[
    column("id", "id"),
    column("name", "name"),
    column("enabled", "enabled"),
    column("default project", "default_project_id"),
    column("description", "description"),
];
const PROJECT: &[Column] = &[
    column("id", "id"),
    column("name", "name"),
    column("enabled", "enabled"),
    column("description", "description"),
];
pub const ROLE: &[Column] = &[column("name", "name"), column("allows", "description")];
const CALLER: &[Column] = &[
    column("service", "endpoint"),
    column("user", "user"),
    column("id", "user_id"),
    column("domain", "domain"),
    column("project", "project"),
    column("roles", "roles"),
    column("access key", "access_key"),
    column("until", "expires_at"),
];

pub fn command() -> Command {
    family("iam", "Users, groups, projects, roles and access keys of a service")
        .subcommand(Command::new("whoami").about("Show who the service takes you for"))
        .subcommand(user_command())
        .subcommand(super::group::command())
        .subcommand(project_command())
        .subcommand(role_command())
        .subcommand(super::key::command())
        .subcommand(agency_command())
}

pub fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

pub fn needed(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).required(true).help(help)
}

pub fn option(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("TEXT").help(help)
}

fn enabled(help: &'static str) -> Arg {
    Arg::new("enabled").long("enabled").value_name("true|false").value_parser(value_parser!(bool)).help(help)
}

fn of_project() -> Arg {
    needed("of-project", "PROJECT", "Id or name of the project")
}

pub fn user() -> Arg {
    needed("user", "USER", "Id or name of the user")
}

fn user_command() -> Command {
    group("user", "Users of the account")
        .subcommand(Command::new("list").about("List the users").arg(option("name", "Only the one with this name")))
        .subcommand(Command::new("show").about("Show a user").arg(user()))
        .subcommand(Command::new("groups").about("List the groups that a user is in").arg(user()))
        .subcommand(
            Command::new("create")
                .about("Create a user and print its id; it can do nothing until it is given a role. Its password comes from WEIR_NEW_PASSWORD, the terminal or standard input")
                .arg(needed("name", "NAME", "Name"))
                .arg(option("description", "Description"))
                .arg(option("default-project", "Id of the project of its requests that name none"))
                .arg(Arg::new("disabled").long("disabled").action(ArgAction::SetTrue).help("It cannot log in")),
        )
        .subcommand(
            Command::new("password")
                .about("Change a password. Your own old one comes from WEIR_OLD_PASSWORD, the new one from WEIR_NEW_PASSWORD; else from the terminal or lines of standard input")
                .arg(user()),
        )
        .subcommand(
            Command::new("update")
                .about("Change a user; what is left out stays")
                .arg(user())
                .arg(option("name", "New name"))
                .arg(option("description", "Description"))
                .arg(option("default-project", "Id of the project of its requests that name none"))
                .arg(enabled(
                    "Whether it can log in; false ends its tokens at once, and its access keys are refused until it is true again",
                )),
        )
        .subcommand(Command::new("delete").about("Delete a user").arg(user()).arg(yes()))
}

fn project_command() -> Command {
    group("project", "Projects of the account")
        .subcommand(Command::new("list").about("List the projects that you may see"))
        .subcommand(
            Command::new("create")
                .about("Create a project and print its id")
                .arg(needed("name", "NAME", "Name"))
                .arg(option("description", "Description")),
        )
        .subcommand(
            Command::new("update")
                .about("Change a project; what is left out stays")
                .arg(of_project())
                .arg(option("name", "New name"))
                .arg(option("description", "Description"))
                .arg(enabled("Whether anybody has a token or key for it; its jobs go on")),
        )
        .subcommand(
            Command::new("delete")
                .about("Delete a project without jobs, clusters, buckets, streams, topics and networks")
                .arg(of_project())
                .arg(yes()),
        )
}

fn role_command() -> Command {
    let scope = || {
        Arg::new("account")
            .long("account")
            .action(ArgAction::SetTrue)
            .help("In the whole account, not only in the project")
    };
    let role = || needed("role", "ROLE", "Name of the role");
    group("role", "Roles, and who has them in the project")
        .subcommand(Command::new("list").about("List the roles and what they allow"))
        .subcommand(Command::new("assigned").about("List the roles of a user").arg(user()).arg(scope()))
        .subcommand(Command::new("assign").about("Give a user a role").arg(user()).arg(role()).arg(scope()))
        .subcommand(
            Command::new("unassign").about("Take a role from a user").arg(user()).arg(role()).arg(scope()),
        )
}

fn agency_command() -> Command {
    group("agency", "What the service itself may use in the project")
        .subcommand(Command::new("show").about("Show the roles of the service"))
        .subcommand(
            Command::new("assign")
                .about("Give the service roles, which it has besides those it has already")
                .arg(needed("role", "ROLE", "Names of roles, such as obs_adm").num_args(1..)),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((noun, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let (verb, matches) = match matches.subcommand() {
        Some((verb, matches)) => (verb, matches),
        None => ("", matches),
    };
    runtime()?.block_on(async {
        let session = Session::open(matches).await?;
        match noun {
            "whoami" => who_am_i(&session).await,
            "user" => users(&session, verb, matches).await,
            "group" => super::group::run(&session, verb, matches).await,
            "project" => projects(&session, verb, matches).await,
            "role" => roles(&session, verb, matches).await,
            "agency" => agency(&session, verb, matches).await,
            _ => super::key::run(&session, verb, matches).await,
        }
    })
}

/// Shows an answer: as JSON, or the records under a member as a table.
pub fn table(session: &Session, columns: &[Column], answer: &Value, member: &str) -> Exit {
    match session.is_json() {
        true => println!("{answer}"),
        false => print!("{}", rows(columns, &answer[member])),
    }
    Exit::Done
}

pub async fn send(session: &Session, method: Method, path: &str, body: Body) -> Result<Value, Failure> {
    session.ask(session.client.call(method, path, &[], body)).await
}

async fn who_am_i(session: &Session) -> Outcome {
    let client = &session.client;
    let project = client.project().map(|project| project.name.clone());
    let caller = match client.credential() {
        ClientCredential::Token(token) => {
            let token = session.ask(client.token(token)).await?;
            let roles = token["roles"].as_array().into_iter().flatten();
            json!({
                "endpoint": client.endpoint(),
                "user": token["user"]["name"],
                "user_id": token["user"]["id"],
                "domain": token["user"]["domain"]["name"],
                "project": project,
                "roles": roles.map(|role| role["name"].clone()).collect::<Vec<_>>(),
                "expires_at": token["expires_at"],
            })
        }
        ClientCredential::Key { access, .. } => {
            let user = own_user(session).await?;
            json!({
                "endpoint": client.endpoint(),
                "user": user.name,
                "user_id": user.id,
                "project": project,
                "access_key": access,
            })
        }
    };
    match session.is_json() {
        true => println!("{caller}"),
        false => print!("{}", lines(CALLER, &caller)),
    }
    Ok(Exit::Done)
}

async fn users(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    match verb {
        "list" => {
            let name = text(matches, "name").map(|name| ("name", name.to_string()));
            let query: Vec<_> = name.into_iter().collect();
            let answer = session.ask(session.client.get(USERS, &query)).await?;
            return Ok(table(session, USER, &answer, "users"));
        }
        "create" => return create_user(session, matches).await,
        _ => {}
    }
    let name = text(matches, "user").unwrap_or_default();
    let id = user_id(session, name).await?;
    let path = format!("{USERS}/{}", segment(&id));
    match verb {
        "show" => {
            let user = session.ask(session.client.get(&path, &[])).await?["user"].take();
            match session.is_json() {
                true => println!("{user}"),
                false => print!("{}", lines(USER, &user)),
            }
            Ok(Exit::Done)
        }
        "groups" => {
            let answer = session.ask(session.client.get(&format!("{path}/groups"), &[])).await?;
            Ok(table(session, super::group::GROUP, &answer, "groups"))
        }
        "update" => {
            let mut change = changes(matches);
            let project = text(matches, "default-project");
            change.extend(project.map(|id| ("default_project_id".to_string(), json!(id))));
            let body = Body::Json(json!({ "user": change }));
            let user = send(session, Method::PATCH, &path, body).await?["user"].take();
            Ok(made(session, &user, "", &format!("user `{name}` changed")))
        }
        "password" => {
            let mut change = Map::new();
            if own_user(session).await?.id == id {
                let old = access::old_password()?;
                change.insert("original_password".to_string(), json!(old.expose()));
            }
            let new = access::secret("WEIR_NEW_PASSWORD", "new password")?;
            change.insert("password".to_string(), json!(new.expose()));
            let body = Body::Json(json!({ "user": change }));
            let answer = send(session, Method::POST, &format!("{path}/password"), body).await?;
            Ok(made(session, &answer, "", "the password is changed"))
        }
        _ => {
            sure(matches, &format!("delete user `{name}`?"))?;
            let answer = send(session, Method::DELETE, &path, Body::None).await?;
            Ok(made(session, &answer, "", &format!("user `{name}` deleted")))
        }
    }
}

/// What the options that users, groups and projects have in common change.
pub fn changes(matches: &ArgMatches) -> Map<String, Value> {
    let texts = ["name", "description"]
        .into_iter()
        .filter_map(|member| Some((member, json!(text(matches, member)?))));
    let enabled = matches.try_get_one::<bool>("enabled").ok().flatten();
    let enabled = enabled.map(|enabled| ("enabled", json!(enabled)));
    texts.chain(enabled).map(|(member, value)| (member.to_string(), value)).collect()
}

async fn create_user(session: &Session, matches: &ArgMatches) -> Outcome {
    let name = text(matches, "name").unwrap_or_default();
    let password = access::secret("WEIR_NEW_PASSWORD", "password of the new user")?;
    let user = json!({
        "name": name,
        "password": password.expose(),
        "description": text(matches, "description"),
        "default_project_id": text(matches, "default-project"),
        "enabled": !matches.get_flag("disabled"),
    });
    let user = send(session, Method::POST, USERS, Body::Json(json!({ "user": user }))).await?["user"].take();
    Ok(made(session, &user, "id", &format!("user `{name}` created")))
}

/// A user as commands name it.
pub struct NamedUser {
    pub id: String,
    pub name: String,
}

/// Returns the user who calls.
pub async fn own_user(session: &Session) -> Result<NamedUser, Failure> {
    let client = &session.client;
    let user = match client.credential() {
        ClientCredential::Token(token) => session.ask(client.token(token)).await?["user"].take(),
        ClientCredential::Key { access, .. } => {
            let key =
                session.ask(client.get(&format!("{}/{}", super::key::KEYS, segment(access)), &[])).await?;
            let id = key["credential"]["user_id"].as_str().unwrap_or_default();
            session.ask(client.get(&format!("{USERS}/{}", segment(id)), &[])).await?["user"].take()
        }
    };
    let member = |name: &str| user[name].as_str().unwrap_or_default().to_string();
    Ok(NamedUser { id: member("id"), name: member("name") })
}

/// Returns the id of a user that is given by its id or its name. Names are looked up by administrators alone; everybody
/// knows their own.
pub async fn user_id(session: &Session, given: &str) -> Result<String, Failure> {
    let own = own_user(session).await?;
    if own.name == given {
        return Ok(own.id);
    }
    session.ask(session.client.user_id(given)).await
}

async fn projects(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    if verb == "list" {
        let answer = session.ask(session.client.get(PROJECTS, &[])).await?;
        return Ok(table(session, PROJECT, &answer, "projects"));
    }
    if verb != "create" {
        return change_project(session, verb, matches).await;
    }
    let name = text(matches, "name").unwrap_or_default();
    let project = json!({ "name": name, "description": text(matches, "description") });
    let body = Body::Json(json!({ "project": project }));
    let project = send(session, Method::POST, PROJECTS, body).await?["project"].take();
    Ok(made(session, &project, "id", &format!("project `{name}` created")))
}

async fn change_project(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    let wanted = text(matches, "of-project").unwrap_or_default();
    let answer = session.ask(session.client.get(PROJECTS, &[])).await?;
    let mut projects = answer["projects"].as_array().into_iter().flatten();
    let found = projects.find(|project| project["id"] == wanted || project["name"] == wanted);
    // The service says what is wrong with one that it does not list.
    let id = found.and_then(|project| project["id"].as_str()).unwrap_or(wanted);
    let path = format!("{PROJECTS}/{}", segment(id));
    if verb == "delete" {
        sure(matches, &format!("delete project `{wanted}`?"))?;
        let answer = send(session, Method::DELETE, &path, Body::None).await?;
        return Ok(made(session, &answer, "", &format!("project `{wanted}` deleted")));
    }
    let body = Body::Json(json!({ "project": changes(matches) }));
    let project = send(session, Method::PATCH, &path, body).await?["project"].take();
    Ok(made(session, &project, "", &format!("project `{wanted}` changed")))
}

async fn roles(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    if verb == "list" {
        let answer = session.ask(session.client.get("/v3/roles", &[])).await?;
        return Ok(table(session, ROLE, &answer, "roles"));
    }
    let name = text(matches, "user").unwrap_or_default();
    let user = session.ask(session.client.user_id(name)).await?;
    let in_account = matches.get_flag("account");
    let path = match in_account {
        false => format!("/v3/projects/{{project}}/users/{user}/roles"),
        true => account_roles(session, &user).await?,
    };
    if verb == "assigned" {
        let answer = session.ask(session.client.get(&path, &[])).await?;
        let exit = table(session, ROLE, &answer, "roles");
        let roles = if in_account { Vec::new() } else { held_in_account(session, &user).await };
        if !roles.is_empty() && !session.is_json() {
            eprintln!("in the whole account: {} (--account shows them)", roles.join(", "));
        }
        return Ok(exit);
    }
    let role = text(matches, "role").unwrap_or_default();
    let (method, word) = match verb {
        "assign" => (Method::PUT, "has"),
        _ => (Method::DELETE, "no longer has"),
    };
    let answer = send(session, method, &format!("{path}/{}", segment(role)), Body::None).await?;
    let mut told = format!("user `{name}` {word} role `{role}` {}", place(session, in_account));
    if verb == "unassign"
        && !in_account
        && held_in_account(session, &user).await.iter().any(|held| held == role)
    {
        told.push_str(
            ", but has it in the whole account; `weir iam role unassign --account` takes that away",
        );
    }
    Ok(made(session, &answer, "", &told))
}

/// Returns where a role holds, in words.
pub fn place(session: &Session, in_account: bool) -> String {
    match session.client.project() {
        Some(project) if !in_account => format!("in project `{}`", project.name),
        _ => "in the whole account".to_string(),
    }
}

/// Returns the path of the roles that a user has in the account.
async fn account_roles(session: &Session, user: &str) -> Result<String, Failure> {
    let found = session.ask(session.client.get(&format!("{USERS}/{user}"), &[])).await?;
    let domain = found["user"]["domain_id"].as_str().unwrap_or_default();
    Ok(format!("/v3/domains/{domain}/users/{user}/roles"))
}

/// Returns the names of the roles that a user has in the account; none where the caller may not see them.
async fn held_in_account(session: &Session, user: &str) -> Vec<String> {
    let Ok(path) = account_roles(session, user).await else { return Vec::new() };
    let Ok(answer) = session.ask(session.client.get(&path, &[])).await else { return Vec::new() };
    let roles = answer["roles"].as_array().into_iter().flatten();
    roles.filter_map(|role| role["name"].as_str().map(str::to_string)).collect()
}

async fn agency(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    if verb == "assign" {
        let roles: Vec<&String> = matches.get_many::<String>("role").into_iter().flatten().collect();
        let body = Body::Json(json!({ "roles": roles }));
        let answer = send(session, Method::POST, AGENCY, body).await?["payload"].take();
        return Ok(made(session, &answer, "", "the service has the roles"));
    }
    let agency = session.ask(session.client.payload(AGENCY, &[])).await?;
    match session.is_json() {
        true => println!("{agency}"),
        false => print!("{}", lines(&[column("roles", "current_roles")], &agency)),
    }
    Ok(Exit::Done)
}
