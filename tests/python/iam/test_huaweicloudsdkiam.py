"""The identity service with huaweicloudsdkiam: signed with an access key, and a token by password."""

import os
import uuid

import pytest
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkiam.v3 import IamClient
from huaweicloudsdkiam.v3 import model as m

PASSWORD = "Client-Pass-7"


def client_with(access, secret, security_token=None):
    credentials = GlobalCredentials(access, secret, os.environ["WEIR_DOMAIN_ID"])
    if security_token:
        credentials = credentials.with_security_token(security_token)
    return IamClient.new_builder().with_credentials(credentials).with_endpoint(os.environ["WEIR_ENDPOINT"]).build()


@pytest.fixture
def client(weir_service):
    return client_with(os.environ["WEIR_AK"], os.environ["WEIR_SK"])


@pytest.fixture
def user(client):
    """The id and name of a user that the client makes and deletes."""
    name = f"u-{uuid.uuid4().hex[:8]}"
    option = m.KeystoneCreateUserOption(name=name, domain_id=os.environ["WEIR_DOMAIN_ID"], password=PASSWORD, enabled=True)
    body = m.KeystoneCreateUserRequestBody(user=option)
    made = client.keystone_create_user(m.KeystoneCreateUserRequest(body=body)).user
    assert (made.name, made.domain_id, made.enabled) == (name, os.environ["WEIR_DOMAIN_ID"], True)
    yield made.id, name
    client.keystone_delete_user(m.KeystoneDeleteUserRequest(user_id=made.id))
    with pytest.raises(ClientRequestException) as gone:
        client.keystone_show_user(m.KeystoneShowUserRequest(user_id=made.id))
    assert (gone.value.status_code, gone.value.error_code) == (404, "IAM.0004")


def token_request(name, password, scope):
    domain = m.PwdPasswordUserDomain(name=os.environ["WEIR_DOMAIN"])
    login = m.PwdPassword(user=m.PwdPasswordUser(domain=domain, name=name, password=password))
    auth = m.PwdAuth(identity=m.PwdIdentity(methods=["password"], password=login), scope=scope)
    return m.KeystoneCreateUserTokenByPasswordRequest(body=m.KeystoneCreateUserTokenByPasswordRequestBody(auth=auth))


def test_a_token_by_password(client):
    scope = m.AuthScope(project=m.AuthScopeProject(id=os.environ["WEIR_PROJECT_ID"]))
    request = token_request(os.environ["WEIR_USER"], os.environ["WEIR_PASSWORD"], scope)
    answer = client.keystone_create_user_token_by_password(request)
    assert answer.x_subject_token
    token = answer.token
    assert (token.user.name, token.project.id) == (os.environ["WEIR_USER"], os.environ["WEIR_PROJECT_ID"])
    assert "cs_adm" in [role.name for role in token.roles]
    assert "cs" in [service.type for service in token.catalog]
    with pytest.raises(ClientRequestException) as refused:
        client.keystone_create_user_token_by_password(token_request(os.environ["WEIR_USER"], "wrong", scope))
    assert (refused.value.status_code, refused.value.error_code) == (401, "IAM.0062")


def test_projects_and_domains(client):
    projects = client.keystone_list_projects(m.KeystoneListProjectsRequest(name=os.environ["WEIR_PROJECT_NAME"])).projects
    assert [(project.id, project.domain_id) for project in projects] == [
        (os.environ["WEIR_PROJECT_ID"], os.environ["WEIR_DOMAIN_ID"])
    ]
    shown = client.keystone_show_project(m.KeystoneShowProjectRequest(project_id=os.environ["WEIR_PROJECT_ID"])).project
    assert shown.name == os.environ["WEIR_PROJECT_NAME"]
    mine = client.keystone_list_auth_projects(m.KeystoneListAuthProjectsRequest()).projects
    assert os.environ["WEIR_PROJECT_ID"] in [project.id for project in mine]
    domains = client.keystone_list_auth_domains(m.KeystoneListAuthDomainsRequest()).domains
    assert [(domain.id, domain.name) for domain in domains] == [(os.environ["WEIR_DOMAIN_ID"], os.environ["WEIR_DOMAIN"])]


