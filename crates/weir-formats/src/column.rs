//! Columns under construction: plain buffers that grow by a value, can be cut back when a record turns
//! out dirty, and become Arrow arrays without a copy.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, ListArray, MapArray, NullBufferBuilder, RecordBatch,
    RecordBatchOptions, StringArray, StructArray, Time32MillisecondArray, TimestampMillisecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef, TimeUnit};

use crate::options::{FormatError, type_name};

/// A column, or a part of a nested one, that is being filled.
#[derive(Debug)]
pub(crate) struct Column {
    pub values: Values,
    pub nulls: NullBufferBuilder,
}

/// The values of a column by type.
#[derive(Debug)]
pub(crate) enum Values {
    Boolean(BooleanBufferBuilder),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal { unscaled: Vec<i128>, precision: u8, scale: i8 },
    Date(Vec<i32>),
    Time(Vec<i32>),
    Timestamp(Vec<i64>),
    Text(Text),
    List { field: FieldRef, offsets: Vec<i32>, items: Box<Column> },
    Map { entries: FieldRef, sorted: bool, offsets: Vec<i32>, keys: Box<Column>, values: Box<Column> },
    Row { fields: Fields, children: Vec<Column> },
}

/// Strings, one after the other.
#[derive(Debug)]
pub(crate) struct Text {
    pub offsets: Vec<i32>,
    pub bytes: Vec<u8>,
}

/// A batch that would hold more than 2^31 bytes of text or elements in one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooLarge;

impl Text {
    fn new() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }

    /// Ends a value whose bytes have been appended.
    #[inline]
    pub fn end_value(&mut self) -> Result<(), TooLarge> {
        self.offsets.push(offset(self.bytes.len())?);
        Ok(())
    }
}

#[inline]
pub(crate) fn offset(length: usize) -> Result<i32, TooLarge> {
    i32::try_from(length).map_err(|_| TooLarge)
}

impl Column {
    /// Makes an empty column for a field, or says why values of its type cannot be read.
    pub fn new(field: &Field) -> Result<Self, FormatError> {
        let name = field.name();
        if !field.is_nullable() {
            return Err(FormatError::column(name, "is not nullable, but every column of a stream is"));
        }
        Self::of_type(name, field.data_type())
    }

    fn of_type(name: &str, data_type: &DataType) -> Result<Self, FormatError> {
        let values = match data_type {
            DataType::Boolean => Values::Boolean(BooleanBufferBuilder::new(0)),
            DataType::Int8 => Values::Int8(Vec::new()),
            DataType::Int16 => Values::Int16(Vec::new()),
            DataType::Int32 => Values::Int32(Vec::new()),
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float32 => Values::Float32(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Decimal128(precision, scale) => {
                Values::Decimal { unscaled: Vec::new(), precision: *precision, scale: *scale }
            }
            DataType::Date32 => Values::Date(Vec::new()),
            DataType::Time32(TimeUnit::Millisecond) => Values::Time(Vec::new()),
            DataType::Timestamp(TimeUnit::Millisecond, None) => Values::Timestamp(Vec::new()),
            DataType::Utf8 => Values::Text(Text::new()),
            DataType::List(field) => {
                let items = Box::new(Self::new(field)?);
                Values::List { field: field.clone(), offsets: vec![0], items }
            }
            DataType::Map(entries, sorted) => Self::map(name, entries, *sorted)?,
            DataType::Struct(fields) => {
                let children = fields.iter().map(|field| Self::new(field)).collect::<Result<_, _>>()?;
                Values::Row { fields: fields.clone(), children }
            }
            other => {
                return Err(FormatError::column(name, format!("type {} cannot be read", type_name(other))));
            }
        };
        Ok(Self { values, nulls: NullBufferBuilder::new(0) })
    }

    fn map(name: &str, entries: &FieldRef, sorted: bool) -> Result<Values, FormatError> {
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(FormatError::column(name, "its MAP type has no entries"));
        };
        let [key, value] = fields.as_ref() else {
            return Err(FormatError::column(name, "its MAP type has no keys and values"));
        };
        if key.data_type().is_nested() {
            return Err(FormatError::column(name, "the keys of a MAP are of a primitive type"));
        }
        let keys = Box::new(Self::of_type(name, key.data_type())?);
        let values = Box::new(Self::new(value)?);
        Ok(Values::Map { entries: entries.clone(), sorted, offsets: vec![0], keys, values })
    }

    /// Returns the number of values, NULLs included.
    #[inline]
    pub fn len(&self) -> usize {
        self.nulls.len()
    }

    /// Adds a NULL.
    pub fn push_null(&mut self) {
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Int8(values) => values.push(0),
            Values::Int16(values) => values.push(0),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => values.push(0),
            Values::Int64(values) | Values::Timestamp(values) => values.push(0),
            Values::Float32(values) => values.push(0.0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal { unscaled, .. } => unscaled.push(0),
            Values::Text(Text { offsets, .. })
            | Values::List { offsets, .. }
            | Values::Map { offsets, .. } => {
                let end = offsets.last().copied().unwrap_or_default();
                offsets.push(end);
            }
            Values::Row { children, .. } => children.iter_mut().for_each(Column::push_null),
        }
        self.nulls.append_null();
    }

