//! `weir iam key`: access keys, with which programs sign their requests.

use clap::{Arg, ArgMatches, Command};
use reqwest::Method;
use serde_json::{Map, json};
use weir_client::{Body, ClientError, segment};

use super::access::text;
use super::iam::{group, needed, option, send, table, user_id};
use super::made;
use super::output::{Column, column, lines};
use super::session::{Session, sure, yes};
use crate::commands::{Exit, Outcome};

pub const KEYS: &str = "/v3.0/OS-CREDENTIAL/credentials";
/// What the service says when a user has all keys that one may have.
const TOO_MANY_KEYS: &str = "akSkNumExceed";

const KEY: &[Column] = &[
    column("access key", "access"),
    column("status", "status"),
    column("created", "create_time"),
    column("last used", "last_use_time"),
    column("description", "description"),
];

pub fn command() -> Command {
    let of = || option("user", "Id or name of the user; you, when left out").value_name("USER");
    let key = || needed("key", "KEY", "The access key");
    group("key", "Access keys, with which programs sign their requests")
        .subcommand(Command::new("list").about("List access keys").arg(of()))
        .subcommand(
            Command::new("create")
                .about("Make an access key and print it with its secret key, which is shown this once")
                .arg(of())
                .arg(option("description", "What it is for")),
        )
        .subcommand(
            Command::new("update")
                .about("Change an access key")
                .arg(key())
                .arg(
                    Arg::new("status")
                        .long("status")
                        .value_parser(["active", "inactive"])
                        .help("Whether it is good"),
                )
                .arg(option("description", "What it is for")),
        )
        .subcommand(Command::new("delete").about("Delete an access key").arg(key()).arg(yes()))
}

pub async fn run(session: &Session, verb: &str, matches: &ArgMatches) -> Outcome {
    let key = text(matches, "key").unwrap_or_default();
    let path = format!("{KEYS}/{}", segment(key));
    let user = match text(matches, "user") {
        Some(user) => Some(user_id(session, user).await?),
        None => None,
    };
    match verb {
        "list" => {
            let query: Vec<_> = user.map(|user| ("user_id", user)).into_iter().collect();
            let answer = session.ask(session.client.get(KEYS, &query)).await?;
            Ok(table(session, KEY, &answer, "credentials"))
        }
        "create" => {
            let credential = json!({ "user_id": user, "description": text(matches, "description") });
            let body = Body::Json(json!({ "credential": credential }));
            let call = async {
                session.client.call(Method::POST, KEYS, &[], body).await.map_err(told_of_too_many_keys)
            };
            let key = session.ask(call).await?["credential"].take();
            match session.is_json() {
                true => println!("{key}"),
                false => print!(
                    "{}",
                    lines(&[column("access key", "access"), column("secret key", "secret")], &key)
                ),
            }
            Ok(Exit::Done)
        }
        "update" => {
            let mut change = Map::new();
            for member in ["status", "description"] {
                change.extend(text(matches, member).map(|value| (member.to_string(), json!(value))));
            }
            let body = Body::Json(json!({ "credential": change }));
            let answer = send(session, Method::PUT, &path, body).await?["credential"].take();
            Ok(made(session, &answer, "", &format!("access key {key} changed")))
        }
        _ => {
            sure(matches, &format!("delete access key {key}?"))?;
            let answer = send(session, Method::DELETE, &path, Body::None).await?;
            Ok(made(session, &answer, "", &format!("access key {key} deleted")))
        }
    }
}

/// Says in words what the service says by a word of its contract.
fn told_of_too_many_keys(error: ClientError) -> ClientError {
    match error {
        ClientError::Refused(refusal) if refusal.cause == TOO_MANY_KEYS => ClientError::Given(
            "a user has at most two access keys; `weir iam key list` shows them, `weir iam key delete` makes room".to_string(),
        ),
        error => error,
    }
}
