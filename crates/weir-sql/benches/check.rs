//! How long the check of a job of 10,000 bytes takes, the greatest size that the API takes: declarations, expressions,
//! windows, joins, OVER, patterns, as many as go in.
//!
//! `cargo bench -p weir-sql` prints the milliseconds of one check on one core and fails above the limit. A check is done
//! while a user waits, by the API as well, so it must not be felt.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use weir_sql::{CheckOptions, Cluster, check_all};

/// The size of the job in bytes.
const SIZE: usize = 10_000;
/// The greatest time of one check: the median of the runs.
const LIMIT: Duration = Duration::from_millis(20);
const RUNS: usize = 101;

const SOURCES: &str = "\
CREATE SOURCE STREAM cars (id STRING, brand STRING, speed INT, price DOUBLE, ts TIMESTAMP, tags ARRAY[STRING])
  WITH (type = \"dis\", channel = \"cars\", encode = \"json\")
  TIMESTAMP BY ts.rowtime, proctime.proctime SET WATERMARK (RANGE INTERVAL '1' SECOND, INTERVAL '10' SECOND);
CREATE SOURCE STREAM owners (car STRING, name STRING, since TIMESTAMP)
  WITH (type = \"dis\", channel = \"owners\", encode = \"json\")
  TIMESTAMP BY since.rowtime SET WATERMARK (RANGE INTERVAL '1' SECOND, INTERVAL '10' SECOND);
";

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
     MEASURES COUNT(*) AS n, MAX(up.price) AS top AFTER MATCH SKIP PAST LAST ROW PATTERN (low up{1,#} down) \
     WITHIN INTERVAL '1' HOUR \
     DEFINE low AS speed < 50, up AS speed > PREV(up.speed), down AS speed < LAST(up.speed))",
];

/// Returns a job of [`SIZE`] bytes, and the number of its statements.
fn job() -> (String, usize) {
    let mut text = SOURCES.to_string();
    let mut statements = 2;
    for number in 1.. {
        let query = QUERIES[number % QUERIES.len()].replace('#', &number.to_string());
        let next = format!(
            "CREATE SINK STREAM s{number} (a STRING, b BIGINT, c DOUBLE) \
             WITH (type = \"dis\", channel = \"s{number}\", encode = \"csv\", field_delimiter = \",\");\n\
             INSERT INTO s{number} {query};\n"
        );
        if text.len() + next.len() > SIZE {
            break;
        }
        text += &next;
        statements += 2;
    }
    text.extend(std::iter::repeat_n(' ', SIZE - text.len()));
    (text, statements)
}

fn main() -> ExitCode {
    let (text, statements) = job();
    let options = CheckOptions { cluster: Cluster::Local, ..CheckOptions::default() };
    let mut times: Vec<Duration> = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        let job = check_all(&text, &support::CATALOG, &options);
        times.push(start.elapsed());
        match job {
            Ok(job) if job.warnings.is_empty() => {}
            Ok(job) => panic!("the job is to be without warnings: {:?}", job.warnings),
            Err(errors) => panic!("{}", weir_sql::render("job.sql", &text, &errors.into_first())),
        }
    }
    times.sort();
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    let median = times[RUNS / 2];
    println!(
        "check of {} bytes, {statements} statements: {:.2} ms (of {RUNS} runs: least {:.2} ms, greatest {:.2} ms); limit {} ms",
        text.len(),
        millis(median),
        millis(times[0]),
        millis(times[RUNS - 1]),
        LIMIT.as_millis(),
    );
    if median > LIMIT { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
