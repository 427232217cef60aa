//! The entries of a MAP column, of which the last of equal keys counts.
//!
//! Keys are equal as values of their type, not as text: `7` and `07` are one INT. So entries are taken
//! first and compared in the column; only when keys repeat, the object is read again without the earlier ones.

use hashbrown::HashSet;

use super::cursor::Cursor;
use super::problem::{Misfits, Problem};
use super::values::{Context, Shape, push_string, read_value};
use crate::column::{Column, Values};

/// Takes an object into keys and values; the last of equal keys wins.
pub(super) fn read_distinct_entries(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    keys: &mut Column,
    values: &mut Column,
    context: &mut Context,
) -> Result<(), Problem> {
    let start = keys.len();
    let begin = cursor.position;
    let mut misfits = read_entries(cursor, shape, (keys, values), &HashSet::new(), context)?;
    let repeated = earlier_of_equal_keys(keys, start);
    misfits.retain(|(misfit, _)| !repeated.contains(misfit));
    if let Some((_, problem)) = misfits.into_iter().next() {
        return Err(problem);
    }
    if !repeated.is_empty() {
        keys.truncate(start);
        values.truncate(start);
        cursor.position = begin;
        read_entries(cursor, shape, (keys, values), &repeated, context)?;
    }
    Ok(())
}

/// Takes an object into keys and values, except for the members whose numbers are in `left_out`. Returns
/// the members whose values do not fit; in their place is a NULL.
fn read_entries(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    (keys, values): (&mut Column, &mut Column),
    left_out: &HashSet<usize>,
    context: &mut Context,
) -> Result<Misfits, Problem> {
    let mut misfits = Misfits::new();
    cursor.position += 1;
    if cursor.peek() == Some(b'}') {
        cursor.position += 1;
        return Ok(misfits);
    }
    for member in 0.. {
        let key = cursor.key()?;
        if left_out.contains(&member) {
            cursor.skip_value()?;
        } else {
            push_string(&key, keys, context)?;
            cursor.peek();
            let (start, row) = (cursor.position, values.len());
            if let Err(problem) = read_value(cursor, shape, values, context) {
                misfits.push((member, problem.behind_value(cursor, start)?));
                values.truncate(row);
                values.push_null();
            }
        }
        if !cursor.comma_or(b'}')? {
            break;
        }
    }
    Ok(misfits)
}

/// Returns the members, counted from `start`, whose key comes again later: the last one wins.
fn earlier_of_equal_keys(keys: &Column, start: usize) -> HashSet<usize> {
    let mut earlier = HashSet::new();
    if keys.len() - start < 2 {
        return earlier;
    }
    let mut later = HashSet::with_capacity(keys.len() - start);
    for index in (start..keys.len()).rev() {
        if !later.insert(key_bits(keys, index)) {
            earlier.insert(index - start);
        }
    }
    earlier
}

/// A key of a MAP in a form that can be compared.
#[derive(PartialEq, Eq, Hash)]
enum KeyBits<'a> {
    Text(&'a [u8]),
    Number(i128),
}

fn key_bits(keys: &Column, index: usize) -> KeyBits<'_> {
    KeyBits::Number(match &keys.values {
        Values::Text(text) => {
            let end = |at: usize| usize::try_from(text.offsets[at]).unwrap_or_default();
            return KeyBits::Text(&text.bytes[end(index)..end(index + 1)]);
        }
        Values::Boolean(values) => i128::from(values.get_bit(index)),
        Values::Int8(values) => i128::from(values[index]),
        Values::Int16(values) => i128::from(values[index]),
        Values::Int32(values) | Values::Date(values) | Values::Time(values) => i128::from(values[index]),
        Values::Int64(values) | Values::Timestamp(values) => i128::from(values[index]),
        // Adding zero makes one value of the two zeros.
        Values::Float32(values) => i128::from((values[index] + 0.0).to_bits()),
        Values::Float64(values) => i128::from((values[index] + 0.0).to_bits()),
        Values::Decimal { unscaled, .. } => unscaled[index],
        // The constructor of a column refuses nested keys.
        Values::List { .. } | Values::Map { .. } | Values::Row { .. } => 0,
    })
}
