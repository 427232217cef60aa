//! Jobs as Flink SQL: how what Flink says otherwise is written, and what is refused.

mod support;

use std::path::PathBuf;

use support::CATALOG;
use weir_sql::flink::{FlinkOptions, FlinkScript, NotInFlink, flink_script};
use weir_sql::{CheckOptions, check};

const STREAMS: &str = "CREATE SOURCE STREAM a (k STRING, v INT, t TIME, ts TIMESTAMP, xs ARRAY[INT])
  WITH (type='dis', channel='c', encode='json') TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SINK STREAM o (x STRING) WITH (type='dis', channel='c', encode='json');
";

fn script(insert: &str, time_zone: &str) -> (String, Result<FlinkScript, NotInFlink>) {
    let text = format!("{STREAMS}{insert}");
    let job = match check(&text, &CATALOG, &CheckOptions::default()) {
        Ok(job) => job,
        Err(error) => panic!("{}", weir_sql::render("job.sql", &text, &error)),
    };
    let bindings = [("a".to_string(), PathBuf::from("/a.json"))].into();
    let options = FlinkOptions { time_zone: time_zone.to_string(), bindings };
    let script = flink_script(&job, &options);
    (text, script)
}

/// Returns the query of the sink on one line.
fn query(insert: &str, time_zone: &str) -> String {
    match script(insert, time_zone).1 {
        Ok(script) => script.queries[0].sql.split_whitespace().collect::<Vec<_>>().join(" "),
        Err(error) => panic!("{error}\n{insert}"),
    }
}

#[test]
fn a_refusal_says_where_and_what_to_do() {
    let pattern = |measures: &str, pattern: &str, define: &str| {
        format!(
            "INSERT INTO o SELECT x FROM a MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts\nMEASURES {measures} AS x\nPATTERN ({pattern})\nDEFINE {define}) MR;"
        )
    };
    let last_k = "LAST(A.k)";
    for (insert, line, column, reason) in [
        (
            "INSERT INTO o\nSELECT CAST(HASH_CODE(k) AS STRING) FROM a".to_string(),
            5,
            13,
            "`HASH_CODE`: Flink has no function",
        ),
        (
            "INSERT INTO o SELECT k FROM a\nCROSS JOIN UNNEST(xs) WITH ORDINALITY AS T (x, n)".to_string(),
            5,
            28,
            "`ORDINALITY`: Flink 1.20",
        ),
        (pattern(last_k, "A+", "A AS A.v > 1"), 6, 1, "the last variable of a pattern cannot be greedy"),
        (pattern(last_k, "A | B", "A AS A.v > 1"), 6, 1, "join the conditions of single variables with `OR`"),
        (pattern(last_k, "(A B)+", "A AS A.v > 1"), 6, 1, "repeat single variables"),
        (pattern(last_k, "A{,2} B", "A AS A.v > 1"), 6, 1, "`{0,2}` cannot be said"),
        (pattern(last_k, "A B A", "A AS A.v > 1"), 6, 1, "a variable of its own"),
        (pattern(last_k, "A B", "A AS NEXT(A.v) > 1"), 7, 13, "compare a later variable"),
    ] {
        let (text, script) = script(&insert, "UTC");
        let error = script.expect_err(&insert);
        let place = error.position(&text).map(|place| (place.line, place.column));
        assert_eq!(place, Some((line, column)), "{insert}: {error}");
        assert!(error.reason.contains(reason), "{insert}: {error}");
    }
}

#[test]
fn streams_that_flink_cannot_read_are_refused_at_their_declaration() {
    let text = format!("{STREAMS}INSERT INTO o SELECT k FROM a;");
    let job = check(&text, &CATALOG, &CheckOptions::default()).expect("a good job");
    let error = flink_script(&job, &FlinkOptions::default()).expect_err("`dis` is nothing that Flink reads");
    assert_eq!(error.position(&text).map(|place| (place.line, place.column)), Some((1, 22)));
    assert!(error.reason.contains("bind it to a file"), "{error}");
}

