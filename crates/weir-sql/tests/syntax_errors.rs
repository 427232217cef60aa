//! Errors of the text: place, complaint, hint.

mod support;

use support::{assert_error, check, check_queries};
use weir_sql::parse;

#[test]
fn words_that_begin_no_statement() {
    let temp = "declare a temp stream and insert into it";
    check(&[
        ("\n  CRATE SOURCE", 2, 3, 5, "unexpected `CRATE`", "did you mean `CREATE`?"),
        ("CREATE VIEW v AS SELECT 1", 1, 8, 4, "`CREATE VIEW` is not part of Stream SQL", temp),
        ("SELECT 1", 1, 1, 6, "a query must say where its rows go", "write `INSERT INTO stream` before it"),
        (
            "CREATE STREAM s (a INT)",
            1,
            8,
            6,
            "unexpected `STREAM`",
            "expected `SOURCE STREAM`, `SINK STREAM`, `TEMP STREAM`, `TABLE` or `FUNCTION`",
        ),
        ("CREATE SOURCE s", 1, 15, 1, "unexpected `s`", "expected `STREAM`"),
        ("INSERT OVERWRITE s SELECT 1", 1, 8, 9, "unexpected `OVERWRITE`", "expected `INTO`"),
    ]);
}

#[test]
fn statements_of_other_dialects_are_refused_by_name() {
    let job = "a job consists of `CREATE SOURCE | SINK | TEMP STREAM`, `CREATE TABLE`, `CREATE FUNCTION` and `INSERT INTO` statements";
    for word in [
        "ALTER", "delete", "DESC", "DESCRIBE", "DROP", "EXPLAIN", "MERGE", "RESET", "set", "SHOW",
        "TRUNCATE", "UPDATE", "UPSERT", "USE",
    ] {
        let text = format!("{word} s");
        let complaint = format!("`{}` is not part of Stream SQL", word.to_uppercase());
        check(&[(&text, 1, 1, word.len() as u32, &complaint, job)]);
    }
}

#[test]
fn tables_and_functions_with_something_wrong() {
    let class = "expected a string with the name of a class, such as `'com.example.Name'`";
    check(&[
        ("CREATE TABLE (a INT)", 1, 14, 1, "unexpected `(`", "expected the name of a table"),
        ("CREATE TABLE STREAM t (a INT)", 1, 21, 1, "unexpected `t`", "expected `(` and the columns"),
        ("CREATE TABLE t WITH (type = 'rds')", 1, 16, 4, "unexpected `WITH`", "expected `(` and the columns"),
        (
            "CREATE TABLE t (a INT)",
            1,
            23,
            1,
            "unexpected end of the text",
            "expected `WITH (` and the options",
        ),
        (
            "CREATE TABLE t (a INT) WITH (b = 'c') TIMESTAMP BY a.rowtime",
            1,
            39,
            9,
            "a table has no `TIMESTAMP BY` clause",
            "time attributes belong to source and temp streams; end the statement with `;`",
        ),
        ("CREATE TABLE t (a INT) WITH (b = 'c') x", 1, 39, 1, "unexpected `x`", "expected `;`"),
        (
            "CREATE FUNCTION 'f' AS 'a.B'",
            1,
            17,
            3,
            "unexpected text in quotes",
            "expected the name of a function; quotes make text, a name in quotes takes back quotes",
        ),
        ("CREATE FUNCTION f", 1, 18, 1, "unexpected end of the text", "expected `AS`"),
        ("CREATE FUNCTION f AS a.B", 1, 22, 1, "unexpected `a`", class),
        (
            "CREATE FUNCTION f AS ' '",
            1,
            22,
            3,
            "the name of the class is empty",
            "expected a string such as `'com.example.Name'`",
        ),
        ("CREATE FUNCTION f AS 'a.B' USING JAR 'x'", 1, 28, 5, "unexpected `USING`", "expected `;`"),
        ("CREATE SINK STREAM s (a INT) PARTITIONED (a)", 1, 42, 1, "unexpected `(`", "expected `BY`"),
        (
            "CREATE SINK STREAM s (a INT) PARTITIONED BY ()",
            1,
            46,
            1,
            "unexpected `)`",
            "expected a column name",
        ),
        (
            "CREATE SINK STREAM s (a INT) PARTITIONED BY (a b)",
            1,
            48,
            1,
            "unexpected `b`",
            "expected `,` or `)`",
        ),
        (
            "CREATE SOURCE STREAM s (a INT) PARTITIONED BY (a) WITH (type = 'x')",
            1,
            32,
            11,
            "only a sink stream has a `PARTITIONED BY` clause",
            "remove the clause",
        ),
    ]);
}

