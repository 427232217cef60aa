//! The reference page of functions, written from the descriptions that the checker uses.

use std::fmt::Write as _;

use crate::registry::{Family, all};

/// Forms that are not looked up by name: how they are written and what they give.
const FORMS: &[(&str, &[(&str, &str)])] = &[
    (
        "Conditions and conversions",
        &[
            (
                "CASE WHEN c THEN r ... [ELSE z] END",
                "The result of the first branch whose condition is TRUE.",
            ),
            (
                "CASE v WHEN v1 [, v2]* THEN r ... [ELSE z] END",
                "The result of the first branch with an equal value.",
            ),
            ("COALESCE(a, b, ...)", "The first argument that is not NULL."),
            ("NULLIF(a, b)", "NULL when a equals b, otherwise a."),
            ("CAST(v AS type)", "Converts a value; one that does not fit makes the record dirty."),
            ("MOD(a, b)", "The remainder with the sign of a."),
            ("TRIM([BOTH | LEADING | TRAILING] [c FROM] s)", "Removes c, by default a space, from the ends."),
        ],
    ),
    (
        "Time",
        &[
            (
                "EXTRACT(unit FROM t)",
                "One field of a date, time or interval; the day of the week counts from Sunday = 1.",
            ),
            ("FLOOR(t TO unit)", "Rounds a time down to the unit."),
            ("CEIL(t TO unit)", "Rounds a time up to the unit."),
            ("TIMESTAMPADD(unit, n, t)", "Adds n units to a time."),
            ("TIMESTAMPDIFF(unit, t1, t2)", "Whole units from t1 to t2, cut toward zero."),
        ],
    ),
    (
        "Collections",
        &[
            ("ARRAY[e1, e2, ...]", "An array."),
            ("MAP[k1, v1, ...]", "A map."),
            ("ROW(e1, e2, ...)", "A row."),
            ("a[i]", "An element of an array from 1; NULL out of range."),
            ("m[k]", "A value of a map; NULL when the key is absent."),
            ("CARDINALITY(a)", "The number of elements of an array or entries of a map."),
            ("ELEMENT(a)", "The only element of an array; NULL when it is empty."),
        ],
    ),
    (
        "Tables in FROM",
        &[
            (
                "UNNEST(c) [WITH ORDINALITY]",
                "One row for each element of an array or entry of a map; a ROW becomes one column for each field.",
            ),
            (
                "LATERAL TABLE(SPLIT_CURSOR(s, separator))",
                "One row for each piece of s; the separator is taken literally, a NULL s gives no row.",
            ),
        ],
    ),
    (
        "Aggregates over a group window",
        &[
            ("COUNT(*)", "The number of rows."),
            (
                "COUNT([DISTINCT] e [, e2]*)",
                "Rows in which every expression has a value, or different values.",
            ),
            (
                "SUM([DISTINCT] n)",
                "The sum: BIGINT of integers, DOUBLE of floats, DECIMAL(38,s) of decimals.",
            ),
            ("AVG([DISTINCT] n)", "The mean in the type of n; of integers cut toward zero."),
            ("MAX(v)", "The greatest value."),
            ("MIN(v)", "The smallest value."),
            ("STDDEV_POP(n), STDDEV_SAMP(n)", "The standard deviation in the type of n."),
            ("VAR_POP(n), VAR_SAMP(n)", "The variance in the type of n."),
            ("COLLECT(e)", "An array of the values that are not NULL, in order of arrival."),
        ],
    ),
    (
        "Group windows",
        &[
            ("TUMBLE(time, size)", "Adjacent windows, aligned to 1970-01-01 00:00:00 UTC."),
            ("HOP(time, slide, size)", "Windows of one size, started every slide."),
            ("SESSION(time, gap)", "Windows that end when no row arrives for the gap."),
            ("TUMBLE_START, HOP_START, SESSION_START", "The inclusive start; arguments as in `GROUP BY`."),
            ("TUMBLE_END, HOP_END, SESSION_END", "The exclusive end."),
            (
                "TUMBLE_ROWTIME, HOP_ROWTIME, SESSION_ROWTIME",
                "The event time of the result: the end minus 1 ms.",
            ),
            ("TUMBLE_PROCTIME, HOP_PROCTIME, SESSION_PROCTIME", "The processing time of the result."),
        ],
    ),
];

/// Returns the page as Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Functions\n\n\
         Generated from the code; `WEIR_UPDATE_DOCS=1 cargo test -p weir-functions` writes it anew.\n\
         Names are compared without case. A NULL argument gives NULL unless a line says otherwise.\n\
         Any other function is refused with CS.13005 when the job is checked.\n",
    );
    for (family, title) in
        [(Family::Math, "Arithmetic"), (Family::Text, "Strings"), (Family::Temporal, "Dates and times")]
    {
        heading(&mut page, title);
        for function in all().filter(|function| function.family == family) {
            line(&mut page, function.synopsis, function.meaning);
        }
    }
    for (title, forms) in FORMS {
        heading(&mut page, title);
        for (synopsis, meaning) in *forms {
            line(&mut page, synopsis, meaning);
        }
    }
    page
}

fn heading(page: &mut String, title: &str) {
    let written = write!(page, "\n## {title}\n\n| Function | Meaning |\n| --- | --- |\n");
    debug_assert!(written.is_ok(), "writing to a string never fails");
}

fn line(page: &mut String, synopsis: &str, meaning: &str) {
    let written = writeln!(page, "| `{}` | {} |", synopsis.replace('|', "\\|"), meaning.replace('|', "\\|"));
    debug_assert!(written.is_ok(), "writing to a string never fails");
}
