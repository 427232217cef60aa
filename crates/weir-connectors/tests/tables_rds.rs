//! Dimension tables in a real PostgreSQL and a real MariaDB server. A server takes seconds to start, so there is one
//! test for each, which asks for one thing after the other.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use common::tables::{ask, keys, table};
use common::world;
use weir_base::network::NetworkSettings;
use weir_connectors::Network;
use weir_engine::error::ConnectorError;
use weir_engine::lookup::SharedLookup;
use weir_testkit::servers::{MariaDb, PASSWORD, Postgres, USER};

/// A database under test.
struct Database {
    url: String,
    port: u16,
    zone: &'static str,
}

impl Database {
    fn connect(&self, table_name: &str, columns: &[(&str, &str)], more: &[(&str, &str)]) -> SharedLookup {
        let mut options = vec![
            ("type", "rds"),
            ("username", USER),
            ("password", PASSWORD),
            ("db_url", self.url.as_str()),
            ("table_name", table_name),
            ("cache_time", "0"),
        ];
        options.extend_from_slice(more);
        let mut environment = world().environment;
        environment.settings.time_zone = self.zone.to_string();
        weir_connectors::table(&table(columns, &options), &environment).unwrap()
    }

    async fn execute(&self, statements: &[&str]) {
        for statement in statements {
            let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(*statement));
            match self.url.starts_with("mysql") {
                true => {
                    use sqlx::ConnectOptions;
                    let options = sqlx::mysql::MySqlConnectOptions::new()
                        .host("127.0.0.1")
                        .port(self.port)
                        .username(USER)
                        .password(PASSWORD)
                        .database("cars");
                    sql.execute(&mut options.connect().await.unwrap()).await.map(drop)
                }
                false => {
                    use sqlx::ConnectOptions;
                    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
                        .host("127.0.0.1")
                        .port(self.port)
                        .username(USER)
                        .password(PASSWORD)
                        .database("cars");
                    sql.execute(&mut options.connect().await.unwrap()).await.map(drop)
                }
            }
            .unwrap();
        }
    }

    async fn error(
        &self,
        table_name: &str,
        columns: &[(&str, &str)],
        more: &[(&str, &str)],
    ) -> ConnectorError {
        let table = self.connect(table_name, columns, more);
        let error = table.look_up(&[0], &keys(columns, &[0], &[&["1"]])).await.unwrap_err();
        assert!(error.message.starts_with("table `T`: "), "{error}");
        assert!(!error.message.contains("hunter2") && !error.message.contains("swordfish"), "{error}");
        error
    }
}

const OWNERS: &[(&str, &str)] = &[("car_id", "STRING"), ("owner_name", "STRING")];

async fn rows_by_one_key_and_by_several(database: &Database) {
    database
        .execute(&[
            "CREATE TABLE t_owner (id VARCHAR(20), owner VARCHAR(20), n INTEGER)",
            "INSERT INTO t_owner VALUES ('c1', 'owner1', 1), ('c2', 'owner2', 2), ('c2', 'owner3', 3), (NULL, 'nobody', 4), ('C1', 'other case', 5), ('c3', NULL, 6), ('q''\"`', 'quotes', 7)",
        ])
        .await;
    let owners = database.connect("t_owner", OWNERS, &[("db_columns", "id, OWNER")]);
    let asked = keys(OWNERS, &[0], &[&["c2"], &["c9"], &["c1"], &["c3"], &["q'\"`"]]);
    assert_eq!(
        ask(&owners, &[0], &asked).await.unwrap(),
        ["0: c2|owner2", "0: c2|owner3", "2: c1|owner1", "3: c3|NULL", "4: q'\"`|quotes"]
    );
    let columns = &[("n", "BIGINT"), ("owner", "STRING"), ("ID", "STRING")];
    let several = database.connect("T_OWNER".to_lowercase().as_str(), columns, &[]);
    let asked = keys(columns, &[0, 2], &[&["2", "c2"], &["3", "c1"], &["3", "c2"]]);
    assert_eq!(ask(&several, &[0, 2], &asked).await.unwrap(), ["0: 2|owner2|c2", "2: 3|owner3|c2"]);
}

