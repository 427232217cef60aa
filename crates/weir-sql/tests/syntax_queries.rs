//! Queries: what is accepted, and the tree it becomes, shown as text.

use weir_sql::parse;
use weir_sql::syntax::ast::Statement;

#[track_caller]
fn query(text: &str) -> String {
    match parse(&format!("INSERT INTO s {text}")).as_deref() {
        Ok([Statement::Insert(insert)]) => insert.query.to_string(),
        other => panic!("{text}: {other:?}"),
    }
}

/// Asserts that an expression is parsed as the fully bracketed one; the tree's own text keeps brackets.
#[track_caller]
fn same(text: &str, bracketed: &str) {
    let strip = |text: &str| text.replace(['(', ')'], "");
    let (left, right) = (tree(text), tree(bracketed));
    assert_eq!(left, right, "{text}");
    assert_eq!(strip(text), strip(bracketed));
}

/// Returns the tree of an expression without the brackets of the text.
fn tree(text: &str) -> String {
    use weir_sql::syntax::ast::Statement::Insert;
    let statements = parse(&format!("INSERT INTO s SELECT {text}")).expect(text);
    let [Insert(insert)] = &statements[..] else { panic!("one INSERT") };
    let sqlparser::ast::SetExpr::Select(select) = insert.query.body.as_ref() else { panic!("a SELECT") };
    let sqlparser::ast::SelectItem::UnnamedExpr(expression) = &select.projection[0] else {
        panic!("no alias")
    };
    shape(expression)
}

fn shape(expression: &sqlparser::ast::Expr) -> String {
    use sqlparser::ast::Expr;
    match expression {
        Expr::Nested(inner) => shape(inner),
        Expr::BinaryOp { left, op, right } => format!("[{} {op} {}]", shape(left), shape(right)),
        Expr::UnaryOp { op, expr } => format!("[{op} {}]", shape(expr)),
        Expr::IsNull(inner) => format!("[{} IS NULL]", shape(inner)),
        Expr::Between { expr, low, high, .. } => {
            format!("[{} BETWEEN {} {}]", shape(expr), shape(low), shape(high))
        }
        Expr::Like { expr, pattern, .. } => format!("[{} LIKE {}]", shape(expr), shape(pattern)),
        Expr::InList { expr, list, .. } => format!("[{} IN {}]", shape(expr), list.len()),
        other => other.to_string(),
    }
}

#[test]
fn operators_bind_as_in_the_language() {
    same("a OR b AND NOT c = 1", "a OR (b AND (NOT (c = 1)))");
    same("a + b || c * d", "((a + b) || (c * d))");
    same("-a * b", "(-a) * b");
    same("a - b - c", "(a - b) - c");
    same("a % 2 = 1 AND b IS NULL", "((a % 2) = 1) AND (b IS NULL)");
    same("NOT a IS NULL", "NOT (a IS NULL)");
    same("a BETWEEN 1 AND 2 + 3 AND b", "(a BETWEEN 1 AND (2 + 3)) AND b");
    same("a || 'x' LIKE b || '%'", "(a || 'x') LIKE (b || '%')");
    same("a LIKE 'x' OR b", "(a LIKE 'x') OR b");
    same("a AND b AND c AND d AND e OR f", "(((a AND b) AND (c AND d)) AND e) OR f");
}

