//! Tests of one partition's log: torn tails, rolled segments, positions by time.

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::streams::frame::Entry;
use crate::streams::segment::segment_path;
use crate::streams::{ReadRecords, TransactionId};

const SMALL: RollOptions = RollOptions { segment_bytes: 400, segment_age: Duration::from_secs(3600) };
const LARGE: RollOptions = RollOptions { segment_bytes: 64 << 20, segment_age: Duration::from_secs(3600) };

fn entry(text: &str) -> Entry {
    Entry { key: None, data: Bytes::copy_from_slice(text.as_bytes()) }
}

fn append(log: &PartitionLog, texts: &[&str], now_ms: i64) -> u64 {
    let entries: Vec<_> = texts.iter().map(|text| entry(text)).collect();
    log.append(&entries, None, now_ms, Durability::Now).unwrap()
}

fn read(log: &PartitionLog, from: u64) -> ReadRecords {
    log.read(from, usize::MAX, usize::MAX).unwrap().unwrap()
}

fn texts(read: &ReadRecords) -> Vec<String> {
    read.records.iter().map(|record| String::from_utf8(record.data.to_vec()).unwrap()).collect()
}

#[test]
fn a_log_cut_at_any_byte_keeps_a_prefix_and_goes_on() {
    let whole = TempDir::new().unwrap();
    let log = PartitionLog::new(whole.path().to_path_buf(), LARGE);
    append(&log, &["a", "b"], 1);
    append(&log, &["c"], 2);
    append(&log, &["d", "e", "f"], 3);
    let bytes = std::fs::read(segment_path(whole.path(), 0)).unwrap();
    let mut kept_counts = Vec::new();
    for length in 0..=bytes.len() {
        let torn = TempDir::new().unwrap();
        std::fs::write(segment_path(torn.path(), 0), &bytes[..length]).unwrap();
        let log = PartitionLog::new(torn.path().to_path_buf(), LARGE);
        let kept = texts(&read(&log, 0));
        assert_eq!(kept, ["a", "b", "c", "d", "e", "f"][..kept.len()], "cut at {length}");
        kept_counts.push(kept.len());
        assert_eq!(append(&log, &["g"], 4), kept.len() as u64, "cut at {length}");
        let fresh = PartitionLog::new(torn.path().to_path_buf(), LARGE);
        let mut expected = kept;
        expected.push("g".to_string());
        assert_eq!(texts(&read(&fresh, 0)), expected, "cut at {length}");
        assert_eq!(texts(&read(&log, 0)), expected, "cut at {length}");
    }
    kept_counts.dedup();
    assert_eq!(kept_counts, [0, 2, 3, 6]);
}

