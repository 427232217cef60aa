//! What the tests of the connectors share: declared streams, an environment, reading to the end.
#![allow(dead_code, clippy::unwrap_used)]

pub mod tables;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Int8Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_base::clock::{Clock, ManualClock, SystemClock};
use weir_base::settings::{CheckpointMode, CheckpointSettings, JobSettings};
use weir_base::time::Timestamp;
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::streams::LocalStreams;
use weir_connectors::{Environment, FileAccess, Network, PrintTarget};
use weir_engine::error::ConnectorError;
use weir_engine::sink::WriterContext;
use weir_engine::source::{SharedSource, SourceEvent, SourceReader, Split};
use weir_engine::{ROW_KIND, RowKind};
use weir_sql::{Options, SinkStream, SourceStream, TimeClause};

pub struct World {
    pub root: tempfile::TempDir,
    pub clock: ManualClock,
    pub streams: LocalStreams,
    pub environment: Environment,
}

/// Stream, number of rows, kinds of a changelog.
pub type Shown = (String, usize, Option<Vec<RowKind>>);

#[derive(Default)]
pub struct Printed(pub Mutex<Vec<Shown>>);

impl PrintTarget for Printed {
    fn print(
        &self,
        stream: &str,
        rows: &RecordBatch,
        kinds: Option<&[RowKind]>,
    ) -> Result<u64, ConnectorError> {
        let kinds = kinds.map(<[RowKind]>::to_vec);
        self.0.lock().unwrap().push((stream.to_string(), rows.num_rows(), kinds));
        Ok(1)
    }
}

/// 2026-01-01 00:00:00.
pub const NOW: i64 = 1_767_225_600_000;

pub fn world() -> World {
    let root = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp(NOW));
    // The store waits in real time: the manual clock would spin.
    let streams = LocalStreams::open(&root.path().join("streams"), Arc::new(SystemClock)).unwrap();
    std::fs::create_dir_all(root.path().join("objects/bk1")).unwrap();
    let checkpoint = CheckpointSettings {
        mode: CheckpointMode::ExactlyOnce,
        interval: Duration::from_secs(1),
        bucket: "bk1".to_string(),
    };
    let environment = Environment {
        objects: Objects::new(ObjectsConfig::Local(root.path().join("objects"))),
        streams: Arc::new(streams.clone()),
        project: "p1".to_string(),
        job: "job-7".to_string(),
        run: Timestamp(NOW),
        files: FileAccess::Anywhere,
        settings: JobSettings { checkpoint: Some(checkpoint), ..JobSettings::default() },
        network: Network::default(),
        clock: Arc::new(clock.clone()) as Arc<dyn Clock>,
        print: Arc::new(Printed::default()),
        gateway: None,
        sinks: std::collections::HashMap::new(),
        sources: std::collections::HashMap::new(),
    };
    World { root, clock, streams, environment }
}

pub fn schema(columns: &[(&str, &str)]) -> SchemaRef {
    let data_type = |name: &str| match name {
        "BIGINT" => DataType::Int64,
        "INT" => DataType::Int32,
        "DOUBLE" => DataType::Float64,
        "FLOAT" => DataType::Float32,
        "BOOLEAN" => DataType::Boolean,
        "DECIMAL" => DataType::Decimal128(8, 2),
        "DATE" => DataType::Date32,
        "TIME" => DataType::Time32(TimeUnit::Millisecond),
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Millisecond, None),
        _ => DataType::Utf8,
    };
    Arc::new(Schema::new(
        columns.iter().map(|(name, kind)| Field::new(*name, data_type(kind), true)).collect::<Vec<_>>(),
    ))
}

