//! The checks of a whole job: streams, options, columns, clusters, what INSERTs connect.

mod support;

use std::time::Duration;

use arrow::datatypes::{DataType, TimeUnit};
use support::{CATALOG, assert_error};
use weir_functions::window::has_utc_clock;
use weir_sql::{
    CheckError, CheckOptions, Cluster, Job, TIME_ATTRIBUTE, Target, WatermarkInterval, WatermarkStrategy,
    check,
};

const SOURCE: &str = "CREATE SOURCE STREAM src (a STRING, n INT, ts TIMESTAMP, ms BIGINT) WITH (type='dis', channel='c', encode='csv', field_delimiter=',');\n";
const SINK: &str =
    "CREATE SINK STREAM snk (a STRING) WITH (type='dis', channel='c', encode='csv', field_delimiter=',');\n";

fn options() -> CheckOptions {
    CheckOptions::default()
}

fn job(text: &str) -> Job {
    match check(text, &CATALOG, &options()) {
        Ok(job) => job,
        Err(error) => panic!("{}", weir_sql::render("job.sql", text, &error)),
    }
}

fn refused(text: &str, options: &CheckOptions) -> CheckError {
    check(text, &CATALOG, options).map(|_| ()).expect_err(text)
}

/// Asserts the error of one declaration, with its code.
#[track_caller]
fn declaration(text: &str, expected: (&str, u32, u32, &str, &str)) {
    let (code, column, length, complaint, hint) = expected;
    assert_error(text, &refused(text, &options()), (code, 1, column, length, complaint, hint));
}

fn source_with(options: &str) -> String {
    format!("CREATE SOURCE STREAM s (a STRING) WITH ({options})")
}

#[test]
fn a_job_lists_its_streams_and_inserts() {
    let text = format!(
        "{SOURCE}CREATE TEMP STREAM Tmp (a STRING);\n{SINK}INSERT INTO tmp SELECT a FROM SRC;\nINSERT INTO snk SELECT a FROM tmp;"
    );
    let job = job(&text);
    assert_eq!((job.sources.len(), job.temps.len(), job.sinks.len()), (1, 1, 1));
    assert_eq!(
        job.inserts.iter().map(|insert| insert.target).collect::<Vec<_>>(),
        [Target::Temp(0), Target::Sink(0)]
    );
    assert!(text[job.inserts[1].offset..].starts_with("INSERT INTO snk"));
    assert_eq!(job.sources[0].options.get("field_delimiter"), Some(","));
    assert_eq!(job.sources[0].options.get("type"), Some("dis"));
    assert!(job.warnings.is_empty(), "{:?}", job.warnings);
}

#[test]
fn option_names_ignore_case_and_underscores_and_have_synonyms() {
    let text = "CREATE SOURCE STREAM src (a STRING) WITH (TYPE='DIS', Channel='c', partitionCnt='2', ENCODE='CSV', filed_delimiter='|', enableCheckpoint='TRUE');\n\
         CREATE SINK STREAM snk (a STRING) WITH (type='dis', channel='c', encode='csv', fieldDelimiter=',', \
         db_url='jdbc:mysql://h:1/d', offset='5', driver='x');\nINSERT INTO snk SELECT a FROM src";
    let job = job(text);
    let source = &job.sources[0].options;
    for (name, value) in [
        ("type", "dis"),
        ("partition_count", "2"),
        ("encode", "csv"),
        ("field_delimiter", "|"),
        ("enable_checkpoint", "true"),
    ] {
        assert_eq!(source.get(name), Some(value), "{name}");
    }
    let sink = &job.sinks[0].options;
    assert_eq!(sink.get("db_url"), Some("mysql://h:1/d"));
    assert_eq!((sink.get("offset"), sink.get("driver")), (None, None));
    let warnings: Vec<&str> = job.warnings.iter().map(|warning| warning.message.text.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "option `offset` has no effect on a sink of type `dis`",
            "option `driver` has no effect on a sink of type `dis`"
        ]
    );
}

