//! Whether the encoding of a stream can carry its columns.
//!
//! The very decoder or encoder of the run is made from the options, so that what it would refuse at the
//! start of the job is refused here, with a place.

use arrow::datatypes::SchemaRef;
use weir_base::connector::{Role, RoleSpec};
use weir_formats::{Encode, FormatError, FormatOptions, decoder, encoder};

use super::connector::at_value;
use super::options::{Checked, value_or_default};
use crate::CheckError;
use crate::syntax::ast::CreateStream;

/// Checks the columns of a stream against its encoding, when its connector has one that this release knows.
pub(super) fn check(
    stream: &CreateStream,
    role: &RoleSpec,
    checked: &Checked<'_>,
    columns: &SchemaRef,
) -> Result<(), CheckError> {
    let encode = match value_or_default(&checked.options, role, "encode") {
        Some("csv") => Encode::Csv,
        Some("json") => Encode::Json,
        _ => return Ok(()),
    };
    let options = format_options(encode, role, checked)?;
    let result = match role.role {
        Role::Source => decoder(columns.clone(), &options).map(|_| ()),
        Role::Sink => encoder(columns.clone(), &options).map(|_| ()),
    };
    result.map_err(|error| place(stream, checked, error))
}

fn format_options(
    encode: Encode,
    role: &RoleSpec,
    checked: &Checked<'_>,
) -> Result<FormatOptions, CheckError> {
    let value = |name: &str| value_or_default(&checked.options, role, name);
    let defaults = FormatOptions::default();
    let quote = match value("quote").unwrap_or_default().as_bytes() {
        [] => None,
        [byte] => Some(*byte),
        _ => return Err(at_option(checked, "quote", "option `quote` is longer than one character")),
    };
    let mut brackets = value("array_bracket").unwrap_or("[]").chars();
    let array_bracket = match (brackets.next(), brackets.next(), brackets.next()) {
        (Some(open), Some(close), None) => (open, close),
        _ => {
            return Err(at_option(
                checked,
                "array_bracket",
                "option `array_bracket` is not a pair of brackets",
            ));
        }
    };
    Ok(FormatOptions {
        encode,
        field_delimiter: value("field_delimiter").map_or(defaults.field_delimiter, str::to_string),
        quote,
        json_config: value("json_config").filter(|config| !config.trim().is_empty()).map(str::to_string),
        array_bracket,
        ..FormatOptions::default()
    })
}

fn at_option(checked: &Checked<'_>, name: &str, text: &str) -> CheckError {
    match checked.entries.get(name) {
        Some(entry) => at_value(entry, text),
        None => CheckError::new(crate::Position { line: 1, column: 1 }, 1, text),
    }
}

/// Gives an error of a format the place of the option or column it speaks of.
fn place(stream: &CreateStream, checked: &Checked<'_>, error: FormatError) -> CheckError {
    let text = error.to_string();
    let at_stream = || CheckError::new(stream.name.position, stream.name.length, text.clone());
    match &error {
        FormatError::Option { option, .. } => match checked.entries.get(*option) {
            Some(entry) => at_value(entry, text.clone()),
            None => at_stream(),
        },
        FormatError::Column { column, .. } => {
            match stream.columns.iter().find(|declared| declared.name.value.eq_ignore_ascii_case(column)) {
                Some(declared) => CheckError::new(declared.name.position, declared.name.length, text.clone()),
                None => at_stream(),
            }
        }
        FormatError::Rows(_) => at_stream(),
    }
}
