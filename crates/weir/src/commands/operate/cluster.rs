//! `weir operate cluster`: what the operator says and sees of exclusive clusters.
//!
//! Works on the metadata of the service, whether it runs or not. Clusters are made and changed over the API.

use anyhow::bail;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::{ClusterId, ProjectId};
use weir_control::cluster::{set_billing_mode, state};
use weir_store::{BillingMode, Store};

use crate::commands::check::output_argument;
use crate::commands::text::table;
use crate::commands::variable::{metadata, project, subcommand};
use crate::commands::{Exit, Outcome, runtime};
use crate::config::{Settings, resolve};

/// The names of the ways to pay.
const MODES: [(&str, BillingMode); 2] =
    [("pay-per-use", BillingMode::PayPerUse), ("yearly-monthly", BillingMode::Period)];

pub fn command() -> Command {
    Command::new("cluster")
        .about("Exclusive clusters of a project (each command takes the options of `weir serve`, such as --data)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            subcommand("list", "List the clusters with their size and status")
                .arg(output_argument(&["table", "json"], "table")),
        )
        .subcommand(
            subcommand("billing", "Say how a cluster is paid for; one that is paid for by subscription is neither stopped, deleted nor resized over the API")
                .arg(Arg::new("id").value_name("ID").required(true).value_parser(value_parser!(i64).range(1..)))
                .arg(
                    Arg::new("mode")
                        .value_name("MODE")
                        .required(true)
                        .value_parser(MODES.map(|(name, _)| name))
                        .help("How it is paid for"),
                ),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((command, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    runtime()?.block_on(async {
        let store = metadata(&settings).await?;
        let project = ProjectId(project(&store, &settings.project).await?.id);
        if command == "list" {
            return list(&store, &project, text("output") == Some("json")).await;
        }
        let id = ClusterId(matches.get_one::<i64>("id").copied().unwrap_or_default());
        let mode = MODES.into_iter().find(|(name, _)| text("mode") == Some(*name));
        let mode = mode.map_or(BillingMode::PayPerUse, |(_, mode)| mode);
        match set_billing_mode(&store, &project, id, mode, SystemClock.now()).await? {
            true => Ok(()),
            false => {
                bail!("there is no cluster {id}; `weir operate cluster list` shows those of the project")
            }
        }
    })?;
    Ok(Exit::Done)
}

async fn list(store: &Store, project: &ProjectId, as_json: bool) -> anyhow::Result<()> {
    let clusters = store.clusters(project).await?;
    let mode =
        |mode: BillingMode| MODES.iter().find(|(_, known)| *known == mode).map_or("", |(name, _)| *name);
    if as_json {
        let clusters: Vec<_> = clusters
            .iter()
            .map(|cluster| {
                json!({
                    "id": cluster.id.0,
                    "name": cluster.name,
                    "status": state::status(&cluster.facts).name(),
                    "spus": cluster.definition.maximum_spu_quota,
                    "manager_node_spu": cluster.definition.manager_node_spu,
                    "billing": mode(cluster.billing_mode),
                    "reason": cluster.facts.reason,
                })
            })
            .collect();
        println!("{}", json!(clusters));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = clusters
        .into_iter()
        .map(|cluster| {
            vec![
                cluster.id.to_string(),
                cluster.name,
                state::status(&cluster.facts).name().to_string(),
                cluster.definition.maximum_spu_quota.to_string(),
                mode(cluster.billing_mode).to_string(),
            ]
        })
        .collect();
    print!("{}", table(&["id", "name", "status", "SPUs", "billing"], &rows));
    Ok(())
}
