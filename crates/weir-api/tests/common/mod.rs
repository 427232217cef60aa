//! A service in this process for the tests of the API: real router, store and identity, a runner that
//! only pretends.
#![allow(dead_code)] // Each test file uses its part.

pub mod contract;
pub mod coverage;
pub mod databases;
mod faulty_clock;
mod people;
mod pretending_runner;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use weir_api::listen::{self, ListenLimits};
use weir_api::metrics::ApiMetrics;
use weir_api::{ApiState, metrics_router, router};
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_cloud::gateway::Gateway;
use weir_cloud::identity::Identity;
use weir_cloud::notifications::{NotificationOptions, Notifications, Publisher, Signer};
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::sealing::Sealer;
use weir_cloud::streams::LocalStreams;
use weir_control::{Alarms, Control, ControlOptions, ControlParts, Limits, Reconciler};
use weir_store::{AuditFilter, AuditRecord, StoredAccounts, StoredNotifications};

#[allow(unused_imports)]
pub use contract::witness::Witness;
pub use faulty_clock::FaultyClock;
pub use people::People;
#[allow(unused_imports)]
pub use pretending_runner::{Clearing, PretendingRunner, RemovedSavepoint};

/// Buckets of the project of the tests.
pub const BUCKETS: [&str; 3] = ["bucket1", "bucket2", "bucket3"];
/// The bucket of the other project.
pub const OTHER_BUCKET: &str = "bucket9";

