//! Runs every golden job of `tests/jobs` in every way: plainly, with checkpoints, killed and resumed, in parallel.
//!
//! One test per folder, so that a failure has the name of its job: `cargo test --test golden session_event`.

use std::path::{Path, PathBuf};

use weir_testkit::golden::{Folder, all_modes, run};
use weir_testkit::seed::seed_of_run;

fn jobs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/jobs").canonicalize().expect("tests/jobs exists")
}

/// Runs one job in all modes and reports every mode that fails, not only the first.
fn check(name: &str) {
    let weir = Path::new(env!("CARGO_BIN_EXE_weir"));
    let folder = Folder::load(&jobs().join(name)).unwrap_or_else(|error| panic!("{error:#}"));
    let seed = seed_of_run();
    let failures: Vec<String> = all_modes()
        .into_iter()
        .filter_map(|mode| run(weir, &folder, mode, seed).err())
        .map(|error| format!("{error:#}"))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} modes failed\n\n{}",
        failures.len(),
        all_modes().len(),
        failures.join("\n\n")
    );
}

#[test]
fn every_folder_has_a_test() {
    let source = include_str!("golden.rs");
    let folders = Folder::load_all(&jobs()).unwrap_or_else(|error| panic!("{error:#}"));
    let forgotten: Vec<String> = folders
        .into_iter()
        .map(|folder| folder.name)
        .filter(|name| !source.contains(&format!("fn {name}()")))
        .collect();
    assert!(forgotten.is_empty(), "add a test to golden.rs for {forgotten:?}");
}

#[test]
fn constant_rows() {
    check("constant_rows");
}

#[test]
fn dirty_data() {
    check("dirty_data");
}

#[test]
fn distinct_having() {
    check("distinct_having");
}

#[test]
fn filter_csv() {
    check("filter_csv");
}

#[test]
fn flights_delayed() {
    check("flights_delayed");
}

#[test]
fn flights_hop() {
    check("flights_hop");
}

#[test]
fn flights_hourly() {
    check("flights_hourly");
}

#[test]
fn flights_session() {
    check("flights_session");
}

#[test]
fn hop_event() {
    check("hop_event");
}

#[test]
fn json_paths() {
    check("json_paths");
}

#[test]
fn json_schema() {
    check("json_schema");
}

#[test]
fn nested_types() {
    check("nested_types");
}

#[test]
fn null_logic() {
    check("null_logic");
}

#[test]
fn overspeed_alarm() {
    check("overspeed_alarm");
}

#[test]
fn quoted_csv() {
    check("quoted_csv");
}

#[test]
fn session_event() {
    check("session_event");
}

#[test]
fn temp_chain() {
    check("temp_chain");
}

#[test]
fn tumble_event() {
    check("tumble_event");
}

#[test]
fn union_all() {
    check("union_all");
}
