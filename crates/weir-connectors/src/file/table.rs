//! A dimension table in a local file: held in memory whole, and read again when the file changes.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::OwnedRow;
use async_trait::async_trait;
use flate2::read::MultiGzDecoder;
use weir_base::clock::Clock;
use weir_base::time::Timestamp;
use weir_engine::error::ConnectorError;
use weir_engine::lookup::{LookedUp, LookupConnector, SharedLookup, rows_of};
use weir_formats::FormatOptions;
use weir_sql::DimensionTable;

use crate::content::is_gzip;
use crate::environment::{Environment, FileAccess};
use crate::options::StreamOptions;

/// The largest file, uncompressed: every worker that uses the table holds it in memory.
const MAX_BYTES: u64 = 256 << 20;
/// How often a job that asks looks whether the file has changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Makes the connector of a table.
pub(crate) fn table(
    table: &DimensionTable,
    environment: &Environment,
) -> Result<SharedLookup, ConnectorError> {
    let options = StreamOptions::of_table(table);
    let path = PathBuf::from(options.required("path")?);
    environment.files.existing(&path).map_err(|message| options.error("path", message))?;
    let format = options.format(environment.zone()?)?;
    weir_formats::decoder(Arc::clone(&table.schema), &format).map_err(|error| options.format_error(error))?;
    let file = TableFile {
        schema: Arc::clone(&table.schema),
        path,
        access: environment.files.clone(),
        format,
        delimiter: options.row_delimiter()?,
        header: options.flag("header", false)?,
    };
    Ok(Arc::new(FileTable {
        name: table.name.clone(),
        file: Arc::new(file),
        clock: Arc::clone(&environment.clock),
        content: tokio::sync::Mutex::new(None),
    }))
}

/// Checks the options that are read when the table is made.
pub(super) fn check_options(options: &StreamOptions<'_>) -> Result<(), ConnectorError> {
    options.row_delimiter()?;
    options.flag("header", false).map(drop)
}

struct FileTable {
    name: String,
    file: Arc<TableFile>,
    clock: Arc<dyn Clock>,
    content: tokio::sync::Mutex<Option<Seen>>,
}

/// What was read last, and when it was looked whether the file is still that.
struct Seen {
    content: Arc<Content>,
    stamp: Stamp,
    checked: Timestamp,
}

/// Changes whenever a file is written or replaced.
type Stamp = (Option<SystemTime>, u64);

/// How the file is read.
struct TableFile {
    schema: SchemaRef,
    path: PathBuf,
    access: FileAccess,
    format: FormatOptions,
    delimiter: Vec<u8>,
    header: bool,
}

struct Content {
    rows: RecordBatch,
    /// For each set of columns that was asked by: the rows of each key.
    indices: Mutex<HashMap<Vec<usize>, Arc<Index>>>,
}

type Index = HashMap<OwnedRow, Vec<u32>>;

impl FileTable {
    /// Returns the content of the file, read again when it has changed.
    async fn content(&self) -> Result<Arc<Content>, ConnectorError> {
        let mut seen = self.content.lock().await;
        let now = self.clock.now();
        if let Some(seen) = seen.as_ref().filter(|seen| now < seen.checked.plus(CHECK_INTERVAL)) {
            return Ok(Arc::clone(&seen.content));
        }
        let (file, known) = (Arc::clone(&self.file), seen.as_ref().map(|seen| seen.stamp));
        let read = tokio::task::spawn_blocking(move || file.read_unless(known)).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        match (read, seen.as_mut()) {
            (Ok(None), Some(seen)) => seen.checked = now,
            (Ok(None), None) => return Err(self.error("it could not be read")),
            (Ok(Some((content, stamp))), _) => {
                *seen = Some(Seen { content: Arc::new(content), stamp, checked: now });
            }
            (Err(message), None) => return Err(self.error(&message)),
            (Err(reason), Some(seen)) => {
                // Most likely it is being written. The former content is whole; the next look tries again.
                tracing::warn!(
                    table = self.name,
                    reason,
                    "the file has changed but cannot be read; its former rows stay"
                );
                seen.checked = now;
            }
        }
        seen.as_ref().map(|seen| Arc::clone(&seen.content)).ok_or_else(|| self.error("it could not be read"))
    }

