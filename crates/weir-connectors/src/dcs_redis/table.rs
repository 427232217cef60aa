//! Looks values up in Redis: one command for each key, many in one round trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use async_trait::async_trait;
use redis::{Pipeline, RedisError, Value};
use weir_base::connector::DeclaredColumn;
use weir_engine::error::ConnectorError;
use weir_engine::lookup::{KeyFault, LookedUp, LookupConnector, SharedLookup};
use weir_functions::conversion::type_name;
use weir_sql::DimensionTable;

use super::Layout;
use super::client::Server;
use crate::environment::Environment;
use crate::lookup::cached;
use crate::options::StreamOptions;

/// Commands of one round trip: more gain little, and a server answers nobody else meanwhile.
const PIPELINE_COMMANDS: usize = 1_000;

/// What the keys of a table hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueType {
    String,
    List,
    Hash,
    Set,
    SortedSet,
}

/// Makes the connector of a table.
pub(crate) fn table(
    table: &DimensionTable,
    environment: &Environment,
) -> Result<SharedLookup, ConnectorError> {
    let options = StreamOptions::of_table(table);
    let value_type = match options.required("value_type")?.to_ascii_lowercase().as_str() {
        "string" => ValueType::String,
        "list" => ValueType::List,
        "hash" => ValueType::Hash,
        "set" => ValueType::Set,
        "zset" => ValueType::SortedSet,
        other => return Err(options.error("value_type", format!("`{other}` is not a type of value"))),
    };
    let types: Vec<String> = table.schema.fields().iter().map(|field| type_name(field.data_type())).collect();
    let columns = table.schema.fields().iter().zip(&types);
    let columns: Vec<_> =
        columns.map(|(field, type_name)| DeclaredColumn { name: field.name(), type_name }).collect();
    let layout = Layout::new(&columns, &|name| options.get(name).map(str::to_string))
        .map_err(|fault| ConnectorError::permanent(format!("table `{}`: {}", table.name, fault.message)))?;
    let redis = RedisTable {
        schema: Arc::clone(&table.schema),
        server: Server::new(format!("table `{}`", table.name), &options, environment.network.clone())?,
        name: table.name.clone(),
        value_type,
        layout,
        told_wrong_type: AtomicBool::new(false),
    };
    cached(Arc::new(redis), &options, environment)
}

struct RedisTable {
    name: String,
    schema: SchemaRef,
    server: Server,
    value_type: ValueType,
    layout: Layout,
    /// Whether it has been logged that a key holds another type.
    told_wrong_type: AtomicBool,
}

/// What a key holds.
enum Held {
    Nothing,
    Value(String),
    NotText,
}

impl RedisTable {
    fn commands(&self, keys: &StringArray, fields: Option<&StringArray>) -> Pipeline {
        let mut pipeline = redis::pipe();
        if self.value_type == ValueType::String {
            let command = pipeline.cmd("MGET");
            keys.iter().flatten().for_each(|key| {
                command.arg(key);
            });
            return pipeline;
        }
        for at in 0..keys.len() {
            let key = keys.value(at);
            match self.value_type {
                ValueType::List => pipeline.cmd("LRANGE").arg(key).arg(0).arg(-1),
                ValueType::Set => pipeline.cmd("SMEMBERS").arg(key),
                ValueType::SortedSet => pipeline.cmd("ZRANGE").arg(key).arg(0).arg(-1),
                ValueType::Hash => pipeline.cmd("HGET").arg(key).arg(fields.map(|fields| fields.value(at))),
                ValueType::String => pipeline.cmd("GET").arg(key),
            };
        }
        pipeline
    }

    /// Returns what each of the keys holds.
    async fn fetch(
        &self,
        keys: &StringArray,
        fields: Option<&StringArray>,
    ) -> Result<Vec<Held>, ConnectorError> {
        let mut answers = self.server.run(&mut self.commands(keys, fields)).await?;
        if self.value_type == ValueType::String {
            let values = match answers.pop() {
                Some(Ok(Value::Array(values))) => values,
                Some(Err(error)) => return Err(self.server.error(&error)),
                _ => return Err(self.unexpected()),
            };
            answers = values.into_iter().map(Ok).collect();
        }
        if answers.len() != keys.len() {
            return Err(self.unexpected());
        }
        answers.into_iter().map(|answer| self.held(answer)).collect()
    }

