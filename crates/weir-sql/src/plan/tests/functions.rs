//! The values of the functions that a query may call by name: every one of them is in a table here.

use super::{check_constants, constant};

const MATH: &[(&str, &str)] = &[
    ("POWER(2, 10)", "DOUBLE 1024.0"),
    ("ABS(-17)", "INT 17"),
    ("ABS(-1.5)", "DECIMAL(2,1) 1.5"),
    ("SQRT(144)", "DOUBLE 12.0"),
    ("SQRT(-1)", "DOUBLE NaN"),
    ("LN(10)", "DOUBLE 2.302585092994046"),
    ("LOG10(1000)", "DOUBLE 3.0"),
    ("EXP(1)", "DOUBLE 2.718281828459045"),
    ("CEIL(-2.3E0)", "DOUBLE -2.0"),
    ("CEIL(2.3)", "DECIMAL(2,1) 3.0"),
    ("CEILING(8.01E0)", "DOUBLE 9.0"),
    ("FLOOR(-2.3E0)", "DOUBLE -3.0"),
    ("FLOOR(-2.3)", "DECIMAL(2,1) -3.0"),
    ("FLOOR(7)", "INT 7"),
    ("SIN(1)", "DOUBLE 0.8414709848078965"),
    ("COS(1)", "DOUBLE 0.5403023058681398"),
    ("TAN(1)", "DOUBLE 1.5574077246549023"),
    ("COT(1)", "DOUBLE 0.6420926159343306"),
    ("COT(0)", "DOUBLE Infinity"),
    ("ASIN(1)", "DOUBLE 1.5707963267948966"),
    ("ACOS(0)", "DOUBLE 1.5707963267948966"),
    ("ATAN(1)", "DOUBLE 0.7853981633974483"),
    ("DEGREES(PI())", "DOUBLE 180.0"),
    ("RADIANS(180)", "DOUBLE 3.141592653589793"),
    ("SIGN(-12)", "INT -1"),
    ("SIGN(-0.5)", "DECIMAL(2,1) -1.0"),
    ("ROUND(21.267, 2)", "DECIMAL(5,3) 21.270"),
    ("ROUND(21.267E0, 2)", "DOUBLE 21.27"),
    ("ROUND(1.005E0, 2)", "DOUBLE 1.01"),
    ("ROUND(-2.5E0, 0)", "DOUBLE -3.0"),
    ("ROUND(1250, -2)", "INT 1300"),
    ("PI()", "DOUBLE 3.141592653589793"),
    ("LOG2(8)", "DOUBLE 3.0"),
    ("LOG(3, 81)", "DOUBLE 4.0"),
    ("LOG(1)", "DOUBLE 0.0"),
    ("ATAN2(1, 1)", "DOUBLE 0.7853981633974483"),
    ("SINH(1)", "DOUBLE 1.1752011936438014"),
    ("COSH(0)", "DOUBLE 1.0"),
    ("TANH(0)", "DOUBLE 0.0"),
    ("E()", "DOUBLE 2.718281828459045"),
    ("RAND() >= 0 AND RAND() < 1", "BOOLEAN true"),
    ("RAND_INTEGER(1)", "INT 0"),
];

