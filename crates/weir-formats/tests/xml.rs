//! xml, by tables: what is read, what is dirty and why, what a stream cannot be.

mod support;

use arrow::datatypes::{DataType, SchemaRef};
use serde_json::{Value, json};
use support::*;
use weir_base::text::Zone;
use weir_formats::{Encode, FormatOptions, decoder, encoder};

fn options(xml_config: &str) -> FormatOptions {
    FormatOptions {
        encode: Encode::Xml,
        xml_config: Some(xml_config.to_string()),
        ..FormatOptions::default()
    }
}

/// Reads the element `c` below the root into a column of a type.
fn read_as(data_type: DataType, document: &str) -> Result<Value, String> {
    decode_one(&schema(&[("c", data_type)]), &options("c=c"), document).map(|mut row| row.remove(0))
}

fn texts(names: &[&str]) -> SchemaRef {
    schema(&names.iter().map(|name| (*name, DataType::Utf8)).collect::<Vec<_>>())
}

#[test]
fn columns_are_elements_below_the_root() {
    let schema = schema(&[
        ("pid", DataType::Int64),
        ("pname", DataType::Utf8),
        ("born", DataType::Date32),
        ("grades", list(DataType::Utf8)),
        ("fit", DataType::Boolean),
        ("city", DataType::Utf8),
        ("note", DataType::Utf8),
    ]);
    let options = options(
        "pid=person.pid; pname = person.pname;born=person.born;grades=person.grades;fit=person.fit;CITY=person.home.city;",
    );
    let document = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE any SYSTEM \"any.dtd\">\n\
        <!-- people -->\n<any xmlns='urn:x' id=\"a&amp;b>c\">\n  <person kind=\"x\">\n    <pid>1001</pid>\n    \
        <skip><pname>no</pname><pid/></skip>\n    <pname>person one</pname>\n    <born> 1990-10-02 </born>\n    \
        <grades>[A, B,C]</grades><fit>TRUE</fit><home><city>Ulm</city></home>\n  </person>\n<?end now?></any>\n\n";
    let expected = vec![
        json!(1001),
        json!("person one"),
        json!(7_579),
        json!(["A", "B", "C"]),
        json!(true),
        json!("Ulm"),
        Value::Null,
    ];
    assert_eq!(decode_one(&schema, &options, document), Ok(expected.clone()));
    // Without the byte-order mark, the declaration, and with carriage returns.
    let plain = document.trim_start_matches('\u{feff}').replace('\n', "\r\n");
    assert_eq!(decode_one(&schema, &options, &plain), Ok(expected));
}

#[test]
fn columns_that_are_not_listed_are_elements_of_their_name() {
    let schema = texts(&["a", "B", "c"]);
    let row = decode_one(&schema, &options("a=x.y"), "<r><c>3</c><B>2</B><x><y>1</y></x><a>no</a></r>");
    assert_eq!(row, Ok(vec![json!("1"), json!("2"), json!("3")]));
    // Names of elements have case.
    let row = decode_one(&schema, &options("a=x.y"), "<r><b>2</b><X><y>1</y></X></r>");
    assert_eq!(row, Ok(vec![Value::Null, Value::Null, Value::Null]));
}

#[test]
fn the_first_of_equal_elements_counts_at_every_level() {
    let schema = texts(&["a", "b"]);
    let document = "<r><p><b>1</b><b>2</b></p><p><a>3</a><b>4</b></p></r>";
    let row = decode_one(&schema, &options("a=p.a;b=p.b"), document);
    assert_eq!(row, Ok(vec![Value::Null, json!("1")]), "no column comes from the second `p`");
}

#[test]
fn one_element_can_fill_several_columns() {
    let schema = schema(&[("t", DataType::Utf8), ("n", DataType::Int32)]);
    let row = decode_one(&schema, &options("t=v;n=v"), "<r><v> 7 </v></r>");
    assert_eq!(row, Ok(vec![json!(" 7 "), json!(7)]));
}

