//! Users as administrators and the users themselves change them, seen through the API.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::World;
use reqwest::StatusCode;
use serde_json::{Value, json};
use weir_cloud::identity::{ClientCredential, Outgoing, SecretKey};

const PASSWORD: &str = "correct-horse";

/// A caller: by a token, or by a signature.
#[derive(Clone)]
struct Caller<'a> {
    world: &'a World,
    credential: ClientCredential,
}

impl<'a> Caller<'a> {
    fn token(world: &'a World, token: &str) -> Self {
        Self { world, credential: ClientCredential::Token(SecretKey::new(token)) }
    }

    fn named(world: &'a World, name: &str) -> Self {
        Self::token(world, &world.tokens[name])
    }

    fn key(world: &'a World, credential: &Value) -> Self {
        let text = |member: &str| credential[member].as_str().unwrap().to_string();
        let (access, secret) = (text("access"), SecretKey::new(text("secret")));
        Self { world, credential: ClientCredential::Key { access, secret } }
    }

    /// Makes a call; returns status and body, which is null where there is none.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = reqwest::Url::parse(&format!("{}{path}", self.world.base_url)).unwrap();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let project = Some(self.world.project.as_str());
        let outgoing = Outgoing { method, url: &url, project, body: body.as_bytes() };
        let headers = self.credential.headers(&outgoing, self.world.identity.now()).unwrap();
        let mut request = reqwest::Client::new().request(method.parse().unwrap(), url).body(body.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn status(&self, method: &str, path: &str, body: Option<Value>) -> u16 {
        self.call(method, path, body).await.0.as_u16()
    }

    /// Whether the credential is good for the project.
    async fn is_let_in(&self) -> bool {
        let path = format!("/v1.0/{}/jobs", self.world.project);
        match self.status("GET", &path, None).await {
            200 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }
}

/// Logs in by name and password in the project; returns the status and the token.
async fn log_in(world: &World, name: &str, password: &str) -> (u16, String) {
    let user = json!({ "name": name, "password": password, "domain": { "id": world.domain } });
    let auth = json!({
        "identity": { "methods": ["password"], "password": { "user": user } },
        "scope": { "project": { "id": world.project } },
    });
    let request = reqwest::Client::new().post(format!("{}/v3/auth/tokens", world.base_url));
    let answer = request.json(&json!({ "auth": auth })).send().await.unwrap();
    let token = answer.headers().get("x-subject-token").map(|value| value.to_str().unwrap().to_string());
    (answer.status().as_u16(), token.unwrap_or_default())
}

#[tokio::test]
async fn a_disabled_user_is_shut_out_at_once_and_let_in_again() {
    let world = World::start(|_| {}).await;
    let admin = Caller::named(&world, "admin");
    let path = format!("/v3/users/{}", world.users["ann"]);
    let ann = Caller::named(&world, "ann");
    let (_, made) =
        ann.call("POST", "/v3.0/OS-CREDENTIAL/credentials", Some(json!({ "credential": {} }))).await;
    let key = Caller::key(&world, &made["credential"]);
    assert!(ann.is_let_in().await && key.is_let_in().await);

    let disabled = json!({ "user": { "enabled": false } });
    let (status, user) = admin.call("PATCH", &path, Some(disabled.clone())).await;
    assert_eq!((status.as_u16(), &user["user"]["enabled"]), (200, &json!(false)));
    assert!(!ann.is_let_in().await && !key.is_let_in().await);
    assert_eq!(log_in(&world, "ann", PASSWORD).await.0, 401);

    let (status, user) = admin.call("PUT", &path, Some(json!({ "user": { "enabled": true } }))).await;
    assert_eq!((status.as_u16(), &user["user"]["enabled"]), (200, &json!(true)));
    assert!(!ann.is_let_in().await, "tokens of before stay revoked");
    assert!(key.is_let_in().await);
    assert_eq!(log_in(&world, "ann", PASSWORD).await.0, 201);

    let own = format!("/v3/users/{}", world.users["admin"]);
    assert_eq!(admin.status("PATCH", &own, Some(disabled.clone())).await, 403, "oneself");
    let bob = Caller::named(&world, "bob");
    assert_eq!(bob.status("PATCH", &path, Some(disabled)).await, 403, "no administrator");
}

#[tokio::test]
async fn a_changed_user_has_its_new_name_and_password() {
    let world = World::start(|_| {}).await;
    let admin = Caller::named(&world, "admin");
    let path = format!("/v3/users/{}", world.users["ann"]);
    let ann = Caller::named(&world, "ann");
    assert!(ann.is_let_in().await);
    for (change, status) in [
        (json!({ "name": "bob" }), 409),
        (json!({ "name": "" }), 400),
        (json!({ "name": "n".repeat(33) }), 400),
        (json!({ "password": "short" }), 400),
        (json!({ "domain_id": "another" }), 400),
        (json!({ "default_project_id": "none" }), 404),
        (json!({ "enabled": "no" }), 400),
    ] {
        let (found, answer) = admin.call("PATCH", &path, Some(json!({ "user": change }))).await;
        assert_eq!(found.as_u16(), status, "{change}: {answer}");
    }
    assert_eq!(admin.status("PATCH", "/v3/users/nobody", Some(json!({ "user": {} }))).await, 404);

    let change =
        json!({ "user": { "name": "anna", "description": "d", "default_project_id": world.project } });
    let (status, user) = admin.call("PATCH", &path, Some(change)).await;
    assert_eq!(status.as_u16(), 200);
    assert_eq!((&user["user"]["name"], &user["user"]["description"]), (&json!("anna"), &json!("d")));
    assert_eq!(user["user"]["default_project_id"], json!(world.project));
    assert!(ann.is_let_in().await, "a name is not what it logs in with");
    let (_, shown) = ann.call("GET", &path, None).await;
    assert_eq!(shown["user"]["name"], "anna");
    assert_eq!(log_in(&world, "ann", PASSWORD).await.0, 401);

    let (status, _) =
        admin.call("PATCH", &path, Some(json!({ "user": { "password": "other-horse" } }))).await;
    assert_eq!(status.as_u16(), 200);
    assert!(!ann.is_let_in().await);
    assert_eq!(log_in(&world, "anna", PASSWORD).await.0, 401);
    let (status, token) = log_in(&world, "anna", "other-horse").await;
    assert_eq!(status, 201);

    // Its own password, which needs the old one.
    let own = Caller::token(&world, &token);
    let path = format!("{path}/password");
    let change = |old: &str| Some(json!({ "user": { "password": "third-horse", "original_password": old } }));
    assert_eq!(own.status("POST", &path, change(PASSWORD)).await, 403);
    assert_eq!(own.status("POST", &path, change("other-horse")).await, 204);
    assert!(!own.is_let_in().await);
    assert_eq!(log_in(&world, "anna", "third-horse").await.0, 201);
}
