//! The service, its users, and what kills it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::json;
use weir_testkit::kill::{job_of_worker, kill_hard};
use weir_testkit::service::{Client, Service, ServiceOptions};

use crate::audit::Auditor;
use crate::calls::{Call, MILLIONTHS};
use crate::choice::Choice;
use crate::job::{EDGE_GROUP, JAR};
use crate::judge::SHARED_SPUS;
use crate::log::Log;
use crate::reference::Reference;
use crate::rest::{self, Disagreement};
use crate::user::{Shared, User};

/// Who makes calls at the same time.
const USERS: [&str; 3] = ["ann", "bob", "cid"];
const PASSWORD: &str = "Model-Pass-4711";

/// The quota that users begin with.
const QUOTA: i64 = 8;

/// What clusters can be connected with.
const NETWORKS: [(&str, &str); 2] = [("warehouse", "192.168.0.0/16"), ("office", "10.20.0.0/16")];

/// A millisecond of an SPU costs no whole number of millionths, so that what is left over counts.
const SPU_HOUR_PRICE: &str = "7.77";

/// The longest time between the first call of a round and the kill that ends it, in milliseconds.
const ROUND: u64 = 1_400;

/// Calls that a user makes in a round at most.
const CALLS: usize = 12;

/// Far below every deadline of the service: what takes longer than this has come to a halt.
const REST_LIMIT: Duration = Duration::from_secs(60);

/// What was done and compared.
#[derive(Default)]
struct Figures {
    kills: u32,
    kills_at_start: u32,
    worker_kills: u32,
    rests: u32,
    happened: u32,
    undone: u32,
    longest_rest: Duration,
    /// What that one waited for in the end.
    longest_awaited: String,
}

/// The service and its users.
pub struct World {
    service: Service,
    observer: Client,
    users: Vec<User>,
    shared: Arc<Shared>,
    auditor: Auditor,
    figures: Figures,
}

impl World {
    /// Starts a service with its metadata at the address of a database, or in a file.
    pub async fn start(seed: u64, database: Option<String>) -> anyhow::Result<Self> {
        let variable = |name: &str, value: String| (name.to_string(), value);
        let mut environment = vec![
            variable("WEIR_RESTART_DELAY", "0.05".into()),
            variable("WEIR_RESTART_DELAY_MAX", "0.1".into()),
            variable("WEIR_SHARED_CLUSTER_SPUS", SHARED_SPUS.to_string()),
            variable("WEIR_USER_SPU_QUOTA", QUOTA.to_string()),
            variable("WEIR_BILLING", "on".into()),
            variable("WEIR_SPU_HOUR_PRICE", SPU_HOUR_PRICE.into()),
            variable("WEIR_EDGE_GROUPS", EDGE_GROUP.into()),
        ];
        environment.extend(database.map(|address| variable("WEIR_DATABASE", address)));
        let options = ServiceOptions { environment, ..ServiceOptions::default() };
        let service = Service::start(Path::new(env!("CARGO_BIN_EXE_weir")), options)?;
        let endpoint = service.endpoint()?;
        let observer = Client::log_in(&endpoint, service.password()).await?;
        service.command(&["bucket", "create", "checkpoints"])?;
        observer.authorize_buckets(&["checkpoints"]).await?;
        let jar = service.data().join("objects").join(JAR);
        std::fs::create_dir_all(jar.parent().context("a JAR is in a folder")?)?;
        std::fs::write(jar, "never opened")?;
        let mut networks = Vec::new();
        for (name, addresses) in NETWORKS {
            let id = service.command(&["operate", "network", "add", name, addresses])?;
            networks.push(id.trim().to_string());
        }
        let amount = json!({"amount": rest::PAID as f64 / MILLIONTHS});
        observer.call(Method::POST, "/v1.0/{project}/billing/top_up", Some(&amount)).await?;
        let shared = Shared::new(Log::start(&service.log().with_file_name("calls.log"))?);
        let mut users = Vec::new();
        for (number, name) in (1..).zip(USERS) {
            let user = observer.create_user(name, PASSWORD, "cs_adm").await?;
            let client = Client::log_in_as(&endpoint, name, PASSWORD).await?;
            let choice = Choice::new(StdRng::seed_from_u64(seed.wrapping_add(number)), name, &networks);
            let model = Reference { user, quota: QUOTA, ..Reference::default() };
            users.push(User::new(name, client, model, choice, shared.clone()));
        }
        let mut auditor = Auditor::default();
        auditor.skip(&observer).await?;
        Ok(Self { service, observer, users, shared, auditor, figures: Figures::default() })
    }

    /// Kills the service so many times, and compares now and then and at the end.
    pub async fn run(&mut self, random: &mut StdRng, kills: u32) -> anyhow::Result<()> {
        while self.figures.kills < kills {
            let dies = random.random_ratio(5, 6);
            self.make_calls(random, dies).await?;
            if dies {
                self.start_again(random)?;
            }
            self.learn_what_happened().await?;
            if random.random_ratio(1, 3) {
                self.rest().await?;
            }
        }
        self.rest().await
    }

