//! Putting JSON values into columns.

use arrow::datatypes::{DataType, Field};
use weir_base::text::{self, Zone};

use super::cursor::{Cursor, Number, RawString};
use super::entries::read_distinct_entries;
use super::escapes::unescape;
use super::members::{Keys, for_each_member};
use super::problem::{Misfits, Problem};
use crate::column::{Column, Text, Values, offset};
use crate::scalar::{self, Mismatch, values_name};

/// The columns of a decoder and what it takes to fill them.
pub(crate) struct Targets {
    pub columns: Vec<Column>,
    pub rows: usize,
    shapes: Vec<Shape>,
    names: Vec<String>,
    visits: u64,
    context: Context,
}

/// What every value needs besides its column.
pub(super) struct Context {
    zone: Zone,
    /// Text of a string with escape sequences.
    unescaped: Vec<u8>,
}

/// The part of a type that reading JSON needs: the keys of its ROWs, with the order in which they come.
pub(super) enum Shape {
    Scalar,
    List(Box<Shape>),
    Map(Box<Shape>),
    Row(Row),
}

pub(super) struct Row {
    keys: Keys,
    names: Vec<String>,
    shapes: Vec<Shape>,
    /// Whether the field's last key had its exact spelling.
    were_exact: Vec<bool>,
}

impl Shape {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::List(item) => Self::List(Box::new(Self::new(item.data_type()))),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {
                    Self::Map(Box::new(Self::new(fields[1].data_type())))
                }
                _ => Self::Scalar,
            },
            DataType::Struct(fields) => Self::Row(Row {
                keys: Keys::new(fields.iter().map(|field| field.name().as_str())),
                names: fields.iter().map(|field| field.name().clone()).collect(),
                shapes: fields.iter().map(|field| Self::new(field.data_type())).collect(),
                were_exact: vec![false; fields.len()],
            }),
            _ => Self::Scalar,
        }
    }
}

impl Targets {
    pub fn new(columns: Vec<Column>, fields: &[&Field], zone: Zone) -> Self {
        Self {
            columns,
            rows: 0,
            shapes: fields.iter().map(|field| Shape::new(field.data_type())).collect(),
            names: fields.iter().map(|field| field.name().clone()).collect(),
            visits: 0,
            context: Context { zone, unescaped: Vec::new() },
        }
    }

    /// Returns a number for the visit of one object, never returned before.
    pub fn next_visit(&mut self) -> u64 {
        self.visits += 1;
        self.visits
    }

    /// Takes back what the record at hand has put into columns.
    pub fn forget(&mut self, columns: &[usize]) {
        for column in columns {
            self.columns[*column].truncate(self.rows);
        }
    }

    /// Takes the value at the cursor into a column.
    #[inline]
    pub fn read_column(&mut self, index: usize, cursor: &mut Cursor<'_>) -> Result<(), Problem> {
        read_value(cursor, &mut self.shapes[index], &mut self.columns[index], &mut self.context)
            .map_err(|problem| problem.within(&self.names[index]))
    }

    /// Puts the text of the whole record into a STRING column.
    pub fn push_whole(&mut self, index: usize, record: &[u8]) -> Result<(), Problem> {
        let column = &mut self.columns[index];
        scalar::push_text(column, record, &self.context.zone)
            .map_err(|mismatch| misfit(mismatch, record, column).within(&self.names[index]))
    }
}

#[cold]
fn misfit(mismatch: Mismatch, value: &[u8], column: &Column) -> Problem {
    Problem::value(mismatch.reason(value, &column.values))
}

#[cold]
fn wrong_kind(kind: &str, column: &Column) -> Problem {
    let name = values_name(&column.values);
    let article = if name.starts_with(['A', 'I']) { "an" } else { "a" };
    Problem::value(format!("{kind} is not {article} {name}"))
}

/// Takes the value at the cursor into a column.
pub(super) fn read_value(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    column: &mut Column,
    context: &mut Context,
) -> Result<(), Problem> {
    match cursor.peek() {
        Some(b'"') => {
            let string = cursor.string()?;
            push_string(&string, column, context)
        }
        Some(b'-' | b'0'..=b'9') => {
            let number = cursor.number()?;
            push_number(&number, column, &context.zone)
                .map_err(|mismatch| misfit(mismatch, number.raw, column))
        }
        Some(b't') => read_boolean(cursor, b"true", column),
        Some(b'f') => read_boolean(cursor, b"false", column),
        Some(b'n') => {
            cursor.literal(b"null")?;
            column.push_null();
            Ok(())
        }
        Some(b'{' | b'[') if matches!(column.values, Values::Text(_)) => {
            let raw = cursor.raw_value()?;
            scalar::push_text(column, raw, &context.zone).map_err(|mismatch| misfit(mismatch, raw, column))
        }
        Some(b'{') => read_object(cursor, shape, column, context),
        Some(b'[') => read_array(cursor, shape, column, context),
        _ => Err(cursor.problem("expected a value")),
    }
}