    /// Cuts the column back to `len` complete values. Values that were begun and not ended go too.
    pub fn truncate(&mut self, len: usize) {
        match &mut self.values {
            Values::Boolean(values) => values.truncate(len),
            Values::Int8(values) => values.truncate(len),
            Values::Int16(values) => values.truncate(len),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => values.truncate(len),
            Values::Int64(values) | Values::Timestamp(values) => values.truncate(len),
            Values::Float32(values) => values.truncate(len),
            Values::Float64(values) => values.truncate(len),
            Values::Decimal { unscaled, .. } => unscaled.truncate(len),
            Values::Text(text) => text.bytes.truncate(cut(&mut text.offsets, len)),
            Values::List { offsets, items, .. } => items.truncate(cut(offsets, len)),
            Values::Map { offsets, keys, values, .. } => {
                let end = cut(offsets, len);
                keys.truncate(end);
                values.truncate(end);
            }
            Values::Row { children, .. } => children.iter_mut().for_each(|child| child.truncate(len)),
        }
        if self.nulls.len() > len {
            self.nulls.truncate(len);
        }
    }

    /// Makes room for another batch about as large as the last one, whose sizes [`Column::finish`] returned.
    pub fn reserve(&mut self, rows: usize, text_bytes: usize) {
        match &mut self.values {
            Values::Int8(values) => values.reserve(rows),
            Values::Int16(values) => values.reserve(rows),
            Values::Int32(values) | Values::Date(values) | Values::Time(values) => values.reserve(rows),
            Values::Int64(values) | Values::Timestamp(values) => values.reserve(rows),
            Values::Float32(values) => values.reserve(rows),
            Values::Float64(values) => values.reserve(rows),
            Values::Decimal { unscaled, .. } => unscaled.reserve(rows),
            Values::Text(text) => {
                text.offsets.reserve(rows);
                text.bytes.reserve(text_bytes);
            }
            Values::Boolean(_) | Values::List { .. } | Values::Map { .. } | Values::Row { .. } => {}
        }
    }

    /// Returns how many bytes of text a STRING column holds.
    pub fn text_bytes(&self) -> usize {
        match &self.values {
            Values::Text(text) => text.bytes.len(),
            _ => 0,
        }
    }

    /// Returns the values as an array and empties the column.
    pub fn finish(&mut self) -> ArrayRef {
        let rows = self.len();
        let nulls = self.nulls.finish();
        match &mut self.values {
            Values::Boolean(values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Int8(values) => Arc::new(Int8Array::new(take(values), nulls)),
            Values::Int16(values) => Arc::new(Int16Array::new(take(values), nulls)),
            Values::Int32(values) => Arc::new(Int32Array::new(take(values), nulls)),
            Values::Int64(values) => Arc::new(Int64Array::new(take(values), nulls)),
            Values::Float32(values) => Arc::new(Float32Array::new(take(values), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(take(values), nulls)),
            Values::Decimal { unscaled, precision, scale } => {
                let data_type = DataType::Decimal128(*precision, *scale);
                Arc::new(Decimal128Array::new(take(unscaled), nulls).with_data_type(data_type))
            }
            Values::Date(values) => Arc::new(Date32Array::new(take(values), nulls)),
            Values::Time(values) => Arc::new(Time32MillisecondArray::new(take(values), nulls)),
            Values::Timestamp(values) => Arc::new(TimestampMillisecondArray::new(take(values), nulls)),
            Values::Text(text) => {
                let bytes = Buffer::from_vec(std::mem::take(&mut text.bytes));
                // The safe constructor checks UTF-8 once more over the whole column, at memory speed.
                Arc::new(StringArray::new(take_offsets(&mut text.offsets), bytes, nulls))
            }
            Values::List { field, offsets, items } => {
                Arc::new(ListArray::new(field.clone(), take_offsets(offsets), items.finish(), nulls))
            }
            Values::Map { entries, sorted, offsets, keys, values } => {
                let DataType::Struct(fields) = entries.data_type() else {
                    unreachable!("the constructor saw that the entries are a struct")
                };
                let rows = StructArray::new(fields.clone(), vec![keys.finish(), values.finish()], None);
                Arc::new(MapArray::new(entries.clone(), take_offsets(offsets), rows, nulls, *sorted))
            }
            Values::Row { fields, children } => {
                let arrays = children.iter_mut().map(Column::finish).collect();
                let rows = StructArray::try_new_with_length(fields.clone(), arrays, nulls, rows);
                Arc::new(rows.expect("the children of a row have its length and their declared types"))
            }
        }
    }
}

/// Cuts offsets back to `len` values and returns where the last of them ends.
fn cut(offsets: &mut Vec<i32>, len: usize) -> usize {
    offsets.truncate(len + 1);
    offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or_default())
}

fn take<T: arrow::datatypes::ArrowNativeType>(values: &mut Vec<T>) -> ScalarBuffer<T> {
    ScalarBuffer::from(std::mem::take(values))
}

fn take_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, vec![0])))
}

/// Returns the values of all columns as one batch and empties them.
pub(crate) fn finish_batch(schema: &SchemaRef, columns: &mut [Column], rows: usize) -> RecordBatch {
    let arrays = columns.iter_mut().map(Column::finish).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .expect("every column has the declared type and one value per row")
}
