//! Whether the encoding of a stream can carry its columns, and which options say nothing about it.
//!
//! The very decoder or encoder of the run is made from the options, so that what it would refuse at the
//! start of the job is refused here, with a place.

use arrow::datatypes::SchemaRef;
use weir_base::connector::{Role, RoleSpec};
use weir_base::text::Zone;
use weir_formats::{Encode, FORMAT_OPTIONS, FormatError, FormatOptions, Subject, decoder, encoder};

use super::connector::at_value;
use super::options::{Checked, value_or_default};
use crate::syntax::ast::CreateStream;
use crate::{CheckError, Message, Warning, WarningKind};

/// Checks the columns of a stream against its encoding, when its connector has one.
pub(super) fn check(
    stream: &CreateStream,
    role: &RoleSpec,
    checked: &Checked<'_>,
    columns: &SchemaRef,
    warnings: &mut Vec<Warning>,
) -> Result<(), CheckError> {
    let option = |name: &str| value_or_default(&checked.options, role, name);
    if option("encode").is_none() {
        return Ok(());
    }
    // The zone only moves instants, not what is accepted.
    let options = FormatOptions::read(option, Zone::UTC).map_err(|error| place(stream, checked, error))?;
    warn_about_unused(options.encode, checked, warnings);
    let result = match role.role {
        Role::Source | Role::Table => decoder(columns.clone(), &options).map(|_| ()),
        Role::Sink => encoder(columns.clone(), &options).map(|_| ()),
    };
    result.map_err(|error| place(stream, checked, error))
}

/// Warns of options that speak of another encoding than that of the stream.
fn warn_about_unused(encode: Encode, checked: &Checked<'_>, warnings: &mut Vec<Warning>) {
    let unused = FORMAT_OPTIONS.into_iter().filter(|name| !encode.options().contains(name));
    for entry in unused.filter_map(|name| checked.entries.get(name)) {
        let message = Message {
            position: entry.name.position,
            length: entry.name.length,
            text: format!("option `{}` has no effect with encode `{}`", entry.name.value, encode.name()),
            hint: Some("leave it out".to_string()),
        };
        warnings.push(WarningKind::UnusedOption.warning(message));
    }
}

/// Gives an error of a format the place of the option or column it speaks of.
fn place(stream: &CreateStream, checked: &Checked<'_>, error: FormatError) -> CheckError {
    let FormatError { subject, message, hint } = error;
    let text = format!("{subject}: {message}");
    let column = |name: &str| {
        stream
            .columns
            .iter()
            .map(|column| &column.name)
            .find(|declared| declared.value.eq_ignore_ascii_case(name))
    };
    let entry = match &subject {
        Subject::Option(option) => checked.entries.get(*option),
        Subject::Column(_) | Subject::Rows => None,
    };
    let placed = match (entry, &subject) {
        (Some(entry), _) => at_value(entry, text),
        (None, Subject::Column(name)) => {
            let name = column(name).unwrap_or(&stream.name);
            CheckError::new(name.position, name.length, text)
        }
        (None, _) => CheckError::new(stream.name.position, stream.name.length, text),
    };
    match hint {
        Some(hint) => placed.hint(hint),
        None => placed,
    }
}
