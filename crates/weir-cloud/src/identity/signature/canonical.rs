//! The canonical forms of a request's parts.
//!
//! Clients disagree in details: how often the query is encoded, whether an empty value has a `=`,
//! whether the signed host has its port. Each function therefore returns every form that a known
//! client makes of one part; the signature tells which it was.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Returns the forms of a path: decoded and encoded once, or encoded once more as it stands. Always
/// ending in `/`.
pub(super) fn paths(path: &str) -> Vec<String> {
    let encode = |path: &str| {
        let mut encoded = utf8_percent_encode(path, RESERVED_IN_PATH).to_string();
        if !encoded.ends_with('/') {
            encoded.push('/');
        }
        encoded
    };
    distinct([encode(&percent_decode_str(path).decode_utf8_lossy()), encode(path)])
}

/// How the names and values of a query are read before they are encoded.
#[derive(Clone, Copy)]
enum Reading {
    /// Percent-decoded.
    Decoded,
    /// Percent-decoded, `+` being a blank.
    Form,
    /// As they stand in the URL.
    AsItStands,
}

/// Returns the forms of a query: names sorted, read in three ways, empty values with and without `=`.
pub(super) fn queries(query: Option<&str>) -> Vec<String> {
    let query = query.unwrap_or_default();
    let mut forms = Vec::new();
    for reading in [Reading::AsItStands, Reading::Decoded, Reading::Form] {
        let mut pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (read(name, reading), read(value, reading))
            })
            .collect();
        pairs.sort();
        for empty_has_equals in [true, false] {
            let text: Vec<String> = pairs
                .iter()
                .map(|(name, value)| {
                    let name = utf8_percent_encode(name, RESERVED);
                    if value.is_empty() && !empty_has_equals {
                        return name.to_string();
                    }
                    format!("{name}={}", utf8_percent_encode(value, RESERVED))
                })
                .collect();
            forms.push(text.join("&"));
        }
    }
    distinct(forms)
}

/// Returns the forms of the signed headers: the host with its port, or without it.
pub(super) fn headers(request: &super::SignedRequest<'_>, names: &[String]) -> Result<Vec<String>, String> {
    let mut with_port = String::new();
    let mut without_port = String::new();
    for name in names {
        let Some(value) = request.header(name) else {
            return Err(format!("the header `{name}` is signed but was not sent"));
        };
        let bare = if name == "host" { without_port_number(&value) } else { value.as_str() };
        without_port.push_str(&format!("{name}:{bare}\n"));
        with_port.push_str(&format!("{name}:{value}\n"));
    }
    Ok(distinct([with_port, without_port]))
}

fn read(text: &str, reading: Reading) -> String {
    match reading {
        Reading::AsItStands => text.to_string(),
        Reading::Decoded => percent_decode_str(text).decode_utf8_lossy().into_owned(),
        Reading::Form => percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned(),
    }
}

fn without_port_number(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn distinct(forms: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for form in forms {
        if !found.contains(&form) {
            found.push(form);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_in_a_slash_and_is_encoded_once_or_twice() {
        assert_eq!(paths("/v1.0/p1/a%20b"), ["/v1.0/p1/a%20b/", "/v1.0/p1/a%2520b/"]);
        assert_eq!(paths("/"), ["/"]);
    }

    #[test]
    fn a_query_is_sorted_and_empty_values_have_two_forms() {
        assert_eq!(queries(Some("b=2&a=")), ["a=&b=2", "a&b=2"]);
        assert_eq!(queries(Some("a=x%20y")), ["a=x%2520y", "a=x%20y"]);
        assert_eq!(queries(None), [""]);
    }

    #[test]
    fn the_port_is_dropped_from_names_and_addresses() {
        assert_eq!(without_port_number("a.example:80"), "a.example");
        assert_eq!(without_port_number("[::1]:80"), "[::1]");
        assert_eq!(without_port_number("a.example"), "a.example");
    }
}
