//! Bodies of type multipart/form-data, taken apart in memory: none is longer than an operation allows.

use weir_base::error::{CsError, codes};

/// One part: the name of its field and what it holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub name: String,
    /// The name of the file, when it is one.
    pub file_name: Option<String>,
    pub contents: &'a [u8],
}

/// Returns the boundary that a content type names, `None` when it is no multipart/form-data.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameter(parameters, "boundary")?;
    (1..=70).contains(&value.len()).then_some(value)
}

/// Takes a body apart.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, CsError> {
    let broken =
        || codes::API_NOT_SUPPORTED.error().because("The multipart body is broken off or malformed.");
    let delimiter = format!("--{boundary}");
    let start = find(body, delimiter.as_bytes()).ok_or_else(broken)?;
    let mut rest = &body[start + delimiter.len()..];
    let separator = format!("\r\n{delimiter}");
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let line = find(rest, b"\r\n").ok_or_else(broken)?;
        let end_of_head = find(&rest[line..], b"\r\n\r\n").ok_or_else(broken)? + line;
        let head =
            std::str::from_utf8(rest.get(line..end_of_head).unwrap_or_default()).map_err(|_| broken())?;
        let contents = &rest[end_of_head + 4..];
        let end = find(contents, separator.as_bytes()).ok_or_else(broken)?;
        let name = field(head, "name").ok_or_else(broken)?;
        parts.push(Part { name, file_name: field(head, "filename"), contents: &contents[..end] });
        rest = &contents[end + separator.len()..];
    }
    Ok(parts)
}

/// Returns a parameter of the disposition of a part.
fn field(head: &str, wanted: &str) -> Option<String> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    parameter(line.split(';').map(str::trim), wanted)
}

fn parameter<'a>(mut parameters: impl Iterator<Item = &'a str>, wanted: &str) -> Option<String> {
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_string())
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--b\r\nContent-Disposition: form-data; name=\"hosts_file\"; filename=\"h\"\r\n\
        Content-Type: text/plain\r\n\r\n10.0.0.1 a\r\n--\r\n--b\r\ncontent-disposition: form-data; name=x\r\n\r\n\r\n--b--\r\n";

    #[test]
    fn parts_have_names_and_contents() {
        let found = parts(BODY, "b").unwrap();
        let shown: Vec<_> = found.iter().map(|part| (part.name.as_str(), part.contents)).collect();
        assert_eq!(shown, [("hosts_file", &b"10.0.0.1 a\r\n--"[..]), ("x", &b""[..])]);
    }

    #[test]
    fn a_body_that_breaks_off_anywhere_is_refused() {
        for end in 0..BODY.len() - 4 {
            assert!(parts(&BODY[..end], "b").is_err(), "{end}");
        }
    }

    #[test]
    fn boundaries() {
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary("Multipart/Form-Data; charset=x; Boundary=q").as_deref(), Some("q"));
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary("text/plain; boundary=a"), None);
    }
}
