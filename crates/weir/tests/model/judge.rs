//! Whether an answer is one that the model can explain.

use anyhow::{bail, ensure};

use crate::calls::{Call, NewJob, Several};
use crate::cluster::{Cluster, ClusterWanted, Peering, PeeringState};
use crate::job::{Chance, Job, Kind, Place};
use crate::reference::Reference;

/// SPUs of the shared cluster.
pub const SHARED_SPUS: i64 = 14;

/// A reason to refuse a call: whether it holds, and the codes that say so.
type Reason = (Chance, &'static [&'static str]);

const NEVER: Reason = (Chance::Never, &[]);

/// What the other users may do to the call of one.
#[derive(Debug, Clone, Copy)]
pub struct Others {
    /// The most SPUs of the shared cluster that their jobs may have held since the last rest.
    pub shared_spus: i64,
}

/// Accepts the answer to a call, or says why it cannot be right: `refused` has the code of a refusal.
pub fn judge(model: &Reference, call: &Call, refused: Option<&str>, others: Others) -> anyhow::Result<()> {
    let reasons = reasons(model, call, others);
    let Some(code) = refused else {
        let broken = reasons.iter().find(|(chance, _)| *chance == Chance::Certain);
        ensure!(broken.is_none(), "{call:?} was acknowledged, but must be refused with {broken:?}");
        return Ok(());
    };
    for (chance, codes) in &reasons {
        if *chance != Chance::Never && codes.contains(&code) {
            return Ok(());
        }
        // The first check that fails gives the code.
        if *chance == Chance::Certain {
            bail!("{call:?} was refused with {code}, but {codes:?} comes first");
        }
    }
    bail!("{call:?} was refused with {code}, which only {reasons:?} would allow")
}

fn certain_if(holds: bool, codes: &'static [&'static str]) -> Reason {
    (if holds { Chance::Certain } else { Chance::Never }, codes)
}

/// Returns every reason to refuse a call, in the order of the checks.
fn reasons(model: &Reference, call: &Call, others: Others) -> Vec<Reason> {
    match call {
        Call::CreateJob(job) => reasons_against_new_job(model, job),
        Call::UpdateJob { job, as_jar, .. } => match model.jobs.get(job) {
            None => vec![(Chance::Certain, &["CS.12004"])],
            Some(job) => {
                // Where it runs is not sent, so that nobody asks whether its cluster is there.
                let is_another_type = certain_if(job.kind.is_jar() != *as_jar, &["CS.12005"]);
                vec![(job.holds(), &["CS.12003", "CS.12005"]), is_another_type]
            }
        },
        Call::Run { jobs, resume } => reasons_against_run(model, jobs, *resume, others),
        Call::Stop { jobs, savepoint } => {
            let of_job = |id: &i64| match model.jobs.get(id) {
                None => (Chance::Certain, &["CS.15001"] as &[_]),
                Some(job) => (job.refuses_stop(*savepoint), &["CS.15002"] as &[_]),
            };
            jobs.jobs.iter().map(of_job).collect()
        }
        Call::Savepoint { job, .. } => match model.jobs.get(job) {
            None => vec![(Chance::Certain, &["CS.17001"])],
            Some(job) => vec![(job.refuses_stop(true), &["CS.15002"])],
        },
        Call::Delete { jobs } => {
            let is_gone = |id: &i64| certain_if(!model.jobs.contains_key(id), &["CS.16001"]);
            jobs.jobs.iter().map(is_gone).collect()
        }
        Call::CreateTemplate { name, .. } => {
            let taken = model.templates.values().any(|other| other.name == *name);
            vec![certain_if(taken, &["CS.18002"])]
        }
        Call::UpdateTemplate { template, .. } | Call::DeleteTemplate { template } => {
            vec![certain_if(!model.templates.contains_key(template), &["CS.18005"])]
        }
        Call::SetQuota { spus, .. } => {
            let (least, most) = model.held(None);
            vec![(chance_of_more(least, most, *spus), &["CS.21091"])]
        }
        Call::CreateCluster { .. } | Call::TopUp { .. } => Vec::new(),
        _ => reasons_against_cluster_call(model, call),
    }
}

fn reasons_against_new_job(model: &Reference, job: &NewJob) -> Vec<Reason> {
    let place = match job.place {
        Place::Cluster(id) => gone(model, id, &["CS.20005"]),
        Place::Shared | Place::Nowhere | Place::Edge => NEVER,
    };
    let flaw: &[_] = match job.kind {
        Kind::Edge => &["CS.11023"],
        Kind::Jar => &["CS.11021"],
        _ => &["CS.11017"],
    };
    let flaw = certain_if(job.flawed, flaw);
    let taken = certain_if(model.jobs.values().any(|other| other.name == job.name), &["CS.11004"]);
    // What comes with the call is looked at before what is there.
    if job.kind == Kind::UploadedJar { vec![flaw, place, taken] } else { vec![place, flaw, taken] }
}

