//! The `file` connector against real files.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use common::*;
use weir_connectors::{FileAccess, sink, source};
use weir_engine::RowKind;
use weir_engine::source::SourceEvent;

const DELIMITER: &str = "<|end|>";

fn file(world: &World, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = world.root.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_string()
}

/// About 3 MiB in records of varying length, so that block borders fall inside records and delimiters.
fn many(delimiter: &str) -> (String, Vec<String>) {
    let (mut content, mut expected) = (String::new(), Vec::new());
    for n in 0..12_000 {
        let word = "x".repeat(n % 500);
        content.push_str(&format!("{n},{word}{delimiter}"));
        expected.push(format!("{n}|{word}"));
    }
    (content, expected)
}

#[tokio::test]
async fn delimiters_across_block_borders_and_every_restore() {
    let world = world();
    for (name, delimiter) in [("a.csv", "\n"), ("b.csv", DELIMITER), ("c.csv.gz", DELIMITER), ("d.csv", "||")]
    {
        let (content, expected) = many(delimiter);
        let bytes = if name.ends_with(".gz") { gzip(content.as_bytes()) } else { content.into_bytes() };
        let path = file(&world, name, bytes);
        let stream = source_stream(AS, &[("type", "file"), ("path", &path), ("row_delimiter", delimiter)]);
        let source = source(&stream, &world.environment).unwrap();
        let run = read_all(&source).await;
        assert!(run.rows == expected, "{name}");
        assert_eq!(run.finished, [path]);
        assert!(run.dirty.is_empty() && run.largest <= 8_192, "{name} {}", run.largest);
        assert!(run.positions.len() > 3);
        check_restores(&source, &run).await;
    }
}

#[tokio::test]
async fn header_dirty_records_and_last_line() {
    let world = world();
    let path = file(&world, "a.csv", "a,s\r\n1,x\r\nbad,y\r\n2,z");
    let stream = source_stream(AS, &[("type", "file"), ("path", &path), ("header", "true")]);
    let source = source(&stream, &world.environment).unwrap();
    let run = read_all(&source).await;
    assert_eq!(run.rows, ["1|x", "2|z"]);
    assert_eq!(run.dirty.len(), 1);
    assert!(run.dirty[0].contains("at byte 10") && run.dirty[0].ends_with("bad,y"), "{}", run.dirty[0]);
    assert_eq!(run.positions.last().unwrap().1[0].position.as_deref(), Some("20:3"));
    check_restores(&source, &run).await;
}

#[tokio::test]
async fn directory_is_read_in_order_with_one_split_a_file() {
    let world = world();
    for (name, content) in
        [("in/b.csv", "2,b\n"), ("in/a.csv", "1,a\n"), ("in/.hidden", "9,h\n"), ("in/sub/c", "9,c\n")]
    {
        file(&world, name, content);
    }
    let path = world.root.path().join("in");
    let stream = source_stream(AS, &[("type", "file"), ("path", path.to_str().unwrap())]);
    let source = source(&stream, &world.environment).unwrap();
    let run = read_all(&source).await;
    assert_eq!(run.rows, ["1|a", "2|b"]);
    assert_eq!(source.splits().await.unwrap().len(), 2);
    check_restores(&source, &run).await;
}

#[tokio::test]
async fn paced_reading_and_json() {
    let world = world();
    let lines: String = (0..100).map(|n| format!("{{\"a\":{n},\"s\":\"t\"}}\n")).collect();
    let path = file(&world, "a.json", lines);
    let pairs = [("type", "file"), ("path", &path), ("encode", "json"), ("rows_per_second", "10")];
    let source = source(&source_stream(AS, &pairs), &world.environment).unwrap();
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    let SourceEvent::Batch(first) = reader.next().await.unwrap() else { panic!("expected rows") };
    assert_eq!(first.rows.num_rows(), 1);
    world.clock.advance(std::time::Duration::from_secs(5));
    let SourceEvent::Batch(next) = reader.next().await.unwrap() else { panic!("expected rows") };
    assert_eq!(next.rows.num_rows(), 50);
    world.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(read_to_end(reader.as_mut()).await.rows.len(), 49);
}

#[tokio::test]
async fn followed_file_gives_what_is_added_and_never_half_a_line() {
    use std::io::Write;
    let world = world();
    let path = file(&world, "log.csv", "1,a\n2,");
    let stream = source_stream(AS, &[("type", "file"), ("path", &path), ("follow", "true")]);
    let source = source(&stream, &world.environment).unwrap();
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    let next = async |reader: &mut dyn weir_engine::source::SourceReader| match reader.next().await.unwrap() {
        SourceEvent::Batch(batch) => text(&batch.rows),
        other => panic!("{other:?}"),
    };
    assert_eq!(next(reader.as_mut()).await, ["1|a"]);
    let position = reader.positions();
    // Nothing new: the future is dropped while it waits, and nothing is lost.
    let nothing = tokio::time::timeout(std::time::Duration::from_millis(50), reader.next()).await;
    assert!(nothing.is_err());
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"b\n3,c\n").unwrap();
    assert_eq!(next(reader.as_mut()).await, ["2|b", "3|c"]);
    let mut again = source.open(position).await.unwrap();
    assert_eq!(next(again.as_mut()).await, ["2|b", "3|c"]);
}

