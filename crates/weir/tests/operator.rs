//! What operators say with commands on the machine of the service is in force at once.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::service::{Client, Service, ServiceOptions};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

async fn service() -> (Service, Client) {
    let service = Service::start(Path::new(WEIR), ServiceOptions::default()).unwrap();
    let client = Client::log_in(&service.endpoint().unwrap(), service.password()).await.unwrap();
    (service, client)
}

fn listed(service: &Service, arguments: &[&str]) -> Vec<Value> {
    serde_json::from_str(&service.command(arguments).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_has_an_administrator_of_its_own() {
    let (service, _) = service().await;
    let create = ["operate", "account", "create", "firm", "--output", "json"];
    let made: Value = serde_json::from_str(&service.command(&create).unwrap()).unwrap();
    assert_eq!(
        (&made["account"], &made["user"], &made["project"]),
        (&json!("firm"), &json!("admin"), &json!("local"))
    );
    let again = service.command(&create).unwrap_err().to_string();
    assert!(again.contains("an account `firm` exists already"), "{again}");
    let taken = service.command(&["operate", "account", "create", "op_svc_cs"]).unwrap_err().to_string();
    assert!(taken.contains("the service itself"), "{taken}");

    let endpoint = service.endpoint().unwrap();
    let log_in = async |domain: &str, password: &Value| {
        let user = json!({ "name": "admin", "password": password, "domain": { "name": domain } });
        let identity = json!({ "methods": ["password"], "password": { "user": user } });
        let auth = json!({ "identity": identity, "scope": { "project": { "name": "local" } } });
        let request = reqwest::Client::new().post(format!("{endpoint}/v3/auth/tokens"));
        request.json(&json!({ "auth": auth })).send().await.unwrap()
    };
    let answer = log_in("firm", &made["password"]).await;
    assert_eq!(answer.status().as_u16(), 201);
    let said: Value = answer.json().await.unwrap();
    assert_eq!(said["token"]["project"]["id"], made["project_id"]);
    assert_eq!(log_in("weir", &made["password"]).await.status().as_u16(), 401);
    // Who names no account is of the first one, as before.
    Client::log_in(&endpoint, service.password()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_may_start_what_the_operator_lets_them() {
    let (service, client) = service().await;
    let accounts = listed(&service, &["operate", "account", "list", "--output", "json"]);
    let [account] = accounts.as_slice() else { panic!("{accounts:?}") };
    let name = account["name"].as_str().unwrap();
    assert_eq!((&account["real_name_verified"], &account["restricted"]), (&json!(true), &json!(false)));
    let table = service.command(&["operate", "account", "list"]).unwrap();
    assert!(table.contains("real name verified") && table.contains(name), "{table}");

    let job = |name: &str| {
        json!({"name": name, "run_mode": "shared_cluster",
            "sql_body": "CREATE SOURCE STREAM s (a INT) WITH (type='datagen', number_of_rows='1');\n\
                CREATE SINK STREAM t (a INT) WITH (type='blackhole');\nINSERT INTO t SELECT a FROM s;"})
    };
    service.command(&["operate", "account", "set", name, "--real-name-verified", "false"]).unwrap();
    let refused = client.create_job(&job("a")).await.unwrap_err().to_string();
    assert!(refused.contains("CS.10016"), "{refused}");
    // The two flags do not touch each other.
    service.command(&["operate", "account", "set", name, "--restricted", "true"]).unwrap();
    let accounts = listed(&service, &["operate", "account", "list", "--output", "json"]);
    assert_eq!(
        (&accounts[0]["real_name_verified"], &accounts[0]["restricted"]),
        (&json!(false), &json!(true))
    );

    service.command(&["operate", "account", "set", name, "--real-name-verified", "true"]).unwrap();
    let created = client.create_job(&job("a")).await.unwrap();
    let refused = client.run_job(created).await.unwrap_err().to_string();
    assert!(refused.contains("CS.10014"), "{refused}");
    service.command(&["operate", "account", "set", name, "--restricted", "false"]).unwrap();
    client.run_job(created).await.unwrap();

    service.command(&["operate", "account", "top-up", name, "7.25"]).unwrap();
    service.command(&["operate", "account", "top-up", name, "0.1"]).unwrap();
    let accounts = listed(&service, &["operate", "account", "list", "--output", "json"]);
    assert_eq!(accounts[0]["balance"], "7.35");
    for amount in ["0", "-1", "0.0000001", "much"] {
        assert!(service.command(&["operate", "account", "top-up", name, "--", amount]).is_err(), "{amount}");
    }

    let nothing = service.command(&["operate", "account", "set", name]).unwrap_err().to_string();
    assert!(nothing.contains("--real-name-verified or --restricted"), "{nothing}");
    let unknown = service
        .command(&["operate", "account", "set", "nobody", "--restricted", "true"])
        .unwrap_err()
        .to_string();
    assert!(unknown.contains(&format!("there is no account `nobody`; there are `{name}`")), "{unknown}");
}

/// Returns what the operator did last according to the trace list: event, service, type, name.
async fn newest_of_operator(client: &Client) -> [String; 4] {
    let path = format!("/v3/{}/traces?user=operator&limit=1", client.project());
    let answer = client.send(Method::GET, &path, None).await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let trace = &body["traces"][0];
    assert_eq!((&trace["trace_type"], &trace["code"]), (&json!("SystemAction"), &json!("200")), "{body}");
    ["trace_name", "service_type", "resource_type", "resource_name"]
        .map(|name| trace[name].as_str().unwrap().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_does_is_on_record_in_the_projects_that_it_is_about() {
    let (service, client) = service().await;
    let accounts = listed(&service, &["operate", "account", "list", "--output", "json"]);
    let account = accounts[0]["name"].as_str().unwrap();
    let steps: [(&[&str], [&str; 4]); 7] = [
        (&["operate", "account", "top-up", account, "1"], ["topUpAccount", "CS", "account", ""]),
        (
            &["operate", "account", "set", account, "--restricted", "false"],
            ["setAccount", "CS", "account", ""],
        ),
        (&["operate", "network", "add", "n1", "192.168.0.0/16"], ["addNetwork", "VPC", "network", "n1"]),
        (&["bucket", "create", "b-1"], ["createBucket", "OBS", "bucket", "b-1"]),
        (&["bucket", "own", "b-1"], ["giveBucket", "OBS", "bucket", "b-1"]),
        (&["bucket", "rm", "obs://b-1", "--yes"], ["deleteBucket", "OBS", "bucket", "b-1"]),
        (&["operate", "tracker", "on"], ["updateTracker", "CTS", "tracker", "system"]),
    ];
    for (command, told) in steps {
        service.command(command).unwrap();
        assert_eq!(newest_of_operator(&client).await, told.map(str::to_string), "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_of_a_project_is_read_while_its_tracker_is_on() {
    let (service, client) = service().await;
    let trackers = || listed(&service, &["operate", "tracker", "list", "--output", "json"]);
    assert_eq!((trackers()[0]["tracker"].clone(), trackers().len()), (json!("on"), 1));
    let path = format!("/v1.0/{}/audit_logs?resource_type=job", client.project());
    let code = async || {
        let answer = client.send(Method::GET, &path, None).await.unwrap();
        let body: Value = answer.json().await.unwrap();
        body["error_id"].as_str().or(body["message_id"].as_str()).unwrap().to_string()
    };
    assert_eq!(code().await, "CS.24000");
    service.command(&["operate", "tracker", "off"]).unwrap();
    assert_eq!(code().await, "CS.24003");
    assert_eq!(trackers()[0]["tracker"], "off");
    assert!(service.command(&["operate", "tracker", "list"]).unwrap().contains("off"));
    service.command(&["operate", "tracker", "on"]).unwrap();
    assert_eq!(code().await, "CS.24000");
}

#[test]
fn a_directory_without_a_service_has_no_accounts() {
    let place = tempfile::tempdir().unwrap();
    let output =
        Command::new(WEIR).args(["operate", "account", "list"]).current_dir(&place).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("start `weir serve` there once"), "{said}");
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0, "a look must leave nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_paid_for_by_subscription_stay_as_they_are() {
    let (service, client) = service().await;
    let clusters = "/v1.0/{project}/reserved_cluster";
    let body = json!({ "name": "c1", "maximum_spu_quota": 20 });
    let made = client.call(Method::POST, clusters, Some(&body)).await.unwrap();
    let id = made["payload"]["cluster_id"].to_string();
    let listed = listed(&service, &["operate", "cluster", "list", "--output", "json"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["spus"], &listed[0]["billing"]),
        (&json!("c1"), &json!(20), &json!("pay-per-use"))
    );
    service.command(&["operate", "cluster", "billing", &id, "yearly-monthly"]).unwrap();
    let table = service.command(&["operate", "cluster", "list"]).unwrap();
    assert!(table.contains("c1") && table.contains("yearly-monthly"), "{table}");
    let one = format!("{clusters}/{id}");
    let refused = client.call(Method::DELETE, &one, None).await.unwrap_err().to_string();
    assert!(refused.contains("CS.20027"), "{refused}");
    let until = |day: &str| {
        service.command(&["operate", "cluster", "billing", &id, "yearly-monthly", "--until", day])
    };
    until("2100-01-01").unwrap();
    let table = service.command(&["operate", "cluster", "list"]).unwrap();
    assert!(table.contains("2100-01-01 00:00:00"), "{table}");
    for (day, reason) in [("2020-01-01", "in the future"), ("tomorrow", "is no day such as")] {
        let refused = until(day).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    let paid =
        ["operate", "cluster", "billing", &id, "yearly-monthly", "--until", "2100-01-01", "--amount", "5"];
    let refused = service.command(&paid).unwrap_err().to_string();
    assert!(refused.contains("does not meter"), "{refused}");
    service.command(&["operate", "cluster", "billing", &id, "pay-per-use"]).unwrap();
    client.call(Method::DELETE, &one, None).await.unwrap();
    let unknown =
        service.command(&["operate", "cluster", "billing", "99", "pay-per-use"]).unwrap_err().to_string();
    assert!(unknown.contains("there is no cluster 99"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_peered_with_networks_while_these_are_there() {
    let (service, client) = service().await;
    let network =
        service.command(&["operate", "network", "add", "n1", "192.168.0.0/16"]).unwrap().trim().to_string();
    let again = service.command(&["operate", "network", "add", "n1", "10.0.0.0/8"]).unwrap_err().to_string();
    assert!(again.contains("has a network of this name already"), "{again}");
    let wrong =
        service.command(&["operate", "network", "add", "n2", "192.168.0.1/16"]).unwrap_err().to_string();
    assert!(wrong.contains("`192.168.0.1/16` is no network"), "{wrong}");
    let networks = listed(&service, &["operate", "network", "list", "--output", "json"]);
    assert_eq!(networks, [json!({ "id": network, "name": "n1", "cidr": "192.168.0.0/16" })]);

    let clusters = "/v1.0/{project}/reserved_cluster";
    let made = client.call(Method::POST, clusters, Some(&json!({ "name": "c1" }))).await.unwrap();
    let one = format!("{clusters}/{}", made["payload"]["cluster_id"]);
    wait_until_it_runs(&client, &one).await;
    let peerings = format!("{one}/peering");
    let asked = json!({ "name": "p1", "vpc_id": network });
    let answer = client.call(Method::POST, &peerings, Some(&asked)).await.unwrap();
    assert_eq!(answer["peering"]["status"], "PENDING_ACCEPTANCE");
    service.command(&["operate", "network", "remove", "n1", "--yes"]).unwrap();
    assert_eq!(client.call(Method::GET, &peerings, None).await.unwrap(), json!({ "peerings": [] }));
    let gone = service.command(&["operate", "network", "remove", "n1", "--yes"]).unwrap_err().to_string();
    assert!(gone.contains("has no network `n1`"), "{gone}");
    let table = service.command(&["operate", "network", "list"]).unwrap();
    assert!(table.contains("addresses") && !table.contains("n1"), "{table}");
}

async fn wait_until_it_runs(client: &Client, cluster: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = client.call(Method::GET, cluster, None).await.unwrap();
        if answer["payload"]["status_name"] == "cluster_running" {
            return;
        }
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
