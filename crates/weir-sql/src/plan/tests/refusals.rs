//! What is refused, where, and in which words.

use super::{Fixture, STREAMS, planned};

/// Returns the message of a refused query and the text that its caret stands under.
pub(super) fn refused(columns: &str, query: &str) -> (String, String) {
    let error = match planned(columns, query) {
        Ok(plan) => panic!("accepted: {query}\n{plan}"),
        Err(error) => error,
    };
    let text =
        format!("{STREAMS}CREATE SINK STREAM o ({columns}) WITH (type = 'x');\nINSERT INTO o\n{query}");
    let position = error.message.position;
    let line = text.lines().nth(position.line as usize - 1).unwrap_or_default();
    let length = error.message.length as usize;
    let marked: String = line.chars().skip(position.column as usize - 1).take(length).collect();
    let hint = error.message.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
    (format!("{}{hint}", error.message.text), marked)
}

#[test]
fn refusals_stand_where_the_mistake_is() {
    let mut wrong = vec![];
    for (columns, query, message, marked) in [
        (
            "a STRING",
            "SELECT brnad FROM cars",
            "column `brnad` is not in stream `cars` (did you mean `brand`?)",
            "brnad",
        ),
        (
            "a STRING",
            "SELECT id FROM carz",
            "stream `carz` is not declared before this statement (did you mean `cars`?)",
            "carz",
        ),
        (
            "a STRING",
            "SELECT UPER(id) FROM cars",
            "function `UPER` is not available (did you mean `UPPER`?)",
            "UPER",
        ),
        (
            "a STRING",
            "SELECT id FROM o",
            "`o` is a sink stream; it cannot be read (a temp stream can be written and read)",
            "o",
        ),
        (
            "a STRING",
            "SELECT x.id FROM cars",
            "`x` is neither the stream read here nor one of its columns (`FROM` has `cars`)",
            "x",
        ),
        ("a STRING", "SELECT place.town FROM cars", "field `town` is not in the ROW", "town"),
        (
            "a STRING",
            "SELECT id + 1 FROM cars",
            "`+` needs numbers, not STRING (`||` joins text, `CAST(... AS DOUBLE)` reads a number from it)",
            "id + 1",
        ),
        (
            "a STRING",
            "SELECT id FROM cars WHERE price",
            "`WHERE` needs a BOOLEAN, not INT (write a condition, such as a comparison)",
            "price",
        ),
        (
            "a STRING",
            "SELECT id FROM cars WHERE SUM(price) > 1",
            "the aggregate `SUM` is not allowed in `WHERE` (conditions on groups stand in `HAVING`)",
            "SUM",
        ),
        (
            "a BIGINT",
            "SELECT SUM(MAX(price)) FROM cars",
            "the aggregate `MAX` is not allowed inside another aggregate",
            "MAX",
        ),
        (
            "a STRING",
            "SELECT id FROM cars GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), brand",
            "column `id` is neither in `GROUP BY` nor inside an aggregate (group by it, or take one of its values, such as `MAX(id)`)",
            "id",
        ),
        (
            "a STRING",
            "SELECT brand FROM cars GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), brand HAVING price > 1",
            "column `price` is neither in `GROUP BY` nor inside an aggregate (group by it, or take one of its values, such as `MAX(price)`)",
            "price",
        ),
        (
            "a INT",
            "SELECT id FROM cars",
            "column `a` of `o` is INT, the query gives STRING (convert it with `CAST(... AS INT)`)",
            "id",
        ),
        (
            "a STRING",
            "SELECT id, brand FROM cars",
            "stream `o` has 1 column, the query has 2 (columns are matched by position: `a` STRING)",
            "brand",
        ),
        (
            "a TIMESTAMP",
            "SELECT CAST(n AS TIMESTAMP) FROM ticks",
            "BIGINT cannot be cast to TIMESTAMP (use `TO_TIMESTAMP` for milliseconds since the epoch)",
            "n",
        ),
        (
            "a INT",
            "SELECT CASE WHEN TRUE THEN 1 ELSE 'x' END",
            "the results of `CASE` must have one type, not INT and STRING",
            "'x'",
        ),
        (
            "a STRING",
            "SELECT id, id FROM cars UNION ALL SELECT id FROM cars",
            "the branches of `UNION ALL` have 2 and 1 columns (select as many columns in each, in the same order)",
            "SELECT id FROM cars",
        ),
        (
            "a BOOLEAN",
            "SELECT id = TRUE FROM cars",
            "STRING cannot be compared with BOOLEAN (give both one type with `CAST`)",
            "id = TRUE",
        ),
        (
            "a STRING",
            "SELECT LPAD(id, 'x', 'y') FROM cars",
            "argument 2 of `LPAD` must be an integer, not STRING",
            "'x'",
        ),
        ("a TIMESTAMP", "SELECT LAST_DAY(ts) FROM cars", "function `LAST_DAY` is not available", "LAST_DAY"),
    ] {
        let expected = (message.to_string(), marked.to_string());
        let given = refused(columns, query);
        if given != expected {
            wrong.push(format!("{query}\n    gives    {given:?}\n    expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn windows_are_checked() {
    let group = |window: &str, item: &str| format!("SELECT {item} FROM cars GROUP BY {window}, brand");
    for (window, item, message) in [
        (
            "TUMBLE(made, INTERVAL '1' MINUTE)",
            "brand",
            "the first argument of `TUMBLE` must be a time attribute",
        ),
        ("TUMBLE(ts, INTERVAL '1' MONTH)", "brand", "a window cannot be measured in months or years"),
        ("TUMBLE(ts, INTERVAL '0' SECOND)", "brand", "the length of a window must be positive"),
        ("TUMBLE(ts, price)", "brand", "the length of a window must be a constant interval"),
        ("TUMBLE(ts)", "brand", "`TUMBLE` takes 2 arguments"),
        ("HOP(ts, INTERVAL '1' MINUTE)", "brand", "`HOP` takes 3 arguments"),
        (
            "TUMBLE(ts, INTERVAL '1' MINUTE), SESSION(ts, INTERVAL '1' MINUTE)",
            "brand",
            "`GROUP BY` may hold one group window",
        ),
        (
            "TUMBLE(ts, INTERVAL '1' MINUTE)",
            "TUMBLE_START(ts, INTERVAL '2' MINUTE)",
            "`TUMBLE_START` must repeat the arguments of the window in `GROUP BY`",
        ),
        (
            "TUMBLE(ts, INTERVAL '1' MINUTE)",
            "HOP_START(ts, INTERVAL '1' MINUTE, INTERVAL '1' MINUTE)",
            "`HOP_START` must repeat the arguments of the window in `GROUP BY`",
        ),
        (
            "TUMBLE(ts, INTERVAL '1' MINUTE)",
            "TUMBLE(ts, INTERVAL '1' MINUTE)",
            "`TUMBLE` is allowed in `GROUP BY` only",
        ),
        (
            "TUMBLE(ts, INTERVAL '1' MINUTE)",
            "TUMBLE_PROCTIME(ts, INTERVAL '1' MINUTE)",
            "`TUMBLE_PROCTIME` needs a window on processing time",
        ),
    ] {
        let (text, _) = refused("a STRING", &group(window, item));
        assert!(text.starts_with(message), "{window} {item}: {text}");
    }
    let (text, marked) = refused("a TIMESTAMP", "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) FROM cars");
    assert_eq!(
        text,
        "`TUMBLE_START` needs `TUMBLE` in the `GROUP BY` of the same SELECT (add `TUMBLE` with the same arguments)"
    );
    assert_eq!(marked, "TUMBLE_START");
}

#[test]
fn a_temp_stream_without_a_watermark_needs_an_event_time() {
    let plan = |query: &str| {
        let temp = "CREATE TEMP STREAM t (brand STRING, at_ts TIMESTAMP) TIMESTAMP BY at_ts.rowtime;";
        Fixture::parse(&format!("{STREAMS}{temp} INSERT INTO t {query}")).plan("UTC")
    };
    let window = "GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), brand";
    assert!(plan("SELECT brand, ts FROM cars").is_ok());
    assert!(
        plan(&format!("SELECT brand, TUMBLE_ROWTIME(ts, INTERVAL '1' MINUTE) FROM cars {window}")).is_ok()
    );
    for query in [
        "SELECT brand, ts + INTERVAL '1' SECOND FROM cars".to_string(),
        format!("SELECT brand, TUMBLE_END(ts, INTERVAL '1' MINUTE) FROM cars {window}"),
        format!("SELECT brand, ts FROM cars {window}, ts"),
    ] {
        let error = plan(&query).expect_err(&query);
        assert_eq!(
            error.message.text, "column `at_ts` of `t` must be filled by an event-time attribute",
            "{query}"
        );
    }
}
