//! The `dis` connector against the embedded stream store.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::*;
use weir_cloud::streams::{NewRecord, NewStream, Placement, Streams};
use weir_connectors::{sink, source};
use weir_engine::source::{SharedSource, SourceEvent, SourceReader, Split};

async fn create(world: &World, name: &str, partitions: u32) {
    world.streams.create_stream("p1", NewStream::new(name, partitions)).await.unwrap();
}

async fn put(world: &World, name: &str, partition: u32, text: &str) {
    let record = NewRecord {
        placement: Placement::Partition(partition),
        data: Bytes::copy_from_slice(text.as_bytes()),
    };
    world.streams.append("p1", name, vec![record]).await.unwrap();
}

fn dis(world: &World, pairs: &[(&str, &str)]) -> SharedSource {
    let mut all = vec![("type", "dis"), ("channel", "c1"), ("encode", "csv")];
    all.extend(pairs);
    source(&source_stream(AS, &all), &world.environment).unwrap()
}

/// Reads until there is nothing new.
async fn available(reader: &mut dyn SourceReader) -> Vec<String> {
    let mut rows = Vec::new();
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(300), reader.next()).await {
        match event.unwrap() {
            SourceEvent::Batch(batch) => rows.extend(text(&batch.rows)),
            other => panic!("{other:?}"),
        }
    }
    rows.sort();
    rows
}

async fn start(source: &SharedSource) -> Vec<String> {
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    available(reader.as_mut()).await
}

#[tokio::test]
async fn starts_where_the_options_say() {
    let world = world();
    create(&world, "c1", 2).await;
    for n in 0..4 {
        put(&world, "c1", n % 2, &format!("{n},p{}", n % 2)).await;
    }
    assert!(start(&dis(&world, &[])).await.is_empty());
    assert_eq!(start(&dis(&world, &[("offset", "0")])).await, ["0|p0", "1|p1", "2|p0", "3|p1"]);
    assert_eq!(start(&dis(&world, &[("offset", "1")])).await, ["2|p0", "3|p1"]);
    assert!(start(&dis(&world, &[("offset", "99")])).await.is_empty());
    assert_eq!(start(&dis(&world, &[("start_time", "2020-01-01 00:00:00"), ("offset", "9")])).await.len(), 4);
    assert!(start(&dis(&world, &[("start_time", "2999-01-01 00:00:00")])).await.is_empty());
    assert_eq!(start(&dis(&world, &[("offset", "0"), ("partition_count", "1")])).await, ["0|p0", "2|p0"]);
    assert_eq!(start(&dis(&world, &[("offset", "0"), ("partition_range", "[1:1]")])).await, ["1|p1", "3|p1"]);
    let error = dis(&world, &[("partition_count", "3")]).splits().await.unwrap_err();
    assert!(error.message.contains("channel `c1` has 2 partitions"), "{error}");
}

#[tokio::test]
async fn newest_is_fixed_when_the_job_starts() {
    let world = world();
    create(&world, "c1", 1).await;
    put(&world, "c1", 0, "1,old").await;
    let source = dis(&world, &[]);
    let splits = source.splits().await.unwrap();
    put(&world, "c1", 0, "2,new").await;
    let mut reader = source.open(splits).await.unwrap();
    assert_eq!(available(reader.as_mut()).await, ["2|new"]);
    let position = reader.positions();
    assert_eq!(position[0].position.as_deref(), Some("2"));
    put(&world, "c1", 0, "3,more").await;
    put(&world, "c1", 0, "oops").await;
    let mut again = source.open(position).await.unwrap();
    let SourceEvent::Batch(batch) = again.next().await.unwrap() else { panic!("expected rows") };
    let mut rows = text(&batch.rows);
    let mut dirty = batch.dirty;
    if dirty.is_empty() {
        let SourceEvent::Batch(batch) = again.next().await.unwrap() else { panic!("expected rows") };
        rows.extend(text(&batch.rows));
        dirty = batch.dirty;
    }
    assert_eq!(rows, ["3|more"]);
    assert_eq!(dirty[0].place, "channel `c1`, shardId-0000000000, record 3");
    // A partition that came into being after the checkpoint is read from its beginning.
    let fresh = Split { id: "shardId-0000000000".to_string(), position: None, finished: false };
    let mut reader = source.open(vec![fresh]).await.unwrap();
    assert_eq!(available(reader.as_mut()).await.len(), 3);
    assert!(matches!(source.open(vec![]).await.unwrap().next().await, Ok(SourceEvent::Finished)));
}