#[test]
fn every_form_of_an_operand_is_accepted() {
    for (text, shown) in [
        ("1, 1.50, 1.5E0, .5", "1, 1.50, 1.5E0, .5"),
        ("'it''s', \"a'b\", \"x\\ty\"", "'it''s', 'a''b', 'x\ty'"),
        ("TRUE, false, NULL, UNKNOWN", "true, false, NULL, CAST(NULL AS BOOLEAN)"),
        ("DATE '2024-03-15', TIME \"07:08:09\"", "DATE '2024-03-15', TIME '07:08:09'"),
        ("TIMESTAMP '2024-03-15 07:08:09.123'", "TIMESTAMP '2024-03-15 07:08:09.123'"),
        ("INTERVAL 20 SECOND, INTERVAL '5' MINUTES", "INTERVAL 20 SECOND, INTERVAL '5' MINUTE"),
        ("INTERVAL - '1 2' DAY TO HOUR", "INTERVAL -'1 2' DAY TO HOUR"),
        ("load['cpu'], temps[1].a, t.a.b", "load['cpu'], temps[1].a, t.a.b"),
        ("`order`, `a``b`", "`order`, `a``b`"),
        ("ARRAY[1, 2], ARRAY[], MAP['a', 1]", "ARRAY[1, 2], ARRAY[], MAP {'a': 1}"),
        ("ROW('x', 2), (1, 2), (1)", "ROW('x', 2), (1, 2), (1)"),
        ("COUNT(*), COUNT(DISTINCT a), SUM(ALL a), f()", "COUNT(*), COUNT(DISTINCT a), SUM(ALL a), f()"),
        ("CURRENT_DATE, LOCALTIMESTAMP", "CURRENT_DATE, LOCALTIMESTAMP"),
        ("CAST(a AS VARCHAR(20)), CAST(a AS LONG)", "CAST(a AS STRING), CAST(a AS BIGINT)"),
        ("CAST(a AS DECIMAL(10, 2))", "CAST(a AS DECIMAL(10,2))"),
        ("EXTRACT(DOY FROM a), FLOOR(a TO HOUR), CEIL(a)", "EXTRACT(DOY FROM a), FLOOR(a TO HOUR), CEIL(a)"),
        ("SUBSTRING(a FROM -3 FOR 2), SUBSTRING(a, 1, 2)", "SUBSTRING(a FROM -3 FOR 2), SUBSTRING(a, 1, 2)"),
        ("TRIM(a), TRIM('0' FROM a)", "TRIM(a), TRIM('0' FROM a)"),
        ("TRIM(LEADING '0' FROM a), TRIM(BOTH FROM a)", "TRIM(LEADING '0' FROM a), TRIM(BOTH a)"),
        ("POSITION('x' IN a)", "POSITION('x' IN a)"),
        ("OVERLAY(a PLACING 'b' FROM 1 FOR 2)", "OVERLAY(a PLACING 'b' FROM 1 FOR 2)"),
        ("a IS NOT DISTINCT FROM b, a IS NOT UNKNOWN", "a IS NOT DISTINCT FROM b, a IS NOT UNKNOWN"),
        ("a NOT IN (1, 2), a NOT LIKE 'x' ESCAPE '!'", "a NOT IN (1, 2), a NOT LIKE 'x' ESCAPE '!'"),
        ("a SIMILAR TO 'x+', a <> b, a != b", "a SIMILAR TO 'x+', a <> b, a <> b"),
        ("CASE WHEN a THEN 1 ELSE 2 END", "CASE WHEN a THEN 1 ELSE 2 END"),
        ("(a, b) OVERLAPS (c, d)", "(a, b) OVERLAPS (c, d)"),
        ("a AS b, c d, e AS `x y`", "a AS b, c AS d, e AS `x y`"),
        ("count, date, time, result, value, f.count", "count, date, time, result, value, f.count"),
        ("floor, trim, position, map, row", "floor, trim, position, map, row"),
    ] {
        assert_eq!(query(&format!("SELECT {text}")), format!("SELECT {shown}"), "{text}");
    }
}

#[test]
fn several_values_in_one_when_become_one_when_each() {
    assert_eq!(
        query("SELECT CASE p WHEN 'new', 'open' THEN 1 WHEN 'done' THEN 2 END"),
        "SELECT CASE p WHEN 'new' THEN 1 WHEN 'open' THEN 1 WHEN 'done' THEN 2 END"
    );
}

#[test]
fn symmetric_between_is_one_of_two_ranges() {
    assert_eq!(
        query("SELECT a BETWEEN SYMMETRIC 2 AND 1"),
        "SELECT (a BETWEEN 2 AND 1 OR a BETWEEN 1 AND 2)"
    );
    assert_eq!(
        query("SELECT a NOT BETWEEN SYMMETRIC 2 AND 1"),
        "SELECT (a NOT BETWEEN 2 AND 1 AND a NOT BETWEEN 1 AND 2)"
    );
    assert_eq!(query("SELECT a BETWEEN ASYMMETRIC 1 AND 2"), "SELECT a BETWEEN 1 AND 2");
}

