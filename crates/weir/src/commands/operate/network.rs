//! `weir operate network`: the named networks of projects, with which clusters can be connected.
//!
//! Works on the metadata of the service, whether it runs or not.

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_base::ipv4::Ipv4Network;
use weir_control::cluster::{add_network, remove_network};
use weir_store::Store;

use crate::commands::check::output_argument;
use crate::commands::confirm::confirm;
use crate::commands::text::table;
use crate::commands::variable::{metadata, project, subcommand};
use crate::commands::{Exit, Outcome, runtime};
use crate::config::{Settings, resolve};

fn name() -> Arg {
    Arg::new("name").value_name("NAME").required(true).help("Name of the network, unique in the project")
}

pub fn command() -> Command {
    Command::new("network")
        .about("Named networks (VPCs) of a project, with which exclusive clusters can be peered (each command takes the options of `weir serve`, such as --data)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            subcommand("add", "Add a network and print its id, which createPeering takes as vpc_id")
                .arg(name())
                .arg(Arg::new("cidr").value_name("CIDR").required(true).help("Its addresses, such as 192.168.0.0/16")),
        )
        .subcommand(
            subcommand("list", "List the networks").arg(output_argument(&["table", "json"], "table")),
        )
        .subcommand(
            subcommand("remove", "Remove a network with the peerings that lead to it")
                .arg(name())
                .arg(Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Do not ask")),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((command, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str).unwrap_or_default();
    runtime()?.block_on(async {
        let store = metadata(&settings).await?;
        let project = ProjectId(project(&store, &settings).await?.id);
        match command {
            "add" => {
                let cidr: Ipv4Network = text("cidr")
                    .parse()
                    .ok()
                    .with_context(|| format!("`{}` is no network such as 192.168.0.0/16", text("cidr")))?;
                let added = add_network(&store, &project, text("name"), cidr, SystemClock.now()).await;
                println!("{}", added.with_context(|| format!("network `{}` is not added", text("name")))?);
                Ok(())
            }
            "list" => list(&store, &project, text("output") == "json").await,
            _ => remove(&store, &project, text("name"), matches.get_flag("yes")).await,
        }
    })?;
    Ok(Exit::Done)
}

async fn list(store: &Store, project: &ProjectId, as_json: bool) -> anyhow::Result<()> {
    let networks = store.networks(project).await?;
    if as_json {
        let networks: Vec<_> = networks
            .iter()
            .map(|network| json!({ "id": network.id, "name": network.name, "cidr": network.cidr }))
            .collect();
        println!("{}", json!(networks));
        return Ok(());
    }
    let rows: Vec<Vec<String>> =
        networks.into_iter().map(|network| vec![network.id, network.name, network.cidr]).collect();
    print!("{}", table(&["id", "name", "addresses"], &rows));
    Ok(())
}

async fn remove(store: &Store, project: &ProjectId, name: &str, yes: bool) -> anyhow::Result<()> {
    if !store.networks(project).await?.iter().any(|network| network.name == name) {
        bail!("the project has no network `{name}`");
    }
    if !yes && !confirm(&format!("remove network `{name}` with the peerings that lead to it?"))? {
        bail!("nothing was removed");
    }
    match remove_network(store, project, name, SystemClock.now()).await? {
        true => Ok(()),
        false => bail!("the project has no network `{name}`"),
    }
}
