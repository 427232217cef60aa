//! The reference page of errors, made from the catalogue: a file of the sources, and a page of the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use weir_base::error::{ErrorEntry, entries};

use crate::cs::operations::{self, Operation};
use crate::openapi::errors_of;

/// The files of the tests that raise a code, by the operation that answers it.
pub type Tests = BTreeMap<String, BTreeSet<String>>;

/// The families of codes, by the thousands of their numbers.
const FAMILIES: &[(u32, &str)] = &[
    (10, "Any call"),
    (11, "Creating and updating jobs"),
    (12, "Updating jobs"),
    (13, "Running jobs"),
    (14, "Execution graphs"),
    (15, "Stopping jobs"),
    (16, "Deleting jobs"),
    (17, "Reading jobs"),
    (18, "Templates"),
    (19, "Buckets and the agency"),
    (20, "Exclusive clusters and quotas"),
    (21, "Exclusive clusters and quotas of users"),
    (22, "Networks of exclusive clusters"),
    (23, "Lists of jobs"),
    (24, "Audit"),
    (25, "Totals and billing"),
    (26, "The service behind the API"),
];

/// Returns the title of the family of a code.
pub(crate) fn family_of(code: u32) -> String {
    let family = code / 1_000;
    let name = FAMILIES.iter().find(|(number, _)| *number == family).map_or("", |(_, name)| name);
    format!("{name} (CS.{family}xxx)")
}

/// Returns the operations that can answer a code.
pub(crate) fn operations_of(entry: &ErrorEntry) -> Vec<&'static str> {
    let code = entry.code.to_string();
    let can_answer = |operation: &&Operation| errors_of(operation.id, true).contains(&code);
    operations::ALL.iter().filter(can_answer).map(|operation| operation.id).collect()
}

/// Returns the page `docs/reference/errors.md`. `tests` names the tests that raise each code.
pub fn page(tests: &BTreeMap<u32, Tests>) -> String {
    let mut all: Vec<_> = entries().collect();
    all.sort_by_key(|entry| entry.code);
    let (mut raised, mut pairs) = (0, 0);
    for entry in &all {
        let operations = operations_of(entry);
        pairs += operations.len();
        raised += operations.iter().filter(|id| is_raised(tests, entry, id)).count();
    }
    let mut page = format!(
        "# Errors\n\n\
         <!-- Generated from the error catalogue. Refresh with: UPDATE_DOCS=1 cargo test -p weir-api --test docs -->\n\n\
         Every error of the CS API has HTTP status 400 and a body with `error_id`, `error_name`, `error_cause`,\n\
         `error_suggestion`, `error_time` and, where there are details, `error_json_opt`: a string that holds JSON.\n\
         The checks of a call have an order, and the first that fails gives the error: route and content type,\n\
         credential, project, role, the account, body, fields in the order of the schema, the addressed resource,\n\
         its owner, its status, uniqueness, quotas.\n\n\
         *Tests* are the files in `tests/rest` and `crates/weir-api/tests` that raise the error over HTTP, with the\n\
         operations that answer it there. Of {pairs} pairs of a code and an operation that can answer it, tests raise\n\
         {raised}; the others are listed under *No test raises it in*.\n",
    );
    let mut family = 0;
    for entry in all {
        if entry.code.0 / 1_000 != family {
            family = entry.code.0 / 1_000;
            // Writing to a String cannot fail.
            let _ = writeln!(page, "\n## {}", family_of(entry.code.0));
        }
        write_entry(&mut page, entry, tests);
    }
    page
}

fn is_raised(tests: &BTreeMap<u32, Tests>, entry: &ErrorEntry, operation: &str) -> bool {
    tests.get(&entry.code.0).is_some_and(|operations| operations.contains_key(operation))
}

fn write_entry(page: &mut String, entry: &ErrorEntry, tests: &BTreeMap<u32, Tests>) {
    let code = entry.code.to_string();
    let _ = writeln!(page, "\n### {code} {}\n\n{}\n", entry.name, entry.cause);
    let _ = writeln!(page, "- When: {}\n- What to do: {}", entry.trigger, entry.suggestion);
    let operations = operations_of(entry);
    let shown = match entry.operations {
        "all" => "all".to_string(),
        _ => listed(operations.iter().copied()),
    };
    let _ = writeln!(page, "- Operations: {shown}");
    let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (operation, raised_in) in tests.get(&entry.code.0).into_iter().flatten() {
        for file in raised_in {
            files.entry(file).or_default().insert(operation);
        }
    }
    let tests_of = files.iter().map(|(file, raised)| {
        let is_all = operations.iter().all(|operation| raised.contains(operation));
        let shown = if is_all { "every operation".to_string() } else { listed(raised.iter().copied()) };
        format!("`{file}` ({shown})")
    });
    let _ = writeln!(page, "- Tests: {}", tests_of.collect::<Vec<_>>().join(", "));
    let others: Vec<_> = operations.into_iter().filter(|id| !is_raised(tests, entry, id)).collect();
    if !others.is_empty() {
        let _ = writeln!(page, "- No test raises it in: {}", listed(others.into_iter()));
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{}`", name.trim())).collect::<Vec<_>>().join(", ")
}
