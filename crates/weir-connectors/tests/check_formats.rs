//! What the checker says of formats, with the connectors as they are: refusals with their place, warnings.
#![allow(clippy::unwrap_used)]

use weir_connectors::CATALOG;
use weir_sql::{CheckError, CheckOptions, Job, check};

const SINK: &str =
    "CREATE SINK STREAM snk (a STRING) WITH (type = 'print');\nINSERT INTO snk SELECT 'x' FROM src";

fn checked(source: &str) -> Result<Job, CheckError> {
    check(&format!("{source};\n{SINK}"), &CATALOG, &CheckOptions::default())
}

/// Asserts the text that is marked, the message and the hint of a refusal.
#[track_caller]
fn refused(source: &str, marked: &str, text: &str, hint: &str) {
    let error = checked(source).err().unwrap_or_else(|| panic!("accepted: {source}"));
    let message = &error.message;
    let line = source.lines().nth(message.position.line as usize - 1).unwrap_or_default();
    let found: String =
        line.chars().skip(message.position.column as usize - 1).take(message.length as usize).collect();
    assert_eq!(
        (found.as_str(), message.text.as_str(), message.hint.as_deref().unwrap_or_default()),
        (marked, text, hint),
        "{source}"
    );
    assert_eq!(error.code.to_string(), "CS.13005");
}

fn dis(columns: &str, options: &str) -> String {
    format!("CREATE SOURCE STREAM src ({columns}) WITH (type = 'dis', channel = 'c',\n{options})")
}

#[test]
fn xml_needs_paths_to_its_columns() {
    let xml = |columns: &str, config: &str| dis(columns, &format!("encode = 'xml', xml_config = '{config}'"));
    assert!(checked(&xml("a STRING, b ARRAY[INT]", "a=p.a;B = q")).is_ok());
    refused(
        &dis("a STRING", "encode = 'xml'"),
        "src",
        "stream `src` has no option `xml_config`",
        "a source of type `dis` needs it with encode `xml`: xml: the element of each column, `column=path;...`, the path being the names of elements below the root joined by `.`; columns not listed are elements of their own name.",
    );
    refused(
        &xml("a STRING", "zz=p.a"),
        "'zz=p.a'",
        "option `xml_config`: the stream has no column `zz`",
        "its columns are `a`",
    );
    refused(
        &xml("a STRING", "a=p/a"),
        "'a=p/a'",
        "option `xml_config`: path `p/a`: `p/a` is not a name of an element",
        "write the names of elements below the root, joined by `.`",
    );
    refused(
        &xml("a STRING, m MAP[STRING, INT]", "a=a"),
        "m",
        "column `m`: MAP cannot be read from xml",
        "expected a primitive type, or an ARRAY of one",
    );
}

#[test]
fn email_needs_as_many_keys_as_columns() {
    let email = |columns: &str, key: &str| dis(columns, &format!("encode = 'email', email_key = '{key}'"));
    assert!(checked(&email("a DATE, b ARRAY[STRING], c STRING", "Date, Cc, body")).is_ok());
    refused(
        &email("a DATE, b STRING", "Date"),
        "'Date'",
        "option `email_key`: has 1 key, but the stream has 2 columns",
        "write a header, `body` or `charset` for each column, separated by commas",
    );
    refused(
        &email("a ROW<x INT>", "Date"),
        "a",
        "column `a`: ROW cannot be read from email",
        "expected a primitive type, or an ARRAY of one",
    );
    refused(
        &email("a ARRAY[INT]", "Cc"),
        "a",
        "column `a`: ARRAY of INT cannot be read from email",
        "expected a primitive type or ARRAY[STRING]",
    );
}

#[test]
fn blob_needs_one_column_of_bytes() {
    let blob = |columns: &str| dis(columns, "encode = 'blob'");
    let hint = "expected exactly one column, of type ARRAY[TINYINT]";
    assert!(checked(&blob("bytes ARRAY[TINYINT]")).is_ok());
    refused(&blob("a STRING"), "a", "column `a`: STRING cannot be read from blob", hint);
    refused(
        &blob("a ARRAY[TINYINT], b INT"),
        "b",
        "column `b`: a blob has no place for a second column",
        hint,
    );
}

#[test]
fn encodings_that_do_not_run_are_refused_by_name() {
    let all = "expected one of `csv`, `json`, `xml`, `email`, `blob`";
    refused(
        &dis("a STRING", "encode = 'user_defined', encode_class_name = 'x.Y'"),
        "'user_defined'",
        "encode `user_defined` runs a class of a JAR, which the embedded engine cannot",
        all,
    );
    refused(
        &dis("a STRING", "encodeClassParameter = 'p', encode = 'csv', field_delimiter = ','"),
        "encodeClassParameter",
        "option `encodeClassParameter` names a class of a JAR, which the embedded engine cannot run",
        "expected option `encode` with one of `csv`, `json`, `xml`, `email`, `blob`",
    );
    refused(
        &dis("a STRING", "encode = 'Orc'"),
        "'Orc'",
        "encode `orc` is not available in this release",
        all,
    );
    refused(&dis("a STRING", "encode = 'yaml'"), "'yaml'", "`yaml` is not a value of option `encode`", all);
    refused(
        "CREATE SOURCE STREAM src (a STRING) WITH (type = 'obs', bucket = 'b', object_name = 'o',\nencode = 'xml')",
        "'xml'",
        "a source of type `obs` cannot have encode `xml`",
        "expected one of `csv`, `json`",
    );
    refused(
        "CREATE SINK STREAM src (a STRING) WITH (type = 'dis', channel = 'c',\nencode = 'blob')",
        "'blob'",
        "a sink of type `dis` cannot have encode `blob`",
        "expected one of `csv`, `json`",
    );
}

#[test]
fn options_of_other_encodings_are_warned_about() {
    for (options, expected) in [
        ("encode = 'json', json_config = 'a=b'", vec![]),
        ("encode = 'csv', field_delimiter = ',', quote = '\"'", vec![]),
        (
            "encode = 'json', field_delimiter = ',', quote = '\"'",
            vec![("field_delimiter", "json"), ("quote", "json")],
        ),
        ("encode = 'csv', fieldDelimiter = ';', jsonConfig = 'a=b'", vec![("jsonConfig", "csv")]),
        (
            "encode = 'xml', xml_config = 'a=b', email_key = 'b', field_delimiter = ','",
            vec![("email_key", "xml"), ("field_delimiter", "xml")],
        ),
        ("encode = 'email', email_key = 'b', xml_config = 'a=b'", vec![("xml_config", "email")]),
    ] {
        let job = checked(&dis("a STRING", options)).unwrap();
        let expected: Vec<String> = expected
            .iter()
            .map(|(name, encode)| format!("option `{name}` has no effect with encode `{encode}`"))
            .collect();
        let found: Vec<&str> = job.warnings.iter().map(|warning| warning.message.text.as_str()).collect();
        assert_eq!(found, expected, "{options}");
        assert!(
            job.warnings
                .iter()
                .all(|warning| warning.message.position.line == 2 && warning.message.length > 0)
        );
    }
}
