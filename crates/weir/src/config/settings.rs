//! The values of all options as types, checked.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use weir_base::ipv4::Ipv4Network;
use weir_base::money::Money;
use weir_base::text::Zone;
use weir_cloud::notifications::MailOptions;
use weir_control::billing::{BillingOptions, Unit};
use weir_control::{ClusterOptions, EdgeGroup};
use weir_runtime::Confinement;

use super::elsewhere::{AlarmsSetting, ObjectsSetting, alarms, mail, objects};
use super::resolve::Resolved;
use super::values::Values;
use crate::logging;

/// A token that is good for ten years is good for all there is to do with it.
const MOST_TOKEN_HOURS: u64 = 87_600;

/// Whether clusters have network namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespacesSetting {
    /// Where it can be.
    Auto,
    /// In any case.
    On,
    /// No.
    Off,
}

/// What the service was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of the S3 endpoint, or `None` when there is none.
    pub s3_listen: Option<SocketAddr>,
    /// Address of the metrics, or `None` when there is none.
    pub metrics_listen: Option<SocketAddr>,
    /// Data directory.
    pub data: PathBuf,
    /// Address of the PostgreSQL database with the metadata; `None` for a file in the data directory.
    pub database: Option<String>,
    /// File with the key that encrypts global variables and the secrets of access keys.
    pub sealing_key_file: PathBuf,
    /// Region.
    pub region: String,
    /// Domain made at the first start.
    pub domain: String,
    /// Project made at the first start.
    pub project: String,
    /// Administrator made at the first start.
    pub user: String,
    /// The Keystone that has the accounts; `None` keeps them here.
    pub keystone_endpoint: Option<String>,
    /// Life of a token.
    pub token_life: Duration,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// Filter of log levels.
    pub log_level: String,
    /// Time zone of jobs.
    pub time_zone: String,
    /// Directories that `file` streams may use.
    pub file_directories: Vec<PathBuf>,
    /// Whether the shared cluster refuses some stream types.
    pub shared_cluster_restricted: bool,
    /// Longest text of a job.
    pub sql_max_bytes: usize,
    /// Draft jobs of a project.
    pub draft_limit: u32,
    /// SPUs of a user.
    pub user_spu_quota: i64,
    /// SPUs of the shared cluster.
    pub shared_cluster_spus: i64,
    /// What holds workers to the SPUs of their jobs.
    pub worker_confinement: Confinement,
    /// Bytes of memory of an SPU.
    pub spu_memory: u64,
    /// Room for exclusive clusters.
    pub clusters: ClusterOptions,
    /// How use is charged for; `None` meters nothing.
    pub billing: Option<BillingOptions>,
    /// Groups of edge nodes.
    pub edge_groups: Vec<EdgeGroup>,
    /// Whether clusters have network namespaces.
    pub cluster_namespaces: NamespacesSetting,
    /// Addresses of the links to these.
    pub cluster_link_network: Ipv4Network,
    /// Whether jobs may connect to this machine.
    pub job_loopback: bool,
    /// Delay of the first restart of a failed job.
    pub restart_delay: Duration,
    /// Longest delay of a restart.
    pub restart_delay_max: Duration,
    /// Address of the API in links; `None` for the address that is listened on.
    pub public_url: Option<String>,
    /// Whether webhooks may be at internal addresses.
    pub internal_webhooks: bool,
    /// The mail server.
    pub mail: Option<MailOptions>,
    /// Where alarms of jobs go.
    pub alarms: AlarmsSetting,
    /// Where the buckets are.
    pub objects: ObjectsSetting,
}

