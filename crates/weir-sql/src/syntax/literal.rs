//! Turns the characters of a quoted token into the text they stand for.

use super::token::{Token, TokenKind};
use crate::{CheckError, Position};

/// Returns the name that a word or a back-quoted word stands for.
pub(crate) fn name_text(token: &Token<'_>) -> String {
    match token.kind {
        TokenKind::QuotedWord => token.text[1..token.text.len() - 1].replace("``", "`"),
        _ => token.text.to_string(),
    }
}

/// Returns the text of a string token.
pub(crate) fn string_text(token: &Token<'_>) -> Result<String, CheckError> {
    decode_part(token, &token.text[1..token.text.len() - 1], 0)
}

/// Returns what a part of a string token stands for: `part` begins `start` bytes behind the opening quote.
pub(crate) fn decode_part(token: &Token<'_>, part: &str, start: usize) -> Result<String, CheckError> {
    let (quote, escapes) = match token.kind {
        TokenKind::String { quote, option } => (quote, quote == '"' || option),
        _ => ('\'', false),
    };
    if !escapes {
        return Ok(part.replace("''", "'"));
    }
    let unicode = decode_unicode(part);
    match unicode.and_then(|characters| decode_escapes(&characters, quote)) {
        Ok(text) => Ok(text),
        Err(problem) => Err(problem.error(token, start)),
    }
}

/// An escape that means nothing.
struct BadEscape {
    /// Index of the backslash among the characters of the part.
    index: usize,
    /// The escape as written.
    escape: String,
}

impl BadEscape {
    fn error(self, token: &Token<'_>, start: usize) -> CheckError {
        let mut position = token.position;
        let (before, part) = token.text.split_at(1 + start);
        for character in before.chars().chain(part.chars().take(self.index)) {
            match character {
                '\n' => position = Position { line: position.line + 1, column: 1 },
                _ => position.column += 1,
            }
        }
        let length = u32::try_from(self.escape.chars().count()).unwrap_or(1);
        CheckError::new(position, length, format!("`{}` is not an escape", self.escape)).hint(
            "escapes are `\\n`, `\\r`, `\\t`, `\\b`, `\\f`, `\\0`, `\\'`, `\\\"`, `\\\\` and `\\uXXXX`; write `\\\\` for a backslash",
        )
    }
}

/// A character, the index it came from, and whether `\uXXXX` stood for it.
type Decoded = (char, usize, bool);

/// Decodes `\uXXXX`, before all other escapes. As in Java, a backslash that is itself escaped does not begin one.
fn decode_unicode(inner: &str) -> Result<Vec<Decoded>, BadEscape> {
    let characters: Vec<char> = inner.chars().collect();
    let mut decoded = Vec::with_capacity(characters.len());
    let mut index = 0;
    while index < characters.len() {
        let is_backslash = characters[index] == '\\';
        if is_backslash && characters.get(index + 1) == Some(&'u') {
            let (character, length) = unicode_escape(&characters, index)?;
            decoded.push((character, index, true));
            index += length;
        } else if is_backslash && index + 1 < characters.len() {
            decoded.push((characters[index], index, false));
            decoded.push((characters[index + 1], index + 1, false));
            index += 2;
        } else {
            decoded.push((characters[index], index, false));
            index += 1;
        }
    }
    Ok(decoded)
}

/// Decodes one `\uXXXX`, or two that make a surrogate pair. Returns the character and how many characters it took.
fn unicode_escape(characters: &[char], index: usize) -> Result<(char, usize), BadEscape> {
    let unit = |at: usize| -> Option<u32> {
        let escape = characters.get(at..at + 6)?;
        if escape[0] != '\\' || escape[1] != 'u' {
            return None;
        }
        escape[2..].iter().try_fold(0, |value, digit| Some(value * 16 + digit.to_digit(16)?))
    };
    let bad = || BadEscape { index, escape: characters[index..].iter().take(6).collect() };
    let first = unit(index).ok_or_else(bad)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    let second = unit(index + 6).filter(|second| (0xdc00..0xe000).contains(second)).ok_or_else(bad)?;
    let combined = 0x10000 + (first.wrapping_sub(0xd800) << 10) + (second - 0xdc00);
    char::from_u32(combined).map(|character| (character, 12)).ok_or_else(bad)
}