#[test]
fn what_flink_says_otherwise_is_spelled_so_that_it_means_the_same() {
    for (expression, text) in [
        ("STRING_TO_ARRAY(k, '/')[2]", "THEN ARRAY[`k`] ELSE SPLIT(`k`, '/') END)[CAST("),
        ("STRING_TO_ARRAY(k, '[;,]')[2]", "SPLIT(REGEXP_REPLACE(`k`, '[;,]', U&'\\E000'), U&'\\E000')"),
        ("CAST(t AS STRING)", "CAST(CAST(`t` AS TIME(0)) AS STRING)"),
        ("DATE_FORMAT(ts, 'HH:mm XXX')", "DATE_FORMAT(`ts`, 'HH:mm ''Z''')"),
        (
            "CAST(UNIX_TIMESTAMP(k) AS STRING)",
            "EXTRACT(EPOCH FROM FLOOR(TO_TIMESTAMP(`k`, 'yyyy-MM-dd HH:mm:ss') TO SECOND))",
        ),
        ("CASE WHEN IS_ALPHA(k) THEN k END", "COALESCE(REGEXP(`k`, '\\A(?:\\p{L}+)\\z'), FALSE)"),
        ("CONCAT(k, k)", "CONCAT_WS('', `k`, `k`)"),
    ] {
        let query = query(&format!("INSERT INTO o SELECT {expression} FROM a"), "UTC");
        assert!(query.contains(text), "{expression}: {query}");
    }
}

#[test]
fn the_job_s_zone_is_computed_from_utc() {
    let unix = "INSERT INTO o SELECT CAST(UNIX_TIMESTAMP(k) AS STRING) FROM a";
    assert!(query(unix, "GMT+08:00").contains("- INTERVAL '0 08:00:00.000' DAY(1) TO SECOND(3)"));
    let named = query(unix, "Asia/Shanghai");
    assert!(named.contains("'Asia/Shanghai', 'UTC') || DATE_FORMAT("), "{named}");
    let (_, script) =
        script("INSERT INTO o SELECT k FROM a GROUP BY TUMBLE(ts, INTERVAL '1' DAY), k", "GMT+08:00");
    let script = script.expect("an event time of another zone");
    assert!(script.setup.iter().any(|statement| statement.contains("WATERMARK FOR `ts__rowtime`")));
    assert!(script.queries[0].sql.contains("TUMBLE(`ts__rowtime`"), "{}", script.queries[0].sql);
}

#[test]
fn distinct_rows_have_the_columns_of_the_query_only() {
    let query = query("INSERT INTO o SELECT DISTINCT k FROM a", "UTC");
    assert_eq!(query, "SELECT `c0` AS `x` FROM ( SELECT DISTINCT `k` AS `c0` FROM `a` ) AS `t1`");
}

#[test]
fn several_groupings_are_a_union_which_a_window_may_stand_beside() {
    let query =
        query("INSERT INTO o SELECT k FROM a GROUP BY TUMBLE(ts, INTERVAL '1' DAY), ROLLUP(k)", "UTC");
    assert!(query.contains("CAST(NULL AS STRING) AS `g0`, 1 AS `g1`"), "{query}");
    assert_eq!(query.matches("UNION ALL").count(), 1, "{query}");
}

#[test]
fn prev_is_read_from_a_column_of_the_rows_before() {
    let query = query(
        "INSERT INTO o SELECT k FROM a MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.v AS n
         PATTERN (A B) DEFINE A AS A.v > PREV(A.v, 2)) MR",
        "UTC",
    );
    assert!(query.contains("2) OVER (PARTITION BY `p0` ORDER BY `ordered_by`) AS `before0`"), "{query}");
    assert!(query.contains("LAST(`A`.`before0`, 0)"), "{query}");
}
