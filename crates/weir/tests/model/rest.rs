//! What the service shows at rest, beside the model.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::service::Client;

use crate::calls::MILLIONTHS;
use crate::cluster::{Cluster, ClusterWanted};
use crate::job::{EDGE_GROUP, JAR, Job, Kind, Place};
use crate::judge::SHARED_SPUS;
use crate::reference::Reference;
use crate::rest_clusters::compare_clusters;
use crate::user::User;

/// Why the service does not agree with the model.
pub enum Disagreement {
    /// It may yet: something moves.
    Moving(String),
    /// It never will.
    Final(String),
}

use Disagreement::{Final, Moving};

impl From<anyhow::Error> for Disagreement {
    fn from(error: anyhow::Error) -> Self {
        Final(format!("{error:#}"))
    }
}

/// Statuses that the service itself moves on. A job that runs may have to end yet, by itself or because its worker was killed.
const MOVING: [&str; 4] = ["job_submitting", "job_savepointing", "job_canceling", "job_running"];

/// The statuses that hold SPUs at rest.
const HOLDS: &str = "job_running";

/// What is paid in at the beginning, in millionths: more than a run can cost.
pub const PAID: i64 = 1_000_000_000_000;

/// What a rest has shown of a job.
pub struct Shown {
    pub status: String,
    pub has_savepoint: bool,
    /// Where it is, when it is in a bucket.
    pub savepoint_path: Option<String>,
}

/// Compares everything; returns what is shown of every job.
pub async fn compare(
    observer: &Client,
    users: &[User],
    workers: &BTreeMap<i64, usize>,
) -> Result<BTreeMap<i64, Shown>, Disagreement> {
    let mut details = BTreeMap::new();
    for id in users.iter().flat_map(|user| user.model.jobs.keys()) {
        let path = format!("/v1.0/{{project}}/job/{id}");
        details.insert(*id, observer.call(Method::GET, &path, None).await?);
    }
    // The other list tells of savepoints in the service's own store too. It comes last: what has ended by then has its savepoint.
    let list =
        &observer.call(Method::GET, "/v1.0/{project}/streaming/jobs?limit=100", None).await?["job_list"];
    let with_savepoint: BTreeSet<i64> = items(&list["jobs"])
        .filter(|job| job["has_savepoint"] == true)
        .map(|job| number(&job["job_id"]))
        .collect();
    let mut shown = BTreeMap::new();
    for user in users {
        for (id, job) in &user.model.jobs {
            let detail = &details[id]["payload"];
            shown.insert(*id, compare_job(*id, job, &user.model, detail, with_savepoint.contains(id))?);
        }
    }
    compare_workers(&shown, workers)?;
    let list = &observer.call(Method::GET, "/v1.0/{project}/jobs?limit=100", None).await?["payload"];
    let listed: BTreeMap<i64, String> =
        items(&list["jobs"]).map(|job| (number(&job["job_id"]), text(&job["status"]))).collect();
    let expected: BTreeMap<i64, String> =
        shown.iter().map(|(id, shown)| (*id, shown.status.clone())).collect();
    same("the list of jobs", &json!(listed), &json!(expected))?;
    same("the number of jobs", &list["total"], &json!(shown.len()))?;
    compare_templates(observer, users).await?;
    let spus = |is_it: &dyn Fn(&User, &Job) -> bool| -> i64 {
        let jobs = users.iter().flat_map(|user| user.model.jobs.iter().map(move |(id, job)| (user, id, job)));
        let held = jobs.filter(|(user, id, job)| shown[id].status == HOLDS && is_it(user, job));
        held.map(|(_, _, job)| job.spus).sum()
    };
    for user in users {
        let path = format!("/v1.0/{{project}}/user_quota/{}", user.model.user);
        let quota = &observer.call(Method::GET, &path, None).await?["payload"];
        let used = spus(&|other, _| other.name == user.name);
        same(&format!("the quota of {}", user.name), &quota["spu_quota"], &json!(user.model.quota))?;
        becomes(&format!("the SPUs of {}", user.name), &quota["spu_used"], &json!(used))?;
        if used > user.model.quota {
            return Err(Final(format!("{} holds {used} of {} SPUs", user.name, user.model.quota)));
        }
    }
    let used = spus(&|_, job| job.place == Place::Shared);
    if used > SHARED_SPUS {
        return Err(Final(format!("{used} of {SHARED_SPUS} SPUs of the shared cluster are held")));
    }
    let used_in = |cluster: i64| spus(&|_, job| job.place == Place::Cluster(cluster));
    compare_clusters(observer, users, used_in).await?;
    compare_overview(observer, users, &shown, spus(&|_, _| true)).await?;
    compare_ledger(observer, users).await?;
    Ok(shown)
}

