//! Streams of the Data Ingestion Service: partitioned, durable, read by position, written by transaction.

mod positions;
mod reader;
mod sink;
mod source;

pub(crate) use sink::{has_channel, sink};
pub(crate) use source::source;

use weir_base::connector::{
    ColumnsFault, ColumnsPlace, ConnectorSpec, DeclaredColumn, Need, OptionSpec, Role, RoleSpec, TableKeys,
};
use weir_base::text::Zone;
use weir_cloud::streams::StreamsError;
use weir_engine::error::ConnectorError;

use crate::catalog::{
    EMAIL_KEY, ENCODINGS, JSON_CONFIG, JSON_SCHEMA, MESSAGE_ENCODINGS, QUOTE, REGION, SWITCH, XML_CONFIG,
    choice, text,
};
use crate::options::check;

const CHANNEL: OptionSpec = text("channel", Need::Mandatory, "Name of the stream, which must exist.");
const ENCODE: &str = "Encoding of a message, which is one record.";
const DELIMITER: OptionSpec =
    text("field_delimiter", Need::WithEncode(&["csv"]), "csv: one or more characters between two fields.");

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "dis",
    summary: "A stream of the Data Ingestion Service. A sink shows its records when the checkpoint commits.",
    roles: &[
        RoleSpec {
            role: Role::Source,
            options: &[
                CHANNEL,
                choice("encode", Need::Mandatory, MESSAGE_ENCODINGS, ENCODE),
                DELIMITER,
                QUOTE,
                JSON_CONFIG,
                JSON_SCHEMA,
                XML_CONFIG,
                EMAIL_KEY,
                text(
                    "partition_count",
                    Need::Optional("all"),
                    "How many partitions to read, counted from 0; not together with `partition_range`.",
                ),
                text(
                    "partition_range",
                    Need::Optional("all"),
                    "The partitions to read, `[a:b]`, numbered from 0, both included.",
                ),
                text(
                    "start_time",
                    Need::Optional(""),
                    "Begin with the records stored at or after this time, `yyyy-MM-dd HH:mm:ss` in the zone of the job; wins over `offset`.",
                ),
                text(
                    "offset",
                    Need::Optional("newest"),
                    "Begin at this record number of each partition; without it and without `start_time` only new records are read.",
                ),
                choice(
                    "enable_checkpoint",
                    Need::Optional("false"),
                    SWITCH,
                    "Whether the read position is also kept at the stream; a job without a checkpoint of its own begins there.",
                ),
                text(
                    "checkpoint_app_name",
                    Need::Optional("the job"),
                    "The consumer under which the position is kept; needed when several jobs share it or follow one another.",
                ),
                text(
                    "checkpoint_interval",
                    Need::Optional("60"),
                    "Seconds between two times that the position is stored at the stream.",
                ),
                REGION,
            ],
            ignored: &["ak", "sk", "partition_key", "enable_output_null", "row_delimiter"],
            rule: Some(source_rule),
            columns: None,
        },
        RoleSpec {
            role: Role::Sink,
            options: &[
                CHANNEL,
                choice("encode", Need::Mandatory, ENCODINGS, ENCODE),
                DELIMITER,
                JSON_CONFIG,
                text(
                    "partition_key",
                    Need::Optional("any partition"),
                    "Columns, separated by commas, whose values choose the partition: equal values keep their order.",
                ),
                choice(
                    "enable_output_null",
                    Need::Optional("true"),
                    SWITCH,
                    "json: whether NULL columns are written.",
                ),
                REGION,
            ],
            ignored: &[
                "ak",
                "sk",
                "quote",
                "row_delimiter",
                "offset",
                "start_time",
                "partition_count",
                "partition_range",
                "enable_checkpoint",
                "checkpoint_app_name",
                "checkpoint_interval",
                "json_schema",
            ],
            rule: None,
            columns: Some(sink_columns),
        },
    ],
    shared_cluster: true,
};

fn source_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    // The zone only moves the instant, not what is accepted.
    check(SPEC.role(Role::Source), option, |options| source::Reading::new(options, &Zone::UTC).map(drop))
}

fn sink_columns(
    columns: &[DeclaredColumn<'_>],
    option: &dyn Fn(&str) -> Option<String>,
) -> Result<TableKeys, ColumnsFault> {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let key = option("partition_key").unwrap_or_default();
    sink::key_columns(&key, &names).map(|_| TableKeys::Any).map_err(|message| ColumnsFault {
        at: ColumnsPlace::Option("partition_key"),
        message: format!("option `partition_key`: {message}"),
    })
}

/// Makes a fault of the stream service a fault of a declared stream.
fn fault(stream: &str, channel: &str, error: &StreamsError) -> ConnectorError {
    let place = format!("stream `{stream}`, channel `{channel}`");
    match error {
        StreamsError::NoStream(_) => ConnectorError::permanent(format!(
            "{place}: there is no such DIS stream in the project; create it, or correct option `channel`"
        )),
        StreamsError::Io(_) => ConnectorError::transient(format!("{place}: {error}")),
        other => ConnectorError::permanent(format!("{place}: {other}")),
    }
}
