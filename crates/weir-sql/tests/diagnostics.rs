//! What people read when their job is wrong: jobs as a user might write them, each with the whole text of its errors and
//! warnings.
//!
//! A file of `diagnostics/` holds cases: a line `=== what is wrong`, the job, a line `---`, the text. A job that begins
//! with `INSERT` stands after [`DECLARATIONS`]. After a change of messages, refresh the texts with
//! `UPDATE_GOLDEN=1 cargo test -p weir-sql --test diagnostics` and read the difference as a user would.

mod support;

use std::fmt::Write as _;
use std::path::Path;

use support::CATALOG;
use weir_sql::{CheckOptions, Cluster, check_all, render, render_warning};

const DECLARATIONS: &str = "\
CREATE SOURCE STREAM cars (id STRING, speed INT, price DOUBLE, ts TIMESTAMP, tags ARRAY[STRING])
  WITH (type = \"dis\", channel = \"cars\", encode = \"json\")
  TIMESTAMP BY ts.rowtime, proctime.proctime
  SET WATERMARK (RANGE INTERVAL '1' SECOND, INTERVAL '10' SECOND);
CREATE SOURCE STREAM owners (id STRING, owner STRING)
  WITH (type = \"dis\", channel = \"owners\", encode = \"json\");
CREATE SINK STREAM alarms (id STRING, n BIGINT)
  WITH (type = \"dis\", channel = \"alarms\", encode = \"json\");
";

/// Returns what `weir check` says of a job.
fn said_of(job: &str) -> String {
    let job = match job.starts_with("INSERT") {
        true => format!("{DECLARATIONS}{job}"),
        false => job.to_string(),
    };
    let options = CheckOptions { cluster: Cluster::Local, ..CheckOptions::default() };
    let mut said = String::new();
    match check_all(&job, &CATALOG, &options) {
        Ok(checked) => {
            for warning in &checked.warnings {
                let _ = writeln!(said, "{}", render_warning("job.sql", &job, warning));
            }
        }
        Err(errors) => {
            for error in errors.iter() {
                let _ = writeln!(said, "{}", render("job.sql", &job, error));
            }
        }
    }
    format!("{}\n", said.trim_end())
}

/// Checks the cases of a file.
fn check_file(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics").join(name);
    let written = std::fs::read_to_string(&path).expect("a file of cases");
    let mut refreshed = String::new();
    for case in written.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').expect("a title");
        let job = rest.split_once("---\n").map_or(rest, |(job, _)| job);
        let _ = writeln!(refreshed, "=== {title}\n{job}---\n{}", said_of(job));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &refreshed).expect("the file can be written");
    }
    let written = std::fs::read_to_string(&path).expect("a file of cases");
    assert!(written == refreshed, "{name} is not what is said now:\n{refreshed}");
}

#[test]
fn declarations() {
    check_file("declarations.txt");
}

#[test]
fn queries() {
    check_file("queries.txt");
}

#[test]
fn windows() {
    check_file("windows.txt");
}

#[test]
fn patterns() {
    check_file("patterns.txt");
}

#[test]
fn several_at_once() {
    check_file("several.txt");
}

#[test]
fn warnings() {
    check_file("warnings.txt");
}
