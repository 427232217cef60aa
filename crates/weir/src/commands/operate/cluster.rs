//! `weir operate cluster`: what the operator says and sees of exclusive clusters.
//!
//! Works on the metadata of the service, whether it runs or not. Clusters are made and changed over the API.

use std::path::Path;

use anyhow::bail;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::{ClusterId, ProjectId};
use weir_base::money::Money;
use weir_base::text::{format_timestamp, parse_date};
use weir_base::time::Timestamp;
use weir_control::cluster::{Payment, set_payment, state};
use weir_runtime::namespace_of;
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
                .arg(
                    Arg::new("id")
                        .value_name("ID")
                        .required(true)
                        .value_parser(value_parser!(i64).range(1..))
                        .help("Id of the cluster, as `weir operate cluster list` shows it"),
                )
                .arg(
                    Arg::new("mode")
                        .value_name("MODE")
                        .required(true)
                        .value_parser(MODES.map(|(name, _)| name))
                        .help("How it is paid for"),
                )
                .arg(
                    Arg::new("until")
                        .long("until")
                        .value_name("YYYY-MM-DD")
                        .help("First day (UTC) that is no longer paid for by subscription; without it there is no end"),
                )
                .arg(
                    Arg::new("amount")
                        .long("amount")
                        .value_name("AMOUNT")
                        .requires("until")
                        .value_parser(value_parser!(Money))
                        .help("What the account pays for it now, in the unit of the installation"),
                ),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((command, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    runtime()?.block_on(async {
        let store = metadata(&settings).await?;
        let project = project(&store, &settings).await?;
        let (project, domain) = (ProjectId(project.id), project.domain_id);
        if command == "list" {
            return list(&store, &project, &settings.data, text("output") == Some("json")).await;
        }
        let id = ClusterId(matches.get_one::<i64>("id").copied().unwrap_or_default());
        let mode = MODES.into_iter().find(|(name, _)| text("mode") == Some(*name));
        let mode = mode.map_or(BillingMode::PayPerUse, |(_, mode)| mode);
        let amount = matches.get_one::<Money>("amount").copied();
        if amount.is_some() && settings.billing.is_none() {
            bail!("this installation does not meter (`billing` is off); leave --amount out");
        }
        let now = SystemClock.now();
        let payment = payment(mode, text("until"), amount.map(|amount| (amount, domain)), now)?;
        match set_payment(&store, &project, id, &payment, now).await? {
            true => Ok(()),
            false => {
                bail!("there is no cluster {id}; `weir operate cluster list` shows those of the project")
            }
        }
    })?;
    Ok(Exit::Done)
}

/// Reads how a cluster is to be paid for.
fn payment(
    mode: BillingMode,
    until: Option<&str>,
    paid: Option<(Money, String)>,
    now: Timestamp,
) -> anyhow::Result<Payment> {
    if mode == BillingMode::PayPerUse {
        if until.is_some() {
            bail!("--until is for yearly-monthly; what is paid for by use has no end");
        }
        return Ok(Payment::PerUse);
    }
    if paid.as_ref().is_some_and(|(amount, _)| *amount <= Money::ZERO) {
        bail!("the amount must be more than 0");
    }
    let until = until.map(|text| match parse_date(text) {
        Some(day) => Ok(Timestamp(i64::from(day) * 86_400_000)),
        None => bail!("`{text}` is no day such as 2027-01-31"),
    });
    let until = until.transpose()?;
    if until.is_some_and(|until| until <= now) {
        bail!("--until must be in the future");
    }
    Ok(Payment::Subscription { until, paid })
}

async fn list(store: &Store, project: &ProjectId, data: &Path, as_json: bool) -> anyhow::Result<()> {
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
                    "paid_until": cluster.paid_until,
                    "reason": cluster.facts.reason,
                    "network_namespace": namespace_of(data, cluster.id),
                })
            })
            .collect();
        println!("{}", json!(clusters));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = clusters
        .into_iter()
        .map(|cluster| {
            let namespace = namespace_of(data, cluster.id).unwrap_or_default();
            vec![
                cluster.id.to_string(),
                cluster.name,
                state::status(&cluster.facts).name().to_string(),
                cluster.definition.maximum_spu_quota.to_string(),
                mode(cluster.billing_mode).to_string(),
                cluster.paid_until.map_or_else(String::new, |until| format_timestamp(until.0)),
                namespace,
            ]
        })
        .collect();
    let columns = ["id", "name", "status", "SPUs", "billing", "paid until (UTC)", "network namespace"];
    print!("{}", table(&columns, &rows));
    Ok(())
}
