//! The reference page of errors, made from the catalogue.

use std::fmt::Write as _;

use weir_base::error::entries;

use crate::cs::operations;
use crate::openapi::errors_of;

/// Codes that belong to an operation of this release and cannot occur in it, with the reason.
pub const NOT_YET: &[(u32, &str)] = &[
    (10_009, "balances are not metered"),
    (10_014, "entitlements and balances are not metered"),
    (10_016, "real-name verification is not asked for"),
    (11_021, "a UDF JAR needs an exclusive cluster, and there are none: CS.20005 comes first"),
    (13_008, "there are no exclusive clusters"),
    (13_009, "there are no JAR jobs"),
    (13_011, "there are no exclusive clusters"),
    (13_013, "a UDF JAR needs an exclusive cluster, and there are none"),
    (13_018, "there are no JAR jobs"),
    (13_019, "there are no JAR jobs"),
    (19_006, "the agency is part of every project"),
    (19_007, "the agency is part of every project"),
    (19_008, "the agency is part of every project"),
    (19_009, "the agency is part of every project"),
    (19_010, "the agency has every role"),
    (19_011, "the agency is part of every project"),
];

/// Returns the page `docs/reference/errors.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         <!-- Generated from the error catalogue. Refresh with: UPDATE_DOCS=1 cargo test -p weir-api --test docs -->\n\n\
         Every error of the CS API has HTTP status 400 and a body with `error_id`, `error_name`, `error_cause`,\n\
         `error_suggestion`, `error_time` and, where there are details, `error_json_opt`: a string that holds JSON.\n\
         The checks of a call have an order, and the first that fails gives the error: route and content type,\n\
         credential, project, role, body, fields in the order of the schema, the addressed resource, its owner,\n\
         its status, uniqueness, quotas.\n\n\
         *Served* says whether an operation of this release can answer the code.\n\n\
         | Code | Name | Cause | What to do | When | Served |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut all: Vec<_> = entries().collect();
    all.sort_by_key(|entry| entry.code);
    for entry in all {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} |",
            entry.code,
            entry.name,
            cell(entry.cause),
            cell(entry.suggestion),
            cell(entry.trigger),
            served(entry.code.0, &entry.code.to_string())
        );
    }
    page
}

fn served(number: u32, code: &str) -> String {
    if let Some((_, reason)) = NOT_YET.iter().find(|(known, _)| *known == number) {
        return format!("no: {reason}");
    }
    let mut operations = operations::ALL.iter();
    if operations.any(|operation| errors_of(operation.id, true).iter().any(|listed| listed == code)) {
        "yes".to_string()
    } else {
        "no: its operations are not served yet".to_string()
    }
}
