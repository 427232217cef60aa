//! Projects are walls: no operation sees or changes what is on the other side.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{World, databases};
use serde_json::{Value, json};

/// What everything in the other project is named; no answer may contain it.
const CROWN: &str = "crown-jewels";

/// The network of the other project.
const NETWORK: &str = "0e3ed5d0-9c38-4eb1-8c5f-0a6b2c9d1a11";

/// A project with something of everything, and the ids by the names of path parameters.
async fn furnished() -> (World, BTreeMap<String, String>) {
    let world = World::start(|_| {}).await;
    assert_eq!(world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await.0, "CS.19000");
    let job = world.create(CROWN, json!({ "desc": CROWN })).await;
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.14000");
    world.wait_for(job, "job_running").await;
    let (_, body) =
        world.call("POST", "/job_template", Some(json!({ "name": CROWN, "sql_body": CROWN }))).await;
    let (cluster, host, peering, route) = cluster(&world).await;
    let topic = format!("/v2/{}/notifications/topics", world.project);
    let topic = world.request_of("POST", &topic, "admin").json(&json!({ "name": CROWN }));
    assert_eq!(topic.send().await.unwrap().status().as_u16(), 201);
    let ids = BTreeMap::from([
        ("job_id".to_string(), job.to_string()),
        ("template_id".to_string(), body["payload"]["template_id"].to_string()),
        ("user_id".to_string(), world.users["ann"].clone()),
        ("cluster_id".to_string(), cluster),
        ("host_id".to_string(), host),
        ("peering_id".to_string(), peering),
        ("route_id".to_string(), route),
    ]);
    (world, ids)
}