def test_a_user_without_a_role_gets_no_token(client, user):
    user_id, name = user
    listed = client.keystone_list_users(m.KeystoneListUsersRequest(name=name)).users
    assert [found.id for found in listed] == [user_id]
    roles = client.keystone_list_permissions(m.KeystoneListPermissionsRequest(name="cs_user")).roles
    assert [role.name for role in roles] == ["cs_user"]
    shown = client.keystone_show_permission(m.KeystoneShowPermissionRequest(role_id=roles[0].id)).role
    assert (shown.id, shown.name) == (roles[0].id, "cs_user")
    of_user = client.keystone_list_projects_for_user(m.KeystoneListProjectsForUserRequest(user_id=user_id)).projects
    assert of_user == []
    scope = m.AuthScope(domain=m.AuthScopeDomain(name=os.environ["WEIR_DOMAIN"]))
    with pytest.raises(ClientRequestException) as refused:
        client.keystone_create_user_token_by_password(token_request(name, PASSWORD, scope))
    assert (refused.value.status_code, refused.value.error_code) == (401, "IAM.0067")


def test_access_keys(client, user):
    user_id, _ = user
    option = m.CreateCredentialOption(user_id=user_id, description="of a test")
    body = m.CreatePermanentAccessKeyRequestBody(credential=option)
    made = client.create_permanent_access_key(m.CreatePermanentAccessKeyRequest(body=body)).credential
    assert (made.user_id, made.description, made.status) == (user_id, "of a test", "active")
    listed = client.list_permanent_access_keys(m.ListPermanentAccessKeysRequest(user_id=user_id)).credentials
    assert [key.access for key in listed] == [made.access]

    own = client_with(made.access, made.secret)
    shown = own.show_permanent_access_key(m.ShowPermanentAccessKeyRequest(access_key=made.access)).credential
    assert shown.user_id == user_id

    change = m.UpdatePermanentAccessKeyRequestBody(credential=m.UpdateCredentialOption(status="inactive"))
    client.update_permanent_access_key(m.UpdatePermanentAccessKeyRequest(access_key=made.access, body=change))
    with pytest.raises(ClientRequestException) as refused:
        own.list_permanent_access_keys(m.ListPermanentAccessKeysRequest(user_id=user_id))
    assert refused.value.status_code == 401
    client.delete_permanent_access_key(m.DeletePermanentAccessKeyRequest(access_key=made.access))
    assert client.list_permanent_access_keys(m.ListPermanentAccessKeysRequest(user_id=user_id)).credentials == []


def test_a_user_is_changed_disabled_and_enabled(client, user):
    user_id, name = user
    scope = m.AuthScope(domain=m.AuthScopeDomain(name=os.environ["WEIR_DOMAIN"]))

    def update(**change):
        option = m.KeystoneUpdateUserOption(**change)
        body = m.KeystoneUpdateUserByAdminRequestBody(user=option)
        return client.keystone_update_user_by_admin(m.KeystoneUpdateUserByAdminRequest(user_id=user_id, body=body)).user

    changed = update(name=f"{name}-new", description="of a test", enabled=False)
    assert (changed.name, changed.description, changed.enabled) == (f"{name}-new", "of a test", False)
    with pytest.raises(ClientRequestException) as refused:
        client.keystone_create_user_token_by_password(token_request(f"{name}-new", PASSWORD, scope))
    assert refused.value.error_code == "IAM.0062"
    # Let in again, it has no role yet.
    assert update(enabled=True).enabled
    with pytest.raises(ClientRequestException) as refused:
        client.keystone_create_user_token_by_password(token_request(f"{name}-new", PASSWORD, scope))
    assert refused.value.error_code == "IAM.0067"

    change = m.KeystoneUpdatePasswordOption(original_password=PASSWORD, password="Other-Pass-8")
    own = client.create_permanent_access_key(
        m.CreatePermanentAccessKeyRequest(
            body=m.CreatePermanentAccessKeyRequestBody(credential=m.CreateCredentialOption(user_id=user_id))
        )
    ).credential
    body = m.KeystoneUpdateUserPasswordRequestBody(user=change)
    client_with(own.access, own.secret).keystone_update_user_password(
        m.KeystoneUpdateUserPasswordRequest(user_id=user_id, body=body)
    )
    with pytest.raises(ClientRequestException) as refused:
        client.keystone_create_user_token_by_password(token_request(f"{name}-new", PASSWORD, scope))
    assert refused.value.error_code == "IAM.0062"


