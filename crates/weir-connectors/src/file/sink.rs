//! Writes one local file. Rows are staged beside it and appended at commit.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use weir_engine::RowKind;
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SharedSink, SinkConnector, SinkWriter, WriterContext};
use weir_formats::{EncodedRecords, Encoder, FormatOptions};
use weir_sql::SinkStream;

use super::append::Output;
use crate::environment::Environment;
use crate::options::StreamOptions;
use crate::row_kinds;

/// Bytes gathered before the staged file is written to.
const BUFFER_BYTES: usize = 256 << 10;

/// Makes the connector of a stream.
pub(crate) fn sink(stream: &SinkStream, environment: &Environment) -> Result<SharedSink, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let path = PathBuf::from(options.required("path")?);
    let path = environment.files.writable(&path).map_err(|message| options.error("path", message))?;
    if path.is_dir() {
        return Err(options.error("path", format!("`{}` is a directory; name a file", path.display())));
    }
    let format = options.format(environment.zone()?)?;
    let row_delimiter = options.row_delimiter()?;
    weir_formats::encoder(Arc::clone(&stream.schema), &format)
        .map_err(|error| options.format_error(error))?;
    let header = match has_header(&options)? {
        true => header(&stream.schema, &format, &row_delimiter),
        false => Vec::new(),
    };
    let output = Output::new(path, header);
    Ok(Arc::new(FileSink {
        name: stream.name.clone(),
        schema: Arc::clone(&stream.schema),
        format,
        row_delimiter,
        row_kinds: options.flag("row_kinds", false)?,
        output,
        run: format!("{} {}", environment.job, environment.run),
    }))
}

/// Reads whether the file begins with the names of the columns.
pub(super) fn has_header(options: &StreamOptions<'_>) -> Result<bool, ConnectorError> {
    let is_json = options.get("encode").is_some_and(|encode| encode.trim().eq_ignore_ascii_case("json"));
    match options.flag("header", false)? {
        true if is_json => Err(options.error("header", "belongs to `encode = \"csv\"`")),
        has_header => Ok(has_header),
    }
}

fn header(schema: &SchemaRef, format: &FormatOptions, row_delimiter: &[u8]) -> Vec<u8> {
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut line = names.join(&format.field_delimiter).into_bytes();
    line.extend_from_slice(row_delimiter);
    line
}

struct FileSink {
    name: String,
    schema: SchemaRef,
    format: FormatOptions,
    row_delimiter: Vec<u8>,
    row_kinds: bool,
    output: Output,
    /// Names the user's run.
    run: String,
}

impl FileSink {
    /// Runs work on files where it may block.
    async fn blocking(
        &self,
        what: &str,
        work: impl FnOnce(&Output) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), ConnectorError> {
        let output = self.output.clone();
        let outcome = tokio::task::spawn_blocking(move || work(&output)).await;
        outcome
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
            .map_err(|error| fault(&self.name, what, &error))
    }
}

fn fault(stream: &str, what: &str, error: &std::io::Error) -> ConnectorError {
    ConnectorError::permanent(format!("stream `{stream}`: cannot {what} the output file: {error}"))
}

#[async_trait]
impl SinkConnector for FileSink {
    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    fn takes_row_kinds(&self) -> bool {
        self.row_kinds
    }

    async fn discard_uncommitted(&self, restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        let run = self.run.clone();
        self.blocking("prepare", move |output| match restored_epoch {
            None => output.begin(&run),
            Some(epoch) => output.discard_after(epoch),
        })
        .await
    }

    async fn open(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        let encoder = weir_formats::encoder(Arc::clone(&self.schema), &self.format)
            .map_err(|error| ConnectorError::permanent(format!("stream `{}`: {error}", self.name)))?;
        Ok(Box::new(FileWriter {
            name: self.name.clone(),
            output: self.output.clone(),
            row_delimiter: self.row_delimiter.clone(),
            row_kinds: self.row_kinds,
            encoder,
            records: EncodedRecords::default(),
            kinds: Vec::new(),
            subtask: context.subtask,
            epoch: context.restored_epoch.unwrap_or(0),
            staged: None,
        }))
    }

    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        let name = |bytes: &Vec<u8>| {
            let name = String::from_utf8_lossy(bytes).into_owned();
            match name.contains('/') {
                true => Err(ConnectorError::permanent(format!(
                    "stream `{}`: `{name}` is not a staged file",
                    self.name
                ))),
                false => Ok(name),
            }
        };
        let names = committables.iter().map(name).collect::<Result<Vec<String>, _>>()?;
        self.blocking("append to", move |output| output.commit(&names)).await
    }
}

struct FileWriter {
    name: String,
    output: Output,
    row_delimiter: Vec<u8>,
    row_kinds: bool,
    encoder: Box<dyn Encoder>,
    records: EncodedRecords,
    /// Kind of each record, when they are written.
    kinds: Vec<RowKind>,
    subtask: usize,
    /// The last epoch prepared; what is staged now belongs to the next one.
    epoch: u64,
    staged: Option<(String, BufWriter<File>)>,
}

impl FileWriter {
    fn stage(&mut self) -> std::io::Result<u64> {
        if self.staged.is_none() {
            let (name, file) = self.output.stage(self.epoch + 1, self.subtask)?;
            self.staged = Some((name, BufWriter::with_capacity(BUFFER_BYTES, file)));
        }
        let mut bytes = 0;
        if let Some((_, file)) = &mut self.staged {
            for (place, record) in self.records.iter().enumerate() {
                if let Some(kind) = self.kinds.get(place) {
                    file.write_all(kind.sign().as_bytes())?;
                    file.write_all(b" ")?;
                    bytes += kind.sign().len() + 1;
                }
                file.write_all(record)?;
                file.write_all(&self.row_delimiter)?;
                bytes += record.len() + self.row_delimiter.len();
            }
        }
        Ok(bytes as u64)
    }
}

impl FileWriter {
    /// Keeps the kinds of rows and returns the rows without that column.
    fn take_kinds(&mut self, rows: &RecordBatch) -> Result<RecordBatch, ConnectorError> {
        let (rows, kinds) = row_kinds::split(&self.name, rows)?;
        self.kinds = kinds.unwrap_or_else(|| vec![RowKind::Insert; rows.num_rows()]);
        Ok(rows)
    }
}

#[async_trait]
impl SinkWriter for FileWriter {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        if rows.num_rows() == 0 {
            return Ok(0);
        }
        self.records.clear();
        let rows = match self.row_kinds {
            true => &self.take_kinds(rows)?,
            false => rows,
        };
        self.encoder
            .encode(rows, &mut self.records)
            .map_err(|error| ConnectorError::permanent(format!("stream `{}`: {error}", self.name)))?;
        self.stage().map_err(|error| fault(&self.name, "stage rows of", &error))
    }

    async fn prepare(&mut self, epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        self.epoch = epoch;
        let Some((staged, file)) = self.staged.take() else { return Ok(Prepared::default()) };
        let synced = tokio::task::spawn_blocking(move || {
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_data()
        });
        synced
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
            .map_err(|error| fault(&self.name, "stage rows of", &error))?;
        Ok(Prepared { state: Vec::new(), committable: Some(staged.into_bytes()) })
    }
}
