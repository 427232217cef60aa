//! Money over time, with a clock that tests own, on both databases; and what the API says when money is short.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{People, PretendingRunner, SQL, World, databases};
use serde_json::json;
use weir_base::clock::{Clock, ManualClock, SystemClock};
use weir_base::id::{ClusterId, JobId, ProjectId, UserId};
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_cloud::gateway::Gateway;
use weir_cloud::notifications::{NotificationOptions, Notifications, Publisher, Signer};
use weir_cloud::objects::{Objects, ObjectsConfig};
use weir_cloud::sealing::Sealer;
use weir_control::billing::{BillingOptions, operator_top_up};
use weir_control::cluster::{Payment, set_payment};
use weir_control::{
    Caller, Control, ControlOptions, ControlParts, Reconciler, Role, SentCluster, SentFields,
};
use weir_store::{
    BillingFilter, Book, EntryKind, NewEntry, Posting, Store, StoredAccounts, StoredNotifications,
};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);
/// A Monday.
const START: Timestamp = Timestamp(1_700_000_000_000);

/// A service without network whose time is that of the test.
struct Bank {
    control: Arc<Control>,
    reconciler: Reconciler,
    clock: ManualClock,
    runner: Arc<PretendingRunner>,
    caller: Caller,
    domain: String,
    _directory: tempfile::TempDir,
}

impl Bank {
    async fn open() -> Self {
        let clock = ManualClock::new(START);
        let directory = tempfile::tempdir().unwrap();
        let store = databases::open(directory.path()).await;
        let sealer = Sealer::new(directory.path().join("sealing.key"));
        let accounts = Arc::new(StoredAccounts::new(store.clone(), sealer.clone()));
        let people = People::settle(Arc::new(clock.clone()), accounts).await;
        let signer = Signer::open(&directory.path().join("notifications.pem"), SystemClock.now()).unwrap();
        let repository = Arc::new(StoredNotifications::new(store.clone()));
        let options = NotificationOptions::default();
        let notifications = Notifications::new(repository, Arc::new(clock.clone()), signer, options).unwrap();
        let runner = Arc::new(PretendingRunner::default());
        *runner.clock.lock().unwrap() = Some(clock.clone());
        let control = Control::new(ControlParts {
            store,
            sealer,
            identity: people.identity.clone(),
            objects: Objects::new(ObjectsConfig::Local(directory.path().join("objects"))),
            gateway: Gateway::new(directory.path().join("gateway")),
            publisher: Publisher::Embedded(Arc::new(notifications)),
            runner: runner.clone(),
            clock: Arc::new(clock.clone()),
            options: ControlOptions {
                billing: Some(BillingOptions::default()),
                submit_wait: Duration::ZERO,
                ..ControlOptions::default()
            },
        });
        let caller = Caller {
            user: UserId(people.users["ann"].clone()),
            user_name: "ann".into(),
            audit_name: "ann".into(),
            project: ProjectId(people.project.clone()),
            role: Role::Administrator,
            request_id: String::new(),
            source_ip: String::new(),
        };
        let mut bank = Self {
            reconciler: Reconciler::new(control.clone()),
            control,
            clock,
            runner,
            caller,
            domain: people.domain,
            _directory: directory,
        };
        bank.restart().await;
        bank
    }

    /// Ends the service process and begins another one.
    async fn restart(&mut self) {
        Reconciler::new(self.control.clone()).run(std::future::ready(())).await;
        self.reconciler = Reconciler::new(self.control.clone());
    }

    async fn top_up(&self, amount: &str) {
        self.control.top_up(&self.caller, amount.parse().unwrap()).await.unwrap();
    }

    async fn balance(&self) -> String {
        self.control.store().balance(&self.domain).await.unwrap().to_string()
    }

    /// Lets the reconciler come to rest. A round that only charges does nothing itself, but the next may.
    async fn rest(&self) {
        let mut quiet = 0;
        for _ in 0..50 {
            let done = self.reconciler.tick(self.clock.now()).await.unwrap();
            quiet = if done.is_empty() { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
        }
        panic!("the reconciler does not come to rest");
    }

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
        self.rest().await;
    }

