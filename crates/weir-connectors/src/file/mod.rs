//! Local files, for development and tests: read whole or as they grow, written once at commit.

mod append;
mod sink;
mod source;
mod table;

pub(crate) use sink::sink;
pub(crate) use source::source;
pub(crate) use table::table;

use weir_base::connector::{ConnectorSpec, Need, Role, RoleSpec};

use crate::catalog::{
    EMAIL_KEY, ENCODINGS, FIELD_DELIMITER, JSON_CONFIG, JSON_SCHEMA, MESSAGE_ENCODINGS, QUOTE, SWITCH,
    XML_CONFIG, choice, text,
};
use crate::options::check;

const PATH_SOURCE: &str = "File to read, or a directory whose files are read in the order of their names; hidden files are left out.";
const PATH_SINK: &str =
    "File to write; its directory is created when it is missing, and a fresh start begins it anew.";
const ROW_DELIMITER_SOURCE: &str = "What separates two records; when it is empty, which is the default for xml, email and blob, each file is one record.";
const ROW_DELIMITER_SINK: &str = "What follows each record.";
const PATH_TABLE: &str = "File that holds the rows. It is kept in memory, at most 256 MiB, and read again within a second after it has changed; a name that ends in `.gz` is decompressed.";

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "file",
    summary: "Local files, for development. The server reads and writes files only below the directories that its operator allows, none by default.",
    roles: &[
        RoleSpec {
            role: Role::Source,
            options: &[
                text("path", Need::Mandatory, PATH_SOURCE),
                choice(
                    "encode",
                    Need::Optional("csv"),
                    MESSAGE_ENCODINGS,
                    "Encoding of a record. A name that ends in `.gz` is decompressed.",
                ),
                FIELD_DELIMITER,
                text("row_delimiter", Need::Optional("\\n"), ROW_DELIMITER_SOURCE),
                QUOTE,
                JSON_CONFIG,
                JSON_SCHEMA,
                XML_CONFIG,
                EMAIL_KEY,
                choice(
                    "header",
                    Need::Optional("false"),
                    SWITCH,
                    "Whether the first line of each file holds names and is skipped.",
                ),
                choice(
                    "follow",
                    Need::Optional("false"),
                    SWITCH,
                    "Whether reading goes on as the files grow; the stream then never ends.",
                ),
                text(
                    "rows_per_second",
                    Need::Optional("0"),
                    "How fast each subtask reads, in records a second; 0 is as fast as possible.",
                ),
            ],
            ignored: &[],
            rule: Some(source_rule),
            columns: None,
        },
        RoleSpec {
            role: Role::Sink,
            options: &[
                text("path", Need::Mandatory, PATH_SINK),
                choice("encode", Need::Optional("csv"), ENCODINGS, "Encoding of a record."),
                FIELD_DELIMITER,
                text("row_delimiter", Need::Optional("\\n"), ROW_DELIMITER_SINK),
                text("quote", Need::Optional(""), "csv: one character written around every field."),
                JSON_CONFIG,
                choice(
                    "enable_output_null",
                    Need::Optional("true"),
                    SWITCH,
                    "json: whether NULL columns are written.",
                ),
                text(
                    "array_bracket",
                    Need::Optional("[]"),
                    "csv: the brackets around an ARRAY: `[]`, `()` or `{}`.",
                ),
                choice(
                    "header",
                    Need::Optional("false"),
                    SWITCH,
                    "csv: whether the file begins with a line of the column names.",
                ),
                choice(
                    "row_kinds",
                    Need::Optional("false"),
                    SWITCH,
                    "Whether withdrawn rows are written too, and each record begins with its kind and a blank: `+I` added, `-U` and `+U` the old and the new form of an updated row, `-D` withdrawn.",
                ),
            ],
            ignored: &["follow", "rows_per_second"],
            rule: Some(sink_rule),
            columns: None,
        },
        RoleSpec {
            role: Role::Table,
            options: &[
                text("path", Need::Mandatory, PATH_TABLE),
                choice("encode", Need::Optional("csv"), ENCODINGS, "Encoding of a record."),
                FIELD_DELIMITER,
                text("row_delimiter", Need::Optional("\\n"), "What separates two records."),
                QUOTE,
                JSON_CONFIG,
                choice(
                    "header",
                    Need::Optional("false"),
                    SWITCH,
                    "Whether the first line of the file holds names and is skipped.",
                ),
            ],
            ignored: &[],
            rule: Some(table_rule),
            columns: None,
        },
    ],
    shared_cluster: true,
};

fn source_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Source), option, |options| source::reading(options).map(drop))
}

fn sink_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Sink), option, |options| {
        options.row_delimiter()?;
        sink::has_header(options).map(drop)
    })
}

fn table_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Table), option, table::check_options)
}
