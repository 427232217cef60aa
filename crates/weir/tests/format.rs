//! The command `weir format`: files, standard input, `--check`, `--write`, exit codes.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const UNTIDY: &str = "insert into s select a -- the a\nfrom t;\n";
const TIDY: &str = "INSERT INTO s\nSELECT a -- the a\nFROM t;\n";

fn weir_format(place: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("format")
        .args(arguments)
        .current_dir(place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Returns the exit code and what was said on standard output.
fn said(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stdout.clone()).unwrap())
}

fn place_with_jobs() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in [("untidy.sql", UNTIDY), ("tidy.sql", TIDY), ("wrong.sql", "insert into s selekt a")]
    {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    let path = place.path().to_path_buf();
    (place, path)
}

#[test]
fn the_result_goes_to_standard_output() {
    let (_keep, place) = place_with_jobs();
    assert_eq!(said(&weir_format(&place, &["untidy.sql", "tidy.sql"], "")), (0, format!("{TIDY}{TIDY}")));
    assert_eq!(said(&weir_format(&place, &[], UNTIDY)), (0, TIDY.to_string()));
    assert_eq!(said(&weir_format(&place, &["-"], UNTIDY)), (0, TIDY.to_string()));
    assert_eq!(std::fs::read_to_string(place.join("untidy.sql")).unwrap(), UNTIDY);
}

#[test]
fn check_names_what_would_change() {
    let (_keep, place) = place_with_jobs();
    let both = weir_format(&place, &["--check", "tidy.sql", "untidy.sql"], "");
    assert_eq!(said(&both), (1, "untidy.sql\n".to_string()));
    assert_eq!(said(&weir_format(&place, &["--check", "tidy.sql"], "")), (0, String::new()));
    assert_eq!(said(&weir_format(&place, &["--check"], UNTIDY)), (1, "-\n".to_string()));
    assert_eq!(std::fs::read_to_string(place.join("untidy.sql")).unwrap(), UNTIDY);
}

#[test]
fn write_changes_the_files() {
    let (_keep, place) = place_with_jobs();
    let written = weir_format(&place, &["--write", "tidy.sql", "untidy.sql"], "");
    assert_eq!(said(&written), (0, "untidy.sql\n".to_string()));
    assert_eq!(std::fs::read_to_string(place.join("untidy.sql")).unwrap(), TIDY);
    assert_eq!(said(&weir_format(&place, &["--write", "untidy.sql"], "")), (0, String::new()));
}

#[test]
fn a_job_with_a_mistake_is_refused_and_the_others_are_laid_out() {
    let (_keep, place) = place_with_jobs();
    let output = weir_format(&place, &["--write", "wrong.sql", "untidy.sql"], "");
    assert_eq!(said(&output), (1, "untidy.sql\n".to_string()));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("error[CS.13005]: unexpected `selekt`"), "{complaint}");
    assert!(complaint.contains("--> wrong.sql:1:15"), "{complaint}");
    assert_eq!(std::fs::read_to_string(place.join("wrong.sql")).unwrap(), "insert into s selekt a");
}

#[test]
fn files_that_cannot_be_read_and_options_that_exclude_each_other_are_refused() {
    let (_keep, place) = place_with_jobs();
    assert_eq!(weir_format(&place, &["missing.sql"], "").status.code(), Some(1));
    assert_ne!(weir_format(&place, &["--check", "--write", "tidy.sql"], "").status.code(), Some(0));
}
