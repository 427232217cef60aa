//! Consumers (apps) of a project: names under which read positions are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weir_base::id::random_hex_id;

use super::catalog::{Catalog, is_plain_name};
use super::files::{list_names, read_json, remove_if_present, write_json};
use super::{StreamsError, consumers};

/// A consumer of streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Id.
    pub id: String,
    /// Name, unique in the project: 1 to 200 letters, digits, `_` and `-`.
    pub name: String,
    /// When it was created, milliseconds since the epoch.
    pub created_ms: i64,
}

/// Creates a consumer.
pub(super) fn create(catalog: &Catalog, project: &str, name: &str, now_ms: i64) -> Result<App, StreamsError> {
    let _lock = catalog.lock(project)?;
    if find(catalog, project, name)?.is_some() {
        return Err(StreamsError::AppExists(name.to_string()));
    }
    store_new(catalog, project, name, now_ms)
}

/// Returns a consumer, created when it is new. The caller holds the lock of the project.
pub(super) fn ensure(catalog: &Catalog, project: &str, name: &str, now_ms: i64) -> Result<App, StreamsError> {
    match find(catalog, project, name)? {
        Some(app) => Ok(app),
        None => store_new(catalog, project, name, now_ms),
    }
}

/// Returns a consumer.
pub(super) fn get(catalog: &Catalog, project: &str, name: &str) -> Result<App, StreamsError> {
    find(catalog, project, name)?.ok_or_else(|| StreamsError::NoApp(name.to_string()))
}

/// Lists the consumers of a project by name.
pub(super) fn list(catalog: &Catalog, project: &str) -> Result<Vec<App>, StreamsError> {
    let names = list_names(&directory(catalog, project)?)?;
    let mut apps = Vec::new();
    for name in names.iter().filter_map(|name| name.strip_suffix(".json")) {
        apps.extend(find(catalog, project, name)?);
    }
    apps.sort_unstable_by(|one: &App, other| one.name.cmp(&other.name));
    Ok(apps)
}

/// Deletes a consumer and its positions in all streams.
pub(super) fn delete(catalog: &Catalog, project: &str, name: &str) -> Result<(), StreamsError> {
    let _lock = catalog.lock(project)?;
    get(catalog, project, name)?;
    for stream in catalog.names(project)? {
        if let Ok(entry) = catalog.stream(project, &stream) {
            consumers::delete_all(&catalog.stream_directory(project, &entry)?, name)?;
        }
    }
    Ok(remove_if_present(&file(catalog, project, name)?)?)
}

fn store_new(catalog: &Catalog, project: &str, name: &str, now_ms: i64) -> Result<App, StreamsError> {
    if !is_plain_name(name, 200) {
        let rule = "1 to 200 letters, digits, `_` and `-`";
        return Err(StreamsError::Invalid(format!("`{name}` is not a name of an app: {rule}")));
    }
    std::fs::create_dir_all(directory(catalog, project)?)?;
    let app = App { id: random_hex_id(), name: name.to_string(), created_ms: now_ms };
    write_json(&file(catalog, project, name)?, &app)?;
    Ok(app)
}

fn find(catalog: &Catalog, project: &str, name: &str) -> Result<Option<App>, StreamsError> {
    if !is_plain_name(name, 200) {
        return Ok(None);
    }
    Ok(read_json(&file(catalog, project, name)?)?)
}

fn directory(catalog: &Catalog, project: &str) -> Result<PathBuf, StreamsError> {
    Ok(catalog.project(project)?.join("apps"))
}

fn file(catalog: &Catalog, project: &str, name: &str) -> Result<PathBuf, StreamsError> {
    Ok(directory(catalog, project)?.join(format!("{name}.json")))
}
