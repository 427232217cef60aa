//! Puts the service together.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use weir_api::ApiState;
use weir_api::metrics::ApiMetrics;
use weir_base::clock::{Clock, SystemClock};
use weir_base::network::NetworkSettings;
use weir_cloud::gateway::Gateway;
use weir_cloud::identity::{BootstrapOptions, Identity, IdentityOptions, Keystone};
use weir_cloud::notifications::{NotificationOptions, Notifications, Publisher, RemoteTopics, Signer};
use weir_cloud::objects::{Objects, ObjectsConfig, S3Config};
use weir_cloud::sealing::Sealer;
use weir_cloud::streams::LocalStreams;
use weir_control::{Alarms, Control, ControlOptions, ControlParts, Limits, Reconciler};
use weir_runtime::{EmbeddedRunner, OBJECTS_KEY, ObjectsPlace, Shares, WorkerConfig};
use weir_store::{Store, StoredAccounts, StoredNotifications};

use super::namespaces;
use crate::commands::private;
use crate::config::{AlarmsSetting, ObjectsSetting, Settings};

/// The service, ready to run.
pub struct Parts {
    pub state: ApiState,
    pub reconciler: Reconciler,
    pub alarms: Alarms,
    pub store: Store,
    pub greeting: Greeting,
}

/// What is told at the start.
pub struct Greeting {
    pub region: String,
    pub accounts: Accounts,
}

/// Who may use the service.
pub enum Accounts {
    /// Those that the service keeps.
    Embedded { project_name: String, project_id: String, user: String, generated_password: Option<String> },
    /// Those of a Keystone.
    Keystone(String),
}

/// Puts the service together; `listen` is where it is reached.
pub async fn build(settings: &Settings, data: &Path, listen: SocketAddr) -> anyhow::Result<Parts> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shares = Shares::new(settings.worker_confinement, settings.spu_memory, data)
        .map_err(|reason| anyhow!("`worker_confinement` is `cgroup`, but {reason}"))?;
    let in_force = shares.in_force();
    tracing::info!(cores = %in_force.cores, memory = %in_force.memory, "what holds workers to the share of their job");
    let store = store(settings).await?;
    let sealer = sealer(settings)?;
    check_file_directories(settings, data, &sealer)?;
    let accounts = Arc::new(StoredAccounts::new(store.clone(), sealer.clone()));
    let sealed = accounts.seal_keys().await.context("the access keys cannot be sealed")?;
    if sealed > 0 {
        tracing::info!(sealed, "access keys of an earlier release are sealed now");
    }
    let identity = Arc::new(Identity::new(accounts, clock.clone(), identity_options(settings)?));
    identity.set_region(&settings.region);
    let objects = objects(settings, data)?;
    let streams_directory = data.join("streams");
    let streams = Arc::new(
        LocalStreams::open(&streams_directory, clock.clone()).context("the stream store cannot be opened")?,
    );
    let gateway = Gateway::new(data.join("gateway"));
    let config = WorkerConfig {
        streams: streams_directory,
        gateway: gateway.root().to_path_buf(),
        objects: objects_place(settings, data, &sealer)?,
        file_directories: settings.file_directories.clone(),
        sealing_key: sealer.path().to_path_buf(),
        log_level: settings.log_level.clone(),
        log_json: settings.log_json,
    };
    let executable = std::env::current_exe().context("the path of this program is not known")?;
    let runner =
        EmbeddedRunner::new(data.join("workers"), executable, config, shares, objects.clone(), clock.clone())
            .context("the folder of workers cannot be made")?;
    let network = network(settings)?;
    let runner = runner.with_namespaces(namespaces::open(settings, data, &network.withheld).await?);
    let notifications = Arc::new(notifications(settings, data, listen, &store, &clock)?);
    let control = Control::new(ControlParts {
        store: store.clone(),
        sealer,
        identity: identity.clone(),
        objects: objects.clone(),
        gateway,
        publisher: publisher(settings, &notifications, &clock)?,
        runner: Arc::new(runner),
        clock: clock.clone(),
        options: ControlOptions { network, ..control_options(settings, listen) },
    });
    // The last that can fail by what was configured: a service that does not start shows nobody their password.
    let accounts = first_accounts(settings, &identity).await?;
    control.buckets().adopt().await.context("the buckets cannot be given to the project")?;
    let reconciler = Reconciler::new(control.clone());
    let alarms = Alarms::new(control.clone());
    let state = ApiState {
        control,
        identity,
        streams,
        notifications,
        objects,
        clock,
        metrics: Arc::new(ApiMetrics::with_confinement(in_force)),
    };
    let greeting = Greeting { region: settings.region.clone(), accounts };
    Ok(Parts { state, reconciler, alarms, store, greeting })
}

