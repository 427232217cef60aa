//! Buckets of another Weir: sinks, checkpoints and savepoints go through its S3 endpoint.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::json;
use weir_testkit::service::{Client, Service, ServiceOptions};

use crate::plan::{Plan, Strike};
use crate::world::{CATCH_UP, World, in_world_with};

/// Records of the input, which two readers take in twelve seconds.
const RECORDS: u32 = 120_000;

/// Two sinks choose names in the same directory, so that each must reserve its own.
const JOB: &str = r#"
CREATE SOURCE STREAM records (id BIGINT) WITH (
  type = "obs", region = "local", bucket = "far", object_name = "in/",
  encode = "csv", field_delimiter = ",", row_delimiter = "\n", rows_per_second = "5000");
CREATE SINK STREAM even (id BIGINT) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "far/out", file_prefix = "part", rolling_size = "1m", max_record_num_per_file = "14000", dump_interval = "2");
CREATE SINK STREAM odd (id BIGINT) WITH (
  type = "obs", region = "local", encode = "csv", field_delimiter = ",", row_delimiter = "\n",
  obs_dir = "far/out", file_prefix = "part", rolling_size = "1m", max_record_num_per_file = "14000", dump_interval = "2");
INSERT INTO even SELECT id FROM records WHERE MOD(id, 2) = 0;
INSERT INTO odd SELECT id FROM records WHERE MOD(id, 2) = 1;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_another_weir_keep_every_record_exactly_once() {
    let plan = Plan::from_environment();
    let far = Service::start(Path::new(env!("CARGO_BIN_EXE_weir")), ServiceOptions::default()).unwrap();
    let endpoint = far.s3_endpoint().unwrap();
    let (access, secret) = access_key(&far).await.unwrap();
    let environment = [
        ("WEIR_OBJECTS_ENDPOINT", endpoint.as_str()),
        ("WEIR_OBJECTS_ACCESS_KEY", &access),
        ("WEIR_OBJECTS_SECRET_KEY", &secret),
    ];
    let seed = plan.seed;
    in_world_with(&environment, seed, async |world| strike_and_compare(world, &far, plan).await).await;
}

/// Makes an access key of the administrator.
async fn access_key(service: &Service) -> anyhow::Result<(String, String)> {
    let owner = Client::log_in(&service.endpoint()?, service.password()).await?;
    let users = owner.call(Method::GET, "/v3/users", None).await?;
    let asked = json!({ "credential": { "user_id": users["users"][0]["id"], "description": "d" } });
    let key = owner.call(Method::POST, "/v3.0/OS-CREDENTIAL/credentials", Some(&asked)).await?;
    let of_key = |member: &str| key["credential"][member].as_str().map(String::from).context("a key");
    Ok((of_key("access")?, of_key("secret")?))
}

async fn strike_and_compare(world: &mut World, far: &Service, mut plan: Plan) -> anyhow::Result<()> {
    for bucket in ["far", "checkpoints"] {
        far.command(&["bucket", "create", bucket])?;
    }
    world.client().await.authorize_buckets(&["checkpoints"]).await?;
    let objects = far.data().join("objects");
    std::fs::create_dir_all(objects.join("far/in"))?;
    for part in 0..4 {
        let ids = (part..RECORDS).step_by(4).map(|id| format!("{id}\n")).collect::<String>();
        std::fs::write(objects.join(format!("far/in/{part}.csv")), ids)?;
    }
    let job = world.start_job("traveller", JOB, json!({})).await?;
    for strike in [Strike::Worker, Strike::ServiceThenWorker, Strike::Worker] {
        tokio::time::sleep(plan.pause()).await;
        world.strike(strike, &mut plan).await.with_context(|| format!("at {strike:?}"))?;
    }
    world.client().await.wait_for(job, &["job_finish"], CATCH_UP + Duration::from_secs(30)).await?;

    let mut found = Vec::new();
    for object in std::fs::read_dir(objects.join("far/out"))? {
        for line in std::fs::read_to_string(object?.path())?.lines() {
            found.push(line.parse::<u32>()?);
        }
    }
    found.sort_unstable();
    let expected: Vec<u32> = (0..RECORDS).collect();
    ensure!(found == expected, "{} records were put and {} came out", expected.len(), found.len());
    Ok(())
}
