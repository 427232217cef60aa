//! Exclusive clusters with faults behind them, subscriptions, and SPUs counted against a small model.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::{SQL, World, databases};
use serde_json::{Value, json};
use weir_base::audit::Change;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::{ClusterId, JobId, ProjectId, UserId};
use weir_base::ipv4::Ipv4Network;
use weir_base::time::Timestamp;
use weir_cloud::identity::AssignmentTarget;
use weir_control::cluster::{Payment, set_payment};
use weir_control::{Caller, Reconciler, Role, SentCluster, SentFields};
use weir_runtime::RunState;
use weir_store::{AuditRecord, ClusterBeginning, ClusterDefinition, ClusterFacts, ClusterIntent, NewCluster};

async fn create(world: &World, name: &str) -> i64 {
    let (code, body) = world.call("POST", "/reserved_cluster", Some(json!({ "name": name }))).await;
    assert_eq!(code, "CS.20000", "{body}");
    let id = body["payload"]["cluster_id"].as_i64().unwrap();
    wait_for(world, id, 5).await;
    id
}

async fn wait_for(world: &World, cluster: i64, status: i64) -> Value {
    let mut body = Value::Null;
    for _ in 0..500 {
        body = world.call("GET", &format!("/reserved_cluster/{cluster}"), None).await.1;
        if body["payload"]["status_code"] == status {
            return body["payload"].clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("cluster {cluster} did not get to {status}: {body}");
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn faults_of_the_metadata_have_codes_of_their_own() {
    let world = World::start(|_| {}).await;
    let cluster = create(&world, "c1").await;
    databases::refuse(&world.control, "INSERT", "clusters", "true").await;
    assert_eq!(world.call("POST", "/reserved_cluster", Some(json!({ "name": "c2" }))).await.0, "CS.20001");
    databases::refuse(&world.control, "UPDATE", "clusters", "true").await;
    let path = format!("/reserved_cluster/{cluster}");
    let (code, body) = world.call("DELETE", &path, None).await;
    assert_eq!(code, "CS.21011");
    assert!(body["error_cause"].as_str().unwrap().contains(databases::REFUSAL), "{body}");
    databases::run(&world.control, "ALTER TABLE job_reports RENAME TO elsewhere").await;
    assert_eq!(world.call("GET", &path, None).await.0, "CS.21001");
    assert_eq!(world.call("GET", "/reserved_clusters", None).await.0, "CS.21001");
}

#[tokio::test]
async fn what_can_neither_be_written_nor_read_is_a_fault_of_the_service() {
    let world = World::start(|_| {}).await;
    let (running, stopped) = (create(&world, "c1").await, create(&world, "c2").await);
    world.call("POST", &format!("/reserved_cluster/{stopped}/stop"), None).await;
    wait_for(&world, stopped, 10).await;
    let job = world.create("j1", json!({})).await;
    for table in ["clusters", "jobs"] {
        databases::refuse(&world.control, "UPDATE", table, "true").await;
    }
    databases::run(&world.control, "DROP INDEX templates_name").await;
    databases::run(&world.control, "ALTER TABLE templates RENAME TO elsewhere").await;
    let from_template = json!({ "name": "j2", "run_mode": "shared_cluster", "template_id": 1 });
    for (method, path, body) in [
        ("PATCH", format!("/reserved_cluster/{running}"), Some(json!({ "desc": "d" }))),
        ("POST", format!("/reserved_cluster/{stopped}/restart"), None),
        ("POST", format!("/job/{job}/run"), None),
        ("POST", "/job/run".to_string(), Some(json!([job]))),
        ("POST", "/sql_job".to_string(), Some(from_template)),
    ] {
        let (code, body) = world.call(method, &path, body).await;
        assert_eq!(code, "CS.26500", "{method} {path}: {body}");
    }
}

#[tokio::test]
async fn a_cluster_paid_by_subscription_is_neither_stopped_nor_deleted_nor_resized() {
    let world = World::start(|_| {}).await;
    let cluster = create(&world, "c1").await;
    let project = ProjectId(world.project.clone());
    let (store, id) = (world.control.store(), ClusterId(cluster));
    let paid = Payment::Subscription { until: None, paid: None };
    assert!(set_payment(store, &project, id, &paid, Timestamp(1)).await.unwrap());
    let path = format!("/reserved_cluster/{cluster}");
    assert_eq!(world.call("POST", &format!("{path}/stop"), None).await.0, "CS.20028");
    assert_eq!(world.call("POST", &format!("{path}/restart"), None).await.0, "CS.20021");
    assert_eq!(world.call("DELETE", &path, None).await.0, "CS.20027");
    let resize = json!({ "maximum_spu_quota": 50 });
    assert_eq!(world.call("PATCH", &path, Some(resize)).await.0, "CS.20029");
    let same = json!({ "maximum_spu_quota": 100, "desc": "d" });
    assert_eq!(world.call("PATCH", &path, Some(same)).await.0, "CS.21030");
}

#[tokio::test]
async fn while_no_more_is_given_out_clusters_neither_grow_nor_come_back() {
    let world = World::start(|options| options.clusters.sold_out = true).await;
    // It was made before.
    let (project, at) = (ProjectId(world.project.clone()), Timestamp(1));
    let facts = ClusterFacts {
        intent: ClusterIntent::Run,
        intent_at: at,
        beginning: ClusterBeginning::Create,
        provisioned_at: Some(at),
        starting_at: Some(at),
        running_since: Some(at),
        updating_since: None,
        halted_at: None,
        failed: false,
        reason: String::new(),
    };
    let new = NewCluster {
        project: project.clone(),
        user: UserId(world.users["admin"].clone()),
        name: "c1".to_string(),
        vpc_id: "0e3ed5d0-9c38-4eb1-8c5f-0a6b2c9d1a11".to_string(),
        definition: ClusterDefinition::default(),
        facts,
        created_at: at,
    };
    let made = AuditRecord::of_operator(
        &project,
        Change { service: "CS", resource_type: "cluster", event: "createCluster" },
        at,
    );
    let cluster = world.control.store().create_cluster(&new, made).await.unwrap().0;
    wait_for(&world, cluster, 5).await;
    let path = format!("/reserved_cluster/{cluster}");
    let resize =
        async |spus: i64| world.call("PATCH", &path, Some(json!({ "maximum_spu_quota": spus }))).await.0;
    assert_eq!(resize(101).await, "CS.20025");
    assert_eq!(resize(100).await, "CS.21030", "what it has is not asked for again");
    let (code, body) = world.call("POST", &format!("{path}/stop"), None).await;
    assert!(body["error_id"].is_null(), "{code} {body}");
    wait_for(&world, cluster, 10).await;
    assert_eq!(world.call("POST", &format!("{path}/restart"), None).await.0, "CS.20025");
}

#[tokio::test]
async fn an_assigned_cluster_is_seen_and_used() {
    let world = World::start(|_| {}).await;
    let cluster = create(&world, "c1").await;
    create(&world, "c2").await;
    sqlx::query(
        "INSERT INTO cluster_users (project_id, user_id, cluster_id)
         SELECT $1, id, $2 FROM account_users WHERE name = 'ann'",
    )
    .bind(&world.project)
    .bind(cluster)
    .execute(world.control.store().pool())
    .await
    .unwrap();
    let read = async |path: &str, user: &str| -> Value {
        world.request("GET", path, user).send().await.unwrap().json().await.unwrap()
    };
    let list = read("/reserved_clusters", "ann").await;
    assert_eq!(
        (&list["payload"]["total"], &list["payload"]["clusters"][0]["name"]),
        (&json!(1), &json!("c1"))
    );
    let body =
        json!({ "name": "a1", "run_mode": "exclusive_cluster", "cluster_id": cluster, "sql_body": SQL });
    let made: Value =
        world.request("POST", "/sql_job", "ann").json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(made["message_id"], "CS.11000", "{made}");
    let run = format!("/job/{}/run", made["payload"]["job_id"]);
    databases::run(&world.control, "DELETE FROM cluster_users").await;
    let answer: Value = world.request("POST", &run, "ann").send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error_id"], "CS.13011", "taken away before the run: {answer}");
    let batch = world.request("POST", "/job/run", "ann").json(&json!([made["payload"]["job_id"]]));
    let answer: Value = batch.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error_id"], "CS.13011", "{answer}");
    assert_eq!(world.call("POST", &run, None).await.0, "CS.14000", "an administrator may use all");
}

#[tokio::test]
async fn a_job_that_does_not_stop_is_ended_with_its_cluster() {
    let world = World::start(|options| options.limits.cluster_stop = Duration::from_millis(50)).await;
    let cluster = create(&world, "c1").await;
    let more = json!({ "run_mode": "exclusive_cluster", "cluster_id": cluster });
    let job = world.create("stubborn", more).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    world.call("POST", &format!("/reserved_cluster/{cluster}/stop"), None).await;
    wait_for(&world, cluster, 10).await;
    world.wait_for(job, "job_cancel_success").await;
}

#[tokio::test]
async fn a_creation_that_found_its_room_taken_away_fails_with_a_reason() {
    // What the operator takes away after the call: the call is admitted while the reconciler does not run.
    let mut world = World::start(|options| {
        options.clusters.spus = 100;
        options.limits.cluster_begin = Duration::ZERO;
    })
    .await;
    world.shut_down().await;
    for name in ["c1", "c2"] {
        let (code, _) = world
            .call("POST", "/reserved_cluster", Some(json!({ "name": name, "maximum_spu_quota": 50 })))
            .await;
        assert_eq!(code, "CS.20000");
    }
    databases::redefine(&world.control, "clusters", json!({ "maximum_spu_quota": 60 })).await;
    let reconciler = Reconciler::new(world.control.clone());
    let later = SystemClock.now().plus(Duration::from_secs(1));
    reconciler.tick(later).await.unwrap();
    let (_, body) = world.call("GET", "/reserved_cluster/1", None).await;
    assert_eq!(body["payload"]["status_name"], "cluster_create_fail", "{body}");
    assert!(body["payload"]["error_reason"].as_str().unwrap().contains("too few free SPUs"), "{body}");
    let (_, body) = world.call("GET", "/audit_logs?resource_type=cluster&limit=10", None).await;
    let traces = body["payload"]["traces"].as_array().unwrap();
    let incidents: Vec<&Value> = traces.iter().filter(|one| one["event_rating"] == "incident").collect();
    assert_eq!(incidents.len(), 2, "{body}");
    assert_eq!(
        (&incidents[0]["event_name"], &incidents[0]["event_type"]),
        (&json!("failCluster"), &json!("SystemAction"))
    );
    let result = incidents[0]["op_result"].as_str().unwrap();
    assert!(result.starts_with("CS.20001::") && result.contains("too few free SPUs"), "{result}");
}

#[tokio::test]
async fn a_jar_of_functions_must_be_there_and_is_not_run() {
    let world = World::start(|_| {}).await;
    let cluster = create(&world, "c1").await;
    let jar = world.directory.path().join("objects/bucket1/f.jar");
    std::fs::write(&jar, "x").unwrap();
    let more =
        json!({ "run_mode": "exclusive_cluster", "cluster_id": cluster, "udf_jar_url": "bucket1/f.jar" });
    let job = world.create("j1", more).await;
    let run = format!("/job/{job}/run");
    assert_eq!(world.call("POST", &run, None).await.0, "CS.13010");
    std::fs::remove_file(jar).unwrap();
    assert_eq!(world.call("POST", &run, None).await.0, "CS.13013");
}

#[tokio::test]
async fn a_job_starts_with_the_names_of_its_cluster_and_a_cluster_has_a_thousand() {
    let world = World::start(|_| {}).await;
    let cluster = create(&world, "c1").await;
    let path = format!("/reserved_cluster/{cluster}/hosts");
    let hosts = |from: usize, to: usize| {
        let host = |number| json!({ "hostname": format!("H{number}"), "ip": "10.0.0.1" });
        json!({ "hosts_info": (from..to).map(host).collect::<Vec<_>>() })
    };
    let added = world.request("POST", &path, "admin").json(&hosts(0, 1000)).send().await.unwrap();
    assert_eq!(added.status().as_u16(), 200);
    assert_eq!(world.call("POST", &path, Some(hosts(1000, 1001))).await.0, "CS.22007");
    let file = "--limit\r\nContent-Disposition: form-data; name=\"hosts_file\"; filename=\"hosts\"\r\n\r\n10.0.0.1 more\r\n--limit--\r\n";
    let file = world.request("POST", &format!("{path}_file"), "admin").body(file);
    let file = file.header("Content-Type", "multipart/form-data; boundary=limit").send().await.unwrap();
    assert_eq!(file.json::<Value>().await.unwrap()["error_id"], "CS.22007");
    let more = json!({ "run_mode": "exclusive_cluster", "cluster_id": cluster });
    let job = world.create("j1", more).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    let network = world.runner.started(job).settings.network;
    assert_eq!(network.hosts.len(), 1000);
    assert_eq!(network.address_of("h7"), Some("10.0.0.1".parse().unwrap()));
    let shared = world.create("j2", json!({})).await;
    world.call("POST", &format!("/job/{shared}/run"), None).await;
    world.wait_for(shared, "job_running").await;
    assert!(world.runner.started(shared).settings.network.hosts.is_empty());
}

/// Starts a job in a cluster and returns the networks that it may reach.
async fn destinations(world: &World, cluster: i64, name: &str) -> Option<Vec<String>> {
    let job = world.create(name, json!({ "run_mode": "exclusive_cluster", "cluster_id": cluster })).await;
    world.call("POST", &format!("/job/{job}/run"), None).await;
    world.wait_for(job, "job_running").await;
    let destinations = world.runner.started(job).settings.network.destinations?;
    Some(destinations.iter().map(ToString::to_string).collect())
}

/// Waits until the runtime was told that the jobs of clusters reach exactly these networks.
async fn until_reached(world: &World, expected: &[(i64, &[&str])]) {
    let parse = |networks: &[&str]| networks.iter().map(|network| network.parse().unwrap()).collect();
    let expected: BTreeMap<ClusterId, BTreeSet<Ipv4Network>> =
        expected.iter().map(|(cluster, networks)| (ClusterId(*cluster), parse(networks))).collect();
    let told = async {
        while *world.runner.reached.lock().unwrap() != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    assert!(told.is_ok(), "{:?} instead of {expected:?}", world.runner.reached.lock().unwrap());
}

#[tokio::test]
async fn jobs_reach_where_the_routes_of_active_peerings_lead_and_overlapping_networks_are_not_peered() {
    let world = World::start(|_| {}).await;
    let cluster = create(&world, "c1").await;
    world.add_network("n1", "192.168.0.0/16").await;
    assert_eq!(destinations(&world, cluster, "j1").await.unwrap(), ["172.16.0.0/23"]);
    let path = format!("/reserved_cluster/{cluster}/peering");
    let (_, body) = world.call("POST", &path, Some(json!({ "name": "p1", "vpc_id": "n1" }))).await;
    let peering = body["peering"]["id"].as_str().unwrap().to_string();
    let accept = format!("{}/v2.0/vpc/peerings/{peering}/accept", world.base_url);
    let token = world.tokens["admin"].as_str();
    let accepted = reqwest::Client::new().put(accept).header("X-Auth-Token", token).send().await.unwrap();
    assert_eq!(accepted.status().as_u16(), 200);
    assert_eq!(
        destinations(&world, cluster, "j2").await.unwrap(),
        ["172.16.0.0/23"],
        "a peering is no route"
    );
    let route = json!({ "destination": "192.168.7.0/24" });
    world.call("POST", &format!("{path}/{peering}/route"), Some(route)).await;
    let expected = ["172.16.0.0/23", "192.168.7.0/24"];
    assert_eq!(destinations(&world, cluster, "j3").await.unwrap(), expected);
    // Jobs that run reach it too, and nothing is left of a cluster that is gone.
    until_reached(&world, &[(cluster, &expected)]).await;
    world.request("DELETE", &format!("{path}/{peering}"), "admin").send().await.unwrap();
    until_reached(&world, &[(cluster, &expected[..1])]).await;
    databases::run(&world.control, "UPDATE networks SET cidr = '172.16.0.0/12', id = 'n2'").await;
    let overlapping = json!({ "name": "p2", "vpc_id": "n2" });
    assert_eq!(world.call("POST", &path, Some(overlapping)).await.0, "CS.22102");
    world.call("DELETE", &format!("/reserved_cluster/{cluster}"), None).await;
    until_reached(&world, &[]).await;
}

#[tokio::test]
async fn a_peering_that_nobody_accepts_expires() {
    let world = World::start(|options| options.clusters.restricted = false).await;
    let cluster = create(&world, "c1").await;
    assert_eq!(destinations(&world, cluster, "j1").await, None);
    world.add_network("n1", "192.168.0.0/16").await;
    let path = format!("/reserved_cluster/{cluster}/peering");
    world.call("POST", &path, Some(json!({ "name": "p1", "vpc_id": "n1" }))).await;
    databases::run(&world.control, "UPDATE peerings SET created_at = created_at - 604801000").await;
    let (_, body) = world.call("GET", &path, None).await;
    assert_eq!(body["peerings"][0]["status"], "EXPIRED", "{body}");
}

// SPUs against a model.

/// A repeatable die.
struct Die(u64);

impl Die {
    fn below(&mut self, sides: i64) -> i64 {
        // The constants of Knuth's MMIX; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        let count = i64::try_from(among.len()).unwrap();
        (count > 0).then(|| among[usize::try_from(self.below(count)).unwrap()])
    }
}

const PROJECT: i64 = 30;
const POOL: i64 = 20;
const USER: i64 = 14;

#[derive(Default)]
struct Model {
    /// Quota and whether it runs.
    clusters: BTreeMap<i64, (i64, bool)>,
    /// Cluster, SPUs and whether it holds them.
    jobs: BTreeMap<i64, (Option<i64>, i64, bool)>,
}

impl Model {
    fn given(&self, except: i64) -> (i64, i64) {
        let others = self.clusters.iter().filter(|(id, _)| **id != except);
        others.fold((0, 0), |(all, running), (_, (quota, runs))| {
            (all + quota, running + if *runs { *quota } else { 0 })
        })
    }

    fn used(&self, cluster: i64) -> i64 {
        self.jobs.values().filter(|job| job.0 == Some(cluster) && job.2).map(|job| job.1).sum()
    }

    fn used_by_user(&self) -> i64 {
        self.jobs.values().filter(|job| job.2).map(|job| job.1).sum()
    }

    fn fits(&self, except: i64, spus: i64) -> bool {
        let (all, running) = self.given(except);
        all + spus <= PROJECT && running + spus <= POOL
    }

    fn halt(&mut self, cluster: i64) {
        self.jobs.values_mut().filter(|job| job.0 == Some(cluster)).for_each(|job| job.2 = false);
    }
}

struct Game {
    world: World,
    reconciler: Reconciler,
    caller: Caller,
    model: Model,
    die: Die,
    names: i64,
}

impl Game {
    async fn new(seed: u64) -> Self {
        let mut world = World::start(|options| {
            options.user_spu_quota = USER;
            options.clusters.project_spus = PROJECT;
            options.clusters.spus = POOL;
            options.submit_wait = Duration::ZERO;
        })
        .await;
        world.shut_down().await;
        let caller = Caller {
            user: UserId("u1".into()),
            user_name: "ann".into(),
            audit_name: "ann".into(),
            project: ProjectId(world.project.clone()),
            role: Role::Administrator,
            request_id: String::new(),
            source_ip: String::new(),
        };
        let reconciler = Reconciler::new(world.control.clone());
        Self { world, reconciler, caller, model: Model::default(), die: Die(seed), names: 0 }
    }

    fn name(&mut self) -> Option<String> {
        self.names += 1;
        Some(format!("n{}", self.names))
    }

    /// Makes one call, in the service and in the model; both must agree whether it succeeds.
    async fn step(&mut self) {
        let control = self.world.control.clone();
        let caller = self.caller.clone();
        let clusters: Vec<i64> = self.model.clusters.keys().copied().collect();
        let jobs: Vec<i64> = self.model.jobs.keys().copied().collect();
        let (cluster, job) = (self.die.pick(&clusters), self.die.pick(&jobs));
        let spus = 1 + self.die.below(12);
        let choice = self.die.below(12);
        match (choice, cluster, job) {
            (0 | 1, ..) => {
                let sent = SentCluster {
                    name: self.name(),
                    maximum_spu_quota: Some(spus),
                    ..SentCluster::default()
                };
                let made = control.create_cluster(&caller, sent).await;
                assert_eq!(made.is_ok(), self.model.fits(0, spus), "create: {made:?}");
                if let Ok(id) = made {
                    self.model.clusters.insert(id.0, (spus, true));
                }
            }
            (2, Some(id), _) => {
                let sent = SentCluster { maximum_spu_quota: Some(spus), ..SentCluster::default() };
                let (quota, runs) = self.model.clusters[&id];
                let fits = spus <= quota || self.model.fits(id, spus);
                let expected = runs && spus >= self.model.used(id) && fits;
                let done = control.update_cluster(&caller, ClusterId(id), sent).await;
                assert_eq!(done.is_ok(), expected, "resize: {done:?}");
                if expected {
                    self.model.clusters.insert(id, (spus, runs));
                }
            }
            (3, Some(id), _) => {
                let (quota, runs) = self.model.clusters[&id];
                let done = control.stop_cluster(&caller, ClusterId(id)).await;
                assert_eq!(done.is_ok(), runs, "stop: {done:?}");
                self.model.clusters.insert(id, (quota, false));
                self.model.halt(id);
            }
            (4, Some(id), _) => {
                let (quota, runs) = self.model.clusters[&id];
                let expected = !runs && self.model.given(id).1 + quota <= POOL;
                let done = control.restart_cluster(&caller, ClusterId(id)).await;
                assert_eq!(done.is_ok(), expected, "restart: {done:?}");
                self.model.clusters.insert(id, (quota, runs || expected));
            }
            (5, Some(id), _) if self.die.below(3) == 0 => {
                control.delete_cluster(&caller, ClusterId(id)).await.unwrap();
                self.model.halt(id);
                self.model.clusters.remove(&id);
                self.model.jobs.values_mut().filter(|job| job.0 == Some(id)).for_each(|job| job.0 = None);
            }
            (6 | 7, Some(id), _) => {
                let sent = SentFields {
                    name: self.name(),
                    run_mode: Some("exclusive_cluster".into()),
                    cluster_id: Some(id),
                    spu_number: Some(spus.min(6)),
                    sql_body: Some(SQL.into()),
                    ..SentFields::default()
                };
                let made = control.create_sql_job(&caller, sent).await.unwrap();
                self.model.jobs.insert(made.0, (Some(id), spus.min(6), false));
            }
            (8 | 9, _, Some(id)) => {
                let (cluster, spus, holds) = self.model.jobs[&id];
                let room = cluster
                    .and_then(|cluster| self.model.clusters.get(&cluster))
                    .is_some_and(|(quota, runs)| *runs && self.model.used(cluster.unwrap()) + spus <= *quota);
                let expected = !holds && room && self.model.used_by_user() + spus <= USER;
                let done = control.run(&caller, JobId(id), false).await;
                assert_eq!(done.is_ok(), expected, "run: {done:?}");
                self.model.jobs.insert(id, (cluster, spus, holds || expected));
            }
            (10, _, Some(id)) => {
                let (cluster, spus, holds) = self.model.jobs[&id];
                if holds && self.die.below(2) == 0 {
                    self.world.runner.set(id, RunState::Failed("died".into()));
                } else {
                    assert_eq!(control.stop(&caller, JobId(id), false).await.is_ok(), holds);
                }
                self.model.jobs.insert(id, (cluster, spus, false));
            }
            (11, _, Some(id)) => {
                control.delete(&caller, JobId(id)).await.unwrap();
                self.model.jobs.remove(&id);
            }
            _ => {}
        }
    }

    async fn settle(&self) {
        for _ in 0..20 {
            if self.reconciler.tick(SystemClock.now()).await.unwrap().is_empty() {
                return;
            }
        }
        panic!("the reconciler does not come to rest");
    }

    async fn compare(&self) {
        let page = weir_control::Page {
            cursor: None,
            after_cursor: true,
            limit: 100,
            order: weir_control::Order::Ascending,
        };
        let list = self.world.control.list_clusters(&self.caller, &Default::default(), page).await.unwrap();
        let found: BTreeMap<i64, (i64, i64, i32)> = list
            .clusters
            .into_iter()
            .map(|view| {
                let shown = (view.record.definition.maximum_spu_quota, view.spu_used, view.status.code());
                (view.record.id.0, shown)
            })
            .collect();
        let status = |runs: bool| if runs { 5 } else { 10 };
        let expected: BTreeMap<i64, (i64, i64, i32)> = self
            .model
            .clusters
            .iter()
            .map(|(id, (quota, runs))| (*id, (*quota, self.model.used(*id), status(*runs))))
            .collect();
        assert_eq!(found, expected, "id: quota, SPUs in use, status");
        assert!(self.model.given(0).1 <= POOL && self.model.used_by_user() <= USER);
    }
}

#[tokio::test]
async fn no_spu_is_lost_or_counted_twice() {
    // A server takes longer for each step.
    let games = if databases::is_postgres() { 4 } else { 12 };
    for seed in 0..games {
        let mut game = Game::new(seed).await;
        for step in 0..60 {
            println!("seed {seed}, step {step}");
            game.step().await;
            game.settle().await;
            game.compare().await;
        }
    }
}

#[tokio::test]
async fn peerings_and_routes_need_the_agency() {
    let world = World::start(|_| {}).await;
    let network = "0e3ed5d0-9c38-4eb1-8c5f-0a6b2c9d1a11";
    world.add_network(network, "192.168.0.0/16").await;
    let cluster = create(&world, "c1").await;
    let peerings = format!("/reserved_cluster/{cluster}/peering");
    let asked = json!({ "name": "p1", "vpc_id": network });
    let (_, body) = world.call("POST", &peerings, Some(asked.clone())).await;
    let peering = body["peering"]["id"].as_str().unwrap().to_string();
    databases::run(&world.control, "UPDATE peerings SET status = 'accepted'").await;
    let routes = format!("{peerings}/{peering}/route");
    let destination = json!({ "destination": "192.168.1.0/24" });
    let (_, body) = world.call("POST", &routes, Some(destination.clone())).await;
    let route = body["route"]["id"].as_str().unwrap().to_string();

    let one = format!("{peerings}/{peering}");
    let one_route = format!("{routes}/{route}");
    let writes = [
        ("POST", &peerings, Some(asked)),
        ("POST", &routes, Some(destination)),
        ("DELETE", &one_route, None),
        ("DELETE", &one, None),
    ];
    let refused = async |code: &str| {
        for (method, path, body) in &writes {
            let (answered, body) = world.call(method, path, body.clone()).await;
            assert_eq!(answered, code, "{method} {path}: {body}");
        }
    };
    let agency = world.identity.agencies(&world.domain).await.unwrap().remove(0);
    let project = AssignmentTarget::Project(world.project.clone());
    world.identity.take_from_agency(&agency, project, "vpc_netadm").await.unwrap();
    refused("CS.19010").await;
    world.identity.delete_agency(&world.domain, &agency.id).await.unwrap();
    refused("CS.19007").await;
    // Reading needs none, and nothing was changed.
    let listed = world.call("GET", &routes, None).await.1;
    assert_eq!(listed["routes"][0]["id"], json!(route), "{listed}");
}
