//! Joins with dimension tables: the shape of plans and what is refused.

use super::Fixture;

const TABLES: &str = "
CREATE SOURCE STREAM scans (car_id STRING, gate INT, ts TIMESTAMP)
  WITH (type = 'x') TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SOURCE STREAM gates (gate INT, place STRING) WITH (type = 'x');
CREATE TABLE owners (car_id STRING, owner_name STRING, since DATE, n BIGINT) WITH (type = 'x');
CREATE TABLE prices (brand STRING, model STRING, price STRING) WITH (type = 'x', keys = '0,1');
";

fn planned(query: &str) -> Result<String, String> {
    let text = format!(
        "{TABLES}CREATE SINK STREAM o (a STRING, b STRING) WITH (type = 'x');\nINSERT INTO o\n{query}"
    );
    let fixture = Fixture::parse(&text);
    let planned = fixture.planned("UTC").map_err(|error| {
        let line = text.lines().nth(error.message.position.line as usize - 1).unwrap_or_default();
        let start = error.message.position.column as usize - 1;
        let marked: String = line.chars().skip(start).take(error.message.length as usize).collect();
        format!("{} [{}] at {marked}", error.message.text, error.message.hint.unwrap_or_default())
    })?;
    Ok(planned.plan.display_indent().to_string())
}

fn plan(query: &str) -> String {
    planned(query).unwrap_or_else(|error| panic!("{error}\n{query}"))
}

#[test]
fn a_row_gives_values_for_columns_of_the_table() {
    assert_eq!(
        plan(
            "SELECT s.car_id, o.owner_name FROM scans AS s LEFT JOIN owners AS o
               ON s.gate + 1 = o.n AND o.car_id = s.car_id AND o.since = DATE '2024-03-15'
             WHERE s.gate > 3 AND o.owner_name <> 'x'"
        ),
        "Projection: s.car_id AS a, owner_name AS b\
         \n  Filter: owner_name != Utf8(\"x\")\
         \n    Projection: s.car_id, owner_name\
         \n      LookupJoin: owners on car_id_2 = s.car_id, since = Date32(\"2024-03-15\"), n = CAST(s.gate + Int32(1) AS Int64), outer\
         \n        Filter: s.gate > Int32(3)\
         \n          SubqueryAlias: s\
         \n            TableScan: scans projection=[car_id, gate]"
    );
}

#[test]
fn a_table_may_be_written_before_the_stream_and_its_columns_then_come_first() {
    let stream_first = plan("SELECT owner_name, place FROM gates g JOIN owners o ON o.n = g.gate");
    let table_first = plan("SELECT owner_name, place FROM owners o JOIN gates g ON o.n = g.gate");
    assert_eq!(table_first, stream_first);
    let outer = plan("SELECT owner_name, place FROM owners o RIGHT JOIN gates g ON o.n = g.gate");
    assert_eq!(outer, plan("SELECT owner_name, place FROM gates g LEFT JOIN owners o ON o.n = g.gate"));
    let star =
        "SELECT q.x, q.z FROM (SELECT * FROM prices p JOIN gates g ON p.brand = place AND p.model = place)
       AS q (x, b, c, d, z)";
    assert_eq!(plan(star).lines().next(), Some("Projection: brand AS a, g.place AS b"));
}

#[test]
fn several_tables_and_the_same_one_twice() {
    let text = plan(
        "SELECT a.owner_name, price FROM scans s JOIN owners a ON a.car_id = s.car_id
           JOIN owners b ON b.owner_name = a.owner_name
           LEFT JOIN prices ON brand = b.car_id AND model = a.car_id",
    );
    let joins: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with("Lookup")).collect();
    assert_eq!(
        joins,
        [
            "LookupJoin: prices on brand = car_id_3, model = car_id_2, outer",
            "LookupJoin: owners on owner_name_2 = owner_name",
            "LookupJoin: owners on car_id_2 = s.car_id",
        ]
    );
}

