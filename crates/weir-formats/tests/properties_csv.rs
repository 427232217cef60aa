//! Properties of csv: texts that nearly fit their column are taken or refused as the table of types says, which is
//! told here once more, in another way.

mod support;

use std::cell::RefCell;
use std::collections::HashMap;

use arrow::datatypes::DataType;
use chrono::{NaiveDate, NaiveTime};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use regex::Regex;
use serde_json::{Value, json};
use support::*;
use weir_base::text::Zone;
use weir_formats::{FormatOptions, decoder};

const EAST_MS: i64 = 8 * 3_600_000;

fn options() -> FormatOptions {
    FormatOptions { zone: Zone::parse("+08:00").expect("zone"), ..FormatOptions::default() }
}

/// A text that is mostly, not always, of the type.
fn near(data_type: &DataType) -> BoxedStrategy<String> {
    let core = match data_type {
        DataType::Boolean => "(true|false|TRUE|False|t|yes|0|null)",
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            "[+-]?([0-9]{1,4}|[0-9]{1,11}|9223372036854775(807|808)|0{20}[0-9])([.]0|e1|x|_)?"
        }
        DataType::Float32 | DataType::Float64 => {
            "[+-]?([0-9]{1,7}|[0-9]{15,25})?([.][0-9]{0,12})?([eE][+-]?[0-9]{1,3})?|NaN|[+-]?inf(inity)?|0x1"
        }
        DataType::Decimal128(..) => "[+-]?[0-9]{0,9}([.][0-9]{0,6})?([eE][+-]?[0-4])?",
        DataType::Date32 => "[0-9]{4}-[01][0-9]-[0-3][0-9]|2024-02-(29|30)|2023-2-1|2024/02/01",
        DataType::Time32(_) => "[0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.][0-9]{0,4})?|[0-2][0-9]:[0-5][0-9]",
        DataType::Timestamp(..) => {
            "2024-0[0-9]-[0-3][0-9][ Tt][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,4})?)?(Z|z|[+-]0[0-9](:?[0-6]0)?)?|[+-]?[0-9]{1,13}"
        }
        _ => "[^,\r\n]{0,8}",
    };
    (" ?", prop_oneof![12 => core, 1 => "[ \t]{0,2}"], "[ \t]?")
        .prop_map(|(before, core, after)| format!("{before}{core}{after}"))
        .boxed()
}

fn matches(pattern: &'static str, text: &str) -> bool {
    thread_local!(static COMPILED: RefCell<HashMap<&'static str, Regex>> = RefCell::default());
    COMPILED.with_borrow_mut(|compiled| {
        let regex = compiled
            .entry(pattern)
            .or_insert_with(|| Regex::new(&format!("^(?:{pattern})$")).expect("pattern"));
        regex.is_match(text)
    })
}

/// What the table of types says of a text. `None` is dirty.
fn oracle(data_type: &DataType, text: &str) -> Option<Value> {
    if *data_type == DataType::Utf8 {
        return Some(json!(text));
    }
    let text = text.trim();
    if text.is_empty() {
        return Some(Value::Null);
    }
    let is_number = matches(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text);
    match data_type {
        DataType::Boolean => {
            ["true", "false"].contains(&text.to_lowercase().as_str()).then(|| json!(text.len() == 4))
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let value: i128 = matches("[+-]?[0-9]+", text).then(|| text.parse().ok())??;
            let bits = data_type.primitive_width()? * 8;
            let limit = 1_i128 << (bits - 1);
            (-limit..limit).contains(&value).then(|| json!(i64::try_from(value).expect("64 bits")))
        }
        DataType::Float32 => {
            let value: f32 = is_number.then(|| text.parse().ok())??;
            value.is_finite().then(|| json!(value))
        }
        DataType::Float64 => {
            let value: f64 = is_number.then(|| text.parse().ok())??;
            value.is_finite().then(|| json!(value))
        }
        DataType::Decimal128(10, 2) => is_number.then(|| decimal(text))?,
        DataType::Date32 => date(text).map(|date| json!((date - NaiveDate::default()).num_days())),
        DataType::Time32(_) => time(text, 3).map(|ms| json!(ms)),
        DataType::Timestamp(..) => timestamp(text).map(|ms| json!(ms)),
        other => panic!("unexpected type {other}"),
    }
}

/// DECIMAL(10, 2), rounded half away from zero, by whole numbers.
fn decimal(text: &str) -> Option<Value> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{}{fraction}", integer.trim_start_matches(['+', '-'])).parse().ok()?;
    let shift = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()? + 2;
    let power = 10_i128.pow(shift.unsigned_abs());
    let unscaled = if shift >= 0 { digits * power } else { (digits + power / 2) / power };
    let sign = if text.starts_with('-') && unscaled != 0 { "-" } else { "" };
    (unscaled < 10_i128.pow(10)).then(|| json!(format!("{sign}{}.{:02}", unscaled / 100, unscaled % 100)))
}

