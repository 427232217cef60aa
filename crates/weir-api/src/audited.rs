//! The audit of the services beside CS: every call that changes something leaves a record, a refused one too as long as
//! it is known who calls.
//!
//! A table of each service says which routes change what. The record of such a call goes with its request as an
//! [`Audit`]: admission says who calls ([`Audit::identify`]), the handler what it is about ([`Audit::about`]). Work
//! whose repository writes the record in the transaction of the change takes it ([`Audit::take`]). What nobody took,
//! and every refusal, is written here when the answer is there. CS writes its records itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use weir_base::audit::{Actor, AuditRecord, Change};
use weir_base::time::Timestamp;
use weir_control::write_audit;
use weir_store::Store;

use crate::state::ApiState;
use crate::{dis, iam, smn};

/// A route that changes something: method, path as it is routed, and what it changes.
pub(crate) type Row = (&'static str, &'static str, Change);

/// The tables of the services.
const TABLES: [&[Row]; 3] = [dis::CHANGES, smn::CHANGES, iam::CHANGES];

/// Why a call was refused, in the extensions of its answer.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The code of the service.
    pub(crate) code: String,
    /// The sentence.
    pub(crate) text: String,
}

/// The record of a call, in the extensions of its request.
#[derive(Debug, Clone)]
pub(crate) struct Audit(Arc<Mutex<Entry>>);

#[derive(Debug)]
struct Entry {
    change: Change,
    now: Timestamp,
    /// None while nobody is known to call.
    actor: Option<Actor>,
    id: String,
    name: String,
    is_taken: bool,
}

impl Entry {
    fn record(&self) -> Option<AuditRecord> {
        let actor = self.actor.clone()?;
        Some(AuditRecord::of_call(actor, self.change, self.now).about(&self.id, &self.name))
    }
}

impl Audit {
    /// Returns the record of a call that nobody is known to have made yet.
    pub(crate) fn new(change: Change, now: Timestamp) -> Self {
        let (id, name) = (String::new(), String::new());
        Self(Arc::new(Mutex::new(Entry { change, now, actor: None, id, name, is_taken: false })))
    }

    /// Returns the record of a request; `None` when it changes nothing.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        parts.extensions.get::<Self>().cloned()
    }

    /// Says who calls. A call that is refused before leaves no record: it would be one of nobody.
    pub(crate) fn identify(&self, actor: Actor) {
        self.entry().actor = Some(actor);
    }

    /// Says what the call is about: id and name, empty when there is none.
    pub(crate) fn about(&self, id: &str, name: &str) {
        let mut entry = self.entry();
        (entry.id, entry.name) = (id.to_string(), name.to_string());
    }

    /// Returns the record of the success of the call as it is so far. `None` when nobody is known to call.
    pub(crate) fn record(&self) -> Option<AuditRecord> {
        self.entry().record()
    }

    /// Returns the record of the success of the call to who writes it. `None` when nobody is known to call.
    pub(crate) fn take(&self) -> Option<AuditRecord> {
        let mut entry = self.entry();
        entry.is_taken = true;
        entry.record()
    }

    /// Returns the record that is left to be written when the call is answered.
    pub(crate) fn rest(&self, status: StatusCode, refusal: Option<&Refusal>) -> Option<AuditRecord> {
        let entry = self.entry();
        let record = entry.record()?;
        if status.is_client_error() || status.is_server_error() {
            let (code, text) =
                refusal.map_or(("", ""), |refusal| (refusal.code.as_str(), refusal.text.as_str()));
            return Some(record.refused(status.as_u16(), code, text));
        }
        (!entry.is_taken).then(|| AuditRecord { status: status.as_u16(), ..record })
    }

    fn entry(&self) -> MutexGuard<'_, Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attends to a request of any service.
pub(crate) async fn attend(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(change) = change_of(request.method().as_str(), path) else { return next.run(request).await };
    let audit = Audit::new(change, state.clock.now());
    request.extensions_mut().insert(audit.clone());
    let store = state.control.store().clone();
    follow(store, audit, async move { next.run(request).await }).await
}

/// Does the work of a call and writes what is left of its record. That is a task of its own: a caller who hangs up must
/// not stop the work between the change and its record.
pub(crate) async fn follow(
    store: Store,
    audit: Audit,
    work: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let task = tokio::spawn(async move {
        let response = work.await;
        if let Some(record) = audit.rest(response.status(), response.extensions().get::<Refusal>()) {
            write_audit(&store, &record).await;
        }
        response
    });
    match task.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(response) => response,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The service ends.
        Err(Err(_)) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn change_of(method: &str, path: &str) -> Option<Change> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let rows = TABLES.iter().copied().flatten();
    rows.into_iter().find(|(of, at, _)| *of == method && *at == path).map(|(.., change)| *change)
}

#[cfg(test)]
mod tests {
    use weir_base::id::{ProjectId, UserId};

    use super::*;

    fn audit() -> Audit {
        let change = Change { service: "SMN", resource_type: "topic", event: "createTopic" };
        let audit = Audit::new(change, Timestamp(5));
        audit.identify(Actor {
            project: ProjectId("p1".into()),
            user: UserId("u1".into()),
            user_name: "ann".into(),
            request_id: "r1".into(),
            source_ip: String::new(),
        });
        audit
    }

    #[test]
    fn a_success_is_recorded_by_who_took_it_or_else_here_and_a_refusal_always_here() {
        let ours = audit();
        ours.about("1", "t1");
        let left = ours.rest(StatusCode::CREATED, None).unwrap();
        assert_eq!((left.status, left.resource_id.as_str(), left.resource_name.as_str()), (201, "1", "t1"));
        let theirs = audit();
        assert!(theirs.take().is_some());
        assert_eq!(theirs.rest(StatusCode::CREATED, None), None);
        let refusal = Refusal { code: "SMN.0006".into(), text: "none".into() };
        let left = theirs.rest(StatusCode::NOT_FOUND, Some(&refusal)).unwrap();
        assert_eq!((left.status, left.event_rating.as_str()), (404, "warning"));
        assert_eq!(left.op_result, "SMN.0006:: none");
        let unknown = Audit::new(Change { service: "SMN", resource_type: "topic", event: "x" }, Timestamp(5));
        assert_eq!(unknown.rest(StatusCode::UNAUTHORIZED, None), None);
    }
}
