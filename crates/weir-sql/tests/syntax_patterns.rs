//! `MATCH_RECOGNIZE`: what is accepted, the tree it becomes, and what is refused where.

mod support;

use sqlparser::ast::{MatchRecognizePattern, SetExpr, TableFactor};
use support::check_queries;
use weir_sql::parse;
use weir_sql::syntax::ast::{InsertInto, Statement};
use weir_sql::syntax::pattern::{Repetition, repetition};

fn insert(query: &str) -> InsertInto {
    match parse(&format!("INSERT INTO s {query}")).map(|mut statements| statements.remove(0)) {
        Ok(Statement::Insert(insert)) => insert,
        other => panic!("{query}: {other:?}"),
    }
}

fn tables(insert: &InsertInto) -> Vec<&TableFactor> {
    let SetExpr::Select(select) = insert.query.body.as_ref() else { panic!("a SELECT") };
    select.from.iter().map(|table| &table.relation).collect()
}

/// Returns the text of the clauses as the tree holds them.
#[track_caller]
fn clauses(clauses: &str) -> String {
    let insert = insert(&format!("SELECT * FROM t MATCH_RECOGNIZE ({clauses})"));
    let text = tables(&insert)[0].to_string();
    text.strip_prefix("t MATCH_RECOGNIZE(")
        .and_then(|text| text.strip_suffix(")"))
        .expect("brackets")
        .to_string()
}

/// Returns the pattern, and the text that it becomes.
#[track_caller]
fn pattern(written: &str) -> (MatchRecognizePattern, String) {
    let insert = insert(&format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({written}) DEFINE A AS TRUE)"));
    let TableFactor::MatchRecognize { pattern, .. } = tables(&insert)[0] else { panic!("a pattern") };
    (pattern.clone(), pattern.to_string())
}

#[test]
fn every_clause_is_in_the_tree() {
    for (text, shown) in [
        ("PATTERN (A) DEFINE A AS x > 1", "PATTERN (A) DEFINE A AS x > 1"),
        (
            "PARTITION BY a, b + 1 ORDER BY ts, c DESC, d ASC PATTERN (A) DEFINE A AS TRUE",
            "PARTITION BY a, b + 1 ORDER BY ts, c DESC, d ASC PATTERN (A) DEFINE A AS true",
        ),
        (
            "MEASURES A.x AS y, LAST(B.x, 1) z, MATCH_NUMBER() AS `order` ONE ROW PER MATCH PATTERN (A B) DEFINE A AS x",
            "MEASURES A.x AS y, LAST(B.x, 1) AS z, MATCH_NUMBER() AS `order` ONE ROW PER MATCH PATTERN (A B) DEFINE A AS x",
        ),
        (
            "ALL ROWS PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A) DEFINE A AS x, B AS PREV(B.x) < B.x",
            "ALL ROWS PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A) DEFINE A AS x, B AS PREV(B.x) < B.x",
        ),
    ] {
        assert_eq!(clauses(text), shown);
    }
}

#[test]
fn matching_goes_on_at_every_place() {
    for (text, shown) in [
        ("PAST LAST ROW", "PAST LAST ROW"),
        // Two blanks: so the tree shows it.
        ("TO NEXT ROW", " TO NEXT ROW"),
        ("TO FIRST A", "TO FIRST A"),
        ("TO LAST A", "TO LAST A"),
        ("TO A", "TO LAST A"),
        ("TO next", "TO LAST next"),
        ("TO first", "TO LAST first"),
        ("TO LAST last", "TO LAST last"),
    ] {
        assert_eq!(
            clauses(&format!("AFTER MATCH SKIP {text} PATTERN (A) DEFINE A AS x")),
            format!("AFTER MATCH SKIP {shown} PATTERN (A) DEFINE A AS x"),
        );
    }
}

#[test]
fn running_and_final_are_calls_and_may_be_names_too() {
    for (text, shown) in [
        ("RUNNING A.x AS y", "RUNNING(A.x) AS y"),
        ("final LAST(A.x) - FIRST(A.x) y", "FINAL(LAST(A.x) - FIRST(A.x)) AS y"),
        ("FINAL (A.x) AS y", "FINAL((A.x)) AS y"),
        ("FINAL 1 AS y", "FINAL(1) AS y"),
        ("FINAL NOT a AS y", "FINAL(NOT a) AS y"),
        ("FINAL CASE WHEN a THEN 1 END AS y", "FINAL(CASE WHEN a THEN 1 END) AS y"),
        ("FINAL a b", "FINAL(a) AS b"),
        ("FINAL FINAL AS y", "FINAL(FINAL) AS y"),
        ("final AS y", "final AS y"),
        ("final y", "final AS y"),
        ("final y, running z", "final AS y, running AS z"),
        ("final.x AS y", "final.x AS y"),
        ("final + 1 AS y", "final + 1 AS y"),
        ("final NOT IN (1) AS y", "final NOT IN (1) AS y"),
        ("final IS NULL AS y", "final IS NULL AS y"),
    ] {
        assert_eq!(
            clauses(&format!("MEASURES {text} PATTERN (A) DEFINE A AS x")),
            format!("MEASURES {shown} PATTERN (A) DEFINE A AS x"),
        );
    }
}