    fn error(&self, message: &str) -> ConnectorError {
        let path = self.file.path.display();
        ConnectorError::permanent(format!("table `{}`: cannot read `{path}`: {message}", self.name))
    }
}

impl TableFile {
    /// Reads the file, unless it is still the one with the stamp `known`.
    fn read_unless(&self, known: Option<Stamp>) -> Result<Option<(Content, Stamp)>, String> {
        let path = self.access.existing(&self.path)?;
        let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err("it is not a file".to_string());
        }
        let stamp = (metadata.modified().ok(), metadata.len());
        if known == Some(stamp) {
            return Ok(None);
        }
        let rows = self.decode(&read(&path)?)?;
        Ok(Some((Content { rows, indices: Mutex::default() }, stamp)))
    }

    fn decode(&self, bytes: &[u8]) -> Result<RecordBatch, String> {
        let mut decoder = weir_formats::decoder(Arc::clone(&self.schema), &self.format)
            .map_err(|error| error.to_string())?;
        let end_of_header = match self.header {
            true => memchr::memmem::find(bytes, &self.delimiter)
                .map_or(bytes.len(), |at| at + self.delimiter.len()),
            false => 0,
        };
        let records = &bytes[end_of_header..];
        let mut first_fault = None;
        let mut fault = |at: usize, _: &[u8], dirty: weir_formats::Dirty| {
            first_fault.get_or_insert((end_of_header + at, dirty.reason));
        };
        let consumed = decoder.push_records(records, &self.delimiter, &mut fault);
        decoder.push_last(&records[consumed..], &self.delimiter, &mut |_, record, dirty| {
            fault(consumed, record, dirty);
        });
        match first_fault {
            Some((at, reason)) => Err(format!("the record at byte {at}: {reason}")),
            None => Ok(decoder.flush()),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let reader: Box<dyn Read> = match path.to_str().is_some_and(is_gzip) {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(format!("it has more than {} MiB, which a table in memory may not", MAX_BYTES >> 20)),
        false => Ok(bytes),
    }
}

impl Content {
    fn index(&self, key_columns: &[usize]) -> Result<Arc<Index>, ArrowError> {
        // An index is whole when it is inserted.
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indices.get(key_columns) {
            return Ok(Arc::clone(index));
        }
        let keys = self.rows.project(key_columns)?;
        let (_, rows) = rows_of(&keys)?;
        let mut index = Index::new();
        for (row, at) in rows.iter().zip(0u32..) {
            if keys.columns().iter().all(|column| column.is_valid(at as usize)) {
                index.entry(row.owned()).or_default().push(at);
            }
        }
        let index = Arc::new(index);
        indices.insert(key_columns.to_vec(), Arc::clone(&index));
        Ok(index)
    }

    fn find(&self, key_columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ArrowError> {
        let index = self.index(key_columns)?;
        let (_, asked) = rows_of(keys)?;
        let (mut rows, mut answered) = (Vec::new(), Vec::new());
        for (key, at) in asked.iter().zip(0u32..) {
            for row in index.get(&key.owned()).into_iter().flatten() {
                rows.push(*row);
                answered.push(at);
            }
        }
        let rows = take_record_batch(&self.rows, &UInt32Array::from(rows))?;
        Ok(LookedUp { rows, keys: answered, faults: Vec::new() })
    }
}

#[async_trait]
impl LookupConnector for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.file.schema)
    }

    async fn look_up(&self, key_columns: &[usize], keys: &RecordBatch) -> Result<LookedUp, ConnectorError> {
        let content = self.content().await?;
        content.find(key_columns, keys).map_err(|error| self.error(&error.to_string()))
    }

    fn cached_bytes(&self) -> usize {
        let seen = self.content.try_lock();
        let content = seen.ok().and_then(|seen| seen.as_ref().map(|seen| Arc::clone(&seen.content)));
        content.map_or(0, |content| content.rows.get_array_memory_size())
    }
}
