//! Settings, tables and views of a job.

use std::path::Path;
use std::time::Duration;

use arrow::datatypes::{DataType, SchemaRef};
use weir_base::variables::Redactor;

use super::literal::{interval, text_constant};
use super::plan::needs_rowtime;
use super::types::type_text;
use super::zone::{utc_of_millis, utc_of_wall};
use super::{FlinkOptions, NotInFlink, Translated, quoted};
use crate::{DimensionTable, Job, SourceStream, TempStream, WatermarkInterval};

/// How the column is called that holds a BIGINT event time as a TIMESTAMP.
pub(super) fn rowtime_name(column: &str) -> String {
    format!("{column}__rowtime")
}

/// Returns the settings of the session.
pub(super) fn settings(job: &Job) -> Translated<Vec<String>> {
    let set = |name: &str, value: &str| format!("SET '{name}' = '{value}'");
    Ok(vec![
        set("execution.runtime-mode", "streaming"),
        set("table.local-time-zone", "UTC"),
        set("table.exec.legacy-cast-behaviour", "disabled"),
        set("table.exec.source.idle-timeout", "0 ms"),
        set("parallelism.default", "1"),
        set("pipeline.auto-watermark-interval", &watermark_interval(job)?),
    ])
}

/// Returns how far watermarks must grow before Flink sends one. It has one such setting for a job.
fn watermark_interval(job: &Job) -> Translated<String> {
    let intervals = job.sources.iter().filter_map(|source| Some((source, source.time.watermark?)));
    let mut intervals = intervals.map(|(source, strategy)| {
        match strategy.interval {
            WatermarkInterval::Rows(1) => Ok(0),
            WatermarkInterval::Rows(rows) => Err(NotInFlink::of(
                &source.name,
                format!("its watermark is sent with every {rows}th row; Flink sends one with every row (`ROWS 1`), or when \
                 event time has grown (`RANGE`)"),
            )),
            WatermarkInterval::Range(range) => Ok(millis(range).saturating_sub(1)),
        }
    });
    let Some(first) = intervals.next().transpose()? else { return Ok("0 ms".to_string()) };
    for other in intervals {
        if other? != first {
            return Err(NotInFlink::of(
                "WATERMARK",
                "the sources send watermarks at different intervals; Flink has one interval for a job",
            ));
        }
    }
    Ok(format!("{first} ms"))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the table of a source.
pub(super) fn source(
    source: &SourceStream,
    options: &FlinkOptions,
    redactor: &Redactor,
) -> Translated<String> {
    let mut columns = declared(&source.declared)?;
    if source.time.proctime {
        columns.push(format!("{} AS PROCTIME()", quoted("proctime")));
    }
    if let (Some(index), Some(watermark)) = (source.time.rowtime, source.time.watermark) {
        let field = source.declared.field(index);
        let mut name = field.name().clone();
        if needs_rowtime(field.data_type(), options) {
            let own = quoted(&name);
            let instant = match field.data_type() {
                DataType::Int64 => utc_of_millis(&own),
                _ => utc_of_wall(&own, options),
            };
            name = rowtime_name(&name);
            columns.push(format!("{} AS {instant}", quoted(&name)));
        }
        let name = quoted(&name);
        let delay = interval(millis(watermark.delay));
        columns.push(format!("WATERMARK FOR {name} AS {name} - {delay}"));
    }
    let connector = match bound(options, &source.name) {
        Some(file) => json_file("filesystem", file),
        None => connector(source, redactor)?,
    };
    Ok(table(&source.name, &columns, &connector))
}

fn table(name: &str, columns: &[String], connector: &[(String, String)]) -> String {
    let options: Vec<String> = connector
        .iter()
        .map(|(name, value)| format!("{} = {}", text_constant(name), text_constant(value)))
        .collect();
    format!(
        "CREATE TEMPORARY TABLE {} (\n  {}\n) WITH (\n  {}\n)",
        quoted(name),
        columns.join(",\n  "),
        options.join(",\n  ")
    )
}

fn declared(schema: &SchemaRef) -> Translated<Vec<String>> {
    schema
        .fields()
        .iter()
        .map(|field| Ok(format!("{} {}", quoted(field.name()), type_text(field.data_type())?)))
        .collect()
}

fn bound<'a>(options: &'a FlinkOptions, name: &str) -> Option<&'a Path> {
    let mut bindings = options.bindings.iter();
    bindings.find(|(stream, _)| stream.eq_ignore_ascii_case(name)).map(|(_, file)| file.as_path())
}

