//! The life of tokens, passwords, scopes and keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weir_base::clock::{Clock, ManualClock};
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
    let key = world.identity.create_key(&user, "second").await.unwrap();
    assert_eq!(world.identity.create_key(&user, "third").await.err(), Some(AdministerError::TooManyKeys));
    world.identity.key_caller(&key.access, None).await.unwrap();
    let change = KeyChange { status: Some(KeyStatus::Inactive), ..KeyChange::default() };
    let changed = world.identity.update_key(&key.access, &change).await.unwrap();
    assert_eq!(changed, AccessKey { status: KeyStatus::Inactive, ..key.clone() });
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

/// What is known of a temporary key with its security token.
async fn is_good(world: &World, issued: &IssuedKey) -> Result<(), KeyError> {
    let token = Some(issued.security_token.expose());
    world.identity.key_caller(&issued.key.access, token).await.map(drop)
}

/// The session of a signed request; `security_token` goes with a temporary key.
async fn signed(world: &World, access: &str, secret: &SecretKey, security_token: Option<&str>) -> Session {
    let mut headers = vec![("host", "h"), ("x-sdk-date", "20190101T000000Z")];
    headers.extend(security_token.map(|token| (SECURITY_TOKEN, token)));
    let headers: Vec<_> =
        headers.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let request =
        signature::SignedRequest { method: "GET", path: "/", query: None, headers: &headers, body: &[] };
    let start = format!("SDK-HMAC-SHA256 Access={access}, SignedHeaders=host;x-sdk-date, Signature=");
    let mut authorization = signature::Authorization::parse(&start).unwrap();
    authorization.signature = signature::sign(&authorization, &request, secret).unwrap();
    world.identity.verify_request(&authorization, &request, &ProjectChoice::Default).await.unwrap()
}

#[tokio::test]
async fn a_temporary_key_ends_with_the_token_that_it_was_made_from() {
    const LIFE: Duration = Duration::from_secs(900);
    let world = world().await;
    let token = world.log_in(world.project()).await.unwrap();
    let first = world.identity.issue_key(&token.session, LIFE).await.unwrap();
    let text = first.security_token.expose();
    let session = signed(&world, &first.key.access, &first.key.secret, Some(text)).await;
    let second = world.identity.issue_key(&session, LIFE).await.unwrap();
    let another = world.log_in(world.project()).await.unwrap();
    let other = world.identity.issue_key(&another.session, LIFE).await.unwrap();
    for key in [&first, &second, &other] {
        assert_eq!(is_good(&world, key).await, Ok(()));
    }
    world.identity.revoke(&token.token).await.unwrap();
    assert_eq!(is_good(&world, &first).await, Err(KeyError::Unknown));
    assert_eq!(is_good(&world, &second).await, Err(KeyError::Unknown), "made from the key of the token");
    assert_eq!(is_good(&world, &other).await, Ok(()));
    // Somebody whose token was looked at just before has it no more when the key is stored.
    assert_eq!(world.identity.issue_key(&token.session, LIFE).await.err(), Some(LoginError::InvalidToken));
    world.identity.set_password(&world.made.user_id, "secret-2").await.unwrap();
    assert_eq!(is_good(&world, &other).await, Err(KeyError::Unknown));
}

#[tokio::test]
async fn a_temporary_key_ends_with_the_lasting_key_that_it_was_made_from() {
    let world = world().await;
    let lasting = world.made.access_key.clone().unwrap();
    let session = signed(&world, &lasting.access, &lasting.secret, None).await;
    let life = Duration::from_secs(86_400);
    let key = world.identity.issue_key(&session, life).await.unwrap();
    assert_eq!(key.key.expires_at, world.clock.now().plus(life), "a lasting key has no end");
    for (status, expected) in [(KeyStatus::Inactive, Err(KeyError::Unknown)), (KeyStatus::Active, Ok(()))] {
        let change = KeyChange { status: Some(status), ..KeyChange::default() };
        world.identity.update_key(&lasting.access, &change).await.unwrap();
        assert_eq!(is_good(&world, &key).await, expected, "{status:?}");
    }
    world.identity.delete_key(&lasting.access).await.unwrap();
    assert_eq!(is_good(&world, &key).await, Err(KeyError::Unknown));
}