#[tokio::test]
async fn over_long_record_and_missing_file_are_told() {
    let world = world();
    let path = file(&world, "a.csv", vec![b'x'; 17 << 20]);
    let source_of =
        |path: &str| source(&source_stream(AS, &[("type", "file"), ("path", path)]), &world.environment);
    let source = source_of(&path).unwrap();
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    let error = reader.next().await.unwrap_err();
    assert!(error.message.contains("longer than 16 MiB") && error.message.contains("a.csv"), "{error}");
    let error = source_of("/nowhere/a.csv").err().unwrap();
    assert!(error.message.contains("stream `IN`, option `path`: cannot open `/nowhere/a.csv`"), "{error}");
}

#[tokio::test]
async fn access_is_refused_outside_the_allowed_directories() {
    let mut world = world();
    let secret = file(&world, "secret/a.csv", "1,a\n");
    let allowed = world.root.path().join("allowed");
    std::fs::create_dir_all(&allowed).unwrap();
    std::os::unix::fs::symlink(&secret, allowed.join("link.csv")).unwrap();
    world.environment.files = FileAccess::Under(vec![allowed.clone()]);
    let dotted = allowed.join("../secret/a.csv");
    for path in [PathBuf::from(&secret), dotted, allowed.join("link.csv")] {
        let pairs = [("type", "file"), ("path", path.to_str().unwrap())];
        let error = source(&source_stream(AS, &pairs), &world.environment).err().unwrap();
        assert!(error.message.contains("operator"), "{error}");
        let error = sink(&sink_stream(AS, &pairs), &world.environment).err().unwrap();
        assert!(error.message.contains("option `path`"), "{error}");
    }
    // A link inside an allowed directory is found when the directory is read.
    let pairs = [("type", "file"), ("path", allowed.to_str().unwrap())];
    let source = source(&source_stream(AS, &pairs), &world.environment).unwrap();
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    assert!(reader.next().await.unwrap_err().message.contains("operator"));
}

#[tokio::test]
async fn sink_rows_show_at_commit_and_once() {
    let mut world = world();
    let path = world.root.path().join("out/deep/o.csv");
    let pairs = [("type", "file"), ("path", path.to_str().unwrap()), ("header", "true")];
    let content = || std::fs::read_to_string(&path).unwrap();
    let sink_of =
        |environment: &weir_connectors::Environment| sink(&sink_stream(AS, &pairs), environment).unwrap();
    let first = sink_of(&world.environment);
    first.discard_uncommitted(None).await.unwrap();
    let mut one = first.open(writer(0, 2, None, vec![])).await.unwrap();
    let mut two = first.open(writer(1, 2, None, vec![])).await.unwrap();
    one.write(&rows(&[(1, "a")])).await.unwrap();
    two.write(&rows(&[(2, "b")])).await.unwrap();
    let prepared = [one.prepare(1, false).await.unwrap(), two.prepare(1, false).await.unwrap()];
    assert_eq!(content(), "a,s\n");
    assert!(one.prepare(2, false).await.unwrap().committable.is_none());
    let committables: Vec<Vec<u8>> = prepared.into_iter().filter_map(|p| p.committable).collect();
    first.commit(&committables).await.unwrap();
    first.commit(&committables).await.unwrap();
    assert_eq!(content(), "a,s\n1,a\n2,b\n");
    one.write(&rows(&[(3, "c")])).await.unwrap();
    one.prepare(3, false).await.unwrap();

    // The process dies; the checkpoint of epoch 3 was never complete.
    let second = sink_of(&world.environment);
    second.commit(&committables).await.unwrap();
    second.discard_uncommitted(Some(2)).await.unwrap();
    let mut one = second.open(writer(0, 1, Some(2), vec![])).await.unwrap();
    one.write(&rows(&[(4, "d")])).await.unwrap();
    let last = one.prepare(3, true).await.unwrap().committable.unwrap();
    second.commit(&[last]).await.unwrap();
    assert_eq!(content(), "a,s\n1,a\n2,b\n4,d\n");
    assert!(!files_below(&world.root.path().join("out")).iter().any(|name| name.ends_with(".staged")));

    // A restart of this run that finds no checkpoint keeps the output, the user's next run begins anew.
    sink_of(&world.environment).discard_uncommitted(None).await.unwrap();
    assert_eq!(content(), "a,s\n1,a\n2,b\n4,d\n");
    world.environment.run = world.environment.run.plus(std::time::Duration::from_millis(1));
    sink_of(&world.environment).discard_uncommitted(None).await.unwrap();
    assert_eq!(content(), "a,s\n");
}

#[tokio::test]
async fn a_sink_with_row_kinds_writes_the_whole_changelog() {
    let world = world();
    let path = world.root.path().join("o.csv");
    let pairs = [("type", "file"), ("path", path.to_str().unwrap()), ("row_kinds", "true")];
    let sink = sink(&sink_stream(AS, &pairs), &world.environment).unwrap();
    assert!(sink.takes_row_kinds());
    sink.discard_uncommitted(None).await.unwrap();
    let mut writer = sink.open(writer(0, 1, None, vec![])).await.unwrap();

    writer.write(&rows(&[(1, "a")])).await.unwrap();
    let changes = rows(&[(1, "a"), (1, "b"), (2, "c"), (1, "b")]);
    let kinds = [RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Insert, RowKind::Delete];
    writer.write(&with_kinds(&changes, &kinds)).await.unwrap();

    let prepared = writer.prepare(1, true).await.unwrap().committable.unwrap();
    sink.commit(&[prepared]).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "+I 1,a\n-U 1,a\n+U 1,b\n+I 2,c\n-D 1,b\n");
}
