//! Compares what a job gave out with what its test says.

use std::collections::BTreeMap;

use weir_engine::RowKind;
use weir_runtime::job_test::{Case, Order, Output, difference, fold};

use super::capture::Row;

/// What a job did.
#[derive(Debug, Default)]
pub struct Observed {
    /// Rows by the name of their sink in the test.
    pub outputs: BTreeMap<String, Vec<Row>>,
    pub late_rows: u64,
    pub dirty_records: u64,
    /// The dirty records that were saved.
    pub saved: Vec<String>,
    /// Why the job was refused or failed.
    pub failure: Option<String>,
}

/// What came out of one sink, and whether that is right.
#[derive(Debug)]
pub struct OutputVerdict {
    pub passed: bool,
    pub rows: Vec<(RowKind, String)>,
}

/// Whether a test passed.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What is wrong, for people; `None` when the test passed.
    pub complaint: Option<String>,
    pub outputs: BTreeMap<String, OutputVerdict>,
    pub late_rows: u64,
    pub dirty_records: u64,
}

impl Verdict {
    /// Makes the verdict of a test that could not be read or run.
    pub fn unreadable(complaint: String) -> Self {
        Self { complaint: Some(complaint), ..Self::default() }
    }

    pub fn passed(&self) -> bool {
        self.complaint.is_none()
    }
}

/// Judges what a job did.
pub fn judge(case: &Case, observed: &Observed) -> Verdict {
    let mut complaints = Vec::new();
    match (&case.fails, &observed.failure) {
        (Some(wanted), Some(reason)) if reason.contains(wanted.as_str()) => {}
        (Some(wanted), Some(reason)) => {
            complaints.push(format!("it fails, but not with `{wanted}`:\n{reason}"));
        }
        (Some(wanted), None) => complaints.push(format!("it does not fail, as it should with `{wanted}`")),
        (None, Some(reason)) => complaints.push(reason.clone()),
        (None, None) => {}
    }
    let mut outputs = BTreeMap::new();
    for (name, output) in &case.outputs {
        let rows = observed.outputs.get(name).map_or(&[][..], Vec::as_slice);
        // A job that was refused has no rows to compare.
        let complaint = match observed.failure.is_some() && case.fails.is_none() {
            true => None,
            false => compare(case, output, rows, true),
        };
        let passed = complaint.is_none();
        complaints.extend(complaint.map(|text| format!("sink `{name}`: {text}")));
        let rows = rows.iter().map(|row| (row.kind, row.text.clone())).collect();
        outputs.insert(name.clone(), OutputVerdict { passed, rows });
    }
    let counted = [
        ("late rows", case.late_rows, observed.late_rows),
        ("dirty records", case.dirty_records, observed.dirty_records),
    ];
    for (what, expected, found) in counted {
        if let Some(expected) = expected.filter(|expected| *expected != found && observed.failure.is_none()) {
            complaints.push(format!("{expected} {what} expected, {found} counted"));
        }
    }
    if let Some(file) = &case.saved_dirty_records {
        match std::fs::read_to_string(case.file(file)) {
            Ok(expected) => complaints.extend(
                difference(&expected, &observed.saved.join("\n"), Order::Any, None)
                    .map(|text| format!("saved dirty records: {text}")),
            ),
            Err(error) => complaints.push(format!("{} cannot be read: {error}", file.display())),
        }
    }
    Verdict {
        complaint: (!complaints.is_empty()).then(|| complaints.join("\n")),
        outputs,
        late_rows: observed.late_rows,
        dirty_records: observed.dirty_records,
    }
}

/// Ends each row with a line break, so that a row of one empty value is a row.
pub fn lines(rows: &[impl AsRef<str>]) -> String {
    rows.iter().flat_map(|row| [row.as_ref(), "\n"]).collect()
}

/// Returns what is wrong with the rows of a sink. When they do not keep the order of the input, it does not matter.
pub fn compare(case: &Case, output: &Output, rows: &[Row], keeps_order: bool) -> Option<String> {
    let expected = match case.expected(output) {
        Ok(expected) => expected,
        Err(complaint) => return Some(complaint),
    };
    if let Some(expected) = expected {
        let added: Vec<&str> =
            rows.iter().filter(|row| row.kind.is_added()).map(|row| row.text.as_str()).collect();
        let order = if keeps_order { output.order.unwrap_or(case.order) } else { Order::Any };
        if let Some(text) = difference(&expected, &lines(&added), order, case.tolerance) {
            return Some(text);
        }
    }
    let left = output.left.as_ref()?;
    let changelog: Vec<(RowKind, String)> = rows.iter().map(|row| (row.kind, row.csv.clone())).collect();
    match fold(&changelog) {
        Ok(rows) => difference(left, &lines(&rows), Order::Any, case.tolerance)
            .map(|text| format!("what is left when withdrawn rows are gone: {text}")),
        Err(complaint) => Some(complaint),
    }
}
