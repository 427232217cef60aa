//! The life of tokens, passwords, scopes and keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weir_base::clock::ManualClock;
use weir_base::time::Timestamp;

use super::*;

struct World {
    identity: Identity,
    clock: ManualClock,
    made: Bootstrapped,
}

const PASSWORD: &str = "secret-1";

async fn world() -> World {
    let clock = ManualClock::new(Timestamp(1_546_300_800_000));
    let options = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
    let identity = Identity::new(Arc::new(MemoryAccounts::default()), Arc::new(clock.clone()), options);
    let made = identity.bootstrap(bootstrap_options(Some(PASSWORD))).await.unwrap();
    World { identity, clock, made }
}

fn bootstrap_options(password: Option<&str>) -> BootstrapOptions {
    BootstrapOptions {
        password: password.map(String::from),
        region: "r1".into(),
        ..BootstrapOptions::default()
    }
}

fn by_name(name: &str, password: &str, scope: ScopeRequest) -> LoginRequest {
    let domain = Some(DomainSelector::Name("admin".into()));
    let user = UserSelector::Name { name: name.into(), domain };
    LoginRequest { method: LoginMethod::Password { user, password: password.into() }, scope }
}

impl World {
    fn project(&self) -> ScopeRequest {
        ScopeRequest::ProjectId(self.made.project_id.clone())
    }

    async fn log_in(&self, scope: ScopeRequest) -> Result<IssuedToken, LoginError> {
        self.identity.log_in(by_name("admin", PASSWORD, scope)).await
    }

    async fn user(&self, name: &str) -> User {
        let new = NewUser {
            name: name.into(),
            domain_id: self.made.domain_id.clone(),
            description: String::new(),
            password: PASSWORD.into(),
            enabled: true,
            default_project_id: Some(self.made.project_id.clone()),
        };
        self.identity.create_user(new).await.unwrap()
    }
}

#[tokio::test]
async fn a_token_is_valid_until_it_expires() {
    let world = world().await;
    let issued = world.log_in(world.project()).await.unwrap();
    assert_eq!(issued.token.len(), 64);
    assert_eq!(issued.session.roles, ["cs_adm", "te_admin"]);
    world.clock.advance(Duration::from_secs(24 * 3_600 - 1));
    let session = world.identity.session(&issued.token).await.unwrap();
    assert_eq!(*session, *issued.session);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.identity.session(&issued.token).await, Err(TokenError::Expired));
    // A day after that nothing remembers it.
    world.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    world.identity.purge().await.unwrap();
    world.identity.forget_cached();
    assert_eq!(world.identity.session(&issued.token).await, Err(TokenError::Unknown));
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let world = world().await;
    let token = world.log_in(world.project()).await.unwrap().token;
    world.identity.session(&token).await.unwrap();
    world.identity.revoke(&token).await.unwrap();
    assert_eq!(world.identity.session(&token).await, Err(TokenError::Unknown));
    assert_eq!(world.identity.revoke(&token).await, Err(TokenError::Unknown));
}

#[tokio::test]
async fn wrong_password_user_and_domain_are_told_apart_by_nobody() {
    let world = world().await;
    let refused = |request| world.identity.log_in(request);
    let wrong = by_name("admin", "other-1", ScopeRequest::Unscoped);
    assert_eq!(refused(wrong).await.err(), Some(LoginError::WrongCredentials));
    let unknown = by_name("nobody", PASSWORD, ScopeRequest::Unscoped);
    assert_eq!(refused(unknown).await.err(), Some(LoginError::WrongCredentials));
    let user =
        UserSelector::Name { name: "admin".into(), domain: Some(DomainSelector::Name("other".into())) };
    let method = LoginMethod::Password { user, password: PASSWORD.into() };
    let request = LoginRequest { method, scope: ScopeRequest::Unscoped };
    assert_eq!(refused(request).await.err(), Some(LoginError::WrongCredentials));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let world = world().await;
    for _ in 0..10 {
        let request = by_name("admin", "wrong-1", ScopeRequest::Unscoped);
        assert_eq!(world.identity.log_in(request).await.err(), Some(LoginError::WrongCredentials));
    }
    let refused = world.log_in(ScopeRequest::Unscoped).await.err();
    assert!(matches!(refused, Some(LoginError::TooManyAttempts { .. })), "{refused:?}");
    world.clock.advance(Duration::from_secs(60));
    world.log_in(ScopeRequest::Unscoped).await.unwrap();
}

