//! `weir operate tracker`: whether the users of a project can read its audit.
//!
//! Works on the metadata of the service, whether it runs or not; a running service follows at once. The audit is written
//! in any case.

use clap::{ArgMatches, Command};
use serde_json::json;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_cloud::identity::AccountRepository;
use weir_control::switch_tracker;
use weir_store::{Store, StoredAccounts};

use crate::commands::check::output_argument;
use crate::commands::serve::wiring::sealer;
use crate::commands::text::table;
use crate::commands::variable::{metadata, project, subcommand};
use crate::commands::{Exit, Outcome, runtime};
use crate::config::{Settings, arguments, resolve};

pub fn command() -> Command {
    let list = Command::new("list")
        .about("List the projects, and whether their users can read the audit")
        .args(arguments().into_iter().map(|argument| argument.hide(true)));
    Command::new("tracker")
        .about("Whether the users of a project can read its audit, which is written in any case (each command takes the options of `weir serve`, such as --data)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(subcommand("on", "Let the users of a project read its audit, as they can at first"))
        .subcommand(subcommand("off", "Let nobody of a project read its audit (CS.24003)"))
        .subcommand(list.arg(output_argument(&["table", "json"], "table")))
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((command, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    runtime()?.block_on(async {
        let store = metadata(&settings).await?;
        if command == "list" {
            let json = matches.get_one::<String>("output").is_some_and(|output| output == "json");
            return list(&store, &settings, json).await;
        }
        let project = project(&store, &settings).await?;
        switch_tracker(&store, &ProjectId(project.id), command == "on", SystemClock.now()).await?;
        eprintln!("the tracker of project `{}` is {command}", project.name);
        Ok(())
    })?;
    Ok(Exit::Done)
}

async fn list(store: &Store, settings: &Settings, as_json: bool) -> anyhow::Result<()> {
    let accounts = StoredAccounts::new(store.clone(), sealer(settings)?);
    let off = store.projects_without_tracker().await?;
    let mut listed = Vec::new();
    for domain in accounts.domains().await? {
        for project in accounts.projects(&domain.id).await? {
            let tracker = if off.contains(&ProjectId(project.id.clone())) { "off" } else { "on" };
            listed.push((project.name, project.id, tracker));
        }
    }
    if as_json {
        let listed: Vec<_> = listed
            .iter()
            .map(|(name, id, tracker)| json!({ "id": id, "name": name, "tracker": tracker }))
            .collect();
        println!("{}", json!(listed));
        return Ok(());
    }
    let rows: Vec<Vec<String>> =
        listed.into_iter().map(|(name, id, tracker)| vec![name, id, tracker.to_string()]).collect();
    print!("{}", table(&["project", "project id", "tracker"], &rows));
    Ok(())
}
