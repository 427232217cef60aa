//! A certificate that the service makes for itself: X.509 version 1, RSA with SHA-256.
//!
//! Only what it has to say is written, so that a page of DER does in place of a library.

use chrono::{DateTime, Datelike, Utc};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// sha256WithRSAEncryption, 1.2.840.113549.1.1.11, and its empty parameters.
const RSA_WITH_SHA256: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

/// Returns the part of a certificate that is signed.
pub(super) fn to_be_signed(
    name: &str,
    serial: u64,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    public_key_info: &[u8],
) -> Vec<u8> {
    let name = element(
        SEQUENCE,
        &[&element(SET, &[&element(SEQUENCE, &[COMMON_NAME, &element(UTF8_STRING, &[name.as_bytes()])])])],
    );
    let validity = element(SEQUENCE, &[&time(from), &time(until)]);
    // The highest bit would make it negative.
    let serial = element(INTEGER, &[&(serial >> 1 | 1 << 62).to_be_bytes()]);
    element(SEQUENCE, &[&serial, RSA_WITH_SHA256, &name, &validity, &name, public_key_info])
}

/// Returns the certificate.
pub(super) fn signed(to_be_signed: &[u8], signature: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[to_be_signed, RSA_WITH_SHA256, &element(BIT_STRING, &[&[0], signature])])
}

/// A time: years before 2050 have two digits, the others four (RFC 5280, section 4.1.2.5).
fn time(at: DateTime<Utc>) -> Vec<u8> {
    if at.year() < 2050 {
        element(UTC_TIME, &[at.format("%y%m%d%H%M%SZ").to_string().as_bytes()])
    } else {
        element(GENERALIZED_TIME, &[at.format("%Y%m%d%H%M%SZ").to_string().as_bytes()])
    }
}

/// Returns tag, length and contents.
fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let mut element = vec![tag];
    match u8::try_from(contents.len()) {
        Ok(length) if length < 0x80 => element.push(length),
        _ => {
            let bytes: Vec<u8> =
                contents.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            element.push(0x80 | u8::try_from(bytes.len()).unwrap_or(8));
            element.extend(bytes);
        }
    }
    element.extend(contents);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_the_shortest_form() {
        assert_eq!(element(4, &[&[7; 3]]), [4, 3, 7, 7, 7]);
        assert_eq!(element(4, &[&[0; 0x80]])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[&[0; 0x1234]])[..4], [4, 0x82, 0x12, 0x34]);
    }

    #[test]
    fn years_from_2050_on_have_four_digits() {
        let at = |text: &str| time(text.parse().unwrap());
        assert_eq!(at("2049-12-31T23:59:59Z")[2..], *b"491231235959Z");
        assert_eq!(at("2050-01-01T00:00:00Z")[2..], *b"20500101000000Z");
    }
}