fn date(text: &str) -> Option<NaiveDate> {
    matches("[0-9]{4}-[0-9]{2}-[0-9]{2}", text).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

/// Milliseconds of the day.
fn time(text: &str, most_digits: usize) -> Option<i64> {
    let (clock, fraction) =
        text.split_once('.').map_or((text, None), |(clock, fraction)| (clock, Some(fraction)));
    let is_fraction = |digits: &str| matches("[0-9]+", digits) && digits.len() <= most_digits;
    if !matches("[0-9]{2}:[0-9]{2}:[0-5][0-9]", clock) || !fraction.is_none_or(is_fraction) {
        return None;
    }
    let seconds = NaiveTime::parse_from_str(clock, "%H:%M:%S").ok()? - NaiveTime::MIN;
    let ms: i64 = format!("{:0<3}", fraction.unwrap_or("0"))[..3].parse().ok()?;
    Some(seconds.num_milliseconds() + ms)
}

/// The wall clock of the job, whose zone is eight hours ahead.
fn timestamp(text: &str) -> Option<i64> {
    if matches("[+-]?[0-9]+", text) {
        return Some(text.parse::<i64>().ok()? + EAST_MS);
    }
    let days = |text: &str| Some((date(text)? - NaiveDate::default()).num_days() * 86_400_000);
    if let Some((day, clock)) = text.split_once(' ') {
        return Some(days(day)? + time(clock, 3)?);
    }
    let (day, clock) = text.split_once(['T', 't'])?;
    let at = clock.find(['Z', 'z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(at);
    let clock = if matches("[0-9]{2}:[0-9]{2}", clock) { format!("{clock}:00") } else { clock.to_string() };
    let wall = days(day)? + time(&clock, 9)?;
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let minutes = match (offset, digits.len()) {
        ("", _) => return Some(wall),
        ("Z" | "z", _) => 0,
        (_, 2) => digits.parse::<i64>().ok()? * 60,
        (_, 4) if digits[2..] < *"60" => {
            digits[..2].parse::<i64>().ok()? * 60 + digits[2..].parse::<i64>().ok()?
        }
        _ => return None,
    };
    let minutes = if offset.starts_with('-') { -minutes } else { minutes };
    Some(wall - minutes * 60_000 + EAST_MS)
}

#[test]
fn near_texts_are_good_and_bad() {
    let mut runner = TestRunner::deterministic();
    for field in scalar_types().fields().iter().filter(|field| *field.data_type() != DataType::Utf8) {
        let texts = near(field.data_type());
        let mut text = || texts.new_tree(&mut runner).expect("text").current();
        let good = (0..200).filter(|_| oracle(field.data_type(), &text()).is_some()).count();
        assert!((20..=190).contains(&good), "{}: {good} of 200 texts are good", field.data_type());
    }
}

fn records() -> impl Strategy<Value = Vec<String>> {
    let types: Vec<DataType> =
        scalar_types().fields().iter().map(|field| field.data_type().clone()).collect();
    types.iter().map(near).collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_are_taken_as_the_table_of_types_says(fields in records()) {
        for (field, text) in scalar_types().fields().iter().zip(&fields) {
            let columns = schema(&[("c", field.data_type().clone())]);
            let found = decode_one(&columns, &options(), text).ok().map(|mut row| row.remove(0));
            prop_assert_eq!(found, oracle(field.data_type(), text), "{} `{}`", field.data_type(), text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_are_cut_at_any_delimiters(
        rows in vec(vec("[a-c|;\" ]{0,5}", 3), 0..6),
        field_delimiter in prop_oneof![Just(","), Just("::"), Just("é"), Just("\t")],
        row_delimiter in prop_oneof![Just("\n"), Just("<>"), Just("\r\n"), Just("<<end>>")],
        has_last in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let columns = schema(&[("a", DataType::Utf8), ("b", DataType::Utf8), ("c", DataType::Utf8)]);
        let options = FormatOptions { field_delimiter: field_delimiter.to_string(), ..FormatOptions::default() };
        let records: Vec<String> = rows.iter().map(|row| row.join(field_delimiter)).collect();
        let mut text = records.join(row_delimiter);
        if !has_last && !rows.is_empty() {
            text.push_str(row_delimiter);
        }
        let mut decoder = decoder(columns, &options).expect("decoder");
        let mut no_dirty = |_: usize, record: &[u8], dirty: weir_formats::Dirty| {
            panic!("{}: {}", String::from_utf8_lossy(record), dirty.reason);
        };
        // In two steps: the second begins where the first has left off.
        let cut = cut.index(text.len() + 1);
        let delimiter = row_delimiter.as_bytes();
        let mut consumed = decoder.push_records(&text.as_bytes()[..cut], delimiter, &mut no_dirty);
        prop_assert!(consumed <= cut);
        consumed += decoder.push_records(&text.as_bytes()[consumed..], delimiter, &mut no_dirty);
        decoder.push_last(&text.as_bytes()[consumed..], delimiter, &mut no_dirty);
        let batch = flush_checked(decoder.as_mut());
        let found: Vec<Vec<Value>> = (0..batch.num_rows())
            .map(|row| batch.columns().iter().map(|column| value(column, row)).collect())
            .collect();
        let expected: Vec<Vec<Value>> = rows.iter().map(|row| row.iter().map(|text| json!(text)).collect()).collect();
        prop_assert_eq!(found, expected);
    }
}
