//! Global variables end to end: a planted secret gets to the job and is found nowhere else.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::json;
use weir_testkit::service::{Client, Service, ServiceOptions};

const SECRET: &str = "planted-Secret.4711";
const WEIR: &str = env!("CARGO_BIN_EXE_weir");

fn weir(place: &Path, arguments: &[&str]) -> Output {
    Command::new(WEIR).args(arguments).current_dir(place).stdin(Stdio::null()).output().unwrap()
}

/// Asserts that a command said nothing of the secret. Returns what it said.
#[track_caller]
fn quiet(output: &Output) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!said.to_lowercase().contains("planted"), "{said}");
    said
}

/// A job that copies `in.csv` from a directory that a variable names.
fn copying() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join(SECRET)).unwrap();
    std::fs::write(place.path().join(SECRET).join("in.csv"), "1\nx\n2\n").unwrap();
    let job = "CREATE SOURCE STREAM s (a INT) WITH (type='file', path='{{dir}}/in.csv', encode='csv');\n\
               CREATE SINK STREAM t (a INT) WITH (type='file', path='out.csv', encode='{{ encode }}');\n\
               INSERT INTO t SELECT a FROM s;";
    std::fs::write(place.path().join("job.sql"), job).unwrap();
    std::fs::write(place.path().join("v.toml"), format!("dir = '{SECRET}'\nencode = 'csv'\n")).unwrap();
    place
}

#[test]
fn run_reads_through_variables_and_tells_none() {
    let place = copying();
    let output = weir(place.path(), &["run", "job.sql", "--variables", "v.toml", "--log-level", "debug"]);
    let said = quiet(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(std::fs::read_to_string(place.path().join("out.csv")).unwrap(), "1\n2\n");
}

#[test]
fn check_and_explain_tell_no_value() {
    let place = copying();
    for command in [&["check"][..], &["check", "--output", "json"], &["explain"], &["explain", "--json"]] {
        let mut arguments = command.to_vec();
        arguments.extend(["job.sql", "--variables", "v.toml"]);
        let output = weir(place.path(), &arguments);
        let said = quiet(&output);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
    let flink = weir(place.path(), &["explain", "--flink", "job.sql", "--variables", "v.toml"]);
    assert!(quiet(&flink).contains("'path' = '{{dir}}/in.csv'"));
}

#[test]
fn faults_tell_the_name_and_not_the_value() {
    let place = copying();
    let encode = format!("encode=other-{SECRET}");
    let check = weir(place.path(), &["check", "job.sql", "--variables", "v.toml", "--variable", &encode]);
    assert!(quiet(&check).contains("`{{encode}}` is not a value of option `encode`"));

    let without = weir(place.path(), &["run", "job.sql", "--variable", "encode=csv"]);
    let said = quiet(&without);
    assert!(said.contains("unknown global variable `dir`") && said.contains("job.sql:1:57"), "{said}");

    let elsewhere = format!("dir=/{SECRET}");
    for level in ["warn", "trace"] {
        let output = weir(
            place.path(),
            &["run", "job.sql", "--variables", "v.toml", "--variable", &elsewhere, "--log-level", level],
        );
        let said = quiet(&output);
        assert!(!output.status.success() && said.contains("{{dir}}/in.csv"), "{said}");
    }
}

#[test]
fn job_tests_may_have_variables() {
    let place = copying();
    let test = "title = 't'\n[variables]\nencode = 'csv'\ndir = 'nowhere'\n\
                [inputs.s]\nrows = \"1\\n2\\n\"\n[outputs.t]\nrows = \"1\\n2\\n\"\n";
    std::fs::write(place.path().join("job.test.toml"), test).unwrap();
    let output = weir(place.path(), &["test", "job.test.toml"]);
    let said = quiet(&output);
    assert!(output.status.success(), "{said}");
    // The command line wins.
    let encode = format!("encode={SECRET}");
    let output = weir(place.path(), &["test", "job.test.toml", "--json", "--variable", &encode]);
    assert!(!output.status.success());
    assert!(quiet(&output).contains("`{{encode}}` is not a value"));
}

/// Asserts that no file of the service holds the secret.
fn nothing_at_rest(service: &Service) {
    let files = service.files();
    assert!(files.iter().any(|file| file.ends_with("worker.log")), "{files:?}");
    for file in files {
        // Sockets cannot be read.
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("planted"), "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_keeps_a_secret() {
    let environment = [("WEIR_LOG_LEVEL", "debug"), ("WEIR_RESTART_DELAY", "0.05")];
    let environment = environment.map(|(name, value)| (name.to_string(), value.to_string())).to_vec();
    let options = ServiceOptions { environment, ..ServiceOptions::default() };
    let service = Service::start(Path::new(WEIR), options).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();
    let set = Command::new("sh")
        .args(["-c", "printf '%s\\n' \"$SECRET\" | \"$WEIR\" variable set place"])
        .envs([("SECRET", SECRET), ("WEIR", WEIR)])
        .env("WEIR_DATA", service.data())
        .output()
        .unwrap();
    assert!(quiet(&set).contains("variable `place` of project `local` set"), "{set:?}");
    let listed = service.command(&["variable", "list"]).unwrap();
    assert!(listed.contains("place") && !listed.contains("planted"), "{listed}");

    let request = |name: &str, sink: &str| {
        let sql = format!(
            "CREATE SOURCE STREAM s (a INT) WITH (type='datagen');\n\
             CREATE SINK STREAM t (a INT) WITH (type='{sink}', path='/{{{{place}}}}/out.csv', encode='csv');\n\
             INSERT INTO t SELECT a FROM s;"
        );
        json!({"name": name, "run_mode": "shared_cluster", "sql_body": sql, "restart_when_exception": false})
    };
    // Outside of the directories that the operator allows: the reason names the path.
    let job = client.create_job(&request("refused", "file")).await.unwrap();
    if let Err(answer) = client.run_job(job).await {
        assert!(!answer.to_string().to_lowercase().contains("planted"), "{answer}");
    }
    let failed = ["job_running_exception", "job_submit_fail"];
    let view = client.wait_for(job, &failed, Duration::from_secs(60)).await.unwrap();
    assert!(view.status_desc.contains("`/{{place}}` is not below a directory"), "{}", view.status_desc);
    nothing_at_rest(&service);

    // Without its variable the job is refused, and with it not again.
    service.command(&["variable", "remove", "place", "--yes"]).unwrap();
    let refused = client.run_job(job).await.unwrap_err().to_string();
    assert!(refused.contains("CS.13005") && refused.contains("unknown global variable `place`"), "{refused}");
    let again = service.command(&["variable", "remove", "place", "--yes"]).unwrap_err().to_string();
    assert!(again.contains("has no variable `place`"), "{again}");
    let project = service.command(&["variable", "list", "--project", "nobody"]).unwrap_err().to_string();
    assert!(project.contains("there is no project `nobody`"), "{project}");
}
