//! The description of the API as a page for people, made from [`crate::openapi::document`].
//!
//! Documents without scripts, pictures or links to other hosts: they look the same on a machine without a network.
//! Operations are grouped by their tag; every schema has an anchor.

use std::fmt::Write;
use std::sync::OnceLock;

use serde_json::Value;
use weir_base::error::{ErrorEntry, entries};

use crate::{error_reference, openapi};

/// What the browser may load for the page: its own style and nothing else.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8886; --quiet: #777; --mark: #06c; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; text-transform: capitalize; }
h3 { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1rem; overflow-wrap: anywhere; }
a { color: var(--mark); text-decoration: none; } a:hover { text-decoration: underline; }
code { font: 13px/1.4 ui-monospace, monospace; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0;
  text-align: left; vertical-align: top; overflow-wrap: anywhere; } th { font-weight: 600; }
nav ul { columns: 20rem; list-style: none; padding: 0; } nav li { overflow-wrap: anywhere; }
.method { display: inline-block; font-weight: 700; min-width: 4rem; } summary { cursor: pointer; }
";

/// Returns the page.
pub(crate) fn page() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| write_page(openapi::document()))
}

/// An operation, and where it is.
struct Operation<'a> {
    method: String,
    path: &'a str,
    described: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(self.described, "operationId")
    }

    fn tag(&self) -> &str {
        self.described["tags"][0].as_str().unwrap_or("service")
    }
}

// Writing to a string cannot fail.
fn write_page(document: &Value) -> String {
    let operations = operations(document);
    let mut tags: Vec<&str> = Vec::new();
    for operation in &operations {
        if !tags.contains(&operation.tag()) {
            tags.push(operation.tag());
        }
    }
    let info = &document["info"];
    let mut out = beginning(&escape(text(info, "title")));
    let _ = writeln!(
        out,
        "<p>Version {}. {} The same as a document for programs: <a href=\"openapi.json\">openapi.json</a>. \
         All <a href=\"docs/errors\">error codes</a>.</p>",
        escape(text(info, "version")),
        escape(text(info, "description")),
    );
    write_credentials(document, &mut out);
    out.push_str("<nav>\n");
    for tag in &tags {
        let _ = writeln!(out, "<p><a href=\"#tag-{0}\">{0}</a></p><ul>", escape(tag));
        for operation in operations.iter().filter(|operation| operation.tag() == *tag) {
            let id = escape(operation.id());
            let _ = writeln!(out, "<li><a href=\"#{id}\">{id}</a></li>");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<p><a href=\"#schemas\">schemas</a></p></nav>\n");
    for tag in tags {
        let _ = writeln!(out, "<h2 id=\"tag-{0}\">{0}</h2>", escape(tag));
        operations
            .iter()
            .filter(|operation| operation.tag() == tag)
            .for_each(|o| write_operation(o, &mut out));
    }
    out.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        write_schema(name, schema, &mut out);
    }
    out.push_str("</body></html>\n");
    out
}

fn beginning(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    )
}

/// Returns the page of errors: every code, when it comes, and what to do.
pub(crate) fn error_page() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| {
        let mut out = beginning("Errors of the CS API");
        out.push_str("<p>What each call can answer: <a href=\"../docs\">the API</a>.</p>\n");
        let mut all: Vec<_> = entries().collect();
        all.sort_by_key(|entry| entry.code);
        let mut family = String::new();
        for entry in all {
            let belongs = error_reference::family_of(entry.code.0);
            if belongs != family {
                let _ = writeln!(out, "<h2>{}</h2>", escape(&belongs));
                family = belongs;
            }
            write_error(entry, &mut out);
        }
        out.push_str("</body></html>\n");
        out
    })
}

fn write_error(entry: &ErrorEntry, out: &mut String) {
    let code = entry.code.to_string();
    let operations: Vec<String> = match entry.operations {
        "all" => vec!["all".to_string()],
        _ => {
            let link = |id: &&str| format!("<a href=\"../docs#{id}\">{id}</a>");
            error_reference::operations_of(entry).iter().map(link).collect()
        }
    };
    let _ = writeln!(
        out,
        "<h3 id=\"{code}\"><a href=\"#{code}\">{code}</a> <code>{}</code></h3>\n<p>{}</p>\n<table>\
         <tr><th>When</th><td>{}</td></tr><tr><th>What to do</th><td>{}</td></tr><tr><th>Operations</th><td>{}</td></tr></table>",
        escape(entry.name),
        escape(entry.cause),
        escape(entry.trigger),
        escape(entry.suggestion),
        operations.join(", "),
    );
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in members(&document["paths"]) {
        for (method, described) in members(item) {
            found.push(Operation { method: method.to_uppercase(), path, described });
        }
    }
    found
}

fn write_credentials(document: &Value, out: &mut String) {
    out.push_str("<p>A call carries one of:</p><ul>\n");
    for (_, scheme) in members(&document["components"]["securitySchemes"]) {
        let _ = writeln!(
            out,
            "<li>header <code>{}</code> <span class=\"quiet\">{}</span></li>",
            escape(text(scheme, "name")),
            escape(text(scheme, "description"))
        );
    }
    out.push_str("</ul>\n");
}

