//! Puts records into streams of the service and reads them back, over the stream API.

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;

/// Bytes asked for in one fetch.
const FETCH_BYTES: u64 = 2 << 20;

impl Client {
    /// Creates a stream.
    pub async fn create_stream(&self, name: &str, partitions: u32) -> anyhow::Result<()> {
        let body = json!({"stream_name": name, "partition_count": partitions, "stream_type": "ADVANCED"});
        self.call(Method::POST, "/v2/{project}/streams", Some(&body)).await?;
        Ok(())
    }

    /// Puts records; every one must be taken.
    pub async fn put_records<'a>(
        &self,
        stream: &str,
        records: impl IntoIterator<Item = &'a str>,
    ) -> anyhow::Result<()> {
        let records: Vec<Value> = records
            .into_iter()
            .map(|record| json!({"data": STANDARD.encode(record), "partition_key": record}))
            .collect();
        let body = json!({"stream_name": stream, "records": records});
        let answer = self.call(Method::POST, "/v2/{project}/records", Some(&body)).await?;
        match answer["failed_record_count"].as_u64() {
            Some(0) => Ok(()),
            _ => bail!("some records were not taken: {answer}"),
        }
    }
}

/// Reads a stream from its oldest record on, partition by partition.
#[derive(Debug)]
pub struct StreamReader {
    stream: String,
    /// Partition id, and the sequence number that comes next.
    partitions: Vec<(String, u64)>,
}

impl StreamReader {
    /// Starts at the oldest records of every partition.
    pub async fn from_oldest(client: &Client, stream: &str) -> anyhow::Result<Self> {
        let answer = client.call(Method::GET, &format!("/v2/{{project}}/streams/{stream}"), None).await?;
        let partitions = answer["partitions"].as_array().context("a stream has partitions")?;
        let partitions = partitions
            .iter()
            .filter_map(|partition| partition["partition_id"].as_str())
            .map(|id| (id.to_string(), 0))
            .collect();
        Ok(Self { stream: stream.to_string(), partitions })
    }

    /// Returns the records that have arrived since the last call.
    pub async fn read_new(&mut self, client: &Client) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        for (partition, next) in &mut self.partitions {
            let mut cursor = cursor(client, &self.stream, partition, *next).await?;
            loop {
                let path = format!(
                    "/v2/{{project}}/records?partition-cursor={cursor}&max_fetch_bytes={FETCH_BYTES}"
                );
                let answer = client.call(Method::GET, &path, None).await?;
                let records = answer["records"].as_array().context("an answer has records")?;
                if records.is_empty() {
                    break;
                }
                for record in records {
                    found.push(text_of(record)?);
                    *next = sequence_of(record)? + 1;
                }
                let following =
                    answer["next_partition_cursor"].as_str().context("an answer has a next cursor")?;
                cursor = escape(following);
            }
        }
        Ok(found)
    }
}

async fn cursor(client: &Client, stream: &str, partition: &str, next: u64) -> anyhow::Result<String> {
    let start = match next {
        0 => "cursor-type=TRIM_HORIZON".to_string(),
        number => format!("cursor-type=AFTER_SEQUENCE_NUMBER&starting-sequence-number={}", number - 1),
    };
    let path = format!("/v2/{{project}}/cursors?stream-name={stream}&partition-id={partition}&{start}");
    let answer = client.call(Method::GET, &path, None).await?;
    Ok(escape(answer["partition_cursor"].as_str().context("an answer has a cursor")?))
}

fn text_of(record: &Value) -> anyhow::Result<String> {
    let data = record["data"].as_str().context("a record has data")?;
    Ok(String::from_utf8(STANDARD.decode(data)?)?)
}

fn sequence_of(record: &Value) -> anyhow::Result<u64> {
    let number = record["sequence_number"].as_str().context("a record has a sequence number")?;
    Ok(number.parse()?)
}

/// Escapes the characters of base64 that mean something in a query.
fn escape(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
