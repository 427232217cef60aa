//! Accounts: tokens, keys, users.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::Row;
use weir_base::clock::ManualClock;
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccountRepository, Agency, AgencyChange, AssignmentTarget, BootstrapOptions, Domain, GroupChange,
    GroupRepository, HashingCost, Identity, IdentityOptions, KeyChange, KeyError, KeyStatus, LoginMethod,
    LoginRequest, NewGroup, NewProject, NewUser, Origin, ProjectChange, ProjectRemoval, Proof,
    RepositoryError, ScopeRequest, TemporaryKey, TemporaryKeyRepository, TokenError, TokenRecord, User,
    UserChange, UserSelector, UserUpdate,
};
use weir_cloud::sealing::Sealer;
use weir_store::{Store, StoredAccounts};

/// The accounts of a store, whose secrets are sealed with a key that all tests share.
fn accounts(store: &Store) -> StoredAccounts {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    StoredAccounts::new(store.clone(), Sealer::new(FOLDER.path().join("sealing.key")))
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

    store.claim_buckets(&["b1", "b2"].map(String::from), &ProjectId(id.to_string())).await.unwrap();
    let network =
        "INSERT INTO networks (id, project_id, name, cidr, created_at) VALUES ('n', $1, 'n', 'c', 0)";
    sqlx::query(network).bind(id).execute(store.pool()).await.unwrap();
    let held = ["buckets", "networks"].map(String::from).to_vec();
    let gone = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<BTreeSet<String>>();
    assert_eq!(accounts.delete_project(id, &gone(&["b1"])).await.unwrap(), ProjectRemoval::Holds(held));
    assert!(accounts.project(id).await.unwrap().is_some());
    assert_eq!(store.bucket_owner("b1").await.unwrap(), Some(ProjectId(id.to_string())), "it is not gone");
    sqlx::query("DELETE FROM networks").execute(store.pool()).await.unwrap();
    let both = gone(&["b1", "b2"]);
    assert_eq!(accounts.delete_project(id, &both).await.unwrap(), ProjectRemoval::Removed);
    assert_eq!(accounts.delete_project(id, &both).await.unwrap(), ProjectRemoval::Unknown);
    assert_eq!(store.bucket_owner("b1").await.unwrap(), None);
    assert_eq!(accounts.user(&made.user_id).await.unwrap().unwrap().default_project_id, None);
    let roles = accounts.assignments(&made.user_id).await.unwrap();
    assert_eq!(roles.len(), 1, "{roles:?}");
}

