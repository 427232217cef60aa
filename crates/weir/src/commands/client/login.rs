//! `weir login` and `weir logout`: make a profile, and end it.

use clap::{Arg, ArgMatches, Command};
use weir_client::{Access, Credential, Password, Profile, StoredCredential, connect};

use super::access::{self, profile_name, text, user_and_domain, variable};
use super::session::{Progress, while_shown};
use crate::commands::text::clean;
use crate::commands::{Exit, Failure, Outcome, runtime};

pub fn login_command() -> Command {
    Command::new("login")
        .about("Log in to a service and keep the session in a profile, which the commands over its API use")
        .long_about(
            "Log in to a service and keep the session in a profile, which the commands over its API use.\n\n\
             By name and password a token is kept, which is good for a day; by access key the key. The password comes from \
             WEIR_PASSWORD, the secret key from WEIR_SECRET_KEY; without them they are asked for, or read from standard input. \
             Profiles are in weir/profiles.toml of the user's configuration directory (XDG_CONFIG_HOME, or ~/.config), which \
             only the user can read.",
        )
        .args(access::arguments())
        .arg(Arg::new("user").long("user").value_name("NAME").help("Name of the user [default: WEIR_USER, or admin]"))
        .arg(
            Arg::new("domain")
                .long("domain")
                .value_name("NAME")
                .help("Domain (account) of the user [default: WEIR_DOMAIN, or weir]"),
        )
        .arg(
            Arg::new("access-key")
                .long("access-key")
                .value_name("KEY")
                .conflicts_with_all(["user", "domain"])
                .help("Log in by this access key in place of a password [default: WEIR_ACCESS_KEY]"),
        )
}

pub fn logout_command() -> Command {
    Command::new("logout")
        .about("Take the token of a profile back and forget the profile")
        .args(access::arguments().into_iter().filter(|argument| argument.get_id() == "profile"))
}

pub fn log_in(matches: &ArgMatches) -> Outcome {
    let mut profiles = access::profiles()?;
    let access = Access {
        endpoint: access::endpoint(matches),
        credential: credential(matches)?,
        project: access::project(matches),
    };
    let progress = Progress::new(&format!("waiting for the service at {}", access.endpoint));
    let (client, issued) = runtime()?.block_on(while_shown(&progress, connect(&access)))?;
    let Some(project) = client.project().cloned() else {
        return Err(Failure::Fault(anyhow::anyhow!("the session has no project")));
    };
    let credential = match (access.credential, issued) {
        (_, Some(issued)) => StoredCredential::Token {
            user: issued.user,
            expires_at: issued.expires_at,
            token: issued.token.expose().to_string(),
        },
        (Credential::Key { access, secret, .. }, None) => {
            StoredCredential::AccessKey { access_key: access, secret_key: secret.expose().to_string() }
        }
        (Credential::Password(_) | Credential::Token { .. }, None) => {
            return Err(Failure::Fault(anyhow::anyhow!("the service gave no token")));
        }
    };
    let who = match &credential {
        StoredCredential::Token { user, expires_at, .. } => format!("as `{user}` until {expires_at}"),
        StoredCredential::AccessKey { access_key, .. } => format!("by access key {access_key}"),
    };
    let name = profile_name(matches);
    let endpoint = client.endpoint().to_string();
    let done = format!("logged in at {endpoint} {who}, project `{}`", project.name);
    eprintln!("{}", clean(&done));
    profiles.set(&name, Profile { endpoint, project, credential })?;
    Ok(Exit::Done)
}

fn credential(matches: &ArgMatches) -> anyhow::Result<Credential> {
    let by_name = text(matches, "user").is_some() || text(matches, "domain").is_some();
    let key = text(matches, "access-key").map(str::to_string);
    let key = key.or_else(|| variable("WEIR_ACCESS_KEY").filter(|_| !by_name));
    if let Some(access) = key {
        let secret = access::secret("WEIR_SECRET_KEY", "secret key")?;
        return Ok(Credential::Key { access, secret, project: None });
    }
    let (user, domain) = user_and_domain(text(matches, "user"), text(matches, "domain"));
    let password = access::secret("WEIR_PASSWORD", &format!("password of `{user}`"))?;
    Ok(Credential::Password(Password { user, domain, password }))
}

pub fn log_out(matches: &ArgMatches) -> Outcome {
    let mut profiles = access::profiles()?;
    let name = profile_name(matches);
    let Some(profile) = profiles.get(&name).cloned() else {
        return Err(anyhow::anyhow!("there is no profile `{name}`").into());
    };
    // First of all, so that nothing keeps the user from forgetting it.
    profiles.remove(&name)?;
    let access =
        Access { endpoint: profile.endpoint.clone(), credential: profile.credential(), project: None };
    if let Credential::Token { token, .. } = &access.credential {
        let revoked = runtime()?.block_on(async {
            let (client, _) = connect(&access).await?;
            client.revoke(token).await
        });
        match revoked {
            Err(error) if !error.is_about_credential() => {
                eprintln!("the token is forgotten, and stays good until it expires: {error}");
            }
            _ => {}
        }
    }
    eprintln!("logged out of {}", profile.endpoint);
    Ok(Exit::Done)
}
