//! Tests of the embedded stream store as its users see it: several openers, transactions, retention.

// The lint lets only functions marked as tests unwrap; here the ones they share do too.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use weir_base::clock::ManualClock;
use weir_base::time::Timestamp;
use weir_cloud::streams::{
    Bounds, Checkpoint, LocalStreams, NewRecord, NewStream, PartitionStatus, Placement, StoreOptions,
    StreamChange, Streams, StreamsError, TransactionId,
};

const PROJECT: &str = "0123456789abcdef0123456789abcdef";
const STREAM: &str = "orders";

fn clock() -> ManualClock {
    ManualClock::new(Timestamp(1_700_000_000_000))
}

fn open(dir: &Path) -> LocalStreams {
    LocalStreams::open(dir, Arc::new(clock())).unwrap()
}

async fn with_stream(dir: &Path, partitions: u32) -> LocalStreams {
    let streams = open(dir);
    streams.create_stream(PROJECT, NewStream::new(STREAM, partitions)).await.unwrap();
    streams
}

fn record(placement: Placement, text: &str) -> NewRecord {
    NewRecord { placement, data: Bytes::copy_from_slice(text.as_bytes()) }
}

fn transaction(epoch: u64) -> TransactionId {
    TransactionId { writer: "job-7/OUT".into(), subtask: 0, epoch }
}

async fn contents(streams: &LocalStreams, partition: u32) -> Vec<String> {
    let read = streams.read(PROJECT, STREAM, partition, 0, usize::MAX, usize::MAX).await.unwrap();
    assert!(read.records.iter().zip(0..).all(|(record, number)| record.sequence == number));
    read.records.iter().map(|record| String::from_utf8(record.data.to_vec()).unwrap()).collect()
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files_below(&path)) } else { all.push(path) }
    }
    all
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_openers_append_at_once_and_numbers_stay_consecutive() {
    let dir = TempDir::new().unwrap();
    let one = with_stream(dir.path(), 2).await;
    let two = open(dir.path());
    let mut tasks = Vec::new();
    for (name, streams) in [("one", one.clone()), ("two", two.clone()), ("three", two.clone())] {
        tasks.push(tokio::spawn(async move {
            let mut stored = Vec::new();
            for number in 0..40 {
                let texts = [format!("{name} {number} a"), format!("{name} {number} b")];
                let records =
                    texts.iter().map(|text| record(Placement::Partition(number % 2), text)).collect();
                let answers = streams.append(PROJECT, STREAM, records).await.unwrap();
                stored.extend(texts.into_iter().zip(answers));
            }
            stored
        }));
    }
    let mut stored = Vec::new();
    for task in tasks {
        stored.extend(task.await.unwrap());
    }
    for streams in [&one, &two, &open(dir.path())] {
        let read = [contents(streams, 0).await, contents(streams, 1).await];
        assert_eq!(read[0].len() + read[1].len(), stored.len());
        for (text, answer) in &stored {
            assert_eq!(&read[answer.partition as usize][answer.sequence as usize], text);
        }
    }
}

#[tokio::test]
async fn a_committed_transaction_is_visible_once_however_often_it_is_committed() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 3).await;
    for call in 0..5 {
        let records = (0..20).map(|number| record(Placement::Any, &format!("{call}-{number}"))).collect();
        streams.stage(PROJECT, STREAM, &transaction(1), records).await.unwrap();
    }
    streams.seal(PROJECT, STREAM, &transaction(1)).await.unwrap();
    for partition in 0..3 {
        assert!(contents(&streams, partition).await.is_empty());
    }
    // Another process commits.
    let other = open(dir.path());
    for _ in 0..3 {
        other.commit(PROJECT, STREAM, &transaction(1)).await.unwrap();
    }
    let mut all = Vec::new();
    for partition in 0..3 {
        let part = contents(&streams, partition).await;
        assert!((33..=34).contains(&part.len()), "spread unevenly: {}", part.len());
        all.extend(part);
    }
    assert_eq!(all.len(), 100);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 100);
    let stages: Vec<_> = files_below(dir.path());
    assert!(!stages.iter().any(|path| path.extension().is_some_and(|extension| extension == "stage")));
}