def test_a_temporary_key_from_a_token(client):
    identity = m.TokenAuthIdentity(
        methods=["token"], token=m.IdentityToken(id=os.environ["WEIR_TOKEN"], duration_seconds=900)
    )
    body = m.CreateTemporaryAccessKeyByTokenRequestBody(auth=m.TokenAuth(identity=identity))
    made = client.create_temporary_access_key_by_token(m.CreateTemporaryAccessKeyByTokenRequest(body=body)).credential
    own = client_with(made.access, made.secret, made.securitytoken)
    shown = own.keystone_show_user(m.KeystoneShowUserRequest(user_id=os.environ["WEIR_USER_ID"])).user
    assert shown.name == os.environ["WEIR_USER"]
    with pytest.raises(ClientRequestException) as refused:
        client_with(made.access, made.secret).keystone_list_auth_domains(m.KeystoneListAuthDomainsRequest())
    assert refused.value.status_code == 401


def test_an_agency_that_trusts_its_own_account_gives_tokens_and_keys(client):
    name = f"a-{uuid.uuid4().hex[:8]}"
    option = m.CreateAgencyOption(
        name=name, domain_id=os.environ["WEIR_DOMAIN_ID"], trust_domain_name=os.environ["WEIR_DOMAIN"], duration="FOREVER"
    )
    body = m.CreateAgencyRequestBody(agency=option)
    agency = client.create_agency(m.CreateAgencyRequest(body=body)).agency
    role = client.keystone_list_permissions(m.KeystoneListPermissionsRequest(name="cs_readonly")).roles[0].id
    project = os.environ["WEIR_PROJECT_ID"]
    client.associate_agency_with_project_permission(
        m.AssociateAgencyWithProjectPermissionRequest(project_id=project, agency_id=agency.id, role_id=role)
    )
    assumed = m.AgencyTokenAssumerole(domain_id=os.environ["WEIR_DOMAIN_ID"], agency_name=name)
    identity = m.AgencyTokenIdentity(methods=["assume_role"], assume_role=assumed)
    scope = m.AgencyTokenScope(project=m.AgencyTokenScopeProject(id=project))
    body = m.KeystoneCreateAgencyTokenRequestBody(auth=m.AgencyTokenAuth(identity=identity, scope=scope))
    answer = client.keystone_create_agency_token(m.KeystoneCreateAgencyTokenRequest(body=body))
    assert answer.x_subject_token
    assert (answer.token.user.id, answer.token.user.name) == (agency.id, f"{os.environ['WEIR_DOMAIN']}/{name}")
    assert answer.token.assumed_by.user.id == os.environ["WEIR_USER_ID"]
    assert [role.name for role in answer.token.roles] == ["cs_readonly"]

    assumed = m.IdentityAssumerole(agency_name=name, domain_id=os.environ["WEIR_DOMAIN_ID"], duration_seconds=900)
    identity = m.AgencyAuthIdentity(methods=["assume_role"], assume_role=assumed)
    body = m.CreateTemporaryAccessKeyByAgencyRequestBody(auth=m.AgencyAuth(identity=identity))
    made = client.create_temporary_access_key_by_agency(m.CreateTemporaryAccessKeyByAgencyRequest(body=body)).credential
    own = client_with(made.access, made.secret, made.securitytoken)
    projects = own.keystone_list_auth_projects(m.KeystoneListAuthProjectsRequest()).projects
    assert [found.id for found in projects] == [project]
    client.delete_agency(m.DeleteAgencyRequest(agency_id=agency.id))
    with pytest.raises(ClientRequestException) as refused:
        own.keystone_list_auth_projects(m.KeystoneListAuthProjectsRequest())
    assert refused.value.status_code == 401


