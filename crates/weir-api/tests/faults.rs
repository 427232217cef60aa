//! Codes that need a fault behind the API, and the life of jobs with a runner that fails.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::time::Duration;

use common::{Clearing, RemovedSavepoint, SQL, World, databases};
use serde_json::json;
use weir_base::clock::{Clock, ManualClock, SystemClock};
use weir_base::id::{JobId, ProjectId};
use weir_base::savepoint::SavepointPlace;
use weir_control::Reconciler;
use weir_runtime::{RunState, Runner};
use weir_store::{Intent, RunFacts};

async fn world() -> World {
    World::start(|_| {}).await
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_job_that_cannot_be_written() {
    let world = world().await;
    databases::refuse(&world.control, "INSERT", "jobs", "true").await;
    let body = json!({ "name": "j1", "run_mode": "shared_cluster", "sql_body": "" });
    assert_eq!(world.call("POST", "/sql_job", Some(body)).await.0, "CS.11005");
}

#[tokio::test]
async fn an_update_that_cannot_be_written() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    databases::refuse(&world.control, "UPDATE", "jobs", "true").await;
    let body = json!({ "job_id": job, "desc": "d" });
    assert_eq!(world.call("PATCH", "/sql_job", Some(body)).await.0, "CS.12002");
}

#[tokio::test]
async fn an_authorization_that_cannot_be_written() {
    let world = world().await;
    databases::refuse(&world.control, "INSERT", "authorized_buckets", "true").await;
    let (code, body) = world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    assert_eq!(code, "CS.19002");
    assert!(body["error_cause"].as_str().unwrap().contains("bucket1"), "{body}");
}

#[tokio::test]
async fn an_authorization_of_too_many_buckets_leaves_one_record() {
    let world = world().await;
    // One without a name would have each of them on record.
    let names: Vec<String> = (0..1_000).map(|n| format!("bucket-{n}")).chain([String::new()]).collect();
    let (code, body) = world.call("POST", "/obs_authorize", Some(json!(names))).await;
    assert_eq!(code, "CS.19001");
    assert!(body["error_cause"].as_str().unwrap().contains("at most 1000"), "{body}");
    assert_eq!(world.audits().await.len(), 1);
}

#[tokio::test]
async fn a_store_that_does_not_answer() {
    let world = world().await;
    // The identity service remembers who called last.
    assert_eq!(world.call("GET", "/jobs", None).await.0, "CS.23000");
    world.control.store().close().await;
    assert_eq!(world.call("GET", "/jobs", None).await.0, "CS.26500");
    let health = reqwest::get(format!("{}/healthz", world.base_url)).await.unwrap();
    assert_eq!(health.status().as_u16(), 503);
}

#[tokio::test]
async fn an_identity_service_that_does_not_answer() {
    let world = world().await;
    world.control.store().close().await;
    let answer = world.request("GET", "/jobs", "unknown").send().await.unwrap();
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["error_id"], "CS.10015");
}

#[tokio::test]
async fn a_panic_stays_with_its_request() {
    // CS.10001
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    world.runner.poison();
    let (code, _) = world.call("POST", "/jobs/metrics", Some(json!({ "job_ids": [job] }))).await;
    assert_eq!(code, "CS.10001");
    assert_eq!(world.call("GET", "/jobs", None).await.0, "CS.23000", "the service goes on");
}

#[tokio::test]
async fn stored_jobs_with_settings_that_no_call_makes() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    databases::redefine(&world.control, "jobs", json!({ "checkpoint_enabled": true })).await;
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.13003");
    assert_eq!(world.call("POST", "/job/run", Some(json!([job]))).await.0, "CS.13003");
    databases::redefine(&world.control, "jobs", json!({ "obs_bucket": "bucket1" })).await;
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.13004");
    assert_eq!(world.call("POST", "/job/run", Some(json!([job]))).await.0, "CS.13004");
    assert_eq!(world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await.0, "CS.19000");
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.14000");
}

