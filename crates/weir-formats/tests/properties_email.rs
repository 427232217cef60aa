//! Properties of email: messages put together from known pieces come apart into the same.

mod support;

use arrow::datatypes::DataType;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::*;
use weir_formats::{Encode, FormatOptions};

const KEYS: [&str; 5] = ["Message-ID", "subject", "X_Count", "charset", "Body"];

/// A header as it is written: its name, the pieces of its value, which are folded between them.
#[derive(Debug, Clone)]
struct Header {
    name: String,
    value: Vec<String>,
}

fn header() -> impl Strategy<Value = Header> {
    let name = prop_oneof!["[Mm]essage[-_]ID", "[Ss]UBJECT", "X[-_]COUNT", "[Xx]-other", "received"];
    (name, vec("[!-~\u{e9}]([ -~\u{e9}]{0,8}[!-~\u{e9}])?", 0..4))
        .prop_map(|(name, value)| Header { name, value })
}

fn content_type() -> impl Strategy<Value = (Option<Header>, Option<String>)> {
    let charset = "[a-z0-9-]{1,8}";
    prop_oneof![
        Just((None, None)),
        Just((
            Some(Header { name: "Content-Type".to_string(), value: vec!["text/plain".to_string()] }),
            None
        )),
        (charset, "([Cc]harset|CHARSET)", any::<bool>(), any::<bool>()).prop_map(
            |(charset, name, quoted, first)| {
                let value =
                    if quoted { format!("{name}=\"{charset}\"") } else { format!("{name}={charset}") };
                let other = "format=\"a;charset=no\"";
                let parameters =
                    if first { format!("{value}; {other}") } else { format!("{other} ;{value}") };
                let value = vec!["text/plain;".to_string(), parameters];
                (Some(Header { name: "content-type".to_string(), value }), Some(charset))
            }
        ),
    ]
}

fn expected(headers: &[Header], blank: &str, charset: Option<String>, body: Option<&str>) -> Vec<Value> {
    let comparable = |name: &str| name.to_lowercase().replace('_', "-");
    let find = |key: &str| {
        let header = headers.iter().find(|header| comparable(&header.name) == comparable(key));
        header.map_or(Value::Null, |header| json!(header.value.join(blank)))
    };
    KEYS.iter()
        .map(|key| match *key {
            "charset" => charset.as_ref().map_or(Value::Null, |charset| json!(charset)),
            "Body" => body.map_or(Value::Null, |body| json!(body)),
            key => find(key),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_come_apart_into_their_pieces(
        mut headers in vec(header(), 1..6),
        (typed, charset) in content_type(),
        at in any::<prop::sample::Index>(),
        body in prop::option::of("(\r?\n)?[ -~\u{e9}\r\n]{0,30}"),
        line_end in "\r?\n",
        blank in "[ \t]",
        is_cut in any::<bool>(),
    ) {
        headers.splice(at.index(headers.len())..at.index(headers.len()), typed);
        let mut message = String::new();
        for header in &headers {
            message.push_str(&format!("{}: {}{line_end}", header.name, header.value.join(&format!("{line_end}{blank}"))));
        }
        match &body {
            Some(body) => message.push_str(&format!("{line_end}{body}")),
            // The last line may lack its end.
            None if is_cut => message.truncate(message.trim_end_matches(['\r', '\n']).len()),
            None => {}
        }
        let options = FormatOptions { encode: Encode::Email, email_key: Some(KEYS.join(", ")), ..FormatOptions::default() };
        let columns = schema(&KEYS.map(|key| (key, DataType::Utf8)));
        let row = decode_one(&columns, &options, &message);
        prop_assert_eq!(row, Ok(expected(&headers, &blank, charset, body.as_deref())), "{:?}", message);
    }
}
