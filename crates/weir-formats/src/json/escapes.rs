//! Escape sequences of JSON strings.

use super::problem::Problem;
use super::scan::find_special;

/// Appends the text of a string whose raw form, without the quotes, starts at byte `at` of the record.
///
/// A surrogate without its other half is refused: it has no UTF-8 form.
pub(crate) fn unescape(raw: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
    let mut rest = raw;
    while let Some(length) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..length]);
        rest = unescape_one(&rest[length + 1..], out).ok_or_else(|| {
            Problem::syntax("a wrong escape sequence", at + raw.len() - rest.len() + length)
        })?;
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Appends the character of the sequence behind a backslash; returns what follows it.
fn unescape_one<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (kind, rest) = rest.split_first()?;
    let byte = match kind {
        b'"' | b'\\' | b'/' => *kind,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unescape_unicode(rest, out),
        _ => return None,
    };
    out.push(byte);
    Some(rest)
}

fn unescape_unicode<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (high, mut rest) = hex4(rest)?;
    let mut code = high;
    if (0xd800..0xdc00).contains(&high) {
        let (low, after) = hex4(rest.strip_prefix(b"\\u")?)?;
        if !(0xdc00..0xe000).contains(&low) {
            return None;
        }
        code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        rest = after;
    }
    let character = char::from_u32(code)?;
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

fn hex4(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(4)?;
    let mut code = 0;
    for digit in digits {
        code = code * 16 + char::from(*digit).to_digit(16)?;
    }
    Some((code, rest))
}

/// Appends a text as a JSON string with its quotes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut start = 0;
    loop {
        let end = find_special(bytes, start);
        out.extend_from_slice(&bytes[start..end]);
        let Some(byte) = bytes.get(end) else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            other => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(other >> 4)], HEX[usize::from(other & 15)]]);
            }
        }
        start = end + 1;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(raw: &str) -> Option<String> {
        let mut out = Vec::new();
        unescape(raw.as_bytes(), 0, &mut out).ok()?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescaped(r#"a\"\\\/\b\f\n\r\tz"#).as_deref(), Some("a\"\\/\u{8}\u{c}\n\r\tz"));
        assert_eq!(unescaped(r"\u00e9\uD83D\uDE00").as_deref(), Some("é😀"));
        for raw in [r"\", r"\x", r"\u12", r"\u12g4", r"\ud83d", r"\ud83dx", r"\ud83d\u0041", r"\ude00"] {
            assert_eq!(unescaped(raw), None, "{raw}");
        }
    }

    #[test]
    fn written_strings_are_those_of_serde() {
        for text in [
            "",
            "plain",
            "q\"b\\n\nr\rt\t\u{8}\u{c}\u{1}\u{1f}\u{7f}",
            "é😀 long enough for blocks of thirty-two \u{2}",
        ] {
            let mut out = Vec::new();
            write_string(text, &mut out);
            assert_eq!(String::from_utf8(out).ok(), serde_json::to_string(text).ok());
        }
    }
}
