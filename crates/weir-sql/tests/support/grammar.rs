//! The grammar of the language as rules, and texts derived from it by choices.
//!
//! Blanks separate the parts of an alternative; `<x>` stands for the rule `x`, everything else for itself. The last
//! alternative of a rule leads to its end, so that a derivation without choices ends.

/// The rules, each with its alternatives.
const RULES: &[(&str, &[&str])] = &[
    ("job", &["<statement> ; <job>", "; <statement> ;", "<statement>"]),
    (
        "statement",
        &[
            "CREATE SOURCE STREAM <name> <columns> <with> <time>",
            "create source stream <name> <with>",
            "CREATE SINK STREAM <name> <columns> PARTITIONED BY ( <names> ) <with>",
            "CREATE TEMP STREAM <name> <columns> <time>",
            "CREATE TABLE <name> <columns> <with>",
            "CREATE FUNCTION <name> AS <string>",
            "INSERT INTO <name> <query>",
        ],
    ),
    ("columns", &["( <column> , <column> , <column> )", "( <column> )"]),
    ("column", &["<name> <type>"]),
    (
        "type",
        &[
            "ARRAY [ <type> ]",
            "ARRAY < <type> >",
            "MAP [ STRING , <type> ]",
            "ROW < x <type> , `y z` <type> >",
            "DECIMAL ( 10 , 2 )",
            "VARCHAR ( 20 )",
            "DOUBLE PRECISION",
            "TIMESTAMP ( 3 )",
            "TIMESTAMP",
            "string",
            "INT",
        ],
    ),
    ("with", &["WITH ( <option> , <option> )", "WITH ( <option> )"]),
    ("option", &["file.path = \"a\\n\"", "table = 5", "TYPE = 'it''s'"]),
    (
        "time",
        &[
            "TIMESTAMP BY <name> . ROWTIME , PROCTIME . proctime SET WATERMARK ( <every> , <interval> )",
            "TIMESTAMP BY <name> . rowtime",
            "TIMESTAMP BY proctime . proctime",
            "",
        ],
    ),
    ("every", &["RANGE <interval>", "ROWS 5"]),
    (
        "query",
        &[
            "<query_term> UNION <query_term>",
            "<query_term> UNION ALL <query_term> UNION <query_term>",
            "<query_term>",
        ],
    ),
    ("query_term", &["( <query> )", "VALUES <row> , <row>", "<select>", "SELECT 1"]),
    ("row", &["( <expression> , <expression> )", "<expression>"]),
    (
        "select",
        &[
            "SELECT <quantity> <item> , <item> FROM <tables> <where> <group> <having>",
            "SELECT <item> FROM <tables>",
            "SELECT <item>",
            "SELECT * FROM t",
        ],
    ),
    ("quantity", &["DISTINCT", "ALL", ""]),
    (
        "item",
        &[
            "*",
            "<name> . *",
            "<name> . <name> . *",
            "<expression> AS <name>",
            "<expression> <name>",
            "<expression>",
        ],
    ),
    ("where", &["WHERE <expression>", ""]),
    ("group", &["GROUP BY <grouping> , <grouping>", "GROUP BY <grouping>", ""]),
    ("having", &["HAVING <expression>", ""]),
    (
        "grouping",
        &[
            "TUMBLE ( <name> , <interval> )",
            "HOP ( <name> , <interval> , <interval> )",
            "SESSION ( <name> , <interval> )",
            "( )",
            "( <expression> , <expression> )",
            "CUBE ( <expression> , ( <name> , <name> ) )",
            "ROLLUP ( <name> , <name> )",
            "GROUPING SETS ( <grouping> , <grouping> )",
            "<expression>",
        ],
    ),
    ("tables", &["<table> , <tables>", "<table> <join> <join>", "<table> <join>", "<table>"]),
    (
        "join",
        &[
            "JOIN <table> ON <expression>",
            "INNER JOIN <table> ON <expression>",
            "LEFT JOIN <table> ON TRUE",
            "LEFT OUTER JOIN <table> ON <expression>",
            "RIGHT JOIN <table> ON <expression>",
            "FULL OUTER JOIN <table> ON <expression>",
            "CROSS JOIN <table>",
        ],
    ),
    ("table", &["<primary_table> <match> <table_alias>", "<primary_table> <table_alias>", "t"]),
    (
        "primary_table",
        &[
            "( <query> )",
            "LATERAL TABLE ( <name> ( ) )",
            "LATERAL TABLE ( <name> ( <expression> , <expression> ) )",
            "UNNEST ( <expression> )",
            "UNNEST ( <expression> ) WITH ORDINALITY",
            "TABLE <name>",
            "<name> . <name> . <name>",
            "<name>",
        ],
    ),
    ("table_alias", &["AS <name> ( <names> )", "<name> ( <names> )", "AS <name>", "<name>", ""]),
    (
        "match",
        &[
            "MATCH_RECOGNIZE ( <match_partition> <match_order> <measures> <per> <skip> PATTERN ( <alternatives> ) <within> DEFINE <definitions> )",
        ],
    ),
    ("match_partition", &["PARTITION BY <expression> , <name>", "PARTITION BY <name>", ""]),
    ("match_order", &["ORDER BY <name> , <expression> DESC", "ORDER BY <name> ASC", ""]),
    ("measures", &["MEASURES <measure> , <measure>", "MEASURES <measure>", ""]),
    ("measure", &["FINAL <call> AS <name>", "RUNNING <call> <name>", "<expression> AS <name>"]),
    ("per", &["ONE ROW PER MATCH", "ALL ROWS PER MATCH", ""]),
    (
        "skip",
        &[
            "AFTER MATCH SKIP TO NEXT ROW",
            "AFTER MATCH SKIP PAST LAST ROW",
            "AFTER MATCH SKIP TO FIRST <name>",
            "AFTER MATCH SKIP TO LAST <name>",
            "AFTER MATCH SKIP TO <name>",
            "",
        ],
    ),
    ("alternatives", &["<sequence> | <alternatives>", "<sequence>"]),
    ("sequence", &["<factor> <sequence>", "<factor>"]),
    (
        "factor",
        &[
            "( <alternatives> ) <quantifier> ?",
            "( <alternatives> )",
            "<name> <quantifier> ?",
            "<name> <quantifier>",
            "A",
        ],
    ),
    ("quantifier", &["*", "+", "?", "{ 2 }", "{ 0 , }", "{ 1 , 3 }", "{ , 2 }"]),
    ("within", &["WITHIN <interval>", ""]),
    ("definitions", &["<name> AS <expression> , <definitions>", "A AS <expression>"]),
    ("expression", &["<and> OR <expression>", "<and>"]),
    ("and", &["<not> AND <and>", "<not>"]),
    ("not", &["NOT <predicate>", "<predicate>"]),
    (
        "predicate",
        &[
            "<sum> = <sum>",
            "<sum> <> <sum>",
            "<sum> != <sum>",
            "<sum> <= <sum>",
            "<sum> > <sum>",
            "<sum> IS NULL",
            "<sum> IS NOT UNKNOWN",
            "<sum> IS TRUE",
            "<sum> IS NOT DISTINCT FROM <sum>",
            "<sum> BETWEEN <sum> AND <sum>",
            "<sum> NOT BETWEEN ASYMMETRIC <sum> AND <sum>",
            "<sum> BETWEEN SYMMETRIC <name> AND 2",
            "<sum> LIKE <sum> ESCAPE '!'",
            "<sum> NOT SIMILAR TO <sum>",
            "<sum> IN ( <expression> , <expression> )",
            "<sum> NOT IN ( <expression> )",
            "( <sum> , <sum> ) OVERLAPS ( <sum> , <sum> )",
            "( <sum> , <sum> ) = ( <sum> , <sum> )",
            "<sum>",
        ],
    ),
    ("sum", &["<product> + <sum>", "<product> - <product>", "<product> || <product>", "<product>"]),
    ("product", &["<unary> * <product>", "<unary> / <unary>", "<unary> % <unary>", "<unary>"]),
    ("unary", &["- <postfix>", "+ <postfix>", "<postfix>"]),
    (
        "postfix",
        &[
            "<primary> [ <expression> ]",
            "<primary> [ 1 ] . <name>",
            "<primary> . <name>",
            "<call> OVER ( <partition> ORDER BY <name> <frame> )",
            "<primary>",
        ],
    ),
    ("partition", &["PARTITION BY <expression> , <name>", "PARTITION BY <name>", ""]),
    (
        "frame",
        &[
            "ROWS BETWEEN <row_bound> PRECEDING AND CURRENT ROW",
            "ROWS <row_bound> PRECEDING",
            "RANGE BETWEEN <range_bound> PRECEDING AND CURRENT ROW",
            "RANGE <range_bound> PRECEDING",
            "",
        ],
    ),
    ("row_bound", &["UNBOUNDED", "5"]),
    ("range_bound", &["UNBOUNDED", "<interval>"]),
    (
        "primary",
        &[
            "<literal>",
            "<call>",
            "( <expression> )",
            "( <expression> , <expression> )",
            "CASE WHEN <expression> THEN <expression> END",
            "CASE <expression> WHEN <expression> , <expression> THEN <expression> ELSE <expression> END",
            "CAST ( <expression> AS <type> )",
            "EXTRACT ( DOW FROM <expression> )",
            "FLOOR ( <expression> TO HOUR )",
            "CEIL ( <expression> )",
            "SUBSTRING ( <expression> FROM <expression> FOR <expression> )",
            "TRIM ( LEADING '0' FROM <expression> )",
            "TRIM ( <expression> )",
            "POSITION ( <sum> IN <expression> )",
            "OVERLAY ( <expression> PLACING <expression> FROM <expression> )",
            "ARRAY [ <expression> , <expression> ]",
            "ARRAY [ ]",
            "MAP [ <expression> , <expression> ]",
            "ROW ( <expression> , <expression> )",
            "<name>",
        ],
    ),
    (
        "call",
        &[
            "COUNT ( * )",
            "SUM ( DISTINCT <expression> )",
            "<name> ( <expression> , <expression> )",
            "GROUPING ( <name> )",
            "RAND ( )",
        ],
    ),
    (
        "literal",
        &[
            "1.5E0",
            "TRUE",
            "NULL",
            "UNKNOWN",
            "<string>",
            "DATE '2024-03-15'",
            "TIMESTAMP \"2024-03-15 07:08:09\"",
            "<interval>",
            "CURRENT_TIMESTAMP",
            "LOCALTIME",
            "12",
        ],
    ),
    ("interval", &["INTERVAL '1 02:03:04.005' DAY TO SECOND", "INTERVAL 20 SECONDS", "INTERVAL '5' MINUTE"]),
    ("string", &["'it''s'", "\"tab\\t\"", "'-- no comment'", "'a\\'"]),
    ("names", &["<name> , <names>", "<name>"]),
    // The words have a meaning of their own elsewhere.
    ("name", &["`order by`", "value", "Date", "count", "`a``b`", "next", "first", "b", "a"]),
];

