//! Chooses the partitions of a stream and where to begin in each.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use weir_base::text::Zone;
use weir_engine::error::ConnectorError;
use weir_engine::source::{SharedSource, SourceConnector, SourceReader, Split};
use weir_formats::FormatOptions;
use weir_sql::SourceStream;

use super::fault;
use super::positions::{Consumer, Kept};
use super::reader::{PartitionReader, Progress};
use crate::environment::Environment;
use crate::options::StreamOptions;

/// How often positions are stored at the stream when the job does not say.
const STORE_INTERVAL: Duration = Duration::from_secs(60);

/// Makes the connector of a stream.
pub(crate) fn source(
    stream: &SourceStream,
    environment: &Environment,
) -> Result<SharedSource, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let zone = environment.zone()?;
    let Reading { chosen, start, kept } = Reading::new(&options, &zone)?;
    let kept = kept.map(|(app, interval)| Kept {
        app: app.unwrap_or_else(|| environment.job.clone()),
        interval,
        stored_at: AtomicI64::new(environment.clock.now().0),
    });
    let format = options.format(zone)?;
    weir_formats::decoder(Arc::clone(&stream.declared), &format)
        .map_err(|error| options.format_error(error))?;
    Ok(Arc::new(DisSource {
        schema: Arc::clone(&stream.declared),
        format,
        chosen,
        start,
        has_checkpoints: environment.settings.checkpoint.is_some(),
        consumer: Arc::new(Consumer {
            streams: Arc::clone(&environment.streams),
            clock: Arc::clone(&environment.clock),
            name: stream.name.clone(),
            project: environment.project.clone(),
            channel: options.required("channel")?.to_string(),
            kept,
        }),
    }))
}

/// What the options say about reading.
pub(super) struct Reading {
    chosen: Chosen,
    start: Start,
    /// The consumer under which positions are kept, when it is named, and how often.
    kept: Option<(Option<String>, Duration)>,
}

impl Reading {
    pub fn new(options: &StreamOptions<'_>, zone: &Zone) -> Result<Self, ConnectorError> {
        let start = match (options.instant("start_time", zone)?, options.number::<u64>("offset")?) {
            (Some(instant), _) => Start::Time(instant),
            (None, Some(offset)) => Start::Offset(offset),
            (None, None) => Start::Newest,
        };
        let app = options.get("checkpoint_app_name").filter(|name| !name.is_empty()).map(str::to_string);
        let interval = options.seconds("checkpoint_interval")?.unwrap_or(STORE_INTERVAL);
        let kept = options.flag("enable_checkpoint", false)?.then_some((app, interval));
        Ok(Self { chosen: chosen(options)?, start, kept })
    }
}

/// Where to begin in a partition without a stored position.
#[derive(Debug, Clone, Copy)]
enum Start {
    Time(i64),
    Offset(u64),
    Newest,
}

/// Which partitions are read: all, or `first..=last`.
type Chosen = Option<(u32, u32)>;

fn chosen(options: &StreamOptions<'_>) -> Result<Chosen, ConnectorError> {
    let count = options.number::<u32>("partition_count")?;
    let range = options.get("partition_range").filter(|text| !text.trim().is_empty());
    match (count, range) {
        (Some(_), Some(_)) => {
            Err(options.error("partition_range", "cannot be combined with `partition_count`"))
        }
        (Some(0), None) => Err(options.error("partition_count", "must be at least 1")),
        (Some(count), None) => Ok(Some((0, count - 1))),
        (None, Some(range)) => {
            parse_range(range).map(Some).map_err(|text| options.error("partition_range", text))
        }
        (None, None) => Ok(None),
    }
}

/// Parses `[a:b]`.
fn parse_range(text: &str) -> Result<(u32, u32), String> {
    let inner = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let numbers = inner.and_then(|inner| {
        let (first, last) = inner.split_once(':')?;
        Some((first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?))
    });
    match numbers {
        Some((first, last)) if first <= last => Ok((first, last)),
        _ => Err(format!("`{text}` is not a range such as `[0:2]`")),
    }
}

struct DisSource {
    schema: SchemaRef,
    format: FormatOptions,
    chosen: Chosen,
    start: Start,
    /// Whether the job takes checkpoints, after which positions are stored.
    has_checkpoints: bool,
    consumer: Arc<Consumer>,
}