#[test]
fn declarations_with_something_missing_or_too_much() {
    check(&[
        (
            "CREATE SINK STREAM s WITH (a = 'b')",
            1,
            22,
            4,
            "unexpected `WITH`",
            "expected `(` and the columns",
        ),
        (
            "CREATE SOURCE STREAM s",
            1,
            23,
            1,
            "unexpected end of the text",
            "expected `(` and the columns, or `WITH (`",
        ),
        ("CREATE SOURCE STREAM s (a INT);", 1, 31, 1, "unexpected `;`", "expected `WITH (` and the options"),
        ("CREATE TEMP STREAM s (a INT b INT)", 1, 29, 1, "unexpected `b`", "expected `,` or `)`"),
        (
            "CREATE TEMP STREAM s (a INT,)",
            1,
            29,
            1,
            "unexpected `)`",
            "expected a column name, or no `,` before it",
        ),
        ("CREATE TEMP STREAM s (a)", 1, 24, 1, "unexpected `)`", &format!("expected {}", TYPES)),
        ("CREATE TEMP STREAM s (a TEXT)", 1, 25, 4, "unknown type `TEXT`", "did you mean `STRING`?"),
        ("CREATE TEMP STREAM s (a THING)", 1, 25, 5, "unknown type `THING`", &format!("expected {}", TYPES)),
        (
            "CREATE TEMP STREAM s (a INT NOT NULL)",
            1,
            29,
            3,
            "`NOT` in a column is not part of Stream SQL",
            "a column has a name and a type, and may always be NULL; expected `,` or `)`",
        ),
        (
            "CREATE TEMP STREAM s (order INT)",
            1,
            23,
            5,
            "`order` is a reserved word and cannot be a column name as it is",
            "expected a column name; put a reserved word in back quotes to use it as a name",
        ),
        (
            "CREATE TEMP STREAM s (a INT) WITH (b = 'c')",
            1,
            30,
            4,
            "a temp stream has no options",
            "expected `TIMESTAMP BY` or `;`; only sources and sinks have a `WITH` clause",
        ),
        (
            "CREATE SINK STREAM s (a INT) WITH (b = 'c') TIMESTAMP BY a.rowtime",
            1,
            45,
            9,
            "a sink stream has no `TIMESTAMP BY` clause",
            "time attributes belong to source and temp streams; end the statement with `;`",
        ),
        (
            "CREATE TEMP STREAM s (a INT) INSERT INTO s SELECT 1",
            1,
            30,
            6,
            "the statement before is not ended",
            "end it with `;`",
        ),
    ]);
}

#[test]
fn options_with_something_wrong() {
    check(&[
        (
            "CREATE SINK STREAM s (a INT) WITH ()",
            1,
            36,
            1,
            "unexpected `)`",
            "expected the name of an option",
        ),
        ("CREATE SINK STREAM s (a INT) WITH (b 'c')", 1, 38, 3, "unexpected text in quotes", "expected `=`"),
        (
            "CREATE SINK STREAM s (a INT) WITH (b = c)",
            1,
            40,
            1,
            "the value has no quotes",
            "expected a string or a whole number",
        ),
        (
            "CREATE SINK STREAM s (a INT) WITH (b = 1.5)",
            1,
            40,
            3,
            "the value has no quotes",
            "expected a string or a whole number",
        ),
        (
            "CREATE SINK STREAM s (a INT) WITH (b = 'c' d = 'e')",
            1,
            44,
            1,
            "unexpected `d`",
            "expected `,` or `)`",
        ),
        (
            "CREATE SINK STREAM s (a INT) WITH (b = 'x\\d')",
            1,
            42,
            2,
            "`\\d` is not an escape",
            "escapes are `\\n`, `\\r`, `\\t`, `\\b`, `\\f`, `\\0`, `\\'`, `\\\"`, `\\\\` and `\\uXXXX`; write `\\\\` for a backslash",
        ),
    ]);
}

