//! Constructs that are recognised only to be refused by name.

use super::token::Token;
use crate::CheckError;

/// A construct that SQL has and this dialect has not.
pub(crate) fn not_in_dialect(token: &Token<'_>, construct: &str, instead: &str) -> CheckError {
    token.error(format!("{construct} is not part of Stream SQL")).hint(instead)
}

/// Returns the refusal of a clause that follows a query or a part of it, by its first word.
pub(crate) fn clause_after_query(token: &Token<'_>) -> Option<CheckError> {
    let no_sorting = "a stream has no end at which rows could be sorted; remove the clause";
    let no_limit = "a stream has no last row; filter with `WHERE`";
    let (construct, instead) = match token.text.to_ascii_uppercase().as_str() {
        "ORDER" => ("`ORDER BY` of a query", no_sorting),
        "LIMIT" => ("`LIMIT`", no_limit),
        "OFFSET" => ("`OFFSET`", no_limit),
        "FETCH" => ("`FETCH`", no_limit),
        "FOR" => ("`FOR UPDATE`", "a stream cannot be locked; remove the clause"),
        "WINDOW" => ("`WINDOW`", "write the window where it is used"),
        "QUALIFY" => ("`QUALIFY`", "filter in a query around this one"),
        "INTERSECT" => ("`INTERSECT`", "queries are combined with `UNION` and `UNION ALL`"),
        "EXCEPT" | "MINUS" => ("`EXCEPT`", "queries are combined with `UNION` and `UNION ALL`"),
        "TABLESAMPLE" => ("`TABLESAMPLE`", "filter with `WHERE`"),
        "USING" => ("`USING`", "write the condition of a join with `ON`"),
        _ => return None,
    };
    let is_name = token.kind != super::token::TokenKind::Word;
    (!is_name).then(|| not_in_dialect(token, construct, instead))
}
