//! A running service that can be struck, and a client that follows it to a new address.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use weir_testkit::kill::kill_hard;
use weir_testkit::service::{Client, Service, ServiceOptions};

use crate::plan::{Plan, Strike};

/// After the last kill the rest must arrive within this time.
pub const CATCH_UP: Duration = Duration::from_secs(120);

/// A job that died is up again within this time.
const RESTART_LIMIT: Duration = Duration::from_secs(60);

/// A running service and its client.
pub struct World {
    pub service: Service,
    pub client: Arc<Mutex<Client>>,
}

impl World {
    /// Starts a service; the test may have it in another environment.
    async fn start(more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let environment = [("WEIR_RESTART_DELAY", "0.05"), ("WEIR_RESTART_DELAY_MAX", "0.1")];
        let environment = environment.iter().chain(more);
        let environment = environment.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let options = ServiceOptions { environment, ..ServiceOptions::default() };
        let service = Service::start(Path::new(env!("CARGO_BIN_EXE_weir")), options)?;
        let client = Client::log_in(&service.endpoint()?, service.password()).await?;
        Ok(Self { service, client: Arc::new(Mutex::new(client)) })
    }

    pub async fn client(&self) -> Client {
        self.client.lock().await.clone()
    }

    /// Makes buckets that jobs may use.
    pub async fn make_buckets(&self, names: &[&str]) -> anyhow::Result<()> {
        for name in names {
            self.service.command(&["bucket", "create", name])?;
        }
        self.client().await.authorize_buckets(names).await
    }

    /// Creates and starts a job that takes a checkpoint every second and restarts by itself; `other` replaces members
    /// of the request.
    pub async fn start_job(&self, name: &str, sql: &str, other: Value) -> anyhow::Result<i64> {
        let mut request = json!({
            "name": name, "run_mode": "shared_cluster", "sql_body": sql,
            "spu_number": 3, "parallel_number": 2,
            "checkpoint_enabled": true, "checkpoint_mode": "exactly_once", "checkpoint_interval": 1,
            "obs_bucket": "checkpoints", "restart_when_exception": true,
        });
        if let (Some(request), Value::Object(other)) = (request.as_object_mut(), other) {
            request.extend(other);
        }
        let client = self.client().await;
        let job = client.create_job(&request).await?;
        client.run_job(job).await?;
        client.wait_for(job, &["job_running", "job_finish"], Duration::from_secs(60)).await?;
        Ok(job)
    }

    /// Starts the service again after it was killed or ended.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.service.start_again()?;
        self.client.lock().await.move_to(&self.service.endpoint()?);
        Ok(())
    }

    /// Strikes once. Exactly one worker dies.
    pub async fn strike(&mut self, strike: Strike, plan: &mut Plan) -> anyhow::Result<()> {
        let absence = plan.absence();
        match strike {
            Strike::Worker => self.kill_worker().await,
            Strike::ServiceAlone => {
                self.service.kill()?;
                tokio::time::sleep(absence).await;
                self.start_again().await?;
                tokio::time::sleep(plan.pause()).await;
                self.kill_worker().await
            }
            Strike::ServiceThenWorker => {
                self.wait_for_worker().await?;
                self.service.kill()?;
                self.kill_worker().await?;
                tokio::time::sleep(absence).await;
                self.start_again().await
            }
            Strike::WorkerThenService => {
                self.kill_worker().await?;
                tokio::time::sleep(absence).await;
                self.service.kill()?;
                self.start_again().await
            }
        }
    }

    /// Kills the worker of the only job; waits for it when it is just being started.
    async fn kill_worker(&self) -> anyhow::Result<()> {
        let worker = loop {
            let worker = self.wait_for_worker().await?;
            if kill_hard(worker) {
                break worker;
            }
        };
        // Nobody shall count a dying process as a second worker.
        while self.service.workers().contains(&worker) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn wait_for_worker(&self) -> anyhow::Result<u32> {
        let deadline = Instant::now() + RESTART_LIMIT;
        loop {
            let workers = self.service.workers();
            ensure!(workers.len() <= 1, "one job has several workers: {workers:?}");
            if let Some(worker) = workers.first() {
                return Ok(*worker);
            }
            if Instant::now() >= deadline {
                bail!("there is no worker {RESTART_LIMIT:?} after the last one was killed");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Runs a test in a world of its own; a failure says how to repeat it and what the service and its workers said.
pub async fn in_world(seed: u64, test: impl AsyncFnOnce(&mut World) -> anyhow::Result<()>) {
    in_world_with(&[], seed, test).await;
}

/// Runs a test in a world whose service has more environment variables.
pub async fn in_world_with(
    environment: &[(&str, &str)],
    seed: u64,
    test: impl AsyncFnOnce(&mut World) -> anyhow::Result<()>,
) {
    let mut world = World::start(environment).await.unwrap_or_else(|error| panic!("{error:#}"));
    let Err(error) = test(&mut world).await else { return };
    let said = world.service.messages();
    let worker_said = world.service.worker_messages();
    let kept = world.service.keep_data();
    panic!(
        "{error:#}\nrepeat with WEIR_SEED={seed}; data directory kept in {}\nthe service said last:\n{said}\nthe workers said last:\n{worker_said}",
        kept.display()
    );
}
