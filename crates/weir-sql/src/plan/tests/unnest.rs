//! `UNNEST` and `LATERAL TABLE`: what is refused, where, and in which words; what reads what.

use super::planned;
use super::refusals::refused;

#[test]
fn collections_in_from_are_refused_with_their_place() {
    let mut wrong = vec![];
    for (query, message, marked) in [
        (
            "SELECT x FROM cars, UNNEST(brand) AS t (x)",
            "`UNNEST` needs an ARRAY or a MAP, not STRING",
            "brand) AS t (x",
        ),
        (
            "SELECT x FROM cars RIGHT JOIN UNNEST(tags) AS t (x) ON TRUE",
            "a table function or `UNNEST` cannot stand after `RIGHT JOIN` (use `CROSS JOIN` or `LEFT JOIN ... ON TRUE`)",
            "tags) AS t (x",
        ),
        (
            "SELECT x FROM cars LEFT JOIN UNNEST(tags) AS t (x) ON x = brand",
            "a `LEFT JOIN` with a table function or `UNNEST` takes no condition but `ON TRUE` (filter with `WHERE`)",
            "tags) AS t (x",
        ),
        (
            "SELECT x FROM cars, UNNEST(tags) AS t (x, y)",
            "`t` names 2 columns, but there are 1",
            "tags) AS t (x, y",
        ),
        (
            "SELECT x FROM cars, LATERAL TABLE(split_curser(brand, ',')) AS t (x)",
            "table function `split_curser` is not known (did you mean `SPLIT_CURSOR`?)",
            "split_curser(brand, ',')) AS t (x",
        ),
        (
            "SELECT x FROM cars, LATERAL TABLE(SPLIT_CURSOR(brand)) AS t (x)",
            "`SPLIT_CURSOR` takes 2 arguments, not 1 (it is called as `SPLIT_CURSOR(text, separator)`)",
            "SPLIT_CURSOR(brand)) AS t (x",
        ),
        (
            "SELECT x FROM UNNEST(tags) AS t (x), cars",
            "column `tags` is unknown: there is no `FROM` (write `FROM` and a stream after the select list)",
            "tags",
        ),
        (
            "SELECT x FROM cars, UNNEST(tags) AS t (x), UNNEST(tags) AS u (x)",
            "column `x` is ambiguous in the streams `cars`, `t`, `u` (it is one of `t.x`, `u.x`)",
            "x",
        ),
    ] {
        let given = refused("a STRING", query);
        if given != (message.to_string(), marked.to_string()) {
            wrong.push(format!("{query}\n    gives    {given:?}\n    expected {message:?} {marked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_collection_reads_what_stands_before_it() {
    for query in [
        "SELECT t.x FROM cars, UNNEST(cars.tags) AS t (x)",
        "SELECT u.y FROM cars c CROSS JOIN UNNEST(c.tags) AS t (x), LATERAL TABLE(split_cursor(t.x, ',')) AS u (y)",
        "SELECT `key` FROM cars, UNNEST(attrs)",
        "SELECT x FROM (SELECT tags AS all_tags FROM cars) JOIN UNNEST(all_tags) AS t (x) ON x <> 'a'",
    ] {
        planned("a STRING", query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

#[test]
fn a_time_attribute_goes_through() {
    planned(
        "a TIMESTAMP, n BIGINT",
        "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), COUNT(x) FROM cars, UNNEST(tags) AS t (x)
         GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
    )
    .unwrap();
}