#[tokio::test]
async fn a_commit_broken_off_anywhere_is_completed_by_the_next() {
    let sealed = TempDir::new().unwrap();
    let streams = with_stream(sealed.path(), 2).await;
    streams.append(PROJECT, STREAM, vec![record(Placement::Partition(0), "earlier")]).await.unwrap();
    for number in 0..3 {
        let records = vec![
            record(Placement::Partition(0), &format!("zero {number}")),
            record(Placement::Partition(1), &format!("one {number}")),
        ];
        streams.stage(PROJECT, STREAM, &transaction(9), records).await.unwrap();
    }
    streams.seal(PROJECT, STREAM, &transaction(9)).await.unwrap();
    let committed = TempDir::new().unwrap();
    copy_tree(sealed.path(), committed.path());
    open(committed.path()).commit(PROJECT, STREAM, &transaction(9)).await.unwrap();
    let logs: Vec<_> = files_below(committed.path())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    assert_eq!(logs.len(), 2);
    for log in &logs {
        let bytes = std::fs::read(log).unwrap();
        let relative = log.strip_prefix(committed.path()).unwrap();
        let before = std::fs::read(sealed.path().join(relative)).map_or(0, |bytes| bytes.len());
        // The test of a partition cuts at every byte; here the places between and inside of frames do.
        for length in (before..bytes.len()).step_by(7).chain([bytes.len()]) {
            let torn = TempDir::new().unwrap();
            copy_tree(sealed.path(), torn.path());
            std::fs::write(torn.path().join(relative), &bytes[..length]).unwrap();
            let streams = open(torn.path());
            if length % 2 == 0 {
                // Somebody else writes before the commit is tried again.
                streams
                    .append(PROJECT, STREAM, vec![record(Placement::Partition(0), "other")])
                    .await
                    .unwrap();
            }
            streams.commit(PROJECT, STREAM, &transaction(9)).await.unwrap();
            let mut zero = contents(&streams, 0).await;
            zero.retain(|text| text != "other");
            assert_eq!(zero, ["earlier", "zero 0", "zero 1", "zero 2"], "cut at {length}");
            assert_eq!(contents(&streams, 1).await, ["one 0", "one 1", "one 2"], "cut at {length}");
        }
    }
}

#[tokio::test]
async fn a_commit_larger_than_the_buffer_is_completed_after_a_break() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 2).await;
    let padding = "x".repeat(100_000);
    for number in 0..120 {
        let text = format!("{number} {padding}");
        streams.stage(PROJECT, STREAM, &transaction(1), vec![record(Placement::Any, &text)]).await.unwrap();
    }
    streams.seal(PROJECT, STREAM, &transaction(1)).await.unwrap();
    let again = TempDir::new().unwrap();
    copy_tree(dir.path(), again.path());
    streams.commit(PROJECT, STREAM, &transaction(1)).await.unwrap();
    let expected = [contents(&streams, 0).await, contents(&streams, 1).await];
    assert_eq!(expected[0].len() + expected[1].len(), 120);
    // The first partition got everything, the second one a half.
    for log in files_below(dir.path()) {
        if log.extension().is_some_and(|extension| extension == "log") {
            let bytes = std::fs::read(&log).unwrap();
            let length =
                if log.to_string_lossy().contains("0000000001/") { bytes.len() / 2 } else { bytes.len() };
            std::fs::write(again.path().join(log.strip_prefix(dir.path()).unwrap()), &bytes[..length])
                .unwrap();
        }
    }
    let streams = open(again.path());
    streams.commit(PROJECT, STREAM, &transaction(1)).await.unwrap();
    assert_eq!([contents(&streams, 0).await, contents(&streams, 1).await], expected);
}

#[tokio::test]
async fn epochs_used_again_after_a_fresh_start_are_new_transactions() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 1).await;
    for run in 0..3 {
        let text = format!("run {run}");
        streams.discard(PROJECT, STREAM, "job-7/OUT", None).await.unwrap();
        streams.stage(PROJECT, STREAM, &transaction(1), vec![record(Placement::Any, &text)]).await.unwrap();
        streams.seal(PROJECT, STREAM, &transaction(1)).await.unwrap();
        streams.commit(PROJECT, STREAM, &transaction(1)).await.unwrap();
    }
    assert_eq!(contents(&streams, 0).await, ["run 0", "run 1", "run 2"]);
}

#[tokio::test]
async fn unsealed_and_discarded_transactions_are_not_committed() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 1).await;
    let other = TransactionId { writer: "job-70/OUT".into(), subtask: 0, epoch: 9 };
    for transaction in [&transaction(4), &transaction(5), &transaction(6), &other] {
        let text = format!("{} {}", transaction.writer, transaction.epoch);
        streams.stage(PROJECT, STREAM, transaction, vec![record(Placement::Any, &text)]).await.unwrap();
    }
    let unsealed = streams.commit(PROJECT, STREAM, &transaction(4)).await;
    assert!(matches!(unsealed, Err(StreamsError::Invalid(_))), "{unsealed:?}");
    for transaction in [&transaction(4), &transaction(5), &transaction(6), &other] {
        streams.seal(PROJECT, STREAM, transaction).await.unwrap();
    }
    let restarted = open(dir.path());
    restarted.discard(PROJECT, STREAM, "job-7", Some(4)).await.unwrap();
    for transaction in [&transaction(4), &transaction(5), &transaction(6), &other] {
        restarted.commit(PROJECT, STREAM, transaction).await.unwrap();
    }
    assert_eq!(contents(&restarted, 0).await, ["job-7/OUT 4", "job-70/OUT 9"]);
}

