//! The routes of the identity service: Keystone v3 as far as clients need it, and access keys.

mod access;
mod agencies;
mod catalog;
mod changes;
mod credentials;
mod discovery;
mod domains;
mod error;
mod groups;
mod projects;
mod roles;
mod tokens;
mod users;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{delete, get, post, put};
use weir_cloud::identity::Identity;

pub(crate) use self::changes::CHANGES;
pub(crate) use self::error::IamError;
use crate::state::ApiState;

impl FromRef<ApiState> for Arc<Identity> {
    fn from_ref(state: &ApiState) -> Self {
        Arc::clone(&state.identity)
    }
}

/// The routes.
pub fn router() -> Router<ApiState> {
    routes().route("/v3/projects/{project}", delete(projects::delete))
}

/// The routes that need nothing but an identity service.
fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Identity>: FromRef<S>,
{
    Router::new()
        .route("/", get(discovery::root))
        .route("/v3", get(discovery::version))
        .route("/v3/", get(discovery::version))
        .route(
            "/v3/auth/tokens",
            post(tokens::create).get(tokens::show).head(tokens::check).delete(tokens::revoke),
        )
        .route("/v3/auth/projects", get(projects::of_caller))
        .route("/v3/auth/domains", get(domains::list))
        .route("/v3/domains", get(domains::list))
        .route("/v3/domains/{domain}", get(domains::show))
        .route("/v3/auth/catalog", get(catalog::show))
        .route("/v3/projects", get(projects::list).post(projects::create))
        .route("/v3/projects/{project}", get(projects::show).patch(projects::update))
        .route("/v3/projects/{project}/users/{user}/roles", get(roles::assigned_in_project))
        .route(
            "/v3/projects/{project}/users/{user}/roles/{role}",
            put(roles::assign_in_project).head(roles::check_in_project).delete(roles::unassign_in_project),
        )
        .route("/v3/domains/{domain}/users/{user}/roles", get(roles::assigned_in_domain))
        .route(
            "/v3/domains/{domain}/users/{user}/roles/{role}",
            put(roles::assign_in_domain).head(roles::check_in_domain).delete(roles::unassign_in_domain),
        )
        .route("/v3/users", get(users::list).post(users::create))
        .route(
            "/v3/users/{user}",
            get(users::show).patch(users::update).put(users::update).delete(users::delete),
        )
        .route("/v3/users/{user}/password", post(users::change_password))
        .route("/v3/users/{user}/projects", get(projects::of_user))
        .route("/v3/users/{user}/groups", get(groups::of_user))
        .merge(groups_of_users())
        .route("/v3/roles", get(roles::list))
        .route("/v3/roles/{role}", get(roles::show))
        .route("/v3.0/OS-CREDENTIAL/credentials", get(credentials::list).post(credentials::create))
        .route(
            "/v3.0/OS-CREDENTIAL/credentials/{access}",
            get(credentials::show).put(credentials::update).delete(credentials::delete),
        )
        .route("/v3.0/OS-CREDENTIAL/securitytokens", post(credentials::create_temporary))
        .route("/v3.0/OS-AGENCY/agencies", get(agencies::list).post(agencies::create))
        .route(
            "/v3.0/OS-AGENCY/agencies/{agency}",
            get(agencies::show).put(agencies::update).delete(agencies::delete),
        )
        .route("/v3.0/OS-AGENCY/{kind}/{target}/agencies/{agency}/roles", get(agencies::roles))
        .route(
            "/v3.0/OS-AGENCY/{kind}/{target}/agencies/{agency}/roles/{role}",
            put(agencies::grant).head(agencies::check).delete(agencies::take),
        )
        .route(
            "/v3.0/OS-INHERIT/domains/{domain}/agencies/{agency}/roles/{role}/inherited_to_projects",
            put(agencies::grant_everywhere)
                .head(agencies::check_everywhere)
                .delete(agencies::take_everywhere),
        )
        .route(
            "/v3.0/OS-INHERIT/domains/{domain}/agencies/{agency}/roles/inherited_to_projects",
            get(agencies::roles_everywhere),
        )
}

fn groups_of_users<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Identity>: FromRef<S>,
{
    let role = || put(groups::assign).head(groups::check_role).delete(groups::unassign);
    Router::new()
        .route("/v3/groups", get(groups::list).post(groups::create))
        .route("/v3/groups/{group}", get(groups::show).patch(groups::update).delete(groups::delete))
        .route("/v3/groups/{group}/users", get(groups::members))
        .route("/v3/groups/{group}/users/{user}", put(groups::add).head(groups::check).delete(groups::remove))
        .route("/v3/projects/{project}/groups/{group}/roles", get(groups::roles))
        .route("/v3/projects/{project}/groups/{group}/roles/{role}", role())
        .route("/v3/domains/{domain}/groups/{group}/roles", get(groups::roles))
        .route("/v3/domains/{domain}/groups/{group}/roles/{role}", role())
}