#[tokio::test]
async fn guesses_at_the_same_time_are_slowed_down_as_well() {
    let world = world().await;
    let guesses = (0..50).map(|_| world.identity.log_in(by_name("admin", "wrong-1", ScopeRequest::Unscoped)));
    let answers = futures::future::join_all(guesses).await;
    let judged = answers.iter().filter(|answer| answer.as_ref().err() == Some(&LoginError::WrongCredentials));
    assert_eq!(judged.count(), 10);
}

#[tokio::test]
async fn scopes_are_found_by_id_and_name() {
    let world = world().await;
    let domain = Some(DomainSelector::Name("admin".into()));
    for scope in [
        world.project(),
        ScopeRequest::ProjectName { name: "r1".into(), domain: None },
        ScopeRequest::ProjectName { name: "r1".into(), domain },
    ] {
        let session = world.log_in(scope).await.unwrap().session;
        assert_eq!(session.project().unwrap().id, world.made.project_id);
    }
    let session =
        world.log_in(ScopeRequest::Domain(DomainSelector::Name("admin".into()))).await.unwrap().session;
    assert_eq!(session.roles, ["te_admin"]);
    assert_eq!(world.log_in(ScopeRequest::Unscoped).await.unwrap().session.scope, Scope::Unscoped);
    for scope in [
        ScopeRequest::ProjectId("0".repeat(32)),
        ScopeRequest::ProjectName { name: "r2".into(), domain: None },
        ScopeRequest::Domain(DomainSelector::Id("x".into())),
    ] {
        assert_eq!(world.log_in(scope).await.err(), Some(LoginError::ScopeRefused));
    }
}

#[tokio::test]
async fn a_user_without_a_role_gets_no_scope_and_with_one_it_does() {
    let world = world().await;
    let user = world.user("reader").await;
    let attempt = || world.identity.log_in(by_name("reader", PASSWORD, world.project()));
    assert_eq!(attempt().await.err(), Some(LoginError::ScopeRefused));
    let target = AssignmentTarget::Project(world.made.project_id.clone());
    world.identity.assign_role(&user.id, target.clone(), "cs_readonly").await.unwrap();
    let issued = attempt().await.unwrap();
    assert_eq!(issued.session.roles, ["cs_readonly"]);
    world.identity.unassign_role(&user.id, target, "cs_readonly").await.unwrap();
    assert!(world.identity.session(&issued.token).await.unwrap().roles.is_empty());
}

#[tokio::test]
async fn a_token_from_a_token_does_not_live_longer() {
    let world = world().await;
    let first = world.log_in(ScopeRequest::Unscoped).await.unwrap();
    world.clock.advance(Duration::from_secs(3_600));
    let request = LoginRequest { method: LoginMethod::Token(first.token), scope: world.project() };
    let second = world.identity.log_in(request).await.unwrap();
    assert_eq!(second.session.expires_at, first.session.expires_at);
    assert_eq!(second.session.methods, ["password", "token"]);
}

#[tokio::test]
async fn a_new_password_ends_all_tokens() {
    let world = world().await;
    let token = world.log_in(world.project()).await.unwrap().token;
    world.identity.set_password(&world.made.user_id, "secret-2").await.unwrap();
    assert_eq!(world.identity.session(&token).await, Err(TokenError::Unknown));
    assert_eq!(world.log_in(world.project()).await.err(), Some(LoginError::WrongCredentials));
}

#[tokio::test]
async fn bootstrapping_again_changes_nothing() {
    let world = world().await;
    let again = world.identity.bootstrap(bootstrap_options(None)).await.unwrap();
    assert_eq!(again.project_id, world.made.project_id);
    assert_eq!(again.user_id, world.made.user_id);
    assert_eq!(again.password, None);
    assert_eq!(again.access_key, world.made.access_key);
    world.log_in(world.project()).await.unwrap();
}

#[tokio::test]
async fn a_configured_password_is_set_again_and_a_generated_one_is_shown_once() {
    let world = world().await;
    world.identity.bootstrap(bootstrap_options(Some("secret-2"))).await.unwrap();
    world.identity.log_in(by_name("admin", "secret-2", world.project())).await.unwrap();

    let options = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
    let fresh = Identity::new(Arc::new(MemoryAccounts::default()), Arc::new(world.clock.clone()), options);
    let password = fresh.bootstrap(bootstrap_options(None)).await.unwrap().password.unwrap();
    fresh.log_in(by_name("admin", &password, ScopeRequest::Unscoped)).await.unwrap();
    assert_eq!(fresh.bootstrap(bootstrap_options(None)).await.unwrap().password, None);
}

