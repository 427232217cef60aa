//! Cuts the text of a job into tokens.
//!
//! The lexer never fails: characters that make no token become a token of their own, and the parser
//! complains when it gets there, so that the first problem in the order of the text is the one reported.
//! It must know whether a string is the value of an option, because a backslash before a closing single
//! quote means something there and nothing in a query.

use super::token::{Problem, Token, TokenKind};
use super::words::is_hard_word;
use crate::Position;

/// Operators and brackets of two characters.
const DOUBLE_SYMBOLS: [&str; 5] = ["<>", "!=", "<=", ">=", "||"];
/// Operators and brackets of one character. The last six occur only in row patterns.
const SINGLE_SYMBOLS: &str = "()[],.;=<>+-*/%{}|?^$";

/// Returns the tokens of a text; the last one is the end.
pub(crate) fn tokenize(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        offset: 0,
        position: Position { line: 1, column: 1 },
        options: OptionClause::default(),
    };
    let mut tokens: Vec<Token<'_>> = Vec::new();
    loop {
        let token = lexer.next_token(tokens.last());
        lexer.options.follow(&token);
        tokens.push(token);
        if token.kind == TokenKind::End {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    offset: usize,
    position: Position,
    options: OptionClause,
}

/// Follows the tokens to know where a `WITH (...)` clause of a CREATE statement begins and ends.
#[derive(Default)]
struct OptionClause {
    statement: StatementKind,
    after_with: bool,
    depth: usize,
    /// Depth of the brackets outside the clause, while inside.
    inside: Option<usize>,
}

#[derive(Default, PartialEq)]
enum StatementKind {
    #[default]
    NotBegun,
    Create,
    Other,
}

impl OptionClause {
    fn follow(&mut self, token: &Token<'_>) {
        if token.is_symbol(";") {
            *self = Self::default();
            return;
        }
        if self.statement == StatementKind::NotBegun {
            self.statement =
                if token.is_word("CREATE") { StatementKind::Create } else { StatementKind::Other };
        }
        if token.is_symbol("(") {
            if self.after_with && self.statement == StatementKind::Create {
                self.inside = Some(self.depth);
            }
            self.depth += 1;
        } else if token.is_symbol(")") {
            self.depth = self.depth.saturating_sub(1);
            if self.inside == Some(self.depth) {
                self.inside = None;
            }
        }
        self.after_with = token.is_word("WITH");
    }
}

impl<'a> Lexer<'a> {
    fn next_token(&mut self, previous: Option<&Token<'a>>) -> Token<'a> {
        if let Some(open_comment) = self.skip_blanks_and_comments() {
            return open_comment;
        }
        let (start, position) = (self.offset, self.position);
        let kind = match self.peek() {
            None => TokenKind::End,
            Some(character) if is_name_start(character) => {
                self.take_while(is_name_part);
                TokenKind::Word
            }
            Some('`') => self.quoted_name(),
            Some(quote @ ('\'' | '"')) => self.string(quote),
            Some(character) if character.is_ascii_digit() => self.number(),
            Some('.')
                if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) && !ends_operand(previous) =>
            {
                self.number()
            }
            Some(_) => self.symbol(),
        };
        Token { kind, text: &self.text[start..self.offset], position, offset: start }
    }

    /// Returns a token only for a comment that is not closed; it takes the rest of the text.
    fn skip_blanks_and_comments(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest();
            if rest.starts_with("//") || rest.starts_with("--") {
                self.take_while(|character| character != '\n');
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let (start, position) = (self.offset, self.position);
                match comment.find("*/") {
                    Some(end) => self.advance_to(start + 2 + end + 2),
                    None => {
                        self.advance_to(self.text.len());
                        let kind = TokenKind::Invalid(Problem::OpenComment);
                        return Some(Token { kind, text: &self.text[start..], position, offset: start });
                    }
                }
            } else if rest.starts_with(is_blank) {
                self.take_while(is_blank);
            } else {
                return None;
            }
        }
    }

    fn quoted_name(&mut self) -> TokenKind {
        let start = self.offset;
        if !self.take_quoted('`', false) {
            return TokenKind::Invalid(Problem::OpenName);
        }
        match self.offset - start {
            2 => TokenKind::Invalid(Problem::EmptyName),
            _ => TokenKind::QuotedWord,
        }
    }

    fn string(&mut self, quote: char) -> TokenKind {
        let option = self.options.inside.is_some();
        match self.take_quoted(quote, quote == '"' || option) {
            true => TokenKind::String { quote, option },
            false => TokenKind::Invalid(Problem::OpenString),
        }
    }

    /// Takes everything to the closing quote; a doubled quote is not the end. Returns whether there is an end.
    fn take_quoted(&mut self, quote: char, backslash_escapes: bool) -> bool {
        self.advance();
        while let Some(character) = self.advance() {
            if character == '\\' && backslash_escapes {
                self.advance();
            } else if character == quote {
                if self.peek() != Some(quote) {
                    return true;
                }
                self.advance();
            }
        }
        false
    }

    fn number(&mut self) -> TokenKind {
        self.take_while(|character| character.is_ascii_digit());
        if self.peek() == Some('.') {
            self.advance();
            self.take_while(|character| character.is_ascii_digit());
        }
        let exponent =
            self.rest().strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
        if let Some(exponent) = exponent
            && exponent.starts_with(|c: char| c.is_ascii_digit())
        {
            self.advance_to(self.text.len() - exponent.len());
            self.take_while(|character| character.is_ascii_digit());
        }
        if self.peek().is_some_and(is_name_start) {
            self.take_while(is_name_part);
            return TokenKind::Invalid(Problem::NumberWithLetters);
        }
        TokenKind::Number
    }

    fn symbol(&mut self) -> TokenKind {
        let rest = self.rest();
        if DOUBLE_SYMBOLS.iter().any(|symbol| rest.starts_with(symbol)) {
            self.advance();
            self.advance();
            return TokenKind::Symbol;
        }
        match self.advance() {
            Some(character) if SINGLE_SYMBOLS.contains(character) => TokenKind::Symbol,
            _ => TokenKind::Invalid(Problem::Character),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.offset += character.len_utf8();
        match character {
            '\n' => self.position = Position { line: self.position.line + 1, column: 1 },
            _ => self.position.column += 1,
        }
        Some(character)
    }

    fn advance_to(&mut self, offset: usize) {
        while self.offset < offset {
            self.advance();
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.advance();
        }
    }
}

/// A point after an operand selects a field; elsewhere it may begin a number such as `.5`.
fn ends_operand(previous: Option<&Token<'_>>) -> bool {
    previous.is_some_and(|token| match token.kind {
        TokenKind::Word => !is_hard_word(token.text),
        TokenKind::QuotedWord => true,
        TokenKind::Symbol => matches!(token.text, ")" | "]"),
        _ => false,
    })
}

fn is_blank(character: char) -> bool {
    // The no-break space comes with text that was pasted from a web page, the byte order mark with files.
    matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{a0}' | '\u{feff}')
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn is_name_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&str, TokenKind)> {
        tokenize(text).into_iter().map(|token| (token.text, token.kind)).collect()
    }

    #[test]
    fn comments_and_no_break_spaces_separate_tokens() {
        let texts: Vec<&str> =
            tokenize("a//x\nb--y\r\nc/* z\n */d\u{a0}e").iter().map(|token| token.text).collect();
        assert_eq!(texts, ["a", "b", "c", "d", "e", ""]);
    }

    #[test]
    fn comment_starters_in_strings_are_text() {
        let texts: Vec<&str> = tokenize("'a//b' \"c--d\" `e/*f`").iter().map(|token| token.text).collect();
        assert_eq!(texts, ["'a//b'", "\"c--d\"", "`e/*f`", ""]);
    }

    #[test]
    fn columns_count_characters_and_lines_count_line_feeds() {
        let tokens = tokenize("'\u{e9}\u{4e2d}' x\r\n  y");
        let places: Vec<_> =
            tokens.iter().map(|token| (token.position.line, token.position.column)).collect();
        assert_eq!(places, [(1, 1), (1, 6), (2, 3), (2, 4)]);
        assert_eq!(tokens[1].offset, 8);
    }

    #[test]
    fn numbers_end_where_the_number_ends() {
        let texts: Vec<&str> =
            tokenize("1.5E-3 12 1. SELECT .5 a.5 7e x1").iter().map(|token| token.text).collect();
        assert_eq!(texts, ["1.5E-3", "12", "1.", "SELECT", ".5", "a", ".", "5", "7e", "x1", ""]);
        assert_eq!(kinds("7e")[0].1, TokenKind::Invalid(Problem::NumberWithLetters));
    }

    #[test]
    fn a_backslash_before_a_single_quote_counts_only_in_options() {
        assert_eq!(kinds(r"SELECT '\', 'b'")[1].0, r"'\'");
        let tokens = tokenize(r"CREATE SINK STREAM s (a INT) WITH (x = '\'', y = 'b'); SELECT '\'");
        let strings: Vec<&str> = tokens
            .iter()
            .filter(|token| matches!(token.kind, TokenKind::String { .. }))
            .map(|token| token.text)
            .collect();
        assert_eq!(strings, [r"'\''", "'b'", r"'\'"]);
    }

    #[test]
    fn what_is_not_closed_is_one_token_to_the_end() {
        assert_eq!(kinds("a 'b\nc")[1], ("'b\nc", TokenKind::Invalid(Problem::OpenString)));
        assert_eq!(kinds("`b")[0].1, TokenKind::Invalid(Problem::OpenName));
        assert_eq!(kinds("`` x")[0].1, TokenKind::Invalid(Problem::EmptyName));
        assert_eq!(kinds("/* b")[0].1, TokenKind::Invalid(Problem::OpenComment));
        assert_eq!(kinds("\\")[0].1, TokenKind::Invalid(Problem::Character));
    }
}
