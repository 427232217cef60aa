//! Arrays, maps and rows: constructors, subscripts, fields, sizes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, ListBuilder, MapArray, StringBuilder, StructArray, UInt32Array,
    make_comparator, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type, Int64Type};
use datafusion_common::{Result, exec_err, internal_err};

use crate::kernel::{Arguments, Kernel, primitives, row_error};
use crate::registry::Call;

fn row_index(index: usize) -> Result<u32> {
    match u32::try_from(index) {
        Ok(index) => Ok(index),
        Err(_) => exec_err!("a batch has more elements than can be addressed"),
    }
}

/// Returns the function behind `array[i]` with a BIGINT subscript from 1; NULL out of range.
pub fn array_element(item: &DataType) -> Call {
    let kernel = Kernel::new("array_element", 2, item.clone(), |a| {
        let array = a.array(0)?;
        let lists = array.as_list::<i32>();
        let subscript = a.primitive::<Int64Type>(1)?;
        let mut wanted = Vec::with_capacity(a.rows);
        for row in 0..a.rows {
            wanted.push(match subscript.get(row) {
                Some(index) if !lists.is_null(row) => {
                    let offsets = lists.value_offsets();
                    let (start, end) = (i64::from(offsets[row]), i64::from(offsets[row + 1]));
                    let at = start.saturating_add(index).saturating_sub(1);
                    (index >= 1 && at < end).then(|| u32::try_from(at).unwrap_or_default())
                }
                _ => None,
            });
        }
        Ok(take(lists.values(), &UInt32Array::from(wanted), None)?)
    });
    Call { function: kernel.variant(item).into_function(), returns: item.clone() }
}

/// Returns the key and value types of a map type.
pub fn map_types(of: &DataType) -> Option<(DataType, DataType)> {
    let DataType::Map(entries, _) = of else { return None };
    match entries.data_type() {
        DataType::Struct(pair) if pair.len() == 2 => {
            Some((pair[0].data_type().clone(), pair[1].data_type().clone()))
        }
        _ => None,
    }
}

/// Returns the function behind `map[key]`; NULL when the key is absent.
pub fn map_value(value: &DataType) -> Call {
    let kernel = Kernel::new("map_value", 2, value.clone(), |a| {
        let array = a.array(0)?;
        let maps = array.as_map();
        let wanted_keys = a.array(1)?;
        let equal = make_comparator(maps.keys(), &wanted_keys, SortOptions::default())?;
        let offsets = maps.value_offsets();
        let mut wanted = Vec::with_capacity(a.rows);
        for row in 0..a.rows {
            if maps.is_null(row) || wanted_keys.is_null(row) {
                wanted.push(None);
                continue;
            }
            let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
            // The last entry of a key wins, as in a JSON object that repeats it.
            let found = (start..end).rev().find(|entry| equal(*entry, row).is_eq());
            wanted.push(found.map(row_index).transpose()?);
        }
        Ok(take(maps.values(), &UInt32Array::from(wanted), None)?)
    });
    Call { function: kernel.variant(value).into_function(), returns: value.clone() }
}

/// Returns the function that reads field `index` of a row.
pub fn row_field(field: &FieldRef, index: usize) -> Call {
    let returns = field.data_type().clone();
    let kernel = Kernel::new("row_field", 1, returns.clone(), move |a| {
        let array = a.array(0)?;
        let Some(rows) = array.as_struct_opt() else { return internal_err!("`row_field` needs a row") };
        let column = rows.column(index);
        match rows.nulls() {
            None => Ok(Arc::clone(column)),
            Some(nulls) => {
                let present: arrow::array::BooleanArray = nulls.iter().map(Some).collect();
                let absent = arrow::compute::not(&present)?;
                Ok(arrow::compute::nullif(column, &absent)?)
            }
        }
    });
    Call { function: kernel.variant(format!("{index} {}", field.name())).into_function(), returns }
}

/// Returns the function behind `SPLIT_CURSOR`: the pieces of a string at a separator taken literally, as an array. An empty
/// separator splits nothing.
pub fn split() -> Call {
    let returns = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let kernel = Kernel::new("split", 2, returns.clone(), |a| {
        let (text, separator) = (a.text(0)?, a.text(1)?);
        let mut pieces = ListBuilder::new(StringBuilder::new());
        for row in 0..a.rows {
            match (text.get(row), separator.get(row)) {
                (Some(text), Some("")) => pieces.values().append_value(text),
                (Some(text), Some(separator)) => {
                    text.split(separator).for_each(|piece| pieces.values().append_value(piece));
                }
                _ => {
                    pieces.append(false);
                    continue;
                }
            }
            pieces.append(true);
        }
        Ok(Arc::new(pieces.finish()))
    });
    Call { function: kernel.into_function(), returns }
}