impl Settings {
    /// Checks all values.
    pub fn new(resolved: &[Resolved]) -> anyhow::Result<Self> {
        let values = Values(resolved);
        let listen: SocketAddr = values.parse("listen", "an address and port such as 127.0.0.1:8780")?;
        let region = region(&values)?;
        let time_zone = values.string("time_zone")?;
        if Zone::parse(&time_zone).is_none() {
            bail!("`time_zone` is `{time_zone}`, but must be an IANA name or an offset such as +08:00");
        }
        let log_json = match values.string("log_format")?.as_str() {
            "text" => false,
            "json" => true,
            other => bail!("`log_format` is `{other}`, but must be text or json"),
        };
        let log_level = values.string("log_level")?;
        logging::filter(&log_level)?;
        let (restart_delay, restart_delay_max) = restart_delays(&values)?;
        let directories = values.string("file_directories")?;
        let data = PathBuf::from(values.string("data")?);
        let sealing_key_file = match values.string("sealing_key_file")? {
            file if file.is_empty() => data.join("sealing.key"),
            file => PathBuf::from(file),
        };
        Ok(Self {
            listen,
            s3_listen: s3_listen(&values, listen)?,
            metrics_listen: metrics_listen(&values, listen)?,
            data,
            database: Some(values.string("database")?).filter(|address| !address.is_empty()),
            sealing_key_file,
            project: Some(values.string("project")?)
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| region.clone()),
            region,
            domain: values.string("domain")?,
            user: values.string("user")?,
            keystone_endpoint: values.url("keystone_endpoint")?,
            token_life: token_life(&values)?,
            log_json,
            log_level,
            time_zone,
            file_directories: directories.split(':').filter(|d| !d.is_empty()).map(PathBuf::from).collect(),
            shared_cluster_restricted: values.parse("shared_cluster_restricted", "true or false")?,
            sql_max_bytes: values.at_least("sql_max_bytes", "a number of bytes", 1)?,
            draft_limit: values.parse("draft_limit", "a number")?,
            user_spu_quota: values.at_least("user_spu_quota", "a number of SPUs", 0)?,
            shared_cluster_spus: values.at_least("shared_cluster_spus", "a number of SPUs", 0)?,
            worker_confinement: values.parse("worker_confinement", "auto, cgroup, limits or off")?,
            spu_memory: spu_memory(&values)?,
            clusters: ClusterOptions {
                project_spus: values.at_least("project_cluster_spus", "a number of SPUs", 0)?,
                spus: values.at_least("exclusive_spus", "a number of SPUs", 0)?,
                sold_out: values.parse("exclusive_spus_sold_out", "true or false")?,
                restricted: values.parse("exclusive_clusters_restricted", "true or false")?,
                manager_nodes: manager_nodes(&values.string("manager_nodes")?)?,
            },
            billing: billing(&values)?,
            edge_groups: edge_groups(&values.string("edge_groups")?)?,
            cluster_namespaces: match values.string("cluster_namespaces")?.as_str() {
                "auto" => NamespacesSetting::Auto,
                "on" => NamespacesSetting::On,
                "off" => NamespacesSetting::Off,
                other => bail!("`cluster_namespaces` is `{other}`, but must be auto, on or off"),
            },
            cluster_link_network: values
                .parse("cluster_link_network", "a network of IPv4 such as 100.127.0.0/16")?,
            job_loopback: values.parse("job_loopback", "true or false")?,
            restart_delay,
            restart_delay_max,
            public_url: values.url("public_url")?,
            internal_webhooks: values.parse("internal_webhooks", "true or false")?,
            mail: mail(&values)?,
            alarms: alarms(&values)?,
            objects: objects(&values)?,
        })
    }
}

/// The region is part of the URNs of topics, whose parts are separated by `:`.
fn region(values: &Values<'_>) -> anyhow::Result<String> {
    let region = values.string("region")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match (1..=64).contains(&region.len()) && region.bytes().all(fits) {
        true => Ok(region),
        false => values.refuse("region", "have 1 to 64 letters, digits, `-` and `_`"),
    }
}

fn billing(values: &Values<'_>) -> anyhow::Result<Option<BillingOptions>> {
    let price: Money = values.parse("spu_hour_price", "an amount such as 0.5")?;
    if price < Money::ZERO {
        bail!("`spu_hour_price` is `{price}`, but must be 0 or more");
    }
    let name = values.string("billing_unit")?;
    let Some(unit) = Unit::parse(&name) else {
        bail!(
            "`billing_unit` is `{name}`, but must be one of {}",
            Unit::ALL.map(|(name, _)| name).join(", ")
        );
    };
    match values.string("billing")?.as_str() {
        "off" => Ok(None),
        "on" => Ok(Some(BillingOptions { price, unit, ..BillingOptions::default() })),
        other => bail!("`billing` is `{other}`, but must be on or off"),
    }
}

fn token_life(values: &Values<'_>) -> anyhow::Result<Duration> {
    let hours: u64 = values.at_least("token_hours", "a number of hours", 1)?;
    match hours <= MOST_TOKEN_HOURS {
        true => Ok(Duration::from_secs(hours * 3_600)),
        false => values.refuse("token_hours", &format!("be at most {MOST_TOKEN_HOURS}")),
    }
}

