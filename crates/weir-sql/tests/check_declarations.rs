//! The checks of declarations beyond options and columns: functions, tables, partitions.

mod support;

use support::{CATALOG, assert_error};
use weir_base::connector::{ConnectorCatalog, ConnectorSpec, Need, OptionSpec, Role, RoleSpec};
use weir_sql::{CheckOptions, Cluster, check};

static FOLDERS: ConnectorSpec = ConnectorSpec {
    name: "filesystem",
    summary: "Folders of files.",
    roles: &[RoleSpec {
        role: Role::Sink,
        options: &[OptionSpec { name: "file.path", need: Need::Mandatory, values: &[], meaning: "Where." }],
        ignored: &[],
        rule: None,
        table: None,
    }],
    shared_cluster: false,
};
static WITH_FOLDERS: ConnectorCatalog = ConnectorCatalog(&[&FOLDERS]);

fn local() -> CheckOptions {
    CheckOptions { cluster: Cluster::Local, ..CheckOptions::default() }
}

#[test]
fn functions_need_an_engine_that_runs_java() {
    let text = "CREATE FUNCTION twice AS 'com.example.Twice'";
    let refused = |options: &CheckOptions| check(text, &CATALOG, options).map(|_| ()).expect_err(text);
    assert_error(
        text,
        &refused(&CheckOptions::default()),
        (
            "CS.11035",
            1,
            17,
            5,
            "user-defined functions cannot be used in the shared cluster",
            "run the job in an exclusive cluster, or use the built-in functions",
        ),
    );
    for cluster in [Cluster::Exclusive, Cluster::Local] {
        assert_error(
            text,
            &refused(&CheckOptions { cluster, ..CheckOptions::default() }),
            (
                "CS.11035",
                1,
                26,
                19,
                "function `twice` is a Java class, which the embedded engine cannot run",
                "use the built-in functions",
            ),
        );
    }
}

#[test]
fn functions_hide_no_built_in() {
    for name in ["upper", "Count", "TUMBLE_START", "mod"] {
        let text = format!("CREATE FUNCTION {name} AS 'a.B'");
        let error = check(&text, &CATALOG, &local()).map(|_| ()).expect_err(name);
        let length = name.len() as u32;
        let complaint = format!("`{name}` is a built-in function");
        assert_error(
            &text,
            &error,
            ("CS.13005", 1, 17, length, &complaint, "give the function another name"),
        );
    }
}

#[test]
fn partitions_are_columns_of_a_filesystem_sink() {
    let sink = |clause: &str, options: &str| {
        format!("CREATE SINK STREAM s (day STRING, n INT) PARTITIONED BY ({clause}) WITH ({options})")
    };
    let folders = "type = 'filesystem', file.path = 'file:///tmp'";
    let text = sink("N", folders) + "; INSERT INTO s SELECT 'a', 1";
    assert_eq!(check(&text, &WITH_FOLDERS, &local()).expect("a job").sinks[0].partitioned, [1]);

    for (clause, column, length, complaint, hint) in [
        ("hour", 58, 4, "the sink stream has no column `hour`", "its columns are `day`, `n`"),
        ("day, DAY", 63, 3, "column `DAY` is named twice", "name every column once"),
        (
            "day, n",
            58,
            3,
            "the files would have no columns",
            "columns of `PARTITIONED BY` are in the names of folders, not in the files",
        ),
    ] {
        let text = sink(clause, folders);
        let error = check(&text, &WITH_FOLDERS, &local()).map(|_| ()).expect_err(clause);
        assert_error(&text, &error, ("CS.13005", 1, column, length, complaint, hint));
    }

    let text = sink("day", "type = 'dis', channel = 'c', encode = 'json'");
    let error = check(&text, &CATALOG, &local()).map(|_| ()).expect_err("no partitions");
    let hint = "`PARTITIONED BY` is for sinks of type `filesystem`";
    assert_error(&text, &error, ("CS.13005", 1, 58, 3, "a sink of type `dis` has no partitions", hint));
}

#[test]
fn dimension_tables_are_refused_by_name() {
    let text = "CREATE TABLE t (a INT) WITH (type = 'rds')";
    let error = check(text, &CATALOG, &local()).map(|_| ()).expect_err("no tables");
    let complaint = "a dimension table (`CREATE TABLE`) is not available in this release";
    assert_error(text, &error, ("CS.13005", 1, 14, 1, complaint, ""));
}
