//! Relational databases, PostgreSQL and MySQL: rows of a table as a dimension table.

mod address;
mod connection;
mod key;
mod sql;
mod table;
mod value;

pub(crate) use table::table;

use weir_base::connector::{
    ColumnsFault, ColumnsPlace, ConnectorSpec, DeclaredColumn, Need, Role, RoleSpec, TableKeys,
};

use crate::catalog::{REGION, text};
use crate::lookup::{CACHE_MAX_NUM, CACHE_TIME, cache_options};
use crate::options::{StreamOptions, check};
use weir_engine::error::ConnectorError;

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "rds",
    summary: "A table of a PostgreSQL, MySQL or MariaDB database. Values are taken in their text form; what does not fit its declared column makes the row of the stream dirty.",
    roles: &[RoleSpec {
        role: Role::Table,
        options: &[
            REGION,
            text("username", Need::Mandatory, "User of the database."),
            text("password", Need::Mandatory, "Password of the user."),
            text(
                "db_url",
                Need::Mandatory,
                "`postgresql://host:port/database` or `mysql://host:port/database`; a prefix `jdbc:` is dropped. The parameter `sslmode` says whether the connection is encrypted: `disable`, `prefer` (as the server likes), `require`, or `verify-full` (with a certificate of a public authority).",
            ),
            text(
                "table_name",
                Need::Mandatory,
                "Name of the table, with its schema where needed: `schema.table`.",
            ),
            text(
                "db_columns",
                Need::Optional(""),
                "Names of the columns in the database, separated by commas, in the order of the declared ones; without it they have the declared names.",
            ),
            CACHE_MAX_NUM,
            CACHE_TIME,
        ],
        // What its sinks have, which this release has not.
        ignored: &["primary_key", "operation_field"],
        rule: Some(table_rule),
        columns: Some(columns_rule),
    }],
    shared_cluster: false,
};

fn table_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Table), option, |options| {
        address::read(options)?;
        table_name(options)?;
        cache_options(options).map(drop)
    })
}

/// Reads the parts of the table's name.
fn table_name(options: &StreamOptions<'_>) -> Result<Vec<String>, ConnectorError> {
    let parts: Vec<String> =
        options.required("table_name")?.split('.').map(|part| part.trim().to_string()).collect();
    match parts.len() <= 3 && parts.iter().all(|part| !part.is_empty()) {
        true => Ok(parts),
        false => Err(options.error("table_name", "is not of the form `table` or `schema.table`")),
    }
}

/// Reads the names of the columns in the database.
fn column_names<'n>(
    declared: impl ExactSizeIterator<Item = &'n str>,
    db_columns: Option<&str>,
) -> Result<Vec<String>, String> {
    let Some(names) = db_columns.filter(|names| !names.trim().is_empty()) else {
        return Ok(declared.map(str::to_string).collect());
    };
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_string()).collect();
    if names.len() != declared.len() {
        return Err(format!("names {} columns, but {} are declared", names.len(), declared.len()));
    }
    match names.iter().any(String::is_empty) {
        true => Err("has an empty name".to_string()),
        false => Ok(names),
    }
}

fn columns_rule(
    columns: &[DeclaredColumn<'_>],
    option: &dyn Fn(&str) -> Option<String>,
) -> Result<TableKeys, ColumnsFault> {
    let nested = columns
        .iter()
        .position(|column| ["ARRAY", "MAP", "ROW"].iter().any(|nested| column.type_name.starts_with(nested)));
    if let Some(at) = nested {
        let DeclaredColumn { name, type_name } = columns[at];
        let message = format!("column `{name}` is {type_name}, which a table of type `rds` cannot have");
        return Err(ColumnsFault { at: ColumnsPlace::Column(at), message });
    }
    column_names(columns.iter().map(|column| column.name), option("db_columns").as_deref())
        .map(|_| TableKeys::Any)
        .map_err(|message| ColumnsFault {
            at: ColumnsPlace::Option("db_columns"),
            message: format!("option `db_columns` {message}"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_database() {
        let names = |db_columns| column_names(["a", "B"].into_iter(), db_columns);
        assert_eq!(names(None), Ok(vec!["a".to_string(), "B".to_string()]));
        assert_eq!(names(Some(" ")), names(None));
        assert_eq!(names(Some("id, Owner ")), Ok(vec!["id".to_string(), "Owner".to_string()]));
        assert_eq!(names(Some("id")), Err("names 1 columns, but 2 are declared".to_string()));
        assert_eq!(names(Some("id,")), Err("has an empty name".to_string()));
    }

    #[test]
    fn nested_columns_are_refused() {
        let columns = [
            DeclaredColumn { name: "a", type_name: "STRING" },
            DeclaredColumn { name: "b", type_name: "ARRAY[INT]" },
        ];
        let fault = columns_rule(&columns, &|_| None).unwrap_err();
        assert_eq!(fault.at, ColumnsPlace::Column(1));
        assert_eq!(columns_rule(&columns[..1], &|_| None), Ok(TableKeys::Any));
    }
}
