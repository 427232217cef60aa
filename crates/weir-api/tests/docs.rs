//! The generated pages of `docs/reference` are those that the code makes. Refresh them with
//! `UPDATE_DOCS=1 cargo test -p weir-api --test docs` and read the difference.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::path::PathBuf;

fn check(name: &str, made: &str) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference")).join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "docs/reference/{name} is stale; run: UPDATE_DOCS=1 cargo test -p weir-api --test docs"
    );
}

#[test]
fn the_page_of_errors_is_fresh() {
    check("errors.md", &weir_api::error_reference::page(&common::coverage::of_tests()));
}

#[test]
fn the_description_of_the_api_is_fresh() {
    let text = serde_json::to_string_pretty(weir_api::openapi::document()).unwrap();
    check("openapi.json", &(text + "\n"));
}
