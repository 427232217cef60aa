//! `weir variable`: global variables of the projects of the service, from the command line.
//!
//! Works on the metadata of the service, whether it runs or not. Values go in and never come out.

use std::io::Read;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_base::text::format_timestamp;
use weir_base::time::Timestamp;
use weir_cloud::identity::{AccountRepository, Project};
use weir_control::ProjectVariables;
use weir_store::{Store, StoredAccounts};

use super::check::output_argument;
use super::confirm::confirm;
use super::{Exit, Outcome, runtime};
use crate::commands::serve::wiring::{database_file, sealer, store};
use crate::commands::text::table;
use crate::config::{Settings, arguments, resolve};

pub(super) fn subcommand(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).args(arguments().into_iter().map(|argument| argument.hide(true))).mut_arg(
        "project",
        |argument| {
            argument.hide(false).help("Project, by its name or id; that of the first start when left out")
        },
    )
}

fn name() -> Arg {
    Arg::new("name").value_name("NAME").required(true).help("Name of the variable")
}

pub fn command() -> Command {
    Command::new("variable")
        .about("Global variables of a project, which jobs name as {{NAME}} in option values (each command takes the options of `weir serve`, such as --data)")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            subcommand("set", "Set a variable; jobs use it from their next start").arg(name()).arg(
                Arg::new("value").value_name("VALUE").allow_hyphen_values(true).help(
                    "Its value; read from standard input when left out, where other users cannot see it",
                ),
            ),
        )
        .subcommand(
            subcommand("list", "List the names of the variables, without their values")
                .arg(output_argument(&["table", "json"], "table")),
        )
        .subcommand(
            subcommand("remove", "Remove a variable; jobs that name it do not start any more")
                .arg(name())
                .arg(Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Do not ask")),
        )
}

pub fn run(matches: &ArgMatches) -> Outcome {
    let Some((command, matches)) = matches.subcommand() else { return Ok(Exit::Refused) };
    let settings = Settings::new(&resolve(matches)?)?;
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let name = || text("name").unwrap_or_default();
    runtime()?.block_on(async {
        let store = metadata(&settings).await?;
        let project = project(&store, &settings).await?;
        let variables = ProjectVariables::new(store, sealer(&settings)?);
        match command {
            "set" => {
                let value = match text("value") {
                    Some(value) => value.to_string(),
                    None => value_from_input()?,
                };
                set(&variables, &project, name(), &value).await
            }
            "list" => list(&variables, &project, text("output") == Some("json")).await,
            _ => remove(&variables, &project, name(), matches.get_flag("yes")).await,
        }
    })?;
    Ok(Exit::Done)
}

/// Opens the metadata of a service that was started before.
pub(super) async fn metadata(settings: &Settings) -> anyhow::Result<Store> {
    if settings.database.is_none() && !database_file(settings).exists() {
        bail!(
            "there is no metadata in `{}`; start `weir serve` there once, or name another directory with --data",
            settings.data.display()
        );
    }
    store(settings).await
}

/// Finds the project of the settings, by its id or its name.
pub(super) async fn project(store: &Store, settings: &Settings) -> anyhow::Result<Project> {
    let wanted = settings.project.as_str();
    let accounts = StoredAccounts::new(store.clone(), sealer(settings)?);
    if let Some(project) = accounts.project(wanted).await? {
        return Ok(project);
    }
    let mut all = Vec::new();
    for domain in accounts.domains().await? {
        let projects = accounts.projects(&domain.id).await?;
        // Each account may have a project of this name: that of the first start is meant.
        if domain.name == settings.domain
            && let Some(project) = projects.iter().find(|project| project.name == wanted)
        {
            return Ok(project.clone());
        }
        all.extend(projects);
    }
    let mut named: Vec<Project> = all.iter().filter(|project| project.name == wanted).cloned().collect();
    match (named.pop(), named.is_empty()) {
        (Some(project), true) => Ok(project),
        (Some(_), false) => bail!("several domains have a project `{wanted}`; name it by its id"),
        (None, _) => {
            let names: Vec<String> = all.iter().map(|project| format!("`{}`", project.name)).collect();
            bail!("there is no project `{wanted}`; there are {}", names.join(", "))
        }
    }
}

/// Reads a value from standard input, without the line break at its end.
fn value_from_input() -> anyhow::Result<String> {
    let mut value = String::new();
    std::io::stdin().read_to_string(&mut value).context("the value cannot be read from standard input")?;
    let value = value.strip_suffix('\n').unwrap_or(&value);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_string())
}

async fn set(variables: &ProjectVariables, project: &Project, name: &str, value: &str) -> anyhow::Result<()> {
    let new = variables.set(&ProjectId(project.id.clone()), name, value, now()).await?;
    let done = if new { "set" } else { "changed" };
    eprintln!("variable `{name}` of project `{}` {done}", project.name);
    Ok(())
}

async fn list(variables: &ProjectVariables, project: &Project, json: bool) -> anyhow::Result<()> {
    let listed = variables.list(&ProjectId(project.id.clone())).await?;
    if json {
        let listed: Vec<_> =
            listed.iter().map(|(name, at)| json!({ "name": name, "updated_at": at.0 })).collect();
        println!("{}", json!(listed));
        return Ok(());
    }
    let rows: Vec<Vec<String>> =
        listed.into_iter().map(|(name, at)| vec![name, format_timestamp(at.0)]).collect();
    print!("{}", table(&["name", "set (UTC)"], &rows));
    Ok(())
}

async fn remove(
    variables: &ProjectVariables,
    project: &Project,
    name: &str,
    yes: bool,
) -> anyhow::Result<()> {
    let id = ProjectId(project.id.clone());
    if !variables.list(&id).await?.iter().any(|(known, _)| known == name) {
        bail!("project `{}` has no variable `{name}`", project.name);
    }
    if !yes && !confirm(&format!("remove variable `{name}` of project `{}`?", project.name))? {
        bail!("nothing was removed");
    }
    match variables.remove(&id, name, now()).await? {
        true => Ok(()),
        false => bail!("project `{}` has no variable `{name}`", project.name),
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}