#[test]
fn time_attributes_are_marked() {
    let text = |clause: &str| {
        let source = SOURCE.replace(';', &format!(" {clause};"));
        job(&format!("{source}{SINK}INSERT INTO snk SELECT a FROM src")).sources.remove(0)
    };
    let mark = |field: &arrow::datatypes::Field| field.metadata().get(TIME_ATTRIBUTE).cloned();

    let both = text("TIMESTAMP BY TS.rowtime, proctime.proctime");
    assert_eq!((both.time.rowtime, both.time.proctime), (Some(2), true));
    let default = WatermarkStrategy { interval: WatermarkInterval::Rows(1), delay: Duration::ZERO };
    assert_eq!(both.time.watermark, Some(default));
    assert_eq!(mark(both.schema.field(2)).as_deref(), Some("rowtime"));
    assert_eq!((both.declared.fields().len(), both.schema.fields().len()), (4, 5));
    assert_eq!(both.schema.field(4).name(), "proctime");
    assert_eq!(both.schema.field(4).data_type(), &DataType::Timestamp(TimeUnit::Millisecond, None));
    assert_eq!(mark(both.schema.field(4)).as_deref(), Some("proctime"));
    assert_eq!(mark(both.declared.field(2)), None);

    let milliseconds =
        text("TIMESTAMP BY ms.rowtime SET WATERMARK (RANGE INTERVAL 5 SECOND, INTERVAL 2 SECOND)");
    assert_eq!(milliseconds.schema.field(3).data_type(), &DataType::Int64);
    assert_eq!(milliseconds.time.watermark.map(|watermark| watermark.delay), Some(Duration::from_secs(2)));

    assert!(text("").time.watermark.is_none());
}

#[test]
fn a_json_schema_declares_columns() {
    let text = format!(
        r#"CREATE SOURCE STREAM src WITH (type='dis', channel='c', encode='json', json_schema='{{"type":"object","properties":{{"b":{{"type":"string"}},"a":{{"type":"integer"}}}}}}');
{SINK}INSERT INTO snk SELECT b FROM src"#
    );
    let job = job(&text);
    let names: Vec<&str> =
        job.sources[0].declared.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(job.sources[0].declared.field(1).data_type(), &DataType::Int64);
}

#[test]
fn types_and_clusters() {
    let sink = |name: &str| {
        format!("CREATE SINK STREAM s (a STRING) WITH (type = '{name}', tsdb_link_address = 'x')")
    };
    let code = |text: &str, cluster: Cluster| {
        let error = refused(text, &CheckOptions { cluster, ..options() });
        (error.code.to_string(), error.parameter, error.message.text)
    };
    let restricted = Cluster::Shared { restricted: true };
    for name in
        ["es", "dcs_redis", "dds", "rds", "mrs_hbase", "filesystem", "user_defined", "opentsdb", "print"]
    {
        let (number, parameter, text) = code(&sink(name), restricted);
        assert_eq!((number.as_str(), parameter.as_deref()), ("CS.13016", Some(name)));
        assert_eq!(text, format!("a stream of type `{name}` cannot be used in the shared cluster"));
    }
    assert_eq!(code(&sink("kafka"), restricted).0, "CS.13014");
    assert_eq!(code(&source_with("type = 'Kafka'"), restricted).0, "CS.13014");
    for cluster in [Cluster::Shared { restricted: false }, Cluster::Exclusive, Cluster::Local] {
        for name in ["kafka", "es", "opentsdb"] {
            let (number, _, text) = code(&sink(name), cluster);
            assert_eq!(
                (number.as_str(), text),
                ("CS.13005", format!("connector `{name}` is not available in this release"))
            );
        }
        // `print` is in the catalogue, so only its unknown option is wrong here.
        assert!(code(&sink("print"), cluster).2.contains("has no option"));
    }
    assert_eq!(code(&sink("cloudtable"), restricted).0, "CS.13005");
    assert_eq!(code(&sink("edgehub"), Cluster::Exclusive).0, "CS.13015");

    declaration(
        "CREATE SINK STREAM s (a INT) WITH (x = 'y')",
        ("CS.13015", 20, 1, "stream `s` has no option `type`", "expected `type` with one of `dis`, `print`"),
    );
    declaration(
        "CREATE SINK STREAM s (a INT) WITH (type = 'diss')",
        ("CS.13015", 43, 6, "unknown type `diss`", "did you mean `dis`?"),
    );
    declaration(
        "CREATE SOURCE STREAM s (a INT) WITH (type = 'smn')",
        ("CS.13015", 45, 5, "a source stream cannot have the type `smn`", "expected one of `dis`"),
    );
    declaration(
        "CREATE SOURCE STREAM s (a INT) WITH (type = 'print')",
        ("CS.13015", 45, 7, "a source stream cannot have the type `print`", "expected one of `dis`"),
    );
}