impl DisSource {
    fn error(&self, error: &weir_cloud::streams::StreamsError) -> ConnectorError {
        fault(&self.consumer.name, &self.consumer.channel, error)
    }

    async fn partitions(&self) -> Result<Vec<u32>, ConnectorError> {
        let Consumer { streams, project, channel, name, .. } = self.consumer.as_ref();
        let all = streams.partitions(project, channel).await.map_err(|error| self.error(&error))?;
        let Some((first, last)) = self.chosen else { return Ok(all) };
        let read: Vec<u32> = all.iter().copied().filter(|id| (first..=last).contains(id)).collect();
        if read.len() as u64 != u64::from(last - first) + 1 {
            return Err(ConnectorError::permanent(format!(
                "stream `{name}`: channel `{channel}` has {} partitions, so that partitions {first} to {last} cannot be read; correct `partition_count` or `partition_range`",
                all.len()
            )));
        }
        Ok(read)
    }

    async fn first_position(&self, partition: u32) -> Result<u64, ConnectorError> {
        if let Some(stored) = self.consumer.stored(partition).await? {
            return Ok(stored);
        }
        let Consumer { streams, project, channel, .. } = self.consumer.as_ref();
        let position = match self.start {
            Start::Time(instant) => streams.position_at(project, channel, partition, instant).await,
            Start::Offset(offset) => {
                streams.bounds(project, channel, partition).await.map(|b| offset.clamp(b.earliest, b.next))
            }
            Start::Newest => streams.bounds(project, channel, partition).await.map(|bounds| bounds.next),
        };
        position.map_err(|error| self.error(&error))
    }

    /// Returns where a reader begins. A split without a position is one that came into being after the
    /// job's checkpoint: it is read from its oldest record on.
    async fn progress(&self, split: Split) -> Result<Progress, ConnectorError> {
        let Some(partition) = partition_of(&split.id) else {
            let text = format!("stream `{}`: `{}` does not name a partition", self.consumer.name, split.id);
            return Err(ConnectorError::permanent(text));
        };
        let next = match &split.position {
            Some(text) => text.parse().map_err(|_| {
                let name = &self.consumer.name;
                ConnectorError::permanent(format!(
                    "stream `{name}`: `{text}` is not a position of `{}`",
                    split.id
                ))
            })?,
            None => {
                let Consumer { streams, project, channel, .. } = self.consumer.as_ref();
                let bounds = streams.bounds(project, channel, partition).await;
                bounds.map_err(|error| self.error(&error))?.earliest
            }
        };
        Ok(Progress { partition, id: split.id, next })
    }
}

fn split_id(partition: u32) -> String {
    format!("shardId-{partition:010}")
}

fn partition_of(split: &str) -> Option<u32> {
    split.strip_prefix("shardId-")?.parse().ok()
}

#[async_trait]
impl SourceConnector for DisSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        let mut splits = Vec::new();
        for partition in self.partitions().await? {
            // Fixed now and not when the reader opens: a checkpoint before the first record must hold it.
            let position = self.first_position(partition).await?.to_string();
            splits.push(Split { id: split_id(partition), position: Some(position), finished: false });
        }
        Ok(splits)
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let decoder = weir_formats::decoder(Arc::clone(&self.schema), &self.format).map_err(|error| {
            ConnectorError::permanent(format!("stream `{}`: {error}", self.consumer.name))
        })?;
        let mut partitions = Vec::with_capacity(splits.len());
        for split in splits {
            partitions.push(self.progress(split).await?);
        }
        Ok(Box::new(PartitionReader::new(
            Arc::clone(&self.consumer),
            decoder,
            partitions,
            !self.has_checkpoints,
        )))
    }

    async fn checkpoint_complete(&self, splits: &[Split]) -> Result<(), ConnectorError> {
        let position =
            |split: &Split| Some((partition_of(&split.id)?, split.position.as_ref()?.parse().ok()?));
        let positions: Vec<(u32, u64)> = splits.iter().filter_map(position).collect();
        self.consumer.store(&positions).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(parse_range("[0:2]"), Ok((0, 2)));
        assert_eq!(parse_range(" [ 1 : 1 ] "), Ok((1, 1)));
        for text in ["0:2", "[2:1]", "[a:b]", "[1]", "", "[:]", "[-1:2]"] {
            assert!(parse_range(text).is_err(), "{text}");
        }
        assert_eq!(partition_of(&split_id(7)), Some(7));
    }
}
