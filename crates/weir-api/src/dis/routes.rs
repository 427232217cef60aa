//! Which path and method leads where.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post, put};

use super::host::Host;
use super::{apps, checkpoints, cursors, dump, metrics, records, streams, tags};
use crate::state::ApiState;

/// Returns the routes of the stream service.
pub fn router() -> Router<ApiState> {
    routes()
}

/// Returns the routes over any host; tests bring a small one.
pub(super) fn routes<S: Host>() -> Router<S> {
    let all: [(&str, MethodRouter<S>); 25] = [
        ("/v2/{project_id}/streams", post(streams::create).get(streams::list)),
        (
            "/v2/{project_id}/streams/{stream}",
            get(streams::describe).put(streams::resize).delete(streams::delete),
        ),
        ("/v3/{project_id}/streams/{stream}", put(streams::update)),
        ("/v2/{project_id}/records", post(records::put).get(records::get)),
        ("/v2/{project_id}/cursors", get(cursors::get)),
        ("/v2/{project_id}/apps", post(apps::create).get(apps::list)),
        ("/v2/{project_id}/apps/{app}", get(apps::describe).delete(apps::delete)),
        ("/v2/{project_id}/apps/{app}/streams/{stream}", get(apps::consuming_state)),
        (
            "/v2/{project_id}/checkpoints",
            post(checkpoints::commit).get(checkpoints::get).delete(checkpoints::delete),
        ),
        ("/v2/{project_id}/streams/{stream}/metrics", get(metrics::stream)),
        ("/v2/{project_id}/streams/{stream}/partitions/{partition}/metrics", get(metrics::partition)),
        ("/v2/{project_id}/stream/{stream}/tags", post(tags::add).get(tags::list)),
        ("/v2/{project_id}/stream/{stream}/tags/{key}", delete(tags::remove)),
        ("/v2/{project_id}/stream/{stream}/tags/action", post(tags::change).delete(tags::remove)),
        ("/v2/{project_id}/stream/tags", get(tags::list_all)),
        ("/v2/{project_id}/stream/resource_instances/action", post(tags::find_streams)),
        ("/v2/{project_id}/streams/{stream}/transfer-tasks", post(dump::refuse).get(dump::refuse)),
        ("/v2/{project_id}/streams/{stream}/transfer-tasks/action", post(dump::refuse)),
        ("/v2/{project_id}/streams/{stream}/transfer-tasks/{task}", get(dump::refuse).delete(dump::refuse)),
        ("/v2/{project_id}/stream/{stream}/transfer-tasks", post(dump::refuse).get(dump::refuse)),
        ("/v2/{project_id}/stream/{stream}/transfer-tasks/action", post(dump::refuse)),
        ("/v2/{project_id}/stream/{stream}/transfer-tasks/{task}", get(dump::refuse).delete(dump::refuse)),
        ("/v2/{project_id}/streams/{stream}/policies", get(dump::refuse_policies)),
        ("/v2/{project_id}/stream/{stream}/policies", get(dump::refuse_policies)),
        ("/v2/{project_id}/file-records", post(dump::refuse_files)),
    ];
    all.into_iter().fold(Router::new(), |router, (path, methods)| {
        let methods = methods.fallback(dump::refuse_method);
        router.route(path, methods.clone()).route(&format!("{path}/"), methods)
    })
}
