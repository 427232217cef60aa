//! Texts of values of a database in the forms that the dialect reads.

use std::borrow::Cow;

use arrow::datatypes::DataType;

use super::key::Kind;

/// Returns the text of a value in the form of its declared type. What does not look like one stays as it is,
/// and is refused where it is read.
pub(super) fn readable<'v>(text: &'v [u8], declared: &DataType, kind: Kind) -> Cow<'v, [u8]> {
    match declared {
        DataType::Boolean => match text {
            b"1" => Cow::Borrowed(b"true"),
            b"0" => Cow::Borrowed(b"false"),
            other => Cow::Borrowed(other),
        },
        DataType::Time32(_) => Cow::Borrowed(milliseconds(text)),
        DataType::Timestamp(..) => timestamp(text, kind),
        _ => Cow::Borrowed(text),
    }
}

/// Cuts a fraction of a second to three digits.
fn milliseconds(text: &[u8]) -> &[u8] {
    match text.iter().position(|byte| *byte == b'.') {
        Some(dot) if text[dot + 1..].iter().all(u8::is_ascii_digit) => &text[..text.len().min(dot + 4)],
        _ => text,
    }
}

/// Makes ISO 8601 of `yyyy-MM-dd[ HH:mm:ss[.ffffff][offset]]`; an instant without offset is in UTC.
fn timestamp(text: &[u8], kind: Kind) -> Cow<'_, [u8]> {
    let mut iso = text.to_vec();
    match iso.get(10) {
        None if kind == Kind::Date => iso.extend_from_slice(b"T00:00:00"),
        Some(b' ') => iso[10] = b'T',
        _ => return Cow::Borrowed(text),
    }
    let has_offset = iso[11..].iter().any(|byte| matches!(byte, b'+' | b'-' | b'Z'));
    if kind == Kind::Instant && !has_offset {
        iso.push(b'Z');
    }
    Cow::Owned(iso)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;
    use weir_base::text::{Zone, format_timestamp, parse_time, parse_timestamp};

    use super::*;

    #[test]
    fn timestamps_of_both_databases() {
        let declared = DataType::Timestamp(TimeUnit::Millisecond, None);
        let zone = Zone::parse("+08:00").unwrap();
        let read = |text: &str, kind| {
            let text = readable(text.as_bytes(), &declared, kind);
            parse_timestamp(&text, &zone).map(format_timestamp)
        };
        for (text, kind, expected) in [
            ("2024-03-15 07:08:09", Kind::DateTime, "2024-03-15 07:08:09"),
            ("2024-03-15 07:08:09.123456", Kind::DateTime, "2024-03-15 07:08:09.123"),
            ("2024-03-15", Kind::Date, "2024-03-15 00:00:00"),
            ("2024-03-15 07:08:09.5+00", Kind::Instant, "2024-03-15 15:08:09.500"),
            ("2024-03-15 07:08:09+05:30", Kind::Instant, "2024-03-15 09:38:09"),
            ("2024-03-15 07:08:09", Kind::Instant, "2024-03-15 15:08:09"),
        ] {
            assert_eq!(read(text, kind).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(read("infinity", Kind::DateTime), None);
    }

    #[test]
    fn times_and_booleans() {
        let time = DataType::Time32(TimeUnit::Millisecond);
        assert_eq!(parse_time(readable(b"07:08:09.123456", &time, Kind::Time)), Some(25_689_123));
        assert_eq!(*readable(b"1", &DataType::Boolean, Kind::Number), *b"true");
        assert_eq!(*readable(b"1", &DataType::Int32, Kind::Number), *b"1");
    }
}
