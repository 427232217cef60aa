//! GROUP BY without a window, DISTINCT, UNION and several groupings.

use super::refusals::refused;
use super::{planned, queried};

fn shape(query: &str) -> String {
    queried(query, "UTC").unwrap_or_else(|error| panic!("{error}\n{query}")).display_indent().to_string()
}

#[test]
fn a_group_without_a_window_is_an_aggregate_and_having_a_filter_above_it() {
    let plan = planned(
        "b STRING, n BIGINT",
        "SELECT brand, COUNT(*) FROM cars GROUP BY brand HAVING MAX(price) > 5",
    );
    assert_eq!(
        plan.unwrap().display_indent().to_string(),
        "Projection: cars.brand AS b, count(Int64(1)) AS n\
         \n  Filter: max(cars.price) > Int32(5)\
         \n    Aggregate: groupBy=[[cars.brand]], aggr=[[count(Int64(1)), max(cars.price)]]\
         \n      TableScan: cars projection=[brand, price]"
    );
}

#[test]
fn aggregates_without_group_by_are_over_one_group_of_all_rows() {
    for query in ["SELECT COUNT(*) FROM cars", "SELECT COUNT(*) FROM cars GROUP BY ()"] {
        assert!(shape(query).contains("Aggregate: groupBy=[[]], aggr=[[count(Int64(1))]]"), "{query}");
    }
    let plan = shape("SELECT 1 FROM cars HAVING COUNT(*) > 2");
    assert!(plan.contains("Filter: count(Int64(1)) > Int64(2)\n    Aggregate: groupBy=[[]]"), "{plan}");
}

#[test]
fn distinct_and_union_keep_each_row_once() {
    let plan = planned("b STRING", "SELECT DISTINCT brand FROM cars UNION ALL SELECT k FROM ticks").unwrap();
    let plan = plan.display_indent().to_string();
    assert!(plan.contains("Distinct:\n"), "{plan}");
    assert!(plan.find("Union").unwrap() < plan.find("Distinct:").unwrap(), "{plan}");
    let plan = planned("b STRING", "SELECT brand FROM cars UNION SELECT k FROM ticks").unwrap();
    let plan = plan.display_indent().to_string();
    assert!(plan.find("Distinct:").unwrap() < plan.find("Union").unwrap(), "{plan}");
    let error = queried(
        "SELECT n FROM (SELECT DISTINCT ts AS n FROM cars) GROUP BY TUMBLE(n, INTERVAL '1' MINUTE)",
        "UTC",
    );
    assert!(error.unwrap_err().to_string().contains("must be a time attribute"));
}

/// The groupings that a GROUP BY stands for.
fn groupings(group_by: &str) -> String {
    let plan = shape(&format!("SELECT COUNT(*) FROM cars GROUP BY {group_by}"));
    let line = plan.lines().find_map(|line| line.trim().strip_prefix("Expand: "));
    line.unwrap_or_else(|| panic!("no groupings in\n{plan}")).replace("cars.", "")
}

#[test]
fn groupings_are_the_product_of_the_items() {
    for (group_by, expected) in [
        ("GROUPING SETS ((id, brand), (id), ())", "(id, brand), (id), ()"),
        ("GROUPING SETS (id, (brand, id), ROLLUP (brand))", "(id), (id, brand), (brand), ()"),
        ("ROLLUP (id, (brand, price), made)", "(id, brand, price, made), (id, brand, price), (id), ()"),
        ("CUBE (id, brand)", "(id, brand), (id), (brand), ()"),
        ("CUBE (id, (brand, price))", "(id, brand, price), (id), (brand, price), ()"),
        ("made, ROLLUP (id)", "(made, id), (made)"),
        ("ROLLUP (id), CUBE (brand)", "(id, brand), (id), (brand), ()"),
        ("GROUPING SETS ((id), (id))", "(id), (id)"),
        ("GROUPING SETS (GROUPING SETS (id, brand), ())", "(id), (brand), ()"),
    ] {
        assert_eq!(groupings(group_by), expected, "{group_by}");
    }
    let one = shape("SELECT id, COUNT(*) FROM cars GROUP BY GROUPING SETS ((id, brand))");
    assert!(one.contains("Aggregate: groupBy=[[cars.id, cars.brand]]"), "{one}");
}

#[test]
fn a_window_belongs_to_every_grouping() {
    let plan = planned(
        "id STRING, start TIMESTAMP, total BIGINT, last STRING",
        "SELECT id, TUMBLE_START(ts, INTERVAL '1' MINUTE), SUM(price), MAX(id) FROM cars
         GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), ROLLUP (id, price)",
    );
    let plan = plan.unwrap().display_indent().to_string();
    let aggregate = "Aggregate: groupBy=[[tumble(cars.ts, Int64(60000)), __key_0, __key_1, __grouping]], \
                     aggr=[[sum(CAST(cars.price AS Int64)), max(cars.id)]]\
                     \n    Expand: (cars.id, cars.price), (cars.id), ()\
                     \n      TableScan: cars projection=[id, price, ts]";
    assert!(plan.contains(aggregate), "{plan}");
}

