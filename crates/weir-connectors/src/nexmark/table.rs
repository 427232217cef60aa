//! One table of the model as a generator: which events are its rows, which columns were declared.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use weir_engine::error::ConnectorError;

use super::auction::Auctions;
use super::bid::Bids;
use super::model::{AUCTIONS, Model, PERSONS, ROUND};
use super::person::Persons;
use crate::generate::{Generator, Step};

/// A kind of events.
pub(crate) trait Kind: Send + Sync + 'static {
    /// A column of the table.
    type Column: Send + Sync + 'static;

    /// The names of the columns, with their types.
    const COLUMNS: &'static [(&'static str, &'static str, Self::Column)];

    /// Makes one column of the rows of some events.
    fn column(&self, model: &Model, column: &Self::Column, events: &[u64]) -> ArrayRef;
}

/// A declared stream of one table.
pub(crate) struct Table {
    schema: SchemaRef,
    model: Model,
    /// Events of all kinds.
    events: Option<u64>,
    splits: u64,
    /// The places in a round that are rows of the table.
    places: Range<u64>,
    make: Maker,
}

impl Table {
    /// Finds the declared columns in a table.
    pub fn new(
        table: &str,
        schema: SchemaRef,
        model: Model,
        events: Option<u64>,
        splits: u64,
    ) -> Result<Self, String> {
        let auctions_end = PERSONS + AUCTIONS;
        let (places, make) = match table.trim().to_ascii_lowercase().as_str() {
            "person" => (0..PERSONS, maker(Persons::new(model.seed), &schema, table)?),
            "auction" => (PERSONS..auctions_end, maker(Auctions::new(model.seed), &schema, table)?),
            "bid" => (auctions_end..ROUND, maker(Bids::new(model.seed), &schema, table)?),
            other => {
                return Err(format!("option `table`: `{other}` is not one of `bid`, `auction`, `person`"));
            }
        };
        Ok(Self { schema, model, events, splits, places, make })
    }
}

type Maker = Box<dyn Fn(&Model, &[u64]) -> Vec<ArrayRef> + Send + Sync>;

fn maker<K: Kind>(kind: K, schema: &SchemaRef, table: &str) -> Result<Maker, String> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let known = K::COLUMNS.iter().find(|(name, _, _)| field.name().eq_ignore_ascii_case(name));
        let Some((_, type_name, column)) = known else {
            let names: Vec<&str> = K::COLUMNS.iter().map(|(name, _, _)| *name).collect();
            return Err(format!(
                "table `{table}` has no column `{}`; it has {}",
                field.name(),
                names.join(", ")
            ));
        };
        if *field.data_type() != arrow_type(type_name) {
            return Err(format!("column `{}` of table `{table}` must be a {type_name}", field.name()));
        }
        columns.push(column);
    }
    Ok(Box::new(move |model, events| {
        columns.iter().map(|column| kind.column(model, column, events)).collect()
    }))
}

fn arrow_type(name: &str) -> DataType {
    match name {
        "BIGINT" => DataType::Int64,
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Millisecond, None),
        _ => DataType::Utf8,
    }
}

/// A position is the number of an event; split `s` holds the rounds `s`, `s + splits` and so on.
impl Generator for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn first(&self, split: u32) -> u64 {
        u64::from(split) * ROUND
    }

    fn step(&self, _split: u32, position: u64, most: usize) -> Result<Option<Step>, ConnectorError> {
        let end = self.events.unwrap_or(u64::MAX - ROUND * self.splits);
        let per_round = (self.places.end - self.places.start) as usize;
        let mut events = Vec::with_capacity(most + per_round);
        let mut round = position;
        while events.len() < most && round < end {
            let last = (round + self.places.end).min(end);
            events.extend((round + self.places.start)..last);
            round += ROUND * self.splits;
        }
        if events.is_empty() {
            return Ok(None);
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), (self.make)(&self.model, &events))
            .map_err(|error| ConnectorError::permanent(error.to_string()))?;
        Ok(Some(Step { rows, next: round }))
    }
}