/// A running service.
pub struct World {
    /// `http://127.0.0.1:port`.
    pub base_url: String,
    /// The address of the metrics, of the same form.
    pub metrics_url: String,
    /// The project of the tests.
    pub project: String,
    /// The project of the user `foreign`.
    pub other_project: String,
    /// The account of the tests.
    pub domain: String,
    /// Ids of the users by their names.
    pub users: BTreeMap<String, String>,
    /// Tokens by the name that a step says in `as`.
    pub tokens: BTreeMap<String, String>,
    pub control: Arc<Control>,
    pub identity: Arc<Identity>,
    pub notifications: Arc<Notifications>,
    pub runner: Arc<PretendingRunner>,
    /// The clock of the identity service.
    pub faulty: Arc<FaultyClock>,
    /// What holds every call against the contract.
    pub witness: Arc<Witness>,
    pub directory: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl World {
    /// Starts a service with small limits, so that tests can reach them.
    pub async fn start(change: impl FnOnce(&mut ControlOptions)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let metrics_listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let metrics_url = format!("http://{}", metrics_listener.local_addr().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let objects_at = directory.path().join("objects");
        for bucket in BUCKETS.iter().chain([&OTHER_BUCKET]) {
            std::fs::create_dir_all(objects_at.join(bucket)).unwrap();
        }
        for (path, contents) in OBJECTS {
            let path = objects_at.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, contents).unwrap();
        }
        // Too long for an import, and without anything in it.
        let huge = std::fs::File::create(objects_at.join("bucket1/huge.zip")).unwrap();
        huge.set_len((64 << 20) + 1).unwrap();
        let savepoint = objects_at.join("bucket1/savepoints/good/chk-5");
        std::fs::create_dir_all(&savepoint).unwrap();
        std::fs::write(savepoint.join("manifest.json"), SAVEPOINT).unwrap();
        let objects = Objects::new(ObjectsConfig::Local(objects_at));
        let store = databases::open(directory.path()).await;
        let sealer = Sealer::new(directory.path().join("sealing.key"));
        let accounts = Arc::new(StoredAccounts::new(store.clone(), sealer.clone()));
        let faulty = Arc::new(FaultyClock::default());
        let people = People::settle(faulty.clone(), accounts).await;
        let identity = people.identity.clone();
        let owned = BUCKETS.map(String::from);
        store.claim_buckets(&owned, &ProjectId(people.project.clone())).await.unwrap();
        store.give_bucket(OTHER_BUCKET, &ProjectId(people.other_project.clone()), &[]).await.unwrap();
        let streams = LocalStreams::open(&directory.path().join("streams"), clock.clone()).unwrap();
        let mut options = ControlOptions {
            tick: Duration::from_millis(20),
            limits: Limits { restart_first: Duration::from_millis(50), ..Limits::default() },
            ..ControlOptions::default()
        };
        change(&mut options);
        let notifications = {
            let options = NotificationOptions {
                public_url: base_url.clone(),
                internal_webhooks: true,
                first_retry: Duration::from_millis(20),
                ..NotificationOptions::default()
            };
            let signer = Signer::open(&directory.path().join("notifications.pem"), clock.now()).unwrap();
            let repository = Arc::new(StoredNotifications::new(store.clone()));
            Arc::new(Notifications::new(repository, clock.clone(), signer, options).unwrap())
        };
        let runner = Arc::new(PretendingRunner::default());
        let control = Control::new(ControlParts {
            store,
            sealer,
            identity: people.identity.clone(),
            objects: objects.clone(),
            gateway: Gateway::new(directory.path().join("gateway")),
            publisher: Publisher::Embedded(notifications.clone()),
            runner: runner.clone(),
            clock: clock.clone(),
            options,
        });
        let state = ApiState {
            control: control.clone(),
            identity: people.identity.clone(),
            streams: Arc::new(streams),
            notifications: notifications.clone(),
            objects,
            clock,
            metrics: Arc::new(ApiMetrics::default()),
        };
        let witness = Arc::new(Witness::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let reconciler = Reconciler::new(control.clone());
        let tasks = vec![
            tokio::spawn(notifications.clone().deliver(std::future::pending())),
            tokio::spawn(Alarms::new(control.clone()).run(std::future::pending())),
            {
                let (limits, router) = (ListenLimits::default(), metrics_router(state.clone()));
                tokio::spawn(async move {
                    listen::serve(metrics_listener, router, limits, std::future::pending()).await.unwrap();
                })
            },
            {
                let held = axum::middleware::from_fn_with_state(witness.clone(), contract::witness::attend);
                let (limits, router) = (ListenLimits::default(), router(state).layer(held));
                tokio::spawn(async move {
                    listen::serve(listener, router, limits, std::future::pending()).await.unwrap();
                })
            },
            tokio::spawn(async move {
                reconciler
                    .run(async move {
                        let _ = stopped.await;
                    })
                    .await;
            }),
        ];
        Self {
            base_url,
            metrics_url,
            project: people.project,
            other_project: people.other_project,
            domain: people.domain,
            users: people.users,
            tokens: people.tokens,
            control,
            identity,
            notifications,
            runner,
            faulty,
            witness,
            directory,
            stop: Some(stop),
            tasks,
        }
    }

    /// Stops the reconciler, as a server that shuts down does.
    pub async fn shut_down(&mut self) {
        drop(self.stop.take());
        let reconciler = self.tasks.pop().unwrap();
        reconciler.await.unwrap();
    }

    /// Adds a network to the project of the tests.
    pub async fn add_network(&self, id: &str, cidr: &str) {
        sqlx::query(
            "INSERT INTO networks (id, project_id, name, cidr, created_at) VALUES ($1, $2, 'n1', $3, 0)",
        )
        .bind(id)
        .bind(&self.project)
        .bind(cidr)
        .execute(self.control.store().pool())
        .await
        .unwrap();
    }

    /// Returns the audit records of the project, newest first.
    pub async fn audits(&self) -> Vec<AuditRecord> {
        let project = ProjectId(self.project.clone());
        let found = self.control.store().audit_records(&project, &AuditFilter::default(), 0, 1_000).await;
        found.unwrap().into_iter().map(|stored| stored.record).collect()
    }

    /// Makes a request of a path under the project.
    pub fn request(&self, method: &str, path: &str, user: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v1.0/{}{path}", self.base_url, self.project);
        reqwest::Client::new()
            .request(method.parse().unwrap(), url)
            .header("X-Auth-Token", self.tokens[user].as_str())
    }

    /// Makes a request of a whole path.
    pub fn request_of(&self, method: &str, path: &str, user: &str) -> reqwest::RequestBuilder {
        let method = method.to_uppercase().parse().unwrap();
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.base_url));
        request.header("X-Auth-Token", self.tokens[user].as_str())
    }

