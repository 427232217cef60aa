//! Accounts: tokens, keys, users.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::Row;
use weir_base::clock::ManualClock;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccountRepository, AssignmentTarget, BootstrapOptions, Domain, Group, GroupRepository, HashingCost,
    Identity, IdentityOptions, KeyError, LoginMethod, LoginRequest, NewGroup, NewProject, NewUser,
    ProjectChange, ProjectRemoval, RepositoryError, ScopeRequest, TemporaryKeyRepository, TokenError, User,
    UserChange, UserSelector, UserUpdate,
};
use weir_cloud::sealing::Sealer;
use weir_store::{Store, StoredAccounts};

/// The accounts of a store, whose secrets are sealed with a key that all tests share.
fn accounts(store: &Store) -> StoredAccounts {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    StoredAccounts::new(store.pool().clone(), Sealer::new(FOLDER.path().join("sealing.key")))
}

pub fn identity(store: &Store) -> Identity {
    let accounts = Arc::new(accounts(store));
    let options = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
    let clock = Arc::new(ManualClock::new(Timestamp(1_000)));
    Identity::new(accounts, clock, options)
}

pub fn options() -> BootstrapOptions {
    BootstrapOptions { password: Some("secret-1".into()), ..BootstrapOptions::default() }
}

pub fn login(scope: ScopeRequest) -> LoginRequest {
    let user = UserSelector::Name { name: "admin".into(), domain: None };
    LoginRequest { method: LoginMethod::Password { user, password: "secret-1".into() }, scope }
}

async fn tokens_and_keys_survive_a_restart(store: Store) {
    let first = identity(&store);
    let made = first.bootstrap(options()).await.unwrap();
    let scope = ScopeRequest::ProjectId(made.project_id.clone());
    let issued = first.log_in(login(scope)).await.unwrap();
    let unscoped = first.log_in(login(ScopeRequest::Unscoped)).await.unwrap();

    let second = identity(&store);
    let again = second.bootstrap(options()).await.unwrap();
    assert_eq!(again.project_id, made.project_id);
    assert_eq!(again.access_key, made.access_key);
    assert_eq!(*second.session(&issued.token).await.unwrap(), *issued.session);
    assert_eq!(*second.session(&unscoped.token).await.unwrap(), *unscoped.session);
    assert_eq!(second.session("other").await, Err(TokenError::Unknown));
}

async fn a_deleted_user_takes_everything_along(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let token = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap().token;
    identity.delete_user(&made.user_id).await.unwrap();
    assert_eq!(identity.session(&token).await, Err(TokenError::Unknown));
    let access = made.access_key.unwrap().access;
    assert_eq!(identity.key_caller(&access, None).await.err(), Some(KeyError::Unknown));
}

async fn a_user_changes_in_part_and_loses_its_tokens_where_it_has_to(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    let before = accounts.user(&made.user_id).await.unwrap().unwrap();
    let token = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap().token;
    let change =
        UserChange { name: Some("root".into()), description: Some("d".into()), ..UserChange::default() };
    assert!(accounts.update_user(&made.user_id, &change).await.unwrap());
    let expected = User { name: "root".into(), description: "d".into(), ..before };
    assert_eq!(accounts.user(&made.user_id).await.unwrap(), Some(expected.clone()));
    identity.session(&token).await.unwrap();

    let disable = UserUpdate { enabled: Some(false), ..UserUpdate::default() };
    let disabled = identity.update_user(&made.user_id, disable).await.unwrap();
    assert_eq!(disabled, User { enabled: false, ..expected });
    let enable = UserUpdate { enabled: Some(true), ..UserUpdate::default() };
    identity.update_user(&made.user_id, enable).await.unwrap();
    assert_eq!(identity.session(&token).await, Err(TokenError::Unknown));

    let new = NewUser {
        name: "other".into(),
        domain_id: made.domain_id,
        description: String::new(),
        password: "secret-1".into(),
        enabled: true,
        default_project_id: None,
    };
    let other = identity.create_user(new).await.unwrap();
    let taken = accounts.update_user(&other.id, &change).await;
    assert!(matches!(taken, Err(RepositoryError::Conflict)), "{taken:?}");
    assert!(!accounts.update_user("x", &change).await.unwrap());
}

