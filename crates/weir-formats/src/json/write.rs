//! Writing one JSON object per row.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use weir_base::text::{self, Zone};

use super::escapes::write_string;
use super::paths::{Path, Step, column_paths};
use crate::cells::{Cells, Kind, check_type, declared_columns, elements};
use crate::encode::{EncodedRecords, Encoder};
use crate::options::{FormatError, FormatOptions};

pub(crate) struct JsonEncoder {
    schema: SchemaRef,
    members: Vec<Member>,
    writes_nulls: bool,
    zone: Zone,
}

/// One member of an object that is written.
struct Member {
    key: String,
    /// The key as it is written, with quotes and colon.
    text: Vec<u8>,
    value: MemberValue,
}

enum MemberValue {
    Column(usize),
    Object(Vec<Member>),
}

impl JsonEncoder {
    pub fn new(schema: SchemaRef, options: &FormatOptions) -> Result<Self, FormatError> {
        for field in schema.fields() {
            check_type(field.name(), field.data_type())?;
        }
        let members = plan_members(&schema, options.json_config.as_deref())?;
        Ok(Self { schema, members, writes_nulls: options.enable_output_null, zone: options.zone })
    }

    /// Appends an object and returns whether it has members.
    fn write_object(&self, members: &[Member], columns: &[Cells<'_>], row: usize, out: &mut Vec<u8>) -> bool {
        out.push(b'{');
        let mut is_empty = true;
        for member in members {
            let start = out.len();
            if !is_empty {
                out.push(b',');
            }
            out.extend_from_slice(&member.text);
            let is_written = match &member.value {
                MemberValue::Column(index) => {
                    let cells = &columns[*index];
                    let is_written = self.writes_nulls || !cells.is_null(row);
                    if is_written {
                        write_value(cells, row, &self.zone, out);
                    }
                    is_written
                }
                MemberValue::Object(members) => {
                    self.write_object(members, columns, row, out) || self.writes_nulls
                }
            };
            if is_written {
                is_empty = false;
            } else {
                out.truncate(start);
            }
        }
        out.push(b'}');
        !is_empty
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, rows: &RecordBatch, out: &mut EncodedRecords) -> Result<(), FormatError> {
        let columns = declared_columns(&self.schema, rows)?;
        let columns = Cells::open_all(&columns)?;
        out.ends.reserve(rows.num_rows());
        for row in 0..rows.num_rows() {
            self.write_object(&self.members, &columns, row, &mut out.bytes);
            out.ends.push(out.bytes.len());
        }
        Ok(())
    }
}

/// Makes the tree of members: in the order of columns, an object at the place of its first column.
fn plan_members(schema: &Schema, json_config: Option<&str>) -> Result<Vec<Member>, FormatError> {
    let mut members = Vec::new();
    for (column, path) in column_paths(schema, json_config)?.iter().enumerate() {
        let name = schema.field(column).name();
        let wrong =
            |what: &str| FormatError::option("json_config", format!("the path of column `{name}` {what}"));
        let Path::Steps(steps) = path else {
            return Err(wrong("is `$`, which can only be read; give a key"));
        };
        let mut keys = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                Step::Key(key) => keys.push(key.as_str()),
                Step::Element(_) => {
                    return Err(wrong("has an array element, which can only be read; use keys"));
                }
            }
        }
        if !insert(&mut members, &keys, column) {
            return Err(wrong("is also that of another column, or leads through it"));
        }
    }
    Ok(members)
}

/// Adds a column at its keys; false when the place is taken.
fn insert(members: &mut Vec<Member>, keys: &[&str], column: usize) -> bool {
    let [key, rest @ ..] = keys else { return false };
    if let Some(member) = members.iter_mut().find(|member| member.key == *key) {
        return match &mut member.value {
            MemberValue::Object(members) => insert(members, rest, column),
            MemberValue::Column(_) => false,
        };
    }
    let value = if rest.is_empty() {
        MemberValue::Column(column)
    } else {
        let mut inner = Vec::new();
        insert(&mut inner, rest, column);
        MemberValue::Object(inner)
    };
    let mut text = Vec::new();
    write_string(key, &mut text);
    text.push(b':');
    members.push(Member { key: key.to_string(), text, value });
    true
}

fn write_value(cells: &Cells<'_>, row: usize, zone: &Zone, out: &mut Vec<u8>) {
    if cells.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match &cells.kind {
        Kind::Text(values) => write_string(values.value(row), out),
        Kind::Date(_) | Kind::Time(_) => {
            out.push(b'"');
            cells.write_text(row, out);
            out.push(b'"');
        }
        Kind::Timestamp(values) => text::write_integer(zone.wall_to_instant(values.value(row)), out),
        Kind::Float32(values) if !values.value(row).is_finite() => out.extend_from_slice(b"null"),
        Kind::Float64(values) if !values.value(row).is_finite() => out.extend_from_slice(b"null"),
        Kind::List(offsets, items) => {
            out.push(b'[');
            for (number, item) in elements(offsets, row).enumerate() {
                separate(number, out);
                write_value(items, item, zone, out);
            }
            out.push(b']');
        }
        Kind::Map(offsets, keys, values) => {
            out.push(b'{');
            for (number, entry) in elements(offsets, row).enumerate() {
                separate(number, out);
                write_key(keys, entry, out);
                write_value(values, entry, zone, out);
            }
            out.push(b'}');
        }
        Kind::Row(children) => {
            out.push(b'{');
            for (number, (name, child)) in children.iter().enumerate() {
                separate(number, out);
                write_string(name, out);
                out.push(b':');
                write_value(child, row, zone, out);
            }
            out.push(b'}');
        }
        _ => cells.write_text(row, out),
    }
}

/// Appends the key of a map entry. Keys are strings in JSON: other types take the form of csv.
fn write_key(keys: &Cells<'_>, entry: usize, out: &mut Vec<u8>) {
    match &keys.kind {
        Kind::Text(values) => write_string(values.value(entry), out),
        _ => {
            out.push(b'"');
            keys.write_text(entry, out);
            out.push(b'"');
        }
    }
    out.push(b':');
}

#[inline]
fn separate(number: usize, out: &mut Vec<u8>) {
    if number > 0 {
        out.push(b',');
    }
}
