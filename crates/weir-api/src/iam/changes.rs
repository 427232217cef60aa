//! What the audit says of the calls that change something. Tokens and temporary keys are log-ins: nothing is changed.

use weir_base::audit::Change;

use crate::audited::Row;

/// Which route changes what.
pub(crate) const CHANGES: &[Row] = &[
    row("POST", "/v3/users", "user", "createUser"),
    row("PATCH", "/v3/users/{user}", "user", "updateUser"),
    row("PUT", "/v3/users/{user}", "user", "updateUser"),
    row("DELETE", "/v3/users/{user}", "user", "deleteUser"),
    row("POST", "/v3/users/{user}/password", "user", "updateUserPassword"),
    row("POST", "/v3/projects", "project", "createProject"),
    row("PATCH", "/v3/projects/{project}", "project", "updateProject"),
    row("DELETE", "/v3/projects/{project}", "project", "deleteProject"),
    row("PUT", "/v3/projects/{project}/users/{user}/roles/{role}", "assignment", "assignRoleToUserOnProject"),
    row(
        "DELETE",
        "/v3/projects/{project}/users/{user}/roles/{role}",
        "assignment",
        "unassignRoleOfUserOnProject",
    ),
    row("PUT", "/v3/domains/{domain}/users/{user}/roles/{role}", "assignment", "assignRoleToUserOnDomain"),
    row(
        "DELETE",
        "/v3/domains/{domain}/users/{user}/roles/{role}",
        "assignment",
        "unassignRoleOfUserOnDomain",
    ),
    row("POST", "/v3/groups", "group", "createUserGroup"),
    row("PATCH", "/v3/groups/{group}", "group", "updateUserGroup"),
    row("DELETE", "/v3/groups/{group}", "group", "deleteUserGroup"),
    row("PUT", "/v3/groups/{group}/users/{user}", "group", "addUserToGroup"),
    row("DELETE", "/v3/groups/{group}/users/{user}", "group", "removeUserFromGroup"),
    row(
        "PUT",
        "/v3/projects/{project}/groups/{group}/roles/{role}",
        "assignment",
        "assignRoleToGroupOnProject",
    ),
    row(
        "DELETE",
        "/v3/projects/{project}/groups/{group}/roles/{role}",
        "assignment",
        "unassignRoleOfGroupOnProject",
    ),
    row("PUT", "/v3/domains/{domain}/groups/{group}/roles/{role}", "assignment", "assignRoleToGroupOnDomain"),
    row(
        "DELETE",
        "/v3/domains/{domain}/groups/{group}/roles/{role}",
        "assignment",
        "unassignRoleOfGroupOnDomain",
    ),
    row("POST", "/v3.0/OS-CREDENTIAL/credentials", "credential", "addCredential"),
    row("PUT", "/v3.0/OS-CREDENTIAL/credentials/{access}", "credential", "updateCredential"),
    row("DELETE", "/v3.0/OS-CREDENTIAL/credentials/{access}", "credential", "deleteCredential"),
    row("POST", "/v3.0/OS-AGENCY/agencies", "agency", "createAgency"),
    row("PUT", "/v3.0/OS-AGENCY/agencies/{agency}", "agency", "updateAgency"),
    row("DELETE", "/v3.0/OS-AGENCY/agencies/{agency}", "agency", "deleteAgency"),
    row(
        "PUT",
        "/v3.0/OS-AGENCY/{kind}/{target}/agencies/{agency}/roles/{role}",
        "assignment",
        "assignRoleToAgency",
    ),
    row(
        "DELETE",
        "/v3.0/OS-AGENCY/{kind}/{target}/agencies/{agency}/roles/{role}",
        "assignment",
        "unassignRoleOfAgency",
    ),
    row("PUT", EVERYWHERE, "assignment", "assignRoleToAgencyOnAllProjects"),
    row("DELETE", EVERYWHERE, "assignment", "unassignRoleOfAgencyOnAllProjects"),
];

const EVERYWHERE: &str =
    "/v3.0/OS-INHERIT/domains/{domain}/agencies/{agency}/roles/{role}/inherited_to_projects";

const fn row(
    method: &'static str,
    path: &'static str,
    resource_type: &'static str,
    event: &'static str,
) -> Row {
    (method, path, Change { service: "IAM", resource_type, event })
}
