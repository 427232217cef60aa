//! Every form of the statements that declare streams.

use std::time::Duration;

use weir_sql::syntax::ast::{CreateStream, Statement, StreamKind};
use weir_sql::{Position, WatermarkInterval, parse};

fn create(text: &str) -> CreateStream {
    match parse(text).map(|mut statements| statements.remove(0)) {
        Ok(Statement::Create(stream)) => stream,
        other => panic!("{text}: {other:?}"),
    }
}

fn option_values(stream: &CreateStream) -> Vec<(&str, &str)> {
    stream.options.iter().map(|option| (option.name.value.as_str(), option.value.as_str())).collect()
}

#[test]
fn a_source_has_columns_and_options() {
    let stream = create(
        "create source stream Cars (Id STRING, `order` ARRAY[INT]) with (type = \"dis\", partition_count = 2);",
    );
    assert_eq!((stream.kind, stream.name.value.as_str()), (StreamKind::Source, "Cars"));
    let names: Vec<&str> = stream.columns.iter().map(|column| column.name.value.as_str()).collect();
    assert_eq!(names, ["Id", "order"]);
    assert_eq!(option_values(&stream), [("type", "dis"), ("partition_count", "2")]);
    assert!(stream.time.is_none());
}

#[test]
fn a_table_is_declared_like_a_source() {
    let table = create("create table Prices (id STRING, price DOUBLE) with (type = 'rds', table_name = 'p')");
    assert_eq!((table.kind, table.name.value.as_str()), (StreamKind::Table, "Prices"));
    assert_eq!(table.columns.len(), 2);
    assert_eq!(option_values(&table), [("type", "rds"), ("table_name", "p")]);
}

#[test]
fn a_sink_may_be_partitioned() {
    let sink = create(
        "CREATE SINK STREAM s (a INT, `b c` INT) PARTITIONED BY (`b c`, a) WITH (type = 'filesystem')",
    );
    let names: Vec<&str> = sink.partitioned.iter().map(|name| name.value.as_str()).collect();
    assert_eq!(names, ["b c", "a"]);
    assert_eq!(sink.partitioned[1].position, Position { line: 1, column: 64 });
}

#[test]
fn a_function_is_the_name_of_a_class() {
    let text = "CREATE FUNCTION Twice AS \"com.example.Twice\"; CREATE FUNCTION `a b` AS 'it''s'";
    let statements = parse(text).unwrap();
    let [Statement::Function(twice), Statement::Function(quoted)] = &statements[..] else {
        panic!("two functions: {statements:?}")
    };
    assert_eq!((twice.name.value.as_str(), twice.class.as_str()), ("Twice", "com.example.Twice"));
    assert_eq!((twice.class_position, twice.class_length), (Position { line: 1, column: 26 }, 19));
    assert_eq!((quoted.name.value.as_str(), quoted.class.as_str()), ("a b", "it's"));
}

#[test]
fn places_are_those_of_the_text() {
    let stream = create("\nCREATE SOURCE STREAM s (\n  a INT /* x */, `b c` INT\n) WITH (file.path = 'p')");
    assert_eq!(stream.name.position, Position { line: 2, column: 22 });
    assert_eq!(stream.columns[1].name.position, Position { line: 3, column: 18 });
    assert_eq!(stream.columns[1].name.length, 5);
    let option = &stream.options[0];
    assert_eq!((option.name.value.as_str(), option.name.length), ("file.path", 9));
    assert_eq!((option.value_position, option.value_length), (Position { line: 4, column: 21 }, 3));
}

#[test]
fn a_source_may_leave_its_columns_to_a_schema() {
    let stream = create("CREATE SOURCE STREAM s WITH (json_schema = '{\"a\": 1}')");
    assert!(stream.columns.is_empty());
    assert_eq!(option_values(&stream), [("json_schema", "{\"a\": 1}")]);
}

#[test]
fn option_values_process_escapes_and_option_names_may_be_reserved_words() {
    let stream = create(
        r#"CREATE SINK STREAM s (a INT) WITH (a = "\u005c\u0022", b = '\n', `all` = 'it''s', table = "")"#,
    );
    assert_eq!(option_values(&stream), [("a", "\""), ("b", "\n"), ("all", "it's"), ("table", "")]);
}

#[test]
fn time_clauses_have_every_form() {
    let time = |clause: &str| create(&format!("CREATE TEMP STREAM s (ts TIMESTAMP) {clause}")).time.unwrap();
    let both = time("TIMESTAMP BY proctime.proctime, ts.rowtime SET WATERMARK (ROWS 10, INTERVAL 2 SECOND)");
    assert_eq!(both.rowtime.unwrap().value, "ts");
    assert!(both.proctime.is_some());
    assert_eq!(both.watermark, Some((WatermarkInterval::Rows(10), Duration::from_secs(2))));

    let range = time(
        "TIMESTAMP BY ts.ROWTIME SET WATERMARK (RANGE INTERVAL '1:30' MINUTE TO SECOND, INTERVAL '0' SECOND)",
    );
    assert_eq!(range.watermark, Some((WatermarkInterval::Range(Duration::from_secs(90)), Duration::ZERO)));

    let plain = time("TIMESTAMP BY PROCTIME.PROCTIME");
    assert!(plain.rowtime.is_none() && plain.watermark.is_none());

    // The column may itself be called `proctime`.
    assert_eq!(time("TIMESTAMP BY proctime.rowtime").rowtime.unwrap().value, "proctime");
}

#[test]
fn statements_are_separated_by_semicolons_and_may_be_empty() {
    let text = "; ;CREATE TEMP STREAM a (b INT);; INSERT INTO a SELECT 1;\n INSERT INTO a VALUES 2";
    let statements = parse(text).unwrap();
    assert_eq!(statements.len(), 3);
    let Statement::Insert(insert) = &statements[2] else { panic!("the last one is an INSERT") };
    assert_eq!(&text[insert.offset..insert.offset + 6], "INSERT");
    assert_eq!(insert.query_position, Position { line: 2, column: 16 });
    assert!(parse(" \n// nothing\n").unwrap().is_empty());
}

#[test]
fn soft_words_are_names() {
    let stream = create(
        "CREATE SOURCE STREAM stream (name STRING, count INT, time TIME, result INT, type INT, a INT, c INT, \
         date DATE, timestamp TIMESTAMP, interval_ INT, value INT, source INT, limit INT, rowtime TIMESTAMP) \
         WITH (type = 'dis') TIMESTAMP BY rowtime.rowtime",
    );
    assert_eq!(stream.columns.len(), 14);
}