fn decode_escapes(characters: &[Decoded], quote: char) -> Result<String, BadEscape> {
    let mut text = String::with_capacity(characters.len());
    let mut rest = characters.iter().copied().peekable();
    while let Some((character, index, from_unicode)) = rest.next() {
        if character == '\\' {
            match rest.next() {
                Some((escaped, _, _)) => text.push(
                    escape(escaped).ok_or_else(|| BadEscape { index, escape: format!("\\{escaped}") })?,
                ),
                // Only `\u005c` at the very end comes here; it stands for itself.
                None => text.push('\\'),
            }
            continue;
        }
        if character == quote && !from_unicode {
            // The lexer ends a string at a single quote, so another one follows.
            rest.next_if(|(next, _, _)| *next == quote);
        }
        text.push(character);
    }
    Ok(text)
}

fn escape(character: char) -> Option<char> {
    Some(match character {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '0' => '\0',
        '\\' | '"' | '\'' => character,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::lexer::tokenize;

    /// Decodes the value of option `x`.
    fn option(literal: &str) -> Result<String, CheckError> {
        let text = format!("CREATE SINK STREAM s (a INT) WITH (x = {literal})");
        let token = tokenize(&text)[12];
        assert!(matches!(token.kind, TokenKind::String { option: true, .. }), "{token:?}");
        string_text(&token)
    }

    fn query(literal: &str) -> Result<String, CheckError> {
        string_text(&tokenize(literal)[0])
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(query("'it''s'").unwrap(), "it's");
        assert_eq!(query("\"a\"\"b'\"").unwrap(), "a\"b'");
        assert_eq!(option("'it''s'").unwrap(), "it's");
    }

    #[test]
    fn the_backslash_is_ordinary_in_single_quotes_of_a_query() {
        assert_eq!(query(r"'a\n\d'").unwrap(), r"a\n\d");
        assert_eq!(query(r#""a\n\\d""#).unwrap(), "a\n\\d");
    }

    #[test]
    fn options_process_escapes_in_both_kinds_of_quotes() {
        assert_eq!(option(r"'\n\r\t\b\f\0\''").unwrap(), "\n\r\t\u{8}\u{c}\0'");
        assert_eq!(option(r#""\n\"\\""#).unwrap(), "\n\"\\");
    }

    #[test]
    fn unicode_escapes_come_first() {
        assert_eq!(option(r#""\u005c\u0022""#).unwrap(), "\"");
        assert_eq!(option(r#""\u0007""#).unwrap(), "\u{7}");
        assert_eq!(option(r#""\ud83d\ude00""#).unwrap(), "\u{1f600}");
        assert_eq!(option(r#""\\u0041""#).unwrap(), "\\u0041");
        assert_eq!(option(r#""\u005c""#).unwrap(), "\\");
    }

    #[test]
    fn unknown_escapes_are_refused_where_they_stand() {
        let error = query("\"ab\\d\"").unwrap_err();
        assert_eq!((error.message.position.column, error.message.length), (4, 2));
        assert_eq!(error.message.text, "`\\d` is not an escape");
        assert!(query(r#""\u12g4""#).is_err());
        assert!(query(r#""\u12""#).is_err());
        assert!(query(r#""\ud83d""#).is_err());
        assert!(query(r#""\ude00\ude00""#).is_err());
    }

    #[test]
    fn back_quotes_are_doubled() {
        assert_eq!(name_text(&tokenize("`a``b`")[0]), "a`b");
    }
}
