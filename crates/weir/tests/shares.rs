//! The worker of a job is held to the SPUs of the job, by what the host has: the tests say what they saw.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use weir_testkit::kill::job_of_worker;
use weir_testkit::service::{Client, Service, ServiceOptions};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

/// Reads rows slowly, for as long as it is let.
const STEADY: &str = "CREATE SOURCE STREAM s (a INT) WITH (type='datagen', rows_per_second='10');\n\
     CREATE SINK STREAM t (a INT) WITH (type='blackhole');\nINSERT INTO t SELECT a FROM s;";

/// Keeps a kibibyte for each row.
const GROWING: &str = "CREATE SOURCE STREAM s (k BIGINT, v STRING) WITH (type='datagen', sequence='k', length='1000');\n\
     CREATE SINK STREAM t (k BIGINT, v STRING) WITH (type='blackhole');\n\
     INSERT INTO t SELECT k, MAX(v) FROM s GROUP BY k;";

async fn service(arguments: &[&str]) -> (Service, Client) {
    let arguments = arguments.iter().map(|argument| argument.to_string()).collect();
    let options = ServiceOptions { arguments, ..ServiceOptions::default() };
    let service = Service::start(Path::new(WEIR), options).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();
    (service, client)
}

async fn run(client: &Client, name: &str, spus: u64, sql: &str) -> i64 {
    let body = json!({"name": name, "run_mode": "shared_cluster", "sql_body": sql, "spu_number": spus});
    let job = client.create_job(&body).await.unwrap();
    client.run_job(job).await.unwrap();
    job
}

async fn running(client: &Client, service: &Service, name: &str, spus: u64) -> (i64, u32) {
    let job = run(client, name, spus, STEADY).await;
    client.wait_for(job, &["job_running"], Duration::from_secs(60)).await.unwrap();
    (job, worker_of(service, job).unwrap())
}

fn worker_of(service: &Service, job: i64) -> Option<u32> {
    service.workers().into_iter().find(|pid| job_of_worker(*pid) == Some(job))
}

/// Returns what the metrics say holds workers to their `resource`.
async fn held_by(service: &Service, resource: &str) -> String {
    let url = format!("{}/metrics", service.metrics_endpoint().unwrap());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let start = format!("weir_worker_confinement{{resource=\"{resource}\",by=\"");
    let by = text.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix("\"} 1"));
    by.unwrap_or_else(|| panic!("{text}")).to_string()
}

fn of_process(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap()
}

/// Returns how much memory the system lets a process write to.
fn memory_limit(pid: u32) -> String {
    let limits = of_process(pid, "limits");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max data size")).unwrap();
    line.split_whitespace().next().unwrap().to_string()
}

/// Returns the directory of the control group, of version 2, of a process.
fn cgroup(pid: u32) -> PathBuf {
    let mounts = of_process(pid, "mounts");
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2")).unwrap();
    let groups = of_process(pid, "cgroup");
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap();
    Path::new(mount.split(' ').nth(1).unwrap()).join(group)
}

