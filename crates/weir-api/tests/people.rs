//! People and records behind the API: what needs many calls, a fault behind it, or a look into the store.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::{World, databases};
use serde_json::{Value, json};
use weir_base::id::ProjectId;
use weir_cloud::identity::{AssignmentTarget, NewAgency, Standing};

async fn world() -> World {
    World::start(|_| {}).await
}

/// Calls the identity API as the administrator; returns status and body.
async fn iam(world: &World, method: &str, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", world.base_url);
    let request = reqwest::Client::new().request(method.parse().unwrap(), url);
    let answer = request.header("X-Auth-Token", world.tokens["admin"].as_str()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn agency_id(world: &World) -> String {
    let agencies = world.identity.agencies(&world.domain).await.unwrap();
    agencies.into_iter().next().unwrap().id
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_project_has_at_most_a_hundred_templates() {
    let world = world().await;
    for number in 0..100 {
        let (code, body) =
            world.call("POST", "/job_template", Some(json!({ "name": format!("t{number}") }))).await;
        assert_eq!(code, "CS.18020", "{body}");
    }
    assert_eq!(world.call("POST", "/job_template", Some(json!({ "name": "more" }))).await.0, "CS.18003");
    assert_eq!(world.call("POST", "/job_template", Some(json!({ "name": "t1" }))).await.0, "CS.18002");
    assert_eq!(world.call("DELETE", "/job_template/1", None).await.0, "CS.18022");
    assert_eq!(world.call("POST", "/job_template", Some(json!({ "name": "more" }))).await.0, "CS.18020");
    let (_, body) = world.call("GET", "/job_templates", None).await;
    assert_eq!(
        (&body["payload"]["total"], body["payload"]["templates"].as_array().unwrap().len()),
        (&json!(100), 10)
    );
}

#[tokio::test]
async fn a_quota_that_cannot_be_written() {
    let world = world().await;
    databases::refuse(&world.control, "INSERT", "users", "true").await;
    let path = format!("/user_quota/{}", world.users["ann"]);
    let (code, body) = world.call("PATCH", &path, Some(json!({ "spu_quota": 5 }))).await;
    assert_eq!(code, "CS.21999");
    assert!(body["error_cause"].as_str().unwrap().contains(databases::REFUSAL), "{body}");
    assert_eq!(world.call("GET", &path, None).await.1["payload"]["spu_quota"], 1_000);
}

#[tokio::test]
async fn quotas_that_cannot_be_read() {
    let world = world().await;
    let path = format!("/user_quota/{}", world.users["ann"]);
    databases::run(&world.control, "ALTER TABLE users RENAME TO elsewhere").await;
    for path in ["/user_quotas", &path] {
        assert_eq!(world.call("GET", path, None).await.0, "CS.26500", "{path}");
    }
    databases::run(&world.control, "ALTER TABLE elsewhere RENAME TO users").await;
    databases::run(&world.control, "DROP INDEX jobs_name").await;
    databases::run(&world.control, "ALTER TABLE jobs RENAME TO gone").await;
    // What is used is not known, so that it cannot be compared.
    assert_eq!(world.call("PATCH", &path, Some(json!({ "spu_quota": 5 }))).await.0, "CS.26500");
}

#[tokio::test]
async fn an_audit_that_cannot_be_read() {
    let world = world().await;
    databases::run(&world.control, "ALTER TABLE audit_records RENAME TO gone").await;
    assert_eq!(world.call("GET", "/audit_logs?resource_type=job", None).await.0, "CS.24010");
    let (status, body) = iam(&world, "GET", &format!("/v3/{}/traces", world.project)).await;
    assert_eq!((status, &body["error_code"]), (400, &json!("CTS.0300")));
}

#[tokio::test]
async fn totals_that_cannot_be_computed() {
    let world = world().await;
    databases::run(&world.control, "DROP INDEX jobs_name").await;
    databases::run(&world.control, "ALTER TABLE jobs RENAME TO gone").await;
    assert_eq!(world.call("GET", "/overview", None).await.0, "CS.25001");
}

#[tokio::test]
async fn failed_jobs_are_exceptions_and_incidents() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    let (_, body) = world.call("GET", "/overview", None).await;
    assert_eq!(body["payload"]["job_overview"]["running_job_count"], 1);
    world.runner.kill(job, "the disk is full");
    world.wait_for(job, "job_running_exception").await;
    let (_, body) = world.call("GET", "/overview", None).await;
    assert_eq!(body["payload"]["job_overview"]["exception_job_count"], 1);
    let (_, body) = world.call("GET", "/audit_logs?resource_type=job&limit=1", None).await;
    let trace = &body["payload"]["traces"][0];
    assert_eq!(
        (&trace["event_name"], &trace["event_rating"]),
        (&json!("failJob"), &json!("incident")),
        "{body}"
    );
    assert!(trace["op_result"].as_str().unwrap().contains("the disk is full"), "{body}");
}

#[tokio::test]
async fn an_agency_that_was_deleted_is_missed_and_made_again() {
    let world = world().await;
    let id = agency_id(&world).await;
    let (status, _) = iam(&world, "DELETE", &format!("/v3.0/OS-AGENCY/agencies/{id}")).await;
    assert_eq!(status, 204);
    assert_eq!(world.call("GET", "/agency", None).await.0, "CS.19007");
    let (code, body) = world.call("POST", "/agency", Some(json!({ "roles": ["smn_adm", "obs_adm"] }))).await;
    assert_eq!(
        (code.as_str(), &body["payload"]["current_roles"]),
        ("CS.19012", &json!(["obs_adm", "smn_adm"]))
    );
    // Registering leaves alone what is there.
    assert_eq!(world.call("POST", "/user_register", None).await.0, "CS.10000");
    let (_, body) = world.call("GET", "/agency", None).await;
    assert_eq!(body["payload"]["current_roles"], json!(["obs_adm", "smn_adm"]));
    let id = agency_id(&world).await;
    assert_eq!(iam(&world, "DELETE", &format!("/v3.0/OS-AGENCY/agencies/{id}")).await.0, 204);
    assert_eq!(world.call("POST", "/user_register", None).await.0, "CS.10000");
    let (_, body) = world.call("GET", "/agency", None).await;
    assert_eq!(body["payload"]["current_roles"].as_array().unwrap().len(), 6, "{body}");
}

#[tokio::test]
async fn roles_of_the_agency_are_given_and_taken_in_projects_and_everywhere() {
    let world = world().await;
    let id = agency_id(&world).await;
    let role = |role: &str| format!("/v3.0/OS-AGENCY/projects/{}/agencies/{id}/roles/{role}", world.project);
    for name in ["smn_adm", "te_admin"] {
        assert_eq!(iam(&world, "HEAD", &role(name)).await.0, 204);
        assert_eq!(iam(&world, "DELETE", &role(name)).await.0, 204);
        assert_eq!(iam(&world, "HEAD", &role(name)).await.0, 404);
        assert_eq!(iam(&world, "DELETE", &role(name)).await.0, 404);
    }
    let everywhere = format!("domains/{}/agencies/{id}/roles/smn_adm", world.domain);
    let path = format!("/v3.0/OS-INHERIT/{everywhere}/inherited_to_projects");
    assert_eq!(iam(&world, "PUT", &path).await.0, 204);
    assert_eq!(iam(&world, "HEAD", &format!("/v3.0/OS-AGENCY/{everywhere}")).await.0, 204);
    let (_, body) = world.call("GET", "/agency", None).await;
    assert_eq!(
        body["payload"]["current_roles"],
        json!(["obs_adm", "dis_adm", "ctable_adm", "vpc_netadm", "smn_adm"])
    );
}

#[tokio::test]
async fn an_account_has_at_most_ten_agencies() {
    let world = world().await;
    let service = agency_id(&world).await;
    for number in 1..10 {
        let new = NewAgency {
            domain_id: world.domain.clone(),
            name: format!("a{number}"),
            trust_domain: "other".into(),
            description: String::new(),
        };
        world.identity.create_agency(new).await.unwrap();
    }
    let more = NewAgency {
        domain_id: world.domain.clone(),
        name: "more".into(),
        trust_domain: "other".into(),
        description: String::new(),
    };
    assert!(world.identity.create_agency(more.clone()).await.is_err());
    world.identity.delete_agency(&world.domain, &service).await.unwrap();
    world.identity.create_agency(more).await.unwrap();
    assert_eq!(world.call("POST", "/agency", Some(json!({ "roles": ["obs_adm"] }))).await.0, "CS.19011");
    assert_eq!(world.call("POST", "/user_register", None).await.0, "CS.19011");
}

#[tokio::test]
async fn an_agency_that_cannot_be_made_or_given_roles() {
    let world = world().await;
    let id = agency_id(&world).await;
    let roles = json!({ "roles": ["obs_adm"] });
    world.identity.delete_agency(&world.domain, &id).await.unwrap();
    let refusal = databases::refuse(&world.control, "INSERT", "account_agencies", "true").await;
    assert_eq!(world.call("POST", "/agency", Some(roles.clone())).await.0, "CS.19008");
    assert_eq!(world.call("POST", "/user_register", None).await.0, "CS.19008");
    databases::accept(&world.control, refusal).await;
    let refusal = databases::refuse(&world.control, "INSERT", "account_agency_roles", "true").await;
    assert_eq!(world.call("POST", "/agency", Some(roles.clone())).await.0, "CS.19009");
    assert_eq!(world.call("POST", "/user_register", None).await.0, "CS.19009");
    assert_eq!(world.identity.agencies(&world.domain).await.unwrap(), [], "none without its roles is left");
    databases::accept(&world.control, refusal).await;
    let refusal =
        databases::refuse(&world.control, "INSERT", "audit_records", "NEW.event_rating = 'normal'").await;
    assert_eq!(world.call("POST", "/agency", Some(roles.clone())).await.0, "CS.10015");
    databases::accept(&world.control, refusal).await;
    assert_eq!(
        world.identity.agencies(&world.domain).await.unwrap(),
        [],
        "agency, roles and record, or nothing"
    );
    // Registering makes user, agency and record, or nothing.
    for (table, condition) in [("users", "true"), ("audit_records", "NEW.event_rating = 'normal'")] {
        let refusal = databases::refuse(&world.control, "INSERT", table, condition).await;
        assert_eq!(world.call("POST", "/user_register", None).await.0, "CS.26500", "{table}");
        databases::accept(&world.control, refusal).await;
        assert_eq!(world.identity.agencies(&world.domain).await.unwrap(), [], "{table}");
        let registered = world.control.store().spu_quotas(&ProjectId(world.project.clone())).await.unwrap();
        assert!(registered.is_empty(), "{table}: {registered:?}");
    }
    let (code, body) = world.call("POST", "/agency", Some(roles)).await;
    assert_eq!((code.as_str(), &body["payload"]["current_roles"]), ("CS.19012", &json!(["obs_adm"])));
}

#[tokio::test]
async fn an_archive_without_a_record_is_taken_away_and_nothing_is_settled_without_one() {
    let world = world().await;
    assert_eq!(world.call("POST", "/obs_authorize", Some(json!(["bucket1"]))).await.0, "CS.19000");
    world.create("j1", json!({})).await;
    let export = json!({ "obs_dir": "bucket1/out", "is_selected": false });
    let out = world.directory.path().join("objects/bucket1/out");
    let exported = || std::fs::read_dir(&out).map_or(0, |files| files.count());
    let refusal =
        databases::refuse(&world.control, "INSERT", "audit_records", "NEW.event_rating = 'normal'").await;
    assert_eq!(world.call("POST", "/jobs/export", Some(export.clone())).await.0, "CS.26500");
    assert_eq!(exported(), 0);
    assert_eq!(world.call("POST", "/billing/settle", None).await.0, "CS.26500");
    databases::accept(&world.control, refusal).await;
    assert_eq!(world.call("POST", "/jobs/export", Some(export)).await.0, "CS.11042");
    assert_eq!(exported(), 1);
}

#[tokio::test]
async fn a_job_with_a_topic_needs_the_agency() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    databases::redefine(&world.control, "jobs", json!({ "smn_topic": "gone" })).await;
    let run = format!("/job/{job}/run");
    let batch = async || world.call("POST", "/job/run", Some(json!([job]))).await.0;
    assert_eq!(world.call("POST", &run, None).await.0, "CS.11032", "the agency is there; the topic is not");
    assert_eq!(batch().await, "CS.11032");
    let agency = world.identity.agency(&world.domain, &agency_id(&world).await).await.unwrap();
    let project = AssignmentTarget::Project(world.project.clone());
    world.identity.take_from_agency(&agency, project, "smn_adm").await.unwrap();
    let (code, body) = world.call("POST", &run, None).await;
    assert_eq!(code, "CS.19010");
    assert!(body["error_cause"].as_str().unwrap().contains("smn_adm"), "{body}");
    assert_eq!(batch().await, "CS.19010");
    world.identity.delete_agency(&world.domain, &agency.id).await.unwrap();
    assert_eq!(world.call("POST", &run, None).await.0, "CS.19007");
    assert_eq!(batch().await, "CS.19007");
    // A job without a topic does not need it.
    databases::redefine(&world.control, "jobs", json!({ "smn_topic": null })).await;
    assert_eq!(world.call("POST", &run, None).await.0, "CS.14000");
}

#[tokio::test]
async fn an_account_without_a_verified_name_creates_nothing_and_a_restricted_one_runs_nothing() {
    let world = world().await;
    let job = world.create("j1", json!({})).await;
    let set = async |real_name_verified, restricted| {
        world
            .identity
            .set_standing(&world.domain, Standing { real_name_verified, restricted }, &[])
            .await
            .unwrap();
    };
    set(false, false).await;
    // The account comes before the body.
    assert_eq!(world.call("POST", "/sql_job", Some(json!([]))).await.0, "CS.10016");
    assert_eq!(world.call("POST", "/reserved_cluster", Some(json!([]))).await.0, "CS.10016");
    let form = world.request("POST", "/jar_job", "admin").body("--limit--\r\n");
    let form = form.header("Content-Type", "multipart/form-data; boundary=limit").send().await.unwrap();
    assert_eq!(form.json::<Value>().await.unwrap()["error_id"], "CS.10016");
    assert_eq!(world.call("GET", "/jobs", None).await.0, "CS.23000");
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.14000");
    set(true, true).await;
    assert_eq!(world.call("POST", &format!("/job/{job}/stop"), None).await.0, "CS.15000");
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.10014");
    assert_eq!(world.call("POST", "/job/run", Some(json!([job]))).await.0, "CS.10014");
    assert_eq!(world.call("PATCH", "/reserved_cluster/1", Some(json!({}))).await.0, "CS.10014");
    assert_eq!(world.call("POST", "/reserved_cluster/1/restart", None).await.0, "CS.10014");
    world.create("j2", json!({})).await;
    set(true, false).await;
    world.wait_for(job, "job_cancel_success").await;
    assert_eq!(world.call("POST", &format!("/job/{job}/run"), None).await.0, "CS.14000");
}

#[tokio::test]
async fn every_call_that_changes_something_leaves_a_record_when_it_is_refused() {
    let world = world().await;
    let description = weir_api::openapi::document();
    let mut recorded = 0;
    for operation in weir_api::cs::operations::ALL {
        let (method, path) = common::place_of(description, operation.id);
        // A report of an edge node changes nothing while no edge job runs.
        let reads = method == "get" || ["getJobsMetrics", "reportEdgeJobStatus"].contains(&operation.id);
        assert_eq!(operation.event.is_none(), reads, "{}", operation.id);
        let Some((event, resource_type)) = operation.event else { continue };
        // The stranger has a token of the project and no role.
        let path = common::fill_path(&path, &world.project, &|_| "1".to_string());
        let request = world.request_of(&method, &path, "stranger").json(&json!({}));
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let records = world.audits().await;
        if body["error_id"] == "CS.10003" {
            // What is no JSON is refused before anybody knows who calls.
            assert_eq!(records.len(), recorded, "{}", operation.id);
            continue;
        }
        assert_eq!(body["error_id"], "CS.10005", "{}: {body}", operation.id);
        recorded += 1;
        assert_eq!(records.len(), recorded, "{}", operation.id);
        let newest = &records[0];
        assert_eq!((newest.event_name.as_str(), newest.resource_type.as_str()), (event, resource_type));
        assert_eq!((newest.event_rating.as_str(), newest.user_name.as_str()), ("warning", "stranger"));
        assert!(newest.op_result.starts_with("CS.10005::NO_PERMISSION:: "), "{}", newest.op_result);
        assert_eq!(newest.source_ip, "127.0.0.1");
        assert!(!newest.request_id.is_empty());
    }
    assert!(recorded > 10);
}
