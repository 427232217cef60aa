//! Tokens of a Keystone that are revoked here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use weir_base::clock::ManualClock;
use weir_base::time::Timestamp;

use super::*;

const TOKEN: &str = "gAAAA";
const LIFE: Duration = Duration::from_secs(900);
const DONE: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Says that the token is good, as a Keystone does that has not heard of its revocation.
fn good() -> String {
    let domain = serde_json::json!({ "id": "d", "name": "firm" });
    let token = serde_json::json!({ "token": {
        "user": { "id": "u", "name": "ann", "domain": domain },
        "project": { "id": "p", "name": "work", "domain": domain },
        "roles": [{ "id": "r", "name": "cs_adm" }],
        "methods": ["password"],
        "issued_at": "2019-01-01T00:00:00Z",
        "expires_at": "2019-01-02T00:00:00Z",
        "audit_ids": ["a"],
    }});
    let body = token.to_string();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

async fn answer(mut stream: TcpStream, answer: &str) {
    stream.write_all(answer.as_bytes()).await.unwrap();
}

struct World {
    identity: Arc<Identity>,
    clock: ManualClock,
    /// Requests that wait for an answer.
    asked: UnboundedReceiver<TcpStream>,
    /// What is answered without waiting, first to last.
    answers: Arc<Mutex<VecDeque<String>>>,
}

async fn world() -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v3", listener.local_addr().unwrap());
    let (tell, asked) = unbounded_channel();
    let answers = Arc::new(Mutex::new(VecDeque::<String>::new()));
    let prepared = Arc::clone(&answers);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let next = prepared.lock().unwrap().pop_front();
            match next {
                Some(text) => answer(stream, &text).await,
                None => drop(tell.send(stream)),
            }
        }
    });
    let clock = ManualClock::new(Timestamp(1_546_300_800_000));
    let keystone = Some(Arc::new(Keystone::new(&endpoint).unwrap()));
    let options = IdentityOptions { keystone, ..IdentityOptions::default() };
    let repository = Arc::new(MemoryAccounts::default());
    let identity = Arc::new(Identity::new(repository, Arc::new(clock.clone()), options));
    World { identity, clock, asked, answers }
}

impl World {
    fn prepare(&self, answer: impl Into<String>) {
        self.answers.lock().unwrap().push_back(answer.into());
    }

    /// A session of the token, after which the Keystone is asked again.
    async fn session(&self) -> Arc<Session> {
        self.prepare(good());
        let session = self.identity.session(TOKEN).await.unwrap();
        self.clock.advance(Duration::from_secs(60));
        session
    }

    async fn is_good(&self, key: &IssuedKey) -> bool {
        let token = Some(key.security_token.expose());
        self.identity.key_caller(&key.key.access, token).await.is_ok()
    }
}

#[tokio::test]
async fn a_token_that_is_revoked_while_the_keystone_is_asked_is_refused() {
    let mut world = world().await;
    world.session().await;
    let identity = Arc::clone(&world.identity);
    let call = tokio::spawn(async move { identity.session(TOKEN).await });
    let waiting = world.asked.recv().await.unwrap();
    world.prepare(DONE);
    world.identity.revoke(TOKEN).await.unwrap();
    answer(waiting, &good()).await;
    assert_eq!(call.await.unwrap(), Err(TokenError::Unknown));
    world.prepare(good());
    assert_eq!(world.identity.session(TOKEN).await, Err(TokenError::Unknown));
}

#[tokio::test]
async fn no_temporary_key_is_left_of_a_token_that_is_revoked() {
    let world = world().await;
    let session = world.session().await;
    let key = world.identity.issue_key(&session, LIFE).await.unwrap();
    assert!(world.is_good(&key).await);
    world.prepare(DONE);
    world.identity.revoke(TOKEN).await.unwrap();
    assert!(!world.is_good(&key).await);
    // Somebody whose token was looked at just before.
    let refused = world.identity.issue_key(&session, LIFE).await.err();
    assert_eq!(refused, Some(LoginError::InvalidToken));
}

#[tokio::test]
async fn a_revocation_that_the_keystone_did_not_do_takes_the_keys_and_can_be_repeated() {
    let world = world().await;
    let session = world.session().await;
    let key = world.identity.issue_key(&session, LIFE).await.unwrap();
    world.prepare(BROKEN);
    let failed = world.identity.revoke(TOKEN).await;
    assert!(matches!(failed, Err(TokenError::Unavailable(_))), "{failed:?}");
    assert!(!world.is_good(&key).await);
    assert_eq!(world.session().await.expires_at, session.expires_at);
    world.prepare(DONE);
    world.identity.revoke(TOKEN).await.unwrap();
    assert_eq!(world.identity.session(TOKEN).await, Err(TokenError::Unknown));
}
