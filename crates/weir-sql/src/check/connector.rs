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
    source: bool,
    shared_cluster: bool,
}

const fn known(name: &'static str, source: bool, shared_cluster: bool) -> KnownType {
    KnownType { name, source, shared_cluster }
}

/// The connector types of the language; all of them can be sinks. An entry has no effect where the
/// catalogue has a connector of that name in the role.
const KNOWN_TYPES: [KnownType; 16] = [
    known("dis", true, true),
    known("kafka", true, false),
    known("obs", true, true),
    known("cloudtable", true, true),
    known("edgehub", true, false),
    known("user_defined", true, false),
    known("opentsdb", false, true),
    known("es", false, false),
    known("dcs_redis", false, false),
    known("dds", false, false),
    known("rds", false, false),
    known("dws", false, true),
    known("mrs_hbase", false, false),
    known("filesystem", false, false),
    known("smn", false, true),
    known("apig", false, true),
];

/// Finds the connector of a source or sink stream.
pub(super) fn find(
    stream: &CreateStream,
    catalog: &ConnectorCatalog,
    cluster: Cluster,
) -> Result<(&'static ConnectorSpec, &'static RoleSpec), CheckError> {
    let Some(option) = stream.options.iter().find(|option| option.name.value.eq_ignore_ascii_case("type"))
    else {
        let text = format!("stream `{}` has no option `type`", stream.name.value);
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
        true => Err(not_in_shared_cluster(option, spec.name)),
        false => Ok((spec, role_spec)),
    }
}

/// Returns the role of a stream; temp streams and tables have none and are never asked.
pub(super) fn role(kind: StreamKind) -> Role {
    match kind {
        StreamKind::Source => Role::Source,
        StreamKind::Sink | StreamKind::Temp | StreamKind::Table => Role::Sink,
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
    let wrong_role = stream.kind == StreamKind::Source && !known.source;
    // Streams of edge hubs exist only in edge jobs, which this release does not have.
    if wrong_role || known.name == "edgehub" {
        return invalid(stream, option, catalog);
    }
    let by_address = stream.options.iter().any(|option| {
        known.name == "opentsdb" && weir_base::connector::option_key(&option.name.value) == "tsdblinkaddress"
    });
    if cluster == (Cluster::Shared { restricted: true }) && (!known.shared_cluster || by_address) {
        return not_in_shared_cluster(option, known.name);
    }
    at_value(option, format!("connector `{}` is not available in this release", known.name))
        .hint(format!("expected one of {}", types_for(stream.kind, catalog)))
}

fn invalid(stream: &CreateStream, option: &OptionEntry, catalog: &ConnectorCatalog) -> CheckError {
    let name = option.value.trim();
    let kind = kind_text(stream.kind);
    let elsewhere =
        catalog.find(name).is_some() || KNOWN_TYPES.iter().any(|known| known.name.eq_ignore_ascii_case(name));
    let text = match elsewhere {
        true => format!("a {kind} stream cannot have the type `{name}`"),
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

fn not_in_shared_cluster(option: &OptionEntry, name: &str) -> CheckError {
    let error = at_value(option, format!("a stream of type `{name}` cannot be used in the shared cluster"))
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
        StreamKind::Table => "dimension",
    }
}

/// Makes an error at the value of an option.
pub(super) fn at_value(option: &OptionEntry, text: impl Into<String>) -> CheckError {
    CheckError::new(option.value_position, option.value_length, text)
}
