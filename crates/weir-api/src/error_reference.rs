//! The reference page of errors, made from the catalogue: a file of the sources, and a page of the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use weir_base::error::{ErrorEntry, entries};

use crate::cs::operations::{self, Operation};
use crate::openapi::errors_of;

/// Codes that belong to an operation of this release and cannot occur in it, with the reason.
pub const NOT_YET: &[(u32, &str)] = &[];

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

/// Returns the operations that can answer a code; none when this release does not have them.
pub(crate) fn operations_of(entry: &ErrorEntry) -> Vec<&'static str> {
    let code = entry.code.to_string();
    let can_answer = |operation: &&Operation| errors_of(operation.id, true).contains(&code);
    operations::ALL.iter().filter(can_answer).map(|operation| operation.id).collect()
}

/// Returns the page `docs/reference/errors.md`. `tests` names the files whose tests provoke a code.
pub fn page(tests: &BTreeMap<u32, BTreeSet<String>>) -> String {
    let mut page = String::from(
        "# Errors\n\n\
         <!-- Generated from the error catalogue. Refresh with: UPDATE_DOCS=1 cargo test -p weir-api --test docs -->\n\n\
         Every error of the CS API has HTTP status 400 and a body with `error_id`, `error_name`, `error_cause`,\n\
         `error_suggestion`, `error_time` and, where there are details, `error_json_opt`: a string that holds JSON.\n\
         The checks of a call have an order, and the first that fails gives the error: route and content type,\n\
         credential, project, role, the account, body, fields in the order of the schema, the addressed resource,\n\
         its owner, its status, uniqueness, quotas.\n\n\
         *Tests* are files in `tests/rest` and `crates/weir-api/tests` that provoke the error.\n",
    );
    let mut all: Vec<_> = entries().collect();
    all.sort_by_key(|entry| entry.code);
    let mut family = 0;
    for entry in all {
        if entry.code.0 / 1_000 != family {
            family = entry.code.0 / 1_000;
            // Writing to a String cannot fail.
            let _ = writeln!(page, "\n## {}", family_of(entry.code.0));
        }
        write_entry(&mut page, entry, tests.get(&entry.code.0));
    }
    page
}

fn write_entry(page: &mut String, entry: &ErrorEntry, tests: Option<&BTreeSet<String>>) {
    let code = entry.code.to_string();
    let _ = writeln!(page, "\n### {code} {}\n\n{}\n", entry.name, entry.cause);
    let _ = writeln!(page, "- When: {}\n- What to do: {}", entry.trigger, entry.suggestion);
    if let Some((_, reason)) = NOT_YET.iter().find(|(known, _)| *known == entry.code.0) {
        let _ = writeln!(page, "- Not answered by this release: {reason}.");
        return;
    }
    let served = operations_of(entry);
    if served.is_empty() {
        let _ = writeln!(
            page,
            "- Not answered by this release: it does not have {}.",
            listed(entry.operations.split(','))
        );
        return;
    }
    let shown = match entry.operations {
        "all" => "all".to_string(),
        _ => listed(served.into_iter()),
    };
    let tests = tests.into_iter().flatten().map(String::as_str);
    let _ = writeln!(page, "- Operations: {shown}\n- Tests: {}", listed(tests));
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{}`", name.trim())).collect::<Vec<_>>().join(", ")
}
