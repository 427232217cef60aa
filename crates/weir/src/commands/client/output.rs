//! Answers as tables for people and as JSON for programs.

use clap::{Arg, ArgMatches};
use serde_json::Value;
use weir_base::text::format_timestamp;

use super::access::HEADING;
use crate::commands::text::{clean, table};

/// Form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Table,
    /// For programs: the answer of the service in one line.
    Json,
}

impl Output {
    pub fn of(matches: &ArgMatches) -> Self {
        match matches.get_one::<String>("output").map(String::as_str) {
            Some("json") => Self::Json,
            _ => Self::Table,
        }
    }
}

pub fn argument() -> Arg {
    Arg::new("output")
        .long("output")
        .value_parser(["table", "json"])
        .default_value("table")
        .value_name("FORM")
        .help_heading(HEADING)
        .help("Form of the output; json is what the service answers, in one line")
}

/// A column of a table, or a line of a description.
pub struct Column {
    heading: &'static str,
    /// Where the value is, members separated by dots.
    path: &'static str,
    form: Form,
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// Milliseconds since the epoch as date and time in UTC; 0 is never.
    Time,
    /// Milliseconds as a length of time.
    Length,
    /// Hours with three places, which is a few seconds.
    Hours,
}

pub const fn column(heading: &'static str, path: &'static str) -> Column {
    Column { heading, path, form: Form::Plain }
}

pub const fn time(heading: &'static str, path: &'static str) -> Column {
    Column { heading, path, form: Form::Time }
}

pub const fn length(heading: &'static str, path: &'static str) -> Column {
    Column { heading, path, form: Form::Length }
}

pub const fn hours(heading: &'static str, path: &'static str) -> Column {
    Column { heading, path, form: Form::Hours }
}

impl Column {
    fn show(&self, record: &Value) -> String {
        let value = self.path.split('.').fold(record, |value, member| &value[member]);
        if let (Form::Hours, Some(hours)) = (self.form, value.as_f64()) {
            return format!("{hours:.3}");
        }
        match (self.form, value.as_i64()) {
            (Form::Time, Some(0)) => String::new(),
            (Form::Time, Some(at)) => format_timestamp(at - at.rem_euclid(1_000)),
            (Form::Length, Some(length)) => length_text(length),
            _ => plain(value),
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Returns a length of time with its two largest units.
fn length_text(milliseconds: i64) -> String {
    let seconds = milliseconds / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// Returns records as a table.
pub fn rows(columns: &[Column], records: &Value) -> String {
    let headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
    let records = records.as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> =
        records.map(|record| columns.iter().map(|column| column.show(record)).collect()).collect();
    table(&headings, &rows)
}

/// Returns one record as lines of names and values; what is empty is left out.
pub fn lines(columns: &[Column], record: &Value) -> String {
    let shown = columns.iter().map(|column| (column.heading, column.show(record)));
    let shown: Vec<_> = shown.filter(|(_, value)| !value.is_empty()).collect();
    let width = shown.iter().map(|(heading, _)| heading.len()).max().unwrap_or(0);
    let indented = format!("\n{}", " ".repeat(width + 2));
    shown
        .iter()
        .map(|(heading, value)| {
            format!("{heading:<width$}  {}\n", clean(value.trim_end()).replace('\n', &indented))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] = &[
        column("id", "id"),
        column("spus", "config.spus"),
        time("started (UTC)", "at"),
        length("runs", "runs"),
    ];

    #[test]
    fn records_become_rows_and_lines() {
        let records = json!([
            { "id": 1, "config": { "spus": 2 }, "at": 1_546_300_800_123_i64, "runs": 61_000 },
            { "id": 12, "at": 0, "runs": 0 },
        ]);
        assert_eq!(
            rows(COLUMNS, &records),
            "id  spus  started (UTC)        runs\n\
             --  ----  -------------------  ------\n \
             1     2  2019-01-01 00:00:00  1m 01s\n\
             12                             0s\n"
        );
        let record = json!({ "id": "a\nb\u{1b}[1m", "at": null });
        assert_eq!(lines(COLUMNS, &record), "id  a\n    b\\u{1b}[1m\n");
    }

    #[test]
    fn lengths_have_two_units() {
        for (milliseconds, text) in [
            (999, "0s"),
            (59_000, "59s"),
            (3_599_000, "59m 59s"),
            (7_260_000, "2h 01m"),
            (90_000_000, "1d 01h"),
        ] {
            assert_eq!(length_text(milliseconds), text);
        }
    }
}