#[test]
fn queries_have_every_form() {
    for (text, shown) in [
        ("SELECT * FROM a", "SELECT * FROM a"),
        ("SELECT ALL a.*, b.c.*, d[1].* FROM TABLE a AS x", "SELECT a.*, b.c.*, d[1].* FROM a AS x"),
        ("SELECT x FROM a t (x, y)", "SELECT x FROM a t (x, y)"),
        ("SELECT * FROM (SELECT 1)", "SELECT * FROM (SELECT 1)"),
        ("SELECT * FROM (SELECT 1) AS t (x)", "SELECT * FROM (SELECT 1) AS t (x)"),
        ("VALUES (1, 'a'), (2, 'b')", "VALUES (1, 'a'), (2, 'b')"),
        ("VALUES 1, 2", "VALUES (1), (2)"),
        ("SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3", "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"),
        (
            "SELECT 1 UNION ALL (SELECT 2 UNION ALL VALUES 3)",
            "SELECT 1 UNION ALL (SELECT 2 UNION ALL VALUES (3))",
        ),
        (
            "SELECT a, COUNT(*) FROM s WHERE b > 1 GROUP BY a, TUMBLE(ts, INTERVAL '1' HOUR) HAVING COUNT(*) > 2",
            "SELECT a, COUNT(*) FROM s WHERE b > 1 GROUP BY a, TUMBLE(ts, INTERVAL '1' HOUR) HAVING COUNT(*) > 2",
        ),
    ] {
        assert_eq!(query(text), shown);
    }
}

#[test]
fn from_has_every_form() {
    for (text, shown) in [
        ("a, b AS x, c.d y", "a, b AS x, c.d y"),
        ("a JOIN b ON a.k = b.k", "a INNER JOIN b ON a.k = b.k"),
        ("a x INNER JOIN b AS y ON TRUE", "a x INNER JOIN b AS y ON true"),
        ("a LEFT JOIN b ON x RIGHT OUTER JOIN c ON y", "a LEFT OUTER JOIN b ON x RIGHT OUTER JOIN c ON y"),
        ("a LEFT OUTER JOIN b ON x FULL JOIN c ON y", "a LEFT OUTER JOIN b ON x FULL JOIN c ON y"),
        ("a FULL OUTER JOIN b ON x, c CROSS JOIN d", "a FULL JOIN b ON x, c CROSS JOIN d"),
        ("TABLE a JOIN TABLE b ON x", "a INNER JOIN b ON x"),
        ("(SELECT 1) JOIN (SELECT 2) AS t (x) ON TRUE", "(SELECT 1) INNER JOIN (SELECT 2) AS t (x) ON true"),
        ("((SELECT 1) UNION ALL (SELECT 2)) x", "((SELECT 1) UNION ALL (SELECT 2)) x"),
        ("a, LATERAL TABLE(f(a.x, 'y')) AS t (b, c)", "a, LATERAL f(a.x, 'y') AS t (b, c)"),
        ("LATERAL TABLE(f())", "LATERAL f()"),
        ("a CROSS JOIN LATERAL TABLE(f(x)) t", "a CROSS JOIN LATERAL f(x) t"),
        (
            "a LEFT JOIN LATERAL TABLE(f(x)) AS t (b) ON TRUE",
            "a LEFT OUTER JOIN LATERAL f(x) AS t (b) ON true",
        ),
        ("a CROSS JOIN UNNEST(a.l) AS t (x)", "a CROSS JOIN UNNEST(a.l) AS t (x)"),
        (
            "a, UNNEST(ARRAY[1, 2]) WITH ORDINALITY AS t (x, n)",
            "a, UNNEST(ARRAY[1, 2]) WITH ORDINALITY AS t (x, n)",
        ),
    ] {
        assert_eq!(query(&format!("SELECT * FROM {text}")), format!("SELECT * FROM {shown}"));
    }
}

