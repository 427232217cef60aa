//! A small catalogue of connectors for the tests of the checker.

#![allow(dead_code, reason = "each test file uses its own part")]

use weir_base::connector::{ConnectorCatalog, ConnectorSpec, Need, OptionSpec, Role, RoleSpec};
use weir_sql::CheckError;

const fn option(name: &'static str, need: Need, values: &'static [&'static str]) -> OptionSpec {
    OptionSpec { name, need, values, meaning: "Meaning of the option." }
}

const ENCODE: OptionSpec = option("encode", Need::Mandatory, &["csv", "json"]);
const FIELD_DELIMITER: OptionSpec = option("field_delimiter", Need::WithEncode(&["csv"]), &[]);
const JSON_CONFIG: OptionSpec = option("json_config", Need::Optional(""), &[]);
const JSON_SCHEMA: OptionSpec = option("json_schema", Need::Optional(""), &[]);
const SWITCH: &[&str] = &["true", "false"];

static DIS: ConnectorSpec = ConnectorSpec {
    name: "dis",
    summary: "A stream.",
    roles: &[
        RoleSpec {
            role: Role::Source,
            options: &[
                option("channel", Need::Mandatory, &[]),
                option("region", Need::Optional(""), &[]),
                option("partition_count", Need::Optional(""), &[]),
                option("partition_range", Need::Optional(""), &[]),
                option("enable_checkpoint", Need::Optional("false"), SWITCH),
                option("quote", Need::Optional(""), &[]),
                ENCODE,
                FIELD_DELIMITER,
                JSON_CONFIG,
                JSON_SCHEMA,
            ],
            ignored: &[],
            rule: Some(|value| match (value("partition_count"), value("partition_range")) {
                (Some(_), Some(_)) => {
                    Err("`partition_count` and `partition_range` exclude each other".to_string())
                }
                _ => Ok(()),
            }),
            columns: None,
        },
        RoleSpec {
            role: Role::Sink,
            options: &[
                option("channel", Need::Mandatory, &[]),
                option("region", Need::Optional(""), &[]),
                option("partition_key", Need::Optional(""), &[]),
                option("enable_output_null", Need::Optional("true"), SWITCH),
                option("db_url", Need::Optional(""), &[]),
                ENCODE,
                FIELD_DELIMITER,
                JSON_CONFIG,
                JSON_SCHEMA,
            ],
            ignored: &["offset"],
            rule: None,
            columns: None,
        },
    ],
    shared_cluster: true,
};

static PRINT: ConnectorSpec = ConnectorSpec {
    name: "print",
    summary: "A terminal.",
    roles: &[RoleSpec { role: Role::Sink, options: &[], ignored: &[], rule: None, columns: None }],
    shared_cluster: false,
};

/// `dis` in both roles and, only outside the shared cluster, the sink `print`.
pub static CATALOG: ConnectorCatalog = ConnectorCatalog(&[&DIS, &PRINT]);

static FILE: ConnectorSpec = ConnectorSpec {
    name: "file",
    summary: "A file.",
    roles: &[RoleSpec {
        role: Role::Source,
        options: &[option("path", Need::Mandatory, &[]), ENCODE],
        ignored: &[],
        rule: None,
        columns: None,
    }],
    shared_cluster: false,
};

/// `file` as a source, and the sink `print`.
pub static FILES: ConnectorCatalog = ConnectorCatalog(&[&FILE, &PRINT]);

/// Asserts the code, place, text and hint of an error.
#[track_caller]
pub fn assert_error(sql: &str, error: &CheckError, expected: (&str, u32, u32, u32, &str, &str)) {
    let message = &error.message;
    let found = (
        error.code.to_string(),
        message.position.line,
        message.position.column,
        message.length,
        message.text.as_str(),
        message.hint.as_deref().unwrap_or_default(),
    );
    let (code, line, column, length, text, hint) = expected;
    assert_eq!(
        found,
        (code.to_string(), line, column, length, text, hint),
        "\n{}",
        weir_sql::render("job.sql", sql, error)
    );
}

/// Asserts line, column, length, text and hint of the error of each text.
#[track_caller]
pub fn check(cases: &[(&str, u32, u32, u32, &str, &str)]) {
    for (sql, line, column, length, text, hint) in cases {
        let error = weir_sql::parse(sql).expect_err(sql);
        assert_error(sql, &error, ("CS.13005", *line, *column, *length, text, hint));
    }
}

/// Asserts column, length, text and hint of the error of a query that follows `INSERT INTO s ` in the text;
/// columns count from the beginning of the query.
#[track_caller]
pub fn check_queries(cases: &[(&str, u32, u32, &str, &str)]) {
    const BEFORE: &str = "INSERT INTO s ";
    for (query, column, length, text, hint) in cases {
        let sql = format!("{BEFORE}{query}");
        let error = weir_sql::parse(&sql).expect_err(query);
        let column = column + BEFORE.len() as u32;
        assert_error(&sql, &error, ("CS.13005", 1, column, *length, text, hint));
    }
}
