//! Which service is called, and who calls: flag before environment before profile before default.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};

use anyhow::{Context, bail};
use clap::{Arg, ArgMatches};
use weir_client::{Access, Credential, Password, Profiles};
use weir_cloud::identity::SecretKey;

/// The address of a service on this machine.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8780";
/// The domain and the user that a service makes at its first start.
const DEFAULT_DOMAIN: &str = "weir";
const DEFAULT_USER: &str = "admin";
/// The heading of the arguments that all these commands have.
pub const HEADING: &str = "Service";

/// Returns the arguments that say which service is called.
pub fn arguments() -> Vec<Arg> {
    let argument = |name: &'static str, variable: &'static str, value: &'static str, help: &'static str| {
        let help = format!("{help} [env: {variable}]");
        Arg::new(name).long(name).value_name(value).help(help).help_heading(HEADING)
    };
    vec![
        argument(
            "endpoint",
            "WEIR_ENDPOINT",
            "URL",
            "Address of the service [default: that of the profile, or http://127.0.0.1:8780]",
        ),
        argument(
            "project",
            "WEIR_PROJECT",
            "PROJECT",
            "Project, by its name or id [default: that of the profile, or the only one]",
        ),
        argument("profile", "WEIR_PROFILE", "NAME", "Profile that `weir login` has made [default: default]"),
    ]
}

/// Returns an argument that is a text; `None` also where the command has no such argument.
pub fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

/// Returns an argument that is a text, or the variable of the environment that stands in for it. The variable is read here and
/// not by the parser of arguments, whose usage lines show what comes from the environment as if it were needed.
pub fn given(matches: &ArgMatches, name: &str, variable_name: &str) -> Option<String> {
    text(matches, name).map(str::to_string).or_else(|| variable(variable_name))
}

/// Returns the name of the profile.
pub fn profile_name(matches: &ArgMatches) -> String {
    given(matches, "profile", "WEIR_PROFILE").unwrap_or_else(|| "default".to_string())
}

/// Returns the project that is given, by its name or id.
pub fn project(matches: &ArgMatches) -> Option<String> {
    given(matches, "project", "WEIR_PROJECT")
}

fn given_endpoint(matches: &ArgMatches) -> Option<String> {
    given(matches, "endpoint", "WEIR_ENDPOINT")
}

/// Returns the endpoint, when no profile says it.
pub fn endpoint(matches: &ArgMatches) -> String {
    given_endpoint(matches).unwrap_or_else(|| DEFAULT_ENDPOINT.to_string())
}

/// Returns the endpoint that is given or that of the profile, when nobody has to prove anything to it.
pub fn known_endpoint(matches: &ArgMatches) -> String {
    let of_profile = || Some(profiles().ok()?.get(&profile_name(matches))?.endpoint.clone());
    given_endpoint(matches).or_else(of_profile).unwrap_or_else(|| endpoint(matches))
}

/// Returns a variable of the environment; an empty one counts as not set.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Opens the file with profiles, in the user's configuration directory.
pub fn profiles() -> anyhow::Result<Profiles> {
    let directory = match (variable("XDG_CONFIG_HOME"), variable("HOME")) {
        (Some(directory), _) => PathBuf::from(directory),
        (None, Some(home)) => PathBuf::from(home).join(".config"),
        (None, None) => bail!("the directory for profiles is not known; set HOME or XDG_CONFIG_HOME"),
    };
    Ok(Profiles::read(&directory.join("weir").join("profiles.toml"))?)
}

/// Returns the user and the domain for a login by password.
pub fn user_and_domain(user: Option<&str>, domain: Option<&str>) -> (String, String) {
    let user = user.map(str::to_string).or_else(|| variable("WEIR_USER"));
    let domain = domain.map(str::to_string).or_else(|| variable("WEIR_DOMAIN"));
    (user.unwrap_or_else(|| DEFAULT_USER.to_string()), domain.unwrap_or_else(|| DEFAULT_DOMAIN.to_string()))
}

