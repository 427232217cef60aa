//! `weir topic`: topics of the notification service, who has subscribed to them, and templates of messages.

use anyhow::{Context, anyhow};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use reqwest::Method;
use serde_json::{Map, Value, json};
use weir_client::{Body, segment};

use super::access::text;
use super::input::argument_or_input;
use super::output::{Column, column, lines, rows};
use super::session::{Session, sure, yes};
use super::{family, made, watch};
use crate::commands::{Exit, Failure, Outcome, runtime};

const TOPICS: &str = "/v2/{project}/notifications/topics";
const SUBSCRIPTIONS: &str = "/v2/{project}/notifications/subscriptions";
const TEMPLATES: &str = "/v2/{project}/notifications/message_template";

/// Longest message that the service takes.
const MESSAGE_BYTES: usize = 256 * 1024;

const TOPIC: &[Column] = &[
    column("name", "name"),
    column("display name", "display_name"),
    column("created", "create_time"),
    column("URN", "topic_urn"),
];
const SHOWN_TOPIC: &[Column] = &[
    column("name", "name"),
    column("display name", "display_name"),
    column("introduction", "introduction"),
    column("created", "create_time"),
    column("URN", "topic_urn"),
];
const SUBSCRIPTION: &[Column] = &[
    column("protocol", "protocol"),
    column("endpoint", "endpoint"),
    column("status", "status"),
    column("remark", "remark"),
    column("URN", "subscription_urn"),
];
const DELIVERY: &[Column] = &[
    column("at", "time"),
    column("kind", "type"),
    column("protocol", "protocol"),
    column("endpoint", "endpoint"),
    column("state", "state"),
    column("tries", "attempts"),
    column("reason", "reason"),
    column("message", "message_id"),
];
const TEMPLATE: &[Column] = &[
    column("id", "message_template_id"),
    column("name", "message_template_name"),
    column("protocol", "protocol"),
    column("tags", "tag_names"),
    column("changed", "update_time"),
    column("content", "content"),
];

pub fn command() -> Command {
    let option =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("TEXT").help(help);
    let needed = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).required(true).help(help)
    };
    let topic = || needed("topic", "TOPIC", "Name or URN of the topic");
    family("topic", "Topics of a service, which tell their subscribers what is published")
        .subcommand(
            Command::new("list")
                .about("List topics")
                .arg(option("name", "Only topics with this in their name"))
                .args(paging()),
        )
        .subcommand(Command::new("show").about("Show a topic").arg(topic()))
        .subcommand(
            Command::new("create")
                .about("Create a topic and print its URN")
                .arg(needed("name", "NAME", "Name, unique in the project"))
                .arg(option("display-name", "Who mails of the topic come from")),
        )
        .subcommand(
            Command::new("update")
                .about("Change how mails of a topic name it, or what the topic is for")
                .arg(topic())
                .arg(option("display-name", "Who mails of the topic come from"))
                .arg(option("introduction", "What the topic is for; an empty text takes it away"))
                .group(ArgGroup::new("change").args(["display-name", "introduction"]).required(true).multiple(true)),
        )
        .subcommand(
            Command::new("delete").about("Delete a topic and its subscriptions").arg(topic()).arg(yes()),
        )
        .subcommand(
            Command::new("subscribe")
                .about("Subscribe an address to a topic; it is sent a link that confirms it")
                .arg(topic())
                .arg(needed("protocol", "PROTOCOL", "How it is reached: http, https or email"))
                .arg(needed("address", "ADDRESS", "URL of the webhook, or mail address"))
                .arg(option("remark", "What it is"))
                .arg(
                    option("header", "Header of the requests to a webhook")
                        .value_name("NAME=VALUE")
                        .action(ArgAction::Append),
                ),
        )
        .subcommand(
            Command::new("subscriptions")
                .about("List subscriptions, those of a topic or all")
                .arg(Arg::new("topic").value_name("TOPIC").help("Name or URN of a topic"))
                .args(paging()),
        )
        .subcommand(
            Command::new("remark")
                .about("Change what is remarked about a subscription")
                .arg(needed("subscription", "URN", "URN of the subscription"))
                .arg(needed("remark", "TEXT", "What it is")),
        )
        .subcommand(
            Command::new("unsubscribe")
                .about("Delete a subscription")
                .arg(needed("subscription", "URN", "URN of the subscription"))
                .arg(yes()),
        )
        .subcommand(
            Command::new("deliveries")
                .about("Show what became of the newest messages of a topic, for each subscriber")
                .arg(topic())
                .arg(
                    Arg::new("limit")
                        .long("limit")
                        .value_name("NUMBER")
                        .value_parser(value_parser!(u32).range(1..=100))
                        .help("How many to show, at most 100 [default: 100]"),
                )
                .arg(watch::argument()),
        )
        .subcommand(
            Command::new("publish")
                .about("Publish a message to the subscribers of a topic and print its id")
                .arg(topic())
                .arg(
                    Arg::new("message")
                        .value_name("MESSAGE")
                        .help("The message; standard input when left out"),
                )
                .arg(option("subject", "Subject of mails"))
                .arg(
                    Arg::new("by-protocol")
                        .long("by-protocol")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("template")
                        .help("The message is JSON with a text for each protocol, such as {\"default\": \"...\", \"email\": \"...\"}"),
                )
                .arg(
                    option("template", "Name of a template that makes the message").conflicts_with("message"),
                )
                .arg(
                    Arg::new("tag")
                        .long("tag")
                        .value_name("NAME=VALUE")
                        .action(ArgAction::Append)
                        .requires("template")
                        // Without this, a message would excuse the template that is missing.
                        .conflicts_with("message")
                        .help("Value of a tag of the template"),
                )
                .arg(
                    Arg::new("time-to-live")
                        .long("time-to-live")
                        .value_name("SECONDS")
                        .value_parser(value_parser!(u32))
                        .help("How long delivery is tried"),
                ),
        )
        .subcommand(template_command())
}