    /// All users make calls; workers are killed meanwhile, and at the end the service.
    async fn make_calls(&mut self, random: &mut StdRng, dies: bool) -> anyhow::Result<()> {
        let users = std::mem::take(&mut self.users);
        let calls: Vec<_> = users.into_iter().map(|user| tokio::spawn(user.make_calls(CALLS))).collect();
        // Half of the kills meet the first calls of the round.
        let longest = if random.random() { ROUND } else { ROUND / 5 };
        let end = Instant::now() + Duration::from_millis(random.random_range(0..longest));
        for _ in 0..random.random_range(0..3) {
            let left = end.saturating_duration_since(Instant::now()).as_millis();
            tokio::time::sleep(Duration::from_millis(random.random_range(0..=left as u64))).await;
            self.kill_worker(random);
        }
        tokio::time::sleep(end.saturating_duration_since(Instant::now())).await;
        if dies {
            self.shared.log.write("service", "is killed");
            self.service.kill()?;
            self.figures.kills += 1;
        }
        for made in calls {
            self.users.push(made.await.context("a user broke down")??);
        }
        Ok(())
    }

    fn kill_worker(&mut self, random: &mut StdRng) {
        let workers = self.service.workers();
        let Some(&worker) = workers.choose(random) else { return };
        let Some(job) = job_of_worker(worker) else { return };
        self.shared.wound(job);
        if kill_hard(worker) {
            self.shared.log.write("worker", format_args!("of job {job} is killed"));
            self.figures.worker_kills += 1;
        }
    }

    /// Starts the service after a kill; workers die while it is away, and it may be killed while it starts.
    fn start_again(&mut self, random: &mut StdRng) -> anyhow::Result<()> {
        if random.random_ratio(1, 4) {
            self.kill_worker(random);
        }
        while random.random_ratio(1, 6) {
            let life = Duration::from_millis(random.random_range(0..400));
            self.shared.log.write("service", format_args!("is started and killed after {life:?}"));
            self.service.start_and_kill(life)?;
            self.figures.kills += 1;
            self.figures.kills_at_start += 1;
        }
        self.service.start_again()?;
        self.shared.log.write("service", "is up again");
        let endpoint = self.service.endpoint()?;
        self.observer.move_to(&endpoint);
        self.users.iter_mut().for_each(|user| user.client.move_to(&endpoint));
        Ok(())
    }

    /// Compares the audit with the answers, and learns from it which calls without an answer have happened.
    async fn learn_what_happened(&mut self) -> anyhow::Result<()> {
        let expected = self.shared.take_expected();
        let unknown: Vec<(&str, &Call)> = self
            .users
            .iter()
            .filter_map(|user| user.unknown.as_ref().map(|(call, _)| (user.name.as_str(), call)))
            .collect();
        let found = self.auditor.compare(&self.observer, expected, &unknown).await?;
        let of_users = self.users.iter_mut().filter(|user| user.unknown.is_some()).zip(found);
        for (user, ids) in of_users {
            let Some((call, sent)) = user.unknown.take() else { continue };
            let happened = if ids.is_some() { "has happened" } else { "has not happened" };
            self.shared.log.write(&user.name, format_args!("{call:?} {happened}"));
            let Some(mut ids) = ids else {
                self.figures.undone += 1;
                continue;
            };
            match &call {
                Call::AddHosts { cluster, names } => {
                    ids = ids_of_hosts(&self.observer, *cluster, names).await?;
                }
                Call::CreatePeering { cluster, name, .. } => {
                    let path = format!("/v1.0/{{project}}/reserved_cluster/{cluster}/peering");
                    ids = vec![find_id(&self.observer, &path, "peerings", "name", name).await?];
                }
                Call::CreateRoute { cluster, peering, destination } => {
                    let path =
                        format!("/v1.0/{{project}}/reserved_cluster/{cluster}/peering/{peering}/route");
                    ids = vec![find_id(&self.observer, &path, "routes", "destination", destination).await?];
                }
                _ => {}
            }
            user.model.apply(&call, &ids, sent)?;
            self.figures.happened += 1;
        }
        self.users.iter_mut().for_each(User::take_wounds);
        Ok(())
    }

