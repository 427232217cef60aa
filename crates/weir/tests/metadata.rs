//! The service on both databases for its metadata, and copies of these made while it runs.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::servers::Postgres;
use weir_testkit::service::{Client, Service, ServiceOptions};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
const LIMIT: Duration = Duration::from_secs(60);

fn on(database: &str) -> ServiceOptions {
    let environment = vec![("WEIR_DATABASE".to_string(), database.to_string())];
    ServiceOptions { environment, ..ServiceOptions::default() }
}

async fn log_in(service: &Service) -> Client {
    Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap()
}

/// Returns a job without end, which needs the variable `secret` to run.
fn job(name: &str) -> Value {
    json!({"name": name, "run_mode": "shared_cluster",
        "sql_body": "CREATE SOURCE STREAM s (a INT) WITH (type='{{secret}}');\n\
            CREATE SINK STREAM t (a INT) WITH (type='blackhole');\nINSERT INTO t SELECT a FROM s;"})
}

/// Sets the variable that jobs need.
fn set_variable(service: &Service) {
    service.command(&["variable", "set", "secret", "datagen"]).unwrap();
}

/// Creates a job and waits until it runs.
async fn run_job(client: &Client, name: &str) -> i64 {
    let id = client.create_job(&job(name)).await.unwrap();
    client.run_job(id).await.unwrap();
    client.wait_for(id, &["job_running"], LIMIT).await.unwrap();
    id
}

/// Waits until a job runs in a worker of the service, and not only as far as it was last seen.
async fn wait_for_worker(service: &Service, client: &Client, job: i64) {
    let deadline = Instant::now() + LIMIT;
    while service.workers().is_empty() {
        assert!(Instant::now() < deadline, "no worker; the service said:\n{}", service.messages());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    client.wait_for(job, &["job_running"], LIMIT).await.unwrap();
}

/// Returns the ids and names of all jobs, the newest first.
async fn jobs(client: &Client) -> Vec<(i64, String)> {
    let answer = client.call(Method::GET, "/v1.0/{project}/jobs", None).await.unwrap();
    let jobs = answer["payload"]["jobs"].as_array().unwrap().iter();
    jobs.map(|job| (job["job_id"].as_i64().unwrap(), job["name"].as_str().unwrap().to_string())).collect()
}

fn back_up(service: &Service, database: &str, to: &Path) -> Output {
    Command::new(WEIR)
        .arg("backup")
        .arg("--to")
        .arg(to)
        .env("WEIR_DATA", service.data())
        .env("WEIR_DATABASE", database)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_a_server_for_its_metadata_goes_on_after_a_restart() {
    let Some(server) = Postgres::start().unwrap() else { return };
    let database = server.address("cars");
    let mut service = Service::start(Path::new(WEIR), on(&database)).unwrap();
    set_variable(&service);
    let mut client = log_in(&service).await;
    let first = run_job(&client, "a").await;
    let other = client.create_job(&job("b")).await.unwrap();
    let (status, _) = service.end().unwrap();
    assert!(status.success(), "{}", service.messages());
    service.start_again().unwrap();
    client.move_to(&service.endpoint().unwrap());
    wait_for_worker(&service, &client, first).await;
    assert_eq!(jobs(&client).await, [(other, "b".to_string()), (first, "a".to_string())]);
    client.stop_job(first).await.unwrap();
    client.wait_for(first, &["job_cancel_success"], LIMIT).await.unwrap();
    assert!(!service.data().join("weir.db").exists(), "the metadata are on the server alone");

    // A server has its own means for copies.
    let to = service.data().join("copy");
    let output = back_up(&service, &database, &to);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("pg_dump"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(!to.exists(), "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_service_at_work_is_another_service_with_its_jobs() {
    let mut service = Service::start(Path::new(WEIR), ServiceOptions::default()).unwrap();
    let client = log_in(&service).await;
    set_variable(&service);
    let first = run_job(&client, "a").await;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    let output = back_up(&service, "", &copy);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = back_up(&service, "", &copy);
    assert!(!again.status.success(), "what is there is not written over");
    // What came after the copy is not in it.
    client.create_job(&job("later")).await.unwrap();
    service.end().unwrap();

    let options = ServiceOptions { copy_of: Some(copy), ..ServiceOptions::default() };
    let restored = Service::start(Path::new(WEIR), options).unwrap();
    let client = log_in(&restored).await;
    assert_eq!(jobs(&client).await, [(first, "a".to_string())]);
    // Its variable can be read, too.
    wait_for_worker(&restored, &client, first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_the_server_and_a_copy_of_the_directory_are_another_service_with_its_jobs() {
    let Some(server) = Postgres::start().unwrap() else { return };
    let mut service = Service::start(Path::new(WEIR), on(&server.address("cars"))).unwrap();
    set_variable(&service);
    let client = log_in(&service).await;
    let first = run_job(&client, "a").await;
    let other = client.create_job(&job("b")).await.unwrap();
    let place = tempfile::tempdir().unwrap();
    let dump = place.path().join("metadata.dump");
    server.dump(&dump).unwrap();
    // What came after the dump is not in it.
    client.create_job(&job("later")).await.unwrap();
    service.end().unwrap();

    server.restore(&dump, "restored").unwrap();
    let options = ServiceOptions { copy_of: Some(service.data()), ..on(&server.address("restored")) };
    let restored = Service::start(Path::new(WEIR), options).unwrap();
    let client = log_in(&restored).await;
    assert_eq!(jobs(&client).await, [(other, "b".to_string()), (first, "a".to_string())]);
    wait_for_worker(&restored, &client, first).await;
    // It goes on like any other: ids are not given twice, and jobs run.
    let last = run_job(&client, "c").await;
    assert!(last > other);
}