fn template_command() -> Command {
    let id = || Arg::new("id").value_name("ID").required(true).help("Id of the template");
    let content = || {
        Arg::new("content")
            .value_name("CONTENT")
            .help("Its text, with tags such as {job}; standard input when left out")
    };
    Command::new("template")
        .about("Templates of messages")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("list").about("List templates").args(paging()))
        .subcommand(Command::new("show").about("Show a template").arg(id()))
        .subcommand(
            Command::new("create")
                .about("Create a template and print its id")
                .arg(Arg::new("name").value_name("NAME").required(true).help("Name"))
                .arg(content())
                .arg(
                    Arg::new("protocol")
                        .long("protocol")
                        .default_value("default")
                        .value_name("PROTOCOL")
                        .help("Subscribers that it is for; default is those that have none of their own"),
                ),
        )
        .subcommand(Command::new("update").about("Change the text of a template").arg(id()).arg(content()))
        .subcommand(Command::new("delete").about("Delete a template").arg(id()).arg(yes()))
}

fn paging() -> [Arg; 2] {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("NUMBER").value_parser(value_parser!(u32)).help(help)
    };
    [
        number("offset", "How many to leave out"),
        number("limit", "How many to show, at most 100 [default: 100]")
            .value_parser(value_parser!(u32).range(1..=100)),
    ]
}

fn page(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let number = |name: &'static str| matches.get_one::<u32>(name).map(|number| (name, number.to_string()));
    ["offset", "limit"].into_iter().filter_map(number).collect()
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    runtime()?.block_on(async {
        match verb {
            "list" | "show" | "create" | "update" | "delete" => topics(verb, matches).await,
            "subscribe" | "subscriptions" | "remark" | "unsubscribe" => subscriptions(verb, matches).await,
            "deliveries" => deliveries(&Session::open(matches).await?, matches).await,
            "publish" => publish(&Session::open(matches).await?, matches).await,
            _ => templates(matches).await,
        }
    })
}