fn write_operation(operation: &Operation<'_>, out: &mut String) {
    let described = operation.described;
    let _ = writeln!(
        out,
        "<h3 id=\"{0}\"><a href=\"#{0}\">{0}</a></h3>\n<p><code><span class=\"method\">{1}</span>{2}</code></p>\n<p>{3}</p>",
        escape(operation.id()),
        escape(&operation.method),
        escape(operation.path),
        escape(text(described, "summary")),
    );
    if let Some(more) = described["description"].as_str() {
        let _ = writeln!(out, "<p>{}</p>", escape(more));
    }
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        out.push_str("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>\n");
        for parameter in parameters {
            let required = parameter["required"] == true;
            let _ = writeln!(
                out,
                "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(text(parameter, "name")),
                if required { " *" } else { "" },
                escape(text(parameter, "in")),
                type_of(&parameter["schema"]),
                escape(text(parameter, "description")),
            );
        }
        out.push_str("</table>\n");
    }
    for (kind, content) in members(&described["requestBody"]["content"]) {
        let _ = writeln!(
            out,
            "<p>Body: {} <span class=\"quiet\">{}</span></p>",
            type_of(&content["schema"]),
            escape(kind)
        );
    }
    write_responses(described, out);
}

fn write_responses(described: &Value, out: &mut String) {
    out.push_str("<table><tr><th>Answer</th><th>Type</th><th></th></tr>\n");
    for (status, response) in members(&described["responses"]) {
        let schema = members(&response["content"]).next().map(|(_, content)| type_of(&content["schema"]));
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(status),
            schema.unwrap_or_default(),
            escape(text(response, "description"))
        );
    }
    out.push_str("</table>\n");
    let codes = described["x-errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if codes.is_empty() {
        return;
    }
    let _ = writeln!(out, "<details><summary>{} error codes</summary><table>", codes.len());
    for code in codes.iter().filter_map(Value::as_str) {
        let entry = entries().find(|entry| entry.code.to_string() == code);
        let (name, cause) = entry.map(|entry| (entry.name, entry.cause)).unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
            escape(code),
            escape(name),
            escape(cause)
        );
    }
    out.push_str("</table></details>\n");
}

fn write_schema(name: &str, schema: &Value, out: &mut String) {
    let _ = writeln!(out, "<h3 id=\"schema-{0}\"><a href=\"#schema-{0}\">{0}</a></h3>", escape(name));
    if let Some(described) = schema["description"].as_str() {
        let _ = writeln!(out, "<p>{}</p>", escape(described));
    }
    if schema.get("properties").is_none() {
        let _ = writeln!(out, "<p>{}</p>", type_of(schema));
        return;
    }
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    out.push_str("<table><tr><th>Member</th><th>Type</th><th></th></tr>\n");
    for (member, described) in members(&schema["properties"]) {
        let is_required = required.iter().any(|name| name == member);
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td></tr>",
            escape(member),
            if is_required { " *" } else { "" },
            type_of(described),
            escape(text(described, "description")),
        );
    }
    out.push_str("</table>\n");
}

/// Returns a type as HTML: a link to a schema, or the words of JSON Schema.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["allOf"].as_array()) {
        return choices.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> =
            values.iter().map(|value| format!("<code>{}</code>", escape(&plain(value)))).collect();
        return values.join(", ");
    }
    let names = match &schema["type"] {
        Value::Array(names) => names.iter().map(plain).collect::<Vec<_>>().join(" or "),
        Value::String(name) if name == "array" => return format!("array of {}", type_of(&schema["items"])),
        name => plain(name),
    };
    match schema["format"].as_str() {
        Some(format) => format!("{} <span class=\"quiet\">{}</span>", escape(&names), escape(format)),
        None => escape(&names),
    }
}

/// Returns the members of an object; none when it is no object.
fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "any".to_string(),
        other => other.to_string(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_schema_is_on_the_page() {
        let (document, page) = (openapi::document(), page());
        for operation in operations(document) {
            assert!(page.contains(&format!("<h3 id=\"{}\">", operation.id())), "{}", operation.id());
            assert!(page.contains(operation.path), "{}", operation.path);
        }
        for (name, schema) in members(&document["components"]["schemas"]) {
            assert!(page.contains(&format!("<h3 id=\"schema-{name}\">")), "{name}");
            for (member, _) in members(&schema["properties"]) {
                assert!(page.contains(&format!("<td><code>{member}</code>")), "{name}.{member}");
            }
        }
    }

    #[test]
    fn every_link_leads_somewhere_on_the_page() {
        let page = page();
        let mut links = 0;
        for target in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            links += 1;
            if ["openapi.json", "docs/errors"].contains(&target) {
                continue;
            }
            let anchor = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leaves the page"));
            assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
        }
        assert!(links > 100);
        for foreign in ["http://", "https://", "//", "<script", "<img", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn every_error_is_on_the_page_of_errors_and_its_operations_on_that_of_the_api() {
        for entry in entries() {
            assert!(error_page().contains(&format!("<h3 id=\"{}\">", entry.code)), "{}", entry.code);
        }
        let mut links = 0;
        for target in error_page().split("href=\"../docs#").skip(1).filter_map(|rest| rest.split('"').next())
        {
            links += 1;
            assert!(page().contains(&format!("<h3 id=\"{target}\">")), "{target}");
        }
        assert!(links > 100);
    }

    #[test]
    fn texts_cannot_become_markup() {
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
        assert_eq!(type_of(&serde_json::json!({ "type": ["string", "null"] })), "string or null");
    }
}
