//! What is answered to a path that no route has, and to a method that a path does not have: a refusal in the words of the
//! service that the path belongs to, as clients of each read errors of their own form.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::cs;
use crate::cts::CtsError;
use crate::dis::DisError;
use crate::iam::IamError;
use crate::ief::IefError;
use crate::outermost::RequestId;
use crate::state::ApiState;
use crate::vpc::VpcError;
use crate::{gateway, smn};

/// Answers what no route matches.
pub(crate) async fn path(State(state): State<ApiState>, request: Request) -> Response {
    refuse(&state, &request, StatusCode::NOT_FOUND, "there is no such path")
}

/// Answers a method that the path does not have.
pub(crate) async fn method(State(state): State<ApiState>, request: Request) -> Response {
    refuse(&state, &request, StatusCode::METHOD_NOT_ALLOWED, "the path has no such method")
}

fn refuse(state: &ApiState, request: &Request, status: StatusCode, reason: &str) -> Response {
    let id = request.extensions().get::<RequestId>().map_or("", |id| id.0.as_str());
    let now = state.clock.now();
    match Family::of(request.uri().path()) {
        Family::Cs => cs::unknown(now),
        Family::Cts => CtsError::unknown(status, reason).into_response(),
        Family::Dis => DisError::unknown(status, reason).into_response(),
        Family::Gateway => gateway::unknown(id),
        Family::Iam => IamError::unknown(status, reason).into_response(),
        Family::Ief => IefError::unknown(status, reason).into_response(),
        Family::Smn => smn::unknown(status, reason, id),
        Family::Vpc => VpcError::unknown(status, reason).answer(now),
    }
}

/// A service whose paths are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Cs,
    Cts,
    Dis,
    Gateway,
    Iam,
    Ief,
    Smn,
    Vpc,
}

impl Family {
    /// Returns the service that a path belongs to. Several share a version; what follows the project tells them apart.
    fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        let mut next = || segments.next().unwrap_or_default();
        match (next(), next(), next()) {
            ("gateway", ..) => Self::Gateway,
            ("v2.0", ..) => Self::Vpc,
            ("smn", ..) | ("rest", "v2", _) | ("v2", "notifications", _) | ("v2", _, "notifications") => {
                Self::Smn
            }
            ("v2", _, "edgemgr") => Self::Ief,
            ("v2", ..) | ("v3", _, "streams") => Self::Dis,
            ("v3", _, "traces" | "tracker") => Self::Cts,
            ("v3" | "v3.0", ..) => Self::Iam,
            _ => Self::Cs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_a_service() {
        for (path, family) in [
            ("/", Family::Cs),
            ("/v1.0/p/nothing", Family::Cs),
            ("/v2/p/streams/a/nothing", Family::Dis),
            ("/v3/p/streams/a/nothing", Family::Dis),
            ("/v2/p/notifications/nothing", Family::Smn),
            ("/v2/notifications/subscriptions/nothing", Family::Smn),
            ("/v2/p/edgemgr/nodes", Family::Ief),
            ("/v3/groups", Family::Iam),
            ("/v3.0/OS-CREDENTIAL/securitytokens", Family::Iam),
            ("/v3/p/traces/nothing", Family::Cts),
            ("/v2.0/vpc/peerings", Family::Vpc),
            ("/gateway", Family::Gateway),
        ] {
            assert_eq!(Family::of(path), family, "{path}");
        }
    }
}