fn compare_job(
    id: i64,
    job: &Job,
    model: &Reference,
    detail: &Value,
    has_savepoint: bool,
) -> Result<Shown, Disagreement> {
    let what = format!("job {id}");
    let status = text(&detail["status"]);
    let outcomes = job.outcomes();
    if !outcomes.contains(status.as_str()) {
        let reason = format!("{what} is {status}, expected is one of {outcomes:?}: {detail}");
        return Err(if MOVING.contains(&status.as_str()) { Moving(reason) } else { Final(reason) });
    }
    let cluster = match job.place {
        Place::Cluster(id) if model.clusters[&id].wanted != ClusterWanted::Delete => json!(id),
        _ => Value::Null,
    };
    let definition = json!({
        "name": job.name, "desc": job.desc, "user_id": model.user, "sql_body": job.kind.sql(),
        "spu_number": job.spus, "run_mode": job.place.run_mode(), "job_type": job.kind.job_type(),
        "jar_url": (job.kind == Kind::Jar).then_some(JAR),
    });
    let shown: serde_json::Map<String, Value> = definition
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys())
        .map(|name| (name.clone(), detail[name.as_str()].clone()))
        .collect();
    same(&what, &Value::Object(shown), &definition)?;
    let config = &detail["job_config"];
    same(&what, &config["restart_when_exception"], &json!(job.restart))?;
    same(&what, &config["checkpoint_enabled"], &json!(job.snapshots))?;
    same(&what, &config["edge_group_ids"], &json!((job.kind == Kind::Edge).then_some(EDGE_GROUP)))?;
    // The jobs of a deleted cluster lose it when the cluster is gone, which is compared too.
    if detail["cluster_id"] != cluster {
        let reason = format!("{what} is in cluster {}, expected is {cluster}", detail["cluster_id"]);
        return Err(if cluster.is_null() { Moving(reason) } else { Final(reason) });
    }
    if job.has_savepoint_at_rest(&status).is_some_and(|expected| expected != has_savepoint) {
        // It is removed a moment after the job has come up.
        let reason = format!("{what} has a savepoint: {has_savepoint}, expected is otherwise: {detail}");
        return Err(if status == "job_running" { Moving(reason) } else { Final(reason) });
    }
    let savepoint_path = detail["savepoint_path"].as_str().map(str::to_string);
    let is_possible = match has_savepoint {
        true => job.savepoint_paths.contains(&savepoint_path),
        false => savepoint_path.is_none(),
    };
    if !is_possible {
        let paths = &job.savepoint_paths;
        let reason = format!(
            "{what} has a savepoint: {has_savepoint}, its path is {savepoint_path:?}, expected is one of {paths:?}"
        );
        return Err(if status == "job_running" { Moving(reason) } else { Final(reason) });
    }
    Ok(Shown { status, has_savepoint, savepoint_path })
}

/// Each running job has one worker, and nothing else has any.
fn compare_workers(shown: &BTreeMap<i64, Shown>, workers: &BTreeMap<i64, usize>) -> Result<(), Disagreement> {
    let running = shown.iter().filter(|(_, shown)| shown.status == HOLDS);
    let expected: BTreeMap<i64, usize> = running.map(|(id, _)| (*id, 1)).collect();
    if *workers == expected {
        return Ok(());
    }
    Err(Moving(format!("the workers by job are {workers:?}, expected are {expected:?}")))
}