#[inline]
pub(super) fn push_string(
    string: &RawString<'_>,
    column: &mut Column,
    context: &mut Context,
) -> Result<(), Problem> {
    if let Values::Text(Text { bytes, .. }) = &mut column.values {
        if string.has_escapes {
            unescape(string.raw, string.at, bytes)?;
        } else {
            bytes.extend_from_slice(string.raw);
        }
        return end_text(column);
    }
    let value = if string.has_escapes {
        context.unescaped.clear();
        unescape(string.raw, string.at, &mut context.unescaped)?;
        context.unescaped.as_slice()
    } else {
        string.raw
    };
    scalar::push_text(column, value, &context.zone).map_err(|mismatch| misfit(mismatch, value, column))
}

#[inline]
fn end_text(column: &mut Column) -> Result<(), Problem> {
    if let Values::Text(text) = &mut column.values {
        if text.end_value().is_err() {
            return Err(misfit(Mismatch::TooLarge, b"", column));
        }
        column.nulls.append_non_null();
    }
    Ok(())
}

fn read_boolean(cursor: &mut Cursor<'_>, literal: &'static [u8], column: &mut Column) -> Result<(), Problem> {
    cursor.literal(literal)?;
    match &mut column.values {
        Values::Boolean(values) => values.append(literal == b"true"),
        Values::Text(text) => {
            text.bytes.extend_from_slice(literal);
            return end_text(column);
        }
        _ => return Err(misfit(Mismatch::NotOfType, literal, column)),
    }
    column.nulls.append_non_null();
    Ok(())
}

#[inline]
fn push_number(number: &Number<'_>, column: &mut Column, zone: &Zone) -> Result<(), Mismatch> {
    match &mut column.values {
        Values::Int8(values) => values.push(integer(number)?),
        Values::Int16(values) => values.push(integer(number)?),
        Values::Int32(values) => values.push(integer(number)?),
        Values::Int64(values) => values.push(integer(number)?),
        Values::Float32(values) => values.push(number.single().ok_or(Mismatch::OutOfRange)?),
        Values::Float64(values) => values.push(number.double().ok_or(Mismatch::OutOfRange)?),
        Values::Timestamp(values) => values.push(zone.instant_to_wall(integer(number)?)),
        Values::Boolean(_) | Values::Date(_) | Values::Time(_) => return Err(Mismatch::NotOfType),
        // The text of the number is what counts for these.
        _ => return scalar::push_text(column, number.raw, zone),
    }
    column.nulls.append_non_null();
    Ok(())
}

#[inline]
fn integer<T: text::Integer>(number: &Number<'_>) -> Result<T, Mismatch> {
    match number.integer() {
        Some(value) => T::narrow(value).ok_or(Mismatch::OutOfRange),
        None if number.is_integer => Err(Mismatch::OutOfRange),
        None => Err(Mismatch::NotOfType),
    }
}

fn read_object(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    column: &mut Column,
    context: &mut Context,
) -> Result<(), Problem> {
    match (&mut column.values, shape) {
        (Values::Row { children, .. }, Shape::Row(row)) => {
            read_row(cursor, row, children, column.nulls.len(), context)?;
        }
        (Values::Map { offsets, keys, values, .. }, Shape::Map(shape)) => {
            read_distinct_entries(cursor, shape, keys, values, context)?;
            match offset(keys.len()) {
                Ok(end) => offsets.push(end),
                Err(_) => return Err(misfit(Mismatch::TooLarge, b"", column)),
            }
        }
        _ => {
            cursor.skip_value()?;
            return Err(wrong_kind("an object", column));
        }
    }
    column.nulls.append_non_null();
    Ok(())
}

fn read_row(
    cursor: &mut Cursor<'_>,
    row: &mut Row,
    children: &mut [Column],
    row_index: usize,
    context: &mut Context,
) -> Result<(), Problem> {
    let Row { keys, names, shapes, were_exact } = row;
    let mut misfits = Misfits::new();
    for_each_member(cursor, keys, |cursor, found| {
        let Some(slot) = found.slot else { return cursor.skip_value() };
        let child = &mut children[slot];
        if child.len() > row_index {
            if were_exact[slot] && !found.is_exact {
                return cursor.skip_value();
            }
            child.truncate(row_index);
            misfits.retain(|(misfit, _)| *misfit != slot);
        }
        were_exact[slot] = found.is_exact;
        let start = cursor.position;
        if let Err(problem) = read_value(cursor, &mut shapes[slot], child, context) {
            misfits.push((slot, problem.behind_value(cursor, start)?.within(&names[slot])));
            child.truncate(row_index);
            child.push_null();
        }
        Ok(())
    })?;
    if let Some((_, problem)) = misfits.into_iter().next() {
        return Err(problem);
    }
    for child in children {
        if child.len() == row_index {
            child.push_null();
        }
    }
    Ok(())
}

fn read_array(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    column: &mut Column,
    context: &mut Context,
) -> Result<(), Problem> {
    let (Values::List { offsets, items, .. }, Shape::List(shape)) = (&mut column.values, shape) else {
        cursor.skip_value()?;
        return Err(wrong_kind("an array", column));
    };
    cursor.position += 1;
    if cursor.peek() == Some(b']') {
        cursor.position += 1;
    } else {
        loop {
            read_value(cursor, shape, items, context)?;
            if !cursor.comma_or(b']')? {
                break;
            }
        }
    }
    match offset(items.len()) {
        Ok(end) => offsets.push(end),
        Err(_) => return Err(misfit(Mismatch::TooLarge, b"", column)),
    }
    column.nulls.append_non_null();
    Ok(())
}
