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
    /// One XML document per record; read only.
    Xml,
    /// One e-mail per record; read only.
    Email,
    /// The bytes of the record as they are; read only.
    Blob,
}

impl Encode {
    /// Every encoding.
    pub const ALL: [Encode; 5] = [Encode::Csv, Encode::Json, Encode::Xml, Encode::Email, Encode::Blob];

    /// Returns the value of option `encode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Email => "email",
            Self::Blob => "blob",
        }
    }

    /// Returns the encoding of that name, compared without case.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encode| encode.name().eq_ignore_ascii_case(name))
    }

    /// Returns whether a record is normally a whole file: such texts span lines.
    pub fn spans_lines(self) -> bool {
        matches!(self, Self::Xml | Self::Email | Self::Blob)
    }

    /// Returns which options of [`FORMAT_OPTIONS`] say something about this encoding.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &["encode", "field_delimiter", "quote", "array_bracket"],
            Self::Json => &["encode", "json_config", "json_schema", "enable_output_null"],
            Self::Xml => &["encode", "xml_config"],
            Self::Email => &["encode", "email_key"],
            Self::Blob => &["encode"],
        }
    }
}

/// The options of a stream that speak of its format, whatever its connector.
pub const FORMAT_OPTIONS: [&str; 9] = [
    "encode",
    "field_delimiter",
    "quote",
    "array_bracket",
    "json_config",
    "json_schema",
    "enable_output_null",
    "xml_config",
    "email_key",
];

/// The options of a format; those of other encodings are not looked at.
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
    /// xml: `column=path;...`; a column that is not listed is the element of its name below the root.
    pub xml_config: Option<String>,
    /// email: the header, `body` or `charset` of each column, separated by commas.
    pub email_key: Option<String>,
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
            xml_config: None,
            email_key: None,
            array_bracket: ('[', ']'),
            zone: Zone::UTC,
        }
    }
}

impl FormatOptions {
    /// Reads the options of a stream, given by their canonical names. The checker and the connectors ask
    /// this one function, so what is accepted runs.
    pub fn read<'o>(option: impl Fn(&str) -> Option<&'o str>, zone: Zone) -> Result<Self, FormatError> {
        let defaults = Self::default();
        let given = |name: &str| option(name).filter(|value| !value.trim().is_empty()).map(str::to_string);
        let encode = option("encode").unwrap_or("csv").trim();
        let encode = Encode::of_name(encode).ok_or_else(|| {
            FormatError::option("encode", format!("`{encode}` is not an encoding of this release"))
                .hint("expected `csv`, `json`, `xml`, `email` or `blob`")
        })?;
        Ok(Self {
            encode,
            field_delimiter: option("field_delimiter").map_or(defaults.field_delimiter, str::to_string),
            quote: quote(option("quote").unwrap_or_default())?,
            json_config: given("json_config"),
            enable_output_null: switch(option("enable_output_null").unwrap_or_default())?,
            xml_config: given("xml_config"),
            email_key: given("email_key"),
            array_bracket: brackets(option("array_bracket").unwrap_or_default())?,
            zone,
        })
    }
}

fn quote(text: &str) -> Result<Option<u8>, FormatError> {
    match text.as_bytes() {
        [] => Ok(None),
        [byte] => Ok(Some(*byte)),
        _ => Err(FormatError::option("quote", "must be one character of one byte")),
    }
}

fn switch(text: &str) -> Result<bool, FormatError> {
    match text.trim() {
        "" => Ok(true),
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        word => {
            Err(FormatError::option("enable_output_null", format!("`{word}` is neither `true` nor `false`")))
        }
    }
}

fn brackets(text: &str) -> Result<(char, char), FormatError> {
    match text.trim() {
        "" | "[]" => Ok(('[', ']')),
        "()" => Ok(('(', ')')),
        "{}" => Ok(('{', '}')),
        other => Err(FormatError::option("array_bracket", format!("`{other}` is no pair of brackets"))
            .hint("expected `[]`, `()` or `{}`")),
    }
}

/// Why a format cannot serve a stream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{subject}: {message}{}", .hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct FormatError {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    pub message: String,
    /// What would do.
    pub hint: Option<String>,
}

/// What of a stream a [`FormatError`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The value of an option, by its canonical name.
    Option(&'static str),
    /// A column, by its name.
    Column(String),
    /// A batch that does not have the declared columns.
    Rows,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Option(name) => write!(f, "option `{name}`"),
            Self::Column(name) => write!(f, "column `{name}`"),
            Self::Rows => f.write_str("rows do not fit the stream"),
        }
    }
}

impl FormatError {
    pub(crate) fn option(option: &'static str, message: impl Into<String>) -> Self {
        Self { subject: Subject::Option(option), message: message.into(), hint: None }
    }

    pub(crate) fn column(column: &str, message: impl Into<String>) -> Self {
        Self { subject: Subject::Column(column.to_string()), message: message.into(), hint: None }
    }

    pub(crate) fn rows(message: impl Into<String>) -> Self {
        Self { subject: Subject::Rows, message: message.into(), hint: None }
    }

    /// Adds what would do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
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
