//! Writes the reference page of the connectors from what they say of themselves.

use std::fmt::Write;

use weir_base::connector::{ConnectorSpec, Need, OptionSpec, Role, RoleSpec};

use crate::catalog::CATALOG;

const HEAD: &str = "# Connectors

<!-- Generated from the connectors' own descriptions; refresh with `UPDATE_DOCS=1 cargo test -p weir-connectors`. -->

A stream or dimension table names its connector in option `type` of its `WITH` clause. Option names are compared without case and
underscores. Options that old jobs carry and that are accepted without effect are listed last.
";

/// Returns the page `docs/reference/connectors.md`.
pub fn reference() -> String {
    let mut page = HEAD.to_string();
    for connector in CATALOG.0 {
        write_connector(connector, &mut page);
    }
    page
}

// Writing to a string cannot fail.
fn write_connector(connector: &ConnectorSpec, page: &mut String) {
    let _ = write!(page, "\n## {}\n\n{}\n", connector.name, connector.summary);
    if !connector.shared_cluster {
        page.push_str("\nJobs of the shared cluster cannot use it.\n");
    }
    for role in connector.roles {
        write_role(connector, role, page);
    }
}

fn write_role(connector: &ConnectorSpec, role: &RoleSpec, page: &mut String) {
    let title = match role.role {
        Role::Source => "Source",
        Role::Sink => "Sink",
        Role::Table => "Dimension table",
    };
    let _ = write!(page, "\n### {title}\n\n");
    match role.options {
        [] => page.push_str("No options besides `type`.\n"),
        options => {
            page.push_str("| option | mandatory | default | meaning |\n| --- | --- | --- | --- |\n");
            options.iter().for_each(|option| write_option(option, page));
        }
    }
    let mut without_effect: Vec<String> = role.ignored.iter().map(|name| format!("`{name}`")).collect();
    if connector.roles.len() > 1 {
        without_effect.push("what else the type has elsewhere".to_string());
    }
    if !without_effect.is_empty() {
        let _ = write!(page, "\nAccepted with a warning, without effect: {}.\n", without_effect.join(", "));
    }
}

fn write_option(option: &OptionSpec, page: &mut String) {
    let (mandatory, default) = match option.need {
        Need::Mandatory => ("yes".to_string(), String::new()),
        Need::Optional("") => ("no".to_string(), String::new()),
        Need::Optional(default) => ("no".to_string(), format!("`{default}`")),
        Need::WithEncode(encodes) => (format!("with {}", encodes.join(", ")), String::new()),
    };
    let mut meaning = option.meaning.to_string();
    if !option.values.is_empty() {
        let values: Vec<String> = option.values.iter().map(|value| format!("`{value}`")).collect();
        let _ = write!(meaning, " One of {}.", values.join(", "));
    }
    let _ =
        writeln!(page, "| `{}` | {mandatory} | {default} | {} |", option.name, meaning.replace('|', "\\|"));
}
