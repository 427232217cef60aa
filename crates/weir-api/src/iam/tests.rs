//! The identity service over HTTP, without a socket.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use weir_base::clock::ManualClock;
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    BootstrapOptions, Bootstrapped, HashingCost, Identity, IdentityOptions, MemoryAccounts,
};

use super::routes;

const PASSWORD: &str = "secret-1";

struct World {
    router: Router,
    made: Bootstrapped,
    clock: ManualClock,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn token(&self) -> String {
        self.headers["x-subject-token"].to_str().unwrap().to_string()
    }
}

async fn world() -> World {
    // 2019-01-01.
    let clock = ManualClock::new(Timestamp(1_546_300_800_000));
    let options = IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
    let identity =
        Arc::new(Identity::new(Arc::new(MemoryAccounts::default()), Arc::new(clock.clone()), options));
    let made = identity
        .bootstrap(BootstrapOptions {
            password: Some(PASSWORD.into()),
            region: "r1".into(),
            ..BootstrapOptions::default()
        })
        .await
        .unwrap();
    identity.announce_object_port(9_000);
    World { router: routes::<Arc<Identity>>().with_state(identity), made, clock }
}

fn login(user: &str, password: &str, scope: Value) -> Value {
    let user = json!({ "name": user, "password": password, "domain": { "name": "admin" } });
    let mut auth = json!({ "identity": { "methods": ["password"], "password": { "user": user } } });
    if !scope.is_null() {
        auth["scope"] = scope;
    }
    json!({ "auth": auth })
}

