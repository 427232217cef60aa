//! The reference model of what one user has: changed by acknowledged calls only.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::calls::{Call, NewJob};
use crate::job::{Chance, Job, Kind, Place, Wanted};

/// What was last asked of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterWanted {
    Run,
    Stop,
    Delete,
}

/// An exclusive cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub name: String,
    pub desc: String,
    pub spus: i64,
    pub wanted: ClusterWanted,
    /// Whether it has come to rest since.
    pub settled: bool,
    /// Host names by the id of the mapping.
    pub hosts: BTreeMap<i64, String>,
}

/// A template.
#[derive(Debug, Clone)]
pub struct Template {
    pub name: String,
    pub kind: Kind,
}

/// What one user has.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// The id of the user.
    pub user: String,
    pub quota: i64,
    pub jobs: BTreeMap<i64, Job>,
    /// Ids that were jobs.
    pub deleted_jobs: Vec<i64>,
    pub templates: BTreeMap<i64, Template>,
    pub clusters: BTreeMap<i64, Cluster>,
    /// Ids that were clusters.
    pub deleted_clusters: Vec<i64>,
    /// SPUs of jobs of the shared cluster that were deleted since the last rest.
    pub deleted_spus: i64,
    /// What the user has paid in, in millionths.
    pub paid: i64,
}

impl Reference {
    /// Notes that a call was acknowledged. `ids` are those of what it made.
    pub fn apply(&mut self, call: &Call, ids: &[i64], sent: Instant) -> anyhow::Result<()> {
        let new = || ids.first().copied().with_context(|| format!("no id for {call:?}"));
        match call {
            Call::CreateJob(job) => _ = self.jobs.insert(new()?, self.new_job(job)),
            Call::UpdateJob { job, desc, spus } => {
                let job = self.job(*job)?;
                job.desc.clone_from(desc);
                job.spus = *spus;
            }
            Call::Run { jobs, .. } => {
                for id in &jobs.jobs {
                    let job = self.job(*id)?;
                    ask(job, Wanted::Run);
                    job.run_at = sent;
                    job.wounds.retain(|at| *at >= sent);
                    // It ends its life when the job is up.
                    job.savepoint = job.savepoint.min(Chance::Possible);
                }
            }
            Call::Stop { jobs, savepoint } => {
                for id in &jobs.jobs {
                    let job = self.job(*id)?;
                    ask(job, if *savepoint { Wanted::SavepointAndStop } else { Wanted::Stop });
                    if *savepoint {
                        job.savepoint = Chance::Possible;
                    }
                }
            }
            Call::Delete { jobs } => {
                for id in &jobs.jobs {
                    let Some(job) = self.jobs.remove(id) else { bail!("job {id} was deleted twice") };
                    if job.place == Place::Shared && job.holds() != Chance::Never {
                        self.deleted_spus += job.spus;
                    }
                    self.deleted_jobs.push(*id);
                }
            }
            Call::CreateTemplate { name, kind } => {
                self.templates.insert(new()?, Template { name: name.clone(), kind: *kind });
            }
            Call::UpdateTemplate { template, kind } => {
                self.templates.get_mut(template).context("no such template")?.kind = *kind;
            }
            Call::DeleteTemplate { template } => {
                self.templates.remove(template).context("a template was deleted twice")?;
            }
            Call::SetQuota { spus, .. } => self.quota = *spus,
            Call::TopUp { amount } => self.paid += amount,
            _ => return self.apply_to_cluster(call, ids),
        }
        Ok(())
    }

    fn apply_to_cluster(&mut self, call: &Call, ids: &[i64]) -> anyhow::Result<()> {
        match call {
            Call::CreateCluster { name, spus } => {
                let cluster = Cluster {
                    name: name.clone(),
                    desc: String::new(),
                    spus: *spus,
                    wanted: ClusterWanted::Run,
                    settled: false,
                    hosts: BTreeMap::new(),
                };
                self.clusters.insert(*ids.first().context("no id of a cluster")?, cluster);
            }
            Call::UpdateCluster { cluster, desc, spus } => {
                let cluster = self.cluster(*cluster)?;
                cluster.desc.clone_from(desc);
                if cluster.spus != *spus {
                    cluster.spus = *spus;
                    cluster.settled = false;
                }
            }
            Call::StopCluster { cluster } => self.halt(*cluster, ClusterWanted::Stop)?,
            Call::DeleteCluster { cluster } => self.halt(*cluster, ClusterWanted::Delete)?,
            Call::RestartCluster { cluster } => {
                let cluster = self.cluster(*cluster)?;
                cluster.wanted = ClusterWanted::Run;
                cluster.settled = false;
            }
            Call::AddHosts { cluster, names } => {
                let hosts = &mut self.cluster(*cluster)?.hosts;
                hosts.extend(ids.iter().copied().zip(names.iter().cloned()));
            }
            Call::UpdateHost { cluster, host, name } => {
                self.cluster(*cluster)?.hosts.insert(*host, name.clone());
            }
            Call::DeleteHosts { cluster, hosts } => {
                self.cluster(*cluster)?.hosts.retain(|id, _| !hosts.contains(id));
            }
            _ => bail!("{call:?} is about no cluster"),
        }
        Ok(())
    }