#[test]
fn time_clauses_with_something_wrong() {
    let text = |clause: &str| format!("CREATE TEMP STREAM s (t TIMESTAMP) TIMESTAMP BY {clause}");
    let before = text("").len() as u32;
    for (clause, column, length, complaint, hint) in [
        ("t", 2, 1, "unexpected end of the text", "expected `.` and `ROWTIME` or `PROCTIME`"),
        ("t.eventtime", 3, 9, "unexpected `eventtime`", "expected `ROWTIME` or `PROCTIME`"),
        ("t.proctime", 1, 1, "processing time has no column of its own", "expected `PROCTIME.PROCTIME`"),
        (
            "t.rowtime, t.rowtime",
            12,
            1,
            "event time is declared twice",
            "a stream has at most one event time and one processing time",
        ),
        (
            "proctime.proctime SET WATERMARK (ROWS 1, INTERVAL 1 SECOND)",
            19,
            3,
            "a watermark needs an event time",
            "declare it before: `TIMESTAMP BY column.ROWTIME SET WATERMARK (...)`",
        ),
        (
            "t.rowtime SET WATERMARK (INTERVAL 1 SECOND)",
            26,
            8,
            "unexpected `INTERVAL`",
            "expected `RANGE` and an interval, or `ROWS` and a number",
        ),
        (
            "t.rowtime SET WATERMARK (ROWS 0, INTERVAL 1 SECOND)",
            31,
            1,
            "unexpected `0`",
            "expected a number of rows, at least 1",
        ),
        (
            "t.rowtime SET WATERMARK (ROWS 1, INTERVAL -1 SECOND)",
            34,
            8,
            "the delay of the watermark is negative",
            "expected zero or more",
        ),
        (
            "t.rowtime SET WATERMARK (RANGE INTERVAL 1 MONTH, INTERVAL 1 SECOND)",
            32,
            8,
            "the time between watermarks is an interval of years or months, which have no fixed length",
            "expected `DAY`, `HOUR`, `MINUTE`, `SECOND` or `MILLISECOND`",
        ),
        ("t.rowtime WATERMARK", 11, 9, "unexpected `WATERMARK`", "expected `,`, `SET WATERMARK` or `;`"),
    ] {
        let sql = text(clause);
        let error = parse(&sql).expect_err(clause);
        assert_error(&sql, &error, ("CS.13005", 1, before + column, length, complaint, hint));
    }
}

#[test]
fn characters_that_make_no_token() {
    check(&[
        ("INSERT INTO s SELECT 'a\nb", 1, 22, 1, "the string is not closed", "close it with `'`"),
        ("INSERT INTO s SELECT `a", 1, 22, 1, "the name is not closed", "close it with a back quote"),
        (
            "INSERT INTO s SELECT `` FROM t",
            1,
            22,
            2,
            "the name is empty",
            "write a name between the back quotes",
        ),
        ("INSERT INTO s SELECT 1 /* x", 1, 24, 2, "the comment is not closed", "close it with `*/`"),
        (
            "INSERT INTO s SELECT 12ab",
            1,
            22,
            4,
            "`12ab` is neither a number nor a name",
            "a name begins with a letter or `_`; any other name goes in back quotes",
        ),
        (
            "INSERT INTO s SELECT a#b",
            1,
            23,
            1,
            "unexpected character `#`",
            "names with special characters go in back quotes, text goes in quotes",
        ),
    ]);
}

