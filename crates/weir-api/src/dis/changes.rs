//! What the audit says of the calls that change something. Records and checkpoints are data.
//!
//! Streams and apps are files, so that no transaction holds a change together with its record: it is written right after
//! the change, before the caller has an answer. Of what a crash between the two leaves there is no record.

use weir_base::audit::Change;

use crate::audited::Row;

/// Which route changes what.
pub(crate) const CHANGES: &[Row] = &[
    row("POST", "/v2/{project_id}/streams", "stream", "createStream"),
    row("PUT", "/v2/{project_id}/streams/{stream}", "stream", "updatePartitionCount"),
    row("PUT", "/v3/{project_id}/streams/{stream}", "stream", "updateStream"),
    row("DELETE", "/v2/{project_id}/streams/{stream}", "stream", "deleteStream"),
    row("POST", "/v2/{project_id}/apps", "app", "createApp"),
    row("DELETE", "/v2/{project_id}/apps/{app}", "app", "deleteApp"),
    row("POST", "/v2/{project_id}/stream/{stream}/tags", "stream", "createTag"),
    row("POST", "/v2/{project_id}/stream/{stream}/tags/action", "stream", "updateTags"),
    row("DELETE", "/v2/{project_id}/stream/{stream}/tags/{key}", "stream", "deleteTag"),
    // A tag of that name.
    row("DELETE", "/v2/{project_id}/stream/{stream}/tags/action", "stream", "deleteTag"),
];

const fn row(
    method: &'static str,
    path: &'static str,
    resource_type: &'static str,
    event: &'static str,
) -> Row {
    (method, path, Change { service: "DIS", resource_type, event })
}