#[test]
fn a_torn_tail_is_not_there_for_readers_of_another_process() {
    let directory = TempDir::new().unwrap();
    let writer = PartitionLog::new(directory.path().to_path_buf(), LARGE);
    let reader = PartitionLog::new(directory.path().to_path_buf(), LARGE);
    append(&writer, &["a"], 1);
    assert_eq!(texts(&read(&reader, 0)), ["a"]);
    let path = segment_path(directory.path(), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    let frame = bytes.clone();
    bytes.extend_from_slice(&frame[..frame.len() - 1]);
    std::fs::write(&path, &bytes).unwrap();
    assert!(!reader.has_record_at(1).unwrap());
    assert!(read(&reader, 1).records.is_empty());
    // The next frame is just as long as the torn one, so the file only grows by a byte.
    append(&writer, &["b"], 2);
    assert!(reader.has_record_at(1).unwrap());
    assert_eq!(texts(&read(&reader, 0)), ["a", "b"]);
}

#[test]
fn records_of_many_segments_are_read_from_everywhere() {
    let directory = TempDir::new().unwrap();
    let log = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    let other = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    for number in 0..60_u64 {
        assert_eq!(append(&log, &[&format!("record {number}"), "x"], 1000 + number as i64), number * 2);
        assert!(other.has_record_at(number * 2 + 1).unwrap());
    }
    assert!(list_segments(directory.path()).unwrap().len() >= 8);
    let fresh = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    for from in (0..=120).rev() {
        for log in [&log, &other, &fresh] {
            let read = read(log, from);
            assert_eq!(read.records.len() as u64, 120 - from);
            assert!(read.records.iter().zip(from..).all(|(record, number)| record.sequence == number));
            assert_eq!(read.next, 120);
        }
    }
    assert!(fresh.read(121, 1, 1).unwrap().is_none());
}

#[test]
fn a_read_is_bounded_by_records_and_bytes_but_gives_one_at_least() {
    let directory = TempDir::new().unwrap();
    let log = PartitionLog::new(directory.path().to_path_buf(), LARGE);
    append(&log, &["aaaa", "bbbb", "cccc", "dddd"], 1);
    assert_eq!(log.read(0, 3, usize::MAX).unwrap().unwrap().next, 3);
    assert_eq!(log.read(1, 10, 9).unwrap().unwrap().next, 3);
    assert_eq!(log.read(1, 10, 1).unwrap().unwrap().next, 2);
    assert_eq!(log.read(4, 10, 1).unwrap().unwrap().next, 4);
}

#[test]
fn a_damaged_record_in_the_middle_is_an_error_not_a_gap() {
    let directory = TempDir::new().unwrap();
    let log = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    for number in 0..40 {
        append(&log, &[&format!("record {number}")], 1);
    }
    let path = segment_path(directory.path(), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let fresh = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    let error = fresh.read(0, usize::MAX, usize::MAX).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn positions_by_time_are_those_of_the_first_record_at_or_after() {
    let directory = TempDir::new().unwrap();
    let log = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    assert_eq!(log.position_at(5).unwrap(), 0);
    for number in 0..50 {
        append(&log, &["first", "second"], number * 10);
    }
    for instant in -5..500 {
        let expected = if instant <= 0 { 0 } else { (instant as u64).div_ceil(10) * 2 };
        assert_eq!(log.position_at(instant).unwrap(), expected.min(100), "at {instant}");
    }
    // A clock that goes back does not make instants go back.
    append(&log, &["late"], 3);
    assert_eq!(read(&log, 100).records[0].timestamp_ms, 490);
}

#[test]
fn retention_drops_whole_old_segments_and_numbers_go_on() {
    let directory = TempDir::new().unwrap();
    let log = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    let reader = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    for number in 0..60 {
        append(&log, &["some record"], number * 1000);
    }
    assert_eq!(read(&reader, 0).records.len(), 60);
    assert!(log.drop_before(30_000).unwrap() > 0);
    let bounds = log.bounds().unwrap();
    assert!(bounds.earliest > 0 && bounds.earliest <= 30, "{bounds:?}");
    assert_eq!(bounds.next, 60);
    for log in [&log, &reader] {
        let read = read(log, 0);
        assert_eq!(read.records[0].sequence, bounds.earliest);
        assert_eq!(read.next, 60);
    }
    log.drop_before(1_000_000).unwrap();
    assert_eq!(log.bounds().unwrap(), crate::streams::Bounds { earliest: 60, next: 60 });
    assert!(read(&reader, 10).records.is_empty());
    let fresh = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    assert_eq!(append(&fresh, &["new"], 2_000_000), 60);
    assert_eq!(texts(&read(&reader, 5)), ["new"]);
}

#[test]
fn committed_records_are_found_between_those_of_others() {
    let directory = TempDir::new().unwrap();
    let log = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    let transaction = TransactionId { writer: "job-1/OUT".into(), subtask: 0, epoch: 4 };
    let other = TransactionId { epoch: 5, ..transaction.clone() };
    append(&log, &["before"], 1);
    for first_index in [0, 2] {
        for transaction in [&transaction, &other] {
            let part = Part { transaction, first_index };
            log.append(&[entry("x"), entry("y")], Some(part), 1, Durability::Now).unwrap();
        }
        append(&log, &["between between between between"], 1);
    }
    let fresh = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    assert_eq!(fresh.committed_records(&transaction, 1).unwrap(), 4);
    assert_eq!(fresh.committed_records(&transaction, 11).unwrap(), 0);
    let absent = TransactionId { subtask: 1, ..transaction };
    assert_eq!(fresh.committed_records(&absent, 0).unwrap(), 0);
}

#[test]
fn a_reader_that_knew_no_segment_begins_with_the_first_one() {
    let directory = TempDir::new().unwrap();
    let writer = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    let reader = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    assert!(read(&reader, 0).records.is_empty());
    append(&writer, &[&"x".repeat(500)], 1);
    append(&writer, &["in the second segment"], 1);
    assert_eq!(read(&reader, 0).records.len(), 2);
}

#[test]
fn the_length_of_a_dropped_segment_is_not_taken_for_that_of_the_next() {
    let directory = TempDir::new().unwrap();
    let writer = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    let reader = PartitionLog::new(directory.path().to_path_buf(), SMALL);
    append(&writer, &["a", &"x".repeat(300)], 1);
    assert_eq!(read(&reader, 0).records.len(), 2);
    assert_eq!(writer.drop_before(2).unwrap(), 1);
    // The rest of a dead writer: a whole header whose frame would fit into the dropped segment.
    let torn = TempDir::new().unwrap();
    append(&PartitionLog::new(torn.path().to_path_buf(), LARGE), &[&"y".repeat(300)], 1);
    let frame = std::fs::read(segment_path(torn.path(), 0)).unwrap();
    std::fs::write(segment_path(directory.path(), 2), &frame[..48]).unwrap();
    assert!(read(&reader, 0).records.is_empty());
    append(&writer, &["b"], 2);
    append(&writer, &["c"], 2);
    assert_eq!(texts(&read(&reader, 3)), ["c"]);
}

/// One step of the model test; numbers choose among two instances.
#[derive(Debug, Clone)]
enum Step {
    Append {
        by: usize,
        lengths: Vec<usize>,
    },
    /// A writer dies in the middle of a frame: bytes behind the whole frames, cut from a real one.
    Tear {
        bytes: usize,
    },
    Reopen {
        which: usize,
    },
    Read {
        by: usize,
        from: usize,
        records: usize,
        bytes: usize,
    },
    Forget {
        by: usize,
        share: usize,
    },
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    use proptest::prelude::*;
    prop_oneof![
        4 => (0..2_usize, proptest::collection::vec(0..80_usize, 1..6))
            .prop_map(|(by, lengths)| Step::Append { by, lengths }),
        1 => (1..300_usize).prop_map(|bytes| Step::Tear { bytes }),
        1 => (0..2_usize).prop_map(|which| Step::Reopen { which }),
        4 => (0..2_usize, 0..100_usize, 1..10_usize, 1..400_usize)
            .prop_map(|(by, from, records, bytes)| Step::Read { by, from, records, bytes }),
        1 => (0..2_usize, 0..100_usize).prop_map(|(by, share)| Step::Forget { by, share }),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]
    #[test]
    fn two_openers_agree_with_a_model(steps in proptest::collection::vec(step(), 1..60)) {
        let directory = TempDir::new().unwrap();
        let open = || PartitionLog::new(directory.path().to_path_buf(), SMALL);
        let mut logs = [open(), open()];
        let mut model: Vec<String> = Vec::new();
        for (now, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { by, lengths } => {
                    let new: Vec<_> = lengths.iter().map(|length| format!("{now}-{}", "x".repeat(*length))).collect();
                    let refs: Vec<_> = new.iter().map(String::as_str).collect();
                    assert_eq!(append(&logs[by], &refs, now as i64), model.len() as u64);
                    model.extend(new);
                }
                Step::Tear { bytes } => {
                    let scratch = TempDir::new().unwrap();
                    append(&PartitionLog::new(scratch.path().to_path_buf(), LARGE), &[&"y".repeat(300)], 0);
                    let frame = std::fs::read(segment_path(scratch.path(), 0)).unwrap();
                    let newest = list_segments(directory.path()).unwrap().last().copied().unwrap_or(0);
                    let path = segment_path(directory.path(), newest);
                    let mut content = std::fs::read(&path).unwrap_or_default();
                    content.extend_from_slice(&frame[..bytes]);
                    // Only one writer dies at a time: the next one cuts its rest off.
                    logs[0].has_record_at(0).unwrap();
                    std::fs::write(&path, content).unwrap();
                }
                Step::Reopen { which } => logs[which] = open(),
                Step::Read { by, from, records, bytes } => {
                    let from = (from * model.len() / 100) as u64;
                    let read = logs[by].read(from, records, bytes).unwrap().unwrap();
                    let bounds = logs[by].bounds().unwrap();
                    // What was forgotten is skipped, also when nothing is left.
                    let mut expected = read.records.first().map_or(read.next, |first| first.sequence);
                    assert!(expected == from || (from..=bounds.earliest).contains(&expected));
                    assert!(read.records.len() <= records);
                    for record in &read.records {
                        assert_eq!(record.sequence, expected);
                        assert_eq!(&record.data[..], model[expected as usize].as_bytes());
                        expected += 1;
                    }
                    assert_eq!(read.next, expected);
                    assert_eq!(bounds.next, model.len() as u64);
                    assert_eq!(read.records.is_empty(), from.max(bounds.earliest) == bounds.next);
                }
                Step::Forget { by, share } => {
                    logs[by].drop_before((share * now / 100) as i64).unwrap();
                }
            }
        }
    }
}
