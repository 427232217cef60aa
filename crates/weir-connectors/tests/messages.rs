//! Records that are not lines: whole files and messages as xml, email and blob.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Int8Type, Schema};
use bytes::Bytes;
use common::*;
use weir_cloud::streams::{NewRecord, NewStream, Placement, Streams};
use weir_connectors::source;
use weir_engine::source::{SharedSource, SourceEvent};

fn file(world: &World, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = world.root.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_string()
}

fn reading(world: &World, path: &str, pairs: &[(&str, &str)]) -> SharedSource {
    let mut all = vec![("type", "file"), ("path", path)];
    all.extend(pairs);
    source(&source_stream(AS, &all), &world.environment).unwrap()
}

const XML: [(&str, &str); 2] = [("encode", "xml"), ("xml_config", "a=a;s=s")];

#[tokio::test]
async fn each_file_is_one_document() {
    let world = world();
    file(&world, "in/1.xml", "<r>\n  <a>1</a>\n  <s>x</s>\n</r>\n");
    file(&world, "in/2.xml", "<r>\n  <a>2</a>\n");
    file(&world, "in/3.xml", "");
    file(&world, "in/4.xml.gz", gzip(b"<r>\n<a>4</a>\n</r>"));
    // Longer than a block, so that the record arrives in pieces.
    let long = "y".repeat(3 << 20);
    file(&world, "in/5.xml", format!("<r><a>5</a>\n<s>{long}</s></r>"));
    let source = reading(&world, world.root.path().join("in").to_str().unwrap(), &XML);
    let run = read_all(&source).await;
    assert!(run.rows == ["1|x".to_string(), "4|NULL".to_string(), format!("5|{long}")]);
    let [dirty] = run.dirty.as_slice() else { panic!("{:?}", run.dirty) };
    assert!(dirty.contains("2.xml` at byte 0") && dirty.contains("not well-formed XML"), "{dirty}");
    assert_eq!(run.finished.len(), 5);
    check_restores(&source, &run).await;
}

#[tokio::test]
async fn a_delimiter_makes_records_of_lines_and_none_makes_one_of_any_file() {
    let world = world();
    let path = file(&world, "lines.xml", "<r><a>1</a></r>\r\n<r><a>2</a></r>\n");
    let source = reading(&world, &path, &[XML[0], XML[1], ("row_delimiter", "\n")]);
    let run = read_all(&source).await;
    assert_eq!(run.rows, ["1|NULL", "2|NULL"]);
    check_restores(&source, &run).await;
    let path = file(&world, "whole.csv", "1,two\nlines\n");
    assert_eq!(read_all(&reading(&world, &path, &[("row_delimiter", "")])).await.rows, ["1|two\nlines\n"]);
    let pretty = file(&world, "pretty.json", "{\n  \"a\": 1,\n  \"s\": \"x\"\n}\n");
    let pairs = [("encode", "json"), ("row_delimiter", "")];
    assert_eq!(read_all(&reading(&world, &pretty, &pairs)).await.rows, ["1|x"]);
    let paced = [("encode", "json"), ("row_delimiter", ""), ("rows_per_second", "1")];
    assert_eq!(read_all(&reading(&world, &pretty, &paced)).await.rows, ["1|x"]);
}

#[tokio::test]
async fn a_mail_is_read_with_its_body() {
    let world = world();
    let path = file(&world, "mail.txt", "N: 7\nSubject: x\n\nhello\nthere\n");
    let source = reading(&world, &path, &[("encode", "email"), ("email_key", "n, body")]);
    assert_eq!(read_all(&source).await.rows, ["7|hello\nthere\n"]);
}

#[tokio::test]
async fn a_file_that_is_too_long_for_one_record_is_told() {
    let world = world();
    let path = file(&world, "big.xml", vec![b' '; 17 << 20]);
    let source = reading(&world, &path, &XML);
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    let error = reader.next().await.unwrap_err();
    assert!(error.message.contains("longer than 16 MiB") && error.message.contains("big.xml"), "{error}");
}

#[tokio::test]
async fn messages_of_a_stream_are_records_whatever_lines_they_have() {
    let world = world();
    world.streams.create_stream("p1", NewStream::new("c1", 1)).await.unwrap();
    for data in [b"\x00\n\xff".as_slice(), b"", b"abc"] {
        let record = NewRecord { placement: Placement::Partition(0), data: Bytes::copy_from_slice(data) };
        world.streams.append("p1", "c1", vec![record]).await.unwrap();
    }
    let bytes = DataType::List(Arc::new(Field::new("item", DataType::Int8, true)));
    let schema = Arc::new(Schema::new(vec![Field::new("bytes", bytes, true)]));
    let pairs = [("type", "dis"), ("channel", "c1"), ("encode", "blob"), ("offset", "0")];
    let mut stream = source_stream(AS, &pairs);
    (stream.declared, stream.schema) = (Arc::clone(&schema), schema);
    let source = source(&stream, &world.environment).unwrap();
    let mut reader = source.open(source.splits().await.unwrap()).await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(5), reader.next()).await.unwrap().unwrap();
    let SourceEvent::Batch(batch) = event else { panic!("{event:?}") };
    let rows = batch.rows.column(0).as_list::<i32>();
    let read: Vec<Vec<i8>> =
        rows.iter().map(|row| row.unwrap().as_primitive::<Int8Type>().values().to_vec()).collect();
    assert_eq!(read, [vec![0, 10, -1], vec![], vec![97, 98, 99]]);
}