#[test]
fn options_with_something_wrong() {
    let all = "its options are `channel`, `region`, `partition_count`, `partition_range`, `enable_checkpoint`, `quote`, `encode`, `field_delimiter`, `json_config`, `json_schema`";
    for (options, column, length, complaint, hint) in [
        (
            "type='dis', chanel='c'",
            53,
            6,
            "a source of type `dis` has no option `chanel`",
            "did you mean `channel`?",
        ),
        ("type='dis', avro_schema='c'", 53, 11, "a source of type `dis` has no option `avro_schema`", all),
        (
            "type='dis', field_delimiter='c', FieldDelimiter='d'",
            74,
            14,
            "option `FieldDelimiter` is given twice",
            "`field_delimiter` stands at line 1, column 53; names are compared without case and underscores",
        ),
        (
            "type='dis', encode='csv', field_delimiter=','",
            22,
            1,
            "stream `s` has no option `channel`",
            "a source of type `dis` needs it: Meaning of the option.",
        ),
        (
            "type='dis', channel='', encode='csv', field_delimiter=','",
            22,
            1,
            "option `channel` of stream `s` is empty",
            "a source of type `dis` needs it: Meaning of the option.",
        ),
        (
            "type='dis', channel='c'",
            22,
            1,
            "stream `s` has no option `encode`",
            "a source of type `dis` needs it; its values are `csv`, `json`",
        ),
        (
            "type='dis', channel='c', encode='csv'",
            22,
            1,
            "stream `s` has no option `field_delimiter`",
            "a source of type `dis` needs it with encode `csv`: Meaning of the option.",
        ),
        ("type='dis', encode='cvs'", 60, 5, "`cvs` is not a value of option `encode`", "did you mean `csv`?"),
        (
            "type='dis', encode='orc2'",
            60,
            6,
            "`orc2` is not a value of option `encode`",
            "expected one of `csv`, `json`",
        ),
        (
            "type='dis', channel='c', encode='json', partition_count=1, partition_range='[0:1]'",
            22,
            1,
            "`partition_count` and `partition_range` exclude each other",
            "",
        ),
    ] {
        declaration(&source_with(options), ("CS.13005", column, length, complaint, hint));
    }
}

#[test]
fn names_are_unique() {
    let twice = format!("{SOURCE}CREATE TEMP STREAM SRC (a INT)");
    assert_error(
        &twice,
        &refused(&twice, &options()),
        (
            "CS.13005",
            2,
            20,
            3,
            "stream `SRC` is declared twice",
            "`src` stands at line 1, column 22; names are compared without case",
        ),
    );
    declaration(
        "CREATE TEMP STREAM s (a INT, A STRING)",
        (
            "CS.13005",
            30,
            1,
            "column `A` is declared twice",
            "names are compared without case; expected a name of its own for each column",
        ),
    );
}

#[test]
fn time_attributes_need_their_column() {
    let temp = |clause: &str| {
        format!("CREATE TEMP STREAM s (a INT, ts TIMESTAMP, PROCTIME INT) TIMESTAMP BY {clause}")
    };
    for (clause, column, length, complaint, hint) in [
        ("tz.rowtime", 71, 2, "the temp stream has no column `tz`", "did you mean `ts`?"),
        (
            "a.rowtime",
            71,
            1,
            "column `a` is INT and cannot be the event time",
            "expected a column of type `TIMESTAMP` or `BIGINT` (epoch milliseconds)",
        ),
        (
            "ts.rowtime, proctime.proctime",
            83,
            8,
            "column `PROCTIME` and the processing-time attribute have one name",
            "give the declared column another name",
        ),
    ] {
        declaration(&temp(clause), ("CS.13005", column, length, complaint, hint));
    }
}