/// Whether what lies between two numbers is more than a limit.
fn chance_of_more(least: i64, most: i64, limit: i64) -> Chance {
    if least > limit {
        Chance::Certain
    } else if most > limit {
        Chance::Possible
    } else {
        Chance::Never
    }
}

fn reasons_against_run(model: &Reference, jobs: &Several, resume: bool, others: Others) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let (mut least, mut most) = model.held(None);
    for id in &jobs.jobs {
        let Some(job) = model.jobs.get(id) else {
            reasons.push((Chance::Certain, &["CS.13007"] as &[_]));
            continue;
        };
        reasons.push((job.refuses_run(), &["CS.13006"]));
        reasons.push(unusable_place(model, job));
        reasons.push(certain_if(job.kind == Kind::Wrong, &["CS.13005"]));
        let no_savepoint = match job.savepoint {
            Chance::Never => Chance::Certain,
            Chance::Possible => Chance::Possible,
            Chance::Certain => Chance::Never,
        };
        reasons.push(if resume { (no_savepoint, &["CS.13017"]) } else { NEVER });
        // An edge job holds nothing here.
        if job.place != Place::Edge {
            least += job.spus;
            most += job.spus;
            reasons.push((chance_of_more(least, most, model.quota), &["CS.13001"]));
            reasons.push(no_room(model, jobs, job, others));
        }
        reasons.push(certain_if(job.kind.is_kept_only(), &["CS.13010"]));
    }
    reasons
}

/// Whether the place of a job has too few SPUs for all that this call wants to run there.
fn no_room(model: &Reference, jobs: &Several, job: &Job, others: Others) -> Reason {
    let asked = jobs.jobs.iter().filter_map(|id| model.jobs.get(id)).filter(|other| other.place == job.place);
    let asked: i64 = asked.map(|job| job.spus).sum();
    let (least, most) = model.held(Some(job.place));
    let chance = match job.place {
        Place::Shared => {
            let most = most + others.shared_spus;
            chance_of_more(0, most + asked, SHARED_SPUS)
        }
        Place::Cluster(id) => match model.clusters.get(&id) {
            // Of several jobs the first ones may still fit.
            Some(cluster) if jobs.jobs.len() > 1 => chance_of_more(0, most + asked, cluster.spus),
            Some(cluster) => chance_of_more(least + asked, most + asked, cluster.spus),
            None => Chance::Never,
        },
        Place::Nowhere | Place::Edge => Chance::Never,
    };
    (chance, &["CS.13002"])
}

fn unusable_place(model: &Reference, job: &Job) -> Reason {
    match job.place {
        // A JAR job whose cluster goes becomes one of no cluster.
        Place::Cluster(id) if job.kind.is_jar() && gone(model, id, &[]).0 != Chance::Never => {
            (Chance::Certain, &["CS.13008", "CS.13009", "CS.20005"])
        }
        Place::Cluster(id) => not_running(model, id, &["CS.13008", "CS.20005"]),
        Place::Nowhere if job.kind.is_jar() => (Chance::Certain, &["CS.13009"]),
        Place::Nowhere => (Chance::Certain, &["CS.20005"]),
        Place::Shared | Place::Edge => NEVER,
    }
}

/// Whether a cluster is gone.
fn gone(model: &Reference, id: i64, codes: &'static [&'static str]) -> Reason {
    match model.clusters.get(&id) {
        None => (Chance::Certain, codes),
        Some(cluster) if cluster.wanted == ClusterWanted::Delete => (Chance::Possible, codes),
        Some(_) => NEVER,
    }
}

/// Whether a cluster is not running now, or gone.
fn not_running(model: &Reference, id: i64, codes: &'static [&'static str]) -> Reason {
    let chance = match model.clusters.get(&id) {
        Some(Cluster { wanted: ClusterWanted::Run, settled: true, .. }) => Chance::Never,
        Some(Cluster { wanted: ClusterWanted::Run, settled: false, .. }) => Chance::Possible,
        Some(_) | None => Chance::Certain,
    };
    (chance, codes)
}

