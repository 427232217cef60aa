//! The options of each connector as the checker takes them: known, required, without effect, wrong.
#![allow(clippy::unwrap_used)]

use weir_connectors::CATALOG;
use weir_sql::{CheckError, CheckOptions, Cluster, Job, check};

/// A declaration whose options are right, to which options are added and from which they are taken.
struct Declaration {
    /// Up to the opening bracket of the options.
    head: &'static str,
    options: &'static [(&'static str, &'static str)],
    /// The statements that make a job of it.
    rest: &'static str,
}

const DIS_SOURCE: Declaration = Declaration {
    head: "CREATE SOURCE STREAM it (a STRING, n INT)",
    options: &[("type", "dis"), ("channel", "c"), ("encode", "csv"), ("field_delimiter", ",")],
    rest: "CREATE SINK STREAM other (a STRING) WITH (type = 'print'); INSERT INTO other SELECT a FROM it",
};
const DIS_SINK: Declaration = Declaration {
    head: "CREATE SINK STREAM it (a STRING, n INT)",
    options: DIS_SOURCE.options,
    rest: "INSERT INTO it SELECT 'a', 1",
};
const OBS_SOURCE: Declaration = Declaration {
    head: DIS_SOURCE.head,
    options: &[("type", "obs"), ("bucket", "b"), ("object_name", "o"), ("row_delimiter", "\\n")],
    rest: DIS_SOURCE.rest,
};
const OBS_SINK: Declaration = Declaration {
    head: DIS_SINK.head,
    options: &[("type", "obs"), ("encode", "csv"), ("obs_dir", "b/d"), ("rolling_size", "1m")],
    rest: DIS_SINK.rest,
};
const REDIS: Declaration = Declaration {
    head: "CREATE TABLE it (a STRING, v STRING)",
    options: &[
        ("type", "dcs_redis"),
        ("cluster_address", "h:6379"),
        ("value_type", "string"),
        ("key_column", "a"),
    ],
    rest: "CREATE SOURCE STREAM s (a STRING) WITH (type = 'datagen'); \
           CREATE SINK STREAM o (v STRING) WITH (type = 'print'); \
           INSERT INTO o SELECT it.v FROM s JOIN it ON s.a = it.a",
};
const RDS: Declaration = Declaration {
    head: REDIS.head,
    options: &[
        ("type", "rds"),
        ("username", "u"),
        ("password", "p"),
        ("db_url", "jdbc:mysql://h:3306/d"),
        ("table_name", "t"),
    ],
    rest: REDIS.rest,
};
const PRINT: Declaration =
    Declaration { head: DIS_SINK.head, options: &[("type", "print")], rest: DIS_SINK.rest };

impl Declaration {
    /// Checks the job with options changed: one without a value is left out.
    fn with(&self, changes: &[(&str, Option<&str>)]) -> (String, Result<Job, CheckError>) {
        let mut options: Vec<(&str, Option<&str>)> =
            self.options.iter().map(|(name, value)| (*name, Some(*value))).collect();
        for (name, value) in changes {
            match options.iter_mut().find(|(known, _)| known == name) {
                Some(option) => option.1 = *value,
                None => options.push((name, *value)),
            }
        }
        let options: Vec<String> =
            options.iter().filter_map(|(name, value)| Some(format!("{name} = '{}'", (*value)?))).collect();
        let text = format!("{} WITH (\n{});\n{}", self.head, options.join(",\n"), self.rest);
        let options = CheckOptions { cluster: Cluster::Local, ..CheckOptions::default() };
        let job = check(&text, &CATALOG, &options);
        (text, job)
    }

    /// Asserts that a change is refused: what is marked in the text, and a part of the message and hint.
    #[track_caller]
    fn refuses(&self, changes: &[(&str, Option<&str>)], marked: &str, said: &str) {
        let (text, job) = self.with(changes);
        let error = job.err().unwrap_or_else(|| panic!("accepted: {text}"));
        let message = &error.message;
        let line = text.lines().nth(message.position.line as usize - 1).unwrap_or_default();
        let found: String =
            line.chars().skip(message.position.column as usize - 1).take(message.length as usize).collect();
        assert_eq!(
            (error.code.to_string().as_str(), found.as_str()),
            ("CS.13005", marked),
            "{error}\n{text}"
        );
        assert!(error.to_string().contains(said), "{error}\nhas not: {said}");
    }