fn threads(pid: u32, name: &str) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|found| found.trim() == name).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_held_to_the_spus_of_its_job() {
    let (service, client) = service(&["--spu-memory-mib", "256"]).await;
    let (cores, memory) = (held_by(&service, "cores").await, held_by(&service, "memory").await);
    println!("this host holds workers to their cores by {cores}, to their memory by {memory}");
    assert!(service.messages().contains(&format!("cores={cores} memory={memory}")), "{}", service.messages());
    for spus in [1, 2] {
        let (job, worker) = running(&client, &service, &format!("j{spus}"), spus).await;
        let said = format!("held to {spus} SPU, {} MiB (cores by {cores}, memory by {memory})", 256 * spus);
        assert!(service.worker_messages().contains(&said), "{}", service.worker_messages());
        let machine = std::thread::available_parallelism().unwrap().get();
        let most = machine.min(usize::try_from(spus).unwrap());
        assert_eq!(threads(worker, "weir-compute"), most);
        assert!(threads(worker, "weir-wait") <= 4 * most);
        let limit = (256 * spus) << 20;
        let expected = if memory == "limits" { limit.to_string() } else { "unlimited".to_string() };
        assert_eq!(memory_limit(worker), expected);
        let group = (cores == "cgroup" || memory == "cgroup").then(|| cgroup(worker));
        let file = |name: &str| std::fs::read_to_string(group.as_ref().unwrap().join(name)).unwrap();
        if let Some(group) = &group {
            assert!(group.ends_with(format!("job-{job}")), "{}", group.display());
        }
        if cores == "cgroup" {
            assert_eq!(file("cpu.max"), format!("{} 100000\n", spus * 100_000));
            assert_eq!(file("cpu.weight"), format!("{}\n", spus * 100));
        }
        if memory == "cgroup" {
            assert_eq!(file("memory.max"), format!("{limit}\n"));
        }
        client.stop_job(job).await.unwrap();
        client.wait_for(job, &["job_cancel_success"], Duration::from_secs(60)).await.unwrap();
        assert!(group.is_none_or(|group| !group.exists()), "it goes with the worker");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_needs_more_memory_than_its_share_fails_alone_and_says_so() {
    for confinement in ["auto", "limits"] {
        let (service, client) =
            service(&["--spu-memory-mib", "256", "--worker-confinement", confinement]).await;
        println!("with `{confinement}` memory is held by {}", held_by(&service, "memory").await);
        let (steady, worker) = running(&client, &service, "steady", 1).await;
        let growing = run(&client, "growing", 2, GROWING).await;
        let end = ["job_running_exception"];
        let failed = client.wait_for(growing, &end, Duration::from_secs(120)).await.unwrap();
        let reason =
            "the worker needed more than the 512 MiB of its share (2 SPU) and was ended; give the job more";
        assert!(failed.status_desc.contains(reason), "{failed:?}\n{}", service.worker_messages());
        assert_eq!(client.job(steady).await.unwrap().status, "job_running");
        assert_eq!(worker_of(&service, steady), Some(worker));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_ends_a_job_over_memory_max_where_it_has_that_controller() {
    let (service, client) = service(&["--spu-memory-mib", "256"]).await;
    if held_by(&service, "memory").await != "cgroup" {
        let messages = service.messages();
        let why = messages.lines().find(|line| line.contains("control groups do not hold")).unwrap();
        eprintln!("SKIPPED: there is no memory controller of cgroup v2 here: {why}");
        return;
    }
    let (steady, worker) = running(&client, &service, "steady", 1).await;
    let group = cgroup(worker);
    let file = |name: &str| std::fs::read_to_string(group.join(name)).unwrap();
    assert_eq!(file("memory.max"), format!("{}\n", 256 << 20));
    assert_eq!(file("memory.oom.group"), "1\n");
    if group.join("memory.swap.max").exists() {
        assert_eq!(file("memory.swap.max"), "0\n");
    }
    let growing = run(&client, "growing", 2, GROWING).await;
    let failed =
        client.wait_for(growing, &["job_running_exception"], Duration::from_secs(120)).await.unwrap();
    let reason =
        "the worker needed more than the 512 MiB of its share (2 SPU) and was ended; give the job more";
    assert!(failed.status_desc.contains(reason), "{failed:?}\n{}", service.worker_messages());
    assert_eq!(client.job(steady).await.unwrap().status, "job_running");
    assert!(file("memory.events").contains("oom_kill 0\n"), "{}", file("memory.events"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_not_confined_says_so() {
    let (service, client) = service(&["--worker-confinement", "off"]).await;
    assert_eq!(held_by(&service, "cores").await, "nothing");
    let (_, worker) = running(&client, &service, "j1", 1).await;
    assert_eq!(memory_limit(worker), "unlimited");
    assert_eq!(threads(worker, "weir-compute"), std::thread::available_parallelism().unwrap().get());
    assert!(service.worker_messages().contains("held to no share of the machine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_must_have_control_groups_does_not_start_without() {
    let (auto, _) = service(&[]).await;
    let has_all = held_by(&auto, "cores").await == "cgroup" && held_by(&auto, "memory").await == "cgroup";
    println!("this host has {} control groups", if has_all { "all" } else { "not all" });
    let must = ["--worker-confinement".to_string(), "cgroup".to_string()].to_vec();
    let options = ServiceOptions { arguments: must, ..ServiceOptions::default() };
    match Service::start(Path::new(WEIR), options) {
        Ok(_) => assert!(has_all),
        Err(error) => {
            let said = error.to_string();
            assert!(!has_all && said.contains("`worker_confinement` is `cgroup`, but "), "{said}");
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (option, value, reason) in [
        ("--worker-confinement", "prison", "must be auto, cgroup, limits or off"),
        ("--spu-memory-mib", "255", "must be a number of MiB, 256 or more"),
    ] {
        let output = Command::new(WEIR).args(["serve", option, value]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{said}");
    }
}