    /// The cluster is stopped or deleted, and each of its jobs that may hold SPUs is stopped with it.
    fn halt(&mut self, id: i64, wanted: ClusterWanted) -> anyhow::Result<()> {
        let cluster = self.cluster(id)?;
        cluster.wanted = wanted;
        cluster.settled = false;
        for job in self.jobs.values_mut().filter(|job| job.place == Place::Cluster(id)) {
            if job.holds() != Chance::Never && job.wanted != Wanted::Stop {
                ask(job, Wanted::ClusterStop);
            }
        }
        Ok(())
    }

    fn new_job(&self, new: &NewJob) -> Job {
        let template = new.template.and_then(|id| self.templates.get(&id));
        Job {
            name: new.name.clone(),
            desc: String::new(),
            kind: template.map_or(new.kind, |template| template.kind),
            spus: new.spus,
            restart: new.restart,
            snapshots: new.snapshots,
            place: new.place,
            wanted: Wanted::Nothing,
            settled: None,
            run_at: Instant::now(),
            savepoint: Chance::Never,
            wounds: Vec::new(),
        }
    }

    fn job(&mut self, id: i64) -> anyhow::Result<&mut Job> {
        self.jobs.get_mut(&id).with_context(|| format!("there is no job {id} in the model"))
    }

    fn cluster(&mut self, id: i64) -> anyhow::Result<&mut Cluster> {
        self.clusters.get_mut(&id).with_context(|| format!("there is no cluster {id} in the model"))
    }

    /// Returns the least and the most SPUs that the jobs of a place may hold now; `None` is any place.
    pub fn held(&self, place: Option<Place>) -> (i64, i64) {
        let of_place = self.jobs.values().filter(|job| place.is_none_or(|place| job.place == place));
        of_place.fold((0, 0), |(least, most), job| match job.holds() {
            Chance::Never => (least, most),
            Chance::Possible => (least, most + job.spus),
            Chance::Certain => (least + job.spus, most + job.spus),
        })
    }

    /// Notes that the worker of a job was killed at a moment.
    pub fn wound(&mut self, id: i64, at: Instant) {
        if let Some(job) = self.jobs.get_mut(&id).filter(|job| at >= job.run_at) {
            job.wounds.push(at);
        }
    }

    /// Notes what a rest has shown of a job.
    pub fn settle(&mut self, id: i64, status: &str, savepoint: bool) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.settled = Some(status.to_string());
            job.wounds.clear();
            job.savepoint = if savepoint { Chance::Certain } else { Chance::Never };
        }
    }

    /// Notes that all is at rest: clusters are what they should be, and deleted ones are gone.
    pub fn settle_clusters(&mut self) {
        self.deleted_spus = 0;
        let is_gone = |cluster: &Cluster| cluster.wanted == ClusterWanted::Delete;
        self.deleted_clusters.extend(self.clusters.iter().filter(|(_, c)| is_gone(c)).map(|(id, _)| *id));
        self.clusters.retain(|_, cluster| !is_gone(cluster));
        self.clusters.values_mut().for_each(|cluster| cluster.settled = true);
        for job in self.jobs.values_mut() {
            if matches!(job.place, Place::Cluster(id) if !self.clusters.contains_key(&id)) {
                job.place = Place::Nowhere;
            }
        }
    }
}

fn ask(job: &mut Job, wanted: Wanted) {
    job.wanted = wanted;
    job.settled = None;
}

/// Returns the ids of what a call has made, as its answer tells them.
pub fn ids_of(answer: &Value) -> Vec<i64> {
    let of_one = |answer: &Value| {
        let payload = &answer["payload"];
        ["job_id", "template_id", "cluster_id", "host_id"].iter().find_map(|name| payload[*name].as_i64())
    };
    match answer.as_array() {
        Some(answers) => answers.iter().filter_map(of_one).collect(),
        None => of_one(answer).into_iter().collect(),
    }
}