#[test]
fn columns_must_fit_the_encoding() {
    let csv = "type='dis', channel='c', encode='csv', field_delimiter=','";
    let error = refused(&format!("CREATE SOURCE STREAM s (a INT, b ARRAY[INT]) WITH ({csv})"), &options());
    assert_eq!((error.message.position.column, error.message.length), (32, 1), "{error}");

    let json = "type='dis', channel='c', encode='json', json_config='zz=a.b'";
    let error = refused(&format!("CREATE SOURCE STREAM s (a INT) WITH ({json})"), &options());
    assert_eq!(error.message.position.column, 90, "{error}");

    declaration(
        "CREATE SOURCE STREAM s WITH (type='dis', channel='c', encode='json')",
        (
            "CS.13005",
            22,
            1,
            "stream `s` has no columns",
            "declare columns after the name, or give the option `json_schema`",
        ),
    );
    let schema = r#"{"properties":{"a":{"type":"boolean"}}}"#;
    declaration(
        &format!(
            "CREATE SOURCE STREAM s WITH (type='dis', channel='c', encode='csv', field_delimiter=',', json_schema='{schema}')"
        ),
        (
            "CS.13005",
            102,
            41,
            "option `json_schema` needs the encoding `json`",
            "expected `encode = \"json\"`",
        ),
    );
    declaration(
        &format!(
            "CREATE SINK STREAM s (b INT) WITH (type='dis', channel='c', encode='json', json_schema='{schema}')"
        ),
        ("CS.13005", 23, 1, "column `b` is not a property of `json_schema`", "the schema stands at line 1"),
    );
    declaration(
        &format!(
            "CREATE SINK STREAM s (a INT) WITH (type='dis', channel='c', encode='json', json_schema='{schema}')"
        ),
        ("CS.13005", 23, 1, "column `a` is INT, but `json_schema` says BOOLEAN", ""),
    );
    let error = refused(
        "CREATE SOURCE STREAM s WITH (type='dis', channel='c', encode='json', json_schema='{')",
        &options(),
    );
    assert_eq!((error.message.position.column, error.message.length), (82, 3), "{error}");
}

#[test]
fn inserts_need_their_streams() {
    for (text, line, column, length, complaint, hint) in [
        (
            format!("{SOURCE}INSERT INTO src SELECT 'x'"),
            2,
            13,
            3,
            "`src` is a source stream; it cannot be written",
            "rows go into a sink stream or a temp stream",
        ),
        (
            format!("{SINK}INSERT INTO snkk SELECT 'x'"),
            2,
            13,
            4,
            "stream `snkk` is not declared before this statement",
            "did you mean `snk`?",
        ),
        (
            format!("{SINK}INSERT INTO other SELECT 'x'"),
            2,
            13,
            5,
            "stream `other` is not declared before this statement",
            "",
        ),
        (
            format!("INSERT INTO snk SELECT 'x';{SINK}"),
            1,
            13,
            3,
            "stream `snk` is not declared before this statement",
            "",
        ),
        (
            SINK.to_string(),
            1,
            1,
            1,
            "the job has no INSERT statement",
            "a job needs `INSERT INTO sink SELECT ...`",
        ),
        (
            String::new(),
            1,
            1,
            1,
            "the job has no INSERT statement",
            "a job needs `INSERT INTO sink SELECT ...`",
        ),
        (
            "CREATE TEMP STREAM t (a STRING);INSERT INTO t SELECT 'x'".to_string(),
            1,
            1,
            1,
            "the job writes to no sink stream",
            "a job needs a sink stream and an INSERT into it",
        ),
        (
            format!(
                "{SINK}CREATE TEMP STREAM t (a STRING);CREATE TEMP STREAM u (a STRING);INSERT INTO snk SELECT a FROM t;\n\
                 INSERT INTO t SELECT a FROM u;INSERT INTO u SELECT a FROM t;"
            ),
            3,
            13,
            1,
            "stream `t` is filled from itself",
            "a job cannot have a cycle of streams",
        ),
    ] {
        assert_error(&text, &refused(&text, &options()), ("CS.13005", line, column, length, complaint, hint));
    }
}

#[test]
fn streams_are_visible_only_after_their_declaration_and_sinks_cannot_be_read() {
    let later = format!("{SINK}INSERT INTO snk SELECT a FROM src;\n{SOURCE}");
    let error = refused(&later, &options());
    assert_eq!((error.message.position.line, error.message.position.column), (2, 31), "{error}");

    let from_sink = format!("{SINK}INSERT INTO snk SELECT a FROM snk");
    let error = refused(&from_sink, &options());
    assert_eq!((error.message.position.line, error.message.position.column), (2, 31), "{error}");
}

