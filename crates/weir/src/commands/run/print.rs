//! The `print` sink of `weir run`: a table or JSON lines on standard output.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_connectors::PrintTarget;
use weir_engine::error::ConnectorError;
use weir_formats::{Encode, EncodedRecords, FormatOptions as RecordFormat, encoder};
use weir_sql::Job;

/// Writes rows to standard output.
pub struct StandardOutput {
    json: bool,
    /// Whether the job prints several streams, so that rows must say whose they are.
    several: bool,
    widths: Mutex<HashMap<String, Vec<usize>>>,
}

impl StandardOutput {
    pub fn new(job: &Job, json: bool) -> Self {
        let prints = |options: &weir_sql::Options| {
            options.get("type").is_some_and(|kind| kind.eq_ignore_ascii_case("print"))
        };
        let several = job.sinks.iter().filter(|sink| prints(&sink.options)).count() > 1;
        Self { json, several, widths: Mutex::default() }
    }

    fn json_lines(&self, rows: &RecordBatch) -> Result<Vec<u8>, String> {
        let options = RecordFormat { encode: Encode::Json, ..RecordFormat::default() };
        let mut encoder = encoder(rows.schema(), &options).map_err(|error| error.to_string())?;
        let mut records = EncodedRecords::default();
        encoder.encode(rows, &mut records).map_err(|error| error.to_string())?;
        let mut lines = Vec::with_capacity(records.bytes.len() + records.ends.len());
        let mut start = 0;
        for end in records.ends {
            lines.extend_from_slice(&records.bytes[start..end]);
            lines.push(b'\n');
            start = end;
        }
        Ok(lines)
    }

    /// Columns are as wide as the first batch of the stream needs, so that later rows stand under them.
    fn table(&self, stream: &str, rows: &RecordBatch) -> Result<Vec<u8>, String> {
        let options =
            FormatOptions::default().with_null("").with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.3f"));
        let formatters = rows
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let cells: Vec<Vec<String>> = (0..rows.num_rows())
            .map(|row| formatters.iter().map(|formatter| formatter.value(row).to_string()).collect())
            .collect();
        let names: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut lines = Vec::new();
        let mut all = self.widths.lock().unwrap_or_else(PoisonError::into_inner);
        let widths = all.entry(stream.to_string()).or_insert_with(|| {
            let width = |column: usize| {
                let cells = cells.iter().map(|row| row[column].chars().count());
                cells.chain(std::iter::once(names[column].chars().count())).max().unwrap_or(0)
            };
            let widths: Vec<usize> = (0..names.len()).map(width).collect();
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            self.push_line(&mut lines, stream, &names, &widths);
            self.push_line(&mut lines, stream, &rules, &widths);
            widths
        });
        for row in &cells {
            self.push_line(&mut lines, stream, row, widths);
        }
        Ok(lines)
    }

    fn push_line(&self, lines: &mut Vec<u8>, stream: &str, cells: &[String], widths: &[usize]) {
        let cells: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let prefix = if self.several { format!("{stream}: ") } else { String::new() };
        lines.extend_from_slice(format!("{prefix}{}", cells.join("  ")).trim_end().as_bytes());
        lines.push(b'\n');
    }
}

impl PrintTarget for StandardOutput {
    fn print(&self, stream: &str, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        let lines = if self.json { self.json_lines(rows) } else { self.table(stream, rows) };
        let lines = lines.map_err(ConnectorError::permanent)?;
        std::io::stdout().write_all(&lines).map_err(|error| {
            ConnectorError::permanent(format!("standard output cannot be written: {error}"))
        })?;
        Ok(lines.len() as u64)
    }
}
