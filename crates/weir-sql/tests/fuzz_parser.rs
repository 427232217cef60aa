//! Fuzz targets: no text makes the parser panic, hang or overflow the stack, and it accepts every text of the grammar.
//!
//! Run longer with `cargo bolero test -p weir-sql --test fuzz_parser parser_survives_any_text`.

#[path = "support/grammar.rs"]
mod grammar;

use grammar::{derive, is_limit};

/// Words and symbols for texts that come further than random characters.
const VOCABULARY: &[&str] = &[
    "CREATE",
    "SOURCE",
    "SINK",
    "TEMP",
    "STREAM",
    "s",
    "t",
    "(",
    ")",
    "a",
    "INT",
    ",",
    "WITH",
    "type",
    "=",
    "'x'",
    "\"y\\n\"",
    ";",
    "INSERT",
    "INTO",
    "SELECT",
    "*",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "HAVING",
    "UNION",
    "ALL",
    "VALUES",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "AS",
    "ARRAY",
    "[",
    "]",
    "MAP",
    "ROW",
    "<",
    ">",
    "INTERVAL",
    "1",
    "2.5",
    "'3'",
    "SECOND",
    "DAY",
    "TO",
    "YEAR",
    "MONTH",
    "TIMESTAMP",
    "ROWTIME",
    "PROCTIME",
    ".",
    "SET",
    "WATERMARK",
    "RANGE",
    "ROWS",
    "-",
    "+",
    "/",
    "||",
    "NOT",
    "AND",
    "OR",
    "BETWEEN",
    "SYMMETRIC",
    "IN",
    "IS",
    "NULL",
    "LIKE",
    "ESCAPE",
    "'%'",
    "SIMILAR",
    "EXTRACT",
    "FLOOR",
    "TRIM",
    "BOTH",
    "SUBSTRING",
    "POSITION",
    "OVERLAY",
    "PLACING",
    "FOR",
    "TUMBLE",
    "COUNT",
    "DISTINCT",
    "DATE",
    "`",
    "'",
    "/*",
    "--",
    "\n",
    "\u{a0}",
    "DECIMAL",
    "STRING",
    "JOIN",
    "ON",
    "LEFT",
    "CROSS",
    "LATERAL",
    "TABLE",
    "UNNEST",
    "ORDINALITY",
    "OVER",
    "PARTITION",
    "ORDER",
    "PRECEDING",
    "CURRENT",
    "GROUPING",
    "SETS",
    "CUBE",
    "MATCH_RECOGNIZE",
    "MEASURES",
    "FINAL",
    "PATTERN",
    "{",
    "}",
    "?",
    "|",
    "WITHIN",
    "DEFINE",
    "FUNCTION",
    "PARTITIONED",
];

fn survives(text: &str) {
    if let Err(error) = weir_sql::parse(text) {
        assert!(error.message.position.line >= 1 && error.message.position.column >= 1);
        assert!(weir_sql::render("job.sql", text, &error).contains('^'));
    }
}

#[test]
fn parser_survives_any_text() {
    bolero::check!(name = "parser").with_iterations(2_000).with_max_len(1_024).for_each(|bytes: &[u8]| {
        survives(&String::from_utf8_lossy(bytes));
        let words: Vec<&str> =
            bytes.iter().map(|byte| VOCABULARY[usize::from(*byte) % VOCABULARY.len()]).collect();
        survives(&words.join(" "));
    });
}

#[test]
fn parser_accepts_what_the_grammar_derives() {
    bolero::check!(name = "grammar").with_iterations(2_000).with_max_len(512).for_each(|bytes: &[u8]| {
        let text = derive("job", bytes).join(" ");
        if let Err(error) = weir_sql::parse(&text) {
            assert!(is_limit(&error.message.text), "{}", weir_sql::render("job.sql", &text, &error));
        }
    });
}

#[test]
fn parser_survives_a_text_of_the_grammar_with_mistakes() {
    bolero::check!(name = "mistakes").with_iterations(2_000).with_max_len(512).for_each(|bytes: &[u8]| {
        let (mistakes, choices) = bytes.split_at(bytes.len().min(6));
        let mut tokens = derive("job", choices);
        for mistake in mistakes.chunks_exact(2) {
            let place = usize::from(mistake[0]) % tokens.len();
            match mistake[1] % 4 {
                0 => drop(tokens.remove(place)),
                1 => tokens.insert(place, tokens[place].clone()),
                2 => tokens[place] = VOCABULARY[usize::from(mistake[1]) % VOCABULARY.len()].to_string(),
                _ => tokens.truncate(place),
            }
            if tokens.is_empty() {
                return;
            }
        }
        survives(&tokens.join(" "));
    });
}
