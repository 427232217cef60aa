//! The settings of services elsewhere: mail, alarms and objects.

use anyhow::bail;
use weir_cloud::identity::{ClientCredential, SecretKey};
use weir_cloud::notifications::MailOptions;

use super::values::Values;

/// Where the buckets are.
#[derive(Debug, Clone)]
pub enum ObjectsSetting {
    /// In the data directory.
    Local,
    /// Behind an endpoint.
    Endpoint {
        /// `http://host:port`.
        endpoint: String,
        /// Region.
        region: String,
        /// Access key.
        access_key: String,
        /// Secret key.
        secret_key: String,
    },
}

/// Where alarms of jobs go.
#[derive(Debug, Clone)]
pub enum AlarmsSetting {
    /// To topics of this service.
    Embedded,
    /// To topics of a service elsewhere.
    Remote {
        /// `http://host:port`.
        endpoint: String,
        /// Project there.
        project: String,
        /// What proves who calls.
        credential: ClientCredential,
    },
}

/// Returns the mail server.
pub fn mail(values: &Values<'_>) -> anyhow::Result<Option<MailOptions>> {
    let url = values.string("smtp_url")?;
    if url.is_empty() {
        values.none_without("smtp_url", &["smtp_sender"])?;
        return Ok(None);
    }
    let sender = values.string("smtp_sender")?;
    if sender.is_empty() {
        bail!("`smtp_url` needs `smtp_sender`");
    }
    Ok(Some(MailOptions { url, sender }))
}

/// Returns where alarms of jobs go.
pub fn alarms(values: &Values<'_>) -> anyhow::Result<AlarmsSetting> {
    let Some(endpoint) = values.url("smn_endpoint")? else {
        let options = ["smn_project", "smn_access_key", "smn_secret_key", "smn_token"];
        values.none_without("smn_endpoint", &options)?;
        return Ok(AlarmsSetting::Embedded);
    };
    let project = values.string("smn_project")?;
    let token = values.string("smn_token")?;
    let access = values.string("smn_access_key")?;
    let secret = values.string("smn_secret_key")?;
    let has_key = !access.is_empty() || !secret.is_empty();
    if !token.is_empty() && has_key {
        bail!("`smn_endpoint` takes `smn_token` or `smn_access_key` with `smn_secret_key`, not both");
    }
    if project.is_empty() || (token.is_empty() && (access.is_empty() || secret.is_empty())) {
        bail!(
            "`smn_endpoint` needs `smn_project`, and `smn_access_key` with `smn_secret_key`, or `smn_token`"
        );
    }
    let credential = if token.is_empty() {
        ClientCredential::Key { access, secret: SecretKey::new(secret) }
    } else {
        ClientCredential::Token(SecretKey::new(token))
    };
    Ok(AlarmsSetting::Remote { endpoint, project, credential })
}

/// Returns where the buckets are.
pub fn objects(values: &Values<'_>) -> anyhow::Result<ObjectsSetting> {
    let Some(endpoint) = values.url("objects_endpoint")? else {
        let options = ["objects_region", "objects_access_key", "objects_secret_key"];
        values.none_without("objects_endpoint", &options)?;
        return Ok(ObjectsSetting::Local);
    };
    let access_key = values.string("objects_access_key")?;
    let secret_key = values.string("objects_secret_key")?;
    if access_key.is_empty() || secret_key.is_empty() {
        bail!("`objects_endpoint` needs `objects_access_key` and `objects_secret_key`");
    }
    Ok(ObjectsSetting::Endpoint {
        endpoint,
        region: values.string("objects_region")?,
        access_key,
        secret_key,
    })
}