async fn topics(verb: &str, matches: &ArgMatches) -> Outcome {
    let session = Session::open(matches).await?;
    let client = &session.client;
    if verb == "list" {
        let mut query = page(matches);
        query.extend(text(matches, "name").map(|name| ("fuzzy_name", name.to_string())));
        let answer = session.ask(client.get(TOPICS, &query)).await?;
        return Ok(list(&session, matches, TOPIC, &answer, ("topics", "topic_count")));
    }
    if verb == "create" {
        let name = text(matches, "name").unwrap_or_default();
        let mut body = json!({ "name": name });
        if let Some(display_name) = text(matches, "display-name") {
            body["display_name"] = json!(display_name);
        }
        // The service makes it once, and answers alike ever after.
        let is_there = session.ask(client.topic_urn(name)).await.is_ok();
        let answer = session.ask(client.call(Method::POST, TOPICS, &[], Body::Json(body))).await?;
        let word = if is_there { "was there already; nothing is changed" } else { "created" };
        return Ok(made(&session, &answer, "topic_urn", &format!("topic `{name}` {word}")));
    }
    let name = text(matches, "topic").unwrap_or_default();
    let path = topic_path(&session, name).await?;
    match verb {
        "show" => {
            let mut topic = session.ask(client.get(&path, &[])).await?;
            // The service tells it apart.
            let mut told = session.ask(client.get(&format!("{path}/attributes"), &[])).await?;
            topic["introduction"] = told["attributes"]["introduction"].take();
            match session.is_json() {
                true => println!("{topic}"),
                false => print!("{}", lines(SHOWN_TOPIC, &topic)),
            }
            Ok(Exit::Done)
        }
        "update" => {
            let mut answer = Value::Null;
            if let Some(display_name) = text(matches, "display-name") {
                let body = Body::Json(json!({ "display_name": display_name }));
                answer = session.ask(client.call(Method::PUT, &path, &[], body)).await?;
            }
            if let Some(introduction) = text(matches, "introduction") {
                let (path, body) =
                    (format!("{path}/attributes/introduction"), json!({ "value": introduction }));
                answer = session.ask(client.call(Method::PUT, &path, &[], Body::Json(body))).await?;
            }
            Ok(made(&session, &answer, "", &format!("topic `{name}` changed")))
        }
        _ => {
            sure(matches, &format!("delete topic `{name}` and its subscriptions?"))?;
            let answer = session.ask(client.call(Method::DELETE, &path, &[], Body::None)).await?;
            Ok(made(&session, &answer, "", &format!("topic `{name}` deleted")))
        }
    }
}

async fn topic_path(session: &Session, topic: &str) -> Result<String, Failure> {
    let urn = session.ask(session.client.topic_urn(topic)).await?;
    Ok(format!("{TOPICS}/{}", segment(&urn)))
}

/// Shows a page of a list; says on standard error when there is more. `count` is the member that says how many there are.
fn list(
    session: &Session,
    matches: &ArgMatches,
    columns: &[Column],
    answer: &Value,
    (member, count): (&str, &str),
) -> Exit {
    if session.is_json() {
        println!("{answer}");
        return Exit::Done;
    }
    let before = matches.get_one::<u32>("offset").copied().unwrap_or(0) as usize;
    let shown = answer[member].as_array().map_or(0, Vec::len);
    let total = answer[count].as_u64().unwrap_or(0);
    if shown > 0 && total > (before + shown) as u64 {
        eprintln!("{shown} of {total}; --offset {} shows those behind", before + shown);
    }
    print!("{}", rows(columns, &answer[member]));
    Exit::Done
}

async fn subscriptions(verb: &str, matches: &ArgMatches) -> Outcome {
    let session = Session::open(matches).await?;
    let client = &session.client;
    let topic = match text(matches, "topic") {
        Some(topic) => Some(topic_path(&session, topic).await?),
        None => None,
    };
    let path = topic.map_or_else(|| SUBSCRIPTIONS.to_string(), |topic| format!("{topic}/subscriptions"));
    match verb {
        "subscribe" => {
            let address = text(matches, "address").unwrap_or_default();
            let mut body = json!({ "protocol": text(matches, "protocol"), "endpoint": address });
            if let Some(remark) = text(matches, "remark") {
                body["remark"] = json!(remark);
            }
            if matches.contains_id("header") {
                body["extension"] = json!({ "header": pairs(matches, "header")? });
            }
            let answer = session.ask(client.call(Method::POST, &path, &[], Body::Json(body))).await?;
            let word = format!("{address} is asked to confirm its subscription");
            Ok(made(&session, &answer, "subscription_urn", &word))
        }
        "subscriptions" => {
            let mut answer = session.ask(client.get(&path, &page(matches))).await?;
            if !session.is_json() {
                name_statuses(&mut answer);
            }
            Ok(list(&session, matches, SUBSCRIPTION, &answer, ("subscriptions", "subscription_count")))
        }
        "remark" => {
            let urn = text(matches, "subscription").unwrap_or_default();
            // It is that of its topic with one more part.
            let topic = urn.rsplit_once(':').map_or(urn, |(topic, _)| topic);
            let path = format!("{TOPICS}/{}/subscriptions/{}", segment(topic), segment(urn));
            let body = Body::Json(json!({ "remark": text(matches, "remark") }));
            let answer = session.ask(client.call(Method::PUT, &path, &[], body)).await?;
            Ok(made(&session, &answer, "", "the subscription is changed"))
        }
        _ => {
            let urn = text(matches, "subscription").unwrap_or_default();
            sure(matches, &format!("delete subscription {urn}?"))?;
            let path = format!("{SUBSCRIPTIONS}/{}", segment(urn));
            let answer = session.ask(client.call(Method::DELETE, &path, &[], Body::None)).await?;
            Ok(made(&session, &answer, "", "the subscription is deleted"))
        }
    }
}

