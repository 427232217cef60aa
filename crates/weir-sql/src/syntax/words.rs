//! Words that have a meaning of their own.
//!
//! The language lists 664 words, but jobs use many of them bare as names. Only the hard words must be
//! quoted; every other word is a name wherever the grammar leaves no doubt.

/// The words that are names only in back quotes, in order.
const HARD_WORDS: [&str; 71] = [
    "ALL",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "BETWEEN",
    "BOTH",
    "BY",
    "CASE",
    "CAST",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEADING",
    "LEFT",
    "LIKE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MATCH_RECOGNIZE",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "ROLLUP",
    "SELECT",
    "SIMILAR",
    "SYMMETRIC",
    "TABLE",
    "THEN",
    "TRAILING",
    "TRUE",
    "UNION",
    "UNKNOWN",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Soft words that begin a clause or another construct of SQL after a table or a column, and so are
/// not taken for an alias without `AS`.
const NOT_AN_ALIAS: [&str; 10] = [
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

/// Returns whether a word is a name only in back quotes.
pub(crate) fn is_hard_word(word: &str) -> bool {
    word.len() <= 17 && HARD_WORDS.binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

/// Returns whether a bare word after a table or a column may be its alias.
pub(crate) fn can_be_alias(word: &str) -> bool {
    !is_hard_word(word) && !NOT_AN_ALIAS.iter().any(|other| other.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(HARD_WORDS.is_sorted());
        assert!(HARD_WORDS.iter().all(|word| is_hard_word(word)));
        assert!(is_hard_word("Order") && !is_hard_word("count") && !is_hard_word("result"));
    }
}
