//! email, by tables: what is read, what is dirty and why, what a stream cannot be.

mod support;

use arrow::datatypes::{DataType, SchemaRef};
use serde_json::{Value, json};
use support::*;
use weir_base::text::Zone;
use weir_formats::{Encode, FormatOptions, decoder};

fn options(email_key: &str) -> FormatOptions {
    FormatOptions {
        encode: Encode::Email,
        email_key: Some(email_key.to_string()),
        ..FormatOptions::default()
    }
}

/// Reads one piece of a message into a column of a type.
fn read_as(data_type: DataType, key: &str, message: &str) -> Result<Value, String> {
    decode_one(&schema(&[("c", data_type)]), &options(key), message).map(|mut row| row.remove(0))
}

fn texts(names: &[&str]) -> SchemaRef {
    schema(&names.iter().map(|name| (*name, DataType::Utf8)).collect::<Vec<_>>())
}

const MESSAGE: &str = "Message-ID: <m1@example.org>\nDate: Fri, 15 Mar 2024 22:54:00 +0000\nSubject: daily\n report\n\
    Cc: a@example.org,\n\tb@example.org , c@example.org\nX-Count: 42\nX_Under: yes\n\
    Content-Type: text/plain; charset=\"us-ascii\"\nsubject: second\n\nall is well\n\nA: b\n";

#[test]
fn keys_fill_columns_in_their_order() {
    let schema = schema(&[
        ("mid", DataType::Utf8),
        ("sent_day", DataType::Date32),
        ("sent", TIMESTAMP),
        ("sent_text", DataType::Utf8),
        ("subject", DataType::Utf8),
        ("cc", list(DataType::Utf8)),
        ("n", DataType::Int32),
        ("charset", DataType::Utf8),
        ("body", DataType::Utf8),
        ("missing", DataType::Utf8),
    ]);
    let options = options("Message_ID, DATE, date, Date, subject, CC, x_count, Charset, Body, X_None");
    let expected = vec![
        json!("<m1@example.org>"),
        json!(19_797),
        json!(1_710_543_240_000_i64),
        json!("Fri, 15 Mar 2024 22:54:00 +0000"),
        json!("daily report"),
        json!(["a@example.org", "b@example.org", "c@example.org"]),
        json!(42),
        json!("us-ascii"),
        json!("all is well\n\nA: b\n"),
        Value::Null,
    ];
    assert_eq!(decode_one(&schema, &options, MESSAGE), Ok(expected.clone()));
    // With the line ends of the wire only the body differs, which is taken as it stands.
    let mut on_the_wire = expected;
    on_the_wire[8] = json!("all is well\r\n\r\nA: b\r\n");
    assert_eq!(decode_one(&schema, &options, &MESSAGE.replace('\n', "\r\n")), Ok(on_the_wire));
}

#[test]
fn dates_are_those_of_the_zone_of_the_job() {
    let columns = schema(&[("d", DataType::Date32), ("t", TIMESTAMP)]);
    let options = FormatOptions { zone: Zone::parse("+08:00").expect("zone"), ..options("Date, Date") };
    let row = decode_one(&columns, &options, MESSAGE);
    assert_eq!(row, Ok(vec![json!(19_798), json!(1_710_572_040_000_i64)]));
}

#[test]
fn names_are_compared_without_case_and_underscores_are_hyphens() {
    for (key, header) in
        [("x_under", "X-Under"), ("X-UNDER", "x_under"), ("x-under", "X_unDER"), ("X_Under", "x-under")]
    {
        let message = format!("{header}: yes\n");
        assert_eq!(read_as(DataType::Utf8, key, &message), Ok(json!("yes")), "{key} {header}");
    }
    assert_eq!(read_as(DataType::Utf8, "xunder", "x-under: yes\n"), Ok(Value::Null));
}