def test_a_project_is_changed(client):
    name = f"{os.environ['WEIR_PROJECT_NAME']}_{uuid.uuid4().hex[:8]}"
    option = m.KeystoneCreateProjectOption(name=name, domain_id=os.environ["WEIR_DOMAIN_ID"])
    body = m.KeystoneCreateProjectRequestBody(project=option)
    made = client.keystone_create_project(m.KeystoneCreateProjectRequest(body=body)).project
    option = m.KeystoneUpdateProjectOption(name=f"{name}_2", description="of a test")
    body = m.KeystoneUpdateProjectRequestBody(project=option)
    changed = client.keystone_update_project(m.KeystoneUpdateProjectRequest(project_id=made.id, body=body)).project
    assert (changed.name, changed.description, changed.enabled) == (f"{name}_2", "of a test", True)


def test_a_group_gives_its_members_roles(client, user):
    user_id, name = user
    project = os.environ["WEIR_PROJECT_ID"]
    option = m.KeystoneCreateGroupOption(name=f"g-{uuid.uuid4().hex[:8]}", description="of a test")
    body = m.KeystoneCreateGroupRequestBody(group=option)
    group = client.keystone_create_group(m.KeystoneCreateGroupRequest(body=body)).group
    assert group.id in [found.id for found in client.keystone_list_groups(m.KeystoneListGroupsRequest()).groups]
    role = client.keystone_list_permissions(m.KeystoneListPermissionsRequest(name="cs_user")).roles[0].id
    client.keystone_associate_group_with_project_permission(
        m.KeystoneAssociateGroupWithProjectPermissionRequest(project_id=project, group_id=group.id, role_id=role)
    )
    client.keystone_add_user_to_group(m.KeystoneAddUserToGroupRequest(group_id=group.id, user_id=user_id))
    client.keystone_check_user_in_group(m.KeystoneCheckUserInGroupRequest(group_id=group.id, user_id=user_id))
    members = client.keystone_list_users_for_group_by_admin(m.KeystoneListUsersForGroupByAdminRequest(group_id=group.id))
    assert [member.id for member in members.users] == [user_id]
    of_user = client.keystone_list_groups_for_user(m.KeystoneListGroupsForUserRequest(user_id=user_id)).groups
    assert [found.id for found in of_user] == [group.id]
    scope = m.AuthScope(project=m.AuthScopeProject(id=project))
    token = client.keystone_create_user_token_by_password(token_request(name, PASSWORD, scope)).token
    assert [found.name for found in token.roles] == ["cs_user"]
    client.keystone_remove_user_from_group(m.KeystoneRemoveUserFromGroupRequest(group_id=group.id, user_id=user_id))
    with pytest.raises(ClientRequestException) as refused:
        client.keystone_create_user_token_by_password(token_request(name, PASSWORD, scope))
    assert (refused.value.status_code, refused.value.error_code) == (401, "IAM.0067")
    client.keystone_delete_group(m.KeystoneDeleteGroupRequest(group_id=group.id))


def test_a_path_that_is_missing_is_told_in_the_words_of_the_service(client):
    with pytest.raises(ClientRequestException) as missing:
        client.show_domain_quota(m.ShowDomainQuotaRequest(domain_id=os.environ["WEIR_DOMAIN_ID"]))
    assert (missing.value.status_code, missing.value.error_code) == (404, "IAM.0004")
