//! The formatter: what it makes of jobs, and that it changes nothing but the layout.
//!
//! `format/NAME.in.sql` becomes `format/NAME.out.sql`. After a change of the layout, refresh the files with
//! `UPDATE_GOLDEN=1 cargo test -p weir-sql --test format` and read the difference.

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/grammar.rs"]
mod grammar;

use std::path::Path;

use grammar::{derive, is_limit};
use weir_sql::{format, is_same_job};

/// Returns the tree of a job without the places of its parts and the letters of its keywords.
fn tree_without_places(text: &str) -> String {
    let tree = weir_sql::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let tree = format!("{tree:?}");
    let mut without = String::with_capacity(tree.len());
    let mut rest = tree.as_str();
    let places = ["line: ", "column: ", "offset: ", "length: ", "Location(", "Word(Word { value: "];
    while let Some((at, place)) =
        places.iter().filter_map(|place| Some((rest.find(place)?, *place))).min_by_key(|(at, _)| *at)
    {
        without.push_str(&rest[..at]);
        rest = rest[at + place.len()..]
            .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, ',' | '"' | '_'));
    }
    without.push_str(rest);
    without
}

/// Asserts that formatting keeps a job, and that there is nothing left to format.
#[track_caller]
fn assert_kept(name: &str, text: &str) -> String {
    let formatted = format(text).unwrap_or_else(|errors| panic!("{name}: {:?}\n{text}", errors.into_first()));
    assert!(is_same_job(text, &formatted), "{name}: other tokens or comments\n{text}\n-->\n{formatted}");
    assert_eq!(
        tree_without_places(text),
        tree_without_places(&formatted),
        "{name}\n{text}\n-->\n{formatted}"
    );
    let again = format(&formatted).expect("a formatted job parses");
    assert_eq!(formatted, again, "{name}: formatted a second time");
    assert!(
        formatted.lines().all(|line| line.trim_end() == line || formatted.contains("*/")),
        "{name}: blanks at the end of a line\n{formatted}"
    );
    formatted
}

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder of golden files") {
        let path = entry.expect("a file").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".in.sql") else { continue };
        let text = std::fs::read_to_string(&path).expect("a job");
        let formatted = assert_kept(name, &text);
        let expected = folder.join(format!("{name}.out.sql"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&expected, &formatted).expect("a golden file can be written");
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(formatted, expected, "{name}.in.sql; UPDATE_GOLDEN=1 refreshes the golden files");
        count += 1;
    }
    assert!(count > 5, "only {count} golden files");
}

#[test]
fn every_job_of_the_repository_is_kept() {
    let jobs = corpus::jobs();
    assert!(jobs.len() > 250, "only {} jobs", jobs.len());
    for (name, text) in jobs {
        // Jobs that are to be refused need not parse.
        if weir_sql::parse(&text).is_ok() {
            assert_kept(&name, &text);
        }
    }
}

#[test]
fn a_text_that_does_not_parse_is_refused_with_every_mistake() {
    let errors = format("CREATE SOURCE (a INT);\nINSERT INTO s SELECT FROM;").expect_err("two mistakes");
    let lines: Vec<u32> = errors.iter().map(|error| error.message.position.line).collect();
    assert_eq!(lines, [1, 2]);
}

#[test]
fn small_texts() {
    for (text, formatted) in [
        ("", ""),
        ("  \n", ""),
        (";", ";\n"),
        ("-- only a comment", "-- only a comment\n"),
        ("insert into s select 1", "INSERT INTO s\nSELECT 1\n"),
        ("insert into s select a from t;;", "INSERT INTO s\nSELECT a\nFROM t;;\n"),
        ("insert into s\r\nselect a -- the a\r\nfrom t;", "INSERT INTO s\nSELECT a -- the a\nFROM t;\n"),
        ("insert into s select - -1, -(-a), 1 - -b", "INSERT INTO s\nSELECT - -1, -(-a), 1 - -b\n"),
        ("insert into s select a\u{a0}from\u{a0}t", "INSERT INTO s\nSELECT a\nFROM t\n"),
        ("insert into s select \"a\nb\" from t", "INSERT INTO s\nSELECT\n  \"a\nb\"\nFROM t\n"),
    ] {
        assert_eq!(assert_kept("small text", text), formatted);
    }
}

/// Puts tokens together with blanks, line ends and comments between them.
fn with_comments(tokens: &[String], choices: &[u8]) -> String {
    const BETWEEN: [&str; 12] = [
        " ",
        " ",
        " ",
        "\n",
        "\n\n\n",
        " -- one\n",
        "\n// two\n",
        " /* three */ ",
        "\n/* four */",
        "\r\n",
        "\t",
        " /* five\n  */\n",
    ];
    let mut text = String::new();
    for (index, token) in tokens.iter().enumerate() {
        let choice = choices.get(index % choices.len().max(1)).copied().unwrap_or_default();
        text.push_str(BETWEEN[usize::from(choice) % BETWEEN.len()]);
        text.push_str(token);
    }
    text
}

#[test]
fn jobs_of_the_grammar_are_kept() {
    bolero::check!(name = "format").with_iterations(1_500).with_max_len(512).for_each(|bytes: &[u8]| {
        let (layout, choices) = bytes.split_at(bytes.len().min(16));
        let text = with_comments(&derive("job", choices), layout);
        match weir_sql::parse(&text) {
            Ok(_) => drop(assert_kept("derived", &text)),
            Err(error) => assert!(is_limit(&error.message.text), "{error}\n{text}"),
        }
    });
}

#[test]
fn no_text_makes_the_formatter_panic() {
    bolero::check!(name = "format_any").with_iterations(1_500).with_max_len(512).for_each(
        |bytes: &[u8]| {
            if let Ok(formatted) = format(&String::from_utf8_lossy(bytes)) {
                assert_eq!(format(&formatted).as_deref(), Ok(formatted.as_str()));
            }
            let (mistakes, choices) = bytes.split_at(bytes.len().min(8));
            let mut tokens = derive("job", choices);
            for mistake in mistakes.chunks_exact(2) {
                let place = usize::from(mistake[0]) % tokens.len();
                match mistake[1] % 2 {
                    0 if tokens.len() > 1 => drop(tokens.remove(place)),
                    _ => tokens.insert(place, tokens[usize::from(mistake[1]) % tokens.len()].clone()),
                }
            }
            let text = tokens.join(" ");
            if format(&text).is_ok() {
                assert_kept("with mistakes", &text);
            }
        },
    );
}
