//! Errors of the text of OVER windows: place, complaint, hint.

mod support;

use support::check_queries;

#[test]
fn windows_with_something_wrong() {
    let end = "a frame ends at `CURRENT ROW`; the rows after it are not known yet";
    let following = "a frame with following rows is not part of Stream SQL";
    let aggregate = "an `OVER` window takes an aggregate, such as `COUNT` or `SUM`";
    let begin = "a frame begins with `UNBOUNDED PRECEDING`, or a number or an interval and `PRECEDING`";
    let rows = "expected `UNBOUNDED` or a number of rows, and `PRECEDING`";
    let range = "expected `UNBOUNDED` or an interval such as `INTERVAL '5' MINUTE`, and `PRECEDING`";
    for (window, column, length, text, hint) in [
        ("", 7, 1, "unexpected `)`", "expected `PARTITION BY`, or `ORDER BY` and a time attribute"),
        (
            "PARTITION BY a",
            21,
            1,
            "unexpected `)`",
            "expected an operator, `,`, or `ORDER BY` and a time attribute",
        ),
        (
            "ORDER BY t DESC",
            18,
            4,
            "a descending order in `OVER` is not part of Stream SQL",
            "rows come in the order of time; remove `DESC`",
        ),
        (
            "ORDER BY t, a",
            17,
            1,
            "more than one order in `OVER` is not part of Stream SQL",
            "order by the time attribute alone",
        ),
        (
            "ORDER BY t ASC NULLS FIRST",
            22,
            5,
            "`NULLS` in `OVER` is not part of Stream SQL",
            "order by the time attribute alone",
        ),
        ("ORDER BY t a", 18, 1, "unexpected `a`", "expected an operator, `ROWS`, `RANGE` or `)`"),
        (
            "ORDER BY t GROUPS 2 PRECEDING",
            18,
            6,
            "a frame of `GROUPS` is not part of Stream SQL",
            "a frame is given in `ROWS` or as a `RANGE` of time",
        ),
        ("ORDER BY t ROWS PRECEDING", 23, 9, "unexpected `PRECEDING`", rows),
        ("ORDER BY t ROWS 1.5 PRECEDING", 23, 3, "unexpected `1.5`", rows),
        ("ORDER BY t ROWS INTERVAL '1' DAY PRECEDING", 23, 8, "unexpected `INTERVAL`", rows),
        (
            "ORDER BY t ROWS 5000000000 PRECEDING",
            23,
            10,
            "too many rows in a frame",
            "expected at most 4294967295",
        ),
        ("ORDER BY t RANGE 5 PRECEDING", 24, 1, "unexpected `5`", range),
        (
            "ORDER BY t RANGE INTERVAL '-5' SECOND PRECEDING",
            24,
            8,
            "the range of a frame is negative",
            "expected zero or more",
        ),
        (
            "ORDER BY t RANGE INTERVAL '5' MONTH PRECEDING",
            24,
            8,
            "the range of a frame is an interval of years or months, which have no fixed length",
            "expected `DAY`, `HOUR`, `MINUTE`, `SECOND` or `MILLISECOND`",
        ),
        (
            "ORDER BY t ROWS CURRENT ROW",
            23,
            7,
            "a frame that begins at the current row is not part of Stream SQL",
            begin,
        ),
        ("ORDER BY t ROWS 1 FOLLOWING", 23, 1, following, end),
        ("ORDER BY t ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", 47, 1, following, end),
        ("ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", 56, 9, following, end),
        (
            "ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '1' DAY PRECEDING",
            56,
            8,
            "a frame that ends before the current row is not part of Stream SQL",
            end,
        ),
        ("ORDER BY t ROWS BETWEEN 1 PRECEDING", 42, 1, "unexpected `)`", "expected `AND`"),
        ("ORDER BY t ROWS BETWEEN 1 PRECEDING AND x", 47, 1, "unexpected `x`", "expected `CURRENT ROW`"),
        (
            "ORDER BY t ROWS 1 PRECEDING EXCLUDE TIES",
            35,
            7,
            "`EXCLUDE` in a frame is not part of Stream SQL",
            "remove the clause",
        ),
    ] {
        const CALL: &str = "SELECT SUM(a) ";
        let query = format!("{CALL}OVER ({window}) FROM t");
        check_queries(&[(&query, column + CALL.len() as u32, length, text, hint)]);
    }
    check_queries(&[
        (
            "SELECT ROW_NUMBER() OVER (ORDER BY t) FROM s",
            8,
            10,
            "the window function `ROW_NUMBER` is not part of Stream SQL",
            aggregate,
        ),
        (
            "SELECT lag(a, 1) OVER (ORDER BY t) FROM s",
            8,
            3,
            "the window function `LAG` is not part of Stream SQL",
            aggregate,
        ),
        (
            "SELECT SUM(a) OVER w FROM s",
            20,
            1,
            "a named window is not part of Stream SQL",
            "write the window in brackets after `OVER`",
        ),
        (
            "SELECT a OVER (ORDER BY t) FROM s",
            10,
            4,
            "unexpected `OVER`",
            "expected an operator, a clause of the query, `UNION` or `;`",
        ),
    ]);
}