#[test]
fn what_the_dialect_does_not_have_is_refused_by_name() {
    let no_sorting = "a stream has no end at which rows could be sorted; remove the clause";
    let no_limit = "a stream has no last row; filter with `WHERE`";
    let in_from = "sub-queries are possible only in `FROM`";
    let union_all = "queries are combined with `UNION` and `UNION ALL`";
    check_queries(&[
        ("SELECT a FROM t ORDER BY a", 17, 5, "`ORDER BY` of a query is not part of Stream SQL", no_sorting),
        ("SELECT a FROM t LIMIT 5", 17, 5, "`LIMIT` is not part of Stream SQL", no_limit),
        ("SELECT a FROM t OFFSET 5", 17, 6, "`OFFSET` is not part of Stream SQL", no_limit),
        ("SELECT a FROM t FETCH FIRST 1 ROW ONLY", 17, 5, "`FETCH` is not part of Stream SQL", no_limit),
        (
            "SELECT a FROM t FOR UPDATE",
            17,
            3,
            "`FOR UPDATE` is not part of Stream SQL",
            "a stream cannot be locked; remove the clause",
        ),
        (
            "SELECT a FROM t QUALIFY a > 1",
            17,
            7,
            "`QUALIFY` is not part of Stream SQL",
            "filter in a query around this one",
        ),
        (
            "SELECT a FROM t WINDOW w AS ()",
            17,
            6,
            "`WINDOW` is not part of Stream SQL",
            "write the window where it is used",
        ),
        (
            "SELECT a FROM t TABLESAMPLE (1)",
            17,
            11,
            "`TABLESAMPLE` is not part of Stream SQL",
            "filter with `WHERE`",
        ),
        (
            "SELECT a FROM t INTERSECT SELECT a FROM u",
            17,
            9,
            "`INTERSECT` is not part of Stream SQL",
            union_all,
        ),
        ("SELECT 1 EXCEPT SELECT 2", 10, 6, "`EXCEPT` is not part of Stream SQL", union_all),
        (
            "WITH x AS (SELECT 1) SELECT * FROM x",
            1,
            4,
            "`WITH` (a common table expression) is not part of Stream SQL",
            "declare a temp stream and insert into it",
        ),
        ("SELECT (SELECT 1) FROM t", 9, 6, "a sub-query in an expression is not part of Stream SQL", in_from),
        (
            "SELECT a FROM t WHERE a IN (SELECT 1)",
            29,
            6,
            "a sub-query after `IN` is not part of Stream SQL",
            in_from,
        ),
        ("SELECT a FROM t WHERE NOT EXISTS (SELECT 1)", 27, 6, "`EXISTS` is not part of Stream SQL", in_from),
        (
            "SELECT SUM(a) FILTER (WHERE b) FROM t",
            15,
            6,
            "`FILTER` is not part of Stream SQL",
            "use `CASE` inside the aggregate",
        ),
        (
            "(a, b) SELECT 1, 2",
            1,
            1,
            "a column list after `INSERT INTO` is not part of Stream SQL",
            "columns are matched by position; select them in the order of the stream",
        ),
    ]);
}

