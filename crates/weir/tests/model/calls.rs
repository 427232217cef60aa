//! The calls that change something: how they go over the wire, and what the audit says of them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::job::{Kind, Place};

/// What a new job is.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub name: String,
    pub kind: Kind,
    pub spus: i64,
    pub restart: bool,
    pub snapshots: bool,
    pub place: Place,
    /// The text comes from it.
    pub template: Option<i64>,
}

/// Several jobs of one call, all or none.
#[derive(Debug, Clone)]
pub struct Several {
    pub jobs: Vec<i64>,
    /// Whether the call for many is used; the other one takes one job only.
    pub batch: bool,
}

/// A call that changes something.
#[derive(Debug, Clone)]
pub enum Call {
    CreateJob(NewJob),
    UpdateJob {
        job: i64,
        desc: String,
        spus: i64,
    },
    Run {
        jobs: Several,
        resume: bool,
    },
    Stop {
        jobs: Several,
        savepoint: bool,
    },
    Delete {
        jobs: Several,
    },
    CreateTemplate {
        name: String,
        kind: Kind,
    },
    UpdateTemplate {
        template: i64,
        kind: Kind,
    },
    DeleteTemplate {
        template: i64,
    },
    SetQuota {
        user: String,
        spus: i64,
    },
    CreateCluster {
        name: String,
        spus: i64,
    },
    UpdateCluster {
        cluster: i64,
        desc: String,
        spus: i64,
    },
    StopCluster {
        cluster: i64,
    },
    RestartCluster {
        cluster: i64,
    },
    DeleteCluster {
        cluster: i64,
    },
    AddHosts {
        cluster: i64,
        names: Vec<String>,
    },
    UpdateHost {
        cluster: i64,
        host: i64,
        name: String,
    },
    DeleteHosts {
        cluster: i64,
        hosts: Vec<i64>,
    },
    /// Pays in millionths.
    TopUp {
        amount: i64,
    },
}

/// Millionths in a unit of money.
pub const MILLIONTHS: f64 = 1e6;

/// The records that an acknowledged call leaves: the event, and of each resource its id, or its name when the id is new.
pub struct Trail {
    pub event: &'static str,
    pub resources: Vec<Resource>,
}

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Id(String),
    Named(String),
    /// The account, whose id nobody needs.
    Account,
}

/// The address that hosts are mapped to; tells nobody anything.
pub const HOST_ADDRESS: &str = "10.9.8.7";

impl Call {
    /// Returns the request.
    pub fn request(&self) -> (Method, String, Option<Value>) {
        let path = |rest: String| format!("/v1.0/{{project}}/{rest}");
        let cluster = |id: &i64, rest: &str| path(format!("reserved_cluster/{id}{rest}"));
        match self {
            Self::CreateJob(job) => (Method::POST, path("sql_job".into()), Some(job.body())),
            Self::UpdateJob { job, desc, spus } => {
                let body = json!({"job_id": job, "desc": desc, "spu_number": spus});
                (Method::PATCH, path("sql_job".into()), Some(body))
            }
            Self::Run { jobs, resume } => {
                jobs.request(Method::POST, "/run", &format!("?resumeSavePoint={resume}"))
            }
            Self::Stop { jobs, savepoint } => {
                jobs.request(Method::POST, "/stop", &format!("?triggerSavePoint={savepoint}"))
            }
            Self::Delete { jobs } => jobs.request(Method::DELETE, "", ""),
            Self::CreateTemplate { name, kind } => {
                let body = json!({"name": name, "sql_body": kind.sql()});
                (Method::POST, path("job_template".into()), Some(body))
            }
            Self::UpdateTemplate { template, kind } => {
                let body = json!({"id": template, "sql_body": kind.sql()});
                (Method::PATCH, path("job_template".into()), Some(body))
            }
            Self::DeleteTemplate { template } => {
                (Method::DELETE, path(format!("job_template/{template}")), None)
            }
            Self::SetQuota { user, spus } => {
                (Method::PATCH, path(format!("user_quota/{user}")), Some(json!({"spu_quota": spus})))
            }
            Self::CreateCluster { name, spus } => {
                let body = json!({"name": name, "maximum_spu_quota": spus});
                (Method::POST, path("reserved_cluster".into()), Some(body))
            }
            Self::UpdateCluster { cluster: id, desc, spus } => {
                let body = json!({"desc": desc, "maximum_spu_quota": spus});
                (Method::PATCH, cluster(id, ""), Some(body))
            }
            Self::StopCluster { cluster: id } => (Method::POST, cluster(id, "/stop"), None),
            Self::RestartCluster { cluster: id } => (Method::POST, cluster(id, "/restart"), None),
            Self::DeleteCluster { cluster: id } => (Method::DELETE, cluster(id, ""), None),
            Self::AddHosts { cluster: id, names } => {
                let hosts: Vec<Value> =
                    names.iter().map(|name| json!({"hostname": name, "ip": HOST_ADDRESS})).collect();
                (Method::POST, cluster(id, "/hosts"), Some(json!({"hosts_info": hosts})))
            }
            Self::UpdateHost { cluster: id, host, name } => {
                let body = json!({"hosts_info": {"hostname": name, "ip": HOST_ADDRESS}});
                (Method::PATCH, cluster(id, &format!("/hosts/{host}")), Some(body))
            }
            Self::TopUp { amount } => {
                let body = json!({"amount": *amount as f64 / MILLIONTHS});
                (Method::POST, path("billing/top_up".into()), Some(body))
            }
            Self::DeleteHosts { cluster: id, hosts } => {
                (Method::DELETE, cluster(id, "/hosts"), Some(json!({"hosts_id": hosts})))
            }
        }
    }

