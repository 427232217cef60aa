//! The columns and time attributes of a stream.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use weir_base::connector::RoleSpec;
use weir_functions::conversion::type_name;
use weir_functions::window::utc_metadata;

use super::connector::{at_value, kind_text, noun};
use super::options::{Checked, value_or_default};
use crate::suggest::{listed, nearest};
use crate::syntax::ast::{CreateStream, Name, OptionEntry, StreamKind, TimeSyntax};
use crate::{CheckError, TIME_ATTRIBUTE, TimeClause, WatermarkInterval, WatermarkStrategy};

/// The name of the processing-time column.
const PROCTIME: &str = "proctime";

/// What a source without `SET WATERMARK` does: the greatest event time after every record.
const DEFAULT_WATERMARK: WatermarkStrategy =
    WatermarkStrategy { interval: WatermarkInterval::Rows(1), delay: Duration::ZERO };

/// Returns the declared columns of a temp stream.
pub(super) fn declared_columns(stream: &CreateStream) -> Result<SchemaRef, CheckError> {
    let mut fields: Vec<Field> = Vec::with_capacity(stream.columns.len());
    for column in &stream.columns {
        let Name { value, position, length } = &column.name;
        if fields.iter().any(|field| field.name().eq_ignore_ascii_case(value)) {
            return Err(CheckError::new(*position, *length, format!("column `{value}` is declared twice"))
                .hint("names are compared without case; expected a name of its own for each column"));
        }
        fields.push(Field::new(value, column.data_type.clone(), true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Returns the columns of a source, sink or table, which a `json_schema` may declare.
pub(super) fn columns(
    stream: &CreateStream,
    role: &RoleSpec,
    checked: &Checked<'_>,
) -> Result<SchemaRef, CheckError> {
    let declared = declared_columns(stream)?;
    let Some(entry) = checked.entries.get("json_schema").filter(|entry| !entry.value.trim().is_empty())
    else {
        if stream.columns.is_empty() {
            let text = format!("{} `{}` has no columns", noun(stream.kind), stream.name.value);
            let hint = match stream.kind {
                StreamKind::Table => "declare columns after the name",
                _ => "declare columns after the name, or give the option `json_schema`",
            };
            return Err(CheckError::new(stream.name.position, stream.name.length, text).hint(hint));
        }
        return Ok(declared);
    };
    let from_schema = weir_formats::columns_of_json_schema(&entry.value)
        .map_err(|error| at_value(entry, error.to_string()))?;
    if value_or_default(&checked.options, role, "encode") != Some("json") {
        return Err(at_value(entry, "option `json_schema` needs the encoding `json`")
            .hint("expected `encode = \"json\"`"));
    }
    if stream.columns.is_empty() {
        return Ok(Arc::new(Schema::new(from_schema)));
    }
    check_shape(stream, entry, &declared, &from_schema)?;
    Ok(declared)
}

/// Returns the columns after which the files of a sink are divided, as indices.
pub(super) fn partition_columns(
    stream: &CreateStream,
    declared: &SchemaRef,
    connector: &str,
) -> Result<Vec<usize>, CheckError> {
    let mut indices = Vec::with_capacity(stream.partitioned.len());
    for Name { value, position, length } in &stream.partitioned {
        let at_name = |text: String| CheckError::new(*position, *length, text);
        if connector != "filesystem" {
            return Err(at_name(format!("a sink of type `{connector}` has no partitions"))
                .hint("`PARTITIONED BY` is for sinks of type `filesystem`"));
        }
        let names = || declared.fields().iter().map(|field| field.name().as_str());
        let Some(index) = names().position(|name| name.eq_ignore_ascii_case(value)) else {
            return Err(at_name(format!("the sink stream has no column `{value}`"))
                .hint(meant_or_listed(value, names)));
        };
        if indices.contains(&index) {
            return Err(at_name(format!("column `{value}` is named twice")).hint("name every column once"));
        }
        indices.push(index);
    }
    if !indices.is_empty() && indices.len() == declared.fields().len() {
        let Name { position, length, .. } = &stream.partitioned[0];
        return Err(CheckError::new(*position, *length, "the files would have no columns")
            .hint("columns of `PARTITIONED BY` are in the names of folders, not in the files"));
    }
    Ok(indices)
}

/// Returns the hint at the column that was probably meant, or at all of them.
fn meant_or_listed<'a, I: Iterator<Item = &'a str>>(name: &str, columns: impl Fn() -> I) -> String {
    match nearest(name, columns()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("its columns are {}", listed(columns())),
    }
}

/// Checks that every declared column is a property of the schema and of its kind.
fn check_shape(
    stream: &CreateStream,
    entry: &OptionEntry,
    declared: &SchemaRef,
    from_schema: &Fields,
) -> Result<(), CheckError> {
    for (column, field) in stream.columns.iter().zip(declared.fields()) {
        let Name { value, position, length } = &column.name;
        let at_column = |text: String| CheckError::new(*position, *length, text);
        let Some(property) = from_schema.iter().find(|property| property.name().eq_ignore_ascii_case(value))
        else {
            return Err(at_column(format!("column `{value}` is not a property of `json_schema`"))
                .hint(format!("the schema stands at line {}", entry.value_position.line)));
        };
        if !fits(field.data_type(), property.data_type()) {
            let (column, property) = (type_name(field.data_type()), type_name(property.data_type()));
            return Err(at_column(format!(
                "column `{value}` is {column}, but `json_schema` says {property}"
            )));
        }
    }
    Ok(())
}

/// Tells whether a column can hold a property; the types of the schema are the widest of their kind.
fn fits(column: &DataType, property: &DataType) -> bool {
    match (column, property) {
        (DataType::List(column), DataType::List(property)) => fits(column.data_type(), property.data_type()),
        (DataType::Map(..), DataType::Struct(_)) => true,
        (DataType::Struct(columns), DataType::Struct(properties)) => columns.iter().all(|column| {
            let property =
                properties.iter().find(|property| property.name().eq_ignore_ascii_case(column.name()));
            property.is_none_or(|property| fits(column.data_type(), property.data_type()))
        }),
        (_, DataType::Int64) => column.is_numeric() || matches!(column, DataType::Timestamp(..)),
        (_, DataType::Float64) => column.is_numeric(),
        // Text can be a date, a number in quotes or anything else.
        (_, DataType::Utf8) => !column.is_nested(),
        _ => column == property,
    }
}

/// Returns the time attributes of a source or temp stream and its columns as queries see them.
pub(super) fn time_attributes(
    stream: &CreateStream,
    declared: &SchemaRef,
) -> Result<(TimeClause, SchemaRef), CheckError> {
    let Some(syntax) = &stream.time else { return Ok((TimeClause::default(), declared.clone())) };
    let rowtime = match &syntax.rowtime {
        Some(name) => Some(rowtime_column(stream, declared, name)?),
        None => None,
    };
    if let Some(name) = &syntax.proctime
        && let Some(clash) =
            declared.fields().iter().find(|field| field.name().eq_ignore_ascii_case(PROCTIME))
    {
        let text = format!("column `{}` and the processing-time attribute have one name", clash.name());
        return Err(
            CheckError::new(name.position, name.length, text).hint("give the declared column another name")
        );
    }
    let time = TimeClause {
        rowtime,
        watermark: watermark(stream.kind, syntax),
        proctime: syntax.proctime.is_some(),
    };
    let schema = schema_with_time(declared, &time, false);
    Ok((time, schema))
}

fn rowtime_column(stream: &CreateStream, declared: &SchemaRef, name: &Name) -> Result<usize, CheckError> {
    let at_name = |text: String| CheckError::new(name.position, name.length, text);
    let fields = declared.fields();
    let Some(index) = fields.iter().position(|field| field.name().eq_ignore_ascii_case(&name.value)) else {
        let kind = kind_text(stream.kind);
        let names = || fields.iter().map(|field| field.name().as_str());
        return Err(at_name(format!("the {kind} stream has no column `{}`", name.value))
            .hint(meant_or_listed(&name.value, names)));
    };
    match fields[index].data_type() {
        DataType::Timestamp(..) | DataType::Int64 => Ok(index),
        other => {
            let text =
                format!("column `{}` is {} and cannot be the event time", name.value, type_name(other));
            Err(at_name(text).hint("expected a column of type `TIMESTAMP` or `BIGINT` (epoch milliseconds)"))
        }
    }
}

fn watermark(kind: StreamKind, syntax: &TimeSyntax) -> Option<WatermarkStrategy> {
    match syntax.watermark {
        Some((interval, delay)) => Some(WatermarkStrategy { interval, delay }),
        None if kind == StreamKind::Source && syntax.rowtime.is_some() => Some(DEFAULT_WATERMARK),
        None => None,
    }
}

/// Returns the columns of a stream as queries see them. `utc_clock` says that the event times are wall clocks of UTC and
/// not of the zone of the job.
pub(super) fn schema_with_time(declared: &SchemaRef, time: &TimeClause, utc_clock: bool) -> SchemaRef {
    let mut fields: Vec<Field> = declared.fields().iter().map(|field| field.as_ref().clone()).collect();
    if let Some(field) = time.rowtime.and_then(|index| fields.get_mut(index)) {
        let metadata = match utc_clock {
            true => utc_metadata(Some("rowtime")),
            false => HashMap::from([(TIME_ATTRIBUTE.to_string(), "rowtime".to_string())]),
        };
        field.set_metadata(metadata);
    }
    if time.proctime {
        let column = Field::new(PROCTIME, DataType::Timestamp(TimeUnit::Millisecond, None), true);
        fields.push(column.with_metadata(utc_metadata(Some("proctime"))));
    }
    Arc::new(Schema::new(fields))
}
