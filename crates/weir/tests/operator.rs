//! What operators say with commands on the machine of the service is in force at once.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

use std::path::Path;
use std::process::Command;

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
async fn accounts_may_start_what_the_operator_lets_them() {
    let (service, client) = service().await;
    let accounts = listed(&service, &["account", "list", "--output", "json"]);
    let [account] = accounts.as_slice() else { panic!("{accounts:?}") };
    let name = account["name"].as_str().unwrap();
    assert_eq!((&account["real_name_verified"], &account["restricted"]), (&json!(true), &json!(false)));
    let table = service.command(&["account", "list"]).unwrap();
    assert!(table.contains("real name verified") && table.contains(name), "{table}");

    let job = |name: &str| {
        json!({"name": name, "run_mode": "shared_cluster",
            "sql_body": "CREATE SOURCE STREAM s (a INT) WITH (type='datagen', number_of_rows='1');\n\
                CREATE SINK STREAM t (a INT) WITH (type='blackhole');\nINSERT INTO t SELECT a FROM s;"})
    };
    service.command(&["account", "set", name, "--real-name-verified", "false"]).unwrap();
    let refused = client.create_job(&job("a")).await.unwrap_err().to_string();
    assert!(refused.contains("CS.10016"), "{refused}");
    // The two flags do not touch each other.
    service.command(&["account", "set", name, "--restricted", "true"]).unwrap();
    let accounts = listed(&service, &["account", "list", "--output", "json"]);
    assert_eq!(
        (&accounts[0]["real_name_verified"], &accounts[0]["restricted"]),
        (&json!(false), &json!(true))
    );

    service.command(&["account", "set", name, "--real-name-verified", "true"]).unwrap();
    let created = client.create_job(&job("a")).await.unwrap();
    let refused = client.run_job(created).await.unwrap_err().to_string();
    assert!(refused.contains("CS.10014"), "{refused}");
    service.command(&["account", "set", name, "--restricted", "false"]).unwrap();
    client.run_job(created).await.unwrap();

    let nothing = service.command(&["account", "set", name]).unwrap_err().to_string();
    assert!(nothing.contains("--real-name-verified or --restricted"), "{nothing}");
    let unknown =
        service.command(&["account", "set", "nobody", "--restricted", "true"]).unwrap_err().to_string();
    assert!(unknown.contains(&format!("there is no account `nobody`; there are `{name}`")), "{unknown}");
}

#[test]
fn a_directory_without_a_service_has_no_accounts() {
    let place = tempfile::tempdir().unwrap();
    let output = Command::new(WEIR).args(["account", "list"]).current_dir(&place).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("start `weir serve` there once"), "{said}");
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0, "a look must leave nothing behind");
}
