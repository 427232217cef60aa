//! Where the tests keep metadata: in a file, and all of them once more on a PostgreSQL server.
//!
//! A test program has one server, with a database of its own for each store. The same program is run again with the address of the
//! server, so that no test knows on which it runs, but for the statements by which it damages a store.

use std::path::Path;
use std::process::Command;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use weir_control::Control;
use weir_store::Store;
use weir_testkit::servers::Postgres;

/// The address of the server in the second run, up to the name of the database.
const SERVER: &str = "WEIR_TEST_POSTGRES";

/// What a store that refuses to write says.
pub const REFUSAL: &str = "disk full";

/// Runs all tests of this program again with their metadata on a PostgreSQL server.
pub fn repeat_on_postgres() {
    // A service elsewhere has its own metadata.
    if is_postgres() || std::env::var_os("WEIR_BASE_URL").is_some() {
        return;
    }
    let Some(server) = Postgres::start_for_many().unwrap() else { return };
    let mut tests = Command::new(std::env::current_exe().unwrap());
    let output = tests.env(SERVER, server.address("")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "with metadata in PostgreSQL:\n{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("with metadata in PostgreSQL:\n{said}");
}

/// Whether this is the run with metadata on a server.
pub fn is_postgres() -> bool {
    std::env::var_os(SERVER).is_some()
}

/// Opens a new store.
pub async fn open(directory: &Path) -> Store {
    let Ok(server) = std::env::var(SERVER) else {
        return Store::open(&directory.join("weir.db")).await.unwrap();
    };
    let database = format!("test_{}", weir_base::id::random_hex_id());
    sqlx::any::install_default_drivers();
    let mut first = AnyConnection::connect(&format!("{server}cars")).await.unwrap();
    first.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await.unwrap();
    first.close().await.unwrap();
    Store::connect(&format!("{server}{database}")).await.unwrap()
}

/// Runs a statement that both databases understand.
pub async fn run(control: &Control, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(control.store().pool()).await.unwrap();
}

/// A table that refuses an event.
pub struct Refusal {
    trigger: String,
    table: String,
}

/// Makes a table refuse an event, such as `INSERT`, as a full disk does: always, or for rows with a condition.
pub async fn refuse(control: &Control, event: &str, table: &str, condition: &str) -> Refusal {
    let fails = if is_postgres() {
        let body = format!("BEGIN RAISE EXCEPTION '{REFUSAL}'; END");
        let function = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql";
        run(control, &format!("{function} AS $body${body}$body$")).await;
        "EXECUTE FUNCTION refuse()".to_string()
    } else {
        format!("BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
    };
    add_trigger(control, &format!("{event} ON {table} FOR EACH ROW WHEN ({condition})"), table, &fails).await
}

/// Lets updates of a table change nothing, as when somebody else was faster.
pub async fn overtake(control: &Control, table: &str) -> Refusal {
    let skips = if is_postgres() {
        let function = "CREATE OR REPLACE FUNCTION overtake() RETURNS trigger LANGUAGE plpgsql";
        run(control, &format!("{function} AS $body$BEGIN RETURN NULL; END$body$")).await;
        "EXECUTE FUNCTION overtake()"
    } else {
        "BEGIN SELECT RAISE(IGNORE); END"
    };
    add_trigger(control, &format!("UPDATE ON {table} FOR EACH ROW"), table, skips).await
}

async fn add_trigger(control: &Control, place: &str, table: &str, does: &str) -> Refusal {
    // A new name each time: a connection of SQLite remembers triggers that another one has dropped.
    let trigger = format!("refuse_{}", weir_base::id::random_hex_id());
    run(control, &format!("CREATE TRIGGER {trigger} BEFORE {place} {does}")).await;
    Refusal { trigger, table: table.to_string() }
}

/// Lets a table take an event again.
pub async fn accept(control: &Control, refusal: Refusal) {
    let Refusal { trigger, table } = refusal;
    let of_table = if is_postgres() { format!(" ON {table}") } else { String::new() };
    run(control, &format!("DROP TRIGGER {trigger}{of_table}")).await;
}

/// Sets members of the definitions in a table, as no call does.
pub async fn redefine(control: &Control, table: &str, members: serde_json::Value) {
    let pool = control.store().pool();
    let stored = AssertSqlSafe(format!("SELECT id, definition FROM {table}"));
    let stored: Vec<(i64, String)> = sqlx::query_as(stored).fetch_all(pool).await.unwrap();
    for (id, definition) in stored {
        let mut definition: serde_json::Value = serde_json::from_str(&definition).unwrap();
        definition.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let statement = AssertSqlSafe(format!("UPDATE {table} SET definition = $1 WHERE id = $2"));
        sqlx::query(statement).bind(definition.to_string()).bind(id).execute(pool).await.unwrap();
    }
}

/// Returns the tables with their columns.
pub async fn columns(control: &Control) -> Vec<(String, Vec<String>)> {
    let columns = if is_postgres() {
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
         WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    } else {
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' ORDER BY m.name, c.cid"
    };
    let columns: Vec<(String, String)> =
        sqlx::query_as(columns).fetch_all(control.store().pool()).await.unwrap();
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for (table, column) in columns {
        match tables.last_mut().filter(|(last, _)| *last == table) {
            Some((_, columns)) => columns.push(column),
            None => tables.push((table, vec![column])),
        }
    }
    tables
}

/// Returns rows of a table as texts, in the order of these.
pub async fn rows(control: &Control, table: &str, columns: &[String], condition: &str) -> Vec<String> {
    let array = if is_postgres() { "json_build_array" } else { "json_array" };
    let columns: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let columns = columns.join(", ");
    let rows =
        AssertSqlSafe(format!("SELECT CAST({array}({columns}) AS TEXT) FROM {table} WHERE {condition}"));
    let mut rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(control.store().pool()).await.unwrap();
    rows.sort();
    rows
}