#[test]
fn duplicates_are_kept_or_dropped() {
    for (text, shown) in [
        ("SELECT DISTINCT a, b FROM t", "SELECT DISTINCT a, b FROM t"),
        ("SELECT ALL a FROM t", "SELECT a FROM t"),
        ("SELECT 1 UNION SELECT 2 UNION ALL SELECT 3", "SELECT 1 UNION SELECT 2 UNION ALL SELECT 3"),
        ("SELECT 1 UNION (SELECT 2 UNION SELECT 3)", "SELECT 1 UNION (SELECT 2 UNION SELECT 3)"),
    ] {
        assert_eq!(query(text), shown);
    }
}

#[test]
fn groupings_have_every_form() {
    for (text, shown) in [
        ("a, b + 1", "a, b + 1"),
        ("(), (a, b), (a)", "(), (a, b), (a)"),
        ("CUBE (a, (b, c))", "CUBE (a, (b, c))"),
        ("ROLLUP (a, b), CUBE (c)", "ROLLUP (a, b), CUBE (c)"),
        ("GROUPING SETS ((a, b), c, ())", "GROUPING SETS ((a, b), (c), ())"),
        (
            "TUMBLE(t, INTERVAL '1' DAY), GROUPING SETS (CUBE (a, b), GROUPING SETS (c, ()))",
            "TUMBLE(t, INTERVAL '1' DAY), GROUPING SETS ((CUBE (a, b)), (GROUPING SETS ((c), ())))",
        ),
        ("`grouping`, sets", "`grouping`, sets"),
    ] {
        assert_eq!(
            query(&format!("SELECT COUNT(*) FROM t GROUP BY {text} HAVING x")),
            format!("SELECT COUNT(*) FROM t GROUP BY {shown} HAVING x")
        );
    }
}

#[test]
fn windows_have_every_form() {
    for (text, shown) in [
        ("ORDER BY t", "ORDER BY t"),
        ("ORDER BY s.t ASC", "ORDER BY s.t"),
        ("PARTITION BY a, b + 1 ORDER BY t", "PARTITION BY a, b + 1 ORDER BY t"),
        ("ORDER BY t ROWS 4 PRECEDING", "ORDER BY t ROWS 4 PRECEDING"),
        ("ORDER BY t ROWS UNBOUNDED PRECEDING", "ORDER BY t ROWS UNBOUNDED PRECEDING"),
        (
            "ORDER BY t ROWS BETWEEN 0 PRECEDING AND CURRENT ROW",
            "ORDER BY t ROWS BETWEEN 0 PRECEDING AND CURRENT ROW",
        ),
        ("ORDER BY t RANGE INTERVAL 5 MINUTES PRECEDING", "ORDER BY t RANGE INTERVAL 5 MINUTE PRECEDING"),
        (
            "ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            "ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        ),
        (
            "ORDER BY t RANGE BETWEEN INTERVAL '1:30' MINUTE TO SECOND PRECEDING AND CURRENT ROW",
            "ORDER BY t RANGE BETWEEN INTERVAL '1:30' MINUTE TO SECOND PRECEDING AND CURRENT ROW",
        ),
    ] {
        assert_eq!(
            query(&format!("SELECT 1 + SUM(a) OVER ({text}) AS x FROM s")),
            format!("SELECT 1 + SUM(a) OVER ({shown}) AS x FROM s")
        );
    }
}

#[test]
fn names_carry_their_places() {
    let statements = parse("INSERT INTO s\nSELECT a,\n  `b c` FROM t").unwrap();
    let [Statement::Insert(insert)] = &statements[..] else { panic!("one INSERT") };
    let sqlparser::ast::SetExpr::Select(select) = insert.query.body.as_ref() else { panic!("a SELECT") };
    let sqlparser::ast::SelectItem::UnnamedExpr(sqlparser::ast::Expr::Identifier(name)) =
        &select.projection[1]
    else {
        panic!("a column")
    };
    assert_eq!((name.span.start.line, name.span.start.column, name.span.end.column), (3, 3, 8));
    assert_eq!(name.value, "b c");
}