    async fn run_job(&self, name: &str, spus: i64, cluster: Option<i64>) -> JobId {
        let run_mode = if cluster.is_some() { "exclusive_cluster" } else { "shared_cluster" };
        let sent = SentFields {
            name: Some(name.into()),
            run_mode: Some(run_mode.into()),
            cluster_id: cluster,
            spu_number: Some(spus),
            sql_body: Some(SQL.into()),
            ..SentFields::default()
        };
        let job = self.control.create_sql_job(&self.caller, sent).await.unwrap();
        self.control.run(&self.caller, job, false).await.unwrap();
        self.rest().await;
        job
    }

    async fn create_cluster(&self, spus: i64) -> ClusterId {
        let sent =
            SentCluster { name: Some("c1".into()), maximum_spu_quota: Some(spus), ..SentCluster::default() };
        let cluster = self.control.create_cluster(&self.caller, sent).await.unwrap();
        self.rest().await;
        cluster
    }

    async fn job_status(&self, job: JobId) -> &'static str {
        let job = self.control.store().job(&self.caller.project, job).await.unwrap().unwrap();
        let limits = &self.control.options().limits;
        weir_control::decide::status(&job.facts, job.seen_at, self.clock.now(), limits).name()
    }

    async fn cluster_status(&self, id: ClusterId) -> &'static str {
        let cluster = self.control.store().cluster(&self.caller.project, id).await.unwrap().unwrap();
        weir_control::cluster::state::status(&cluster.facts).name()
    }
}