#[tokio::test]
async fn jar_jobs_whose_surroundings_have_changed() {
    let world = world().await;
    let (_, body) = world.call("POST", "/reserved_cluster", Some(json!({ "name": "c1" }))).await;
    let cluster = body["payload"]["cluster_id"].to_string();
    for _ in 0..500 {
        let (_, body) = world.call("GET", &format!("/reserved_cluster/{cluster}"), None).await;
        if body["payload"]["status_code"] == 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let form = async |method: &str, parts: &[(&str, &str)]| {
        let part = |(name, value): &(&str, &str)| {
            format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let form = parts.iter().map(part).collect::<String>() + "--limit--\r\n";
        let request = world.request(method, "/jar_job", "admin").body(form);
        let answer = request.header("Content-Type", "multipart/form-data; boundary=limit").send().await;
        answer.unwrap().json::<serde_json::Value>().await.unwrap()
    };
    let jars = world.directory.path().join("objects/bucket1/jars/own");
    std::fs::create_dir_all(&jars).unwrap();
    std::fs::write(jars.join("a.jar"), "a").unwrap();
    let parts = [
        ("name", "jar1"),
        ("desc", "d"),
        ("cluster_id", cluster.as_str()),
        ("manager_spu", "1"),
        ("executor_number", "1"),
        ("executor_spu", "1"),
        ("job_type", "spark_streaming_jar_job"),
        ("jar_url", "bucket1/jars/own"),
    ];
    let created = form("POST", &parts).await;
    let job = created["payload"]["job_id"].to_string();
    let run = async |code: &str| {
        let (found, body) = world.call("POST", &format!("/job/{job}/run"), None).await;
        assert_eq!(found, code, "{body}");
        let batch = json!([job.parse::<i64>().unwrap()]);
        assert_eq!(world.call("POST", "/job/run", Some(batch)).await.0, code);
    };
    std::fs::write(jars.join("b.jar"), "b").unwrap();
    run("CS.13019").await;
    std::fs::remove_file(jars.join("a.jar")).unwrap();
    std::fs::rename(jars.join("b.jar"), jars.join("b.txt")).unwrap();
    run("CS.13018").await;
    let change = [("job_id", job.as_str()), ("manager_spu", "1"), ("desc", "e")];
    databases::redefine(&world.control, "jobs", json!({ "executor_number": null })).await;
    assert_eq!(form("PATCH", &change).await["error_id"], "CS.11026");
    databases::run(&world.control, "UPDATE jobs SET intent = 'run'").await;
    assert_eq!(form("PATCH", &change).await["error_id"], "CS.12003");
}

#[tokio::test]
async fn a_refused_start_is_part_of_the_answer() {
    let world = world().await;
    let job = world.create("refuse", json!({})).await;
    let (code, body) = world.call("POST", &format!("/job/{job}/run"), None).await;
    assert_eq!(code, "CS.13010");
    assert!(body["error_cause"].as_str().unwrap().contains("no stream `s1`"), "{body}");
    let detail = world.wait_for(job, "job_submit_fail").await;
    assert_eq!(detail["status_desc"], "there is no stream `s1`; create it first");
}

#[tokio::test]
async fn a_worker_that_dies_is_restarted_from_its_checkpoint() {
    let world = world().await;
    let job = world.create("j1", json!({ "restart_when_exception": true })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.runner.kill(job, "killed");
    for _ in 0..500 {
        if world.runner.starts.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*world.runner.starts.lock().unwrap(), [(job, 1, false), (job, 2, true)]);
    world.wait_for(job, "job_running").await;
}

#[tokio::test]
async fn a_worker_that_dies_without_restart_leaves_its_reason() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.runner.kill(job, "the disk is full");
    let detail = world.wait_for(job, "job_running_exception").await;
    assert_eq!(detail["status_desc"], "the disk is full");
    // A user's run after it is a fresh one.
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    assert_eq!(world.runner.starts.lock().unwrap().last(), Some(&(job, 2, false)));
}

#[tokio::test]
async fn a_vanished_worker_is_resumed_without_counting_as_a_failure() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.runner.forget();
    for _ in 0..500 {
        if world.runner.starts.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.runner.starts.lock().unwrap().last(), Some(&(job, 2, true)));
    assert_eq!(world.wait_for(job, "job_running").await["status_desc"], "");
}

#[tokio::test]
async fn a_deleted_job_is_cleared_away_with_its_checkpoints() {
    let world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let more =
        json!({ "checkpoint_enabled": true, "checkpoint_mode": "exactly_once", "obs_bucket": "bucket1" });
    let job = world.create("j1", more).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    for _ in 0..500 {
        if !world.runner.removed.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*world.runner.removed.lock().unwrap(), [(job, Some("bucket1".to_string()))]);
    assert_eq!(world.call("GET", &format!("/job/{job}"), None).await.0, "CS.17001");
}

#[tokio::test]
async fn a_deleted_job_that_cannot_be_cleared_away_is_kept_for_later_and_delays_no_shutdown() {
    for clearing in [Clearing::Fails, Clearing::Hangs] {
        let mut world = world().await;
        *world.runner.clearing.lock().unwrap() = clearing;
        let job = world.create("j1", json!({})).await;
        assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
        for _ in 0..500 {
            if !world.runner.removed.lock().unwrap().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Other jobs still run.
        if matches!(clearing, Clearing::Fails) {
            let other = world.create("j2", json!({})).await;
            world.call("POST", &format!("/job/{other}/run"), None).await;
            world.wait_for(other, "job_running").await;
        }
        let end = tokio::time::timeout(Duration::from_secs(5), world.shut_down()).await;
        assert!(end.is_ok(), "{clearing:?}: the reconciler does not end");
        let left = world.control.store().jobs_to_reconcile().await.unwrap();
        assert!(left.iter().any(|left| left.id.0 == job), "{clearing:?}");
    }
}

#[tokio::test]
async fn a_deleted_job_that_cannot_be_cleared_away_is_cleared_again_soon_and_then_less_often() {
    let mut world = world().await;
    world.shut_down().await;
    let job = world.create("j1", json!({})).await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    *world.runner.clearing.lock().unwrap() = Clearing::Fails;
    let reconciler = Reconciler::new(world.control.clone());
    let begin = SystemClock.now();
    let mut tried_at = Vec::new();
    for second in 0..100 {
        let before = world.runner.removed.lock().unwrap().len();
        reconciler.tick(begin.plus(Duration::from_secs(second))).await.unwrap();
        if world.runner.removed.lock().unwrap().len() > before {
            tried_at.push(second);
        }
    }
    assert_eq!(tried_at, [0, 1, 3, 7, 15, 31, 63, 95]);
}

#[tokio::test]
async fn a_worker_holds_its_spus_until_it_is_gone() {
    let mut world = world().await;
    let used = async |world: &World| {
        let path = format!("/user_quota/{}", world.users["admin"]);
        world.call("GET", &path, None).await.1["payload"]["spu_used"].clone()
    };
    let (stubborn, other) = (world.create("stubborn", json!({})).await, world.create("j1", json!({})).await);
    for job in [stubborn, other] {
        world.call("POST", &format!("/job/{job}/run"), None).await;
        world.wait_for(job, "job_running").await;
    }
    world.shut_down().await;
    let reconciler = Reconciler::new(world.control.clone());
    assert_eq!(used(&world).await, 4);
    assert_eq!(world.call("DELETE", &format!("/job/{other}"), None).await.0, "CS.18000");
    assert_eq!(used(&world).await, 4, "its worker is still there");
    reconciler.tick(SystemClock.now()).await.unwrap();
    assert_eq!(used(&world).await, 2);
    // One that does not stop in time, and then does.
    assert_eq!(world.call("POST", &format!("/job/{stubborn}/stop"), None).await.0, "CS.15000");
    let late = SystemClock.now().plus(Duration::from_secs(301));
    reconciler.tick(late).await.unwrap();
    world.wait_for(stubborn, "job_cancel_fail").await;
    reconciler.tick(late).await.unwrap();
    assert_eq!(used(&world).await, 2);
    world.runner.set(stubborn, RunState::Stopped);
    reconciler.tick(late).await.unwrap();
    world.wait_for(stubborn, "job_cancel_success").await;
    assert_eq!(used(&world).await, 0);
}

#[tokio::test]
async fn an_import_replaces_a_job_whose_stop_has_failed_and_ends_its_worker() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("stubborn", json!({})).await;
    let all = json!({ "obs_dir": "bucket1/out", "is_selected": false });
    let (code, body) = world.call("POST", "/jobs/export", Some(all)).await;
    assert_eq!(code, "CS.11042", "{body}");
    let archive = body["payload"]["zip_file"][0].clone();
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop"), None).await;
    world.shut_down().await;
    let late = SystemClock.now().plus(Duration::from_secs(301));
    Reconciler::new(world.control.clone()).tick(late).await.unwrap();
    world.wait_for(job, "job_cancel_fail").await;
    let body = json!({ "zip_file": archive, "is_cover": true });
    let (code, body) = world.call("POST", "/jobs/import", Some(body)).await;
    assert_eq!(
        (code.as_str(), &body["payload"]["job_mapping"][0]["new_job_id"]),
        ("CS.11043", &json!(job)),
        "{body}"
    );
    world.wait_for(job, "job_init").await;
    assert!(world.runner.observe(JobId(job)).is_none(), "its worker would be nobody's");
}

#[tokio::test]
async fn an_import_that_cannot_be_written_leaves_the_worker_of_the_job_alone() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("stubborn", json!({})).await;
    let all = json!({ "obs_dir": "bucket1/out", "is_selected": false });
    let (_, body) = world.call("POST", "/jobs/export", Some(all)).await;
    let archive = body["payload"]["zip_file"][0].clone();
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop"), None).await;
    world.shut_down().await;
    let late = SystemClock.now().plus(Duration::from_secs(301));
    Reconciler::new(world.control.clone()).tick(late).await.unwrap();
    world.wait_for(job, "job_cancel_fail").await;
    let refusal = databases::refuse(&world.control, "UPDATE", "jobs", "true").await;
    let body = json!({ "zip_file": archive, "is_cover": true });
    assert_eq!(world.call("POST", "/jobs/import", Some(body.clone())).await.0, "CS.26500");
    assert!(world.runner.observe(JobId(job)).is_some(), "the job is as it was, and so is its worker");
    databases::accept(&world.control, refusal).await;
    // As if the service had ended between what it writes and the end of the worker.
    let request = world.runner.started(job);
    assert_eq!(world.call("POST", "/jobs/import", Some(body)).await.0, "CS.11043");
    assert!(world.runner.observe(JobId(job)).is_none());
    world.runner.start(request.clone()).await.unwrap();
    Reconciler::new(world.control.clone()).run(std::future::ready(())).await;
    assert!(world.runner.observe(JobId(job)).is_none(), "its worker would be nobody's");
    // As if somebody had also run the job before the next service had looked for its workers.
    world.runner.start(request.clone()).await.unwrap();
    let project = ProjectId(world.project.clone());
    let record = world.control.store().job(&project, JobId(job)).await.unwrap().unwrap();
    let facts = RunFacts { intent: Intent::Run, intent_at: SystemClock.now(), ..record.facts.clone() };
    world.control.store().update_facts(&[(&record, facts)], &[], &[], &[]).await.unwrap();
    Reconciler::new(world.control.clone()).run(std::future::ready(())).await;
    assert!(world.runner.observe(JobId(job)).is_none(), "it would write beside the next one");
    // One that is found only now is ended before the job is handed over.
    world.runner.start(request).await.unwrap();
    world.runner.killed.lock().unwrap().clear();
    Reconciler::new(world.control.clone()).tick(SystemClock.now()).await.unwrap();
    assert_eq!(*world.runner.killed.lock().unwrap(), [job]);
    assert_eq!(world.runner.observe(JobId(job)).map(|seen| seen.attempt), Some(2));
}

