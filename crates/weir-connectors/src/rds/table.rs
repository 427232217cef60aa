//! Looks rows up in a table of a database: all keys of a batch in one statement, or few.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use async_trait::async_trait;
use futures::future::try_join_all;
use tokio::sync::OnceCell;
use weir_base::text::Zone;
use weir_engine::error::ConnectorError;
use weir_engine::lookup::{KeyFault, KeyIndex, LookedUp, LookupConnector, SharedLookup};
use weir_formats::{FormatError, TextRows};
use weir_sql::DimensionTable;

use super::address::{self, Dialect};
use super::connection::{Database, DatabaseColumn, TextRow};
use super::key::{KeyForm, KeyValue, Kind};
use super::sql::TableSql;
use super::value::readable;
use super::{column_names, table_name};
use crate::environment::Environment;
use crate::lookup::cached;
use crate::options::StreamOptions;

/// Keys of one statement of MySQL. A power of two: statements are made for powers of two only, so that few are prepared.
const MYSQL_KEYS: usize = 512;

/// Makes the connector of a table.
pub(crate) fn table(
    table: &DimensionTable,
    environment: &Environment,
) -> Result<SharedLookup, ConnectorError> {
    let options = StreamOptions::of_table(table);
    let address = address::read(&options)?;
    let declared = table.schema.fields().iter().map(|field| field.name().as_str());
    let columns = column_names(declared, options.get("db_columns"))
        .map_err(|message| options.error("db_columns", message))?;
    let zone = environment.zone()?;
    TextRows::new(Arc::clone(&table.schema), zone).map_err(|error| options.format_error(error))?;
    let (username, password) = (options.required("username")?, options.get("password").unwrap_or_default());
    let rds = RdsTable {
        name: table.name.clone(),
        schema: Arc::clone(&table.schema),
        zone,
        database: Database::new(
            format!("table `{}`", table.name),
            &address,
            username,
            password,
            environment.network.clone(),
        )?,
        sql: TableSql { dialect: address.dialect, name: table_name(&options)?, columns },
        described: OnceCell::new(),
    };
    cached(Arc::new(rds), &options, environment)
}

struct RdsTable {
    name: String,
    schema: SchemaRef,
    zone: Zone,
    database: Database,
    /// With the names as the job spells them.
    sql: TableSql,
    described: OnceCell<Described>,
}

/// The table as it is in the database.
struct Described {
    /// With the names as the database spells them.
    sql: TableSql,
    kinds: Vec<Kind>,
}

impl RdsTable {
    fn error(&self, message: impl std::fmt::Display) -> ConnectorError {
        ConnectorError::permanent(format!("table `{}`: {message}", self.name))
    }

    async fn described(&self) -> Result<&Described, ConnectorError> {
        self.described.get_or_try_init(|| self.describe()).await
    }

    /// Finds the table and its columns. Names are compared exactly first, then without case: the dialect's names
    /// have none, and PostgreSQL folds names that are not quoted.
    async fn describe(&self) -> Result<Described, ConnectorError> {
        let mut sql = self.sql.clone();
        let found = match sql.dialect {
            Dialect::PostgreSql => match self.database.describe_if_there(&sql.describe()).await? {
                Some(found) => found,
                None => {
                    sql.name.iter_mut().for_each(|part| *part = part.to_lowercase());
                    self.database.describe(&sql.describe()).await?
                }
            },
            Dialect::MySql => self.database.describe(&sql.describe()).await?,
        };
        let mut kinds = Vec::with_capacity(sql.columns.len());
        for (name, field) in sql.columns.iter_mut().zip(self.schema.fields()) {
            let column = find_column(&found, name).ok_or_else(|| {
                let names: Vec<String> = found.iter().map(|column| format!("`{}`", column.name)).collect();
                self.error(format!(
                    "column `{}`: the table in the database has no column `{name}`; its columns are {}",
                    field.name(),
                    names.join(", ")
                ))
            })?;
            name.clone_from(&column.name);
            kinds.push(Kind::of(sql.dialect, &column.type_name));
        }
        Ok(Described { sql, kinds })
    }

    fn key_forms(
        &self,
        described: &Described,
        key_columns: &[usize],
    ) -> Result<Vec<(usize, KeyForm)>, ConnectorError> {
        let form = |column: &usize| {
            let field = self.schema.field(*column);
            let form = KeyForm::new(described.sql.dialect, field.data_type(), described.kinds[*column]);
            let form = form.map_err(|message| {
                self.error(format!("column `{}` {message}; declare it as STRING", field.name()))
            })?;
            Ok((*column, form))
        };
        key_columns.iter().map(form).collect()
    }