    /// Makes a call and returns its code (`message_id` or `error_id`) and body.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> (String, serde_json::Value) {
        let mut request = self.request(method, path, "admin");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let body: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        let code = body.get("error_id").or_else(|| body.get("message_id")).and_then(|code| code.as_str());
        (code.unwrap_or_default().to_string(), body)
    }

    /// Creates a job that the pretending runner runs; returns its id.
    pub async fn create(&self, name: &str, more: serde_json::Value) -> i64 {
        let mut body = serde_json::json!({ "name": name, "run_mode": "shared_cluster", "sql_body": SQL });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (code, body) = self.call("POST", "/sql_job", Some(body)).await;
        assert_eq!(code, "CS.11000", "{body}");
        body["payload"]["job_id"].as_i64().unwrap()
    }

    /// Waits until a job has a status.
    pub async fn wait_for(&self, job: i64, status: &str) -> serde_json::Value {
        for _ in 0..500 {
            let (_, body) = self.call("GET", &format!("/job/{job}"), None).await;
            if body["payload"]["status"] == status {
                return body["payload"].clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "job {job} did not get to {status}: {}",
            self.call("GET", &format!("/job/{job}"), None).await.1
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        let faults = self.witness.take_faults();
        // A test that has failed says why by itself.
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "against tests/contract/api.yaml:\n{}", faults.join("\n"));
            let missing = coverage::not_raised(&self.witness.seen().errors);
            assert!(missing.is_empty(), "against raised.tsv: {}", missing.join("\n"));
        }
    }
}

/// Returns method and path of an operation in a description of the API.
pub fn place_of(description: &serde_json::Value, operation: &str) -> (String, String) {
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            if described["operationId"] == operation {
                return (method.clone(), path.clone());
            }
        }
    }
    panic!("{operation} is not described");
}

/// Fills the parameters of a path.
pub fn fill_path(path: &str, project: &str, value: &dyn Fn(&str) -> String) -> String {
    let filled =
        path.split('/').map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            Some("project_id") => project.to_string(),
            Some(name) => value(name),
            None => segment.to_string(),
        });
    filled.collect::<Vec<_>>().join("/")
}

/// Objects that are there: an archive whose job_1.json holds something else, a log of the first job, JARs.
const OBJECTS: &[(&str, &[u8])] = &[
    (
        "bucket1/other.zip",
        b"PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00!\x00\x89\xbd4\xe2\x0d\x00\x00\x00\x0d\x00\x00\x00\x0a\x00\x00\x00job_1.json{\x22format\x22: 1}PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x00\x00!\x00\x89\xbd4\xe2\x0d\x00\x00\x00\x0d\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00job_1.jsonPK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x008\x00\x00\x005\x00\x00\x00\x00\x00",
    ),
    ("bucket1/jobs/logs/1-1000/taskmanager-1.log", b"job runs"),
    ("bucket1/jars/one/a.jar", b"a"),
    ("bucket1/jars/many/a.jar", b"a"),
    ("bucket1/jars/many/b.jar", b"b"),
    ("bucket1/jars/none/readme.txt", b"none"),
    ("bucket1/conf/x.conf", b"k=v"),
];

/// The manifest of a savepoint without state, in `bucket1/savepoints/good`.
const SAVEPOINT: &str = r#"{"format": 2, "epoch": 5, "time_ms": 5, "parallelism": 1, "finished": false,
    "operators": {}, "state_bytes": 0}"#;

/// The text of a job that can run.
pub const SQL: &str = r#"CREATE SOURCE STREAM s1 (a INT) WITH (type = "datagen");
CREATE SINK STREAM t1 (a INT) WITH (type = "blackhole");
INSERT INTO t1 SELECT a FROM s1;"#;