fn json_file(connector: &str, file: &Path) -> Vec<(String, String)> {
    [
        ("connector", connector.to_string()),
        ("path", file.display().to_string()),
        ("format", "json".to_string()),
        ("json.timestamp-format.standard", "SQL".to_string()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .to_vec()
}

/// Returns the options of a source that is not bound to a file, where Flink has a connector that reads the same.
fn connector(source: &SourceStream, redactor: &Redactor) -> Translated<Vec<(String, String)>> {
    let option = |name: &str| source.options.get(name).unwrap_or_default();
    let encode = if option("encode").is_empty() { "csv" } else { option("encode") };
    match option("type").to_ascii_lowercase().as_str() {
        "file" if encode.eq_ignore_ascii_case("csv") || encode.eq_ignore_ascii_case("json") => Ok([
            ("connector", "filesystem"),
            ("path", &redactor.redact(option("path"))),
            ("format", &encode.to_ascii_lowercase()),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .to_vec()),
        other => Err(NotInFlink::of(
            &source.name,
            format!(
                "Flink has no connector that reads a stream of type `{other}`; bind it to a file of JSON lines (`--bind`)"
            ),
        )),
    }
}

/// Returns the table of a dimension table, of which Flink looks rows up.
pub(super) fn dimension(dimension: &DimensionTable, options: &FlinkOptions) -> Translated<String> {
    let columns = declared(&dimension.schema)?;
    let connector = match bound(options, &dimension.name) {
        Some(file) => json_file("weir-lookup", file),
        None => lookup_connector(dimension)?,
    };
    Ok(table(&dimension.name, &columns, &connector))
}

/// Returns the options of a dimension table that is not bound to a file.
fn lookup_connector(dimension: &DimensionTable) -> Translated<Vec<(String, String)>> {
    let option = |name: &str| dimension.options.get(name).unwrap_or_default();
    let kind = option("type").to_ascii_lowercase();
    if kind != "rds" {
        return Err(NotInFlink::of(
            &dimension.name,
            format!(
                "Flink has no connector that looks rows up in a table of type `{kind}`; bind it to a file of JSON lines (`--bind`)"
            ),
        ));
    }
    if !option("db_columns").is_empty() {
        return Err(NotInFlink::of(
            &dimension.name,
            "Flink reads columns by their declared names; leave `db_columns` out and declare the names of the database",
        ));
    }
    let url = format!("jdbc:{}", option("db_url").trim_start_matches("jdbc:"));
    let given = [
        ("connector", "jdbc"),
        ("url", url.as_str()),
        ("table-name", option("table_name")),
        ("username", option("username")),
        ("password", option("password")),
    ];
    let given = given.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(given.map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

/// Returns the view of a temp stream.
pub(super) fn view(temp: &TempStream, queries: &[String]) -> Translated<String> {
    if temp.time.watermark.is_some() {
        return Err(NotInFlink::of(
            &temp.name,
            "this temp stream begins an event time with a watermark of its own, which a view of Flink cannot; leave \
             `SET WATERMARK` out where the time is that of a window",
        ));
    }
    let body = queries.join("\nUNION ALL\n");
    let body = match temp.time.proctime {
        true => format!("SELECT *, PROCTIME() AS {} FROM (\n{body}\n)", quoted("proctime")),
        false => body,
    };
    Ok(format!("CREATE TEMPORARY VIEW {} AS\n{body}", quoted(&temp.name)))
}
