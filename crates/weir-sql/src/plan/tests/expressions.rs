//! The values of operators, literals, casts and constructors.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::record_batch::RecordBatch;

use super::{check_constants, constant, physical, planned, projected};

#[test]
fn literals_have_the_types_of_the_dialect() {
    check_constants(&[
        ("12", "INT 12"),
        ("-2147483648", "INT -2147483648"),
        ("2147483648", "BIGINT 2147483648"),
        ("-9223372036854775808", "BIGINT -9223372036854775808"),
        ("1.50", "DECIMAL(3,2) 1.50"),
        ("0.05", "DECIMAL(3,2) 0.05"),
        ("1.5E0", "DOUBLE 1.5"),
        ("'it''s'", "STRING it's"),
        ("\"double\"", "STRING double"),
        ("TRUE", "BOOLEAN true"),
        ("DATE '2024-03-15'", "DATE 2024-03-15"),
        ("TIME '07:08:09'", "TIME 07:08:09"),
        ("TIMESTAMP '2024-03-15 10:20:30.123'", "TIMESTAMP 2024-03-15 10:20:30.123"),
    ]);
}

#[test]
fn comparisons() {
    check_constants(&[
        ("'7' = 7", "BOOLEAN true"),
        ("5 <> 5", "BOOLEAN false"),
        ("5 != 6", "BOOLEAN true"),
        ("'ant' < 'bee'", "BOOLEAN true"),
        ("3 <= 3", "BOOLEAN true"),
        ("'10' > 9", "BOOLEAN true"),
        ("NULL >= 1", "BOOLEAN NULL"),
        ("NULL = NULL", "BOOLEAN NULL"),
        ("1 = 1.0", "BOOLEAN true"),
        ("CAST(NULL AS INT) IS NULL", "BOOLEAN true"),
        ("'' IS NOT NULL", "BOOLEAN true"),
        ("CAST(NULL AS INT) IS DISTINCT FROM 1", "BOOLEAN true"),
        ("CAST(NULL AS INT) IS NOT DISTINCT FROM CAST(NULL AS INT)", "BOOLEAN true"),
        ("5 BETWEEN 9 AND 1", "BOOLEAN false"),
        ("5 BETWEEN SYMMETRIC 9 AND 1", "BOOLEAN true"),
        ("12 NOT BETWEEN 1 AND 10", "BOOLEAN true"),
        ("'a_b' LIKE 'a!_b' ESCAPE '!'", "BOOLEAN true"),
        ("'axb' LIKE 'a!_b' ESCAPE '!'", "BOOLEAN false"),
        ("'a\\b' LIKE 'a\\_'", "BOOLEAN true"),
        ("'truck-17' NOT LIKE 'car%'", "BOOLEAN true"),
        ("'Audi' LIKE 'audi%'", "BOOLEAN false"),
        ("'tag42' SIMILAR TO 'tag[0-9]+'", "BOOLEAN true"),
        ("'tag' NOT SIMILAR TO 'tag[0-9]+'", "BOOLEAN true"),
        ("'a.c' SIMILAR TO 'a.c' AND 'abc' NOT SIMILAR TO 'a.c'", "BOOLEAN true"),
        ("3 IN (1, 2, 3)", "BOOLEAN true"),
        ("'3' IN (1, 3)", "BOOLEAN true"),
        ("3 NOT IN (1, CAST(NULL AS INT))", "BOOLEAN NULL"),
        ("3 NOT IN (1, NULL)", "BOOLEAN NULL"),
        ("DATE '2024-03-15' < TIMESTAMP '2024-03-15 00:00:01'", "BOOLEAN true"),
        ("TIMESTAMP '2024-03-15 10:20:30' < TIMESTAMP '2024-03-15 10:20:30.001'", "BOOLEAN true"),
        ("INTERVAL '1' MINUTE < INTERVAL '61' SECOND", "BOOLEAN true"),
    ]);
}