/// How deep rules may be inside others before derivations turn to their ends. Expressions take a dozen rules a level.
const DEPTH: usize = 60;

/// Derives a text from a rule. Every byte is one choice; when there are none left the last alternative is taken.
/// Returns the tokens.
pub fn derive(rule: &str, choices: &[u8]) -> Vec<String> {
    let mut tokens = Vec::new();
    expand(rule, &mut choices.iter().copied(), 0, &mut tokens);
    tokens
}

fn expand(rule: &str, choices: &mut impl Iterator<Item = u8>, depth: usize, tokens: &mut Vec<String>) {
    let (_, alternatives) =
        RULES.iter().find(|(name, _)| *name == rule).unwrap_or_else(|| panic!("no rule {rule}"));
    let last = alternatives.len() - 1;
    let chosen = match choices.next() {
        Some(byte) if depth < DEPTH => usize::from(byte) % alternatives.len(),
        _ => last,
    };
    let alternative = alternatives[chosen];
    // Strings hold blanks, and stand alone in their alternatives or after one word.
    if let Some(quote) = alternative.find(['\'', '"', '`']).filter(|_| !alternative.contains(['<', '('])) {
        let end = alternative.rfind(['\'', '"', '`']).expect("a closing quote") + 1;
        tokens.extend(alternative[..quote].split_whitespace().map(str::to_string));
        tokens.push(alternative[quote..end].to_string());
        tokens.extend(alternative[end..].split_whitespace().map(str::to_string));
        return;
    }
    for part in alternative.split_whitespace() {
        match part.strip_prefix('<').and_then(|part| part.strip_suffix('>')).filter(|part| !part.is_empty()) {
            Some(inner) => expand(inner, choices, depth + 1, tokens),
            None => tokens.push(part.to_string()),
        }
    }
}

/// Whether an error is one of the limits of the parser, which a derivation may exceed.
pub fn is_limit(text: &str) -> bool {
    let limits = ["nested too deep", "more than ", "the pattern is too large", "the expression is too large"];
    limits.iter().any(|limit| text.starts_with(limit))
}