/// Returns the function `CARDINALITY` for an array or map.
pub fn cardinality() -> Call {
    let kernel = Kernel::new("cardinality", 1, DataType::Int32, |a| {
        let array = a.array(0)?;
        let offsets = match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().value_offsets(),
            DataType::Map(..) => array.as_map().value_offsets(),
            other => return internal_err!("{other} has no elements"),
        };
        primitives::<Int32Type>(a.rows, |row| {
            Ok((!array.is_null(row)).then(|| offsets[row + 1] - offsets[row]))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Int32 }
}

/// Returns the function `ELEMENT`: the only element of an array.
pub fn element(item: &DataType) -> Call {
    let kernel = Kernel::new("element", 1, item.clone(), |a| {
        let array = a.array(0)?;
        let lists = array.as_list::<i32>();
        let offsets = lists.value_offsets();
        let mut wanted = Vec::with_capacity(a.rows);
        for row in 0..a.rows {
            let count = if lists.is_null(row) { 0 } else { offsets[row + 1] - offsets[row] };
            match count {
                0 => wanted.push(None),
                1 => wanted.push(Some(offsets[row] as u32)),
                more => return row_error(format!("ELEMENT was given an array of {more} elements")),
            }
        }
        Ok(take(lists.values(), &UInt32Array::from(wanted), None)?)
    });
    Call { function: kernel.variant(item).into_function(), returns: item.clone() }
}

/// Returns the function behind `ARRAY[...]` for elements of one type.
pub fn make_array(item: &DataType, elements: usize) -> Call {
    let field = Arc::new(Field::new("item", item.clone(), true));
    let returns = DataType::List(Arc::clone(&field));
    let kernel = Kernel::new("array", elements, returns.clone(), move |a| {
        let values = interleaved(a, 0, 1, field.data_type())?;
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(a.len(), a.rows));
        Ok(Arc::new(ListArray::try_new(Arc::clone(&field), offsets, values, None)?))
    });
    Call { function: kernel.variant(item).into_function(), returns }
}

/// Returns every `step`-th argument from `first`, the values of one row side by side.
fn interleaved(a: &Arguments, first: usize, step: usize, of: &DataType) -> Result<ArrayRef> {
    let columns = (first..a.len()).step_by(step).map(|index| a.array(index)).collect::<Result<Vec<_>>>()?;
    if columns.is_empty() {
        return Ok(new_null_array(of, 0));
    }
    let columns: Vec<_> = columns.iter().map(|column| column.as_ref()).collect();
    let all = concat(&columns)?;
    let mut order = Vec::with_capacity(a.rows * columns.len());
    for row in 0..a.rows {
        for column in 0..columns.len() {
            order.push(row_index(column * a.rows + row)?);
        }
    }
    Ok(take(&all, &UInt32Array::from(order), None)?)
}

/// Returns the type `MAP[key, value]`.
pub fn map_type(key: &DataType, value: &DataType) -> DataType {
    let fields =
        Fields::from(vec![Field::new("key", key.clone(), false), Field::new("value", value.clone(), true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

/// Returns the function behind `MAP[k1, v1, ...]`; of a repeated key the last value counts.
pub fn make_map(key: &DataType, value: &DataType, arguments: usize) -> Call {
    let returns = map_type(key, value);
    let of = returns.clone();
    let kernel = Kernel::new("map", arguments, returns.clone(), move |a| {
        let (DataType::Map(entries, _), Some((key, value))) = (&of, map_types(&of)) else {
            return internal_err!("{of} is not a map");
        };
        let DataType::Struct(fields) = entries.data_type() else { return internal_err!("{of} is not a map") };
        let keys = interleaved(a, 0, 2, &key)?;
        if keys.null_count() > 0 {
            return row_error("a key of MAP is NULL".to_string());
        }
        let pairs = StructArray::try_new(fields.clone(), vec![keys, interleaved(a, 1, 2, &value)?], None)?;
        let width = a.len() / 2;
        let kept = last_of_equal(pairs.column(0), width)?;
        if kept.len() == pairs.len() {
            let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(width, a.rows));
            return Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, None, false)?));
        }
        let mut lengths = vec![0; a.rows];
        for index in &kept {
            lengths[*index as usize / width] += 1;
        }
        let pairs = take(&pairs, &UInt32Array::from(kept), None)?.as_struct().clone();
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, None, false)?))
    });
    Call { function: kernel.variant(&returns).into_function(), returns }
}

/// Returns the places of the keys that no later key of the same row equals; a row has `width` keys.
fn last_of_equal(keys: &ArrayRef, width: usize) -> Result<Vec<u32>> {
    let compare = make_comparator(keys, keys, SortOptions::default())?;
    let is_last = |index: &usize| {
        let end = (index / width + 1) * width;
        (index + 1..end).all(|later| compare(*index, later).is_ne())
    };
    (0..keys.len()).filter(is_last).map(row_index).collect()
}

/// Returns the function behind `ROW(...)` with the given fields.
pub fn make_row(fields: Fields) -> Call {
    let returns = DataType::Struct(fields.clone());
    let kernel = Kernel::new("row", fields.len(), returns.clone(), move |a| {
        let columns = (0..a.len()).map(|index| a.array(index)).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
    });
    Call { function: kernel.variant(&returns).into_function(), returns }
}

/// Returns the function that gives a nested value the names of fields that another type has; the
/// types must be the same otherwise.
pub fn retype(to: &DataType) -> Call {
    let target = to.clone();
    let kernel = Kernel::new("retype", 1, to.clone(), move |a| renamed(&a.array(0)?, &target));
    Call { function: kernel.variant(to).into_function(), returns: to.clone() }
}

fn renamed(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match to {
        DataType::Struct(fields) => renamed_rows(array.as_struct(), fields),
        DataType::List(item) => {
            let lists = array.as_list::<i32>();
            let values = renamed(lists.values(), item.data_type())?;
            let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
        }
        DataType::Map(entries, ordered) => {
            let maps = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else {
                return internal_err!("{to} is not a map");
            };
            let pairs = renamed_rows(maps.entries(), fields)?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(
                Arc::clone(entries),
                offsets,
                pairs.as_struct().clone(),
                nulls,
                *ordered,
            )?))
        }
        other => internal_err!("{} cannot be renamed to {other}", array.data_type()),
    }
}

fn renamed_rows(rows: &StructArray, fields: &Fields) -> Result<ArrayRef> {
    let columns = rows
        .columns()
        .iter()
        .zip(fields)
        .map(|(column, field)| renamed(column, field.data_type()))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, rows.nulls().cloned())?))
}
