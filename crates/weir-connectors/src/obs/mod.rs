//! Objects in buckets: read once in the order of their names, written in parts that show at commit.

mod directory;
mod naming;
mod part;
mod sink;
mod source;
mod stage;
mod writer;

pub(crate) use sink::{has_bucket, sink};
pub(crate) use source::source;

use weir_base::connector::{
    ColumnsFault, ColumnsPlace, ConnectorSpec, DeclaredColumn, Need, Role, RoleSpec, TableKeys,
};
use weir_base::error::with_causes;
use weir_cloud::objects::ObjectsError;
use weir_engine::error::ConnectorError;

use crate::catalog::{
    ENCODINGS, FIELD_DELIMITER, JSON_CONFIG, JSON_SCHEMA, QUOTE, REGION, SWITCH, choice, text,
};
use crate::options::check;

/// Everything that sinks have written but not committed lies below this folder of the bucket.
const STAGING: &str = ".weir/staging";

/// The names of objects that sinks have chosen but not committed lie below this folder of the bucket.
const NAMES: &str = ".weir/names";

const ROLLING_INTERVALS: &[&str] = &["yyyy", "yyyy/MM", "yyyy/MM/dd", "yyyy/MM/dd/HH", "yyyy/MM/dd/HH/mm"];
const NOT_YET: &str = "Not supported yet: a stream that gives it is refused.";

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "obs",
    summary: "Objects in a bucket of the object store. A sink shows its objects when the checkpoint commits.",
    roles: &[
        RoleSpec {
            role: Role::Source,
            options: &[
                text("bucket", Need::Mandatory, "The bucket, which must exist."),
                text(
                    "object_name",
                    Need::Mandatory,
                    "Key of one object, or a prefix that ends in `/`: all objects below it, in the order of their names. `.gz` objects are decompressed.",
                ),
                choice("encode", Need::Optional("csv"), ENCODINGS, "Encoding of a record."),
                text("row_delimiter", Need::Optional("\\n"), "What separates two records."),
                FIELD_DELIMITER,
                QUOTE,
                JSON_CONFIG,
                JSON_SCHEMA,
                text("version_id", Need::Optional("newest"), "Version of the object; with one object only."),
                text(
                    "rows_per_second",
                    Need::Optional("0"),
                    "How fast each subtask reads, in records a second, for replays; 0 is as fast as possible.",
                ),
                REGION,
            ],
            ignored: &["ak", "sk"],
            rule: Some(source_rule),
            columns: None,
        },
        RoleSpec {
            role: Role::Sink,
            options: &[
                choice("encode", Need::Mandatory, ENCODINGS, "Encoding of a record."),
                text(
                    "obs_dir",
                    Need::Mandatory,
                    "`bucket/dir`: where the objects go. With `append = \"false\"`, `${column}` stands for the value of a column.",
                ),
                FIELD_DELIMITER,
                text("row_delimiter", Need::Optional("\\n"), "Written after every record."),
                JSON_CONFIG,
                text(
                    "file_prefix",
                    Need::Optional("temp"),
                    "Objects are named `prefix.1`, `prefix.2` and so on. Sinks may share a directory and a prefix: each takes numbers that are free.",
                ),
                text(
                    "rolling_size",
                    Need::Optional(""),
                    "A new object begins beyond this size: bytes, or with unit k, m or g. One of `rolling_size` and `rolling_interval` must be given.",
                ),
                choice(
                    "rolling_interval",
                    Need::Optional(""),
                    ROLLING_INTERVALS,
                    "Objects go to a sub-directory of the time of output, in the zone of the job.",
                ),
                text("quote", Need::Optional(""), "csv: one character written around every field."),
                choice(
                    "array_bracket",
                    Need::Optional("[]"),
                    &["[]", "()", "{}"],
                    "csv: the brackets around an ARRAY.",
                ),
                choice(
                    "enable_output_null",
                    Need::Optional("true"),
                    SWITCH,
                    "json: whether NULL columns are written.",
                ),
                choice(
                    "append",
                    Need::Optional("true"),
                    SWITCH,
                    "Objects cannot be appended to: `true` begins a new one after 10,000 records or 60 seconds, `false` as the next two options say.",
                ),
                text(
                    "max_record_num_per_file",
                    Need::Optional(""),
                    "Records of one object; mandatory with `append = \"false\"`.",
                ),
                text(
                    "dump_interval",
                    Need::Optional(""),
                    "Seconds after which an object is finished though it is not full.",
                ),
                text("encoded_data", Need::Optional(""), NOT_YET),
                text("dis_notice_channel", Need::Optional(""), NOT_YET),
                REGION,
            ],
            ignored: &["ak", "sk", "json_schema"],
            rule: Some(sink_rule),
            columns: Some(sink_columns),
        },
    ],
    shared_cluster: true,
};

fn source_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Source), option, |options| {
        options.row_delimiter()?;
        options.rate("rows_per_second")?;
        source::version(options).map(drop)
    })
}

fn sink_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Sink), option, |options| {
        options.row_delimiter()?;
        sink::Placement::new(options).map(drop)
    })
}

fn sink_columns(
    columns: &[DeclaredColumn<'_>],
    option: &dyn Fn(&str) -> Option<String>,
) -> Result<TableKeys, ColumnsFault> {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let directory = option("obs_dir").unwrap_or_default();
    directory::Directory::of_columns(&directory, &names).map(|_| TableKeys::Any).map_err(|message| {
        ColumnsFault { at: ColumnsPlace::Option("obs_dir"), message: format!("option `obs_dir`: {message}") }
    })
}

/// Makes a fault of the bucket service a fault of a declared stream.
fn bucket_fault(stream: &str, error: &ObjectsError) -> ConnectorError {
    let message = format!("stream `{stream}`: {error}");
    match error {
        ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_) | ObjectsError::BucketExists(_) => {
            ConnectorError::permanent(message)
        }
        _ => ConnectorError::transient(message),
    }
}

/// Makes a fault of the object store a fault of a declared stream.
fn fault(stream: &str, what: &str, key: &str, error: &object_store::Error) -> ConnectorError {
    // That an endpoint refuses is not always in the text of the error itself.
    let message = format!("stream `{stream}`: cannot {what} `{key}`: {}", with_causes(error));
    match error {
        object_store::Error::Generic { .. } | object_store::Error::JoinError { .. } => {
            ConnectorError::transient(message)
        }
        _ => ConnectorError::permanent(message),
    }
}
