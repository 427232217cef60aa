//! Users as administrators and the users themselves change them, seen through the API.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::World;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Row;
use weir_cloud::identity::{BootstrapOptions, ClientCredential, NewUser, Outgoing, SecretKey};

const PASSWORD: &str = "correct-horse";

/// A caller: by a token, or by a signature, which has a security token with it when the key is temporary.
#[derive(Clone)]
struct Caller<'a> {
    world: &'a World,
    credential: ClientCredential,
    security_token: Option<String>,
}

impl<'a> Caller<'a> {
    fn token(world: &'a World, token: &str) -> Self {
        Self { world, credential: ClientCredential::Token(SecretKey::new(token)), security_token: None }
    }

    fn named(world: &'a World, name: &str) -> Self {
        Self::token(world, &world.tokens[name])
    }

    fn key(world: &'a World, credential: &Value) -> Self {
        let text = |member: &str| credential[member].as_str().unwrap().to_string();
        let (access, secret) = (text("access"), SecretKey::new(text("secret")));
        let security_token = credential["securitytoken"].as_str().map(String::from);
        Self { world, credential: ClientCredential::Key { access, secret }, security_token }
    }

    /// Makes a call; returns status and body, which is null where there is none.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = reqwest::Url::parse(&format!("{}{path}", self.world.base_url)).unwrap();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let project = Some(self.world.project.as_str());
        let outgoing = Outgoing { method, url: &url, project, body: body.as_bytes() };
        let headers = self.credential.headers(&outgoing, self.world.identity.now()).unwrap();
        let request = reqwest::Client::new().request(method.parse().unwrap(), url.clone());
        let mut request = request.header("Content-Type", "application/json").body(body.clone());
        let security_token = self.security_token.clone().map(|text| ("x-security-token".to_string(), text));
        for (name, value) in headers.into_iter().chain(security_token) {
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
        let (status, body) = self.call("GET", &path, None).await;
        match (status.as_u16(), body["error_id"].as_str()) {
            (200, _) => true,
            (400, Some("CS.10007")) => false,
            _ => panic!("{status}: {body}"),
        }
    }
}