const TEXT: &[(&str, &str)] = &[
    ("'he' || 'llo'", "STRING hello"),
    ("'a' || NULL", "STRING NULL"),
    ("CHAR_LENGTH('weir')", "INT 4"),
    ("CHAR_LENGTH('naïve')", "INT 5"),
    ("CHARACTER_LENGTH('a b')", "INT 3"),
    ("CONCAT('a', CAST(NULL AS STRING), 'b')", "STRING ab"),
    ("CONCAT_WS('-', 'x', CAST(NULL AS STRING), 'y')", "STRING x-y"),
    ("CONCAT_WS(NULL, 'x', 'y')", "STRING xy"),
    ("HASH_CODE('overspeed')", "INT 748836877"),
    ("HASH_CODE(-5)", "INT 5"),
    ("INITCAP('sTREAM-sql job')", "STRING Stream-Sql Job"),
    ("IS_ALPHA('Abc1')", "BOOLEAN false"),
    ("IS_ALPHA(NULL)", "BOOLEAN false"),
    ("IS_DIGITS('0042')", "BOOLEAN true"),
    ("IS_NUMBER('-3.5e2')", "BOOLEAN true"),
    ("IS_URL('example.com:443')", "BOOLEAN false"),
    ("IS_URL('https://example.com:443/a')", "BOOLEAN true"),
    ("JSON_VALUE('{\"d\":{\"v\":[7,\"x\"]}}', '$.d.v[1]')", "STRING x"),
    ("KEY_VALUE('a=1;b=2', ';', '=', 'b')", "STRING 2"),
    ("KEY_VALUE('a=1;b=2', ';', '=', 'c')", "STRING NULL"),
    ("LOWER('WeIr')", "STRING weir"),
    ("LPAD('7', 3, '0')", "STRING 007"),
    ("LPAD('weir', 2, '0')", "STRING we"),
    ("LPAD('weir', -1, '0')", "STRING NULL"),
    ("LPAD('weir', 9, '')", "STRING NULL"),
    ("MD5('weir')", "STRING 57c6838eabf401f73f6dd50093408e33"),
    ("MD5('')", "STRING "),
    ("OVERLAY('abcdef' PLACING 'ZZ' FROM 3 FOR 1)", "STRING abZZdef"),
    ("OVERLAY('abcdef' PLACING 'ZZ' FROM 3)", "STRING abZZef"),
    ("POSITION('ream' IN 'stream')", "INT 3"),
    ("POSITION('x' IN 'stream')", "INT 0"),
    ("REPLACE('a-b-c', '-', '+')", "STRING a+b+c"),
    ("RPAD('ab', 5, 'xy')", "STRING abxyx"),
    ("SHA1('weir')", "STRING 73359e52b959cf85f75158a9bf78501ee2c9f529"),
    ("SHA256('weir')", "STRING 9e1bd4e58bdc27cb9abf4c558b21963a3f3fb6b08c715e8e2bb6c795162994bc"),
    ("STRING_TO_ARRAY('10.0.0.1', \"\\\\.\")", "ARRAY[STRING] [10, 0, 0, 1]"),
    ("SUBSTRING('stream' FROM -3 FOR 2)", "STRING ea"),
    ("SUBSTRING('stream' FROM 0 FOR 2)", "STRING st"),
    ("SUBSTRING('stream', 3)", "STRING ream"),
    ("SUBSTRING('stream', -9)", "STRING "),
    ("TRIM(LEADING '0' FROM '0050')", "STRING 50"),
    ("TRIM(TRAILING '0' FROM '0050')", "STRING 005"),
    ("TRIM(BOTH FROM '  x ')", "STRING x"),
    ("TRIM(' x ')", "STRING x"),
    ("UPPER('weir')", "STRING WEIR"),
    ("LTRIM('  x ')", "STRING x "),
    ("RTRIM(' x  ')", "STRING  x"),
    ("REPEAT('ab', 3)", "STRING ababab"),
    ("REPEAT('ab', -1)", "STRING "),
    ("TO_BASE64('weir')", "STRING d2Vpcg=="),
    ("FROM_BASE64('d2Vpcg==')", "STRING weir"),
    ("REGEXP_REPLACE('a1b22', '[0-9]+', '#')", "STRING a#b#"),
    ("REGEXP_REPLACE('ab', '(a)(b)', '$2$1x')", "STRING bax"),
    ("REGEXP_EXTRACT('dev-17-x', 'dev-([0-9]+)', 1)", "STRING 17"),
    ("REGEXP_EXTRACT('dev-17-x', 'dev-([0-9]+)')", "STRING dev-17"),
    ("REGEXP_EXTRACT('x', 'dev')", "STRING NULL"),
    ("SHA224('weir')", "STRING 53d24f46f7e89becb4b88303bcc754472c4e2b62e6d7ba144fa7744d"),
    ("SUBSTRING(SHA384('weir') FROM 1 FOR 16)", "STRING 4280a353c5e16a22"),
    ("SUBSTRING(SHA512('weir') FROM 1 FOR 16)", "STRING f11512542fedc33d"),
    ("SHA2('weir', 256) = SHA256('weir')", "BOOLEAN true"),
    ("BIN(10)", "STRING 1010"),
    ("HEX('Ab')", "STRING 4162"),
    ("HEX(255)", "STRING FF"),
    ("CHAR_LENGTH(UUID())", "INT 36"),
];

