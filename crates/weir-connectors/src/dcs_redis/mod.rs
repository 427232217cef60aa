//! Redis: values of keys as a dimension table.

mod client;
mod table;

pub(crate) use table::table;

use weir_base::connector::{
    ColumnsFault, ColumnsPlace, ConnectorSpec, DeclaredColumn, Need, Role, RoleSpec, TableKeys,
};

use crate::catalog::{REGION, choice, text};
use crate::lookup::{CACHE_MAX_NUM, CACHE_TIME, cache_options};
use crate::options::check;

const VALUE_TYPES: &[&str] = &["string", "list", "hash", "set", "zset"];

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "dcs_redis",
    summary: "A Redis (or Valkey) server. Keys of a type other than `value_type` are as good as missing.",
    roles: &[RoleSpec {
        role: Role::Table,
        options: &[
            REGION,
            text(
                "cluster_address",
                Need::Mandatory,
                "Address of the server, `host:port`; not of a Redis cluster.",
            ),
            text("password", Need::Optional(""), "Password of the server."),
            choice(
                "value_type",
                Need::Mandatory,
                VALUE_TYPES,
                "What the keys hold. The column that is no key gets the value: of a `string` the value, of a `hash` that of the field, of the others their elements joined by `,`, in order (those of a `set` sorted).",
            ),
            text("key_column", Need::Mandatory, "The column that is the key."),
            text(
                "hash_key_column",
                Need::Optional(""),
                "hash: the column that is the field; mandatory there.",
            ),
            CACHE_MAX_NUM,
            CACHE_TIME,
        ],
        // What its sinks have, which this release has not.
        ignored: &["key_value"],
        rule: Some(table_rule),
        columns: Some(columns_rule),
    }],
    shared_cluster: false,
};

fn table_rule(option: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
    check(SPEC.role(Role::Table), option, |options| {
        client::address(options)?;
        cache_options(options)?;
        let is_hash = options.get("value_type") == Some("hash");
        match options.get("hash_key_column").map(str::trim).filter(|name| !name.is_empty()) {
            None if is_hash => {
                Err(options.error("hash_key_column", "must be given with `value_type` `hash`"))
            }
            Some(_) if !is_hash => {
                Err(options.error("hash_key_column", "belongs to `value_type` `hash` alone"))
            }
            _ => Ok(()),
        }
    })
}

/// Which columns of a table are what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layout {
    key: usize,
    field: Option<usize>,
    value: usize,
}

impl Layout {
    fn new(
        columns: &[DeclaredColumn<'_>],
        option: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ColumnsFault> {
        let find = |name: &'static str| {
            let Some(wanted) = option(name).filter(|value| !value.trim().is_empty()) else { return Ok(None) };
            let wanted = wanted.trim();
            let found = columns.iter().position(|column| column.name.eq_ignore_ascii_case(wanted));
            let message = || format!("option `{name}`: the table has no column `{wanted}`");
            found.map(Some).ok_or_else(|| fault(ColumnsPlace::Option(name), message()))
        };
        if let Some((at, column)) =
            columns.iter().enumerate().find(|(_, column)| column.type_name != "STRING")
        {
            let message = format!(
                "column `{}` is {}, but all columns of a table of type `dcs_redis` are STRING",
                column.name, column.type_name
            );
            return Err(fault(ColumnsPlace::Column(at), message));
        }
        let field = find("hash_key_column")?;
        let Some(key) = find("key_column")? else {
            return Err(fault(ColumnsPlace::Whole, "option `key_column` is missing".to_string()));
        };
        if field == Some(key) {
            let message = "options `key_column` and `hash_key_column` name one column".to_string();
            return Err(fault(ColumnsPlace::Option("hash_key_column"), message));
        }
        let mut others = (0..columns.len()).filter(|at| *at != key && Some(*at) != field);
        match (others.next(), others.next()) {
            (Some(value), None) => Ok(Self { key, field, value }),
            (None, _) => Err(fault(ColumnsPlace::Whole, "the table has no column for the value".to_string())),
            (Some(_), Some(second)) => {
                let message = format!(
                    "column `{}`: besides its keys a table of type `dcs_redis` has one column, the value",
                    columns[second].name
                );
                Err(fault(ColumnsPlace::Column(second), message))
            }
        }
    }
}

fn fault(at: ColumnsPlace, message: String) -> ColumnsFault {
    ColumnsFault { at, message }
}

fn columns_rule(
    columns: &[DeclaredColumn<'_>],
    option: &dyn Fn(&str) -> Option<String>,
) -> Result<TableKeys, ColumnsFault> {
    let layout = Layout::new(columns, option)?;
    let mut keys: Vec<usize> = std::iter::once(layout.key).chain(layout.field).collect();
    keys.sort_unstable();
    Ok(TableKeys::Exactly(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(columns: &[(&str, &str)], options: &[(&str, &str)]) -> Result<Layout, ColumnsFault> {
        let columns: Vec<_> =
            columns.iter().map(|(name, type_name)| DeclaredColumn { name, type_name }).collect();
        let option = |name: &str| {
            options.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_string())
        };
        Layout::new(&columns, &option)
    }

    #[test]
    fn key_field_and_value_are_found_by_name_without_case() {
        let (k, f, v) = (("k", "STRING"), ("f", "STRING"), ("v", "STRING"));
        let hash = [("key_column", "K"), ("hash_key_column", "F")];
        assert_eq!(layout(&[v, f, k], &hash), Ok(Layout { key: 2, field: Some(1), value: 0 }));
        assert_eq!(layout(&[k, v], &hash[..1]), Ok(Layout { key: 0, field: None, value: 1 }));
    }

    #[test]
    fn columns_that_do_not_fit_are_refused_where_they_stand() {
        let (k, v, w) = (("k", "STRING"), ("v", "STRING"), ("w", "STRING"));
        let key = ("key_column", "k");
        let refused = [
            (layout(&[k, ("v", "INT")], &[key]), ColumnsPlace::Column(1), "`v` is INT"),
            (layout(&[k, v], &[("key_column", "x")]), ColumnsPlace::Option("key_column"), "no column `x`"),
            (layout(&[k, v, w], &[key]), ColumnsPlace::Column(2), "one column, the value"),
            (layout(&[k], &[key]), ColumnsPlace::Whole, "no column for the value"),
            (
                layout(&[k, v], &[key, ("hash_key_column", "k")]),
                ColumnsPlace::Option("hash_key_column"),
                "name one column",
            ),
        ];
        for (result, place, text) in refused {
            let fault = result.unwrap_err();
            assert_eq!(fault.at, place, "{}", fault.message);
            assert!(fault.message.contains(text), "{}", fault.message);
        }
    }
}
