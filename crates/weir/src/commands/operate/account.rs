//! `weir operate account`: what the operator knows of the accounts of the service, from the command line.
//!
//! Works on the metadata of the service, whether it runs or not; a running service follows at once.

use std::sync::Arc;

use anyhow::bail;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;
use weir_base::audit::{AuditRecord, Change};
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_base::money::Money;
use weir_cloud::identity::{AccountRepository, AgencyRepository, BootstrapOptions, Domain, Identity};
use weir_control::billing::{of_operated_account, operator_top_up};
use weir_store::{Store, StoredAccounts};

use crate::commands::check::output_argument;
use crate::commands::serve::wiring::{identity_options, sealer};
use crate::commands::text::table;
use crate::commands::variable::metadata;
use crate::commands::{Exit, Outcome, runtime};
use crate::config::{Settings, arguments, resolve};

fn subcommand(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).args(arguments().into_iter().map(|argument| argument.hide(true)))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("true|false").value_parser(value_parser!(bool)).help(help)
}

pub fn command() -> Command {
    Command::new("account")
        .about("What is known of accounts as customers (each command takes the options of `weir serve`, such as --data)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            subcommand("list", "List the accounts").arg(output_argument(&["table", "json"], "table")),
        )
        .subcommand(
            subcommand(
                "create",
                "Make an account with an administrator, a project named like the region and the service's agency, and print them. \
                 The password comes from WEIR_NEW_PASSWORD; without it one is generated and shown this once",
            )
            .arg(Arg::new("name").value_name("NAME").required(true).help("Name of the account"))
            .arg(
                Arg::new("administrator")
                    .long("administrator")
                    .value_name("USER")
                    .default_value("admin")
                    .help("Name of its first administrator"),
            )
            .arg(output_argument(&["table", "json"], "table")),
        )
        .subcommand(
            subcommand("top-up", "Add to the balance of an account; what was stopped for arrears runs again")
                .arg(Arg::new("name").value_name("NAME").required(true).help("Name of the account"))
                .arg(
                    Arg::new("amount")
                        .value_name("AMOUNT")
                        .required(true)
                        .value_parser(value_parser!(Money))
                        .help("Amount, in the unit of the installation"),
                ),
        )
        .subcommand(
            subcommand("set", "Say what is known of an account")
                .arg(Arg::new("name").value_name("NAME").required(true).help("Name of the account"))
                .arg(flag(
                    "real-name-verified",
                    "Whether its owner's real name was verified; without it no jobs and clusters are made (CS.10016)",
                ))
                .arg(flag(
                    "restricted",
                    "Whether it may start nothing: its jobs and clusters are not run (CS.10014)",
                )),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((command, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    runtime()?.block_on(async {
        let store = metadata(&settings).await?;
        let accounts = StoredAccounts::new(store.clone(), sealer(&settings)?);
        match command {
            "list" => {
                let json = matches.get_one::<String>("output").is_some_and(|output| output == "json");
                list(&store, &accounts, json).await
            }
            "create" => create(&store, &settings, accounts, matches).await,
            "top-up" => top_up(&store, &accounts, matches).await,
            _ => set(&accounts, matches).await,
        }
    })?;
    Ok(Exit::Done)
}

async fn list(store: &Store, accounts: &StoredAccounts, json: bool) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for domain in accounts.domains().await? {
        rows.push((accounts.standing(&domain.id).await?, store.balance(&domain.id).await?, domain));
    }
    if json {
        let listed: Vec<_> = rows
            .iter()
            .map(|(standing, balance, domain)| {
                json!({
                    "id": domain.id, "name": domain.name,
                    "real_name_verified": standing.real_name_verified, "restricted": standing.restricted,
                    "balance": balance.to_string(),
                })
            })
            .collect();
        println!("{}", json!(listed));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(standing, balance, domain)| {
            let flags = [standing.real_name_verified, standing.restricted].map(|flag| flag.to_string());
            let [verified, restricted] = flags;
            vec![domain.name, verified, restricted, balance.to_string()]
        })
        .collect();
    print!("{}", table(&["name", "real name verified", "restricted", "balance"], &rows));
    Ok(())
}

async fn create(
    store: &Store,
    settings: &Settings,
    accounts: StoredAccounts,
    matches: &ArgMatches,
) -> anyhow::Result<()> {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let identity = Identity::new(Arc::new(accounts), Arc::new(SystemClock), identity_options(settings)?);
    let made = identity
        .create_account(BootstrapOptions {
            domain: text("name"),
            // That of the region.
            project: String::new(),
            user: text("administrator"),
            password: std::env::var("WEIR_NEW_PASSWORD").ok().filter(|password| !password.is_empty()),
            region: settings.region.clone(),
        })
        .await?;
    let change = Change { service: "IAM", resource_type: "account", event: "createAccount" };
    let record = AuditRecord::of_operator(&ProjectId(made.project_id.clone()), change, SystemClock.now());
    store.write_audit(&record.about(&made.domain_id, &text("name"))).await?;
    let lines = [
        ("account", Some(text("name"))),
        ("account id", Some(made.domain_id)),
        ("project", Some(settings.region.clone())),
        ("project id", Some(made.project_id)),
        ("user", Some(text("administrator"))),
        ("user id", Some(made.user_id)),
        ("password", made.password),
    ];
    let lines = lines.into_iter().filter_map(|(name, value)| Some((name, value?)));
    if matches.get_one::<String>("output").is_some_and(|output| output == "json") {
        let members = lines.map(|(name, value)| (name.replace(' ', "_"), json!(value)));
        println!("{}", serde_json::Value::Object(members.collect()));
        return Ok(());
    }
    lines.for_each(|(name, value)| println!("{name:<10}  {value}"));
    Ok(())
}

async fn top_up(store: &Store, accounts: &StoredAccounts, matches: &ArgMatches) -> anyhow::Result<()> {
    let amount = matches.get_one::<Money>("amount").copied().unwrap_or_default();
    if amount <= Money::ZERO {
        bail!("the amount must be more than 0");
    }
    let domain = find(accounts, matches).await?;
    let projects = projects_of(accounts, &domain).await?;
    let balance = operator_top_up(store, &domain.id, amount, &projects, SystemClock.now()).await?;
    eprintln!("the balance of account `{}` is {balance}", domain.name);
    Ok(())
}

async fn set(accounts: &StoredAccounts, matches: &ArgMatches) -> anyhow::Result<()> {
    let (verified, restricted) =
        (matches.get_one::<bool>("real-name-verified"), matches.get_one::<bool>("restricted"));
    if verified.is_none() && restricted.is_none() {
        bail!("say what to set: --real-name-verified or --restricted");
    }
    let domain = find(accounts, matches).await?;
    let mut standing = accounts.standing(&domain.id).await?;
    standing.real_name_verified = verified.copied().unwrap_or(standing.real_name_verified);
    standing.restricted = restricted.copied().unwrap_or(standing.restricted);
    let projects = projects_of(accounts, &domain).await?;
    let audit = of_operated_account(&domain.id, "setAccount", &projects, SystemClock.now());
    accounts.set_standing(&domain.id, standing, &audit).await?;
    eprintln!("account `{}` changed", domain.name);
    Ok(())
}

/// Returns the projects of an account, where what is said of it is on record.
async fn projects_of(accounts: &StoredAccounts, domain: &Domain) -> anyhow::Result<Vec<ProjectId>> {
    let projects = accounts.projects(&domain.id).await?;
    Ok(projects.into_iter().map(|project| ProjectId(project.id)).collect())
}

/// Finds the account that is named.
async fn find(accounts: &StoredAccounts, matches: &ArgMatches) -> anyhow::Result<Domain> {
    let name = matches.get_one::<String>("name").map(String::as_str).unwrap_or_default();
    let domains = accounts.domains().await?;
    let names: Vec<String> = domains.iter().map(|domain| format!("`{}`", domain.name)).collect();
    match domains.into_iter().find(|domain| domain.name == name) {
        Some(domain) => Ok(domain),
        None => bail!("there is no account `{name}`; there are {}", names.join(", ")),
    }
}
