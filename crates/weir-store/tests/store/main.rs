//! The repositories, each test on a database file and on a database of a PostgreSQL server.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod accounts;
mod buckets;
mod clusters;
mod file;
mod jobs;
mod ledger;
mod networks;
mod notifications;
mod people;
mod variables;

use std::pin::Pin;

use weir_store::Store;
use weir_testkit::servers::Postgres;

/// A test: its name and what it does with an empty store.
type Test = (&'static str, fn(Store) -> Pin<Box<dyn Future<Output = ()>>>);

/// Lists functions over a store as tests.
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        pub const TESTS: &[crate::Test] = &[$((stringify!($test), |store| Box::pin($test(store)))),*];
    };
}
pub(crate) use tests;

fn all() -> impl Iterator<Item = &'static Test> {
    [
        accounts::TESTS,
        buckets::TESTS,
        clusters::TESTS,
        jobs::TESTS,
        ledger::TESTS,
        networks::TESTS,
        notifications::TESTS,
        people::TESTS,
        variables::TESTS,
    ]
    .into_iter()
    .flatten()
}

#[tokio::test]
async fn on_sqlite() {
    for (name, test) in all() {
        println!("{name}");
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("weir.db")).await.unwrap();
        test(store.clone()).await;
        store.close().await;
    }
}

#[tokio::test]
async fn on_postgres() {
    let Some(server) = Postgres::start_for_many().unwrap() else { return };
    let first = Store::connect(&server.address("cars")).await.unwrap();
    for (number, (name, test)) in all().enumerate() {
        println!("{name}");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE test_{number}"));
        sqlx::raw_sql(create).execute(first.pool()).await.unwrap();
        let store = Store::connect(&server.address(&format!("test_{number}"))).await.unwrap();
        test(store.clone()).await;
        store.close().await;
    }
    // A second service on a database that is up to date already.
    first.close().await;
    Store::connect(&server.address("cars")).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_its_password() {
    for address in ["weir.db", "mysql://u:hunter2@localhost/x", "postgres//u:hunter2@localhost"] {
        let error = Store::connect(address).await.unwrap_err().to_string();
        assert!(error.contains("postgres://user:password@host:port/database"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