/// What the operator chooses about identities.
pub fn identity_options(settings: &Settings) -> anyhow::Result<IdentityOptions> {
    let keystone = settings.keystone_endpoint.as_deref().map(Keystone::new).transpose();
    Ok(IdentityOptions {
        token_life: settings.token_life,
        keystone: keystone.map_err(|reason| anyhow!("`keystone_endpoint`: {reason}"))?.map(Arc::new),
        ..IdentityOptions::default()
    })
}

/// Makes the first accounts, unless a Keystone has them.
async fn first_accounts(settings: &Settings, identity: &Identity) -> anyhow::Result<Accounts> {
    if let Some(keystone) = identity.keystone() {
        return Ok(Accounts::Keystone(keystone.endpoint().to_string()));
    }
    let bootstrapped = identity
        .bootstrap(BootstrapOptions {
            domain: settings.domain.clone(),
            project: settings.project.clone(),
            user: settings.user.clone(),
            password: std::env::var("WEIR_ADMIN_PASSWORD").ok().filter(|password| !password.is_empty()),
            region: settings.region.clone(),
        })
        .await
        .context("the first accounts cannot be made")?;
    Ok(Accounts::Embedded {
        project_name: bootstrapped.project_name,
        project_id: bootstrapped.project_id,
        user: settings.user.clone(),
        generated_password: bootstrapped.password,
    })
}

/// Returns the address under which the service is reached.
fn public_url(settings: &Settings, listen: SocketAddr) -> String {
    settings.public_url.clone().unwrap_or_else(|| format!("http://{listen}"))
}

