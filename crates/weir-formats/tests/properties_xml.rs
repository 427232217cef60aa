//! Properties of xml: documents and near-documents are read as an independent parser reads them.

mod support;

use arrow::datatypes::{DataType, SchemaRef};
use proptest::collection::vec;
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Value, json};
use support::*;
use weir_formats::{Encode, FormatOptions, decoder};

const PATHS: [(&str, &[&str]); 5] =
    [("a", &["p", "a"]), ("b", &["p", "b"]), ("c", &["p", "q", "c"]), ("d", &["d"]), ("e", &["e"])];

fn columns() -> SchemaRef {
    schema(&PATHS.map(|(name, _)| (name, DataType::Utf8)))
}

fn options() -> FormatOptions {
    let config = Some("a=p.a;b=p.b;c=p.q.c;d=d".to_string());
    FormatOptions { encode: Encode::Xml, xml_config: config, ..FormatOptions::default() }
}

/// What the rules say about a document, told from the other parser's reading of it. `None` is dirty.
fn oracle(text: &str) -> Option<Vec<Value>> {
    let allow = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    // As XML has it, before anything else; the other parser leaves out some of them.
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let document = Document::parse_with_options(&lines, allow).ok()?;
    PATHS.iter().map(|(_, path)| value_at(document.root_element(), path)).collect()
}

fn value_at(root: Node<'_, '_>, path: &[&str]) -> Option<Value> {
    let first = |parent: Node<'_, '_>, name: &str| {
        parent.children().find(|child| child.has_tag_name(name)).map(|node| node.id())
    };
    let mut node = root;
    for name in path {
        match first(node, name) {
            Some(id) => node = node.document().get_node(id)?,
            None => return Some(Value::Null),
        }
    }
    if node.children().any(|child| child.is_element()) {
        return None;
    }
    let texts: String =
        node.children().filter(|child| child.is_text()).filter_map(|child| child.text()).collect();
    Some(json!(texts))
}

fn check_against_roxmltree(text: &str) {
    let expected = oracle(text);
    let mut decoder = decoder(columns(), &options()).expect("decoder");
    match (decoder.push(text.as_bytes()), expected) {
        (Ok(()), Some(expected)) => {
            let batch = flush_checked(decoder.as_mut());
            let row: Vec<_> = batch.columns().iter().map(|column| value(column, 0)).collect();
            assert_eq!(row, expected, "{text}");
        }
        (Err(_), None) => {}
        (result, expected) => panic!("{text}\n{result:?} instead of {expected:?}"),
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[abcdepqr]", 1 => "[a-z_\u{e9}][a-z0-9._-]{0,3}"]
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z \n\t\u{e9}\u{1F600}'\"\\]>]{0,6}",
        1 => "\r\n?",
        1 => "&(lt|gt|amp|apos|quot|#65|#x1F600|#10|#x0d);",
        1 => "<!\\[CDATA\\[[a-z<>&\r\n ]{0,6}\\]\\]>",
        1 => "<!--[a-z<>& ]{0,6}-->",
        1 => "<\\?[a-wyz][a-z]{0,3} [a-z<>& ]{0,4}\\?>",
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat().replace("]]>", "]]&gt;").replace("]]&gt;<", "]]><"))
}

fn attributes() -> impl Strategy<Value = String> {
    vec((name(), "[ \n]", "[a-z&#;>]{0,0}[a-z> ]{0,4}(&amp;)?", "['\"]"), 0..3).prop_map(|attributes| {
        attributes
            .iter()
            .map(|(name, blank, value, quote)| format!("{blank}{name}={quote}{value}{quote}"))
            .collect()
    })
}

fn element() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        text(),
        (name(), attributes()).prop_map(|(name, attributes)| format!("<{name}{attributes}/>")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        (name(), attributes(), vec(inner, 0..6), "[ \n]?").prop_map(|(name, attributes, children, blank)| {
            format!("<{name}{attributes}{blank}>{}</{name}{blank}>", children.concat())
        })
    })
}

/// Documents whose elements mostly, not always, are where columns look for them.
fn document() -> impl Strategy<Value = String> {
    let prolog = "(<\\?xml version=['\"]1[.]0['\"]( encoding='utf-8')?( standalone=\"yes\")? ?\\?>)?\
        (<!-- c -->|<\\?pi x\\?>|\n)?(<!DOCTYPE r( SYSTEM 'x')?>)?( |\n)?";
    let wanted = vec(
        prop_oneof![
            3 => (vec((("a|b|q|c"), text()), 0..4)).prop_map(|children| {
                let children: String =
                    children.iter().map(|(name, text)| format!("<{name}>{text}</{name}>")).collect();
                format!("<p>{}</p>", children.replace("<q>", "<q><c>").replace("</q>", "</c></q>"))
            }),
            2 => ("d|e", text()).prop_map(|(name, text)| format!("<{name}>{text}</{name}>")),
            2 => element(),
        ],
        0..4,
    );
    (prolog, attributes(), wanted, "(<!-- end -->|\n)?").prop_map(|(prolog, attributes, children, end)| {
        format!("{prolog}<r{attributes}>{}</r>{end}", children.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_read_as_by_another_parser(text in document()) {
        check_against_roxmltree(&text);
    }

    #[test]
    fn broken_documents_are_dirty_where_another_parser_refuses_them(
        text in document(),
        at in any::<prop::sample::Index>(),
        piece in "[<>/&;=!'\" x1\\]\\[-]{0,2}",
        removed in 0..3_usize,
    ) {
        let at = at.index(text.len());
        let end = (at + removed).min(text.len());
        let (Some(before), Some(after)) = (text.get(..at), text.get(end..)) else { return Ok(()) };
        // The other parser takes nearly anything for a processing instruction.
        if before.rfind("<?").is_none_or(|start| before[start..].contains("?>")) {
            check_against_roxmltree(&format!("{before}{piece}{after}"));
        }
    }
}
