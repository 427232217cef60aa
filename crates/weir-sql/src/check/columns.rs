//! What a connector asks of the columns of a stream or dimension table, and of the options that name them.

use arrow::datatypes::SchemaRef;
use weir_base::connector::{ColumnsPlace, DeclaredColumn, RoleSpec, TableKeys};
use weir_functions::conversion::type_name;

use super::connector::at_value;
use super::options::Checked;
use crate::CheckError;
use crate::syntax::ast::CreateStream;

/// Checks columns and returns by which of them a table is looked up.
pub(super) fn check(
    stream: &CreateStream,
    role: &RoleSpec,
    checked: &Checked<'_>,
    declared: &SchemaRef,
) -> Result<TableKeys, CheckError> {
    let Some(rule) = role.columns else { return Ok(TableKeys::Any) };
    let types: Vec<String> = declared.fields().iter().map(|field| type_name(field.data_type())).collect();
    let columns = declared.fields().iter().zip(&types);
    let columns: Vec<_> =
        columns.map(|(field, type_name)| DeclaredColumn { name: field.name(), type_name }).collect();
    let option = |name: &str| checked.options.get(name).map(str::to_string);
    rule(&columns, &option).map_err(|fault| {
        let at_name = |text| CheckError::new(stream.name.position, stream.name.length, text);
        match fault.at {
            ColumnsPlace::Whole => at_name(fault.message),
            ColumnsPlace::Column(index) => match stream.columns.get(index) {
                Some(column) => CheckError::new(column.name.position, column.name.length, fault.message),
                None => at_name(fault.message),
            },
            ColumnsPlace::Option(name) => match checked.entries.get(name) {
                Some(entry) => at_value(entry, fault.message),
                None => at_name(fault.message),
            },
        }
    })
}