async fn a_project_is_not_removed_while_another_transaction_puts_something_into_it(store: Store) {
    let made = identity(&store).bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    // What each writer does: a file has one at a time by itself, of a server it is this lock.
    let lock = "SELECT 1 FROM pg_locks";
    let is_server = sqlx::query(lock).fetch_optional(store.pool()).await.is_ok();
    let mut writer = match is_server {
        true => store.pool().begin().await.unwrap(),
        false => store.pool().begin_with("BEGIN IMMEDIATE").await.unwrap(),
    };
    if is_server {
        let lock = "SELECT pg_advisory_xact_lock(8390876208231247)";
        sqlx::raw_sql(lock).execute(&mut *writer).await.unwrap();
    }
    let network =
        "INSERT INTO networks (id, project_id, name, cidr, created_at) VALUES ('n', $1, 'n', 'c', 0)";
    sqlx::query(network).bind(&made.project_id).execute(&mut *writer).await.unwrap();
    let project = made.project_id.clone();
    let removal = tokio::spawn(async move { accounts.delete_project(&project, &BTreeSet::new()).await });
    while is_server && !removal.is_finished() {
        let waiting = sqlx::query(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        if waiting.fetch_optional(store.pool()).await.unwrap().is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
    writer.commit().await.unwrap();
    let held = vec!["networks".to_string()];
    assert_eq!(removal.await.unwrap().unwrap(), ProjectRemoval::Holds(held));
}

async fn two_changes_of_a_key_and_of_an_agency_are_both_kept(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let access = made.access_key.unwrap().access;
    let description = KeyChange { description: Some("d".into()), ..KeyChange::default() };
    let status = KeyChange { status: Some(KeyStatus::Inactive), ..KeyChange::default() };
    identity.update_key(&access, &description).await.unwrap();
    let key = identity.update_key(&access, &status).await.unwrap();
    assert_eq!((key.description.as_str(), key.status), ("d", KeyStatus::Inactive));
    let agency = identity.agencies(&made.domain_id).await.unwrap().remove(0);
    let description = AgencyChange { description: Some("d".into()), ..AgencyChange::default() };
    let trust = AgencyChange { trust_domain: Some("firm".into()), ..AgencyChange::default() };
    identity.update_agency(&agency.id, &description).await.unwrap();
    let changed = identity.update_agency(&agency.id, &trust).await.unwrap();
    assert_eq!(changed, Agency { description: "d".into(), trust_domain: "firm".into(), ..agency });
}

async fn a_token_is_stored_only_while_what_it_is_given_for_is_good(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    let user = accounts.user(&made.user_id).await.unwrap().unwrap();
    let issued = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap();
    let origin = issued.session.origin.clone();
    let Origin::Token(hash) = origin else { panic!("{origin:?}") };
    let first = accounts.token(&hash).await.unwrap().unwrap();
    let key = Origin::Key(made.access_key.unwrap().access);
    let proofs = [Proof::Password(user.password), Proof::Credential(origin), Proof::Credential(key.clone())];
    for (number, proof) in (1..).zip(&proofs) {
        let token = TokenRecord { hash: [number; 32], ..first.clone() };
        assert!(accounts.insert_token(&token, proof).await.unwrap(), "{proof:?}");
    }
    identity.set_password(&made.user_id, "secret-2").await.unwrap();
    let Origin::Key(access) = &key else { panic!("{key:?}") };
    let off = KeyChange { status: Some(KeyStatus::Inactive), ..KeyChange::default() };
    identity.update_key(access, &off).await.unwrap();
    for proof in &proofs {
        assert!(!accounts.insert_token(&first, proof).await.unwrap(), "{proof:?}");
    }
    assert_eq!(accounts.token(&hash).await.unwrap(), None);
}

async fn tokens_go_with_what_they_were_made_from(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    let issued = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap();
    let Origin::Token(hash) = issued.session.origin else { panic!("{:?}", issued.session.origin) };
    let first = accounts.token(&hash).await.unwrap().unwrap();
    assert_eq!(first.origin, None);
    let access = made.access_key.unwrap().access;
    let origins = [Origin::Token(hash), Origin::Token([1; 32]), Origin::Key(access.clone())];
    for (number, origin) in (1..).zip(origins) {
        let made = TokenRecord { hash: [number; 32], origin: Some(origin.clone()), ..first.clone() };
        assert!(accounts.insert_token(&made, &Proof::Credential(origin)).await.unwrap(), "{made:?}");
        assert_eq!(accounts.token(&made.hash).await.unwrap(), Some(made));
    }
    assert!(accounts.delete_token(&hash).await.unwrap());
    for (number, is_there) in [(1, false), (2, false), (3, true)] {
        assert_eq!(accounts.token(&[number; 32]).await.unwrap().is_some(), is_there, "{number}");
    }
    accounts.delete_key(&access).await.unwrap();
    assert_eq!(accounts.token(&[3; 32]).await.unwrap(), None);
}

/// The longest chain of tokens that the service makes.
async fn a_user_is_disabled_with_a_long_chain_of_tokens(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let mut last = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap();
    let scope = ScopeRequest::ProjectId(made.project_id.clone());
    for _ in 0..100 {
        let method = LoginMethod::Token(last.token);
        last = identity.log_in(LoginRequest { method, scope: scope.clone() }).await.unwrap();
    }
    identity.session(&last.token).await.unwrap();
    let disable = UserUpdate { enabled: Some(false), ..UserUpdate::default() };
    identity.update_user(&made.user_id, disable).await.unwrap();
    assert_eq!(identity.session(&last.token).await, Err(TokenError::Unknown));
}

async fn temporary_keys_go_with_what_they_were_made_from(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    let accounts = accounts(&store);
    let issued = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap();
    let by_token = identity.issue_key(&issued.session, Duration::from_secs(900)).await.unwrap().key;
    let lasting = made.access_key.unwrap().access;
    let by_key =
        TemporaryKey { access: "BYKEY".into(), origin: Origin::Key(lasting.clone()), ..by_token.clone() };
    let by_remote =
        TemporaryKey { access: "BYREMOTE".into(), origin: Origin::RemoteToken([7; 32]), ..by_token.clone() };
    for key in [&by_key, &by_remote] {
        assert!(accounts.insert_temporary_key(key).await.unwrap());
        assert_eq!(accounts.temporary_key(&key.access).await.unwrap().as_ref(), Some(key));
    }
    identity.revoke(&issued.token).await.unwrap();
    accounts.delete_key(&lasting).await.unwrap();
    accounts.delete_temporary_keys_of_remote(&[7; 32]).await.unwrap();
    for key in [by_token, by_key] {
        assert_eq!(accounts.temporary_key(&key.access).await.unwrap(), None);
        assert!(!accounts.insert_temporary_key(&key).await.unwrap(), "{key:?}");
    }
    assert_eq!(accounts.temporary_key(&by_remote.access).await.unwrap(), None);
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
    let name = |name: &str| GroupChange { name: Some(name.into()), ..GroupChange::default() };
    let taken = accounts.update_group(&group.id, &name("g1")).await;
    assert!(matches!(taken, Err(RepositoryError::Conflict)), "{taken:?}");
    let description = GroupChange { description: Some("e".into()), ..GroupChange::default() };
    identity.update_group(&group.id, &description).await.unwrap();
    let changed = identity.update_group(&group.id, &name("g3")).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_str()), ("g3", "e"));
    assert!(!accounts.update_group("x", &name("g4")).await.unwrap());
    let group = changed;

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

    let removed = accounts.delete_project(&made.project_id, &BTreeSet::new()).await.unwrap();
    assert_eq!(removed, ProjectRemoval::Removed);
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
    let locked_out = StoredAccounts::new(store.clone(), other_key).key(&made.access).await;
    assert!(matches!(locked_out, Err(RepositoryError::Unavailable(reason)) if reason.contains("no.key")));
}

super::tests!(
    secrets_of_access_keys_are_sealed,
    tokens_and_keys_survive_a_restart,
    a_user_changes_in_part_and_loses_its_tokens_where_it_has_to,
    temporary_keys_end_and_are_swept,
    temporary_keys_go_with_what_they_were_made_from,
    tokens_go_with_what_they_were_made_from,
    a_user_is_disabled_with_a_long_chain_of_tokens,
    a_token_is_stored_only_while_what_it_is_given_for_is_good,
    two_changes_of_a_key_and_of_an_agency_are_both_kept,
    a_project_is_not_removed_while_another_transaction_puts_something_into_it,
    groups_have_members_and_roles_that_go_with_them,
    a_project_that_holds_something_stays_and_takes_along_what_is_its_own,
    a_deleted_user_takes_everything_along,
    what_is_taken_is_a_conflict_and_what_is_gone_is_not_an_error
);