#[test]
fn texts_are_put_together_from_their_pieces() {
    for (document, expected) in [
        ("<r><c>a&lt;b&amp;&#65;&#x42;&quot;&apos;&gt;</c></r>", json!("a<b&AB\"'>")),
        ("<r><c>a<![CDATA[<b>&amp;]]]]><![CDATA[>]]>c</c></r>", json!("a<b>&amp;]]>c")),
        ("<r><c>a<!-- not - this -->b<?nor this?>c</c></r>", json!("abc")),
        ("<r><c>a\r\nb\rc\nd&#13;</c></r>", json!("a\nb\nc\nd\r")),
        ("<r><c> a </c ></r >", json!(" a ")),
        ("<r><c>\u{e9}\u{1F600}</c></r>", json!("\u{e9}\u{1F600}")),
        ("<r><c></c></r>", json!("")),
        ("<r><c/></r>", json!("")),
        ("<r></r>", Value::Null),
        ("<r/>", Value::Null),
        ("<r>text</r>", Value::Null),
        ("<c>text</c>", Value::Null),
    ] {
        assert_eq!(read_as(DataType::Utf8, document), Ok(expected), "{document}");
    }
}

#[test]
fn texts_are_read_by_the_rules_of_csv() {
    for (data_type, text, expected) in [
        (DataType::Boolean, " True ", json!(true)),
        (DataType::Int32, "\n 42\t", json!(42)),
        (DataType::Int32, "", Value::Null),
        (DataType::Int32, "  ", Value::Null),
        (DataType::Float64, "1.5e3", json!(1500.0)),
        (DataType::Decimal128(10, 2), "1.005", json!("1.01")),
        (TIME, "00:00:01.5", json!(1_500)),
        (TIMESTAMP, "1970-01-01 00:00:01", json!(1_000)),
        (TIMESTAMP, "1970-01-01T00:00:01Z", json!(1_000)),
        (list(DataType::Utf8), " [ x ,y y,, z] ", json!(["x", "y y", "", "z"])),
        (list(DataType::Int32), "[1, 2,]", json!([1, 2, null])),
        (list(DataType::Boolean), "[]", json!([])),
        (list(DataType::Boolean), "[ ]", json!([])),
        (list(DataType::Utf8), "", Value::Null),
        (list(TIMESTAMP), "[1970-01-01 00:00:01]", json!([1_000])),
    ] {
        let document = format!("<r><c>{text}</c></r>");
        assert_eq!(read_as(data_type.clone(), &document), Ok(expected), "{data_type} {text}");
    }
    let options = FormatOptions { zone: Zone::parse("+08:00").expect("zone"), ..options("c=c") };
    let row = decode_one(&schema(&[("c", TIMESTAMP)]), &options, "<r><c>1970-01-01T00:00:01Z</c></r>");
    assert_eq!(row, Ok(vec![json!(28_801_000)]));
}

#[test]
fn texts_that_do_not_fit_are_dirty_and_say_why() {
    for (data_type, content, reason) in [
        (DataType::Int32, "x2", "column `c`: `x2` is not an INT"),
        (DataType::Int8, "128", "column `c`: `128`: TINYINT out of range"),
        (DataType::Boolean, "yes", "column `c`: `yes` is not a BOOLEAN"),
        (list(DataType::Utf8), "x,y", "column `c`: `x,y` is not an ARRAY"),
        (list(DataType::Utf8), "[x,y", "column `c`: `[x,y` is not an ARRAY"),
        (list(DataType::Int32), "[1,x]", "column `c`: `x` is not an INT"),
        (DataType::Utf8, "a<b/>", "column `c`: element `b` stands where a text should be"),
    ] {
        let document = format!("<r><c>{content}</c></r>");
        assert_eq!(read_as(data_type, &document), Err(reason.to_string()), "{document}");
    }
}

