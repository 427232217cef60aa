//! What holds for a database file only.

use weir_base::id::UserId;
use weir_cloud::identity::ScopeRequest;
use weir_store::{BillingFilter, JobFilter, PostingSubject, Store};

use super::accounts::{identity, login, options};
use super::jobs::{audit, audits, create, project};
use super::ledger::{charge, subject};

async fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("weir.db")).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let (directory, store) = store().await;
    sqlx::query("INSERT INTO schema_version (version, name) VALUES (99, 'future')")
        .execute(store.pool())
        .await
        .unwrap();
    store.close().await;
    let error = Store::open(&directory.path().join("weir.db")).await.unwrap_err();
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

#[tokio::test]
async fn opening_again_keeps_everything() {
    let (directory, store) = store().await;
    let job = create(&store, "t1").await;
    store.register_user(1_000, None, &audit("registerUser")).await.unwrap();
    store.close().await;
    let store = Store::open(&directory.path().join("weir.db")).await.unwrap();
    assert_eq!(store.job(&project(), job.id).await.unwrap(), Some(job));
    assert_eq!(store.spu_quotas(&project()).await.unwrap().get(&UserId("u1".into())), Some(&1_000));
}

#[tokio::test]
async fn the_buckets_of_an_earlier_release_go_to_the_only_project_or_to_nobody() {
    for (other, owner) in [(None, Some(project())), (Some("q".to_string()), None)] {
        let (_directory, store) = store().await;
        let before = "DROP TABLE bucket_owners; INSERT INTO account_domains (id, name) VALUES ('d', 'd')";
        sqlx::raw_sql(before).execute(store.pool()).await.unwrap();
        for id in other.into_iter().chain([project().0]) {
            let insert =
                "INSERT INTO account_projects (id, domain_id, name, description) VALUES ($1, 'd', $1, '')";
            sqlx::query(insert).bind(id).execute(store.pool()).await.unwrap();
        }
        store.authorize_buckets(&["b1".to_string()], |_| audit("authorizeBucket")).await.unwrap();
        let step = include_str!("../../migrations/sqlite/0015_bucket_owners.sql");
        sqlx::raw_sql(step).execute(store.pool()).await.unwrap();
        assert_eq!(store.bucket_owner("b1").await.unwrap(), owner);
    }
}

#[tokio::test]
async fn the_charges_of_an_earlier_release_are_added_up() {
    let (_directory, store) = store().await;
    let paid_at_once = PostingSubject { usage: None, ..subject(3, 5, 500) };
    for subject in
        [subject(1, 0, 10), paid_at_once.clone(), subject(1, 10, 20), subject(2, 15, 25), paid_at_once]
    {
        store.book(&charge("a", 6, subject), &[]).await.unwrap();
    }
    let lines = store.charges(&project(), &BillingFilter::default(), 0, 10).await.unwrap();
    assert_eq!(lines.len(), 4);
    let before =
        "DROP TABLE charge_totals; CREATE INDEX ledger_postings_project ON ledger_postings (project_id)";
    sqlx::raw_sql(before).execute(store.pool()).await.unwrap();
    let step = include_str!("../../migrations/sqlite/0021_charges.sql");
    sqlx::raw_sql(step).execute(store.pool()).await.unwrap();
    assert_eq!(store.charges(&project(), &BillingFilter::default(), 0, 10).await.unwrap(), lines);
}

#[tokio::test]
async fn a_file_may_have_any_name_and_writes_are_safe_from_power_failures() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a b%20?#&ü.db");
    let store = Store::open(&path).await.unwrap();
    assert!(path.exists());
    let setting = |name: &'static str| {
        let pool = store.pool().clone();
        async move { sqlx::query_scalar::<_, i64>(name).fetch_one(&pool).await.unwrap() }
    };
    assert_eq!(setting("PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(setting("PRAGMA foreign_keys").await, 1);
    assert_eq!(setting("PRAGMA busy_timeout").await, 5_000);
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(store.pool()).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn the_file_holds_neither_tokens_nor_passwords() {
    let (directory, store) = store().await;
    let identity = identity(&store);
    identity.bootstrap(options()).await.unwrap();
    let token = identity.log_in(login(ScopeRequest::Unscoped)).await.unwrap().token;
    store.close().await;
    let file = std::fs::read(directory.path().join("weir.db")).unwrap();
    let holds = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("argon2id"));
    assert!(!holds(&token));
    assert!(!holds("secret-1"));
}

#[tokio::test]
async fn a_copy_made_while_others_write_is_whole_and_old_files_are_left_alone() {
    let (directory, store) = store().await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 0..50 {
                create(&store, &format!("t{number}")).await;
            }
        }
    });
    let copy = directory.path().join("copy.db");
    store.copy_to(&copy).await.unwrap();
    writer.await.unwrap();
    let copied = Store::open(&copy).await.unwrap();
    let jobs = copied.jobs(&project(), &JobFilter::default()).await.unwrap();
    let records = audits(&copied, &project()).await;
    assert_eq!(jobs.len(), records.len(), "each job with its audit record");
    assert!(store.copy_to(&copy).await.is_err(), "the file is there already");
}

#[tokio::test]
async fn projects_of_an_earlier_release_are_given_the_agency() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("weir.db");
    sqlx::any::install_default_drivers();
    let old = sqlx::AnyPool::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    for text in [
        include_str!("../../migrations/sqlite/0001_jobs.sql"),
        include_str!("../../migrations/sqlite/0002_accounts.sql"),
        include_str!("../../migrations/sqlite/0003_variables.sql"),
        include_str!("../../migrations/sqlite/0004_cluster_of_job.sql"),
        "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL);
         INSERT INTO schema_version VALUES (4, 'cluster_of_job');
         INSERT INTO account_domains VALUES ('d1', 'weir'), ('d2', 'empty');
         INSERT INTO account_projects VALUES ('p1', 'd1', 'one', ''), ('p2', 'd1', 'two', '');",
    ] {
        sqlx::raw_sql(text).execute(&old).await.unwrap();
    }
    old.close().await;
    let identity = identity(&Store::open(&path).await.unwrap());
    for project in ["p1", "p2"] {
        assert_eq!(identity.service_agency_roles(project).await.unwrap(), weir_cloud::identity::AGENCY_ROLES);
    }
    assert_eq!(identity.agencies("d1").await.unwrap()[0].id.len(), 32);
    assert_eq!(identity.agencies("d2").await.unwrap(), []);
}
