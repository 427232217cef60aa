//! Which tests raise which error code in which operation.
//!
//! A step of `tests/rest` fails when it does not get the code that it expects. What tests in Rust raise stands in
//! `raised.tsv`; each row is checked when the service of its test is dropped.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::contract::Contract;

const RAISED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/raised.tsv");
const STEPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/rest");

/// The files of the tests of each code, by the operation that answers it.
pub type Coverage = BTreeMap<u32, BTreeMap<String, BTreeSet<String>>>;

/// A row of `raised.tsv`.
pub struct Row {
    pub file: String,
    pub test: String,
    pub operation: String,
    pub codes: Vec<u32>,
}

/// Returns what all tests raise.
pub fn of_tests() -> Coverage {
    let mut coverage = Coverage::new();
    let mut add = |code: u32, operation: &str, file: &str| {
        let operations = coverage.entry(code).or_default();
        operations.entry(operation.to_string()).or_default().insert(file.to_string());
    };
    for Row { file, operation, codes, .. } in rows() {
        codes.into_iter().for_each(|code| add(code, &operation, &file));
    }
    for entry in std::fs::read_dir(STEPS).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let steps: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for step in steps["steps"].as_array().unwrap() {
            let (request, expect) = (&step["request"], &step["expect"]);
            let code = expect["code"].as_str().or(expect["body"]["error_code"].as_str()).unwrap_or_default();
            let number =
                code.strip_prefix("CS.").or(code.strip_prefix("DLI.")).and_then(|code| code.parse().ok());
            let Some(number) = number.filter(|_| expect["status"] == 400) else { continue };
            let text = |name: &str| request[name].as_str().unwrap();
            let mut calls = vec![(text("method").to_string(), text("path").to_string())];
            let batch = batch_of(text("method"), text("path")).filter(|_| steps["batches"] != false);
            calls.extend(batch.map(|batch| (batch.method, batch.path)));
            for (method, path) in calls {
                let path = path.split('?').next().unwrap();
                if let Some((operation, _)) = Contract::get().find(&method, path) {
                    add(number, operation, &file);
                }
            }
        }
    }
    coverage
}

/// Returns the rows of `raised.tsv`; one for `*` stands for all operations that need a credential.
pub fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(RAISED).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.flat_map(|line| {
        let [file, test, operation, codes] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let codes: Vec<u32> = codes.split(',').map(|code| code.parse().unwrap()).collect();
        let all = || weir_api::cs::operations::ALL.iter().map(|operation| operation.id).collect();
        let operations: Vec<&str> = if operation == "*" { all() } else { vec![operation] };
        operations.into_iter().map(move |operation| Row {
            file: file.to_string(),
            test: test.to_string(),
            operation: operation.to_string(),
            codes: codes.clone(),
        })
    });
    rows.collect()
}

/// Returns what the test of this thread was to raise, by `raised.tsv`, and did not.
pub fn not_raised(errors: &BTreeSet<(String, u32)>) -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    let program = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file = format!("{}.rs", program.rsplit_once('-').map_or(program.as_str(), |(name, _)| name));
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    let mut missing = Vec::new();
    for row in rows().into_iter().filter(|row| row.file == file && row.test == test) {
        let raised = |code: &u32| errors.contains(&(row.operation.clone(), *code));
        let codes = row.codes.iter().filter(|code| !raised(code));
        missing.extend(codes.map(|code| format!("CS.{code} of {} in {file} {test}", row.operation)));
    }
    missing
}

/// A call about one job, as a call about a list of jobs.
pub struct Batch {
    pub method: String,
    pub path: String,
    /// The job, as the step writes it.
    pub job: String,
}

/// Returns the batch call that does to a list of jobs what a call does to one. What refuses one job refuses a list of it.
pub fn batch_of(method: &str, path: &str) -> Option<Batch> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').collect();
    let (job, action) = match (method, segments.as_slice()) {
        ("POST", [_, "v1.0", _, "job", job, action @ ("run" | "stop")]) => (*job, format!("/{action}")),
        ("DELETE", [_, "v1.0", _, "job", job]) => (*job, String::new()),
        _ => return None,
    };
    let is_number = job.starts_with("${") || job.parse::<i64>().is_ok();
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let path = format!("/v1.0/{}/job{action}{query}", segments[2]);
    is_number.then(|| Batch { method: method.to_string(), path, job: job.to_string() })
}
