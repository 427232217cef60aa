//! Makes `docs/reference/commands.md`: every command with its arguments.

use clap::{Arg, Command};

use crate::config::OPTIONS;

const HEAD: &str = "\
# Commands

Every command of `weir` with its arguments, made from the commands themselves. `weir COMMAND --help` shows the same. The guide
to the commands that call a service is [docs/cli.md](../cli.md).

Those of `job`, `topic`, `iam` and the like also take `--endpoint`, `--project`, `--profile` and `--output`. Those that
work on the data directory take the options of `weir serve`.
";

/// The heading of the arguments that all commands of a family have.
const SHARED: &str = "Service";

fn page() -> String {
    let mut root = super::command();
    root.build();
    let mut page = HEAD.to_string();
    for command in root.get_subcommands().filter(|command| is_shown(command)) {
        page.push_str(&format!("\n## weir {}\n\n{}\n", command.get_name(), about(command)));
        describe(&mut page, command, &format!("weir {}", command.get_name()));
    }
    page.push_str("\n## Exit codes\n\n| Code | Meaning |\n|---|---|\n");
    for line in super::EXIT_CODES.lines().skip(1) {
        let (code, meaning) =
            line.trim().split_once("  ").expect("a code and its meaning are two blanks apart");
        page.push_str(&format!("| {code} | {meaning} |\n"));
    }
    page
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn about(command: &Command) -> String {
    format!("{}.", command.get_about().map(ToString::to_string).unwrap_or_default())
}

/// Adds a command that does something, or those below one that only groups.
fn describe(page: &mut String, command: &Command, name: &str) {
    if command.has_subcommands() {
        for below in command.get_subcommands().filter(|command| is_shown(command)) {
            let name = format!("{name} {}", below.get_name());
            if !below.has_subcommands() {
                page.push_str(&format!("\n### {name}\n\n{}\n", about(below)));
            }
            describe(page, below, &name);
        }
        return;
    }
    let is_option = |argument: &Arg| OPTIONS.iter().any(|option| argument.get_id() == option.name);
    let takes_options =
        command.get_arguments().any(|argument| is_option(argument) && argument.get_id() == "listen");
    if takes_options && !command.get_arguments().any(|argument| is_option(argument) && argument.is_hide_set())
    {
        page.push_str("\nTakes every option of [config/weir.toml](../../config/weir.toml), and\n");
    }
    let arguments = command
        .get_arguments()
        .filter(|argument| !(takes_options && is_option(argument)))
        .filter(|argument| {
            let is_shared = argument.get_help_heading() == Some(SHARED) && !name.starts_with("weir log");
            !argument.is_hide_set()
                && !is_shared
                && !["help", "version"].contains(&argument.get_id().as_str())
        });
    let lines: Vec<String> =
        arguments.map(|argument| format!("| `{}` | {} |\n", usage(argument), help(argument))).collect();
    if !lines.is_empty() {
        page.push_str("\n| Argument | Meaning |\n|---|---|\n");
        page.push_str(&lines.concat());
    }
}

/// Writes an argument as it is given.
fn usage(argument: &Arg) -> String {
    let values: Vec<String> =
        argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let value = values.join(" ").replace('|', "\\|");
    let value = if value.is_empty() { "VALUE".to_string() } else { value };
    let takes_value = argument.get_action().takes_values();
    let Some(long) = argument.get_long() else {
        let many = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
        return if many { format!("{value}…") } else { value };
    };
    match (takes_value, argument.is_require_equals_set()) {
        (false, _) => format!("--{long}"),
        (true, true) => format!("--{long}[={value}]"),
        (true, false) => format!("--{long} {value}"),
    }
}

fn help(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let is_flag = values == ["`true`", "`false`"];
    let values =
        if values.is_empty() || is_flag { String::new() } else { format!(": {}", values.join(", ")) };
    format!("{help}{values}").replace('|', "\\|").replace('\n', " ")
}

#[test]
fn every_command_can_be_built() {
    super::command().debug_assert();
}

/// `UPDATE_DOCS=1 cargo test -p weir --bin weir reference` refreshes the page.
#[test]
fn the_page_of_commands_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/commands.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).expect("the page can be written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == page(),
        "docs/reference/commands.md is stale; run: UPDATE_DOCS=1 cargo test -p weir --bin weir reference"
    );
}
