//! Chooses the next call of a user.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};

use crate::calls::{Call, NewJob, Several};
use crate::job::{Chance, Kind, Place};
use crate::reference::{Cluster, ClusterWanted, Reference};

/// Jobs of a user; more are deleted again.
const JOBS: usize = 7;
const TEMPLATES: usize = 3;
const HOSTS: usize = 5;

/// SPUs of a job, of a user and of a cluster: small, so that they are used up now and then.
const JOB_SPUS: std::ops::RangeInclusive<i64> = 2..=4;
const QUOTAS: std::ops::RangeInclusive<i64> = 4..=12;
const CLUSTER_SPUS: std::ops::RangeInclusive<i64> = 4..=7;

/// Chooses calls.
pub struct Choice {
    random: StdRng,
    /// Begins the names of what the user makes.
    prefix: String,
    made: u32,
}

impl Choice {
    pub fn new(random: StdRng, prefix: &str) -> Self {
        Self { random, prefix: prefix.to_string(), made: 0 }
    }

    /// Chooses a call.
    pub fn next(&mut self, model: &Reference) -> Call {
        match self.random.random_range(0..100) {
            0..16 if model.jobs.len() < JOBS => self.create_job(model),
            0..22 => self.update_job(model),
            22..50 => self.run(model),
            50..66 => self.stop(model),
            66..73 => {
                let jobs = self.jobs(model, |_| true);
                Call::Delete { jobs }
            }
            73..79 => self.template(model),
            79..81 => Call::TopUp { amount: self.random.random_range(1..5_000_000) },
            81..84 => {
                let spus = self.random.random_range(QUOTAS);
                Call::SetQuota { user: model.user.clone(), spus }
            }
            _ => self.cluster(model),
        }
    }

    fn name(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{}-{what}-{}", self.prefix, self.made)
    }

    fn create_job(&mut self, model: &Reference) -> Call {
        let taken = model.jobs.values().choose(&mut self.random).map(|job| job.name.clone());
        let name = match taken.filter(|_| self.random.random_ratio(1, 12)) {
            Some(taken) => taken,
            None => self.name("job"),
        };
        let cluster = model.clusters.keys().choose(&mut self.random).copied();
        let place = cluster.filter(|_| self.random.random_ratio(2, 5)).map_or(Place::Shared, Place::Cluster);
        let template = model.templates.keys().choose(&mut self.random).copied();
        Call::CreateJob(NewJob {
            name,
            kind: self.kind(),
            spus: self.random.random_range(JOB_SPUS),
            restart: self.random.random(),
            snapshots: self.random.random(),
            place,
            template: template.filter(|_| self.random.random_ratio(1, 4)),
        })
    }

    fn kind(&mut self) -> Kind {
        match self.random.random_range(0..10) {
            0..7 => Kind::Endless,
            7..9 => Kind::Bounded,
            _ => Kind::Wrong,
        }
    }

    fn update_job(&mut self, model: &Reference) -> Call {
        let jobs = self.jobs(model, |_| true).jobs;
        let job = jobs.first().copied().unwrap_or(1);
        let desc = self.name("text");
        Call::UpdateJob { job, desc, spus: self.random.random_range(JOB_SPUS) }
    }

    fn run(&mut self, model: &Reference) -> Call {
        let often = self.random.random_ratio(9, 10);
        let jobs = self.jobs(model, |id| !often || model.jobs[&id].holds() != Chance::Certain);
        let saved = |id: &i64| model.jobs.get(id).is_some_and(|job| job.savepoint != Chance::Never);
        let resume = match jobs.jobs.iter().all(saved) {
            true => self.random.random_ratio(2, 3),
            false => self.random.random_ratio(1, 15),
        };
        Call::Run { jobs, resume }
    }

    fn stop(&mut self, model: &Reference) -> Call {
        let often = self.random.random_ratio(9, 10);
        let jobs = self.jobs(model, |id| !often || model.jobs[&id].holds() != Chance::Never);
        Call::Stop { jobs, savepoint: self.random.random_ratio(2, 5) }
    }

    /// Chooses one job, or several now and then; seldom one that was deleted.
    fn jobs(&mut self, model: &Reference, preferred: impl Fn(i64) -> bool) -> Several {
        let several = self.random.random_ratio(1, 4);
        let count = if several { self.random.random_range(1..=3) } else { 1 };
        let mut jobs: Vec<i64> =
            model.jobs.keys().copied().filter(|id| preferred(*id)).choose_multiple(&mut self.random, count);
        let deleted = model.deleted_jobs.choose(&mut self.random).copied();
        if jobs.is_empty() || self.random.random_ratio(1, 25) {
            // An id that never was a job will do when none was deleted.
            jobs.push(deleted.unwrap_or(1_000_000));
        }
        Several { batch: several || jobs.len() > 1, jobs }
    }

    fn template(&mut self, model: &Reference) -> Call {
        let template = model.templates.keys().choose(&mut self.random).copied();
        match template {
            Some(template) if self.random.random_ratio(1, 3) => Call::DeleteTemplate { template },
            Some(template) if self.random.random() => Call::UpdateTemplate { template, kind: self.kind() },
            Some(template) if model.templates.len() >= TEMPLATES => Call::DeleteTemplate { template },
            _ => Call::CreateTemplate { name: self.name("template"), kind: self.kind() },
        }
    }

    fn cluster(&mut self, model: &Reference) -> Call {
        let spus = self.random.random_range(CLUSTER_SPUS);
        let usable = |cluster: &Cluster| cluster.wanted != ClusterWanted::Delete;
        let present = model.clusters.iter().filter(|(_, cluster)| usable(cluster)).choose(&mut self.random);
        let deleted = model.deleted_clusters.choose(&mut self.random).copied();
        let Some((&id, cluster)) = present else {
            return match deleted.filter(|_| self.random.random_ratio(1, 10)) {
                Some(cluster) => Call::RestartCluster { cluster },
                None => Call::CreateCluster { name: self.name("cluster"), spus },
            };
        };
        let host = cluster.hosts.keys().choose(&mut self.random).copied();
        match (self.random.random_range(0..100), cluster.wanted) {
            (0..15, _) => Call::DeleteCluster { cluster: id },
            (15..30, ClusterWanted::Run) | (15..20, _) => Call::StopCluster { cluster: id },
            (15..60, ClusterWanted::Stop) | (30..35, _) => Call::RestartCluster { cluster: id },
            (35..60, _) => Call::UpdateCluster { cluster: id, desc: self.name("text"), spus },
            (_, _) if cluster.hosts.len() >= HOSTS => {
                Call::DeleteHosts { cluster: id, hosts: cluster.hosts.keys().copied().take(2).collect() }
            }
            (60..75, _) if host.is_some() => {
                Call::UpdateHost { cluster: id, host: host.unwrap_or(0), name: self.name("host") }
            }
            _ => {
                let names = (0..self.random.random_range(1..=2)).map(|_| self.name("host")).collect();
                Call::AddHosts { cluster: id, names }
            }
        }
    }
}