#[test]
fn logic_has_three_values() {
    check_constants(&[
        ("TRUE OR CAST(NULL AS BOOLEAN)", "BOOLEAN true"),
        ("FALSE AND CAST(NULL AS BOOLEAN)", "BOOLEAN false"),
        ("TRUE AND NULL", "BOOLEAN NULL"),
        ("NOT CAST(NULL AS BOOLEAN)", "BOOLEAN NULL"),
        ("(1 > 2) IS FALSE", "BOOLEAN true"),
        ("CAST(NULL AS BOOLEAN) IS NOT FALSE", "BOOLEAN true"),
        ("CAST(NULL AS BOOLEAN) IS TRUE", "BOOLEAN false"),
        ("CAST(NULL AS BOOLEAN) IS NOT TRUE", "BOOLEAN true"),
        ("CAST(NULL AS BOOLEAN) IS UNKNOWN", "BOOLEAN true"),
        ("UNKNOWN IS UNKNOWN", "BOOLEAN true"),
        ("(2 > 1) IS NOT UNKNOWN", "BOOLEAN true"),
    ]);
}

#[test]
fn arithmetic() {
    check_constants(&[
        ("+4", "INT 4"),
        ("-(3 - 8)", "INT 5"),
        ("3 + 1.5E0", "DOUBLE 4.5"),
        ("10 - 12", "INT -2"),
        ("6 * 7", "INT 42"),
        ("80 + 5", "INT 85"),
        ("7 / 2", "DOUBLE 3.5"),
        ("1 / 0", "DOUBLE Infinity"),
        ("0 / 0", "DOUBLE NaN"),
        ("7 % 4", "INT 3"),
        ("MOD(-7, 3)", "INT -1"),
        ("MOD(7.5, 2)", "DECIMAL(11,1) 1.5"),
        ("1.50 + 2.5", "DECIMAL(4,2) 4.00"),
        ("1.50 * 2.5", "DECIMAL(6,3) 3.750"),
        ("1 + 0.5", "DECIMAL(12,1) 1.5"),
        ("CAST(3 AS DECIMAL(38,18)) * CAST(5 AS DECIMAL(38,18))", "DECIMAL(38,6) 15.000000"),
        ("1.5 + CAST(1 AS FLOAT)", "DOUBLE 2.5"),
        ("NULL + 1", "INT NULL"),
        ("CAST(1 AS TINYINT) + CAST(2 AS SMALLINT)", "SMALLINT 3"),
    ]);
}

#[test]
fn integer_overflow_is_an_error_of_the_row() {
    for expression in [
        "2147483647 + 1",
        "-2147483647 - 2",
        "9223372036854775807 * 2",
        "-CAST(-128 AS TINYINT)",
        "CAST(300 AS TINYINT)",
        "CAST(1E20 AS BIGINT)",
        "CAST(99.99 AS DECIMAL(3,2))",
        "MOD(1, 0)",
        "ABS(CAST(-128 AS TINYINT))",
    ] {
        assert!(constant(expression, "UTC").is_err(), "{expression} gives {:?}", constant(expression, "UTC"));
    }
}

