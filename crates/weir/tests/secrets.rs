//! What is planted as a secret is found in no log, answer, audit record or plan, and not in the metadata; and jobs do
//! not reach the machine of the service.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use weir_testkit::service::{Client, Service, ServiceOptions};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

/// The password in the text of a job. The text itself is the user's; nothing that is made of it may tell it.
const IN_JOB: &str = "planted-in-job";
const MAIL: &str = "planted-mail";

/// Returns the files that hold a text, the named ones apart.
fn files_with(service: &Service, secret: &str, but: &[&str]) -> Vec<PathBuf> {
    let mut files = service.files();
    files.retain(|file| {
        // Sockets cannot be read.
        let bytes = std::fs::read(file).unwrap_or_default();
        let named = but.iter().any(|name| file.to_string_lossy().contains(name));
        !named && bytes.windows(secret.len()).any(|part| part == secret.as_bytes())
    });
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_found_nowhere() {
    let environment = [
        ("WEIR_LOG_LEVEL", "trace".to_string()),
        ("WEIR_SHARED_CLUSTER_RESTRICTED", "false".to_string()),
        ("WEIR_SMTP_URL", format!("smtp://robot:{MAIL}@127.0.0.1:1")),
        ("WEIR_SMTP_SENDER", "Weir <weir@example.com>".to_string()),
    ];
    let environment = environment.map(|(name, value)| (name.to_string(), value)).to_vec();
    let options = ServiceOptions { environment, ..ServiceOptions::default() };
    let service = Service::start(Path::new(WEIR), options).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();
    let users = client.call(Method::GET, "/v3/users", None).await.unwrap();
    let user = users["users"][0]["id"].as_str().unwrap();
    let asked = json!({ "credential": { "user_id": user, "description": "planted" } });
    let key = client.call(Method::POST, "/v3.0/OS-CREDENTIAL/credentials", Some(&asked)).await.unwrap();
    let secret_key = key["credential"]["secret"].as_str().unwrap().to_string();

    let sql = format!(
        "CREATE SOURCE STREAM s (id STRING) WITH (type='datagen');\n\
         CREATE TABLE shops (id STRING, town STRING) WITH (type='rds', username='robot', password='{IN_JOB}',\n\
           db_url='postgresql://127.0.0.1:1/d', table_name='shops');\n\
         CREATE SINK STREAM t (town STRING) WITH (type='blackhole');\n\
         INSERT INTO t SELECT shops.town FROM s JOIN shops ON s.id = shops.id;"
    );
    let request = json!({"name": "robot", "run_mode": "shared_cluster", "sql_body": sql,
        "restart_when_exception": false, "smn_topic": ""});
    let job = client.create_job(&request).await.unwrap();
    let mut told = vec![client.run_job(job).await.err().map_or(String::new(), |error| format!("{error:#}"))];
    let failed = ["job_running_exception", "job_submit_fail"];
    let view = client.wait_for(job, &failed, Duration::from_secs(60)).await.unwrap();
    assert!(
        view.status_desc.contains("jobs do not reach unless the operator sets `job_loopback`"),
        "{view:?}"
    );
    told.push(view.status_desc);
    for path in ["jobs", "audit_logs?resource_type=job", &format!("job/{job}/execute_graph"), "overview"] {
        let answer = client.send(Method::GET, &format!("/v1.0/{{project}}/{path}"), None).await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        told.push(answer.text().await.unwrap());
    }
    // Jobs with a mistake: its caret points into the line with the secret, or at the secret.
    let mistakes = [
        ("table_name='shops'", "table_nam='shops'".to_string()),
        ("password='", "password '".to_string()),
        (&format!("'{IN_JOB}',"), format!("'{IN_JOB}'")),
        ("password='", "password='' '".to_string()),
        (&format!("'{IN_JOB}'"), format!("`{IN_JOB}`")),
        (&format!("'{IN_JOB}'"), IN_JOB.replace('-', "_")),
    ];
    for (at, (right, wrong)) in mistakes.into_iter().enumerate() {
        assert!(sql.contains(right), "{right}");
        let wrong = sql.replace(right, &wrong).replace("\n  ", " ");
        let request = json!({"name": format!("wrong{at}"), "run_mode": "shared_cluster", "sql_body": wrong});
        let wrong = client.create_job(&request).await.unwrap();
        let refused = client.run_job(wrong).await.err();
        told.push(format!("{:#}", refused.unwrap()));
    }
    let answer = client.send(Method::GET, "/v1.0/{project}/audit_logs?limit=100", None).await.unwrap();
    told.push(answer.text().await.unwrap());

    let bare = IN_JOB.replace('-', "_");
    let planted = [IN_JOB, &bare, MAIL, service.password(), client.token(), &secret_key];
    for secret in planted {
        assert!(secret.len() > 5);
        let tells = told.iter().find(|text| text.contains(secret));
        assert!(tells.is_none(), "{secret} is told in {tells:?}");
    }
    // The text of a job is kept as its owner wrote it, also for its worker.
    for secret in &planted[..2] {
        assert_eq!(files_with(&service, secret, &["weir.db", "request.json"]), Vec::<PathBuf>::new());
    }
    for secret in &planted[2..] {
        assert_eq!(files_with(&service, secret, &[]), Vec::<PathBuf>::new(), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_not_told_what_only_the_service_needs() {
    let secrets = [
        ("WEIR_SMTP_URL", "smtp://robot:planted-mail@127.0.0.1:1"),
        ("WEIR_OBJECTS_SECRET_KEY", "planted-objects"),
        ("OTHER_SECRET", "planted-other"),
    ];
    // Nothing is at this endpoint: no object is needed here.
    let plain = [
        ("WEIR_SMTP_SENDER", "weir@example.com"),
        ("WEIR_OBJECTS_ENDPOINT", "http://127.0.0.1:1"),
        ("WEIR_OBJECTS_ACCESS_KEY", "robot"),
    ];
    let environment = secrets.iter().chain(&plain).map(|(name, value)| (name.to_string(), value.to_string()));
    let options = ServiceOptions { environment: environment.collect(), ..ServiceOptions::default() };
    let service = Service::start(Path::new(WEIR), options).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();
    let request = json!({"name": "j", "run_mode": "shared_cluster", "sql_body":
        "CREATE SOURCE STREAM s (id STRING) WITH (type='datagen');\n\
         CREATE SINK STREAM t (id STRING) WITH (type='blackhole');\n\
         INSERT INTO t SELECT id FROM s;"});
    let job = client.create_job(&request).await.unwrap();
    client.run_job(job).await.unwrap();
    client.wait_for(job, &["job_running"], Duration::from_secs(60)).await.unwrap();
    let [worker] = service.workers()[..] else { panic!("{:?}", service.workers()) };
    let told = std::fs::read(format!("/proc/{worker}/environ")).unwrap();
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("PATH=") && !told.contains(service.password()), "{told}");
    for (name, secret) in secrets {
        assert!(!told.contains(name) && !told.contains(secret), "{name} in {told}");
        assert_eq!(files_with(&service, secret, &[]), Vec::<PathBuf>::new(), "{name}");
    }
}

#[test]
fn file_streams_cannot_be_let_into_what_the_service_keeps() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for directory in [place.path(), &data, &data.join("..")] {
        let output = std::process::Command::new(WEIR)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .arg("--file-directories")
            .arg(directory)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("`file_directories` has"), "{said}");
    }
}
