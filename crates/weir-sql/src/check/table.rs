//! What a connector asks of the columns of a dimension table.

use arrow::datatypes::SchemaRef;
use weir_base::connector::{RoleSpec, TableColumn, TableKeys, TablePlace};
use weir_functions::conversion::type_name;

use super::connector::at_value;
use super::options::Checked;
use crate::CheckError;
use crate::syntax::ast::CreateStream;

/// Checks a table and returns by which columns it is looked up.
pub(super) fn keys(
    table: &CreateStream,
    role: &RoleSpec,
    checked: &Checked<'_>,
    declared: &SchemaRef,
) -> Result<TableKeys, CheckError> {
    let Some(rule) = role.table else { return Ok(TableKeys::Any) };
    let types: Vec<String> = declared.fields().iter().map(|field| type_name(field.data_type())).collect();
    let columns = declared.fields().iter().zip(&types);
    let columns: Vec<_> =
        columns.map(|(field, type_name)| TableColumn { name: field.name(), type_name }).collect();
    let option = |name: &str| checked.options.get(name).map(str::to_string);
    rule(&columns, &option).map_err(|fault| {
        let at_name = |text| CheckError::new(table.name.position, table.name.length, text);
        match fault.at {
            TablePlace::Table => at_name(fault.message),
            TablePlace::Column(index) => match table.columns.get(index) {
                Some(column) => CheckError::new(column.name.position, column.name.length, fault.message),
                None => at_name(fault.message),
            },
            TablePlace::Option(name) => match checked.entries.get(name) {
                Some(entry) => at_value(entry, fault.message),
                None => at_name(fault.message),
            },
        }
    })
}
