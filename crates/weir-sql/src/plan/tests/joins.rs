//! `FROM` with several inputs: the shape of plans, what is refused, what is warned of.

use datafusion_expr::LogicalPlan;

use super::Fixture;
use crate::nodes::StreamJoin;

const ORDERS: &str = "
CREATE SOURCE STREAM orders (id STRING, item INT, amount INT, ots TIMESTAMP)
  WITH (type = 'x') TIMESTAMP BY ots.rowtime, proctime.proctime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SOURCE STREAM ships (ship STRING, id STRING, item BIGINT, sts TIMESTAMP)
  WITH (type = 'x') TIMESTAMP BY sts.rowtime, proctime.proctime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SOURCE STREAM pings (id STRING, at BIGINT)
  WITH (type = 'x') TIMESTAMP BY at.rowtime SET WATERMARK (ROWS 1, INTERVAL 0 SECOND);
CREATE SOURCE STREAM plain (id STRING, note STRING) WITH (type = 'x');
";

fn planned(query: &str) -> Result<(LogicalPlan, Vec<String>), String> {
    let text = format!(
        "{ORDERS}CREATE SINK STREAM o (a STRING, b STRING) WITH (type = 'x');\nINSERT INTO o\n{query}"
    );
    let fixture = Fixture::parse(&text);
    let planned = fixture.planned("UTC").map_err(|error| {
        let line = text.lines().nth(error.message.position.line as usize - 1).unwrap_or_default();
        let marked: String = line.chars().skip(error.message.position.column as usize - 1).collect();
        format!("{} [{}] at {marked}", error.message.text, error.message.hint.unwrap_or_default())
    })?;
    Ok((planned.plan, planned.warnings.into_iter().map(|warning| warning.message.text).collect()))
}

/// Returns the first join of a plan as it explains itself, and the warnings.
fn join(query: &str) -> (String, Vec<String>) {
    let (plan, warnings) = planned(query).unwrap_or_else(|error| panic!("{error}\n{query}"));
    let text = plan.display_indent().to_string();
    let line = text.lines().find(|line| line.contains("Join:")).unwrap_or_else(|| panic!("no join\n{text}"));
    (line.trim().to_string(), warnings)
}

const KEY: &str = "SELECT o.id, ship FROM orders AS o JOIN ships AS s ON o.id = s.id AND ";