#[tokio::test]
async fn names_are_unique_and_values_are_checked() {
    let world = world().await;
    world.user("second").await;
    let new = NewUser {
        name: "second".into(),
        domain_id: world.made.domain_id.clone(),
        description: String::new(),
        password: PASSWORD.into(),
        enabled: true,
        default_project_id: None,
    };
    let taken = world.identity.create_user(new.clone()).await;
    assert!(matches!(taken, Err(AdministerError::Conflict(_))));
    let short = NewUser { name: "third".into(), password: "12345".into(), ..new };
    assert!(matches!(world.identity.create_user(short).await, Err(AdministerError::Invalid(_))));
    let target = AssignmentTarget::Project(world.made.project_id.clone());
    let unknown = world.identity.assign_role(&world.made.user_id, target, "root").await;
    assert!(matches!(unknown, Err(AdministerError::NotFound(_))));
}

#[tokio::test]
async fn a_user_has_two_keys_at_most_and_an_inactive_one_is_refused() {
    let world = world().await;
    let user = world.made.user_id.clone();
    let mut key = world.identity.create_key(&user, "second").await.unwrap();
    assert_eq!(world.identity.create_key(&user, "third").await.err(), Some(AdministerError::TooManyKeys));
    world.identity.key_caller(&key.access, None).await.unwrap();
    key.status = KeyStatus::Inactive;
    world.identity.update_key(&key).await.unwrap();
    assert_eq!(world.identity.key_caller(&key.access, None).await.err(), Some(KeyError::Inactive));
    world.identity.delete_key(&key.access).await.unwrap();
    assert_eq!(world.identity.key_caller(&key.access, None).await.err(), Some(KeyError::Unknown));
}

#[tokio::test]
async fn a_signed_request_gives_the_roles_of_the_project() {
    let world = world().await;
    let key = world.made.access_key.clone().unwrap();
    let headers = [("host", "h"), ("x-sdk-date", "20190101T000000Z")]
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let request =
        signature::SignedRequest { method: "GET", path: "/", query: None, headers: &headers, body: &[] };
    let start = format!("SDK-HMAC-SHA256 Access={}, SignedHeaders=host;x-sdk-date, Signature=", key.access);
    let mut authorization = signature::Authorization::parse(&start).unwrap();
    authorization.signature = signature::sign(&authorization, &request, &key.secret).unwrap();
    let session =
        world.identity.verify_request(&authorization, &request, &ProjectChoice::Default).await.unwrap();
    assert_eq!(session.project().unwrap().id, world.made.project_id);
    assert!(session.has_role("cs_adm"));
    let foreign = ProjectChoice::Named("0".repeat(32));
    let session = world.identity.verify_request(&authorization, &request, &foreign).await.unwrap();
    assert_eq!(session.scope, Scope::Unscoped);
    authorization.access_key = "AKNONE".into();
    let unknown = world.identity.verify_request(&authorization, &request, &ProjectChoice::Default).await;
    assert_eq!(unknown.err(), Some(RequestError::UnknownKey));
    assert!(world.identity.key(&key.access).await.unwrap().unwrap().last_used_at.is_some());
}

/// A Keystone that knows no token. Returns its address and how often it was asked.
async fn empty_keystone() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v3", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    (endpoint, asked)
}

#[tokio::test]
async fn a_token_that_the_keystone_does_not_know_is_not_asked_for_with_every_call() {
    let (endpoint, asked) = empty_keystone().await;
    let clock = ManualClock::new(Timestamp(1_546_300_800_000));
    let keystone = Some(Arc::new(Keystone::new(&endpoint).unwrap()));
    let options = IdentityOptions { keystone, ..IdentityOptions::default() };
    let identity = Identity::new(Arc::new(MemoryAccounts::default()), Arc::new(clock.clone()), options);
    for (token, times) in [("a", 1), ("a", 1), ("b", 2), ("a", 2)] {
        assert_eq!(identity.session(token).await, Err(TokenError::Unknown));
        assert_eq!(asked.load(Ordering::Relaxed), times);
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(identity.session("a").await, Err(TokenError::Unknown));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}
