//! Arrow columns opened for reading value by value, by the encoders.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, Time32MillisecondArray,
    TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use weir_base::text;

use crate::options::{FormatError, type_name};

/// One column, or a part of a nested one.
pub(crate) struct Cells<'a> {
    pub nulls: Option<&'a NullBuffer>,
    pub kind: Kind<'a>,
}

/// The values of a column by type.
pub(crate) enum Kind<'a> {
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal(&'a Decimal128Array, i8),
    Date(&'a Date32Array),
    Time(&'a Time32MillisecondArray),
    Timestamp(&'a TimestampMillisecondArray),
    Text(&'a StringArray),
    List(&'a OffsetBuffer<i32>, Box<Cells<'a>>),
    Map(&'a OffsetBuffer<i32>, Box<Cells<'a>>, Box<Cells<'a>>),
    Row(Vec<(&'a str, Cells<'a>)>),
}

/// Checks that values of a type can be written.
pub(crate) fn check_type(column: &str, data_type: &DataType) -> Result<(), FormatError> {
    match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Date32
        | DataType::Time32(TimeUnit::Millisecond)
        | DataType::Timestamp(TimeUnit::Millisecond, None)
        | DataType::Utf8 => Ok(()),
        DataType::List(item) => check_type(column, item.data_type()),
        DataType::Struct(fields) => fields.iter().try_for_each(|field| check_type(column, field.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 && !fields[0].data_type().is_nested() => {
                fields.iter().try_for_each(|field| check_type(column, field.data_type()))
            }
            _ => Err(FormatError::column(column, "a MAP has keys of a primitive type and values")),
        },
        other => Err(FormatError::column(column, format!("type {} cannot be written", type_name(other)))),
    }
}

/// Returns the columns of a batch with exactly the declared types. A column that differs only in how its
/// values are held, such as a view of strings, is converted.
pub(crate) fn declared_columns(schema: &Schema, rows: &RecordBatch) -> Result<Vec<ArrayRef>, FormatError> {
    if schema.fields().len() != rows.num_columns() {
        let message = format!("{} columns instead of {}", rows.num_columns(), schema.fields().len());
        return Err(FormatError::rows(message));
    }
    let declared = schema.fields().iter().zip(rows.columns());
    let converted = declared.map(|(field, array)| {
        if array.data_type() == field.data_type() {
            return Ok(array.clone());
        }
        arrow::compute::cast(array, field.data_type()).map_err(|_| {
            let (given, wanted) = (type_name(array.data_type()), type_name(field.data_type()));
            FormatError::column(field.name(), format!("rows hold {given}, but the stream declares {wanted}"))
        })
    });
    converted.collect()
}

impl<'a> Cells<'a> {
    /// Opens an array whose type [`check_type`] has accepted.
    pub fn open(array: &'a ArrayRef) -> Result<Self, FormatError> {
        let kind = match array.data_type() {
            DataType::Boolean => Kind::Boolean(array.as_boolean()),
            DataType::Int8 => Kind::Int8(array.as_primitive()),
            DataType::Int16 => Kind::Int16(array.as_primitive()),
            DataType::Int32 => Kind::Int32(array.as_primitive()),
            DataType::Int64 => Kind::Int64(array.as_primitive()),
            DataType::Float32 => Kind::Float32(array.as_primitive()),
            DataType::Float64 => Kind::Float64(array.as_primitive()),
            DataType::Decimal128(_, scale) => Kind::Decimal(array.as_primitive(), *scale),
            DataType::Date32 => Kind::Date(array.as_primitive()),
            DataType::Time32(TimeUnit::Millisecond) => Kind::Time(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, None) => Kind::Timestamp(array.as_primitive()),
            DataType::Utf8 => Kind::Text(array.as_string()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Kind::List(list.offsets(), Box::new(Self::open(list.values())?))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                Kind::Map(
                    map.offsets(),
                    Box::new(Self::open(map.keys())?),
                    Box::new(Self::open(map.values())?),
                )
            }
            DataType::Struct(fields) => {
                let children = fields.iter().zip(array.as_struct().columns());
                let open = |(field, child): (&'a arrow::datatypes::FieldRef, &'a ArrayRef)| {
                    Ok((field.name().as_str(), Self::open(child)?))
                };
                Kind::Row(children.map(open).collect::<Result<_, FormatError>>()?)
            }
            other => return Err(FormatError::rows(format!("type {} cannot be written", type_name(other)))),
        };
        Ok(Self { nulls: array.nulls(), kind })
    }

    /// Opens all columns.
    pub fn open_all(columns: &'a [ArrayRef]) -> Result<Vec<Self>, FormatError> {
        columns.iter().map(Self::open).collect()
    }

    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends a value of a primitive type in the form of csv; nested values are left to the encoders.
    pub fn write_text(&self, row: usize, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Boolean(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }
            Kind::Int8(values) => text::write_integer(i64::from(values.value(row)), out),
            Kind::Int16(values) => text::write_integer(i64::from(values.value(row)), out),
            Kind::Int32(values) => text::write_integer(i64::from(values.value(row)), out),
            Kind::Int64(values) => text::write_integer(values.value(row), out),
            Kind::Float32(values) => text::write_float(values.value(row), out),
            Kind::Float64(values) => text::write_double(values.value(row), out),
            Kind::Decimal(values, scale) => text::write_decimal(values.value(row), *scale, out),
            Kind::Date(values) => text::write_date(values.value(row), out),
            Kind::Time(values) => text::write_time(values.value(row), out),
            Kind::Timestamp(values) => text::write_timestamp(values.value(row), out),
            Kind::Text(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Kind::List(..) | Kind::Map(..) | Kind::Row(_) => {}
        }
    }
}

/// Returns the elements of a list or map in one row.
pub(crate) fn elements(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| usize::try_from(offsets[index]).unwrap_or_default();
    at(row)..at(row + 1)
}
