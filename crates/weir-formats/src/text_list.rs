//! ARRAY columns from texts: elements between commas.

use arrow::datatypes::{DataType, Field};
use weir_base::text::Zone;

use crate::column::{Column, Values, offset};
use crate::options::{FormatError, type_name};
use crate::scalar::{Mismatch, push_field};

/// Checks that a column is of a primitive type or an ARRAY of one: what texts without structure can fill.
pub(crate) fn check_flat(field: &Field, encode: &str) -> Result<(), FormatError> {
    let wrong = |what: &str| {
        FormatError::column(field.name(), format!("{what} cannot be read from {encode}"))
            .hint("expected a primitive type, or an ARRAY of one")
    };
    match field.data_type() {
        DataType::List(item) if item.data_type().is_nested() => {
            Err(wrong(&format!("ARRAY of {}", type_name(item.data_type()))))
        }
        DataType::List(_) => Ok(()),
        nested if nested.is_nested() => Err(wrong(&type_name(nested))),
        _ => Ok(()),
    }
}

/// Adds an ARRAY whose elements stand between commas; blanks around them are ignored.
pub(crate) fn push_list(column: &mut Column, text: &[u8], zone: &Zone) -> Result<(), String> {
    let Values::List { offsets, items, .. } = &mut column.values else {
        return Err(Mismatch::NotOfType.reason(text, &column.values));
    };
    if !text.trim_ascii().is_empty() {
        for item in text.split(|byte| *byte == b',') {
            push_field(items, item.trim_ascii(), zone)?;
        }
    }
    match offset(items.len()) {
        Ok(end) => offsets.push(end),
        Err(too_large) => return Err(Mismatch::from(too_large).reason(text, &column.values)),
    }
    column.nulls.append_non_null();
    Ok(())
}