#[tokio::test]
async fn what_is_given_up_is_said_although_something_else_of_the_job_takes_longer() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("j1", json!({ "obs_bucket": "bucket1" })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop?triggerSavePoint=true"), None).await;
    world.wait_for(job, "job_cancel_success").await;
    world.shut_down().await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    *world.runner.clearing.lock().unwrap() = Clearing::Refuses;
    *world.runner.clearing_savepoints.lock().unwrap() = Some(Clearing::Fails);
    let reconciler = Reconciler::new(world.control.clone());
    let begin = SystemClock.now();
    let tick = async |hour: u64| {
        reconciler.tick(begin.plus(Duration::from_secs(hour * 3_600))).await.unwrap();
    };
    tick(0).await;
    tick(25).await;
    assert!(world.runner.abandoned.lock().unwrap().is_empty(), "its files tell what is left");
    let tries = world.runner.removed.lock().unwrap().len();
    *world.runner.clearing_savepoints.lock().unwrap() = Some(Clearing::Works);
    tick(26).await;
    assert_eq!(world.runner.removed.lock().unwrap().len(), tries, "it is given up");
    assert_eq!(*world.runner.abandoned.lock().unwrap(), [job]);
    assert!(world.control.store().jobs_to_reconcile().await.unwrap().is_empty());
    let (_, body) = world.call("GET", "/audit_logs?resource_type=job&limit=50", None).await;
    let traces = body["payload"]["traces"].as_array().unwrap();
    let incidents: Vec<_> = traces.iter().filter(|trace| trace["event_rating"] == "incident").collect();
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!(incidents[0]["event_name"], "deleteJob");
}

