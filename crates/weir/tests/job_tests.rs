//! `weir test` as its user sees it: what a passed and a failed test print, and the exit code.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

const JOB: &str = "
CREATE SOURCE STREAM cars (id STRING, price INT) WITH (type = 'dis', channel = 'c', encode = 'csv', field_delimiter = ',');
CREATE SINK STREAM cheap (id STRING) WITH (type = 'dis', channel = 'd', encode = 'json');
INSERT INTO cheap SELECT id FROM cars WHERE price < 10;
";

fn weir_test(test: &str, more: &[&str]) -> (Output, String) {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("cars.test.toml"), format!("sql = '''{JOB}'''\n{test}")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("test")
        .args(more)
        .arg(".")
        .current_dir(place.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, shown)
}

const INPUT: &str = "[inputs.cars]\nrows = \"\"\"\na,5\nb,20\nc,many\n\"\"\"\n";

#[test]
fn a_passed_test_is_one_line() {
    let test = format!("title = 't'\ndirty_records = 1\n{INPUT}[outputs.cheap]\nrows = '{{\"id\":\"a\"}}'");
    let (output, shown) = weir_test(&test, &[]);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.starts_with("ok     ./cars.test.toml ("), "{shown}");
    assert!(shown.contains("\n1 passed, 0 failed ("), "{shown}");
}

#[test]
fn a_failed_test_shows_missing_and_surplus_rows() {
    let test = format!("title = 't'\ndirty_records = 2\n{INPUT}[outputs.cheap]\nrows = '{{\"id\":\"b\"}}'");
    let (output, shown) = weir_test(&test, &[]);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for line in [
        "FAILED ./cars.test.toml (",
        "sink `cheap`: 1 rows expected, 1 rows came out",
        "  + {\"id\":\"a\"}",
        "  - {\"id\":\"b\"}",
        "2 dirty records expected, 1 counted",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[test]
fn a_job_that_is_refused_fails_unless_it_should() {
    let wrong = JOB.replace("price <", "prise <");
    let place = tempfile::tempdir().unwrap();
    let run = |fails: &str| {
        let text = format!("title = 't'\nsql = '''{wrong}'''\nfails = '{fails}'");
        std::fs::write(place.path().join("t.test.toml"), text).unwrap();
        run_in(place.path())
    };
    assert_eq!(run("column `prise` is not in stream `cars`").0, Some(0));
    let (code, shown) = run("another reason");
    assert_eq!(code, Some(1));
    assert!(shown.contains("it fails, but not with `another reason`"), "{shown}");
}

#[test]
fn every_mistake_of_a_job_is_shown_whatever_the_command() {
    let wrong = JOB.replace("price <", "prise <") + "INSERT INTO cheep SELECT id FROM cars;\n";
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("job.sql"), &wrong).unwrap();
    std::fs::write(place.path().join("t.test.toml"), "title = 't'\njob = 'job.sql'\nfails = 'no such text'")
        .unwrap();
    for command in [&["check", "job.sql"][..], &["explain", "job.sql"], &["run", "job.sql"], &["test", "."]] {
        let mut weir = Command::new(env!("CARGO_BIN_EXE_weir"));
        let output = weir.args(command).current_dir(place.path()).output().unwrap();
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8_lossy(&shown);
        for mistake in ["column `prise` is not in stream `cars`", "stream `cheep` is not declared"] {
            assert!(shown.contains(mistake), "{command:?} says\n{shown}");
        }
    }
}

fn run_in(place: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_weir")).arg("test").arg(place).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn programs_read_json_lines() {
    let test = format!("title = 't'\n{INPUT}[outputs.cheap]\nfinal = 'a'");
    let (_, shown) = weir_test(&test, &["--json"]);
    let told: serde_json::Value = serde_json::from_str(shown.trim()).unwrap();
    assert_eq!(told["passed"], true);
    assert_eq!(told["dirty_records"], 1);
    assert_eq!(told["outputs"]["cheap"]["rows"], serde_json::json!([["+I", "{\"id\":\"a\"}"]]));
}