#[test]
fn patterns_have_every_form() {
    for (text, shown) in [
        ("A B C", "A B C"),
        ("A | B C | D", "A | B C | D"),
        ("(A | B) C", "( A | B ) C"),
        ("((A))", "( ( A ) )"),
        ("A* B+ C?", "A* B+ C?"),
        ("A{3} B{2,} C{2,5} D{,4}", "A{3} B{2,} C{2,5} D{,4}"),
        ("A{0,} B{0,1}", "A{0,} B{0,1}"),
        ("(A B){2}", "( A B ){2}"),
        ("A*? B+? C?? D{2,}?", "A*? B+? C?? D{2,}?"),
        ("`a b` permute pattern", "`a b` permute pattern"),
    ] {
        assert_eq!(pattern(text).1, shown);
    }
}

#[test]
fn repetitions_are_greedy_or_reluctant() {
    let (a, _) = pattern("A");
    for (text, least, most, greedy) in [
        ("A*", 0, None, true),
        ("A*?", 0, None, false),
        ("A+", 1, None, true),
        ("A?", 0, Some(1), true),
        ("A??", 0, Some(1), false),
        ("A{3}", 3, Some(3), true),
        ("A{3}?", 3, Some(3), false),
        ("A{2,}", 2, None, true),
        ("A{,4}?", 0, Some(4), false),
        ("A{2,4}", 2, Some(4), true),
    ] {
        let (written, _) = pattern(text);
        let found = repetition(&written).expect(text);
        // The variables are at one place in all these texts, so the trees are equal.
        assert_eq!(found, Repetition { pattern: &a, least, most, greedy }, "{text}");
    }
    assert_eq!(repetition(&a), None);
    let (optional_group, _) = pattern("(A*)?");
    let found = repetition(&optional_group).expect("a repetition");
    assert!(found.greedy && found.most == Some(1), "brackets between two quantifiers keep them apart");
}

#[test]
fn within_belongs_to_its_pattern() {
    let insert = insert(
        "SELECT * FROM a MATCH_RECOGNIZE (PATTERN (A B) WITHIN INTERVAL '5' MINUTE DEFINE A AS TRUE),\n\
         b MATCH_RECOGNIZE (PATTERN (A B) DEFINE A AS TRUE), (SELECT 1) MATCH_RECOGNIZE (\n\
         PATTERN ((A | B)+) WITHIN INTERVAL 3 SECONDS DEFINE A AS TRUE)",
    );
    let found: Vec<(Option<String>, u32, u32)> = tables(&insert)
        .into_iter()
        .map(|table| {
            let TableFactor::MatchRecognize { pattern, .. } = table else { panic!("a pattern") };
            let details = insert.details_of(pattern).expect("every pattern has details");
            let within = details.within.as_ref().map(ToString::to_string);
            (within, details.position.line, details.position.column)
        })
        .collect();
    assert_eq!(
        found,
        [
            (Some("INTERVAL '5' MINUTE".to_string()), 1, 31),
            (None, 2, 3),
            (Some("INTERVAL 3 SECOND".to_string()), 2, 64),
        ]
    );
}

#[test]
fn the_name_follows_the_pattern() {
    for (text, shown) in [
        (
            "t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS x) AS m (a, b)",
            "t MATCH_RECOGNIZE(PATTERN (A) DEFINE A AS x) AS m (a, b)",
        ),
        (
            "t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS x) m, u",
            "t MATCH_RECOGNIZE(PATTERN (A) DEFINE A AS x) m, u",
        ),
        (
            "(SELECT a FROM t) MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS x) JOIN u ON c",
            "(SELECT a FROM t) MATCH_RECOGNIZE(PATTERN (A) DEFINE A AS x) INNER JOIN u ON c",
        ),
    ] {
        assert_eq!(
            insert(&format!("SELECT * FROM {text}")).query.to_string(),
            format!("SELECT * FROM {shown}")
        );
    }
}