#[tokio::test]
async fn what_is_got_through_an_agency_ends_with_the_token_of_who_acts() {
    let world = world().await;
    let firm = BootstrapOptions { domain: "firm".into(), ..bootstrap_options(Some(PASSWORD)) };
    let firm = world.identity.create_account(firm).await.unwrap();
    let agency = world
        .identity
        .create_agency(NewAgency {
            domain_id: world.made.domain_id.clone(),
            name: "helpers".into(),
            trust_domain: "firm".into(),
            description: String::new(),
        })
        .await
        .unwrap();
    let here = AssignmentTarget::Project(world.made.project_id.clone());
    world.identity.grant_to_agency(&agency, here, "cs_user").await.unwrap();
    let user = UserSelector::Id(firm.user_id);
    let method = LoginMethod::Password { user, password: PASSWORD.into() };
    let request = LoginRequest { method, scope: ScopeRequest::ProjectId(firm.project_id) };
    let caller = world.identity.log_in(request).await.unwrap();
    world.clock.advance(Duration::from_secs(23 * 3_600));
    let domain = DomainSelector::Name("admin".into());
    let wish = |life: u64| AssumeRequest {
        agency: "helpers".into(),
        domain: domain.clone(),
        scope: world.project(),
        life: Some(Duration::from_secs(life)),
    };
    let long = world.identity.assume_role(&caller.session, wish(86_400)).await.unwrap();
    assert_eq!(long.session.expires_at, caller.session.expires_at);
    assert_eq!(long.session.audit_name(), "admin/helpers (by firm/admin)");
    let short = world.identity.assume_role(&caller.session, wish(900)).await.unwrap();
    assert_eq!(short.session.expires_at, world.clock.now().plus(Duration::from_secs(900)));
    let day = Duration::from_secs(86_400);
    let key = world.identity.issue_key_of_agency(&caller.session, "helpers", &domain, day).await.unwrap();
    assert_eq!(key.key.expires_at, caller.session.expires_at);
    world.identity.session(&long.token).await.unwrap();
    world.identity.revoke(&caller.token).await.unwrap();
    assert_eq!(is_good(&world, &key).await, Err(KeyError::Unknown));
    for issued in [&long, &short] {
        assert_eq!(world.identity.session(&issued.token).await, Err(TokenError::Unknown));
    }
    let refused = world.identity.assume_role(&caller.session, wish(900)).await.err();
    assert_eq!(refused, Some(LoginError::InvalidToken));
}

/// A token that is got with another one.
async fn token_from(world: &World, token: &str) -> Result<IssuedToken, LoginError> {
    let method = LoginMethod::Token(token.to_string());
    world.identity.log_in(LoginRequest { method, scope: world.project() }).await
}

#[tokio::test]
async fn tokens_end_with_the_token_that_they_were_made_from() {
    let world = world().await;
    let first = world.log_in(ScopeRequest::Unscoped).await.unwrap();
    let second = token_from(&world, &first.token).await.unwrap();
    let third = token_from(&world, &second.token).await.unwrap();
    let key = world.identity.issue_key(&third.session, Duration::from_secs(900)).await.unwrap();
    let other = world.log_in(world.project()).await.unwrap();
    world.identity.session(&third.token).await.unwrap();
    world.identity.revoke(&second.token).await.unwrap();
    for ended in [&second, &third] {
        assert_eq!(world.identity.session(&ended.token).await, Err(TokenError::Unknown));
    }
    assert_eq!(is_good(&world, &key).await, Err(KeyError::Unknown));
    for kept in [&first, &other] {
        world.identity.session(&kept.token).await.unwrap();
    }
}

