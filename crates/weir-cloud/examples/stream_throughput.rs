//! Measures how fast one partition of the embedded stream store is written and read.
//!
//! `cargo run --release -p weir-cloud --example stream_throughput -- DIRECTORY [RECORDS] [BYTES]`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use weir_base::clock::SystemClock;
use weir_cloud::streams::{LocalStreams, NewRecord, NewStream, Placement, Streams, StreamsError};

const PROJECT: &str = "bench";
const STREAM: &str = "throughput";
/// Records of one append: what a sink hands over at once.
const BATCH: usize = 4096;

#[tokio::main]
async fn main() -> Result<(), StreamsError> {
    let mut arguments = std::env::args().skip(1);
    let Some(directory) = arguments.next().map(PathBuf::from) else {
        return Err(StreamsError::Invalid("usage: stream_throughput DIRECTORY [RECORDS] [BYTES]".into()));
    };
    let mut number = |default: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (records, bytes) = (number(1_000_000), number(200));
    let streams = LocalStreams::open(&directory, Arc::new(SystemClock))?;
    streams.create_stream(PROJECT, NewStream::new(STREAM, 1)).await?;

    let data = Bytes::from(vec![b'x'; bytes]);
    let start = Instant::now();
    for first in (0..records).step_by(BATCH) {
        let count = BATCH.min(records - first);
        let batch = vec![NewRecord { placement: Placement::Partition(0), data: data.clone() }; count];
        streams.append(PROJECT, STREAM, batch).await?;
    }
    report("write", records, bytes, start);

    // Another instance, as a job has: it knows nothing of the files yet.
    let streams = LocalStreams::open(&directory, Arc::new(SystemClock))?;
    let start = Instant::now();
    let (mut position, mut sum) = (0, 0);
    while position < records as u64 {
        let read = streams.read(PROJECT, STREAM, 0, position, BATCH, 4 << 20).await?;
        sum += read.records.iter().map(|record| record.data.len()).sum::<usize>();
        position = read.next;
    }
    report("read", records, bytes, start);
    assert_eq!(sum, records * bytes, "every byte comes back");
    streams.delete_stream(PROJECT, STREAM).await
}

fn report(what: &str, records: usize, bytes: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = (records * bytes) as f64 / 1e6;
    println!("{what}: {:.0} records/s, {:.0} MB/s", records as f64 / seconds, megabytes / seconds);
}