#[tokio::test]
async fn a_savepoint_does_not_wait_for_what_a_bucket_refuses() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("j1", json!({ "obs_bucket": "bucket1" })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop?triggerSavePoint=true"), None).await;
    world.wait_for(job, "job_cancel_success").await;
    world.shut_down().await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    *world.runner.clearing.lock().unwrap() = Clearing::Refuses;
    *world.runner.clearing_savepoints.lock().unwrap() = Some(Clearing::Fails);
    let reconciler = Reconciler::new(world.control.clone());
    let begin = SystemClock.now();
    let tries = || {
        (world.runner.removed.lock().unwrap().len(), world.runner.removed_savepoints.lock().unwrap().len())
    };
    let tick = async |hour: u64| {
        reconciler.tick(begin.plus(Duration::from_secs(hour * 3_600))).await.unwrap();
    };
    // Each failure doubles the pause of what is refused, up to an hour; what does not answer has half a minute at most.
    for hour in 0..13 {
        tick(hour).await;
    }
    let (of_job, of_savepoint) = tries();
    reconciler.tick(begin.plus(Duration::from_secs(12 * 3_600 + 60))).await.unwrap();
    assert_eq!(tries(), (of_job, of_savepoint + 1));
}

#[tokio::test]
async fn what_a_bucket_refuses_to_have_removed_is_given_up_and_said() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let (kept, deleted) = (
        world.create("kept", json!({ "obs_bucket": "bucket1" })).await,
        world.create("deleted", json!({ "obs_bucket": "bucket1" })).await,
    );
    for job in [kept, deleted] {
        world.call("POST", &format!("/job/{job}/run"), None).await;
        world.wait_for(job, "job_running").await;
        world.call("POST", &format!("/job/{job}/stop?triggerSavePoint=true"), None).await;
        world.wait_for(job, "job_cancel_success").await;
    }
    *world.runner.clearing.lock().unwrap() = Clearing::Refuses;
    world.call("POST", &format!("/job/{kept}/run"), None).await;
    world.wait_for(kept, "job_running").await;
    assert_eq!(world.call("DELETE", &format!("/job/{deleted}"), None).await.0, "CS.18000");
    world.shut_down().await;
    let reconciler = Reconciler::new(world.control.clone());
    let begin = SystemClock.now();
    let clock = ManualClock::new(begin);
    *world.runner.clock.lock().unwrap() = Some(clock.clone());
    let tick = async |hour: u64| {
        clock.set(begin.plus(Duration::from_secs(hour * 3_600)));
        reconciler.tick(clock.now()).await.unwrap();
    };
    let leftovers = async || {
        let project = ProjectId(world.project.clone());
        let record = world.control.store().job(&project, JobId(kept)).await.unwrap().unwrap();
        record.facts.savepoint.leftovers
    };
    let is_left = async || {
        let left = world.control.store().jobs_to_reconcile().await.unwrap();
        left.iter().any(|left| left.id.0 == deleted)
    };
    tick(0).await;
    tick(1).await;
    assert!(leftovers().await.len() == 1 && is_left().await, "somebody may mend the bucket");
    tick(25).await;
    assert!(leftovers().await.is_empty() && !is_left().await, "given up after a day");
    assert_eq!(*world.runner.abandoned.lock().unwrap(), [deleted]);
    let (_, body) = world.call("GET", "/audit_logs?resource_type=job&limit=50", None).await;
    let mut incidents: Vec<_> = body["payload"]["traces"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|trace| trace["event_rating"] == "incident")
        .map(|trace| (trace["event_name"].as_str().unwrap(), trace["resource_id"].as_str().unwrap()))
        .collect();
    let (kept, deleted) = (kept.to_string(), deleted.to_string());
    // The savepoint of the one; the checkpoints and the savepoint of the other.
    let of_deleted = ("deleteJob", deleted.as_str());
    incidents.sort_unstable();
    assert_eq!(incidents, [of_deleted, of_deleted, ("removeSavepoint", kept.as_str())]);
}

