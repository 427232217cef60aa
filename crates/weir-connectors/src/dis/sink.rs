//! Writes to a stream in transactions, one for each subtask and checkpoint.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use weir_cloud::streams::{NewRecord, Placement, Streams, StreamsError, TransactionId};
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SharedSink, SinkConnector, SinkWriter, WriterContext};
use weir_formats::{Encode, EncodedRecords, Encoder, FormatOptions};
use weir_sql::SinkStream;

use super::fault;
use crate::environment::Environment;
use crate::options::StreamOptions;

/// Bytes held in memory before they are staged: each staging costs a call to the store.
const STAGE_BYTES: usize = 1 << 20;
/// Records held in memory before they are staged.
const STAGE_RECORDS: usize = 16_384;

/// Makes the connector of a stream.
pub(crate) fn sink(stream: &SinkStream, environment: &Environment) -> Result<SharedSink, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    // A message is one record; quotes belong to files (obs, dws).
    let format = FormatOptions { quote: None, ..options.format(environment.zone()?)? };
    weir_formats::encoder(Arc::clone(&stream.schema), &format)
        .map_err(|error| options.format_error(error))?;
    let key_format = FormatOptions {
        encode: Encode::Csv,
        field_delimiter: ",".to_string(),
        quote: None,
        json_config: None,
        ..format.clone()
    };
    let names: Vec<&str> = stream.schema.fields().iter().map(|field| field.name().as_str()).collect();
    let key_columns = key_columns(options.get("partition_key").unwrap_or_default(), &names)
        .map_err(|message| options.error("partition_key", message))?;
    key_encoder(&stream.schema, &key_columns, &key_format).map_err(|error| options.format_error(error))?;
    Ok(Arc::new(DisSink {
        schema: Arc::clone(&stream.schema),
        format,
        key_columns,
        key_format,
        target: Target {
            streams: Arc::clone(&environment.streams),
            name: stream.name.clone(),
            project: environment.project.clone(),
            channel: options.required("channel")?.to_string(),
            writer: format!("{}/{}", environment.job, stream.name),
        },
    }))
}

/// Whether the channel that a stream is written to is there.
pub(crate) async fn has_channel(
    stream: &SinkStream,
    environment: &Environment,
) -> Result<bool, ConnectorError> {
    let channel = StreamOptions::new(&stream.name, &stream.options).required("channel")?;
    match environment.streams.partitions(&environment.project, channel).await {
        Ok(_) => Ok(true),
        Err(StreamsError::NoStream(_) | StreamsError::Invalid(_)) => Ok(false),
        Err(error) => Err(fault(&stream.name, channel, &error)),
    }
}

/// Returns the columns that `partition_key` names, given the declared names.
pub(super) fn key_columns(partition_key: &str, declared: &[&str]) -> Result<Vec<usize>, String> {
    let column = |name: &str| {
        let exact = declared.iter().position(|column| *column == name);
        exact
            .or_else(|| declared.iter().position(|column| column.eq_ignore_ascii_case(name)))
            .ok_or_else(|| format!("the stream has no column `{name}`"))
    };
    partition_key.split(',').map(str::trim).filter(|name| !name.is_empty()).map(column).collect()
}

/// Returns what turns the key columns into text, or `None` without a key.
fn key_encoder(
    schema: &Schema,
    columns: &[usize],
    format: &FormatOptions,
) -> Result<Option<Box<dyn Encoder>>, weir_formats::FormatError> {
    if columns.is_empty() {
        return Ok(None);
    }
    let fields: Vec<_> = columns.iter().map(|column| schema.field(*column).clone()).collect();
    weir_formats::encoder(Arc::new(Schema::new(fields)), format).map(Some)
}

/// The stream that is written.
#[derive(Clone)]
struct Target {
    streams: Arc<dyn Streams>,
    name: String,
    project: String,
    channel: String,
    /// Name of the sink in transactions.
    writer: String,
}

impl Target {
    fn fault(&self, error: &StreamsError) -> ConnectorError {
        fault(&self.name, &self.channel, error)
    }
}

struct DisSink {
    schema: SchemaRef,
    format: FormatOptions,
    key_columns: Vec<usize>,
    key_format: FormatOptions,
    target: Target,
}

#[async_trait]
impl SinkConnector for DisSink {
    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    async fn discard_uncommitted(&self, restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        let Target { streams, project, channel, writer, .. } = &self.target;
        streams
            .discard(project, channel, writer, restored_epoch)
            .await
            .map_err(|error| self.target.fault(&error))
    }

