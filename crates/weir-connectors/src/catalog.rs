//! The connectors that jobs of this service may name.

use weir_base::connector::{ConnectorCatalog, Need, OptionSpec};

/// Every connector, in the order of the reference page.
pub static CATALOG: ConnectorCatalog = ConnectorCatalog(&[
    &crate::obs::SPEC,
    &crate::dis::SPEC,
    &crate::apig::SPEC,
    &crate::dcs_redis::SPEC,
    &crate::rds::SPEC,
    &crate::file::SPEC,
    &crate::datagen::SPEC,
    &crate::nexmark::SPEC,
    &crate::print::SPEC,
    &crate::blackhole::SPEC,
]);

/// Describes an option that takes any text.
pub(crate) const fn text(name: &'static str, need: Need, meaning: &'static str) -> OptionSpec {
    OptionSpec { name, need, values: &[], meaning }
}

/// Describes an option that takes one of some words.
pub(crate) const fn choice(
    name: &'static str,
    need: Need,
    values: &'static [&'static str],
    meaning: &'static str,
) -> OptionSpec {
    OptionSpec { name, need, values, meaning }
}

/// Values of a switch.
pub(crate) const SWITCH: &[&str] = &["true", "false"];
/// Encodings that are read and written.
pub(crate) const ENCODINGS: &[&str] = &["csv", "json"];
/// Encodings of messages, which are read only in part.
pub(crate) const MESSAGE_ENCODINGS: &[&str] = &["csv", "json", "xml", "email", "blob"];
/// The option `region`, which old jobs carry.
pub(crate) const REGION: OptionSpec = text(
    "region",
    Need::Optional(""),
    "Kept for old jobs: this service is one region, so that any name will do.",
);
/// The option `json_config`.
pub(crate) const JSON_CONFIG: OptionSpec = text(
    "json_config",
    Need::Optional(""),
    "json: where each column stands in the record, `column=path;...`; columns not listed are top-level keys of their own name.",
);
/// The option `json_schema` of a source.
pub(crate) const JSON_SCHEMA: OptionSpec = text(
    "json_schema",
    Need::Optional(""),
    "json: a JSON Schema that declares the columns of a stream without a column list.",
);
/// The option `xml_config`.
pub(crate) const XML_CONFIG: OptionSpec = text(
    "xml_config",
    Need::WithEncode(&["xml"]),
    "xml: the element of each column, `column=path;...`, the path being the names of elements below the root joined by `.`; columns not listed are elements of their own name.",
);
/// The option `email_key`.
pub(crate) const EMAIL_KEY: OptionSpec = text(
    "email_key",
    Need::WithEncode(&["email"]),
    "email: what fills each column, separated by commas: a header, `body`, or `charset`.",
);
/// The option `quote` of a source.
pub(crate) const QUOTE: OptionSpec =
    text("quote", Need::Optional(""), "csv: one character around fields that may hold delimiters.");
/// The option `field_delimiter` where it has a default.
pub(crate) const FIELD_DELIMITER: OptionSpec =
    text("field_delimiter", Need::Optional(","), "csv: one or more characters between two fields.");