#[test]
fn what_a_look_up_cannot_do_is_refused() {
    let on = "SELECT s.car_id, owner_name FROM scans s JOIN owners o ON ";
    let only = "`ON` of a join with dimension table `owners` holds only equalities of its columns with values of the stream, joined by `AND` [move other conditions to `WHERE`]";
    let how = "write `FROM stream JOIN owners ON owners.car_id = ...`";
    for (query, expected) in [
        (format!("{on}o.n > s.gate"), format!("{only} at o.n > s.gate")),
        (format!("{on}o.car_id = s.car_id AND s.gate = 3"), format!("{only} at s.gate = 3")),
        (format!("{on}o.car_id = o.owner_name"), format!("{only} at o.car_id = o.owner_name")),
        (
            format!("{on}o.car_id = s.car_id OR o.n = s.gate"),
            format!("{only} at o.car_id = s.car_id OR o.n = s.gate"),
        ),
        (format!("{on}UPPER(o.car_id) = s.car_id"), format!("{only} at UPPER(o.car_id) = s.car_id")),
        (
            format!("{on}o.car_id = s.gate"),
            "column `car_id` of dimension table `owners` is STRING and would have to be converted to be compared [convert the other side with `CAST(... AS STRING)`] at o.car_id = s.gate".to_string(),
        ),
        (
            format!("{on}o.since = s.ts"),
            "column `since` of dimension table `owners` is DATE and would have to be converted to be compared [convert the other side with `CAST(... AS DATE)`] at o.since = s.ts".to_string(),
        ),
        (
            format!("{on}o.car_id = s.car_id AND o.car_id = 'x'"),
            "column `car_id` is compared twice in `ON` [a look-up takes one value for each column; move the other comparison to `WHERE`] at o.car_id = 'x'".to_string(),
        ),
        (
            format!("{on}TRUE"),
            "`ON` gives no value for a column of `owners` [a dimension table is looked up by equalities with its columns] at owners o".to_string(),
        ),
        (
            "SELECT car_id, owner_name FROM owners".to_string(),
            format!("`owners` is a dimension table, which cannot be read but by a join [{how}] at owners"),
        ),
        (
            "SELECT s.car_id, owner_name FROM scans s, owners o WHERE o.car_id = s.car_id".to_string(),
            format!("a dimension table is joined by `JOIN` or `LEFT JOIN`, not by `CROSS JOIN` or a comma [{how}] at owners o"),
        ),
        (
            "SELECT s.car_id, owner_name FROM scans s FULL JOIN owners o ON o.car_id = s.car_id".to_string(),
            format!("a dimension table is joined by `JOIN` or `LEFT JOIN`, not by `FULL JOIN` [{how}] at owners o"),
        ),
        (
            "SELECT s.car_id, owner_name FROM owners o LEFT JOIN scans s ON o.car_id = s.car_id".to_string(),
            "`LEFT JOIN` cannot keep the rows of dimension table `owners`, which is looked up and never read as a whole [write the stream before the table] at owners o".to_string(),
        ),
        (
            "SELECT s.car_id, price FROM scans s JOIN prices p ON p.brand = s.car_id".to_string(),
            "table `prices` can be looked up by `brand`, `model` alone [`ON` must compare all of them] at prices p".to_string(),
        ),
        (
            "SELECT s.car_id, price FROM scans s JOIN prices p ON p.brand = s.car_id AND p.model = 'm' AND p.price = '1'".to_string(),
            "table `prices` can be looked up by `brand`, `model` alone [move the comparison of `price` to `WHERE`] at prices p".to_string(),
        ),
        (
            "SELECT s.car_id, owner_name FROM scans s JOIN owners s ON s.car_id = 'x'".to_string(),
            "column `car_id` is ambiguous in stream `s` [] at car_id".to_string(),
        ),
    ] {
        match planned(&query) {
            Err(given) => assert_eq!(given, expected, "{query}"),
            Ok(plan) => panic!("{query}\n{plan}"),
        }
    }
}

#[test]
fn a_table_is_not_written() {
    let text = format!("{TABLES}INSERT INTO owners SELECT car_id, car_id, DATE '2024-03-15', 1 FROM scans");
    let error = Fixture::parse(&text).planned("UTC").map(|_| ()).unwrap_err();
    assert_eq!(error.message.text, "`owners` is a dimension table; it cannot be written");
}
