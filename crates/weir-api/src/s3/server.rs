//! Serves the endpoint on a listener.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, EXPECT};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use s3s::HttpError;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use weir_base::id::random_uuid;
use weir_cloud::identity::Identity;
use weir_cloud::objects::Objects;
use weir_control::Buckets;
use weir_store::Store;

use super::access::{Access, Keys};
use super::endpoint::Endpoint;
use super::{changes, legacy, texts};
use crate::audited::{self, Audit};
use crate::listen::{self, ListenLimits};
use crate::outermost::RequestId;
use crate::state::ApiState;

#[derive(Clone)]
struct Server {
    service: S3Service,
    identity: Arc<Identity>,
    store: Store,
}

/// Serves the buckets of the local directory until `shutdown` is ready; then open requests are
/// finished and idle connections closed. Fails when the objects are not in a local directory.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    state.identity.announce_object_port(listener.local_addr()?.port());
    let router = router(&state.objects, &state.identity, state.control.buckets()).await?;
    listen::serve(listener, router, ListenLimits::default(), shutdown).await
}

/// Makes the router that `serve` serves.
pub(super) async fn router(
    objects: &Objects,
    identity: &Arc<Identity>,
    buckets: &Buckets,
) -> io::Result<Router> {
    let endpoint = Endpoint::open(objects.clone(), buckets.clone()).await?;
    let mut builder = S3ServiceBuilder::new(endpoint);
    builder.set_auth(Keys(Arc::clone(identity)));
    builder.set_access(Access { identity: Arc::clone(identity), buckets: buckets.clone() });
    let server =
        Server { service: builder.build(), identity: Arc::clone(identity), store: buckets.store().clone() };
    Ok(Router::new().fallback(answer).with_state(server))
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    // Whoever asks before it sends its body, and is refused, has not sent it: the connection is not good for another request.
    let asks_first = request.headers().contains_key(EXPECT);
    let mut response = attend(server, request).await;
    if asks_first && !response.status().is_success() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn attend(server: Server, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some((change, bucket)) = changes::change_of(&parts) else {
        return perform(server, parts, body).await;
    };
    let audit = Audit::new(change, server.identity.now());
    audit.about("", bucket);
    parts.extensions.insert(RequestId(random_uuid()));
    parts.extensions.insert(audit.clone());
    let store = server.store.clone();
    let work = async move { changes::with_refusal(perform(server, parts, body).await).await };
    audited::follow(store, audit, work).await
}

async fn perform(server: Server, mut parts: Parts, body: Body) -> Response {
    let dialect = match legacy::admit(&server.identity, &mut parts).await {
        Ok(dialect) => dialect,
        Err(error) => {
            tracing::debug!(%error, "an object request was refused");
            return into_response(error.to_http_response().map_err(|error| HttpError::new(Box::new(error))));
        }
    };
    let request = Request::from_parts(parts, s3s::Body::http_body_unsync(body));
    let mut response = texts::with_text(into_response(server.service.call(request).await)).await;
    if let Some(dialect) = dialect {
        legacy::translate_answer(dialect, response.headers_mut());
    }
    response
}

fn into_response(answer: Result<s3s::HttpResponse, HttpError>) -> Response {
    match answer {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::error!(error = ?error, "an object request failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
