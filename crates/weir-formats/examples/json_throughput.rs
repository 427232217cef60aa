//! Prints how many JSON records of 335 bytes the decoder reads per CPU-second, beside serde_json.
//!
//! `cargo run --release -p weir-formats --example json_throughput`

use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;
use weir_formats::{Encode, FormatOptions, decoder};

const RECORDS: usize = 200_000;
const RECORD_BYTES: usize = 335;
const BATCH_ROWS: usize = 8_192;
const ROUNDS: usize = 5;

/// The bid of the Nexmark benchmark, borrowed where serde can.
#[derive(Deserialize)]
struct Bid<'a> {
    auction: i64,
    bidder: i64,
    price: i64,
    #[serde(borrow)]
    channel: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    url: std::borrow::Cow<'a, str>,
    #[serde(rename = "dateTime")]
    date_time: i64,
    #[serde(borrow)]
    extra: std::borrow::Cow<'a, str>,
}

fn main() {
    let data = generate();
    println!("{RECORDS} records of {RECORD_BYTES} bytes, best of {ROUNDS}, million records per CPU-second");
    let all = ["auction", "bidder", "price", "channel", "url", "dateTime", "extra"];
    report("weir-formats, all 7 columns", || decode(&data, &all));
    report("weir-formats, 3 columns", || decode(&data, &["auction", "price", "dateTime"]));
    report("serde_json, a struct per record", || parse_with_serde(&data));
}

fn report(name: &str, run: impl Fn() -> usize) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = cpu_seconds();
        assert_eq!(run(), RECORDS);
        best = best.min(cpu_seconds() - start);
    }
    println!("{name:<32} {:>6.2}", RECORDS as f64 / best / 1e6);
}

fn decode(data: &[u8], names: &[&str]) -> usize {
    let options = FormatOptions { encode: Encode::Json, ..FormatOptions::default() };
    let mut decoder = decoder(schema(names), &options).expect("the options are right");
    let mut rows = 0;
    for chunk in data.chunks(BATCH_ROWS * (RECORD_BYTES + 1)) {
        let consumed = decoder.push_records(chunk, b"\n", &mut |_, _, dirty| panic!("{}", dirty.reason));
        assert_eq!(consumed, chunk.len());
        rows += decoder.flush().num_rows();
    }
    rows
}

fn parse_with_serde(data: &[u8]) -> usize {
    let mut rows = 0;
    let mut sum = 0_i64;
    for line in data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let bid: Bid<'_> = serde_json::from_slice(line).expect("the records are JSON");
        let lengths = bid.channel.len() + bid.url.len() + bid.extra.len();
        sum = sum.wrapping_add(bid.auction + bid.bidder + bid.price + bid.date_time + lengths as i64);
        rows += 1;
    }
    std::hint::black_box(sum);
    rows
}

fn schema(names: &[&str]) -> SchemaRef {
    let field = |name: &&str| {
        let data_type = match *name {
            "channel" | "url" | "extra" => DataType::Utf8,
            "dateTime" => DataType::Timestamp(TimeUnit::Millisecond, None),
            _ => DataType::Int64,
        };
        Field::new(*name, data_type, true)
    };
    Arc::new(Schema::new(names.iter().map(field).collect::<Vec<_>>()))
}

fn generate() -> Vec<u8> {
    let mut data = String::with_capacity(RECORDS * (RECORD_BYTES + 1));
    let mut seed = 1_u64;
    for i in 0..RECORDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (auction, bidder, price) =
            (1_000 + seed % 100_000, 1_000 + (seed >> 20) % 10_000, (seed >> 34) % 10_000_000);
        let channel = (seed >> 40) % 10_000;
        let start = data.len();
        data.push_str(&format!(
            "{{\"auction\":{auction},\"bidder\":{bidder},\"price\":{price},\"channel\":\"channel-{channel}\",\
             \"url\":\"https://www.nexmark.com/abo/vwxqs/item.htm?query=1&channel_id={channel}\",\
             \"dateTime\":{},\"extra\":\"",
            1_710_460_801_000_u64 + i as u64
        ));
        let padding = RECORD_BYTES - (data.len() - start) - 2;
        data.extend((0..padding).map(|k| char::from(b'a' + ((seed >> (k % 60)) % 26) as u8)));
        data.push_str("\"}\n");
    }
    data.into_bytes()
}

/// CPU time of this thread where the system tells it, otherwise the time that has passed.
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedule.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |nanoseconds| nanoseconds as f64 / 1e9)
}
