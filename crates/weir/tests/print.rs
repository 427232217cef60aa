//! What `weir run` prints of a result that changes.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::process::Command;

const ROWS: &str = "a,1\nb,5\na,2\n";

/// Runs a job with a running sum per key into a `print` sink with these options.
fn printed(options: &str, arguments: &[&str]) -> String {
    let place = tempfile::tempdir().unwrap();
    let job = format!(
        "CREATE SOURCE STREAM s (k STRING, n INT) WITH (type='file', path='in.csv', encode='csv');\n\
         CREATE SINK STREAM t (k STRING, total BIGINT) WITH (type='print'{options});\n\
         INSERT INTO t SELECT k, SUM(n) FROM s GROUP BY k;"
    );
    std::fs::write(place.path().join("job.sql"), job).unwrap();
    std::fs::write(place.path().join("in.csv"), ROWS).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["run", "job.sql"])
        .args(arguments)
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the words of each line below the headings.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(2).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn a_result_that_changes_is_printed_as_a_changelog() {
    let table = printed("", &[]);
    assert!(table.starts_with("op  k  total\n"), "{table}");
    assert_eq!(
        rows(&table),
        [vec!["+I", "a", "1"], vec!["+I", "b", "5"], vec!["-U", "a", "1"], vec!["+U", "a", "3"]]
    );
    let json = printed("", &["--output", "json"]);
    assert_eq!(
        json.lines().last(),
        Some(r#"{"op":"+U","data":{"k":"a","total":3}}"#),
        "the row stands apart from its kind"
    );
}

#[test]
fn without_row_kinds_only_added_rows_are_printed() {
    let table = printed(", row_kinds='false'", &[]);
    assert_eq!(rows(&table), [vec!["a", "1"], vec!["b", "5"], vec!["a", "3"]]);
}
