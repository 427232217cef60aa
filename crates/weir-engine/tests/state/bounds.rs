//! However much a call gives out, it gives out a few batches at a time.

use weir_engine::TARGET_BATCH_ROWS;

use crate::run::{Row, Stages};
use crate::subjects::{self, Subject};

/// Feeds rows of one key, `(value, time)`, and lets the input end. Returns how many rows come out, and how many at once.
fn feed(subject: &Subject, inputs: &[(usize, Vec<(i64, i64)>)]) -> (usize, usize) {
    let mut stages = Stages::new(subject);
    for (input, rows) in inputs {
        let row = |(value, time): &(i64, i64)| Row { key: Some("a"), value: *value, time: *time };
        stages.take(*input, &rows.iter().map(row).collect::<Vec<_>>());
    }
    (stages.end(), stages.most_at_once)
}

#[test]
fn what_comes_out_at_once_is_bounded() {
    let far_apart: Vec<_> = (0..20_000).map(|row| (1, row * 10)).collect();
    let equal = |rows: i64| (0..rows).map(|row| (row, 7)).collect::<Vec<_>>();
    let ended_by_zero: Vec<_> = (0..300).map(|row| (i64::from(row < 299) * 2, row)).collect();
    let cases = [
        // Every window, session or row at a watermark that jumps to the end; each row is in two or three windows.
        ("hop", vec![(0, far_apart.clone())], 20_002),
        ("session", vec![(0, far_apart.clone())], 20_000),
        ("over rows", vec![(0, far_apart)], 20_000),
        ("over range", vec![(0, (0..20_000).map(|row| (1, row / 2)).collect())], 20_000),
        // Every row of one input matches every row of the other.
        ("interval join", vec![(0, equal(200)), (1, equal(200))], 40_000),
        ("interval join", vec![(0, (0..20_000).map(|row| (1, row)).collect())], 20_000),
        // With the left rows that are given out with NULLs first, and withdrawn.
        ("stream join", vec![(0, equal(200)), (1, equal(200))], 40_400),
        // A match of all rows to the end begins at each of them.
        ("pattern of all rows", vec![(0, ended_by_zero)], 299 * 302 / 2),
    ];
    for (name, inputs, expected) in cases {
        let subject = subjects::all().into_iter().chain([subjects::all_rows()]).find(|of| of.name == name);
        let (rows, most) = feed(&subject.unwrap(), &inputs);
        assert_eq!(rows, expected, "{name}");
        assert!(most <= 3 * TARGET_BATCH_ROWS, "{name} gives out {most} rows at once");
        assert!(most >= TARGET_BATCH_ROWS, "{name} gives out {most} rows at most");
    }
}
