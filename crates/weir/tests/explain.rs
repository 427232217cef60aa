//! What `weir explain` prints: each `tests/explain/*.sql` with the plan beside it in a `.txt`. When a plan is meant to change:
//! `UPDATE_DOCS=1 cargo test -p weir --test explain`, and read the difference.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::process::Command;

#[test]
fn plans_are_told_in_the_words_of_the_job() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
    let mut jobs = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let job = entry.unwrap().path();
        if job.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        jobs += 1;
        let output = Command::new(env!("CARGO_BIN_EXE_weir")).args(["explain"]).arg(&job).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {}", job.display(), String::from_utf8_lossy(&output.stderr));
        let expected = job.with_extension("txt");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&expected, &said).unwrap();
        }
        assert_eq!(said, std::fs::read_to_string(&expected).unwrap(), "{}", job.display());
    }
    assert!(jobs > 0, "no job in {}", directory.display());
}
