//! The calls that change something, and what the audit says of them.

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
    /// Whether the edge group or the JAR is none.
    pub flawed: bool,
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
        /// Whether the call for JAR jobs is used.
        as_jar: bool,
    },
    Run {
        jobs: Several,
        resume: bool,
    },
    Stop {
        jobs: Several,
        savepoint: bool,
    },
    /// Writes a savepoint and goes on.
    Savepoint {
        job: i64,
        path: String,
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
    CreatePeering {
        cluster: i64,
        network: String,
        name: String,
    },
    /// The owner of the other network accepts or rejects a peering.
    AnswerPeering {
        cluster: i64,
        peering: String,
        accept: bool,
    },
    DeletePeering {
        cluster: i64,
        peering: String,
        /// Whether the owner of the other network does it.
        over_vpc: bool,
    },
    CreateRoute {
        cluster: i64,
        peering: String,
        destination: String,
    },
    DeleteRoute {
        cluster: i64,
        peering: String,
        route: String,
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
    /// The event of further records: of the jobs that are stopped with their cluster, whose number only the service knows.
    pub follows: Option<&'static str>,
}

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Id(String),
    Named(String),
    /// The account, whose id nobody needs.
    Account,
}

impl Call {
    /// Returns what the audit says when the call is acknowledged.
    pub fn trail(&self) -> Trail {
        let id = |id: &i64| Resource::Id(id.to_string());
        let named = |name: &String| Resource::Named(name.clone());
        let one = |event, resource| Trail { event, resources: vec![resource], follows: None };
        let halt = |event, cluster| Trail { follows: Some("stopJob"), ..one(event, id(cluster)) };
        let several = |event, jobs: &Several| {
            let resources = jobs.jobs.iter().map(id).collect();
            Trail { event, resources, follows: None }
        };
        match self {
            Self::CreateJob(job) => one("createJob", named(&job.name)),
            Self::UpdateJob { job, .. } => one("updateJob", id(job)),
            Self::Run { jobs, .. } => several("startJob", jobs),
            Self::Stop { jobs, .. } => several("stopJob", jobs),
            Self::Savepoint { job, .. } => one("triggerSavepoint", id(job)),
            Self::Delete { jobs } => several("deleteJob", jobs),
            Self::CreateTemplate { name, .. } => one("createTemplate", named(name)),
            Self::UpdateTemplate { template, .. } => one("updateTemplate", id(template)),
            Self::DeleteTemplate { template } => one("deleteTemplate", id(template)),
            Self::SetQuota { user, .. } => one("updateUserQuota", Resource::Id(user.clone())),
            Self::CreateCluster { name, .. } => one("createCluster", named(name)),
            Self::UpdateCluster { cluster, .. } => one("updateCluster", id(cluster)),
            Self::StopCluster { cluster } => halt("stopCluster", cluster),
            Self::RestartCluster { cluster } => one("restartCluster", id(cluster)),
            Self::DeleteCluster { cluster } => halt("deleteCluster", cluster),
            Self::AddHosts { cluster, .. } => one("addHosts", id(cluster)),
            Self::UpdateHost { cluster, .. } => one("updateHosts", id(cluster)),
            Self::DeleteHosts { cluster, .. } => one("deleteHosts", id(cluster)),
            Self::CreatePeering { cluster, .. } => one("createPeering", id(cluster)),
            Self::AnswerPeering { cluster, accept: true, .. } => one("acceptPeering", id(cluster)),
            Self::AnswerPeering { cluster, accept: false, .. } => one("rejectPeering", id(cluster)),
            Self::DeletePeering { cluster, .. } => one("deletePeering", id(cluster)),
            Self::CreateRoute { cluster, .. } => one("createRoute", id(cluster)),
            Self::DeleteRoute { cluster, .. } => one("deleteRoute", id(cluster)),
            Self::TopUp { .. } => one("topUpAccount", Resource::Account),
        }
    }
}
