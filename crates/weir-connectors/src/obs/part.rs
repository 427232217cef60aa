//! A part: an object that is being written, as chunks that are staged and a tail that is not.

use serde::{Deserialize, Serialize};

/// An object that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Folder below the bucket.
    pub directory: String,
    pub records: u64,
    /// Bytes of chunks and tail.
    pub bytes: u64,
    /// When its first record came, milliseconds since the epoch.
    pub opened_ms: i64,
    /// Keys of the staged chunks, in order.
    pub chunks: Vec<String>,
    /// Bytes behind the chunks.
    pub tail: Vec<u8>,
}

impl Part {
    pub fn new(directory: String, opened_ms: i64) -> Self {
        Self { directory, records: 0, bytes: 0, opened_ms, chunks: Vec::new(), tail: Vec::new() }
    }

    pub fn push(&mut self, record: &[u8], delimiter: &[u8]) {
        self.tail.extend_from_slice(record);
        self.tail.extend_from_slice(delimiter);
        self.records += 1;
        self.bytes += (record.len() + delimiter.len()) as u64;
    }
}

/// What commit makes visible: objects, each made of staged chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Committable {
    pub objects: Vec<FinishedObject>,
}

/// An object to be made of staged chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FinishedObject {
    pub key: String,
    pub chunks: Vec<String>,
}

/// The state of a writer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Greatest number of an object given out.
    pub used: u64,
    pub parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    used: u64,
    parts: Vec<PartHead>,
}

#[derive(Serialize, Deserialize)]
struct PartHead {
    directory: String,
    records: u64,
    bytes: u64,
    opened_ms: i64,
    chunks: Vec<String>,
    tail: usize,
}

impl State {
    /// Writes the length of a JSON head, the head, and the tails as they are.
    pub fn encode<'a>(
        used: u64,
        parts: impl Iterator<Item = &'a Part> + Clone,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let head = |part: &Part| PartHead {
            directory: part.directory.clone(),
            records: part.records,
            bytes: part.bytes,
            opened_ms: part.opened_ms,
            chunks: part.chunks.clone(),
            tail: part.tail.len(),
        };
        let json = serde_json::to_vec(&Head { used, parts: parts.clone().map(head).collect() })?;
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(&json);
        for part in parts {
            bytes.extend_from_slice(&part.tail);
        }
        Ok(bytes)
    }

    /// Reads what [`State::encode`] wrote; `None` when it is damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (json, mut tails) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let head: Head = serde_json::from_slice(json).ok()?;
        let mut state = Self { used: head.used, parts: Vec::with_capacity(head.parts.len()) };
        for PartHead { directory, records, bytes, opened_ms, chunks, tail } in head.parts {
            let (tail, rest) = tails.split_at_checked(tail)?;
            tails = rest;
            state.parts.push(Part { directory, records, bytes, opened_ms, chunks, tail: tail.to_vec() });
        }
        tails.is_empty().then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_round_trip() {
        let mut part = Part::new("a/b".to_string(), 7);
        part.push(b"x", b"\n");
        part.chunks.push("c".to_string());
        let state = State { used: 9, parts: vec![part.clone(), Part::new(String::new(), 8), part] };
        let bytes = State::encode(9, state.parts.iter()).unwrap();
        assert_eq!(State::decode(&bytes), Some(state));
        assert_eq!(State::decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(State::decode(b"junk"), None);
    }
}