    fn held(&self, answer: Result<Value, RedisError>) -> Result<Held, ConnectorError> {
        let elements = match answer {
            Ok(Value::Nil) => return Ok(Held::Nothing),
            Ok(Value::Array(elements) | Value::Set(elements)) if elements.is_empty() => {
                return Ok(Held::Nothing);
            }
            Ok(Value::Array(elements) | Value::Set(elements)) => elements,
            Ok(value) => return self.text(value).map(|text| text.map_or(Held::NotText, Held::Value)),
            Err(error) if error.code() == Some("WRONGTYPE") => {
                if !self.told_wrong_type.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        table = self.name,
                        "a key holds another type than `value_type`; such keys count as missing"
                    );
                }
                return Ok(Held::Nothing);
            }
            Err(error) => return Err(self.server.error(&error)),
        };
        let mut texts = Vec::with_capacity(elements.len());
        for element in elements {
            match self.text(element)? {
                Some(text) => texts.push(text),
                None => return Ok(Held::NotText),
            }
        }
        if self.value_type == ValueType::Set {
            // A set has no order; without one, the same rows could give different results.
            texts.sort_unstable();
        }
        Ok(Held::Value(texts.join(",")))
    }

    fn text(&self, value: Value) -> Result<Option<String>, ConnectorError> {
        match value {
            Value::BulkString(bytes) => Ok(String::from_utf8(bytes).ok()),
            Value::SimpleString(text) => Ok(Some(text)),
            _ => Err(self.unexpected()),
        }
    }

    fn unexpected(&self) -> ConnectorError {
        let text = format!("table `{}`: the server's answer is not one of Redis", self.name);
        ConnectorError::permanent(text)
    }

    /// Returns the column of keys that stands for a column of the table.
    fn key_column<'k>(
        &self,
        column: usize,
        key_columns: &[usize],
        keys: &'k RecordBatch,
    ) -> Result<&'k StringArray, ConnectorError> {
        let at = key_columns.iter().position(|key| *key == column);
        at.and_then(|at| keys.column(at).as_string_opt::<i32>()).ok_or_else(|| {
            let (table, column) = (&self.name, self.schema.field(column).name());
            ConnectorError::permanent(format!(
                "table `{table}` cannot be looked up without its column `{column}`"
            ))
        })
    }

    fn answer(
        &self,
        keys: &StringArray,
        fields: Option<&StringArray>,
        held: Vec<Held>,
    ) -> Result<LookedUp, ArrowError> {
        let (mut values, mut answered, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (held, key) in held.into_iter().zip(0u32..) {
            match held {
                Held::Nothing => {}
                Held::Value(value) => {
                    values.push(value);
                    answered.push(key);
                }
                Held::NotText => {
                    let column = self.schema.field(self.layout.value).name();
                    faults.push(KeyFault {
                        key,
                        reason: format!("column `{column}`: the value in Redis is not UTF-8"),
                    });
                }
            }
        }
        let rows = UInt32Array::from(answered.clone());
        let values: ArrayRef = Arc::new(StringArray::from(values));
        // Those of the keys are replaced.
        let mut columns: Vec<ArrayRef> = self.schema.fields().iter().map(|_| Arc::clone(&values)).collect();
        columns[self.layout.key] = take(keys, &rows, None)?;
        if let (Some(field), Some(fields)) = (self.layout.field, fields) {
            columns[field] = take(fields, &rows, None)?;
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        Ok(LookedUp { rows, keys: answered, faults })
    }
}

#[async_trait]
impl LookupConnector for RedisTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    async fn look_up(&self, key_columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        let key = self.key_column(self.layout.key, key_columns, keys)?;
        let field = match self.layout.field {
            Some(field) => Some(self.key_column(field, key_columns, keys)?),
            None => None,
        };
        let mut held = Vec::with_capacity(key.len());
        for start in (0..key.len()).step_by(PIPELINE_COMMANDS) {
            let length = PIPELINE_COMMANDS.min(key.len() - start);
            let fields = field.map(|field| field.slice(start, length));
            held.extend(self.fetch(&key.slice(start, length), fields.as_ref()).await?);
        }
        self.answer(key, field, held)
            .map_err(|error| ConnectorError::permanent(format!("table `{}`: {error}", self.name)))
    }
}
