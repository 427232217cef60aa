//! One value of a primitive type from its text: a csv field, a JSON string or map key, the text of an
//! XML element, a header of an e-mail.

use weir_base::text::{self, IntegerError, Zone};

use crate::column::{Column, TooLarge, Values};

/// The longest piece of a value that a reason quotes, so that a reason stays one line.
const QUOTED_CHARACTERS: usize = 40;

/// Why a text does not fit a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// It is not a value of the type.
    NotOfType,
    /// It is a number, but too large or too small.
    OutOfRange,
    /// The column of this batch is full.
    TooLarge,
}

impl From<TooLarge> for Mismatch {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl From<IntegerError> for Mismatch {
    fn from(error: IntegerError) -> Self {
        match error {
            IntegerError::Malformed => Self::NotOfType,
            IntegerError::OutOfRange => Self::OutOfRange,
        }
    }
}

impl Mismatch {
    /// Returns the reason for people: "`x2` is not an INT".
    pub fn reason(self, value: &[u8], values: &Values) -> String {
        let name = values_name(values);
        let quoted = quoted(value);
        match self {
            Self::NotOfType if name.starts_with(['A', 'I']) => format!("{quoted} is not an {name}"),
            Self::NotOfType => format!("{quoted} is not a {name}"),
            Self::OutOfRange => format!("{quoted}: {name} out of range"),
            Self::TooLarge => "more than 2 GiB in one batch".to_string(),
        }
    }
}

/// Returns a value in backticks, cut when it is long.
pub(crate) fn quoted(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    match text.char_indices().nth(QUOTED_CHARACTERS) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// Returns the name of the type of a column in the words of the dialect.
pub(crate) fn values_name(values: &Values) -> String {
    match values {
        Values::Boolean(_) => "BOOLEAN",
        Values::Int8(_) => "TINYINT",
        Values::Int16(_) => "SMALLINT",
        Values::Int32(_) => "INT",
        Values::Int64(_) => "BIGINT",
        Values::Float32(_) => "FLOAT",
        Values::Float64(_) => "DOUBLE",
        Values::Decimal { precision, scale, .. } => return format!("DECIMAL({precision}, {scale})"),
        Values::Date(_) => "DATE",
        Values::Time(_) => "TIME",
        Values::Timestamp(_) => "TIMESTAMP",
        Values::Text(_) => "STRING",
        Values::List { .. } => "ARRAY",
        Values::Map { .. } => "MAP",
        Values::Row { .. } => "ROW",
    }
    .to_string()
}

/// Adds a value from its text as csv has it: an empty one of a column that is not STRING is NULL.
/// The error is the reason for people.
#[inline]
pub(crate) fn push_field(column: &mut Column, field: &[u8], zone: &Zone) -> Result<(), String> {
    if field.trim_ascii().is_empty() && !matches!(column.values, Values::Text(_)) {
        column.push_null();
        return Ok(());
    }
    push_text(column, field, zone).map_err(|mismatch| mismatch.reason(field, &column.values))
}

/// Adds a value from its text, which is valid UTF-8. Blanks around it are ignored except for STRING.
pub(crate) fn push_text(column: &mut Column, raw: &[u8], zone: &Zone) -> Result<(), Mismatch> {
    let value = text::trim(raw);
    match &mut column.values {
        Values::Text(texts) => {
            texts.bytes.extend_from_slice(raw);
            texts.end_value()?;
        }
        Values::Boolean(values) => values.append(text::parse_boolean(value).ok_or(Mismatch::NotOfType)?),
        Values::Int8(values) => values.push(text::try_parse_integer(value)?),
        Values::Int16(values) => values.push(text::try_parse_integer(value)?),
        Values::Int32(values) => values.push(text::try_parse_integer(value)?),
        Values::Int64(values) => values.push(text::try_parse_integer(value)?),
        Values::Float32(values) => values.push(text::parse_single(value).ok_or_else(|| no_number(value))?),
        Values::Float64(values) => values.push(text::parse_float(value).ok_or_else(|| no_number(value))?),
        Values::Decimal { unscaled, precision, scale } => {
            let parsed = text::parse_decimal(value, *precision, *scale);
            unscaled.push(parsed.ok_or_else(|| no_number(value))?);
        }
        Values::Date(values) => values.push(text::parse_date(value).ok_or(Mismatch::NotOfType)?),
        Values::Time(values) => values.push(text::parse_time(value).ok_or(Mismatch::NotOfType)?),
        Values::Timestamp(values) => {
            values.push(text::parse_timestamp(value, zone).ok_or(Mismatch::NotOfType)?);
        }
        Values::List { .. } | Values::Map { .. } | Values::Row { .. } => return Err(Mismatch::NotOfType),
    }
    column.nulls.append_non_null();
    Ok(())
}

fn no_number(value: &[u8]) -> Mismatch {
    if text::is_number(value) { Mismatch::OutOfRange } else { Mismatch::NotOfType }
}
