//! What every handler can reach, and the router that joins the families of routes.
//!
//! The state is cheap to clone: everything in it is shared. Handlers take it as
//! `axum::extract::State<ApiState>`; each family of routes gives a `router() -> axum::Router<ApiState>`.

use std::sync::Arc;

use axum::{Router, middleware};
use weir_base::clock::Clock;
use weir_cloud::identity::Identity;
use weir_cloud::notifications::Notifications;
use weir_cloud::objects::Objects;
use weir_cloud::streams::LocalStreams;
use weir_control::Control;

use crate::metrics::ApiMetrics;
use crate::{audited, cs, cts, dis, gateway, iam, ief, operate, outermost, smn, unknown, vpc};

/// What the handlers share.
#[derive(Clone)]
pub struct ApiState {
    /// Jobs and what surrounds them.
    pub control: Arc<Control>,
    /// Users, tokens and access keys.
    pub identity: Arc<Identity>,
    /// The embedded stream store, for the routes of DIS.
    pub streams: Arc<LocalStreams>,
    /// Topics and messages, for the routes of SMN.
    pub notifications: Arc<Notifications>,
    /// Buckets.
    pub objects: Objects,
    /// The clock that times in answers come from.
    pub clock: Arc<dyn Clock>,
    /// Counters of calls.
    pub metrics: Arc<ApiMetrics>,
}

/// Joins all routes of the service.
pub fn router(state: ApiState) -> Router {
    Router::new()
        .merge(cs::router())
        .merge(iam::router())
        .merge(dis::router())
        .merge(smn::router())
        .merge(cts::router())
        .merge(vpc::router())
        .merge(gateway::router())
        .merge(ief::router())
        .merge(operate::router())
        .fallback(unknown::path)
        .method_not_allowed_fallback(unknown::method)
        .layer(middleware::from_fn_with_state(state.clone(), audited::attend))
        .layer(middleware::from_fn_with_state(state.clone(), outermost::attend))
        .with_state(state)
}