impl World {
    async fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        self.send_with(method, path, token, body, &[]).await
    }

    async fn send_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "weir.example:8780");
        if let Some(token) = token {
            request = request.header("X-Auth-Token", token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn log_in(&self, scope: Value) -> Answer {
        self.send("POST", "/v3/auth/tokens", None, Some(login("admin", PASSWORD, scope))).await
    }

    async fn token(&self) -> String {
        self.log_in(json!({ "project": { "id": self.made.project_id } })).await.token()
    }
}

#[tokio::test]
async fn a_token_says_who_where_and_what() {
    let world = world().await;
    let answer = world.log_in(json!({ "project": { "name": "r1" } })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let token = &answer.body["token"];
    assert_eq!(token["issued_at"], "2019-01-01T00:00:00.000000Z");
    assert_eq!(token["expires_at"], "2019-01-02T00:00:00.000000Z");
    assert_eq!(token["user"]["name"], "admin");
    assert_eq!(token["user"]["domain"]["name"], "admin");
    assert_eq!(token["project"]["id"], json!(world.made.project_id));
    assert_eq!(token["project"]["domain"]["name"], "admin");
    assert_eq!(token["roles"][0]["name"], "cs_adm");
    let urls: Vec<(&str, &str)> = token["catalog"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["type"].as_str().unwrap(), entry["endpoints"][0]["url"].as_str().unwrap()))
        .collect();
    let project = &world.made.project_id;
    assert!(urls.contains(&("disv2", format!("http://weir.example:8780/v2/{project}").as_str())), "{urls:?}");
    assert!(urls.contains(&("object", "http://weir.example:9000")), "{urls:?}");
    let body = login("admin", PASSWORD, json!({ "project": { "name": "r1" } }));
    let answer = world.send("POST", "/v3/auth/tokens?nocatalog", None, Some(body)).await;
    assert!(answer.body["token"].get("catalog").is_none());
}

#[tokio::test]
async fn arrays_stand_for_no_objects() {
    let world = world().await;
    let id = &world.made.project_id;
    for scope in [json!({ "project": [id] }), json!([[id], null])] {
        let answer = world.log_in(scope.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{scope}");
    }
    let body = json!([login("admin", PASSWORD, Value::Null)["auth"]]);
    assert_eq!(world.send("POST", "/v3/auth/tokens", None, Some(body)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn failures_have_both_error_shapes() {
    let world = world().await;
    for (body, status, code) in [
        (login("admin", "wrong-1", Value::Null), 401, "IAM.0062"),
        (login("admin", PASSWORD, json!({ "project": { "id": "x" } })), 401, "IAM.0067"),
        (login("admin", PASSWORD, json!("somewhere")), 400, "IAM.0073"),
        (json!({}), 400, "IAM.0072"),
        (json!({ "auth": { "identity": { "methods": ["totp"] } } }), 400, "IAM.0073"),
        (json!({ "auth": 1 }), 400, "IAM.0011"),
    ] {
        let answer = world.send("POST", "/v3/auth/tokens", None, Some(body.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        assert_eq!(answer.body["error_code"], code, "{body}");
        assert_eq!(answer.body["error"]["code"], status, "{body}");
        assert_eq!(answer.body["error"]["message"], answer.body["error_msg"]);
        assert!(answer.headers.get("x-subject-token").is_none());
    }
    let answer = world.send("GET", "/v3/projects", None, None).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error_code"]), (401, &json!("IAM.0001")));
    assert_eq!(answer.body["error"]["title"], "Unauthorized");
}

#[tokio::test]
async fn a_token_can_be_looked_at_and_revoked() {
    let world = world().await;
    let token = world.token().await;
    let with_subject = [("X-Subject-Token", token.as_str())];
    let send =
        |method: &'static str| world.send_with(method, "/v3/auth/tokens", Some(&token), None, &with_subject);
    let shown = send("GET").await;
    assert_eq!(shown.status, StatusCode::OK);
    assert_eq!(shown.token(), token);
    assert_eq!(shown.body["token"]["project"]["id"], json!(world.made.project_id));
    assert_eq!(send("HEAD").await.status, StatusCode::OK);
    assert_eq!(send("DELETE").await.status, StatusCode::NO_CONTENT);
    let after = send("GET").await;
    assert_eq!((after.status.as_u16(), &after.body["error_code"]), (401, &json!("IAM.0067")));
}

#[tokio::test]
async fn an_expired_token_is_called_expired() {
    let world = world().await;
    let token = world.token().await;
    world.clock.advance(std::time::Duration::from_secs(86_400));
    let answer = world.send("GET", "/v3/projects", Some(&token), None).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error_code"]), (401, &json!("IAM.0066")));
}

#[tokio::test]
async fn a_token_gives_a_token_with_a_scope() {
    let world = world().await;
    let unscoped = world.log_in(Value::Null).await;
    assert!(unscoped.body["token"].get("roles").is_none());
    let token = unscoped.token();
    let projects = world.send("GET", "/v3/auth/projects", Some(&token), None).await;
    let project = projects.body["projects"][0]["id"].clone();
    let identity = json!({ "methods": ["token"], "token": { "id": token } });
    let body = json!({ "auth": { "identity": identity, "scope": { "project": { "id": project } } } });
    let answer = world.send("POST", "/v3/auth/tokens", None, Some(body)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.body["token"]["methods"], json!(["password", "token"]));
}

#[tokio::test]
async fn clients_find_the_version_and_their_project() {
    let world = world().await;
    let root = world.send("GET", "/", None, None).await;
    assert_eq!(root.status, StatusCode::MULTIPLE_CHOICES);
    let version = world.send("GET", "/v3", None, None).await;
    assert_eq!(version.body["version"], root.body["versions"]["values"][0]);
    assert_eq!(version.body["version"]["links"][0]["href"], "http://weir.example:8780/v3/");
    let token = world.token().await;
    let found = world.send("GET", "/v3/projects?name=r1", Some(&token), None).await;
    assert_eq!(found.body["projects"].as_array().unwrap().len(), 1);
    let none = world.send("GET", "/v3/projects?name=r2", Some(&token), None).await;
    assert_eq!(none.body["projects"], json!([]));
    let domains = world.send("GET", "/v3/auth/domains", Some(&token), None).await;
    assert_eq!(domains.body["domains"][0]["id"], json!(world.made.domain_id));
}

#[tokio::test]
async fn an_administrator_makes_users_projects_and_roles() {
    let world = world().await;
    let admin = world.token().await;
    let body = json!({ "user": { "name": "reader", "password": PASSWORD } });
    let user = world.send("POST", "/v3/users", Some(&admin), Some(body.clone())).await;
    assert_eq!(user.status, StatusCode::CREATED);
    assert!(user.body["user"].get("password").is_none());
    let again = world.send("POST", "/v3/users", Some(&admin), Some(body)).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let body = json!({ "project": { "name": "r1_second" } });
    let project = world.send("POST", "/v3/projects", Some(&admin), Some(body)).await;
    assert_eq!(project.status, StatusCode::CREATED);
    let (user, project) = (&user.body["user"]["id"], &project.body["project"]["id"]);
    let (user, project) = (user.as_str().unwrap(), project.as_str().unwrap());
    let path = format!("/v3/projects/{project}/users/{user}/roles/cs_readonly");
    assert_eq!(world.send("HEAD", &path, Some(&admin), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.send("PUT", &path, Some(&admin), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.send("HEAD", &path, Some(&admin), None).await.status, StatusCode::NO_CONTENT);

    let scope = json!({ "project": { "id": project } });
    let body = login("reader", PASSWORD, scope);
    let reader = world.send("POST", "/v3/auth/tokens", None, Some(body)).await;
    assert_eq!(reader.body["token"]["roles"][0]["name"], "cs_readonly");
    let reader = reader.token();
    for (method, path, body) in [
        ("GET", "/v3/users".to_string(), None),
        ("GET", format!("/v3/users/{}", world.made.user_id), None),
        ("POST", "/v3/projects".to_string(), Some(json!({ "project": { "name": "x" } }))),
        ("PUT", format!("/v3/projects/{project}/users/{user}/roles/te_admin"), None),
        ("DELETE", format!("/v3/users/{}", world.made.user_id), None),
        ("GET", format!("/v3.0/OS-CREDENTIAL/credentials?user_id={}", world.made.user_id), None),
    ] {
        let answer = world.send(method, &path, Some(&reader), body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    let own = world.send("GET", "/v3/projects", Some(&reader), None).await;
    assert_eq!(own.body["projects"].as_array().unwrap().len(), 1);
    let all = world.send("GET", "/v3/projects", Some(&admin), None).await;
    assert_eq!(all.body["projects"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn users_change_their_own_password_with_the_old_one() {
    let world = world().await;
    let admin = world.token().await;
    let path = format!("/v3/users/{}/password", world.made.user_id);
    let wrong = json!({ "user": { "password": "secret-2", "original_password": "wrong-1" } });
    assert_eq!(world.send("POST", &path, Some(&admin), Some(wrong)).await.status, StatusCode::FORBIDDEN);
    let right = json!({ "user": { "password": "secret-2", "original_password": PASSWORD } });
    assert_eq!(world.send("POST", &path, Some(&admin), Some(right)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.send("GET", "/v3/projects", Some(&admin), None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn access_keys_are_made_listed_switched_and_removed() {
    let world = world().await;
    let admin = world.token().await;
    let credentials = "/v3.0/OS-CREDENTIAL/credentials";
    let body = json!({ "credential": { "user_id": world.made.user_id, "description": "second" } });
    let made = world.send("POST", credentials, Some(&admin), Some(body.clone())).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.body["credential"]["secret"].as_str().unwrap().len(), 40);
    let third = world.send("POST", credentials, Some(&admin), Some(body)).await;
    assert_eq!((third.status.as_u16(), &third.body["error"]["message"]), (400, &json!("akSkNumExceed")));
    let list = world.send("GET", credentials, Some(&admin), None).await;
    assert_eq!(list.body["credentials"].as_array().unwrap().len(), 2);
    assert!(!list.body.to_string().contains(made.body["credential"]["secret"].as_str().unwrap()));
    let path = format!("{credentials}/{}", made.body["credential"]["access"].as_str().unwrap());
    let off = json!({ "credential": { "status": "inactive" } });
    let answer = world.send("PUT", &path, Some(&admin), Some(off)).await;
    assert_eq!(answer.body["credential"]["status"], "inactive");
    assert_eq!(world.send("DELETE", &path, Some(&admin), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.send("GET", &path, Some(&admin), None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn guessing_is_answered_with_when_to_try_again() {
    let world = world().await;
    for _ in 0..10 {
        world.send("POST", "/v3/auth/tokens", None, Some(login("admin", "wrong-1", Value::Null))).await;
    }
    let answer = world.log_in(Value::Null).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["retry-after"], "60");
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let world = world().await;
    let body = login("admin", &"x".repeat(100_000), Value::Null);
    let answer = world.send("POST", "/v3/auth/tokens", None, Some(body)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error_code"]), (400, &json!("IAM.0011")));
}
