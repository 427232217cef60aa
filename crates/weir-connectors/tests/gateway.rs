//! The `apig` sink against the directory of the gateway.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use weir_base::id::JobId;
use weir_cloud::gateway::{Encoding, Gateway};
use weir_connectors::sink;
use weir_engine::sink::{Guarantee, SharedSink};

const JOB: JobId = JobId(7);
const CSV: &[(&str, &str)] =
    &[("type", "apig"), ("app_id", "a1"), ("encode", "csv"), ("field_delimiter", ";")];

fn with_gateway() -> (World, Gateway) {
    let mut world = world();
    let gateway = Gateway::new(world.root.path().join("gateway"));
    world.environment.gateway = Some((gateway.clone(), JOB));
    (world, gateway)
}

fn apig(world: &World, pairs: &[(&str, &str)]) -> SharedSink {
    sink(&sink_stream(AS, pairs), &world.environment).unwrap()
}

async fn shown(gateway: &Gateway) -> Vec<String> {
    let sink = gateway.sink(JOB, "OUT").await.unwrap().unwrap();
    gateway.newest(JOB, &sink, 100).await.unwrap()
}

/// Writes rows in an epoch of one subtask and returns what the checkpoint would hold.
async fn write(out: &SharedSink, epoch: u64, values: &[(i64, &str)]) -> Vec<Vec<u8>> {
    let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
    current.write(&rows(values)).await.unwrap();
    current.prepare(epoch, false).await.unwrap().committable.into_iter().collect()
}

#[tokio::test]
async fn rows_show_when_the_checkpoint_commits() {
    let (world, gateway) = with_gateway();
    let out = apig(&world, CSV);
    assert_eq!(out.guarantee(), Guarantee::ExactlyOnce);
    out.discard_uncommitted(None).await.unwrap();
    let sink = gateway.sink(JOB, "OUT").await.unwrap().unwrap();
    assert!(sink.is_open_to("a1"));
    assert_eq!((sink.form.encoding, sink.form.delimiter.as_deref()), (Encoding::Csv, Some(";")));
    let columns: Vec<_> = sink.form.columns.iter().map(|c| (c.name.as_str(), c.sql_type.as_str())).collect();
    assert_eq!(columns, [("a", "BIGINT"), ("s", "STRING")]);

    let first = write(&out, 1, &[(1, "x"), (2, "y")]).await;
    assert!(shown(&gateway).await.is_empty());
    out.commit(&first).await.unwrap();
    let lost = write(&out, 2, &[(3, "lost")]).await;
    // The job fails before the second checkpoint is complete, and goes on from the first.
    out.commit(&first).await.unwrap();
    out.discard_uncommitted(Some(1)).await.unwrap();
    assert_eq!(shown(&gateway).await, ["1;x", "2;y"]);
    let second = write(&out, 3, &[(3, "z")]).await;
    out.commit(&second).await.unwrap();
    assert_eq!(shown(&gateway).await, ["1;x", "2;y", "3;z"]);
    // What is not there any more is no reason to end a job.
    out.commit(&lost).await.unwrap();
    assert_eq!(shown(&gateway).await, ["1;x", "2;y", "3;z"]);
    assert!(write(&out, 4, &[]).await.is_empty());
}

#[tokio::test]
async fn json_leaves_nulls_out_when_told_so() {
    let (world, gateway) = with_gateway();
    let nulls = || {
        let columns: Vec<arrow::array::ArrayRef> = vec![
            std::sync::Arc::new(arrow::array::Int64Array::from(vec![1])),
            std::sync::Arc::new(arrow::array::StringArray::from(vec![None::<&str>])),
        ];
        arrow::array::RecordBatch::try_new(schema(AS), columns).unwrap()
    };
    let json = [("type", "apig"), ("app_id", "a1"), ("encode", "json")];
    for (epoch, flag, expected) in
        [(1, "true", r#"{"a":1,"s":null}"#), (2, "false", r#"{"a":1}"#), (3, "", r#"{"a":1,"s":null}"#)]
    {
        let out = apig(&world, &[&json[..], &[("enable_output_null", flag)]].concat());
        out.discard_uncommitted(None).await.unwrap();
        let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
        current.write(&nulls()).await.unwrap();
        out.commit(&[current.prepare(epoch, true).await.unwrap().committable.unwrap()]).await.unwrap();
        assert_eq!(shown(&gateway).await.last().unwrap(), expected);
    }
}

#[tokio::test]
async fn long_batches_leave_their_end() {
    let (world, gateway) = with_gateway();
    let out = apig(&world, CSV);
    out.discard_uncommitted(None).await.unwrap();
    let many: Vec<_> = (0..5_000).map(|n| (n, "x")).collect();
    out.commit(&write(&out, 1, &many).await).await.unwrap();
    let sink = gateway.sink(JOB, "OUT").await.unwrap().unwrap();
    let all = gateway.newest(JOB, &sink, usize::MAX).await.unwrap();
    assert_eq!((all.len(), all[0].as_str(), all[999].as_str()), (1_000, "4000;x", "4999;x"));
}

#[tokio::test]
async fn outside_of_a_service_it_says_so() {
    let world = world();
    let out = apig(&world, CSV);
    let error = out.discard_uncommitted(None).await.unwrap_err();
    assert!(!error.transient);
    assert!(error.message.contains("stream `OUT`") && error.message.contains("`print`"), "{error}");
}