#[test]
fn what_is_not_well_formed_is_dirty() {
    for document in [
        "",
        " ",
        "text",
        "<r>",
        "<r><c></r>",
        "<r><c></r></c>",
        "</r>",
        "<r/><r/>",
        "<r/>text",
        "text<r/>",
        "<r/>&amp;",
        "<![CDATA[x]]><r/>",
        "<r",
        "<r><!-- </r>",
        "<r><!-- a -- b --></r>",
        "<r><!-- a ---></r>",
        "<r><![CDATA[x</r>",
        "<r><![cdata[x]]></r>",
        "<r>a & b</r>",
        "<r>a &b</r>",
        "<r>&b;</r>",
        "<r>&;</r>",
        "<r>&#;</r>",
        "<r>&#x;</r>",
        "<r>&#0;</r>",
        "<r>&#1;</r>",
        "<r>&#xD800;</r>",
        "<r>&#xFFFE;</r>",
        "<r>&#x110000;</r>",
        "<r>&#99999999999999999999;</r>",
        "<r>&#+65;</r>",
        "<r>&#X41;</r>",
        "<r>]]></r>",
        "<r>\u{1}</r>",
        "<r>\u{0}</r>",
        "<r>\u{FFFF}</r>",
        "<r a/>",
        "<r a=1/>",
        "<r a='1'b='2'/>",
        "<r a='1' a='2'/>",
        "<r a='<'/>",
        "<r a='&'/>",
        "<r a='&x;'/>",
        "<r a='1/>",
        "<r ='1'/>",
        "<r 1='1'/>",
        "<1/>",
        "< r/>",
        "<r/ >",
        "<r></ r>",
        "<-r/>",
        "<r><?xml version='1.0'?></r>",
        " <?xml version='1.0'?><r/>",
        "<?xml?><r/>",
        "<?xml encoding='utf-8'?><r/>",
        "<?xml version='2.0'?><r/>",
        "<?xml version='1.0' standalone='maybe'?><r/>",
        "<?xml version='1.0' standalone='yes' encoding='utf-8'?><r/>",
        "<?xml version='1.0' x='y'?><r/>",
        "<?xml version='1.0'><r/>",
        "<r><?XML x?></r>",
        "<r><? x?></r>",
        "<!DOCTYPE r><!DOCTYPE r><r/>",
        "<r/><!DOCTYPE r>",
        "<!DOCTYPE><r/>",
        "<!ELEMENT r><r/>",
        "<!DOCTYPEr><r/>",
        "<!doctype r><r/>",
        "<!DOCTYPE 1><r/>",
        "<!DOCTYPE r x><r/>",
        "<!DOCTYPE r SYSTEM><r/>",
        "<!DOCTYPE r SYSTEM'x'><r/>",
        "<!DOCTYPE r PUBLIC 'x'><r/>",
        "\u{feff}\u{feff}<r/>",
        "\u{feff} <?xml version='1.0'?><r/>",
    ] {
        let reason = read_as(DataType::Utf8, document).expect_err(document);
        assert!(reason.starts_with("not well-formed XML: "), "{document}: {reason}");
    }
    let mut decoder = decoder(texts(&["c"]), &options("c=c")).expect("decoder");
    let dirty = decoder.push(b"<r>\xff</r>").expect_err("dirty");
    assert_eq!(dirty.reason, "not valid UTF-8 at byte 3");
}

#[test]
fn reasons_tell_what_and_where() {
    for (document, reason) in [
        ("<r><c>1</r>", "expected `</c>`, but `</r>` was found at byte 7"),
        ("<r>", "an element without its end tag at byte 3"),
        ("<r>&x;</r>", "the entity `&x;`, which XML does not define; others are not expanded at byte 3"),
        ("<r a='1' a='2'/>", "attribute `a` twice in one tag at byte 0"),
        ("<r/><r/>", "a second root element at byte 4"),
        ("\u{feff}<r/><r/>", "a second root element at byte 7"),
        ("<r>\u{1}</r>", "the control character 1 at byte 3"),
    ] {
        let expected = format!("not well-formed XML: {reason}");
        assert_eq!(read_as(DataType::Utf8, document), Err(expected), "{document}");
    }
}