/// A job whose cluster maps a made-up name to the machine of the server, with and without a route there.
async fn a_mapped_name(database: &Database) {
    let url = database.url.replace("127.0.0.1", "DB.made.up");
    let columns = &[("n", "BIGINT"), ("owner", "STRING")];
    let connect = |url: &str, route: Option<&str>| {
        let options = [
            ("type", "rds"),
            ("username", USER),
            ("password", PASSWORD),
            ("db_url", url),
            ("table_name", "t_owner"),
        ];
        let mut environment = world().environment;
        environment.network = Network::new(&NetworkSettings {
            hosts: [("db.made.up".to_string(), "127.0.0.1".parse().unwrap())].into(),
            destinations: route.map(|route| vec![route.parse().unwrap()]),
            ..NetworkSettings::default()
        });
        weir_connectors::table(&table(columns, &options), &environment)
    };
    let asked = keys(columns, &[0], &[&["1"]]);
    for route in [None, Some("127.0.0.0/8")] {
        let found = ask(&connect(&url, route).unwrap(), &[0], &asked).await.unwrap();
        assert_eq!(found, ["0: 1|owner1"], "{route:?}");
    }
    let error = ask(&connect(&url, Some("10.0.0.0/8")).unwrap(), &[0], &asked).await.unwrap_err();
    assert!(!error.transient && error.message.contains("no route leads to 127.0.0.1"), "{error}");
    let refused = connect(&format!("{url}?sslmode=verify-full"), None).err().unwrap();
    assert!(refused.message.contains("no certificate can be verified"), "{refused}");
}

