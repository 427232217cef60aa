//! Takes a message apart: headers, which may go on over lines, and the body behind the first empty line.

use super::keys::is_header_name;

/// A piece of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A header with its value, in which line ends may stand.
    Header { name: &'a [u8], value: &'a [u8] },
    /// All that follows the first empty line.
    Body(&'a [u8]),
}

/// The pieces of a message in order; ends after the body, or after a malformed line.
pub(super) struct Pieces<'a> {
    rest: Option<&'a [u8]>,
    line: usize,
}

impl<'a> Pieces<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: Some(message), line: 1 }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take().filter(|rest| !rest.is_empty())?;
        let mut end = line_end(rest, 0);
        if without_line_end(&rest[..end]).is_empty() {
            return Some(Ok(Piece::Body(&rest[end..])));
        }
        let first_line = self.line;
        self.line += 1;
        while matches!(rest.get(end), Some(b' ' | b'\t')) {
            end = line_end(rest, end);
            self.line += 1;
        }
        let colon = memchr::memchr(b':', &rest[..end]);
        let name = colon.map(|colon| rest[..colon].trim_ascii_end()).filter(|name| is_header_name(name));
        let (Some(colon), Some(name)) = (colon, name) else {
            return Some(Err(format!("line {first_line} is neither a header nor empty")));
        };
        self.rest = Some(&rest[end..]);
        Some(Ok(Piece::Header { name, value: &rest[colon + 1..end] }))
    }
}

/// Returns where the line that begins at `start` ends, its line feed included.
fn line_end(text: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |length| start + length + 1)
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Appends the value of a header in one line: line ends go, the blanks after them stay, those around it go.
pub(super) fn write_unfolded(value: &[u8], out: &mut Vec<u8>) {
    for line in value.trim_ascii().split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(without_line_end(line));
    }
}

/// Returns the parameter `charset` of the value of `Content-Type`, without the quotes around it.
pub(super) fn charset(content_type: &[u8]) -> Option<&[u8]> {
    let mut parameters = Parameters { rest: content_type };
    parameters.find(|(name, _)| name.eq_ignore_ascii_case(b"charset")).map(|(_, value)| value)
}

/// The parameters behind the first `;`, as `name=value`.
struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = unquoted(self.rest, b';')? + 1;
            self.rest = &self.rest[start..];
            let parameter = &self.rest[..unquoted(self.rest, b';').unwrap_or(self.rest.len())];
            if let Some(equals) = memchr::memchr(b'=', parameter) {
                let value = parameter[equals + 1..].trim_ascii();
                return Some((parameter[..equals].trim_ascii(), without_quotes(value)));
            }
        }
    }
}

/// Returns where a byte first stands outside of double quotes.
fn unquoted(text: &[u8], wanted: u8) -> Option<usize> {
    let mut inside = false;
    text.iter().position(|byte| {
        inside ^= *byte == b'"';
        !inside && *byte == wanted
    })
}

fn without_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', middle @ .., b'"'] => middle,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(message: &str) -> Vec<Result<(String, String), String>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let piece = |piece: Piece<'_>| match piece {
            Piece::Header { name, value } => {
                let mut unfolded = Vec::new();
                write_unfolded(value, &mut unfolded);
                (text(name), text(&unfolded))
            }
            Piece::Body(body) => ("(body)".to_string(), text(body)),
        };
        Pieces::new(message.as_bytes()).map(|result| result.map(piece)).collect()
    }

    fn ok(name: &str, value: &str) -> Result<(String, String), String> {
        Ok((name.to_string(), value.to_string()))
    }

    #[test]
    fn headers_go_on_over_lines_that_begin_with_a_blank() {
        assert_eq!(
            pieces("A: one\r\n two\n\tthree \nB:\nC : x:y\n\nhello\n\nthere"),
            [ok("A", "one two\tthree"), ok("B", ""), ok("C", "x:y"), ok("(body)", "hello\n\nthere")]
        );
        assert_eq!(pieces("A: one"), [ok("A", "one")]);
        assert_eq!(pieces("A: one\r\n\r\n"), [ok("A", "one"), ok("(body)", "")]);
        assert_eq!(pieces("\nbody"), [ok("(body)", "body")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn lines_that_are_no_headers_end_the_message() {
        let line = |number: usize| Err(format!("line {number} is neither a header nor empty"));
        assert_eq!(pieces("hello\nA: b"), [line(1)]);
        assert_eq!(pieces("A: b\n c\nhello\n\nbody"), [ok("A", "b c"), line(3)]);
        assert_eq!(pieces(" A: b"), [line(1)]);
        assert_eq!(pieces("two words: b"), [line(1)]);
        assert_eq!(pieces(": b"), [line(1)]);
    }

    #[test]
    fn the_charset_is_a_parameter() {
        for (content_type, expected) in [
            ("text/plain; charset=us-ascii", Some("us-ascii")),
            ("text/plain;format=flowed ; CharSet = \"utf-8\" ", Some("utf-8")),
            ("multipart/mixed; boundary=\"a;charset=no\"; charset=gbk", Some("gbk")),
            ("text/plain; charset; charset=x", Some("x")),
            ("text/plain; charset=", Some("")),
            ("text/plain", None),
            ("charset=utf-8", None),
            ("text/plain; boundary=\"open; charset=x", None),
            ("", None),
        ] {
            let found = charset(content_type.as_bytes()).map(String::from_utf8_lossy);
            assert_eq!(found.as_deref(), expected, "{content_type}");
        }
    }
}
