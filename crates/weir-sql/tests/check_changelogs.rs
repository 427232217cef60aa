//! What takes rows that change, and what refuses them.

mod support;

use support::{CATALOG, assert_error};
use weir_sql::changelog::{Cause, Changelogs};
use weir_sql::{CheckOptions, Job, check};

const STREAMS: &str = "CREATE SOURCE STREAM a (k STRING, v INT, ts TIMESTAMP) WITH (type = 'dis', channel = 'c', encode = 'csv', field_delimiter = ',') TIMESTAMP BY ts.rowtime;
CREATE SINK STREAM o (k STRING, n BIGINT) WITH (type = 'dis', channel = 'c', encode = 'csv', field_delimiter = ',');
";

fn checked(text: &str) -> Result<Job, weir_sql::CheckError> {
    check(text, &CATALOG, &CheckOptions::default())
}

/// Returns why rows of the last INSERT may be withdrawn.
fn cause(text: &str) -> Option<Cause> {
    let job = checked(&format!("{STREAMS}{text}")).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Changelogs::of(&job).cause(&job.inserts.last().expect("an INSERT").plan)
}

#[test]
fn rows_change_from_a_group_without_a_window_on() {
    let counts = "SELECT k, COUNT(*) AS n FROM a GROUP BY k";
    for text in [
        counts.to_string(),
        format!("SELECT UPPER(k), n + 1 FROM ({counts}) WHERE n > 2"),
        format!("SELECT DISTINCT k, n FROM ({counts})"),
        format!("SELECT k, CAST(v AS BIGINT) FROM a UNION ALL {counts}"),
        "SELECT k, COUNT(*) FROM a GROUP BY CUBE (k, v)".to_string(),
    ] {
        assert_eq!(cause(&format!("INSERT INTO o {text}")), Some(Cause::GroupBy), "{text}");
    }
    for text in [
        "SELECT DISTINCT k, CAST(v AS BIGINT) FROM a",
        "SELECT k, CAST(v AS BIGINT) FROM a UNION SELECT 'x', CAST(1 AS BIGINT)",
        "SELECT k, COUNT(*) FROM a GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), CUBE (k, v)",
        "SELECT k, COUNT(*) OVER (ORDER BY ts) FROM a",
    ] {
        assert_eq!(cause(&format!("INSERT INTO o {text}")), None, "{text}");
    }
}

#[test]
fn rows_change_through_temp_streams_wherever_those_are_filled() {
    let text = "CREATE TEMP STREAM t (k STRING, n BIGINT); CREATE TEMP STREAM u (k STRING, n BIGINT);
        INSERT INTO u SELECT * FROM T;
        INSERT INTO t SELECT k, CAST(v AS BIGINT) FROM a;
        INSERT INTO t SELECT k, COUNT(*) FROM a GROUP BY k;
        INSERT INTO o SELECT * FROM u;";
    assert_eq!(cause(text), Some(Cause::TempStream("u".to_string())));
}

/// Without a memory of what was asked before there would be 2 to the power of 40 questions.
#[test]
fn temp_streams_that_are_read_twice_are_looked_at_once() {
    let level = |n: usize| {
        let from = n.checked_sub(1).map_or_else(|| "a".to_string(), |below| format!("t{below}"));
        format!(
            "CREATE TEMP STREAM t{n} (k STRING, v INT, ts TIMESTAMP) TIMESTAMP BY ts.rowtime;
             INSERT INTO t{n} SELECT k, v, ts FROM {from} UNION ALL SELECT k, v, ts FROM {from};\n"
        )
    };
    let temps: String = (0..40).map(level).collect();
    let counted = "SELECT k, COUNT(*) FROM t39 GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE)";
    assert_eq!(cause(&format!("{temps}INSERT INTO o {counted};")), None);
}

#[test]
fn windows_refuse_rows_that_change() {
    let text = format!(
        "{STREAMS}CREATE TEMP STREAM t (k STRING, n BIGINT, ts TIMESTAMP) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
INSERT INTO o SELECT k, SUM(n) FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE);
INSERT INTO t SELECT k, COUNT(*), MAX(ts) FROM a GROUP BY k;"
    );
    assert_error(
        &text,
        &checked(&text).map(|_| ()).expect_err("a window over changing rows"),
        (
            "CS.13005",
            4,
            51,
            23,
            "the window `TUMBLE` needs rows that stay, but the rows of the temp stream `t` change",
            "give the `GROUP BY` below it a window, or group without a window above it",
        ),
    );
}

#[test]
fn joins_change_rows_when_they_pad_and_time_does_not_bound_them() {
    let on = "FROM a JOIN (SELECT k AS j, ts AS t FROM a) b ON a.k = b.j";
    let query = |kind: &str, bounds: &str| {
        let on = on.replace("JOIN", kind);
        cause(&format!("INSERT INTO o SELECT k, CAST(v AS BIGINT) {on}{bounds}"))
    };
    let bounds = " AND b.t BETWEEN a.ts AND a.ts + INTERVAL '1' MINUTE";
    assert_eq!(query("LEFT JOIN", ""), Some(Cause::OuterJoin));
    assert_eq!(query("JOIN", ""), None);
    assert_eq!(query("LEFT JOIN", bounds), None);
    let of_groups =
        "INSERT INTO o SELECT a.k, n FROM a JOIN (SELECT k, COUNT(*) AS n FROM a GROUP BY k) b ON a.k = b.k";
    assert_eq!(cause(of_groups), Some(Cause::GroupBy));
}
