//! Finds the value of every option: flag before environment before file before default.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::options::{OPTIONS, ServiceOption};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag(String),
    /// The environment.
    Environment(String),
    /// The file.
    File(PathBuf),
    /// The table.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => write!(f, "flag --{flag}"),
            Origin::Environment(variable) => write!(f, "environment {variable}"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// An option with its value.
#[derive(Debug)]
pub struct Resolved {
    /// The option.
    pub option: &'static ServiceOption,
    /// Its value.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Resolved {
    /// Returns the value as it may be shown.
    pub fn shown(&self) -> &str {
        match self.option.secret && !self.value.is_empty() {
            true => "***",
            false => &self.value,
        }
    }
}

/// Returns the flags of all options, and `--config`.
pub fn arguments() -> Vec<Arg> {
    let config = Arg::new("config")
        .long("config")
        .env("WEIR_CONFIG")
        .value_name("FILE")
        .help("Configuration file in TOML; `config/weir.toml` of the sources lists every option");
    let options = OPTIONS.iter().map(|option| {
        Arg::new(option.name)
            .long(option.flag())
            .env(option.variable())
            .hide_env_values(option.secret)
            .value_name("VALUE")
            .help(format!("{} [default: {}]", option.meaning, default_text(option)))
    });
    std::iter::once(config).chain(options).collect()
}

fn default_text(option: &ServiceOption) -> &str {
    if option.default.is_empty() { "none" } else { option.default }
}

/// Finds all values.
pub fn resolve(matches: &ArgMatches) -> anyhow::Result<Vec<Resolved>> {
    let file = match matches.get_one::<String>("config") {
        Some(path) => Some((PathBuf::from(path), read_file(path)?)),
        None => None,
    };
    OPTIONS.iter().map(|option| resolve_one(option, matches, file.as_ref())).collect()
}

fn resolve_one(
    option: &'static ServiceOption,
    matches: &ArgMatches,
    file: Option<&(PathBuf, toml::Table)>,
) -> anyhow::Result<Resolved> {
    if let Some(value) = matches.get_one::<String>(option.name) {
        let origin = match matches.value_source(option.name) {
            Some(ValueSource::EnvVariable) => Origin::Environment(option.variable()),
            _ => Origin::Flag(option.flag()),
        };
        return Ok(Resolved { option, value: value.clone(), origin });
    }
    if let Some((path, table)) = file
        && let Some(value) = table.get(option.name)
    {
        let value = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(value) => value.to_string(),
            other => bail!(
                "{}: `{}` must be a string, a number or true/false, not {}",
                path.display(),
                option.name,
                other.type_str()
            ),
        };
        return Ok(Resolved { option, value, origin: Origin::File(path.clone()) });
    }
    Ok(Resolved { option, value: option.default.to_string(), origin: Origin::Default })
}

fn read_file(path: &str) -> anyhow::Result<toml::Table> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file `{path}` cannot be read"))?;
    let table: toml::Table =
        text.parse().with_context(|| format!("the configuration file `{path}` is not TOML"))?;
    if let Some(unknown) = table.keys().find(|key| !OPTIONS.iter().any(|option| option.name == key.as_str()))
    {
        bail!("{path}: there is no option `{unknown}`; `weir config show` lists all");
    }
    Ok(table)
}