#[test]
fn from_lists_with_something_wrong() {
    let on = "write the condition of a join with `ON`";
    let lateral = "a table function is called by `LATERAL TABLE(function(...))`";
    let no_lateral = "`LATERAL` stands before `TABLE(function(...))`; `UNNEST` needs no `LATERAL`";
    let reserved = "expected the name of a stream; put a reserved word in back quotes to use it as a name";
    check_queries(&[
        ("SELECT a FROM t NATURAL JOIN u", 17, 7, "`NATURAL JOIN` is not part of Stream SQL", on),
        ("SELECT a FROM t, u NATURAL LEFT JOIN v", 20, 7, "`NATURAL JOIN` is not part of Stream SQL", on),
        ("SELECT a FROM t JOIN u USING (a)", 24, 5, "`USING` is not part of Stream SQL", on),
        ("SELECT a FROM t, u USING (a)", 20, 5, "`USING` is not part of Stream SQL", on),
        (
            "SELECT a FROM t JOIN u WHERE a = b",
            24,
            5,
            "unexpected `WHERE`",
            "expected `ON` and the condition of `JOIN`",
        ),
        (
            "SELECT a FROM t FULL OUTER JOIN u",
            34,
            1,
            "unexpected end of the text",
            "expected `ON` and the condition of `FULL JOIN`",
        ),
        ("SELECT a FROM t LEFT u ON a", 22, 1, "unexpected `u`", "expected `OUTER JOIN` or `JOIN`"),
        ("SELECT a FROM t LEFT OUTER u ON a", 28, 1, "unexpected `u`", "expected `JOIN`"),
        ("SELECT a FROM t INNER u ON a", 23, 1, "unexpected `u`", "expected `JOIN`"),
        ("SELECT a FROM t INNER OUTER JOIN u", 23, 5, "unexpected `OUTER`", "expected `JOIN`"),
        (
            "SELECT a FROM t CROSS JOIN u ON a = b",
            30,
            2,
            "`CROSS JOIN` has no condition",
            "write `JOIN ... ON` for a condition",
        ),
        (
            "SELECT a FROM t JOIN ON a = b",
            22,
            2,
            "`ON` is a reserved word and cannot be the name of a stream as it is",
            reserved,
        ),
        ("SELECT a FROM t,", 17, 1, "unexpected end of the text", "expected the name of a stream"),
        ("SELECT a FROM TABLE(f(b))", 20, 1, "`TABLE(...)` is not part of Stream SQL", lateral),
        ("SELECT a FROM f(b)", 16, 1, "a call in place of a stream is not part of Stream SQL", lateral),
        ("SELECT a FROM LATERAL f(b)", 23, 1, "unexpected `f`", "expected `TABLE`"),
        ("SELECT a FROM LATERAL TABLE(f)", 30, 1, "unexpected `)`", "expected `(`"),
        (
            "SELECT a FROM t, LATERAL (SELECT 1)",
            26,
            1,
            "a lateral sub-query is not part of Stream SQL",
            no_lateral,
        ),
        (
            "SELECT a FROM t, LATERAL UNNEST(b)",
            26,
            6,
            "`LATERAL UNNEST` is not part of Stream SQL",
            no_lateral,
        ),
        (
            "SELECT a FROM t, LATERAL TABLE(f(SELECT 1))",
            34,
            6,
            "a sub-query as an argument is not part of Stream SQL",
            "sub-queries are possible only in `FROM`",
        ),
        ("SELECT a FROM t, UNNEST(a, b)", 26, 1, "unexpected `,`", "expected an operator or `)`"),
        ("SELECT a FROM t, UNNEST(a) WITH x", 33, 1, "unexpected `x`", "expected `ORDINALITY`"),
        ("SELECT a FROM t AS x ()", 23, 1, "unexpected `)`", "expected a column name"),
        ("SELECT a FROM (t JOIN u)", 16, 1, "unexpected `t`", "expected a query: `SELECT`, `VALUES` or `(`"),
        ("SELECT a FROM a.b.c.d", 20, 1, "unexpected `.`", CLAUSE),
    ]);
}

#[test]
fn groupings_with_something_wrong() {
    let split = "write several INSERT statements, each with a part of the groupings";
    check_queries(&[
        ("SELECT a FROM t GROUP BY", 25, 1, "unexpected end of the text", "expected an expression"),
        ("SELECT a FROM t GROUP BY CUBE ()", 32, 1, "unexpected `)`", "expected an expression"),
        ("SELECT a FROM t GROUP BY ROLLUP a", 33, 1, "unexpected `a`", "expected `(`"),
        (
            "SELECT a FROM t GROUP BY GROUPING (a",
            37,
            1,
            "unexpected end of the text",
            "expected an operator, `,` or `)`",
        ),
        ("SELECT a FROM t GROUP BY GROUPING a", 35, 1, "unexpected `a`", "expected `SETS`"),
        ("SELECT a FROM t GROUP BY GROUPING SETS a", 40, 1, "unexpected `a`", "expected `(`"),
        (
            "SELECT a FROM t GROUP BY GROUPING SETS ((a), (b)",
            49,
            1,
            "unexpected end of the text",
            "expected an operator, `,` or `)`",
        ),
        (
            "SELECT a FROM t GROUP BY x, CUBE (a, b, c, d, e, f, g, h, i)",
            29,
            4,
            "more than 256 groupings in one `GROUP BY`",
            split,
        ),
        (
            "SELECT a FROM t GROUP BY CUBE (a, b, c, d), CUBE (a, b, c, d), ROLLUP (e)",
            64,
            6,
            "more than 256 groupings in one `GROUP BY`",
            split,
        ),
    ]);
}

