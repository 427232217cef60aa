//! Writes objects: options, clean-up, commit. The writer is in `writer`.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use weir_base::clock::Clock;
use weir_cloud::objects::{Objects, ObjectsError};
use weir_engine::error::ConnectorError;
use weir_engine::sink::{Guarantee, SharedSink, SinkConnector, SinkWriter, WriterContext};
use weir_formats::FormatOptions;
use weir_sql::SinkStream;

use super::bucket_fault;
use super::directory::{Directory, Splitter};
use super::naming::{Numbers, RollingInterval};
use super::part::{Committable, State};
use super::stage::Stage;
use super::writer::ObjectWriter;
use crate::environment::Environment;
use crate::options::StreamOptions;

/// What `append = "true"` means for objects, which cannot be appended to.
const APPEND_RECORDS: u64 = 10_000;
const APPEND_INTERVAL: Duration = Duration::from_secs(60);
/// Objects committed at once: enough to hide the round trips to a remote store.
const COMMITS: usize = 8;

const INTERVALS: &str = "`yyyy`, `yyyy/MM`, `yyyy/MM/dd`, `yyyy/MM/dd/HH`, `yyyy/MM/dd/HH/mm`";

/// When an object is finished and where it goes.
#[derive(Debug, Clone)]
pub(crate) struct Rolling {
    pub bytes: Option<u64>,
    pub records: Option<u64>,
    pub age: Option<Duration>,
    pub interval: Option<RollingInterval>,
}

/// Makes the connector of a stream.
pub(crate) fn sink(stream: &SinkStream, environment: &Environment) -> Result<SharedSink, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let Placement { file_prefix, rolling } = Placement::new(&options)?;
    let directory = Directory::new(options.required("obs_dir")?, &stream.schema)
        .map_err(|message| options.error("obs_dir", message))?;
    let format = options.format(environment.zone()?)?;
    weir_formats::encoder(Arc::clone(&stream.schema), &format)
        .map_err(|error| options.format_error(error))?;
    Splitter::new(directory.clone(), &stream.schema, format.zone)
        .map_err(|error| options.format_error(error))?;
    Ok(Arc::new(ObsSink {
        stream: stream.name.clone(),
        schema: Arc::clone(&stream.schema),
        format,
        row_delimiter: options.row_delimiter()?,
        directory,
        file_prefix,
        rolling,
        job: environment.job.clone(),
        objects: environment.objects.clone(),
        clock: Arc::clone(&environment.clock),
        is_transactional: environment.is_transactional(),
    }))
}

/// What the options say about the objects.
pub(super) struct Placement {
    file_prefix: String,
    rolling: Rolling,
}

impl Placement {
    pub fn new(options: &StreamOptions<'_>) -> Result<Self, ConnectorError> {
        let given = |name| options.get(name).filter(|value| !value.trim().is_empty());
        for name in ["encoded_data", "dis_notice_channel"] {
            if given(name).is_some() {
                return Err(options.error(name, "is not supported yet; leave it out"));
            }
        }
        let appends = options.flag("append", true)?;
        if !appends && given("max_record_num_per_file").is_none() {
            return Err(options.error("append", "`false` needs option `max_record_num_per_file`"));
        }
        let directory = options.required("obs_dir")?;
        if appends && directory.contains("${") {
            return Err(options.error("obs_dir", "`${column}` needs `append = \"false\"`"));
        }
        super::directory::check(directory).map_err(|message| options.error("obs_dir", message))?;
        let file_prefix = given("file_prefix").unwrap_or("temp").to_string();
        if file_prefix.contains('/') {
            return Err(options.error("file_prefix", "must not contain `/`; folders belong to `obs_dir`"));
        }
        Ok(Self { file_prefix, rolling: Rolling::new(options, appends)? })
    }
}

impl Rolling {
    fn new(options: &StreamOptions<'_>, appends: bool) -> Result<Self, ConnectorError> {
        let parse = |text: &str| {
            RollingInterval::parse(text).ok_or_else(|| {
                options.error("rolling_interval", format!("`{text}` is not one of {INTERVALS}"))
            })
        };
        let interval = options.get("rolling_interval").filter(|text| !text.trim().is_empty());
        let rolling = Self {
            bytes: options.bytes("rolling_size")?,
            records: options.positive("max_record_num_per_file")?.or(appends.then_some(APPEND_RECORDS)),
            age: options.seconds("dump_interval")?.or(appends.then_some(APPEND_INTERVAL)),
            interval: interval.map(parse).transpose()?,
        };
        if rolling.bytes.is_none() && rolling.interval.is_none() {
            return Err(options.missing("one of `rolling_size` and `rolling_interval` must be given"));
        }
        Ok(rolling)
    }
}

