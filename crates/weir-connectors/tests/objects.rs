//! The `obs` connector against buckets in a local directory.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::*;
use weir_base::settings::CheckpointMode;
use weir_connectors::{sink, source};
use weir_engine::sink::{Prepared, SharedSink};

fn bucket(world: &World) -> PathBuf {
    world.root.path().join("objects/bk1")
}

fn object(world: &World, key: &str, content: impl AsRef<[u8]>) {
    let path = bucket(world).join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Visible objects and their content.
fn visible(world: &World) -> Vec<(String, String)> {
    let names = files_below(&bucket(world)).into_iter().filter(|name| !name.starts_with(".weir/"));
    names.map(|name| (name.clone(), std::fs::read_to_string(bucket(world).join(&name)).unwrap())).collect()
}

fn staged(world: &World) -> usize {
    files_below(&bucket(world)).iter().filter(|name| name.starts_with(".weir/staging/job-7/OUT/")).count()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let fixed = [
        ("type", "obs"),
        ("encode", "csv"),
        ("obs_dir", "bk1/out"),
        ("file_prefix", "f"),
        ("rolling_size", "1g"),
    ];
    fixed.iter().chain(pairs).map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn obs_sink(world: &World, more: &[(&str, &str)]) -> SharedSink {
    let pairs = pairs(more);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sink(&sink_stream(AS, &pairs), &world.environment).unwrap()
}

async fn commit(out: &SharedSink, prepared: &[Prepared]) {
    let committables: Vec<Vec<u8>> = prepared.iter().filter_map(|p| p.committable.clone()).collect();
    out.commit(&committables).await.unwrap();
}

fn lines(content: &str) -> Vec<&str> {
    content.lines().collect()
}

#[tokio::test]
async fn one_object_and_every_restore() {
    let world = world();
    let mut content = String::new();
    let mut expected = Vec::new();
    for n in 0..5_000 {
        let word = "y".repeat(n % 900);
        content.push_str(&format!("{n},{word}<>\r\n"));
        expected.push(format!("{n}|{word}"));
    }
    object(&world, "in/a.csv", &content);
    object(&world, "in/b.csv.gz", gzip(content.as_bytes()));
    for key in ["in/a.csv", "in/b.csv.gz"] {
        let pairs = [("type", "obs"), ("bucket", "bk1"), ("object_name", key), ("row_delimiter", "<>\r\n")];
        let source = source(&source_stream(AS, &pairs), &world.environment).unwrap();
        let run = read_all(&source).await;
        assert!(run.rows == expected, "{key}: {} rows", run.rows.len());
        assert!(run.positions.len() > 2);
        check_restores(&source, &run).await;
    }
}

#[tokio::test]
async fn prefix_is_read_in_name_order_without_staging() {
    let world = world();
    for (key, content) in [
        ("d/2.csv", "2,b\n"),
        ("d/1.csv", "1,a\n"),
        ("d/e/3.csv", "3,c"),
        ("dx/4.csv", "4,d\n"),
        (".weir/staging/x", "9,z\n"),
    ] {
        object(&world, key, content);
    }
    for (prefix, expected) in [("d/", vec!["1|a", "2|b", "3|c"]), ("/", vec!["1|a", "2|b", "3|c", "4|d"])] {
        let pairs = [("type", "obs"), ("bucket", "bk1"), ("object_name", prefix)];
        let source = source(&source_stream(AS, &pairs), &world.environment).unwrap();
        let run = read_all(&source).await;
        assert_eq!(run.rows, expected, "{prefix}");
        assert_eq!(run.finished.len(), expected.len());
    }
}

#[tokio::test]
async fn missing_bucket_and_object_are_named() {
    let world = world();
    let open = async |bucket: &str, key: &str| {
        let pairs = [("type", "obs"), ("bucket", bucket), ("object_name", key)];
        let source = source(&source_stream(AS, &pairs), &world.environment).unwrap();
        let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
        reader.next().await.unwrap_err().message
    };
    let message = open("nope", "a.csv").await;
    assert!(message.contains("stream `IN`") && message.contains("no bucket `nope`"), "{message}");
    let message = open("bk1", "in/x.csv").await;
    assert!(message.contains("bucket `bk1` has no object `in/x.csv`"), "{message}");
    let out = sink(
        &sink_stream(
            AS,
            &[("type", "obs"), ("encode", "csv"), ("obs_dir", "nope/x"), ("rolling_size", "1k")],
        ),
        &world.environment,
    );
    assert!(out.unwrap().discard_uncommitted(None).await.unwrap_err().message.contains("no bucket `nope`"));
}

#[tokio::test]
async fn staged_rows_are_invisible_and_commit_shows_them_once() {
    let world = world();
    let out = obs_sink(&world, &[("append", "false"), ("max_record_num_per_file", "2")]);
    out.discard_uncommitted(None).await.unwrap();
    let mut writer0 = out.open(writer(0, 1, None, vec![])).await.unwrap();
    writer0.write(&rows(&[(1, "a"), (2, "b"), (3, "c")])).await.unwrap();
    let prepared = writer0.prepare(1, false).await.unwrap();
    assert!(visible(&world).is_empty());
    commit(&out, std::slice::from_ref(&prepared)).await;
    let first = vec![("out/f.1".to_string(), "1,a\n2,b\n".to_string())];
    assert_eq!(visible(&world), first);
    commit(&out, std::slice::from_ref(&prepared)).await;
    assert_eq!(visible(&world), first);
    // Written after the checkpoint, lost with the process.
    writer0.write(&rows(&[(4, "lost"), (5, "lost"), (6, "lost")])).await.unwrap();
    writer0.prepare(2, false).await.unwrap();
    assert!(staged(&world) > 0);

    let out = obs_sink(&world, &[("append", "false"), ("max_record_num_per_file", "2")]);
    commit(&out, std::slice::from_ref(&prepared)).await;
    out.discard_uncommitted(Some(1)).await.unwrap();
    assert_eq!((visible(&world), staged(&world)), (first, 0));
    let mut writer0 = out.open(writer(0, 1, Some(1), vec![prepared.state])).await.unwrap();
    writer0.write(&rows(&[(4, "d"), (5, "e")])).await.unwrap();
    let last = writer0.prepare(2, true).await.unwrap();
    commit(&out, &[last]).await;
    let contents: Vec<String> =
        visible(&world).into_iter().map(|(name, content)| format!("{name}: {content}")).collect();
    assert_eq!(contents, ["out/f.1: 1,a\n2,b\n", "out/f.2: 3,c\n4,d\n", "out/f.3: 5,e\n"]);
    assert_eq!(staged(&world), 0);
}

#[tokio::test]
async fn large_objects_are_joined_from_chunks_across_a_restart() {
    let world = world();
    let more = [("append", "false"), ("max_record_num_per_file", "100000000")];
    let word = "w".repeat(1_000);
    let out = obs_sink(&world, &more);
    out.discard_uncommitted(None).await.unwrap();
    let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
    for n in 0..60 {
        let some: Vec<(i64, &str)> = (n * 100..n * 100 + 100).map(|n| (n, word.as_str())).collect();
        current.write(&rows(&some)).await.unwrap();
    }
    let prepared = current.prepare(1, false).await.unwrap();
    assert!(prepared.committable.is_none() && prepared.state.len() < 300 << 10, "{}", prepared.state.len());
    assert!(staged(&world) >= 2);
    current.write(&rows(&[(-1, "lost")])).await.unwrap();
    drop(current);
    out.discard_uncommitted(Some(1)).await.unwrap();
    let mut current = out.open(writer(0, 1, Some(1), vec![prepared.state])).await.unwrap();
    for n in 6_000..6_010 {
        current.write(&rows(&[(n, &word)])).await.unwrap();
    }
    let last = current.prepare(2, true).await.unwrap();
    commit(&out, std::slice::from_ref(&last)).await;
    commit(&out, &[last]).await;
    let objects = visible(&world);
    assert_eq!(objects.len(), 1);
    let ids: Vec<i64> =
        lines(&objects[0].1).iter().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(ids.iter().copied().eq(0..6_010));
    assert_eq!(staged(&world), 0);
}

#[tokio::test]
async fn rescaling_and_old_objects_never_collide() {
    let world = world();
    object(&world, "out/f.7", "old\n");
    let more = [("append", "false"), ("max_record_num_per_file", "1")];
    let out = obs_sink(&world, &more);
    out.discard_uncommitted(None).await.unwrap();
    let mut states = Vec::new();
    let mut prepared = Vec::new();
    for subtask in 0..3 {
        let mut current = out.open(writer(subtask, 3, None, vec![])).await.unwrap();
        current.write(&rows(&[(subtask as i64, "x"), (10 + subtask as i64, "y")])).await.unwrap();
        prepared.push(current.prepare(1, false).await.unwrap());
        states.push(prepared[subtask].state.clone());
    }
    commit(&out, &prepared).await;
    assert_eq!(visible(&world).len(), 7);
    out.discard_uncommitted(Some(1)).await.unwrap();
    let mut prepared = Vec::new();
    for (subtask, states) in [(0, states), (1, vec![])] {
        let mut current = out.open(writer(subtask, 2, Some(1), states)).await.unwrap();
        current.write(&rows(&[(20 + subtask as i64, "z"), (30 + subtask as i64, "z")])).await.unwrap();
        prepared.push(current.prepare(2, true).await.unwrap());
    }
    commit(&out, &prepared).await;
    let objects = visible(&world);
    assert_eq!(objects.len(), 11);
    let mut all: Vec<String> = objects.iter().map(|(_, content)| content.trim().to_string()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 11, "{all:?}");
}

#[tokio::test]
async fn rolls_by_size_age_and_time_of_output() {
    let world = world();
    let out = obs_sink(&world, &[("rolling_size", "10"), ("rolling_interval", "yyyy/MM/dd/HH/mm")]);
    out.discard_uncommitted(None).await.unwrap();
    let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
    current.write(&rows(&[(1, "aaa"), (2, "bbb"), (3, "c")])).await.unwrap();
    world.clock.advance(Duration::from_secs(30));
    let early = current.prepare(1, false).await.unwrap();
    commit(&out, &[early]).await;
    assert_eq!(visible(&world), [("out/2026-01-01_00-00/f.1".to_string(), "1,aaa\n2,bbb\n".to_string())]);
    world.clock.advance(Duration::from_secs(31));
    current.write(&rows(&[(4, "d")])).await.unwrap();
    let next = current.prepare(2, false).await.unwrap();
    commit(&out, &[next]).await;
    assert_eq!(visible(&world)[1], ("out/2026-01-01_00-00/f.2".to_string(), "3,c\n".to_string()));
    // `append` is on: after 60 seconds the object is finished.
    world.clock.advance(Duration::from_secs(59));
    assert!(current.prepare(3, false).await.unwrap().committable.is_some());
}

#[tokio::test]
async fn directories_by_column_quote_and_json() {
    let world = world();
    let more = [
        ("obs_dir", "bk1/by/${s}"),
        ("append", "false"),
        ("max_record_num_per_file", "9"),
        ("encode", "json"),
    ];
    let out = obs_sink(&world, &more);
    out.discard_uncommitted(None).await.unwrap();
    let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
    current.write(&rows(&[(1, "u"), (2, "v"), (3, "u"), (4, "../../x")])).await.unwrap();
    let last = current.prepare(1, true).await.unwrap();
    commit(&out, &[last]).await;
    let objects = visible(&world);
    assert_eq!(objects.len(), 3, "{objects:?}");
    assert!(objects.iter().all(|(name, _)| name.starts_with("by/")), "{objects:?}");
    let of_u = objects.iter().find(|(name, _)| name.starts_with("by/u/")).unwrap();
    assert_eq!(of_u.1, "{\"a\":1,\"s\":\"u\"}\n{\"a\":3,\"s\":\"u\"}\n");

    let out = obs_sink(&world, &[("quote", "'"), ("row_delimiter", ";"), ("obs_dir", "bk1/q")]);
    let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
    current.write(&rows(&[(1, "u")])).await.unwrap();
    let last = current.prepare(1, true).await.unwrap();
    commit(&out, &[last]).await;
    assert_eq!(visible(&world).last().unwrap(), &("q/f.1".to_string(), "'1','u';".to_string()));
}

#[tokio::test]
async fn parts_committed_after_an_at_least_once_checkpoint_are_not_continued() {
    let mut world = world();
    world.environment.settings.checkpoint.as_mut().unwrap().mode = CheckpointMode::AtLeastOnce;
    let more = [("append", "false"), ("max_record_num_per_file", "400")];
    let word = "w".repeat(1_000);
    let out = obs_sink(&world, &more);
    out.discard_uncommitted(None).await.unwrap();
    let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
    for n in 0..300 {
        current.write(&rows(&[(n, &word)])).await.unwrap();
    }
    let checkpoint = current.prepare(5, false).await.unwrap();
    assert_eq!(staged(&world), 1);
    for n in 300..400 {
        current.write(&rows(&[(n, &word)])).await.unwrap();
    }
    let flushed = current.prepare(6, false).await.unwrap();
    commit(&out, &[flushed]).await;
    drop(current);
    out.discard_uncommitted(Some(2)).await.unwrap();
    let mut current = out.open(writer(0, 1, Some(2), vec![checkpoint.state])).await.unwrap();
    // Read again from the checkpoint on: repeated, not lost.
    for n in 300..400 {
        current.write(&rows(&[(n, &word)])).await.unwrap();
    }
    let last = current.prepare(3, true).await.unwrap();
    commit(&out, &[last]).await;
    let objects = visible(&world);
    let mut ids: Vec<String> = objects
        .iter()
        .flat_map(|(_, content)| lines(content))
        .map(|line| line.split(',').next().unwrap().to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 400);
}

#[tokio::test]
async fn wrong_options_are_refused() {
    let world = world();
    for (pair, complaint) in [
        (("encode", "parquet"), "`parquet` is not an encoding of this release"),
        (("obs_dir", "bk1/${zzz}"), "needs `append = \"false\"`"),
        (("rolling_size", "big"), "not a size"),
        (("rolling_interval", "HH"), "is not one of"),
        (("encoded_data", "${s}"), "option `encoded_data`: is not supported yet"),
        (("append", "false"), "max_record_num_per_file"),
        (("quote", "ab"), "one character"),
        (("file_prefix", "a/b"), "must not contain"),
    ] {
        let pairs = pairs(&[pair]);
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let error = sink(&sink_stream(AS, &pairs), &world.environment).err().unwrap();
        assert!(error.message.contains(complaint), "{pair:?}: {error}");
    }
}

#[tokio::test]
async fn commit_that_died_at_any_step_is_repeated_without_harm() {
    let word = "w".repeat(1_000);
    // 0: before the copy, 1: after it, 2: in the middle of the clean-up.
    for step in 0..3 {
        let world = world();
        let out = obs_sink(&world, &[("append", "false"), ("max_record_num_per_file", "100000000")]);
        out.discard_uncommitted(None).await.unwrap();
        let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
        for n in 0..60 {
            let some: Vec<(i64, &str)> = (n * 100..n * 100 + 100).map(|n| (n, word.as_str())).collect();
            current.write(&rows(&some)).await.unwrap();
        }
        let prepared = current.prepare(1, true).await.unwrap();
        let chunks: Vec<(String, Vec<u8>)> = files_below(&bucket(&world))
            .into_iter()
            .filter(|name| name.starts_with(".weir/staging/"))
            .map(|name| (name.clone(), std::fs::read(bucket(&world).join(name)).unwrap()))
            .collect();
        assert_eq!(chunks.len(), 2);
        if step > 0 {
            commit(&out, std::slice::from_ref(&prepared)).await;
            for (name, content) in chunks.iter().skip(step - 1) {
                object(&world, name, content);
            }
        }
        commit(&out, &[prepared]).await;
        let objects = visible(&world);
        assert_eq!((objects.len(), lines(&objects[0].1).len(), staged(&world)), (1, 6_000, 0), "step {step}");
    }
}

#[tokio::test]
async fn sinks_that_share_a_directory_never_overwrite_each_other() {
    let world = world();
    let mut other = world.environment.clone();
    other.job = "job-8".to_string();
    let more = [("append", "false"), ("max_record_num_per_file", "1")];
    let pairs = pairs(&more);
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let one = obs_sink(&world, &more);
    let two = sink(&sink_stream(AS, &pairs), &other).unwrap();
    // Both look at the directory while it is empty.
    let mut first = one.open(writer(0, 1, None, vec![])).await.unwrap();
    let mut second = two.open(writer(0, 1, None, vec![])).await.unwrap();
    first.write(&rows(&[(1, "x"), (2, "x")])).await.unwrap();
    second.write(&rows(&[(3, "x")])).await.unwrap();
    let of_first = first.prepare(1, false).await.unwrap();
    let of_second = second.prepare(1, false).await.unwrap();
    commit(&two, std::slice::from_ref(&of_second)).await;
    commit(&one, std::slice::from_ref(&of_first)).await;
    second.write(&rows(&[(4, "x")])).await.unwrap();
    let later = second.prepare(2, true).await.unwrap();
    commit(&two, std::slice::from_ref(&later)).await;
    // A repeated commit changes nothing, not even names that others have by now.
    commit(&one, &[of_first]).await;
    commit(&two, &[of_second, later]).await;
    let contents: Vec<String> =
        visible(&world).into_iter().map(|(name, content)| format!("{name}: {content}")).collect();
    assert_eq!(contents, ["out/f.1: 1,x\n", "out/f.2: 2,x\n", "out/f.3: 3,x\n", "out/f.4: 4,x\n"]);
    assert!(!files_below(&bucket(&world)).iter().any(|name| name.starts_with(".weir/names/")));
}
