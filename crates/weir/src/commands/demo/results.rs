//! Reads the results of the demo and compares them with what an independent tool computed.

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use weir_cloud::objects::Objects;

/// Expected rows, computed by DuckDB (`scripts/duckdb_expected.py`).
pub const HOURLY: &str = include_str!("../../../../../tests/jobs/flights_hourly/hourly_delays.out.csv");

/// Expected rows, computed by DuckDB.
pub const ALARMS: &str = include_str!("../../../../../tests/jobs/flights_delayed/alarms.out.csv");

/// Returns the lines of all objects under a prefix.
pub async fn objects(objects: &Objects, bucket: &str, prefix: &str) -> anyhow::Result<Vec<String>> {
    let store = objects.bucket(bucket).await?;
    let found: Vec<_> = store.list(Some(&prefix.into())).try_collect().await?;
    let mut lines = Vec::new();
    for object in found {
        let bytes = store.get(&object.location).await?.bytes().await?;
        lines.extend(String::from_utf8_lossy(&bytes).lines().map(String::from));
    }
    Ok(lines)
}

/// Compares rows in any order and says what is different.
pub fn check(what: &str, rows: &[String], expected: &str) -> bool {
    let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let mut expected: Vec<&str> = expected.lines().collect();
    rows.sort_unstable();
    expected.sort_unstable();
    if rows == expected {
        println!("\nThe {} {what} are exactly those that DuckDB computes from the same file.", rows.len());
        return true;
    }
    let missing = expected.iter().find(|row| rows.binary_search(row).is_err());
    let unexpected = rows.iter().find(|row| expected.binary_search(row).is_err());
    eprintln!(
        "\nThe {what} are wrong: {} rows instead of {}; missing {missing:?}, unexpected {unexpected:?}.",
        rows.len(),
        expected.len()
    );
    false
}
