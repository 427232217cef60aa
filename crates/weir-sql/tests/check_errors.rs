//! Several errors of one job: which are reported together, in which order, and which would only repeat others.

mod support;

use support::CATALOG;
use weir_sql::{CheckOptions, check, check_all};

const SOURCE: &str =
    "CREATE SOURCE STREAM src (a STRING, n INT) WITH (type='dis', channel='c', encode='json');\n";
const SINK: &str = "CREATE SINK STREAM snk (a STRING) WITH (type='dis', channel='c', encode='json');\n";

/// Returns the lines and texts of the errors.
#[track_caller]
fn errors(text: &str) -> Vec<(u32, String)> {
    let errors = check_all(text, &CATALOG, &CheckOptions::default()).map(|_| ()).expect_err(text);
    let first = check(text, &CATALOG, &CheckOptions::default()).map(|_| ()).expect_err(text);
    assert_eq!(Some(&first), errors.iter().next(), "the first error is the error of `check`");
    errors.iter().map(|error| (error.message.position.line, error.message.text.clone())).collect()
}

fn shown(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected.iter().map(|(line, text)| (*line, (*text).to_string())).collect()
}

#[test]
fn errors_of_all_kinds_come_in_the_order_of_the_text() {
    let text = format!(
        "{SOURCE}{SINK}INSERT INTO snk SELECT b FROM src;\n\
         INSERT INTO snk SELECT a FROM src GROUP;\n\
         CREATE SINK STREAM other (a TEXT) WITH (type = 'dis');\n\
         INSERT INTO snk SELECT a, n FROM src;\n\
         CREATE SINK STREAM third (a STRING) WITH (type = 'diss');\n"
    );
    assert_eq!(
        errors(&text),
        shown(&[
            (3, "column `b` is not in stream `src`"),
            (4, "unexpected `;`"),
            (5, "unknown type `TEXT`"),
            (6, "stream `snk` has 1 column, the query has 2"),
            (7, "unknown type `diss`"),
        ])
    );
}

#[test]
fn uses_of_a_stream_whose_declaration_is_wrong_are_no_errors() {
    for declaration in [
        "CREATE SOURCE STREAM cars (a TEXT) WITH (type='dis', channel='c', encode='json');",
        "CREATE SOURCE STRAEM cars (a STRING) WITH (type='dis', channel='c', encode='json');",
        "CREATE SOURCE STREAM cars (a STRING, a INT) WITH (type='dis', channel='c', encode='json');",
        "CREATE SOURCE STREAM cars (a STRING) WITH (type='diss');",
        "CREATE SOURCE STREAM `cars` (a STRING WITH (type='dis');",
    ] {
        let uses = "INSERT INTO snk SELECT a FROM CARS;\n\
                    INSERT INTO snk SELECT a FROM (SELECT a FROM src UNION ALL SELECT a FROM cars);\n\
                    INSERT INTO snk SELECT src.a FROM src JOIN cars ON src.a = cars.a;\n\
                    INSERT INTO snk SELECT a FROM cars MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE);\n";
        let found = errors(&format!("{SOURCE}{SINK}{declaration}\n{uses}"));
        assert_eq!(found.len(), 1, "{declaration}: {found:?}");
        assert_eq!(found[0].0, 3);
    }
    let found = errors(&format!(
        "{SOURCE}CREATE SINK STREAM s (a TEXT) WITH (type='dis');\nINSERT INTO s SELECT nothing FROM src"
    ));
    assert_eq!(found, shown(&[(2, "unknown type `TEXT`")]));
}

#[test]
fn calls_of_a_function_whose_declaration_is_wrong_are_no_errors() {
    let text = format!(
        "{SOURCE}{SINK}CREATE FUNCTION twice AS 'a.Twice';\nINSERT INTO snk SELECT Twice(a) FROM src;\n\
         INSERT INTO snk SELECT x FROM src, LATERAL TABLE(twice(a)) AS t (x);\nINSERT INTO snk SELECT thrice(a) FROM src"
    );
    assert_eq!(
        errors(&text),
        shown(&[
            (3, "user-defined functions cannot be used in the shared cluster"),
            (6, "function `THRICE` is not available"),
        ])
    );
}

#[test]
fn a_job_without_purpose_is_no_error_beside_others() {
    assert_eq!(errors(SOURCE), shown(&[(1, "the job has no INSERT statement")]));
    assert_eq!(errors(&format!("{SOURCE}CRATE x")), shown(&[(2, "unexpected `CRATE`")]));
    assert_eq!(
        errors(&format!("{SOURCE}INSERT INTO snk SELECT a FROM src")),
        shown(&[(2, "stream `snk` is not declared before this statement")])
    );
}

#[test]
fn streams_that_fill_themselves_are_found_beside_other_errors() {
    let text = format!(
        "{SOURCE}{SINK}CREATE TEMP STREAM t (a STRING);\nINSERT INTO t SELECT a FROM t;\nINSERT INTO snk SELECT b FROM t"
    );
    assert_eq!(
        errors(&text),
        shown(&[(4, "stream `t` is filled from itself"), (5, "column `b` is not in stream `t`")])
    );
}

#[test]
fn a_second_declaration_of_a_name_is_one_error() {
    let text = format!(
        "{SOURCE}{SINK}CREATE TEMP STREAM SRC (b STRING);\nINSERT INTO snk SELECT b FROM src;\nINSERT INTO snk SELECT a FROM src"
    );
    assert_eq!(errors(&text), shown(&[(3, "stream `SRC` is declared twice")]));
}
