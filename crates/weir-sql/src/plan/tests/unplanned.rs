//! Constructs of the language that the parser accepts and the planner cannot plan yet: refused by name, with a place.

use super::refusals::refused;

#[test]
fn constructs_without_a_plan_are_refused_by_name() {
    let mut wrong = vec![];
    for (query, message, marked) in [
        ("SELECT DISTINCT id FROM cars", "`SELECT DISTINCT` is not available", "SELECT"),
        (
            "SELECT id FROM cars UNION SELECT id FROM cars",
            "`UNION` without `ALL` is not available (`UNION ALL` keeps every row)",
            "SELECT id FROM cars",
        ),
        (
            "SELECT brand FROM cars GROUP BY brand",
            "`GROUP BY` without a group window (`TUMBLE`, `HOP` or `SESSION`) is not available",
            "brand",
        ),
        (
            "SELECT brand FROM cars GROUP BY CUBE (brand)",
            "`GROUPING SETS`, `CUBE` and `ROLLUP` is not available",
            "brand",
        ),
        (
            "SELECT a FROM cars MATCH_RECOGNIZE (MEASURES A.id AS a PATTERN (A+) DEFINE A AS A.price > 1)",
            "`MATCH_RECOGNIZE` is not available",
            "cars MATCH_RECOGNIZE (MEASURES A.id AS a PATTERN (A+) DEFINE A AS A.price > 1",
        ),
    ] {
        let given = refused("a STRING", query);
        if given != (message.to_string(), marked.to_string()) {
            wrong.push(format!("{query}\n    gives    {given:?}\n    expected {message:?} {marked:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
