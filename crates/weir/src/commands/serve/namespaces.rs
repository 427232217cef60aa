//! Decides whether the jobs of exclusive clusters run in network namespaces of their own, and says so.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::bail;
use weir_runtime::Namespaces;

use crate::config::{NamespacesSetting, Settings};

/// Returns the namespaces of the service that keeps its data in `data`, when there are any; `withheld` is not reached from
/// them. That there are none is an error when the operator wants them.
pub async fn open(
    settings: &Settings,
    data: &Path,
    withheld: &[SocketAddr],
) -> anyhow::Result<Option<Namespaces>> {
    let opened = match obstacle(settings) {
        Some(reason) => Err(reason.to_string()),
        None => Namespaces::open(data, settings.cluster_link_network, withheld.to_vec()).await,
    };
    match opened {
        Ok(namespaces) => {
            tracing::info!(
                links = %settings.cluster_link_network,
                "the jobs of each exclusive cluster run in a network namespace of their own"
            );
            Ok(Some(namespaces))
        }
        Err(reason) if settings.cluster_namespaces == NamespacesSetting::On => {
            bail!("`cluster_namespaces` is on, but there can be no network namespaces of clusters: {reason}")
        }
        Err(reason) => {
            tracing::info!(
                reason,
                "exclusive clusters have no network namespaces; what their jobs reach is up to the connectors"
            );
            Ok(None)
        }
    }
}

/// Returns the option that leaves nothing for a namespace to hold.
fn obstacle(settings: &Settings) -> Option<&'static str> {
    if settings.cluster_namespaces == NamespacesSetting::Off {
        Some("`cluster_namespaces` is off")
    } else if !settings.clusters.restricted {
        Some("`exclusive_clusters_restricted` is false")
    } else if settings.job_loopback {
        Some("`job_loopback` is true, and a namespace has a loopback of its own")
    } else {
        None
    }
}