#[tokio::test]
async fn records_staged_again_after_a_restart_replace_the_left_over_ones() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 1).await;
    streams.stage(PROJECT, STREAM, &transaction(2), vec![record(Placement::Any, "old")]).await.unwrap();
    let restarted = open(dir.path());
    restarted.stage(PROJECT, STREAM, &transaction(2), vec![record(Placement::Any, "new")]).await.unwrap();
    restarted.seal(PROJECT, STREAM, &transaction(2)).await.unwrap();
    restarted.commit(PROJECT, STREAM, &transaction(2)).await.unwrap();
    assert_eq!(contents(&restarted, 0).await, ["new"]);
}

#[tokio::test]
async fn keys_choose_one_partition_and_come_back() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 4).await;
    let records = vec![
        record(Placement::Key("abc".into()), "by key"),
        record(Placement::HashKey(u64::MAX), "by hash"),
        record(Placement::HashKeyAndKey { hash: 0, key: "kept".into() }, "both"),
        record(Placement::Partition(2), "by number"),
    ];
    let stored = streams.append(PROJECT, STREAM, records).await.unwrap();
    assert_eq!(stored.iter().map(|stored| stored.partition).collect::<Vec<_>>(), [1, 3, 0, 2]);
    let mut keys = Vec::new();
    for partition in 0..4 {
        let read = streams.read(PROJECT, STREAM, partition, 0, 10, 1000).await.unwrap();
        keys.push(read.records[0].partition_key.clone());
    }
    assert_eq!(keys, [Some("kept".to_string()), Some("abc".to_string()), None, None]);
    let refused = streams.append(PROJECT, STREAM, vec![record(Placement::Partition(4), "x")]).await;
    assert!(matches!(refused, Err(StreamsError::NoPartition { partition: 4, .. })));
}

#[tokio::test]
async fn scaling_keeps_deleted_partitions_readable_until_their_records_expire() {
    let dir = TempDir::new().unwrap();
    let clock = clock();
    let streams = LocalStreams::open(dir.path(), Arc::new(clock.clone())).unwrap();
    streams.create_stream(PROJECT, NewStream::new(STREAM, 3)).await.unwrap();
    streams.append(PROJECT, STREAM, vec![record(Placement::Partition(2), "kept")]).await.unwrap();
    streams.resize_stream(PROJECT, STREAM, 2).await.unwrap();
    assert_eq!(streams.partitions(PROJECT, STREAM).await.unwrap(), [0, 1, 2]);
    assert_eq!(contents(&streams, 2).await, ["kept"]);
    assert!(streams.append(PROJECT, STREAM, vec![record(Placement::Partition(2), "x")]).await.is_err());
    clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(streams.partitions(PROJECT, STREAM).await.unwrap(), [0, 1]);
    let entry = streams.describe_stream(PROJECT, STREAM).await.unwrap();
    assert_eq!(
        entry.status(&entry.partitions[2], 1_700_000_000_000 + 25 * 3_600_000),
        PartitionStatus::Expired
    );
    assert!(streams.sweep_retention().await.unwrap() > 0);
    streams.resize_stream(PROJECT, STREAM, 5).await.unwrap();
    assert_eq!(streams.partitions(PROJECT, STREAM).await.unwrap(), [0, 1, 2, 3, 4]);
    let stored =
        streams.append(PROJECT, STREAM, vec![record(Placement::Partition(2), "more")]).await.unwrap();
    assert_eq!(stored[0].sequence, 1);
    let bounds = streams.bounds(PROJECT, STREAM, 2).await.unwrap();
    assert_eq!(bounds, Bounds { earliest: 1, next: 2 });
}

#[tokio::test]
async fn retention_follows_the_duration_of_the_stream_in_every_process() {
    let dir = TempDir::new().unwrap();
    let clock = clock();
    let options = StoreOptions { segment_bytes: 64 << 20, segment_age: Duration::from_secs(3600) };
    let server = LocalStreams::open_with(dir.path(), Arc::new(clock.clone()), options).unwrap();
    let worker = LocalStreams::open_with(dir.path(), Arc::new(clock.clone()), options).unwrap();
    server.create_stream(PROJECT, NewStream::new(STREAM, 1)).await.unwrap();
    for _ in 0..48 {
        worker.append(PROJECT, STREAM, vec![record(Placement::Any, "x")]).await.unwrap();
        clock.advance(Duration::from_secs(3600));
    }
    server.sweep_retention().await.unwrap();
    let earliest = server.bounds(PROJECT, STREAM, 0).await.unwrap().earliest;
    assert!((22..=24).contains(&earliest), "{earliest}");
    let change = StreamChange { data_duration_hours: Some(72), ..StreamChange::default() };
    server.change_stream(PROJECT, STREAM, change).await.unwrap();
    clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(server.sweep_retention().await.unwrap(), 0);
    let read = worker.read(PROJECT, STREAM, 0, 0, 1000, 1000).await.unwrap();
    assert_eq!((read.records[0].sequence, read.next), (earliest, 48));
}