async fn temporary_keys_end_and_are_swept(store: Store) {
    let clock = ManualClock::new(Timestamp(1_000));
    let options_of_identity = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
    let identity = Identity::new(Arc::new(accounts(&store)), Arc::new(clock.clone()), options_of_identity);
    let made = identity.bootstrap(options()).await.unwrap();
    let scope = ScopeRequest::ProjectId(made.project_id.clone());
    let session = identity.log_in(login(scope)).await.unwrap().session;
    let issued = identity.issue_key(&session, Duration::from_secs(900)).await.unwrap();
    let (access, token) = (issued.key.access.as_str(), issued.security_token.expose());
    assert_eq!(accounts(&store).temporary_key(access).await.unwrap(), Some(issued.key.clone()));
    let caller = || identity.key_caller(access, Some(token));
    assert_eq!(caller().await.unwrap().default_project(), Some(made.project_id.as_str()));
    assert_eq!(identity.key_caller(access, None).await.err(), Some(KeyError::WrongSecurityToken));
    clock.advance(Duration::from_secs(899));
    caller().await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(caller().await.err(), Some(KeyError::Expired));
    clock.advance(Duration::from_secs(24 * 3_600 + 1));
    identity.purge().await.unwrap();
    assert_eq!(accounts(&store).temporary_key(access).await.unwrap(), None);
}

async fn a_project_that_holds_something_stays_and_takes_along_what_is_its_own(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    let id = made.project_id.as_str();
    let change = ProjectChange { name: Some("n".into()), enabled: Some(false), ..ProjectChange::default() };
    assert!(accounts.update_project(id, &change).await.unwrap());
    let changed = accounts.project(id).await.unwrap().unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.description.as_str(), changed.enabled),
        ("n", "default project", false)
    );
    assert!(!accounts.update_project("x", &change).await.unwrap());
    let second =
        NewProject { name: "second".into(), domain_id: made.domain_id.clone(), description: String::new() };
    let second = identity.create_project(second).await.unwrap().id;
    assert!(matches!(accounts.update_project(&second, &change).await, Err(RepositoryError::Conflict)));

    store.claim_buckets(&["b1".to_string()], &ProjectId(id.to_string())).await.unwrap();
    let network =
        "INSERT INTO networks (id, project_id, name, cidr, created_at) VALUES ('n', $1, 'n', 'c', 0)";
    sqlx::query(network).bind(id).execute(store.pool()).await.unwrap();
    let held = ["buckets", "networks"].map(String::from).to_vec();
    assert_eq!(accounts.delete_project(id).await.unwrap(), ProjectRemoval::Holds(held));
    assert!(accounts.project(id).await.unwrap().is_some());
    for table in ["DELETE FROM bucket_owners", "DELETE FROM networks"] {
        sqlx::query(table).execute(store.pool()).await.unwrap();
    }
    assert_eq!(accounts.delete_project(id).await.unwrap(), ProjectRemoval::Removed);
    assert_eq!(accounts.delete_project(id).await.unwrap(), ProjectRemoval::Unknown);
    assert_eq!(accounts.user(&made.user_id).await.unwrap().unwrap().default_project_id, None);
    let roles = accounts.assignments(&made.user_id).await.unwrap();
    assert_eq!(roles.len(), 1, "{roles:?}");
}

