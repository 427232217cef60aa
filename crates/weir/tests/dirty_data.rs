//! Dirty records of every encoding under every strategy: what is dropped, counted, saved, and when the job fails.
//!
//! Each case is a job test, so that the whole way is gone: source, decoder, expressions, policy, counters.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// One encoding: a source, what it is asked, and records.
struct Case {
    name: &'static str,
    columns: &'static str,
    options: &'static str,
    query: &'static str,
    clean: &'static [&'static [u8]],
    /// Rows of the sink `(x BIGINT)` for the clean records.
    rows: &'static str,
    /// Each with a part of its reason.
    dirty: &'static [(&'static [u8], &'static str)],
    /// Each with the data that is saved: it has been decoded by then, so that those of its values are that the query reads.
    failing: &'static [(&'static [u8], &'static str)],
}

const CASES: &[Case] = &[
    Case {
        name: "csv",
        columns: "(id INT, t STRING, ts TIMESTAMP)",
        options: "encode = 'csv', field_delimiter = ','",
        query: "SELECT id + CAST(t AS INT) FROM s",
        clean: &[b"1,10,2024-03-15 00:00:00", b"2,20,2024-03-15 00:00:01"],
        rows: "11\n22",
        dirty: &[
            (b"x,10,2024-03-15 00:00:02", "`id`"),
            (b"3,10", "field"),
            (b"3,10,2024-03-15 00:00:02,more", "field"),
            (b"3,10,yesterday", "`ts`"),
            (b"3,\xff,2024-03-15 00:00:02", "UTF-8"),
            (b"3,10,", "event time"),
        ],
        failing: &[(b"4,many,2024-03-15 00:00:03", "id=4, t=many")],
    },
    Case {
        name: "json",
        columns: "(id INT, t STRING, ts TIMESTAMP)",
        options: "encode = 'json'",
        query: "SELECT id + CAST(t AS INT) FROM s",
        clean: &[br#"{"id":1,"t":"10","ts":0}"#, br#"{"ts":1000,"id":"2","t":20}"#],
        rows: "11\n22",
        dirty: &[
            (br#"{"id":"x","t":"1","ts":0}"#, "`id`"),
            (br#"[1]"#, "object"),
            (br#"{"id":1,"t":"1","ts":0"#, "JSON"),
            (b"{\"id\":1,\"t\":\"\xff\",\"ts\":0}", "UTF-8"),
            (br#"{"id":1,"t":"1","ts":null}"#, "event time"),
            (br#"{"id":1,"t":"1"}"#, "event time"),
        ],
        failing: &[(br#"{"id":4,"t":"many","ts":3000}"#, "id=4, t=many")],
    },
    Case {
        name: "xml",
        columns: "(id INT, t STRING, ts TIMESTAMP)",
        options: "encode = 'xml', xml_config = 'id=i;t=t;ts=ts'",
        query: "SELECT id + CAST(t AS INT) FROM s",
        clean: &[
            b"<r><i>1</i><t>10</t><ts>2024-03-15 00:00:00</ts></r>",
            b"<r>\n<i>2</i>\n<t>20</t>\n<ts>2024-03-15 00:00:01</ts>\n</r>",
        ],
        rows: "11\n22",
        dirty: &[
            (b"<r><i>x</i><t>10</t><ts>2024-03-15 00:00:00</ts></r>", "`id`"),
            (b"<r><i>1</i><t>10</t>", "XML"),
            (b"<r><t>\xff</t></r>", "UTF-8"),
            (b"<r><i>1</i><t>10</t></r>", "event time"),
        ],
        failing: &[(b"<r><i>4</i><t>many</t><ts>2024-03-15 00:00:03</ts></r>", "id=4, t=many")],
    },
    Case {
        name: "email",
        columns: "(ts TIMESTAMP, t STRING)",
        options: "encode = 'email', email_key = 'Date, Subject'",
        query: "SELECT CAST(t AS BIGINT) FROM s",
        clean: &[
            b"Date: Fri, 15 Mar 2024 00:00:00 +0000\nSubject: 11\n\nbody\n",
            b"Subject: 22\nDate: Fri, 15 Mar 2024 00:00:01 +0000\n\n",
        ],
        rows: "11\n22",
        dirty: &[
            (b"Date: yesterday\nSubject: 1\n\n", "`ts`"),
            (b"no header\n\n", "header"),
            (b"Subject: \xff\n\n", "UTF-8"),
            (b"Subject: 1\n\n", "event time"),
        ],
        failing: &[(b"Date: Fri, 15 Mar 2024 00:00:03 +0000\nSubject: many\n\n", "t=many")],
    },
    Case {
        name: "blob",
        columns: "(b ARRAY[TINYINT])",
        options: "encode = 'blob'",
        query: "SELECT CAST(MOD(100, b[1]) AS BIGINT) + b[2] FROM s",
        clean: &[b"\x03\x0a", b"\x07\x14\xff"],
        rows: "11\n22",
        // Every sequence of bytes is a record.
        dirty: &[],
        failing: &[(b"\x00\x01", "b=[0, 1]")],
    },
];

impl Case {
    fn sql(&self) -> String {
        let time = if self.columns.contains("ts ") { "TIMESTAMP BY ts.ROWTIME" } else { "" };
        format!(
            "CREATE SOURCE STREAM s {} WITH (type = 'dis', channel = 'c', {}) {time};\n\
             CREATE SINK STREAM o (x BIGINT) WITH (type = 'dis', channel = 'd', encode = 'csv', field_delimiter = ',');\n\
             INSERT INTO o {};",
            self.columns, self.options, self.query
        )
    }

    /// Writes the test of one strategy with these dirty records between the clean ones.
    fn write(&self, place: &Path, name: &str, dirty: &[&[u8]], more: &str) {
        let inputs = place.join(format!("{name}.in"));
        std::fs::create_dir(&inputs).unwrap();
        let records = self.clean[..1].iter().chain(dirty).chain(&self.clean[1..]);
        for (number, record) in records.enumerate() {
            std::fs::write(inputs.join(format!("{number:03}")), record).unwrap();
        }
        let test =
            format!("title = '{name}'\nsql = '''\n{}\n'''\n{more}\n[inputs]\ns = '{name}.in'\n", self.sql());
        let outputs = format!("[outputs.o]\nrows = '''\n{}\n'''\norder = 'fixed'\n", self.rows);
        let outputs = if more.contains("fails") { String::new() } else { outputs };
        std::fs::write(place.join(format!("{name}.test.toml")), test + &outputs).unwrap();
    }
}

fn run(place: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["test", "--json", "."])
        .current_dir(place)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all_pass(place: &Path, tests: usize) {
    let verdicts = run(place);
    assert_eq!(verdicts.len(), tests);
    let failed: Vec<String> = verdicts
        .iter()
        .filter(|verdict| verdict["passed"] != true)
        .map(|verdict| format!("{}: {}", verdict["test"], verdict["message"].as_str().unwrap_or_default()))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn dropped_records_are_counted_and_the_rest_goes_on() {
    let place = tempfile::tempdir().unwrap();
    for case in CASES {
        let dirty: Vec<&[u8]> = case.dirty.iter().chain(case.failing).map(|(record, _)| *record).collect();
        case.write(place.path(), case.name, &dirty, &format!("dirty_records = {}", dirty.len()));
    }
    all_pass(place.path(), CASES.len());
}

/// Runs a job with `weir run` and returns what it saved.
fn saved_lines(case: &Case, records: &[&[u8]]) -> Vec<Value> {
    let place = tempfile::tempdir().unwrap();
    let inputs = place.path().join("in");
    std::fs::create_dir(&inputs).unwrap();
    for (number, record) in records.iter().enumerate() {
        std::fs::write(inputs.join(format!("{number:03}")), record).unwrap();
    }
    std::fs::create_dir_all(place.path().join("data/objects/bucket")).unwrap();
    std::fs::write(place.path().join("job.sql"), case.sql()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["run", "job.sql", "--bind", "s=in", "--bind", "o=out.csv", "--data", "data"])
        .args(["--dirty-data", "2:bucket/dirty"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", case.name, String::from_utf8_lossy(&output.stderr));
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(place.path().join("data/objects/bucket/dirty")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("dirty-") && name.ends_with(".jsonl"), "{name}");
        let text = std::fs::read_to_string(path).unwrap();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    lines
}

#[test]
fn a_saved_record_tells_stream_reason_and_data() {
    for case in CASES {
        let all = || case.dirty.iter().chain(case.failing);
        let records: Vec<&[u8]> = all().map(|(record, _)| *record).collect();
        let lines = saved_lines(case, &records);
        assert_eq!(lines.len(), records.len(), "{}: {lines:?}", case.name);
        for (record, reason) in case.dirty.iter().filter(|(_, reason)| *reason != "event time") {
            let (data, encoding) = match std::str::from_utf8(record) {
                Ok(text) => (text.to_string(), "utf8"),
                Err(_) => (STANDARD.encode(record), "base64"),
            };
            let line =
                lines.iter().find(|line| line["data"] == data.as_str() && line["encoding"] == encoding);
            let line = line.unwrap_or_else(|| panic!("{}: {data} is not among {lines:?}", case.name));
            assert!(line["reason"].as_str().unwrap().contains(reason), "{}: {line}", case.name);
            assert_eq!(line["stream"], "s", "{line}");
            assert!(line["time"].as_i64().unwrap() > 0 && line["job_id"] == 0, "{line}");
        }
        let without_time = case.dirty.iter().filter(|(_, reason)| *reason == "event time").count();
        let told =
            lines.iter().filter(|line| line["reason"].as_str().unwrap().contains("event time")).count();
        assert_eq!(told, without_time, "{}: {lines:?}", case.name);
        for (_, data) in case.failing {
            let line = lines.iter().find(|line| line["data"] == *data);
            let line = line.unwrap_or_else(|| panic!("{}: {data}: {lines:?}", case.name));
            assert_eq!(line["stream"], "s", "{line}");
            let reason = line["reason"].as_str().unwrap();
            assert!(!reason.contains("error: ") && !reason.contains("Int32"), "{line}");
        }
    }
}

#[test]
fn with_the_policy_to_fail_one_dirty_record_ends_the_job() {
    let place = tempfile::tempdir().unwrap();
    let mut tests = 0;
    for case in CASES {
        let decoded = case.failing.iter().map(|(record, _)| (*record, "dirty"));
        for (number, (record, reason)) in case.dirty.iter().copied().chain(decoded).enumerate() {
            let more = format!("dirty_data = 'fail'\nfails = '{reason}'");
            case.write(place.path(), &format!("{}{number}", case.name), &[record], &more);
            tests += 1;
        }
    }
    all_pass(place.path(), tests);
}
