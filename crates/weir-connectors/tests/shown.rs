//! The `print` and `blackhole` sinks, and types that do not exist.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::*;
use weir_connectors::{sink, source};
use weir_engine::RowKind;
use weir_engine::sink::Guarantee;

#[tokio::test]
async fn print_shows_rows_at_once_and_blackhole_none() {
    let mut world = world();
    let printed = Arc::new(Printed::default());
    world.environment.print = printed.clone();
    for (kind, guarantee) in [("print", Guarantee::AtLeastOnce), ("blackhole", Guarantee::ExactlyOnce)] {
        let out = sink(&sink_stream(AS, &[("type", kind)]), &world.environment).unwrap();
        assert_eq!(out.guarantee(), guarantee);
        out.discard_uncommitted(None).await.unwrap();
        let mut current = out.open(writer(0, 1, None, vec![])).await.unwrap();
        current.write(&rows(&[(1, "a"), (2, "b")])).await.unwrap();
        current.write(&rows(&[])).await.unwrap();
        assert!(current.prepare(1, true).await.unwrap().committable.is_none());
    }
    assert_eq!(*printed.0.lock().unwrap(), [("OUT".to_string(), 2, None)]);
}

#[tokio::test]
async fn print_shows_a_changelog_unless_it_is_told_not_to() {
    let mut world = world();
    let printed = Arc::new(Printed::default());
    world.environment.print = printed.clone();
    let print = |pairs: &[(&str, &str)]| sink(&sink_stream(AS, pairs), &world.environment).unwrap();
    let whole = print(&[("type", "print")]);
    assert!(whole.takes_row_kinds());
    assert!(!print(&[("type", "print"), ("row_kinds", "false")]).takes_row_kinds());

    let kinds = [RowKind::UpdateBefore, RowKind::UpdateAfter];
    let mut writer = whole.open(writer(0, 1, None, vec![])).await.unwrap();
    writer.write(&with_kinds(&rows(&[(1, "a"), (1, "b")]), &kinds)).await.unwrap();
    writer.write(&rows(&[(2, "c")])).await.unwrap();
    let expected = [("OUT".to_string(), 2, Some(kinds.to_vec())), ("OUT".to_string(), 1, None)];
    assert_eq!(*printed.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn unknown_types_are_named() {
    let world = world();
    let error = source(&source_stream(AS, &[("type", "print")]), &world.environment).err().unwrap();
    assert_eq!(error.message, "stream `IN`, option `type`: there is no source connector `print`");
    let error = sink(&sink_stream(AS, &[("type", "nexmark")]), &world.environment).err().unwrap();
    assert_eq!(error.message, "stream `OUT`, option `type`: there is no sink connector `nexmark`");
}
