//! Sinks that keep what reaches them.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int8Type, SchemaRef};
use async_trait::async_trait;
use weir_base::text::Zone;
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SinkConnector, SinkWriter, WriterContext};
use weir_engine::{ROW_KIND, RowKind};
use weir_formats::{Encode, EncodedRecords, FormatOptions, encoder};
use weir_sql::SinkStream;

/// A row that reached a sink.
#[derive(Debug, Clone)]
pub struct Row {
    pub kind: RowKind,
    /// The row as the sink encodes it; csv when it writes no text.
    pub text: String,
    /// The row as csv with commas.
    pub csv: String,
}

/// Stands in the place of a sink and keeps its rows.
#[derive(Clone)]
pub struct Capture {
    schema: SchemaRef,
    own: FormatOptions,
    rows: Arc<Mutex<Vec<Row>>>,
}

impl Capture {
    /// Makes the stand-in of a sink.
    pub fn new(sink: &SinkStream, zone: Zone) -> Self {
        let csv = FormatOptions { zone, ..FormatOptions::default() };
        let own = FormatOptions::read(|name| sink.options.get(name), zone).unwrap_or_else(|_| csv.clone());
        let writes_text = matches!(own.encode, Encode::Csv | Encode::Json);
        let own = if writes_text && sink.options.get("encode").is_some() { own } else { csv };
        Self { schema: sink.schema.clone(), own, rows: Arc::default() }
    }

    /// Returns the rows that have come so far, in order.
    pub fn rows(&self) -> Vec<Row> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the rows of a batch as they are shown.
    pub fn shown(&self, batch: &RecordBatch) -> Result<Vec<Row>, String> {
        let width = self.schema.fields().len();
        let visible: Vec<usize> = (0..width).collect();
        let rows = batch.project(&visible).map_err(|error| error.to_string())?;
        let kinds = batch.column_by_name(ROW_KIND).map(|column| column.as_primitive::<Int8Type>().clone());
        let csv = FormatOptions { zone: self.own.zone, ..FormatOptions::default() };
        let (texts, lines) = (encoded(&rows, &self.own)?, encoded(&rows, &csv)?);
        let shown = texts.into_iter().zip(lines).enumerate().map(|(row, (text, csv))| {
            let kind = kinds.as_ref().and_then(|kinds| RowKind::from_value(kinds.value(row)));
            Row { kind: kind.unwrap_or(RowKind::Insert), text, csv }
        });
        Ok(shown.collect())
    }
}

fn encoded(rows: &RecordBatch, options: &FormatOptions) -> Result<Vec<String>, String> {
    let mut records = EncodedRecords::default();
    let mut encoder = encoder(rows.schema(), options).map_err(|error| error.to_string())?;
    encoder.encode(rows, &mut records).map_err(|error| error.to_string())?;
    Ok(records.iter().map(|record| String::from_utf8_lossy(record).into_owned()).collect())
}

#[async_trait]
impl SinkConnector for Capture {
    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
    }

    fn takes_row_kinds(&self) -> bool {
        true
    }

    async fn discard_uncommitted(&self, _restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn open(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }

    async fn commit(&self, _committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for Capture {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        let shown = self.shown(rows).map_err(ConnectorError::permanent)?;
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).extend(shown);
        Ok(0)
    }

    async fn prepare(&mut self, _epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        Ok(Prepared::default())
    }
}