    /// Returns what the audit says when the call is acknowledged.
    pub fn trail(&self) -> Trail {
        let id = |id: &i64| Resource::Id(id.to_string());
        let named = |name: &String| Resource::Named(name.clone());
        let one = |event, resource| Trail { event, resources: vec![resource] };
        let several = |event, jobs: &Several| Trail { event, resources: jobs.jobs.iter().map(id).collect() };
        match self {
            Self::CreateJob(job) => one("createJob", named(&job.name)),
            Self::UpdateJob { job, .. } => one("updateJob", id(job)),
            Self::Run { jobs, .. } => several("startJob", jobs),
            Self::Stop { jobs, .. } => several("stopJob", jobs),
            Self::Delete { jobs } => several("deleteJob", jobs),
            Self::CreateTemplate { name, .. } => one("createTemplate", named(name)),
            Self::UpdateTemplate { template, .. } => one("updateTemplate", id(template)),
            Self::DeleteTemplate { template } => one("deleteTemplate", id(template)),
            Self::SetQuota { user, .. } => one("updateUserQuota", Resource::Id(user.clone())),
            Self::CreateCluster { name, .. } => one("createCluster", named(name)),
            Self::UpdateCluster { cluster, .. } => one("updateCluster", id(cluster)),
            Self::StopCluster { cluster } => one("stopCluster", id(cluster)),
            Self::RestartCluster { cluster } => one("restartCluster", id(cluster)),
            Self::DeleteCluster { cluster } => one("deleteCluster", id(cluster)),
            Self::AddHosts { cluster, .. } => one("addHosts", id(cluster)),
            Self::UpdateHost { cluster, .. } => one("updateHosts", id(cluster)),
            Self::DeleteHosts { cluster, .. } => one("deleteHosts", id(cluster)),
            Self::TopUp { .. } => one("topUpAccount", Resource::Account),
        }
    }
}

impl NewJob {
    fn body(&self) -> Value {
        let mut body = json!({
            "name": self.name, "spu_number": self.spus, "restart_when_exception": self.restart,
            "run_mode": if self.place == Place::Shared { "shared_cluster" } else { "exclusive_cluster" },
        });
        if let Place::Cluster(id) = self.place {
            body["cluster_id"] = json!(id);
        }
        match self.template {
            Some(template) => body["template_id"] = json!(template),
            None => body["sql_body"] = json!(self.kind.sql()),
        }
        if self.snapshots {
            body["checkpoint_enabled"] = json!(true);
            body["checkpoint_mode"] = json!("exactly_once");
            body["checkpoint_interval"] = json!(1);
            body["obs_bucket"] = json!("checkpoints");
        }
        body
    }
}

impl Several {
    fn request(&self, method: Method, verb: &str, query: &str) -> (Method, String, Option<Value>) {
        match self.jobs.first().filter(|_| !self.batch) {
            Some(job) => (method, format!("/v1.0/{{project}}/job/{job}{verb}{query}"), None),
            None => (method, format!("/v1.0/{{project}}/job{verb}{query}"), Some(json!(self.jobs))),
        }
    }
}