/// Asks for a token; returns the status, the token and what is said of it.
async fn token_of(
    world: &World,
    caller: Option<&str>,
    identity: Value,
    scope: Value,
) -> (u16, String, Value) {
    let request = reqwest::Client::new().post(format!("{}/v3/auth/tokens", world.base_url));
    let request = request.json(&json!({ "auth": { "identity": identity, "scope": scope } }));
    let request = match caller {
        Some(token) => request.header("X-Auth-Token", token),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let token = answer.headers().get("x-subject-token").map(|value| value.to_str().unwrap().to_string());
    (status, token.unwrap_or_default(), answer.json().await.unwrap())
}

/// Logs in by name and password in the project; returns the status and the token.
async fn log_in(world: &World, name: &str, password: &str) -> (u16, String) {
    let user = json!({ "name": name, "password": password, "domain": { "id": world.domain } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let scope = json!({ "project": { "id": world.project } });
    let (status, token, _) = token_of(world, None, identity, scope).await;
    (status, token)
}

/// Another account with an administrator and a user without a role; returns their tokens.
async fn firm(world: &World) -> (String, String) {
    let options = BootstrapOptions {
        domain: "firm".into(),
        project: "firm_main".into(),
        password: Some(PASSWORD.into()),
        ..BootstrapOptions::default()
    };
    let made = world.identity.bootstrap(options).await.unwrap();
    let new = NewUser {
        name: "clerk".into(),
        domain_id: made.domain_id.clone(),
        description: String::new(),
        password: PASSWORD.into(),
        enabled: true,
        default_project_id: None,
    };
    let clerk = world.identity.create_user(new).await.unwrap().id;
    let mut tokens = Vec::new();
    for (id, scope) in
        [(made.user_id, json!({ "domain": { "id": made.domain_id } })), (clerk, json!("unscoped"))]
    {
        let user = json!({ "id": id, "password": PASSWORD });
        let identity = json!({ "methods": ["password"], "password": { "user": user } });
        let (status, token, answer) = token_of(world, None, identity, scope).await;
        assert_eq!(status, 201, "{answer}");
        tokens.push(token);
    }
    (tokens.remove(0), tokens.remove(0))
}

/// Makes an agency of the account of the tests that trusts the other one and has the role `cs_user` in the project.
async fn agency(world: &World) -> String {
    let admin = Caller::named(world, "admin");
    let new = json!({ "name": "helpers", "domain_id": world.domain, "trust_domain_name": "firm" });
    let (status, made) = admin.call("POST", "/v3.0/OS-AGENCY/agencies", Some(json!({ "agency": new }))).await;
    assert_eq!(status.as_u16(), 201, "{made}");
    let id = made["agency"]["id"].as_str().unwrap().to_string();
    let roles = format!("/v3.0/OS-AGENCY/projects/{}/agencies/{id}/roles", world.project);
    assert_eq!(admin.status("PUT", &format!("{roles}/cs_user"), None).await, 204);
    assert_eq!(admin.status("PUT", &format!("{roles}/te_agency"), None).await, 403);
    id
}

fn assume(more: Value) -> Value {
    let mut role = json!({ "agency_name": "helpers", "domain_name": "admin" });
    role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "methods": ["assume_role"], "assume_role": role })
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
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
    let (status, token) = log_in(&world, "anna", "third-horse").await;
    assert_eq!(status, 201);
    let own = Caller::token(&world, &token);
    for _ in 0..10 {
        assert_eq!(own.status("POST", &path, change("guess")).await, 403);
    }
    let (status, answer) = own.call("POST", &path, change("third-horse")).await;
    assert_eq!((status.as_u16(), &answer["error_code"]), (429, &json!("IAM.0012")), "{answer}");
    assert_eq!(log_in(&world, "anna", "third-horse").await.0, 429, "it is the same count");
}

#[tokio::test]
async fn the_token_of_an_agency_does_what_the_agency_may_for_who_may_act() {
    let world = World::start(|_| {}).await;
    let (firm, clerk) = firm(&world).await;
    let agency = agency(&world).await;
    let scope = || json!({ "project": { "name": "local" } });
    let (status, token, answer) = token_of(&world, Some(&firm), assume(json!({})), scope()).await;
    assert_eq!(status, 201, "{answer}");
    let said = &answer["token"];
    assert_eq!((&said["user"]["id"], &said["user"]["name"]), (&json!(agency), &json!("admin/helpers")));
    assert_eq!(said["user"]["domain"]["id"], json!(world.domain));
    assert_eq!(said["assumed_by"]["user"]["name"], "admin");
    assert_eq!(said["assumed_by"]["user"]["domain"]["name"], "firm");
    assert_eq!((&said["methods"], &said["project"]["id"]), (&json!(["assume_role"]), &json!(world.project)));
    assert_eq!(said["roles"].as_array().unwrap().len(), 1);
    let helper = Caller::token(&world, &token);
    assert!(helper.is_let_in().await);
    assert_eq!(helper.status("GET", "/v3/users", None).await, 403);
    let role = format!("/v3.0/OS-AGENCY/projects/{}/agencies/{agency}/roles/te_admin", world.project);
    let giver = Caller::named(&world, "admin");
    assert_eq!(giver.status("PUT", &role, None).await, 204);
    let (_, strong, answer) = token_of(&world, Some(&firm), assume(json!({})), scope()).await;
    assert_eq!(answer["token"]["roles"].as_array().unwrap().len(), 2, "{answer}");
    let wish = json!({ "user": { "name": "theirs", "password": PASSWORD } });
    let strong = Caller::token(&world, &strong);
    assert_eq!(strong.status("POST", "/v3/users", Some(wish)).await, 403, "the account is not theirs");
    assert_eq!(giver.status("DELETE", &role, None).await, 204);
    let create = json!({ "name": "theirs", "run_mode": "shared_cluster", "sql_body": common::SQL });
    let path = format!("/v1.0/{}/sql_job", world.project);
    let (_, made) = helper.call("POST", &path, Some(create)).await;
    assert_eq!(made["message_id"], "CS.11000", "{made}");
    let name = "admin/helpers (by firm/admin)";
    let traces = "trace_type=system&trace_name=createJob&user=admin%2Fhelpers%20%28by%20firm%2Fadmin%29";
    let (_, traces) = giver.call("GET", &format!("/v3/{}/traces?{traces}", world.project), None).await;
    let user = &traces["traces"][0]["user"];
    assert_eq!((&user["id"], &user["name"]), (&json!(agency), &json!(name)), "{traces}");
    let logs = format!("/v1.0/{}/audit_logs?resource_type=job", world.project);
    let (_, logs) = giver.call("GET", &logs, None).await;
    assert_eq!(logs["payload"]["traces"][0]["op_user"], name, "{logs}");
    let job =
        sqlx::query("SELECT user_name FROM jobs").fetch_one(world.control.store().pool()).await.unwrap();
    assert_eq!(job.get::<String, _>("user_name"), "admin/helpers", "the job is the agency's");

    // A token from this one is one of the agency, too, and opens no other agency.
    let identity = json!({ "methods": ["token"], "token": { "id": token } });
    let (status, second, answer) = token_of(&world, None, identity, scope()).await;
    assert_eq!((status, &answer["token"]["user"]["id"]), (201, &json!(agency)));
    assert!(Caller::token(&world, &second).is_let_in().await);

    let admin = world.tokens["admin"].as_str();
    for (caller, identity, status) in [
        (Some(clerk.as_str()), assume(json!({})), 403),
        (Some(admin), assume(json!({})), 403),
        (Some(token.as_str()), assume(json!({})), 403),
        (Some(firm.as_str()), assume(json!({ "agency_name": "nobody" })), 403),
        (Some(firm.as_str()), assume(json!({ "domain_name": "nobody" })), 403),
        (Some(firm.as_str()), assume(json!({ "domain_name": null })), 400),
        (Some(firm.as_str()), assume(json!({ "duration_seconds": 899 })), 400),
        (Some(firm.as_str()), assume(json!({ "duration_seconds": 86_401 })), 400),
        (Some(firm.as_str()), json!({ "methods": ["assume_role"] }), 400),
        (None, assume(json!({})), 401),
    ] {
        let (found, _, answer) = token_of(&world, caller, identity.clone(), scope()).await;
        assert_eq!(found, status, "{identity}: {answer}");
    }
    let other = json!({ "project": { "id": world.other_project } });
    assert_eq!(token_of(&world, Some(&firm), assume(json!({})), other).await.0, 401, "no role there");
    let other_name = json!({ "agency_name": null, "xrole_name": "helpers", "duration_seconds": 900 });
    assert_eq!(token_of(&world, Some(&firm), assume(other_name), scope()).await.0, 201);

    let admin = Caller::named(&world, "admin");
    let path = format!("/v3.0/OS-AGENCY/agencies/{agency}");
    let trust = |name: &str| Some(json!({ "agency": { "trust_domain_name": name } }));
    assert_eq!(admin.status("PUT", &path, trust("op_svc_cs")).await, 200);
    assert!(!helper.is_let_in().await, "the trust is gone");
    assert_eq!(admin.status("PUT", &path, trust("firm")).await, 200);
    assert!(helper.is_let_in().await);
    assert_eq!(admin.status("DELETE", &path, None).await, 204);
    assert!(!helper.is_let_in().await && !Caller::token(&world, &second).is_let_in().await);
}

#[tokio::test]
async fn a_temporary_key_is_good_with_its_security_token_only() {
    const PATH: &str = "/v3.0/OS-CREDENTIAL/securitytokens";
    let world = World::start(|_| {}).await;
    let ann = Caller::named(&world, "ann");
    let wish = |identity: Value| Some(json!({ "auth": { "identity": identity } }));
    let from_token = |more: Value| wish(json!({ "methods": ["token"], "token": more }));
    let before = world.identity.now();
    let (status, made) = ann.call("POST", PATH, from_token(json!({ "duration_seconds": 1_000 }))).await;
    assert_eq!(status.as_u16(), 201, "{made}");
    let text = made["credential"]["expires_at"].as_str().unwrap();
    let end = chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
    assert!((1_000_000..1_060_000).contains(&(end - before.0)), "{text}");
    let key = Caller::key(&world, &made["credential"]);
    assert!(key.is_let_in().await);
    assert_ne!(key.status("GET", &format!("/v2/{}/streams", world.project), None).await, 401);
    for token in [None, Some("x".to_string())] {
        assert!(!Caller { security_token: token, ..key.clone() }.is_let_in().await);
    }
    let lasting = Some(json!({ "credential": {} }));
    assert_eq!(key.status("POST", "/v3.0/OS-CREDENTIAL/credentials", lasting).await, 403);
    let (_, listed) = ann.call("GET", "/v3.0/OS-CREDENTIAL/credentials", None).await;
    assert_eq!(listed["credentials"], json!([]), "it is none of those that last, and makes none");
    let stored = sqlx::query("SELECT * FROM account_temporary_keys");
    let stored = stored.fetch_one(world.control.store().pool()).await.unwrap();
    assert!(stored.get::<String, _>("secret").starts_with("sealed:"));
    assert_eq!(stored.get::<Vec<u8>, _>("token_hash").len(), 32);

    // From a token in the body, from a key that lasts, from a temporary one.
    let (status, _) =
        post_as_nobody(&world, PATH, from_token(json!({ "id": world.tokens["ann"] })).unwrap()).await;
    assert_eq!(status, 201);
    let (_, lasting) =
        ann.call("POST", "/v3.0/OS-CREDENTIAL/credentials", Some(json!({ "credential": {} }))).await;
    let lasting = Caller::key(&world, &lasting["credential"]);
    let (status, day) = lasting.call("POST", PATH, from_token(json!({ "duration_seconds": 86_400 }))).await;
    assert_eq!(status.as_u16(), 201, "{day}");
    let (status, bound) = key.call("POST", PATH, from_token(json!({ "duration_seconds": 86_400 }))).await;
    assert_eq!((status.as_u16(), &bound["credential"]["expires_at"]), (201, &json!(text)));
    for (body, status) in [
        (from_token(json!({ "duration_seconds": 899 })), 400),
        (from_token(json!({ "duration_seconds": 86_401 })), 400),
        (from_token(json!({ "id": "gibberish" })), 401),
        (wish(json!({ "methods": ["token"], "policy": { "Version": "1.1" } })), 400),
        (wish(json!({ "methods": ["password"] })), 400),
        (wish(assume(json!({}))), 403),
    ] {
        assert_eq!(ann.status("POST", PATH, body.clone()).await, status, "{body:?}");
    }

    let (owner, _) = firm(&world).await;
    let agency = agency(&world).await;
    let (status, made) = Caller::token(&world, &owner).call("POST", PATH, wish(assume(json!({})))).await;
    assert_eq!(status.as_u16(), 201, "{made}");
    let helper = Caller::key(&world, &made["credential"]);
    assert!(helper.is_let_in().await);

    // It ends with the token that it was made from.
    let (status, token) = log_in(&world, "bob", PASSWORD).await;
    assert_eq!(status, 201);
    let bob = Caller::token(&world, &token);
    let (_, made) = bob.call("POST", PATH, from_token(json!({}))).await;
    let of_token = Caller::key(&world, &made["credential"]);
    assert!(of_token.is_let_in().await);
    let revoke = reqwest::Client::new().delete(format!("{}/v3/auth/tokens", world.base_url));
    let revoke = revoke.header("X-Auth-Token", &token).header("X-Subject-Token", &token);
    assert_eq!(revoke.send().await.unwrap().status().as_u16(), 204);
    assert!(!of_token.is_let_in().await && !bob.is_let_in().await);

    let admin = Caller::named(&world, "admin");
    let path = format!("/v3/users/{}/password", world.users["ann"]);
    let change = json!({ "user": { "password": "other-horse" } });
    assert_eq!(admin.status("POST", &path, Some(change)).await, 204);
    assert!(!key.is_let_in().await && !Caller::key(&world, &day["credential"]).is_let_in().await);
    assert!(lasting.is_let_in().await);
    assert_eq!(admin.status("DELETE", &format!("/v3.0/OS-AGENCY/agencies/{agency}"), None).await, 204);
    assert!(!helper.is_let_in().await);
}

#[tokio::test]
async fn a_disabled_project_takes_no_credential_and_one_that_holds_something_stays() {
    let world = World::start(|_| {}).await;
    let admin = Caller::named(&world, "admin");
    let domain = Caller::named(&world, "domain");
    let (path, other) =
        (format!("/v3/projects/{}", world.project), format!("/v3/projects/{}", world.other_project));
    for (change, status) in [
        (json!({ "name": "local" }), 409),
        (json!({ "name": "" }), 400),
        (json!({ "domain_id": "another" }), 400),
        (json!({ "enabled": 1 }), 400),
    ] {
        let (found, answer) = admin.call("PATCH", &other, Some(json!({ "project": change }))).await;
        assert_eq!(found.as_u16(), status, "{change}: {answer}");
    }
    let change = json!({ "project": { "name": "local_second", "description": "d" } });
    let (status, changed) = admin.call("PATCH", &other, Some(change)).await;
    assert_eq!((status.as_u16(), &changed["project"]["name"]), (200, &json!("local_second")));
    assert_eq!(
        (&changed["project"]["description"], &changed["project"]["enabled"]),
        (&json!("d"), &json!(true))
    );

    let ann = Caller::named(&world, "ann");
    let (_, made) =
        ann.call("POST", "/v3.0/OS-CREDENTIAL/credentials", Some(json!({ "credential": {} }))).await;
    let key = Caller::key(&world, &made["credential"]);
    let enabled = |is: bool| Some(json!({ "project": { "enabled": is } }));
    assert_eq!(ann.status("PATCH", &path, enabled(false)).await, 403, "no administrator");
    assert_eq!(admin.status("PATCH", &path, enabled(false)).await, 403, "its own project");
    let (status, changed) = domain.call("PATCH", &path, enabled(false)).await;
    assert_eq!((status.as_u16(), &changed["project"]["enabled"]), (200, &json!(false)));
    assert!(!ann.is_let_in().await);
    assert_eq!(log_in(&world, "ann", PASSWORD).await.0, 401);
    assert_ne!(key.status("GET", &format!("/v1.0/{}/jobs", world.project), None).await, 200);
    let (_, off) = domain.call("GET", "/v3/projects?enabled=false", None).await;
    assert_eq!(off["projects"].as_array().unwrap().len(), 1);
    assert_eq!(domain.status("PATCH", &path, enabled(true)).await, 200);
    assert_eq!(log_in(&world, "ann", PASSWORD).await.0, 201);
    assert!(key.is_let_in().await);

    // The bucket of the other project stands in the way, then a stream, then nothing.
    let (status, answer) = domain.call("DELETE", &other, None).await;
    assert_eq!((status.as_u16(), &answer["error_code"]), (409, &json!("IAM.0005")), "{answer}");
    assert!(answer["error_msg"].as_str().unwrap().contains("buckets"), "{answer}");
    std::fs::remove_dir_all(world.directory.path().join("objects").join(common::OTHER_BUCKET)).unwrap();
    let foreign = Caller::named(&world, "foreign");
    let streams = format!("/v2/{}/streams", world.other_project);
    let stream =
        json!({ "stream_name": "s1", "partition_count": 1, "stream_type": "COMMON", "data_duration": 24 });
    assert_eq!(foreign.status("POST", &streams, Some(stream)).await, 201);
    let (status, answer) = domain.call("DELETE", &other, None).await;
    assert_eq!(status.as_u16(), 409);
    assert!(answer["error_msg"].as_str().unwrap().contains("streams"), "{answer}");
    assert_eq!(foreign.status("DELETE", &format!("{streams}/s1"), None).await, 204);
    assert_eq!(ann.status("DELETE", &other, None).await, 401, "its tokens went with the disabling");
    assert_eq!(admin.status("DELETE", &path, None).await, 401);
    assert_eq!(foreign.status("DELETE", &other, None).await, 403, "its own project");
    assert_eq!(domain.status("DELETE", &other, None).await, 204);
    assert_eq!(domain.status("DELETE", &other, None).await, 404);
    assert_eq!(domain.status("GET", &other, None).await, 404);
    assert_eq!(foreign.status("GET", "/v3/auth/projects", None).await, 401);
}

#[tokio::test]
async fn the_jobs_of_a_deleted_user_stay_and_are_seen_in_the_quotas() {
    let world = World::start(|_| {}).await;
    let admin = Caller::named(&world, "admin");
    let ann = Caller::named(&world, "ann");
    let create = json!({ "name": "hers", "run_mode": "shared_cluster", "sql_body": common::SQL });
    let (_, made) = ann.call("POST", &format!("/v1.0/{}/sql_job", world.project), Some(create)).await;
    assert_eq!(made["message_id"], "CS.11000", "{made}");
    let id = &world.users["ann"];
    assert_eq!(admin.status("DELETE", &format!("/v3/users/{id}"), None).await, 204);
    let (_, quotas) = admin.call("GET", &format!("/v1.0/{}/user_quotas?name=ann", world.project), None).await;
    let users = &quotas["payload"]["users"];
    assert_eq!((&users[0]["user_id"], &users[0]["user_name"]), (&json!(id), &json!("ann")), "{quotas}");
    let one = format!("/v1.0/{}/user_quota/{id}", world.project);
    let (_, quota) = admin.call("GET", &one, None).await;
    assert_eq!(quota["payload"]["user_name"], "ann", "{quota}");
    let (_, refused) = admin.call("PATCH", &one, Some(json!({ "spu_quota": 5 }))).await;
    assert_eq!(refused["error_id"], "CS.21092", "{refused}");
}

#[tokio::test]
async fn who_administers_one_project_does_not_administer_the_account() {
    let world = World::start(|_| {}).await;
    let admin = Caller::named(&world, "admin");
    let role = format!("/v3/projects/{}/users/{}/roles/te_admin", world.project, world.users["ann"]);
    assert_eq!(admin.status("PUT", &role, None).await, 204);
    let ann = Caller::named(&world, "ann");
    let jobs = format!("/v1.0/{}/jobs", world.project);
    assert_eq!(ann.status("GET", &jobs, None).await, 200);
    let user = Some(json!({ "user": { "name": "theirs", "password": PASSWORD } }));
    let bob = format!("/v3/users/{}", world.users["bob"]);
    let password = format!("{bob}/password");
    let change = Some(json!({ "user": { "password": "other-horse" } }));
    let own = format!("/v3/domains/{}/users/{}/roles/te_admin", world.domain, world.users["ann"]);
    for (method, path, body) in [
        ("GET", "/v3/users", None),
        ("POST", "/v3/users", user.clone()),
        ("POST", password.as_str(), change),
        ("PUT", own.as_str(), None),
        ("DELETE", bob.as_str(), None),
        ("GET", "/v3/groups", None),
    ] {
        assert_eq!(ann.status(method, path, body).await, 403, "{method} {path}");
    }
    assert_eq!(admin.status("PUT", &own, None).await, 204);
    assert_eq!(ann.status("POST", "/v3/users", user).await, 201);
}

#[tokio::test]
async fn a_user_has_the_roles_of_its_groups_as_long_as_it_is_in_them() {
    let world = World::start(|_| {}).await;
    let admin = Caller::named(&world, "admin");
    let (status, made) = admin.call("POST", "/v3/groups", Some(json!({ "group": { "name": "g1" } }))).await;
    assert_eq!(status.as_u16(), 201, "{made}");
    assert_eq!((&made["group"]["name"], &made["group"]["domain_id"]), (&json!("g1"), &json!(world.domain)));
    let group = format!("/v3/groups/{}", made["group"]["id"].as_str().unwrap());
    for (body, status) in [(json!({ "name": "g1" }), 409), (json!({ "name": "" }), 400), (json!({}), 400)] {
        assert_eq!(
            admin.status("POST", "/v3/groups", Some(json!({ "group": body.clone() }))).await,
            status,
            "{body}"
        );
    }
    let (_, changed) = admin.call("PATCH", &group, Some(json!({ "group": { "description": "d" } }))).await;
    assert_eq!((&changed["group"]["name"], &changed["group"]["description"]), (&json!("g1"), &json!("d")));
    let (_, listed) = admin.call("GET", "/v3/groups?name=g1", None).await;
    assert_eq!(listed["groups"], json!([changed["group"]]));

    // The stranger has a role of another service only, so that it sees no jobs.
    let stranger = Caller::named(&world, "stranger");
    let jobs = format!("/v1.0/{}/jobs", world.project);
    assert_ne!(stranger.status("GET", &jobs, None).await, 200);
    let member = format!("{group}/users/{}", world.users["stranger"]);
    let id = group.rsplit('/').next().unwrap();
    let role = format!("/v3/projects/{}/groups/{id}/roles/cs_user", world.project);
    for path in [&member, &role] {
        assert_eq!(admin.status("HEAD", path, None).await, 404, "{path}");
        assert_eq!(admin.status("DELETE", path, None).await, 404, "{path}");
        for _ in 0..2 {
            assert_eq!(admin.status("PUT", path, None).await, 204, "{path}");
        }
        assert_eq!(admin.status("HEAD", path, None).await, 204, "{path}");
    }
    assert_eq!(stranger.status("GET", &jobs, None).await, 200);
    let (_, members) = admin.call("GET", &format!("{group}/users"), None).await;
    assert_eq!(members["users"][0]["id"], json!(world.users["stranger"]));
    let (_, of_user) =
        stranger.call("GET", &format!("/v3/users/{}/groups", world.users["stranger"]), None).await;
    assert_eq!(of_user["groups"][0]["name"], "g1");
    let (_, roles) = admin.call("GET", role.strip_suffix("/cs_user").unwrap(), None).await;
    assert_eq!(roles["roles"][0]["name"], "cs_user");
    let (_, own) = admin
        .call("GET", &format!("/v3/projects/{}/users/{}/roles", world.project, world.users["stranger"]), None)
        .await;
    assert_eq!(own["roles"].as_array().unwrap().len(), 1, "those of groups are not its own");

    assert_eq!(admin.status("DELETE", &member, None).await, 204);
    assert_ne!(stranger.status("GET", &jobs, None).await, 200);
    assert_eq!(admin.status("PUT", &member, None).await, 204);
    assert_eq!(admin.status("DELETE", &role, None).await, 204);
    assert_ne!(stranger.status("GET", &jobs, None).await, 200);
    let everywhere = format!("/v3/domains/{}/groups/{id}/roles/cs_readonly", world.domain);
    assert_eq!(admin.status("PUT", &everywhere, None).await, 204);
    assert_eq!(stranger.status("GET", &jobs, None).await, 200);
    assert_eq!(admin.status("PUT", &everywhere.replace("cs_readonly", "pilot"), None).await, 404);
    for path in ["/v3/groups", &group, &format!("{group}/users"), &everywhere] {
        assert_ne!(stranger.status("GET", path, None).await, 200, "{path}");
    }
    assert_eq!(admin.status("DELETE", &group, None).await, 204);
    assert_ne!(stranger.status("GET", &jobs, None).await, 200);
    assert_eq!(admin.status("GET", &group, None).await, 404);
}

#[tokio::test]
async fn a_role_on_all_projects_of_an_account_is_given_to_an_agency_and_taken() {
    let world = World::start(|_| {}).await;
    let agency = agency(&world).await;
    let admin = Caller::named(&world, "admin");
    let roles = format!("/v3.0/OS-INHERIT/domains/{}/agencies/{agency}/roles", world.domain);
    let role = format!("{roles}/cs_readonly/inherited_to_projects");
    assert_eq!(admin.status("HEAD", &role, None).await, 404);
    assert_eq!(admin.status("PUT", &role, None).await, 204);
    assert_eq!(admin.status("HEAD", &role, None).await, 204);
    let (_, listed) = admin.call("GET", &format!("{roles}/inherited_to_projects"), None).await;
    assert_eq!(listed["roles"][0]["name"], "cs_readonly");
    let (firm, _) = firm(&world).await;
    let other = json!({ "project": { "id": world.other_project } });
    assert_eq!(token_of(&world, Some(&firm), assume(json!({})), other.clone()).await.0, 201);
    assert_eq!(admin.status("DELETE", &role, None).await, 204);
    assert_eq!(admin.status("DELETE", &role, None).await, 404);
    assert_eq!(token_of(&world, Some(&firm), assume(json!({})), other).await.0, 401);
}

/// Sends JSON without a credential.
async fn post_as_nobody(world: &World, path: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}{path}", world.base_url)).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
