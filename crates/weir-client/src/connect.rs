//! From what a user gives to a client that is in its project.

use reqwest::Url;
use serde_json::Value;
use weir_cloud::identity::{ClientCredential, SecretKey};

use crate::call::{Client, Project, http, read, unreachable};
use crate::error::ClientError;
use crate::login::{Issued, Password, log_in, token_identity};

/// What proves who the user is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password; a token is asked for.
    Password(Password),
    /// A token, with the project that it is known to be for.
    Token {
        /// The token.
        token: SecretKey,
        /// Its project.
        project: Option<Project>,
    },
    /// An access key, with the project that it was last used in.
    Key {
        /// The public half.
        access: String,
        /// The secret half.
        secret: SecretKey,
        /// The project.
        project: Option<Project>,
    },
}

/// How to reach a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Address, such as `http://127.0.0.1:8780`.
    pub endpoint: String,
    /// What proves who the user is.
    pub credential: Credential,
    /// Name or id of the project; the only one of the user, or that of the credential, when it is not given.
    pub project: Option<String>,
}

/// Connects: asks for a token and for the project where needed. The token is returned when one was asked for.
pub async fn connect(access: &Access) -> Result<(Client, Option<Issued>), ClientError> {
    let endpoint = checked(&access.endpoint)?;
    let wanted = access.project.as_deref();
    match &access.credential {
        Credential::Password(password) => {
            let first = log_in(&endpoint, &password.identity(), None).await?;
            into_project(&endpoint, first.token, wanted).await
        }
        Credential::Token { token, project } => {
            let project = match project {
                Some(project) => Some(project.clone()),
                None => client_with(&endpoint, token, None)?.own_project(token).await?,
            };
            match project {
                Some(project) if wanted.is_none_or(|wanted| is_it(&project, wanted)) => {
                    Ok((client_with(&endpoint, token, Some(&project))?, None))
                }
                _ => into_project(&endpoint, token.clone(), wanted).await,
            }
        }
        Credential::Key { access, secret, project } => {
            let key = ClientCredential::Key { access: access.clone(), secret: secret.clone() };
            let known = project.clone().filter(|project| wanted.is_none_or(|wanted| is_it(project, wanted)));
            let mut client = Client::new(&endpoint, key, known)?;
            if client.project().is_none() {
                let project = choose(projects(&client).await?, wanted)?;
                client.set_project(project);
            }
            Ok((client, None))
        }
    }
}

/// Returns the versions of a service, which anybody may ask.
pub async fn release_version(endpoint: &str) -> Result<Value, ClientError> {
    let endpoint = checked(endpoint)?;
    let answer = http()?.get(format!("{endpoint}/v1.0/versions")).send().await;
    read(&endpoint, answer.map_err(|error| unreachable(&endpoint, error))?).await
}

/// Changes a token for one that is for a project.
async fn into_project(
    endpoint: &str,
    token: SecretKey,
    wanted: Option<&str>,
) -> Result<(Client, Option<Issued>), ClientError> {
    let project = choose(projects(&client_with(endpoint, &token, None)?).await?, wanted)?;
    let issued = log_in(endpoint, &token_identity(&token), Some(&project)).await?;
    Ok((client_with(endpoint, &issued.token, Some(&project))?, Some(issued)))
}

fn client_with(endpoint: &str, token: &SecretKey, project: Option<&Project>) -> Result<Client, ClientError> {
    Client::new(endpoint, ClientCredential::Token(token.clone()), project.cloned())
}

/// Returns an address without what calls append, when it is one.
fn checked(endpoint: &str) -> Result<String, ClientError> {
    let trimmed = endpoint.trim_end_matches('/');
    match Url::parse(trimmed) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(trimmed.to_string()),
        _ => {
            Err(ClientError::Given(format!("the endpoint `{endpoint}` must look like http://127.0.0.1:8780")))
        }
    }
}

async fn projects(client: &Client) -> Result<Vec<Project>, ClientError> {
    let answer = client.get("/v3/auth/projects", &[]).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let listed = answer["projects"].as_array().into_iter().flatten();
    Ok(listed.map(|project| Project { id: text(&project["id"]), name: text(&project["name"]) }).collect())
}

fn is_it(project: &Project, wanted: &str) -> bool {
    project.id == wanted || project.name == wanted
}

/// Chooses one of the projects of a user.
fn choose(mut projects: Vec<Project>, wanted: Option<&str>) -> Result<Project, ClientError> {
    let names: Vec<String> = projects.iter().map(|project| format!("`{}`", project.name)).collect();
    let names = names.join(", ");
    if let Some(wanted) = wanted {
        let found = projects.into_iter().find(|project| is_it(project, wanted));
        return found.ok_or_else(|| {
            ClientError::Given(format!("you may use no project `{wanted}`; you may use {names}"))
        });
    }
    match (projects.pop(), projects.is_empty()) {
        (Some(project), true) => Ok(project),
        (Some(_), false) => {
            Err(ClientError::Given(format!("you may use several projects; choose one by --project: {names}")))
        }
        (None, _) => Err(ClientError::Given(
            "you may use no project; an administrator of the account can give you a role in one".to_string(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(name: &str) -> Project {
        Project { id: format!("id-{name}"), name: name.to_string() }
    }

    #[test]
    fn the_only_project_is_taken_and_of_several_one_must_be_named() {
        let both = || vec![project("a"), project("b")];
        assert_eq!(choose(vec![project("a")], None).unwrap(), project("a"));
        assert_eq!(choose(both(), Some("b")).unwrap(), project("b"));
        assert_eq!(choose(both(), Some("id-b")).unwrap(), project("b"));
        for (projects, wanted, part) in [
            (both(), None, "choose one by --project: `a`, `b`"),
            (both(), Some("c"), "no project `c`; you may use `a`, `b`"),
            (vec![], None, "you may use no project"),
        ] {
            let error = choose(projects, wanted).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn endpoints_are_checked() {
        assert_eq!(checked("http://127.0.0.1:8780/").unwrap(), "http://127.0.0.1:8780");
        for wrong in ["127.0.0.1:8780", "ftp://a", "", "http://"] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
    }
}