async fn groups_have_members_and_roles_that_go_with_them(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    let new = |name: &str| NewGroup {
        name: name.into(),
        domain_id: made.domain_id.clone(),
        description: "d".into(),
    };
    let group = identity.create_group(new("g2")).await.unwrap();
    let other = identity.create_group(new("g1")).await.unwrap();
    assert_eq!(accounts.group(&group.id).await.unwrap(), Some(group.clone()));
    assert_eq!(accounts.groups(&made.domain_id).await.unwrap(), [other.clone(), group.clone()]);
    let taken = Group { name: "g1".into(), ..group.clone() };
    assert!(matches!(accounts.update_group(&taken).await, Err(RepositoryError::Conflict)));

    let user = accounts.user(&made.user_id).await.unwrap().unwrap();
    let project = AssignmentTarget::Project(made.project_id.clone());
    for _ in 0..2 {
        identity.add_member(&group, &user).await.unwrap();
        identity.assign_to_group(&group, project.clone(), "cs_user").await.unwrap();
    }
    assert_eq!(accounts.members(&group.id).await.unwrap(), std::slice::from_ref(&user));
    assert_eq!(accounts.groups_of(&user.id).await.unwrap(), std::slice::from_ref(&group));
    assert_eq!(accounts.group_assignments(&group.id).await.unwrap().len(), 1);
    let scope = ScopeRequest::ProjectId(made.project_id.clone());
    let roles = identity.log_in(login(scope)).await.unwrap().session.roles.clone();
    assert_eq!(roles, ["cs_adm", "cs_user", "te_admin"]);

    assert!(accounts.delete_project(&made.project_id).await.unwrap() == ProjectRemoval::Removed);
    assert_eq!(accounts.group_assignments(&group.id).await.unwrap(), []);
    assert!(!accounts.remove_member(&other.id, &user.id).await.unwrap());
    assert!(accounts.remove_member(&group.id, &user.id).await.unwrap());
    accounts.add_member(&other.id, &user.id).await.unwrap();
    assert!(accounts.delete_group(&other.id).await.unwrap());
    assert!(!accounts.delete_group(&other.id).await.unwrap());
    assert_eq!(accounts.groups_of(&user.id).await.unwrap(), []);
}

async fn what_is_taken_is_a_conflict_and_what_is_gone_is_not_an_error(store: Store) {
    let accounts = accounts(&store);
    let domain = Domain { id: "d1".into(), name: "n".into() };
    accounts.insert_domain(&domain).await.unwrap();
    let other = Domain { id: "d2".into(), name: "n".into() };
    assert!(matches!(accounts.insert_domain(&other).await, Err(RepositoryError::Conflict)));
    assert_eq!(accounts.domains().await.unwrap(), [domain]);
    assert!(!accounts.delete_user("x").await.unwrap());
    assert!(!accounts.delete_key("x").await.unwrap());
    assert!(!accounts.delete_token(&[0; 32]).await.unwrap());
    assert_eq!(accounts.user("x").await.unwrap(), None);
}

async fn secrets_of_access_keys_are_sealed(store: Store) {
    let made = identity(&store).bootstrap(options()).await.unwrap().access_key.unwrap();
    let kept = || async {
        let row = sqlx::query("SELECT secret FROM account_keys").fetch_one(store.pool()).await.unwrap();
        row.get::<String, _>("secret")
    };
    let sealed = kept().await;
    assert!(sealed.starts_with("sealed:") && !sealed.contains(made.secret.expose()), "{sealed}");
    assert_eq!(accounts(&store).key(&made.access).await.unwrap().unwrap().secret, made.secret);

    // As an earlier release kept it.
    let clear = sqlx::query("UPDATE account_keys SET secret = $1").bind(made.secret.expose());
    clear.execute(store.pool()).await.unwrap();
    assert_eq!(accounts(&store).keys(&made.user_id).await.unwrap()[0].secret, made.secret);
    assert_eq!(accounts(&store).seal_keys().await.unwrap(), 1);
    assert!(kept().await.starts_with("sealed:"));
    assert_eq!(accounts(&store).seal_keys().await.unwrap(), 0);
    assert_eq!(accounts(&store).key(&made.access).await.unwrap().unwrap().secret, made.secret);

    let other_key = Sealer::new("nowhere/no.key");
    let locked_out = StoredAccounts::new(store.pool().clone(), other_key).key(&made.access).await;
    assert!(matches!(locked_out, Err(RepositoryError::Unavailable(reason)) if reason.contains("no.key")));
}

super::tests!(
    secrets_of_access_keys_are_sealed,
    tokens_and_keys_survive_a_restart,
    a_user_changes_in_part_and_loses_its_tokens_where_it_has_to,
    temporary_keys_end_and_are_swept,
    groups_have_members_and_roles_that_go_with_them,
    a_project_that_holds_something_stays_and_takes_along_what_is_its_own,
    a_deleted_user_takes_everything_along,
    what_is_taken_is_a_conflict_and_what_is_gone_is_not_an_error
);