/// More keys than one statement takes, and not a power of two.
async fn very_many_keys(database: &Database) {
    let values: Vec<String> = (0..1_300).map(|n| format!("({n}, 'v{n}')")).collect();
    let insert = format!("INSERT INTO t_many VALUES {}", values.join(", "));
    database.execute(&["CREATE TABLE t_many (n BIGINT PRIMARY KEY, v VARCHAR(20))"]).await;
    database.execute(&[insert.as_str()]).await;
    let columns = &[("n", "BIGINT"), ("v", "STRING")];
    let texts: Vec<String> = (0..1_300).map(|n| n.to_string()).collect();
    let rows: Vec<[&str; 1]> = texts.iter().map(|text| [text.as_str()]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let found =
        ask(&database.connect("t_many", columns, &[]), &[0], &keys(columns, &[0], &rows)).await.unwrap();
    assert_eq!(found.len(), 1_300);
    assert!(found.contains(&"1299: 1299|v1299".to_string()));
}

async fn faults(database: &Database) {
    let columns = &[("n", "INT"), ("owner", "INT")];
    let table = database.connect("t_owner", columns, &[]);
    let answer = table.look_up(&[0], &keys(columns, &[0], &[&["9"], &["2"]])).await.unwrap();
    assert_eq!((answer.rows.num_rows(), answer.faults.len()), (0, 1));
    assert_eq!(answer.faults[0].key, 1);
    assert_eq!(answer.faults[0].reason, "column `owner`: `owner2` is not an INT");

    let error = database.error("t_owner", &[("n", "INT"), ("x", "INT")], &[]).await;
    assert!(
        !error.transient && error.message.contains("no column `x`; its columns are `id`, `owner`, `n`"),
        "{error}"
    );
    let error = database.error("t_none", columns, &[]).await;
    assert!(!error.transient && error.message.contains("t_none"), "{error}");
    let error = database.error("t_owner", &[("id", "INT")], &[]).await;
    assert!(!error.transient && error.message.contains("column `id` is INT here"), "{error}");
    let error = database.error("t_owner", columns, &[("password", "swordfish")]).await;
    assert!(!error.transient, "{error}");
    let encrypted = format!("{}?sslmode=require", database.url);
    let error = database.error("t_owner", columns, &[("db_url", &encrypted)]).await;
    assert!(!error.transient, "{error}");
}

#[tokio::test]
async fn postgresql() {
    let Some(server) = Postgres::start().unwrap() else { return };
    let mut database = Database { url: String::new(), port: server.port(), zone: "+08:00" };
    database.url = format!("postgresql://127.0.0.1:{}/cars", server.port());
    rows_by_one_key_and_by_several(&database).await;
    a_mapped_name(&database).await;
    very_many_keys(&database).await;
    faults(&database).await;

    database
        .execute(&[
            "CREATE SCHEMA \"S\"",
            "CREATE TYPE mood AS ENUM ('good', 'bad')",
            "CREATE TABLE \"S\".\"Types\" (u UUID, c CHAR(4), m mood, b BOOLEAN, f FLOAT4, d NUMERIC(8, 3), day DATE, t TIME, ts TIMESTAMP, tz TIMESTAMPTZ)",
            "INSERT INTO \"S\".\"Types\" VALUES ('6f0a4a4e-0000-4000-8000-000000000001', 'ab', 'good', true, 1.1, 12.5, '2024-03-15', '07:08:09.123', '2024-03-15 07:08:09.5', '2024-03-15 07:08:09.5+00')",
        ])
        .await;
    let columns = [
        ("u", "STRING"),
        ("c", "STRING"),
        ("m", "STRING"),
        ("b", "BOOLEAN"),
        ("f", "FLOAT"),
        ("d", "DECIMAL"),
        ("day", "DATE"),
        ("t", "TIME"),
        ("ts", "TIMESTAMP"),
        ("tz", "TIMESTAMP"),
    ];
    let types = database.connect("S.Types", &columns, &[]);
    let values = [
        "6f0a4a4e-0000-4000-8000-000000000001",
        "ab",
        "good",
        "true",
        "1.1",
        "12.50",
        "2024-03-15",
        "07:08:09.123",
        "2024-03-15T07:08:09.500",
        "2024-03-15T15:08:09.500",
    ];
    every_column_is_a_key(&types, &columns, &values).await;
}

#[tokio::test]
async fn mariadb() {
    let Some(server) = MariaDb::start().unwrap() else { return };
    let mut database = Database { url: String::new(), port: server.port(), zone: "+08:00" };
    database.url = format!("mysql://127.0.0.1:{}/cars", server.port());
    rows_by_one_key_and_by_several(&database).await;
    a_mapped_name(&database).await;
    very_many_keys(&database).await;
    faults(&database).await;

    database
        .execute(&[
            "CREATE TABLE `S Types` (i INT, c CHAR(4), m ENUM('good', 'bad'), b BOOLEAN, f FLOAT, d DECIMAL(8, 3), day DATE, t TIME(6), ts DATETIME(6), tz TIMESTAMP(6) NULL)",
            "SET time_zone = '+00:00'; INSERT INTO `S Types` VALUES (7, 'ab', 'good', true, 1.5, 12.5, '2024-03-15', '07:08:09.123', '2024-03-15 07:08:09.5', '2024-03-15 07:08:09.5')",
        ])
        .await;
    let columns = [
        ("i", "STRING"),
        ("c", "STRING"),
        ("m", "STRING"),
        ("b", "BOOLEAN"),
        ("f", "FLOAT"),
        ("d", "DECIMAL"),
        ("day", "DATE"),
        ("t", "TIME"),
        ("ts", "TIMESTAMP"),
        ("tz", "TIMESTAMP"),
    ];
    let types = database.connect("S Types", &columns, &[]);
    let values = [
        "7",
        "ab",
        "good",
        "true",
        "1.5",
        "12.50",
        "2024-03-15",
        "07:08:09.123",
        "2024-03-15T07:08:09.500",
        "2024-03-15T15:08:09.500",
    ];
    every_column_is_a_key(&types, &columns, &values).await;
}

/// Looks one row up by each of its columns, and by all of them.
async fn every_column_is_a_key(table: &SharedLookup, columns: &[(&str, &str)], values: &[&str]) {
    let expected = vec![format!("0: {}", values.join("|"))];
    for (column, (name, _)) in columns.iter().enumerate() {
        let asked = keys(columns, &[column], &[&[values[column]]]);
        assert_eq!(ask(table, &[column], &asked).await.unwrap(), expected, "by `{name}`");
    }
    let all: Vec<usize> = (0..columns.len()).collect();
    assert_eq!(ask(table, &all, &keys(columns, &all, &[values])).await.unwrap(), expected);
}
