//! The reference model of what one user has: changed by acknowledged calls only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::calls::{Call, NewJob};
use crate::cluster::{Cluster, ClusterWanted};
use crate::job::{Chance, Job, Kind, Place, Wanted};
use crate::rest::Shown;

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
    /// Ids that were peerings, with those of their clusters.
    pub deleted_peerings: Vec<(i64, String)>,
    /// Where the jobs ran that were deleted since the last rest, and their SPUs: they hold them until their workers have ended.
    pub deleted_spus: Vec<(Place, i64)>,
    /// What the user has paid in, in millionths.
    pub paid: i64,
}

impl Reference {
    /// Notes that a call was acknowledged. `ids` are those of what it made.
    pub fn apply(&mut self, call: &Call, ids: &[String], sent: Instant) -> anyhow::Result<()> {
        let new =
            || ids.first().and_then(|id| id.parse().ok()).with_context(|| format!("no id for {call:?}"));
        match call {
            Call::CreateJob(job) => _ = self.jobs.insert(new()?, self.new_job(job)),
            Call::UpdateJob { job, desc, spus, .. } => {
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
                        let own = job.snapshots.then(|| format!("checkpoints/jobs/savepoint/{id}"));
                        await_savepoint(job, own);
                    }
                }
            }
            Call::Savepoint { job, path } => {
                let job = self.job(*job)?;
                ask(job, Wanted::Savepoint);
                await_savepoint(job, Some(path.clone()));
            }
            Call::Delete { jobs } => {
                for id in &jobs.jobs {
                    let Some(job) = self.jobs.remove(id) else { bail!("job {id} was deleted twice") };
                    if job.holds() != Chance::Never {
                        self.deleted_spus.push((job.place, job.spus));
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
            Call::CreateCluster { name, spus } => {
                self.clusters.insert(new()?, Cluster::new(name, *spus));
            }
            Call::StopCluster { cluster } => self.halt(*cluster, ClusterWanted::Stop)?,
            Call::DeleteCluster { cluster } => self.halt(*cluster, ClusterWanted::Delete)?,
            Call::RestartCluster { cluster } => self.cluster(*cluster)?.ask(ClusterWanted::Run),
            Call::DeletePeering { cluster, peering, .. } => {
                self.cluster(*cluster)?.apply(call, ids)?;
                self.deleted_peerings.push((*cluster, peering.clone()));
            }
            Call::UpdateCluster { cluster, .. }
            | Call::AddHosts { cluster, .. }
            | Call::UpdateHost { cluster, .. }
            | Call::DeleteHosts { cluster, .. }
            | Call::CreatePeering { cluster, .. }
            | Call::AnswerPeering { cluster, .. }
            | Call::CreateRoute { cluster, .. }
            | Call::DeleteRoute { cluster, .. } => self.cluster(*cluster)?.apply(call, ids)?,
        }
        Ok(())
    }

    /// The cluster is stopped or deleted, and each of its jobs that may hold SPUs is stopped with it.
    fn halt(&mut self, id: i64, wanted: ClusterWanted) -> anyhow::Result<()> {
        self.cluster(id)?.ask(wanted);
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
            desc: if new.kind.is_jar() { "-".into() } else { String::new() },
            kind: template.map_or(new.kind, |template| template.kind),
            spus: new.spus,
            restart: new.restart,
            snapshots: new.snapshots,
            place: new.place,
            wanted: Wanted::Nothing,
            settled: None,
            run_at: Instant::now(),
            savepoint: Chance::Never,
            savepoint_paths: BTreeSet::new(),
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
        let deleted =
            self.deleted_spus.iter().filter(|(was_in, _)| place.is_none_or(|place| *was_in == place));
        let deleted: i64 = deleted.map(|(_, spus)| spus).sum();
        let of_place = self.jobs.values().filter(|job| place.is_none_or(|place| job.place == place));
        of_place.fold((0, deleted), |(least, most), job| match job.holds() {
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
    pub fn settle(&mut self, id: i64, shown: &Shown) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.settled = Some(shown.status.clone());
        job.wounds.clear();
        if job.wanted == Wanted::Savepoint {
            job.wanted = Wanted::Run;
        }
        job.savepoint = if shown.has_savepoint { Chance::Certain } else { Chance::Never };
        job.savepoint_paths.clear();
        if shown.has_savepoint {
            job.savepoint_paths.insert(shown.savepoint_path.clone());
        }
    }

    /// Notes that all is at rest: clusters are what they should be, and deleted ones are gone.
    pub fn settle_clusters(&mut self) {
        self.deleted_spus.clear();
        for (id, cluster) in self.clusters.extract_if(.., |_, c| c.wanted == ClusterWanted::Delete) {
            self.deleted_clusters.push(id);
            self.deleted_peerings.extend(cluster.peerings.into_keys().map(|peering| (id, peering)));
        }
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

fn await_savepoint(job: &mut Job, path: Option<String>) {
    job.savepoint = job.savepoint.max(Chance::Possible);
    job.savepoint_paths.insert(path);
}

/// Returns the ids of what a call has made, as its answer tells them.
pub fn ids_of(answer: &Value) -> Vec<String> {
    let of_one = |answer: &Value| {
        let payload = &answer["payload"];
        let number = ["job_id", "template_id", "cluster_id", "host_id"]
            .iter()
            .find_map(|name| payload[*name].as_i64());
        let text = ["peering", "route"].iter().find_map(|name| answer[*name]["id"].as_str());
        number.map(|id| id.to_string()).or(text.map(str::to_string))
    };
    match answer.as_array() {
        Some(answers) => answers.iter().filter_map(of_one).collect(),
        None => of_one(answer).into_iter().collect(),
    }
}
