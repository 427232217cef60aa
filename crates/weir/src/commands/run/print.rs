//! The `print` sink of `weir run`: a table or JSON lines on standard output.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_connectors::PrintTarget;
use weir_engine::RowKind;
use weir_engine::error::ConnectorError;
use weir_formats::{Encode, EncodedRecords, FormatOptions as RecordFormat, encoder};
use weir_sql::Job;

use crate::commands::text::clean;

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

    /// A row of a changelog is an object of its own inside that of the line: no column can be taken for its kind.
    fn json_lines(rows: &RecordBatch, kinds: Option<&[RowKind]>) -> Result<Vec<u8>, String> {
        let options = RecordFormat { encode: Encode::Json, ..RecordFormat::default() };
        let mut encoder = encoder(rows.schema(), &options).map_err(|error| error.to_string())?;
        let mut records = EncodedRecords::default();
        encoder.encode(rows, &mut records).map_err(|error| error.to_string())?;
        let mut lines = Vec::with_capacity(records.bytes.len() + records.ends.len());
        for (place, record) in records.iter().enumerate() {
            match kinds.and_then(|kinds| kinds.get(place)) {
                Some(kind) => {
                    lines.extend_from_slice(format!("{{\"op\":\"{}\",\"data\":", kind.sign()).as_bytes());
                    lines.extend_from_slice(record);
                    lines.push(b'}');
                }
                None => lines.extend_from_slice(record),
            }
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// Columns are as wide as the first batch of the stream needs, so that later rows stand under them.
    /// The kind of a row of a changelog comes first, under `op`.
    fn table(&self, stream: &str, rows: &RecordBatch, kinds: Option<&[RowKind]>) -> Result<Vec<u8>, String> {
        let options =
            FormatOptions::default().with_null("").with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.3f"));
        let formatters = rows
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let cells: Vec<Vec<String>> = (0..rows.num_rows())
            .map(|row| {
                let kind = kinds.and_then(|kinds| kinds.get(row)).map(|kind| kind.sign().to_string());
                let values =
                    formatters.iter().map(|formatter| clean(&formatter.value(row).to_string()).into_owned());
                kind.into_iter().chain(values).collect()
            })
            .collect();
        let schema = rows.schema();
        let columns = schema.fields().iter().map(|field| field.name().clone());
        let names: Vec<String> = kinds.map(|_| "op".to_string()).into_iter().chain(columns).collect();
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
    fn print(
        &self,
        stream: &str,
        rows: &RecordBatch,
        kinds: Option<&[RowKind]>,
    ) -> Result<u64, ConnectorError> {
        let lines = if self.json { Self::json_lines(rows, kinds) } else { self.table(stream, rows, kinds) };
        let lines = lines.map_err(ConnectorError::permanent)?;
        std::io::stdout().write_all(&lines).map_err(|error| {
            ConnectorError::permanent(format!("standard output cannot be written: {error}"))
        })?;
        Ok(lines.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    const KINDS: [RowKind; 3] = [RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];

    fn rows() -> RecordBatch {
        let fields = [("name", DataType::Utf8), ("n", DataType::Int32)];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        let names = StringArray::from(vec![Some("a"), Some("bc"), None]);
        let numbers = Int32Array::from(vec![1, 22, 3]);
        RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![Arc::new(names), Arc::new(numbers)]).unwrap()
    }

    fn table(kinds: Option<&[RowKind]>) -> String {
        let output = StandardOutput { json: false, several: false, widths: Mutex::default() };
        String::from_utf8(output.table("s", &rows(), kinds).unwrap()).unwrap()
    }

    fn json(kinds: Option<&[RowKind]>) -> String {
        String::from_utf8(StandardOutput::json_lines(&rows(), kinds).unwrap()).unwrap()
    }

    #[test]
    fn rows_of_a_changelog_begin_with_their_kind() {
        assert_eq!(
            table(Some(&KINDS)),
            "op  name  n\n--  ----  --\n-U  a     1\n+U  bc    22\n-D        3\n"
        );
        assert_eq!(
            json(Some(&KINDS)),
            "{\"op\":\"-U\",\"data\":{\"name\":\"a\",\"n\":1}}\n\
             {\"op\":\"+U\",\"data\":{\"name\":\"bc\",\"n\":22}}\n\
             {\"op\":\"-D\",\"data\":{\"name\":null,\"n\":3}}\n"
        );
    }

    #[test]
    fn rows_that_stay_have_no_kind() {
        assert_eq!(table(None), "name  n\n----  --\na     1\nbc    22\n      3\n");
        assert!(json(None).starts_with("{\"name\":\"a\",\"n\":1}\n"));
    }
}