fn reasons_against_cluster_call(model: &Reference, call: &Call) -> Vec<Reason> {
    match call {
        Call::UpdateCluster { cluster, spus, .. } => {
            let (least, most) = model.held(Some(Place::Cluster(*cluster)));
            let used = chance_of_more(least, most, *spus);
            vec![not_running(model, *cluster, &["CS.20015", "CS.20005"]), (used, &["CS.20007"])]
        }
        Call::StopCluster { cluster } => vec![not_running(model, *cluster, &["CS.20026", "CS.20005"])],
        Call::RestartCluster { cluster } => {
            let chance = match model.clusters.get(cluster) {
                Some(Cluster { wanted: ClusterWanted::Stop, settled: true, .. }) => Chance::Never,
                Some(Cluster { wanted: ClusterWanted::Stop, settled: false, .. }) => Chance::Possible,
                Some(_) | None => Chance::Certain,
            };
            vec![(chance, &["CS.20021", "CS.20005"])]
        }
        Call::DeleteCluster { cluster } => match model.clusters.get(cluster) {
            Some(Cluster { wanted: ClusterWanted::Delete, .. }) => {
                vec![(Chance::Certain, &["CS.21011", "CS.20005"])]
            }
            Some(_) => Vec::new(),
            None => vec![(Chance::Certain, &["CS.20005"])],
        },
        Call::AddHosts { cluster, names } => {
            let taken = names.iter().any(|name| has_host(model, *cluster, |_, other| other == name));
            vec![not_running(model, *cluster, &["CS.20026", "CS.20005"]), certain_if(taken, &["CS.22002"])]
        }
        Call::UpdateHost { cluster, host, name } => {
            let known = has_host(model, *cluster, |id, _| id == *host);
            let taken = has_host(model, *cluster, |id, other| id != *host && other == name);
            vec![
                not_running(model, *cluster, &["CS.20026", "CS.20005"]),
                certain_if(!known, &["CS.22003"]),
                certain_if(taken, &["CS.22002"]),
            ]
        }
        Call::DeleteHosts { cluster, hosts } => {
            let unknown = hosts.iter().any(|host| !has_host(model, *cluster, |id, _| id == *host));
            vec![not_running(model, *cluster, &["CS.20026", "CS.20005"]), certain_if(unknown, &["CS.22003"])]
        }
        _ => reasons_against_peering_call(model, call),
    }
}

/// Peerings and routes are changed while the cluster runs; what the owner of the other network says, at any time.
fn reasons_against_peering_call(model: &Reference, call: &Call) -> Vec<Reason> {
    let running = |cluster: &i64| not_running(model, *cluster, &["CS.20026", "CS.20005"]);
    let find = |cluster: &i64, id: &String| model.clusters.get(cluster)?.peerings.get(id);
    let unknown = |peering: Option<&Peering>| certain_if(peering.is_none(), &["CS.22103"]);
    let state = |peering: Option<&Peering>| peering.map(|peering| peering.state);
    match call {
        Call::CreatePeering { cluster, network, .. } => {
            let is_there =
                |cluster: &Cluster| cluster.peerings.values().any(|other| other.network == *network);
            let taken = model.clusters.get(cluster).is_some_and(is_there);
            vec![running(cluster), certain_if(taken, &["CS.22102"])]
        }
        Call::AnswerPeering { cluster, peering, accept } => {
            let found = find(cluster, peering);
            let other = if *accept { PeeringState::Rejected } else { PeeringState::Accepted };
            let answered = certain_if(state(found) == Some(other), &["CS.22103"]);
            vec![gone(model, *cluster, &["CS.22103"]), unknown(found), answered]
        }
        Call::DeletePeering { cluster, peering, over_vpc: true } => {
            vec![gone(model, *cluster, &["CS.22103"]), unknown(find(cluster, peering))]
        }
        Call::DeletePeering { cluster, peering, over_vpc: false } => {
            vec![running(cluster), unknown(find(cluster, peering))]
        }
        Call::CreateRoute { cluster, peering, destination } => {
            let found = find(cluster, peering);
            let is_there = |cluster: &Cluster| cluster.destinations().any(|other| other == destination);
            let taken = model.clusters.get(cluster).is_some_and(is_there);
            vec![
                running(cluster),
                unknown(found),
                certain_if(state(found) != Some(PeeringState::Accepted), &["CS.22105"]),
                certain_if(taken, &["CS.22106"]),
            ]
        }
        Call::DeleteRoute { cluster, peering, route } => {
            let found = find(cluster, peering);
            let is_there = found.is_some_and(|peering| peering.routes.contains_key(route));
            vec![running(cluster), unknown(found), certain_if(!is_there, &["CS.22107"])]
        }
        _ => Vec::new(),
    }
}

fn has_host(model: &Reference, cluster: i64, is_it: impl Fn(i64, &str) -> bool) -> bool {
    let cluster = model.clusters.get(&cluster);
    cluster.is_some_and(|cluster| cluster.hosts.iter().any(|(id, name)| is_it(*id, name)))
}