    async fn open(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        let failed = |error| ConnectorError::permanent(format!("stream `{}`: {error}", self.target.name));
        let Target { streams, project, channel, .. } = &self.target;
        // A missing stream is found before the first row.
        streams.partitions(project, channel).await.map_err(|error| self.target.fault(&error))?;
        Ok(Box::new(DisWriter {
            encoder: weir_formats::encoder(Arc::clone(&self.schema), &self.format).map_err(failed)?,
            key_encoder: key_encoder(&self.schema, &self.key_columns, &self.key_format).map_err(failed)?,
            key_columns: self.key_columns.clone(),
            target: self.target.clone(),
            subtask: context.subtask,
            epoch: context.restored_epoch.unwrap_or(0),
            pending: Vec::new(),
            pending_bytes: 0,
            has_staged: false,
            records: EncodedRecords::default(),
            keys: EncodedRecords::default(),
        }))
    }

    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        let Target { streams, project, channel, name, .. } = &self.target;
        for committable in committables {
            let transaction: TransactionId = serde_json::from_slice(committable).map_err(|error| {
                ConnectorError::permanent(format!(
                    "stream `{name}`: a stored transaction cannot be read: {error}"
                ))
            })?;
            let committed = streams.commit(project, channel, &transaction).await;
            committed.map_err(|error| self.target.fault(&error))?;
        }
        Ok(())
    }
}

struct DisWriter {
    encoder: Box<dyn Encoder>,
    key_encoder: Option<Box<dyn Encoder>>,
    key_columns: Vec<usize>,
    target: Target,
    subtask: usize,
    /// The last epoch prepared; what is written now is staged for the next one.
    epoch: u64,
    pending: Vec<NewRecord>,
    pending_bytes: usize,
    has_staged: bool,
    records: EncodedRecords,
    keys: EncodedRecords,
}

impl DisWriter {
    fn transaction(&self) -> TransactionId {
        TransactionId { writer: self.target.writer.clone(), subtask: self.subtask, epoch: self.epoch + 1 }
    }

    fn encode(&mut self, rows: &RecordBatch) -> Result<(), ConnectorError> {
        let failed = |error| ConnectorError::permanent(format!("stream `{}`: {error}", self.target.name));
        self.records.clear();
        self.encoder.encode(rows, &mut self.records).map_err(failed)?;
        if let Some(encoder) = &mut self.key_encoder {
            self.keys.clear();
            let columns = rows.project(&self.key_columns).map_err(|error| {
                ConnectorError::permanent(format!("stream `{}`: {error}", self.target.name))
            })?;
            encoder.encode(&columns, &mut self.keys).map_err(failed)?;
        }
        // One allocation for the batch; the records share it.
        let shared = Bytes::copy_from_slice(&self.records.bytes);
        let mut start = 0;
        let mut keys = self.keys.iter();
        for end in &self.records.ends {
            let placement = match self.key_encoder.is_some().then(|| keys.next()).flatten() {
                Some(key) => Placement::Key(String::from_utf8_lossy(key).into_owned()),
                None => Placement::Any,
            };
            self.pending.push(NewRecord { placement, data: shared.slice(start..*end) });
            start = *end;
        }
        self.pending_bytes += self.records.bytes.len();
        Ok(())
    }

    async fn stage(&mut self) -> Result<(), ConnectorError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let transaction = self.transaction();
        let records = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.has_staged = true;
        let Target { streams, project, channel, .. } = &self.target;
        streams
            .stage(project, channel, &transaction, records)
            .await
            .map_err(|error| self.target.fault(&error))
    }
}

#[async_trait]
impl SinkWriter for DisWriter {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        if rows.num_rows() == 0 {
            return Ok(0);
        }
        self.encode(rows)?;
        let bytes = self.records.bytes.len() as u64;
        if self.pending_bytes >= STAGE_BYTES || self.pending.len() >= STAGE_RECORDS {
            self.stage().await?;
        }
        Ok(bytes)
    }

    async fn prepare(&mut self, epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        self.stage().await?;
        let transaction = self.transaction();
        self.epoch = epoch;
        if !std::mem::take(&mut self.has_staged) {
            return Ok(Prepared::default());
        }
        let Target { streams, project, channel, .. } = &self.target;
        streams.seal(project, channel, &transaction).await.map_err(|error| self.target.fault(&error))?;
        let committable = serde_json::to_vec(&transaction)
            .map_err(|error| ConnectorError::permanent(format!("stream `{}`: {error}", self.target.name)))?;
        Ok(Prepared { state: Vec::new(), committable: Some(committable) })
    }
}