#[tokio::test]
async fn no_more_tokens_are_made_one_from_the_other_than_can_be_ended_together() {
    let world = world().await;
    let mut last = world.log_in(world.project()).await.unwrap().token;
    for _ in 0..100 {
        last = token_from(&world, &last).await.unwrap().token;
        world.identity.session(&last).await.unwrap();
    }
    assert_eq!(token_from(&world, &last).await.err(), Some(LoginError::InvalidToken));
}

#[tokio::test]
async fn what_is_made_from_the_tokens_of_a_key_ends_with_the_key() {
    let world = world().await;
    let lasting = world.made.access_key.clone().unwrap();
    let facts = world.identity.facts(&world.made.user_id).await.unwrap().unwrap();
    let end = world.clock.now().plus(Duration::from_secs(3_600));
    let proof = Proof::Credential(Origin::Key(lasting.access.clone()));
    let issued = world.identity.issue(&facts, world.project(), vec!["assume_role".into()], end, proof);
    let first = issued.await.unwrap();
    let second = token_from(&world, &first.token).await.unwrap();
    let key = world.identity.issue_key(&second.session, Duration::from_secs(900)).await.unwrap();
    for status in [KeyStatus::Inactive, KeyStatus::Active] {
        let change = KeyChange { status: Some(status), ..KeyChange::default() };
        world.identity.update_key(&lasting.access, &change).await.unwrap();
        let expected = status == KeyStatus::Active;
        for token in [&first.token, &second.token] {
            assert_eq!(world.identity.session(token).await.is_ok(), expected, "{status:?}");
        }
        assert_eq!(is_good(&world, &key).await.is_ok(), expected, "{status:?}");
    }
    world.identity.delete_key(&lasting.access).await.unwrap();
    for token in [&first.token, &second.token] {
        assert_eq!(world.identity.session(token).await, Err(TokenError::Unknown));
    }
    assert_eq!(is_good(&world, &key).await, Err(KeyError::Unknown));
}

#[tokio::test]
async fn names_that_there_are_not_count_apart_from_ids() {
    let world = world().await;
    for _ in 0..10 {
        let request = by_name("nobody", "wrong-1", ScopeRequest::Unscoped);
        assert_eq!(world.identity.log_in(request).await.err(), Some(LoginError::WrongCredentials));
    }
    let held_off = world.identity.log_in(by_name("nobody", "wrong-1", ScopeRequest::Unscoped)).await.err();
    assert!(matches!(held_off, Some(LoginError::TooManyAttempts { .. })), "{held_off:?}");
    let user = UserSelector::Id(format!("{}/nobody", world.made.domain_id));
    let method = LoginMethod::Password { user, password: "wrong-1".into() };
    let refused = world.identity.log_in(LoginRequest { method, scope: ScopeRequest::Unscoped }).await;
    assert_eq!(refused.err(), Some(LoginError::WrongCredentials));
}

#[tokio::test]
async fn a_log_in_that_was_checked_with_the_old_password_gives_no_token() {
    let world = world().await;
    let user = world.identity.user(&world.made.user_id).await.unwrap().unwrap();
    let facts = world.identity.facts(&user.id).await.unwrap().unwrap();
    let issue = || {
        let end = world.clock.now().plus(Duration::from_secs(900));
        let proof = Proof::Password(user.password.clone());
        world.identity.issue(&facts, world.project(), vec!["password".into()], end, proof)
    };
    issue().await.unwrap();
    world.identity.set_password(&user.id, "secret-2").await.unwrap();
    assert_eq!(issue().await.err(), Some(LoginError::WrongCredentials));
}