pub fn options(pairs: &[(&str, &str)]) -> Options {
    Options(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

pub fn source_stream(columns: &[(&str, &str)], pairs: &[(&str, &str)]) -> SourceStream {
    let schema = schema(columns);
    SourceStream {
        name: "IN".to_string(),
        declared: Arc::clone(&schema),
        schema,
        options: options(pairs),
        time: TimeClause::default(),
    }
}

pub fn sink_stream(columns: &[(&str, &str)], pairs: &[(&str, &str)]) -> SinkStream {
    SinkStream {
        name: "OUT".to_string(),
        schema: schema(columns),
        partitioned: Vec::new(),
        options: options(pairs),
    }
}

pub fn writer(
    subtask: usize,
    parallelism: usize,
    restored_epoch: Option<u64>,
    states: Vec<Vec<u8>>,
) -> WriterContext {
    WriterContext { subtask, parallelism, restored_epoch, states }
}

/// Rows of columns `a BIGINT, s STRING`.
pub fn rows(values: &[(i64, &str)]) -> RecordBatch {
    let a = Int64Array::from_iter_values(values.iter().map(|(a, _)| *a));
    let s = StringArray::from_iter_values(values.iter().map(|(_, s)| *s));
    RecordBatch::try_new(schema(AS), vec![Arc::new(a), Arc::new(s)]).unwrap()
}

pub const AS: &[(&str, &str)] = &[("a", "BIGINT"), ("s", "STRING")];

/// Returns rows as text, values joined by `|`.
pub fn text(batch: &RecordBatch) -> Vec<String> {
    let format = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &format).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"))
        .collect()
}

/// Everything a reader said.
#[derive(Default)]
pub struct Read {
    pub rows: Vec<String>,
    pub dirty: Vec<String>,
    pub finished: Vec<String>,
    /// Rows so far and positions, after each event.
    pub positions: Vec<(usize, Vec<Split>)>,
    pub largest: usize,
}

pub async fn read_to_end(reader: &mut dyn SourceReader) -> Read {
    let mut read = Read::default();
    loop {
        match reader.next().await.unwrap() {
            SourceEvent::Batch(batch) => {
                read.largest = read.largest.max(batch.rows.num_rows());
                read.rows.extend(text(&batch.rows));
                read.dirty.extend(batch.dirty.iter().map(|dirty| {
                    format!("{} {} {}", dirty.place, dirty.reason, String::from_utf8_lossy(&dirty.data))
                }));
            }
            SourceEvent::SplitFinished(split) => read.finished.push(split),
            SourceEvent::Finished => return read,
        }
        read.positions.push((read.rows.len(), reader.positions()));
    }
}

pub async fn read_all(source: &SharedSource) -> Read {
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    read_to_end(reader.as_mut()).await
}

/// Checks that a restore from any position of a run gives the rest of its rows: all positions of a short
/// run, eight of a long one. The order is that of the splits; between splits it may change.
pub async fn check_restores(source: &SharedSource, run: &Read) {
    let step = run.positions.len().div_ceil(8);
    for (count, splits) in run.positions.iter().step_by(step) {
        let stored = serde_json::to_vec(splits).unwrap();
        let splits: Vec<Split> = serde_json::from_slice(&stored).unwrap();
        let is_sorted = splits.len() < 2;
        let mut reader = source.open(splits).await.unwrap();
        let mut rest = read_to_end(reader.as_mut()).await.rows;
        let mut expected = run.rows[*count..].to_vec();
        if !is_sorted {
            rest.sort();
            expected.sort();
        }
        assert!(rest == expected, "after {count} rows: {} rows instead of {}", rest.len(), expected.len());
    }
}

pub fn gzip(data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Names of the files below a directory, relative to it, sorted.
pub fn files_below(directory: &Path) -> Vec<String> {
    fn walk(root: &Path, directory: &Path, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(root, &path, names),
                false => names.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    let mut names = Vec::new();
    walk(directory, directory, &mut names);
    names.sort();
    names
}

/// Adds the hidden column of a changelog.
pub fn with_kinds(rows: &RecordBatch, kinds: &[RowKind]) -> RecordBatch {
    let mut fields = rows.schema().fields().to_vec();
    fields.push(Arc::new(Field::new(ROW_KIND, DataType::Int8, false)));
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(Int8Array::from_iter_values(kinds.iter().map(|kind| *kind as i8))));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}