    async fn rows(
        &self,
        described: &Described,
        key_columns: &[usize],
        keys: &RecordBatch,
    ) -> Result<Vec<TextRow>, ConnectorError> {
        let forms = self.key_forms(described, key_columns)?;
        let pairs = || forms.iter().map(|(_, form)| form).zip(keys.columns());
        match described.sql.dialect {
            Dialect::PostgreSql => {
                let arrays = pairs()
                    .map(|(form, column)| form.texts(column, &self.zone))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| self.error(error))?;
                self.database.select_by_arrays(&described.sql.select_by_arrays(&forms), &arrays).await
            }
            Dialect::MySql => {
                let columns = pairs()
                    .map(|(form, column)| form.values(column, &self.zone))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| self.error(error))?;
                let chunks = (0..keys.num_rows()).step_by(MYSQL_KEYS).map(|start| {
                    let end = keys.num_rows().min(start + MYSQL_KEYS);
                    let values = values_of(&columns, start, end);
                    let sql = described.sql.select_by_values(&forms, (end - start).next_power_of_two());
                    async move { self.database.select_by_values(&sql, &values).await }
                });
                Ok(try_join_all(chunks).await?.into_iter().flatten().collect())
            }
        }
    }

    /// Reads the rows and finds the key of each.
    fn answer(
        &self,
        described: &Described,
        key_columns: &[usize],
        keys: &RecordBatch,
        rows: &[TextRow],
    ) -> Result<LookedUp, ReadError> {
        let index = KeyIndex::new(keys)?;
        let mut read = TextRows::new(Arc::clone(&self.schema), self.zone)?;
        let key_schema = Arc::new(self.schema.project(key_columns)?);
        let mut fault_keys = TextRows::new(key_schema, self.zone)?;
        let mut reasons = Vec::new();
        for row in rows {
            let values: Vec<_> = row
                .iter()
                .zip(self.schema.fields())
                .zip(&described.kinds)
                .map(|((value, field), kind)| {
                    value.as_deref().map(|value| readable(value, field.data_type(), *kind))
                })
                .collect();
            if let Err(dirty) = read.push(values.iter().map(|value| value.as_deref())) {
                // A key that cannot be read is none of those asked for.
                if fault_keys.push(key_columns.iter().map(|column| values[*column].as_deref())).is_ok() {
                    reasons.push(dirty.reason);
                }
            }
        }
        let rows = read.finish();
        let key_values: Vec<ArrayRef> =
            key_columns.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        let (mut kept, mut answered) = (Vec::new(), Vec::new());
        for (key, row) in index.find(&key_values)?.into_iter().zip(0u32..) {
            if let Some(key) = key {
                kept.push(row);
                answered.push(key);
            }
        }
        let rows = match kept.len() == rows.num_rows() {
            true => rows,
            false => take_record_batch(&rows, &UInt32Array::from(kept))?,
        };
        let faulty = index.find(fault_keys.finish().columns())?;
        let faults = faulty.into_iter().zip(reasons);
        let faults = faults.filter_map(|(key, reason)| key.map(|key| KeyFault { key, reason })).collect();
        Ok(LookedUp { rows, keys: answered, faults })
    }
}

/// Finds a column by its name: exactly, else the only one that is the same without case.
fn find_column<'c>(columns: &'c [DatabaseColumn], name: &str) -> Option<&'c DatabaseColumn> {
    columns.iter().find(|column| column.name == name).or_else(|| {
        let mut same = columns.iter().filter(|column| column.name.to_lowercase() == name.to_lowercase());
        same.next().filter(|_| same.next().is_none())
    })
}

/// Returns the values of some keys, key by key; the last is repeated up to a power of two.
fn values_of(columns: &[Vec<KeyValue>], start: usize, end: usize) -> Vec<KeyValue> {
    let count = (end - start).next_power_of_two();
    let rows = (start..start + count).map(|row| row.min(end - 1));
    rows.flat_map(|row| columns.iter().map(move |column| column[row].clone())).collect()
}

/// Why rows could not be read at all; faults of single values are not among it.
#[derive(Debug)]
enum ReadError {
    Arrow(ArrowError),
    Format(FormatError),
}

impl From<ArrowError> for ReadError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl From<FormatError> for ReadError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Arrow(error) => error.fmt(f),
            Self::Format(error) => error.fmt(f),
        }
    }
}

#[async_trait]
impl LookupConnector for RdsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    async fn look_up(&self, key_columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        let described = self.described().await?;
        let rows = self.rows(described, key_columns, keys).await?;
        self.answer(described, key_columns, keys, &rows).map_err(|error| self.error(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_exactly_and_then_without_case() {
        let column = |name: &str| DatabaseColumn { name: name.to_string(), type_name: String::new() };
        let columns = [column("id"), column("ID"), column("owner")];
        let found = |name| find_column(&columns, name).map(|column| column.name.as_str());
        assert_eq!(found("ID"), Some("ID"));
        assert_eq!(found("OWNER"), Some("owner"));
        assert_eq!((found("Id"), found("x")), (None, None));
    }

    #[test]
    fn keys_are_repeated_up_to_a_power_of_two() {
        let columns = [vec![KeyValue::Integer(1), KeyValue::Integer(2), KeyValue::Integer(3)]];
        let integers = |values: Vec<KeyValue>| {
            values.into_iter().map(|value| match value {
                KeyValue::Integer(value) => value,
                _ => 0,
            })
        };
        assert!(integers(values_of(&columns, 0, 3)).eq([1, 2, 3, 3]));
        assert!(integers(values_of(&columns, 1, 2)).eq([2]));
    }
}