fn notifications(
    settings: &Settings,
    data: &Path,
    listen: SocketAddr,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Notifications> {
    let signer = Signer::open(&data.join("notifications.pem"), clock.now())?;
    let options = NotificationOptions {
        region: settings.region.clone(),
        public_url: public_url(settings, listen),
        mail: settings.mail.clone(),
        internal_webhooks: settings.internal_webhooks,
        ..NotificationOptions::default()
    };
    let repository = Arc::new(StoredNotifications::new(store.clone()));
    Notifications::new(repository, clock.clone(), signer, options)
        .context("notifications cannot be delivered")
}

/// Returns where alarms of jobs are published.
fn publisher(
    settings: &Settings,
    notifications: &Arc<Notifications>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Publisher> {
    match &settings.alarms {
        AlarmsSetting::Embedded => Ok(Publisher::Embedded(notifications.clone())),
        AlarmsSetting::Remote { endpoint, project, credential } => {
            let remote = RemoteTopics::new(endpoint, project, credential.clone(), clock.clone());
            remote
                .map(|remote| Publisher::Remote(Arc::new(remote)))
                .map_err(|reason| anyhow!("`smn_endpoint`: {reason}"))
        }
    }
}

fn control_options(settings: &Settings, listen: SocketAddr) -> ControlOptions {
    let limits = Limits {
        restart_first: settings.restart_delay,
        restart_longest: settings.restart_delay_max,
        ..Limits::default()
    };
    ControlOptions {
        draft_limit: settings.draft_limit,
        user_spu_quota: settings.user_spu_quota,
        shared_cluster_spus: settings.shared_cluster_spus,
        clusters: settings.clusters.clone(),
        billing: settings.billing.clone(),
        edge_groups: settings.edge_groups.clone(),
        gateway_url: format!("{}/gateway", public_url(settings, listen).trim_end_matches('/')),
        region: settings.region.clone(),
        sql_max_bytes: settings.sql_max_bytes,
        restricted_shared_cluster: settings.shared_cluster_restricted,
        time_zone: settings.time_zone.clone(),
        limits,
        ..ControlOptions::default()
    }
}

/// Returns what no job reaches of the network.
fn network(settings: &Settings) -> anyhow::Result<NetworkSettings> {
    let withheld = match &settings.database {
        Some(address) => {
            Store::server_addresses(address).context("`database`: the address of its server is not known")?
        }
        None => Vec::new(),
    };
    Ok(NetworkSettings { shielded: !settings.job_loopback, withheld, ..NetworkSettings::default() })
}

/// Refuses directories for `file` streams in which jobs would find what the service keeps.
fn check_file_directories(settings: &Settings, data: &Path, sealer: &Sealer) -> anyhow::Result<()> {
    let kept = [data, sealer.path()];
    let kept = kept.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf()));
    for directory in &settings.file_directories {
        // A directory that is not there yet holds nothing.
        let Ok(real) = directory.canonicalize() else { continue };
        if kept.iter().any(|kept| kept.starts_with(&real) || real.starts_with(kept)) {
            bail!(
                "`file_directories` has `{}`, in which jobs would reach what the service itself keeps; choose another one",
                directory.display()
            );
        }
    }
    Ok(())
}

/// Opens the metadata, wherever they are.
pub async fn store(settings: &Settings) -> anyhow::Result<Store> {
    let opened = match &settings.database {
        Some(address) => Store::connect(address).await,
        None => {
            let file = database_file(settings);
            private::make_file(&file)
                .with_context(|| format!("the metadata in `{}` cannot be written", file.display()))?;
            Store::open(&file).await
        }
    };
    opened.context("the metadata cannot be opened")
}

/// Returns the file with the metadata, which is there unless `database` says otherwise.
pub fn database_file(settings: &Settings) -> PathBuf {
    settings.data.join("weir.db")
}

/// Returns what seals global variables. Its path is absolute: a worker is given it too.
pub fn sealer(settings: &Settings) -> anyhow::Result<Sealer> {
    let file = std::path::absolute(&settings.sealing_key_file).context("`sealing_key_file` is no path")?;
    Ok(Sealer::new(file))
}

pub fn objects(settings: &Settings, data: &Path) -> anyhow::Result<Objects> {
    Ok(Objects::new(match &settings.objects {
        ObjectsSetting::Local => {
            let directory = data.join("objects");
            private::make_directories(&directory).context("the folder of objects cannot be made")?;
            ObjectsConfig::Local(directory)
        }
        ObjectsSetting::Endpoint { endpoint, region, access_key, secret_key } => {
            ObjectsConfig::S3(S3Config {
                endpoint: endpoint.clone(),
                region: region.clone(),
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
                runtime: None,
            })
        }
    }))
}

/// Returns where workers find the objects. What they are told stands in files, the secret key sealed.
fn objects_place(settings: &Settings, data: &Path, sealer: &Sealer) -> anyhow::Result<ObjectsPlace> {
    Ok(match &settings.objects {
        ObjectsSetting::Local => ObjectsPlace::Local(data.join("objects")),
        ObjectsSetting::Endpoint { endpoint, region, access_key, secret_key } => ObjectsPlace::S3 {
            endpoint: endpoint.clone(),
            region: region.clone(),
            access_key: access_key.clone(),
            sealed_secret_key: sealer.seal(OBJECTS_KEY, secret_key)?,
        },
    })
}