#[test]
fn unions_with_something_wrong() {
    check_queries(&[
        (
            "SELECT 1 UNION DISTINCT SELECT 2",
            16,
            8,
            "`UNION DISTINCT` is not part of Stream SQL",
            "`UNION` without another word drops rows that are equal",
        ),
        (
            "SELECT 1 UNION",
            15,
            1,
            "unexpected end of the text",
            "expected a query: `SELECT`, `VALUES` or `(`",
        ),
        (
            "SELECT DISTINCT ALL a FROM t",
            17,
            3,
            "unexpected `ALL`",
            "expected an expression; put a reserved word in back quotes to use it as a name",
        ),
    ]);
}

/// What is expected after a query that could go on.
const CLAUSE: &str = "expected an operator, a clause of the query, `UNION` or `;`";

#[test]
fn queries_with_something_wrong() {
    check_queries(&[
        ("SELECT a FORM t", 15, 1, "unexpected `t`", "did you mean `FROM` in place of `FORM`?"),
        ("SELECT a FROM t wehre a", 23, 1, "unexpected `a`", "did you mean `WHERE` in place of `wehre`?"),
        ("SELECT a FROM t ORDR BY a", 22, 2, "unexpected `BY`", CLAUSE),
        (
            "SELECT a AS \"b\" FROM t",
            13,
            3,
            "unexpected text in quotes",
            "expected a column name; quotes make text, a name in quotes takes back quotes",
        ),
        (
            "SELECT a FROM t WHERE a > ANY (SELECT 1)",
            27,
            3,
            "a comparison with `ANY` is not part of Stream SQL",
            "sub-queries are possible only in `FROM`",
        ),
        (
            "SELECT a FROM t WHERE a = SOME (SELECT 1)",
            33,
            6,
            "a sub-query as an argument is not part of Stream SQL",
            "sub-queries are possible only in `FROM`",
        ),
        (
            "SELECT FROM t",
            8,
            4,
            "unexpected `FROM`",
            "expected an expression; put a reserved word in back quotes to use it as a name",
        ),
        ("SELECT a, FROM t", 11, 4, "unexpected `FROM`", "expected an expression, or no `,` before it"),
        ("SELECT (a", 10, 1, "unexpected end of the text", "expected an operator, `,` or `)`"),
        ("SELECT f(a", 11, 1, "unexpected end of the text", "expected an operator, `,` or `)`"),
        (
            "SELECT a b c FROM t",
            12,
            1,
            "unexpected `c`",
            "expected an operator, a clause of the query, `UNION` or `;`",
        ),
        ("SELECT a < b < c", 14, 1, "comparisons cannot be chained", "join them with `AND`"),
        (
            "SELECT a IS 5",
            13,
            1,
            "unexpected `5`",
            "expected `NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`",
        ),
        (
            "SELECT a LIKE 'x' ESCAPE 'ab'",
            26,
            4,
            "`ESCAPE` takes one character",
            "expected a string of one character",
        ),
        (
            "SELECT CASE a WHEN 1 THEN 2",
            28,
            1,
            "unexpected end of the text",
            "expected `WHEN`, `ELSE` or `END`",
        ),
        ("SELECT CASE WHEN a, b THEN 2 END", 19, 1, "unexpected `,`", "expected `THEN`"),
        ("SELECT CASE a ELSE 2 END", 15, 4, "unexpected `ELSE`", "expected `WHEN`"),
        ("SELECT CAST(a, INT)", 14, 1, "unexpected `,`", "expected `AS`"),
        ("SELECT MAP['a', 1, 'b']", 8, 3, "a key of the map has no value", "expected `MAP[key, value, ...]`"),
        (
            "SELECT * FROM (SELECT a FRM t) x",
            29,
            1,
            "unexpected `t`",
            "did you mean `FROM` in place of `FRM`?",
        ),
        (
            "SELECT * FROM (SELECT a FROM t, u v w) x",
            37,
            1,
            "unexpected `w`",
            "expected a clause of the query, `UNION` or `)`",
        ),
        ("SELECT * FROM t WHERE", 22, 1, "unexpected end of the text", "expected an expression"),
        (
            "SELECT * FROM select",
            15,
            6,
            "`select` is a reserved word and cannot be the name of a stream as it is",
            "expected the name of a stream; put a reserved word in back quotes to use it as a name",
        ),
        ("UPDATE t", 1, 6, "unexpected `UPDATE`", "expected a query: `SELECT`, `VALUES` or `(`"),
    ]);
}

