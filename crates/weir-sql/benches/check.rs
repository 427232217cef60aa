//! How long the check of a job of 10,000 bytes takes, the greatest size that the API takes, for jobs of several shapes:
//! each has as many pieces of one kind as go in.
//!
//! `cargo bench -p weir-sql` prints the milliseconds of one check on one core and fails above the limit. A check is done
//! while a user waits, by the API as well, so it must not be felt.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use weir_sql::{CheckOptions, Cluster, check_all};

/// The size of a job in bytes.
const SIZE: usize = 10_000;
/// The greatest time of one check: the least of the runs.
const LIMIT: Duration = Duration::from_millis(20);
const RUNS: usize = 51;

const SOURCES: &str = "\
CREATE SOURCE STREAM cars (id STRING, brand STRING, speed INT, price DOUBLE, ts TIMESTAMP, tags ARRAY[STRING])
  WITH (type = \"dis\", channel = \"cars\", encode = \"json\")
  TIMESTAMP BY ts.rowtime, proctime.proctime SET WATERMARK (RANGE INTERVAL '1' SECOND, INTERVAL '10' SECOND);
CREATE SOURCE STREAM owners (car STRING, name STRING, since TIMESTAMP)
  WITH (type = \"dis\", channel = \"owners\", encode = \"json\")
  TIMESTAMP BY since.rowtime SET WATERMARK (RANGE INTERVAL '1' SECOND, INTERVAL '10' SECOND);
";

const SINK: &str =
    "CREATE SINK STREAM o (a STRING) WITH (type = \"dis\", channel = \"o\", encode = \"json\");\n";

/// Queries into sinks of three columns; `#` is the number of the query.
const QUERIES: [&str; 5] = [
    "SELECT UPPER(TRIM(id)) || '-' || SUBSTRING(brand FROM 1 FOR 3), CAST(speed * 2 + # AS BIGINT), \
       CASE WHEN price > 100 THEN price / 2 WHEN price IS NULL THEN 0E0 ELSE ABS(price) + 1.5E0 END \
     FROM cars WHERE (speed > # AND brand LIKE 'a%') OR speed BETWEEN 10 AND 20 OR id IN ('x', 'y', 'z')",
    "SELECT brand, COUNT(DISTINCT id), AVG(price) FROM cars WHERE CHAR_LENGTH(id) > 2 \
     GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '1' MINUTE), brand HAVING COUNT(*) > # AND MAX(speed) > 100",
    "SELECT o.name, CAST(c.speed AS BIGINT), c.price FROM cars AS c \
     JOIN owners AS o ON c.id = o.car AND c.ts BETWEEN o.since - INTERVAL '5' MINUTE AND o.since WHERE c.speed > #",
    "SELECT id, SUM(speed) OVER (PARTITION BY id ORDER BY ts ROWS BETWEEN # PRECEDING AND CURRENT ROW), price FROM cars",
    "SELECT id, n, top FROM cars MATCH_RECOGNIZE (PARTITION BY id ORDER BY ts \
     MEASURES COUNT(up.id) AS n, MAX(up.price) AS top AFTER MATCH SKIP PAST LAST ROW PATTERN (low up{1,#} down) \
     WITHIN INTERVAL '1' HOUR \
     DEFINE low AS speed < 50, up AS speed > PREV(up.speed), down AS speed < LAST(up.speed))",
];

/// A job of one shape.
struct Shape {
    name: &'static str,
    text: String,
    /// The job is refused; that must not take longer.
    is_refused: bool,
}

/// Returns a job of [`SIZE`] bytes: `head`, as many numbered pieces as go in, `tail`.
fn shape(name: &'static str, head: &str, piece: impl Fn(usize) -> String, tail: &str) -> Shape {
    let mut text = head.to_string();
    for number in 1.. {
        let next = piece(number);
        if text.len() + next.len() + tail.len() > SIZE {
            break;
        }
        text += &next;
    }
    text += tail;
    text.extend(std::iter::repeat_n(' ', SIZE - text.len()));
    Shape { name, text, is_refused: false }
}

fn shapes() -> Vec<Shape> {
    let head = format!("{SOURCES}{SINK}");
    let select = format!("{head}INSERT INTO o SELECT ");
    let every_kind = |number: usize| {
        let query = QUERIES[number % QUERIES.len()].replace('#', &number.to_string());
        format!(
            "CREATE SINK STREAM s{number} (a STRING, b BIGINT, c DOUBLE) \
             WITH (type = \"dis\", channel = \"s{number}\", encode = \"csv\", field_delimiter = \",\");\n\
             INSERT INTO s{number} {query};\n"
        )
    };
    let temps = |query: fn(usize) -> String| {
        move |number| {
            format!("CREATE TEMP STREAM t{number}(a STRING);INSERT INTO t{number} {};", query(number))
        }
    };
    let first_temp = format!("{head}CREATE TEMP STREAM t0(a STRING);INSERT INTO t0 SELECT id FROM cars;");
    let nested = |number: usize| {
        let open = "SELECT a FROM (".repeat(6);
        let close = ")".repeat(6);
        format!(
            "INSERT INTO o {open}SELECT {}id || '{number}'{} AS a FROM cars{close};",
            "(".repeat(4),
            ")".repeat(4)
        )
    };
    let wide = |number: usize| format!("c{number} STRING,");
    let wide_tail = "z STRING) WITH (type = \"dis\", channel = \"w\", encode = \"json\");\n\
                     INSERT INTO o SELECT z FROM (SELECT * FROM (SELECT * FROM (SELECT DISTINCT * FROM (SELECT * FROM w))));";
    let variables = |number: usize| {
        format!(
            "INSERT INTO o SELECT m FROM cars MATCH_RECOGNIZE (PARTITION BY id, brand ORDER BY ts \
             MEASURES CAST(SUM(a.speed) + COUNT(b.id) + LAST(c.speed, 1) AS STRING) AS m, AVG(d.price) AS n{number} \
             PATTERN (a b+ (c | d e?)* f{{2,5}}) WITHIN INTERVAL '1' HOUR \
             DEFINE a AS speed < {number}, b AS b.speed > PREV(b.speed), c AS c.price > AVG(b.price), \
             d AS d.speed BETWEEN a.speed AND LAST(b.speed), f AS CHAR_LENGTH(f.id) > 3);"
        )
    };
    let patterns = |number: usize| {
        let variable = |index: usize| format!("v{number}_{index}");
        let names: Vec<String> = (0..30).map(variable).collect();
        let definitions: Vec<String> = (1..30)
            .map(|index| format!("{} AS speed > PREV({}.speed)", variable(index), variable(index)))
            .collect();
        format!(
            "INSERT INTO o SELECT m FROM cars MATCH_RECOGNIZE (ORDER BY ts MEASURES v{number}_1.id AS m \
             PATTERN ({}) DEFINE {});",
            names.join(" "),
            definitions.join(", ")
        )
    };
    let refused = |shape: Shape| Shape { is_refused: true, ..shape };
    vec![
        shape("queries of every kind", SOURCES, every_kind, ""),
        shape(
            "small statements",
            &head,
            |n| format!("INSERT INTO o SELECT id FROM cars WHERE speed={n};"),
            "",
        ),
        shape(
            "a chain of temp streams",
            &first_temp,
            temps(|n| format!("SELECT a FROM t{}", n - 1)),
            "INSERT INTO o SELECT a FROM t0;",
        ),
        shape(
            "temp streams, each read twice",
            &first_temp,
            temps(|n| format!("SELECT a FROM t{0} UNION ALL SELECT a FROM t{0}", n - 1)),
            "INSERT INTO o SELECT a FROM t30;",
        ),
        shape(
            "one long CASE",
            &format!("{select}CASE "),
            |n| format!("WHEN speed*2+{n}>price AND id<>'{n}' THEN UPPER(brand) "),
            "END FROM cars;",
        ),
        shape(
            "one long IN",
            &format!("{select}id FROM cars WHERE speed + 1 IN ("),
            |n| format!("{n} + 1,"),
            "0);",
        ),
        shape(
            "sums of 60 numbers",
            &head,
            |n| format!("INSERT INTO o SELECT '' FROM cars WHERE {}speed > {n};", "speed + ".repeat(60)),
            "",
        ),
        shape(
            "constant expressions",
            &format!("{select}CONCAT("),
            |n| format!("UPPER(TRIM(CAST({n} + 1.5 * 2 AS STRING))),"),
            "'') FROM cars;",
        ),
        shape("sub-queries in sub-queries", &head, nested, ""),
        shape("a stream of many columns", &format!("{head}CREATE SOURCE STREAM w ("), wide, wide_tail),
        shape("patterns", &head, variables, ""),
        shape("patterns of 30 variables", &head, patterns, ""),
        shape(
            "joins of eight streams",
            &head,
            |n| {
                let joins: String =
                    (1..8).map(|i| format!(" JOIN cars AS c{i} ON c{i}.id = c0.id")).collect();
                format!("INSERT INTO o SELECT c7.brand FROM cars AS c0{joins} WHERE c0.speed > {n};")
            },
            "",
        ),
        shape(
            "groupings and windows",
            &head,
            |n| {
                format!(
                    "INSERT INTO o SELECT brand FROM cars GROUP BY TUMBLE(ts, INTERVAL '{n}' SECOND), CUBE(id, brand, speed, price);"
                )
            },
            "",
        ),
        refused(shape(
            "a wrong name in each statement",
            &head,
            |n| format!("INSERT INTO o SELECT brnad{n} FROM cars;"),
            "",
        )),
        refused(shape("no statement at all", "", |_| "(".to_string(), "")),
        refused(shape(
            "a statement broken everywhere",
            &head,
            |_| "INSERT INTO o SELECT id FROM WHERE (;".to_string(),
            "",
        )),
    ]
}

/// The times of one check.
struct Times {
    /// What it takes: whatever else the machine does only adds to it.
    least: Duration,
    median: Duration,
}

/// Checks a job again and again.
fn measure(shape: &Shape) -> Times {
    let options = CheckOptions { cluster: Cluster::Local, ..CheckOptions::default() };
    let mut times: Vec<Duration> = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        let job = check_all(&shape.text, &support::CATALOG, &options);
        times.push(start.elapsed());
        match (job, shape.is_refused) {
            (Ok(_), false) | (Err(_), true) => {}
            (Ok(_), true) => panic!("{}: the job is to be refused", shape.name),
            (Err(errors), false) => {
                panic!("{}: {}", shape.name, weir_sql::render("job.sql", &shape.text, &errors.into_first()))
            }
        }
    }
    times.sort();
    Times { least: times[0], median: times[RUNS / 2] }
}

fn main() -> ExitCode {
    println!("check of a job of {SIZE} bytes, {RUNS} runs, limit {} ms", LIMIT.as_millis());
    println!("{:<32} {:>9} {:>9}", "milliseconds", "least", "median");
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    let mut kept = true;
    for shape in shapes() {
        let Times { least, median } = measure(&shape);
        kept &= least <= LIMIT;
        let verdict = if least <= LIMIT { "" } else { "  too long" };
        println!("{:<32} {:9.1} {:9.1}{verdict}", shape.name, millis(least), millis(median));
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