/// Finds out how to reach the service.
pub fn access(matches: &ArgMatches) -> anyhow::Result<Access> {
    let project = project(matches);
    let profiles = profiles();
    let name = profile_name(matches);
    let name = name.as_str();
    if let Some(credential) = credential_of_environment()? {
        // Then the profile only says where the service is, so that a broken file does no harm.
        let known = profiles.ok().and_then(|profiles| profiles.get(name).cloned());
        let endpoint = match (given_endpoint(matches), known) {
            (None, Some(profile)) => profile.endpoint,
            _ => endpoint(matches),
        };
        return Ok(Access { endpoint, credential, project });
    }
    let profiles = profiles?;
    let Some(profile) = profiles.get(name) else {
        match profiles.names().as_slice() {
            [] => bail!("you are not logged in; run `weir login`"),
            names => bail!(
                "there is no profile `{name}`, only {}; run `weir login --profile {name}`",
                names.join(", ")
            ),
        }
    };
    // What proves who you are at one service is nothing that another one should get to see.
    let same = |given: &str| given.trim_end_matches('/') == profile.endpoint.trim_end_matches('/');
    if let Some(given) = given_endpoint(matches).filter(|given| !same(given)) {
        bail!(
            "profile `{name}` is for {}, not for {given}; run `weir login --endpoint {given}`, with another --profile to keep both",
            profile.endpoint
        );
    }
    Ok(Access { endpoint: profile.endpoint.clone(), credential: profile.credential(), project })
}

/// Whether the environment says who calls.
pub fn is_from_environment() -> bool {
    ["WEIR_TOKEN", "WEIR_ACCESS_KEY", "WEIR_PASSWORD"].into_iter().any(|name| variable(name).is_some())
}

fn credential_of_environment() -> anyhow::Result<Option<Credential>> {
    if let Some(token) = variable("WEIR_TOKEN") {
        return Ok(Some(Credential::Token { token: SecretKey::new(token), project: None }));
    }
    if let Some(access) = variable("WEIR_ACCESS_KEY") {
        let secret =
            variable("WEIR_SECRET_KEY").context("WEIR_ACCESS_KEY is set and WEIR_SECRET_KEY is not")?;
        return Ok(Some(Credential::Key { access, secret: SecretKey::new(secret), project: None }));
    }
    Ok(variable("WEIR_PASSWORD").map(|password| {
        let (user, domain) = user_and_domain(None, None);
        Credential::Password(Password { user, domain, password: SecretKey::new(password) })
    }))
}

/// Returns a secret: from the environment, else asked for on the terminal, else the next line of standard input.
pub fn secret(variable_name: &str, what: &str) -> anyhow::Result<SecretKey> {
    match variable(variable_name) {
        Some(value) => Ok(SecretKey::new(value)),
        None => ask_secret(what),
    }
}

/// Returns the password that the user who calls has until now: that which the session was opened with, if it was.
pub fn old_password() -> anyhow::Result<SecretKey> {
    if variable("WEIR_OLD_PASSWORD").is_none()
        && let Some(Credential::Password(own)) = credential_of_environment()?
    {
        return Ok(own.password);
    }
    secret("WEIR_OLD_PASSWORD", "old password")
}

/// Reads a line of the terminal without showing it. A process of its own, which outlives an interrupted command by as long
/// as it takes to show again what is typed; no further signal, such as that of a terminal that closes, keeps it from that.
const READ_HIDDEN: &str = "trap 'trap \"\" HUP INT TERM; stty echo' EXIT; trap 'trap \"\" HUP INT TERM; exit 130' HUP INT TERM; \
                           stty -echo || exit 3; IFS= read -r line && printf '%s' \"$line\"";

/// Asks for a secret on the terminal, without showing what is typed, or reads a line of standard input.
pub fn ask_secret(what: &str) -> anyhow::Result<SecretKey> {
    let mut line = String::new();
    if std::io::stdin().is_terminal() {
        eprint!("{what}: ");
        std::io::stderr().flush()?;
        let read = Process::new("sh").args(["-c", READ_HIDDEN]).stdin(Stdio::inherit()).output();
        eprintln!();
        match read {
            Ok(read) if read.status.code() != Some(3) => {
                line = String::from_utf8(read.stdout).with_context(|| format!("the {what} is no text"))?;
            }
            _ => bail!("what is typed could not be hidden; pipe the {what} into the command"),
        }
    } else {
        let read = std::io::stdin().lock().read_line(&mut line);
        read.with_context(|| format!("the {what} cannot be read from standard input"))?;
    }
    let line = line.trim_end_matches(['\n', '\r']);
    if line.is_empty() {
        bail!("no {what} was given");
    }
    Ok(SecretKey::new(line))
}