/// Makes a cluster with a host, a peering and a route; returns their ids.
async fn cluster(world: &World) -> (String, String, String, String) {
    world.add_network(NETWORK, "192.168.0.0/16").await;
    let (_, body) =
        world.call("POST", "/reserved_cluster", Some(json!({ "name": CROWN, "desc": CROWN }))).await;
    let cluster = body["payload"]["cluster_id"].to_string();
    let path = format!("/reserved_cluster/{cluster}");
    for _ in 0..500 {
        if world.call("GET", &path, None).await.1["payload"]["status_code"] == 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let hosts = json!({ "hosts_info": [{ "hostname": CROWN, "ip": "10.0.0.1" }] });
    let (_, body) = world.call("POST", &format!("{path}/hosts"), Some(hosts)).await;
    let host = body[0]["payload"]["host_id"].to_string();
    let asked = json!({ "name": CROWN, "vpc_id": NETWORK });
    let (_, body) = world.call("POST", &format!("{path}/peering"), Some(asked)).await;
    let peering = body["peering"]["id"].as_str().unwrap_or_else(|| panic!("{body}")).to_string();
    let accept = world.request_of("PUT", &format!("/v2.0/vpc/peerings/{peering}/accept"), "admin");
    assert_eq!(accept.send().await.unwrap().status().as_u16(), 200);
    let destination = json!({ "destination": "192.168.0.0/24" });
    let (_, body) = world.call("POST", &format!("{path}/peering/{peering}/route"), Some(destination)).await;
    let route = body["route"]["id"].as_str().unwrap_or_else(|| panic!("{body}")).to_string();
    (cluster, host, peering, route)
}

/// A body with which an operation would find what it is about, if it looked into the other project.
fn body_of(operation: &str, ids: &BTreeMap<String, String>) -> Value {
    let number = |name: &str| ids[name].parse::<i64>().unwrap();
    match operation {
        "updateSqlJob" | "updateJarJob" => json!({ "job_id": number("job_id"), "desc": "stolen" }),
        "batchRunJobs" | "batchStopJobs" | "batchDeleteJobs" => json!([number("job_id")]),
        "getJobsMetrics" => json!({ "job_ids": [number("job_id")] }),
        "updateJobTemplate" => json!({ "id": number("template_id"), "desc": "stolen" }),
        "submitSqlJob" => json!({
            "name": "mine", "run_mode": "shared_cluster", "sql_body": "", "template_id": number("template_id")
        }),
        "updateUserQuota" => json!({ "spu_quota": 7 }),
        "createAgency" => json!({ "roles": ["obs_adm"] }),
        "updateReservedCluster" => json!({ "desc": "stolen" }),
        "addHostsInfo" => json!({ "hosts_info": [{ "hostname": "stolen", "ip": "10.0.0.2" }] }),
        "updateHostsInfo" => json!({ "hosts_info": { "hostname": "stolen", "ip": "10.0.0.2" } }),
        "createPeering" => json!({ "name": "stolen", "vpc_id": NETWORK }),
        "createRoute" => json!({ "destination": "192.168.1.0/24" }),
        "authorizeBucket" => json!(["bucket2"]),
        _ => json!({}),
    }
}

/// Returns everything that the store keeps of a project, but for what time alone changes.
async fn kept(world: &World) -> String {
    let tables = databases::columns(&world.control).await;
    for table in ["jobs", "users", "cluster_hosts"] {
        assert!(tables.iter().any(|(name, _)| name == table), "{tables:?}");
    }
    let mut kept = String::new();
    for (table, mut columns) in tables {
        let condition = if columns.iter().any(|column| column == "project_id") {
            format!("project_id = '{}'", world.project)
        } else if ["cluster_hosts", "peerings", "routes"].contains(&table.as_str()) {
            // The other project alone has a cluster.
            "true".to_string()
        } else {
            continue;
        };
        columns.retain(|column| !["version", "running_since", "start_time"].contains(&column.as_str()));
        for row in databases::rows(&world.control, &table, &columns, &condition).await {
            kept.push_str(&format!("{table} {row}\n"));
        }
    }
    kept
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_foreign_token_opens_nothing() {
    let (world, ids) = furnished().await;
    let before = kept(&world).await;
    assert!(before.contains(CROWN));
    // Of another project, and of another account.
    let operations = weir_api::cs::operations::ALL.iter();
    for (operation, bearer) in
        operations.flat_map(|operation| [(operation, "foreign"), (operation, "outsider")])
    {
        let (method, path) = common::place_of(weir_api::openapi::document(), operation.id);
        let path =
            common::fill_path(&path, &world.project, &|name| ids.get(name).cloned().unwrap_or("1".into()));
        let request = world.request_of(&method, &path, bearer).json(&body_of(operation.id, &ids));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        // The list of the successor has an error form of its own.
        let code = answer["error_id"].as_str().or(answer["error_code"].as_str()).unwrap_or_default();
        let has_other_type = code == "CS.10003" && method != "get";
        assert!(["CS.10006", "DLI.10006"].contains(&code) || has_other_type, "{}: {answer}", operation.id);
        assert!(!answer.to_string().contains(CROWN), "{}: {answer}", operation.id);
    }
    assert_eq!(kept(&world).await, before);
}

#[tokio::test]
async fn ids_of_another_project_are_ids_of_nothing() {
    let (world, ids) = furnished().await;
    let before = kept(&world).await;
    for operation in weir_api::cs::operations::ALL {
        let (method, path) = common::place_of(weir_api::openapi::document(), operation.id);
        let path = common::fill_path(&path, &world.other_project, &|name| {
            ids.get(name).cloned().unwrap_or("1".into())
        });
        let request = world.request_of(&method, &path, "foreign").json(&body_of(operation.id, &ids));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(!text.contains(CROWN), "{}: {text}", operation.id);
        // Whoever names a job, template or cluster of the other project is told that there is none.
        let names_one = path.contains("/job/")
            || path.contains("/reserved_cluster/")
            || body_of(operation.id, &ids).to_string().contains("id");
        if names_one || operation.id.starts_with("batch") {
            let answer: Value = serde_json::from_str(&text).unwrap();
            let code = answer["error_id"].as_str().unwrap_or_default();
            let unknown = [
                "12004", "13007", "15001", "16001", "17001", "18005", "20005", "10003", "12001", "11029",
                "10004",
            ];
            assert!(
                status == 400 && unknown.iter().any(|number| code == format!("CS.{number}")),
                "{}: {text}",
                operation.id
            );
        }
    }
    assert_eq!(kept(&world).await, before);
}

/// The services beside CS are walled in the same way.
#[tokio::test]
async fn nothing_of_another_project_is_reached_through_the_services_beside() {
    let (world, ids) = furnished().await;
    let before = kept(&world).await;
    for table in ["cluster_hosts", "peerings", "routes", "clusters", "topics", "templates", "jobs"] {
        assert!(before.contains(&format!("{table} ")), "{table}: {before}");
    }
    let (peering, route) = (&ids["peering_id"], &ids["route_id"]);
    let topic = format!("urn:smn:local:{}:{CROWN}", world.project);
    let topics = |project: &str| format!("/v2/{project}/notifications/topics");
    let (own, other) = (topics(&world.other_project), topics(&world.project));
    for (method, path, status) in [
        // The first: the calls after it leave traces of what they ask for.
        ("GET", format!("/v3/{}/traces", world.other_project), 200),
        ("GET", "/v2.0/vpc/peerings".to_string(), 200),
        ("GET", format!("/v2.0/vpc/peerings?id={peering}"), 200),
        ("GET", format!("/v2.0/vpc/peerings/{peering}"), 404),
        ("PUT", format!("/v2.0/vpc/peerings/{peering}"), 404),
        ("PUT", format!("/v2.0/vpc/peerings/{peering}/accept"), 400),
        ("PUT", format!("/v2.0/vpc/peerings/{peering}/reject"), 404),
        ("DELETE", format!("/v2.0/vpc/peerings/{peering}"), 404),
        ("GET", "/v2.0/vpc/routes".to_string(), 200),
        ("GET", format!("/v2.0/vpc/routes/{route}"), 404),
        ("GET", own.clone(), 200),
        ("GET", other.clone(), 403),
        ("GET", format!("{own}/{topic}"), 404),
        ("GET", format!("{own}/{topic}/deliveries"), 404),
        ("POST", format!("{own}/{topic}/publish"), 404),
        ("DELETE", format!("{own}/{topic}"), 404),
        ("DELETE", format!("{other}/{topic}"), 403),
        ("GET", format!("/v3/{}/traces", world.project), 403),
        ("GET", format!("/v2/{}/streams", world.project), 403),
    ] {
        let body = json!({ "peering": { "name": "stolen" }, "message": "stolen" });
        let answer = world.request_of(method, &path, "foreign").json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let text = answer.text().await.unwrap().replace(&topic, "");
        assert!(
            !text.contains(CROWN) && !text.contains(&format!("\"{peering}\"")),
            "{method} {path}: {text}"
        );
    }
    assert_eq!(kept(&world).await, before);
}

/// Accounts are walls of the identity service: an administrator of one is nobody in another.
#[tokio::test]
async fn an_administrator_of_another_account_sees_and_changes_nothing_of_this_one() {
    let (world, _) = furnished().await;
    let (domain, project, ann) = (&world.domain, &world.project, &world.users["ann"]);
    let agencies = "/v3.0/OS-AGENCY/agencies";
    let credentials = "/v3.0/OS-CREDENTIAL/credentials";
    let agency = json!({ "agency": { "name": CROWN, "domain_id": domain, "trust_domain_name": "outside" } });
    let made = world.request_of("POST", agencies, "admin").json(&agency).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let agency = made["agency"]["id"].as_str().unwrap();
    let key = json!({ "credential": { "user_id": ann } });
    let made = world.request_of("POST", credentials, "admin").json(&key).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let access = made["credential"]["access"].as_str().unwrap();
    let group = json!({ "group": { "name": CROWN } });
    let made = world.request_of("POST", "/v3/groups", "admin").json(&group).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let group = made["group"]["id"].as_str().unwrap();
    let before = accounts(&world).await;
    assert!(before.contains(CROWN) && before.contains(access));
    for (method, path, status) in [
        ("GET", format!("/v3/domains/{domain}"), 404),
        ("GET", format!("/v3/users?domain_id={domain}"), 403),
        ("GET", format!("/v3/users/{ann}"), 404),
        ("PATCH", format!("/v3/users/{ann}"), 404),
        ("PUT", format!("/v3/users/{ann}"), 404),
        ("DELETE", format!("/v3/users/{ann}"), 404),
        ("POST", format!("/v3/users/{ann}/password"), 404),
        ("GET", format!("/v3/users/{ann}/projects"), 404),
        ("POST", "/v3/users".to_string(), 403),
        ("POST", "/v3/projects".to_string(), 403),
        ("GET", format!("/v3/projects/{project}"), 404),
        ("GET", format!("/v3/projects/{project}/users/{ann}/roles"), 404),
        ("PUT", format!("/v3/projects/{project}/users/{ann}/roles/te_admin"), 404),
        ("DELETE", format!("/v3/projects/{project}/users/{ann}/roles/cs_user"), 404),
        ("PUT", format!("/v3/domains/{domain}/users/{ann}/roles/te_admin"), 403),
        ("PATCH", format!("/v3/projects/{project}"), 404),
        ("DELETE", format!("/v3/projects/{project}"), 404),
        ("GET", format!("/v3/groups?domain_id={domain}"), 403),
        ("POST", "/v3/groups".to_string(), 403),
        ("GET", format!("/v3/groups/{group}"), 404),
        ("PATCH", format!("/v3/groups/{group}"), 404),
        ("DELETE", format!("/v3/groups/{group}"), 404),
        ("GET", format!("/v3/groups/{group}/users"), 404),
        ("PUT", format!("/v3/groups/{group}/users/{ann}"), 404),
        ("PUT", format!("/v3/projects/{project}/groups/{group}/roles/te_admin"), 404),
        ("PUT", format!("/v3/domains/{domain}/groups/{group}/roles/te_admin"), 404),
        ("GET", format!("/v3/users/{ann}/groups"), 404),
        ("GET", format!("{credentials}?user_id={ann}"), 404),
        ("POST", credentials.to_string(), 404),
        ("GET", format!("{credentials}/{access}"), 404),
        ("PUT", format!("{credentials}/{access}"), 404),
        ("DELETE", format!("{credentials}/{access}"), 404),
        ("GET", format!("{agencies}?domain_id={domain}"), 403),
        ("POST", agencies.to_string(), 403),
        ("GET", format!("{agencies}/{agency}"), 404),
        ("PUT", format!("{agencies}/{agency}"), 404),
        ("DELETE", format!("{agencies}/{agency}"), 404),
        ("PUT", format!("/v3.0/OS-AGENCY/projects/{project}/agencies/{agency}/roles/cs_adm"), 404),
        ("PUT", format!("/v3.0/OS-AGENCY/domains/{domain}/agencies/{agency}/roles/cs_adm"), 404),
    ] {
        let body = json!({
            "user": { "name": "stolen", "password": "stolen-horse", "domain_id": domain },
            "project": { "name": "stolen", "domain_id": domain },
            "group": { "name": "stolen", "domain_id": domain },
            "credential": { "user_id": ann, "status": "inactive" },
            "agency": { "name": "stolen", "domain_id": domain, "trust_domain_name": "outside" },
        });
        let answer = world.request_of(method, &path, "outsider").json(&body).send().await.unwrap();
        let (found, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(found, status, "{method} {path}: {text}");
        assert!(!text.contains(CROWN), "{method} {path}: {text}");
    }
    for path in ["/v3/users", "/v3/projects", "/v3/domains", "/v3/auth/domains"] {
        let text = world.request_of("GET", path, "outsider").send().await.unwrap().text().await.unwrap();
        assert!(!text.contains(domain) && !text.contains(ann), "{path}: {text}");
    }
    assert_eq!(accounts(&world).await, before);
}

/// Returns what is kept of accounts, but for what calls leave behind.
async fn accounts(world: &World) -> String {
    let wanted = [
        "users",
        "projects",
        "assignments",
        "keys",
        "agencies",
        "agency_roles",
        "groups",
        "group_members",
        "group_roles",
    ];
    let mut tables = databases::columns(&world.control).await;
    tables.retain(|(table, _)| table.strip_prefix("account_").is_some_and(|name| wanted.contains(&name)));
    assert_eq!(tables.len(), wanted.len(), "{tables:?}");
    let mut kept = String::new();
    for (table, mut columns) in tables {
        columns.retain(|column| column != "last_used_at");
        for row in databases::rows(&world.control, &table, &columns, "true").await {
            kept.push_str(&format!("{table} {row}\n"));
        }
    }
    kept
}

/// A call in the other project; returns its code and its answer.
async fn call_other(world: &World, method: &str, path: &str, body: Option<Value>) -> (String, Value) {
    let path = format!("/v1.0/{}{path}", world.other_project);
    let mut request = world.request_of(method, &path, "foreign");
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let code = answer["error_id"].as_str().or(answer["message_id"].as_str()).unwrap_or_default();
    (code.to_string(), answer)
}

/// Creates a JAR job in the other project; returns the code.
async fn create_jar(world: &World, cluster: i64, jar_url: &str, config_url: &str) -> String {
    let (cluster, mut form) = (cluster.to_string(), String::new());
    for (name, value) in [
        ("name", "jar1"),
        ("desc", "d"),
        ("cluster_id", cluster.as_str()),
        ("manager_spu", "1"),
        ("spu_number", "3"),
        ("parallel_number", "2"),
        ("job_type", "flink_jar_job"),
        ("jar_url", jar_url),
        ("config_url", config_url),
    ] {
        form += &format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    form += "--limit--\r\n";
    let path = format!("/v1.0/{}/jar_job", world.other_project);
    let request = world.request_of("POST", &path, "foreign").body(form);
    let request = request.header("Content-Type", "multipart/form-data; boundary=limit");
    let answer = request.send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["error_id"].as_str().or(answer["message_id"].as_str()).unwrap().to_string()
}

#[tokio::test]
async fn buckets_of_another_project_are_out_of_reach_of_every_operation() {
    let world = World::start(|_| {}).await;
    assert_eq!(world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await.0, "CS.19000");
    assert_eq!(call_other(&world, "POST", "/obs_authorize", Some(json!(["bucket9"]))).await.0, "CS.19000");
    for bucket in ["bucket1", "bucket2", "nobucket"] {
        let (code, answer) = call_other(&world, "POST", "/obs_authorize", Some(json!([bucket]))).await;
        assert_eq!(
            (code.as_str(), &answer["error_cause"]),
            ("CS.19003", &json!(format!("No bucket is named {bucket}.")))
        );
    }
    // As a release that did not know owners let it.
    sqlx::query("INSERT INTO authorized_buckets (project_id, bucket, user_id, authorized_at) VALUES ($1, 'bucket1', 'u', 0)")
        .bind(&world.other_project)
        .execute(world.control.store().pool())
        .await
        .unwrap();

    let job = |name: &str, more: Value| {
        let mut body = json!({ "name": name, "run_mode": "shared_cluster", "sql_body": common::SQL });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body)
    };
    for (more, code) in [
        (json!({ "log_enabled": true, "obs_bucket": "bucket1" }), "CS.11016"),
        (json!({ "dirty_data_strategy": "2:bucket1/dir" }), "CS.11016"),
        (json!({ "dirty_data_strategy": "2:nobucket/dir" }), "CS.11016"),
        (json!({ "dirty_data_strategy": "2:bucket9/dir" }), "CS.11000"),
    ] {
        let (found, answer) = call_other(&world, "POST", "/sql_job", job("own", more)).await;
        assert_eq!(found, code, "{answer}");
    }
    let (_, answer) = call_other(&world, "POST", "/sql_job", job("own2", json!({}))).await;
    let id = answer["payload"]["job_id"].as_i64().unwrap();
    for change in [json!({ "dirty_data_strategy": "2:bucket1/dir" }), json!({ "obs_bucket": "bucket1" })] {
        let mut body = json!({ "job_id": id });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(call_other(&world, "PATCH", "/sql_job", Some(body)).await.0, "CS.11016");
    }
    let savepoint = json!({ "savepoint_path": "bucket1/savepoints/good" });
    let (code, answer) =
        call_other(&world, "POST", &format!("/job/{id}/import_savepoint"), Some(savepoint)).await;
    assert_eq!(code, "CS.11016", "{answer}");
    let export = json!({ "obs_dir": "bucket1/out", "is_selected": false });
    assert_eq!(call_other(&world, "POST", "/jobs/export", Some(export)).await.0, "CS.11016");
    let import = json!({ "zip_file": "bucket1/other.zip", "is_cover": true });
    assert_eq!(call_other(&world, "POST", "/jobs/import", Some(import)).await.0, "CS.11016");

    // What an earlier release stored does not run, and tells nothing.
    for values in [
        json!({ "obs_bucket": "bucket1", "log_enabled": true }),
        json!({ "obs_bucket": null, "log_enabled": false, "dirty_data_strategy": "2:bucket1/dir" }),
    ] {
        databases::redefine(&world.control, "jobs", values).await;
        let (code, answer) = call_other(&world, "POST", &format!("/job/{id}/run"), None).await;
        assert_eq!(code, "CS.13004", "{answer}");
        let (code, _) = call_other(&world, "POST", &format!("/job/{id}/logs/aggregate"), None).await;
        assert!(["CS.11037", "CS.11038"].contains(&code.as_str()), "{code}");
    }
    databases::redefine(&world.control, "jobs", json!({ "dirty_data_strategy": null })).await;
    assert_eq!(call_other(&world, "POST", &format!("/job/{id}/run"), None).await.0, "CS.14000");
    let reach: Vec<String> = world.runner.started(id).buckets.into_iter().collect();
    assert_eq!(reach, ["bucket9"], "whatever its text says");
}

#[tokio::test]
async fn a_jar_of_another_project_is_none() {
    let world = World::start(|_| {}).await;
    let cluster = json!({ "name": "c1", "maximum_spu_quota": 10 });
    let (_, answer) = call_other(&world, "POST", "/reserved_cluster", Some(cluster)).await;
    let cluster = answer["payload"]["cluster_id"].as_i64().unwrap();
    for _ in 0..500 {
        let (_, answer) = call_other(&world, "GET", &format!("/reserved_cluster/{cluster}"), None).await;
        if answer["payload"]["status_code"] == 5 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let own = world.directory.path().join("objects/bucket9");
    std::fs::write(own.join("a.jar"), "a").unwrap();
    std::fs::write(own.join("x.conf"), "k=v").unwrap();
    let missing = create_jar(&world, cluster, "bucket9/none.jar", "bucket9/x.conf").await;
    assert_eq!(create_jar(&world, cluster, "bucket1/jars/one/a.jar", "bucket9/x.conf").await, missing);
    assert_eq!(create_jar(&world, cluster, "bucket1/jars/many", "bucket9/x.conf").await, missing);
    let missing = create_jar(&world, cluster, "bucket9/a.jar", "bucket9/none.conf").await;
    assert_eq!(create_jar(&world, cluster, "bucket9/a.jar", "bucket1/conf/x.conf").await, missing);
    assert_eq!(create_jar(&world, cluster, "bucket9/a.jar", "bucket9/x.conf").await, "CS.11000");
    let job = json!({
        "name": "udf", "run_mode": "exclusive_cluster", "cluster_id": cluster, "sql_body": "",
        "udf_jar_url": "bucket1/jars/one/a.jar"
    });
    assert_eq!(call_other(&world, "POST", "/sql_job", Some(job)).await.0, missing_udf(&world, cluster).await);
}

/// The code for a JAR of functions that is not there.
async fn missing_udf(world: &World, cluster: i64) -> String {
    let job = json!({
        "name": "udf", "run_mode": "exclusive_cluster", "cluster_id": cluster, "sql_body": "",
        "udf_jar_url": "bucket9/none.jar"
    });
    let (code, answer) = call_other(world, "POST", "/sql_job", Some(job)).await;
    assert_ne!(code, "CS.11000", "{answer}");
    code
}