#[test]
fn text_without_end_is_refused_without_harm() {
    let nested = |open: &str, count: usize| format!("INSERT INTO s SELECT {}", open.repeat(count));
    for (text, complaint) in [
        (nested("(", 5_000), "nested too deep"),
        (nested("- ", 5_000), "nested too deep"),
        (nested("NOT ", 5_000), "nested too deep"),
        (nested("f(", 5_000), "nested too deep"),
        (nested("CASE ", 5_000), "nested too deep"),
        (nested("CAST(", 5_000), "nested too deep"),
        (nested("ARRAY[", 5_000), "nested too deep"),
        (nested("1 FROM (SELECT ", 5_000), "nested too deep"),
        (nested("1 FROM t JOIN (SELECT ", 5_000), "nested too deep"),
        (nested("1 FROM t, LATERAL TABLE(f((", 1) + &"(".repeat(5_000), "nested too deep"),
        (nested("1 FROM UNNEST(", 1) + &"(".repeat(5_000), "nested too deep"),
        (nested("f(1) OVER (PARTITION BY ", 5_000), "nested too deep"),
        (
            nested("1 FROM t GROUP BY GROUPING SETS (", 1).replace("(", &"(GROUPING SETS ".repeat(5_000)),
            "nested too deep",
        ),
        (
            format!("INSERT INTO s SELECT 1 FROM t{}", ", t".repeat(5_000)),
            "more than 32 tables in one `FROM`",
        ),
        (
            format!("INSERT INTO s SELECT 1 FROM t{}", " CROSS JOIN t".repeat(5_000)),
            "more than 32 tables in one `FROM`",
        ),
        (format!("INSERT INTO s {}", "(".repeat(5_000)), "nested too deep"),
        (format!("CREATE TEMP STREAM s (a {}", "ROW<a ".repeat(5_000)), "nested too deep"),
        (format!("INSERT INTO s SELECT 1{}", "+1".repeat(5_000)), "more than 80 operators in a row"),
        (format!("INSERT INTO s SELECT a{}", "[1]".repeat(5_000)), "more than 80 operators in a row"),
        (format!("INSERT INTO s SELECT a{}", ".b".repeat(5_000)), "more than 80 operators in a row"),
        (format!("INSERT INTO s SELECT a{}", " IS NULL".repeat(5_000)), "more than 80 operators in a row"),
        (
            format!("INSERT INTO s SELECT 1{}", " UNION ALL SELECT 1".repeat(500)),
            "more than 100 queries in one `UNION`",
        ),
        (
            format!("INSERT INTO s SELECT {} 1 {}", "CASE 1 WHEN 1, 2 THEN ".repeat(25), "END ".repeat(25)),
            "the expression is too large",
        ),
        (
            format!("INSERT INTO s SELECT 1{}", " BETWEEN SYMMETRIC 1 AND 2".repeat(50)),
            "the expression is too large",
        ),
    ] {
        let start: String = text.chars().take(60).collect();
        assert_eq!(parse(&text).expect_err(&start).message.text, complaint, "{start}");
    }
}

const TYPES: &str = "a type: `STRING`, `BOOLEAN`, `TINYINT`, `SMALLINT`, `INT`, `BIGINT`, `FLOAT`, `DOUBLE`, `DECIMAL`, `DATE`, `TIME`, `TIMESTAMP`, `ARRAY[...]`, `MAP[..., ...]` or `ROW<...>`";
