//! The table of options. Flags, environment variables, the file, the help text and
//! `config/weir.toml` are all made from it.

/// One option of the service.
#[derive(Debug)]
pub struct ServiceOption {
    /// Name in the file; the flag has `-` for `_`, the environment variable is `WEIR_` and upper case.
    pub name: &'static str,
    /// Value when it is given nowhere.
    pub default: &'static str,
    /// One sentence.
    pub meaning: &'static str,
    /// Whether the value must not be shown.
    pub secret: bool,
}

impl ServiceOption {
    /// Returns the name of the environment variable.
    pub fn variable(&self) -> String {
        format!("WEIR_{}", self.name.to_uppercase())
    }

    /// Returns the flag, without the dashes before it.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

const fn option(name: &'static str, default: &'static str, meaning: &'static str) -> ServiceOption {
    ServiceOption { name, default, meaning, secret: false }
}

/// Every option of `weir serve`.
pub const OPTIONS: &[ServiceOption] = &[
    option("listen", "127.0.0.1:8780", "Address and port of the API; port 0 takes a free one."),
    option(
        "s3_listen",
        "auto",
        "Address and port of the S3 endpoint; `auto` is the port after that of `listen`, `off` opens none.",
    ),
    option(
        "metrics_listen",
        "auto",
        "Address and port of `/metrics`, which needs no credential and names the jobs of all projects; `auto` is loopback and the second port after that of `listen`, `off` opens none.",
    ),
    option("data", "weir-data", "Directory that holds everything the service keeps."),
    ServiceOption {
        name: "database",
        default: "",
        meaning: "PostgreSQL database with the metadata, postgres://user:password@host:port/database; empty keeps them in `weir.db` in the data directory.",
        secret: true,
    },
    option(
        "sealing_key_file",
        "",
        "File with the key that encrypts global variables and the secrets of access keys, made when it is missing; empty is `sealing.key` in the data directory.",
    ),
    option("region", "local", "Name of the region, as clients know it."),
    option("domain", "weir", "Name of the domain (account) made at the first start."),
    option("project", "", "Name of the project made at the first start; empty is the name of the region."),
    option(
        "user",
        "admin",
        "Name of the administrator made at the first start; its password comes from WEIR_ADMIN_PASSWORD.",
    ),
    option(
        "keystone_endpoint",
        "",
        "Keystone v3 service that has the accounts, such as http://keystone:5000/v3; empty keeps them here.",
    ),
    option("token_hours", "24", "Hours that a token is valid."),
    option("log_format", "text", "Form of log lines: `text` or `json`."),
    option(
        "log_level",
        "info",
        "Least severe level that is logged, or a filter such as `info,weir_engine=debug`.",
    ),
    option("time_zone", "UTC", "Time zone of jobs: an IANA name or an offset such as `+08:00`."),
    option(
        "file_directories",
        "",
        "Directories, separated by `:`, that `file` streams of jobs may use; none by default.",
    ),
    option(
        "shared_cluster_restricted",
        "true",
        "Whether jobs of the shared cluster are refused stream types that need an exclusive one.",
    ),
    option("sql_max_bytes", "10000", "Longest text of a job, in bytes."),
    option("draft_limit", "100", "Draft jobs that a project may have."),
    option("user_spu_quota", "1000", "SPUs that a user's jobs may hold together."),
    option("shared_cluster_spus", "1000", "SPUs of the shared cluster."),
    option(
        "worker_confinement",
        "auto",
        "What holds the worker of a job to its SPUs: `cgroup` (version 2, or the service does not start), `limits` of the process, `auto` for the first as far as the host has it and else the second, or `off`.",
    ),
    option(
        "spu_memory_mib",
        "4096",
        "Memory of an SPU, in MiB; with its core it is what a job may use for each SPU.",
    ),
    option("exclusive_spus", "1000", "SPUs of this installation for exclusive clusters."),
    option(
        "exclusive_spus_sold_out",
        "false",
        "Whether no more SPUs are given out for exclusive clusters; those that run go on.",
    ),
    option(
        "project_cluster_spus",
        "1000",
        "SPUs that all exclusive clusters of a project may have together.",
    ),
    option(
        "exclusive_clusters_restricted",
        "true",
        "Whether jobs of exclusive clusters reach only the subnet of the cluster and where its routes lead.",
    ),
    option(
        "cluster_namespaces",
        "auto",
        "Whether the jobs of each exclusive cluster run in a network namespace of their own: `on`, `off`, or `auto` for where the system and the rights of the service let it.",
    ),
    option(
        "cluster_link_network",
        "100.127.0.0/16",
        "Addresses for the links between these namespaces and this machine, four for each cluster.",
    ),
    option(
        "job_loopback",
        "false",
        "Whether jobs may connect to loopback and link-local addresses, such as a database on this machine.",
    ),
    option(
        "manager_nodes",
        "2:100,4:100,8:100,16:100",
        "Sizes, in SPUs, of manager nodes of exclusive clusters, and how many there are of each.",
    ),
    option(
        "billing",
        "off",
        "Whether what runs is metered and charged to the accounts: `on` or `off`; with `off` nothing costs.",
    ),
    option("spu_hour_price", "0.5", "Price of an SPU for an hour, with at most six places after the point."),
    option("billing_unit", "CNY", "Unit of all prices and balances: CNY, HKD, EUR, DEM or USD."),
    option(
        "edge_groups",
        "",
        "Groups of edge nodes that edge jobs may name: ids, or `id=name`, separated by commas. Such jobs are kept and not run.",
    ),
    option(
        "restart_delay",
        "10",
        "Seconds before a failed job with `restart_when_exception` is restarted; doubles with every failure.",
    ),
    option("restart_delay_max", "300", "Longest time, in seconds, before such a restart."),
    option(
        "public_url",
        "",
        "Address under which clients reach the API, for links in messages and the addresses of gateway sinks; empty is http:// and that of `listen`.",
    ),
    option(
        "internal_webhooks",
        "false",
        "Whether webhooks of topics may be at loopback, link-local and private addresses.",
    ),
    ServiceOption {
        name: "smtp_url",
        default: "",
        meaning: "Mail server for subscriptions by mail, `smtp://user:password@host:port`, with `?tls=required` for STARTTLS, or `smtps://`; empty is none.",
        secret: true,
    },
    option(
        "smtp_sender",
        "",
        "Who mails come from, such as `Weir <weir@example.com>`; needed with `smtp_url`.",
    ),
    option(
        "smn_endpoint",
        "",
        "Notification service elsewhere that gets the alarms of jobs; empty uses the topics of this service.",
    ),
    option("smn_project", "", "Id of the project at `smn_endpoint` that has the topics."),
    option("smn_access_key", "", "Access key for `smn_endpoint`, unless `smn_token` is given."),
    ServiceOption {
        name: "smn_secret_key",
        default: "",
        meaning: "Secret key for `smn_endpoint`.",
        secret: true,
    },
    ServiceOption {
        name: "smn_token",
        default: "",
        meaning: "Token for `smn_endpoint`, in place of an access key; it is not renewed.",
        secret: true,
    },
    option(
        "objects_endpoint",
        "",
        "S3-compatible endpoint that keeps the buckets; empty keeps them in the data directory.",
    ),
    option("objects_region", "local", "Region for signatures at `objects_endpoint`."),
    option("objects_access_key", "", "Access key for `objects_endpoint`."),
    ServiceOption {
        name: "objects_secret_key",
        default: "",
        meaning: "Secret key for `objects_endpoint`.",
        secret: true,
    },
];