#[test]
fn unused_streams_are_warned_about() {
    let job = job(&format!(
        "{SOURCE}{SINK}CREATE TEMP STREAM t (a STRING);CREATE TEMP STREAM u (a STRING);\n\
         INSERT INTO snk SELECT 'x';INSERT INTO t SELECT 'y';"
    ));
    let warnings: Vec<&str> = job.warnings.iter().map(|warning| warning.message.text.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "source stream `src` is never read",
            "temp stream `t` is never read",
            "temp stream `u` is never filled"
        ]
    );
}

#[test]
fn the_text_has_a_greatest_size() {
    let text = format!("{SINK}INSERT INTO snk SELECT 'x'");
    let limit = |max_bytes: usize| check(&text, &CATALOG, &CheckOptions { max_bytes, ..options() });
    assert!(limit(text.len()).is_ok());
    let error = limit(text.len() - 1).map(|_| ()).expect_err("one byte too many");
    assert_eq!(error.code.to_string(), "CS.11001");
}

#[test]
fn the_deepest_text_that_is_accepted_does_no_harm() {
    let query = |query: String| {
        let text = format!(
            "{SOURCE}CREATE SINK STREAM snk (a DOUBLE) WITH (type='dis', channel='c', encode='json');\nINSERT INTO snk {query}"
        );
        let options = CheckOptions { max_bytes: 1_000_000, ..options() };
        check(&text, &CATALOG, &options).map(|_| ()).map_err(|error| error.to_string())
    };
    for text in [
        format!("SELECT {}n{} FROM src", "(".repeat(30), ")".repeat(30)),
        format!("SELECT {}n{} FROM src", "ABS(".repeat(30), ")".repeat(30)),
        format!("SELECT n{} FROM src", "+1".repeat(78)),
        format!("SELECT {}1{} FROM src", "CASE WHEN n > 1 THEN 1 ELSE ".repeat(30), " END".repeat(30)),
        format!("SELECT 1 FROM src WHERE n = 1{}", " OR n = 1".repeat(5_000)),
        format!("SELECT n FROM src{}", " UNION ALL SELECT n FROM src".repeat(99)),
        format!("SELECT n FROM {}src{}", "(SELECT n FROM ".repeat(7), ")".repeat(7)),
        format!("SELECT 1 FROM src WHERE n IN (1{})", ", 2".repeat(5_000)),
    ] {
        assert_eq!(query(text.clone()), Ok(()), "{}", &text[..60]);
    }
}

/// What fills a temp stream may stand behind what reads it, and its clock is known all the same.
#[test]
fn temp_streams_take_over_the_clock_of_windows_in_any_order_of_the_text() {
    let temp =
        |name: &str| format!("CREATE TEMP STREAM {name} (a STRING, t TIMESTAMP) TIMESTAMP BY t.rowtime;\n");
    let temps: String = ["one", "two", "three", "own"].map(temp).concat();
    let source = SOURCE.replace(";\n", " TIMESTAMP BY ts.rowtime;\n");
    let text = format!(
        "{source}{SINK}{temps}INSERT INTO snk SELECT a FROM three;
         INSERT INTO three SELECT a, t FROM two;
         INSERT INTO two SELECT a, t FROM one;
         INSERT INTO one SELECT a, TUMBLE_ROWTIME(ts, INTERVAL '1' DAY) FROM src GROUP BY a, TUMBLE(ts, INTERVAL '1' DAY);
         INSERT INTO own SELECT a, ts FROM src;"
    );
    let options = CheckOptions { time_zone: "Asia/Shanghai".to_string(), ..options() };
    let job = check(&text, &CATALOG, &options).unwrap_or_else(|error| panic!("{error}"));
    let clocks: Vec<bool> = job.temps.iter().map(|temp| has_utc_clock(temp.schema.field(1))).collect();
    assert_eq!(clocks, [true, true, true, false]);
    let targets: Vec<Target> = job.inserts.iter().map(|insert| insert.target).collect();
    let in_text = [Target::Sink(0), Target::Temp(2), Target::Temp(1), Target::Temp(0), Target::Temp(3)];
    assert_eq!(targets, in_text);
    let mixed = text.replace("INSERT INTO own", "INSERT INTO three");
    let error = refused(&mixed, &options);
    assert!(error.message.text.contains("`three` would be of two zones"), "{error}");
}