#[test]
fn casts() {
    check_constants(&[
        ("CAST(102.50 AS VARCHAR(2))", "STRING 102.50"),
        ("CAST(104.5E0 AS VARCHAR(20))", "STRING 104.5"),
        ("CAST(1E10 AS STRING)", "STRING 1.0E10"),
        ("CAST(TRUE AS STRING)", "STRING true"),
        ("CAST('42' AS INT)", "INT 42"),
        ("CAST(' 42 ' AS BIGINT)", "BIGINT 42"),
        ("CAST(-2.9 AS INT)", "INT -2"),
        ("CAST(2.9E0 AS INT)", "INT 2"),
        ("CAST(7 AS LONG)", "BIGINT 7"),
        ("CAST('2.345' AS DECIMAL(4,2))", "DECIMAL(4,2) 2.35"),
        ("CAST(2.345 AS DECIMAL(4,2))", "DECIMAL(4,2) 2.35"),
        ("CAST('1e3' AS DOUBLE)", "DOUBLE 1000.0"),
        ("CAST('2024-03-15 10:20:30' AS TIMESTAMP)", "TIMESTAMP 2024-03-15 10:20:30"),
        ("CAST(TIMESTAMP '2024-03-15 23:59:59' AS DATE)", "DATE 2024-03-15"),
        ("CAST(TIMESTAMP '1969-12-31 23:59:59' AS DATE)", "DATE 1969-12-31"),
        ("CAST(TIMESTAMP '1969-12-31 23:59:59' AS TIME)", "TIME 23:59:59"),
        ("CAST(TIME '01:02:03' AS TIMESTAMP)", "TIMESTAMP 1970-01-01 01:02:03"),
        ("CAST(DATE '2024-03-15' AS TIMESTAMP)", "TIMESTAMP 2024-03-15 00:00:00"),
        ("CAST('TRUE' AS BOOLEAN)", "BOOLEAN true"),
        ("CAST(CAST(NULL AS STRING) AS INT)", "INT NULL"),
        ("CAST(NULL AS DECIMAL(5,1))", "DECIMAL(5,1) NULL"),
        ("CAST(DATE '2024-03-15' AS VARCHAR)", "STRING 2024-03-15"),
        ("CAST(TIME '07:08:09' AS VARCHAR)", "STRING 07:08:09"),
        ("CAST(ROW(1, '2') AS VARCHAR)", "STRING 1,2"),
    ]);
}

#[test]
fn a_cast_that_fails_says_what_did_not_fit() {
    let error = constant("CAST('abc' AS INT)", "UTC").expect_err("not a number");
    assert!(error.contains("CAST failed: `abc` is not an INT"), "{error}");
    for expression in
        ["CAST('yes' AS BOOLEAN)", "CAST('2024-13-01' AS DATE)", "CAST('1.5x' AS INT)", "'x' = 1"]
    {
        assert!(constant(expression, "UTC").is_err(), "{expression}");
    }
}

#[test]
fn conditionals() {
    check_constants(&[
        ("CASE 3 WHEN 1, 2 THEN 'low' WHEN 3 THEN 'mid' ELSE 'high' END", "STRING mid"),
        ("CASE 2 WHEN 1, 2 THEN 'low' WHEN 3 THEN 'mid' ELSE 'high' END", "STRING low"),
        ("CASE WHEN 1 > 2 THEN 'a' END", "STRING NULL"),
        ("CASE WHEN TRUE THEN 1 ELSE 2.5 END", "DECIMAL(11,1) 1.0"),
        ("CASE WHEN FALSE THEN CAST('x' AS INT) ELSE 1 END", "INT 1"),
        ("NULLIF(5, 0)", "INT 5"),
        ("NULLIF(5, 5)", "INT NULL"),
        ("COALESCE(CAST(NULL AS INT), 5)", "INT 5"),
        ("COALESCE(NULL, NULL, 'x')", "STRING x"),
        ("COALESCE(1, CAST(2 AS BIGINT))", "BIGINT 1"),
    ]);
}

#[test]
fn collections() {
    check_constants(&[
        ("CARDINALITY(ARRAY[TRUE, TRUE, FALSE])", "INT 3"),
        ("CARDINALITY(MAP['a', 1, 'b', 2])", "INT 2"),
        ("ELEMENT(ARRAY['only'])", "STRING only"),
        ("ARRAY[1, 2, 3]", "ARRAY[INT] [1, 2, 3]"),
        ("MAP['a', 1, 'b', 2]['b']", "INT 2"),
        ("MAP['x', 10]['y']", "INT NULL"),
        ("MAP['x', 10]", "MAP[STRING, INT] {x=10}"),
        ("ARRAY[7, 8, 9][2]", "INT 8"),
        ("ARRAY[7, 8, 9][0]", "INT NULL"),
        ("ARRAY[7, 8, 9][4]", "INT NULL"),
        ("ARRAY[7, 8, 9][CAST(NULL AS INT)]", "INT NULL"),
        ("ARRAY[ARRAY[1], ARRAY[2, 3]][2][1]", "INT 2"),
        ("ROW(1, 'x')", "ROW<EXPR$0 INT, EXPR$1 STRING> 1,x"),
    ]);
    assert!(constant("ELEMENT(ARRAY[1, 2])", "UTC").is_err());
}