#[test]
fn entities_are_never_expanded() {
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
        <!ENTITY f SYSTEM \"file:///etc/hostname\">]><r><c>&NAME;</c></r>";
    for name in ["a", "b", "f"] {
        let reason = read_as(DataType::Utf8, &bomb.replace("NAME", name)).expect_err("dirty");
        assert!(reason.contains(&format!("the entity `&{name};`")), "{reason}");
    }
    // A declaration that is not used does no harm.
    assert_eq!(read_as(DataType::Utf8, &bomb.replace("&NAME;", "x")), Ok(json!("x")));
}

#[test]
fn large_documents_take_time_in_proportion_to_their_size() {
    let attributes: String = (0..20_000).map(|number| format!(" a{number}='1'")).collect();
    assert_eq!(read_as(DataType::Utf8, &format!("<r{attributes}><c>x</c></r>")), Ok(json!("x")));
    let deep = format!("<r>{}{}<c>x</c></r>", "<d>".repeat(20_000), "</d>".repeat(20_000));
    assert_eq!(read_as(DataType::Utf8, &deep), Ok(json!("x")));
}

#[test]
fn dirty_documents_leave_no_trace() {
    let schema = schema(&[("a", list(DataType::Int32)), ("b", DataType::Utf8)]);
    let mut decoder = decoder(schema, &options("a=a")).expect("decoder");
    decoder.push(b"<r><a>[1,2]</a><b>x</b></r>").expect("good");
    decoder.push(b"<r><b>y</b><a>[3,z]</a></r>").expect_err("dirty");
    decoder.push(b"<r><a>[4]</a><b>y</b>").expect_err("dirty");
    assert_eq!(decoder.rows(), 1);
    decoder.push(b"<r><b>z</b></r>").expect("good");
    let batch = flush_checked(decoder.as_mut());
    let column = |index: usize| (0..2).map(|row| value(batch.column(index), row)).collect::<Vec<_>>();
    assert_eq!((column(0), column(1)), (vec![json!([1, 2]), Value::Null], vec![json!("x"), json!("z")]));
}

#[test]
fn streams_that_cannot_work_are_refused() {
    let columns = [("a", DataType::Utf8), ("b", DataType::Utf8)];
    for (config, message) in [
        ("a", "option `xml_config`: `a` is not a pair; write column=path, pairs separated by `;`"),
        ("x=p.x", "option `xml_config`: the stream has no column `x`; its columns are `a`, `b`"),
        ("a=p;A=q", "option `xml_config`: column `A` is listed twice"),
        (
            "a=p..q",
            "option `xml_config`: path `p..q`: `` is not a name of an element; write the names of elements below the root, joined by `.`",
        ),
        (
            "a=p[0]",
            "option `xml_config`: path `p[0]`: `p[0]` is not a name of an element; write the names of elements below the root, joined by `.`",
        ),
        (
            "a=p;b=p.q",
            "option `xml_config`: column `a` reads element `p`, in which others look for elements; expected paths that end at elements with text",
        ),
    ] {
        let error = decoder(schema(&columns), &options(config)).err().expect(config);
        assert_eq!(error.to_string(), message);
    }
    for (data_type, what) in [
        (map(DataType::Utf8, DataType::Utf8), "MAP"),
        (row(&[("x", DataType::Int32)]), "ROW"),
        (list(list(DataType::Utf8)), "ARRAY of ARRAY"),
    ] {
        let error = decoder(schema(&[("m", data_type)]), &options("m=m")).err().expect(what);
        let expected = format!(
            "column `m`: {what} cannot be read from xml; expected a primitive type, or an ARRAY of one"
        );
        assert_eq!(error.to_string(), expected);
    }
    let error = encoder(schema(&columns), &options("a=a")).err().expect("refused");
    assert_eq!(
        error.to_string(),
        "option `encode`: `xml` can be read but not written; expected `csv` or `json` on a sink"
    );
}