#[tokio::test]
async fn guesses_of_a_password_count_together_however_the_user_is_named() {
    let world = world().await;
    let user = world.identity.user(&world.made.user_id).await.unwrap().unwrap();
    let by_id = |password: &str| {
        let user = UserSelector::Id(user.id.clone());
        let method = LoginMethod::Password { user, password: password.into() };
        world.identity.log_in(LoginRequest { method, scope: ScopeRequest::Unscoped })
    };
    for _ in 0..4 {
        assert_eq!(by_id("wrong-1").await.err(), Some(LoginError::WrongCredentials));
        assert_eq!(world.identity.confirm_password(&user, "wrong-1").await, Ok(false));
    }
    for _ in 0..2 {
        let request = by_name("admin", "wrong-1", ScopeRequest::Unscoped);
        assert_eq!(world.identity.log_in(request).await.err(), Some(LoginError::WrongCredentials));
    }
    let is_held_off = |error: Option<LoginError>| matches!(error, Some(LoginError::TooManyAttempts { .. }));
    assert!(is_held_off(by_id(PASSWORD).await.err()));
    assert!(is_held_off(world.log_in(ScopeRequest::Unscoped).await.err()));
    assert!(is_held_off(world.identity.confirm_password(&user, PASSWORD).await.err()));
}

#[tokio::test]
async fn no_account_has_the_name_of_the_service() {
    let world = world().await;
    let options = BootstrapOptions { domain: SERVICE_DOMAIN.into(), ..bootstrap_options(Some(PASSWORD)) };
    for refused in
        [world.identity.bootstrap(options.clone()).await, world.identity.create_account(options).await]
    {
        let Err(AdministerError::Invalid(reason)) = refused else { panic!("{refused:?}") };
        assert!(reason.contains("the name `op_svc_cs`"), "{reason}");
    }
}

#[tokio::test]
async fn a_later_start_leaves_the_accounts_as_their_administrators_made_them() {
    let world = world().await;
    let second = world.user("second").await;
    let account = AssignmentTarget::Domain(world.made.domain_id.clone());
    world.identity.assign_role(&second.id, account.clone(), "te_admin").await.unwrap();
    let name = ProjectChange { name: Some("prod".into()), ..ProjectChange::default() };
    world.identity.update_project(&world.made.project_id, name).await.unwrap();
    world.identity.unassign_role(&world.made.user_id, account.clone(), "te_admin").await.unwrap();
    let key = world.made.access_key.clone().unwrap().access;
    world.identity.delete_key(&key).await.unwrap();
    let again = world.identity.bootstrap(bootstrap_options(None)).await.unwrap();
    assert_eq!((again.password, again.access_key), (None, None));
    assert_eq!((again.project_id, again.project_name.as_str()), (world.made.project_id.clone(), "prod"));
    assert_eq!(world.identity.projects(&world.made.domain_id).await.unwrap().len(), 1);
    let roles = world.identity.assigned_roles(&world.made.user_id, &account).await.unwrap();
    assert_eq!(roles, Vec::<&Role>::new());

    // A password that no user could have stops no service whose accounts are there.
    world.identity.bootstrap(bootstrap_options(Some("short"))).await.unwrap();
    world.log_in(ScopeRequest::Unscoped).await.unwrap();
    world.identity.delete_user(&world.made.user_id).await.unwrap();
    for password in [None, Some(PASSWORD)] {
        let again = world.identity.bootstrap(bootstrap_options(password)).await.unwrap();
        assert_eq!((again.user_id.as_str(), again.password), ("", None));
    }
    let users = world.identity.users(&world.made.domain_id).await.unwrap();
    assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["second"]);
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_is_completed_with_a_password_that_is_shown() {
    let world = world().await;
    let account = AssignmentTarget::Domain(world.made.domain_id.clone());
    world.identity.unassign_role(&world.made.user_id, account, "te_admin").await.unwrap();
    let again = world.identity.bootstrap(bootstrap_options(None)).await.unwrap();
    assert_eq!((&again.user_id, &again.access_key), (&world.made.user_id, &world.made.access_key));
    let request = by_name("admin", &again.password.unwrap(), world.project());
    world.identity.log_in(request).await.unwrap();
}

