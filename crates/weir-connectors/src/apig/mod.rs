//! A sink whose newest records are read over the gateway of the service.
//!
//! A subtask holds the newest records since the last checkpoint in memory, stages them at the barrier, and shows them
//! when the checkpoint commits. What the gateway would not keep is not even encoded.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use weir_base::clock::Clock;
use weir_base::connector::{ConnectorSpec, Need, OptionSpec, Role, RoleSpec};
use weir_base::id::JobId;
use weir_cloud::gateway::{
    Encoding, Gateway, GatewaySink, MOST_RECORDS, Newest, RecordForm, SinkColumn, Staged, WrittenRecord,
};
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, Prepared, SharedSink, SinkConnector, SinkWriter, WriterContext};
use weir_formats::{Encode, EncodedRecords, Encoder, FormatOptions};
use weir_functions::conversion::type_name;
use weir_sql::SinkStream;

use crate::catalog::{ENCODINGS, REGION, SWITCH, choice, text};
use crate::environment::Environment;
use crate::options::StreamOptions;

const DELIMITER: OptionSpec =
    text("field_delimiter", Need::WithEncode(&["csv"]), "csv: one or more characters between two fields.");

/// What the checker and the reference page say of it.
pub(crate) static SPEC: ConnectorSpec = ConnectorSpec {
    name: "apig",
    summary: "The newest 1,000 records, at most 1 MiB of them, for readers over the gateway of the service. They show when the checkpoint commits, stay when the job stops, and go with the job.",
    roles: &[RoleSpec {
        role: Role::Sink,
        options: &[
            text("app_id", Need::Mandatory, "The application that may read: whoever sends it in `X-App-Id`."),
            choice("encode", Need::Mandatory, ENCODINGS, "Encoding of a record."),
            DELIMITER,
            choice(
                "enable_output_null",
                Need::Optional("true"),
                SWITCH,
                "json: whether NULL columns are written.",
            ),
            REGION,
        ],
        ignored: &["ak", "sk", "quote", "row_delimiter"],
        rule: None,
        columns: None,
    }],
    shared_cluster: true,
};

/// Makes the connector of a stream.
pub(crate) fn sink(stream: &SinkStream, environment: &Environment) -> Result<SharedSink, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let format = FormatOptions { quote: None, ..options.format(environment.zone()?)? };
    weir_formats::encoder(Arc::clone(&stream.schema), &format)
        .map_err(|error| options.format_error(error))?;
    let columns = stream.schema.fields().iter().map(|field| SinkColumn {
        name: field.name().clone(),
        sql_type: type_name(field.data_type()).to_uppercase(),
    });
    let is_json = format.encode == Encode::Json;
    let entry = GatewaySink {
        name: stream.name.to_uppercase(),
        project: weir_base::id::ProjectId(environment.project.clone()),
        app_id: options.required("app_id")?.to_string(),
        form: RecordForm {
            encoding: if is_json { Encoding::Json } else { Encoding::Csv },
            delimiter: (!is_json).then(|| format.field_delimiter.clone()),
            columns: columns.collect(),
        },
    };
    Ok(Arc::new(ApigSink {
        schema: Arc::clone(&stream.schema),
        format,
        clock: Arc::clone(&environment.clock),
        target: Target { gateway: environment.gateway.clone(), stream: stream.name.clone(), entry },
    }))
}

/// The sink that is written.
#[derive(Clone)]
struct Target {
    gateway: Option<(Gateway, JobId)>,
    stream: String,
    entry: GatewaySink,
}

impl Target {
    fn gateway(&self) -> Result<(&Gateway, JobId), ConnectorError> {
        match &self.gateway {
            Some((gateway, job)) => Ok((gateway, *job)),
            None => Err(ConnectorError::permanent(format!(
                "stream `{}`: a sink of type `apig` is read over the gateway of a service; run the job there, or use a sink of type `print` here",
                self.stream
            ))),
        }
    }

    fn fault(&self, error: &std::io::Error) -> ConnectorError {
        ConnectorError::transient(format!(
            "stream `{}`: the records for the gateway cannot be kept: {error}",
            self.stream
        ))
    }

    fn broken(&self, error: impl std::fmt::Display) -> ConnectorError {
        ConnectorError::permanent(format!("stream `{}`: {error}", self.stream))
    }
}

struct ApigSink {
    schema: SchemaRef,
    format: FormatOptions,
    clock: Arc<dyn Clock>,
    target: Target,
}

#[async_trait]
impl SinkConnector for ApigSink {
    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    async fn discard_uncommitted(&self, restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        let (gateway, job) = self.target.gateway()?;
        let entry = &self.target.entry;
        let registered = gateway.register(job, entry.clone()).await;
        registered.map_err(|error| self.target.fault(&error))?;
        let discarded = gateway.discard(job, &entry.name, restored_epoch).await;
        discarded.map_err(|error| self.target.fault(&error))
    }

    async fn open(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        Ok(Box::new(ApigWriter {
            encoder: weir_formats::encoder(Arc::clone(&self.schema), &self.format)
                .map_err(|error| self.target.broken(error))?,
            clock: Arc::clone(&self.clock),
            target: self.target.clone(),
            subtask: context.subtask,
            newest: Newest::default(),
            encoded: EncodedRecords::default(),
        }))
    }

    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        let (gateway, job) = self.target.gateway()?;
        let staged = committables.iter().map(|committable| serde_json::from_slice(committable));
        let staged: Vec<Staged> = staged.collect::<Result<_, _>>().map_err(|error| {
            self.target.broken(format!("what a checkpoint staged cannot be read: {error}"))
        })?;
        let committed = gateway.commit(job, &self.target.entry.name, staged).await;
        let missing = committed.map_err(|error| self.target.fault(&error))?;
        if missing > 0 {
            // After the files were lost, or when the savepoint is that of another job. The job need not end for it.
            tracing::warn!(stream = %self.target.stream, missing, "records that were staged for the gateway are not here and do not show");
        }
        Ok(())
    }
}

struct ApigWriter {
    encoder: Box<dyn Encoder>,
    clock: Arc<dyn Clock>,
    target: Target,
    subtask: usize,
    newest: Newest,
    encoded: EncodedRecords,
}

#[async_trait]
impl SinkWriter for ApigWriter {
    async fn write(&mut self, rows: &RecordBatch) -> Result<u64, ConnectorError> {
        let kept = rows.num_rows().min(MOST_RECORDS);
        if kept == 0 {
            return Ok(0);
        }
        self.encoded.clear();
        let rows = rows.slice(rows.num_rows() - kept, kept);
        self.encoder.encode(&rows, &mut self.encoded).map_err(|error| self.target.broken(error))?;
        let at = self.clock.now().0;
        for record in self.encoded.iter() {
            self.newest.push(WrittenRecord { at, text: String::from_utf8_lossy(record).into_owned() });
        }
        Ok(self.encoded.bytes.len() as u64)
    }

    async fn prepare(&mut self, epoch: u64, _last: bool) -> Result<Prepared, ConnectorError> {
        if self.newest.is_empty() {
            return Ok(Prepared::default());
        }
        let (gateway, job) = self.target.gateway()?;
        let staged = Staged { subtask: self.subtask, epoch };
        let committable = serde_json::to_vec(&staged).map_err(|error| self.target.broken(error))?;
        let kept = gateway.stage(job, &self.target.entry.name, staged, self.newest.take()).await;
        kept.map_err(|error| self.target.fault(&error))?;
        Ok(Prepared { state: Vec::new(), committable: Some(committable) })
    }
}
