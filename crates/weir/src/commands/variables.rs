//! Global variables on the command line: `--variable NAME=VALUE` and `--variables FILE`.

use std::path::Path;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches};
use weir_base::variables::{Variables, is_variable_name};

/// Returns the arguments of every command that checks a job.
pub fn variable_arguments() -> [Arg; 2] {
    [
        Arg::new("variable")
            .long("variable")
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .help("Value of a global variable, which option values name as {{NAME}}; wins over --variables"),
        Arg::new("variables").long("variables").value_name("FILE").action(ArgAction::Append).help(
            "TOML file with the values of global variables, NAME = \"VALUE\"; keeps secrets off the command line",
        ),
    ]
}

/// Reads the variables that the command line gives.
pub fn variables(matches: &ArgMatches) -> anyhow::Result<Variables> {
    let mut variables = Variables::default();
    for file in matches.get_many::<String>("variables").unwrap_or_default() {
        for (name, value) in read_file(Path::new(file))?.iter() {
            if variables.set(name, value) {
                bail!("--variables `{file}`: the variable `{name}` has a value in another file already");
            }
        }
    }
    let mut given = Variables::default();
    for text in matches.get_many::<String>("variable").unwrap_or_default() {
        // What is written wrongly may be a secret: the message does not repeat it.
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_variable_name(name.trim()))
        else {
            bail!("--variable must be NAME=VALUE, the name of letters, digits, `_`, `-` and `.`");
        };
        if given.set(name.trim(), value) {
            bail!("--variable `{}` is given twice", name.trim());
        }
        variables.set(name.trim(), value);
    }
    Ok(variables)
}

fn read_file(path: &Path) -> anyhow::Result<Variables> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the file of variables `{shown}` cannot be read"))?;
    let table: toml::Table = match toml::from_str(&text) {
        Ok(table) => table,
        // The whole message of the parser would show the line.
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
            bail!("the file of variables `{shown}`, line {line}, is not TOML of the form NAME = \"VALUE\"");
        }
    };
    let mut variables = Variables::default();
    for (name, value) in table {
        let toml::Value::String(value) = value else {
            bail!("the file of variables `{shown}`: `{name}` must have a text in quotes as its value");
        };
        if !is_variable_name(&name) {
            bail!(
                "the file of variables `{shown}`: `{name}` is no name of a variable: letters, digits, `_`, `-` and `.`"
            );
        }
        variables.set(name, value);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    fn read(arguments: &[&str]) -> Result<Variables, String> {
        let command = Command::new("x").args(variable_arguments());
        let matches = command.try_get_matches_from(std::iter::once("x").chain(arguments.iter().copied()));
        variables(&matches.map_err(|error| error.to_string())?).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn flags_win_over_files() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("v.toml");
        std::fs::write(&file, "a = 'file'\n\"b.c\" = \"x=\\\"y\\\"\"\n").unwrap();
        let file = file.display().to_string();
        assert_eq!(
            read(&["--variables", &file, "--variable", "a=1=2", "--variable", "d="]),
            Ok(Variables::from([("a", "1=2"), ("b.c", "x=\"y\""), ("d", "")]))
        );
    }

    #[test]
    fn mistakes_are_named_and_values_are_not() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let file = place.path().join(name);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let broken = path("broken.toml", "a = 'x'\nkey = planted-secret\n");
        let number = path("number.toml", "key = 5\n");
        let nested = path("nested.toml", "[key]\na = 'planted-secret'\n");
        let twice = path("twice.toml", "a = '1'\n");
        for (arguments, complaint) in [
            (vec!["--variable", "planted-secret"], "--variable must be NAME=VALUE"),
            (vec!["--variable", "a b=planted-secret"], "--variable must be NAME=VALUE"),
            (vec!["--variable", "a=planted-secret", "--variable", "a=2"], "--variable `a` is given twice"),
            (vec!["--variables", &broken], "broken.toml`, line 2, is not TOML"),
            (vec!["--variables", &number], "`key` must have a text"),
            (vec!["--variables", &nested], "`key` must have a text"),
            (vec!["--variables", &twice, "--variables", &twice], "in another file already"),
            (vec!["--variables", "/nowhere/x.toml"], "cannot be read"),
        ] {
            let error = read(&arguments).unwrap_err();
            assert!(error.contains(complaint) && !error.contains("planted"), "{error}");
        }
    }
}