/// The value of a function for each grouping, in order.
fn by_grouping(function: &str, group_by: &str) -> String {
    let plan = shape(&format!("SELECT {function} AS f, COUNT(*) FROM cars GROUP BY {group_by}"));
    plan.lines()
        .next()
        .unwrap_or_default()
        .replace("Int32", "")
        .replace("Projection: ", "")
        .replace(" AS f, count((1))", "")
}

#[test]
fn functions_tell_groupings_apart() {
    let sets = "GROUPING SETS ((id, brand), (id), (id), ())";
    for (function, expected) in [
        (
            "GROUPING(id)",
            "CASE __grouping WHEN (0) THEN (0) WHEN (1) THEN (0) WHEN (2) THEN (0) ELSE (1) END",
        ),
        ("GROUPING(brand)", "CASE __grouping WHEN (0) THEN (0) ELSE (1) END"),
        (
            "GROUPING_ID(id, brand)",
            "CASE __grouping WHEN (0) THEN (0) WHEN (1) THEN (1) WHEN (2) THEN (1) ELSE (3) END",
        ),
        (
            "GROUPING_ID(brand, id)",
            "CASE __grouping WHEN (0) THEN (0) WHEN (1) THEN (2) WHEN (2) THEN (2) ELSE (3) END",
        ),
        ("GROUP_ID()", "CASE __grouping WHEN (2) THEN (1) ELSE (0) END"),
    ] {
        assert!(
            by_grouping(function, sets).starts_with(expected),
            "{function}: {}",
            by_grouping(function, sets)
        );
    }
    for (function, group_by) in
        [("GROUPING(id)", "id"), ("GROUP_ID()", "CUBE (id)"), ("GROUPING(made)", "made, CUBE (id)")]
    {
        assert!(by_grouping(function, group_by).starts_with("(0)"), "{}", by_grouping(function, group_by));
    }
}

#[test]
fn refusals_of_groups_stand_where_the_mistake_is() {
    let mut wrong = vec![];
    for (columns, query, message, marked) in [
        (
            "a STRING",
            "SELECT id FROM cars GROUP BY ()",
            "column `id` is neither in `GROUP BY` nor inside an aggregate (group by it, or take one of its values, such as `MAX(id)`)",
            "id",
        ),
        ("a INT", "SELECT 1 FROM cars GROUP BY ()", "one group of all rows needs an aggregate", "S"),
        (
            "a STRING, n BIGINT",
            "SELECT id, COUNT(*) FROM cars",
            "column `id` is neither in `GROUP BY` nor inside an aggregate (group by it, or take one of its values, such as `MAX(id)`)",
            "id",
        ),
        (
            "n BIGINT",
            "SELECT COUNT(*) FROM cars GROUP BY attrs",
            "MAP[STRING, INT] cannot be a key of `GROUP BY`",
            "attrs",
        ),
        ("a INT", "SELECT DISTINCT attrs FROM cars", "`SELECT DISTINCT` cannot compare MAP values", "attrs"),
        (
            "n BIGINT",
            "SELECT COUNT(*) FROM cars GROUP BY GROUPING SETS ((TUMBLE(ts, INTERVAL '1' MINUTE), id), (id))",
            "a group window cannot be part of a grouping set (it belongs to every set: write it once, beside the sets)",
            "TUMBLE(ts, INTERVAL '1'",
        ),
        (
            "n INT",
            "SELECT GROUPING(price) FROM cars GROUP BY CUBE (id)",
            "`GROUPING` takes keys of `GROUP BY`",
            "price",
        ),
        (
            "n INT",
            "SELECT GROUPING(id, brand) FROM cars GROUP BY CUBE (id, brand)",
            "`GROUPING` takes 1 argument (`GROUPING_ID` takes several)",
            "GROUPING",
        ),
        (
            "n INT",
            "SELECT GROUP_ID(id) FROM cars GROUP BY CUBE (id)",
            "`GROUP_ID` takes no arguments",
            "GROUP_ID",
        ),
        (
            "n INT",
            "SELECT price FROM cars WHERE GROUPING(id) = 1",
            "`GROUPING` is allowed in the select list and `HAVING` of a `GROUP BY` only",
            "GROUPING",
        ),
        (
            "n BIGINT, m INT",
            "SELECT COUNT(*), MAX(price) OVER (ORDER BY ts) FROM cars",
            "`OVER` is not allowed beside an aggregate without `OVER` (compute it in the select list of a sub-query without `GROUP BY`)",
            "MAX",
        ),
        (
            "a STRING",
            "SELECT id FROM cars UNION SELECT n FROM ticks",
            "column 1 of `UNION` is STRING in one branch and BIGINT in another (give both one type with `CAST`)",
            "n",
        ),
    ] {
        let given = refused(columns, query);
        if given != (message.to_string(), marked.to_string()) {
            wrong.push(format!("{query}\n    gives    {given:?}\n    expected {message:?} {marked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