    /// Asserts that a change is accepted, with warnings about just these options.
    #[track_caller]
    fn accepts(&self, changes: &[(&str, Option<&str>)], without_effect: &[&str]) {
        let (text, job) = self.with(changes);
        let job = job.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let warned: Vec<&str> = job.warnings.iter().map(|warning| warning.message.text.as_str()).collect();
        assert_eq!(warned.len(), without_effect.len(), "{warned:?}");
        for name in without_effect {
            let about = format!("option `{name}` has no effect on a ");
            assert!(warned.iter().any(|text| text.starts_with(&about)), "{name}: {warned:?}");
        }
    }
}

#[test]
fn required_options_are_required_and_may_not_be_empty() {
    for (declaration, required) in [
        (&DIS_SOURCE, &["channel", "encode", "field_delimiter"][..]),
        (&DIS_SINK, &["channel", "encode", "field_delimiter"]),
        (&OBS_SOURCE, &["bucket", "object_name"]),
        (&OBS_SINK, &["encode", "obs_dir"]),
        (&REDIS, &["cluster_address", "value_type", "key_column"]),
        (&RDS, &["username", "password", "db_url", "table_name"]),
    ] {
        declaration.accepts(&[], &[]);
        for name in required {
            declaration.refuses(&[(name, None)], "it", &format!("`it` has no option `{name}`"));
            let (_, job) = declaration.with(&[(name, Some(""))]);
            let error = job.err().unwrap_or_else(|| panic!("an empty `{name}` is accepted")).to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
    }
    let neither = "one of `rolling_size` and `rolling_interval` must be given";
    OBS_SINK.refuses(&[("rolling_size", None)], "it", neither);
    OBS_SINK.accepts(&[("rolling_size", None), ("rolling_interval", Some("yyyy/MM"))], &[]);
    REDIS.refuses(&[("value_type", Some("hash"))], "it", "`hash_key_column`: must be given");
    OBS_SINK.refuses(&[("append", Some("false"))], "'false'", "needs option `max_record_num_per_file`");
}

#[test]
fn unknown_options_are_refused_by_name() {
    for declaration in [&DIS_SOURCE, &DIS_SINK, &OBS_SOURCE, &OBS_SINK, &REDIS, &RDS, &PRINT] {
        declaration.refuses(
            &[("no_such_option", Some("x"))],
            "no_such_option",
            "has no option `no_such_option`",
        );
        // A word of the language that no documentation explains.
        declaration.refuses(&[("avro_config", Some("x"))], "avro_config", "has no option `avro_config`");
    }
    DIS_SOURCE.refuses(&[("chanel", Some("x"))], "chanel", "did you mean `channel`?");
    DIS_SINK.refuses(
        &[("encode_class_name", Some("x.Y"))],
        "encode_class_name",
        "names a class of a JAR, which the embedded engine cannot run",
    );
    DIS_SOURCE.refuses(&[("CHAN_NEL", Some("x"))], "CHAN_NEL", "is given twice");
}

#[test]
fn options_of_old_jobs_and_of_other_roles_have_no_effect_and_a_warning() {
    let given = |names: &[&'static str]| -> Vec<(&'static str, Option<&'static str>)> {
        names.iter().map(|name| (*name, Some("x"))).collect()
    };
    for (declaration, names) in [
        (&DIS_SOURCE, &["ak", "sk", "driver", "partition_key"][..]),
        (&DIS_SINK, &["ak", "sk", "offset", "start_time", "checkpoint_app_name", "xml_config", "email_key"]),
        (&OBS_SOURCE, &["ak", "sk", "file_prefix", "rolling_interval", "dump_interval"]),
        (&OBS_SINK, &["ak", "sk", "version_id", "bucket", "object_name", "rows_per_second"]),
        (&REDIS, &["key_value"]),
        (&RDS, &["driver", "primary_key", "operation_field"]),
    ] {
        declaration.accepts(&given(names), names);
        declaration.accepts(&[("region", Some("anywhere"))], &[]);
    }
}

#[test]
fn wrong_values_are_refused_where_they_stand() {
    for (declaration, name, value, said) in [
        (&DIS_SOURCE, "encode", "yaml", "expected one of `csv`, `json`, `xml`, `email`, `blob`"),
        (&DIS_SOURCE, "quote", "ab", "must be one character"),
        (&DIS_SOURCE, "partition_count", "many", "`many` is not a number"),
        (&DIS_SOURCE, "partition_count", "0", "at least 1"),
        (&DIS_SOURCE, "partition_range", "0:2", "`0:2` is not a range such as `[0:2]`"),
        (&DIS_SOURCE, "partition_range", "[2:0]", "is not a range"),
        (&DIS_SOURCE, "start_time", "2018", "not of the form `yyyy-MM-dd HH:mm:ss`"),
        (&DIS_SOURCE, "offset", "-1", "`-1` is not a number"),
        (&DIS_SOURCE, "enable_checkpoint", "yes", "expected one of `true`, `false`"),
        (&DIS_SOURCE, "checkpoint_interval", "0", "at least 1"),
        (&DIS_SINK, "encode", "xml", "expected one of `csv`, `json`"),
        (&DIS_SINK, "enable_output_null", "no", "expected one of `true`, `false`"),
        (&DIS_SINK, "partition_key", "a,b", "the stream has no column `b`"),
        (&OBS_SOURCE, "rows_per_second", "-1", "must not be negative"),
        (&OBS_SINK, "encode", "orc", "encode `orc` is not available in this release"),
        (&OBS_SINK, "obs_dir", "/", "not of the form `bucket/dir`"),
        (&OBS_SINK, "obs_dir", "b/${a}", "needs `append = \"false\"`"),
        (&OBS_SINK, "file_prefix", "a/b", "must not contain `/`"),
        (&OBS_SINK, "rolling_size", "1t", "is not a size such as"),
        (&OBS_SINK, "rolling_interval", "MM", "expected one of `yyyy`, `yyyy/MM`"),
        (&OBS_SINK, "array_bracket", "<>", "expected one of `[]`, `()`, `{}`"),
        (&OBS_SINK, "append", "1", "expected one of `true`, `false`"),
        (&OBS_SINK, "max_record_num_per_file", "0", "at least 1"),
        (&OBS_SINK, "dump_interval", "soon", "`soon` is not a number"),
        (&OBS_SINK, "encoded_data", "${a}", "is not supported yet"),
        (&OBS_SINK, "dis_notice_channel", "c", "is not supported yet"),
        (&REDIS, "cluster_address", "h", "is not of the form `host:port`"),
        (&REDIS, "cluster_address", "h:1,i:2", "names several servers"),
        (&REDIS, "value_type", "stream", "expected one of `string`, `list`, `hash`, `set`, `zset`"),
        (&REDIS, "key_column", "z", "the table has no column `z`"),
        (&REDIS, "hash_key_column", "v", "belongs to `value_type` `hash` alone"),
        (&REDIS, "cache_max_num", "-1", "`-1` is not a number"),
        (&RDS, "cache_time", "1s", "`1s` is not a number"),
        (&RDS, "cache_max_num", "10000001", "must be at most 10000000"),
        (&RDS, "db_url", "oracle://h/d", "option `db_url`"),
        (&RDS, "table_name", "a..b", "is not of the form `table` or `schema.table`"),
        (&RDS, "db_columns", "a", "names 1 columns, but 2 are declared"),
        (&PRINT, "row_kinds", "some", "expected one of `true`, `false`"),
    ] {
        declaration.refuses(&[(name, Some(value))], &format!("'{value}'"), said);
    }
    let parts = [("partition_count", Some("1")), ("partition_range", Some("[0:0]"))];
    DIS_SOURCE.refuses(&parts, "'[0:0]'", "cannot be combined with `partition_count`");
    let directory =
        [("append", Some("false")), ("max_record_num_per_file", Some("5")), ("obs_dir", Some("b/${z}"))];
    OBS_SINK.refuses(&directory, "'b/${z}'", "the stream has no column `z`");
    let version = [("object_name", Some("o/")), ("version_id", Some("1"))];
    OBS_SOURCE.refuses(&version, "'1'", "belongs to one object");
}

#[test]
fn names_are_compared_without_case_and_underscores_and_have_synonyms() {
    DIS_SOURCE.accepts(&[("channel", None), ("ChAn_NeL", Some("c")), ("partitionCnt", Some("2"))], &[]);
    DIS_SOURCE.accepts(&[("field_delimiter", None), ("filed_delimiter", Some(";"))], &[]);
    let (_, job) = DIS_SOURCE.with(&[("encode", Some("CSV")), ("partitionCnt", Some("2"))]);
    let job = job.unwrap();
    let option = |name| job.sources[0].options.get(name);
    assert_eq!((option("encode"), option("partition_count")), (Some("csv"), Some("2")));
    let (_, job) = RDS.with(&[]);
    assert_eq!(job.unwrap().tables[0].options.get("db_url"), Some("mysql://h:3306/d"));
}