#[tokio::test]
async fn an_account_whose_administrators_cannot_log_in_is_completed() {
    let world = world().await;
    let account = AssignmentTarget::Domain(world.made.domain_id.clone());
    // As a Keystone has told of it.
    let mirrored = User {
        id: "mirrored".into(),
        name: "mirrored".into(),
        domain_id: world.made.domain_id.clone(),
        description: String::new(),
        enabled: true,
        password: PasswordHash::new(""),
        default_project_id: None,
    };
    world.identity.repository.insert_user(&mirrored).await.unwrap();
    world.identity.assign_role(&mirrored.id, account, "te_admin").await.unwrap();
    let disable = UserUpdate { enabled: Some(false), ..UserUpdate::default() };
    world.identity.update_user(&world.made.user_id, disable).await.unwrap();
    let again = world.identity.bootstrap(bootstrap_options(None)).await.unwrap();
    let request = by_name("admin", &again.password.unwrap(), world.project());
    world.identity.log_in(request).await.unwrap();
}

#[tokio::test]
async fn a_disabled_administrator_gets_in_with_the_configured_password() {
    let world = world().await;
    let second = world.user("second").await;
    let account = AssignmentTarget::Domain(world.made.domain_id.clone());
    world.identity.assign_role(&second.id, account, "te_admin").await.unwrap();
    let disable = || UserUpdate { enabled: Some(false), ..UserUpdate::default() };
    world.identity.update_user(&world.made.user_id, disable()).await.unwrap();
    world.identity.bootstrap(bootstrap_options(None)).await.unwrap();
    assert_eq!(world.log_in(world.project()).await.err(), Some(LoginError::WrongCredentials));
    for password in [PASSWORD, "secret-2"] {
        world.identity.update_user(&world.made.user_id, disable()).await.unwrap();
        world.identity.bootstrap(bootstrap_options(Some(password))).await.unwrap();
        world.identity.log_in(by_name("admin", password, world.project())).await.unwrap();
    }
}

#[tokio::test]
async fn an_account_that_was_left_half_made_is_completed() {
    let world = world().await;
    let options = || BootstrapOptions { domain: "firm".into(), ..bootstrap_options(None) };
    let first = world.identity.create_account(options()).await.unwrap();
    let taken = world.identity.create_account(options()).await.err();
    assert_eq!(taken, Some(AdministerError::Conflict("an account `firm`".into())));
    // As a crash before the last step leaves it.
    let target = AssignmentTarget::Domain(first.domain_id.clone());
    world.identity.unassign_role(&first.user_id, target, "te_admin").await.unwrap();
    let second = world.identity.create_account(options()).await.unwrap();
    assert_eq!((&second.user_id, &second.project_id), (&first.user_id, &first.project_id));
    let method =
        LoginMethod::Password { user: UserSelector::Id(second.user_id), password: second.password.unwrap() };
    let scope = ScopeRequest::Domain(DomainSelector::Name("firm".into()));
    let session = world.identity.log_in(LoginRequest { method, scope }).await.unwrap().session;
    assert_eq!(session.account_roles, ["te_admin"]);
}

#[tokio::test]
async fn what_was_read_is_forgotten_also_after_a_change_that_failed_or_was_given_up() {
    let world = world().await;
    for is_given_up in [false, true] {
        let issued = world.log_in(world.project()).await.unwrap();
        world.identity.session(&issued.token).await.unwrap();
        // The change is made, and nobody hears of it.
        world.identity.repository.delete_token(&service::hash_of(&issued.token)).await.unwrap();
        if is_given_up {
            assert_eq!(world.identity.changing(std::future::pending::<()>()).now_or_never(), None);
        } else {
            world.identity.changing(async { Err::<(), _>("no answer") }).await.unwrap_err();
        }
        assert_eq!(world.identity.session(&issued.token).await, Err(TokenError::Unknown));
    }
}

#[tokio::test]
async fn a_role_in_a_project_is_none_in_the_account() {
    let world = world().await;
    let user = world.user("second").await;
    let target = AssignmentTarget::Project(world.made.project_id.clone());
    world.identity.assign_role(&user.id, target, "te_admin").await.unwrap();
    let own = world.identity.log_in(by_name("second", PASSWORD, world.project())).await.unwrap().session;
    assert_eq!((own.roles.as_slice(), own.account_roles.len()), (["te_admin".to_string()].as_slice(), 0));
    assert_eq!(world.log_in(world.project()).await.unwrap().session.account_roles, ["te_admin"]);
}
