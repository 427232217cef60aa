//! Which connector a stream names, and whether the job may use it.

use weir_base::connector::{ConnectorCatalog, ConnectorSpec, Role, RoleSpec};
use weir_base::error::codes;

use super::settings::Cluster;
use crate::CheckError;
use crate::suggest::{listed, nearest};
use crate::syntax::ast::{CreateStream, OptionEntry, StreamKind};

/// A connector type of the language, which need not be in the catalogue of this release.
struct KnownType {
    name: &'static str,
    roles: &'static [Role],
    shared_cluster: bool,
}

const fn known(name: &'static str, roles: &'static [Role], shared_cluster: bool) -> KnownType {
    KnownType { name, roles, shared_cluster }
}

const SOURCE_AND_SINK: &[Role] = &[Role::Source, Role::Sink];
const SINK_AND_TABLE: &[Role] = &[Role::Sink, Role::Table];
const SINK: &[Role] = &[Role::Sink];

/// The connector types of the language. An entry has no effect where the catalogue has a connector of that name in
/// the role.
const KNOWN_TYPES: [KnownType; 16] = [
    known("dis", SOURCE_AND_SINK, true),
    known("kafka", SOURCE_AND_SINK, false),
    known("obs", SOURCE_AND_SINK, true),
    known("cloudtable", SOURCE_AND_SINK, true),
    known("edgehub", SOURCE_AND_SINK, false),
    known("user_defined", SOURCE_AND_SINK, false),
    known("opentsdb", SINK, true),
    known("es", SINK, false),
    known("dcs_redis", SINK_AND_TABLE, false),
    known("dds", SINK, false),
    known("rds", SINK_AND_TABLE, false),
    known("dws", SINK, true),
    known("mrs_hbase", SINK, false),
    known("filesystem", SINK, false),
    known("smn", SINK, true),
    known("apig", SINK, true),
];

/// Finds the connector of a source or sink stream or of a dimension table.
pub(super) fn find(
    stream: &CreateStream,
    catalog: &ConnectorCatalog,
    cluster: Cluster,
) -> Result<(&'static ConnectorSpec, &'static RoleSpec), CheckError> {
    let Some(option) = stream.options.iter().find(|option| option.name.value.eq_ignore_ascii_case("type"))
    else {
        let text = format!("{} `{}` has no option `type`", noun(stream.kind), stream.name.value);
        return Err(CheckError::new(stream.name.position, stream.name.length, text)
            .code(codes::STREAM_TYPE_INVALID)
            .hint(format!("expected `type` with one of {}", types_for(stream.kind, catalog))));
    };
    let name = option.value.trim();
    let Some(spec) = catalog.find(name) else {
        return Err(without_spec(stream, option, catalog, cluster));
    };
    let Some(role_spec) = spec.role(role(stream.kind)) else {
        return Err(without_spec(stream, option, catalog, cluster));
    };
    match cluster == (Cluster::Shared { restricted: true }) && !spec.shared_cluster {
        true => Err(not_in_shared_cluster(stream.kind, option, spec.name)),
        false => Ok((spec, role_spec)),
    }
}

/// Returns the role of a stream; a temp stream has none and is never asked.
pub(super) fn role(kind: StreamKind) -> Role {
    match kind {
        StreamKind::Source => Role::Source,
        StreamKind::Sink | StreamKind::Temp => Role::Sink,
        StreamKind::Table => Role::Table,
    }
}

/// Returns the refusal of a type that the catalogue does not have in the role of the stream.
fn without_spec(
    stream: &CreateStream,
    option: &OptionEntry,
    catalog: &ConnectorCatalog,
    cluster: Cluster,
) -> CheckError {
    let name = option.value.trim();
    let Some(known) = KNOWN_TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(name)) else {
        return invalid(stream, option, catalog);
    };
    let wrong_role = !known.roles.contains(&role(stream.kind));
    // Streams of edge hubs exist only in edge jobs, which this release does not have.
    if wrong_role || known.name == "edgehub" {
        return invalid(stream, option, catalog);
    }
    let by_address = stream.options.iter().any(|option| {
        known.name == "opentsdb" && weir_base::connector::option_key(&option.name.value) == "tsdblinkaddress"
    });
    if cluster == (Cluster::Shared { restricted: true }) && (!known.shared_cluster || by_address) {
        return not_in_shared_cluster(stream.kind, option, known.name);
    }
    at_value(option, format!("connector `{}` is not available in this release", known.name))
        .hint(format!("expected one of {}", types_for(stream.kind, catalog)))
}

fn invalid(stream: &CreateStream, option: &OptionEntry, catalog: &ConnectorCatalog) -> CheckError {
    let name = option.value.trim();
    let elsewhere =
        catalog.find(name).is_some() || KNOWN_TYPES.iter().any(|known| known.name.eq_ignore_ascii_case(name));
    let text = match elsewhere {
        true => format!("a {} cannot have the type `{name}`", described(stream.kind)),
        false => format!("unknown type `{name}`"),
    };
    let role = role(stream.kind);
    let usable = catalog.0.iter().filter(|spec| spec.role(role).is_some()).map(|spec| spec.name);
    let hint = match nearest(name, usable).filter(|_| !elsewhere) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("expected one of {}", types_for(stream.kind, catalog)),
    };
    at_value(option, text).code(codes::STREAM_TYPE_INVALID).hint(hint)
}

fn not_in_shared_cluster(kind: StreamKind, option: &OptionEntry, name: &str) -> CheckError {
    let kind = noun(kind);
    let error = at_value(option, format!("a {kind} of type `{name}` cannot be used in the shared cluster"))
        .hint("run the job in an exclusive cluster");
    match name {
        "kafka" => error.code(codes::KAFKA_NOT_IN_SHARED_CLUSTER),
        _ => error.code(codes::STREAM_TYPE_NOT_IN_SHARED_CLUSTER).parameter(name),
    }
}

fn types_for(kind: StreamKind, catalog: &ConnectorCatalog) -> String {
    let role = role(kind);
    listed(catalog.0.iter().filter(|spec| spec.role(role).is_some()).map(|spec| spec.name))
}

/// Returns the word for a kind of stream.
pub(super) fn kind_text(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Source => "source",
        StreamKind::Sink => "sink",
        StreamKind::Temp => "temp",
        StreamKind::Table => "dimension table",
    }
}

/// Returns what a stream or table is, such as `source stream`.
pub(super) fn described(kind: StreamKind) -> String {
    match kind {
        StreamKind::Table => kind_text(kind).to_string(),
        _ => format!("{} stream", kind_text(kind)),
    }
}

/// Returns what stands before the name of a stream or table.
pub(super) fn noun(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Table => "table",
        StreamKind::Source | StreamKind::Sink | StreamKind::Temp => "stream",
    }
}

/// Makes an error at the value of an option.
pub(super) fn at_value(option: &OptionEntry, text: impl Into<String>) -> CheckError {
    CheckError::new(option.value_position, option.value_length, text)
}