/// Asserts column, length, text and hint of the error in the clauses of a pattern.
#[track_caller]
fn refused(cases: &[(&str, u32, u32, &str, &str)]) {
    const BEFORE: &str = "SELECT * FROM t MATCH_RECOGNIZE (";
    for (clauses, column, length, text, hint) in cases {
        check_queries(&[(&format!("{BEFORE}{clauses})"), column + BEFORE.len() as u32, *length, text, hint)]);
    }
}

#[test]
fn clauses_with_something_wrong() {
    let clause = "expected `PATTERN (...)`, or a clause that comes before it";
    let unnamed = "expected an operator, or `AS` and the name of the measure";
    let empty = "empty matches and rows without a match give nothing; remove the clause";
    refused(&[
        ("", 1, 1, "unexpected `)`", clause),
        ("DEFINE A AS x", 1, 6, "unexpected `DEFINE`", clause),
        ("PATTERN (A)", 12, 1, "unexpected `)`", "expected `WITHIN` or `DEFINE`"),
        ("PATTERN (A) WITHIN INTERVAL '1' DAY", 36, 1, "unexpected `)`", "expected `DEFINE`"),
        (
            "PATTERN (A) WITHIN 5",
            20,
            1,
            "unexpected `5`",
            "expected an interval such as `INTERVAL '5' MINUTE`",
        ),
        (
            "PATTERN (A) WITHIN INTERVAL '5' MONTH DEFINE A AS x",
            20,
            8,
            "the time of `WITHIN` is an interval of years or months, which have no fixed length",
            "expected `DAY`, `HOUR`, `MINUTE`, `SECOND` or `MILLISECOND`",
        ),
        (
            "PATTERN (A) SUBSET U = (A, B) DEFINE A AS x",
            13,
            6,
            "`SUBSET` is not part of Stream SQL",
            "name the variables one by one",
        ),
        ("PATTERN (A) DEFINE A x", 22, 1, "unexpected `x`", "expected `AS`"),
        ("PATTERN (A) DEFINE A AS x B AS y", 27, 1, "unexpected `B`", "expected an operator, `,` or `)`"),
        ("MEASURES A.x PATTERN (A) DEFINE A AS x", 14, 7, "unexpected `PATTERN`", unnamed),
        ("MEASURES A.x, PATTERN (A) DEFINE A AS x", 13, 1, "unexpected `,`", unnamed),
        ("MEASURES A.x + 1 ONE ROW PER MATCH", 18, 3, "unexpected `ONE`", unnamed),
        ("ONE ROW MATCH PATTERN (A)", 9, 5, "unexpected `MATCH`", "expected `PER`"),
        (
            "ALL ROWS PER MATCH WITH UNMATCHED ROWS PATTERN (A)",
            20,
            4,
            "`WITH` after `PER MATCH` is not part of Stream SQL",
            empty,
        ),
        (
            "ONE ROW PER MATCH SHOW EMPTY MATCHES PATTERN (A)",
            19,
            4,
            "`SHOW` after `PER MATCH` is not part of Stream SQL",
            empty,
        ),
        (
            "AFTER MATCH SKIP PAST A PATTERN (A)",
            18,
            4,
            "unexpected `PAST`",
            "expected `PAST LAST ROW`, `TO NEXT ROW`, or `TO` and a variable",
        ),
        ("AFTER MATCH SKIP TO FIRST 1", 27, 1, "unexpected `1`", "expected a variable of the pattern"),
        (
            "ORDER BY a NULLS LAST PATTERN (A)",
            12,
            5,
            "`NULLS` in an order is not part of Stream SQL",
            "remove the clause",
        ),
    ]);
    check_queries(&[
        ("SELECT * FROM t MATCH_RECOGNIZE PATTERN (A)", 33, 7, "unexpected `PATTERN`", "expected `(`"),
        (
            "SELECT * FROM t AS x MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS y)",
            22,
            15,
            "`MATCH_RECOGNIZE` stands before the name of the table, and once",
            "write `stream MATCH_RECOGNIZE (...) AS name`",
        ),
    ]);
}