#[test]
fn pieces_have_their_rules() {
    for (data_type, key, message, expected) in [
        (DataType::Utf8, "subject", "Subject:\n", json!("")),
        (DataType::Utf8, "subject", "Subject:   \r\n", json!("")),
        (DataType::Utf8, "subject", "Subject : =?utf-8?q?x?= \n", json!("=?utf-8?q?x?=")),
        (DataType::Int32, "n", "N:\n", Value::Null),
        (DataType::Date32, "date", "Date: \n", Value::Null),
        (list(DataType::Utf8), "cc", "Cc: \n", Value::Null),
        (list(DataType::Utf8), "cc", "Cc: a\n", json!(["a"])),
        (list(DataType::Utf8), "cc", "Cc: a,,b,\n", json!(["a", "", "b", ""])),
        (DataType::Boolean, "ok", "Ok: TRUE\n", json!(true)),
        (TIME, "at", "At: 00:00:01\n", json!(1_000)),
        (DataType::Utf8, "body", "A: b\n", Value::Null),
        (DataType::Utf8, "body", "A: b\n\n", json!("")),
        (DataType::Utf8, "body", "\n\nx", json!("\nx")),
        (DataType::Utf8, "body", "Body: no\n\nyes", json!("yes")),
        (DataType::Int64, "body", "A: b\n\n 12 \n", json!(12)),
        (DataType::Utf8, "charset", "Charset: no\nContent_Type: a/b; CHARSET=yes\n", json!("yes")),
        (DataType::Utf8, "charset", "Content-Type: a/b;\n charset=yes\n", json!("yes")),
        (DataType::Utf8, "charset", "Content-Type: a/b\n", Value::Null),
        (DataType::Utf8, "charset", "A: b\n", Value::Null),
    ] {
        assert_eq!(read_as(data_type, key, message), Ok(expected), "{key} of {message:?}");
    }
}

#[test]
fn what_does_not_fit_is_dirty_and_says_why() {
    for (data_type, key, message, reason) in [
        (DataType::Int32, "n", "N: x2\n", "column `c`: `x2` is not an INT"),
        (
            DataType::Date32,
            "n",
            "N: 2024-03-15\n",
            "column `c`: `2024-03-15` is not a DATE in the form of e-mails",
        ),
        (
            TIMESTAMP,
            "n",
            "N: Mon, 1 Jan\n",
            "column `c`: `Mon, 1 Jan` is not a TIMESTAMP in the form of e-mails",
        ),
        (DataType::Utf8, "n", "", "not an e-mail: empty"),
        (DataType::Utf8, "n", "hello", "not an e-mail: line 1 is neither a header nor empty"),
        (DataType::Utf8, "n", "N: a\nb\n\nbody", "not an e-mail: line 2 is neither a header nor empty"),
    ] {
        assert_eq!(read_as(data_type, key, message), Err(reason.to_string()), "{message:?}");
    }
    let mut decoder = decoder(texts(&["c"]), &options("a")).expect("decoder");
    assert_eq!(decoder.push(b"A: \xff\n").expect_err("dirty").reason, "not valid UTF-8 at byte 3");
}

#[test]
fn dirty_messages_leave_no_trace() {
    let schema = schema(&[("cc", list(DataType::Utf8)), ("n", DataType::Int32)]);
    let mut decoder = decoder(schema, &options("cc,n")).expect("decoder");
    decoder.push(b"Cc: a, b\nN: 1\n").expect("good");
    decoder.push(b"Cc: c, d\nN: x\n").expect_err("dirty");
    decoder.push(b"N: 2\n").expect("good");
    let batch = flush_checked(decoder.as_mut());
    let column = |index: usize| (0..2).map(|row| value(batch.column(index), row)).collect::<Vec<_>>();
    assert_eq!((column(0), column(1)), (vec![json!(["a", "b"]), Value::Null], vec![json!(1), json!(2)]));
}

#[test]
fn streams_that_cannot_work_are_refused() {
    let hint = "write a header, `body` or `charset` for each column, separated by commas";
    for (key, message) in [
        ("Date", "has 1 key, but the stream has 2 columns"),
        ("Date, Subject, Body", "has 3 keys, but the stream has 2 columns"),
        ("Date,", "`` is not a name of a header"),
        ("Date, two words", "`two words` is not a name of a header"),
        ("Date:, Subject", "`Date:` is not a name of a header"),
    ] {
        let error = decoder(texts(&["a", "b"]), &options(key)).err().expect(key);
        assert_eq!(error.to_string(), format!("option `email_key`: {message}; {hint}"));
    }
    for (data_type, message) in [
        (
            map(DataType::Utf8, DataType::Utf8),
            "MAP cannot be read from email; expected a primitive type, or an ARRAY of one",
        ),
        (
            list(DataType::Int32),
            "ARRAY of INT cannot be read from email; expected a primitive type or ARRAY[STRING]",
        ),
    ] {
        let error = decoder(schema(&[("m", data_type)]), &options("cc")).err().expect(message);
        assert_eq!(error.to_string(), format!("column `m`: {message}"));
    }
}