/// Whether the bucket that a stream is written to is there.
pub(crate) async fn has_bucket(
    stream: &SinkStream,
    environment: &Environment,
) -> Result<bool, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let directory = Directory::new(options.required("obs_dir")?, &stream.schema)
        .map_err(|message| options.error("obs_dir", message))?;
    match environment.objects.bucket(&directory.bucket).await {
        Ok(_) => Ok(true),
        Err(ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_)) => Ok(false),
        Err(error) => Err(bucket_fault(&stream.name, &error)),
    }
}

struct ObsSink {
    stream: String,
    schema: SchemaRef,
    format: FormatOptions,
    row_delimiter: Vec<u8>,
    directory: Directory,
    file_prefix: String,
    rolling: Rolling,
    job: String,
    objects: Objects,
    clock: Arc<dyn Clock>,
    is_transactional: bool,
}

impl ObsSink {
    async fn stage(&self) -> Result<Stage, ConnectorError> {
        let store = self.objects.bucket(&self.directory.bucket).await;
        let store = store.map_err(|error| bucket_fault(&self.stream, &error))?;
        Ok(Stage::new(&self.stream, &self.job, store))
    }

    fn error(&self, message: impl std::fmt::Display) -> ConnectorError {
        ConnectorError::permanent(format!("stream `{}`: {message}", self.stream))
    }

    /// Puts the states of earlier writers together; parts that were committed since are left out.
    async fn restore(&self, stage: &Stage, states: &[Vec<u8>]) -> Result<State, ConnectorError> {
        let mut restored = State::default();
        for bytes in states.iter().filter(|bytes| !bytes.is_empty()) {
            let state =
                State::decode(bytes).ok_or_else(|| self.error("the stored state of the sink is damaged"))?;
            restored.used = restored.used.max(state.used);
            for part in state.parts {
                // Without exactly-once a part may have been committed after the checkpoint: its chunks are gone.
                match stage.has_all(&part.chunks).await? {
                    true => restored.parts.push(part),
                    false => stage.remove_all(&part.chunks).await?,
                }
            }
        }
        Ok(restored)
    }
}

#[async_trait]
impl SinkConnector for ObsSink {
    fn guarantee(&self) -> Guarantee {
        Guarantee::ExactlyOnce
    }

    async fn discard_uncommitted(&self, restored_epoch: Option<u64>) -> Result<(), ConnectorError> {
        // Flushes between checkpoints have numbers of their own: they do not tell which chunks the restored
        // state holds, so that all are kept.
        if restored_epoch.is_some() && !self.is_transactional {
            return Ok(());
        }
        self.stage().await?.discard(restored_epoch).await
    }

    async fn open(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>, ConnectorError> {
        let stage = self.stage().await?;
        let State { used, parts } = self.restore(&stage, &context.states).await?;
        let existing = stage.greatest_number(&self.directory.root(), &self.file_prefix).await?;
        let numbers = Numbers::new(context.subtask, context.parallelism, used.max(existing));
        let encoder =
            weir_formats::encoder(Arc::clone(&self.schema), &self.format).map_err(|e| self.error(e))?;
        let zone = self.format.zone;
        let splitter =
            Splitter::new(self.directory.clone(), &self.schema, zone).map_err(|e| self.error(e))?;
        Ok(Box::new(ObjectWriter {
            stage,
            splitter,
            encoder,
            row_delimiter: self.row_delimiter.clone(),
            file_prefix: self.file_prefix.clone(),
            rolling: self.rolling.clone(),
            clock: Arc::clone(&self.clock),
            zone,
            numbers,
            subtask: context.subtask,
            epoch: context.restored_epoch.unwrap_or(0),
            parts: parts.into(),
            finished: Committable::default(),
            records: weir_formats::EncodedRecords::default(),
        }))
    }

    async fn commit(&self, committables: &[Vec<u8>]) -> Result<(), ConnectorError> {
        let stage = self.stage().await?;
        for bytes in committables {
            let committable: Committable = serde_json::from_slice(bytes)
                .map_err(|error| self.error(format!("stored output cannot be read: {error}")))?;
            let commits = committable.objects.into_iter().map(|object| {
                let stage = stage.clone();
                async move { stage.commit(&object).await }
            });
            let mut commits = stream::iter(commits).buffer_unordered(COMMITS);
            while commits.try_next().await?.is_some() {}
        }
        Ok(())
    }
}