#[test]
fn patterns_with_something_wrong() {
    const BEFORE: &str = "PATTERN (";
    let empty = "expected a variable or `(`; `?` after a part makes it optional";
    let brackets = "put what is repeated in brackets: `(A+){2}`";
    let more = "expected a variable, `(`, `|`, a quantifier or `)`";
    for (pattern, column, length, text, hint) in [
        ("", 0, 1, "the empty pattern `()` is not part of Stream SQL", "expected a variable"),
        ("A ()", 3, 1, "the empty pattern `()` is not part of Stream SQL", "expected a variable"),
        ("| A", 1, 1, "an alternative of the pattern is empty", empty),
        ("A |", 4, 1, "an alternative of the pattern is empty", empty),
        ("A | | B", 5, 1, "an alternative of the pattern is empty", empty),
        ("(A |) B", 5, 1, "an alternative of the pattern is empty", empty),
        ("A, B", 2, 1, "unexpected `,`", more),
        ("A 5", 3, 1, "unexpected `5`", more),
        ("*", 1, 1, "unexpected `*`", "expected a variable of the pattern"),
        (
            "order",
            1,
            5,
            "`order` is a reserved word and cannot be a variable of the pattern as it is",
            "expected a variable of the pattern; put a reserved word in back quotes to use it as a name",
        ),
        ("A**", 3, 1, "a quantifier follows a quantifier", brackets),
        ("A+{2}", 3, 1, "a quantifier follows a quantifier", brackets),
        ("A???", 4, 1, "a quantifier follows a quantifier", brackets),
        ("A{2}{3}", 5, 1, "a quantifier follows a quantifier", brackets),
        ("A{}", 3, 1, "unexpected `}`", "expected `,` or a number of repetitions"),
        ("A{,}", 4, 1, "unexpected `}`", "expected a number of repetitions"),
        ("A{2", 4, 1, "unexpected `)`", "expected `,` or `}`"),
        ("A{2,3", 6, 1, "unexpected `)`", "expected `}`"),
        ("A{x}", 3, 1, "unexpected `x`", "expected `,` or a number of repetitions"),
        ("A{1.5}", 3, 3, "unexpected `1.5`", "expected `,` or a number of repetitions"),
        ("A{0}", 2, 1, "a part of a pattern that is never there", "remove the part"),
        ("A{0,0}", 2, 1, "a part of a pattern that is never there", "remove the part"),
        ("A{,0}", 2, 1, "a part of a pattern that is never there", "remove the part"),
        ("A{3,2}", 2, 1, "at least 3 and at most 2 repetitions are impossible", "exchange the numbers"),
        ("A{4097}", 3, 4, "too many repetitions", "expected at most 4096"),
        ("A{1,99999999999}", 5, 11, "too many repetitions", "expected at most 4096"),
        (
            "PERMUTE(A, B)",
            1,
            7,
            "`PERMUTE` is not part of Stream SQL",
            "write the orders as alternatives: `(A B | B A)`",
        ),
        (
            "A {- B -}",
            3,
            1,
            "the exclusion `{- -}` is not part of Stream SQL",
            "leave the rows out in a query around",
        ),
        (
            "^ A",
            1,
            1,
            "the anchor `^` is not part of Stream SQL",
            "a stream has neither a first nor a last row; remove it",
        ),
        (
            "A$",
            2,
            1,
            "the anchor `$` is not part of Stream SQL",
            "a stream has neither a first nor a last row; remove it",
        ),
        (
            "(A{100}){41}",
            -8,
            7,
            "the pattern is too large: more than 4096 variables when its repetitions are written out",
            "use smaller numbers of repetitions",
        ),
    ] {
        let clauses = format!("{BEFORE}{pattern}) DEFINE A AS x");
        let column = u32::try_from(BEFORE.len() as i32 + column).expect("a column");
        refused(&[(&clauses, column, length, text, hint)]);
    }
}

#[test]
fn patterns_without_end_are_refused_without_harm() {
    let before = "INSERT INTO s SELECT * FROM t MATCH_RECOGNIZE (";
    for (text, complaint) in [
        (format!("{before}PATTERN ({}", "(".repeat(5_000)), "nested too deep"),
        (
            format!("{before}PATTERN ({}A{}) DEFINE A AS x)", "(".repeat(30), "){2}".repeat(30)),
            "the pattern is too large: more than 4096 variables when its repetitions are written out",
        ),
        (
            format!("{before}PATTERN ({}) DEFINE A AS x)", "A ".repeat(5_000)),
            "the pattern is too large: more than 4096 variables when its repetitions are written out",
        ),
        (format!("{before}MEASURES {}", "FINAL (".repeat(5_000)), "nested too deep"),
        (
            format!(
                "INSERT INTO s SELECT * FROM {}",
                "(SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS x), ".repeat(5_000)
            ),
            "nested too deep",
        ),
    ] {
        let start: String = text.chars().take(80).collect();
        assert_eq!(parse(&text).expect_err(&start).message.text, complaint, "{start}");
    }
}