/// Puts words in the place of the numbers of statuses.
fn name_statuses(answer: &mut Value) {
    for subscription in answer["subscriptions"].as_array_mut().into_iter().flatten() {
        let word = match subscription["status"].as_i64() {
            Some(0) => "unconfirmed",
            Some(1) => "confirmed",
            Some(3) => "cancelled",
            _ => continue,
        };
        subscription["status"] = json!(word);
    }
}

async fn deliveries(session: &Session, matches: &ArgMatches) -> Outcome {
    let path = topic_path(session, text(matches, "topic").unwrap_or_default()).await?;
    let limit = matches.get_one::<u32>("limit").map(|number| ("limit", number.to_string()));
    let query: Vec<_> = limit.into_iter().collect();
    watch::show(matches, async || {
        let answer = session.ask(session.client.get(&format!("{path}/deliveries"), &query)).await?;
        Ok(if session.is_json() { format!("{answer}\n") } else { rows(DELIVERY, &answer["deliveries"]) })
    })
    .await
}

async fn publish(session: &Session, matches: &ArgMatches) -> Outcome {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        body.extend(value.map(|value| (name.to_string(), value)));
    };
    put("subject", text(matches, "subject").map(Value::from));
    put("time_to_live", matches.get_one::<u32>("time-to-live").map(|seconds| json!(seconds.to_string())));
    match text(matches, "template") {
        Some(template) => {
            put("message_template_name", Some(json!(template)));
            put("tags", Some(pairs(matches, "tag")?));
        }
        None => {
            let member = if matches.get_flag("by-protocol") { "message_structure" } else { "message" };
            let message = argument_or_input(matches, "message")?;
            if message.len() > MESSAGE_BYTES {
                let length = message.len();
                return Err(
                    anyhow!("the message has {length} bytes; a topic takes at most {MESSAGE_BYTES}").into()
                );
            }
            put(member, Some(json!(message)));
        }
    }
    let topic = text(matches, "topic").unwrap_or_default();
    let path = format!("{}/publish", topic_path(session, topic).await?);
    let answer = session.ask(session.client.call(Method::POST, &path, &[], Body::Json(body.into()))).await?;
    Ok(made(session, &answer, "message_id", &format!("published to topic `{topic}`")))
}

/// Reads an option that is given as often as there are names with values.
fn pairs(matches: &ArgMatches, option: &str) -> anyhow::Result<Value> {
    let mut pairs = Map::new();
    for pair in matches.get_many::<String>(option).into_iter().flatten() {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("--{option} `{pair}` must be NAME=VALUE"))?;
        pairs.insert(name.to_string(), json!(value));
    }
    Ok(pairs.into())
}

async fn templates(matches: &ArgMatches) -> Outcome {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let session = Session::open(matches).await?;
    let client = &session.client;
    let path = match text(matches, "id") {
        Some(id) => format!("{TEMPLATES}/{}", segment(id)),
        None => TEMPLATES.to_string(),
    };
    match verb {
        "list" => {
            let answer = session.ask(client.get(&path, &page(matches))).await?;
            // A list does not tell the texts.
            let (columns, members) =
                (&TEMPLATE[..TEMPLATE.len() - 1], ("message_templates", "message_template_count"));
            Ok(list(&session, matches, columns, &answer, members))
        }
        "show" => {
            let template = session.ask(client.get(&path, &[])).await?;
            match session.is_json() {
                true => println!("{template}"),
                false => print!("{}", lines(TEMPLATE, &template)),
            }
            Ok(Exit::Done)
        }
        "create" => {
            let name = text(matches, "name").unwrap_or_default();
            let body = json!({
                "message_template_name": name,
                "protocol": text(matches, "protocol"),
                "content": argument_or_input(matches, "content")?,
            });
            let answer = session.ask(client.call(Method::POST, &path, &[], Body::Json(body))).await?;
            Ok(made(&session, &answer, "message_template_id", &format!("template `{name}` created")))
        }
        "update" => {
            let body = Body::Json(json!({ "content": argument_or_input(matches, "content")? }));
            let answer = session.ask(client.call(Method::PUT, &path, &[], body)).await?;
            Ok(made(&session, &answer, "", "the template is changed"))
        }
        _ => {
            sure(matches, "delete the template?")?;
            let answer = session.ask(client.call(Method::DELETE, &path, &[], Body::None)).await?;
            Ok(made(&session, &answer, "", "the template is deleted"))
        }
    }
}