    /// Waits until nothing moves; then the service and the model agree.
    async fn rest(&mut self) -> anyhow::Result<()> {
        let begin = Instant::now();
        let mut awaited = String::new();
        let shown = loop {
            let mut workers: BTreeMap<i64, usize> = BTreeMap::new();
            for job in self.service.workers().into_iter().filter_map(job_of_worker) {
                *workers.entry(job).or_default() += 1;
            }
            match rest::compare(&self.observer, &self.users, &workers).await {
                Ok(shown) => break shown,
                Err(Disagreement::Final(reason)) => {
                    bail!("the service does not agree with the model: {reason}")
                }
                Err(Disagreement::Moving(reason)) => {
                    ensure!(begin.elapsed() < REST_LIMIT, "no rest after {REST_LIMIT:?}: {reason}");
                    awaited = reason;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        for user in &mut self.users {
            shown.iter().for_each(|(id, shown)| user.model.settle(*id, shown));
            user.model.settle_clusters();
        }
        for path in shown.values().filter_map(|shown| shown.savepoint_path.as_ref()) {
            let place = self.service.data().join("objects").join(path);
            ensure!(has_objects(&place), "there is no savepoint at {path}, where one is said to be");
        }
        self.shared.forget_shared_spus();
        self.check_nothing_is_left(begin, &mut awaited).await?;
        self.figures.rests += 1;
        let took = begin.elapsed();
        self.shared.log.write("all", format_args!("at rest after {took:?}: {} jobs; {awaited}", shown.len()));
        if took > self.figures.longest_rest {
            self.figures.longest_rest = took;
            self.figures.longest_awaited = awaited.chars().take(200).collect();
        }
        Ok(())
    }

    /// The folders of the workers of deleted jobs go, and their checkpoints and savepoints.
    async fn check_nothing_is_left(&self, begin: Instant, awaited: &mut String) -> anyhow::Result<()> {
        let data = self.service.data();
        let places = ["workers", "objects/checkpoints/jobs/checkpoint", "objects/checkpoints/jobs/savepoint"];
        let deleted = || self.users.iter().flat_map(|user| &user.model.deleted_jobs);
        let left = || {
            let places = deleted().flat_map(|id| places.map(|place| data.join(place).join(id.to_string())));
            places.filter(|place| has_objects(place)).collect::<Vec<_>>()
        };
        while !left().is_empty() {
            *awaited = format!("deleted jobs have left {:?}", left());
            ensure!(begin.elapsed() < REST_LIMIT, "{awaited}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Returns what was done.
    pub fn figures(&self) -> String {
        let Figures { kills, kills_at_start, worker_kills, rests, happened, undone, .. } = &self.figures;
        let (longest, awaited) = (self.figures.longest_rest.as_secs_f64(), &self.figures.longest_awaited);
        let [acknowledged, refused, unanswered] = self.shared.answers();
        format!(
            "model: the service was killed {kills} times, {kills_at_start} of them while it started, workers {worker_kills} times; \
             {acknowledged} calls were acknowledged, {refused} refused, {unanswered} had no answer, of which {happened} have happened \
             and {undone} have not; {} audit records and {rests} rests agree with the model, the longest took {longest:.1} s to come: {awaited}",
            self.auditor.compared,
        )
    }

    /// Keeps the data directory of a failed run, and says what a person can look at.
    pub fn keep_for_a_person(&mut self) -> String {
        let said = self.service.messages();
        let kept = self.service.keep_data();
        format!(
            "{}\ndata directory kept in {}\n{}\nthe service said last:\n{said}",
            self.figures(),
            kept.display(),
            self.shared.log.last()
        )
    }
}

/// Whether there is an object at a place or below: an empty directory is none, nor is a file that a killed worker had not
/// finished (`name#1`), which the service removes later.
fn has_objects(place: &Path) -> bool {
    let is_finished = |place: &Path| !place.to_string_lossy().contains('#');
    let Ok(entries) = std::fs::read_dir(place) else { return place.is_file() && is_finished(place) };
    entries.flatten().any(|entry| has_objects(&entry.path()))
}

/// Returns the ids of the mappings of these names, which an added call without an answer has made.
async fn ids_of_hosts(observer: &Client, cluster: i64, names: &[String]) -> anyhow::Result<Vec<String>> {
    let path = format!("/v1.0/{{project}}/reserved_cluster/{cluster}/hosts?limit=100");
    let answer = observer.call(Method::GET, &path, None).await?;
    let hosts = answer["payload"]["hosts_info"].as_array().context("no hosts")?;
    let id_of = |name: &String| {
        let host = hosts.iter().find(|host| host["info"]["hostname"] == name.as_str());
        let id = host.and_then(|host| host["id"].as_i64()).map(|id| id.to_string());
        id.with_context(|| format!("host {name} is not there"))
    };
    names.iter().map(id_of).collect()
}

/// Returns the id of what has this value in a list that is the answer of a path.
async fn find_id(
    observer: &Client,
    path: &str,
    list: &str,
    member: &str,
    value: &str,
) -> anyhow::Result<String> {
    let answer = observer.call(Method::GET, path, None).await?;
    let found = answer[list].as_array().into_iter().flatten().find(|one| one[member] == value);
    let id = found.and_then(|one| one["id"].as_str()).map(str::to_string);
    id.with_context(|| format!("{value} is not in the {list}"))
}
