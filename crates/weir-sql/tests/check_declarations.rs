//! The checks of declarations beyond options and columns: functions, tables, partitions.

mod support;

use support::{CATALOG, assert_error};
use weir_base::connector::{
    ColumnsFault, ColumnsPlace, ConnectorCatalog, ConnectorSpec, Need, OptionSpec, Role, RoleSpec, TableKeys,
};
use weir_sql::{CheckOptions, Cluster, check};

static FOLDERS: ConnectorSpec = ConnectorSpec {
    name: "filesystem",
    summary: "Folders of files.",
    roles: &[RoleSpec {
        role: Role::Sink,
        options: &[OptionSpec { name: "file.path", need: Need::Mandatory, values: &[], meaning: "Where." }],
        ignored: &[],
        rule: None,
        columns: None,
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

/// A connector of tables whose columns are all STRING, the first of them being the key.
static PAIRS: ConnectorSpec = ConnectorSpec {
    name: "dcs_redis",
    summary: "Pairs.",
    roles: &[RoleSpec {
        role: Role::Table,
        options: &[OptionSpec { name: "address", need: Need::Mandatory, values: &[], meaning: "Where." }],
        ignored: &[],
        rule: None,
        columns: Some(|columns, option| {
            let fault = |at, message: &str| Err(ColumnsFault { at, message: message.to_string() });
            match columns.iter().position(|column| column.type_name != "STRING") {
                Some(at) => fault(ColumnsPlace::Column(at), "a column is no STRING"),
                None if columns.len() != 2 => fault(ColumnsPlace::Whole, "a table has two columns"),
                None if option("address").is_some_and(|address| !address.contains(':')) => {
                    fault(ColumnsPlace::Option("address"), "an address has a port")
                }
                None => Ok(TableKeys::Exactly(vec![0])),
            }
        }),
    }],
    shared_cluster: false,
};
static WITH_PAIRS: ConnectorCatalog = ConnectorCatalog(&[&PAIRS]);

fn table(columns: &str, options: &str) -> String {
    format!("CREATE TABLE t ({columns}) WITH (type = 'dcs_redis'{options})")
}

#[test]
fn a_table_is_checked_by_the_rule_of_its_connector() {
    let (two, address) = ("a STRING, b STRING", ", address = 'h:1'");
    for (text, (column, length, complaint)) in [
        (table("a STRING, b INT", address), (27, 1, "a column is no STRING")),
        (table("a STRING", address), (14, 1, "a table has two columns")),
        (table(two, ", address = 'h'"), (73, 3, "an address has a port")),
    ] {
        let error = check(&text, &WITH_PAIRS, &local()).map(|_| ()).expect_err(complaint);
        assert_error(&text, &error, ("CS.13005", 1, column, length, complaint, ""));
    }
    let text = table(two, "");
    let error = check(&text, &WITH_PAIRS, &local()).map(|_| ()).expect_err("no address");
    let hint = "a dimension table of type `dcs_redis` needs it: Where.";
    assert_error(&text, &error, ("CS.13005", 1, 14, 1, "table `t` has no option `address`", hint));
}

#[test]
fn types_that_a_table_cannot_have_are_refused() {
    let refused = |kind: &str, cluster| {
        let text = format!("CREATE TABLE t (a STRING, b STRING) WITH (type = '{kind}', address = 'h:1')");
        let options = CheckOptions { cluster, ..CheckOptions::default() };
        let error = check(&text, &WITH_PAIRS, &options).map(|_| ()).expect_err(kind);
        (error.code.to_string(), error.message.text)
    };
    let shared = Cluster::Shared { restricted: true };
    let not_shared = |kind: &str| {
        ("CS.13016".to_string(), format!("a table of type `{kind}` cannot be used in the shared cluster"))
    };
    assert_eq!(refused("dcs_redis", shared), not_shared("dcs_redis"));
    assert_eq!(refused("rds", shared), not_shared("rds"));
    let missing = "connector `rds` is not available in this release";
    assert_eq!(refused("rds", Cluster::Exclusive), ("CS.13005".to_string(), missing.to_string()));
    let invalid = "a dimension table cannot have the type `dis`";
    assert_eq!(refused("dis", shared), ("CS.13015".to_string(), invalid.to_string()));
    let sink = "CREATE SINK STREAM t (a STRING) WITH (type = 'dcs_redis')";
    let error = check(sink, &WITH_PAIRS, &local()).map(|_| ()).expect_err("no sink");
    assert_eq!(error.message.text, "connector `dcs_redis` is not available in this release");
}

#[test]
fn tables_and_streams_share_their_names_and_unused_ones_are_told() {
    let pairs = table("a STRING, b STRING", ", address = 'h:1'");
    let text = format!("{pairs}; {}", pairs.replace(" t ", " T "));
    let error = check(&text, &WITH_PAIRS, &local()).map(|_| ()).expect_err("one name");
    assert_eq!(error.message.text, "table `T` is declared twice");

    static BOTH: ConnectorCatalog = ConnectorCatalog(&[&PAIRS, &FOLDERS]);
    let sink = "CREATE SINK STREAM o (a STRING) WITH (type = 'filesystem', file.path = 'p')";
    let text =
        format!("{pairs}; {sink}; INSERT INTO o SELECT b FROM (VALUES ('x')) AS v (k) JOIN t ON t.a = v.k");
    let job = check(&text, &BOTH, &local()).expect("a job");
    assert_eq!((job.tables.len(), job.warnings.len()), (1, 0), "{:?}", job.warnings);
    let text = format!("{pairs}; {sink}; INSERT INTO o VALUES ('x')");
    let job = check(&text, &BOTH, &local()).expect("a job");
    assert_eq!(job.warnings[0].message.text, "dimension table `t` is never looked up");
}