#[test]
fn an_interval_join_reads_the_columns_it_needs() {
    let (plan, warnings) = planned(
        "SELECT o.id, s.ship FROM orders AS o LEFT JOIN ships AS s
           ON o.id = s.id AND s.sts BETWEEN o.ots AND o.ots + INTERVAL '10' MINUTE",
    )
    .expect("a plan");
    assert_eq!(
        plan.display_indent().to_string(),
        "Projection: o.id AS a, s.ship AS b\
         \n  IntervalJoin: LEFT on=[o.id = s.id] bounds=[0 ms <= s.sts - o.ots <= 600000 ms]\
         \n    SubqueryAlias: o\
         \n      TableScan: orders projection=[id, ots]\
         \n    SubqueryAlias: s\
         \n      TableScan: ships projection=[ship, id, sts]"
    );
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn time_bounds_are_recognised_in_any_writing() {
    let mut wrong = vec![];
    for (condition, lower, upper) in [
        ("s.sts BETWEEN o.ots - INTERVAL '5' MINUTE AND o.ots + INTERVAL '1' HOUR", -300_000, 3_600_000),
        ("o.ots BETWEEN s.sts - INTERVAL '5' MINUTE AND s.sts", 0, 300_000),
        ("s.sts >= o.ots AND s.sts <= o.ots + INTERVAL '1' SECOND", 0, 1_000),
        ("o.ots <= s.sts AND s.sts - INTERVAL '1' SECOND < o.ots", 0, 999),
        ("(s.sts > o.ots - INTERVAL '2' SECOND) AND (o.ots > s.sts)", -1_999, -1),
        ("INTERVAL '1' SECOND + o.ots >= s.sts AND sts >= ots", 0, 1_000),
        (
            "s.sts + INTERVAL '3' SECOND BETWEEN o.ots + INTERVAL '1' SECOND AND o.ots + INTERVAL '2' SECOND",
            -2_000,
            -1_000,
        ),
        ("s.sts = o.ots + INTERVAL '1' MINUTE", 60_000, 60_000),
        (
            "s.sts BETWEEN o.ots AND o.ots + INTERVAL '9' SECOND AND s.sts < o.ots + INTERVAL '4' SECOND",
            0,
            3_999,
        ),
        ("s.sts >= o.ots - (INTERVAL '1' SECOND + INTERVAL '2' SECOND) AND s.sts <= o.ots", -3_000, 0),
    ] {
        let expected = format!("bounds=[{lower} ms <= s.sts - o.ots <= {upper} ms]");
        let (found, _) = join(&format!("{KEY}{condition}"));
        if !found.ends_with(&expected) {
            wrong.push(format!("{condition}\n    gives    {found}\n    expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn where_is_the_condition_of_inputs_separated_by_commas() {
    let (plan, _) = planned(
        "SELECT o.id, ship FROM orders o, ships s WHERE s.id = o.id AND o.amount > 5
           AND s.sts BETWEEN o.ots AND o.ots + INTERVAL '1' SECOND AND s.item < o.amount",
    )
    .expect("a plan");
    assert_eq!(
        plan.display_indent().to_string(),
        "Projection: o.id AS a, s.ship AS b\
         \n  IntervalJoin: INNER on=[o.id = s.id] bounds=[0 ms <= s.sts - o.ots <= 1000 ms] where=[s.item < CAST(o.amount AS Int64)]\
         \n    Filter: o.amount > Int32(5)\
         \n      SubqueryAlias: o\
         \n        TableScan: orders projection=[id, amount, ots]\
         \n    SubqueryAlias: s\
         \n      TableScan: ships projection=[ship, id, item, sts]"
    );
}

#[test]
fn conditions_stay_where_they_mean_the_same() {
    let (plan, warnings) = planned(
        "SELECT o.id, s.ship FROM orders o LEFT JOIN ships s ON o.id = s.id AND o.amount > 1 AND s.ship <> 'x'
         WHERE o.item = 3 AND (s.ship IS NULL OR o.item > 2)",
    )
    .expect("a plan");
    assert_eq!(
        plan.display_indent().to_string(),
        "Projection: o.id AS a, s.ship AS b\
         \n  Filter: s.ship IS NULL OR o.item > Int32(2)\
         \n    Projection: o.id, o.item, s.ship\
         \n      StreamJoin: LEFT on=[o.id = s.id] where=[o.amount > Int32(1)]\
         \n        Filter: o.item = Int32(3)\
         \n          SubqueryAlias: o\
         \n            TableScan: orders projection=[id, item, amount]\
         \n        Filter: s.ship != Utf8(\"x\")\
         \n          SubqueryAlias: s\
         \n            TableScan: ships projection=[ship, id]"
    );
    assert!(warnings[0].contains("no time bounds"), "{warnings:?}");
}

#[test]
fn three_streams_associate_to_the_left() {
    let (plan, _) = planned(
        "SELECT a.id, b.ship FROM orders a JOIN ships b ON a.id = b.id AND b.sts BETWEEN a.ots AND a.ots + INTERVAL '1' SECOND
         FULL JOIN ships c ON c.id = b.id AND c.item = a.item AND a.ots BETWEEN c.sts AND c.sts + INTERVAL '1' SECOND",
    )
    .expect("a plan");
    let text = plan.display_indent().to_string();
    let joins: Vec<&str> = text.lines().filter(|line| line.contains("Join:")).map(str::trim).collect();
    assert_eq!(
        joins,
        [
            "IntervalJoin: FULL on=[b.id = c.id, CAST(a.item AS Int64) = c.item] bounds=[-1000 ms <= c.sts - a.ots <= 0 ms]",
            "IntervalJoin: INNER on=[a.id = b.id] bounds=[0 ms <= b.sts - a.ots <= 1000 ms]",
        ]
    );
}

#[test]
fn one_name_serves_a_stream_joined_with_itself_and_sub_queries() {
    let (found, _) = join(
        "SELECT a.id, b.id FROM orders a, orders b WHERE a.id = b.id AND a.ots = b.ots AND a.amount < b.amount",
    );
    assert_eq!(
        found,
        "IntervalJoin: INNER on=[a.id = b.id, a.ots = b.ots] bounds=[0 ms <= b.ots - a.ots <= 0 ms] where=[a.amount < b.amount]"
    );
    let (found, _) =
        join("SELECT k, ship FROM (SELECT id AS k FROM orders) JOIN (SELECT id, ship FROM ships) ON k = id");
    assert_eq!(found, "StreamJoin: INNER on=[query.k = query_2.id]");
}

#[test]
fn time_goes_through_an_interval_join_and_not_through_another() {
    let window = |join: &str| {
        planned(&format!(
            "SELECT o.id, CAST(COUNT(*) AS STRING) FROM orders o JOIN ships s ON o.id = s.id {join}
             GROUP BY TUMBLE(sts, INTERVAL '1' MINUTE), o.id"
        ))
    };
    let (plan, _) = window("AND s.sts BETWEEN o.ots AND o.ots + INTERVAL '1' SECOND").expect("a window");
    let mut times = vec![];
    let _ = datafusion_common::tree_node::TreeNode::apply(&plan, |node| {
        if let LogicalPlan::Extension(extension) = node {
            assert!(StreamJoin::of(extension).is_some());
            times = node
                .schema()
                .iter()
                .filter(|(_, f)| !f.metadata().is_empty())
                .map(|(_, f)| f.name().clone())
                .collect();
        }
        Ok(datafusion_common::tree_node::TreeNodeRecursion::Continue)
    });
    assert_eq!(times, ["ots", "sts"]);
    let error = window("").unwrap_err();
    assert!(error.contains("must be a time attribute"), "{error}");
}

#[test]
fn bounds_may_be_on_processing_time_and_on_whole_numbers() {
    let (found, _) =
        join(&format!("{KEY}s.proctime BETWEEN o.proctime AND o.proctime + INTERVAL '5' SECOND"));
    assert!(found.ends_with("bounds=[0 ms <= s.proctime - o.proctime <= 5000 ms]"), "{found}");
    let (found, _) = join(
        "SELECT a.id, b.id FROM pings a JOIN pings b ON a.id = b.id AND b.at BETWEEN a.at - 500 AND a.at",
    );
    assert!(found.ends_with("bounds=[-500 ms <= b.at - a.at <= 0 ms]"), "{found}");
}

#[test]
fn joins_whose_state_stays_are_warned_of() {
    for (query, warning) in [
        ("SELECT a.id, b.id FROM plain a JOIN plain b ON a.id = b.id", "this join has no time bounds"),
        (&format!("{KEY}s.sts >= o.ots"), "the times of this join have no upper bound"),
        (&format!("{KEY}s.sts < o.ots + INTERVAL '1' DAY"), "the times of this join have no lower bound"),
        (&format!("{KEY}s.sts < o.ots AND s.sts > o.ots"), "the time bounds of this join exclude each other"),
    ] {
        let (_, warnings) = join(query);
        assert!(warnings.len() == 1 && warnings[0].starts_with(warning), "{query}\n{warnings:?}");
    }
}

#[test]
fn what_cannot_be_joined_is_refused_with_its_place() {
    let mut wrong = vec![];
    for (query, expected) in [
        (
            "SELECT o.id, ship FROM orders o, ships s",
            "a join of two streams needs at least one equality between them [add a condition such as `o.id = s.ship`] at ships s",
        ),
        (
            "SELECT id, ship FROM orders o JOIN ships s ON o.id = s.id",
            "column `id` is ambiguous in the streams `o`, `s` [it is one of `o.id`, `s.id`] at id, ship FROM orders o JOIN ships s ON o.id = s.id",
        ),
        (
            "SELECT a.id, ship FROM orders a JOIN ships A ON a.id = ship",
            "two inputs of `FROM` are called `A` [the first stands at line 11, column 24; give each an alias of its own] at ships A ON a.id = ship",
        ),
        (
            "SELECT o.id, ship FROM orders o JOIN ships s ON o.id = s.id AND o.ots = s.proctime",
            "`o.ots` is an event time and `s.proctime` a processing time [the bounds of a join need the same kind of time on both sides; to compare the values, write one of them as `CAST(... AS TIMESTAMP)`] at o.ots = s.proctime",
        ),
        (
            "SELECT o.id, ship FROM orders o JOIN ships s ON o.id = t.id",
            "`t` is neither the stream read here nor one of its columns [`FROM` has `o`, `s`] at t.id",
        ),
        (
            "SELECT o.id, ship FROM orders o JOIN ships s ON o.amount + s.item",
            "`ON` needs a BOOLEAN, not BIGINT [write a condition, such as a comparison] at o.amount + s.item",
        ),
    ] {
        let given = planned(query).map(|_| "a plan".to_string()).unwrap_or_else(|error| error);
        if given != expected {
            wrong.push(format!("{query}\n    gives    {given}\n    expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn conditions_sink_below_what_is_computed_from_rows() {
    let (plan, _) = planned(
        "SELECT o.id, t.x FROM orders o, plain p, LATERAL TABLE(SPLIT_CURSOR(p.note, ',')) AS t (x)
         WHERE o.id = p.id AND o.amount > 3 AND t.x <> o.id",
    )
    .expect("a plan");
    let text = plan.display_indent().to_string();
    let steps: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.starts_with("Projection")).collect();
    assert_eq!(
        steps,
        [
            "Filter: element0 != o.id",
            "Unnest: split(p.note, Utf8(\",\"))",
            "StreamJoin: INNER on=[o.id = p.id]",
            "Filter: o.amount > Int32(3)",
            "SubqueryAlias: o",
            "TableScan: orders projection=[id, amount]",
            "SubqueryAlias: p",
            "TableScan: plain projection=[id, note]",
        ]
    );
}