#[test]
fn time_and_intervals() {
    check_constants(&[
        (
            "TIMESTAMP '2024-03-15 00:00:00' + INTERVAL '1 02:03:04.005' DAY TO SECOND",
            "TIMESTAMP 2024-03-16 02:03:04.005",
        ),
        ("TIMESTAMP '2024-03-15 00:00:00' - INTERVAL 20 SECOND", "TIMESTAMP 2024-03-14 23:59:40"),
        ("INTERVAL '1' DAY + DATE '2024-02-28'", "DATE 2024-02-29"),
        ("DATE '2024-01-31' + INTERVAL '1' MONTH", "DATE 2024-02-29"),
        ("DATE '2024-03-15' + INTERVAL '2-10' YEAR TO MONTH", "DATE 2027-01-15"),
        ("TIME '23:30:00' + INTERVAL '1' HOUR", "TIME 00:30:00"),
        ("TIMESTAMP '2024-03-15 00:00:00' + INTERVAL -'5' MINUTE", "TIMESTAMP 2024-03-14 23:55:00"),
        ("DATE '2024-03-15' - (INTERVAL '1' DAY + INTERVAL '1' DAY)", "DATE 2024-03-13"),
        ("EXTRACT(MINUTE FROM TIMESTAMP '2024-03-15 10:20:30')", "INT 20"),
        ("EXTRACT(DOY FROM DATE '2024-03-15')", "INT 75"),
        ("EXTRACT(QUARTER FROM DATE '2024-03-15')", "INT 1"),
        ("EXTRACT(HOUR FROM INTERVAL '1 02:03:04' DAY TO SECOND)", "INT 2"),
        ("FLOOR(TIMESTAMP '2024-03-15 10:20:30' TO HOUR)", "TIMESTAMP 2024-03-15 10:00:00"),
        ("CEIL(TIME '12:44:31' TO MINUTE)", "TIME 12:45:00"),
        ("CEIL(DATE '2024-03-15' TO MONTH)", "DATE 2024-04-01"),
    ]);
}

#[test]
fn the_deepest_expression_that_the_parser_takes_is_planned() {
    let job = |expression: &str| {
        format!("CREATE SINK STREAM o (a INT) WITH (type = 'x'); INSERT INTO o SELECT {expression} FROM cars")
    };
    let nested = |depth: usize| format!("{}price{}", "ABS(".repeat(depth), ")".repeat(depth));
    let sum = |terms: usize| vec!["price"; terms].join(" + ");
    let cases = |size: usize| format!("{}1{}", "CASE WHEN price = 1 THEN ".repeat(size), " END".repeat(size));
    for shape in [&nested as &dyn Fn(usize) -> String, &sum, &cases] {
        let sizes = (1..2000).take_while(|size| crate::parse(&job(&shape(*size))).is_ok());
        let size = sizes.last().expect("the parser takes something");
        assert!(size > 20, "the parser takes no more than {size}");
        let plan = planned("a INT", &format!("SELECT {} FROM cars", shape(size))).expect("a plan");
        let [expr] = projected(&plan) else { panic!("one column") };
        let physical = physical(expr, plan.inputs()[0].schema()).expect("an evaluator");
        let price = Arc::new(Int32Array::from(vec![1])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("price", price)]).expect("one column");
        assert!(physical.evaluate(&batch).is_ok(), "{size}");
    }
}
