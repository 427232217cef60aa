//! `datagen` and `nexmark` make the same rows every time, from every position.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;

use common::*;
use weir_connectors::source;

#[tokio::test]
async fn datagen_is_repeatable_and_bounded() {
    let world = world();
    let columns = [
        ("id", "BIGINT"),
        ("k", "STRING"),
        ("v", "INT"),
        ("d", "DOUBLE"),
        ("b", "BOOLEAN"),
        ("t", "TIMESTAMP"),
    ];
    let pairs = [
        ("type", "datagen"),
        ("number_of_rows", "10001"),
        ("sequence", "id"),
        ("distinct_values", "5"),
        ("min", "3"),
        ("max", "9"),
        ("splits", "3"),
    ];
    let source = source(&source_stream(&columns, &pairs), &world.environment).unwrap();
    let run = read_all(&source).await;
    assert_eq!(run.rows.len(), 10_001);
    assert!(run.rows == read_all(&source).await.rows);
    check_restores(&source, &run).await;
    let mut ids = Vec::new();
    let mut keys = HashMap::new();
    for row in &run.rows {
        let values: Vec<&str> = row.split('|').collect();
        ids.push(values[0].parse::<i64>().unwrap());
        *keys.entry(values[1].to_string()).or_insert(0) += 1;
        assert!((3..=9).contains(&values[2].parse::<i32>().unwrap()), "{row}");
        assert!((3.0..=9.0).contains(&values[3].parse::<f64>().unwrap()), "{row}");
    }
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(0..10_001));
    assert_eq!(keys.len(), 5);
    assert!(run.rows.iter().any(|row| row.starts_with("3661|") && row.ends_with("2024-01-01T01:01:01")));
}

#[tokio::test]
async fn datagen_has_as_many_different_texts_as_it_is_told() {
    let world = world();
    let rows = 200_000;
    for (length, distinct, expected) in [("8", "0", rows), ("20", "0", rows), ("8", "100000", 86_500)] {
        let number = rows.to_string();
        let pairs = [
            ("type", "datagen"),
            ("number_of_rows", &number),
            ("length", length),
            ("distinct_values", distinct),
        ];
        let source = source(&source_stream(&[("k", "STRING")], &pairs), &world.environment).unwrap();
        let run = read_all(&source).await;
        assert!(run.rows.iter().all(|row| row.len().to_string() == length));
        let found = run.rows.iter().collect::<std::collections::HashSet<_>>().len();
        // 200,000 draws of 100,000 values meet 1 - e^-2 of them.
        assert!(found.abs_diff(expected) < 500, "{found} of {distinct} texts of {length} letters");
    }
}

#[tokio::test]
async fn datagen_refuses_what_it_cannot_make() {
    let world = world();
    for (pair, complaint) in [
        (("sequence", "nope"), "no column `nope`"),
        (("min", "200"), "must not be greater"),
        (("splits", "0"), "at least 1"),
        (("length", "99999999"), "at most 10000"),
        (("seed", "x"), "not a number"),
    ] {
        let error =
            source(&source_stream(AS, &[("type", "datagen"), pair]), &world.environment).err().unwrap();
        assert!(error.message.contains(complaint), "{error}");
    }
}

const BID: &[(&str, &str)] = &[
    ("auction", "BIGINT"),
    ("bidder", "BIGINT"),
    ("price", "BIGINT"),
    ("channel", "STRING"),
    ("url", "STRING"),
    ("date_time", "TIMESTAMP"),
    ("extra", "STRING"),
];
const AUCTION: &[(&str, &str)] = &[
    ("id", "BIGINT"),
    ("item_name", "STRING"),
    ("description", "STRING"),
    ("initial_bid", "BIGINT"),
    ("reserve", "BIGINT"),
    ("date_time", "TIMESTAMP"),
    ("expires", "TIMESTAMP"),
    ("seller", "BIGINT"),
    ("category", "BIGINT"),
    ("extra", "STRING"),
];
const PERSON: &[(&str, &str)] = &[
    ("id", "BIGINT"),
    ("name", "STRING"),
    ("email_address", "STRING"),
    ("credit_card", "STRING"),
    ("city", "STRING"),
    ("state", "STRING"),
    ("date_time", "TIMESTAMP"),
    ("extra", "STRING"),
];

async fn nexmark(world: &World, table: &str, columns: &[(&str, &str)], splits: &str) -> Vec<String> {
    let pairs = [("type", "nexmark"), ("table", table), ("number_of_events", "20017"), ("splits", splits)];
    let source = source(&source_stream(columns, &pairs), &world.environment).unwrap();
    let run = read_all(&source).await;
    check_restores(&source, &run).await;
    let mut rows = run.rows;
    rows.sort();
    rows
}

#[tokio::test]
async fn nexmark_keeps_the_proportions_at_any_number_of_splits() {
    let world = world();
    // 400 rounds, and 17 events of the next: one person, three auctions, 13 bids.
    for (table, columns, count) in
        [("bid", BID, 400 * 46 + 13), ("auction", AUCTION, 1_203), ("person", PERSON, 401)]
    {
        let rows = nexmark(&world, table, columns, "1").await;
        assert_eq!(rows.len(), count, "{table}");
        assert!(rows == nexmark(&world, table, columns, "3").await, "{table}");
    }
}

#[tokio::test]
async fn nexmark_columns_do_not_depend_on_the_others_declared() {
    let world = world();
    let all = nexmark(&world, "bid", BID, "2").await;
    let pick = |row: &String| {
        let values: Vec<&str> = row.split('|').collect();
        format!("{}|{}", values[2], values[0])
    };
    let mut expected: Vec<String> = all.iter().map(pick).collect();
    expected.sort();
    assert!(nexmark(&world, "bid", &[("price", "BIGINT"), ("auction", "BIGINT")], "2").await == expected);
    let hot = all.iter().filter(|row| row.split('|').next().unwrap().ends_with("00")).count();
    assert!(hot * 10 > all.len() * 4, "{hot} of {}", all.len());
    let error = source(
        &source_stream(&[("id", "BIGINT")], &[("type", "nexmark"), ("table", "bid")]),
        &world.environment,
    );
    assert!(error.err().unwrap().message.contains("has no column `id`; it has auction, bidder"));
}
