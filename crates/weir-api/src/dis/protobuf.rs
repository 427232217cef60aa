//! The binary form of puts and gets, written by hand: five small messages whose fields have numbers.
//!
//! Unknown fields are passed over, as the format demands.

use bytes::Bytes;
use weir_cloud::streams::StoredRecord;

use super::error::DisError;
use super::records::{PutAnswer, PutEntry, PutRequest};

/// The content type of answers.
pub(super) const TYPE: &str = "application/x-protobuf";

/// Tells whether a content type asks for this form.
pub(super) fn is_type(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim() == TYPE)
}

/// Reads the body of a put.
pub(super) fn parse_put(body: &Bytes) -> Result<PutRequest, DisError> {
    read_put(body).ok_or_else(|| DisError::body("the request body is not a protobuf message of records"))
}

/// Writes the answer to a put.
pub(super) fn write_put_answer(answer: &PutAnswer) -> Vec<u8> {
    let mut out = Vec::new();
    write_number(&mut out, 21, answer.failed_record_count as u64);
    for record in &answer.records {
        let mut message = Vec::new();
        let texts = [
            (23, &record.partition_id),
            (24, &record.sequence_number),
            (25, &record.error_code),
            (26, &record.error_message),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                write_bytes(&mut message, field, text.as_bytes());
            }
        }
        write_bytes(&mut out, 22, &message);
    }
    out
}

/// Writes the answer to a get.
pub(super) fn write_get_answer(records: &[StoredRecord], next_cursor: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_bytes(&mut out, 14, next_cursor.as_bytes());
    for record in records {
        let mut message = Vec::with_capacity(record.data.len() + 64);
        if let Some(key) = &record.partition_key {
            write_bytes(&mut message, 17, key.as_bytes());
        }
        write_bytes(&mut message, 18, record.sequence.to_string().as_bytes());
        write_bytes(&mut message, 19, &record.data);
        write_number(&mut message, 27, record.timestamp_ms.cast_unsigned());
        write_bytes(&mut message, 28, b"CreateTime");
        write_bytes(&mut out, 16, &message);
    }
    out
}

fn read_put(body: &Bytes) -> Option<PutRequest> {
    let mut request = PutRequest::default();
    let mut fields = Fields { rest: body.clone() };
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => request.stream_name = Some(text(value)?),
            2 => request.records.push(read_entry(value)?),
            30 => request.stream_id = Some(text(value)?),
            _ => {}
        }
    }
    Some(request)
}

fn read_entry(message: Option<Bytes>) -> Option<PutEntry> {
    let mut entry = PutEntry::default();
    let mut fields = Fields { rest: message? };
    while let Some((field, value)) = fields.next()? {
        match field {
            3 => entry.data = value?,
            4 => entry.explicit_hash_key = Some(text(value)?),
            5 => entry.partition_key = Some(text(value)?),
            6 => entry.partition_id = Some(text(value)?),
            _ => {}
        }
    }
    Some(entry)
}

fn text(value: Option<Bytes>) -> Option<String> {
    String::from_utf8(value?.to_vec()).ok()
}

/// The fields of a message, in order.
struct Fields {
    rest: Bytes,
}

impl Fields {
    /// Returns the next field's number and, when it has a length, its content. The outer `None` is a broken
    /// message, the inner one its end.
    fn next(&mut self) -> Option<Option<(u64, Option<Bytes>)>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => {
                self.varint()?;
                None
            }
            1 => self.take(8).map(|_| None)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Some(self.take(length)?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return None,
        };
        Some(Some((key >> 3, value)))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.rest.first()?;
            self.rest = self.rest.slice(1..);
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<Bytes> {
        (length <= self.rest.len()).then(|| self.rest.split_to(length))
    }
}

fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn write_number(out: &mut Vec<u8>, field: u64, number: u64) {
    write_varint(out, field << 3);
    write_varint(out, number);
}

fn write_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    write_varint(out, field << 3 | 2);
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_put_is_read_and_unknown_fields_are_passed_over() {
        let mut entry = Vec::new();
        write_bytes(&mut entry, 3, b"\x00\xff");
        write_bytes(&mut entry, 5, b"key");
        write_number(&mut entry, 29, 1_700_000_000_000);
        let mut body = Vec::new();
        write_bytes(&mut body, 1, b"orders");
        write_bytes(&mut body, 2, &entry);
        write_number(&mut body, 99, 1);
        let body = Bytes::from(body);
        let request = parse_put(&body).unwrap();
        assert_eq!(request.stream_name.as_deref(), Some("orders"));
        assert_eq!(request.records[0].data, &b"\x00\xff"[..]);
        assert_eq!(request.records[0].partition_key.as_deref(), Some("key"));
        for length in 1..body.len() {
            // Cut anywhere: refused or shorter, never a panic.
            let _ = parse_put(&body.slice(..length));
        }
        assert!(parse_put(&Bytes::from_static(b"\x0a\x7fabc")).is_err());
    }
}