#[tokio::test]
async fn a_stream_created_anew_does_not_show_old_records_to_those_who_knew_it() {
    let dir = TempDir::new().unwrap();
    let server = with_stream(dir.path(), 1).await;
    let worker = open(dir.path());
    worker.append(PROJECT, STREAM, vec![record(Placement::Any, "old")]).await.unwrap();
    let again = server.create_stream(PROJECT, NewStream::new(STREAM, 1)).await;
    assert!(matches!(again, Err(StreamsError::StreamExists(_))));
    server.delete_stream(PROJECT, STREAM).await.unwrap();
    let gone = worker.append(PROJECT, STREAM, vec![record(Placement::Any, "x")]).await;
    assert!(matches!(gone, Err(StreamsError::NoStream(_))), "{gone:?}");
    server.create_stream(PROJECT, NewStream::new(STREAM, 1)).await.unwrap();
    assert!(contents(&worker, 0).await.is_empty());
    let stored = worker.append(PROJECT, STREAM, vec![record(Placement::Any, "new")]).await.unwrap();
    assert_eq!(stored[0].sequence, 0);
}

#[tokio::test]
async fn positions_of_consumers_are_kept_until_they_are_deleted() {
    let dir = TempDir::new().unwrap();
    let streams = with_stream(dir.path(), 2).await;
    assert_eq!(streams.consumer_position(PROJECT, STREAM, "reader", 0).await.unwrap(), None);
    streams.store_consumer_position(PROJECT, STREAM, "reader", 0, 41).await.unwrap();
    let checkpoint = Checkpoint { sequence: 5, metadata: "mine".into() };
    streams.store_checkpoint(PROJECT, STREAM, "reader", 1, checkpoint.clone()).await.unwrap();
    let other = open(dir.path());
    assert_eq!(other.consumer_position(PROJECT, STREAM, "reader", 0).await.unwrap(), Some(41));
    assert_eq!(other.checkpoints(PROJECT, STREAM, "reader").await.unwrap()[&1], checkpoint);
    assert_eq!(other.app_streams(PROJECT).await.unwrap()["reader"], [STREAM]);
    other.delete_checkpoints(PROJECT, STREAM, "reader", Some(0)).await.unwrap();
    assert_eq!(streams.consumer_position(PROJECT, STREAM, "reader", 0).await.unwrap(), None);
    streams.delete_app(PROJECT, "reader").await.unwrap();
    assert!(streams.list_apps(PROJECT).await.unwrap().is_empty());
    assert!(other.app_streams(PROJECT).await.unwrap().is_empty());
    let unknown = streams.store_checkpoint(PROJECT, STREAM, "reader", 1, checkpoint).await;
    assert!(matches!(unknown, Err(StreamsError::NoApp(_))));
}

#[tokio::test]
async fn waiting_ends_when_another_process_appends() {
    let dir = TempDir::new().unwrap();
    let reader = with_stream(dir.path(), 1).await;
    let writer = open(dir.path());
    reader.wait(PROJECT, STREAM, 0, 0).await.unwrap();
    assert!(reader.read(PROJECT, STREAM, 0, 0, 10, 10).await.unwrap().records.is_empty());
    writer.append(PROJECT, STREAM, vec![record(Placement::Any, "x")]).await.unwrap();
    reader.wait(PROJECT, STREAM, 0, 0).await.unwrap();
    assert_eq!(reader.read(PROJECT, STREAM, 0, 0, 10, 10).await.unwrap().next, 1);
    let beyond = reader.read(PROJECT, STREAM, 0, 2, 10, 10).await;
    assert!(matches!(beyond, Err(StreamsError::OutOfRange { sequence: 2, next: 1 })));
}

#[tokio::test]
async fn names_that_could_leave_the_directory_are_refused() {
    let dir = TempDir::new().unwrap();
    let streams = open(dir.path());
    for (project, name) in [("..", "a"), ("p/q", "a"), (PROJECT, "../a"), (PROJECT, ""), (PROJECT, "a.b")] {
        let created = streams.create_stream(project, NewStream::new(name, 1)).await;
        assert!(matches!(created, Err(StreamsError::Invalid(_))), "{project} {name}");
        assert!(streams.describe_stream(project, name).await.is_err());
    }
    assert!(streams.create_app(PROJECT, "a/b").await.is_err());
    assert!(streams.create_stream(PROJECT, NewStream::new("a", 0)).await.is_err());
}
