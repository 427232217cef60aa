//! Constructs of the language that the parser accepts and the planner cannot plan yet: refused by name, with a place.

use super::refusals::refused;

#[test]
fn constructs_without_a_plan_are_refused_by_name() {
    let query =
        "SELECT a FROM cars MATCH_RECOGNIZE (MEASURES A.id AS a PATTERN (A+) DEFINE A AS A.price > 1)";
    let marked = "cars MATCH_RECOGNIZE (MEASURES A.id AS a PATTERN (A+) DEFINE A AS A.price > 1";
    let expected = ("`MATCH_RECOGNIZE` is not available".to_string(), marked.to_string());
    assert_eq!(refused("a STRING", query), expected);
}
