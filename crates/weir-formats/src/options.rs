//! What the `WITH` clause of a stream says about its format, and what can be wrong with it.

use arrow::datatypes::{DataType, TimeUnit};
use thiserror::Error;
use weir_base::text::Zone;

/// The encodings that this crate reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encode {
    /// Delimited text, one record a line or message.
    Csv,
    /// One JSON object per record.
    Json,
}

/// The options of a format; those of the other encoding are not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatOptions {
    /// Which encoding.
    pub encode: Encode,
    /// csv: what separates two fields, one or more characters.
    pub field_delimiter: String,
    /// csv: the character around fields that may hold delimiters; written around every field.
    pub quote: Option<u8>,
    /// json: `column=path;...`; a column that is not listed is the top-level key of its name.
    pub json_config: Option<String>,
    /// json, written: whether NULL columns appear as `null` or are left out.
    pub enable_output_null: bool,
    /// csv, written: the brackets around an ARRAY.
    pub array_bracket: (char, char),
    /// The zone in which instants become wall clocks and back.
    pub zone: Zone,
}

impl Default for FormatOptions {
    fn default() -> Self {
        Self {
            encode: Encode::Csv,
            field_delimiter: ",".to_string(),
            quote: None,
            json_config: None,
            enable_output_null: true,
            array_bracket: ('[', ']'),
            zone: Zone::UTC,
        }
    }
}

/// Why a format cannot serve a stream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// An option has a value that cannot be used.
    #[error("option `{option}`: {message}")]
    Option {
        /// Canonical name of the option.
        option: &'static str,
        /// What is wrong and what would do.
        message: String,
    },
    /// A column cannot be read or written in this encoding.
    #[error("column `{column}`: {message}")]
    Column {
        /// Name of the column.
        column: String,
        /// What is wrong and what would do.
        message: String,
    },
    /// A batch does not have the declared columns.
    #[error("rows do not fit the stream: {0}")]
    Rows(String),
}

impl FormatError {
    pub(crate) fn option(option: &'static str, message: impl Into<String>) -> Self {
        Self::Option { option, message: message.into() }
    }

    pub(crate) fn column(column: &str, message: impl Into<String>) -> Self {
        Self::Column { column: column.to_string(), message: message.into() }
    }
}

/// Returns the name of a type in the words of the dialect.
pub(crate) fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Utf8 => "STRING",
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INT",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Decimal128(precision, scale) => return format!("DECIMAL({precision}, {scale})"),
        DataType::Date32 => "DATE",
        DataType::Time32(TimeUnit::Millisecond) => "TIME",
        DataType::Timestamp(TimeUnit::Millisecond, None) => "TIMESTAMP",
        DataType::List(_) => "ARRAY",
        DataType::Map(..) => "MAP",
        DataType::Struct(_) => "ROW",
        other => return other.to_string(),
    };
    name.to_string()
}
