//! What a query may write that is not looked up by name: operators, special forms, aggregates, windows.

/// A heading and its forms: how they are written and what they give.
pub(crate) type Chapter = (&'static str, &'static [(&'static str, &'static str)]);

/// The forms of expressions that depend on one row.
pub(crate) const SCALAR: &[Chapter] = &[
    (
        "Comparison",
        &[
            (
                "a = b",
                "Whether both are equal; NULL when one is NULL. A string and a number compare as DOUBLE.",
            ),
            ("a <> b", "Whether they differ; `!=` is the same."),
            ("a < b", "Whether a is less; strings compare by code point."),
            ("a <= b", "Whether a is less or equal."),
            ("a > b", "Whether a is greater."),
            ("a >= b", "Whether a is greater or equal."),
            (
                "(a, b) = (c, d)",
                "Rows compare field by field; `<` and its kin by the first fields that differ.",
            ),
            ("a IS NULL", "Whether a is NULL."),
            ("a IS NOT NULL", "Whether a has a value."),
            ("a IS DISTINCT FROM b", "Whether they differ, where two NULLs do not."),
            ("a IS NOT DISTINCT FROM b", "Whether they are equal, as two NULLs are."),
            ("a [NOT] BETWEEN [ASYMMETRIC] b AND c", "a >= b AND a <= c, with the bounds as they stand."),
            ("a [NOT] BETWEEN SYMMETRIC b AND c", "The same with the bounds in either order."),
            (
                "a [NOT] LIKE p [ESCAPE c]",
                "Whether the whole of a matches p: `%` is any text, `_` one character.",
            ),
            (
                "a [NOT] SIMILAR TO p [ESCAPE c]",
                "Whether the whole of a matches an SQL regular expression: % _ | * + ? {} () [].",
            ),
            (
                "a [NOT] IN (b, c, ...)",
                "Whether a equals one of them; NULL when none and one of them is NULL.",
            ),
            (
                "(p1, p2) OVERLAPS (q1, q2)",
                "Whether two stretches of time meet: p2 >= q1 AND q2 >= p1; in place of an end stands an interval too.",
            ),
        ],
    ),
    (
        "Logic",
        &[
            ("a OR b", "TRUE when one of them is; NULL when that is not known."),
            ("a AND b", "FALSE when one of them is; NULL when that is not known."),
            ("NOT a", "The opposite; NULL stays NULL. Binds tighter than AND, which binds tighter than OR."),
            ("a IS [NOT] TRUE", "Whether a is TRUE; never NULL."),
            ("a IS [NOT] FALSE", "Whether a is FALSE; never NULL."),
            ("a IS [NOT] UNKNOWN", "Whether a condition is NULL."),
        ],
    ),
    (
        "Operators of numbers, strings and times",
        &[
            ("+ a", "a itself."),
            ("- a", "a with the other sign."),
            (
                "a + b",
                "The sum in the wider type; one that does not fit makes the record dirty, as with - and *.",
            ),
            ("a - b", "The difference."),
            ("a * b", "The product."),
            ("a / b", "The quotient, always DOUBLE; division by zero gives Infinity or NaN."),
            ("a % b", "The same as MOD(a, b)."),
            ("MOD(a, b)", "The remainder with the sign of a; zero for b makes the record dirty."),
            ("a || b", "The strings one after the other."),
            (
                "t + i, t - i, i + t",
                "A time moved by an interval; a day that the month does not have becomes its last.",
            ),
        ],
    ),
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
            (
                "TRIM([BOTH | LEADING | TRAILING] [c FROM] s)",
                "Removes the characters of c, by default spaces, from the ends.",
            ),
        ],
    ),
    (
        "Time",
        &[
            ("DATE 'yyyy-MM-dd'", "A date."),
            ("TIME 'HH:mm:ss[.SSS]'", "A time of day."),
            ("TIMESTAMP 'yyyy-MM-dd HH:mm:ss[.SSS]'", "A wall clock."),
            (
                "INTERVAL 'v' unit [TO unit]",
                "A stretch of years and months, or of days down to milliseconds.",
            ),
            (
                "EXTRACT(unit FROM t)",
                "One field of a date, time or interval; the day of the week counts from Sunday = 1.",
            ),
            ("FLOOR(t TO unit)", "Rounds a time down to the unit; a week begins on Sunday."),
            ("CEIL(t TO unit)", "Rounds a time up to the unit."),
            ("TIMESTAMPADD(unit, n, t)", "Adds n units to a time."),
            ("TIMESTAMPDIFF(unit, t1, t2)", "Whole units from t1 to t2, cut toward zero."),
        ],
    ),
    (
        "Collections",
        &[
            ("ARRAY[e1, e2, ...]", "An array."),
            ("MAP[k1, v1, ...]", "A map; of a key given twice the last value counts."),
            ("ROW(e1, e2, ...)", "A row; `(e1, e2)` is the same."),
            ("a[i]", "An element of an array from 1; NULL out of range."),
            ("m[k]", "A value of a map; NULL when the key is absent."),
            ("r.field", "A field of a row."),
            ("CARDINALITY(a)", "The number of elements of an array or entries of a map."),
            (
                "ELEMENT(a)",
                "The only element of an array; NULL when it is empty; several make the record dirty.",
            ),
        ],
    ),
];

/// The aggregates.
pub(crate) const AGGREGATES: Chapter = (
    "Aggregates",
    &[
        ("COUNT(*)", "The number of rows."),
        ("COUNT([DISTINCT] e [, e2]*)", "Rows in which every expression has a value, or different values."),
        ("SUM([DISTINCT] n)", "The sum: BIGINT of integers, DOUBLE of floats, DECIMAL(38,s) of decimals."),
        ("AVG([DISTINCT] n)", "The mean in the type of n; of integers cut toward zero."),
        ("MAX(v)", "The greatest value."),
        ("MIN(v)", "The smallest value."),
        ("STDDEV_POP(n), STDDEV_SAMP(n)", "The standard deviation in the type of n."),
        ("VAR_POP(n), VAR_SAMP(n)", "The variance in the type of n."),
        ("COLLECT(e)", "An array of the values that are not NULL, in order of arrival."),
    ],
);

/// What does not stand alone in an expression.
pub(crate) const OTHERS: &[Chapter] = &[
    (
        "With grouping sets",
        &[
            ("GROUPING(e)", "INT: 1 when the key e is left out of the grouping of the row, otherwise 0."),
            (
                "GROUPING_ID(e1, e2, ...)",
                "INT: the values of `GROUPING` as binary digits, the first argument most significant.",
            ),
            ("GROUP_ID()", "INT: 0 in the first of equal grouping sets, 1 in the next, and so on."),
        ],
    ),
    (
        "In a row pattern",
        &[
            (
                "FIRST(v.e [, n]), LAST(v.e [, n])",
                "e in the first or last row of the variable v, n rows after or before it.",
            ),
            (
                "PREV(v.e [, n])",
                "e in the row n rows (1) before the last one of v in the partition; NULL before the first row.",
            ),
            ("NEXT(v.e [, n])", "The same behind it; the decision waits until that row arrives."),
            (
                "FINAL e, RUNNING e",
                "In MEASURES: e over the rows of the whole match, or (the default) up to the present row.",
            ),
            ("MATCH_NUMBER()", "BIGINT: the number of the match in its partition, from 1."),
            ("CLASSIFIER()", "STRING: the variable to which the row belongs."),
        ],
    ),
    (
        "In a select list",
        &[
            ("*", "All columns."),
            ("t.*", "All columns of a stream."),
            ("r.*", "All fields of a row as columns."),
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
