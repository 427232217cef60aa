//! Whether stress finds what it is for: jobs that are restored wrongly.

use async_trait::async_trait;
use weir_engine::error::ConnectorError;
use weir_engine::source::{SourceConnector, SourceReader, Split};

use super::*;

const TEST: &str = r#"
title = "sums"
sql = '''
CREATE SOURCE STREAM m (dev STRING, val INT, ts TIMESTAMP) WITH (
  type = "dis", channel = "m", encode = "csv", field_delimiter = ","
) TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 2 SECOND);
CREATE SINK STREAM sums (dev STRING, total BIGINT) WITH (
  type = "dis", channel = "s", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM running (dev STRING, total BIGINT) WITH (
  type = "dis", channel = "r", encode = "csv", field_delimiter = ",");
INSERT INTO sums SELECT dev, SUM(val) FROM m GROUP BY TUMBLE(ts, INTERVAL '10' SECOND), dev;
INSERT INTO running SELECT dev, SUM(val) FROM m GROUP BY dev;
'''
late_rows = 1
dirty_records = 1

[inputs.m]
rows = '''
a,5,2024-03-15 12:00:01
b,1,2024-03-15 12:00:02
a,6,2024-03-15 12:00:03
b,many,2024-03-15 12:00:04
a,7,2024-03-15 12:00:13
a,9,2024-03-15 12:00:04
b,2,2024-03-15 12:00:14
a,8,2024-03-15 12:00:25
'''
[outputs.sums]
rows = '''
a,11
a,7
a,8
b,1
b,2
'''
[outputs.running]
final = '''
a,35
b,3
'''
"#;

/// A job whose rows are a function of its records alone, though it draws random numbers.
const RANDOM: &str = r#"
title = "draws"
sql = '''
CREATE SOURCE STREAM m (n INT) WITH (type = "dis", channel = "m", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM drawn (n INT, d DOUBLE, i INT) WITH (
  type = "dis", channel = "s", encode = "csv", field_delimiter = ",");
INSERT INTO drawn SELECT n, RAND(42), RAND_INTEGER(42, 100) FROM m WHERE RAND(7) < 2;
'''
[inputs.m]
rows = '''
1
2
3
'''
[outputs.drawn]
rows = ""
"#;

/// Seeds that are tried; a fault must be found by one of them at least.
const SEEDS: std::ops::Range<u64> = 0..30;

fn with_case<T>(body: impl FnOnce(&Case) -> T) -> T {
    with_case_of(TEST, body)
}

fn with_case_of<T>(text: &str, body: impl FnOnce(&Case) -> T) -> T {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("sums.test.toml");
    std::fs::write(&path, text).unwrap();
    body(&Case::load(&path).unwrap())
}

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_sound_job_gives_the_same_rows_under_stress() {
    with_case(|case| {
        for seed in SEEDS {
            assert_eq!(run(case, LIMIT, seed).complaint, None, "seed {seed}");
        }
    });
}

#[test]
fn each_run_of_a_checked_job_draws_the_same_random_numbers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    with_case_of(RANDOM, |case| {
        let prepared = run::prepare(case).unwrap().unwrap();
        let rows = || {
            let observed = runtime.block_on(run::run_job(case, &prepared, LIMIT)).unwrap();
            assert_eq!(observed.failure, None);
            observed.outputs["drawn"].iter().map(|row| row.csv.clone()).collect::<Vec<_>>()
        };
        let first = rows();
        assert_eq!(first[0], "1,0.7275636800328681,30");
        assert_eq!(first.len(), 3);
        assert_eq!(rows(), first);
    });
}

/// Reads a recording from its beginning, whatever the checkpoint says.
struct Forgetful(Replay);

#[async_trait]
impl SourceConnector for Forgetful {
    fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.0.schema()
    }

    fn is_bounded(&self) -> bool {
        true
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        self.0.splits().await
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        self.0.open(splits.into_iter().map(|split| Split { position: None, ..split }).collect()).await
    }
}

/// Returns the complaints of killed runs in which either the sources forget their positions, or the sinks show rows before
/// they are committed.
fn complaints_of_faulty_runs(forgetful_sources: bool) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let faulty_run = async |case: &Case, seed: u64| {
        let plain = run::observe(case, LIMIT).await.unwrap();
        let prepared = run::prepare(case).unwrap().unwrap();
        let inputs = recordings(&prepared, case).await.unwrap();
        let course = Course::random(&mut Course::seeded(seed, "faulty", 1), true, 4);
        let captures = prepared.captures(case).unwrap();
        let staged: BTreeMap<_, _> =
            captures.iter().map(|(name, capture)| (name.clone(), Staged::new(capture.clone()))).collect();
        let sinks: BTreeMap<String, SharedSink> = match forgetful_sources {
            true => {
                staged.iter().map(|(n, sink)| (n.clone(), Arc::new(sink.clone()) as SharedSink)).collect()
            }
            false => {
                captures.iter().map(|(n, sink)| (n.clone(), Arc::new(sink.clone()) as SharedSink)).collect()
            }
        };
        let sources = |pauses: &Arc<Pauses>, seed: u64| match forgetful_sources {
            false => replays(&inputs, pauses, seed),
            true => {
                let forgetful = |(name, input): (&String, &Recording)| {
                    let replay = Replay::new(input.clone(), Arc::clone(pauses), seed);
                    (name.clone(), Arc::new(Forgetful(replay)) as SharedSource)
                };
                inputs.iter().map(forgetful).collect()
            }
        };
        let mut found = live(case, &prepared, &sinks, &sources, &course, LIMIT).await.unwrap();
        found.outputs = match forgetful_sources {
            true => staged.iter().map(|(name, sink)| (name.clone(), sink.rows())).collect(),
            false => captures.iter().map(|(name, sink)| (name.clone(), sink.rows())).collect(),
        };
        complaint(case, &prepared.job, &plain, &found, &course)
    };
    with_case(|case| SEEDS.filter_map(|seed| runtime.block_on(faulty_run(case, seed))).collect())
}

#[test]
fn a_source_that_forgets_its_position_is_found() {
    let complaints = complaints_of_faulty_runs(true);
    assert!(complaints.iter().any(|complaint| complaint.contains("sink `running`")), "{complaints:?}");
}

#[test]
fn a_sink_that_shows_rows_twice_is_found() {
    let complaints = complaints_of_faulty_runs(false);
    assert!(complaints.iter().any(|complaint| complaint.contains("came out")), "{complaints:?}");
}