async fn compare_templates(observer: &Client, users: &[User]) -> Result<(), Disagreement> {
    let answer = observer.call(Method::GET, "/v1.0/{project}/job_templates?limit=100", None).await?;
    let shown: BTreeMap<i64, (String, String)> = items(&answer["payload"]["templates"])
        .map(|one| (number(&one["template_id"]), (text(&one["name"]), text(&one["sql_body"]))))
        .collect();
    let expected: BTreeMap<i64, (String, String)> = users
        .iter()
        .flat_map(|user| &user.model.templates)
        .map(|(id, template)| (*id, (template.name.clone(), template.kind.sql().to_string())))
        .collect();
    same("the templates", &json!(shown), &json!(expected))
}

async fn compare_overview(
    observer: &Client,
    users: &[User],
    shown: &BTreeMap<i64, Shown>,
    spus: i64,
) -> Result<(), Disagreement> {
    let answer = observer.call(Method::GET, "/v1.0/{project}/overview", None).await?;
    let (jobs, clusters) = (&answer["payload"]["job_overview"], &answer["payload"]["cluster_overview"]);
    let count = |statuses: &[&str]| shown.values().filter(|s| statuses.contains(&s.status.as_str())).count();
    same("total_jobs", &jobs["total_jobs"], &json!(shown.len()))?;
    same("running_job_count", &jobs["running_job_count"], &json!(count(&[HOLDS])))?;
    same("finished_job_count", &jobs["finished_job_count"], &json!(count(&["job_finish"])))?;
    let failed = count(&["job_running_exception", "job_submit_fail"]);
    same("exception_job_count", &jobs["exception_job_count"], &json!(failed))?;
    same("other_job_count", &jobs["other_job_count"], &json!(count(&["job_init", "job_cancel_success"])))?;
    same("running_job_total_spu", &jobs["running_job_total_spu"], &json!(spus))?;
    let running: Vec<&Cluster> = users
        .iter()
        .flat_map(|user| user.model.clusters.values())
        .filter(|cluster| cluster.wanted == ClusterWanted::Run)
        .collect();
    same("running_cluster_count", &clusters["running_cluster_count"], &json!(running.len()))?;
    let spus: i64 = running.iter().map(|cluster| cluster.spus).sum();
    same("running_cluster_total_spu", &clusters["running_cluster_total_spu"], &json!(spus))
}

/// What was paid in is what is left and what was charged for, and that is the sum of its lines, to the last digit.
async fn compare_ledger(observer: &Client, users: &[User]) -> Result<(), Disagreement> {
    let paid = PAID + users.iter().map(|user| user.model.paid).sum::<i64>();
    let settled = observer.call(Method::POST, "/v1.0/{project}/billing/settle", None).await?;
    let (mut lines, mut offset) = (0, 0);
    let (charged, total) = loop {
        let path = format!("/v1.0/{{project}}/billing_history?limit=100&offset={offset}");
        let page = &observer.call(Method::GET, &path, None).await?["payload"];
        lines += items(&page["entries"]).map(|line| millionths(&line["charge"])).sum::<i64>();
        offset += items(&page["entries"]).count();
        if items(&page["entries"]).count() == 0 {
            break (millionths(&page["total_charge"]), number(&page["total"]));
        }
    };
    let overview = &observer.call(Method::GET, "/v1.0/{project}/overview", None).await?["payload"];
    let balance = millionths(&settled["payload"]["balance"]);
    let cost = millionths(&overview["total_cost"]);
    let told = format!(
        "{paid} was paid in, {balance} is left, {charged} was charged in {total} lines that make {lines}, the overview has {cost}"
    );
    // A settlement of the service itself may come between two of these calls. The overview has what is not settled yet, too.
    match balance + charged == paid && lines == charged && cost >= charged {
        true => Ok(()),
        false => Err(Moving(told)),
    }
}

fn millionths(value: &Value) -> i64 {
    (value.as_f64().unwrap_or_default() * MILLIONTHS).round() as i64
}

pub fn same(what: &str, shown: &Value, expected: &Value) -> Result<(), Disagreement> {
    if shown == expected {
        return Ok(());
    }
    Err(Final(format!("{what}: the service shows {shown}, the model expects {expected}")))
}

/// As [`same`], of what may be on its way: a deleted job holds its SPUs until the service has seen its worker end.
pub fn becomes(what: &str, shown: &Value, expected: &Value) -> Result<(), Disagreement> {
    if shown == expected {
        return Ok(());
    }
    Err(Moving(format!("{what}: the service shows {shown}, the model expects {expected}")))
}

pub fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}