/// A worker that reads nothing yet ran with a limit of 96 MiB, one that is not optimized with 192.
const LEAST_SPU_MEMORY_MIB: u64 = 256;

fn spu_memory(values: &Values<'_>) -> anyhow::Result<u64> {
    let mebibytes = values.at_least("spu_memory_mib", "a number of MiB", LEAST_SPU_MEMORY_MIB)?;
    Ok(mebibytes.saturating_mul(1 << 20))
}

fn restart_delays(values: &Values<'_>) -> anyhow::Result<(Duration, Duration)> {
    let first = values.seconds("restart_delay")?;
    let longest = values.seconds("restart_delay_max")?;
    if first > longest {
        bail!(
            "`restart_delay` is `{}`, but must not be more than `restart_delay_max`, which is `{}`",
            first.as_secs_f64(),
            longest.as_secs_f64()
        );
    }
    Ok((first, longest))
}

fn manager_nodes(text: &str) -> anyhow::Result<BTreeMap<i64, i64>> {
    let mut nodes = BTreeMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let sizes = pair.split_once(':').and_then(|(size, stock)| {
            Some((size.trim().parse::<i64>().ok()?, stock.trim().parse::<i64>().ok()?))
        });
        let known = match sizes {
            Some((size, stock)) if size >= 1 && stock >= 0 => nodes.insert(size, stock),
            _ => bail!("`manager_nodes` has `{pair}`, but must have pairs of size and number such as 2:100"),
        };
        if known.is_some() {
            bail!("`manager_nodes` has the size of `{pair}` twice");
        }
    }
    if nodes.is_empty() {
        bail!("`manager_nodes` is empty, but must have pairs of size and number such as 2:100");
    }
    Ok(nodes)
}

fn edge_groups(text: &str) -> anyhow::Result<Vec<EdgeGroup>> {
    let mut groups: Vec<EdgeGroup> = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (id, name) = entry.split_once('=').unwrap_or((entry, entry));
        let (id, name) = (id.trim(), name.trim());
        let is_id = (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_id || name.is_empty() {
            bail!(
                "`edge_groups` has `{entry}`, but must have ids of letters, digits, `-` and `_`, or `id=name`"
            );
        }
        if groups.iter().any(|group| group.id == id) {
            bail!("`edge_groups` has `{id}` twice");
        }
        groups.push(EdgeGroup { id: id.to_string(), name: name.to_string() });
    }
    Ok(groups)
}

fn s3_listen(values: &Values<'_>, listen: SocketAddr) -> anyhow::Result<Option<SocketAddr>> {
    match values.string("s3_listen")?.as_str() {
        "off" => Ok(None),
        "auto" => Ok(Some(SocketAddr::new(listen.ip(), port_after(listen, 1)))),
        _ => values.parse("s3_listen", "an address and port, `auto` or `off`").map(Some),
    }
}

/// Without a choice only this machine reaches the metrics, wherever the API is reached.
fn metrics_listen(values: &Values<'_>, listen: SocketAddr) -> anyhow::Result<Option<SocketAddr>> {
    match values.string("metrics_listen")?.as_str() {
        "off" => Ok(None),
        "auto" => {
            let ip = if listen.ip().is_loopback() { listen.ip() } else { Ipv4Addr::LOCALHOST.into() };
            Ok(Some(SocketAddr::new(ip, port_after(listen, 2))))
        }
        _ => values.parse("metrics_listen", "an address and port, `auto` or `off`").map(Some),
    }
}