#[tokio::test]
async fn position_is_kept_at_the_stream() {
    let world = world();
    create(&world, "c1", 1).await;
    for n in 0..3 {
        put(&world, "c1", 0, &format!("{n},x")).await;
    }
    let pairs = [("offset", "0"), ("enable_checkpoint", "true"), ("checkpoint_app_name", "app-1")];
    let source = dis(&world, &pairs);
    let split = |position: &str| {
        vec![Split {
            id: "shardId-0000000000".to_string(),
            position: Some(position.to_string()),
            finished: false,
        }]
    };
    source.checkpoint_complete(&split("1")).await.unwrap();
    assert_eq!(start(&dis(&world, &pairs)).await.len(), 3, "not stored before the interval is over");
    world.clock.advance(Duration::from_secs(61));
    source.checkpoint_complete(&split("2")).await.unwrap();
    assert_eq!(start(&dis(&world, &pairs)).await, ["2|x"]);
}

#[tokio::test]
async fn missing_channel_is_named() {
    let world = world();
    let error = dis(&world, &[]).splits().await.unwrap_err();
    assert!(
        error.message.contains("channel `c1`") && error.message.contains("no such DIS stream"),
        "{error}"
    );
    let pairs = [("type", "dis"), ("channel", "c1"), ("encode", "csv"), ("partition_key", "zzz")];
    let error = sink(&sink_stream(AS, &pairs), &world.environment).err().unwrap();
    assert!(error.message.contains("no column `zzz`"), "{error}");
    let out = sink(&sink_stream(AS, &pairs[..3]), &world.environment).unwrap();
    assert!(out.open(writer(0, 1, None, vec![])).await.err().unwrap().message.contains("channel `c1`"));
}

#[tokio::test]
async fn sink_shows_records_at_commit_once_and_by_key() {
    let world = world();
    create(&world, "c1", 3).await;
    let pairs = [("type", "dis"), ("channel", "c1"), ("encode", "csv"), ("partition_key", "s")];
    let out = sink(&sink_stream(AS, &pairs), &world.environment).unwrap();
    out.discard_uncommitted(None).await.unwrap();
    let mut one = out.open(writer(0, 2, None, vec![])).await.unwrap();
    let mut two = out.open(writer(1, 2, None, vec![])).await.unwrap();
    let many: Vec<(i64, String)> = (0..20_000).map(|n| (n, format!("key-{}", n % 7))).collect();
    let many: Vec<(i64, &str)> = many.iter().map(|(n, key)| (*n, key.as_str())).collect();
    for part in many.chunks(1_000) {
        one.write(&rows(part)).await.unwrap();
    }
    two.write(&rows(&[(-1, "key-0")])).await.unwrap();
    let prepared = [one.prepare(1, false).await.unwrap(), two.prepare(1, false).await.unwrap()];
    assert!(start(&dis(&world, &[("offset", "0")])).await.is_empty(), "staged records are not visible");
    let committables: Vec<Vec<u8>> = prepared.into_iter().filter_map(|p| p.committable).collect();
    assert_eq!(committables.len(), 2);
    out.commit(&committables).await.unwrap();
    out.commit(&committables).await.unwrap();
    assert_eq!(start(&dis(&world, &[("offset", "0")])).await.len(), 20_001);
    let mut places = std::collections::HashMap::new();
    for partition in 0..3 {
        let range = format!("[{partition}:{partition}]");
        for row in start(&dis(&world, &[("offset", "0"), ("partition_range", &range)])).await {
            let key = row.split('|').next_back().unwrap().to_string();
            assert_eq!(*places.entry(key).or_insert(partition), partition, "{row}");
        }
    }

    // Prepared but not in a complete checkpoint: gone after the restore.
    one.write(&rows(&[(7, "lost")])).await.unwrap();
    one.prepare(2, false).await.unwrap();
    drop(one);
    out.discard_uncommitted(Some(1)).await.unwrap();
    let mut one = out.open(writer(0, 1, Some(1), vec![])).await.unwrap();
    one.write(&rows(&[(8, "kept")])).await.unwrap();
    let last = one.prepare(2, true).await.unwrap().committable.unwrap();
    out.commit(&[last]).await.unwrap();
    let rows = start(&dis(&world, &[("offset", "0")])).await;
    assert!(rows.contains(&"8|kept".to_string()) && !rows.contains(&"7|lost".to_string()));
    assert_eq!(rows.len(), 20_002);
}
