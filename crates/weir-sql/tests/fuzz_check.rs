//! Fuzz target: no query over declared streams makes the checker or the planner panic.
//!
//! Run longer with `BOLERO_RANDOM_ITERATIONS=1000000 cargo test -p weir-sql --test fuzz_check`.

mod support;

use weir_sql::CheckOptions;

const DECLARATIONS: &str = "\
CREATE SOURCE STREAM src (s STRING, n INT, b BIGINT, d DOUBLE, c DECIMAL(10, 2), ok BOOLEAN, ts TIMESTAMP, day DATE,
  l ARRAY[INT], m MAP[STRING, INT], r ROW<x INT, y STRING>) WITH (type = 'dis', channel = 'c', encode = 'json')
  TIMESTAMP BY ts.rowtime, proctime.proctime;
CREATE SINK STREAM snk (x STRING) WITH (type = 'dis', channel = 'c', encode = 'json');
INSERT INTO snk SELECT ";

/// Parts of expressions: most texts of them parse, many have types that do not go together.
const PARTS: &[&str] = &[
    "s",
    "n",
    "b",
    "d",
    "c",
    "ok",
    "ts",
    "day",
    "l",
    "m",
    "r",
    "proctime",
    "r.x",
    "l[n]",
    "m['k']",
    "'text'",
    "1",
    "2.5",
    "1E0",
    "NULL",
    "TRUE",
    "9223372036854775807",
    "-1",
    "DATE '2024-03-15'",
    "INTERVAL '1' DAY",
    "INTERVAL '1' MONTH",
    "COUNT(*)",
    "SUM(n)",
    "MAX(s)",
    "TUMBLE_START(ts, INTERVAL '1' MINUTE)",
    "CURRENT_TIMESTAMP",
];
const JOINTS: &[&str] = &[
    " + ",
    " - ",
    " * ",
    " / ",
    " % ",
    " || ",
    " = ",
    " < ",
    " AND ",
    " OR ",
    " LIKE ",
    " IS NOT NULL OR ",
    ", ",
];
const WRAPPERS: &[(&str, &str)] = &[
    ("(", ")"),
    ("-", ""),
    ("NOT ", ""),
    ("CAST(", " AS INT)"),
    ("CAST(", " AS DECIMAL(5, 2))"),
    ("CAST(", " AS TIMESTAMP)"),
    ("ABS(", ")"),
    ("UPPER(", ")"),
    ("COALESCE(", ", 1)"),
    ("CASE WHEN ", " THEN 1 ELSE 'x' END"),
    ("CASE n WHEN 1, 2 THEN ", " END"),
    ("FLOOR(", " TO HOUR)"),
    ("EXTRACT(DAY FROM ", ")"),
    ("SUBSTRING('abc' FROM ", ")"),
    ("ARRAY[", "]"),
    ("MAP['k', ", "]"),
    ("ROW(", ", 1)"),
    ("n IN (1, ", ")"),
    ("n BETWEEN SYMMETRIC 1 AND ", ""),
    ("COUNT(DISTINCT ", ")"),
    ("MOD(", ", 0)"),
    ("JSON_VALUE(s, ", ")"),
    ("DATE_FORMAT(ts, ", ")"),
    ("TIMESTAMPADD(DAY, 1, ", ")"),
    ("SUM(", ") OVER (PARTITION BY s ORDER BY ts ROWS 2 PRECEDING)"),
    ("(n, ", ") = (1, 2)"),
    ("(ts, ", ") OVERLAPS (ts, ts)"),
];
const TAILS: &[&str] = &[
    " FROM src",
    " FROM src WHERE ok",
    " FROM src GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
    " FROM src GROUP BY HOP(proctime, INTERVAL '1' MINUTE, INTERVAL '1' HOUR), s HAVING COUNT(*) > 1",
    " FROM (SELECT s, n, ts FROM src)",
    " FROM src, (SELECT 1 AS k) AS t",
    " FROM src JOIN (SELECT s AS k, ts AS at FROM src) AS t ON s = k AND ts BETWEEN at - INTERVAL '1' HOUR AND at",
    " FROM src LEFT JOIN src AS t ON src.s = t.s",
    " FROM src CROSS JOIN UNNEST(l) AS t (x)",
    " FROM src, UNNEST(m) WITH ORDINALITY AS t (k, v, i)",
    " FROM src LEFT JOIN LATERAL TABLE(SPLIT_CURSOR(s, ',')) AS t (x) ON TRUE",
    " FROM src GROUP BY s",
    " FROM src GROUP BY GROUPING SETS ((s), (n, ok), ())",
    " FROM src GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), ROLLUP (s, n)",
    " FROM src UNION SELECT s FROM src",
    " FROM src MATCH_RECOGNIZE (PARTITION BY s ORDER BY ts MEASURES LAST(B.n) AS n, A.s AS s PATTERN (A B{2,}?) \
     WITHIN INTERVAL '1' HOUR DEFINE B AS B.n > PREV(B.n)) AS m",
    "",
];

#[test]
fn checker_survives_any_query() {
    bolero::check!(name = "check").with_iterations(1_000).with_max_len(24).for_each(|bytes: &[u8]| {
        let text = format!("{DECLARATIONS}{}", query(bytes));
        if let Err(error) = weir_sql::check(&text, &support::CATALOG, &CheckOptions::default()) {
            assert_eq!(error.code.to_string(), "CS.13005");
            assert!(weir_sql::render("job.sql", &text, &error).contains('^'));
        }
    });
}

/// Makes the rest of a query from bytes: the first chooses the tail, the others parts, joints and wrappers.
fn query(bytes: &[u8]) -> String {
    let (tail, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let pick = |byte: u8, length: usize| usize::from(byte) % length;
    let mut text = String::from("n");
    for pair in rest.chunks_exact(2) {
        match pair[0] % 2 {
            0 => {
                text.push_str(JOINTS[pick(pair[0] / 2, JOINTS.len())]);
                text.push_str(PARTS[pick(pair[1], PARTS.len())]);
            }
            _ => {
                let (before, after) = WRAPPERS[pick(pair[1], WRAPPERS.len())];
                text = format!("{before}{text}{after}");
            }
        }
    }
    text + TAILS[pick(*tail, TAILS.len())]
}