/// Returns the port so many after that of `listen`, or a free one where there is none.
fn port_after(listen: SocketAddr, steps: u16) -> u16 {
    if listen.port() == 0 { 0 } else { listen.port().checked_add(steps).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{arguments, resolve};

    #[test]
    fn ports_beside_that_of_the_api_are_the_next_ones() {
        let port = |listen: &str, steps| port_after(listen.parse().unwrap(), steps);
        assert_eq!(port("127.0.0.1:8780", 2), 8782);
        assert_eq!((port("127.0.0.1:0", 2), port("127.0.0.1:65535", 1)), (0, 0));
    }

    #[test]
    fn edge_groups_have_ids_and_names() {
        let groups = edge_groups("line-1 = First line, line-2,").unwrap();
        let groups: Vec<_> = groups.iter().map(|group| (group.id.as_str(), group.name.as_str())).collect();
        assert_eq!(groups, [("line-1", "First line"), ("line-2", "line-2")]);
        assert!(edge_groups("").unwrap().is_empty());
        for wrong in ["a b", "=x", "a=", "a,a", "a/b"] {
            assert!(edge_groups(wrong).unwrap_err().to_string().contains("`edge_groups`"), "{wrong}");
        }
    }

    /// Returns the settings of a file with these lines.
    fn settings(lines: &str) -> anyhow::Result<Settings> {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("weir.toml");
        std::fs::write(&file, lines).unwrap();
        let command =
            clap::Command::new("weir").args(arguments().into_iter().map(|one| one.env(None::<&str>)));
        let matches = command.get_matches_from(["weir", "--config", file.to_str().unwrap()]);
        Settings::new(&resolve(&matches)?)
    }

    #[test]
    fn fractions_are_numbers_in_the_file() {
        let settings = settings("billing = \"on\"\nspu_hour_price = 0.25\nrestart_delay = 0.5").unwrap();
        assert_eq!(settings.billing.unwrap().price, "0.25".parse().unwrap());
        assert_eq!(settings.restart_delay, Duration::from_millis(500));
    }

    #[test]
    fn values_that_make_no_service_are_refused() {
        for (lines, reason) in [
            ("token_hours = 0", "`token_hours` is `0` (file"),
            ("token_hours = 87601", "`token_hours` is `87601`"),
            ("token_hours = 5124095576030431", "but must be at most 87600"),
            ("public_url = 'foo'", "`public_url` is `foo` (file"),
            ("public_url = 'ftp://x'", "but must begin with http:// or https://"),
            ("public_url = 'http://'", "`public_url` is `http://`"),
            ("keystone_endpoint = 'ftp://x/v3'", "`keystone_endpoint` is"),
            ("objects_endpoint = 'x:9000'", "`objects_endpoint` is"),
            ("smn_endpoint = 'x'", "`smn_endpoint` is"),
            ("user_spu_quota = -1", "but must be a number of SPUs, 0 or more"),
            ("shared_cluster_spus = -1", "`shared_cluster_spus` is `-1`"),
            ("exclusive_spus = -1", "`exclusive_spus` is `-1`"),
            ("project_cluster_spus = -1", "`project_cluster_spus` is `-1`"),
            ("sql_max_bytes = 0", "`sql_max_bytes` is `0`"),
            ("restart_delay = 301", "must not be more than `restart_delay_max`, which is `300`"),
            ("manager_nodes = '2:1,2:5'", "`manager_nodes` has the size of `2:5` twice"),
            ("region = 'a:b'", "`region` is `a:b`"),
            ("region = ''", "`region` is ``"),
            ("log_level = 'loud'", "`log_level` has `loud`"),
        ] {
            let refused = settings(lines).unwrap_err().to_string();
            assert!(refused.contains(reason), "{lines}: {refused}");
        }
    }

    #[test]
    fn options_that_only_go_with_another_one_are_not_ignored_without_it() {
        for (lines, missing) in [
            ("smtp_sender = 'a@b'", "`smtp_sender` needs `smtp_url`"),
            ("smn_project = 'p'", "`smn_project` needs `smn_endpoint`"),
            ("smn_access_key = 'a'", "`smn_access_key` needs `smn_endpoint`"),
            ("smn_secret_key = 's'", "`smn_secret_key` needs `smn_endpoint`"),
            ("smn_token = 't'", "`smn_token` needs `smn_endpoint`"),
            ("objects_region = 'r'", "`objects_region` needs `objects_endpoint`"),
            ("objects_access_key = 'a'", "`objects_access_key` needs `objects_endpoint`"),
            ("objects_secret_key = 's'", "`objects_secret_key` needs `objects_endpoint`"),
        ] {
            assert_eq!(settings(lines).unwrap_err().to_string(), missing);
        }
        let both = "smn_endpoint = 'http://x'\nsmn_project = 'p'\nsmn_token = 't'\nsmn_access_key = 'a'";
        let refused = settings(both).unwrap_err().to_string();
        assert!(refused.contains("`smn_token` or `smn_access_key`"), "{refused}");
        settings("smn_endpoint = 'http://x'\nsmn_project = 'p'\nsmn_token = 't'").unwrap();
        settings("objects_region = ''").unwrap();
    }
}