/// What was charged before another service process had time to stop what cannot be paid.
async fn charge(store: &Store, domain: &str, amount: &str) {
    let amount: Money = amount.parse().unwrap();
    let posting = |book, amount| Posting { book, amount, subject: None };
    let entry = NewEntry {
        domain: domain.to_string(),
        kind: EntryKind::Usage,
        note: "a test".into(),
        booked_at: START,
        postings: vec![posting(Book::Revenue, amount), posting(Book::Balance, -amount)],
    };
    store.book(&entry, &[]).await.unwrap();
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn a_month_costs_what_ran() {
    let bank = Bank::open().await;
    bank.top_up("100000").await;
    let began = std::time::Instant::now();
    let job = bank.run_job("j1", 3, None).await;
    let cluster = bank.create_cluster(10).await;
    let inside = bank.run_job("j2", 5, Some(cluster.0)).await;
    for day in 0..30 {
        match day {
            10 => bank.control.stop(&bank.caller, job, false).await.unwrap(),
            15 => {
                let larger = SentCluster { maximum_spu_quota: Some(20), ..SentCluster::default() };
                bank.control.update_cluster(&bank.caller, cluster, larger).await.unwrap();
            }
            25 => bank.control.stop_cluster(&bank.caller, cluster).await.unwrap(),
            _ => {}
        }
        bank.rest().await;
        bank.wait(DAY).await;
    }
    println!("a month in {:?}", began.elapsed());
    assert_eq!(bank.job_status(inside).await, "job_cancel_success");
    // 10 days of 3 SPUs; 15 days of 10 and 10 days of 20, with a manager node of 2: 0.5 an hour each.
    let expected = (10 * 3 + 15 * 12 + 10 * 22) * 24 / 2;
    let history = bank.control.billing_history(&bank.caller, &BillingFilter::default(), 0, 10).await.unwrap();
    assert_eq!(history.charge, format!("{expected}").parse().unwrap());
    assert_eq!(bank.balance().await, format!("{}.00", 100_000 - expected));
    let lines: Vec<_> =
        history.lines.iter().map(|line| (line.what.as_str(), line.spus, line.millis / 3_600_000)).collect();
    assert_eq!(lines, [("cluster", 22, 240), ("cluster", 12, 360), ("job", 3, 240)]);
    let sum: i64 = sqlx::query_scalar("SELECT CAST(SUM(amount) AS BIGINT) FROM ledger_postings")
        .fetch_one(bank.control.store().pool())
        .await
        .unwrap();
    assert_eq!(sum, 0);
    let overview = bank.control.overview(&bank.caller).await.unwrap();
    assert_eq!(overview.total_cost, f64::from(expected));
}

#[tokio::test]
async fn what_runs_has_cost_what_was_charged() {
    let mut bank = Bank::open().await;
    bank.top_up("1000").await;
    let job = bank.run_job("j1", 3, None).await;
    let cluster = bank.create_cluster(10).await;
    bank.wait(HOUR).await;
    let charges = async |bank: &Bank| {
        let overview = bank.control.overview(&bank.caller).await.unwrap();
        let of_running = overview.jobs.charge + overview.clusters.charge;
        assert!(overview.total_cost >= of_running - 1e-9, "{overview:?}");
        (overview.jobs.charge, overview.clusters.charge)
    };
    assert_eq!(charges(&bank).await, (1.5, 6.0));
    // Half a minute that is not in the ledger yet.
    bank.clock.advance(Duration::from_secs(36));
    assert_eq!(charges(&bank).await, (1.515, 6.06));
    assert_eq!(bank.control.overview(&bank.caller).await.unwrap().total_cost, 7.575);
    // Another size, and another worker.
    let larger = SentCluster { maximum_spu_quota: Some(20), ..SentCluster::default() };
    bank.control.update_cluster(&bank.caller, cluster, larger).await.unwrap();
    bank.runner.forget();
    bank.rest().await;
    bank.wait(HOUR).await;
    assert_eq!(charges(&bank).await, (3.015, 17.06));
    let overview = bank.control.overview(&bank.caller).await.unwrap();
    assert_eq!((overview.jobs.price, overview.clusters.price), (1.5, 11.0));
    assert_eq!(overview.total_cost, 20.075);
    bank.restart().await;
    bank.rest().await;
    assert_eq!(charges(&bank).await, (3.015, 17.06), "the service began anew, and not the run");
    bank.control.stop(&bank.caller, job, false).await.unwrap();
    bank.rest().await;
    bank.control.run(&bank.caller, job, false).await.unwrap();
    bank.rest().await;
    bank.wait(HOUR).await;
    assert_eq!(charges(&bank).await, (1.5, 28.06), "another run of the job");
}

#[tokio::test]
async fn who_owes_is_stopped_and_goes_on_after_a_top_up() {
    let bank = Bank::open().await;
    bank.top_up("11").await;
    let cluster = bank.create_cluster(10).await;
    let inside = bank.run_job("j1", 5, Some(cluster.0)).await;
    let job = bank.run_job("j2", 4, None).await;
    bank.wait(HOUR).await;
    // 12 and 4 SPUs cost 8 an hour.
    assert_eq!(bank.balance().await, "3.00");
    assert_eq!(bank.job_status(job).await, "job_running");
    bank.wait(HOUR).await;
    assert_eq!(bank.balance().await, "-5.00");
    assert_eq!(bank.job_status(job).await, "job_arrearage_stopped");
    assert_eq!(bank.job_status(inside).await, "job_arrearage_stopped");
    assert_eq!(bank.cluster_status(cluster).await, "cluster_arrearage_stopped");
    bank.wait(DAY).await;
    assert_eq!(bank.balance().await, "-5.00", "what stands still costs nothing");
    bank.top_up("4.999999").await;
    bank.rest().await;
    assert_eq!(bank.job_status(job).await, "job_arrearage_stopped", "not enough");
    bank.top_up("0.000001").await;
    assert_eq!(bank.job_status(job).await, "job_arrearage_recovering");
    assert_eq!(bank.cluster_status(cluster).await, "cluster_arrearage_recovering");
    bank.rest().await;
    assert_eq!(bank.job_status(job).await, "job_running");
    assert_eq!(bank.cluster_status(cluster).await, "cluster_running");
    bank.wait(Duration::from_secs(60)).await;
    let starts = bank.runner.starts.lock().unwrap().clone();
    assert_eq!(starts.last(), Some(&(job.0, 2, true)), "from its checkpoint: {starts:?}");
}

/// A job that stands still may be changed, and goes on only as what could be run; another text goes on afresh.
#[tokio::test]
async fn what_is_changed_in_arrears_is_checked_before_it_goes_on() {
    let bank = Bank::open().await;
    bank.top_up("40").await;
    let cluster = bank.create_cluster(10).await;
    let inside = bank.run_job("inside", 2, Some(cluster.0)).await;
    let mut jobs = Vec::new();
    for name in ["same", "described", "text", "kafka", "moved", "broken"] {
        jobs.push(bank.run_job(name, 2, None).await);
    }
    let [same, described, text, kafka, moved, broken] = jobs[..] else { panic!() };
    bank.wait(4 * HOUR).await;
    let all = [inside, same, described, text, kafka, moved, broken];
    for job in all {
        assert_eq!(bank.job_status(job).await, "job_arrearage_stopped");
    }
    let source = |options: &str| SQL.replacen("type = \"datagen\"", options, 1);
    let with_text = |sql: String| SentFields { sql_body: Some(sql), ..SentFields::default() };
    let of_kafka = "type = \"kafka\", kafka_bootstrap_servers = \"10.0.0.1:9092\", kafka_topic = \"t\", \
        kafka_group_id = \"g\", encode = \"json\"";
    let to_cluster = SentFields {
        run_mode: Some("exclusive_cluster".into()),
        cluster_id: Some(cluster.0),
        ..SentFields::default()
    };
    for (job, change) in [
        (described, SentFields { desc: Some("d".into()), ..SentFields::default() }),
        (text, with_text(format!("{SQL} -- another"))),
        (kafka, with_text(source(of_kafka))),
        (moved, to_cluster),
        (broken, with_text("SELECT".into())),
    ] {
        bank.control.update_sql_job(&bank.caller, job, change).await.unwrap();
    }
    let first = bank.runner.starts.lock().unwrap().len();
    bank.top_up("1000").await;
    bank.wait(Duration::from_secs(60)).await;
    bank.wait(Duration::from_secs(60)).await;
    let mut starts = bank.runner.starts.lock().unwrap()[first..].to_vec();
    starts.sort_unstable();
    let expected = [(inside.0, 2, true), (same.0, 2, true), (described.0, 2, true), (text.0, 2, false)];
    assert_eq!(starts, expected, "and nothing else");
    for job in [inside, same, described, text] {
        assert_eq!(bank.job_status(job).await, "job_running");
    }
    let run = bank.runner.started(same.0).fresh_since;
    assert!(bank.runner.started(text.0).fresh_since > run, "checkpoints of the former text do not count");
    // As the calls for the same jobs are refused: CS.13014, CS.13011 of the owner, who is no administrator, CS.13005.
    for (job, reason) in [(kafka, "Kafka"), (moved, "It is cluster"), (broken, "Line 1")] {
        assert_eq!(bank.job_status(job).await, "job_submit_fail");
        let job = bank.control.store().job(&bank.caller.project, job).await.unwrap().unwrap();
        assert!(job.facts.reason.contains(reason), "{}", job.facts.reason);
    }
}

#[tokio::test]
async fn a_job_of_a_cluster_goes_on_when_its_cluster_runs() {
    let bank = Bank::open().await;
    bank.top_up("7").await;
    let cluster = bank.create_cluster(10).await;
    let inside = bank.run_job("j1", 5, Some(cluster.0)).await;
    bank.wait(2 * HOUR).await;
    assert_eq!(bank.job_status(inside).await, "job_arrearage_stopped");
    let (amount, projects) = ("1000".parse().unwrap(), [bank.caller.project.clone()]);
    let store = bank.control.store();
    operator_top_up(store, &bank.domain, amount, &projects, bank.clock.now()).await.unwrap();
    bank.wait(Duration::from_secs(60)).await;
    assert_eq!(bank.cluster_status(cluster).await, "cluster_running");
    bank.wait(Duration::from_secs(60)).await;
    assert_eq!(bank.job_status(inside).await, "job_running");
}

#[tokio::test]
async fn a_service_that_died_between_charge_and_stop_makes_up_for_it() {
    let mut bank = Bank::open().await;
    bank.top_up("10").await;
    let job = bank.run_job("j1", 4, None).await;
    charge(bank.control.store(), &bank.domain, "20").await;
    assert_eq!(bank.job_status(job).await, "job_running");
    bank.restart().await;
    bank.rest().await;
    assert_eq!(bank.job_status(job).await, "job_arrearage_stopped");
    assert_eq!(bank.balance().await, "-10.00");
}

#[tokio::test]
async fn what_did_not_run_while_the_service_was_away_is_not_charged() {
    let mut bank = Bank::open().await;
    bank.top_up("100").await;
    let gone = bank.run_job("j1", 2, None).await;
    bank.wait(HOUR).await;
    assert_eq!(bank.balance().await, "99.00");
    bank.restart().await;
    bank.runner.forget();
    bank.clock.advance(10 * HOUR);
    bank.restart().await;
    bank.rest().await;
    assert_eq!(bank.job_status(gone).await, "job_running");
    bank.wait(HOUR).await;
    assert_eq!(bank.balance().await, "98.00", "ten hours without a worker");
    // This time the worker is there all the time.
    bank.clock.advance(10 * HOUR);
    bank.restart().await;
    assert_eq!(bank.balance().await, "88.00");
}

#[tokio::test]
async fn a_subscription_is_paid_at_once_and_ends() {
    let bank = Bank::open().await;
    bank.top_up("1000").await;
    let cluster = bank.create_cluster(10).await;
    bank.wait(10 * HOUR).await;
    assert_eq!(bank.balance().await, "940.00");
    let (store, now) = (bank.control.store(), bank.clock.now());
    let payment = Payment::Subscription {
        until: Some(now.plus(30 * DAY)),
        paid: Some(("432".parse().unwrap(), bank.domain.clone())),
    };
    assert!(set_payment(store, &bank.caller.project, cluster, &payment, now).await.unwrap());
    bank.wait(29 * DAY).await;
    assert_eq!(bank.balance().await, "508.00", "paid at once, and nothing else");
    // What is paid for is not stopped, whatever the account owes.
    charge(store, &bank.domain, "600").await;
    bank.wait(HOUR).await;
    assert_eq!(bank.cluster_status(cluster).await, "cluster_running");
    bank.top_up("600").await;
    // The time behind is paid for before it begins.
    let (now, end) = (bank.clock.now(), START.plus(10 * HOUR + 30 * DAY));
    let payment = Payment::Subscription {
        until: Some(end.plus(10 * DAY)),
        paid: Some(("144".parse().unwrap(), bank.domain.clone())),
    };
    assert!(set_payment(store, &bank.caller.project, cluster, &payment, now).await.unwrap());
    bank.wait(10 * DAY).await;
    // A day and nine hours later it has been paid for by use for ten hours.
    bank.wait(DAY + 9 * HOUR).await;
    assert_eq!(bank.balance().await, "304.00");
    let history = bank.control.billing_history(&bank.caller, &BillingFilter::default(), 0, 10).await.unwrap();
    let lines: Vec<_> = history
        .lines
        .iter()
        .map(|line| (line.charge.to_string(), line.price.to_string(), line.millis / 3_600_000))
        .collect();
    let line = |charge: &str, price: &str, hours| (charge.to_string(), price.to_string(), hours);
    assert_eq!(
        lines,
        [
            line("60.00", "0.50", 10),
            line("144.00", "0.05", 240),
            line("432.00", "0.05", 720),
            line("60.00", "0.50", 10)
        ]
    );
}

/// A job that could not be stopped may be changed: what it holds and costs stays that of its run.
#[tokio::test]
async fn what_could_not_be_stopped_keeps_what_it_was_run_with() {
    let bank = Bank::open().await;
    bank.top_up("10000").await;
    let cluster = bank.create_cluster(20).await;
    let (shared, inside) =
        (bank.run_job("stubborn-1", 5, None).await, bank.run_job("stubborn-2", 3, Some(cluster.0)).await);
    for job in [shared, inside] {
        bank.control.stop(&bank.caller, job, false).await.unwrap();
    }
    bank.wait(HOUR).await;
    for (job, mode, cluster, spus) in
        [(shared, "exclusive_cluster", Some(cluster.0), 2), (inside, "shared_cluster", None, 7)]
    {
        assert_eq!(bank.job_status(job).await, "job_cancel_fail");
        let sent = SentFields {
            run_mode: Some(mode.into()),
            cluster_id: cluster,
            spu_number: Some(spus),
            ..SentFields::default()
        };
        bank.control.update_sql_job(&bank.caller, job, sent).await.unwrap();
    }
    let quota = bank.control.quota(&bank.caller, &bank.caller.user).await.unwrap();
    assert_eq!(quota.spu_used, 8);
    assert_eq!(bank.control.cluster(&bank.caller, cluster).await.unwrap().spu_used, 3);
    // Both end, one by its user, one with the cluster in which it was run.
    bank.runner.forget();
    bank.control.stop(&bank.caller, shared, false).await.unwrap();
    bank.control.stop_cluster(&bank.caller, cluster).await.unwrap();
    bank.rest().await;
    for job in [shared, inside] {
        assert_eq!(bank.job_status(job).await, "job_cancel_success");
    }
    let charged = bank.balance().await;
    bank.wait(DAY).await;
    assert_eq!(bank.balance().await, charged, "nothing runs any more");
    // 5 and 22 SPUs for an hour.
    assert_eq!(charged, "9986.50");
}

async fn metered() -> World {
    World::start(|options| options.billing = Some(BillingOptions::default())).await
}

#[tokio::test]
async fn an_account_that_owes_starts_nothing() {
    let world = metered().await;
    let job = world.create("j1", json!({})).await;
    charge(world.control.store(), &world.domain, "0.000001").await;
    let run = format!("/job/{job}/run");
    let (code, body) = world.call("POST", &run, None).await;
    assert_eq!(code, "CS.10009", "{body}");
    assert!(body["error_cause"].as_str().unwrap().contains("balance is -0.000001"), "{body}");
    for (method, path, body) in [
        ("POST", "/job/run", json!([job])),
        ("POST", "/sql_job", json!({})),
        ("POST", "/reserved_cluster", json!({})),
        ("PATCH", "/reserved_cluster/1", json!({})),
        ("POST", "/reserved_cluster/1/restart", json!({})),
    ] {
        assert_eq!(world.call(method, path, Some(body)).await.0, "CS.10009", "{method} {path}");
    }
    let form = world.request("POST", "/jar_job", "admin").body("--limit--\r\n");
    let form = form.header("Content-Type", "multipart/form-data; boundary=limit").send().await.unwrap();
    assert_eq!(form.json::<serde_json::Value>().await.unwrap()["error_id"], "CS.10009");
    let (_, body) = world.call("POST", "/billing/settle", None).await;
    assert_eq!((&body["payload"]["frozen"], &body["payload"]["balance"]), (&json!(true), &json!(-0.000001)));
    let path = format!("/job/{job}");
    assert_eq!(world.call("DELETE", &path, None).await.0, "CS.18000", "what costs nothing is as ever");
}

#[tokio::test]
async fn faults_of_the_ledger_have_codes_of_their_own() {
    let world = metered().await;
    assert_eq!(world.call("POST", "/billing/top_up", Some(json!({ "amount": 1_000 }))).await.0, "CS.25010");
    let (code, body) = world.call("POST", "/reserved_cluster", Some(json!({ "name": "c1" }))).await;
    assert_eq!(code, "CS.20000", "{body}");
    let cluster = format!("/reserved_cluster/{}", body["payload"]["cluster_id"]);
    wait_for(&world, &cluster, 5).await;
    charge(world.control.store(), &world.domain, "2000").await;
    // As if its user had changed it at the same moment: that is no fault, and the next settlement sees to it.
    let faster = databases::overtake(&world.control, "clusters").await;
    assert_eq!(world.call("POST", "/billing/settle", None).await.0, "CS.25011");
    wait_for(&world, &cluster, 5).await;
    databases::accept(&world.control, faster).await;
    let refusal = databases::refuse(&world.control, "UPDATE", "clusters", "true").await;
    let (code, body) = world.call("POST", "/billing/settle", None).await;
    assert_eq!(code, "CS.20016", "{body}");
    assert!(body["error_cause"].as_str().unwrap().contains(databases::REFUSAL), "{body}");
    databases::accept(&world.control, refusal).await;
    assert_eq!(world.call("POST", "/billing/settle", None).await.0, "CS.25011");
    wait_for(&world, &cluster, 12).await;
    let mut records = world.audits().await;
    records.retain(|record| record.resource_type == "account");
    let results: Vec<&str> = records.iter().map(|record| &record.op_result[..8]).collect();
    assert_eq!(results, ["CS.25011", "CS.20016", "CS.25011", "CS.25010"], "one record for each call");
    let refusal = databases::refuse(&world.control, "UPDATE", "clusters", "true").await;
    let (code, body) = world.call("POST", "/billing/top_up", Some(json!({ "amount": 1_500 }))).await;
    assert_eq!(code, "CS.20017", "{body}");
    assert!(body["error_cause"].as_str().unwrap().contains("The amount is added"), "{body}");
    databases::accept(&world.control, refusal).await;
    assert_eq!(world.call("POST", &format!("{cluster}/restart"), None).await.0, "CS.20049", "by hand");
    wait_for(&world, &cluster, 5).await;
    databases::run(&world.control, "ALTER TABLE charge_totals RENAME TO elsewhere").await;
    assert_eq!(world.call("GET", "/billing_history", None).await.0, "CS.25003");
    assert_eq!(world.call("GET", "/overview", None).await.0, "CS.25001");
}

async fn wait_for(world: &World, cluster: &str, status: i64) {
    for _ in 0..500 {
        let (_, body) = world.call("GET", cluster, None).await;
        if body["payload"]["status_code"] == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{cluster} did not get to {status}");
}