const TEMPORAL: &[(&str, &str)] = &[
    ("QUARTER(DATE '2024-08-01')", "INT 3"),
    ("YEAR(DATE '2024-03-15')", "BIGINT 2024"),
    ("MONTH(DATE '2024-03-15')", "BIGINT 3"),
    ("WEEK(DATE '2024-03-15')", "BIGINT 11"),
    ("DAYOFYEAR(DATE '2024-03-15')", "BIGINT 75"),
    ("DAYOFMONTH(DATE '2024-03-15')", "BIGINT 15"),
    ("DAYOFWEEK(DATE '2024-03-15')", "BIGINT 6"),
    ("HOUR(TIMESTAMP '2024-03-15 10:20:30')", "BIGINT 10"),
    ("MINUTE(TIMESTAMP '2024-03-15 10:20:30')", "BIGINT 20"),
    ("SECOND(TIMESTAMP '2024-03-15 10:20:30.900')", "BIGINT 30"),
    ("HOUR(TIME '07:08:09')", "BIGINT 7"),
    ("TIMESTAMPADD(DAY, 2, DATE '2024-02-28')", "DATE 2024-03-01"),
    ("TIMESTAMPADD(MONTH, -1, TIMESTAMP '2024-03-31 01:00:00')", "TIMESTAMP 2024-02-29 01:00:00"),
    ("TIMESTAMPDIFF(HOUR, TIMESTAMP '2024-03-15 10:00:00', TIMESTAMP '2024-03-15 12:59:59')", "INT 2"),
    ("TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-03-30')", "INT 1"),
    ("TO_TIMESTAMP(1710498030000)", "TIMESTAMP 2024-03-15 10:20:30"),
    ("TO_LOCALTIMESTAMP(0)", "TIMESTAMP 1970-01-01 00:00:00"),
    ("UNIX_TIMESTAMP('2024-03-15 10:20:30')", "BIGINT 1710498030"),
    ("UNIX_TIMESTAMP('not a time')", "BIGINT NULL"),
    ("UNIX_TIMESTAMP_MS('2024-03-15 10:20:30.250')", "BIGINT 1710498030250"),
];

#[test]
fn arithmetic_functions() {
    check_constants(MATH);
}

#[test]
fn string_functions() {
    check_constants(TEXT);
}

#[test]
fn temporal_functions() {
    check_constants(TEMPORAL);
}

#[test]
fn every_function_has_an_example() {
    let tables: Vec<&str> =
        [MATH, TEXT, TEMPORAL].concat().iter().map(|(expression, _)| *expression).collect();
    let missing: Vec<&str> = weir_functions::all()
        .map(|function| function.name)
        .filter(|name| !tables.iter().any(|expression| expression.contains(&format!("{name}("))))
        .collect();
    assert!(missing.is_empty(), "without an example: {missing:?}");
}

#[test]
fn the_time_zone_of_the_job_counts() {
    for (expression, expected) in [
        ("TO_TIMESTAMP(1710498030000)", "TIMESTAMP 2024-03-15 18:20:30"),
        ("UNIX_TIMESTAMP('2018-01-01 00:00:01')", "BIGINT 1514736001"),
    ] {
        assert_eq!(constant(expression, "GMT+08:00").as_deref(), Ok(expected), "{expression}");
    }
}
