//! Chooses the next call of a user.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};

use crate::calls::{Call, NewJob, Several};
use crate::cluster::{Cluster, ClusterWanted, PeeringState};
use crate::job::{Chance, Kind, Place};
use crate::reference::Reference;

/// Jobs of a user; more are deleted again.
const JOBS: usize = 7;
const TEMPLATES: usize = 3;
const HOSTS: usize = 5;
const DESTINATIONS: u8 = 4;

/// SPUs of a job, of a user and of a cluster: small, so that they are used up now and then.
const JOB_SPUS: std::ops::RangeInclusive<i64> = 2..=4;
const QUOTAS: std::ops::RangeInclusive<i64> = 4..=12;
const CLUSTER_SPUS: std::ops::RangeInclusive<i64> = 4..=7;

/// Chooses calls.
pub struct Choice {
    random: StdRng,
    /// Begins the names of what the user makes.
    prefix: String,
    /// Ids of networks that clusters can be connected with.
    networks: Vec<String>,
    made: u32,
}

impl Choice {
    pub fn new(random: StdRng, prefix: &str, networks: &[String]) -> Self {
        Self { random, prefix: prefix.to_string(), networks: networks.to_vec(), made: 0 }
    }

    /// Chooses a call.
    pub fn next(&mut self, model: &Reference) -> Call {
        match self.random.random_range(0..115) {
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
            84..90 => self.savepoint(model),
            90..99 => self.peering(model),
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
        let template = model.templates.keys().choose(&mut self.random).copied();
        let mut job = NewJob {
            name,
            kind: self.kind(),
            spus: self.random.random_range(JOB_SPUS),
            restart: self.random.random(),
            snapshots: self.random.random(),
            place: cluster.filter(|_| self.random.random_ratio(2, 5)).map_or(Place::Shared, Place::Cluster),
            template: template.filter(|_| self.random.random_ratio(1, 4)),
            flawed: false,
        };
        if self.random.random_ratio(1, 6) {
            self.make_kept_only(&mut job, cluster);
        }
        Call::CreateJob(job)
    }

    /// Makes a job one that is kept and not run; those with a JAR need a cluster.
    fn make_kept_only(&mut self, job: &mut NewJob, cluster: Option<i64>) {
        job.template = None;
        job.flawed = self.random.random_ratio(1, 5);
        (job.kind, job.place) = match (self.random.random_range(0..3), cluster) {
            (0, _) | (_, None) => (Kind::Edge, Place::Edge),
            (1, Some(id)) => (Kind::Jar, Place::Cluster(id)),
            (_, Some(id)) => (Kind::UploadedJar, Place::Cluster(id)),
        };
        job.snapshots &= job.kind == Kind::Edge;
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
        let is_jar = model.jobs.get(&job).is_some_and(|job| job.kind.is_jar());
        // The call for the other type now and then.
        let as_jar = is_jar != self.random.random_ratio(1, 15);
        Call::UpdateJob { job, desc, spus: self.random.random_range(JOB_SPUS), as_jar }
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

    fn savepoint(&mut self, model: &Reference) -> Call {
        let often = self.random.random_ratio(9, 10);
        let jobs = self.jobs(model, |id| !often || model.jobs[&id].holds() == Chance::Certain).jobs;
        let job = jobs.first().copied().unwrap_or(1);
        Call::Savepoint { job, path: format!("checkpoints/asked/{}", self.name("savepoint")) }
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

    fn peering(&mut self, model: &Reference) -> Call {
        let Some((&cluster, present)) = model.clusters.iter().choose(&mut self.random) else {
            return self.cluster(model);
        };
        let peering = present.peerings.iter().choose(&mut self.random);
        let Some((id, peering)) = peering.filter(|_| self.random.random_ratio(5, 6)) else {
            return match model
                .deleted_peerings
                .choose(&mut self.random)
                .filter(|_| self.random.random_ratio(1, 8))
            {
                Some((cluster, peering)) => {
                    Call::AnswerPeering { cluster: *cluster, peering: peering.clone(), accept: true }
                }
                None => {
                    let network = self.networks.choose(&mut self.random).cloned().unwrap_or_default();
                    Call::CreatePeering { cluster, network, name: self.name("peering") }
                }
            };
        };
        let id = id.clone();
        let route = peering.routes.keys().choose(&mut self.random);
        match (self.random.random_range(0..100), route) {
            (0..10, _) => Call::DeletePeering { cluster, peering: id, over_vpc: self.random.random() },
            (10..20, _) => Call::AnswerPeering { cluster, peering: id, accept: self.random.random() },
            (20..80, _) if peering.state == PeeringState::Asked => {
                Call::AnswerPeering { cluster, peering: id, accept: self.random.random_ratio(4, 5) }
            }
            (20..45, Some(route)) => Call::DeleteRoute { cluster, peering: id, route: route.clone() },
            _ => {
                let destination = format!("192.168.{}.0/24", self.random.random_range(0..DESTINATIONS));
                Call::CreateRoute { cluster, peering: id, destination }
            }
        }
    }
}
