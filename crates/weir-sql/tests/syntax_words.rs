//! Which words are names as they are, and which only in back quotes.

use weir_sql::parse;

/// The words that the reference of the language lists as reserved.
const LISTED: &str = include_str!("support/listed_words.txt");

/// The words of the language that are names only in back quotes.
const HARD: &str = "ALL AND ANY ARRAY AS ASC BETWEEN BOTH BY CASE CAST CREATE CROSS CUBE CURRENT CURRENT_DATE \
    CURRENT_TIME CURRENT_TIMESTAMP DESC DISTINCT ELSE END ESCAPE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING \
    HAVING IN INNER INSERT INTERVAL INTO IS JOIN LATERAL LEADING LEFT LIKE LOCALTIME LOCALTIMESTAMP MATCH_RECOGNIZE \
    NOT NULL ON OR ORDER OUTER OVER PARTITION RIGHT ROLLUP SELECT SIMILAR SYMMETRIC TABLE THEN TRAILING TRUE UNION \
    UNKNOWN UNNEST USING VALUES WHEN WHERE WITH";

/// Texts in which `@` stands where a name is.
const PLACES: [&str; 14] = [
    "CREATE SOURCE STREAM @ (@ INT, b ROW<@ INT>) WITH (type = 'x', @ = 'y') TIMESTAMP BY @.ROWTIME",
    "CREATE SINK STREAM @ (@ INT) PARTITIONED BY (@) WITH (type = 'x')",
    "CREATE TABLE @ (@ INT) WITH (type = 'x')",
    "CREATE FUNCTION @ AS 'a.B'",
    "INSERT INTO @ SELECT @ FROM @",
    "INSERT INTO s SELECT @, a + @, @.@, t.@, t.@.x AS @ FROM @ AS @",
    "INSERT INTO s SELECT @.*, a[@], (@), -@ FROM t AS x (@)",
    "INSERT INTO s SELECT a FROM @ JOIN @ ON @ = b WHERE @ > 1 GROUP BY @, TUMBLE(@, INTERVAL '1' DAY)",
    "INSERT INTO s SELECT SUM(@) OVER (PARTITION BY @ ORDER BY @ ROWS 1 PRECEDING) FROM t",
    "INSERT INTO s SELECT CASE @ WHEN @ THEN @ ELSE @ END, CAST(@ AS INT), @ BETWEEN @ AND @, @ IS NULL",
    "INSERT INTO s SELECT a FROM t GROUP BY GROUPING SETS (@, (@, b)), CUBE (@), ROLLUP (@)",
    "INSERT INTO s SELECT a FROM LATERAL TABLE(@(@)) AS @ (@), UNNEST(@) AS t (@)",
    "INSERT INTO s SELECT a FROM t MATCH_RECOGNIZE (PARTITION BY @ ORDER BY @ MEASURES @.a AS @, LAST(@.@) AS @ \
     AFTER MATCH SKIP TO LAST @ PATTERN (@ @+) DEFINE @ AS @.a > 1) AS @",
    "INSERT INTO s SELECT a FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO FIRST @ PATTERN ((@)) DEFINE @ AS @) @",
];

fn hard() -> Vec<&'static str> {
    HARD.split_whitespace().collect()
}

#[test]
fn soft_words_are_names_everywhere() {
    let hard = hard();
    let listed: Vec<&str> = LISTED.split_whitespace().collect();
    assert_eq!((listed.len(), hard.len()), (664, 71));
    for word in listed.iter().filter(|word| !hard.contains(word)) {
        for place in PLACES {
            // After a table, words that begin a clause of SQL are refused as such when `AS` is not written.
            let text = place.replace('@', word);
            let text = if place.ends_with('@') && !place.ends_with("AS @") && !place.ends_with("FROM @") {
                text[..text.len() - word.len()].to_string()
            } else {
                text
            };
            if let Err(error) = parse(&text) {
                panic!("{}", weir_sql::render("job.sql", &text, &error));
            }
        }
    }
}

#[test]
fn hard_words_are_names_in_back_quotes() {
    for word in hard() {
        for place in PLACES {
            let text = place.replace('@', &format!("`{word}`"));
            if let Err(error) = parse(&text) {
                panic!("{}", weir_sql::render("job.sql", &text, &error));
            }
        }
        let text = format!("CREATE TEMP STREAM s (a INT, {word} INT)");
        let error = parse(&text).expect_err(word);
        assert_eq!(
            error.message.text,
            format!("`{word}` is a reserved word and cannot be a column name as it is")
        );
        assert_eq!(error.message.position.column, 30);
        assert!(
            parse(&format!("INSERT INTO s SELECT a AS {} FROM t", word.to_lowercase())).is_err(),
            "{word}"
        );
    }
}

#[test]
fn soft_words_are_an_alias_without_as_unless_they_begin_a_clause_of_sql() {
    let clauses = [
        "EXCEPT",
        "FETCH",
        "INTERSECT",
        "LIMIT",
        "MINUS",
        "NATURAL",
        "OFFSET",
        "QUALIFY",
        "TABLESAMPLE",
        "WINDOW",
    ];
    let hard = hard();
    for word in LISTED.split_whitespace().chain(clauses).filter(|word| !hard.contains(word)) {
        let accepted = parse(&format!("INSERT INTO s SELECT a FROM t {word}")).is_ok();
        assert_eq!(accepted, !clauses.contains(&word), "{word}");
    }
}