#[tokio::test]
async fn an_import_does_not_remove_the_savepoint_that_it_names() {
    let world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("j1", json!({ "obs_bucket": "bucket1" })).await;
    let path = format!("bucket1/jobs/savepoint/{job}");
    let objects = world.directory.path().join("objects");
    let manifest = |path: &str| objects.join(path).join("chk-5/manifest.json");
    std::fs::create_dir_all(manifest(&path).parent().unwrap()).unwrap();
    std::fs::copy(manifest("bucket1/savepoints/good"), manifest(&path)).unwrap();
    for _ in 0..2 {
        let body = json!({ "savepoint_path": path });
        let import = format!("/job/{job}/import_savepoint");
        assert_eq!(world.call("POST", &import, Some(body)).await.0, "CS.17021");
    }
    world.call("POST", &format!("/job/{job}/run?resumeSavePoint=true"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop"), None).await;
    world.wait_for(job, "job_cancel_success").await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    for _ in 0..500 {
        if world.control.store().jobs_to_reconcile().await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*world.runner.removed_savepoints.lock().unwrap(), [], "the service has not put it there");
}

#[tokio::test]
async fn a_savepoint_that_is_replaced_is_removed_by_the_reconciler_and_not_by_the_call() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("j1", json!({ "obs_bucket": "bucket1" })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop?triggerSavePoint=true"), None).await;
    world.wait_for(job, "job_cancel_success").await;
    world.shut_down().await;
    let import = async |path: &str| {
        let body = Some(json!({ "savepoint_path": path }));
        world.call("POST", &format!("/job/{job}/import_savepoint"), body).await.0
    };
    assert_eq!(import("bucket1/savepoints/good").await, "CS.17021");
    // A run that begins right after the call may write its own at the same place.
    assert_eq!(*world.runner.removed_savepoints.lock().unwrap(), []);
    let own = SavepointPlace::of_job(JobId(job), Some("bucket1".to_string()));
    assert_eq!(import(&own.shown().unwrap()).await, "CS.13017", "it may be half removed");
    Reconciler::new(world.control.clone()).tick(SystemClock.now()).await.unwrap();
    let removed: Vec<_> =
        world.runner.removed_savepoints.lock().unwrap().iter().map(|removed| removed.place.clone()).collect();
    assert_eq!(removed, [own]);
    let project = ProjectId(world.project.clone());
    let savepoint = world.control.store().job(&project, JobId(job)).await.unwrap().unwrap().facts.savepoint;
    assert_eq!(savepoint.leftovers, []);
    let good = SavepointPlace::parse("bucket1/savepoints/good");
    assert_eq!(savepoint.latest, good, "the one that was imported stays");
}

#[tokio::test]
async fn a_savepoint_that_cannot_be_removed_is_removed_later() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("j1", json!({ "obs_bucket": "bucket1" })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/job/{job}/stop?triggerSavePoint=true"), None).await;
    world.wait_for(job, "job_cancel_success").await;
    *world.runner.clearing.lock().unwrap() = Clearing::Fails;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.shut_down().await;
    let leftover = async |world: &World| {
        let project = ProjectId(world.project.clone());
        let record = world.control.store().job(&project, JobId(job)).await.unwrap().unwrap();
        record.facts.savepoint.leftovers
    };
    // Later than whatever the service has tried by itself.
    let now = SystemClock.now().plus(Duration::from_secs(1));
    let reconciler = Reconciler::new(world.control.clone());
    for _ in 0..3 {
        reconciler.tick(now).await.unwrap();
    }
    let place = SavepointPlace::of_job(JobId(job), Some("bucket1".to_string()));
    assert_eq!(leftover(&world).await, [place]);
    *world.runner.clearing.lock().unwrap() = Clearing::Works;
    reconciler.tick(now).await.unwrap();
    assert_eq!(leftover(&world).await.len(), 1, "not at once");
    reconciler.tick(now.plus(Duration::from_secs(2))).await.unwrap();
    assert_eq!(leftover(&world).await, []);
}

#[tokio::test]
async fn the_savepoint_that_a_deleted_job_was_asked_for_goes_after_its_worker() {
    let world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("pensive", json!({ "obs_bucket": "bucket1" })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    let stop = format!("/job/{job}/stop?triggerSavePoint=true");
    assert_eq!(world.call("POST", &stop, None).await.0, "CS.15000");
    world.wait_for(job, "job_savepointing").await;
    assert_eq!(world.call("DELETE", &format!("/job/{job}"), None).await.0, "CS.18000");
    for _ in 0..500 {
        if world.control.store().jobs_to_reconcile().await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = SavepointPlace::of_job(JobId(job), Some("bucket1".to_string()));
    let removed = world.runner.removed_savepoints.lock().unwrap().clone();
    assert_eq!(removed, [RemovedSavepoint { job, place: asked, has_worker: false }]);
}

#[tokio::test]
async fn a_savepoint_does_not_wait_because_another_was_asked_for_just_before() {
    let mut world = world().await;
    world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await;
    let job = world.create("j1", json!({})).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.shut_down().await;
    let reconciler = Reconciler::new(world.control.clone());
    for path in ["bucket1/first", "bucket1/second"] {
        let ask = json!({ "action": "TRIGGER", "savepoint_path": path });
        assert_eq!(world.call("POST", &format!("/job/{job}/savepoint"), Some(ask)).await.0, "CS.17020");
        // A round that asks, and one that notes what has become of it.
        for _ in 0..2 {
            reconciler.tick(SystemClock.now()).await.unwrap();
        }
        let (_, body) = world.call("GET", &format!("/job/{job}"), None).await;
        assert_eq!(body["payload"]["savepoint_path"], path, "{body}");
    }
}

#[tokio::test]
async fn a_shutdown_suspends_jobs_that_keep_their_intent() {
    let mut world = world().await;
    let job = world.create("j1", json!({})).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.shut_down().await;
    assert!(*world.runner.suspended.lock().unwrap());
    world.runner.set(job, RunState::Stopped);
    assert_eq!(world.call("GET", &format!("/job/{job}"), None).await.1["payload"]["status"], "job_running");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let world = world().await;
    let request = world.request("POST", "/sql_job", "admin").header("Content-Type", "application/json");
    let answer = request.body(" ".repeat((1 << 20) + 1)).send().await.unwrap();
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["error_id"], "CS.10004");
    assert!(body["error_cause"].as_str().unwrap().contains("longer than"), "{body}");
}

#[tokio::test]
async fn failed_calls_are_audited_too() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    assert_eq!(world.call("POST", &format!("/job/{job}/stop"), None).await.0, "CS.15002");
    let records = world.audits().await;
    let shown: Vec<_> = records
        .iter()
        .map(|r| (r.event_name.as_str(), r.event_rating.as_str(), r.resource_id.clone(), &r.op_result[..8]))
        .collect();
    assert_eq!(
        shown,
        [
            ("stopJob", "warning", job.to_string(), "CS.15002"),
            ("createJob", "normal", job.to_string(), "CS.11000")
        ]
    );
}

#[tokio::test]
async fn a_call_about_several_jobs_is_on_record_with_each_of_them() {
    let world = world().await;
    let (one, two) = (world.create("j1", json!({})).await, world.create("j2", json!({})).await);
    let gone = two + 1;
    let mut codes = Vec::new();
    for (method, path, jobs) in [
        // Whoever is not to blame has no record.
        ("POST", "/job/run", [one, gone]),
        ("POST", "/job/stop", [one, two]),
        ("DELETE", "/job", [gone, two]),
        ("POST", "/job/run?resumeSavePoint=maybe", [one, two]),
        ("POST", "/job/run", [one, two]),
    ] {
        codes.push(world.call(method, path, Some(json!(jobs))).await.0);
    }
    let of = async |job: i64| {
        let path = format!("/audit_logs?resource_type=job&resource_id={job}");
        let payload = world.call("GET", &path, None).await.1["payload"].take();
        let text = |trace: &serde_json::Value, member: &str| trace[member].as_str().unwrap().to_string();
        let traces = payload["traces"].as_array().unwrap();
        assert_eq!(payload["total"], traces.len(), "{payload}");
        let shown = traces
            .iter()
            .map(|trace| format!("{} {}", text(trace, "event_name"), &text(trace, "op_result")[..8]));
        shown.collect::<Vec<_>>()
    };
    let on_record = |event: &str, call: usize| format!("{event} {}", codes[call]);
    let of_both = [on_record("startJob", 4), on_record("startJob", 3), on_record("stopJob", 1)];
    for job in [one, two] {
        let found = of(job).await;
        assert_eq!((&found[..3], found[3].as_str()), (&of_both[..], "createJob CS.11000"), "{found:?}");
        assert_eq!(found.len(), 4);
    }
    assert_eq!(of(gone).await, [on_record("deleteJob", 2), on_record("startJob", 0)]);
    // One page after the other has each of them once.
    let mut paged = Vec::new();
    for page in 0..3 {
        let path = format!("/audit_logs?resource_type=job&limit=4&page_number={page}");
        let (_, body) = world.call("GET", &path, None).await;
        paged.extend(body["payload"]["traces"].as_array().unwrap().clone());
    }
    assert_eq!(paged.len(), 10, "{paged:?}");
}

#[tokio::test]
async fn metrics_of_operators_are_served_as_text_away_from_the_api() {
    let world = world().await;
    let job = world.create("j1", json!({ "sql_body": SQL })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    let text = reqwest::get(format!("{}/metrics", world.metrics_url)).await.unwrap().text().await.unwrap();
    assert!(text.contains(&format!("operator=\"Source: DATAGEN_{job}_S1\"")), "{text}");
    assert!(text.contains("weir_api_requests_total"), "{text}");
    // They name the jobs of all projects, so whoever reaches the API does not have them, with a token or without.
    for request in [
        reqwest::Client::new().get(format!("{}/metrics", world.base_url)),
        world.request_of("GET", "/metrics", "admin"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400);
        assert!(answer.text().await.unwrap().contains("CS.10003"));
    }
    let health = reqwest::get(format!("{}/healthz", world.base_url)).await.unwrap();
    assert_eq!(health.status().as_u16(), 200);
    for page in ["/docs", "/docs/errors"] {
        let answer = reqwest::get(format!("{}{page}", world.base_url)).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert!(answer.text().await.unwrap().contains("CS.26500"), "{page}");
    }
}
